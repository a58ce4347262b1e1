"""The snap grid: where every cell of a fine grid touches the road, computed once per study and profile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import ScenarioError
from planner.progress import SILENT
from planner.reach.threads import run_blocks
from planner.study import require_crs
from planner.units import mps_from_kph

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork
    from planner.progress import Progress

_CELL_M = {"foot": 20.0, "bicycle": 40.0, "motor": 50.0}
_TILE_CELLS = 64  # across a tile: the unit of work of the grid, a power of two
_WALL_CELLS = 16  # across a tile of the barriers' index
_MOST_CELLS = 65_535  # rows or columns: cells are kept as 16-bit numbers
_AREA = 2  # dimensions of a polygon


@dataclass(frozen=True, eq=False)
class Walls:
    """Barriers as segments, found by tile; a leg may not meet one unless it is of an area that the leg starts in.

    Attributes
    ----------
    segments : float64[n, 4], x and y of both ends.
    segment_area : int32[n], which area it bounds; -1 = a line. Areas that touch or overlap are one.
    tile_m : side of a tile; tiles start at the grid's north-western corner.
    n_tile_rows, n_tile_cols : how many.
    tile_first, tile_segment : segments by tile (CSR: int64[n_tiles + 1], int32).
    cell_area : int32, rows x columns, area that holds the cell's centre; -1 = none. 1 x 1 where there is no area.
    is_near : bool, rows x columns, whether a barrier can bear on a leg from within one cell; 1 x 1 without barriers.
    """

    segments: NDArray[np.float64]
    segment_area: NDArray[np.int32]
    tile_m: float
    n_tile_rows: int
    n_tile_cols: int
    tile_first: NDArray[np.int64]
    tile_segment: NDArray[np.int32]
    cell_area: NDArray[np.int32]
    is_near: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SnapGrid:
    """For every cell centre the nearest position on a road of a piece that matters, its leg meeting no barrier.

    Exact: a cell's edge is the one that a search among all edges finds, ties to the lowest number. Row 0 lies in the
    north. Cells without a road within `max_access_m` (or only behind a barrier) are unknown and take no room beyond
    their -1.

    Attributes
    ----------
    crs, profile : of the network it was made for.
    cell_m, x_min, y_max : frame; cell (row, col) has its centre at x_min + (col + 0.5) cell_m,
        y_max - (row + 0.5) cell_m.
    max_access_m : longest leg.
    access_s_per_m : seconds per metre of leg.
    edge : int32[rows, columns], -1 = unknown.
    cell_first : int64[n_edges + 1], known cells of each edge in the two arrays below.
    cell_place : uint16[n_known, 2], row and column.
    cell_road : float32[n_known, 2], share along the edge and metres of the leg.
    walls : the barriers.
    """

    crs: str
    profile: str
    cell_m: float
    x_min: float
    y_max: float
    max_access_m: float
    access_s_per_m: float
    edge: NDArray[np.int32]
    cell_first: NDArray[np.int64]
    cell_place: NDArray[np.uint16]
    cell_road: NDArray[np.float32]
    walls: Walls

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """(a, b, c, d, e, f) of x = a * column + b * row + c, y = d * column + e * row + f, at cell corners."""
        return (self.cell_m, 0.0, self.x_min, 0.0, -self.cell_m, self.y_max)

    @property
    def n_known(self) -> int:
        """Cells with a road near."""
        return len(self.cell_place)

    @property
    def n_bytes(self) -> int:
        """Memory that its arrays take."""
        arrays = [value for part in (self, self.walls) for value in vars(part).values()]
        return sum(value.nbytes for value in arrays if isinstance(value, np.ndarray))

    def shares(self) -> NDArray[np.float32]:
        """float32[rows, columns], position along the cell's edge; NaN = unknown."""
        return self._spread(0)

    def access_m(self) -> NDArray[np.float32]:
        """float32[rows, columns], metres of the leg; inf = unknown."""
        return np.nan_to_num(self._spread(1), nan=np.inf)

    def access_s(self) -> NDArray[np.float32]:
        """float32[rows, columns], seconds of the leg; inf = unknown."""
        return self.access_m() * np.float32(self.access_s_per_m)

    def _spread(self, column: int) -> NDArray[np.float32]:
        table = np.full(self.edge.shape, np.nan, np.float32)
        table[self.cell_place[:, 0], self.cell_place[:, 1]] = self.cell_road[:, column]
        return table


