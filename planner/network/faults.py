"""What looks wrong in a road layer: ends that stop short of another road, crossings that nothing joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

DANGLING, CROSSING = "dangling", "crossing"
FAULT_COLUMNS = ("kind", "road_id", "other_road_id", "gap_m")
NEAR_M = 30.0
"""An end this near another road without joining it may be a slip of the pen (unverified)."""
APART = ("motorway", "motorway_link")
"""Classes that other roads pass over or under: they meet them at their ends only."""


def road_faults(roads: gpd.GeoDataFrame, near_m: float = NEAR_M) -> gpd.GeoDataFrame:
    """Return the places where a road layer may be torn: `FAULT_COLUMNS` and a point, crossings first, then by gap.

    "dangling": a road ends alone, `near_m` or less from another road that it does not join (gap 0: it touches it
    without a shared vertex). "crossing": two roads cross without a shared vertex, and neither is a bridge, a tunnel or
    a motorway. Dead ends further from everything are ends of roads, and not listed.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    lines = roads.geometry.to_numpy()
    tree = shapely.STRtree(lines)
    ids = roads["road_id"].astype(str).to_numpy()
    apart = is_apart(roads)
    crossed = _crossings(lines, tree, apart)
    ended = _dangling(roads, lines, tree, near_m)
    rows = [(CROSSING, ids[a], ids[b], 0.0, point) for a, b, point in crossed]
    rows += [(DANGLING, ids[a], ids[b], gap, point) for a, b, gap, point in ended]
    table = pd.DataFrame(rows, columns=[*FAULT_COLUMNS, "geometry"])
    table = table.sort_values(["kind", "gap_m", "road_id", "other_road_id"], kind="stable", ignore_index=True)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(list(table["geometry"]), crs=roads.crs), crs=roads.crs)


def is_apart(roads: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return bool[n]: roads that are not joined where others cross them: bridges, tunnels, motorways."""
    marks = roads["bridge"].to_numpy(dtype=bool) | roads["tunnel"].to_numpy(dtype=bool)
    return np.asarray(marks | roads["class"].isin(APART).to_numpy(), dtype=bool)


def _crossings(lines: NDArray, tree: object, apart: NDArray[np.bool_]) -> list[tuple[int, int, object]]:
    import shapely

    a, b = tree.query(lines, predicate="crosses")  # type: ignore[attr-defined]
    open_to_both = (a < b) & ~apart[a] & ~apart[b]
    a, b = a[open_to_both], b[open_to_both]
    points = shapely.intersection(lines[a], lines[b])
    found = []
    for one, other, shape in zip(a.tolist(), b.tolist(), points, strict=True):
        found += [(one, other, part) for part in shapely.get_parts(shape) if part.geom_type == "Point"]
    return found


def _dangling(
    roads: gpd.GeoDataFrame, lines: NDArray, tree: object, near_m: float
) -> list[tuple[int, int, float, object]]:
    """Return road, nearest other road, metres and place of every end of degree one that is near another road."""
    import shapely

    ends = roads[["from_node", "to_node"]].to_numpy(dtype=np.int64)
    node, count = np.unique(ends, return_counts=True)
    alone = count[np.searchsorted(node, ends)] == 1
    road, side = np.nonzero(alone)
    points = shapely.get_point(lines[road], np.where(side == 0, 0, -1))
    end, near = tree.query(points, predicate="dwithin", distance=near_m)  # type: ignore[attr-defined]
    # Roads at the other end of the same link are its neighbours, not what it stops short of.
    other_end = ends[road, 1 - side]
    is_other = (near != road[end]) & ~(ends[near] == other_end[end][:, None]).any(axis=1)
    end, near = end[is_other], near[is_other]
    gap = shapely.distance(points[end], lines[near])
    order = np.lexsort((near, np.round(gap, 3), end))
    end, near, gap = end[order], near[order], gap[order]
    _, first = np.unique(end, return_index=True)
    return [
        (int(road[end[i]]), int(near[i]), round(float(gap[i]), 3), points[end[i]]) for i in first.tolist()
    ]  # fmt: skip
