"""Travel profiles as data that people edit: speeds, access by road class, slope, with their sources."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import ScenarioError
from planner.units import distance_m

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode = Literal["foot", "bicycle", "motor"]


class Profile(BaseModel):
    """One way of travelling.

    Attributes
    ----------
    mode : which access column of a road counts ("foot", "bicycle", "motor").
    speed_kph : on a level road of a class not named in `class_speed_kph`.
    access_speed_kph : on the straight leg between a position and the road.
    max_access_m : longest leg; beyond it nothing is known.
    slope : "tobler" scales the flat speed by Tobler(s) / Tobler(0); "none" does not.
    obeys_oneway : whether one-way rules bind it.
    excluded : road classes it may not use unless the road's own access column says "yes".
    class_speed_kph : speeds on single classes.
    source, is_verified : where the figures come from, and whether anyone checked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    mode: Mode
    speed_kph: float = Field(gt=0, le=200)
    access_speed_kph: float = Field(gt=0, le=10)
    max_access_m: float = Field(gt=0, le=5_000)
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
    ScenarioError
        Naming every entry that is wrong.
    """
    try:
        tables: Mapping[str, dict] = tomllib.loads(text)
        return {code: Profile(code=code, **table) for code, table in tables.items()}
    except (tomllib.TOMLDecodeError, ValidationError, TypeError, AttributeError) as error:
        raise ScenarioError(f"The profiles cannot be read: {reasons(error)}") from error


def reasons(error: Exception) -> str:
    """Return in plain words why a TOML text or a value was refused: field and reason, one after the other."""
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'scenario'}: {each['msg'].removeprefix('Value error, ')}"
        f" (given: {each['input']!r:.60})"
        for each in error.errors()
    )


@cache
def default_profiles() -> dict[str, Profile]:
    """Return the profiles that ship with the planner."""
    path = resources.files("planner.presets") / "profiles.toml"
    return profiles_from_toml(path.read_text(encoding="utf-8"))


class ChecklistItem(BaseModel):
    """One item of a checklist, in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1)
    en: str = ""


class Checklist(BaseModel):
    """What a place is judged by; a place is qualified when it has every item in full.

    Attributes
    ----------
    code, name, name_en, source : what it is, and who said so.
    items : by code, in the order of the report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    name: str = ""
    name_en: str = ""
    source: str = ""
    items: dict[str, ChecklistItem] = Field(min_length=1)


def checklists_from_toml(text: str) -> dict[str, Checklist]:
    """Return the checklists of a TOML text by code.

    Raises
    ------
    ScenarioError
        Naming every entry that is wrong.
    """
    try:
        return {code: Checklist(code=code, **table) for code, table in tomllib.loads(text).items()}
    except (tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise ScenarioError(f"The checklists cannot be read: {error}") from error


@cache
def default_checklists() -> dict[str, Checklist]:
    """Return the checklists that ship with the planner."""
    path = resources.files("planner.presets") / "checklists.toml"
    return checklists_from_toml(path.read_text(encoding="utf-8"))
