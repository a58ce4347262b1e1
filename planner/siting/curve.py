"""The budget curve: the best coverage for every number of new sites, each with its own bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.progress import SILENT, Progress
from planner.siting.problem import MAXIMISING
from planner.siting.solve import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.siting.problem import Objective, SitingProblem
    from planner.siting.solution import Status


@dataclass(frozen=True)
class CurvePoint:
    """The best plan of at most `n_new` sites.

    Attributes
    ----------
    n_new : new sites allowed.
    value, certified_bound, solver_bound : as in `SitingSolution`.
    status : of the plan.
    chosen : its rows in rank order.
    """

    n_new: int
    value: float
    certified_bound: float
    solver_bound: float
    status: Status
    chosen: tuple[int, ...]


def budget_curve(
    problem: SitingProblem,
    numbers: Sequence[int],
    objective: Objective = "max-cover",
    *,
    time_limit_s: float = 60.0,
    progress: Progress = SILENT,
) -> tuple[CurvePoint, ...]:
    """Return the best plan for every number of new sites in `numbers`, each within an equal part of the time.

    A plan of fewer sites is a plan of more, so a later point takes over an earlier plan that is better than its own.

    Raises
    ------
    InputError
        When the objective does not take a number of new sites.
    """
    if objective == "min-sites":
        raise InputError("min-sites has no budget curve: it asks for the number itself.")
    ordered = sorted(set(numbers))
    sign = 1.0 if objective in MAXIMISING else -1.0
    points: list[CurvePoint] = []
    for done, n_new in enumerate(ordered):
        progress.update(done, len(ordered), f"{n_new} sites")
        solution = solve(problem, objective, n_new=n_new, time_limit_s=time_limit_s / len(ordered), progress=progress)
        point = CurvePoint(
            n_new,
            solution.value,
            solution.certified_bound,
            solution.solver_bound,
            solution.status,
            solution.chosen,
        )
        before = points[-1] if points else None
        is_worse = before is not None and before.status != "infeasible" and sign * (before.value - point.value) > 0
        if before is not None and is_worse and point.status == "feasible":
            point = CurvePoint(
                n_new, before.value, point.certified_bound, point.solver_bound, "feasible", before.chosen
            )
        points.append(point)
        if solution.status == "cancelled":
            break
    return tuple(points)
