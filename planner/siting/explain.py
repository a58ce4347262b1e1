"""Why these sites and not others: ranks, gains, substitutes, reasons of rejection.

Gains are told in people (cover objectives, `min-sites`) or people-minutes (minutes objectives; people whom nobody
reaches yet count there with the longest minutes of the relation). What an exchange loses is told in the unit of the
objective: people, sites or cost, people-minutes, for `p-center` the minutes by which the worst grow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.siting.problem import BY_MINUTES
from planner.siting.proof.judge import best_minutes, coverable
from planner.siting.solution import Ask, Rejection, Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.siting.problem import SitingProblem
    from planner.siting.rules import RuleName, Rules

_EPSILON = 1e-9
# Exchanges that are tried to name the rule that blocks a site.
_EXCHANGES = 20


@dataclass(frozen=True)
class Swaps:
    """What opening and exchanging would change, in the unit of the explanation.

    Attributes
    ----------
    adding : gain of opening a row as well, [n_sites].
    closing : loss of closing a row, [n_sites] (0 for rows that are not open).
    joint : correction of adding row j when row i closes, [n_sites, n_sites] sparse:
        change of swap i -> j is adding[j] + joint[j, i] - closing[i].
    """

    adding: NDArray[np.float64]
    closing: NDArray[np.float64]
    joint: sparse.csc_matrix


def sites_of(
    problem: SitingProblem, ask: Ask, rules: Rules, is_open: NDArray[np.bool_], years: Sequence[Sequence[int]] = ()
) -> tuple[Site, ...]:
    """Return the newly opened sites in rank order, each with its gains and its best substitute.

    Parameters
    ----------
    years : rows opened in each year; those of an earlier year rank before those of a later one.
    """
    before = np.zeros(problem.n_sites, dtype=bool)
    before[list(problem.existing)] = True
    chosen = np.flatnonzero(is_open & ~before)
    ranked = []
    start = is_open & before
    for rows in years or [chosen.tolist()]:
        ranked += _ranked(problem, ask, np.intersect1d(rows, chosen).astype(np.int64), start)
        start = start.copy()
        start[list(rows)] = True
    alone = swaps_of(problem, ask, is_open & before).adding
    exchange = swaps_of(problem, ask, is_open)
    sites = []
    for rank, (row, marginal) in enumerate(ranked, start=1):
        substitute, loss = _substitute(problem, ask, rules, is_open, exchange, row)
        columns = problem.relation.indices[problem.relation.indptr[row] : problem.relation.indptr[row + 1]]
        covers = {
            kind: tuple(sorted({str(values[column]) for column in columns.tolist() if values[column] is not None}))
            for kind, values in problem.demand_labels.items()
        }
        sites.append(
            Site(
                row=row,
                site_id=problem.row_name(row),
                rank=rank,
                marginal=marginal,
                total=float(alone[row]),
                n_demand=int(columns.size),
                covers=covers,
                substitute=substitute,
                loss=loss,
            )
        )
    return tuple(sites)


def _ranked(
    problem: SitingProblem, ask: Ask, chosen: NDArray[np.int64], start: NDArray[np.bool_]
) -> list[tuple[int, float]]:
    """Order the chosen rows by what each adds to those before it; ties by cost, then row."""
    is_open, left, ranked = start.copy(), chosen.tolist(), []
    part = np.zeros(problem.n_sites, dtype=bool)
    part[chosen] = True
    small = _only(problem, part | start)
    while left:
        adding = swaps_of(small, ask, is_open, with_joint=False).adding
        best = min(left, key=lambda row: (-adding[row], problem.cost_of[row], row))
        ranked.append((best, float(adding[best])))
        is_open[best] = True
        left.remove(best)
    return ranked


def _only(problem: SitingProblem, rows: NDArray[np.bool_]) -> _Relation:
    keep = sparse.diags_array(rows.astype(np.float64), format="csr")
    if problem.covers is not None:
        covers = (keep @ problem.covers.astype(np.float64)).astype(bool).tocsr()
        return _Relation(problem.weights, covers, problem.minutes, problem.cutoff_min)
    return _Relation(problem.weights, None, problem.minutes, problem.cutoff_min)


@dataclass(frozen=True)
class _Relation:
    weights: NDArray[np.float64]
    covers: Any
    minutes: Any
    cutoff_min: float | None


def swaps_of(
    problem: SitingProblem | _Relation, ask: Ask, is_open: NDArray[np.bool_], *, with_joint: bool = True
) -> Swaps:
    """Return what every opening, closing and exchange would change."""
    if ask.objective in {"max-cover", "backup-cover", "min-sites"}:
        return _cover_swaps(problem, is_open, 2 if ask.objective == "backup-cover" else 1, with_joint=with_joint)
    return _minute_swaps(problem, ask, is_open, with_joint=with_joint)


def _cover_swaps(
    problem: SitingProblem | _Relation, is_open: NDArray[np.bool_], needed: int, *, with_joint: bool
) -> Swaps:
    covers, weights = problem.covers, problem.weights
    times = np.asarray(covers[is_open].sum(axis=0)).ravel()
    short, just = weights * (times == needed - 1), weights * (times == needed)
    adding = np.where(is_open, 0.0, covers @ short)
    closing = np.where(is_open, covers @ just, 0.0)
    if not with_joint:
        return Swaps(adding, closing, sparse.csc_matrix((is_open.size, is_open.size)))
    mine = sparse.diags_array(is_open.astype(np.float64)) @ covers.astype(np.float64)
    joint = covers.astype(np.float64) @ (mine @ sparse.diags_array(just - short)).T
    return Swaps(adding, closing, joint.tocsc())


def _minute_swaps(
    problem: SitingProblem | _Relation, ask: Ask, is_open: NDArray[np.bool_], *, with_joint: bool
) -> Swaps:
    relation = problem.minutes
    late = problem.cutoff_min if ask.objective == "least-excess" else None
    charged = relation.data if late is None else np.maximum(0.0, relation.data - late)
    longest = float(charged.max(initial=0.0))
    site = np.repeat(np.arange(relation.shape[0]), np.diff(relation.indptr))
    first, second, owner = _two_best(relation, charged, site, is_open, longest)
    people = problem.weights[relation.indices]
    saved = people * np.maximum(0.0, first[relation.indices] - charged)
    adding = np.where(is_open, 0.0, _sums(site, saved, is_open.size))
    loss = problem.weights * (second - first)
    closing = _sums(owner[owner >= 0], loss[owner >= 0], is_open.size)
    if not with_joint:
        return Swaps(adding, closing, sparse.csc_matrix((is_open.size, is_open.size)))
    more = people * (np.maximum(0.0, second[relation.indices] - charged)) - saved
    other = owner[relation.indices]
    use = (other >= 0) & (more > 0)
    joint = sparse.csc_matrix((more[use], (site[use], other[use])), shape=(is_open.size, is_open.size))
    return Swaps(adding, closing, joint)


def _sums(where: NDArray[np.int64], values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return np.bincount(where, values, minlength=length).astype(np.float64)


def _two_best(
    relation: sparse.csr_matrix,
    charged: NDArray[np.float64],
    site: NDArray[np.int64],
    is_open: NDArray[np.bool_],
    longest: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return minutes to the nearest and the second open row and who is nearest, [n_demand] each."""
    first = np.full(relation.shape[1], longest)
    second = np.full(relation.shape[1], longest)
    owner = np.full(relation.shape[1], -1, dtype=np.int64)
    use = np.flatnonzero(is_open[site])
    use = use[np.lexsort((site[use], charged[use], relation.indices[use]))]
    column = relation.indices[use]
    is_first = np.concatenate([[True], column[1:] != column[:-1]]) if use.size else np.zeros(0, dtype=bool)
    is_second = np.concatenate([[False], is_first[:-1]]) & ~is_first if use.size else is_first
    first[column[is_first]] = charged[use[is_first]]
    owner[column[is_first]] = site[use[is_first]]
    second[column[is_second]] = charged[use[is_second]]
    return first, second, owner


