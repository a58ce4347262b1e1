"""Compiled searches over the contracted graph. Functions that call one another stand in this one file.

Numba's cache does not notice an edited callee in another file, hence the one file. Times are whole centiseconds in
int32. A "leg" is the way between a position and one junction of its chain, access included.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numba as nb
import numpy as np

from planner.network.road_network import UNREACHABLE_CS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_log = logging.getLogger(__name__)
_INF = np.int32(UNREACHABLE_CS)
_LOW = np.int64(0xFFFFFFFF)


class _Cache:
    """Whether compiled code can be kept on disk; said once when it cannot."""

    is_writable = True


def compiled(function: Callable[..., Any]) -> Any:
    """Return `function` compiled without the interpreter's lock, kept on disk when a folder can be written."""
    if _Cache.is_writable:
        try:
            return nb.njit(function, nogil=True, cache=True)
        except RuntimeError:
            _Cache.is_writable = False
            _log.warning("Compiled code cannot be kept on this machine: every start compiles again (some seconds).")
    return nb.njit(function, nogil=True)


class Graph(NamedTuple):
    """Arcs of one direction of travel: `arcs[first[j]:first[j + 1]]` are (head, centiseconds) of junction j."""

    first: NDArray[np.int64]
    arcs: NDArray[np.int32]


class Positions(NamedTuple):
    """Positions on chains, as a search starts from them or arrives at them.

    Attributes
    ----------
    junction : int32[n, 2], start and end of the chain; -1 where the position is unknown.
    leg_cs : int32[n, 2], centiseconds between the position and either, `UNREACHABLE_CS` where that is not allowed.
    chain : int32[n], -1 where unknown.
    along_s, against_s : float64[n], seconds from the chain's start in either direction, inf where not allowed.
    access_s : float64[n].
    """

    junction: NDArray[np.int32]
    leg_cs: NDArray[np.int32]
    chain: NDArray[np.int32]
    along_s: NDArray[np.float64]
    against_s: NDArray[np.float64]
    access_s: NDArray[np.float64]


class Index(NamedTuple):
    """Positions by junction and by chain (CSR): `member[first[i]:first[i + 1]]`; `leg_cs` beside `member`."""

    first: NDArray[np.int64]
    member: NDArray[np.int32]
    leg_cs: NDArray[np.int32]
    chain_first: NDArray[np.int64]
    chain_member: NDArray[np.int32]


class Workspace(NamedTuple):
    """What one thread reuses from search to search: clean before and after each."""

    time_cs: NDArray[np.int32]
    settled: NDArray[np.int32]
    heap: NDArray[np.int64]
    point_cs: NDArray[np.int32]
    met: NDArray[np.int32]


@compiled
def _push(heap: Any, size: int, key: int) -> int:
    """Put `key` on the 4-ary heap."""
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if heap[parent] <= key:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = key
    return size + 1


@compiled
def _drop_least(heap: Any, size: int) -> int:
    """Take the least key off the 4-ary heap."""
    size -= 1
    key = heap[size]
    i = 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if heap[other] < heap[least]:
                least = other
        if heap[least] >= key:
            break
        heap[i] = heap[least]
        i = least
    heap[i] = key
    return size


@compiled
def _search(graph: Any, junction: Any, leg_cs: Any, limit_cs: int, work: Any) -> int:
    """Settle all junctions within the limit from one position; return how many, listed in order in `settled`."""
    first, arcs = graph.first, graph.arcs
    time_cs, settled, heap = work.time_cs, work.settled, work.heap
    size = 0
    n = 0
    for side in range(2):
        j = junction[side]
        cs = leg_cs[side]
        if j >= 0 and cs <= limit_cs and cs < time_cs[j]:
            time_cs[j] = cs
            size = _push(heap, size, (np.int64(cs) << 32) | j)
    while size > 0:
        key = heap[0]
        size = _drop_least(heap, size)
        j = np.int32(key & _LOW)
        t = np.int32(key >> 32)
        if t > time_cs[j]:
            continue
        settled[n] = j
        n += 1
        for a in range(first[j], first[j + 1]):
            head = arcs[a, 0]
            # In 64 bits: two long int32 times could overflow.
            reached = np.int64(t) + arcs[a, 1]
            if reached <= limit_cs and reached < time_cs[head]:
                time_cs[head] = reached
                size = _push(heap, size, (reached << 32) | head)
    return n


