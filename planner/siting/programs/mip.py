"""Linear and mixed-integer models handed to HiGHS, and what it answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import CancelledError, MissingExtraError
from planner.progress import SILENT, Progress, Standing
from planner.streams import c_output_on_stderr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy import sparse

UNLIMITED = float("inf")
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Model:
    """Minimise `costs @ x` with `matrix @ x <= upper`, `lowest <= x <= highest`, whole numbers where asked.

    Attributes
    ----------
    costs, lowest, highest : [n].
    is_integer : [n].
    matrix : [n_rules, n].
    upper : [n_rules].
    first_side : the row of `matrix` that the rules of the problem begin at.
    reported : (base, sign): what is reported while HiGHS runs is base + sign * (costs @ x); None = nothing but time.
    """

    costs: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    is_integer: NDArray[np.bool_]
    matrix: sparse.csr_matrix
    upper: NDArray[np.float64]
    first_side: int = 0
    reported: tuple[float, float] | None = None


@dataclass(frozen=True)
class Limits:
    """When to stop: seconds, share of gap, branching nodes (the same on every machine), gap in the objective's unit."""

    time_limit_s: float = UNLIMITED
    gap_share: float = 0.0
    max_nodes: int | None = None
    gap: float = 1e-7


@dataclass(frozen=True)
class Answer:
    """What HiGHS returned.

    Attributes
    ----------
    status : "optimal", "feasible", "infeasible", "unknown" (a limit came first), "cancelled".
    x : [n], or None without a plan.
    value : of `x`; bound : no plan is below it, as HiGHS claims (-inf = it claims nothing).
    duals : of the rules, not negative, [n_rules]; None unless a linear model was solved.
    """

    status: str
    x: NDArray[np.float64] | None
    value: float
    bound: float
    duals: NDArray[np.float64] | None


def highs_module() -> Any:  # noqa: ANN401  a module without types
    """Return highspy.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    try:
        import highspy
    except ImportError as error:
        raise MissingExtraError("highspy", "siting") from error
    return highspy


def solve_model(
    model: Model,
    limits: Limits | None = None,
    start: NDArray[np.float64] | None = None,
    progress: Progress = SILENT,
    *,
    method: str = "choose",
) -> Answer:
    """Return what HiGHS makes of `model`; `start` is a plan to begin with, `method` the linear solver."""
    limits = Limits() if limits is None else limits
    highspy = highs_module()
    if model.costs.size == 0:
        is_kept = bool((model.upper >= -_ROUNDING).all())
        empty = Answer("optimal", np.zeros(0), 0.0, 0.0, np.zeros(model.upper.size))
        return empty if is_kept else Answer("infeasible", None, UNLIMITED, UNLIMITED, None)
    if not (model.lowest <= model.highest).all():
        return Answer("infeasible", None, UNLIMITED, UNLIMITED, None)
    highs = quiet_highs(highspy)
    for name, value in _options(limits, is_mip=bool(model.is_integer.any()), method=method).items():
        highs.setOptionValue(name, value)
    highs.passModel(_highs_lp(highspy, model))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = np.asarray(start, dtype=np.float64).tolist()
        highs.setSolution(solution)
    is_cancelled = _watch(highspy, highs, progress, model.reported)
    highs.run()
    if is_cancelled():
        return _answer(highspy, highs, model, "cancelled")
    return _answer(highspy, highs, model, None)


def quiet_highs(highspy: Any) -> Any:  # noqa: ANN401  the module
    """Return a solver that writes nothing: HiGHS prints a banner when one is made, before it can be told not to."""
    with c_output_on_stderr():
        highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)  # noqa: FBT003  HiGHS's own signature
    return highs


def _options(limits: Limits, *, is_mip: bool, method: str) -> dict[str, object]:
    options: dict[str, object] = {"threads": 1, "random_seed": 0, "parallel": "off", "solver": method}
    if limits.time_limit_s != UNLIMITED:
        options["time_limit"] = max(0.01, limits.time_limit_s)
    if is_mip:
        options |= {"mip_rel_gap": limits.gap_share, "mip_abs_gap": limits.gap, "mip_feasibility_tolerance": 1e-9}
        if limits.max_nodes is not None:
            options["mip_max_nodes"] = limits.max_nodes
    return options


def _highs_lp(highspy: Any, model: Model) -> Any:  # noqa: ANN401  highspy has no types
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = model.costs.size, model.upper.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.costs, model.lowest, model.highest
    lp.row_lower_, lp.row_upper_ = np.full(model.upper.size, -highspy.kHighsInf), model.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = model.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = model.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = model.matrix.data.astype(np.float64)
    if model.is_integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[flag] for flag in model.is_integer.astype(int).tolist()]
    return lp


def _watch(
    highspy: Any,  # noqa: ANN401  highspy has no types
    highs: Any,  # noqa: ANN401
    progress: Progress,
    reported: tuple[float, float] | None,
) -> Callable[[], bool]:
    """Let `progress` see and stop the branching; returns a function that says whether it did."""
    state = {"cancelled": False, "last": time.monotonic()}
    if progress is SILENT:
        return lambda: False

    def look(_kind: object, _message: str, data: Any, answer: Any, _user: object) -> None:  # noqa: ANN401
        if state["cancelled"] or time.monotonic() - float(state["last"]) < 0.1:  # noqa: PLR2004  seconds
            if state["cancelled"]:
                answer.user_interrupt = True
            return
        state["last"] = time.monotonic()
        try:
            if reported is None:
                progress.update(0.5, 1.0)
            else:
                base, sign = reported
                value, bound = base + sign * data.mip_primal_bound, base + sign * data.mip_dual_bound
                progress.update(0.5, 1.0, Standing(value, bound))
        except CancelledError:
            state["cancelled"] = True
            answer.user_interrupt = True

    highs.setCallback(look, None)
    highs.startCallback(highspy.cb.HighsCallbackType.kCallbackMipInterrupt)
    return lambda: bool(state["cancelled"])


def _answer(highspy: Any, highs: Any, model: Model, status: str | None) -> Answer:  # noqa: ANN401
    found = highs.getModelStatus()
    states = highspy.HighsModelStatus
    if found in {states.kInfeasible, states.kUnboundedOrInfeasible}:
        return Answer("infeasible", None, UNLIMITED, UNLIMITED, None)
    info, solution = highs.getInfo(), highs.getSolution()
    has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(solution.col_value) if has_plan else None
    value = float(model.costs @ x) if x is not None else UNLIMITED
    if model.is_integer.any():
        bound, duals = float(info.mip_dual_bound), None
    else:
        bound = value if found == states.kOptimal else -UNLIMITED
        duals = np.maximum(0.0, -np.array(solution.row_dual)) if solution.row_dual else None
    if status is None:
        status = "optimal" if found == states.kOptimal else ("feasible" if has_plan else "unknown")
    return Answer(status, x, value, min(bound, value), duals)
