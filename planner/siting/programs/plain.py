"""Every objective with every rule as one mixed-integer model, for problems that a raw model can close.

Demands that cannot all be met are given leeway: a number of rules that may be given up, and people who may stay
unserved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.programs.mip import Answer, Limits, Model, solve_model
from planner.siting.programs.models import (
    capacity_model,
    cover_model,
    median_model,
    partial_cover_model,
    set_cover_model,
)
from planner.siting.proof.bounds import Sides, sides_of
from planner.siting.proof.judge import charged, coverable, reachable
from planner.siting.rules import DEMAND_KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.rules import Rules
    from planner.siting.solution import Ask


@dataclass(frozen=True)
class Leeway:
    """What may be given up.

    Attributes
    ----------
    n_rules : rules of `DEMAND_KINDS` that may be broken.
    people : who may stay uncovered (`min-sites`) or unreached (minutes objectives).
    """

    n_rules: int = 0
    people: float = 0.0


STRICT = Leeway()


@dataclass(frozen=True)
class Plain:
    """A model and what its columns are.

    Attributes
    ----------
    model : its first columns are `rows`.
    rows : relation rows, [n].
    base_value : of the objective, beside the model's own costs.
    """

    model: Model
    rows: NDArray[np.int64]
    base_value: float = 0.0

    def open_of(self, x: NDArray[np.float64], rules: Rules) -> NDArray[np.bool_]:
        """Return which rows a plan opens, [n_sites]."""
        is_open = rules.lowest.astype(bool)
        is_open[self.rows] = x[: self.rows.size] > 0.5  # noqa: PLR2004  0 or 1
        return is_open


def plain_model(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway = STRICT) -> Plain:
    """Return the model of `ask` (all objectives but `p-center`)."""
    if ask.objective == "min-sites":
        plain = _sites_model(problem, ask, rules, leeway)
    elif ask.is_maximising:
        plain = _cover(problem, ask, rules)
    else:
        plain = _median(problem, ask, rules, leeway)
    reported = replace(plain.model, reported=(plain.base_value, -1.0 if ask.is_maximising else 1.0))
    return replace(plain, model=with_leeway(reported, rules, leeway.n_rules))


def solve_plain(
    problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway, limits: Limits, progress: Progress
) -> tuple[Plain, Answer]:
    """Return the model and what HiGHS makes of it."""
    plain = plain_model(problem, ask, rules, leeway)
    return plain, solve_model(plain.model, limits, None, progress)


def with_leeway(model: Model, rules: Rules, n_given_up: int) -> Model:
    """Return `model` with one 0 / 1 column a demand rule that says "given up", at most `n_given_up` of them."""
    soft = [number for number, name in enumerate(rules.names) if name[0] in DEMAND_KINDS]
    soft = [number for number in soft if model.upper[model.first_side + number] < 0]
    if n_given_up <= 0 or not soft:
        return model
    at = model.first_side + np.array(soft)
    amount = model.upper[at]
    slack = sparse.csr_matrix((amount, (at, np.arange(at.size))), shape=(model.upper.size, at.size))
    count = sparse.csr_matrix(np.concatenate([np.zeros(model.costs.size), np.ones(at.size)])[None, :])
    return Model(
        costs=np.concatenate([model.costs, np.zeros(at.size)]),
        lowest=np.concatenate([model.lowest, np.zeros(at.size)]),
        highest=np.concatenate([model.highest, np.ones(at.size)]),
        is_integer=np.concatenate([model.is_integer, np.ones(at.size, dtype=bool)]),
        matrix=sparse.vstack([sparse.hstack([model.matrix, slack]), count], format="csr"),
        upper=np.concatenate([model.upper, [float(n_given_up)]]),
        first_side=model.first_side,
        reported=model.reported,
    )


def _cover(problem: SitingProblem, ask: Ask, rules: Rules) -> Plain:
    if problem.capacities is not None:
        rows = np.flatnonzero(rules.highest)
        sides = Sides(rules.matrix[:, rows].tocsr(), rules.upper)
        model = capacity_model(problem.covers[rows], problem.weights, problem.capacities[rows], sides)
        model.lowest[: rows.size] = rules.lowest[rows]
        return Plain(model, rows)
    reduced = reduce_cover(problem, rules, needed=1 if ask.objective == "max-cover" else 2)
    return Plain(cover_model(reduced, sides_of(rules, reduced.rows)), reduced.rows, reduced.base_value)


def _sites_model(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway) -> Plain:
    reduced = reduce_cover(problem, rules)
    sides, costs = sides_of(rules, reduced.rows), problem.cost_of[reduced.rows]
    sure = rules.lowest.astype(bool)
    sure[problem.fixed_open] = False
    base_value = float(problem.cost_of[sure].sum())
    if ask.cover_share >= 1 and leeway.people <= 0:
        return Plain(set_cover_model(reduced.covers, costs, sides), reduced.rows, base_value)
    everyone = float(problem.weights[coverable(problem)].sum())
    target = ask.cover_share * everyone - leeway.people - 1e-9 * max(1.0, everyone) - reduced.base_value
    model = partial_cover_model(reduced.covers, reduced.weights, costs, sides, target)
    return Plain(model, reduced.rows, base_value)


def _median(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway) -> Plain:
    rows = np.flatnonzero(rules.highest)
    wanted = np.flatnonzero(reachable(problem))
    times = useful_times(problem, ask, rules)[rows][:, wanted]
    model = median_model(times, Sides(rules.matrix[:, rows].tocsr(), rules.upper))
    model.lowest[: rows.size] = rules.lowest[rows]
    if leeway.people > 0:
        model = _with_unreached(model, problem.weights[wanted], leeway.people)
    return Plain(model, rows)


def _with_unreached(model: Model, people: NDArray[np.float64], allowed: float) -> Model:
    m = people.size
    spare = sparse.csr_matrix((-np.ones(m), (np.arange(m), np.arange(m))), shape=(model.upper.size, m))
    total = sparse.csr_matrix(np.concatenate([np.zeros(model.costs.size), people])[None, :])
    return Model(
        costs=np.concatenate([model.costs, np.zeros(m)]),
        lowest=np.concatenate([model.lowest, np.zeros(m)]),
        highest=np.concatenate([model.highest, np.ones(m)]),
        is_integer=np.concatenate([model.is_integer, np.ones(m, dtype=bool)]),
        matrix=sparse.vstack([sparse.hstack([model.matrix, spare]), total], format="csr"),
        upper=np.concatenate([model.upper, [allowed * (1 + 1e-9) + 1e-9]]),
        first_side=model.first_side,
    )


def useful_times(problem: SitingProblem, ask: Ask, rules: Rules) -> sparse.csr_matrix:
    """Return weighted minutes without the pairs that a place sure to be open makes useless, [n_sites, n_demand]."""
    relation = problem.minutes
    site = np.repeat(np.arange(problem.n_sites), np.diff(relation.indptr))
    minutes = charged(problem, ask, relation.data)
    sure = (rules.lowest == 1)[site]
    best = np.full(problem.n_demand, np.inf)
    np.minimum.at(best, relation.indices[sure], minutes[sure])
    keep = (minutes < best[relation.indices]) & (rules.highest == 1)[site]
    at_best = np.flatnonzero(sure & (minutes == best[relation.indices]))
    _, first = np.unique(relation.indices[at_best], return_index=True)
    keep[at_best[first]] = True
    return sparse.csr_matrix(
        (
            (minutes * problem.weights[relation.indices])[keep],
            relation.indices[keep],
            np.searchsorted(site[keep], np.arange(problem.n_sites + 1)),
        ),
        shape=relation.shape,
    )
