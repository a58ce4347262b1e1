"""The proof of a bound, and a checker that trusts nothing but the problem's raw data.

A certificate holds, for every leaf of a branching (one leaf without branching), a price per demand point and a price
per rule. Any prices that are not negative prove a bound by weak duality; the checker adds it up again in scaled
integers, rounding against the claim everywhere, and never calls the code that found the prices.

Formulas, with u the prices of demand, v of rules (rule: sum of a_i x_i <= b), g_i the worth of site i:

- max-cover, backup-cover (m_d = 1, 2 covers needed, less those of rows sure to be open): any plan covers at most
  sum_d max(0, w_d - m_d u_d) + sum_r v_r b_r + sum_i max over x_i of (g_i - sum_r v_r a_ri) x_i,
  g_i = sum of u over i's demand.
- min-sites: any plan costs at least sum_d u_d - sum_r v_r b_r + sum_i min over x_i of
  (c_i - g_i + sum_r v_r a_ri) x_i; with a share to cover, mu its price and W the people to cover:
  mu W - sum_d max(0, mu w_d - u_d) instead of sum_d u_d.
- p-median, least-excess: at least sum_d u_d - sum_r v_r b_r + sum_i min over x_i of (h_i + sum_r v_r a_ri) x_i,
  h_i = sum_d min(0, w_d t_id - u_d).
- p-center: no plan reaches everyone within less than a distance, because the min-sites bound without costs is above 0
  for the pairs that are nearer (a Farkas proof).

Sources: Church and ReVelle 1974, Cornuejols, Fisher and Nemhauser 1977, Fisher 1981.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.proof.judge import (
    COST_UNITS,
    RawRule,
    RuleName,
    broken_rules,
    charged,
    coverable,
    plan_value,
    raw_rules,
    reachable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.siting.problem import SitingProblem
    from planner.siting.solution import Ask, SitingSolution


@dataclass(frozen=True, eq=False)
class Leaf:
    """One part of the branching and its prices.

    Attributes
    ----------
    opened, shut : rows that are open, or not, in this part.
    demand : price a demand point times the certificate's scale, whole numbers, [n_demand].
    rules : rule name -> price times the scale, a whole number; a rule that is absent has price 0.
    """

    opened: tuple[int, ...]
    shut: tuple[int, ...]
    demand: NDArray[np.int64]
    rules: Mapping[tuple[str | int, ...], int]


@dataclass(frozen=True, eq=False)
class Certificate:
    """Prices that prove a bound.

    Attributes
    ----------
    scale_bits : prices are whole numbers of 2 ** -scale_bits.
    leaves : parts that together hold every plan that keeps to the fixings: each split is on one row, open or shut.
    fixings : prices, in order, by which the rows they name can be held open or shut: they bound every other plan.
    dropped : pairs (row, row that can always stand in for it): no best plan needs the first.
    radius_min : p-center only: the distance that no plan reaches everyone within.
    """

    scale_bits: int
    leaves: tuple[Leaf, ...]
    dropped: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    radius_min: float | None = None
    fixings: tuple[Leaf, ...] = ()


@dataclass(frozen=True)
class Check:
    """What the checker found.

    Attributes
    ----------
    is_valid : every claim below holds.
    value, certified_bound : as added up from raw data.
    problems : one sentence for each claim that does not hold.
    """

    is_valid: bool
    value: float
    certified_bound: float
    problems: tuple[str, ...]


def check_certificate(problem: SitingProblem, solution: SitingSolution) -> Check:
    """Recompute value, feasibility and certified bound of `solution` from the raw data of `problem`."""
    is_open = np.zeros(problem.n_sites, dtype=bool)
    is_open[list(problem.existing)] = True
    is_open[list(solution.closed)] = False
    is_open[list(solution.chosen)] = True
    unmet = set(solution.unmet)
    broken = broken_rules(problem, solution.ask, is_open)
    problems = [f"The plan breaks {name}." for name in broken if name not in unmet]
    value = plan_value(problem, solution.ask, is_open)
    if not _agree(value, solution.value):
        problems.append(f"The plan's value is {value!r}, not {solution.value!r}.")
    bound = float("nan")
    if solution.certificate is not None:
        bound, faults = certified_bound(problem, solution.ask, solution.certificate)
        problems += faults
        if not _agree(bound, solution.certified_bound):
            problems.append(f"The prices prove {bound!r}, not {solution.certified_bound!r}.")
        sign = 1.0 if solution.ask.is_maximising else -1.0
        if not unmet and sign * (value - bound) > 1e-9 * max(1.0, abs(value)):
            problems.append(f"The plan's value {value!r} is beyond the bound {bound!r}.")
    elif solution.certified_bound == solution.certified_bound:  # not NaN
        problems.append("A certified bound is claimed without a certificate.")
    return Check(not problems, value, bound, tuple(problems))


def _agree(one: float, two: float) -> bool:
    return one == two or abs(one - two) <= 1e-9 * max(1.0, abs(one), abs(two)) or (one != one and two != two)  # noqa: PLR0124


def certified_bound(problem: SitingProblem, ask: Ask, certificate: Certificate) -> tuple[float, list[str]]:
    """Return the bound that the prices prove, and what is wrong with them."""
    faults = _tree_faults(certificate) + _dropped_faults(problem, ask, certificate)
    rules = raw_rules(problem, ask)
    state = _first_state(problem, certificate)
    bounds = []
    for number, leaf in enumerate((*certificate.fixings, *certificate.leaves)):
        unknown = [name for name in leaf.rules if name not in rules and name != ("share",)]
        if unknown or min(leaf.rules.values(), default=0) < 0 or leaf.demand.min(initial=0) < 0:
            faults.append(f"Prices {number} are negative or of no rule: {unknown[:3]}.")
        elif number < len(certificate.fixings):
            # A plan that does not keep to what is fixed here breaks one part of it, and is bounded by that part alone.
            total, net = _sums(problem, ask, certificate, leaf, _Given(rules, *state))
            sign = 1 if ask.is_maximising else -1
            bounds += [total + sign * min(0, net[row]) for row in leaf.shut if state[1][row]]
            bounds += [total - sign * max(0, net[row]) for row in leaf.opened if not state[0][row]]
            state = _with(state, leaf)
        else:
            bounds.append(_sums(problem, ask, certificate, leaf, _Given(rules, *_with(state, leaf)))[0])
    if not bounds:
        return float("nan"), faults
    bound = max(bounds) if ask.is_maximising else min(bounds)
    if ask.objective == "p-center":
        return (float(certificate.radius_min or 0.0) if bound > 0 else 0.0), faults
    unit = COST_UNITS << max(0, certificate.scale_bits)
    bound_units = bound << max(0, -certificate.scale_bits)
    if _is_whole(problem, ask):
        return float(bound_units // unit if ask.is_maximising else -(-bound_units // unit)), faults
    return bound_units / unit, faults


def _is_whole(problem: SitingProblem, ask: Ask) -> bool:
    """Whether every plan's value is a whole number."""
    if ask.is_maximising:
        units = problem.weights if problem.capacities is None else np.concatenate([problem.weights, problem.capacities])
    else:
        units = problem.cost_of
    if ask.objective in {"p-median", "least-excess"}:
        units = np.concatenate([problem.weights, charged(problem, ask, problem.minutes.data)])
    return bool(np.all(units == np.floor(units)))


