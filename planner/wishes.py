"""The question asked of siting, as planners put it: one description for library, command line, app and scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, model_validator

from planner.errors import EntriesError
from planner.toml import Entry, faults

if TYPE_CHECKING:
    from collections.abc import Iterator

Objective = Literal["max-cover", "min-sites", "p-median", "p-center", "backup-cover", "least-excess"]
OBJECTIVES: tuple[Objective, ...] = (
    "max-cover", "min-sites", "p-median", "p-center", "backup-cover", "least-excess",
)  # fmt: skip
Label = Literal["town", "village", "tier", "way"]
Group = Literal["age60", "children", "relocated"]
EVERY_SETTLEMENT = "all"
DEFAULT_N_NEW = 10


@dataclass(frozen=True)
class Quota:
    """How many of the newly opened sites may or must carry one label.

    Attributes
    ----------
    label : kind of label ("town", "village", "tier", "way").
    value : the label's value, for example a town's name.
    minimum, maximum : of newly opened sites; None = no limit.
    """

    label: str
    value: str
    minimum: int = 0
    maximum: int | None = None


class Wishes(Entry):
    """What a planner wants of new places; the section `[siting]` of a scenario.

    Attributes
    ----------
    objective : "max-cover" (most people within the limit), "backup-cover" (most people within the limit of two
        places), "min-sites" (fewest places for `cover_share`), "p-median" (least people-minutes to the nearest place),
        "p-center" (least worst minutes), "least-excess" (least people-minutes beyond the limit).
    n_new : most new sites. Where neither it nor `budget` is given, 10; no limit for "min-sites".
    budget : most cost, in the unit of the candidates' `cost`.
    cover_share : "min-sites": share to cover of the people whom existing places and candidates can cover together.
    by_cost : "min-sites": cheapest instead of fewest.
    group_factors : group of people ("age60", "children", "relocated") -> how many times each of them counts.
    lock_in, lock_out : ids of candidates that must, or must never, be opened.
    closable, movable : ids of existing places that may close; that may close and for each of which one more site may
        then be opened.
    must_serve : ids (or names) of settlements that must be within the limit; "all" = every one.
    quotas : limits a town, village, tier or way, by id or name.
    one_per : "village" or "town": at most one new site in each.
    spacing_m : two new sites are at least so far apart in a straight line; 0 = no rule.
    has_capacities : the candidates' `capacity` limits whom they serve ("max-cover" only).
    fair_by : "town" or "village": the share of the worst-served one is lifted first ("max-cover" only).
    phases : years over which `n_new` and `budget` are spread evenly; 0 = one plan. "max-cover" only.
    phase_n_new, phase_budgets : new sites and cost of each single year instead of an even spread.
    curve : also the best plan of 0, 1, ... so many new sites, with a bound each; 0 = no curve.
    time_limit_s, gap_share : when to stop searching: seconds (for the plan, the curve and the phases each), and the
        share of gap that is good enough.
    """

    objective: Objective = "max-cover"
    n_new: int | None = Field(default=None, ge=0, le=10_000)
    budget: float | None = Field(default=None, ge=0)
    cover_share: float = Field(default=1.0, ge=0, le=1)
    by_cost: bool = False
    group_factors: dict[Group, float] = Field(default_factory=dict)
    lock_in: tuple[str, ...] = ()
    lock_out: tuple[str, ...] = ()
    closable: tuple[str, ...] = ()
    movable: tuple[str, ...] = ()
    must_serve: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()
    one_per: tuple[Literal["village", "town"], ...] = ()
    spacing_m: float = Field(default=0.0, ge=0)
    has_capacities: bool = False
    fair_by: Literal["town", "village"] | None = None
    phases: int = Field(default=0, ge=0, le=100)
    phase_n_new: tuple[int, ...] = ()
    phase_budgets: tuple[float, ...] = ()
    curve: int = Field(default=0, ge=0, le=1_000)
    time_limit_s: float = Field(default=60.0, gt=0)
    gap_share: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _agrees(self) -> Wishes:
        wrong = [*self._wrong_numbers(), *self._wrong_company()]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _wrong_numbers(self) -> Iterator[str]:
        for group, factor in self.group_factors.items():
            if not (math.isfinite(factor) and factor >= 0):
                yield f"the weight of {group} is {factor}; it must be 0 or more"
        for quota in self.quotas:
            if quota.label not in {"town", "village", "tier", "way"}:
                yield f"a quota speaks of '{quota.label}'; it can be of a town, village, tier or way"
            if quota.minimum < 0 or (quota.maximum is not None and quota.maximum < quota.minimum):
                yield f"the quota of {quota.label} '{quota.value}' is {quota.minimum} to {quota.maximum}"
        both = sorted(set(self.closable) & set(self.movable))
        if both:
            yield f"{both[:5]} ({len(both)}) may close and may move: say one of the two"
        if any(number < 0 for number in (*self.phase_n_new, *self.phase_budgets)):
            yield "a year has a negative number of sites or budget"
        lengths = {len(each) for each in (self.phase_n_new, self.phase_budgets) if each}
        if lengths and lengths != {self.phases}:
            yield f"phase_n_new and phase_budgets must have one entry for each of the {self.phases} years"

    def _wrong_company(self) -> Iterator[str]:
        needs_max_cover = {
            "capacities": self.has_capacities,
            "fair_by": self.fair_by is not None,
            "phases": self.phases > 0,
        }
        for what, is_asked in needs_max_cover.items():
            if is_asked and self.objective != "max-cover":
                yield f"{what} works with max-cover only, not with {self.objective}"
        if self.has_capacities and self.fair_by is not None:
            yield "capacities and fair_by do not work together"
        if self.phases and (self.has_capacities or self.fair_by is not None or self.closable or self.movable):
            yield "phases work without capacities, fair_by and places that may close or move"
        if self.objective == "min-sites" and self.curve:
            yield "min-sites has no curve: it asks for the number itself"
        if self.objective == "min-sites" and self.budget is not None and not self.by_cost:
            yield "min-sites within a budget needs by_cost: it then looks for the cheapest sites"
        if self.by_cost and self.objective != "min-sites":
            yield f"by_cost works with min-sites only, not with {self.objective}"

    @property
    def most_new(self) -> int | None:
        """The number of new sites that applies: `n_new`, the sum of the years, or the default; None = no limit."""
        if self.phase_n_new:
            return sum(self.phase_n_new)
        if self.n_new is None and self.most_cost is None and self.objective != "min-sites":
            return DEFAULT_N_NEW
        return self.n_new

    @property
    def most_cost(self) -> float | None:
        """The cost that applies: `budget` or the sum of the years; None = no limit."""
        return math.fsum(self.phase_budgets) if self.phase_budgets else self.budget

    @property
    def needs_costs(self) -> bool:
        """Whether every candidate must have a cost."""
        return self.most_cost is not None or self.by_cost

    def years(self) -> tuple[list[int] | None, list[float] | None]:
        """Return new sites and cost allowed until the end of each year; None where there is no such limit.

        Without entries of their own, years share evenly: the first ones take what cannot be shared.
        """
        n, most, cost = self.phases, self.most_new, self.most_cost
        counts = None if most is None else [-(-most * year // n) for year in range(1, n + 1)]
        costs = None if cost is None else [cost * year / n for year in range(1, n + 1)]
        if self.phase_n_new:
            counts = [sum(self.phase_n_new[:year]) for year in range(1, n + 1)]
        if self.phase_budgets:
            costs = [math.fsum(self.phase_budgets[:year]) for year in range(1, n + 1)]
        return counts, costs

    def with_choices(self, **choices: Any) -> Wishes:  # noqa: ANN401  fields of this class
        """Return the wishes with other values for the fields in `choices`; None leaves a field as it is.

        Raises
        ------
        ScenarioError
            When the values contradict each other or are out of their range.
        """
        changed = {name: value for name, value in choices.items() if value is not None}
        try:
            return Wishes.model_validate({**self.model_dump(), **changed})
        except ValidationError as error:
            raise EntriesError("The wishes for new places", faults(error, Wishes)) from error
