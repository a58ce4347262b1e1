"""Streets of the county seat and of towns: blocks along the river or the valley, with lanes, walks and steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.demo.names import word_lists

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.terrain import Terrain

AVENUE, STREET, LANE, WALK, STEPS = "主干路", "次干路", "街巷", "步道", "台阶"


@dataclass(frozen=True)
class Streets:
    """The streets of one built-up place.

    Attributes
    ----------
    nodes : float64[n, 2], crossings, metres.
    ends : int64[m, 2], rows of `nodes`.
    kinds : object[m], road class words.
    names : object[m], street names, "" for lanes without one.
    is_bridge : bool[m].
    oneway : int8[m], 1 = only from the first end to the second.
    center : row of `nodes`, the middle of the place.
    """

    nodes: NDArray[np.float64]
    ends: NDArray[np.int64]
    kinds: NDArray[np.object_]
    names: NDArray[np.object_]
    is_bridge: NDArray[np.bool_]
    oneway: NDArray[np.int8]
    center: int


def seat_streets(rng: np.random.Generator, terrain: Terrain) -> Streets:
    """Return the seat's streets on both banks of the river, with three bridges between them."""
    half_u, half_v = 0.80 * terrain.seat_radius_m, 0.50 * terrain.seat_radius_m
    along, river_v = _river_frame(terrain, half_u)
    origin = np.array(terrain.seat)
    across = np.array([-along[1], along[0]])
    step_u, step_v, bank = 205.0, 165.0, 235.0
    n_u, n_v = int(half_u / step_u), int((half_v - bank) / step_v)
    u = np.arange(-n_u, n_u + 1) * step_u + rng.normal(0, 14.0, 2 * n_u + 1)
    v = bank + np.arange(n_v + 1) * step_v + np.concatenate([[0.0], rng.normal(0, 12.0, n_v)])
    rows = np.concatenate([-v[::-1], v])
    grid_u, grid_v = np.meshgrid(u, rows)
    shift = np.interp(grid_u, river_v[0], river_v[1]) * np.exp(-np.abs(np.abs(grid_v) - bank) / 2_200.0)
    wave = 28.0 * np.sin(grid_u / 640.0 + grid_v / 900.0)
    jitter = rng.normal(0, 9.0, (*grid_u.shape, 2))
    nodes = origin + (grid_u + jitter[..., 0])[..., None] * along
    nodes = nodes + (grid_v + shift + (jitter[..., 1] + wave) * (np.abs(grid_v) > bank + 1))[..., None] * across
    rim = 1.0 + 0.16 * np.sin(3.0 * np.arctan2(grid_v, grid_u) + 1.0) + rng.normal(0, 0.05, grid_u.shape)
    is_kept = np.hypot(grid_u / half_u, grid_v / half_v) < rim
    return _lattice(rng, terrain, nodes, is_kept, river_row=len(v))


def town_streets(rng: np.random.Generator, terrain: Terrain, site: NDArray[np.float64]) -> Streets:
    """Return the few streets of a town around `site` (x, y), along its valley."""
    from scipy.ndimage import gaussian_filter

    row, column = divmod(int(terrain.cells(site[None, :])[0]), terrain.shape[1])
    window = terrain.height[max(row - 12, 0) : row + 13, max(column - 12, 0) : column + 13]
    rise_y, rise_x = np.gradient(gaussian_filter(window, 3.0))
    angle = 0.5 * np.arctan2(2 * (rise_x * -rise_y).mean(), (rise_x**2 - rise_y**2).mean()) + np.pi / 2
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    n_u, n_v = int(rng.integers(6, 11)), int(rng.integers(3, 5))
    u = (np.arange(n_u) - (n_u - 1) / 2) * 112.0 + rng.normal(0, 9.0, n_u)
    v = (np.arange(n_v) - (n_v - 1) / 2) * 92.0 + rng.normal(0, 6.0, n_v)
    grid_u, grid_v = np.meshgrid(u, v)
    jitter = rng.normal(0, 6.0, (*grid_u.shape, 2))
    bend = (grid_u / 500.0) ** 2 * rng.normal(0, 50.0)
    nodes = site + (grid_u + jitter[..., 0])[..., None] * along + (grid_v + bend + jitter[..., 1])[..., None] * across
    is_kept = np.hypot(grid_u / (n_u * 62.0), grid_v / (n_v * 70.0)) < 1.0 + rng.normal(0, 0.08, grid_u.shape)
    return _lattice(rng, terrain, nodes, is_kept, river_row=None)


