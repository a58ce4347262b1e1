"""The time surface: minutes to the nearest place everywhere, the people inside a limit, and how many places overlap.

Circles, people, maps and clicks are all answered from the snap grid and the times of the junctions, so they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from planner.errors import ScenarioError
from planner.network.road_network import UNREACHABLE_CS
from planner.progress import SILENT
from planner.reach.positions import make_positions, search_graph
from planner.reach.snap_grid import edge_segments
from planner.reach.threads import run_blocks
from planner.reach.travel_times import junction_times, limit_cs_of
from planner.study import Grid
from planner.units import CENTISECONDS_PER_MINUTE, CENTISECONDS_PER_SECOND, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.progress import Progress
    from planner.reach.positions import Direction
    from planner.reach.snap_grid import SnapGrid

_EDGES_PER_BLOCK = 4_096
_PLACES_PER_SEARCH = 64
_ROADS: WeakKeyDictionary[ProfileNetwork, dict[str, Roads]] = WeakKeyDictionary()


class Roads(NamedTuple):
    """Edges as the compiled loops read them, for one direction of travel.

    Attributes
    ----------
    edges : float64[n_edges, 8]: x, y of both ends; a position at share s is `[4] + s * [5]` seconds from its chain's
        start and `[6] - s * [7]` from its end, in the direction of travel; inf and 0 where that is not allowed.
    ends : int32[n_edges, 4]: chain, junction at its start, junction at its end; 1 where the edge is the start of its
        chain but that way is closed, 2 where it is its closed end, 3 both, else 0.
    chain_first_edge : int64[n_chains + 1].
    incident_first, incident_chain : usable chains at each junction (CSR: int64[n_junctions + 1], int32).
    n_junctions : of the network.
    """

    edges: NDArray[np.float64]
    ends: NDArray[np.int32]
    chain_first_edge: NDArray[np.int64]
    incident_first: NDArray[np.int64]
    incident_chain: NDArray[np.int32]
    n_junctions: int


class State(NamedTuple):
    """Times around a set of places, as the compiled loops read them.

    Attributes
    ----------
    junction_s : float64[n_junctions], seconds between junction and nearest place; inf = beyond the search.
    chain_place : int32[n_chains], a place on the chain; -1 = none.
    next_place : int32[n_places], the next place on the same chain; -1 = none.
    places : float64[n_places, 7], see `place_rows`.
    """

    junction_s: NDArray[np.float64]
    chain_place: NDArray[np.int32]
    next_place: NDArray[np.int32]
    places: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TimeSurface:
    """Minutes to the nearest of a set of places, in every cell and at any point.

    Attributes
    ----------
    snap_grid : its frame, and where its cells touch the road.
    profile : code.
    direction : of travel.
    limit_min : minutes beyond which nothing was searched; inf = none.
    minutes : float32[rows, columns] at cell centres, row 0 in the north; inf = not reached, NaN = unknown.
    """

    snap_grid: SnapGrid
    profile: str
    direction: str
    limit_min: float
    minutes: NDArray[np.float32]
    _state: State
    _roads: Roads

    @property
    def crs(self) -> str:
        """CRS of the surface, metric."""
        return self.snap_grid.crs

    @property
    def cell_m(self) -> float:
        """Cell size in metres."""
        return self.snap_grid.cell_m

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """(a, b, c, d, e, f) of x = a * column + b * row + c, y = d * column + e * row + f, at cell corners."""
        return self.snap_grid.transform

    def to_grid(self) -> Grid:
        """Return the surface as a raster to draw or to write: minutes, inf = not reached, NaN = unknown."""
        return Grid(self.minutes, self.transform, self.crs, "min")

    def minutes_at(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Return float64[n] minutes at points of the working CRS; inf = not reached, NaN = unknown.

        Not the cell's value: the point's own nearest road position among those of the cells around it.
        """
        from planner.reach.outline_kernels import point_seconds

        xs, ys = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
        seconds, edge = point_seconds(xs, ys, self._state, self._roads, self.snap_grid.edge, ground_of(self.snap_grid))
        # In whole centiseconds, as all travel times: 36 m at 1.2 m/s are within half a minute.
        minutes = np.rint(seconds * CENTISECONDS_PER_SECOND) / CENTISECONDS_PER_MINUTE
        minutes[minutes > self.limit_min] = np.inf
        return np.where(edge >= 0, minutes, np.nan)

    def people_within(
        self, x: ArrayLike, y: ArrayLike, population: ArrayLike, cutoffs_min: tuple[float, ...]
    ) -> pd.DataFrame:
        """Return people by time limit: cutoff_min, population, covered, uncovered and unknown people.

        Parameters
        ----------
        x, y, population : n points of the working CRS and the people who live there.
        """
        import pandas as pd

        minutes = self.minutes_at(x, y)
        people = np.asarray(population, np.float64)
        unknown = float(people[np.isnan(minutes)].sum())
        rows = []
        for cutoff_min in cutoffs_min:
            covered = float(people[minutes <= cutoff_min].sum())
            rows.append((cutoff_min, float(people.sum()), covered, float(people.sum()) - covered - unknown, unknown))
        columns = ["cutoff_min", "population", "covered_people", "uncovered_people", "unknown_people"]
        return pd.DataFrame(rows, columns=columns)