def _scaled(values: NDArray[np.float64], bits: int, *, is_up: bool) -> NDArray[np.int64]:
    numbers = np.ldexp(values, bits)
    return (np.ceil(numbers) if is_up else np.floor(numbers)).astype(np.int64)


_State = tuple["NDArray[np.bool_]", "NDArray[np.bool_]"]


@dataclass(frozen=True)
class _Given:
    """The rules, and which rows are sure to be open and which may be."""

    rules: Mapping[RuleName, RawRule]
    must: NDArray[np.bool_]
    may: NDArray[np.bool_]


def _sums(
    problem: SitingProblem, ask: Ask, certificate: Certificate, leaf: Leaf, given: _Given
) -> tuple[int, list[int]]:
    """The bound that prices prove and each site's net worth, in units of 2 ** -scale_bits / COST_UNITS."""
    constant, worth = _demand_part(problem, ask, certificate, leaf, given.must)
    sign = 1 if ask.is_maximising else -1
    net = [COST_UNITS * value for value in worth.tolist()]
    total = COST_UNITS * constant
    for name, price in leaf.rules.items():
        if name == ("share",):
            continue
        coefficients, upper = given.rules[name]
        total += sign * price * upper
        for row, value in coefficients.items():
            net[row] -= price * value
    for row, value in enumerate(net):
        if given.must[row] or (given.may[row] and value > 0):
            total += sign * value
    return total, net


def _first_state(problem: SitingProblem, certificate: Certificate) -> _State:
    must = np.zeros(problem.n_sites, dtype=bool)
    may = np.ones(problem.n_sites, dtype=bool)
    may[list(problem.lock_out)] = False
    may[certificate.dropped[:, 0]] = False
    must[problem.fixed_open] = True
    must[list(problem.lock_in)] = True
    return must, may


def _with(state: _State, leaf: Leaf) -> _State:
    must, may = state[0].copy(), state[1].copy()
    must[list(leaf.opened)] = True
    may[list(leaf.shut)] = False
    return must, may


