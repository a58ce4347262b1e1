"""Compiled edits of who serves whom: a place opened or closed, arcs changed, and the points that this touches.

Each notes in a log what a row held before, so that an edit is undone exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.reach.kernels import INF, LABEL, TIME, direct_cs, offer, spread


@compiled
def _log_first(stamp: Any, edit: int, log: Any, n_log: int, i: int, cs: int, label: int) -> int:
    """Note what row i held before it changes for the first time in this edit; return the length of the log."""
    if stamp[i] == edit:
        return n_log
    stamp[i] = edit
    log[n_log, 0], log[n_log, 1], log[n_log, 2] = i, cs, label
    return n_log + 1


@compiled
def open_place(graph: Any, places: Any, p: int, limit_cs: int, field: Any, edit: int) -> int:
    """Let place p serve whom it serves better; return the number of logged junctions."""
    n_log, waiting = 0, 0
    lowest = limit_cs >> graph.shift
    for side in range(2):
        j, cs = np.int64(places.junction[p, side]), np.int64(places.leg_cs[p, side])
        if j >= 0 and cs <= limit_cs:
            old, label = field.state[j, TIME], field.state[j, LABEL]
            if cs < old or (cs == old and field.rank[p] < field.rank[label]):
                n_log = _log_first(field.stamp, edit, field.log, n_log, j, old, label)
                waiting += offer(graph.shift, field.state, field.bucket, field.rank, j, cs, p)
                lowest = min(lowest, cs >> graph.shift)
    return spread(
        graph, field.state, field.bucket, field.rank, limit_cs, waiting, lowest, field.stamp, edit, field.log, n_log
    )


@compiled
def close_place(
    graph: Any, back: Any, places: Any, index: Any, is_open: Any, p: int, limit_cs: int, field: Any, edit: int
) -> int:
    """Give the junctions of place p to the others; return the number of logged junctions.

    The region of a label is connected along its shortest ways, so it is found from the place without looking at the
    rest; then it is filled again from its border and from the other places' legs inside it.
    """
    state, log, stamp = field.state, field.log, field.stamp
    n_log = 0
    for side in range(2):
        j = np.int64(places.junction[p, side])
        if j >= 0 and state[j, LABEL] == p:
            n_log = _log_first(stamp, edit, log, n_log, j, state[j, TIME], p)
            state[j, TIME], state[j, LABEL] = INF, -1
    i = 0
    while i < n_log:
        j = log[i, 0]
        i += 1
        for a in range(graph.first[j], graph.first[j + 1]):
            head = np.int64(graph.arcs[a, 0])
            if state[head, LABEL] == p:
                n_log = _log_first(stamp, edit, log, n_log, head, state[head, TIME], p)
                state[head, TIME], state[head, LABEL] = INF, -1
    waiting = 0
    lowest = limit_cs >> graph.shift
    for i in range(n_log):
        j = np.int64(log[i, 0])
        for a in range(back.first[j], back.first[j + 1]):
            tail = np.int64(back.arcs[a, 0])
            label = state[tail, LABEL]
            cs = np.int64(state[tail, TIME]) + back.arcs[a, 1]
            if label >= 0 and cs <= limit_cs:
                waiting += offer(graph.shift, state, field.bucket, field.rank, j, cs, label)
                lowest = min(lowest, cs >> graph.shift)
        for a in range(index.first[j], index.first[j + 1]):
            other, cs = index.member[a], np.int64(index.leg_cs[a])
            if is_open[other] and cs <= limit_cs:
                waiting += offer(graph.shift, state, field.bucket, field.rank, j, cs, other)
                lowest = min(lowest, cs >> graph.shift)
    return spread(graph, state, field.bucket, field.rank, limit_cs, waiting, lowest, stamp, edit, log, n_log)


@compiled
def _improve(graph: Any, field: Any, j: int, cs: int, label: int, limit_cs: int, edit: int, n_log: int) -> Any:
    """Let `label` reach junction j at `cs` if that is better; return what newly waits (0 or 1) and the log's length."""
    old, old_label = np.int64(field.state[j, TIME]), field.state[j, LABEL]
    if cs > limit_cs or cs > old or (cs == old and (old_label < 0 or field.rank[label] >= field.rank[old_label])):
        return 0, n_log
    n_log = _log_first(field.stamp, edit, field.log, n_log, j, old, old_label)
    return offer(graph.shift, field.state, field.bucket, field.rank, j, cs, label), n_log


