"""Cheapest sites that cover a share of the rows' weight: prices, tabu search, fixing and HiGHS.

A row may stay uncovered at a price per weight, t, so that the multipliers of full cover are held below t times the
weight of the row; t itself is found by a line search along the multipliers. Called by `set_cover` beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.siting.fewest.finish import Ways, finish
from planner.siting.fewest.program import Prices, relaxation_prices
from planner.siting.fewest.question import Best, Question, is_settled, offer_plan, offer_prices, report, sure_cost
from planner.siting.fewest.reduction import Instance, free_instance, reduce_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.deadline import Deadline

LARGEST_RELAXATION = 100_000
WORK_PER_SECOND = 2e8
WORK_STEP = 2e7
LEAST_WORK = 1e6
WORK_PER_PAIR = 2e4
STEPS_PER_PRICE = 200
LEAST_STEP = 1e-5
SMALL_GAP = 0.02


def cover_share_of(question: Question, best: Best, deadline: Deadline) -> None:
    """Partial cover: changes `best`."""
    instance = reduce_instance(free_instance(question), is_full=False)
    need = open_weight(question, instance)
    if need <= 0 or not instance.rows.size:
        offer_plan(question, best, instance, np.zeros(instance.sites.size, dtype=bool))
        return
    plan = _greedy(instance, np.zeros(instance.rows.size), need)
    offer_plan(question, best, instance, plan)
    report(best, deadline)
    _search(question, best, instance, 0.05, deadline)
    prices = _prices(question, best, instance, deadline)
    offer_plan(question, best, instance, _greedy(instance, prices.duals, need))
    if is_settled(question, best):
        return
    _finish(question, best, _fixed(question, best, instance, prices), deadline)


def open_weight(question: Question, instance: Instance) -> float:
    """Weight that has yet to be covered once sure and opened sites are."""
    is_open = question.is_sure.copy()
    is_open[instance.opened] = True
    return float((question.target or 0.0) - question.weights[question.covered(is_open)].sum())


def _greedy(instance: Instance, duals: NDArray[np.float64], need: float) -> NDArray[np.bool_]:
    from planner.siting.fewest.kernels import greedy_plan

    return greedy_plan(instance.lists(), instance.costs, duals, np.append(instance.weights, need))


def _search(question: Question, best: Best, instance: Instance, share: float, deadline: Deadline) -> None:
    """Tabu search for a share of the time that is left; changes `best`."""
    from planner.siting.fewest.kernels import search_share, start_search

    lists = instance.lists()
    clock = deadline.share(share)
    need = open_weight(question, instance)
    plan = best.is_open[instance.sites]
    is_covered = np.zeros(instance.rows.size, dtype=bool)
    is_covered[instance.relation[plan].indices] = True
    if instance.weights[is_covered].sum() < need:
        plan = _greedy(instance, np.zeros(instance.rows.size), need)
    base = sure_cost(question, instance)
    state = start_search(lists, plan, instance.weights, question.seed + 1)
    cost = float(instance.costs[plan].sum())
    allowance = float(instance.weights.sum() - need)
    work = min(clock.seconds * WORK_PER_SECOND, max(LEAST_WORK, WORK_PER_PAIR * instance.relation.nnz))
    step = max(1.0, min(work, WORK_STEP))
    for _ in range(int(np.ceil(work / step))):
        goal = max(best.bound, best.solver_bound, question.goal) - base
        cost = search_share(lists, state, instance.costs, plan, np.array([cost, goal, step, allowance]))
        if cost + base < best.value - 1e-9:
            offer_plan(question, best, instance, plan)
        report(best, deadline)
        if clock.left_s <= 0 or is_settled(question, best):
            break


def _prices(question: Question, best: Best, instance: Instance, deadline: Deadline) -> Prices:
    """Multipliers of the instance's rows and of the weight; offers them to `best`."""
    prices = None
    if instance.relation.nnz <= LARGEST_RELAXATION:
        need = open_weight(question, instance)
        prices = relaxation_prices(instance, need, max(1.0, 0.4 * deadline.left_s))
    if prices is None:
        prices = _climb(question, best, instance, deadline.share(0.4))
    prices = _best_weight_price(question, instance, prices)
    offer_prices(question, best, instance.spread_share(prices.duals, question.weights), prices.weight_price)
    report(best, deadline)
    return prices


