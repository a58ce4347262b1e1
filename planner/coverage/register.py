"""The register of places: opening hours, function rooms, capacity, flags, one row each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.coverage.areas import texts
from planner.coverage.checklist import NOT_JUDGED, place_quality
from planner.coverage.hours import hours_table
from planner.coverage.places import counted_places
from planner.study import is_yes, physical_places

if TYPE_CHECKING:
    from planner.scenario import Scenario
    from planner.standards import Checklist
    from planner.study import Study

QUALIFIED, NOT_QUALIFIED = "qualified", "not_qualified"
_DIVIDERS = re.compile(r"[、,，;；]")


def rooms_of(words: str | None) -> list[str]:
    """Return the function rooms that a cell names.

    >>> rooms_of("理论宣讲、文化, 健身")
    ['理论宣讲', '文化', '健身']
    """
    return [room.strip() for room in _DIVIDERS.split(words or "") if room.strip()]


def quality_of(study: Study, checklist: Checklist) -> dict[str, str]:
    """Return "qualified", "not_qualified" or "not_judged" by facility_id, for every physical place."""
    quality = place_quality(study, checklist)
    verdict = np.where(quality["is_qualified"].astype(bool), QUALIFIED, NOT_QUALIFIED)
    verdict = np.where(quality["basis"] == NOT_JUDGED, NOT_JUDGED, verdict)
    return dict(zip(quality["facility_id"], verdict.tolist(), strict=True))


def place_register(study: Study, scenario: Scenario) -> gpd.GeoDataFrame:
    """Return one row per physical place, by id, as a layer.

    Columns facility_id, name, tier, town, village, host_building, quality ("qualified", "not_qualified", "not_judged"),
    is_demonstration, is_light (listed, no coverage), capacity, opening_hours as written, hours_per_week, open_days,
    is_open_weekend, is_open_evening, function_rooms as written, n_rooms, geometry. Empty without places.
    """
    if not study.has("facilities"):
        return gpd.GeoDataFrame(geometry=[], crs=study.crs)
    places = physical_places(study.table("facilities")).sort_values("facility_id").reset_index(drop=True)
    counted = set(counted_places(places, scenario)["facility_id"])
    verdicts = quality_of(study, scenario.checklist)
    flags = places["is_demonstration"] if "is_demonstration" in places.columns else [None] * len(places)
    words = ("name", "tier", "town", "village", "host_building", "opening_hours", "function_rooms")
    table = places[["facility_id"]].assign(**{name: pd.Series(texts(places, name), dtype=object) for name in words})
    table["quality"] = [verdicts[str(key)] for key in places["facility_id"]]
    table["is_demonstration"] = [is_yes(flag) for flag in flags]
    table["is_light"] = [key not in counted for key in places["facility_id"]]
    table["capacity"] = places["capacity"].astype(float) if "capacity" in places.columns else np.nan
    table["n_rooms"] = [len(rooms_of(rooms)) for rooms in table["function_rooms"]]
    table = table.merge(hours_table(places), on="facility_id", validate="one_to_one")
    order = [
        "facility_id", "name", "tier", "town", "village", "host_building", "quality", "is_demonstration", "is_light",
        "capacity", "opening_hours", "hours_per_week", "open_days", "is_open_weekend", "is_open_evening",
        "function_rooms", "n_rooms",
    ]  # fmt: skip
    return gpd.GeoDataFrame(table[order], geometry=places.geometry.to_numpy(), crs=study.crs)
