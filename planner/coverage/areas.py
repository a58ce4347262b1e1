"""Towns and villages: which one a point belongs to, and the areas that results are given for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_matrix

from planner.errors import CrsError
from planner.schema import PARTS_OF_VILLAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

COUNTY = "county"
CLASSES = ("urban", "rural")
_Key = TypeVar("_Key")
AREA_COLUMNS = ("area_level", "area_id", "area_name", "area_class")


@dataclass(frozen=True)
class Membership:
    """The areas of a result, and who lives in them.

    Attributes
    ----------
    rows : area_level, area_id, area_name, area_class; the county as a whole first (class None), then its urban and
        rural people (level "county", class "urban" or "rural"; only where they occur), towns and villages by id.
    matrix : float64 csr[n_areas, n_points], 1 where the point belongs to the area.
    """

    rows: pd.DataFrame
    matrix: csr_matrix


@dataclass(frozen=True)
class _Names:
    """Names of towns and villages that are unique, and the town of each village."""

    town_by_name: dict[str, str]
    village_by_name: dict[tuple[str | None, str], str]
    town_of_village: dict[str, str | None]


def texts(table: pd.DataFrame, column: str) -> list[str | None]:
    """Return a column as stripped texts, None where it is blank or absent."""
    if column not in table.columns:
        return [None] * len(table)
    return [value.strip() or None if isinstance(value, str) else None for value in table[column].astype(object)]


def level_of(areas: gpd.GeoDataFrame | None, level: str) -> gpd.GeoDataFrame | None:
    """Return the areas of one level ("county", "town", "village") by id, None when there is none."""
    if areas is None or not len(areas):
        return None
    chosen = areas[areas["level"] == level]
    return chosen.sort_values("area_id") if len(chosen) else None


def towns_of_villages(areas: gpd.GeoDataFrame | None) -> dict[str, str | None]:
    """Return the town of every village: `parent_id` where it names a town, else the town its middle lies in."""
    villages, towns = level_of(areas, "village"), level_of(areas, "town")
    if villages is None:
        return {}
    town_ids = set() if towns is None else set(towns["area_id"])
    middle = _area_at(shapely.point_on_surface(villages.geometry.to_numpy()), towns)
    rows = zip(villages["area_id"], texts(villages, "parent_id"), middle, strict=True)
    return {village: parent if parent in town_ids else town for village, parent, town in rows}


def assign_by_position(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Return town_id and village_id of the polygons that each point lies in, None where it lies in none.

    Where there are natural villages or grids among the areas, also hamlet_id and grid_id. Index like `points`. On a
    shared border the smaller id wins.
    """
    _require_same_crs(points, areas)
    geometry = points.geometry.to_numpy()
    levels = ["town", "village", *(part for part in PARTS_OF_VILLAGES if level_of(areas, part) is not None)]
    found = {f"{level}_id": _area_at(geometry, level_of(areas, level)) for level in levels}
    return pd.DataFrame({name: pd.Series(ids, points.index, dtype=object) for name, ids in found.items()})


