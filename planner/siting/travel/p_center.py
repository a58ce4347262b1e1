"""Least worst travel from demand to its nearest of p sites (Hakimi 1964; Minieka 1970), with proof.

Binary search over the distinct travel times: at each, set covering says whether p sites reach everybody in time. A time
is refuted by multipliers that prove that more than p sites are needed, or else by what HiGHS claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.errors import CancelledError, InputError
from planner.progress import SILENT, Progress
from planner.siting.deadline import Deadline
from planner.siting.fewest.question import checked_sites
from planner.siting.fewest.set_cover import SetCoverResult, solve_set_cover
from planner.siting.travel.p_median import servable_rows, solve_p_median, stored_minutes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class CenterResult:
    """The best plan found and what is proven about it.

    Attributes
    ----------
    chosen : open sites, locked ones included, rising; p or fewer.
    value : worst travel time of a row that the plan serves, minutes.
    lower_bound : no plan has a lower worst time, by multipliers; `inf` where no plan serves every servable row.
    solver_bound : the same by what HiGHS claims; never below `lower_bound`.
    row_duals : multipliers u of the rows that refute every time below `lower_bound`, [n_rows]; zero = none needed.
    is_optimal : value equals the larger of the two bounds.
    is_cancelled : the user stopped the search.
    unservable : rows with a weight that no allowed site reaches; they are left out of the question.
    unserved : servable rows that the plan leaves unserved; empty in every plan that counts.
    """

    chosen: NDArray[np.int64]
    value: float
    lower_bound: float
    solver_bound: float
    row_duals: NDArray[np.float64]
    is_optimal: bool
    is_cancelled: bool
    unservable: NDArray[np.int64]
    unserved: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Task:
    """What is asked: minutes of the servable rows, p, locks."""

    minutes: sparse.csr_matrix
    rows: NDArray[np.int64]
    p: int
    is_in: NDArray[np.bool_]
    is_out: NDArray[np.bool_]
    seed: int


@dataclass
class _Search:
    """Where the search stands; changed in place. `times[low]` is the least time that is not refuted."""

    chosen: NDArray[np.int64]
    worst: float
    low: int
    low_certified: int
    duals: NDArray[np.float64]


def solve_p_center(  # noqa: PLR0913  one question, spelled out by name
    minutes: sparse.csr_matrix | NDArray[np.float64],
    p: int,
    *,
    weights: ArrayLike | None = None,
    locked_in: Sequence[int] | NDArray[np.int64] = (),
    locked_out: Sequence[int] | NDArray[np.int64] = (),
    time_limit_s: float = 60.0,
    seed: int = 0,
    progress: Progress = SILENT,
) -> CenterResult:
    """Return p sites or fewer from which the worst-placed person travels least.

    Every servable row (with a weight, and a site that reaches it) has to be served. Where p sites cannot do that, the
    plan serves most people; `unserved` names the rows it leaves and `lower_bound` is `inf`.

    Parameters
    ----------
    minutes : sites x rows, not negative; absent in a sparse matrix (a stored 0 is 0 minutes), `inf` or NaN in a dense
        one = unreachable.
    p : open sites at most, the locked ones included.
    weights : people of each row, [n_rows]; a row of weight 0 does not count. None = every row counts.
    locked_in, locked_out : sites that are open, or never are; locked in wins.
    time_limit_s : stop after this time.
    seed : of the local searches.
    progress : hears value and bound; cancelling keeps the best plan so far.

    Notes
    -----
    A time limit r is refuted when, over the pairs with minutes < r, multipliers u >= 0 of the servable rows D and
    margins m_j = 1 - sum of u_i over the rows of j give

    sum_D u_i + sum of m_j over locked-in j + sum of min(0, m_j) over the free j > p:

    every plan that reaches everybody within less than r opens at least as many sites. `lower_bound` is the largest r
    that `row_duals` refute.

    Raises
    ------
    InputError
        When shapes or numbers contradict each other, or more than p sites are locked in.
    """
    relation = stored_minutes(minutes)
    n_sites, n_rows = relation.shape
    weight = np.ones(n_rows) if weights is None else np.array(weights, dtype=np.float64)
    is_in = checked_sites("locked_in", locked_in, n_sites)
    is_out = checked_sites("locked_out", locked_out, n_sites) & ~is_in
    if p < max(1, int(is_in.sum())):
        raise InputError(f"`p` is {p}, but {int(is_in.sum())} sites are locked in and at least one is needed.")
    rows, unservable = servable_rows(relation, weight, is_out)
    part = relation[:, rows].tocsr()
    task = _Task(part, rows, min(p, n_sites - int(is_out.sum())), is_in, is_out, seed)
    search = _Search(np.flatnonzero(is_in), np.inf, 0, 0, np.zeros(n_rows))
    deadline = Deadline(time_limit_s, progress)
    times, is_cancelled = np.zeros(1), False
    try:
        times = _narrow(task, search, weight[rows], deadline)
    except CancelledError:
        is_cancelled = True
    near = _nearest(task, search.chosen)
    unserved = rows[~np.isfinite(near)]
    value = float(near[np.isfinite(near)].max(initial=0.0))
    bound, claimed = (float(times[min(at, times.size - 1)]) for at in (search.low_certified, search.low))
    if search.low >= times.size and rows.size:
        claimed = np.inf
        bound = np.inf if search.low_certified >= times.size else bound
    return CenterResult(
        search.chosen,
        value,
        bound,
        claimed,
        search.duals,
        not unserved.size and value <= claimed,
        is_cancelled,
        unservable,
        unserved,
    )


def _nearest(task: _Task, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Minutes of every servable row to the nearest of the sites, `inf` where none reaches it."""
    best = np.full(task.rows.size, np.inf)
    part = task.minutes[chosen]
    np.minimum.at(best, part.indices, part.data)
    return best


