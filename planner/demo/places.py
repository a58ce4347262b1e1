"""Where towns, villages and communities stand, and which ground belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.demo.ground import Ground, Reach, make_ground, spread
from planner.demo.names import draw_names
from planner.demo.streets import Streets, seat_streets, town_streets
from planner.demo.terrain import CELL_M, Terrain, with_level_sites

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.spec import DemoSpec

SEAT, TOWN, VILLAGE = "seat", "town", "village"
JOINED, DETACHED, ROADLESS = "joined", "detached", "roadless"
RURAL_START_M = 1_500.0


@dataclass(frozen=True)
class Places:
    """The county's towns and villages.

    Attributes
    ----------
    terrain : with the ground of towns levelled.
    ground : what one can build on.
    towns : one row a town or subdistrict: name, kind, x, y.
    units : one row a village or community: name, town (row of `towns`), kind ("seat", "town", "village"), x, y, cell,
        roads ("joined", "detached" from the network, "roadless").
    streets : of the seat, then of each town.
    zone : int64[cells], which streets build the cell over; -1 none.
    unit : int64[cells], row of `units` it belongs to; -1 outside.
    reach : from the middle of each unit.
    """

    terrain: Terrain
    ground: Ground
    towns: pd.DataFrame
    units: pd.DataFrame
    streets: tuple[Streets, ...]
    zone: NDArray[np.int64]
    unit: NDArray[np.int64]
    reach: Reach


def make_places(spec: DemoSpec, terrain: Terrain) -> Places:
    """Return towns, communities and villages in the valleys of `terrain`, each with its ground."""
    rng = np.random.default_rng([spec.seed, 2])
    n_subdistricts = spec.n_subdistricts
    n_towns = spec.n_institutes - n_subdistricts
    names = draw_names(rng, (n_subdistricts, n_towns, spec.n_stations_urban - n_towns, spec.n_stations_rural))
    seat = seat_streets(rng, terrain)
    sites = _town_sites(rng, terrain, n_towns)
    terrain = with_level_sites(terrain, sites)
    streets = (seat, *(town_streets(rng, terrain, site) for site in sites))
    zone = _zones(terrain, streets)
    sites = np.array([town.nodes[town.center] for town in streets[1:]]).reshape(-1, 2)
    villages = _village_sites(rng, terrain, zone, spec.n_stations_rural)
    communities = _spread_centers(seat.nodes, spec.n_stations_urban - n_towns)

    ground = make_ground(terrain, _bridges(terrain, seat))
    zone_step = (zone[ground.first] >= 0) & (zone[ground.first] == zone[ground.second])
    ground = ground.times(np.where(zone_step, 0.3, 1.0))
    heads = _heads(communities, n_subdistricts)
    towns = pd.DataFrame({
        "name": names.subdistricts + names.towns,
        "kind": [SEAT] * n_subdistricts + [TOWN] * n_towns,
        "x": np.concatenate([communities[heads, 0], sites[:, 0]]),
        "y": np.concatenate([communities[heads, 1], sites[:, 1]]),
    })  # fmt: skip
    xy = np.concatenate([communities, sites, villages])
    units = pd.DataFrame({
        "name": names.seat_communities + names.town_communities + names.villages,
        "kind": [SEAT] * len(communities) + [TOWN] * n_towns + [VILLAGE] * len(villages),
        "x": xy[:, 0], "y": xy[:, 1],
    })  # fmt: skip
    units["cell"] = free_cells(terrain, ground, xy)
    start = np.where(units["kind"] == VILLAGE, RURAL_START_M, 0.0)
    reach = spread(ground, units["cell"].to_numpy(), start)
    unit = _grown(reach.source, terrain)
    units["town"] = _town_of(ground, units, towns, free_cells(terrain, ground, towns[["x", "y"]].to_numpy()))
    units["roads"] = _road_states(rng, units, terrain)
    return Places(terrain, ground, towns, units, streets, zone, unit, reach)


def free_cells(terrain: Terrain, ground: Ground, xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """int64[n]: the nearest cell one can build on."""
    from scipy.spatial import cKDTree

    cells = ground.cells
    _, nearest = cKDTree(terrain.xy(cells)).query(xy)
    return cells[nearest]


def scattered(
    rng: np.random.Generator, xy: NDArray[np.float64], weight: NDArray[np.float64], n: int
) -> NDArray[np.int64]:
    """Rows of `n` points out of `xy`, drawn by `weight` and as far apart as they can all be."""
    order = np.argsort(rng.exponential(size=len(xy)) / weight, kind="stable")
    low, high, best = 0.0, float(np.ptp(xy, axis=0).max()), order[:n]
    for _ in range(9):
        gap = 0.5 * (low + high)
        taken = _apart(xy[order], gap, n)
        if len(taken) == n:
            best, low = order[taken], gap
        else:
            high = gap
    return best


def _apart(xy: NDArray[np.float64], gap: float, n: int) -> NDArray[np.int64]:
    taken: list[int] = []
    chosen = np.empty((n, 2))
    for i, point in enumerate(xy):
        if len(taken) == n:
            break
        if not taken or np.min(np.sum((chosen[: len(taken)] - point) ** 2, axis=1)) >= gap * gap:
            chosen[len(taken)] = point
            taken.append(i)
    return np.array(taken, np.int64)


def _candidates(terrain: Terrain, edge_m: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Dry cells away from the county's edge, and how gentle the ground around each is (mean slope)."""
    from scipy.ndimage import distance_transform_edt, uniform_filter

    inner = distance_transform_edt(terrain.is_inside) * CELL_M > edge_m
    gentle = uniform_filter(terrain.slope, 7, mode="nearest")
    cells = np.flatnonzero((inner & (terrain.river_distance_m > 330.0)).ravel())
    return cells, gentle.ravel()[cells]