def _best_weight_price(question: Question, instance: Instance, prices: Prices) -> Prices:
    """The prices scaled to where the bound along them is highest (it is concave and breaks where a site pays)."""
    share = prices.duals / np.maximum(prices.weight_price * instance.weights, 1e-300)
    share = np.clip(share, 0.0, 1.0)
    worth = instance.relation @ (share * instance.weights)
    slope = open_weight(question, instance) - float(((1.0 - share) * instance.weights).sum())
    pays = np.flatnonzero(worth > 0)
    at = instance.costs[pays] / worth[pays]
    order = np.argsort(at, kind="stable")
    fallen = slope - np.cumsum(worth[pays][order])
    below = np.flatnonzero(fallen <= 0)
    if slope <= 0 or not below.size:
        return prices
    price = float(at[order[below[0]]])
    return Prices(np.minimum(price * share, price) * instance.weights, price)


def _climb(question: Question, best: Best, instance: Instance, deadline: Deadline) -> Prices:
    """Subgradient steps on the multipliers, a line search on the price of weight between them."""
    from planner.siting.fewest.kernels import ascend, start_search

    lists = instance.lists()
    need = open_weight(question, instance)
    total = float(instance.weights.sum())
    base = sure_cost(question, instance)
    ratio = instance.costs / np.maximum(instance.relation @ instance.weights, 1e-300)
    prices = Prices(np.minimum.reduceat(ratio[lists.row_sites], lists.row_first[:-1]) * instance.weights, 0.0)
    plan = best.is_open[instance.sites]
    losses = (start_search(lists, plan, instance.weights, 1).score / instance.costs)[plan]
    # What the last people covered cost: the price at which it begins to pay to leave people out.
    prices = Prices(prices.duals, 1.0 / max(float(np.quantile(losses, 0.1)), 1e-9 * total))
    prices = Prices(np.minimum(prices.duals, prices.weight_price * instance.weights), prices.weight_price)
    everyone = np.arange(instance.sites.size)
    path = np.stack([prices.duals, prices.duals, np.zeros_like(prices.duals)])
    control = np.array([best.value - base, 1.0, 0.0])
    n_rounds = max(4, int(deadline.seconds * WORK_PER_SECOND / (STEPS_PER_PRICE * instance.relation.nnz)))
    for _ in range(min(200, n_rounds)):
        cap = prices.weight_price * instance.weights
        control[2] = prices.weight_price * (need - total)
        ascend(lists, instance.costs, cap, everyone, path, control, STEPS_PER_PRICE)
        before = prices.weight_price
        prices = _best_weight_price(question, instance, Prices(path[0].copy(), before))
        path[0] = prices.duals
        path[1] *= prices.weight_price / before
        offer_prices(question, best, instance.spread_share(prices.duals, question.weights), prices.weight_price)
        offer_plan(question, best, instance, _greedy(instance, prices.duals, need))
        control[0] = best.value - base
        report(best, deadline)
        if deadline.left_s <= 0 or control[1] < LEAST_STEP or is_settled(question, best):
            break
    return prices


def _fixed(question: Question, best: Best, instance: Instance, prices: Prices) -> Instance:
    """The instance without sites that no cheaper plan holds, and with those open that every cheaper plan holds."""
    worth = best.value - sure_cost(question, instance) - (1.0 if question.has_whole_costs else 0.0) + 1e-6
    margin = instance.costs - instance.relation @ prices.duals
    bound = (
        prices.weight_price * (open_weight(question, instance) - instance.weights.sum())
        + prices.duals.sum()
        + np.minimum(0.0, margin).sum()
    )
    is_kept = bound + np.maximum(0.0, margin) <= worth
    left = instance.keep(is_kept, np.ones(instance.rows.size, dtype=bool))
    sure = np.flatnonzero(bound - np.minimum(0.0, margin[is_kept]) > worth)
    if sure.size:
        left = left.open(sure, np.full(sure.size, -1, dtype=np.int64))
    return reduce_instance(left, is_full=False)


def _finish(question: Question, best: Best, instance: Instance, deadline: Deadline) -> None:
    need = open_weight(question, instance)
    if instance.weights.sum() < need:
        best.solver_bound = best.value
        return

    def search(share: float) -> None:
        _search(question, best, instance, share, deadline)

    def plan_of() -> NDArray[np.bool_]:
        own = best.is_open[instance.sites]
        is_covered = np.zeros(instance.rows.size, dtype=bool)
        is_covered[instance.relation[own].indices] = True
        if instance.weights[is_covered].sum() >= need:
            return own
        return _greedy(instance, np.zeros(instance.rows.size), need)

    finish(question, best, instance, Ways(need, SMALL_GAP, search, plan_of), deadline)
