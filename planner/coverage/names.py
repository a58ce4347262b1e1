"""What one calls the place where a gap is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.coverage.areas import level_of, texts, towns_of_villages
from planner.texts import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from planner.study import Study
    from planner.texts import Language

_PATTERNS = (
    (("town_name", "village_name"), "gap_in_village"),
    (("village_name",), "gap_in_place"),
    (("town_name",), "gap_in_town"),
    (("nearest_name",), "gap_near_place"),
)


@dataclass(frozen=True)
class PlaceWords:
    """The names that a study has for places.

    Attributes
    ----------
    towns, villages : areas of these levels by id, None when there are none.
    town_of_village : village id -> town id.
    area_names : area id -> name.
    own_names : demand id -> town, village and name as its own row says them.
    facility_names : facility id -> name.
    """

    towns: gpd.GeoDataFrame | None
    villages: gpd.GeoDataFrame | None
    town_of_village: Mapping[str, str | None]
    area_names: Mapping[str | None, str | None]
    own_names: Mapping[str, tuple[str | None, str | None, str | None]]
    facility_names: Mapping[str | None, str | None]


def place_words(study: Study) -> PlaceWords:
    """Return the names that `study` has for places; its areas and facilities may be missing."""
    areas, facilities, demand = study.tables.get("areas"), study.tables.get("facilities"), study.table("demand")
    own = zip(texts(demand, "town"), texts(demand, "village"), texts(demand, "name"), strict=True)
    return PlaceWords(
        towns=level_of(areas, "town"),
        villages=level_of(areas, "village"),
        town_of_village=towns_of_villages(areas),
        area_names=_names_by_id(areas, "area_id"),
        own_names=dict(zip(demand["demand_id"], own, strict=True)),
        facility_names=_names_by_id(facilities, "facility_id"),
    )


def whereabouts(heads: gpd.GeoDataFrame, words: PlaceWords) -> dict[str, list[str | None]]:
    """Return town_id, town_name, village_id and village_name for `heads`, the most peopled demand point of each gap.

    A gap in no village takes the village nearest to that point, and its town likewise. Without areas the names are
    those that the point's own row gives.
    """
    found: dict[str, list[str | None]] = {"town_id": [], "town_name": [], "village_id": [], "village_name": []}
    rows = zip(heads["demand_id"], heads["town_id"], heads["village_id"], heads.geometry, strict=True)
    for demand_id, own_town_id, own_village_id, point in rows:
        town = None if pd.isna(own_town_id) else str(own_town_id)
        village = _nearest_area(point, _villages_of(town, words)) if pd.isna(own_village_id) else str(own_village_id)
        town = town or words.town_of_village.get(village or "") or _nearest_area(point, words.towns)
        own_town, own_village, own_name = words.own_names[demand_id]
        found["town_id"].append(town)
        found["town_name"].append(words.area_names.get(town) or own_town)
        found["village_id"].append(village)
        found["village_name"].append(words.area_names.get(village) or own_village or own_name)
    return found


def gap_names(gaps: pd.DataFrame, language: Language = "zh") -> list[str]:
    """Return the names of `gaps` in words, in the order of the table; those with the same name are numbered."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for row in gaps[["rank", "town_name", "village_name", "nearest_name"]].to_dict("records"):
        name = _name({str(key): value for key, value in row.items()}, language)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else text("coverage.gap_again", language, name=name, number=seen[name]))
    return names


def _name(row: Mapping[str, Any], language: Language) -> str:
    known = {name for name, value in row.items() if isinstance(value, str) and value}
    for needed, key in _PATTERNS:
        if known.issuperset(needed):
            return text(f"coverage.{key}", language, **{name: row[name] for name in needed})
    return text("coverage.gap_number", language, rank=row["rank"])


def _names_by_id(table: gpd.GeoDataFrame | None, id_column: str) -> dict[str | None, str | None]:
    return {} if table is None else dict(zip(table[id_column], texts(table, "name"), strict=True))


def _villages_of(town: str | None, words: PlaceWords) -> gpd.GeoDataFrame | None:
    if words.villages is None or town is None:
        return words.villages
    return words.villages[[words.town_of_village.get(village) == town for village in words.villages["area_id"]]]


def _nearest_area(point: shapely.Point, areas: gpd.GeoDataFrame | None) -> str | None:
    if areas is None or not len(areas) or point is None or point.is_empty:
        return None
    return str(areas["area_id"].iloc[int(np.argmin(shapely.distance(point, areas.geometry.to_numpy())))])