@compiled
def change_arcs(
    graph: Any,
    back: Any,
    lost: Any,
    won: Any,
    former: Any,
    places: Any,
    index: Any,
    moved: Any,
    is_open: Any,
    limit_cs: int,
    field: Any,
    edit: int,
) -> int:
    """Make the labels right after arcs were lost and won and places' legs changed; return the junctions logged.

    Parameters
    ----------
    lost, won : int32[n, 3], tail, head, centiseconds; of the graph before and of `graph`.
    former, places : positions of the places before and after.
    moved : rows of places whose legs changed.

    Notes
    -----
    A junction is doubted when an arc or a leg that its time and label may rest on is gone, then whatever may rest on
    a doubted one. The doubted are emptied and filled again from those around them (Ramalingam and Reps 1996).
    """
    state, log, stamp = field.state, field.log, field.stamp
    n_log = 0
    for a in range(len(lost)):
        tail, head = lost[a, 0], lost[a, 1]
        label = state[tail, LABEL]
        cs = np.int64(state[tail, TIME]) + lost[a, 2]
        if label >= 0 and state[head, LABEL] == label and state[head, TIME] == cs:
            n_log = _log_first(stamp, edit, log, n_log, head, state[head, TIME], label)
    for i in range(len(moved)):
        p = moved[i]
        for side in range(2):
            j = former.junction[p, side]
            if j >= 0 and state[j, LABEL] == p and state[j, TIME] == former.leg_cs[p, side]:
                n_log = _log_first(stamp, edit, log, n_log, j, state[j, TIME], p)
    i = 0
    while i < n_log:
        j, t, label = log[i, 0], np.int64(log[i, 1]), log[i, 2]
        state[j, TIME], state[j, LABEL] = INF, -1
        i += 1
        for a in range(graph.first[j], graph.first[j + 1]):
            head = graph.arcs[a, 0]
            if state[head, LABEL] == label and t + graph.arcs[a, 1] == state[head, TIME]:
                n_log = _log_first(stamp, edit, log, n_log, head, state[head, TIME], label)
    n_doubted = n_log
    waiting = 0
    for i in range(n_doubted):
        j = log[i, 0]
        for a in range(back.first[j], back.first[j + 1]):
            tail = back.arcs[a, 0]
            label = state[tail, LABEL]
            if label >= 0:
                cs = np.int64(state[tail, TIME]) + back.arcs[a, 1]
                more, n_log = _improve(graph, field, j, cs, label, limit_cs, edit, n_log)
                waiting += more
        for a in range(index.first[j], index.first[j + 1]):
            if is_open[index.member[a]]:
                cs = np.int64(index.leg_cs[a])
                more, n_log = _improve(graph, field, j, cs, index.member[a], limit_cs, edit, n_log)
                waiting += more
    for a in range(len(won)):
        label = state[won[a, 0], LABEL]
        if label >= 0:
            cs = np.int64(state[won[a, 0], TIME]) + won[a, 2]
            more, n_log = _improve(graph, field, won[a, 1], cs, label, limit_cs, edit, n_log)
            waiting += more
    for i in range(len(moved)):
        p = moved[i]
        for side in range(2):
            j, cs = places.junction[p, side], np.int64(places.leg_cs[p, side])
            if is_open[p] and j >= 0 and cs < INF:
                more, n_log = _improve(graph, field, j, cs, p, limit_cs, edit, n_log)
                waiting += more
    return spread(graph, state, field.bucket, field.rank, limit_cs, waiting, 0, stamp, edit, log, n_log)


@compiled
def refresh_points(
    places: Any,
    points: Any,
    place_index: Any,
    point_index: Any,
    is_open: Any,
    rows: Any,
    limit_cs: int,
    is_towards: bool,
    field: Any,
    n_log: int,
    served: Any,
    edit: int,
) -> int:
    """Work out anew the points at logged junctions and those in `rows`; return the number of logged points."""
    n_points_log = 0
    for i in range(n_log):
        j = field.log[i, 0]
        for a in range(point_index.first[j], point_index.first[j + 1]):
            q = point_index.member[a]
            n_points_log = _refresh(
                places, points, place_index, is_open, q, limit_cs, is_towards, field, served, edit, n_points_log
            )
    for i in range(len(rows)):
        n_points_log = _refresh(
            places, points, place_index, is_open, rows[i], limit_cs, is_towards, field, served, edit, n_points_log
        )
    return n_points_log


@compiled
def _refresh(
    places: Any,
    points: Any,
    place_index: Any,
    is_open: Any,
    q: int,
    limit_cs: int,
    is_towards: bool,
    field: Any,
    served: Any,
    edit: int,
    n_log: int,
) -> int:
    """Work out one point anew, unless this edit has; return the length of the log of points."""
    if served.stamp[q] == edit:
        return n_log
    served.stamp[q] = edit
    best, label = np.int64(INF), np.int32(-1)
    for side in range(2):
        j, leg = points.junction[q, side], np.int64(points.leg_cs[q, side])
        if j < 0 or leg == INF or field.state[j, LABEL] < 0:
            continue
        cs, other = leg + field.state[j, TIME], field.state[j, LABEL]
        if cs <= limit_cs and (cs < best or (cs == best and field.rank[other] < field.rank[label])):
            best, label = cs, other
    chain = np.int64(points.chain[q])
    on_chain = (place_index.chain_first[chain], place_index.chain_first[chain + 1]) if chain >= 0 else (0, 0)
    for a in range(on_chain[0], on_chain[1]):
        other = place_index.chain_member[a]
        if is_open[other]:
            cs = direct_cs(points, places, q, other) if is_towards else direct_cs(places, points, other, q)
            if cs <= limit_cs and (cs < best or (cs == best and field.rank[other] < field.rank[label])):
                best, label = np.int64(cs), other
    if best == served.time_cs[q] and label == served.place[q]:
        return n_log
    served.log[n_log, 0], served.log[n_log, 1], served.log[n_log, 2] = q, served.time_cs[q], served.place[q]
    served.time_cs[q], served.place[q] = best, label
    return n_log + 1