def _demand_part(
    problem: SitingProblem, ask: Ask, certificate: Certificate, leaf: Leaf, sure: NDArray[np.bool_]
) -> tuple[int, NDArray[np.int64]]:
    """The constant of a leaf and the worth of each site (for the minimising: what it saves, less what it costs)."""
    bits, prices = certificate.scale_bits, leaf.demand
    if ask.is_maximising:
        # Rows that are sure to be open lower what a point still needs; they have no worth beyond that.
        times = np.asarray(problem.covers[sure].sum(axis=0)).ravel()
        left = np.maximum(0, (1 if ask.objective == "max-cover" else 2) - times)
        weights = _scaled(problem.weights, bits, is_up=True)
        worth = problem.covers @ np.where(left > 0, prices, 0)
        worth[sure] = 0
        return int(np.maximum(0, weights - left * prices).sum()), worth
    if ask.objective == "min-sites":
        costs = _scaled(problem.cost_of, bits, is_up=False)
        costs[problem.fixed_open] = 0
        return _cover_constant(problem, ask, bits, leaf), problem.covers @ prices - costs
    if ask.objective == "p-center":
        near = problem.minutes.data < certificate.radius_min
        relation = problem.minutes.copy()
        relation.data = near.astype(np.int64)
        return int(prices[reachable(problem)].sum()), relation @ np.where(reachable(problem), prices, 0)
    cost = charged(problem, ask, problem.minutes.data) * problem.weights[problem.minutes.indices]
    counted = np.where(reachable(problem), prices, 0)
    saved = np.maximum(0, counted[problem.minutes.indices] - _scaled(cost, bits, is_up=False))
    running = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(saved)])
    return int(counted.sum()), running[problem.minutes.indptr[1:]] - running[problem.minutes.indptr[:-1]]


def _cover_constant(problem: SitingProblem, ask: Ask, bits: int, leaf: Leaf) -> int:
    wanted = coverable(problem)
    if ask.cover_share >= 1:
        return int(leaf.demand[wanted].sum())
    # mu is in units of 2 ** -bits per person, people in units of 2 ** -bits: their product is brought back down.
    price = leaf.rules.get(("share",), 0)
    everyone = float(problem.weights[wanted].sum())
    target = int(np.floor(np.ldexp(ask.cover_share * everyone - 1e-9 * max(1.0, everyone), bits)))
    people = _scaled(problem.weights[wanted], bits, is_up=True).tolist()
    own = leaf.demand[wanted].tolist()
    loose = sum(max(0, price * each - (paid << bits)) for each, paid in zip(people, own, strict=True))
    return (price * target - loose) >> bits


def _tree_faults(certificate: Certificate) -> list[str]:
    """The leaves must hold every plan: splits on one row at a time, both sides there."""
    parts = [(frozenset(leaf.opened), frozenset(leaf.shut)) for leaf in certificate.leaves]
    return [] if _is_complete(parts) else ["The leaves do not hold every plan."]


def _is_complete(parts: list[tuple[frozenset[int], frozenset[int]]]) -> bool:
    stack = [parts]
    while stack:
        group = stack.pop()
        if any(not opened and not shut for opened, shut in group):
            continue
        common = frozenset.intersection(*(opened | shut for opened, shut in group)) if group else frozenset()
        if not common:
            return False
        row = min(common)
        stack.append([(opened - {row}, shut) for opened, shut in group if row in opened])
        stack.append([(opened, shut - {row}) for opened, shut in group if row in shut])
    return True


def _dropped_faults(problem: SitingProblem, ask: Ask, certificate: Certificate) -> list[str]:
    """A dropped row must cover nothing more, cost no less and stand in the same limits as the row that replaces it."""
    if not certificate.dropped.size:
        return []
    if ask.objective not in {"max-cover", "min-sites"} or problem.capacities is not None:
        return ["Rows were dropped where no row can stand in for another."]
    settled = np.zeros(problem.n_demand, dtype=bool)
    sure = np.union1d(problem.fixed_open, problem.lock_in).astype(np.int64)
    settled[problem.covers[sure].indices] = True
    settled |= problem.weights == 0
    sides = _sides(problem, ask)
    gone = set(certificate.dropped[:, 0].tolist())
    special = {*problem.existing, *problem.lock_in, *problem.lock_out}
    faults = []
    for row, by in certificate.dropped.tolist():
        mine = problem.covers.indices[problem.covers.indptr[row] : problem.covers.indptr[row + 1]]
        theirs = problem.covers.indices[problem.covers.indptr[by] : problem.covers.indptr[by + 1]]
        is_fine = by not in gone and not {row, by} & special and sides.get(row) == sides.get(by)
        is_fine = is_fine and problem.cost_of[by] <= problem.cost_of[row] and None not in sides.get(row, ())
        if not is_fine or np.setdiff1d(mine[~settled[mine]], theirs).size:
            faults.append(f"Row {row} was dropped for row {by}, which cannot stand in for it.")
    return faults


def _sides(problem: SitingProblem, ask: Ask) -> dict[int, tuple[object, ...]]:
    """The limits that each row stands in, with its weight; None among them = a rule that only this row can keep."""
    sides: dict[int, tuple[object, ...]] = {}
    for name, (coefficients, upper) in raw_rules(problem, ask).items():
        for row, value in coefficients.items():
            if name[0] == "conflict" or upper < 0:
                sides[row] = (*sides.get(row, ()), None)
            elif name[0] != "budget":
                sides[row] = (*sides.get(row, ()), (name, value))
    return sides
