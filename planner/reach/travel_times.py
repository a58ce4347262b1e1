"""Travel times between places and points: sparse within a cutoff, and the nearest places with their labels.

Exact at edge positions: on one edge, one chain, a loop, a one-way road or a dead end. Each leg and each chain is
rounded to whole centiseconds once.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import ScenarioError
from planner.network.road_network import UNREACHABLE_CS
from planner.progress import SILENT
from planner.reach.positions import Direction, index_positions, make_positions, search_graph, sorted_positions
from planner.reach.threads import run_blocks
from planner.units import CENTISECONDS_PER_MINUTE, cs_from_min

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.progress import Progress
    from planner.reach.kernels import Workspace

_BLOCK = 64  # places between two reports


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Sparse travel times: row p holds the points within the cutoff of place p, in the order the search met them.

    Attributes
    ----------
    n_points : columns.
    first : int64[n_places + 1].
    point : int32[n], rows of the points.
    time_cs : int32[n], centiseconds.
    """

    n_points: int
    first: NDArray[np.int64]
    point: NDArray[np.int32]
    time_cs: NDArray[np.int32]

    def minutes(self) -> csr_array:
        """Return places x points, float minutes, columns sorted; absent = beyond the cutoff."""
        from scipy.sparse import csr_array

        table = csr_array(
            (self.time_cs / CENTISECONDS_PER_MINUTE, self.point.copy(), self.first.copy()),
            shape=(len(self.first) - 1, self.n_points),
        )
        table.sort_indices()
        return table


