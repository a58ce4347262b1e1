"""A mountain landscape that water could have cut: one winding river, tributaries, ridges between them.

Method: heights are the steady state of river incision (stream power law: slope falls with the drained area to the
power of about a half; Whipple and Tucker 1999, doi:10.1029/1999JB900120), found by drawing a drainage tree (a
minimum spanning tree over the passes), integrating slopes up the tree, and repeating.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.spec import DemoSpec

CELL_M = 90.0
COARSE = 3
RIVER_HALF_WIDTH_M = 110.0
BLOCKED_HALF_WIDTH_M = 190.0
MAX_HEIGHT_M = 1_985.0
RIVER_HEIGHT_M = (292.0, 214.0)
SEAT_RADIUS_M = 4_200.0


@dataclass(frozen=True)
class Terrain:
    """Heights on a square grid, row 0 in the north, and the waters in it.

    Attributes
    ----------
    west, north : outer corner of cell (0, 0), metres.
    height : float64[rows, columns], metres above sea level.
    slope : float64[rows, columns], rise over run.
    is_inside : bool[rows, columns], whether the cell belongs to the county.
    river : float64[n, 2], the river's middle line from west to east, metres.
    river_distance_m : float64[rows, columns], to that line.
    tributaries : arrays float64[n, 2], from the spring down to the river, the largest first.
    seat : x, y of the county seat, on the river's north bank.
    seat_radius_m : of the flat ground around it.
    """

    west: float
    north: float
    height: NDArray[np.float64]
    slope: NDArray[np.float64]
    is_inside: NDArray[np.bool_]
    river: NDArray[np.float64]
    river_distance_m: NDArray[np.float64]
    tributaries: tuple[NDArray[np.float64], ...]
    seat: tuple[float, float]
    seat_radius_m: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height.shape[0], self.height.shape[1]

    def xy(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """float64[n, 2]: middle of the cells given by flat number."""
        row, column = np.divmod(cells, self.shape[1])
        return np.column_stack([self.west + (column + 0.5) * CELL_M, self.north - (row + 0.5) * CELL_M])

    def cells(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """int64[n]: flat number of the cell under each of `xy`, the nearest one outside the grid."""
        row = np.clip(((self.north - xy[:, 1]) / CELL_M).astype(np.int64), 0, self.shape[0] - 1)
        column = np.clip(((xy[:, 0] - self.west) / CELL_M).astype(np.int64), 0, self.shape[1] - 1)
        return row * self.shape[1] + column


def make_terrain(spec: DemoSpec) -> Terrain:
    """Return the landscape of `spec`: heights 200-2,000 m, the county's outline, its waters."""
    from scipy.ndimage import zoom

    rng = np.random.default_rng([spec.seed, 1])
    side_m = np.sqrt(spec.area_km2) * 1_000.0
    step_m = CELL_M * COARSE
    columns, rows = (int(np.ceil(side_m * share / step_m)) for share in (1.42, 1.26))
    west = np.floor(spec.center_x - columns * step_m / 2)
    north = np.floor(spec.center_y + rows * step_m / 2)
    river = _river(rng, west, north, columns * step_m, rows * step_m)

    coarse_xy = _centers(west, north, rows, columns, step_m)
    distance, _ = _to_line(river, west, north, (rows, columns), step_m)
    is_base = distance < step_m
    uplift = np.exp(0.35 * noise(rng, (rows, columns), 25_000.0 / step_m, 3.0))
    uplift *= 0.62 + 0.55 * np.abs(np.linspace(1.0, -0.8, rows))[:, None]
    coarse, parent, area = _incise(rng, is_base, uplift, step_m)

    height = zoom(coarse, COARSE, order=3, mode="nearest", grid_mode=True)
    relief = np.clip(height / MAX_HEIGHT_M, 0, 1)
    height += noise(rng, height.shape, 900.0 / CELL_M, 3.2) * 32.0 * relief**0.7
    xy = _centers(west, north, height.shape[0], height.shape[1], CELL_M)
    distance, along = _to_line(river, west, north, (height.shape[0], height.shape[1]), CELL_M)
    base = RIVER_HEIGHT_M[0] + (RIVER_HEIGHT_M[1] - RIVER_HEIGHT_M[0]) * along
    height = base + np.maximum(height, 0) * _smoothstep((distance - 120.0) / 900.0) + 6.0 * (distance > 150.0)

    seat_radius_m = SEAT_RADIUS_M * min(1.0, 0.25 + side_m / 80_000.0)
    seat = _seat(river)
    off = np.hypot(xy[:, 0] - seat[0], xy[:, 1] - seat[1]).reshape(height.shape) / seat_radius_m
    terrace = base + 6.0 + np.clip(distance - 150.0, 0, None) * 0.012
    blend = _smoothstep((off - 0.45) / 0.75)
    height = np.where(distance > 150.0, terrace * (1 - blend) + height * blend, base)

    tributaries = _tributaries(parent, area, coarse_xy, spec.area_km2)
    is_inside = _outline(rng, xy, height.shape, spec)
    return Terrain(west, north, height, _slope(height), is_inside, river, distance, tributaries, seat, seat_radius_m)


