"""Fewest or cheapest sites that cover every row, or a share of the rows' weight, with multipliers that prove a bound.

Full cover (Toregas et al. 1971): reductions, prices from the linear relaxation or, where that is too large, subgradient
steps with column pricing (Caprara, Fischetti and Toth 1999), row-weighting local search (Gao, Weise and Li 2015),
fixing by reduced costs, reductions again, and HiGHS on what is left. Partial cover: `partial_cover` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.errors import CancelledError, InputError
from planner.progress import SILENT, Progress
from planner.siting.deadline import Deadline
from planner.siting.fewest.finish import Ways, finish
from planner.siting.fewest.program import relaxation_prices
from planner.siting.fewest.question import (
    Best,
    Question,
    checked_sites,
    is_settled,
    offer_plan,
    offer_prices,
    report,
    sure_cost,
)
from planner.siting.fewest.reduction import Instance, free_instance, reduce_instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


LARGEST_RELAXATION = 250_000
WORK_PER_SECOND = 2e8
WORK_STEP = 2e7
LEAST_WORK = 1e6
WORK_PER_PAIR = 2e4
STEPS_PER_PRICING = 200
LEAST_STEP = 1e-5
SMALL_GAP = 0.03


@dataclass(frozen=True, eq=False)
class SetCoverResult:
    """The cheapest plan found and what is proven about it.

    Attributes
    ----------
    chosen : open sites, locked ones included, rising.
    value : their cost, locked ones included; `inf` when cancelled before there was a plan.
    lower_bound : proven by the multipliers, rounded up where every cost is a whole number.
    row_duals : multipliers u of the rows, not negative, [n_rows].
    weight_price : multiplier t of the weight to cover; 0 in full cover.
    target : weight to cover; None in full cover.
    solver_bound : what HiGHS claims together with the multipliers; never below `lower_bound`.
    is_optimal : value equals the larger of the two bounds.
    is_cancelled : the user stopped the search.
    uncoverable : rows with a weight that no allowed site covers; they are left out of the question.
    """

    chosen: NDArray[np.int64]
    value: float
    lower_bound: float
    row_duals: NDArray[np.float64]
    weight_price: float
    target: float | None
    solver_bound: float
    is_optimal: bool
    is_cancelled: bool
    uncoverable: NDArray[np.int64]


def solve_set_cover(  # noqa: PLR0913  one question, spelled out by name
    covers: sparse.csr_matrix,
    costs: ArrayLike,
    *,
    locked_in: Sequence[int] | NDArray[np.int64] = (),
    locked_out: Sequence[int] | NDArray[np.int64] = (),
    weights: ArrayLike | None = None,
    cover_share: float = 1.0,
    goal: float = -np.inf,
    time_limit_s: float = 60.0,
    gap_share: float = 0.0,
    seed: int = 0,
    progress: Progress = SILENT,
) -> SetCoverResult:
    """Return the cheapest sites that cover what can be covered, or a share of its weight.

    Parameters
    ----------
    covers : sites x rows; a stored entry that is not 0 = covers.
    costs : of the sites, not negative, [n_sites].
    locked_in, locked_out : sites that are open (at their cost) or never are; locked in wins.
    weights : of the rows, not negative, [n_rows]; None = 1 each. A row of weight 0 needs no cover.
    cover_share : share of the weight of coverable rows that has to be covered, above 0 and at most 1.
    goal : stop as soon as a plan costs this or less, or none can.
    time_limit_s, gap_share : stop after this time, or this close to the bound (share of the value).
    seed : of the local searches.
    progress : hears value and bound; cancelling keeps the best plan so far.

    Notes
    -----
    Coverable rows D have a weight and an allowed site. With margins m_j = c_j - sum of u_i over the rows of j,
    every plan costs at least, for any u >= 0 (0 outside D) and t >= 0,

    - full cover: sum_D u_i + sum of m_j over locked-in j + sum of min(0, m_j) over the free j;
    - partial cover: t T - sum_D max(0, t w_i - u_i) + the same sums over j, T = `target`, which is
      cover_share sum_D w - 1e-9 max(1, sum_D w).

    Where all costs are whole numbers the bound is rounded up.

    Raises
    ------
    InputError
        When shapes or numbers contradict each other.
    """
    question, uncoverable = _question(covers, costs, weights, cover_share, (locked_in, locked_out))
    question = Question(**{**question.__dict__, "goal": goal, "gap_share": gap_share, "seed": seed})
    deadline = Deadline(time_limit_s, progress)
    n_sites, n_rows = question.covers.shape
    best = Best(np.zeros(n_sites, dtype=bool), np.inf, -np.inf, np.zeros(n_rows), 0.0, -np.inf)
    offer_prices(question, best, np.zeros(n_rows), 0.0)
    is_cancelled = False
    try:
        if question.target is None:
            _cover_all(question, best, deadline)
        else:
            from planner.siting.fewest.partial_cover import cover_share_of

            cover_share_of(question, best, deadline)
    except CancelledError:
        is_cancelled = True
    best.solver_bound = min(max(best.solver_bound, best.bound), best.value)
    return SetCoverResult(
        np.flatnonzero(best.is_open),
        best.value,
        best.bound,
        best.duals,
        best.weight_price,
        question.target,
        best.solver_bound,
        best.value <= best.solver_bound + 1e-7 * max(1.0, abs(best.value)),
        is_cancelled,
        uncoverable,
    )


def _question(
    covers: sparse.csr_matrix,
    costs: ArrayLike,
    weights: ArrayLike | None,
    cover_share: float,
    locks: tuple[Sequence[int] | NDArray[np.int64], Sequence[int] | NDArray[np.int64]],
) -> tuple[Question, NDArray[np.int64]]:
    relation = sparse.csr_matrix(covers, copy=True)
    relation.sum_duplicates()
    relation.eliminate_zeros()
    relation = sparse.csr_matrix(
        (np.ones(relation.nnz, dtype=np.int8), relation.indices, relation.indptr), relation.shape
    )
    n_sites, n_rows = relation.shape
    cost = np.array(costs, dtype=np.float64)
    weight = np.ones(n_rows) if weights is None else np.array(weights, dtype=np.float64)
    for name, values, length in (("costs", cost, n_sites), ("weights", weight, n_rows)):
        if values.shape != (length,) or not np.isfinite(values).all() or (values < 0).any():
            raise InputError(f"`{name}` must be {length} numbers that are finite and not negative.")
    if not 0 < cover_share <= 1:
        raise InputError(f"`cover_share` must be above 0 and at most 1, not {cover_share}.")
    is_sure = checked_sites("locked_in", locks[0], n_sites)
    is_shut = checked_sites("locked_out", locks[1], n_sites) & ~is_sure
    is_coverable = np.zeros(n_rows, dtype=bool)
    is_coverable[relation[~is_shut].indices] = True
    uncoverable = np.flatnonzero(~is_coverable & (weight > 0))
    weight[~is_coverable] = 0.0
    total = float(weight.sum())
    target = None if cover_share == 1 else cover_share * total - 1e-9 * max(1.0, total)
    return Question(relation, cost, weight, is_sure, is_shut, target, -np.inf, 0.0, 0), uncoverable


def _cover_all(question: Question, best: Best, deadline: Deadline) -> None:
    """Full cover: changes `best`."""
    from planner.siting.fewest.kernels import greedy_plan

    whole = free_instance(question)
    instance = reduce_instance(whole, is_full=True)
    for each in (instance, whole):
        needed = np.append(np.ones(each.rows.size), each.rows.size)
        plan = greedy_plan(each.lists(), each.costs, np.zeros(each.rows.size), needed)
        offer_plan(question, best, each, plan)
    if not instance.rows.size:
        offer_prices(question, best, instance.spread_full(np.zeros(0), question.costs), 0.0)
        return
    report(best, deadline)
    instance = _search(question, best, instance, 0.05, deadline)
    duals = _prices(question, best, instance, deadline)
    left = _fixed(question, best, instance, duals)
    if left is None:
        best.solver_bound = best.value
        return
    _finish(question, best, left, deadline)


def _search(question: Question, best: Best, instance: Instance, share: float, deadline: Deadline) -> Instance:
    """Row-weighting local search for a share of the time that is left; changes `best`."""
    from planner.siting.fewest.kernels import greedy_plan, search_full, start_search

    lists = instance.lists()
    clock = deadline.share(share)
    n_rows = instance.rows.size
    plan = _own_plan(best, instance)
    if plan is None:
        plan = greedy_plan(lists, instance.costs, np.zeros(n_rows), np.append(np.ones(n_rows), n_rows))
    base = sure_cost(question, instance)
    state = start_search(lists, plan, np.ones(n_rows), question.seed + 1)
    cost = float(instance.costs[plan].sum())
    work = min(clock.seconds * WORK_PER_SECOND, max(LEAST_WORK, WORK_PER_PAIR * instance.relation.nnz))
    step = max(1.0, min(work, WORK_STEP))
    for _ in range(int(np.ceil(work / step))):
        goal = max(best.bound, best.solver_bound, question.goal) - base
        cost = search_full(lists, state, instance.costs, plan, np.array([cost, goal, step]))
        if cost + base < best.value - 1e-9:
            offer_plan(question, best, instance, plan)
        report(best, deadline)
        if clock.left_s <= 0 or is_settled(question, best):
            break
    return instance


def _own_plan(best: Best, instance: Instance) -> NDArray[np.bool_] | None:
    """The best plan within the instance, None where it does not cover its rows."""
    plan = best.is_open[instance.sites]
    covered = np.unique(instance.relation[plan].indices).size
    return plan if covered == instance.rows.size else None


def _prices(question: Question, best: Best, instance: Instance, deadline: Deadline) -> NDArray[np.float64]:
    """Multipliers of the instance's rows with no negative reduced cost; offers them to `best`."""
    from planner.siting.fewest.kernels import mend_duals

    lists = instance.lists()
    cap = np.minimum.reduceat(instance.costs[lists.row_sites], lists.row_first[:-1])
    found = None
    if instance.relation.nnz <= LARGEST_RELAXATION:
        prices = relaxation_prices(instance, None, max(1.0, 0.5 * deadline.left_s))
        found = None if prices is None else prices.duals
    if found is None:
        found = climb(question, best, instance, cap, deadline.share(0.3))
    duals = np.minimum(found, cap)
    offer_prices(question, best, instance.spread_full(duals, question.costs), 0.0)
    mend_duals(lists, instance.costs, duals, cap)
    offer_prices(question, best, instance.spread_full(duals, question.costs), 0.0)
    report(best, deadline)
    return duals


