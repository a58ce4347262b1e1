"""A set covering question as asked, the best that is known about it, and the bound that multipliers prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from planner.siting.deadline import Deadline
    from planner.siting.fewest.reduction import Instance

SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Question:
    """Cheapest sites that cover what is needed.

    Attributes
    ----------
    covers : sites x rows, sorted, [n_sites, n_rows].
    costs : [n_sites], not negative.
    weights : [n_rows]; 0 for rows that need no cover or that no allowed site covers.
    is_sure, is_shut : sites that are open, or never are.
    target : weight to be covered, None = every row with a weight.
    goal : a plan that costs this or less is good enough.
    gap_share : so is one within this share of its bound.
    seed : of the local searches.
    """

    covers: sparse.csr_matrix
    costs: NDArray[np.float64]
    weights: NDArray[np.float64]
    is_sure: NDArray[np.bool_]
    is_shut: NDArray[np.bool_]
    target: float | None
    goal: float
    gap_share: float
    seed: int

    @property
    def has_whole_costs(self) -> bool:
        """Every cost is a whole number, so that bounds may be rounded up."""
        return bool((self.costs == np.floor(self.costs)).all())

    def rounded(self, bound: float) -> float:
        """The bound, rounded up where costs are whole numbers."""
        return float(np.ceil(bound - 1e-7 * max(1.0, abs(bound)))) if self.has_whole_costs else bound

    def covered(self, is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows that the open sites cover."""
        out = np.zeros(self.weights.size, dtype=bool)
        out[self.covers[is_open].indices] = True
        return out


@dataclass
class Best:
    """The best that is known so far; changed in place."""

    is_open: NDArray[np.bool_]
    value: float
    bound: float
    duals: NDArray[np.float64]
    weight_price: float
    solver_bound: float


def sure_cost(question: Question, instance: Instance) -> float:
    """Return what is spent outside the instance: on sites that are sure to be open, and that reductions opened."""
    return float(question.costs[question.is_sure].sum() + question.costs[instance.opened].sum())


def dual_bound(question: Question, duals: NDArray[np.float64], weight_price: float) -> float:
    """Return the bound that multipliers prove (the formula of `solve_set_cover`)."""
    margin = question.costs - question.covers @ duals
    free = ~question.is_sure & ~question.is_shut
    total = margin[question.is_sure].sum() + np.minimum(0.0, margin[free]).sum()
    if question.target is None:
        return float(total + duals.sum())
    return float(
        total + weight_price * question.target - np.maximum(0.0, weight_price * question.weights - duals).sum()
    )


def offer_prices(question: Question, best: Best, duals: NDArray[np.float64], weight_price: float) -> None:
    """Keep the multipliers if they prove more than those that are kept."""
    bound = question.rounded(dual_bound(question, duals, weight_price))
    if bound > best.bound:
        best.bound, best.duals, best.weight_price = bound, duals, weight_price
        best.solver_bound = max(best.solver_bound, bound)


def offer_plan(question: Question, best: Best, instance: Instance, plan: NDArray[np.bool_]) -> None:
    """Thin out a plan of the instance in the question as asked, and keep it if it is cheaper than the one kept."""
    from planner.siting.fewest.kernels import thin_plan

    chosen = np.zeros(question.costs.size, dtype=bool)
    chosen[instance.opened] = True
    chosen[instance.sites[plan]] = True
    needed = np.append(question.weights, 0.0)
    needed[:-1][question.covered(question.is_sure)] = 0.0
    if question.target is None:
        needed[:-1] = needed[:-1] > 0
        needed[-1] = needed[:-1].sum()
    else:
        needed[-1] = question.target - question.weights[question.covered(question.is_sure)].sum()
    covers = question.covers
    thin_plan(covers.indptr, covers.indices, question.costs, needed, chosen)
    is_open = chosen | question.is_sure
    value = float(question.costs[is_open].sum())
    is_covered = question.covered(is_open)
    if question.target is None:
        is_enough = bool(is_covered[question.weights > 0].all())
    else:
        is_enough = float(question.weights[is_covered].sum()) >= question.target
    if is_enough and value < best.value - SLACK:
        best.is_open, best.value = is_open, value


def is_settled(question: Question, best: Best) -> bool:
    """Whether nothing more needs to be found: proven, close enough, or the goal decided either way."""
    bound = max(best.bound, best.solver_bound)
    return (
        best.value <= bound + 1e-7 * max(1.0, abs(bound))
        or best.value <= question.goal
        or bound > question.goal > -np.inf
        or best.value - bound <= question.gap_share * abs(best.value)
    )


def report(best: Best, deadline: Deadline) -> None:
    """Tell the listener where the search stands."""
    deadline.report(best.value, max(best.bound, best.solver_bound))


def checked_sites(name: str, values: object, n_sites: int) -> NDArray[np.bool_]:
    """Site numbers as a mask.

    Raises
    ------
    InputError
        When a number is no site's.
    """
    numbers = np.asarray(values, dtype=np.int64).ravel()
    wrong = numbers[(numbers < 0) | (numbers >= n_sites)]
    if wrong.size:
        raise InputError(f"`{name}` names {wrong.size} sites outside 0 to {n_sites - 1}, first {wrong[:5].tolist()}.")
    mask = np.zeros(n_sites, dtype=bool)
    mask[numbers] = True
    return mask