def with_level_sites(terrain: Terrain, sites: NDArray[np.float64]) -> Terrain:
    """Return the terrain with the ground levelled within about 400 m of the `sites` (float64[n, 2]), for towns."""
    height = terrain.height
    level = height.copy()
    reach = 9
    for x, y in sites:
        row, column = divmod(int(terrain.cells(np.array([[x, y]]))[0]), terrain.shape[1])
        rows = slice(max(row - reach, 0), row + reach + 1)
        columns = slice(max(column - reach, 0), column + reach + 1)
        block = level[rows, columns]
        off = np.hypot(*np.ogrid[rows.start - row : rows.start - row + block.shape[0],
                                 columns.start - column : columns.start - column + block.shape[1]])  # fmt: skip
        keep = _smoothstep((off * CELL_M - 330.0) / 450.0)
        level[rows, columns] = height[row, column] + (block - height[row, column]) * (0.12 + 0.88 * keep)
    return replace(terrain, height=level, slope=_slope(level))


def noise(
    rng: np.random.Generator, shape: tuple[int, ...], wavelength_cells: float, power: float
) -> NDArray[np.float64]:
    """float64[shape]: smooth random field of mean 0 and deviation 1; its features are about `wavelength_cells` wide."""
    spectrum = np.fft.rfft2(rng.standard_normal(shape))
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    field = np.fft.irfft2(spectrum * (frequency**2 + wavelength_cells**-2.0) ** (-power / 2), s=shape)
    return (field - field.mean()) / field.std()


def _slope(height: NDArray[np.float64]) -> NDArray[np.float64]:
    rise_y, rise_x = np.gradient(height, CELL_M)
    return np.hypot(rise_x, rise_y)


