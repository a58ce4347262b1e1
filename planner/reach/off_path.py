"""Walking over open ground to the nearest road, where nobody mapped a path: an estimate, in a class of its own.

Optional and off by default. Only points that touch no road are estimated, and nothing estimated is ever mixed with
mapped travel: the positions carry the reason "estimated" and the tables the status "estimated".
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.network.road_network import Snapped
from planner.network.slope import sample_heights, tobler_factor
from planner.network.snap import snap_points
from planner.reach.access import access_table, chosen
from planner.units import mps_from_kph

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork
    from planner.reach.positions import Direction
    from planner.scenario import Scenario
    from planner.study import Grid

ESTIMATED = "estimated"
_OFF_PATH_SHARE = 0.6  # of the speed on a path: Tobler 1993
_FASTEST = 1.2  # times the level speed, at most: Tobler's function 5 % downhill
_TILE_WALKS = 4  # longest walks across the tiles whose people are looked at together
_HALF_OF_EIGHT = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Ground:
    """How open ground is walked.

    Attributes
    ----------
    heights : elevation in its own CRS.
    barriers : lines and areas that nobody crosses; None = there are none.
    cell_m : width of the cells that are walked from centre to centre.
    max_walk_m : no farther over level ground.
    """

    heights: Grid
    barriers: gpd.GeoDataFrame | None = None
    cell_m: float = 50.0
    max_walk_m: float = 3_000.0


@dataclass(frozen=True, eq=False)
class _Cells:
    """Walkable cells: centres, heights, and the number of each in the raster (-1 = not walkable)."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    number: NDArray[np.int64]
    west: float
    south: float


def estimate_off_path(
    profile_network: ProfileNetwork, snapped: Snapped, ground: Ground, direction: Direction = "towards"
) -> Snapped:
    """Return the points of `snapped` that touch no road, with the road position that is quickest to walk to.

    Speed = the profile's access speed x 0.6 x Tobler(s) / Tobler(0), s rising in the direction of travel (from the
    point for "towards", to it for "from"); a step between neighbouring cells crosses no barrier. Those that reach a
    road carry its position, the walking seconds as `access_s`, and the reason "estimated"; the others stay unknown.

    Source: Tobler (1993), off-path walking at 0.6 of the speed on a path.
    """
    lost = chosen(snapped, np.flatnonzero(snapped.edge < 0))
    values = {f.name: getattr(lost, f.name).copy() for f in fields(Snapped)}
    farthest_m = ground.max_walk_m * _FASTEST
    near = np.flatnonzero(_snap_within(profile_network, farthest_m, (lost.ids, lost.x, lost.y)).edge >= 0)
    # Part by part: memory follows the people near roads, not how far apart they are. Parts do not change the answer.
    tile = np.floor(np.column_stack([lost.x, lost.y])[near] / (_TILE_WALKS * farthest_m))
    tiles, part = np.unique(tile, axis=0, return_inverse=True)
    for each in range(len(tiles)):
        rows = near[part.ravel() == each]
        found = _estimated_part(profile_network, chosen(lost, rows), ground, direction)
        for name, column in values.items():
            column[rows] = getattr(found, name)
    return Snapped(**values)


def _snap_within(
    profile_network: ProfileNetwork,
    longest_m: float,
    points: tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]],
    barriers: gpd.GeoDataFrame | None = None,
) -> Snapped:
    """Return points (ids, x, y) on the roads by legs of `longest_m` at most."""
    profile = profile_network.profile.model_copy(update={"max_access_m": longest_m})
    return snap_points(replace(profile_network, profile=profile), *points, barriers)


