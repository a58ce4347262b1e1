"""Least worst travel: search over the distinct minutes, asking each time whether everyone can be reached within."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.errors import CancelledError
from planner.progress import Standing
from planner.siting.outcome import Outcome
from planner.siting.programs.mip import Limits, Model, solve_model
from planner.siting.programs.models import partial_cover_model, set_cover_model
from planner.siting.programs.plain import Leeway, with_leeway
from planner.siting.proof.bounds import rule_prices, sides_of
from planner.siting.proof.certificate import Certificate, Leaf
from planner.siting.proof.judge import reachable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.rules import Rules
    from planner.siting.solution import Ask

_BITS = 20


@dataclass(frozen=True)
class _Reach:
    """Pairs of sites that may open and demand that must be reached, with the least minutes of sure places taken out."""

    rows: NDArray[np.int64]
    wanted: NDArray[np.int64]
    minutes: sparse.csr_matrix
    sure_min: NDArray[np.float64]
    people: NDArray[np.float64]


def least_worst(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway, progress: Progress) -> Outcome:
    """Return the plan with the least worst minutes among those whom it has to reach."""
    deadline = time.monotonic() + ask.time_limit_s
    reach = _reach_of(problem, rules)
    radii = np.unique(np.concatenate([problem.minutes.data[np.isin(problem.minutes.indices, reach.wanted)], [0.0]]))
    low, high, best = 0, radii.size - 1, None
    status = "done"
    while True:
        middle = high if best is None else (low + high) // 2
        limits = Limits(max(0.1, deadline - time.monotonic()), 0.0, ask.max_nodes)
        model = _model_within(problem, rules, reach, float(radii[middle]), leeway)
        answer = solve_model(model, limits, None, progress)
        if answer.x is not None:
            best = rules.lowest.astype(bool)
            best[reach.rows] = answer.x[: reach.rows.size] > 0.5  # noqa: PLR2004  0 or 1
            high = middle
        elif answer.status == "infeasible" and best is not None:
            low = middle + 1
        else:
            status = answer.status if best is None or answer.status == "cancelled" else "done"
            break
        try:
            progress.update(1 - (high - low) / radii.size, 1.0, Standing(float(radii[high]), float(radii[low])))
        except CancelledError:
            status = "cancelled"
            break
        if low >= high:
            break
    certificate = None if leeway != Leeway() else _certificate(problem, rules, reach, radii[: low + 1])
    return Outcome(best, status, float(radii[low]), certificate)


def _reach_of(problem: SitingProblem, rules: Rules) -> _Reach:
    wanted = np.flatnonzero(reachable(problem))
    rows = np.flatnonzero((rules.lowest == 0) & (rules.highest == 1))
    sure = problem.minutes[np.flatnonzero(rules.lowest)]
    sure_min = np.full(problem.n_demand, np.inf)
    np.minimum.at(sure_min, sure.indices, sure.data)
    return _Reach(rows, wanted, problem.minutes[rows][:, wanted], sure_min[wanted], problem.weights[wanted])


def _within(reach: _Reach, radius_min: float) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    left = np.flatnonzero(reach.sure_min > radius_min)
    part = reach.minutes[:, left].tocoo()
    near = part.data <= radius_min
    ones = np.ones(int(near.sum()), dtype=bool)
    return sparse.csr_matrix((ones, (part.row[near], part.col[near])), shape=part.shape), left


def _model_within(problem: SitingProblem, rules: Rules, reach: _Reach, radius_min: float, leeway: Leeway) -> Model:
    covers, left = _within(reach, radius_min)
    sides = sides_of(rules, reach.rows)
    costs = np.zeros(reach.rows.size)
    if leeway.people > 0:
        people = reach.people[left]
        target = float(people.sum()) - leeway.people - 1e-9 * max(1.0, float(problem.weights.sum()))
        model = partial_cover_model(covers, people, costs, sides, target)
    else:
        model = set_cover_model(covers, costs, sides)
    return with_leeway(model, rules, leeway.n_rules)


def _certificate(problem: SitingProblem, rules: Rules, reach: _Reach, radii: NDArray[np.float64]) -> Certificate | None:
    """Return prices for the largest radius of `radii` that no plan, not even a fractional one, stays below."""
    low, high, found = 1, radii.size - 1, None
    while low <= high:
        middle = (low + high + 1) // 2
        leaf = _farkas(problem, rules, reach, float(radii[middle - 1]))
        if leaf is None:
            high = middle - 1
        else:
            found, low = Certificate(_BITS, (leaf,), radius_min=float(radii[middle])), middle + 1
    return found


def _farkas(problem: SitingProblem, rules: Rules, reach: _Reach, radius_min: float) -> Leaf | None:
    """Return prices that prove that nobody can be reached within `radius_min` under the rules; None = they do not."""
    covers, left = _within(reach, radius_min)
    m = left.size
    model = set_cover_model(covers, np.zeros(reach.rows.size), sides_of(rules, reach.rows))
    spare = sparse.csr_matrix((-np.ones(m), (np.arange(m), np.arange(m))), shape=(model.upper.size, m))
    relaxed = Model(
        costs=np.concatenate([model.costs, np.ones(m)]),
        lowest=np.zeros(reach.rows.size + m),
        highest=np.ones(reach.rows.size + m),
        is_integer=np.zeros(reach.rows.size + m, dtype=bool),
        matrix=sparse.hstack([model.matrix, spare], format="csr"),
        upper=model.upper,
    )
    answer = solve_model(relaxed)
    if answer.duals is None or answer.value <= 1e-6:  # noqa: PLR2004  nothing missing
        return None
    demand = np.zeros(problem.n_demand, dtype=np.int64)
    demand[reach.wanted[left]] = np.rint(np.ldexp(answer.duals[:m], _BITS)).astype(np.int64)
    return Leaf((), (), demand, rule_prices(rules, answer.duals[m:], _BITS))
