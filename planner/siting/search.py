"""Plans by exchange: a start that keeps the rules, then iterated local search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.siting.mip import Limits, Model, solve_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.bounds import Sides
    from planner.siting.deadline import Deadline
    from planner.siting.reduce import Reduced

ROUNDS = (40, 200)
ROUND_WORK = 1e7
MOST_IDLE = 2


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
    from planner.siting.kernels import rule_columns

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
    from planner.siting import branch_kernels, kernels

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
    from planner.siting.kernels import exchange as run

    until = share * deadline.left_s
    began = deadline.left_s
    value, best = run(exchange.relation, exchange.rules, exchange.costs, is_open, 0, 1e15, 0)
    n_rounds = int(np.clip(ROUND_WORK / max(1, best.sum() * best.size), *ROUNDS))
    idle = 0
    for batch in range(n_batches):
        if began - deadline.left_s > until or idle >= MOST_IDLE:
            break
        again, plan = run(exchange.relation, exchange.rules, exchange.costs, best, n_rounds, 1e15, batch + 1)
        idle = 0 if again > value else idle + 1
        value, best = again, plan
    return float(value), best
