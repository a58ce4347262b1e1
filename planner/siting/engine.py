"""Which method answers which question, and the proof that goes with it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np

from planner.siting.most_covered.climb import most_covered
from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.outcome import Outcome
from planner.siting.problem import BY_MINUTES
from planner.siting.programs.center import least_worst
from planner.siting.programs.fair import fairest
from planner.siting.programs.mip import Limits, solve_model
from planner.siting.programs.models import cover_model
from planner.siting.programs.plain import STRICT, Leeway, plain_model
from planner.siting.proof.bounds import (
    Prices,
    cover_certificate,
    median_certificate,
    relaxed_duals,
    sides_of,
    sites_certificate,
)
from planner.siting.proof.judge import reachable
from planner.siting.special import is_special, run_special

if TYPE_CHECKING:
    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.proof.certificate import Certificate
    from planner.siting.rules import Rules
    from planner.siting.solution import Ask


def run(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway, progress: Progress) -> Outcome:
    """Return the plan of the method that suits the question."""
    if (rules.lowest > rules.highest).any():
        return Outcome(None, "infeasible", math.nan)
    if leeway == STRICT and is_special(problem, ask, rules):
        return run_special(problem, ask, rules, progress)
    if ask.objective == "p-center":
        return least_worst(problem, ask, rules, leeway, progress)
    if problem.fair_by is not None:
        return fairest(problem, ask, rules, leeway, progress)
    if ask.is_maximising and problem.capacities is None and leeway == STRICT:
        return most_covered(problem, ask, rules, progress)
    return _by_model(problem, ask, rules, leeway, progress)


def _by_model(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway, progress: Progress) -> Outcome:
    began = time.monotonic()
    plain = plain_model(problem, ask, rules, leeway)
    certificate = _certificate(problem, ask, rules) if leeway == STRICT else None
    left = max(0.1, ask.time_limit_s - (time.monotonic() - began))
    answer = solve_model(plain.model, Limits(left, ask.gap_share, ask.max_nodes), None, progress)
    if answer.x is None:
        return Outcome(None, answer.status, math.nan)
    sign = -1.0 if ask.is_maximising else 1.0
    status = "cancelled" if answer.status == "cancelled" else "done"
    return Outcome(plain.open_of(answer.x, rules), status, plain.base_value + sign * answer.bound, certificate)


def _certificate(problem: SitingProblem, ask: Ask, rules: Rules) -> Certificate | None:
    """Return the certificate of the linear relaxation (of plain cover, where capacities limit who is served)."""
    if ask.objective in BY_MINUTES:
        return _median_certificate(problem, ask, rules)
    reduced = reduce_cover(problem, rules, needed=2 if ask.objective == "backup-cover" else 1)
    if ask.is_maximising:
        model = cover_model(reduced, sides_of(rules, reduced.rows))
    else:
        model = plain_model(problem, ask, rules).model
    duals = relaxed_duals(model, ask.time_limit_s)
    if duals is None:
        return None
    prices = Prices(duals[: model.first_side], duals[model.first_side :])
    if ask.is_maximising:
        return cover_certificate(problem, rules, reduced, prices)
    return sites_certificate(problem, ask, rules, reduced, prices)


def _median_certificate(problem: SitingProblem, ask: Ask, rules: Rules) -> Certificate | None:
    model = plain_model(problem, ask, rules).model
    duals = relaxed_duals(model, ask.time_limit_s)
    if duals is None:
        return None
    first, last = model.first_side, model.first_side + len(rules.names)
    return median_certificate(
        problem, rules, np.flatnonzero(reachable(problem)), Prices(duals[:first], duals[first:last])
    )
