"""Least total travel from demand to its nearest of p sites (Hakimi 1964), with a branching that proves it.

Lagrangian relaxation of the assignments (Cornuejols, Fisher and Nemhauser 1977), fast interchange (Whitaker 1983;
Resende and Werneck 2004), fixing by reduced costs, and best-first branching on sites. Every part of the branching keeps
its multipliers, so that the whole proof can be added up again.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.errors import CancelledError, InputError
from planner.progress import SILENT, Progress
from planner.siting.deadline import Deadline
from planner.siting.fewest.question import checked_sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from planner.siting.fewest.set_cover import SetCoverResult
    from planner.siting.travel.kernels import Reach

FREE, OPEN, SHUT = 0, 1, 2
ROOT_STEPS, NODE_STEPS, STEPS_PER_REPORT = 3000, 200, 250
N_RESTARTS = 20
MAX_NODES = 200_000
TINY = 1e-11


@dataclass(frozen=True, eq=False)
class MedianPart:
    """One part of the branching, with the multipliers that bound every plan in it.

    Attributes
    ----------
    opened, shut : sites that are open, or not, in this part, besides the locked ones; rising.
    duals : of the rows, not negative, 0 for unservable rows, [n_rows].
    bound : that they prove.
    """

    opened: tuple[int, ...]
    shut: tuple[int, ...]
    duals: NDArray[np.float64]
    bound: float


@dataclass(frozen=True, eq=False)
class MedianResult:
    """The best plan found and what is proven about it.

    Attributes
    ----------
    chosen : open sites, locked ones included, rising.
    value : people times minutes of the rows that the plan serves.
    lower_bound : the least bound of `parts`, rounded up where weights and minutes are whole numbers; `inf` where no
        plan serves every servable row.
    parts : of the branching; together they hold every plan.
    is_optimal : value equals the bound.
    is_cancelled : the user stopped the search.
    unservable : rows with a weight that no allowed site reaches; they are left out of the question.
    unserved : servable rows that the plan leaves unserved; empty in every plan that counts.
    cover : where p sites cannot, or could not be shown to, serve every servable row: the fewest sites that can.
    """

    chosen: NDArray[np.int64]
    value: float
    lower_bound: float
    parts: tuple[MedianPart, ...]
    is_optimal: bool
    is_cancelled: bool
    unservable: NDArray[np.int64]
    unserved: NDArray[np.int64]
    cover: SetCoverResult | None


@dataclass(frozen=True, eq=False)
class _Task:
    """What is asked: reach lists over the servable rows, p, locks, whether costs are whole numbers.

    `may_leave`: rows may stay unserved at their penalty (asked only once it is clear that p sites are too few).
    """

    reach: Reach
    rows: NDArray[np.int64]
    n_rows: int
    p: int
    status: NDArray[np.int8]
    is_whole: bool
    seed: int
    may_leave: bool = False

    def rounded(self, bound: float) -> float:
        """The bound, rounded up where costs are whole numbers."""
        is_whole = self.is_whole and not self.may_leave
        return float(np.ceil(bound - 1e-7 * max(1.0, abs(bound)))) if is_whole else bound


@dataclass
class _Search:
    """Where the search stands; changed in place."""

    plan: NDArray[np.bool_]
    cost: float
    parts: list[MedianPart] = field(default_factory=list)
    queue: list[tuple[float, int, MedianPart, NDArray[np.float64]]] = field(default_factory=list)
    n_nodes: int = 0

    @property
    def bound(self) -> float:
        return min([part.bound for part in self.parts] + [item[0] for item in self.queue[:1]], default=-np.inf)


def solve_p_median(  # noqa: PLR0913  one question, spelled out by name
    minutes: sparse.csr_matrix | NDArray[np.float64],
    weights: ArrayLike,
    p: int,
    *,
    locked_in: Sequence[int] | NDArray[np.int64] = (),
    locked_out: Sequence[int] | NDArray[np.int64] = (),
    time_limit_s: float = 60.0,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = SILENT,
) -> MedianResult:
    """Return the p sites from which people travel least in all, every one to the nearest.

    Every servable row (with a weight, and a site that reaches it) has to be served. Where p sites cannot do that, the
    plan serves most people first and then travels least; `unserved` names the rows it leaves, `lower_bound` is `inf`
    and `cover` holds the proof that more sites are needed.

    Parameters
    ----------
    minutes : sites x rows, not negative; absent in a sparse matrix (a stored 0 is 0 minutes), `inf` or NaN in a dense
        one = unreachable.
    weights : people of each row, not negative, [n_rows].
    p : open sites in all, the locked ones included.
    locked_in, locked_out : sites that are open, or never are; locked in wins.
    time_limit_s, gap_share : stop after this time, or this close to the bound (share of the value).
    seed : of the restarts.
    progress : hears value and bound; cancelling keeps the best plan so far.

    Notes
    -----
    For multipliers u >= 0 of the servable rows and margins r_j = sum over the rows of j of min(0, w_i d_ji - u_i),
    every plan in a part of the branching costs at least

    sum_i u_i + sum of r_j over the sites open in the part (locked in or opened) + the sum of the q least r_j over its
    free sites, q = p less the number of open ones.

    The bound is the least over the parts; where weights and minutes are whole numbers it is rounded up.

    Raises
    ------
    InputError
        When shapes or numbers contradict each other, or more than p sites are locked in.
    """
    relation = stored_minutes(minutes)
    task, unservable = _task(relation, weights, p, (locked_in, locked_out), seed)
    deadline = Deadline(time_limit_s, progress)
    search = _Search(np.zeros(task.status.size, dtype=bool), np.inf)
    cover, is_cancelled = None, False
    try:
        cover = _start(task, search, relation, deadline)
        task = replace(task, may_leave=bool(_unserved(task, search.plan).size))
        _climb_root(task, search, gap_share, deadline)
        _branch(task, search, gap_share, deadline)
    except CancelledError:
        is_cancelled = True
    unserved = _unserved(task, search.plan)
    parts = (*search.parts, *(item[2] for item in sorted(search.queue, key=lambda item: item[:2])))
    value = _travel(task, search.plan)
    if unserved.size:
        is_impossible = cover is not None and cover.solver_bound > task.p
        bound, parts = (np.inf if is_impossible else 0.0), ()
    else:
        bound = min((part.bound for part in parts), default=0.0)
    return MedianResult(
        np.flatnonzero(search.plan),
        value,
        bound,
        parts,
        not unserved.size and value <= bound + 1e-7 * max(1.0, abs(value)),
        is_cancelled,
        unservable,
        task.rows[unserved],
        cover,
    )


def stored_minutes(minutes: sparse.csr_matrix | NDArray[np.float64]) -> sparse.csr_matrix:
    """Return the minutes as a sorted sparse matrix with its zeros stored.

    Raises
    ------
    InputError
        When minutes are negative.
    """
    if sparse.issparse(minutes):
        relation = sparse.csr_matrix(minutes, dtype=np.float64, copy=True)
        relation.sort_indices()
    else:
        table = np.asarray(minutes, dtype=np.float64)
        sites, rows = np.nonzero(~(np.isinf(table) | np.isnan(table)))
        first = np.concatenate([[0], np.cumsum(np.bincount(sites, minlength=table.shape[0]))])
        relation = sparse.csr_matrix((table[sites, rows], rows, first), shape=table.shape)
    if not np.isfinite(relation.data).all() or (relation.data < 0).any():
        raise InputError("`minutes` must not be negative; leave out what is unreachable.")
    return relation


def servable_rows(
    relation: sparse.csr_matrix, weights: NDArray[np.float64], is_out: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows with a weight that an allowed site reaches, and those that none does.

    Raises
    ------
    InputError
        When weights do not fit the minutes.
    """
    n_rows = relation.shape[1]
    if weights.shape != (n_rows,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(f"`weights` must be {n_rows} numbers that are finite and not negative.")
    reached = np.zeros(n_rows, dtype=bool)
    reached[relation[~is_out].indices] = True
    return np.flatnonzero(reached & (weights > 0)), np.flatnonzero(~reached & (weights > 0))


def _task(
    relation: sparse.csr_matrix,
    weights: ArrayLike,
    p: int,
    locks: tuple[Sequence[int] | NDArray[np.int64], Sequence[int] | NDArray[np.int64]],
    seed: int,
) -> tuple[_Task, NDArray[np.int64]]:
    from planner.siting.travel.kernels import Reach

    n_sites, n_rows = relation.shape
    weight = np.array(weights, dtype=np.float64)
    is_in = checked_sites("locked_in", locks[0], n_sites)
    is_out = checked_sites("locked_out", locks[1], n_sites) & ~is_in
    if p < max(1, is_in.sum()):
        raise InputError(f"`p` is {p}, but {int(is_in.sum())} sites are locked in and at least one is needed.")
    rows, unservable = servable_rows(relation, weight, is_out)
    part = relation[:, rows].tocsr()
    part.sort_indices()
    costs = part.data * weight[rows][part.indices]
    farthest = np.zeros(rows.size)
    np.maximum.at(farthest, part.indices, costs)
    # One person left unserved outweighs all travel, so that plans serve most people first; where weights are no whole
    # numbers, a thousandth of the least weight does.
    unit = 1.0 if (weight == np.floor(weight)).all() else weight[rows].min(initial=1.0) / 1000.0
    penalty = weight[rows] * ((farthest.sum() + 1.0) / unit)
    status = np.where(is_in, OPEN, np.where(is_out, SHUT, FREE)).astype(np.int8)
    reach = Reach(part.indptr.astype(np.int64), part.indices.astype(np.int32), costs, penalty)
    is_whole = bool((costs == np.floor(costs)).all())
    n_open = min(int(p), int((~is_out).sum()))
    return _Task(reach, rows, n_rows, n_open, status, is_whole, seed), unservable


def _nearest(task: _Task, plan: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Least cost of every servable row under a plan, `inf` where it is not served."""
    best = np.full(task.rows.size, np.inf)
    at = np.flatnonzero(np.repeat(plan, np.diff(task.reach.first)))
    np.minimum.at(best, task.reach.rows[at], task.reach.costs[at])
    return best


def _travel(task: _Task, plan: NDArray[np.bool_]) -> float:
    best = _nearest(task, plan)
    return float(best[np.isfinite(best)].sum())


def _unserved(task: _Task, plan: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(np.isinf(_nearest(task, plan)))


def _offer(search: _Search, plan: NDArray[np.bool_], cost: float) -> None:
    if cost < search.cost - TINY * max(1.0, abs(cost)):
        search.plan, search.cost = plan.copy(), cost


def _start(task: _Task, search: _Search, relation: sparse.csr_matrix, deadline: Deadline) -> SetCoverResult | None:
    """Greedy plans and interchange; asks set covering for a plan that serves everybody where none was found."""
    from planner.siting.travel.kernels import greedy_plan, interchange

    plan = greedy_plan(task.reach, task.status, task.p)
    _offer(search, plan, interchange(task.reach, task.status, plan, 10_000))
    rng = np.random.default_rng(task.seed)
    for _ in range(N_RESTARTS):
        deadline.report(search.cost, 0.0)
        if deadline.left_s <= 0:
            break
        plan = _shaken(task, search.plan, rng)
        _offer(search, plan, interchange(task.reach, task.status, plan, 10_000))
    if not _unserved(task, search.plan).size:
        return None
    from planner.siting.fewest.set_cover import solve_set_cover

    part = relation[:, task.rows]
    covers = sparse.csr_matrix((np.ones(part.nnz, dtype=np.int8), part.indices, part.indptr), shape=part.shape)
    cover = solve_set_cover(
        covers,
        np.ones(task.status.size),
        locked_in=np.flatnonzero(task.status == OPEN),
        locked_out=np.flatnonzero(task.status == SHUT),
        goal=float(task.p),
        time_limit_s=0.5 * deadline.left_s,
        seed=task.seed,
        progress=deadline.progress,
    )
    if cover.value <= task.p:
        plan = np.zeros(task.status.size, dtype=bool)
        plan[cover.chosen] = True
        spare = np.flatnonzero((task.status == FREE) & ~plan)[: task.p - int(plan.sum())]
        plan[spare] = True
        _offer(search, plan, interchange(task.reach, task.status, plan, 10_000))
    return cover


def _shaken(task: _Task, plan: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The plan with about a quarter of its free sites exchanged at random."""
    plan = plan.copy()
    inside = np.flatnonzero(plan & (task.status == FREE))
    outside = np.flatnonzero(~plan & (task.status == FREE))
    n = min(max(1, inside.size // 4), outside.size, inside.size)
    plan[rng.choice(inside, n, replace=False)] = False
    plan[rng.choice(outside, n, replace=False)] = True
    return plan


def _is_close(search: _Search, bound: float, gap_share: float) -> bool:
    return bound >= search.cost - max(TINY * max(1.0, abs(search.cost)), gap_share * abs(search.cost))


def _climb_root(task: _Task, search: _Search, gap_share: float, deadline: Deadline) -> None:
    """Multipliers of the whole question, plans from their picks, and the sites that they fix."""
    from planner.siting.travel.kernels import ascend, interchange, margins, pick_sites

    n_sites = task.status.size
    duals = np.minimum(_nearest(task, search.plan), task.reach.penalty)
    usage = np.zeros(n_sites)
    control = np.array([search.cost, 1.0, np.inf, float(task.may_leave)])
    margin, picked = np.empty(n_sites), np.zeros(n_sites, dtype=bool)
    for _ in range(ROOT_STEPS // STEPS_PER_REPORT):
        control[0] = search.cost
        bound = task.rounded(ascend(task.reach, task.status, task.p, duals, control, STEPS_PER_REPORT, usage))
        margins(task.reach, duals, margin)
        pick_sites(margin, task.status, task.p, picked)
        plan = picked.copy()
        _offer(search, plan, interchange(task.reach, task.status, plan, 10_000))
        deadline.report(search.cost, bound)
        if _is_close(search, bound, gap_share) or deadline.left_s <= 0:
            break
    part = _part(task, task.status, (), (), duals)
    if _is_close(search, part.bound, gap_share) or not (task.status == FREE).any():
        search.parts.append(part)
        return
    _push(search, _fix(task, search, part, duals), duals)


def _push(search: _Search, part: MedianPart, duals: NDArray[np.float64]) -> None:
    search.n_nodes += 1
    heapq.heappush(search.queue, (part.bound, search.n_nodes, part, duals))


def _status(task: _Task, part: MedianPart) -> NDArray[np.int8]:
    status = task.status.copy()
    status[list(part.opened)] = OPEN
    status[list(part.shut)] = SHUT
    return status


def _part(
    task: _Task,
    status: NDArray[np.int8],
    opened: tuple[int, ...],
    shut: tuple[int, ...],
    duals: NDArray[np.float64],
) -> MedianPart:
    """The part with the bound that its multipliers prove."""
    from planner.siting.travel.kernels import margins, pick_sites

    margin = np.empty(status.size)
    margins(task.reach, duals, margin)
    bound = float(duals.sum()) + pick_sites(margin, status, task.p, np.zeros(status.size, dtype=bool))
    whole = np.zeros(task.n_rows)
    whole[task.rows] = duals
    return MedianPart(tuple(sorted(opened)), tuple(sorted(shut)), whole, task.rounded(bound))


def _fix(task: _Task, search: _Search, part: MedianPart, duals: NDArray[np.float64]) -> MedianPart:
    """Cut off, as parts of their own, the sites whose other state no better plan holds; returns what is left."""
    opened, shut = list(part.opened), list(part.shut)
    from planner.siting.travel.kernels import margins, pick_sites

    margin, picked = np.empty(task.status.size), np.zeros(task.status.size, dtype=bool)
    margins(task.reach, duals, margin)
    status = _status(task, part)
    pick_sites(margin, status, task.p, picked)
    free = status == FREE
    last = margin[picked & free].max(initial=-np.inf)
    following = margin[~picked & free].min(initial=np.inf)
    base = float(duals.sum() + margin[picked].sum())
    worth = search.cost - TINY * max(1.0, abs(search.cost))
    for j in np.flatnonzero(free).tolist():
        changed = base - margin[j] + following if picked[j] else base - last + margin[j]
        if task.rounded(changed) < worth or not np.isfinite(changed):
            continue
        other = status.copy()
        other[j] = SHUT if picked[j] else OPEN
        sides = (tuple(opened), (*shut, j)) if picked[j] else ((*opened, j), tuple(shut))
        cut = _part(task, other, *sides, duals)
        if cut.bound < worth:
            continue
        search.parts.append(cut)
        (opened if picked[j] else shut).append(j)
        status[j] = OPEN if picked[j] else SHUT
    return _part(task, status, tuple(opened), tuple(shut), duals)


def _branch(task: _Task, search: _Search, gap_share: float, deadline: Deadline) -> None:
    """Best-first branching on sites; changes `search`."""
    while search.queue and search.n_nodes < MAX_NODES and deadline.left_s > 0:
        bound, _, part, duals = search.queue[0]
        if _is_close(search, bound, gap_share):
            break
        if search.n_nodes % 20 == 1:
            deadline.report(search.cost, search.bound)
        heapq.heappop(search.queue)
        _split(task, search, part, duals)


def _split(task: _Task, search: _Search, part: MedianPart, duals: NDArray[np.float64]) -> None:
    """Bound a part better; if it may still hold a better plan, split it on the site that is picked half the time."""
    from planner.siting.travel.kernels import ascend, interchange

    status = _status(task, part)
    usage = np.full(status.size, 0.5)
    control = np.array([search.cost, 0.5, search.cost * (1 + TINY), float(task.may_leave)])
    duals = duals.copy()
    ascend(task.reach, status, task.p, duals, control, NODE_STEPS, usage)
    better = _part(task, status, part.opened, part.shut, duals)
    if better.bound < part.bound:
        better = part
    if _is_close(search, better.bound, 0.0):
        search.parts.append(better)
        return
    free = np.flatnonzero(status == FREE)
    site = int(free[np.argmin(np.abs(usage[free] - 0.5))])
    for state in (OPEN, SHUT):
        child = status.copy()
        child[site] = state
        opened = (*part.opened, site) if state == OPEN else part.opened
        shut = (*part.shut, site) if state == SHUT else part.shut
        n_open, n_free = int((child == OPEN).sum()), int((child == FREE).sum())
        if n_open == task.p or n_open + n_free <= task.p:
            plan = child == OPEN if n_open == task.p else child != SHUT
            # Where these sites cannot serve a row that must be, its multiplier may be as high as we like.
            exact = np.minimum(_nearest(task, plan), task.reach.penalty)
            _offer(search, plan, float(exact.sum()))
            search.parts.append(_part(task, child, opened, shut, exact))
            continue
        _push(search, _part(task, child, opened, shut, duals), duals)
    picks = free[np.argsort(-usage[free], kind="stable")][: task.p - int((status == OPEN).sum())]
    plan = status == OPEN
    plan[picks] = True
    _offer(search, plan, interchange(task.reach, task.status, plan, 50))
