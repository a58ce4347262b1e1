"""From a problem to a plan with its proof: reduce, bound, search, branch, explain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError
from planner.progress import SILENT, Progress
from planner.siting.certificate import certified_bound
from planner.siting.cover import most_covered
from planner.siting.explain import rejections, sites_of
from planner.siting.judge import plan_value
from planner.siting.problem import BY_MINUTES, OBJECTIVES, Objective, SitingProblem
from planner.siting.rules import Rules, compile_rules
from planner.siting.solution import Ask, SitingSolution, Status, is_equal

if TYPE_CHECKING:
    from planner.siting.outcome import Outcome


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
    ask = Ask(objective, n_new, budget, cover_share, time_limit_s, gap_share)
    _check(problem, ask)
    rules = compile_rules(problem, n_new, budget)
    outcome = most_covered(problem, ask, rules, progress)
    return _solution(problem, ask, rules, outcome)


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
        "fair_by works with max-cover only.": problem.fair_by is not None and objective != "max-cover",
    }
    for message, is_fault in faults.items():
        if is_fault:
            raise InputError(message)


def _solution(problem: SitingProblem, ask: Ask, rules: Rules, outcome: Outcome) -> SitingSolution:
    is_open = outcome.is_open
    if is_open is None:
        is_open = rules.lowest.astype(bool)
    before = np.zeros(problem.n_sites, dtype=bool)
    before[list(problem.existing)] = True
    value = plan_value(problem, ask, is_open)
    bound = math.nan
    if outcome.certificate is not None:
        bound, faults = certified_bound(problem, ask, outcome.certificate)
        if faults:
            raise AssertionError(f"A certificate of ours is faulty: {faults}")
    best = [each for each in (bound, outcome.solver_bound) if not math.isnan(each)]
    status: Status = "feasible"
    if outcome.status == "cancelled":
        status = "cancelled"
    elif any(is_equal(each, value) for each in best):
        status = "optimal"
    sites = sites_of(problem, ask, rules, is_open)
    return SitingSolution(
        ask=ask,
        status=status,
        chosen=tuple(site.row for site in sites),
        closed=tuple(np.flatnonzero(before & ~is_open).tolist()),
        value=value,
        base_value=plan_value(problem, ask, before),
        certified_bound=bound,
        solver_bound=outcome.solver_bound,
        certificate=outcome.certificate,
        sites=sites,
        rejected=rejections(problem, ask, rules, is_open),
    )
