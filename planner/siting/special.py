"""Large questions with few rules, answered by the method made for them: set cover, p-median, p-center."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.outcome import Outcome
from planner.siting.problem import BY_MINUTES
from planner.siting.proof.bounds import scale_bits_of
from planner.siting.proof.certificate import Certificate, Leaf
from planner.siting.proof.judge import charged, reachable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.rules import RuleName, Rules
    from planner.siting.solution import Ask
    from planner.siting.travel.p_median import MedianPart

SMALL = 3_000
_CENTER_BITS = 30


def is_special(problem: SitingProblem, ask: Ask, rules: Rules) -> bool:
    """Whether a method of its own answers the question: nothing but a number of sites, locks and existing places."""
    kinds = {name[0] for name in rules.names}
    if problem.relation.nnz <= SMALL or problem.closable or problem.movable:
        return False
    if ask.objective == "min-sites":
        return not kinds and ask.cover_share > 0
    new_locks = set(problem.lock_in) - set(problem.existing)
    return ask.objective in BY_MINUTES and kinds == {"count"} and len(new_locks) <= (ask.n_new or 0) > 0


def run_special(problem: SitingProblem, ask: Ask, rules: Rules, progress: Progress) -> Outcome:
    """Return the plan and the proof of the method made for the objective."""
    if ask.objective == "min-sites":
        return _set_cover(problem, ask, rules, progress)
    if ask.objective == "p-center":
        return _center(problem, ask, rules, progress)
    return _median(problem, ask, rules, progress)


def _locks(rules: Rules) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.flatnonzero(rules.lowest), np.flatnonzero(rules.highest == 0)


def _opened(problem: SitingProblem, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    is_open = np.zeros(problem.n_sites, dtype=bool)
    is_open[rows] = True
    return is_open


def _whole(prices: NDArray[np.float64], bits: int) -> NDArray[np.int64]:
    return np.floor(np.ldexp(np.maximum(0.0, prices), bits)).astype(np.int64)


def _set_cover(problem: SitingProblem, ask: Ask, rules: Rules, progress: Progress) -> Outcome:
    from planner.siting.fewest.set_cover import solve_set_cover

    inside, outside = _locks(rules)
    costs = problem.cost_of.copy()
    costs[problem.fixed_open] = 0.0
    answer = solve_set_cover(
        problem.covers,
        costs,
        locked_in=inside,
        locked_out=outside,
        weights=problem.weights,
        cover_share=ask.cover_share,
        time_limit_s=ask.time_limit_s,
        gap_share=ask.gap_share,
        progress=progress,
    )
    bits = scale_bits_of(float(costs.sum()) + float(answer.row_duals.sum()), problem.n_sites)
    share: dict[RuleName, int] = {}
    if ask.cover_share < 1:
        share["share",] = int(_whole(np.array([answer.weight_price]), bits)[0])
    leaf = Leaf((), (), _whole(answer.row_duals, bits), share)
    plan = None if math.isinf(answer.value) else _opened(problem, answer.chosen)
    status = "cancelled" if answer.is_cancelled else "done"
    return Outcome(plan, status, answer.solver_bound, Certificate(bits, (leaf,)))


def _median(problem: SitingProblem, ask: Ask, rules: Rules, progress: Progress) -> Outcome:
    from planner.siting.travel.p_median import solve_p_median

    inside, outside = _locks(rules)
    minutes = problem.minutes.copy()
    minutes.data = charged(problem, ask, minutes.data)
    n_open = (ask.n_new or 0) + problem.fixed_open.size
    answer = solve_p_median(
        minutes,
        problem.weights,
        min(n_open, int(rules.highest.sum())),
        locked_in=inside,
        locked_out=outside,
        time_limit_s=ask.time_limit_s,
        gap_share=ask.gap_share,
        progress=progress,
    )
    if answer.unserved.size or _is_lost(problem, rules):
        return Outcome(None, "infeasible", math.nan)
    most = max((float(part.duals.sum()) for part in answer.parts), default=1.0)
    most += float((minutes.data * problem.weights[minutes.indices]).max(initial=0.0)) * problem.n_demand
    bits = scale_bits_of(most, 1)
    leaves = tuple(_median_leaf(problem, minutes, ask, part, bits) for part in answer.parts)
    status = "cancelled" if answer.is_cancelled else "done"
    certificate = Certificate(bits, leaves) if leaves else None
    return Outcome(_opened(problem, answer.chosen), status, answer.lower_bound, certificate)


def _median_leaf(problem: SitingProblem, minutes: sparse.csr_matrix, ask: Ask, part: MedianPart, bits: int) -> Leaf:
    """Return the leaf of one part: the price of the count is the worth of the last site that is worth opening."""
    opened, shut, duals = part.opened, part.shut, part.duals
    saved = np.maximum(0.0, duals[minutes.indices] - minutes.data * problem.weights[minutes.indices])
    running = np.concatenate([[0.0], np.cumsum(saved)])
    worth = running[minutes.indptr[1:]] - running[minutes.indptr[:-1]]
    is_free = np.ones(problem.n_sites, dtype=bool)
    is_free[list(problem.existing)] = False
    fixed = set(np.asarray(opened).tolist()) | set(problem.lock_in)
    for rows in (opened, shut, problem.lock_in, problem.lock_out):
        is_free[list(rows)] = False
    n_left = (ask.n_new or 0) - len(fixed - set(problem.existing))
    ranked = -np.sort(-worth[is_free])
    price = ranked[n_left - 1] if 0 < n_left <= ranked.size else (0.0 if n_left > 0 else ranked.max(initial=0.0))
    named: dict[RuleName, int] = {("count",): int(_whole(np.array([price]), bits)[0])}
    own_opened = [int(row) for row in opened if row not in set(problem.fixed_open.tolist())]
    return Leaf(tuple(own_opened), tuple(int(row) for row in shut), _whole(duals, bits), named)


def _center(problem: SitingProblem, ask: Ask, rules: Rules, progress: Progress) -> Outcome:
    from planner.siting.travel.p_center import solve_p_center

    inside, outside = _locks(rules)
    answer = solve_p_center(
        problem.minutes,
        (ask.n_new or 0) + problem.fixed_open.size,
        weights=problem.weights,
        locked_in=inside,
        locked_out=outside,
        time_limit_s=ask.time_limit_s,
        progress=progress,
    )
    if answer.unserved.size or _is_lost(problem, rules):
        return Outcome(None, "infeasible", math.nan)
    certificate = None
    if answer.row_duals.any():
        leaf = Leaf((), (), _whole(answer.row_duals, _CENTER_BITS), {("count",): 2**_CENTER_BITS})
        certificate = Certificate(_CENTER_BITS, (leaf,), radius_min=answer.lower_bound)
    status = "cancelled" if answer.is_cancelled else "done"
    return Outcome(_opened(problem, answer.chosen), status, answer.solver_bound, certificate)


def _is_lost(problem: SitingProblem, rules: Rules) -> bool:
    """Whether only locked-out rows reach somebody: nobody can then be served by any plan."""
    reached = np.zeros(problem.n_demand, dtype=bool)
    reached[problem.minutes[np.flatnonzero(rules.highest)].indices] = True
    return bool((reachable(problem) & ~reached).any())