def _town_sites(rng: np.random.Generator, terrain: Terrain, n: int) -> NDArray[np.float64]:
    cells, slope = _candidates(terrain, 2_200.0)
    xy = terrain.xy(cells)
    off = np.hypot(xy[:, 0] - terrain.seat[0], xy[:, 1] - terrain.seat[1])
    ok = (off > 1.75 * terrain.seat_radius_m) & (terrain.river_distance_m.ravel()[cells] > 700.0)
    cells, slope, xy = cells[ok], slope[ok], xy[ok]
    best = np.argsort(slope, kind="stable")[: len(cells) // 6]
    pick = best[rng.permutation(len(best))[:900]]
    weight = np.exp(-slope[pick] / 0.05 - terrain.height.ravel()[cells[pick]] / 500.0)
    return xy[pick][scattered(rng, xy[pick], weight, n)]


def _village_sites(rng: np.random.Generator, terrain: Terrain, zone: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    from scipy.ndimage import distance_transform_edt

    cells, slope = _candidates(terrain, 600.0)
    from_zone = distance_transform_edt((zone < 0).reshape(terrain.shape)).ravel() * CELL_M
    ok = from_zone[cells] > 1_000.0
    cells, slope = cells[ok], slope[ok]
    best = np.argsort(slope + rng.random(len(slope)) * 0.15, kind="stable")[: len(cells) // 2]
    pick = best[rng.permutation(len(best))[: 9 * n]]
    height = terrain.height.ravel()[cells[pick]]
    weight = np.exp(-slope[pick] / 0.09 - height / 700.0)
    xy = terrain.xy(cells[pick])
    return xy[scattered(rng, xy, weight, n)]


def _zones(terrain: Terrain, streets: tuple[Streets, ...]) -> NDArray[np.int64]:
    import shapely

    zone = np.full(terrain.height.size, -1, np.int64)
    for i, town in enumerate(streets):
        hull = shapely.concave_hull(shapely.MultiPoint(town.nodes), 0.15).buffer(70.0)
        west, south, east, north = hull.bounds
        corner = terrain.cells(np.array([[west, north], [east, south]]))
        rows, columns = np.divmod(corner, terrain.shape[1])
        block = (
            np.arange(rows[0], rows[1] + 1)[:, None] * terrain.shape[1] + np.arange(columns[0], columns[1] + 1)
        ).ravel()
        xy = terrain.xy(block)
        zone[block[shapely.contains_xy(hull, xy[:, 0], xy[:, 1])]] = i
    return zone


def _spread_centers(nodes: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return `n` crossings, evenly spread: the middles of communities."""
    from scipy.spatial import cKDTree

    rows = [0]
    far = np.hypot(*(nodes - nodes[0]).T)
    while len(rows) < n:
        rows.append(int(far.argmax()))
        far = np.minimum(far, np.hypot(*(nodes - nodes[rows[-1]]).T))
    centers = nodes[rows]
    for _ in range(12):
        _, label = cKDTree(centers).query(nodes)
        centers = np.array([nodes[label == i].mean(axis=0) for i in range(n)])
    _, at = cKDTree(nodes).query(centers)
    return nodes[at]


def _heads(communities: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Rows of the communities at which the subdistricts' offices stand."""
    from scipy.spatial import cKDTree

    _, rows = cKDTree(communities).query(_spread_centers(communities, n))
    return np.asarray(rows, np.int64)


def _bridges(terrain: Terrain, seat: Streets) -> list[tuple[int, int]]:
    """Pairs of cells on both banks: the seat's bridges, and one in about 25 km of river elsewhere."""
    pairs = []
    for a, b in seat.ends[seat.is_bridge]:
        pairs.append((seat.nodes[a], seat.nodes[b]))
    flow = np.gradient(terrain.river, axis=0)
    across = np.column_stack([-flow[:, 1], flow[:, 0]]) / np.hypot(flow[:, 0], flow[:, 1])[:, None]
    inside = terrain.is_inside.ravel()[terrain.cells(terrain.river)]
    off = np.hypot(*(terrain.river - np.array(terrain.seat)).T)
    wide = inside & (off > 1.9 * terrain.seat_radius_m)
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(terrain.river, axis=0).T))])
    last = -1e9
    for i in np.flatnonzero(wide):
        start = at[np.flatnonzero(inside)[0]]
        if at[i] - start < 6_000.0 or at[np.flatnonzero(inside)[-1]] - at[i] < 5_000.0 or at[i] - last < 21_000.0:
            continue
        pairs.append((terrain.river[i] - 330.0 * across[i], terrain.river[i] + 330.0 * across[i]))
        last = at[i]
    ends = np.array(pairs).reshape(-1, 2, 2)
    free = make_ground(terrain, [])
    first, second = (free_cells(terrain, free, ends[:, side]) for side in (0, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def _grown(source: NDArray[np.int64], terrain: Terrain) -> NDArray[np.int64]:
    """Every cell of the county to a unit, each unit in one piece: water and cut-off ground go to the nearest one."""
    from scipy.ndimage import distance_transform_edt, find_objects
    from scipy.ndimage import label as pieces_of

    unit = source.reshape(terrain.shape).copy()
    for _ in range(4):
        nearest = distance_transform_edt(unit < 0, return_distances=False, return_indices=True)
        unit = np.where(terrain.is_inside, unit[tuple(nearest)], -1)
        for number, box in enumerate(find_objects(unit + 1)):
            if box is None:
                continue
            block = unit[box]
            piece, n_pieces = pieces_of(block == number)
            if n_pieces > 1:
                sizes = np.bincount(piece.ravel())
                sizes[0] = 0
                block[(piece > 0) & (piece != sizes.argmax())] = -1
    nearest = distance_transform_edt(unit < 0, return_distances=False, return_indices=True)
    return np.where(terrain.is_inside, unit[tuple(nearest)], -1).ravel()


def _town_of(ground: Ground, units: pd.DataFrame, towns: pd.DataFrame, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """The town of each unit: the nearest by road; communities of the seat go to the nearest office."""
    start = np.where(towns["kind"] == SEAT, 600.0, 0.0)
    town = spread(ground, cells, start).source[units["cell"].to_numpy()]
    is_seat_town = (towns["kind"] == SEAT).to_numpy()
    offices = towns.loc[is_seat_town, ["x", "y"]].to_numpy()
    in_seat = (units["kind"] == SEAT).to_numpy()
    xy = units.loc[in_seat, ["x", "y"]].to_numpy()
    town[in_seat] = np.hypot(*(xy[:, None, :] - offices[None, :, :]).T).argmin(axis=0)
    in_town = (units["kind"] == TOWN).to_numpy()
    town[in_town] = np.flatnonzero(~is_seat_town)
    return town


def _road_states(rng: np.random.Generator, units: pd.DataFrame, terrain: Terrain) -> NDArray[np.object_]:
    """Two villages in a hundred have no mapped road, as many a piece of road that joins nothing: remote ones."""
    states = np.full(len(units), JOINED, object)
    villages = np.flatnonzero(units["kind"] == VILLAGE)
    n_each = max(1, round(0.024 * len(villages)))
    height = terrain.height.ravel()[units["cell"].to_numpy()[villages]]
    remote = villages[np.argsort(-height, kind="stable")[: max(2 * n_each, len(villages) // 5)]]
    lot = rng.permutation(remote)
    states[lot[:n_each]] = ROADLESS
    states[lot[n_each : 2 * n_each]] = DETACHED
    return states
