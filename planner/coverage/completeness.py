"""How complete the road data looks, area by area: roads and footpaths for the land and the people there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from planner.coverage.areas import AREA_COLUMNS, area_membership
from planner.coverage.people import people_by_group
from planner.coverage.population_share import share_of
from planner.errors import ScenarioError
from planner.study import point_xy
from planner.units import M2_PER_KM2, METRES_PER_KM

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from planner.study import Study

FAR_M, MAX_FAR_M = 300.0, 50_000.0
FOOT_CLASSES = frozenset({"footway", "path", "steps", "pedestrian", "cycleway", "bridleway", "corridor"})
NO_HOMES = frozenset({"motorway", "motorway_link"})
"""Nobody lives on these: they do not make a place near a road."""
NO_ROADS, FAR, SPARSE, NO_FOOTPATHS = "no_roads", "far_from_roads", "sparse", "no_footpaths"
DOUBTS = (NO_ROADS, FAR, SPARSE, NO_FOOTPATHS)
FAR_SHARE = 0.2
FOOT_SHARE = 0.02
MIN_AREAS = 8
"""Fewer areas than this have no distribution that one could be compared with."""
_FENCE = 1.5
COLUMNS = (
    "rank", *AREA_COLUMNS, "area_km2", "population", "road_km", "foot_km", "road_km_per_km2", "foot_km_per_km2",
    "road_m_per_person", "foot_m_per_person", "density_percentile", "far_people", "far_share", "unknown_people",
    "unknown_share", "covered_share", "covered_share_if_known", "doubts",
)  # fmt: skip


def completeness_table(
    study: Study, assigned: pd.DataFrame, coverage: pd.DataFrame, far_m: float = FAR_M
) -> gpd.GeoDataFrame:
    """Return how complete the roads look in every area, the most doubtful first within its level.

    Parameters
    ----------
    study : with roads and demand; without areas there is the county's row only, whose land is not known.
    assigned : of `assign_areas(demand, areas)`.
    coverage : of `coverage_table`, for one tier, profile, limit and the group "all".
    far_m : metres (straight) beyond which a person is far from any road.

    Returns
    -------
    GeoDataFrame
        `COLUMNS` and the area. `foot_km` is what only walkers and riders may use (`FOOT_CLASSES`), `road_km` the rest;
        a road on a border counts on both sides. `density_percentile`: the share of areas of the same level (and class,
        where there are enough) with fewer roads per km2. `covered_share_if_known`: what coverage would be if everybody
        whose minutes are not known were covered. `doubts` (codes by comma, blank = none): "no_roads" people but no
        road; "far_from_roads" `FAR_SHARE` of the people or more live beyond `far_m` of any road; "sparse" below the
        lower fence of the county's own distribution (Tukey 1977) both per km2 and per person; "no_footpaths" less than
        `FOOT_SHARE` of all length is for walkers only. Ranked by doubts, then by far and unknown people, then by id.

    Raises
    ------
    ScenarioError
        When the distance is not above 0, or beyond 50 km.
    """
    if not 0 < far_m <= MAX_FAR_M:
        raise ScenarioError(f"A distance of {far_m:g} m makes no sense here: give up to {MAX_FAR_M:,.0f} metres.")
    membership = area_membership(assigned, study.tables.get("areas"))
    table = membership.rows.copy()
    whole = ~((table["area_level"] == "county") & table["area_class"].isin(["urban", "rural"]))
    kept = np.flatnonzero(whole.to_numpy())
    table = table.iloc[kept].reset_index(drop=True)
    people = people_by_group(study.table("demand"))["all"].to_numpy()
    matrix = membership.matrix[kept]
    shapes = _shapes(study, table)
    table["area_km2"] = shapely.area(shapes) / M2_PER_KM2
    table.loc[shapely.is_missing(shapes), "area_km2"] = np.nan
    table["population"] = matrix @ people
    roads = study.table("roads")
    is_foot = roads["class"].isin(FOOT_CLASSES).to_numpy()
    for name, chosen in (("road", ~is_foot), ("foot", is_foot)):
        length_m = _lengths(roads.geometry.to_numpy()[chosen], shapes)
        table[f"{name}_km"] = length_m / METRES_PER_KM
        table[f"{name}_km_per_km2"] = share_of(table[f"{name}_km"].to_numpy(), table["area_km2"].to_numpy())
        table[f"{name}_m_per_person"] = share_of(length_m, table["population"].to_numpy())
    table["far_people"] = matrix @ (people * _is_far(study, far_m))
    table["far_share"] = share_of(table["far_people"].to_numpy(), table["population"].to_numpy())
    table = table.merge(_known(coverage), on=list(AREA_COLUMNS), how="left", validate="one_to_one")
    table["unknown_share"] = share_of(table["unknown_people"].to_numpy(), table["population"].to_numpy())
    table["density_percentile"], sparse = _compared(table)
    table["doubts"] = _doubts(table, sparse)
    table["rank"] = _rank(table)
    made = gpd.GeoDataFrame(table[list(COLUMNS)], geometry=gpd.GeoSeries(shapes, crs=study.crs), crs=study.crs)
    levels = {"county": 0, "town": 1, "village": 2}
    order = np.lexsort((made["rank"], made["area_level"].map(levels)))
    return made.iloc[order].reset_index(drop=True)


def _shapes(study: Study, table: pd.DataFrame) -> NDArray[np.object_]:
    areas = study.tables.get("areas")
    found = {} if areas is None else dict(zip(areas["area_id"], areas.geometry, strict=True))
    shapes = np.array([None] * len(table), dtype=object)
    for row, area_id in enumerate(table["area_id"]):
        shapes[row] = found.get(area_id)
    county = (table["area_level"] == "county").to_numpy()
    # A county without an outline of its own is what its towns and villages cover.
    if len(found) and shapes[county][0] is None:
        shapes[np.flatnonzero(county)[0]] = shapely.union_all(list(found.values()))
    return shapes


def _lengths(lines: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the metres of `lines` within each shape; all of them where the shape is not known."""
    length_m = shapely.length(lines)
    total = np.where(shapely.is_missing(shapes), length_m.sum(), 0.0)
    known = np.flatnonzero(~shapely.is_missing(shapes))
    if not len(known) or not len(lines):
        return total
    at, line = shapely.STRtree(lines).query(shapes[known], predicate="intersects")
    inside = np.zeros(len(line), dtype=bool)
    for i in np.unique(at).tolist():
        shapely.prepare(shapes[known[i]])
        of = at == i
        inside[of] = shapely.covers(shapes[known[i]], lines[line[of]])
    pieces = length_m[line]
    pieces[~inside] = shapely.length(shapely.intersection(lines[line[~inside]], shapes[known[at[~inside]]]))
    np.add.at(total, known[at], pieces)
    return total