def default_cell_m(profile_network: ProfileNetwork) -> float:
    """Return the cell size in metres that suits the profile: 20 on foot, 40 by bicycle, 50 by car."""
    return _CELL_M[profile_network.profile.mode]


def make_snap_grid(
    profile_network: ProfileNetwork,
    bounds: tuple[float, float, float, float] | None = None,
    cell_m: float | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    progress: Progress = SILENT,
) -> SnapGrid:
    """Return the snap grid of a profile over `bounds`.

    Tiles of 64 x 64 cells are divided in four again and again; each part keeps only the edges that can be the nearest
    of any of its points, so that a cell compares two or three. All cores share the tiles.

    Parameters
    ----------
    bounds : west, south, east, north in metres; widened to whole cells. None = the network and `max_access_m` around
        it, so that no circle is cut off.
    cell_m : cell size in metres; None = `default_cell_m`.
    barriers : lines and areas that a leg may not meet; a barrier area does not bind cells that lie in it.

    Raises
    ------
    ScenarioError
        When the cell size is not positive, the bounds are empty, or the grid would have more than 65,535 rows or
        columns.
    CrsError
        When the barriers are in another CRS.
    CancelledError
        From `progress`.
    """
    from planner.reach import snap_kernels as kernels

    cell_m = default_cell_m(profile_network) if cell_m is None else cell_m
    x_min, y_max, n_rows, n_cols = _frame(profile_network, bounds, cell_m)
    network, reach_m = profile_network.network, profile_network.profile.max_access_m
    segments = edge_segments(profile_network)
    walls = _walls(barriers, network.crs, (x_min, y_max, cell_m), (n_rows, n_cols))

    n_tile_rows, n_tile_cols = math.ceil(n_rows / _TILE_CELLS), math.ceil(n_cols / _TILE_CELLS)
    tiles = (x_min, y_max, cell_m * _TILE_CELLS, n_tile_rows, n_tile_cols)
    usable = np.flatnonzero(profile_network.edge_is_snappable).astype(np.int32)
    roads = (segments, *kernels.buckets_of_segments(segments, usable, tiles, reach_m))
    every = np.arange(len(walls.segments), dtype=np.int32)
    tile_walls = kernels.buckets_of_segments(walls.segments, every, tiles, reach_m + 2 * cell_m)
    fence = (walls.segments, walls.segment_area, *tile_walls)

    edge = np.full((n_rows, n_cols), -1, np.int32)
    road = np.zeros((n_rows, n_cols, 2), np.float32)
    frame = (x_min, y_max, cell_m, _TILE_CELLS, reach_m)

    def snap(start: int, stop: int) -> None:
        numbers = np.arange(start, stop)
        kernels.snap_tiles(numbers, frame, roads, fence, walls.cell_area, edge, road, walls.is_near)

    run_blocks(snap, n_tile_rows * n_tile_cols, 16, progress)
    cell_first, cell_place = kernels.cells_by_edge(edge, network.n_edges)
    return SnapGrid(
        crs=network.crs,
        profile=profile_network.profile.code,
        cell_m=cell_m,
        x_min=x_min,
        y_max=y_max,
        max_access_m=reach_m,
        access_s_per_m=1.0 / mps_from_kph(profile_network.profile.access_speed_kph),
        edge=edge,
        cell_first=cell_first,
        cell_place=cell_place,
        cell_road=road[cell_place[:, 0], cell_place[:, 1]],
        walls=walls,
    )


def edge_segments(profile_network: ProfileNetwork) -> NDArray[np.float64]:
    """Return float64[n_edges, 4], x and y of both ends of every edge, metres."""
    network = profile_network.network
    start, end = network.edge_from, network.edge_to
    return np.column_stack([network.x[start], network.y[start], network.x[end], network.y[end]])


