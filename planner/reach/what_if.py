"""What if: open, close, add or move a place, or change a road, and know at once whom it serves.

Opening a place searches only where it is nearer than the others; closing one only the region that it served; changing
a road (`road_edits`) only where a fastest way went over it or now does. Every edit keeps what it changed, so that undo
restores it exactly. `WhatIf` is the one noun of the planner that changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import InputError, ScenarioError
from planner.network.road_network import UNREACHABLE_CS, Snapped
from planner.network.snap import snap_again
from planner.network.speeds import patch_profile
from planner.reach.access import chosen
from planner.reach.positions import Direction, index_positions, make_positions, search_graph
from planner.reach.travel_times import Nearest, limit_cs_of
from planner.units import CENTISECONDS_PER_MINUTE

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.network.patches import Patch
    from planner.network.road_network import ProfileNetwork
    from planner.reach.kernels import Graph, Index, Positions

_LABEL_COLUMN, _PREVIOUS_COLUMN = 3, 2


class Field(NamedTuple):
    """Time and label of every junction, with what the searches need to change them.

    Attributes
    ----------
    state : int32[n_junctions, 4], time, next and previous in its bucket, label: one cache line a junction.
    bucket : int32[a power of two].
    rank : int32[n_places], order of the ids: ties go to the lower.
    stamp : int32[n_junctions], last edit that logged the junction.
    log : int32[n_junctions, 3], row, time and label before the edit.
    """

    state: NDArray[np.int32]
    bucket: NDArray[np.int32]
    rank: NDArray[np.int32]
    stamp: NDArray[np.int32]
    log: NDArray[np.int32]


class Served(NamedTuple):
    """Time and nearest open place of every point, with its log."""

    time_cs: NDArray[np.int32]
    place: NDArray[np.int32]
    stamp: NDArray[np.int32]
    log: NDArray[np.int32]


class Roads(NamedTuple):
    """The network of a trial and the points on it."""

    profile_network: ProfileNetwork
    points: Snapped
    point_positions: Positions
    point_index: Index


class Change(NamedTuple):
    """What one step changed: junctions and points as (row, time, label before), and what else was otherwise.

    `place` is None and `roads` are those of before where a road was changed.
    """

    place: int | None
    was_open: bool
    junctions: NDArray[np.int32]
    points: NDArray[np.int32]
    places: Snapped
    roads: Roads | None


@dataclass(eq=False)
class WhatIf:
    """A county under trial. Change it with the functions of this module only.

    Attributes
    ----------
    profile_network, points, direction, limit_cs : what it was started with.
    places : every place there has been, open or not; a place keeps its row.
    is_open : bool[n_places].
    barriers : what straight legs may not cross.
    changes : what each edit changed, oldest first; an edit may have several steps.
    """

    profile_network: ProfileNetwork
    points: Snapped
    direction: Direction
    limit_cs: int
    places: Snapped
    is_open: NDArray[np.bool_]
    junctions: Field
    served: Served
    point_positions: Positions
    point_index: Index
    place_positions: Positions
    place_index: Index
    barriers: gpd.GeoDataFrame | None = None
    step: int = 0
    changes: list[list[Change]] = field(default_factory=list)

    @property
    def nearest(self) -> Nearest:
        """The nearest open place of every point (rows of `places`) and its time."""
        return Nearest(self.served.place[:, None].copy(), self.served.time_cs[:, None].copy())

    def minutes(self) -> NDArray[np.float64]:
        """Return float64[n_points] minutes to the nearest open place: inf = none, NaN = unknown."""
        cs = self.served.time_cs
        minutes = np.where(cs < UNREACHABLE_CS, cs / CENTISECONDS_PER_MINUTE, np.inf)
        return np.where(self.points.edge >= 0, minutes, np.nan)


def start_what_if(
    profile_network: ProfileNetwork,
    places: Snapped,
    points: Snapped,
    direction: Direction = "towards",
    horizon_min: float = 60.0,
    barriers: gpd.GeoDataFrame | None = None,
) -> WhatIf:
    """Return a trial in which all of `places` are open. Beyond `horizon_min` nobody is served.

    Parameters
    ----------
    barriers : those that places and points were snapped with; needed when roads are changed.

    Raises
    ------
    InputError
        When two places share an id.
    ScenarioError
        When the direction is unknown, or the horizon no positive number of minutes.
    """
    limit_cs = limit_cs_of(horizon_min)
    n = profile_network.network.n_junctions
    graph = search_graph(profile_network, direction)
    state = np.full((n, 4), UNREACHABLE_CS, np.int32)
    state[:, _LABEL_COLUMN] = -1
    nobody = chosen(places, np.zeros(0, np.int64))
    trial = WhatIf(
        profile_network=profile_network,
        points=points,
        direction=direction,
        limit_cs=limit_cs,
        places=nobody,
        is_open=np.zeros(0, bool),
        junctions=Field(
            state, np.full(_n_buckets(graph, limit_cs), -1, np.int32), np.zeros(0, np.int32), np.zeros(n, np.int32),
            np.empty((n, 3), np.int32),
        ),
        served=Served(
            np.full(len(points), UNREACHABLE_CS, np.int32), np.full(len(points), -1, np.int32),
            np.zeros(len(points), np.int32), np.empty((len(points), 3), np.int32),
        ),
        point_positions=make_positions(profile_network, points, leaves=direction == "towards"),
        point_index=index_positions(
            make_positions(profile_network, points, leaves=direction == "towards"), n, profile_network.network.n_chains
        ),
        place_positions=make_positions(profile_network, nobody, leaves=direction == "from"),
        place_index=index_positions(
            make_positions(profile_network, nobody, leaves=direction == "from"), n, profile_network.network.n_chains
        ),
        barriers=barriers,
    )  # fmt: skip
    _set_places(trial, places, np.zeros(len(places), bool))
    for row in range(len(places)):
        _open(trial, row)
    trial.changes.clear()
    return trial


def open_place(trial: WhatIf, place_id: str) -> None:
    """Open (or reopen) a closed place.

    Raises
    ------
    InputError
        When there is no such place, or it is open.
    """
    trial.changes.append([_open(trial, _row(trial, place_id, is_open=False))])


def close_place(trial: WhatIf, place_id: str) -> None:
    """Close an open place; its people go to the next nearest.

    Raises
    ------
    InputError
        When there is no such place, or it is closed.
    """
    trial.changes.append([_close(trial, _row(trial, place_id, is_open=True))])


def add_place(trial: WhatIf, place: Snapped) -> None:
    """Open a new place: one snapped position with an id of its own.

    Raises
    ------
    InputError
        When the id is taken, or `place` is not one position.
    """
    if len(place) != 1:
        raise InputError(f"{len(place)} places given: add one at a time.")
    before = trial.places
    _set_places(trial, _joined(before, place), np.append(trial.is_open, False))
    change = _open(trial, len(trial.places) - 1)
    trial.changes.append([change._replace(places=before)])


def move_place(trial: WhatIf, place_id: str, place: Snapped) -> None:
    """Move an open place to the position of `place`; it keeps its id.

    Raises
    ------
    InputError
        When there is no such open place, or `place` is not one position.
    """
    if len(place) != 1:
        raise InputError(f"{len(place)} positions given: move a place to one.")
    row = _row(trial, place_id, is_open=True)
    closing = _close(trial, row)
    before = trial.places
    moved = {f.name: getattr(before, f.name).copy() for f in fields(Snapped)}
    for name, values in moved.items():
        if name != "ids":
            values[row] = getattr(place, name)[0]
    _set_places(trial, Snapped(**moved), trial.is_open)
    trial.changes.append([closing, _open(trial, row)._replace(places=before)])


def undo(trial: WhatIf) -> None:
    """Take the last edit back, exactly.

    Raises
    ------
    InputError
        When there is nothing to undo.
    """
    if not trial.changes:
        raise InputError("There is nothing to undo.")
    for change in reversed(trial.changes.pop()):
        state, served = trial.junctions.state, trial.served
        state[change.junctions[:, 0], 0] = change.junctions[:, 1]
        state[change.junctions[:, 0], _LABEL_COLUMN] = change.junctions[:, 2]
        served.time_cs[change.points[:, 0]] = change.points[:, 1]
        served.place[change.points[:, 0]] = change.points[:, 2]
        if change.place is not None:
            trial.is_open[change.place] = change.was_open
        if change.roads is not None:
            trial.profile_network, trial.points, trial.point_positions, trial.point_index = change.roads
            _fit(trial)
        if change.places is not trial.places:
            _set_places(trial, change.places, trial.is_open[: len(change.places)])


def covered_people(trial: WhatIf, people: NDArray[np.float64], cutoff_min: float) -> NDArray[np.float64]:
    """Return covered people: of float64[n_points] one figure, of float64[n_points, n_groups] one a group.

    Raises
    ------
    InputError
        When there is not one row of people for every point.
    ScenarioError
        When the time limit makes no sense, or lies beyond the horizon of the trial, where nobody is served.
    """
    limit_cs = limit_cs_of(cutoff_min)
    if limit_cs > trial.limit_cs:
        horizon_min = trial.limit_cs / CENTISECONDS_PER_MINUTE
        raise ScenarioError(
            f"{cutoff_min:g} minutes lie beyond the horizon of the trial, {horizon_min:g}. Start it with a longer one."
        )
    if len(people) != len(trial.points):
        raise InputError(f"{len(people)} rows of people for {len(trial.points)} points: give one for each.")
    return people[trial.served.time_cs <= limit_cs].sum(axis=0)


def _row(trial: WhatIf, place_id: str, *, is_open: bool) -> int:
    found = np.flatnonzero(trial.places.ids.astype(str) == str(place_id))
    if not len(found):
        raise InputError(f"There is no place '{place_id}'.")
    row = int(found[0])
    if bool(trial.is_open[row]) != is_open:
        raise InputError(f"The place '{place_id}' is {'closed' if is_open else 'open'} already.")
    return row


def _set_places(trial: WhatIf, places: Snapped, is_open: NDArray[np.bool_]) -> None:
    """Take in another list of places: order of ids, positions and who stands where."""
    names = places.ids.astype(str)
    values, rank = np.unique(names, return_inverse=True)
    if len(values) < len(names):
        raise InputError("Two places share an id: every place needs its own.")
    network = trial.profile_network.network
    trial.places, trial.is_open = places, is_open.copy()
    trial.junctions = trial.junctions._replace(rank=rank.astype(np.int32))
    trial.place_positions = make_positions(trial.profile_network, places, leaves=trial.direction == "from")
    trial.place_index = index_positions(trial.place_positions, network.n_junctions, network.n_chains)


def _open(trial: WhatIf, row: int) -> Change:
    from planner.reach import edit_kernels as kernels

    trial.step += 1
    trial.is_open[row] = True
    graph = search_graph(trial.profile_network, trial.direction)
    n = kernels.open_place(graph, trial.place_positions, row, trial.limit_cs, trial.junctions, trial.step)
    return _finish(trial, row, n, was_open=False)


def _close(trial: WhatIf, row: int) -> Change:
    from planner.reach import edit_kernels as kernels

    trial.step += 1
    trial.is_open[row] = False
    graph = search_graph(trial.profile_network, trial.direction)
    n = kernels.close_place(
        graph, _back_graph(trial), trial.place_positions, trial.place_index, trial.is_open, row, trial.limit_cs,
        trial.junctions, trial.step,
    )  # fmt: skip
    return _finish(trial, row, n, was_open=True)


def _finish(trial: WhatIf, row: int, n_junctions: int, *, was_open: bool) -> Change:
    rows = _on_chains(trial.point_index, trial.place_positions.chain[row : row + 1])
    return _change(trial, n_junctions, _refresh(trial, rows, n_junctions))._replace(place=row, was_open=was_open)


def _refresh(trial: WhatIf, rows: NDArray[Any], n_junctions: int) -> int:
    """Work out the points at logged junctions and in `rows` anew; return the length of their log."""
    from planner.reach import edit_kernels as kernels

    return int(
        kernels.refresh_points(
            trial.place_positions, trial.point_positions, trial.place_index, trial.point_index, trial.is_open,
            rows.astype(np.int32), trial.limit_cs, trial.direction == "towards", trial.junctions, n_junctions,
            trial.served, trial.step,
        )
    )  # fmt: skip


def _change(trial: WhatIf, n_junctions: int, n_points: int) -> Change:
    """Return the record of a step, with the places as they are."""
    return Change(
        place=None,
        was_open=False,
        junctions=trial.junctions.log[:n_junctions].copy(),
        points=trial.served.log[:n_points].copy(),
        places=trial.places,
        roads=None,
    )


def _joined(one: Snapped, two: Snapped) -> Snapped:
    return Snapped(**{f.name: np.concatenate([getattr(one, f.name), getattr(two, f.name)]) for f in fields(Snapped)})


def change_network(trial: WhatIf, patch: Patch) -> None:
    """Go on with a patched network: only what the change can reach is searched, and touches the roads anew.

    Equal to starting again on the patched network. Until it is undone, the trial keeps the network as it was.
    """
    from planner.reach import edit_kernels as kernels

    before = _roads_of(trial)
    former_places, former = trial.places, trial.place_positions
    trial.step += 1
    trial.profile_network = patch_profile(before.profile_network, patch)
    _fit(trial)
    is_from = trial.direction == "from"
    lost, won = (
        _arcs_of(part, chains, trial.direction)
        for part, chains in ((before.profile_network, patch.old_chains), (trial.profile_network, patch.new_chains))
    )
    places, points = (
        snap_again(trial.profile_network, patch, part, before.profile_network, trial.barriers)
        for part in (trial.places, trial.points)
    )
    network = trial.profile_network.network
    trial.points = points
    trial.point_positions = make_positions(trial.profile_network, points, leaves=not is_from)
    trial.point_index = index_positions(trial.point_positions, network.n_junctions, network.n_chains)
    _set_places(trial, places, trial.is_open)
    moved = np.flatnonzero(_differs(former, trial.place_positions))
    n_junctions = kernels.change_arcs(
        search_graph(trial.profile_network, trial.direction), _back_graph(trial), lost, won, former,
        trial.place_positions, trial.place_index, moved, trial.is_open, trial.limit_cs, trial.junctions, trial.step,
    )  # fmt: skip
    rows = np.unique(
        np.concatenate(
            [
                np.flatnonzero(_differs(before.point_positions, trial.point_positions)),
                _on_chains(before.point_index, former.chain[moved]),
                _on_chains(trial.point_index, trial.place_positions.chain[moved]),
            ]
        )
    )
    n_points = _refresh(trial, rows, n_junctions)
    trial.changes.append([_change(trial, n_junctions, n_points)._replace(places=former_places, roads=before)])


def _roads_of(trial: WhatIf) -> Roads:
    return Roads(trial.profile_network, trial.points, trial.point_positions, trial.point_index)


def _fit(trial: WhatIf) -> None:
    """Give the field as many junctions and buckets as the network of the trial needs; new junctions are unreached."""
    field, n = trial.junctions, trial.profile_network.network.n_junctions
    more = max(n - len(field.state), 0)
    unreached = np.full((more, 4), UNREACHABLE_CS, np.int32)
    unreached[:, _LABEL_COLUMN] = -1
    graph = search_graph(trial.profile_network, trial.direction)
    trial.junctions = field._replace(
        state=np.concatenate([field.state[:n], unreached]),
        bucket=np.full(_n_buckets(graph, trial.limit_cs), -1, np.int32),
        stamp=np.concatenate([field.stamp[:n], np.zeros(more, np.int32)]),
        log=np.empty((n, 3), np.int32),
    )


def _n_buckets(graph: Graph, limit_cs: int) -> int:
    return 1 << int((limit_cs >> graph.shift) + 1).bit_length()


def _back_graph(trial: WhatIf) -> Graph:
    return search_graph(trial.profile_network, "from" if trial.direction == "towards" else "towards")


def _arcs_of(profile_network: ProfileNetwork, chains: NDArray[Any], direction: Direction) -> NDArray[np.int32]:
    """int32[n, 3]: tail, head and centiseconds of the arcs of `chains` as the search follows them."""
    network = profile_network.network
    start, stop = network.chain_from[chains], network.chain_to[chains]
    along, against = profile_network.chain_along_cs[chains], profile_network.chain_against_cs[chains]
    arcs = np.concatenate([np.column_stack([start, stop, along]), np.column_stack([stop, start, against])])
    arcs = arcs[(arcs[:, 0] != arcs[:, 1]) & (arcs[:, 2] < UNREACHABLE_CS)]
    return np.ascontiguousarray(arcs if direction == "from" else arcs[:, [1, 0, 2]], np.int32)


def _differs(one: Positions, two: Positions) -> NDArray[np.bool_]:
    """bool[n]: whether a position has other legs or stands elsewhere on its chain."""
    return (
        (one.junction != two.junction).any(axis=1) | (one.leg_cs != two.leg_cs).any(axis=1)
        | (one.along_s != two.along_s) | (one.against_s != two.against_s) | (one.access_s != two.access_s)
    )  # fmt: skip


def _on_chains(index: Index, chains: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the rows that stand on any of `chains`."""
    parts = [index.chain_member[index.chain_first[c] : index.chain_first[c + 1]] for c in chains if c >= 0]
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)
