"""The answer to a planner's wishes: plan, check, curve and years, as plain values and tables of ids."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.progress import SILENT, Progress, Step
from planner.siting.candidates import exclusions, problem_of
from planner.siting.curve import budget_curve
from planner.siting.phases import plan_phases
from planner.siting.problem import BY_MINUTES
from planner.siting.proof.certificate import check_certificate
from planner.siting.proof.judge import best_minutes
from planner.siting.solution import is_equal
from planner.siting.solve import solve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.siting.candidates import Ground
    from planner.siting.curve import CurvePoint
    from planner.siting.phases import PhasedPlan
    from planner.siting.problem import SitingProblem
    from planner.siting.proof.certificate import Check
    from planner.siting.rules import RuleName
    from planner.siting.solution import Site, SitingSolution
    from planner.wishes import Wishes

_UNITS = {
    "max-cover": "people", "backup-cover": "people", "min-sites": "sites", "p-median": "person-minutes",
    "p-center": "minutes", "least-excess": "person-minutes",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Answer:
    """What siting answers.

    Attributes
    ----------
    ground, wishes : what was asked.
    problem : rows = candidates, single existing places, all other existing places.
    solution : the plan; with phases, what all years open together.
    check : what the checker says of it.
    curve : best plans by number of new sites; () = not asked.
    years : the phases; None = not asked.
    """

    ground: Ground
    wishes: Wishes
    problem: SitingProblem
    solution: SitingSolution
    check: Check
    curve: tuple[CurvePoint, ...] = ()
    years: PhasedPlan | None = None

    @property
    def unit(self) -> str:
        """Unit of value and bounds: "people", "person-minutes", "minutes", "sites" or "cost"."""
        return "cost" if self.wishes.by_cost else _UNITS[self.wishes.objective]

    def people_within(self, is_open: NDArray[np.bool_]) -> float:
        """Return the people within the limit of any open row, each counted once and as one."""
        times = np.asarray(self.problem.covers[is_open].sum(axis=0)).ravel()
        return float(self.population[times > 0].sum())

    @property
    def population(self) -> NDArray[np.float64]:
        """People at each demand point, whatever they weigh."""
        return self.ground.demand["population"].to_numpy(dtype=np.float64)

    @property
    def before(self) -> NDArray[np.bool_]:
        """Which rows are open today."""
        return _rows(self.problem, self.problem.existing)

    @property
    def after(self) -> NDArray[np.bool_]:
        """Which rows the plan has open."""
        return _rows(self.problem, self.solution.open_rows(self.problem))

    def site_name(self, row: int) -> str:
        """Return the name of a candidate or existing place; its id where it has none."""
        table = self.ground.candidates
        if row >= len(table):
            places = self.ground.places
            row -= len(table)
            if places is None or row >= len(places):
                return self.problem.row_name(row + len(table))
            table = places
        name = table["name"].iloc[row] if "name" in table else None
        return name if isinstance(name, str) and name else self.problem.row_name(row)

    def demand_name(self, column: int) -> str:
        """Return the name of a settlement or demand point; its id where it has none."""
        for kind in ("settlement",):
            labels = self.problem.demand_labels.get(kind)
            if labels is not None and labels[column] is not None:
                return self.ground.name_of(kind, str(labels[column]))
        name = self.ground.demand["name"].iloc[column] if "name" in self.ground.demand else None
        return name if isinstance(name, str) and name else self.problem.demand_name(column)

    def summary(self) -> dict[str, Any]:
        """Return everything as plain values; numbers that are not known are NaN.

        `objective_people`, `bound_people` and `certified_bound_people` count people beyond those whom existing places
        cover, so that the gains of the chosen sites add up to the first (cover objectives; weighted people where
        groups weigh more).
        """
        solution = self.solution
        gain = solution.value - solution.base_value
        is_cover = self.unit == "people"
        bound = solution.bound - solution.base_value
        return {
            "objective": self.wishes.objective,
            "unit": self.unit,
            "is_weighted": bool(self.wishes.group_factors),
            "n_new": self.wishes.most_new,
            "budget": self.wishes.most_cost,
            "cover_share": self.wishes.cover_share,
            "status": solution.status,
            "value": solution.value,
            "base_value": solution.base_value,
            "certified_bound": solution.certified_bound,
            "solver_bound": solution.solver_bound,
            "gap": solution.gap,
            "gap_share": _share(max(0.0, bound - gain), gain, bound) if is_cover else solution.gap_share,
            "proven_by": solution.proven_by,
            "bound_by": self._bound_by(),
            "check": {
                "is_valid": self.check.is_valid,
                "value": self.check.value,
                "certified_bound": self.check.certified_bound,
                "problems": list(self.check.problems),
            },
            "objective_people": gain if is_cover else math.nan,
            "bound_people": bound if is_cover else math.nan,
            "certified_bound_people": solution.certified_bound - solution.base_value if is_cover else math.nan,
            "newly_reached_people": self._newly_reached(),
            "population": float(self.population.sum()),
            "covered_people_before": self.people_within(self.before),
            "covered_people": self.people_within(self.after),
            "cost": self.cost_of(solution.chosen),
            "worst_share": solution.worst_share,
            "chosen": site_records(self),
            "closed": [
                {"facility_id": self.problem.row_name(row), "name": self.site_name(row)} for row in solution.closed
            ],
            "clash": [self.rule(name) for name in solution.clash],
            "unmet": [self.rule(name) for name in solution.unmet],
            "rejected": rejected_table(self).drop(columns=["row", "rule_code"]).to_dict("records"),
            "curve": curve_table(self).to_dict("records"),
            "phases": phase_table(self).to_dict("records"),
        }

    def _newly_reached(self) -> float:
        """People whom some place can be reached by with the plan, however late, and by none today; NaN for cover."""
        if self.wishes.objective not in BY_MINUTES:
            return math.nan
        today, then = (np.isfinite(best_minutes(self.problem, rows)) for rows in (self.before, self.after))
        return float(self.population[then & ~today].sum())

    def _bound_by(self) -> str:
        """By which bound the gap is told: "certificate", "solver" or "" (there is none)."""
        solution = self.solution
        if math.isnan(solution.bound):
            return ""
        return "certificate" if is_equal(solution.certified_bound, solution.bound) else "solver"

    def cost_of(self, rows: Sequence[int]) -> float:
        """Return what opening candidates costs together; NaN where a cost is not known."""
        candidates = self.ground.candidates
        if "cost" not in candidates:
            return math.nan
        return float(candidates["cost"].to_numpy(dtype=np.float64, na_value=np.nan)[list(rows)].sum())

    def rule(self, name: RuleName) -> dict[str, Any]:
        """Return a rule as plain values: kind, and the ids and names of what it speaks of."""
        kind, rest = str(name[0]), name[1:]
        rule: dict[str, Any] = {"kind": kind}
        if kind in {"quota-min", "quota-max", "one-per"}:
            label, value = str(rest[0]), str(rest[1])
            rule |= {"label": label, "id": value, "name": self.ground.name_of(label, value)}
            rule |= {"number": self._quota_number(kind, label, value)}
        elif kind == "conflict":
            one, two = int(rest[0]), int(rest[1])
            rule |= {"id": self.problem.row_name(one), "name": self.site_name(one)}
            rule |= {"other_id": self.problem.row_name(two), "other_name": self.site_name(two)}
            rule |= {"number": self.wishes.spacing_m}
        elif kind in {"lock-in", "lock-out", "existing"}:
            row = int(rest[0])
            rule |= {"id": self.problem.row_name(row), "name": self.site_name(row)}
            if kind == "lock-out":
                rule["why"] = exclusions(self.ground, self.wishes).get(row, "vetoed")
        elif kind in {"must-serve", "reach"}:
            column = int(rest[0])
            rule |= {"id": self.problem.demand_name(column), "name": self.demand_name(column)}
            rule["n_servers"] = int(self.problem.relation[:, [column]].nnz)
        elif kind == "count":
            rule["number"] = self.wishes.most_new
        elif kind == "budget":
            rule["number"] = self.wishes.most_cost
        elif kind == "share":
            rule["number"] = self.wishes.cover_share
        return rule

    def rule_code(self, name: RuleName) -> str:
        """Return a rule as one text: kind, label and ids, such as "conflict:H1:H7"."""
        rule = self.rule(name)
        parts = (rule.get(key) for key in ("kind", "label", "id", "other_id"))
        return ":".join(str(part) for part in parts if part is not None)

    def _quota_number(self, kind: str, label: str, value: str) -> float:
        if kind == "one-per":
            return 1
        quotas = [each for each in self.problem.quotas if (each.label, each.value) == (label, value)]
        if kind == "quota-min":
            return float(max(each.minimum for each in quotas))
        return float(min(each.maximum for each in quotas if each.maximum is not None))


def ask_siting(ground: Ground, wishes: Wishes, progress: Progress = SILENT) -> Answer:
    """Return the best plan for `wishes`, its check and, where asked, the years and the curve.

    Parameters
    ----------
    progress : hears a `Standing` (value, bound, gap) as message; when it cancels, the best plan so far is returned.

    Raises
    ------
    InputError
        When tables and minutes do not fit, an id or name does not exist, or a cost or capacity is missing.
    """
    problem = problem_of(ground, wishes)
    share = 0.5 if wishes.curve else 1.0
    main = Step(progress, 0.0, share)
    years = None
    if wishes.phases:
        counts, costs = wishes.years()
        years = plan_phases(problem, counts, costs, time_limit_s=wishes.time_limit_s, progress=main)
        solution = years.plan
    else:
        solution = solve(
            problem,
            wishes.objective,
            n_new=wishes.most_new,
            budget=wishes.most_cost,
            cover_share=wishes.cover_share,
            time_limit_s=wishes.time_limit_s,
            gap_share=wishes.gap_share,
            progress=main,
        )
    answer = Answer(ground, wishes, problem, solution, check_certificate(problem, solution), (), years)
    if not wishes.curve or solution.status == "cancelled":
        return answer
    curve = budget_curve(
        problem,
        range(wishes.curve + 1),
        wishes.objective,
        budget=wishes.most_cost,
        time_limit_s=wishes.time_limit_s,
        progress=Step(progress, share, 1.0),
    )
    return replace(answer, curve=curve)


def site_records(answer: Answer) -> list[dict[str, Any]]:
    """Return the chosen sites in rank order, each with what it adds, whom it covers and its best substitute."""
    records, is_open = [], answer.before.copy()
    is_open[list(answer.solution.closed)] = False
    alone = answer.people_within(is_open)
    covered, year_of = alone, _year_of(answer)
    start = is_open.copy()
    for site in answer.solution.sites:
        is_open[site.row] = True
        with_it = answer.people_within(is_open)
        only = start.copy()
        only[site.row] = True
        records.append(
            {
                "candidate_id": site.site_id,
                "name": answer.site_name(site.row),
                "rank": site.rank,
                "year": year_of.get(site.row),
                "marginal_people": with_it - covered,
                "total_people": answer.people_within(only) - alone,
                "reached_people": answer.people_within(_rows(answer.problem, [site.row])),
                "marginal_value": site.marginal,
                "total_value": site.total,
                "n_demand": site.n_demand,
                "towns": _named(answer, site, "town"),
                "villages": _named(answer, site, "village"),
                "settlements": _named(answer, site, "settlement"),
                "substitute_id": None if site.substitute is None else answer.problem.row_name(site.substitute),
                "substitute_name": None if site.substitute is None else answer.site_name(site.substitute),
                "substitute_loss": site.loss,
                "cost": answer.cost_of([site.row]),
            }
        )
        covered = with_it
    return records


def rejected_table(answer: Answer) -> pd.DataFrame:
    """Return, a row each, why the candidates that are not opened lost.

    Columns row, candidate_id, name, reason ("covers-nobody-new", "dominated", "too-costly", "blocked", "less-gain",
    "not-enough", "online", "refused", "other-tier", "vetoed"), by_id and by_name (the chosen site that is better), rule
    (the one that blocks it, as `Answer.rule` tells), rule_code (the same as one text), loss (of the best swap that
    brings it in).
    """
    excluded = exclusions(answer.ground, answer.wishes)
    rows = []
    for each in answer.solution.rejected:
        reason = excluded.get(each.row, each.reason)
        rows.append(
            {
                "row": each.row,
                "candidate_id": each.site_id,
                "name": answer.site_name(each.row),
                "reason": reason,
                "by_id": None if each.by is None else answer.problem.row_name(each.by),
                "by_name": None if each.by is None else answer.site_name(each.by),
                "rule": None if each.rule is None else answer.rule(each.rule),
                "rule_code": None if each.rule is None else answer.rule_code(each.rule),
                "loss": math.nan if each.loss is None else each.loss,
            }
        )
    columns = ["row", "candidate_id", "name", "reason", "by_id", "by_name", "rule", "rule_code", "loss"]
    return pd.DataFrame(rows, columns=columns)


def curve_table(answer: Answer) -> pd.DataFrame:
    """Return the best plan for every number of new sites, with its own bounds; without rows where none was asked."""
    base = answer.solution.base_value
    rows = [
        {
            "n_new": point.n_new,
            "value": point.value,
            "gain": point.value - base,
            "certified_bound": point.certified_bound,
            "solver_bound": point.solver_bound,
            "status": point.status,
            "is_checked": point.is_checked,
            "sites": [answer.problem.row_name(row) for row in point.chosen],
        }
        for point in answer.curve
    ]
    columns = ["n_new", "value", "gain", "certified_bound", "solver_bound", "status", "is_checked", "sites"]
    return pd.DataFrame(rows, columns=columns)


def phase_table(answer: Answer) -> pd.DataFrame:
    """Return the years in order; without rows where none were asked."""
    rows, before, spent = [], answer.solution.base_value, 0.0
    for phase in () if answer.years is None else answer.years.phases:
        spent += answer.cost_of(phase.opened)
        rows.append(
            {
                "year": phase.year,
                "n_new": phase.n_new,
                "budget": phase.budget,
                "sites": [answer.problem.row_name(row) for row in phase.opened],
                "site_names": [answer.site_name(row) for row in phase.opened],
                "cost": spent,
                "value": phase.value,
                "gain": phase.value - before,
                "best_after_years_before": phase.best_after_years_before,
                "certified_free_bound": phase.certified_free_bound,
                "is_best": phase.is_best,
                "is_checked": phase.is_checked,
            }
        )
        before = phase.value
    columns = [
        "year", "n_new", "budget", "sites", "site_names", "cost", "value", "gain", "best_after_years_before",
        "certified_free_bound", "is_best", "is_checked",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _year_of(answer: Answer) -> Mapping[int, int]:
    phases = () if answer.years is None else answer.years.phases
    return {row: phase.year for phase in phases for row in phase.opened}


def _named(answer: Answer, site: Site, kind: str) -> list[str]:
    return [answer.ground.name_of(kind, value) for value in site.covers.get(kind, ())]


def _rows(problem: SitingProblem, rows: Sequence[int]) -> NDArray[np.bool_]:
    is_in = np.zeros(problem.n_sites, dtype=bool)
    is_in[list(rows)] = True
    return is_in


def _share(gap: float, gain: float, bound: float) -> float:
    if is_equal(bound, gain):
        return 0.0
    return gap / gain if gain > 0 else math.inf