def _is_far(study: Study, far_m: float) -> NDArray[np.float64]:
    """Return 1 for every demand point that has no road within `far_m`, motorways left aside, else 0."""
    roads = study.table("roads")
    lines = roads.geometry.to_numpy()[~roads["class"].isin(NO_HOMES).to_numpy()]
    xy = point_xy(study.table("demand"))
    far, known = np.ones(len(xy)), np.flatnonzero(~np.isnan(xy[:, 0]))
    if len(lines):
        near, _ = shapely.STRtree(lines).query_nearest(shapely.points(xy[known]), max_distance=far_m, all_matches=False)
        far[known[near]] = 0.0
    return far


def _known(coverage: pd.DataFrame) -> pd.DataFrame:
    """Return unknown people, covered share and what it would be if all unknown people were covered, by area."""
    known = coverage[[*AREA_COLUMNS, "unknown_people", "covered_share"]].copy()
    at_best = (coverage["covered_people"] + coverage["unknown_people"]).to_numpy(dtype=float)
    known["covered_share_if_known"] = share_of(at_best, coverage["population"].to_numpy(dtype=float))
    return known


def _compared(table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the percentile of road density among like areas, and which are below both lower fences."""
    percentile, sparse = np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
    per_km2 = table["road_km_per_km2"].to_numpy()
    per_person = table["road_m_per_person"].to_numpy()
    for rows in _like(table):
        density = per_km2[rows]
        percentile[rows] = [np.mean(density < own) for own in density]
        sparse[rows] = _is_low(density) & _is_low(per_person[rows])
    return percentile, sparse


def _like(table: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Return the rows of areas that may be compared: of one level, and of one class where every class has enough."""
    groups: list[NDArray[np.int64]] = []
    usable = ((table["population"] > 0) & table["area_km2"].notna()).to_numpy()
    for level in ("town", "village"):
        rows = np.flatnonzero((table["area_level"] == level).to_numpy() & usable)
        classes = table["area_class"].iloc[rows].fillna("").to_numpy()
        parts = [rows[classes == one] for one in np.unique(classes)]
        groups += parts if all(len(part) >= MIN_AREAS for part in parts) else [rows]
    return [rows for rows in groups if len(rows) >= MIN_AREAS]


def _is_low(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which values are below the lower fence of their logarithms: first quartile less 1.5 quartile ranges."""
    positive = values > 0
    low = ~positive & np.isfinite(values)
    if positive.sum() >= MIN_AREAS:
        logs = np.log(values[positive])
        first, third = np.percentile(logs, [25, 75])
        low[positive] = logs < first - _FENCE * (third - first)
    return low


def _doubts(table: pd.DataFrame, sparse: NDArray[np.bool_]) -> list[str]:
    lived_in = (table["population"] > 0).to_numpy()
    total_km = (table["road_km"] + table["foot_km"]).to_numpy()
    empty = lived_in & (total_km <= 0)
    flags = {
        NO_ROADS: empty,
        FAR: lived_in & ~empty & (table["far_share"].to_numpy() >= FAR_SHARE),
        SPARSE: lived_in & ~empty & sparse,
        NO_FOOTPATHS: lived_in & ~empty & (table["foot_km"].to_numpy() < FOOT_SHARE * total_km),
    }
    return [",".join(code for code in DOUBTS if flags[code][row]) for row in range(len(table))]


def _rank(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rank of every area within its level, from 1."""
    weight = {code: 2 ** (len(DOUBTS) - i) for i, code in enumerate(DOUBTS)}
    score = np.array([sum(weight[code] for code in words.split(",") if code) for words in table["doubts"]])
    touched = (table["far_people"] + table["unknown_people"]).to_numpy()
    order = np.lexsort((table["area_id"].astype(str), -touched, -score))
    rank = np.empty(len(table), dtype=np.int64)
    counts: dict[str, int] = {}
    for row in order.tolist():
        level = str(table["area_level"].iloc[row])
        counts[level] = counts.get(level, 0) + 1
        rank[row] = counts[level]
    return rank
