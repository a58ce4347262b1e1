"""Most people covered: reduce, bound by prices, search, close the rest by branching."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from planner.siting.bounds import Prices, cover_certificate, relaxed_duals, sides_of
from planner.siting.mip import Limits, solve_model
from planner.siting.models import cover_model
from planner.siting.outcome import Outcome
from planner.siting.reduce import reduce_cover

if TYPE_CHECKING:
    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.rules import Rules
    from planner.siting.solution import Ask


def most_covered(problem: SitingProblem, ask: Ask, rules: Rules, progress: Progress) -> Outcome:
    """Return the plan that covers most people (`backup-cover`: that covers most people twice)."""
    began = time.monotonic()
    reduced = reduce_cover(problem, rules, needed=1 if ask.objective == "max-cover" else 2)
    sides = sides_of(rules, reduced.rows)
    model = cover_model(reduced, sides)
    duals = relaxed_duals(model, ask.time_limit_s)
    certificate = None
    if duals is not None:
        prices = Prices(duals[: model.first_side], duals[model.first_side :])
        certificate = cover_certificate(problem, rules, reduced, prices)
    left = max(0.1, ask.time_limit_s - (time.monotonic() - began))
    answer = solve_model(model, Limits(left, ask.gap_share, ask.max_nodes), None, progress)
    if answer.x is None:
        return Outcome(None, answer.status, float("nan"), None)
    is_open = rules.lowest.astype(bool)
    is_open[reduced.rows[answer.x[: reduced.rows.size] > 0.5]] = True  # noqa: PLR2004  0 or 1
    status = "cancelled" if answer.status == "cancelled" else "done"
    return Outcome(is_open, status, reduced.base_value - answer.bound, certificate)
