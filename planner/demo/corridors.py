"""The motorway and the railway through the county: gently bent lines that pass towns by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner.demo.ground import densified, spread
from planner.demo.terrain import CELL_M, RIVER_HALF_WIDTH_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.places import Places

_TUNNEL_HEIGHT_M = 55.0


def motorway(places: Places) -> NDArray[np.float64]:
    """float64[n, 2]: a piece of motorway north of the river, from the county's western edge to east of its seat."""
    terrain = places.terrain
    reach_m = 1.5 * terrain.seat_radius_m
    return _corridor(places, side=1.0, east_x=terrain.seat[0] + 2.2 * reach_m)


def railway(places: Places) -> NDArray[np.float64]:
    """float64[n, 2]: the railway south of the river, across the whole county."""
    return _corridor(places, side=-1.0, east_x=np.inf)


def surface_pieces(line: NDArray[np.float64], places: Places) -> list[NDArray[np.float64]]:
    """Return the stretches of `line` on the ground, where one cannot walk across: neither tunnel nor viaduct."""
    terrain = places.terrain
    height = terrain.height.ravel()[terrain.cells(line)]
    width = max(3, min(41, len(line) // 4 * 2 + 1))
    padded = np.pad(height, width // 2, mode="edge")
    bed = np.convolve(padded, np.ones(width) / width, mode="valid")
    on_ground = np.abs(height - bed) < _TUNNEL_HEIGHT_M
    breaks = np.flatnonzero(np.diff(on_ground.astype(int))) + 1
    runs = np.split(np.arange(len(line)), breaks)
    return [line[run] for run in runs if on_ground[run[0]] and len(run) > 8]


def cells_of(line: NDArray[np.float64], places: Places) -> NDArray[np.int64]:
    """Cells that the line runs through."""
    return np.unique(places.terrain.cells(densified(line, CELL_M / 3)))


def ramps(line: NDArray[np.float64], places: Places) -> list[tuple[int, int, int]]:
    """Interchanges as (vertex of the motorway, number of the streets, crossing there): the seat's and one town's."""
    from scipy.spatial import cKDTree

    found = []
    for number, streets in enumerate(places.streets):
        distance, at = cKDTree(line).query(streets.nodes)
        best = int(distance.argmin())
        found.append((float(distance[best]), int(at[best]), number, best))
    seat = found[0]
    towns = sorted(found[1:])[:1]
    return [(at, number, node) for distance, at, number, node in [seat, *towns] if distance < 6_000.0]


def _corridor(places: Places, *, side: float, east_x: float) -> NDArray[np.float64]:
    """Least-cost course along one bank (1 north, -1 south) between the county's edges, off the river and the towns."""
    from scipy.ndimage import distance_transform_edt

    terrain, ground = places.terrain, places.ground
    river_y = np.interp(terrain.xy(np.arange(terrain.height.size))[:, 0], terrain.river[:, 0], terrain.river[:, 1])
    y = terrain.xy(np.arange(terrain.height.size))[:, 1]
    off = side * (y - river_y)
    from_zone = distance_transform_edt((places.zone < 0).reshape(terrain.shape)).ravel() * CELL_M
    burden = 1.0 + 6.0 * np.exp(-np.maximum(off - 500.0, 0) / 900.0) + 8.0 * np.exp(-from_zone / 350.0)
    burden += np.maximum(off - 4_000.0, 0) / 1_500.0
    is_side = (off > 350.0) & (from_zone > 150.0)
    keep = is_side[ground.first] & is_side[ground.second] & ~ground.is_bridge
    factor = (CELL_M / ground.cost_m) ** 0.25 * (burden[ground.first] + burden[ground.second])
    course = ground.times(factor).only(keep)
    cells = course.cells
    xy = terrain.xy(cells)
    x = np.where(off[cells] < 4_500.0, xy[:, 0], np.nan)
    west = cells[np.nanargmin(x)]
    reach = spread(course, np.array([west]))
    x = np.where(np.isfinite(reach.cost_m[cells]) & (x <= east_x), x, np.nan)
    line = terrain.xy(np.array(reach.path(int(cells[np.nanargmax(x)]))[::-1]))
    for _ in range(60):
        line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
    return np.round(line[np.unique(np.r_[np.arange(0, len(line), 2), len(line) - 1])], 2)


def river_polygon(places: Places) -> shapely.Geometry:
    """The river's water, as far as the county and 500 m beyond."""
    terrain = places.terrain
    return shapely.LineString(terrain.river).buffer(RIVER_HALF_WIDTH_M, quad_segs=4)
