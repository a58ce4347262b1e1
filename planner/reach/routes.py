"""The fastest way between a point and a place: geometry along real edges, minutes, metres and both access legs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import InputError
from planner.network.road_network import UNREACHABLE_CS
from planner.reach.access import chosen
from planner.reach.travel_times import junction_times, nearest
from planner.units import CENTISECONDS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import LineString

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.reach.positions import Direction


@dataclass(frozen=True)
class Route:
    """One way, in the direction of travel.

    Attributes
    ----------
    origin_id, place_id : ids of the point and the place.
    travel_time_min : both access legs included; equal to the travel time of the tables. inf = there is no way, NaN =
        one of the two touches no road.
    length_m : along the roads, without the access legs.
    origin_access_m, place_access_m : the straight legs.
    edge : int32[n], edges travelled, the first and the last perhaps in part.
    geometry : line from the point to the place (or back, for direction "from"), legs included; None without a way.
    """

    origin_id: Any
    place_id: Any
    travel_time_min: float
    length_m: float
    origin_access_m: float
    place_access_m: float
    edge: NDArray[np.int32]
    geometry: LineString | None


def route(profile_network: ProfileNetwork, origin: Snapped, place: Snapped, direction: Direction = "towards") -> Route:
    """Return the fastest way from `origin` to `place` ("towards"), or from `place` to `origin` ("from").

    Parameters
    ----------
    origin, place : one snapped position each.

    Raises
    ------
    InputError
        When either is not exactly one position.
    """
    if len(origin) != 1 or len(place) != 1:
        raise InputError(f"{len(origin)} origins and {len(place)} places given: a route has one of each.")
    if origin.edge[0] < 0 or place.edge[0] < 0:
        return _no_route(origin, place, np.nan)
    time_cs = int(nearest(profile_network, place, origin, direction).time_cs[0, 0])
    if time_cs == UNREACHABLE_CS:
        return _no_route(origin, place, np.inf)
    start, stop = (origin, place) if direction == "towards" else (place, origin)
    ways = [_along_one_chain(profile_network, start, stop)]
    ways.append(_by_junctions(profile_network, start, stop, time_cs))
    stretches = min((way for way in ways if way is not None), key=lambda way: _seconds(profile_network, way))
    return _drawn(profile_network, origin, place, (start, stop), stretches, time_cs)


# A stretch is (edge, share where it is entered, share where it is left).
_Stretch = tuple[int, float, float]


def nearest_route(
    profile_network: ProfileNetwork, origin: Snapped, places: Snapped, direction: Direction = "towards"
) -> Route:
    """Return the way between `origin` (one position) and its nearest place; `place_id` None where it reaches none.

    Raises
    ------
    InputError
        When there is not exactly one origin, or no place at all.
    """
    if not len(places):
        raise InputError("There is no place to find a way to.")
    if len(origin) != 1:
        raise InputError(f"{len(origin)} origins given: a route has one.")
    row = int(nearest(profile_network, places, origin, direction).place[0, 0])
    if row >= 0:
        return route(profile_network, origin, chosen(places, np.array([row])), direction)
    # No place is nearest: what keeps the origin from all of them is told, not what keeps it from one.
    is_known = origin.edge[0] >= 0 and (places.edge >= 0).any()
    nowhere = np.inf if is_known else np.nan
    return Route(
        origin.ids[0], None, nowhere, nowhere, float(origin.access_m[0]), np.nan, np.zeros(0, np.int32), None
    )  # fmt: skip


def _no_route(origin: Snapped, place: Snapped, minutes: float) -> Route:
    return Route(
        origin.ids[0], place.ids[0], minutes, minutes, float(origin.access_m[0]), float(place.access_m[0]),
        np.zeros(0, np.int32), None,
    )  # fmt: skip


def _along_one_chain(profile_network: ProfileNetwork, start: Snapped, stop: Snapped) -> list[_Stretch] | None:
    """Return the way without a junction, where both positions stand on one chain and it may be travelled so."""
    network = profile_network.network
    a, b = (int(start.edge[0]), float(start.share[0])), (int(stop.edge[0]), float(stop.share[0]))
    if network.edge_chain[a[0]] != network.edge_chain[b[0]]:
        return None
    seconds = profile_network.edge_along_s if a <= b else profile_network.edge_against_s
    if a != b and not np.isfinite(seconds[a[0]]):
        return None
    return _stretches(a, b)


def _stretches(a: tuple[int, float], b: tuple[int, float]) -> list[_Stretch]:
    """Return the edges between two positions (edge, share) of one chain."""
    if a[0] == b[0]:
        return [(a[0], a[1], b[1])]
    if a < b:
        return [(a[0], a[1], 1.0), *((e, 0.0, 1.0) for e in range(a[0] + 1, b[0])), (b[0], 0.0, b[1])]
    return [(a[0], a[1], 0.0), *((e, 1.0, 0.0) for e in range(a[0] - 1, b[0], -1)), (b[0], 1.0, b[1])]


def _by_junctions(
    profile_network: ProfileNetwork, start: Snapped, stop: Snapped, time_cs: int
) -> list[_Stretch] | None:
    """Return the fastest way over at least one junction; None when the way along the chain is all there is."""
    from planner.reach.positions import make_positions

    minutes = (time_cs + 1) / CENTISECONDS_PER_MINUTE
    ball = junction_times(profile_network, stop, minutes, "towards")
    to_stop = dict(zip(ball.junction.tolist(), ball.time_cs.tolist(), strict=True))
    leaving, arriving = (
        make_positions(profile_network, start, leaves=True),
        make_positions(profile_network, stop, leaves=False),
    )
    options = []
    for side in (0, 1):
        junction, leg_cs = int(leaving.junction[0, side]), int(leaving.leg_cs[0, side])
        if junction in to_stop and leg_cs < UNREACHABLE_CS:
            options.append((leg_cs + to_stop[junction], side, junction))
    if not options:
        return None
    _, side, junction = min(options)
    arrivals = {int(arriving.junction[0, s]): s for s in (1, 0) if arriving.leg_cs[0, s] < UNREACHABLE_CS}
    legs = {s: int(arriving.leg_cs[0, s]) for s in (0, 1)}
    ends = {j: min((legs[s], s) for s in (0, 1) if int(arriving.junction[0, s]) == j)[1] for j in arrivals}
    chains = _trace(profile_network, junction, to_stop, {j: legs[s] for j, s in ends.items()})
    network = profile_network.network
    first = network.chain_first_edge
    start_chain, stop_chain = int(leaving.chain[0]), int(arriving.chain[0])
    way = _stretches((int(start.edge[0]), float(start.share[0])), _chain_end(first, start_chain, side))
    at = junction
    for chain, is_along in chains:
        sides = (0, 1) if is_along else (1, 0)
        way += _stretches(_chain_end(first, chain, sides[0]), _chain_end(first, chain, sides[1]))
        at = int(network.chain_to[chain] if is_along else network.chain_from[chain])
    return way + _stretches(_chain_end(first, stop_chain, ends[at]), (int(stop.edge[0]), float(stop.share[0])))


def _chain_end(first: NDArray[np.int64], chain: int, side: int) -> tuple[int, float]:
    return (int(first[chain]), 0.0) if side == 0 else (int(first[chain + 1]) - 1, 1.0)


def _trace(
    profile_network: ProfileNetwork, junction: int, to_stop: dict[int, int], arrivals: dict[int, int]
) -> list[tuple[int, bool]]:
    """Return the chains from `junction` on, each with whether it is travelled along, by arcs that lose no time.

    Depth first with a memory, so that arcs of zero centiseconds cannot lead round in circles.
    """
    starts, ends, cost, chain, is_along = _arcs(profile_network)
    stack: list[tuple[int, list[tuple[int, bool]]]] = [(junction, [])]
    seen = {junction}
    while stack:
        at, way = stack.pop()
        if arrivals.get(at) == to_stop[at]:
            return way
        low, high = np.searchsorted(starts, [at, at + 1])
        for arc in range(high - 1, low - 1, -1):
            head = int(ends[arc])
            if head not in seen and to_stop.get(head, -1) + int(cost[arc]) == to_stop[at] and head in to_stop:
                seen.add(head)
                stack.append((head, [*way, (int(chain[arc]), bool(is_along[arc]))]))
    raise AssertionError("a settled junction has no way to the place: a defect of the search")


def _arcs(
    profile_network: ProfileNetwork,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """Return tail, head, centiseconds, chain and sense of every arc, sorted by tail, then chain."""
    network = profile_network.network
    chains = np.arange(network.n_chains)
    along = np.flatnonzero(profile_network.chain_along_cs < UNREACHABLE_CS)
    against = np.flatnonzero(profile_network.chain_against_cs < UNREACHABLE_CS)
    tail = np.concatenate([network.chain_from[along], network.chain_to[against]])
    head = np.concatenate([network.chain_to[along], network.chain_from[against]])
    cost = np.concatenate([profile_network.chain_along_cs[along], profile_network.chain_against_cs[against]])
    chain = np.concatenate([chains[along], chains[against]])
    is_along = np.arange(len(tail)) < len(along)
    order = np.lexsort((chain, tail))
    return tail[order], head[order], cost[order], chain[order], is_along[order]


def _seconds(profile_network: ProfileNetwork, way: list[_Stretch]) -> float:
    total = 0.0
    for edge, enter, leave in way:
        if enter != leave:
            seconds = profile_network.edge_along_s if leave > enter else profile_network.edge_against_s
            total += abs(leave - enter) * float(seconds[edge])
    return total


def _drawn(
    profile_network: ProfileNetwork,
    origin: Snapped,
    place: Snapped,
    ends: tuple[Snapped, Snapped],
    way: list[_Stretch],
    time_cs: int,
) -> Route:
    """Return the way as a line with its figures."""
    from shapely import LineString

    network = profile_network.network
    start, stop = ends
    points = [(float(start.x[0]), float(start.y[0])), (float(start.snap_x[0]), float(start.snap_y[0]))]
    length_m = 0.0
    for edge, enter, leave in way:
        tail, head = network.edge_from[edge], network.edge_to[edge]
        length_m += abs(leave - enter) * float(network.edge_length_m[edge])
        x = network.x[tail] + leave * (network.x[head] - network.x[tail])
        y = network.y[tail] + leave * (network.y[head] - network.y[tail])
        points.append((float(x), float(y)))
    points.append((float(stop.x[0]), float(stop.y[0])))
    kept = [point for i, point in enumerate(points) if i == 0 or point != points[i - 1]]
    return Route(
        origin_id=origin.ids[0],
        place_id=place.ids[0],
        travel_time_min=time_cs / CENTISECONDS_PER_MINUTE,
        length_m=length_m,
        origin_access_m=float(origin.access_m[0]),
        place_access_m=float(place.access_m[0]),
        edge=np.array([edge for edge, enter, leave in way if enter != leave], np.int32),
        geometry=LineString(kept if len(kept) > 1 else kept * 2),
    )
