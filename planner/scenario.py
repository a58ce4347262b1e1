"""The scenario: every choice that changes a figure, in one editable TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import tomli_w
from pydantic import Field, ValidationError, model_validator

from planner.belts import Belt  # noqa: TC001  pydantic reads it
from planner.errors import EntriesError, ScenarioError
from planner.road_changes import RoadChange  # noqa: TC001  pydantic reads it
from planner.sizes import SizeClass, default_sizes, require_rising
from planner.standards import (
    Checklist,
    Profile,
    Standard,
    default_checklists,
    default_profiles,
    default_standards,
)
from planner.tiers import Tier, default_tiers
from planner.toml import Entry, faults, toml_tables
from planner.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUPS = ("all", "age60", "children", "relocated")
AT_LEAST = "at_least:"


class Scenario(Entry):
    """What is asked of a study.

    Attributes
    ----------
    name : shown on every page.
    tiers : tier codes from the top of the pyramid to its foot.
    hierarchy : parent, unit and number of every tier by code, light tiers among them; see `planner.tiers`.
    checklist : what a place is judged by; the default is the five haves.
    profiles : travel profiles by code; the order is the order of all tables.
    cutoff_min : the time limit in minutes, covered means `travel_time_min <= cutoff_min`.
    curve_min : time limits of the coverage curve.
    direction : "towards" the place (people travel to it) or "from" it.
    standard : the standard that the time limit comes from: a code of `texts/standards.toml`, or a name in words.
    own_standards : standards of the user's own, by code.
    main_profile, main_tier : what gaps and siting are computed for.
    siting : what is wanted of new places; `n_new` beside it is short for `siting.n_new`.
    road_changes : roads closed, of another class, bridged, and closed areas; see `planner.road_changes`. Every answer
        of the scenario goes by the changed roads.
    settlement_tier : the tier that has to serve a relocation settlement.
    belts : practice belts by code; see `planner.belts`. None: one for each name of the table `corridors`.
    cluster_min : places of a town form a cluster when every pair is within these minutes by the main profile.
    settlement_sizes : size classes of settlements, smallest first.
    own_place_m : a place is a settlement's own within this many metres in a straight line (unverified).
    own_place_by_village : a place of the same named village is its own, too.
    seed : for everything that draws lots.
    """

    name: str = "default"
    tiers: tuple[str, ...] = Field(default=("centre", "institute", "station", "point"), min_length=1)
    hierarchy: dict[str, Tier] = Field(default_factory=lambda: dict(default_tiers()))
    checklist: Checklist = Field(default_factory=lambda: default_checklists()["five_haves"])
    profiles: dict[str, Profile] = Field(default_factory=lambda: dict(default_profiles()))
    cutoff_min: float = Field(default=15.0, gt=0, le=240)
    curve_min: tuple[float, ...] = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)
    direction: Literal["towards", "from"] = "towards"
    standard: str = "practice_circle_15"
    own_standards: dict[str, Standard] = Field(default_factory=dict)
    main_profile: str = "walk"
    main_tier: str = "any"
    siting: Wishes = Field(default_factory=Wishes)
    road_changes: tuple[RoadChange, ...] = ()
    settlement_tier: str = "any"
    belts: dict[str, Belt] = Field(default_factory=dict)
    cluster_min: float = Field(default=5.0, gt=0, le=60)
    settlement_sizes: tuple[SizeClass, ...] = Field(default_factory=default_sizes)
    own_place_m: float = Field(default=300.0, ge=0, le=10_000)
    own_place_by_village: bool = True
    seed: int = 0

    @model_validator(mode="before")
    @classmethod
    def _short_n_new(cls, data: Any) -> Any:  # noqa: ANN401  whatever the user wrote
        if not isinstance(data, dict) or data.get("n_new") is None:
            return data
        rest = {name: value for name, value in data.items() if name != "n_new"}
        siting = rest.get("siting", {})
        siting = siting.model_dump() if isinstance(siting, Wishes) else siting
        if not isinstance(siting, dict):
            return data
        return {**rest, "siting": {**siting, "n_new": data["n_new"]}}

    @model_validator(mode="after")
    def _codes_exist(self) -> Scenario:
        asked = [("profile", "main_profile", tuple(self.profiles))]
        asked += [("tier", name, self.tier_codes) for name in ("main_tier", "settlement_tier")]
        wrong = [
            f"There is no {kind} '{getattr(self, name)}' ({name}). Choose one of {', '.join(known)}."
            for kind, name, known in asked
            if getattr(self, name) not in known
        ]
        twice = sorted({code for code in self.tiers if self.tiers.count(code) > 1})
        if twice:
            wrong.append(f"tiers names {', '.join(twice)} more than once. Name each tier once.")
        if wrong:
            raise ValueError("\n".join(wrong))
        require_rising(self.settlement_sizes)
        return self

    @property
    def n_new(self) -> int | None:
        """The most new sites that siting may open; None = no limit."""
        return self.siting.most_new

    @property
    def tier_codes(self) -> tuple[str, ...]:
        """Every tier result there is: each tier, `at_least:<tier>` (it or one above it), `any`."""
        at_least = tuple(f"{AT_LEAST}{tier}" for tier in self.tiers[1:])
        return (*self.tiers, *at_least, "any")

    @property
    def known_tiers(self) -> tuple[str, ...]:
        """Every tier that a place may have: those of the pyramid, then light and special ones."""
        return (*self.tiers, *(code for code in self.hierarchy if code not in self.tiers))

    @property
    def standards(self) -> dict[str, Standard]:
        """Every standard that can be asked for, by code: those that ship, then the user's own."""
        return {**default_standards(), **self.own_standards}

    def with_choices(self, *, profiles: Sequence[str] | None = None, **choices: Any) -> Scenario:  # noqa: ANN401
        """Return the scenario with other values for the fields in `choices`; None leaves a field as it is.

        Parameters
        ----------
        profiles : codes to keep, in this order; the first becomes the main one when the main one is dropped.

        Raises
        ------
        ScenarioError
            When a code is unknown or a value out of its range.
        """
        changed: dict[str, Any] = {name: value for name, value in choices.items() if value is not None}
        if profiles is not None:
            unknown = [code for code in profiles if code not in self.profiles]
            if unknown:
                raise ScenarioError(f"No such profile: {', '.join(unknown)}. There are {', '.join(self.profiles)}.")
            changed["profiles"] = {code: self.profiles[code] for code in profiles}
            if changed.get("main_profile", self.main_profile) not in profiles:
                changed["main_profile"] = profiles[0]
        try:
            return Scenario.model_validate({**self.model_dump(), **changed})
        except ValidationError as error:
            raise EntriesError("The scenario", faults(error, Scenario)) from error

    def tiers_of(self, code: str) -> tuple[str, ...] | None:
        """Return the tiers that count for a tier result; None = every place, of whatever tier.

        Raises
        ------
        ScenarioError
            When `code` is none of `tier_codes`.
        """
        if code not in self.tier_codes:
            raise ScenarioError(f"'{code}' is none of the tiers {', '.join(self.tier_codes)}.")
        if code == "any":
            return None
        if code.startswith(AT_LEAST):
            return self.tiers[: self.tiers.index(code.removeprefix(AT_LEAST)) + 1]
        return (code,)


def scenario_of(scenarios: Mapping[str, str], name: str = "default") -> Scenario:
    """Return the scenario called `name` out of TOML texts by name; the built-in one when there is no "default".

    Raises
    ------
    ScenarioError
        When there is none of that name, or it is wrong.
    """
    if name in scenarios:
        return scenario_from_toml(scenarios[name])
    if name == "default":
        return Scenario()
    raise ScenarioError(f"There is no scenario '{name}'; the study has {', '.join(scenarios) or 'none'}.")


def scenario_from_toml(text: str) -> Scenario:
    """Return the scenario of a TOML text.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong.
    """
    data = toml_tables(text, "The scenario")
    for name in ("profiles", "own_standards"):
        tables = data.get(name)
        if isinstance(tables, dict):
            coded = {code: {**each, "code": code} if isinstance(each, dict) else each for code, each in tables.items()}
            data[name] = coded
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise EntriesError("The scenario", faults(error, Scenario)) from error


def scenario_to_toml(scenario: Scenario) -> str:
    """Return the scenario as TOML; `scenario_from_toml` reads the same back."""
    return tomli_w.dumps(scenario.model_dump(mode="json", exclude_none=True, by_alias=True))
