"""Prices that prove a bound: from linear models (HiGHS) or Lagrangian steps, made into certificates."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.programs.mip import Limits, Model, solve_model
from planner.siting.proof.certificate import Certificate, Leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from planner.siting.most_covered.reduce import Reduced
    from planner.siting.problem import SitingProblem
    from planner.siting.rules import RuleName, Rules
    from planner.siting.solution import Ask

_BITS = 62


@dataclass(frozen=True)
class Prices:
    """Not negative, on the reduced problem.

    Attributes
    ----------
    demand : a merged column, [m].
    rules : a rule, [n_rules].
    """

    demand: NDArray[np.float64]
    rules: NDArray[np.float64]


@dataclass(frozen=True)
class Sides:
    """The rules over the rows that are still to be decided.

    Attributes
    ----------
    matrix : [n_rules, n].
    upper : what the fixed rows leave, [n_rules].
    """

    matrix: sparse.csr_matrix
    upper: NDArray[np.float64]


def sides_of(rules: Rules, rows: NDArray[np.int64]) -> Sides:
    """Return the rules over `rows`, with the rows that are sure to be open taken off."""
    upper = rules.upper - rules.matrix @ rules.lowest.astype(np.float64)
    return Sides(rules.matrix[:, rows].tocsr(), upper)


def scale_bits_of(total: float, n_sites: int) -> int:
    """Return how many binary digits after the point prices may have without overflowing 64 bits."""
    most = max(total, 1e-300) * max(n_sites, 1)
    return min(40, _BITS - 2 - math.ceil(math.log2(most)))


def cover_certificate(problem: SitingProblem, rules: Rules, reduced: Reduced, prices: Prices) -> Certificate:
    """Return the certificate of cover prices: merged columns share their price by weight, settled ones cost nothing."""
    bits = scale_bits_of(float(problem.weights.sum()), problem.n_sites)
    demand = np.zeros(problem.n_demand, dtype=np.int64)
    weights = np.ceil(np.ldexp(problem.weights, bits)).astype(np.int64)
    merged = reduced.column_of
    inside = merged >= 0
    share = np.zeros(problem.n_demand)
    columns = merged[inside]
    share[inside] = np.minimum(1.0 / reduced.needed[columns], prices.demand[columns] / reduced.weights[columns])
    demand[inside] = np.floor(weights[inside] * share[inside]).astype(np.int64)
    # Whom no row covers that may still be opened: their full price takes them off, and no such row has it.
    out_of_reach = (merged < 0) & ~reduced.is_settled
    demand[out_of_reach] = weights[out_of_reach]
    leaf = Leaf((), (), demand, rule_prices(rules, prices.rules, bits))
    return Certificate(bits, (leaf,), reduced.dropped)


def rule_prices(rules: Rules, prices: NDArray[np.float64], bits: int) -> dict[RuleName, int]:
    """Return the prices of rules as whole numbers of 2 ** -bits."""
    scaled = np.rint(np.ldexp(prices, bits))
    return {rules.names[rule]: int(scaled[rule]) for rule in np.flatnonzero(scaled > 0)}


def relaxed_duals(model: Model, time_limit_s: float) -> NDArray[np.float64] | None:
    """Return the prices of all rules of the linear relaxation of `model`."""
    relaxed = replace(model, is_integer=np.zeros(model.costs.size, dtype=bool))
    return solve_model(relaxed, Limits(time_limit_s=time_limit_s)).duals


def sites_certificate(problem: SitingProblem, ask: Ask, rules: Rules, reduced: Reduced, prices: Prices) -> Certificate:
    """Return the certificate of `min-sites` prices; with a share to cover, its price is the last of the rules."""
    n_side = len(rules.names)
    bits = scale_bits_of(float(problem.cost_of.sum()) + float(prices.demand.sum()), problem.n_sites)
    demand = np.zeros(problem.n_demand, dtype=np.int64)
    inside = np.flatnonzero(reduced.column_of >= 0)
    columns = reduced.column_of[inside]
    named: dict[RuleName, int] = rule_prices(rules, prices.rules[:n_side], bits)
    if ask.cover_share >= 1:
        _, first = np.unique(columns, return_index=True)
        demand[inside[first]] = np.floor(np.ldexp(prices.demand, bits)).astype(np.int64)
    else:
        part = problem.weights[inside] / reduced.weights[columns]
        demand[inside] = np.floor(np.ldexp(prices.demand[columns] * part, bits)).astype(np.int64)
        named["share",] = int(np.floor(np.ldexp(prices.rules[n_side], bits)))
    return Certificate(bits, (Leaf((), (), demand, named),), reduced.dropped)


def median_certificate(problem: SitingProblem, rules: Rules, wanted: NDArray[np.int64], prices: Prices) -> Certificate:
    """Return the certificate of the prices of being served, one a wanted demand point."""
    most = float(np.abs(prices.demand).sum())
    if problem.minutes.nnz:
        most += float((problem.minutes.data * problem.weights[problem.minutes.indices]).max()) * problem.n_demand
    bits = scale_bits_of(most, 1)
    demand = np.zeros(problem.n_demand, dtype=np.int64)
    demand[wanted] = np.floor(np.ldexp(prices.demand, bits)).astype(np.int64)
    return Certificate(bits, (Leaf((), (), demand, rule_prices(rules, prices.rules, bits)),))
