"""Compiled searches over the contracted graph.

Times are whole centiseconds in int32. A "leg" is the way between a position and one junction of its chain, access
included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.compiled import compiled
from planner.network.road_network import UNREACHABLE_CS

if TYPE_CHECKING:
    from numpy.typing import NDArray

INF = np.int32(UNREACHABLE_CS)
_LOW = np.int64(0xFFFFFFFF)


class Graph(NamedTuple):
    """Arcs of one direction of travel.

    Attributes
    ----------
    first, arcs : `arcs[first[j]:first[j + 1]]` are (head, centiseconds) of junction j.
    shift : a bucket of the queue is 2 ** shift centiseconds wide.
    longest_cs : of any arc.
    """

    first: NDArray[np.int64]
    arcs: NDArray[np.int32]
    shift: int
    longest_cs: int


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
    """What one thread reuses from search to search: clean before and after each.

    Attributes
    ----------
    time_cs : int32[n_junctions]; clean = one more than the limit.
    bucket : int32[n_buckets], row of `queue` that is next in each; -1 = empty.
    queue : int32[n, 4], junction, its time when it was put in, and the row behind it in its bucket.
    touched : int32[n_junctions + 1].
    point_cs : int32[n_points].
    met : int32[n_points].
    """

    time_cs: NDArray[np.int32]
    bucket: NDArray[np.int32]
    queue: NDArray[np.int32]
    touched: NDArray[np.int32]
    point_cs: NDArray[np.int32]
    met: NDArray[np.int32]


def make_workspace(graph: Graph, limit_cs: int, n_points: int = 0) -> Workspace:
    """Return a clean workspace for one thread's searches within the limit."""
    n = len(graph.first) - 1
    return Workspace(
        time_cs=np.full(n, limit_cs + 1, np.int32),
        bucket=np.full(((limit_cs + 1) >> graph.shift) + 1, -1, np.int32),
        # Pages that no search writes to take no memory.
        queue=np.empty((n + len(graph.arcs) + 2, 4), np.int32),
        touched=np.empty(n + 1, np.int32),
        point_cs=np.full(n_points, UNREACHABLE_CS, np.int32),
        met=np.empty(n_points, np.int32),
    )


# Columns of a state; `PREVIOUS` holds -1 - bucket for the first of a bucket and `INF` for what is in none.
TIME, NEXT, PREVIOUS, LABEL = 0, 1, 2, 3


@compiled
def _link(state: Any, bucket: Any, b: int, j: int) -> None:
    """Put junction j first in bucket b."""
    following = bucket[b]
    state[j, NEXT] = following
    state[j, PREVIOUS] = -1 - b
    if following >= 0:
        state[following, PREVIOUS] = j
    bucket[b] = j


@compiled
def _unlink(state: Any, bucket: Any, j: int) -> None:
    """Take junction j out of its bucket."""
    following, previous = state[j, NEXT], state[j, PREVIOUS]
    if previous >= 0:
        state[previous, NEXT] = following
    else:
        bucket[-1 - previous] = following
    if following >= 0:
        state[following, PREVIOUS] = previous


@compiled
def _search(
    first: Any,
    arcs: Any,
    shift: int,
    junction: Any,
    leg_cs: Any,
    p: int,
    limit_cs: int,
    time_cs: Any,
    bucket: Any,
    queue: Any,
    touched: Any,
) -> Any:
    """Settle all junctions within the limit from position p; return how many, listed in `touched`.

    A junction that is improved goes in once more, and a row of the queue that is no longer its junction's time is
    passed over when its turn comes. An arc is followed without a branch: what does not improve is written back as it
    was, since whether an arc improves is a toss-up that a processor guesses wrong. A queue that turns out too short
    ends the search with -1 - n: one that grew in the loop would make every step slower.
    """
    # Unsigned numbers index without a look at negative ones.
    none, one = np.uint64(0), np.uint64(1)
    n, n_in, n_out = none, none, none
    clean = np.int64(limit_cs) + 1
    room = np.uint64(len(queue))
    b = np.uint64(len(bucket))
    for side in range(2):
        start = np.int64(junction[p, side])
        cs = np.int64(leg_cs[p, side])
        if start >= 0 and cs < time_cs[start]:
            if time_cs[start] == clean:
                touched[n] = start
                n += one
            time_cs[start] = cs
            to = np.uint64(cs >> shift)
            queue[n_in, 0], queue[n_in, 1], queue[n_in, 2] = start, cs, bucket[to]
            bucket[to] = n_in
            n_in += one
            b = min(b, to)
    while n_out < n_in:
        taken = bucket[b]
        if taken < 0:
            b += one
            continue
        row = np.uint32(taken)
        j = np.uint32(queue[row, 0])
        t = np.int64(queue[row, 1])
        bucket[b] = queue[row, 2]
        n_out += one
        if t != time_cs[j]:
            continue
        low, high = np.uint64(first[j]), np.uint64(first[j + np.uint32(1)])
        if n_in + (high - low) >= room:
            return -1 - np.int64(n)
        for a in range(low, high):
            head = np.uint32(arcs[a, 0])
            # In 64 bits: two long int32 times could overflow.
            reached = t + arcs[a, 1]
            old = np.int64(time_cs[head])
            is_better = reached < old
            kept = min(reached, old)
            time_cs[head] = kept
            to = np.uint64(kept >> shift)
            touched[n] = head
            n += one if is_better & (old == clean) else none
            behind = bucket[to]
            queue[n_in, 0], queue[n_in, 1], queue[n_in, 2] = head, kept, behind
            bucket[to] = np.int32(n_in) if is_better else behind
            n_in += one if is_better else none
    return np.int64(n)


