"""The spine of a corridor: one line through all its pieces, along which places stand in order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PARALLEL_M = 100.0
"""A piece that stays this near another is its other carriageway (or bank), not its continuation."""
_DIGITS = 3  # ends on the same millimetre meet


def spine_of(lines: Sequence[shapely.Geometry]) -> shapely.LineString:
    """Return the line along which a corridor is followed, beginning at its western end (southern, where equal).

    Pieces that meet are one network, whose longest shortest way is taken (found by two sweeps: exact for trees, near it
    for networks with rings). Pieces that meet nothing continue the longest of them at its nearer end, nearest first; a
    piece within `PARALLEL_M` of what is there already is left out. An empty line when there is no line.
    """
    parts = [part for part in shapely.get_parts(shapely.line_merge(shapely.union_all(list(lines)))) if part.length > 0]
    ways = sorted(_ways(parts), key=lambda way: (-way.length, way.wkb))
    if not ways:
        return shapely.LineString()
    spine, rest = ways[0], ways[1:]
    while rest:
        near = spine.buffer(PARALLEL_M)
        rest = [way for way in rest if not near.covers(way)]
        if not rest:
            break
        joined = [_joined(spine, way) for way in rest]
        nearest = min(range(len(rest)), key=lambda i: (joined[i][0], rest[i].wkb))
        spine = joined[nearest][1]
        del rest[nearest]
    first, last = spine.coords[0], spine.coords[-1]
    return spine if first <= last else spine.reverse()


def _ways(parts: list[shapely.LineString]) -> list[shapely.LineString]:
    """Return the longest shortest way of every connected piece; a ring is its own way."""
    if not parts:
        return []
    ends = np.round([(part.coords[0], part.coords[-1]) for part in parts], _DIGITS).reshape(-1, 2)
    nodes, number = np.unique(ends, axis=0, return_inverse=True)
    tail, head = number.reshape(-1, 2).T
    length = np.array([part.length for part in parts])
    # Of two parts between the same ends the shorter one is the way.
    order = np.lexsort((length, np.maximum(tail, head), np.minimum(tail, head)))
    pair = np.column_stack([np.minimum(tail, head), np.maximum(tail, head)])[order]
    chosen = order[np.unique(pair, axis=0, return_index=True)[1]]
    shape = (len(nodes), len(nodes))
    graph = coo_array((length[chosen], (tail[chosen], head[chosen])), shape=shape).tocsr()
    between = {(int(tail[i]), int(head[i])): parts[i] for i in chosen}
    _, piece = connected_components(graph, directed=False)
    ways = []
    for label in range(int(piece.max()) + 1):
        path = _longest(graph, int(np.flatnonzero(piece == label)[0]))
        steps = [_oriented(between, a, b) for a, b in pairwise(path)]
        rings = [parts[i] for i in range(len(parts)) if tail[i] == head[i] and piece[tail[i]] == label]
        longest = max([_one_line(steps), *rings], key=lambda line: line.length)
        ways.append(longest)
    return ways


def _longest(graph: Any, start: int) -> list[int]:  # noqa: ANN401  a sparse matrix
    """Return the nodes of the way between the two ends that two sweeps find."""
    far = _farthest(dijkstra(graph, directed=False, indices=start))
    distance, before = dijkstra(graph, directed=False, indices=far, return_predecessors=True)
    path = [_farthest(distance)]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return path


def _farthest(distance: NDArray[np.float64]) -> int:
    return int(np.argmax(np.where(np.isfinite(distance), np.round(distance, _DIGITS), -1.0)))


def _oriented(between: dict[tuple[int, int], shapely.LineString], a: int, b: int) -> shapely.LineString:
    return between[a, b] if (a, b) in between else between[b, a].reverse()


def _one_line(steps: list[shapely.LineString]) -> shapely.LineString:
    coordinates: list[Any] = []
    for step in steps:
        coordinates += step.coords[1 if coordinates else 0 :]
    return shapely.LineString(coordinates)


def _joined(spine: shapely.LineString, way: shapely.LineString) -> tuple[float, shapely.LineString]:
    """Return the distance between the nearest ends of two lines, and both as one line joined there."""
    options = []
    for one in (spine, spine.reverse()):
        for other in (way, way.reverse()):
            apart = shapely.Point(one.coords[-1]).distance(shapely.Point(other.coords[0]))
            options.append((apart, [*one.coords, *other.coords]))
    apart, coordinates = min(options)
    return apart, shapely.LineString(coordinates)