def _frame(
    profile_network: ProfileNetwork, bounds: tuple[float, float, float, float] | None, cell_m: float
) -> tuple[float, float, int, int]:
    """Return the western and northern edge and the rows and columns; edges are multiples of the cell size."""
    if not (math.isfinite(cell_m) and cell_m > 0):
        raise ScenarioError(f"A cell size of {cell_m} m makes no sense: give a positive number.")
    network = profile_network.network
    if bounds is None:
        margin = profile_network.profile.max_access_m + 2 * cell_m
        x, y = (network.x, network.y) if network.n_nodes else (np.zeros(1), np.zeros(1))
        bounds = (x.min() - margin, y.min() - margin, x.max() + margin, y.max() + margin)
    west, south, east, north = (float(value) for value in bounds)
    if not (west < east and south < north):
        raise ScenarioError(f"The bounds {bounds} are empty. Give west, south, east, north in metres.")
    col_0, col_1 = math.floor(west / cell_m), math.ceil(east / cell_m)
    row_0, row_1 = math.floor(south / cell_m), math.ceil(north / cell_m)
    n_rows, n_cols = row_1 - row_0, col_1 - col_0
    if max(n_rows, n_cols) > _MOST_CELLS:
        raise ScenarioError(
            f"A grid of {n_cols} x {n_rows} cells is too large (at most {_MOST_CELLS} a side). Use larger cells than "
            f"{cell_m:g} m, or a smaller area."
        )
    return col_0 * cell_m, row_1 * cell_m, n_rows, n_cols


def _walls(
    barriers: gpd.GeoDataFrame | None, crs: str, frame: tuple[float, float, float], shape: tuple[int, int]
) -> Walls:
    from planner.reach import snap_kernels as kernels

    segments, segment_area = _barrier_segments(barriers, crs)
    x_min, y_max, cell_m = frame
    tile_m = cell_m * _WALL_CELLS
    n_tile_rows, n_tile_cols = math.ceil(shape[0] / _WALL_CELLS), math.ceil(shape[1] / _WALL_CELLS)
    every = np.arange(len(segments), dtype=np.int32)
    # A millimetre of margin, so that a leg that touches a barrier on a tile's edge finds it.
    first, items = kernels.buckets_of_segments(segments, every, (x_min, y_max, tile_m, n_tile_rows, n_tile_cols), 1e-3)
    has_areas = bool((segment_area >= 0).any())
    cell_area = np.full(shape if has_areas else (1, 1), -1, np.int32)
    if has_areas:
        kernels.fill_areas(segments, segment_area, frame, cell_area)
    is_near = np.zeros(shape if len(segments) else (1, 1), np.bool_)
    return Walls(segments, segment_area, tile_m, n_tile_rows, n_tile_cols, first, items, cell_area, is_near)


def _barrier_segments(barriers: gpd.GeoDataFrame | None, crs: str) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return float64[n, 4] segments of lines and of the rings of areas, and the area of each (-1 = a line)."""
    import shapely

    if barriers is None or not len(barriers):
        return np.zeros((0, 4)), np.zeros(0, np.int32)
    require_crs(barriers, crs)
    geometry = barriers.geometry.to_numpy()
    parts = shapely.get_parts(geometry[~shapely.is_missing(geometry)])
    is_area = shapely.get_dimensions(parts) == _AREA
    # Water is often cut into sheets: somebody on an island between two of them is not fenced in by the seam.
    areas = shapely.get_parts(shapely.union_all(parts[is_area]))
    areas = areas[shapely.get_dimensions(areas) == _AREA]
    area_rings, ring_area = shapely.get_rings(areas, return_index=True)
    lines = np.concatenate([parts[shapely.get_dimensions(parts) == 1], area_rings])
    line_area = np.concatenate([np.full(len(lines) - len(ring_area), -1), ring_area]).astype(np.int32)
    points, line = shapely.get_coordinates(lines, return_index=True)
    is_segment = line[1:] == line[:-1]
    segments = np.column_stack([points[:-1], points[1:]])[is_segment]
    return np.ascontiguousarray(segments), line_area[line[:-1][is_segment]]