@compiled
def _direct_cs(leaver: Any, arriver: Any, i: int, j: int) -> Any:
    """Centiseconds from position i of `leaver` to position j of `arriver` along their one chain, or unreachable."""
    seconds = np.inf
    ahead = arriver.along_s[j] - leaver.along_s[i]
    if ahead >= 0.0:
        seconds = ahead
    back = leaver.against_s[i] - arriver.against_s[j]
    if back >= 0.0:
        seconds = min(seconds, back)
    seconds += leaver.access_s[i] + arriver.access_s[j]
    if seconds * 100.0 < UNREACHABLE_CS - 1:
        return np.int32(np.rint(seconds * 100.0))
    return _INF


@compiled
def _grown(array: Any, needed: int) -> Any:
    """Return `array` with room for `needed` values."""
    if needed <= len(array):
        return array
    bigger = np.empty(max(needed, 2 * len(array)), array.dtype)
    bigger[: len(array)] = array
    return bigger


@compiled
def balls(graph: Any, places: Any, start: int, stop: int, limit_cs: int, work: Any) -> Any:
    """Return the junctions within the limit of places start..stop-1: counts, junctions in order of time, times."""
    count = np.zeros(stop - start, np.int64)
    out_j, out_cs = np.empty(1024, np.int32), np.empty(1024, np.int32)
    total = 0
    for p in range(start, stop):
        n = _search(graph, places.junction[p], places.leg_cs[p], limit_cs, work)
        out_j, out_cs = _grown(out_j, total + n), _grown(out_cs, total + n)
        for i in range(n):
            j = work.settled[i]
            out_j[total] = j
            out_cs[total] = work.time_cs[j]
            work.time_cs[j] = _INF
            total += 1
        count[p - start] = n
    return count, out_j[:total].copy(), out_cs[:total].copy()


@compiled
def point_times(
    graph: Any, places: Any, points: Any, index: Any, start: int, stop: int, limit_cs: int, is_towards: bool, work: Any
) -> Any:
    """Return the points within the limit of places start..stop-1: counts, points in the order met, times."""
    count = np.zeros(stop - start, np.int64)
    out_point, out_cs = np.empty(1024, np.int32), np.empty(1024, np.int32)
    total = 0
    point_cs = work.point_cs
    for p in range(start, stop):
        n_met = 0
        if places.chain[p] >= 0:
            for a in range(index.chain_first[places.chain[p]], index.chain_first[places.chain[p] + 1]):
                q = index.chain_member[a]
                cs = _direct_cs(points, places, q, p) if is_towards else _direct_cs(places, points, p, q)
                if cs <= limit_cs:
                    work.met[n_met] = q
                    n_met += 1
                    point_cs[q] = cs
        n = _search(graph, places.junction[p], places.leg_cs[p], limit_cs, work)
        for i in range(n):
            j = work.settled[i]
            t = np.int64(work.time_cs[j])
            work.time_cs[j] = _INF
            for a in range(index.first[j], index.first[j + 1]):
                cs = t + index.leg_cs[a]
                q = index.member[a]
                if cs <= limit_cs and cs < point_cs[q]:
                    if point_cs[q] == _INF:
                        work.met[n_met] = q
                        n_met += 1
                    point_cs[q] = cs
        out_point, out_cs = _grown(out_point, total + n_met), _grown(out_cs, total + n_met)
        for i in range(n_met):
            q = work.met[i]
            out_point[total] = q
            out_cs[total] = point_cs[q]
            point_cs[q] = _INF
            total += 1
        count[p - start] = n_met
    return count, out_point[:total].copy(), out_cs[:total].copy()


@compiled
def _push_pair(keys: Any, nodes: Any, size: int, key: int, node: int) -> Any:
    """Put (key, node) on a 4-ary heap of two arrays, which grow; return both and the new size."""
    if size == len(keys):
        keys, nodes = _grown(keys, size + 1), _grown(nodes, size + 1)
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if keys[parent] <= key:
            break
        keys[i] = keys[parent]
        nodes[i] = nodes[parent]
        i = parent
    keys[i] = key
    nodes[i] = node
    return keys, nodes, size + 1


