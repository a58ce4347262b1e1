"""From a problem to a plan with its proof: reduce, bound, search, branch, explain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError
from planner.progress import SILENT, Progress
from planner.siting.clash import concede, least_broken, unmet_of
from planner.siting.engine import run
from planner.siting.explain import rejections, sites_of, swaps_of
from planner.siting.problem import BY_MINUTES, OBJECTIVES, Objective, SitingProblem
from planner.siting.programs.fair import worst_share
from planner.siting.programs.plain import STRICT
from planner.siting.proof.certificate import certified_bound
from planner.siting.proof.judge import broken_rules, plan_value, reachable
from planner.siting.rules import Rules, compile_rules
from planner.siting.solution import Ask, SitingSolution, Status, is_equal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.siting.outcome import Outcome
    from planner.siting.rules import RuleName


def solve(  # noqa: PLR0913  the public call spells out every choice
    problem: SitingProblem,
    objective: Objective = "max-cover",
    *,
    n_new: int | None = None,
    budget: float | None = None,
    cover_share: float = 1.0,
    time_limit_s: float = 60.0,
    gap_share: float = 0.0,
    progress: Progress = SILENT,
) -> SitingSolution:
    """Return the best plan found, how far from best it can be at most, and why.

    Parameters
    ----------
    problem : sites, demand and rules.
    objective : "max-cover", "backup-cover" (people covered once, twice), "min-sites" (fewest or, with costs, cheapest),
        "p-median" (people-minutes), "least-excess" (people-minutes beyond the cutoff), "p-center" (worst minutes).
    n_new, budget : most new sites and most cost.
    cover_share : of the coverable people, for "min-sites".
    time_limit_s, gap_share : when to stop: seconds, and the share of gap that is good enough.
    progress : hears value, bound and gap; when it cancels, the best plan so far is returned.

    Returns
    -------
    SitingSolution
        With status "optimal", "feasible", "infeasible" or "cancelled".

    Raises
    ------
    InputError
        When the problem lacks what the objective needs.
    """
    # Whole numbers of numpy would overflow in the checker, Python's do not.
    n_new, budget = None if n_new is None else int(n_new), None if budget is None else float(budget)
    ask = Ask(objective, n_new, budget, cover_share, time_limit_s, gap_share)
    _check(problem, ask)
    rules = compile_rules(problem, n_new, budget)
    outcome = run(problem, ask, rules, STRICT, progress)
    if outcome.status != "infeasible":
        return explained(problem, ask, rules, outcome)
    concession = concede(problem, ask, progress)
    outcome = run(problem, ask, concession.rules, concession.leeway, progress)
    return explained(problem, ask, concession.rules, outcome, concession.clash)


def _check(problem: SitingProblem, ask: Ask) -> None:
    objective = ask.objective
    faults = {
        f"'{objective}' is no objective: {', '.join(OBJECTIVES)}.": objective not in OBJECTIVES,
        f"{objective} needs `minutes`.": objective in BY_MINUTES and problem.minutes is None,
        f"{objective} needs `covers`, or `minutes` with `cutoff_min`.": objective in OBJECTIVES
        and objective not in BY_MINUTES
        and problem.covers is None,
        "least-excess needs `cutoff_min`.": objective == "least-excess" and problem.cutoff_min is None,
        f"{objective} needs `n_new` or `budget`: how much may be opened.": objective != "min-sites"
        and ask.n_new is None
        and ask.budget is None,
        f"n_new is {ask.n_new}; it must be 0 or more.": ask.n_new is not None and ask.n_new < 0,
        f"budget is {ask.budget}; it must be 0 or more.": ask.budget is not None and not ask.budget >= 0,
        f"cover_share is {ask.cover_share}; it must lie between 0 and 1.": not 0 <= ask.cover_share <= 1,
        "Capacities work with max-cover only.": problem.capacities is not None and objective != "max-cover",
        "Capacities and fair_by do not work together.": problem.capacities is not None and problem.fair_by is not None,
        "fair_by works with max-cover only.": problem.fair_by is not None and objective != "max-cover",
    }
    for message, is_fault in faults.items():
        if is_fault:
            raise InputError(message)


def explained(
    problem: SitingProblem,
    ask: Ask,
    rules: Rules,
    outcome: Outcome,
    clash: tuple[RuleName, ...] = (),
    years: Sequence[Sequence[int]] = (),
) -> SitingSolution:
    """Return the solution of an outcome: without sites that add nothing, valued from raw data, with its reasons.

    Parameters
    ----------
    clash : the smallest set of rules that cannot hold together; () where they can.
    years : rows opened in each year; those of an earlier year rank before those of a later one.
    """
    is_open = outcome.is_open
    if is_open is None:
        is_open = least_broken(problem, ask)
    before = np.zeros(problem.n_sites, dtype=bool)
    before[list(problem.existing)] = True
    is_open = without_idle(problem, ask, rules, is_open)
    value = plan_value(problem, ask, is_open)
    bound = math.nan
    if outcome.certificate is not None:
        bound, faults = certified_bound(problem, ask, outcome.certificate)
        if faults:
            raise AssertionError(f"A certificate of ours is faulty: {faults}")
    sites = sites_of(problem, ask, rules, is_open, years)
    return SitingSolution(
        ask=ask,
        status=_status(outcome, clash, value, bound),
        chosen=tuple(site.row for site in sites),
        closed=tuple(np.flatnonzero(before & ~is_open).tolist()),
        value=value,
        base_value=plan_value(problem, ask, before),
        certified_bound=bound,
        solver_bound=outcome.solver_bound,
        certificate=outcome.certificate,
        clash=clash,
        unmet=unmet_of(problem, ask, is_open),
        sites=sites,
        rejected=rejections(problem, ask, rules, is_open),
        worst_share=math.nan if problem.fair_by is None else worst_share(problem, is_open),
        n_unreachable=_unreachable(problem, ask),
    )


def _status(outcome: Outcome, clash: tuple[RuleName, ...], value: float, bound: float) -> Status:
    if outcome.status == "cancelled":
        return "cancelled"
    if clash:
        return "infeasible"
    is_proven = is_equal(bound, value) or is_equal(outcome.solver_bound, value)
    return "optimal" if is_proven and outcome.is_open is not None else "feasible"


def without_idle(problem: SitingProblem, ask: Ask, rules: Rules, is_open: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the plan without new sites that add nothing, dearest first, as long as the same rules hold."""
    if ask.objective == "min-sites" or problem.fair_by is not None or problem.capacities is not None:
        return is_open
    before = np.zeros(problem.n_sites, dtype=bool)
    before[list(problem.existing)] = True
    value, broken = plan_value(problem, ask, is_open), set(rules.broken_by(is_open))
    closing = swaps_of(problem, ask, is_open, with_joint=False).closing
    idle = np.flatnonzero(is_open & ~before & (closing <= 0) & (rules.lowest == 0))
    for row in sorted(idle.tolist(), key=lambda row: (-problem.cost_of[row], -row)):
        fewer = is_open.copy()
        fewer[row] = False
        is_as_good = plan_value(problem, ask, fewer) == value and set(rules.broken_by(fewer)) <= broken
        if is_as_good and len(broken_rules(problem, ask, fewer)) <= len(broken):
            is_open = fewer
    return is_open


def _unreachable(problem: SitingProblem, ask: Ask) -> int:
    if ask.objective not in BY_MINUTES:
        return 0
    return int((~reachable(problem) & (problem.weights > 0)).sum())
