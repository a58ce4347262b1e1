"""Yearly phases: nested plans, each the best that keeps the years before and leaves the last demands possible."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.errors import InputError
from planner.progress import SILENT, Progress, Step
from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.outcome import Outcome
from planner.siting.programs.mip import Limits, Model, solve_model
from planner.siting.programs.models import cover_model
from planner.siting.proof.bounds import sides_of
from planner.siting.proof.certificate import check_certificate
from planner.siting.proof.judge import plan_value
from planner.siting.rules import DEMAND_KINDS, Rules, compile_rules
from planner.siting.solution import Ask, SitingSolution, is_equal
from planner.siting.solve import explained, solve, without_idle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.siting.problem import SitingProblem


@dataclass(frozen=True)
class Phase:
    """One year of a plan.

    Attributes
    ----------
    year : 1 = the first.
    n_new : new sites allowed until then; budget : cost allowed until then; None = no such limit.
    opened : rows opened in this year.
    value : people covered at its end.
    best_after_years_before : what HiGHS claims: no plan that keeps the years before covers more.
    certified_free_bound : no plan of this year's size covers more at all, by prices: the price of building in order
        is at most the difference to `value`.
    is_best : the value equals `best_after_years_before`.
    is_checked : the checker agrees with the certified bound.
    """

    year: int
    n_new: int | None
    budget: float | None
    opened: tuple[int, ...]
    value: float
    best_after_years_before: float
    certified_free_bound: float
    is_best: bool
    is_checked: bool


@dataclass(frozen=True, eq=False)
class PhasedPlan:
    """All years.

    Attributes
    ----------
    phases : in order; fewer than asked where the user cancelled.
    last : the best plan of the last year without an order, which says what clashes where nothing can be done.
    plan : what all years open together, ranked by year, against the bounds of `last`; `last` itself without any year.
    """

    phases: tuple[Phase, ...]
    last: SitingSolution
    plan: SitingSolution


def plan_phases(
    problem: SitingProblem,
    n_new: Sequence[int] | None = None,
    budgets: Sequence[float] | None = None,
    *,
    time_limit_s: float = 60.0,
    progress: Progress = SILENT,
) -> PhasedPlan:
    """Return a nested plan: each year covers most people on top of the years before (lexicographic, first year first).

    Limits (number, budget, spacing, one per village, largest quotas) hold in every year; demands (must-serve, least
    quotas, lock-ins) hold in the last, and no year's choice makes them impossible. Demands that cannot be met at all
    are given up as in `solve`, and named by `last`.

    Parameters
    ----------
    problem : without capacities and `fair_by`.
    n_new, budgets : allowed until the end of each year, not falling; give one of them, or both of one length.
    time_limit_s : for all years.
    progress : when it cancels, the years so far are returned.

    Raises
    ------
    InputError
        When the limits of the years fall or do not fit each other.
    """
    years = _years(n_new, budgets)
    if problem.capacities is not None or problem.fair_by is not None:
        raise InputError("Phases work without capacities and fair_by.")
    if problem.closable or problem.movable:
        raise InputError("Phases work with existing places that stay: a place that closes has no year.")
    began = time.monotonic()
    share = 1 / (len(years) + 1)
    parts = [Step(progress, number * share, (number + 1) * share) for number in range(len(years) + 1)]
    last = solve(problem, n_new=years[-1][0], budget=years[-1][1], time_limit_s=time_limit_s / 4, progress=parts[0])
    final = _final_rules(problem, years[-1], set(last.unmet))
    opened = np.zeros(problem.n_sites, dtype=bool)
    phases: list[Phase] = []
    for number, (count, budget) in enumerate(years):
        if last.status == "cancelled":
            break
        left = max(0.5, time_limit_s - (time.monotonic() - began)) / (2 * (len(years) - number))
        ask = Ask(n_new=count, budget=budget, time_limit_s=left)
        year = _year(problem, ask, final, opened, parts[number + 1])
        if year is None:
            break
        phases.append(replace(year, year=number + 1))
        opened[list(year.opened)] = True
    plan = _whole_plan(problem, final, last, phases)
    if len(phases) < len(years):
        plan = replace(plan, status="cancelled")
    return PhasedPlan(tuple(phases), last, plan)


def _whole_plan(problem: SitingProblem, final: Rules, last: SitingSolution, phases: Sequence[Phase]) -> SitingSolution:
    """Return what the years open together as a solution of the last year's question, with the bounds of `last`."""
    if not phases:
        return last
    is_open = np.zeros(problem.n_sites, dtype=bool)
    is_open[problem.fixed_open] = True
    for phase in phases:
        is_open[list(phase.opened)] = True
    outcome = Outcome(is_open, "done", last.solver_bound, last.certificate)
    return explained(problem, last.ask, final, outcome, last.clash, [phase.opened for phase in phases])