def _estimated_part(profile_network: ProfileNetwork, lost: Snapped, ground: Ground, direction: Direction) -> Snapped:
    cells = _walkable(profile_network, lost, ground)
    if not len(cells.x):
        return lost
    ids = np.arange(len(cells.x))
    # A road is met where it passes within a cell's width of the centre.
    gates = _snap_within(profile_network, ground.cell_m, (ids, cells.x, cells.y), ground.barriers)
    speed_mps = mps_from_kph(profile_network.profile.access_speed_kph) * _OFF_PATH_SHARE
    seconds, gate = _walk(cells, gates, lost, ground, (speed_mps, direction))
    return _estimated(lost, gates, gate, seconds, speed_mps)


def estimated_access_table(
    facilities: gpd.GeoDataFrame,
    places: Mapping[str, Snapped],
    estimated: Mapping[str, Snapped],
    profile_networks: Mapping[str, ProfileNetwork],
    scenario: Scenario,
) -> pd.DataFrame:
    """Return the access table of estimated points alone, status "estimated" where a place is reached.

    Parameters
    ----------
    estimated : what `estimate_off_path` returned, by profile code. Its other points are left out.
    """
    found = {code: chosen(points, np.flatnonzero(points.edge >= 0)) for code, points in estimated.items()}
    table = access_table(facilities, places, found, profile_networks, scenario)
    table["status"] = table["status"].replace("reachable", ESTIMATED)
    return table


def _walkable(profile_network: ProfileNetwork, lost: Snapped, ground: Ground) -> _Cells:
    """Return the cells of known height within the longest walk of any lost point."""
    from scipy.spatial import cKDTree

    cell, margin = ground.cell_m, ground.max_walk_m * _FASTEST
    # Whole cells of one frame for all: which others are lost moves no cell.
    west, south = (np.floor((axis.min() - margin) / cell) * cell for axis in (lost.x, lost.y))
    n_columns, n_rows = (
        int(np.ceil((axis.max() + margin - low) / cell)) for axis, low in ((lost.x, west), (lost.y, south))
    )
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(n_columns), np.arange(n_rows)))
    x, y = west + (column + 0.5) * cell, south + (row + 0.5) * cell
    near, _ = cKDTree(np.column_stack([lost.x, lost.y])).query(
        np.column_stack([x, y]), distance_upper_bound=margin + cell
    )
    inside = np.flatnonzero(np.isfinite(near))
    z = sample_heights(ground.heights, x[inside], y[inside], profile_network.network.crs)
    inside, z = inside[~np.isnan(z)], z[~np.isnan(z)]
    number = np.full(n_rows * n_columns, -1, np.int64)
    number[inside] = np.arange(len(inside))
    return _Cells(x[inside], y[inside], z, number.reshape(n_rows, n_columns), west, south)