@compiled
def _drop_least_pair(keys: Any, nodes: Any, size: int) -> int:
    """Take the least pair off the heap."""
    size -= 1
    key, node = keys[size], nodes[size]
    i = 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < keys[least]:
                least = other
        if keys[least] >= key:
            break
        keys[i] = keys[least]
        nodes[i] = nodes[least]
        i = least
    keys[i] = key
    nodes[i] = node
    return size


@compiled
def nearest_junctions(graph: Any, places: Any, k: int, limit_cs: int) -> Any:
    """Return int32[n_junctions, k] labels (rows of `places`, -1 = none) and times of the k nearest places.

    Pairs (time, label) are settled in lexicographic order, so ties go to the lower label.
    """
    n = len(graph.first) - 1
    label = np.full((n, k), -1, np.int32)
    time_cs = np.full((n, k), _INF, np.int32)
    n_found = np.zeros(n, np.int32)
    keys, nodes = np.empty(1024, np.int64), np.empty(1024, np.int32)
    size = 0
    for p in range(len(places.chain)):
        for side in range(2):
            j = places.junction[p, side]
            cs = places.leg_cs[p, side]
            if j >= 0 and cs <= limit_cs:
                keys, nodes, size = _push_pair(keys, nodes, size, (np.int64(cs) << 32) | p, j)
    while size > 0:
        key, j = keys[0], nodes[0]
        size = _drop_least_pair(keys, nodes, size)
        p = np.int32(key & _LOW)  # type: ignore[assignment]  # compiled: a label takes the type of its first value
        t = np.int32(key >> 32)
        if n_found[j] == k or _holds(label[j], n_found[j], p):
            continue
        label[j, n_found[j]] = p
        time_cs[j, n_found[j]] = t
        n_found[j] += 1
        for a in range(graph.first[j], graph.first[j + 1]):
            head = graph.arcs[a, 0]
            reached = np.int64(t) + graph.arcs[a, 1]
            if reached <= limit_cs and n_found[head] < k and not _holds(label[head], n_found[head], p):
                keys, nodes, size = _push_pair(keys, nodes, size, (reached << 32) | p, head)
    return label, time_cs


@compiled
def _holds(labels: Any, n: int, label: int) -> bool:
    """Whether `label` is among the first n labels."""
    for i in range(n):
        if labels[i] == label:
            return True
    return False


@compiled
def _insert(labels: Any, times: Any, label: int, cs: int) -> None:
    """Keep the k least pairs (time, label), each label once."""
    k = len(labels)
    at = k - 1
    for i in range(k):
        if labels[i] == label:
            if times[i] <= cs:
                return
            at = i
            break
    else:
        if times[at] < cs or (times[at] == cs and (labels[at] < label and labels[at] >= 0)):
            return
    while at > 0 and (times[at - 1] > cs or (times[at - 1] == cs and labels[at - 1] > label)):
        times[at], labels[at] = times[at - 1], labels[at - 1]
        at -= 1
    times[at], labels[at] = cs, label


@compiled
def nearest_points(
    label: Any, time_cs: Any, places: Any, points: Any, place_index: Any, limit_cs: int, is_towards: bool
) -> Any:
    """Return int32[n_points, k] labels and times: by either junction of a point's chain, or along the chain itself."""
    k = label.shape[1]
    n = len(points.chain)
    out_label = np.full((n, k), -1, np.int32)
    out_cs = np.full((n, k), _INF, np.int32)
    for q in range(n):
        chain = points.chain[q]
        if chain < 0:
            continue
        for side in range(2):
            j, leg = points.junction[q, side], np.int64(points.leg_cs[q, side])
            if leg == _INF:
                continue
            for i in range(k):
                if label[j, i] >= 0 and leg + time_cs[j, i] <= limit_cs:
                    _insert(out_label[q], out_cs[q], label[j, i], leg + time_cs[j, i])
        for a in range(place_index.chain_first[chain], place_index.chain_first[chain + 1]):
            p = place_index.chain_member[a]
            cs = _direct_cs(points, places, q, p) if is_towards else _direct_cs(places, points, p, q)
            if cs <= limit_cs and cs < _INF:
                _insert(out_label[q], out_cs[q], p, cs)
    return out_label, out_cs
