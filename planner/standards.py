"""Norms as data that people edit: travel profiles, checklists of places and coverage standards, with their sources."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import tomli_w
from pydantic import ConfigDict, Field

from planner.toml import Entry, entries_of, toml_tables
from planner.units import distance_m

Mode = Literal["foot", "bicycle", "motor"]


class Profile(Entry):
    """One way of travelling.

    Attributes
    ----------
    mode : which access column of a road counts ("foot", "bicycle", "motor").
    speed_kph : on a level road of a class not named in `class_speed_kph`.
    access_speed_kph : on the straight leg between a position and the road.
    max_access_m : longest leg; beyond it nothing is known.
    min_piece_m, min_piece_share : a piece of road matters, so that one may start from it, when it is so long or holds
        such a share of the roads that the profile may use (unverified).
    slope : "tobler" scales the flat speed by Tobler(s) / Tobler(0); "none" does not.
    obeys_oneway : whether one-way rules bind it.
    excluded : road classes it may not use unless the road's own access column says "yes".
    class_speed_kph : speeds on single classes.
    source, is_verified : where the figures come from, and whether anyone checked.
    """

    code: str
    mode: Mode
    speed_kph: float = Field(gt=0, le=200)
    access_speed_kph: float = Field(gt=0, le=10)
    max_access_m: float = Field(gt=0, le=5_000)
    min_piece_m: float = Field(default=1_000.0, ge=0, le=100_000)
    min_piece_share: float = Field(default=0.1, ge=0, le=1)
    slope: Literal["tobler", "none"] = "none"
    obeys_oneway: bool = True
    excluded: tuple[str, ...] = ()
    class_speed_kph: dict[str, float] = Field(default_factory=dict)
    source: str = ""
    is_verified: bool = False

    def distance_m(self, minutes: float) -> float:
        """Metres on a level road in `minutes`: printed next to every time limit."""
        return distance_m(self.speed_kph, minutes)


def profiles_from_toml(text: str) -> dict[str, Profile]:
    """Return the profiles of a TOML text, by code, in its order.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong.
    """
    return entries_of(toml_tables(text, "The profiles"), Profile, "The profiles")


@cache
def default_profiles() -> dict[str, Profile]:
    """Return the profiles that ship with the planner."""
    path = resources.files("planner.presets") / "profiles.toml"
    return profiles_from_toml(path.read_text(encoding="utf-8"))


class ChecklistItem(Entry):
    """One item of a checklist, in both languages, and other words that are written for it."""

    zh: str = Field(min_length=1)
    en: str = ""
    also: tuple[str, ...] = ()


class Checklist(Entry):
    """What a place is judged by; a place is qualified when it has every item in full.

    Attributes
    ----------
    code, name, name_en, source : what it is, and who said so.
    items : by code, in the order of the report.
    """

    code: str
    name: str = ""
    name_en: str = ""
    source: str = ""
    items: dict[str, ChecklistItem] = Field(min_length=1)


@cache
def road_class_words() -> dict[str, list[str]]:
    """Return the road classes of the planner (OSM highway values), each with the words of road layers that mean it."""
    path = resources.files("planner.presets") / "road_classes.toml"
    words: dict[str, list[str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return words


def checklists_from_toml(text: str) -> dict[str, Checklist]:
    """Return the checklists of a TOML text by code.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong.
    """
    return entries_of(toml_tables(text, "The checklists"), Checklist, "The checklists")


@cache
def default_checklists() -> dict[str, Checklist]:
    """Return the checklists that ship with the planner."""
    path = resources.files("planner.presets") / "checklists.toml"
    return checklists_from_toml(path.read_text(encoding="utf-8"))


class StandardRule(Entry):
    """What a standard says of one tier and urban / rural class.

    Attributes
    ----------
    tier : tier result (`station`, `at_least:institute`, `any`).
    area_class : the people it is about: "urban", "rural" or "all"; `class` in the file.
    profiles : travel profiles that stand side by side.
    cutoff_min : the time limit, minutes.
    group : the people it is about.
    target_share : share of these people that it wants within the limit; None = it names none.
    says : the wording.
    source, is_verified : where they differ from the standard's.
    """

    model_config = ConfigDict(populate_by_name=True)

    tier: str = "any"
    area_class: Literal["all", "urban", "rural"] = Field(default="all", alias="class")
    profiles: tuple[str, ...] = Field(min_length=1)
    cutoff_min: float = Field(gt=0, le=240)
    group: str = "all"
    target_share: float | None = Field(default=None, gt=0, le=1)
    says: str = ""
    source: str = ""
    is_verified: bool | None = None


class Standard(Entry):
    """A named, editable norm; see `presets/standards.toml`.

    Attributes
    ----------
    code, name, name_en, source, is_verified : what it is, who says so, and whether anyone checked.
    class_by : "data" = urban and rural as the study's rows say; "density" = by people per km2 of the village, else of
        the town.
    urban_per_km2 : density from which a village or town is urban (1,500 by default, unverified).
    rules : at least one.
    """

    code: str
    name: str = ""
    name_en: str = ""
    source: str = ""
    is_verified: bool = False
    class_by: Literal["data", "density"] = "data"
    urban_per_km2: float = Field(default=1_500.0, gt=0)
    rules: tuple[StandardRule, ...] = Field(min_length=1)


def standards_from_toml(text: str) -> dict[str, Standard]:
    """Return the standards of a TOML text by code.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong.
    """
    return entries_of(toml_tables(text, "The standards"), Standard, "The standards")


def standard_to_toml(standard: Standard, code: str) -> str:
    """Return a standard as TOML under a new code: a copy to edit."""
    table = standard.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"code"})
    return tomli_w.dumps({code: {**table, "is_verified": False}})


@cache
def default_standards() -> dict[str, Standard]:
    """Return the standards that ship with the planner."""
    path = resources.files("planner.presets") / "standards.toml"
    return standards_from_toml(path.read_text(encoding="utf-8"))