def climb(
    question: Question, best: Best, instance: Instance, cap: NDArray[np.float64], deadline: Deadline
) -> NDArray[np.float64]:
    """Return multipliers from subgradient steps over the sites that seem worth their cost, priced anew now and then."""
    from planner.siting.fewest.kernels import ascend, reduced_costs

    lists = instance.lists()
    n_sites = instance.sites.size
    everyone = np.arange(n_sites)
    share = instance.costs / np.maximum(1, np.diff(lists.site_first))
    current = np.minimum.reduceat(share[lists.row_sites], lists.row_first[:-1])
    base = sure_cost(question, instance)
    control = np.array([best.value - base, 1.0, 0.0])
    margin = np.empty(n_sites)
    path = np.stack([current, current, np.zeros_like(current)])
    kept, kept_bound = current.copy(), -np.inf
    n_rounds = max(4, int(deadline.seconds * WORK_PER_SECOND / (STEPS_PER_PRICING * instance.relation.nnz / 4)))
    for _ in range(min(60, n_rounds)):
        reduced_costs(lists.site_first, lists.site_rows, instance.costs, path[0], everyone, margin)
        bound = float(path[0].sum() + np.minimum(0.0, margin).sum())
        if bound > kept_bound:
            kept, kept_bound = path[0].copy(), bound
        report(best, deadline)
        if deadline.left_s <= 0 or control[1] < LEAST_STEP:
            break
        size = min(n_sites, max(2000, n_sites // 4))
        sites = np.sort(np.argpartition(margin, size - 1)[:size])
        ascend(lists, instance.costs, cap, sites, path, control, STEPS_PER_PRICING)
    return kept


def _fixed(question: Question, best: Best, instance: Instance, duals: NDArray[np.float64]) -> Instance | None:
    """The instance without sites that no cheaper plan holds, reduced again; None = there is no cheaper plan."""
    base = sure_cost(question, instance)
    margin = instance.costs - instance.relation @ duals
    worth = best.value - base - (1.0 if question.has_whole_costs else 0.0)
    is_kept = duals.sum() + np.minimum(0.0, margin).sum() + np.maximum(0.0, margin) <= worth + 1e-6
    left = instance.keep(is_kept, np.ones(instance.rows.size, dtype=bool))
    if np.unique(left.relation.indices).size < left.rows.size:
        return None
    return reduce_instance(left, is_full=True)


def _finish(question: Question, best: Best, instance: Instance, deadline: Deadline) -> None:
    from planner.siting.fewest.kernels import greedy_plan

    def search(share: float) -> None:
        _search(question, best, instance, share, deadline)

    def plan_of() -> NDArray[np.bool_]:
        own = _own_plan(best, instance)
        if own is not None:
            return own
        needed = np.append(np.ones(instance.rows.size), instance.rows.size)
        return greedy_plan(instance.lists(), instance.costs, np.zeros(instance.rows.size), needed)

    finish(question, best, instance, Ways(None, SMALL_GAP, search, plan_of), deadline)