def time_surface(
    profile_network: ProfileNetwork,
    snap_grid: SnapGrid,
    places: Snapped,
    cutoff_min: float | None = None,
    direction: Direction = "towards",
    progress: Progress = SILENT,
) -> TimeSurface:
    """Return the minutes to the nearest of `places` (of one tier, or of one place alone).

    Parameters
    ----------
    cutoff_min : look no further; None = to the end of the network.

    Raises
    ------
    ScenarioError
        When the direction is unknown, or the cutoff negative or not a number.
    CancelledError
        From `progress`.
    """
    from planner.reach import kernels
    from planner.reach.outline_kernels import cell_minutes

    require_own_grid(profile_network, snap_grid)
    places = placed(places)
    limit_cs = UNREACHABLE_CS - 1 if cutoff_min is None else limit_cs_of(cutoff_min)
    graph = search_graph(profile_network, direction)
    starts = make_positions(profile_network, places, leaves=direction == "from")
    _, junction_cs = kernels.nearest_junctions(graph, starts, 1, limit_cs)
    junction_s = np.where(junction_cs[:, 0] < UNREACHABLE_CS, junction_cs[:, 0] / CENTISECONDS_PER_SECOND, np.inf)
    roads = roads_of(profile_network, direction)
    state = _state(roads, places, junction_s)
    minutes = np.full(snap_grid.edge.shape, np.nan, np.float32)
    cells, leg_s_per_m = cells_of(snap_grid), snap_grid.access_s_per_m

    def fill(start: int, stop: int) -> None:
        cell_minutes(start, stop, state, roads, cells, leg_s_per_m, minutes)

    run_blocks(fill, profile_network.network.n_edges, _EDGES_PER_BLOCK, progress)
    limit = np.inf if cutoff_min is None else cutoff_min
    minutes[minutes > limit] = np.inf
    return TimeSurface(snap_grid, profile_network.profile.code, direction, limit, minutes, state, roads)


def overlap_counts(
    profile_network: ProfileNetwork,
    snap_grid: SnapGrid,
    places: Snapped,
    cutoff_min: float,
    direction: Direction = "towards",
    progress: Progress = SILENT,
) -> NDArray[np.int32]:
    """Return int32[rows, columns]: how many of `places` lie within `cutoff_min` of each cell centre.

    Row 0 in the north, frame and transform as the snap grid; 0 also where nothing is known.

    Raises
    ------
    ScenarioError, CancelledError
        As `junction_times`.
    """
    from planner.reach.outline_kernels import count_cells

    require_own_grid(profile_network, snap_grid)
    places = placed(places)
    roads = roads_of(profile_network, direction)
    cells, leg_s_per_m = cells_of(snap_grid), snap_grid.access_s_per_m
    counts = np.zeros(snap_grid.edge.shape, np.int32)
    rows = place_rows(roads, places)
    for start in range(0, len(places), _PLACES_PER_SEARCH):
        some = slice(start, start + _PLACES_PER_SEARCH)
        balls = junction_times(profile_network, rows_of(places, some), cutoff_min, direction)
        ball = (balls.first, balls.junction, balls.time_cs)
        count_cells(cutoff_min * SECONDS_PER_MINUTE, ball, rows[some], roads, cells, leg_s_per_m, counts)
        progress.update(start + len(rows[some]), len(places))
    return counts


def placed(places: Snapped) -> Snapped:
    """Return the places that touch a road."""
    return rows_of(places, np.flatnonzero(places.edge >= 0))


def rows_of(places: Snapped, rows: NDArray[Any] | slice) -> Snapped:
    """Return some of the places."""
    return type(places)(**{name: values[rows] for name, values in vars(places).items()})