def assign_areas(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Return the town, village and urban / rural class of every point: town_id, village_id, class; index like `points`.

    Natural villages and grids (hamlet_id, grid_id, where there are such areas) follow from the position alone.

    A name (or code) in the row's own `town` or `village` decides where it is unique: towns in the county, villages in
    the row's town (in the county where the row names no town). Else the polygon that the point lies in decides; a
    village of another town than the row's is not taken. The class is the row's own, else its village's, else its
    town's. None where nothing says so (`assignment_counts` counts them). Without areas, every point belongs to the
    county only.

    Raises
    ------
    CrsError
        When points and areas are not in the same CRS.
    """
    at = assign_by_position(points, areas)
    names = _names(areas)
    rows = zip(texts(points, "town"), texts(points, "village"), at["town_id"], at["village_id"], strict=True)
    pairs = [_assign(names, town, village, at_town, at_village) for town, village, at_town, at_village in rows]
    own = _class_of_area(areas)
    classes = [
        row_class or own.get(village) or own.get(town)
        for row_class, (town, village) in zip(texts(points, "class"), pairs, strict=True)
    ]
    columns = {
        "town_id": [town for town, _ in pairs],
        "village_id": [village for _, village in pairs],
        "class": classes,
        **{f"{part}_id": at[f"{part}_id"] for part in PARTS_OF_VILLAGES if f"{part}_id" in at},
    }
    return pd.DataFrame({name: pd.Series(values, points.index, dtype=object) for name, values in columns.items()})


def assignment_counts(assigned: pd.DataFrame) -> dict[str, int]:
    """Return how many points have no town, no village and no class: n_no_town, n_no_village, n_no_class."""
    missing = assigned.isna().sum()
    return {
        "n_no_town": int(missing["town_id"]),
        "n_no_village": int(missing["village_id"]),
        "n_no_class": int(missing["class"]),
    }


def area_membership(assigned: pd.DataFrame, areas: gpd.GeoDataFrame | None) -> Membership:
    """Return the areas that results are given for, and which points belong to each.

    Towns and villages without a single point are in it too. Ids that `areas` does not know are in the county only.
    """
    rows, members = _county_rows(assigned, areas)
    for level in ("town", "village", *PARTS_OF_VILLAGES):
        table = level_of(areas, level)
        if table is None or f"{level}_id" not in assigned:
            continue
        at = pd.Index(table["area_id"].astype(object)).get_indexer(pd.Index(assigned[f"{level}_id"], dtype=object))
        members.append((np.flatnonzero(at >= 0), at[at >= 0] + len(rows)))
        ids = zip(table["area_id"], table["name"], texts(table, "class"), strict=True)
        rows += [(level, area_id, name, area_class) for area_id, name, area_class in ids]
    point = np.concatenate([points for points, _ in members])
    area = np.concatenate([areas_ for _, areas_ in members])
    matrix = csr_matrix((np.ones(len(point)), (area, point)), shape=(len(rows), len(assigned)))
    return Membership(pd.DataFrame(rows, columns=list(AREA_COLUMNS), dtype=object), matrix)


def _county_rows(
    assigned: pd.DataFrame, areas: gpd.GeoDataFrame | None
) -> tuple[list[tuple[str, str, str, str | None]], list[tuple[NDArray[np.int64], NDArray[np.int64]]]]:
    county = level_of(areas, COUNTY)
    area_id, name = (COUNTY, "") if county is None or len(county) > 1 else county.iloc[0][["area_id", "name"]]
    rows: list[tuple[str, str, str, str | None]] = [(COUNTY, area_id, name, None)]
    everyone = np.arange(len(assigned))
    members = [(everyone, np.zeros(len(assigned), dtype=np.int64))]
    for area_class in CLASSES:
        points = np.flatnonzero((assigned["class"] == area_class).to_numpy())
        if len(points):
            members.append((points, np.full(len(points), len(rows), dtype=np.int64)))
            rows.append((COUNTY, area_id, name, area_class))
    return rows, members


def _names(areas: gpd.GeoDataFrame | None) -> _Names:
    town_of_village = towns_of_villages(areas)
    towns, villages = level_of(areas, "town"), level_of(areas, "village")
    town_keys = [] if towns is None else [*_keys(towns)]
    village_keys: list[tuple[tuple[str | None, str], str]] = []
    for key, village in [] if villages is None else _keys(villages):
        village_keys.append(((None, key), village))
        town = town_of_village[village]
        if town is not None:
            village_keys.append(((town, key), village))
    return _Names(_unique(town_keys), _unique(village_keys), town_of_village)


def _keys(areas: gpd.GeoDataFrame) -> Iterable[tuple[str, str]]:
    for area_id, name in zip(areas["area_id"], texts(areas, "name"), strict=True):
        yield area_id, area_id
        if name is not None and name != area_id:
            yield name, area_id


def _unique(pairs: Sequence[tuple[_Key, str]]) -> dict[_Key, str]:
    found: dict[_Key, set[str]] = {}
    for key, area_id in pairs:
        found.setdefault(key, set()).add(area_id)
    return {key: next(iter(ids)) for key, ids in found.items() if len(ids) == 1}


def _assign(
    names: _Names, town_name: str | None, village_name: str | None, at_town: str | None, at_village: str | None
) -> tuple[str | None, str | None]:
    town = names.town_by_name.get(town_name) if town_name else None
    village = None
    if town is None and town_name is None and village_name is not None:
        village = names.village_by_name.get((None, village_name))
        town = None if village is None else names.town_of_village[village]
    town = town or at_town or names.town_of_village.get(at_village or "")
    if village is None and village_name is not None:
        village = names.village_by_name.get((town, village_name))
    if village is None and at_village is not None and names.town_of_village[at_village] in (town, None):
        village = at_village
    return town, village


def _class_of_area(areas: gpd.GeoDataFrame | None) -> dict[str | None, str | None]:
    if areas is None or not len(areas):
        return {}
    return dict(zip(areas["area_id"], texts(areas, "class"), strict=True))


def _area_at(geometry: NDArray[np.object_], polygons: gpd.GeoDataFrame | None) -> list[str | None]:
    """Return the id of the first polygon (in its order, by id) that each point lies in or on."""
    found: list[str | None] = [None] * len(geometry)
    if polygons is None or not len(geometry):
        return found
    # Asking with polygons lets shapely prepare each of them once.
    area, point = shapely.STRtree(geometry).query(polygons.geometry.to_numpy(), predicate="intersects")
    ids = polygons["area_id"].to_numpy(dtype=object)
    for row in np.argsort(-area, kind="stable"):
        found[point[row]] = ids[area[row]]
    return found


def _require_same_crs(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None) -> None:
    if areas is not None and len(areas) and points.crs != areas.crs:
        raise CrsError("Points and areas are not in the same CRS. Bring both into the study's.")