def _walk(
    cells: _Cells, gates: Snapped, lost: Snapped, ground: Ground, pace: tuple[float, Direction]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return, per lost point, the seconds between it and the quickest road position, and that gate's cell (-1)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    speed_mps, direction = pace
    n = len(cells.x)
    one, two = _steps(cells, ground)
    rise = cells.z[two] - cells.z[one]
    metres = np.hypot(cells.x[two] - cells.x[one], cells.y[two] - cells.y[one])
    up, down = (metres / (speed_mps * tobler_factor(sign * rise / metres)) for sign in (1.0, -1.0))
    # The search runs from the roads outwards, so "towards" the road is against it.
    outwards, inwards = (down, up) if direction == "towards" else (up, down)
    point, cell, leg_m = _first_steps(cells, lost, ground)
    gate = np.flatnonzero(gates.edge >= 0)
    road = n + len(lost)
    tail = np.concatenate([np.full(len(gate), road), one, two, cell])
    head = np.concatenate([gate, two, one, n + point])
    cost = np.concatenate([gates.access_m[gate] / speed_mps, outwards, inwards, leg_m / speed_mps])
    graph = coo_array((np.maximum(cost, 1e-6), (tail, head)), shape=(road + 1, road + 1)).tocsr()
    limit_s = ground.max_walk_m / speed_mps
    seconds, before = dijkstra(graph, indices=road, limit=limit_s, return_predecessors=True)
    return seconds[n:road], _first_of_way(before, n, len(lost))


def _first_of_way(before: NDArray[Any], n_cells: int, n_lost: int) -> NDArray[np.int64]:
    """Return the gate cell at which the way to each lost point leaves the road; -1 where there is no way."""
    gate = np.full(n_lost, -1, np.int64)
    road = n_cells + n_lost
    for i in range(n_lost):
        at = n_cells + i
        while before[at] >= 0 and before[at] != road:
            at = int(before[at])
        if before[at] == road:
            gate[i] = at
    return gate


def _steps(cells: _Cells, ground: Ground) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of neighbouring cells (each once) between which nothing stands."""
    rows, columns = cells.number.shape
    ones, twos = [], []
    for down, right in _HALF_OF_EIGHT:
        left = cells.number[: rows - down, max(0, -right) : columns - max(0, right)]
        other = cells.number[down:, max(0, right) : columns - max(0, -right)]
        both = (left >= 0) & (other >= 0)
        ones.append(left[both])
        twos.append(other[both])
    one, two = np.concatenate(ones), np.concatenate(twos)
    is_open = ~_crosses(ground, (cells.x[one], cells.y[one]), (cells.x[two], cells.y[two]))
    return one[is_open], two[is_open]


def _first_steps(
    cells: _Cells, lost: Snapped, ground: Ground
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return pairs (lost point, cell around it, metres) between which nothing stands."""
    rows, columns = cells.number.shape
    column = ((lost.x - cells.west) // ground.cell_m).astype(np.int64)
    row = ((lost.y - cells.south) // ground.cell_m).astype(np.int64)
    offset = np.array([(dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)])
    r = np.clip(row[:, None] + offset[:, 0], 0, rows - 1)
    c = np.clip(column[:, None] + offset[:, 1], 0, columns - 1)
    cell, point = cells.number[r, c].ravel(), np.repeat(np.arange(len(lost)), len(offset))
    point, cell = point[cell >= 0], cell[cell >= 0]
    pairs = np.unique(np.column_stack([point, cell]), axis=0)
    point, cell = pairs[:, 0], pairs[:, 1]
    is_open = ~_crosses(ground, (lost.x[point], lost.y[point]), (cells.x[cell], cells.y[cell]))
    point, cell = point[is_open], cell[is_open]
    return point, cell, np.hypot(lost.x[point] - cells.x[cell], lost.y[point] - cells.y[cell])


def _crosses(
    ground: Ground,
    start: tuple[NDArray[np.float64], NDArray[np.float64]],
    stop: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.bool_]:
    """bool[n]: whether each straight step touches a barrier."""
    import shapely

    crosses = np.zeros(len(start[0]), bool)
    if ground.barriers is None or not len(ground.barriers):
        return crosses
    tree = shapely.STRtree(shapely.get_parts(ground.barriers.geometry.to_numpy()))
    steps = shapely.linestrings(np.stack([np.column_stack(start), np.column_stack(stop)], axis=1))
    crosses[tree.query(steps, predicate="intersects")[0]] = True
    return crosses


def _estimated(
    lost: Snapped, gates: Snapped, gate: NDArray[np.int64], seconds: NDArray[np.float64], speed_mps: float
) -> Snapped:
    """Return the lost points with the positions of their gates; `access_m` is as far as level ground would be."""
    found = gate >= 0
    at = np.maximum(gate, 0)
    values: dict[str, Any] = {f.name: getattr(lost, f.name).copy() for f in fields(Snapped)}
    for name in ("edge", "share", "snap_x", "snap_y", "component"):
        values[name][found] = getattr(gates, name)[at][found]
    values["access_s"][found] = seconds[found]
    values["access_m"][found] = seconds[found] * speed_mps
    values["reason"][found] = ESTIMATED
    return Snapped(**values)