def _narrow(task: _Task, search: _Search, weights: NDArray[np.float64], deadline: Deadline) -> NDArray[np.float64]:
    """Close in on the least time that p sites can keep; returns the times in question."""
    nearest = _nearest(task, np.flatnonzero(~task.is_out))
    if not task.rows.size:
        return np.zeros(1)
    floor = float(nearest.max())
    times = np.unique(task.minutes[~task.is_out].data)
    times = times[times >= floor]
    high = times.size - 1
    _try(task, search, times, high, deadline)
    if not np.isfinite(search.worst):
        _serve_most(task, search, weights, deadline)
        return times
    high = int(np.searchsorted(times, search.worst))
    undecided = times.size
    while search.low < min(high, undecided) and deadline.left_s > 0:
        middle = (search.low + min(high, undecided)) // 2
        before = (search.low, search.worst)
        _try(task, search, times, middle, deadline)
        high = int(np.searchsorted(times, search.worst))
        if (search.low, search.worst) == before:
            undecided = middle
    return times


def _try(task: _Task, search: _Search, times: NDArray[np.float64], at: int, deadline: Deadline) -> None:
    """Ask whether p sites reach everybody within `times[at]`; changes `search` by the answer."""
    deadline.report(search.worst, float(times[min(search.low, times.size - 1)]))
    found = _cover_within(task, float(times[at]), deadline)
    if found.value <= task.p:
        worst = float(_nearest(task, found.chosen).max(initial=0.0))
        if worst < search.worst:
            search.chosen, search.worst = found.chosen, worst
        return
    if found.is_cancelled:
        raise CancelledError("Cancelled.")
    if found.solver_bound > task.p:
        search.low = max(search.low, at + 1)
    if found.lower_bound > task.p and at + 1 > search.low_certified:
        search.low_certified = at + 1
        search.duals = np.zeros(search.duals.size)
        search.duals[task.rows] = found.row_duals


def _cover_within(task: _Task, limit_min: float, deadline: Deadline) -> SetCoverResult:
    """Fewest sites that reach every servable row within the limit, or as many as show that p are too few."""
    near = task.minutes.copy()
    is_near = near.data <= limit_min
    first = np.concatenate([[0], np.cumsum(is_near)])[near.indptr]
    covers = sparse.csr_matrix((np.ones(int(is_near.sum()), dtype=np.int8), near.indices[is_near], first), near.shape)
    return solve_set_cover(
        covers,
        np.ones(task.is_in.size),
        locked_in=np.flatnonzero(task.is_in),
        locked_out=np.flatnonzero(task.is_out),
        goal=float(task.p),
        time_limit_s=max(0.1, 0.5 * deadline.left_s),
        seed=task.seed,
        progress=deadline.progress,
    )


def _serve_most(task: _Task, search: _Search, weights: NDArray[np.float64], deadline: Deadline) -> None:
    """The plan that serves most people, where p sites cannot serve everybody; changes `search`."""
    found = solve_p_median(
        task.minutes,
        weights,
        task.p,
        locked_in=np.flatnonzero(task.is_in),
        locked_out=np.flatnonzero(task.is_out),
        time_limit_s=deadline.left_s,
        seed=task.seed,
        progress=deadline.progress,
    )
    search.chosen = found.chosen