def _years(n_new: Sequence[int] | None, budgets: Sequence[float] | None) -> list[tuple[int | None, float | None]]:
    length = len(n_new if n_new is not None else budgets if budgets is not None else ())
    if length == 0 or (n_new is not None and budgets is not None and len(budgets) != length):
        raise InputError("Phases need `n_new` or `budgets`: one limit a year, of one length.")
    counts = [None] * length if n_new is None else [int(each) for each in n_new]
    costs = [None] * length if budgets is None else [float(each) for each in budgets]
    for limits in (counts, costs):
        if any(later < earlier for earlier, later in pairwise(limits) if None not in limits):  # type: ignore[operator]
            raise InputError("The limits of later years must not be lower: each counts all years until then.")
    return list(zip(counts, costs, strict=True))


def _final_rules(
    problem: SitingProblem, year: tuple[int | None, float | None], given_up: set[tuple[str | int, ...]]
) -> Rules:
    rules = compile_rules(problem, *year, locks_as_rules=True)
    kept = [number for number, name in enumerate(rules.names) if name not in given_up]
    names = tuple(rules.names[number] for number in kept)
    return replace(rules, matrix=rules.matrix[kept], upper=rules.upper[kept], names=names)


def _free(problem: SitingProblem) -> SitingProblem:
    """Return the problem with its limits but without its demands, which only the last year has to meet."""
    quotas = [replace(quota, minimum=0) for quota in problem.quotas]
    return replace(problem, must_serve=(), lock_in=(), quotas=quotas, group_factors={}, groups={})


def _year(
    problem: SitingProblem, ask: Ask, final: Rules, opened: NDArray[np.bool_], progress: Progress
) -> Phase | None:
    """Return one year on top of the rows `opened` before it; None when the user cancels.

    Columns: this year's sites, the demand, the sites of some last year that contains them and keeps every demand.
    """
    free_problem = _free(problem)
    now = compile_rules(free_problem, ask.n_new, ask.budget)
    now = replace(now, lowest=np.maximum(now.lowest, opened.astype(np.int8)))
    reduced = reduce_cover(problem, now, drop_dominated=False)
    model = cover_model(reduced, sides_of(now, reduced.rows))
    model = _with_last_year(model, reduced.rows, final, now)
    answer = solve_model(model, Limits(ask.time_limit_s), None, progress)
    free = solve(free_problem, n_new=ask.n_new, budget=ask.budget, time_limit_s=ask.time_limit_s, progress=progress)
    if "cancelled" in {answer.status, free.status}:
        return None
    is_open, claim = now.lowest.astype(bool), math.nan
    if answer.x is not None:
        is_open[reduced.rows[answer.x[: reduced.rows.size] > 0.5]] = True  # noqa: PLR2004  0 or 1
        claim = reduced.base_value - answer.bound
    # A site that adds nothing and that no demand needs may wait.
    is_open = without_idle(problem, ask, replace(final, lowest=now.lowest), is_open)
    value = plan_value(problem, ask, is_open)
    fresh = is_open & ~opened
    fresh[problem.fixed_open] = False
    return Phase(
        year=0,
        n_new=ask.n_new,
        budget=ask.budget,
        opened=tuple(np.flatnonzero(fresh).tolist()),
        value=value,
        best_after_years_before=claim,
        certified_free_bound=free.certified_bound,
        is_best=is_equal(claim, value),
        is_checked=check_certificate(free_problem, free).is_valid,
    )


def _with_last_year(model: Model, rows: NDArray[np.int64], final: Rules, now: Rules) -> Model:
    """Add a last year that contains this one, where some demand could otherwise become impossible."""
    if not any(name[0] in DEMAND_KINDS for name in final.names):
        return model
    sure = replace(final, lowest=np.maximum(final.lowest, now.lowest))
    sides = sides_of(sure, rows)
    n, m = rows.size, model.costs.size - rows.size
    identity = sparse.identity(n, format="csr")
    within = sparse.hstack([identity, sparse.csr_matrix((n, m)), -identity], format="csr")
    later = sparse.hstack([sparse.csr_matrix((sides.upper.size, n + m)), sides.matrix], format="csr")
    wide = sparse.hstack([model.matrix, sparse.csr_matrix((model.upper.size, n))], format="csr")
    return Model(
        costs=np.concatenate([model.costs, np.zeros(n)]),
        lowest=np.concatenate([model.lowest, np.zeros(n)]),
        highest=np.concatenate([model.highest, np.ones(n)]),
        is_integer=np.concatenate([model.is_integer, np.ones(n, dtype=bool)]),
        matrix=sparse.vstack([wide, within, later], format="csr"),
        upper=np.concatenate([model.upper, np.zeros(n), sides.upper]),
        first_side=model.first_side,
        reported=model.reported,
    )
