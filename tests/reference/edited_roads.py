"""Roads edited as a table, from which a network is built anew: what the live edits of a trial must agree with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely import LineString, Point


def close_road(roads: gpd.GeoDataFrame, road_id: str, segment: int | None = None) -> gpd.GeoDataFrame:
    """Return the roads without one road, or without one of its segments (counted from 0); the rest stays.

    Raises
    ------
    ValueError
        When there is no such road or segment.
    """
    import shapely

    row = _row(roads, road_id)
    others = roads.drop(index=roads.index[row]).reset_index(drop=True)
    if segment is None:
        return others
    line = roads.geometry.iloc[row]
    coordinates = shapely.get_coordinates(line)
    if not 0 <= segment < len(coordinates) - 1:
        raise ValueError(f"Road {road_id} has {len(coordinates) - 1} segments, counted from 0; there is no {segment}.")
    new_node = _next_node(roads)
    parts = [
        (coordinates[: segment + 1], int(roads["from_node"].iloc[row]), new_node),
        (coordinates[segment + 1 :], new_node + 1, int(roads["to_node"].iloc[row])),
    ]
    return _with_parts(others, roads.iloc[row], parts)


def change_class(roads: gpd.GeoDataFrame, road_id: str, road_class: str) -> gpd.GeoDataFrame:
    """Return the roads with one road in another class.

    Raises
    ------
    ValueError
        When there is no such road.
    """
    changed = roads.copy()
    changed.iloc[_row(roads, road_id), changed.columns.get_loc("class")] = road_class
    return changed


def add_bridge(
    roads: gpd.GeoDataFrame, line: LineString, road_id: str, road_class: str = "footway"
) -> gpd.GeoDataFrame:
    """Return the roads with a new bridge, whose two ends are led to the nearest position on an existing road.

    Raises
    ------
    ValueError
        When the id is taken, or both ends meet the roads at one spot.
    """
    import geopandas as gpd
    import shapely

    if (roads["road_id"].astype(str) == str(road_id)).any():
        raise ValueError(f"There is a road '{road_id}' already: give the bridge another id.")
    coordinates = shapely.get_coordinates(line)
    ends = []
    for point in (shapely.Point(coordinates[0]), shapely.Point(coordinates[-1])):
        roads, node, spot = _join(roads, point)
        ends.append((node, spot))
    if ends[0][0] == ends[1][0]:
        raise ValueError(f"Both ends of the bridge '{road_id}' meet the roads at one spot. Draw it longer.")
    way = shapely.LineString([ends[0][1], *coordinates[1:-1], ends[1][1]])
    row = {"road_id": road_id, "class": road_class, "oneway": "no", "bridge": True, "tunnel": False,
           "from_node": ends[0][0], "to_node": ends[1][0]}  # fmt: skip
    bridge = gpd.GeoDataFrame(
        {name: [row.get(name)] for name in roads.columns if name != "geometry"}, geometry=[way], crs=roads.crs
    )
    return _stacked(roads, bridge)


def _join(roads: gpd.GeoDataFrame, point: Point) -> tuple[gpd.GeoDataFrame, int, tuple[float, float]]:
    """Return the roads with a node at the position nearest to `point`, that node and its coordinates."""
    import shapely

    lines = roads.geometry.to_numpy()
    row = int(np.argmin(shapely.distance(lines, point)))
    line = lines[row]
    along_m = shapely.line_locate_point(line, point)
    coordinates = shapely.get_coordinates(line)
    for at_m, name, end in ((0.0, "from_node", coordinates[0]), (line.length, "to_node", coordinates[-1])):
        if abs(along_m - at_m) < _SAME_PLACE_M:
            return roads, int(roads[name].iloc[row]), (float(end[0]), float(end[1]))
    spot = shapely.line_interpolate_point(line, along_m)
    reached = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(coordinates, axis=0).T))])
    before = coordinates[reached < along_m - _SAME_PLACE_M]
    after = coordinates[reached > along_m + _SAME_PLACE_M]
    here = np.array([[spot.x, spot.y]])
    node = _next_node(roads)
    parts = [
        (np.concatenate([before, here]), int(roads["from_node"].iloc[row]), node),
        (np.concatenate([here, after]), node, int(roads["to_node"].iloc[row])),
    ]
    others = roads.drop(index=roads.index[row]).reset_index(drop=True)
    return _with_parts(others, roads.iloc[row], parts), node, (spot.x, spot.y)


_SAME_PLACE_M = 1e-3


def _with_parts(others: gpd.GeoDataFrame, road: Any, parts: list[tuple[Any, int, int]]) -> gpd.GeoDataFrame:
    """Return `others` and those parts of `road` that have a length, ids `<id>/1`, `<id>/2`."""
    import geopandas as gpd
    import shapely

    rows = []
    for number, (coordinates, start, stop) in enumerate(parts, 1):
        if len(coordinates) > 1:
            row = {**road.to_dict(), "road_id": f"{road['road_id']}/{number}", "from_node": start, "to_node": stop}
            rows.append({**row, "geometry": shapely.LineString(coordinates)})
    if not rows:
        return others
    added = gpd.GeoDataFrame(rows, columns=others.columns, geometry="geometry", crs=others.crs)
    return _stacked(others, added)


def _stacked(one: gpd.GeoDataFrame, two: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows of both, in the columns of the first."""
    import geopandas as gpd

    values = {name: [*one[name], *two[name]] for name in one.columns if name != "geometry"}
    return gpd.GeoDataFrame(values, geometry=[*one.geometry, *two.geometry], crs=one.crs)


def _next_node(roads: gpd.GeoDataFrame) -> int:
    return int(max(roads["from_node"].max(), roads["to_node"].max())) + 1


def _row(roads: gpd.GeoDataFrame, road_id: str) -> int:
    found = np.flatnonzero(roads["road_id"].astype(str) == str(road_id))
    if not len(found):
        raise ValueError(f"There is no road '{road_id}'.")
    return int(found[0])
