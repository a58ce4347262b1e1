"""What an engine hands back before it is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner.siting.proof.certificate import Certificate


@dataclass(frozen=True, eq=False)
class Outcome:
    """A plan, a bound and its proof.

    Attributes
    ----------
    is_open : [n_sites]; None = no plan was found.
    status : "done", "infeasible" (proven: no plan keeps the rules), "unknown" (a limit came first), "cancelled".
    solver_bound : what the branching claims, in the objective's own sense; NaN = nothing.
    certificate : prices; None = there are none.
    """

    is_open: NDArray[np.bool_] | None
    status: str
    solver_bound: float
    certificate: Certificate | None = None