def require_own_grid(profile_network: ProfileNetwork, snap_grid: SnapGrid) -> None:
    """Raise `ScenarioError` when the snap grid was made for another network or profile."""
    n_edges = len(snap_grid.cell_first) - 1
    profile = profile_network.profile
    if n_edges != profile_network.network.n_edges or snap_grid.profile != profile.code:
        raise ScenarioError(
            f"The snap grid was made for profile '{snap_grid.profile}' on {n_edges} edges, not for '{profile.code}' on "
            f"{profile_network.network.n_edges}. Make it again."
        )


def roads_of(profile_network: ProfileNetwork, direction: Direction) -> Roads:
    """Return the edges as the loops read them, towards places or from them; made once per profile network."""
    made = _ROADS.setdefault(profile_network, {})
    if direction not in made:
        network = profile_network.network
        along = (profile_network.before_along_s, profile_network.edge_along_s, profile_network.chain_along_s)
        against = (profile_network.before_against_s, profile_network.edge_against_s, profile_network.chain_against_s)
        near, far = (against, along) if direction == "towards" else (along, against)
        ramp = np.full((network.n_edges, 4), np.inf)
        ramp[:, 1] = ramp[:, 3] = 0.0
        near_ok, far_ok = np.isfinite(near[1]), np.isfinite(far[1])
        ramp[near_ok, 0], ramp[near_ok, 1] = near[0][near_ok], near[1][near_ok]
        ramp[far_ok, 2] = far[2][network.edge_chain[far_ok]] - far[0][far_ok]
        ramp[far_ok, 3] = far[1][far_ok]
        chain, every = network.edge_chain, np.arange(network.n_edges)
        is_closed_start = (every == network.chain_first_edge[chain]) & ~near_ok
        is_closed_end = (every == network.chain_first_edge[chain + 1] - 1) & ~far_ok
        closed = is_closed_start + 2 * is_closed_end
        made[direction] = Roads(
            np.column_stack([edge_segments(profile_network), ramp]),
            np.column_stack([chain, network.chain_from[chain], network.chain_to[chain], closed]).astype(np.int32),
            network.chain_first_edge,
            *_incidence(profile_network),
            network.n_junctions,
        )
    return made[direction]


def _incidence(profile_network: ProfileNetwork) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the usable chains at each junction, as CSR."""
    network = profile_network.network
    chains = np.flatnonzero(profile_network.chain_component >= 0).astype(np.int32)
    junction = np.concatenate([network.chain_from[chains], network.chain_to[chains]])
    order = np.argsort(junction, kind="stable")
    first = np.zeros(network.n_junctions + 1, np.int64)
    np.cumsum(np.bincount(junction, minlength=network.n_junctions), out=first[1:])
    return first, np.concatenate([chains, chains])[order]


def place_rows(roads: Roads, places: Snapped) -> NDArray[np.float64]:
    """Return float64[n, 7] of placed places: edge, share, seconds from its chain's start and end, of its leg, x, y."""
    edge, share = places.edge, places.share
    edges = roads.edges[edge]
    near_s, far_s = edges[:, 4] + share * edges[:, 5], edges[:, 6] - share * edges[:, 7]
    return np.column_stack([edge, share, near_s, far_s, places.access_s, places.x, places.y])


def _state(roads: Roads, places: Snapped, junction_s: NDArray[np.float64]) -> State:
    """Return the state of placed places."""
    chain_place = np.full(len(roads.chain_first_edge) - 1, -1, np.int32)
    next_place = np.full(len(places), -1, np.int32)
    for p, chain in enumerate(roads.ends[places.edge, 0]):
        next_place[p], chain_place[chain] = chain_place[chain], p
    return State(junction_s, chain_place, next_place, place_rows(roads, places))


def cells_of(snap_grid: SnapGrid) -> tuple[Any, ...]:
    """Return the known cells by edge, as the compiled loops take them."""
    return snap_grid.cell_first, snap_grid.cell_place, snap_grid.cell_road


def ground_of(snap_grid: SnapGrid) -> tuple[Any, ...]:
    """Return legs, barriers and frame, as the compiled loops take them."""
    walls = snap_grid.walls
    fence = (walls.segments, walls.segment_area, walls.tile_first, walls.tile_segment, walls.cell_area, walls.is_near)
    frame = (snap_grid.x_min, snap_grid.y_max, snap_grid.cell_m, walls.tile_m, walls.n_tile_rows, walls.n_tile_cols)
    return (snap_grid.max_access_m, snap_grid.access_s_per_m, fence, frame)
