"""The end of a set covering question: searching on, and HiGHS on what is left where it may close the gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import CancelledError
from planner.siting.fewest.program import branch
from planner.siting.fewest.question import Best, Question, is_settled, offer_plan, sure_cost
from planner.siting.programs.mip import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.siting.deadline import Deadline
    from planner.siting.fewest.reduction import Instance

LARGEST_BRANCHING = 1_500_000
LARGEST_WIDE_BRANCHING = 60_000


@dataclass(frozen=True)
class Ways:
    """What differs between covering every row and covering a share of their weight.

    Attributes
    ----------
    target : weight to cover, None = every row.
    small_gap : share of the value below which much may be branched on.
    search : goes on for a share of the time that is left.
    plan : makes a plan that branching begins with.
    """

    target: float | None
    small_gap: float
    search: Callable[[float], object]
    plan: Callable[[], NDArray[np.bool_]]


def finish(question: Question, best: Best, instance: Instance, ways: Ways, deadline: Deadline) -> None:
    """Search on and branch on what is left; a bound of HiGHS holds for every plan as none outside is cheaper."""
    base, cutoff = sure_cost(question, instance), best.value
    if not instance.rows.size or (ways.target is not None and ways.target <= 0):
        offer_plan(question, best, instance, np.zeros(instance.sites.size, dtype=bool))
        best.solver_bound = min(cutoff, base)
        return
    gap_share = (best.value - max(best.bound, best.solver_bound)) / max(1e-9, abs(best.value))
    # Where the gap is wide branching on much cannot close it: searching on is worth more.
    is_small = instance.relation.nnz <= (LARGEST_BRANCHING if gap_share < ways.small_gap else LARGEST_WIDE_BRANCHING)
    ways.search((0.1 if gap_share < ways.small_gap else 0.3) if is_small else 1.0)
    if not is_small or is_settled(question, best) or deadline.left_s <= 0:
        return
    answer = branch(instance, ways.target, ways.plan(), Limits(deadline.left_s, question.gap_share), deadline)
    if answer.x is not None:
        offer_plan(question, best, instance, answer.x[: instance.sites.size] > 0.5)  # noqa: PLR2004  0 or 1
    claimed = question.rounded(base + answer.bound) if answer.status != "infeasible" else np.inf
    best.solver_bound = max(best.solver_bound, min(cutoff, claimed))
    if answer.status == "cancelled":
        raise CancelledError("Cancelled.")
