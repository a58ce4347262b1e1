"""Plans by exchange: a start that keeps the rules, then iterated local search."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.siting.programs.mip import Limits, Model, solve_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.deadline import Deadline
    from planner.siting.most_covered.reduce import Reduced
    from planner.siting.proof.bounds import Sides

ROUNDS = (40, 200)
ROUND_WORK = 1e7
MOST_IDLE = 2
POOL = 6
FIRST_PLANS = 8
MIXING_IDLE = 40
AT_ONCE = 2
LEAST_FRACTION = 1e-3


@dataclass(frozen=True, eq=False)
class Exchange:
    """The arrays that the compiled search works on.

    Attributes
    ----------
    relation : sites x columns and columns x sites, people a column.
    rules : rules by site, and what they allow.
    costs : of the sites, which break ties.
    """

    relation: tuple[Any, ...]
    rules: tuple[Any, ...]
    costs: NDArray[np.float64]


def exchange_of(reduced: Reduced, sides: Sides, costs: NDArray[np.float64]) -> Exchange:
    """Return the arrays of a reduced problem."""
    from planner.siting.most_covered.kernels import rule_columns

    covers, columns = reduced.covers, reduced.covers.tocsc()
    relation = (
        covers.indptr.astype(np.int64),
        covers.indices.astype(np.int64),
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int64),
        reduced.weights,
    )
    return Exchange(relation, (*rule_columns(sides.matrix), sides.upper.astype(np.float64)), costs)


@cache
def compile_kernels() -> None:
    """Compile the loops of the climb once, so that the first question's clock does not pay for it."""
    from planner.siting.most_covered import branch_kernels, kernels

    first, items, people = np.array([0, 1, 2]), np.array([0, 1]), np.ones(2)
    none, zero = np.zeros(0, dtype=np.int64), np.zeros(2)
    rules = (np.array([0, 1, 2]), np.array([0, 0]), np.ones(2), np.ones(1))
    kernels.exchange((first, items, first, items, people), rules, people, np.zeros(2, dtype=bool), 1, 1e15, 0)
    narrow, flags = items.astype(np.int32), np.zeros(2, dtype=np.bool_)
    one_rule = (np.array([0, 2]), items, np.ones(2), np.ones(1))
    branch_kernels.approach((first, narrow, people), one_rule, 1, zero[:2], people.copy(), zero[:1], np.ones(3))
    node = (np.zeros(2, dtype=np.int8), none, zero[:2], people.copy(), zero[:1])
    branch_kernels.visit((first, narrow, first, narrow, people), one_rule, 1, node, np.ones(3), flags)
    kernels.add_products(first, items, people, np.zeros((2, 2)))
    by_rule = sparse.csr_matrix(np.ones((1, 2)))
    kernels.add_rule_products(by_rule.indptr, by_rule.indices, by_rule.data, np.ones(1), np.zeros((2, 2)))


def first_plan(sides: Sides, n_sites: int, time_limit_s: float) -> NDArray[np.bool_] | None:
    """Return a plan that keeps the rules with fewest sites, [n]; None when there is none or time runs out."""
    if (sides.upper >= 0).all():
        return np.zeros(n_sites, dtype=bool)
    ones = np.ones(n_sites)
    model = Model(ones, np.zeros(n_sites), ones, ones.astype(bool), sides.matrix, sides.upper)
    answer = solve_model(model, Limits(time_limit_s, 1.0))
    return None if answer.x is None else answer.x > 0.5  # noqa: PLR2004  0 or 1


def improved(
    exchange: Exchange, is_open: NDArray[np.bool_], n_batches: int, deadline: Deadline, share: float
) -> tuple[float, NDArray[np.bool_]]:
    """Return the best plan of at most `n_batches` batches, or of `share` of the time that is left, and its value."""
    from planner.siting.most_covered.kernels import exchange as run

    until = share * deadline.left_s
    began = deadline.left_s
    value, best = run(exchange.relation, exchange.rules, exchange.costs, is_open, 0, 1e15, 0)
    n_rounds = _rounds_of(best)
    idle = 0
    for batch in range(n_batches):
        if began - deadline.left_s >= until or idle >= MOST_IDLE:
            break
        again, plan = run(exchange.relation, exchange.rules, exchange.costs, best, n_rounds, 1e15, batch + 1)
        idle = 0 if again > value else idle + 1
        value, best = again, plan
    return float(value), best


def mixed(
    exchange: Exchange, sides: Sides, x: NDArray[np.float64], plan: NDArray[np.bool_], deadline: Deadline
) -> tuple[float, NDArray[np.bool_]]:
    """Return the best plan found from mixtures of good plans and fractions, until time or new ideas run out.

    First plans are drawn by the fractions x of the relaxation, later ones mostly from what two of the best plans open
    (after the cross-entropy method, Rubinstein 1999): local search alone stops where towns would have to change their
    number of sites together. Two are searched at once, whatever the number of cores, so that every machine does the
    same. Needs rules that closing a site cannot break.
    """
    from planner.siting.most_covered.kernels import exchange as run

    random = np.random.default_rng(0)
    own, _ = run(exchange.relation, exchange.rules, exchange.costs, plan, 0, 1e15, 0)
    pool = [(float(own), plan)]
    n_drawn, idle, n_rounds = 0, 0, _rounds_of(plan)

    def search(start: tuple[int, NDArray[np.bool_]]) -> tuple[float, NDArray[np.bool_]]:
        number, drawn = start
        value, found = run(exchange.relation, exchange.rules, exchange.costs, drawn, n_rounds, 1e15, number)
        return float(value), found

    with ThreadPoolExecutor(AT_ONCE) as workers:
        while idle < MIXING_IDLE and deadline.left_s > 0:
            starts = []
            for _ in range(AT_ONCE):
                wish = x
                if n_drawn >= FIRST_PLANS and len(pool) > 1:
                    one, two = random.choice(len(pool), 2, replace=False)
                    wish = (pool[one][1].astype(np.float64) + pool[two][1]) ** 2 + 0.02 * x
                starts.append((n_drawn, _drawn(sides, wish, random)))
                n_drawn += 1
            best = pool[0][0]
            for value, found in workers.map(search, starts):
                if not any(np.array_equal(found, known) for _, known in pool):
                    pool.append((value, found))
            pool = sorted(pool, key=lambda each: -each[0])[:POOL]
            idle = 0 if pool[0][0] > best else idle + AT_ONCE
    return pool[0]


def _rounds_of(plan: NDArray[np.bool_]) -> int:
    return int(np.clip(ROUND_WORK / max(1, plan.sum() * plan.size), *ROUNDS))


def _drawn(sides: Sides, wish: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.bool_]:
    """Return a plan drawn by wishes, as far as the rules let it."""
    sites = np.flatnonzero(wish > LEAST_FRACTION)
    order = sites[np.argsort(random.exponential(size=sites.size) / wish[sites], kind="stable")]
    return opened_in_order(sides, order)


def opened_in_order(sides: Sides, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the plan that opens sites in an order, each where it keeps every rule (none of them broken before)."""
    by_site = sides.matrix.tocsc()
    left = sides.upper.copy()
    plan = np.zeros(by_site.shape[1], dtype=bool)
    for site in order.tolist():
        part = slice(by_site.indptr[site], by_site.indptr[site + 1])
        if (left[by_site.indices[part]] >= by_site.data[part]).all():
            left[by_site.indices[part]] -= by_site.data[part]
            plan[site] = True
    return plan
