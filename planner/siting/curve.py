"""The budget curve: the best coverage for every number of new sites, each with its own bound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.progress import SILENT, Progress, Step
from planner.siting.proof.certificate import check_certificate
from planner.siting.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.siting.problem import Objective, SitingProblem
    from planner.siting.solution import SitingSolution, Status


@dataclass(frozen=True)
class CurvePoint:
    """The best plan of at most `n_new` sites.

    Attributes
    ----------
    n_new : new sites allowed.
    value, certified_bound, solver_bound : as in `SitingSolution`.
    status : of the plan.
    chosen : its rows in rank order.
    is_checked : the checker agrees with value, rules and certified bound.
    """

    n_new: int
    value: float
    certified_bound: float
    solver_bound: float
    status: Status
    chosen: tuple[int, ...]
    is_checked: bool


def budget_curve(
    problem: SitingProblem,
    numbers: Sequence[int],
    objective: Objective = "max-cover",
    *,
    budget: float | None = None,
    time_limit_s: float = 60.0,
    progress: Progress = SILENT,
) -> tuple[CurvePoint, ...]:
    """Return the best plan for every number of new sites in `numbers`, each within an equal part of the time.

    A plan of fewer sites is a plan of more, so a later point takes over an earlier plan that is better than its own.
    When the user cancels, the points so far are returned.

    Parameters
    ----------
    budget : most cost, of every point; None = no limit.

    Raises
    ------
    InputError
        When the objective does not take a number of new sites.
    """
    if objective == "min-sites":
        raise InputError("min-sites has no budget curve: it asks for the number itself.")
    ordered = sorted(set(numbers))
    points: list[CurvePoint] = []
    left_s = time_limit_s / max(1, len(ordered))
    for done, n_new in enumerate(ordered):
        step = Step(progress, done / len(ordered), (done + 1) / len(ordered))
        solution = solve(problem, objective, n_new=n_new, budget=budget, time_limit_s=left_s, progress=step)
        if solution.status == "cancelled":
            break
        points.append(_point(problem, n_new, solution, points[-1] if points else None))
    return tuple(points)


def _point(problem: SitingProblem, n_new: int, solution: SitingSolution, before: CurvePoint | None) -> CurvePoint:
    point = CurvePoint(
        n_new=n_new,
        value=solution.value,
        certified_bound=solution.certified_bound,
        solver_bound=solution.solver_bound,
        status=solution.status,
        chosen=solution.chosen,
        is_checked=check_certificate(problem, solution).is_valid,
    )
    if before is None or before.status == "infeasible" or point.status != "feasible":
        return point
    sign = 1.0 if solution.ask.is_maximising else -1.0
    if sign * (before.value - point.value) <= 0:
        return point
    # The earlier plan keeps this point's rules as well: its check holds on.
    return replace(point, value=before.value, chosen=before.chosen, is_checked=point.is_checked and before.is_checked)