def can_swap(rules: Rules, is_open: NDArray[np.bool_], out: int | None) -> NDArray[np.bool_]:
    """Return which rows may be opened when row `out` closes (None: nothing closes), keeping every rule, [n_sites]."""
    now = is_open.copy()
    if out is not None:
        now[out] = False
    slack = rules.upper - rules.matrix @ now.astype(np.float64) + _EPSILON * np.maximum(1.0, np.abs(rules.upper))
    number = np.repeat(np.arange(rules.upper.size), np.diff(rules.matrix.indptr))
    is_kept = rules.matrix.data <= slack[number]
    n_broken = np.bincount(rules.matrix.indices[~is_kept], minlength=is_open.size)
    short = slack < 0
    mends = is_kept & short[number]
    n_mended = np.bincount(rules.matrix.indices[mends], minlength=is_open.size)
    may = (n_broken == 0) & (n_mended == int(short.sum())) & ~is_open & (rules.highest == 1)
    if out is not None:
        may &= rules.lowest[out] == 0
        may[out] = False
    return may


def _gains(
    problem: SitingProblem, ask: Ask, is_open: NDArray[np.bool_], exchange: Swaps, out: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what every row would gain in place of `out`: in the unit of the objective, and in that of `exchange`."""
    change = exchange.adding + np.asarray(exchange.joint[:, [out]].todense()).ravel() - exchange.closing[out]
    if ask.objective == "min-sites":
        return problem.cost_of[out] - problem.cost_of, change
    if ask.objective == "p-center":
        return -_worse_min(problem, is_open, out), change
    return change, change


def _worse_min(problem: SitingProblem, is_open: NDArray[np.bool_], out: int) -> NDArray[np.float64]:
    """Return how much the worst minutes grow when a row stands in for `out`, [n_sites]; inf = somebody is lost."""
    rest = is_open.copy()
    rest[out] = False
    left, now = best_minutes(problem, rest), best_minutes(problem, is_open)
    wanted = np.isfinite(now) & (problem.weights > 0)
    worst = float(now[wanted].max(initial=0.0))
    # Only who had `out` to thank can be worse off than the worst is now.
    columns = np.flatnonzero(wanted & (left > worst))
    part = problem.minutes[:, columns].tocsr()
    at = np.repeat(np.arange(problem.n_sites), np.diff(part.indptr))
    near = np.full((problem.n_sites, columns.size), np.inf)
    near[at, part.indices] = part.data
    return np.minimum(near, left[columns]).max(axis=1, initial=worst) - worst


def _keeps_objective(
    problem: SitingProblem, ask: Ask, is_open: NDArray[np.bool_], change: NDArray[np.float64], out: int
) -> NDArray[np.bool_]:
    """Return which rows may stand in for `out` as far as the objective demands: a share covered, everyone reached."""
    if ask.objective == "min-sites":
        everyone = float(problem.weights[coverable(problem)].sum())
        covered = float(problem.weights[np.asarray(problem.covers[is_open].sum(axis=0)).ravel() > 0].sum())
        return covered + change >= ask.cover_share * everyone - _EPSILON * max(1.0, everyone)
    if ask.objective in BY_MINUTES:
        lost = _only_reached_by(problem, is_open, out)
        return problem.minutes[:, lost].getnnz(axis=1) == lost.size
    return np.ones(problem.n_sites, dtype=bool)


def _only_reached_by(problem: SitingProblem, is_open: NDArray[np.bool_], out: int) -> NDArray[np.int64]:
    """Return the demand points with people that no open row but `out` reaches."""
    times = np.bincount(problem.minutes[is_open].indices, minlength=problem.n_demand)
    mine = problem.minutes.indices[problem.minutes.indptr[out] : problem.minutes.indptr[out + 1]]
    return np.sort(mine[(times[mine] == 1) & (problem.weights[mine] > 0)]).astype(np.int64)


def _substitute(
    problem: SitingProblem, ask: Ask, rules: Rules, is_open: NDArray[np.bool_], exchange: Swaps, row: int
) -> tuple[int | None, float | None]:
    gain, change = _gains(problem, ask, is_open, exchange, row)
    may = can_swap(rules, is_open, row) & _keeps_objective(problem, ask, is_open, change, row)
    if not may.any():
        return None, None
    rows = np.flatnonzero(may)
    best = int(rows[np.lexsort((rows, -change[rows], -gain[rows]))[0]])
    return best, float(-gain[best])


def rejections(problem: SitingProblem, ask: Ask, rules: Rules, is_open: NDArray[np.bool_]) -> tuple[Rejection, ...]:
    """Return, for every candidate that is not opened, why."""
    before = np.zeros(problem.n_sites, dtype=bool)
    before[list(problem.existing)] = True
    rows = np.flatnonzero(~is_open & ~before)
    alone = swaps_of(problem, ask, is_open & before).adding
    exchange = swaps_of(problem, ask, is_open)
    # One more site gains nothing where the fewest are sought, and everything it can elsewhere.
    best = np.full(problem.n_sites, -np.inf)
    if ask.objective not in {"min-sites", "p-center"}:
        best = np.where(can_swap(rules, is_open, None), exchange.adding, -np.inf)
    is_kept = np.zeros(problem.n_sites, dtype=bool)
    for out in np.flatnonzero(is_open & ~before).tolist():
        gain, change = _gains(problem, ask, is_open, exchange, out)
        may = can_swap(rules, is_open, out)
        is_kept |= may
        may &= _keeps_objective(problem, ask, is_open, change, out)
        best = np.maximum(best, np.where(may, gain, -np.inf))
    better = _covered_whole(problem, is_open & ~before)
    locked = set(problem.lock_out)
    return tuple(
        _reason(
            problem, ask, rules, row,
            _Facts(is_open, alone[row], best[row], int(better[row]), row in locked, bool(is_kept[row])),
        )
        for row in rows.tolist()
    )  # fmt: skip


@dataclass(frozen=True)
class _Facts:
    is_open: NDArray[np.bool_]
    alone: float
    best: float
    better: int
    is_locked: bool
    is_kept: bool


def _reason(problem: SitingProblem, ask: Ask, rules: Rules, row: int, facts: _Facts) -> Rejection:
    name = problem.row_name(row)
    if facts.is_locked or facts.alone <= 0:
        return Rejection(row, name, "locked-out" if facts.is_locked else "covers-nobody-new")
    if ask.budget is not None and problem.cost_of[row] > ask.budget:
        return Rejection(row, name, "too-costly")
    if facts.better >= 0:
        return Rejection(row, name, "dominated", by=facts.better)
    if np.isneginf(facts.best):
        if facts.is_kept:
            # The rules allow some exchange, but not what the objective itself asks for.
            return Rejection(row, name, "not-enough")
        with_it = facts.is_open.copy()
        with_it[row] = True
        return Rejection(row, name, "blocked", rule=_blocker(problem, rules, row, facts.is_open))
    return Rejection(row, name, "less-gain", loss=max(0.0, -facts.best))


def _blocker(problem: SitingProblem, rules: Rules, row: int, is_open: NDArray[np.bool_]) -> RuleName | None:
    """Return the rule that most exchanges for a chosen row would break; without any, that one site more breaks."""
    chosen = np.setdiff1d(np.flatnonzero(is_open & (rules.lowest == 0)), problem.existing)
    names: Counter[RuleName] = Counter()
    for out in [*chosen[:_EXCHANGES].tolist(), None]:
        plan = is_open.copy()
        plan[row] = True
        if out is not None:
            plan[out] = False
        names.update(rules.broken_by(plan))
        if out is None and not names:
            return None
    return names.most_common(1)[0][0]


def _covered_whole(problem: SitingProblem, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return a chosen row that covers all that a row covers at no higher cost, [n_sites]; -1 = none."""
    by = np.full(problem.n_sites, -1, dtype=np.int64)
    if problem.covers is None or not chosen.any():
        return by
    size = np.diff(problem.covers.indptr)
    shared = (problem.covers.astype(np.int64) @ problem.covers[chosen].astype(np.int64).T).tocoo()
    whom = np.flatnonzero(chosen)[shared.col]
    whole = (shared.data == size[shared.row]) & (problem.cost_of[whom] <= problem.cost_of[shared.row])
    by[shared.row[whole][::-1]] = whom[whole][::-1]
    return by