@dataclass(frozen=True, eq=False)
class Balls:
    """Junctions within the cutoff of each place (CSR over places), in the order the search met them.

    Attributes
    ----------
    first : int64[n_places + 1].
    junction : int32[n].
    time_cs : int32[n], centiseconds, access leg of the place included.
    """

    first: NDArray[np.int64]
    junction: NDArray[np.int32]
    time_cs: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The k nearest places of every point, nearest first; ties go to the place whose id sorts first.

    Attributes
    ----------
    place : int32[n_points, k], rows of the places; -1 = none.
    time_cs : int32[n_points, k], centiseconds; `UNREACHABLE_CS` = none.
    """

    place: NDArray[np.int32]
    time_cs: NDArray[np.int32]

    def minutes(self) -> NDArray[np.float64]:
        """Return float64[n_points, k] minutes; inf = none."""
        return np.where(self.time_cs < UNREACHABLE_CS, self.time_cs / CENTISECONDS_PER_MINUTE, np.inf)


def travel_times(
    profile_network: ProfileNetwork,
    places: Snapped,
    points: Snapped,
    cutoff_min: float,
    direction: Direction = "towards",
    progress: Progress = SILENT,
) -> TravelTimes:
    """Return the time between every place and every point within `cutoff_min` of it, both legs included.

    Parameters
    ----------
    direction : "towards" = people travel from the points to the places; "from" = the other way.

    Raises
    ------
    ScenarioError
        When the cutoff is negative or not a number, or the direction unknown.
    CancelledError
        From `progress`.
    """
    from planner.reach import kernels

    limit_cs = limit_cs_of(cutoff_min)
    graph = search_graph(profile_network, direction)
    is_towards = direction == "towards"
    starts = make_positions(profile_network, places, leaves=not is_towards)
    ends = make_positions(profile_network, points, leaves=is_towards)
    index = index_positions(ends, profile_network.network.n_junctions, profile_network.network.n_chains)

    def search(start: int, stop: int, work: Workspace) -> Any:  # noqa: ANN401  a tuple of arrays out of the kernel
        return kernels.point_times(graph, starts, ends, index, start, stop, limit_cs, is_towards, work)

    def make() -> Workspace:
        return kernels.make_workspace(graph, limit_cs, len(points))

    count, point, time_cs = _in_blocks(len(places), search, make, progress)
    return TravelTimes(len(points), _first(count), point, time_cs)


def junction_times(
    profile_network: ProfileNetwork,
    places: Snapped,
    cutoff_min: float,
    direction: Direction = "towards",
    progress: Progress = SILENT,
) -> Balls:
    """Return the junctions within `cutoff_min` of every place, with the time between them and the place.

    Raises
    ------
    ScenarioError, CancelledError
        As `travel_times`.
    """
    from planner.reach import kernels

    limit_cs = limit_cs_of(cutoff_min)
    graph = search_graph(profile_network, direction)
    starts = make_positions(profile_network, places, leaves=direction == "from")

    def search(start: int, stop: int, work: Workspace) -> Any:  # noqa: ANN401  a tuple of arrays out of the kernel
        return kernels.balls(graph, starts, start, stop, limit_cs, work)

    def make() -> Workspace:
        return kernels.make_workspace(graph, limit_cs)

    count, junction, time_cs = _in_blocks(len(places), search, make, progress)
    return Balls(_first(count), junction, time_cs)


def nearest(
    profile_network: ProfileNetwork,
    places: Snapped,
    points: Snapped,
    direction: Direction = "towards",
    k: int = 1,
    cutoff_min: float | None = None,
) -> Nearest:
    """Return the k nearest places of every point with their times, both legs included; all of them where k is more.

    Parameters
    ----------
    cutoff_min : look no further; None = to the end of the network.

    Raises
    ------
    ScenarioError
        When `k` is no whole number of at least 1, the cutoff negative or the direction unknown.
    """
    from planner.reach import kernels

    if k < 1 or k != int(k):
        raise ScenarioError(f"k = {k}: ask for a whole number of nearest places, one at least.")
    k = min(int(k), max(len(places), 1))
    limit_cs = UNREACHABLE_CS - 1 if cutoff_min is None else limit_cs_of(cutoff_min)
    graph = search_graph(profile_network, direction)
    is_towards = direction == "towards"
    by_id = np.argsort(places.ids.astype(str), kind="stable") if len(places) else np.zeros(0, np.int64)
    starts = make_positions(profile_network, places, leaves=not is_towards)
    starts = sorted_positions(starts, by_id)
    ends = make_positions(profile_network, points, leaves=is_towards)
    label, junction_cs = kernels.nearest_junctions(graph, starts, k, limit_cs)
    index = index_positions(starts, profile_network.network.n_junctions, profile_network.network.n_chains)
    label, time_cs = kernels.nearest_points(label, junction_cs, starts, ends, index, limit_cs, is_towards)
    place = np.where(label >= 0, by_id[label], -1) if len(places) else label
    return Nearest(place.astype(np.int32), time_cs)


def limit_cs_of(cutoff_min: float) -> int:
    """Return a time limit in whole centiseconds.

    Raises
    ------
    ScenarioError
        When it is negative, not a number, or longer than any way can take.
    """
    if not 0 <= cutoff_min < (UNREACHABLE_CS - 1) / CENTISECONDS_PER_MINUTE:
        raise ScenarioError(f"A time limit of {cutoff_min} minutes makes no sense: give a positive number.")
    return cs_from_min(cutoff_min)


def _first(count: NDArray[np.int64]) -> NDArray[np.int64]:
    first = np.zeros(len(count) + 1, np.int64)
    np.cumsum(count, out=first[1:])
    return first


def _in_blocks(
    n_places: int, search: Callable[[int, int, Workspace], Any], make: Callable[[], Workspace], progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Search block by block on all cores; a thread takes a workspace that another has left, or makes one."""
    spare: queue.SimpleQueue[Workspace] = queue.SimpleQueue()

    def run(start: int, stop: int) -> Any:  # noqa: ANN401  a tuple of arrays out of the kernel
        try:
            work = spare.get_nowait()
        except queue.Empty:
            work = make()
        found = search(start, stop, work)
        spare.put(work)
        return found

    found = run_blocks(run, n_places, _BLOCK, progress)
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32)
    count, member, time_cs = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return count, member, time_cs