def _river_frame(
    terrain: Terrain, half_u: float
) -> tuple[NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Direction of the river at the seat, and its sideways course (u, v) in that frame."""
    off = terrain.river - np.array(terrain.seat)
    near = off[np.hypot(off[:, 0], off[:, 1]) < 1.25 * half_u]
    along = near[-1] - near[0]
    along = along / np.hypot(*along)
    u, v = near @ along, near @ np.array([-along[1], along[0]])
    order = np.argsort(u)
    return along, (u[order], v[order])


def _lattice(
    rng: np.random.Generator,
    terrain: Terrain,
    nodes: NDArray[np.float64],
    is_kept: NDArray[np.bool_],
    river_row: int | None,
) -> Streets:
    """Streets along the rows and columns of a bent grid of crossings; `river_row` is the first row over the river."""
    n_columns = is_kept.shape[1]
    cells = terrain.cells(nodes.reshape(-1, 2))
    is_dry = terrain.river_distance_m.ravel()[cells] > 165.0
    is_kept = is_kept & (is_dry & (terrain.slope.ravel()[cells] < 0.30) & terrain.is_inside.ravel()[cells]).reshape(
        is_kept.shape
    )
    number = np.arange(is_kept.size).reshape(is_kept.shape)
    row, column = np.divmod(np.arange(is_kept.size), n_columns)
    ends = np.concatenate([
        np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
        np.column_stack([number[:-1, :].ravel(), number[1:, :].ravel()]),
    ])  # fmt: skip
    ends = ends[is_kept.ravel()[ends].all(axis=1)]
    is_cross = row[ends[:, 0]] != row[ends[:, 1]]
    is_bridge = np.zeros(len(ends), bool)
    if river_row is not None:
        spans = is_cross & (row[ends[:, 1]] == river_row)
        columns = {int(n_columns * share) for share in (0.27, 0.5, 0.74)}
        is_bridge = spans & np.isin(column[ends[:, 0]], sorted(columns))
        ends, is_cross, is_bridge = (part[~spans | is_bridge] for part in (ends, is_cross, is_bridge))
    kinds = _kinds(ends, is_cross, (row, column), river_row, n_columns)
    keep = _in_main_piece(ends, is_kept.size)
    keep &= ~_dropped(rng, ends, kinds, is_kept.size)
    ends, kinds, is_cross, is_bridge = ends[keep], kinds[keep], is_cross[keep], is_bridge[keep]
    names = _street_names(rng, ends, kinds, is_cross, (row, column))
    flat = nodes.reshape(-1, 2)
    height = terrain.height.ravel()[cells]
    span = np.hypot(*(flat[ends[:, 0]] - flat[ends[:, 1]]).T)
    grade = np.abs(height[ends[:, 0]] - height[ends[:, 1]]) / span
    is_steep = (kinds == LANE) & (grade > 0.10)
    steep = np.flatnonzero(is_steep)
    kinds[steep[::3]] = STEPS
    walk = np.flatnonzero((kinds == LANE) & (rng.random(len(kinds)) < 0.06))
    kinds[walk] = WALK
    names[(kinds == STEPS) | (kinds == WALK)] = ""
    oneway = ((kinds == LANE) & (rng.random(len(kinds)) < (0.07 if river_row is not None else 0.0))).astype(np.int8)
    used, ends = np.unique(ends, return_inverse=True)
    flat = np.round(flat[used], 2)
    center = int(np.argmin(np.hypot(*(flat - nodes.reshape(-1, 2)[is_kept.ravel()].mean(axis=0)).T)))
    return Streets(flat, ends.reshape(-1, 2), kinds, names, is_bridge, oneway, center)


def _kinds(
    ends: NDArray[np.int64],
    is_cross: NDArray[np.bool_],
    place: tuple[NDArray[np.int64], NDArray[np.int64]],
    river_row: int | None,
    n_columns: int,
) -> NDArray[np.object_]:
    row, column = place[0][ends[:, 0]], place[1][ends[:, 0]]
    kinds = np.full(len(ends), LANE, object)
    if river_row is None:
        middle = place[0].max() // 2
        kinds[~is_cross & (row == middle)] = STREET
        return kinds
    from_river = np.where(row >= river_row, row - river_row, river_row - 1 - row)
    kinds[~is_cross & (from_river % 3 == 2)] = STREET
    kinds[is_cross & (column % 4 == 1)] = STREET
    kinds[~is_cross & np.isin(from_river, (0, 5))] = AVENUE
    main = sorted({int(n_columns * share) for share in (0.27, 0.5, 0.74)})
    kinds[is_cross & np.isin(column, main)] = AVENUE
    return kinds


def _in_main_piece(ends: NDArray[np.int64], n: int) -> NDArray[np.bool_]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    _, piece = connected_components(coo_matrix((np.ones(len(ends)), ends.T), shape=(n, n)), directed=False)
    return piece[ends[:, 0]] == np.bincount(piece[ends[:, 0]]).argmax()


def _dropped(
    rng: np.random.Generator, ends: NDArray[np.int64], kinds: NDArray[np.object_], n: int
) -> NDArray[np.bool_]:
    """A tenth of the lanes, never one that holds the place together: blocks differ in size."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import minimum_spanning_tree

    lot = np.where(kinds == LANE, 1.0 + rng.random(len(ends)), 0.5)
    tree = minimum_spanning_tree(coo_matrix((lot, ends.T), shape=(n, n)).tocsr())
    is_tree = np.asarray(tree[ends[:, 0], ends[:, 1]]).ravel() > 0
    return ~is_tree & (kinds == LANE) & (rng.random(len(ends)) < 0.16)


def _street_names(
    rng: np.random.Generator,
    ends: NDArray[np.int64],
    kinds: NDArray[np.object_],
    is_cross: NDArray[np.bool_],
    place: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.object_]:
    stems = word_lists()["streets"]
    order = rng.permutation(len(stems))
    words = {AVENUE: "大道", STREET: "路"}
    names = np.full(len(ends), "", object)
    for i, (a, kind) in enumerate(zip(ends[:, 0], kinds, strict=True)):
        line = int(place[1][a]) * 2 + 1 if is_cross[i] else int(place[0][a]) * 2
        stem = stems[order[line % len(stems)]]
        names[i] = f"{stem}{words[kind]}" if kind != LANE else f"{stem}{'东西南北中'[line % 5]}巷"
    return names