def _smoothstep(share: NDArray[np.float64]) -> NDArray[np.float64]:
    share = np.clip(share, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _centers(west: float, north: float, rows: int, columns: int, step_m: float) -> NDArray[np.float64]:
    x = west + (np.arange(columns) + 0.5) * step_m
    y = north - (np.arange(rows) + 0.5) * step_m
    return np.column_stack([np.tile(x, rows), np.repeat(y, columns)])


def _river(rng: np.random.Generator, west: float, north: float, width_m: float, depth_m: float) -> NDArray[np.float64]:
    """The river's middle line: a meandering curve, straighter where the county seat stands."""
    share = np.linspace(0.0, 1.0, max(120, int(width_m / 150.0)))
    calm = 1.0 - 0.85 * np.exp(-(((share - 0.52) / 0.075) ** 2))
    y = np.full_like(share, 0.50)
    for waves, size in ((0.9, 0.055), (2.3, 0.045), (5.1, 0.028), (9.3, 0.013)):
        y += size * np.sin(2 * np.pi * (waves * share + rng.random())) * (calm if waves > 2 else 1.0)
    x = share + 0.012 * np.sin(2 * np.pi * (7.3 * share + rng.random())) * calm
    return np.column_stack([west + (x * 1.04 - 0.02) * width_m, north - y * depth_m])


def _to_line(
    line: NDArray[np.float64], west: float, north: float, shape: tuple[int, int], step_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of every cell's middle to a line, and the share of the line's length nearest to it (both of `shape`)."""
    from scipy.ndimage import distance_transform_edt

    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    even = np.linspace(0.0, at[-1], int(at[-1] / 25.0) + 2)
    dense = np.column_stack([np.interp(even, at, line[:, 0]), np.interp(even, at, line[:, 1])])
    row = np.floor((north - dense[:, 1]) / step_m).astype(np.int64)
    column = np.floor((dense[:, 0] - west) / step_m).astype(np.int64)
    is_in = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    sample = np.full(shape, -1, np.int64)
    sample[row[is_in], column[is_in]] = np.flatnonzero(is_in)
    nearest_row, nearest_column = distance_transform_edt(sample < 0, return_distances=False, return_indices=True)
    nearest = sample[nearest_row, nearest_column]
    x = west + (np.arange(shape[1]) + 0.5) * step_m
    y = north - (np.arange(shape[0]) + 0.5) * step_m
    distance = np.hypot(dense[nearest, 0] - x[None, :], dense[nearest, 1] - y[:, None])
    return distance, even[nearest] / at[-1]


def _seat(river: NDArray[np.float64]) -> tuple[float, float]:
    middle = int(len(river) * 0.52)
    return float(river[middle, 0]), float(river[middle, 1])


def _incise(
    rng: np.random.Generator, is_base: NDArray[np.bool_], uplift: NDArray[np.float64], step_m: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Heights above the river, where each cell drains to (-1: the river), and how many cells drain through it."""
    rows, columns = is_base.shape
    n = rows * columns
    first, second, _ = neighbours(rows, columns)
    base = np.flatnonzero(is_base.ravel())
    rough = noise(rng, is_base.shape, 6_000.0 / step_m, 2.2).ravel() * 90.0
    away = np.abs(np.arange(rows)[:, None] - _mean_row(is_base)) * step_m
    height = np.where(is_base.ravel(), 0.0, away.ravel() * 0.03 + rough + 400.0)
    lift = uplift.ravel() * 0.36
    parent = np.full(n, -1, np.int64)
    area = np.ones(n)
    for step in range(14):
        parent, levels = _drainage(height, base, first, second)
        area = np.ones(n + 1)
        for nodes in reversed(levels):
            np.add.at(area, parent[nodes], area[nodes])
        run = np.where(np.abs(parent - np.arange(n)) % columns == 0, 1.0, np.sqrt(2.0))
        run[np.abs(parent - np.arange(n)) == 1] = 1.0
        rise = lift * area[:n] ** -0.62 * run * step_m
        new = np.zeros(n + 1)
        for nodes in levels[1:]:
            new[nodes] = new[parent[nodes]] + rise[nodes]
        mix = 0.6 if step < 10 else 1.0
        height = (1 - mix) * height + mix * new[:n]
    field = _smoothed(height.reshape(rows, columns))
    field = np.maximum(field, 0.0) / np.percentile(field, 99.95)
    field = np.clip(field, 0, 1.0) * (MAX_HEIGHT_M - 330.0)
    return field, np.where(parent == n, -1, parent), area[:n]


def _mean_row(is_base: NDArray[np.bool_]) -> NDArray[np.float64]:
    row = np.arange(is_base.shape[0])[:, None]
    count = np.maximum(is_base.sum(axis=0), 1)
    return (row * is_base).sum(axis=0) / count


def _smoothed(field: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(field, 0.8, mode="nearest")


def neighbours(rows: int, columns: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """All pairs of touching cells, each once (flat numbers), and their distance in cells (1 or the root of 2)."""
    number = np.arange(rows * columns).reshape(rows, columns)
    parts = [
        (number[:, :-1], number[:, 1:], 1.0),
        (number[:-1, :], number[1:, :], 1.0),
        (number[:-1, :-1], number[1:, 1:], np.sqrt(2.0)),
        (number[:-1, 1:], number[1:, :-1], np.sqrt(2.0)),
    ]
    first = np.concatenate([a.ravel() for a, _, _ in parts])
    second = np.concatenate([b.ravel() for _, b, _ in parts])
    length = np.concatenate([np.full(a.size, size) for a, _, size in parts])
    return first, second, length


def _drainage(
    height: NDArray[np.float64], base: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """The cell that each cell drains to (n = the river itself), and the cells level by level from the river up.

    Water leaves a hollow over its lowest pass: that is the minimum spanning tree when a pair of cells weighs its
    higher height.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

    n = len(height)
    high, low = np.maximum(height[first], height[second]), np.minimum(height[first], height[second])
    weight = np.concatenate([high + 0.02 * low + 500.0, np.full(len(base), 1e-3)])
    ends = np.concatenate([first, np.full(len(base), n)]), np.concatenate([second, base])
    tree = minimum_spanning_tree(coo_matrix((weight, ends), shape=(n + 1, n + 1)).tocsr())
    order, parent = breadth_first_order(tree, n, directed=False)
    place = np.empty(n + 1, np.int64)
    place[order] = np.arange(n + 1)
    parent_place = place[parent[order[1:]]]
    levels: list[NDArray[np.int64]] = []
    start, end = 0, 1
    while end < n + 1:
        start, end = end, 1 + int(np.searchsorted(parent_place, end, side="left"))
        levels.append(order[start:end].astype(np.int64))
    return parent[:n].astype(np.int64), levels


def _tributaries(
    parent: NDArray[np.int64], area: NDArray[np.float64], xy: NDArray[np.float64], area_km2: float
) -> tuple[NDArray[np.float64], ...]:
    """The largest streams, from where they drain about a hundredth of the county down to the river."""
    n_streams = max(2, min(9, round(area_km2 / 400)))
    is_mouth = (parent >= 0) & (parent[np.maximum(parent, 0)] == -1)
    mouths = np.flatnonzero(is_mouth)
    mouths = mouths[np.argsort(-area[mouths], kind="stable")][:n_streams]
    children = _largest_child(parent, area)
    least = area_km2 / 110.0 / 0.0729
    lines = []
    for mouth in mouths:
        course = [parent[mouth], mouth]
        while children[course[-1]] >= 0 and area[children[course[-1]]] > least:
            course.append(children[course[-1]])
        line = xy[np.array(course[::-1])].copy()
        for _ in range(3):
            line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
        lines.append(line)
    return tuple(line for line in lines if len(line) > 4)


def _largest_child(parent: NDArray[np.int64], area: NDArray[np.float64]) -> NDArray[np.int64]:
    child = np.full(len(parent), -1, np.int64)
    order = np.argsort(area, kind="stable")
    order = order[parent[order] >= 0]
    child[parent[order]] = order
    return child


def _outline(
    rng: np.random.Generator, xy: NDArray[np.float64], shape: tuple[int, ...], spec: DemoSpec
) -> NDArray[np.bool_]:
    """The county: one piece without holes, of the asked area."""
    from scipy.ndimage import binary_fill_holes, label

    radius = np.sqrt(spec.area_km2 * 1e6 / np.pi)
    x = (xy[:, 0] - spec.center_x) / (1.12 * radius)
    y = (xy[:, 1] - spec.center_y) / (0.89 * radius)
    wobble = noise(rng, shape, 0.75 * radius / CELL_M, 4.0).ravel()
    small = noise(rng, shape, 5_000.0 / CELL_M, 3.4).ravel()
    field = np.hypot(x, y) + 0.085 * np.clip(wobble, -2.2, 2.2) + 0.022 * np.clip(small, -2.0, 2.0)
    n_cells = round(spec.area_km2 * 1e6 / CELL_M**2)
    inside = (field <= np.partition(field, n_cells)[n_cells]).reshape(shape)
    pieces, _ = label(inside)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return binary_fill_holes(pieces == sizes.argmax())