@compiled
def _search_whole(graph: Any, places: Any, p: int, limit_cs: int, work: Any, queue: Any) -> Any:
    """Search, with a longer queue as often as one is too short; return the number of junctions and the queue."""
    first, arcs, junction, leg_cs = graph.first, graph.arcs, places.junction, places.leg_cs
    time_cs, bucket, touched = work.time_cs, work.bucket, work.touched
    n = _search(first, arcs, graph.shift, junction, leg_cs, p, limit_cs, time_cs, bucket, queue, touched)
    while n < 0:
        for i in range(-1 - n):
            time_cs[touched[i]] = limit_cs + 1
        bucket[:] = -1
        queue = np.empty((2 * len(queue), 4), np.int32)
        n = _search(first, arcs, graph.shift, junction, leg_cs, p, limit_cs, time_cs, bucket, queue, touched)
    return n, queue


@compiled
def direct_cs(leaver: Any, arriver: Any, i: int, j: int) -> Any:
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
    return INF


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
    """Return the junctions within the limit of places start..stop-1: counts, junctions in the order met, times."""
    count = np.zeros(stop - start, np.int64)
    out_j, out_cs = np.empty(1024, np.int32), np.empty(1024, np.int32)
    total = 0
    time_cs, touched, queue = work.time_cs, work.touched, work.queue
    clean = np.int32(limit_cs + 1)
    for p in range(start, stop):
        n, queue = _search_whole(graph, places, p, limit_cs, work, queue)
        out_j, out_cs = _grown(out_j, total + n), _grown(out_cs, total + n)
        for i in range(n):
            j = np.uint32(touched[i])
            out_j[total] = j
            out_cs[total] = time_cs[j]
            time_cs[j] = clean
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
    time_cs, touched, queue = work.time_cs, work.touched, work.queue
    clean = np.int32(limit_cs + 1)
    point_cs, met = work.point_cs, work.met
    member_first, member, member_cs = index.first, index.member, index.leg_cs
    for p in range(start, stop):
        n_met = 0
        if places.chain[p] >= 0:
            for a in range(index.chain_first[places.chain[p]], index.chain_first[places.chain[p] + 1]):
                q = index.chain_member[a]
                cs = direct_cs(points, places, q, p) if is_towards else direct_cs(places, points, p, q)
                if cs <= limit_cs:
                    met[n_met] = q
                    n_met += 1
                    point_cs[q] = cs
        n, queue = _search_whole(graph, places, p, limit_cs, work, queue)
        for i in range(n):
            j = np.uint32(touched[i])
            t = np.int64(time_cs[j])
            time_cs[j] = clean
            for a in range(np.uint64(member_first[j]), np.uint64(member_first[j + np.uint32(1)])):
                cs = t + member_cs[a]
                q = np.uint32(member[a])
                if cs <= limit_cs and cs < point_cs[q]:
                    if point_cs[q] == INF:
                        met[n_met] = q
                        n_met += 1
                    point_cs[q] = cs
        out_point, out_cs = _grown(out_point, total + n_met), _grown(out_cs, total + n_met)
        for i in range(n_met):
            q = met[i]
            out_point[total] = q
            out_cs[total] = point_cs[q]
            point_cs[q] = INF
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

    Ties go to the lower label.
    """
    if k > 1:
        return _nearest_several(graph, places, k, limit_cs)
    n = len(graph.first) - 1
    state = np.empty((n, 4), np.int32)
    longest = np.int64(graph.longest_cs)
    for p in range(len(places.chain)):
        for side in range(2):
            if places.leg_cs[p, side] < INF:
                longest = max(longest, places.leg_cs[p, side])
    n_buckets = 1
    while n_buckets < (min(longest, limit_cs) >> graph.shift) + 2:
        n_buckets *= 2
    bucket = np.full(n_buckets, -1, np.int32)
    for j in range(n):
        state[j, TIME] = INF
        state[j, PREVIOUS] = INF
        state[j, LABEL] = -1
    rank = np.arange(len(places.chain)).astype(np.int32)
    stamp, log = np.zeros(1, np.int32), np.empty((1, 3), np.int32)
    waiting, lowest = 0, limit_cs >> graph.shift
    for p in range(len(places.chain)):
        for side in range(2):
            cs = places.leg_cs[p, side]
            if places.junction[p, side] >= 0 and cs <= limit_cs and cs < INF:
                waiting += offer(graph.shift, state, bucket, rank, places.junction[p, side], cs, p)
                lowest = min(lowest, cs >> graph.shift)
    spread(graph, state, bucket, rank, limit_cs, waiting, lowest, stamp, 0, log, 0)
    return state[:, LABEL].copy().reshape(n, 1), state[:, TIME].copy().reshape(n, 1)


@compiled
def offer(shift: int, state: Any, bucket: Any, rank: Any, j: int, cs: int, label: int) -> int:
    """Let junction j be reached by `label` at `cs` if that is better; return 1 when it has newly to be taken out."""
    old, old_label = state[j, TIME], state[j, LABEL]
    if cs > old or (cs == old and (old_label < 0 or rank[label] >= rank[old_label])):
        return 0
    mask = len(bucket) - 1
    state[j, TIME] = cs
    state[j, LABEL] = label
    if state[j, PREVIOUS] == INF:
        _link(state, bucket, (cs >> shift) & mask, j)
        return 1
    if (old >> shift) != (cs >> shift):
        _unlink(state, bucket, j)
        _link(state, bucket, (cs >> shift) & mask, j)
    return 0


@compiled
def spread(
    graph: Any,
    state: Any,
    bucket: Any,
    rank: Any,
    limit_cs: int,
    waiting: int,
    lowest: int,
    stamp: Any,
    edit: int,
    log: Any,
    n_log: int,
) -> int:
    """Spread pairs (time, label) from the waiting junctions until nothing improves; return the length of the log.

    The number of buckets is a power of two that spans more than any arc, so they are used in turn. With `edit` > 0
    every junction that changes for the first time in this edit is logged with what it held.
    """
    first, arcs, shift = graph.first, graph.arcs, graph.shift
    mask = np.int64(len(bucket) - 1)
    b = np.int64(lowest)
    while waiting > 0:
        slot = b & mask
        j = np.int64(bucket[slot])
        if j < 0:
            b += 1
            continue
        following = state[j, NEXT]
        bucket[slot] = following
        if following >= 0:
            state[following, PREVIOUS] = -1 - slot
        state[j, PREVIOUS] = INF
        waiting -= 1
        t = np.int64(state[j, TIME])
        label = state[j, LABEL]
        for a in range(first[j], first[j + 1]):
            head = np.int64(arcs[a, 0])
            reached = t + arcs[a, 1]
            old = np.int64(state[head, TIME])
            if reached > limit_cs or reached > old:
                continue
            if reached == old and rank[label] >= rank[state[head, LABEL]]:
                continue
            if edit > 0 and stamp[head] != edit:
                stamp[head] = edit
                log[n_log, 0], log[n_log, 1], log[n_log, 2] = head, old, state[head, LABEL]
                n_log += 1
            state[head, TIME] = reached
            state[head, LABEL] = label
            if state[head, PREVIOUS] == INF:
                waiting += 1
            elif (old >> shift) == (reached >> shift):
                continue
            else:
                _unlink(state, bucket, head)
            _link(state, bucket, (reached >> shift) & mask, head)
    return n_log


@compiled
def _nearest_several(graph: Any, places: Any, k: int, limit_cs: int) -> Any:
    """Return what `nearest_junctions` does, for k > 1: pairs (time, label) are settled in lexicographic order."""
    n = len(graph.first) - 1
    label = np.full((n, k), -1, np.int32)
    time_cs = np.full((n, k), INF, np.int32)
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
    out_cs = np.full((n, k), INF, np.int32)
    for q in range(n):
        chain = points.chain[q]
        if chain < 0:
            continue
        for side in range(2):
            j, leg = points.junction[q, side], np.int64(points.leg_cs[q, side])
            if leg == INF:
                continue
            for i in range(k):
                if label[j, i] >= 0 and leg + time_cs[j, i] <= limit_cs:
                    _insert(out_label[q], out_cs[q], label[j, i], leg + time_cs[j, i])
        for a in range(place_index.chain_first[chain], place_index.chain_first[chain + 1]):
            p = place_index.chain_member[a]
            cs = direct_cs(points, places, q, p) if is_towards else direct_cs(places, points, p, q)
            if cs <= limit_cs and cs < INF:
                _insert(out_label[q], out_cs[q], p, cs)
    return out_label, out_cs
