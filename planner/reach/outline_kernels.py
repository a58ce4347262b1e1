"""Compiled loops of the time surfaces and the outlines of practice circles.

They release the interpreter lock, so that threads share the work. What comes in again and again is told in
`ground_kernels`; `places` has a row a place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.reach.ground_kernels import by_junctions_s, chain_s, is_walled, nearest_of, road_s, single_s
from planner.reach.segment_kernels import project

# A crossing stays this share of a side away from its ends, so that no two rings of an outline touch.
_CLEARANCE = 1e-3
# Steps to find where along a side the nearest edge changes; and halvings of a side near a barrier.
_SWITCH_STEPS = 4
_LEAST_HALVINGS, _MOST_HALVINGS = 2, 6
# The links of an outline through a square of four cells, from side to side, inside on the left; -1 = none. Sides are
# 0 north, 1 east, 2 south, 3 west. The row is 8 for the north-western cell inside, 4 for the north-eastern, 2 for the
# south-eastern, 1 for the south-western; rows 16 and 17 are 5 and 10 with the middle inside too.
_LINKS = np.array(
    [
        (-1, -1, -1, -1), (2, 3, -1, -1), (1, 2, -1, -1), (1, 3, -1, -1), (0, 1, -1, -1), (0, 1, 2, 3), (0, 2, -1, -1),
        (0, 3, -1, -1), (3, 0, -1, -1), (2, 0, -1, -1), (3, 0, 1, 2), (1, 0, -1, -1), (3, 1, -1, -1), (2, 1, -1, -1),
        (3, 2, -1, -1), (-1, -1, -1, -1), (0, 3, 2, 1), (1, 0, 3, 2),
    ],
    np.int64,
)  # fmt: skip
_SADDLES = (5, 10)
_AROUND = 9  # a cell and its neighbours


@compiled
def _grown(array: Any, n: Any) -> Any:
    """A copy with room for at least `n` entries."""
    larger = np.empty(max(2 * array.size, n), array.dtype)
    larger[: array.size] = array
    return larger


@compiled
def _ball_chains(own: Any, junctions: Any, first: Any, incident: Any, stamp: Any, mark: Any, chains: Any) -> Any:
    """List the chains that a place's junctions touch, its own first: their number."""
    chains[0] = own
    stamp[own] = mark
    n = 1
    for j in junctions:
        for k in range(first[j], first[j + 1]):
            chain = incident[k]
            if stamp[chain] != mark:
                stamp[chain] = mark
                chains[n] = chain
                n += 1
    return n


@compiled
def _ball_cells(chains: Any, limit_s: Any, roads: Any, cells: Any, junction_s: Any, place: Any, leg_s: Any) -> Any:
    """Cells of `chains` (the place's own first) within the limit: how many, their rows and columns, their seconds."""
    edges, ends, chain_first = roads[0], roads[1], roads[2]
    cell_first, cell_place, cell_road = cells
    n_most = 0
    for chain in chains:
        n_most += cell_first[chain_first[chain + 1]] - cell_first[chain_first[chain]]
    found = np.empty((n_most, 2), np.int32)
    seconds = np.empty(n_most, np.float64)
    n = 0
    for turn in range(chains.size):
        chain = chains[turn]
        start_s = junction_s[ends[chain_first[chain], 1]]
        end_s = junction_s[ends[chain_first[chain], 2]]
        for e in range(chain_first[chain], chain_first[chain + 1]):
            near_s = start_s + edges[e, 4]
            far_s = end_s + edges[e, 6]
            near_rate = edges[e, 5]
            far_rate = edges[e, 7]
            is_plain = turn > 0 and ends[e, 3] == 0
            if is_plain and near_s > limit_s and not far_s - far_rate <= limit_s:
                continue
            for i in range(cell_first[e], cell_first[e + 1]):
                share = np.float64(cell_road[i, 0])
                t = min(near_s + share * near_rate, far_s - share * far_rate)
                if not is_plain:
                    own_near_s, own_far_s = edges[e, 4] + share * near_rate, edges[e, 6] - share * far_rate
                    t = by_junctions_s(e, share, own_near_s, own_far_s, ends, junction_s)
                    if turn == 0:
                        t = min(t, chain_s(e, share, own_near_s, own_far_s, place))
                t += cell_road[i, 1] * leg_s
                if t <= limit_s:
                    found[n, 0] = cell_place[i, 0]
                    found[n, 1] = cell_place[i, 1]
                    seconds[n] = t
                    n += 1
    return n, found, seconds


@compiled
def _between(a: Any, time_a: Any, b: Any, time_b: Any, limit_s: Any) -> Any:
    """Where between shares a (within the limit) and b the limit is met on a straight line of times."""
    if time_b == np.inf or time_b <= time_a:
        return 0.5 * (a + b)
    return a + (b - a) * min(max((limit_s - time_a) / (time_b - time_a), 0.0), 1.0)


@compiled
def _open_crossing(
    ax: Any, ay: Any, bx: Any, by: Any, edge_a: Any, edge_b: Any, time_a: Any, limit_s: Any, edges: Any, ends: Any,
    junction_s: Any, own: Any, place: Any, leg_s: Any, max_access_m: Any,
) -> Any:  # fmt: skip
    """Share of the side from a (inside) to b (outside) at which the limit is met, where there is no barrier.

    The side is cut where its nearest edge changes (found by false position, Illinois rule; Dowell & Jarratt 1971), or
    in the middle, or where the road gets too far; on either part the time is taken as a straight line.
    """
    dx, dy = bx - ax, by - ay
    switch = 0.5
    if edge_a < 0:
        return switch
    if edge_b < 0:
        inner, outer = 0.0, 1.0
        for _ in range(_MOST_HALVINGS):
            switch = 0.5 * (inner + outer)
            d2 = single_s(ax + switch * dx, ay + switch * dy, edge_a, edges, ends, junction_s, own, place, leg_s)[1]
            if d2 <= max_access_m * max_access_m:
                inner = switch
            else:
                outer = switch
        switch = inner
    elif edge_a != edge_b:
        low, high = 0.0, 1.0
        low_gap = _leg_gap(ax, ay, edge_a, edge_b, edges)
        high_gap = _leg_gap(bx, by, edge_a, edge_b, edges)
        for _ in range(_SWITCH_STEPS):
            if not (low_gap < 0.0 < high_gap):
                break
            switch = low + (high - low) * low_gap / (low_gap - high_gap)
            gap = _leg_gap(ax + switch * dx, ay + switch * dy, edge_a, edge_b, edges)
            if gap <= 0.0:
                low, low_gap = switch, gap
                high_gap *= 0.5
            else:
                high, high_gap = switch, gap
                low_gap *= 0.5
    x, y = ax + switch * dx, ay + switch * dy
    time_x = single_s(x, y, edge_a, edges, ends, junction_s, own, place, leg_s)[0]
    if time_x > limit_s:
        return _between(0.0, time_a, switch, time_x, limit_s)
    if edge_b < 0:
        return switch
    if edge_b != edge_a:
        time_x = single_s(x, y, edge_b, edges, ends, junction_s, own, place, leg_s)[0]
        if time_x > limit_s:
            return switch
    time_b = single_s(bx, by, edge_b, edges, ends, junction_s, own, place, leg_s)[0]
    return _between(switch, time_x, 1.0, time_b, limit_s)


@compiled
def _leg_gap(px: Any, py: Any, a: Any, b: Any, edges: Any) -> Any:
    """Metres by which edge b is nearer to p than edge a; negative where a is nearer."""
    a2 = project(px, py, edges[a, 0], edges[a, 1], edges[a, 2], edges[a, 3])[1]
    b2 = project(px, py, edges[b, 0], edges[b, 1], edges[b, 2], edges[b, 3])[1]
    return math.sqrt(a2) - math.sqrt(b2)


@compiled
def _walled_crossing(
    ax: Any, ay: Any, bx: Any, by: Any, edge_a: Any, edge_b: Any, time_a: Any, limit_s: Any, edges: Any, ends: Any,
    junction_s: Any, own: Any, place: Any, ground: Any,
) -> Any:  # fmt: skip
    """Share of the side from a (inside) to b (outside) at which the limit is met, where legs may meet a barrier.

    Halving keeps an inner and an outer end, so crossings of rising limits never pass one another; it goes on until
    both ends use one edge, along which the time is taken as a straight line.
    """
    leg_s = ground[1]
    pair = np.array([edge_a, edge_b])
    inner, inner_s, inner_edge = 0.0, time_a, edge_a
    outer, outer_s, outer_edge = 1.0, np.inf, -1
    if edge_b >= 0:
        outer_s = single_s(bx, by, edge_b, edges, ends, junction_s, own, place, leg_s)[0]
        outer_edge = edge_b
    for step in range(_MOST_HALVINGS):
        if step >= _LEAST_HALVINGS and inner_edge == outer_edge and outer_s < np.inf:
            break
        middle = 0.5 * (inner + outer)
        x, y = ax + middle * (bx - ax), ay + middle * (by - ay)
        e = nearest_of(x, y, pair, edges, ground)[0]
        t = np.inf
        if e >= 0:
            t = single_s(x, y, e, edges, ends, junction_s, own, place, leg_s)[0]
        if t <= limit_s:
            inner, inner_s, inner_edge = middle, t, e
        else:
            outer, outer_s, outer_edge = middle, t, e
    if inner_edge != outer_edge:
        return inner
    return _between(inner, inner_s, outer, outer_s, limit_s)


@compiled
def _edge_at(edge: Any, row: Any, col: Any) -> Any:
    """Edge of a cell, -1 beyond the grid."""
    if row < 0 or col < 0 or row >= edge.shape[0] or col >= edge.shape[1]:
        return -1
    return edge[row, col]


@compiled
def _is_walled_cell(is_near: Any, row: Any, col: Any) -> Any:
    """Whether a barrier can bear on a cell's legs; False beyond the grid."""
    return 0 <= row < is_near.shape[0] and 0 <= col < is_near.shape[1] and is_near[row, col]


@compiled
def _mixed_squares(window: Any, width: Any, limit_s: Any, squares: Any, codes: Any) -> Any:
    """Squares of four cells that the outline passes through, and which of their cells are inside; how many."""
    n = 0
    for base in range(0, window.size - width, width):
        left = 8 * (window[base] <= limit_s) + (window[base + width] <= limit_s)
        for cell in range(base, base + width - 1):
            ne = window[cell + 1] <= limit_s
            se = window[cell + width + 1] <= limit_s
            code = left + 4 * ne + 2 * se
            left = 8 * ne + se
            if code not in (0, 15):
                squares[n] = cell
                codes[n] = code
                n += 1
    return n


@compiled
def _link_sides(window: Any, shape: Any, limit_s: Any, edge: Any, one: Any, ground: Any, work: Any) -> Any:
    """Link the sides that the outline crosses, inside on the left: how many links there are; fills their first sides.

    Side 2 * cell runs from a cell to its eastern neighbour, side 2 * cell + 1 to its southern one. `shape` is the
    window's width and the grid's row and column of its first cell.
    """
    width, row_0, col_0 = shape
    edges, ends, junction_s, own, place = one
    next_side, starts, codes, _, _, _, _ = work
    frame = ground[3]
    near = np.empty(4, np.int64)
    n_squares = _mixed_squares(window, width, limit_s, starts, codes)
    squares = starts[:n_squares].copy()
    n = 0
    for i in range(n_squares):
        cell = squares[i]
        code = codes[i]
        if code in _SADDLES:
            row = row_0 + cell // width
            col = col_0 + cell % width
            for k in range(4):
                near[k] = _edge_at(edge, row + k // 2, col + k % 2)
            x, y = frame[0] + (col + 1.0) * frame[2], frame[1] - (row + 1.0) * frame[2]
            e = nearest_of(x, y, near, edges, ground)[0]
            if e >= 0 and single_s(x, y, e, edges, ends, junction_s, own, place, ground[1])[0] <= limit_s:
                code = 16 if code == _SADDLES[0] else 17
        sides = (2 * cell, 2 * cell + 3, 2 * (cell + width), 2 * cell + 1)
        for k in range(0, 4, 2):
            if _LINKS[code, k] >= 0:
                side = sides[_LINKS[code, k]]
                starts[n] = side
                next_side[side] = sides[_LINKS[code, k + 1]]
                n += 1
    return n


@compiled
def _trace(window: Any, shape: Any, limit_s: Any, edge: Any, one: Any, ground: Any, work: Any, n_links: Any) -> Any:
    """Follow the links into closed rings and clear them: how many; fills their points, first points and areas."""
    width, row_0, col_0 = shape
    edges, ends, junction_s, own, place = one
    next_side, starts, _, xs, ys, first, area_m2 = work
    max_access_m, leg_s, walls, frame = ground
    is_near = walls[5]
    has_walls = walls[3].size > 0
    n_rings = 0
    n = 0
    for i in range(n_links):
        side = starts[i]
        if next_side[side] < 0:
            continue
        first[n_rings] = n
        while next_side[side] >= 0:
            cell = side // 2
            other = cell + (width if side % 2 else 1)
            if window[cell] > limit_s:
                cell, other = other, cell
            row, col = row_0 + cell // width, col_0 + cell % width
            row_2, col_2 = row_0 + other // width, col_0 + other % width
            ax, ay = frame[0] + (col + 0.5) * frame[2], frame[1] - (row + 0.5) * frame[2]
            bx, by = frame[0] + (col_2 + 0.5) * frame[2], frame[1] - (row_2 + 0.5) * frame[2]
            edge_a, edge_b = _edge_at(edge, row, col), _edge_at(edge, row_2, col_2)
            if has_walls and (_is_walled_cell(is_near, row, col) or _is_walled_cell(is_near, row_2, col_2)):
                share = _walled_crossing(
                    ax, ay, bx, by, edge_a, edge_b, window[cell], limit_s, edges, ends, junction_s, own, place, ground
                )  # fmt: skip
            else:
                share = _open_crossing(
                    ax, ay, bx, by, edge_a, edge_b, window[cell], limit_s, edges, ends, junction_s, own, place, leg_s,
                    max_access_m,
                )  # fmt: skip
            share = min(max(share, _CLEARANCE), 1.0 - _CLEARANCE)
            xs[n] = ax + share * (bx - ax)
            ys[n] = ay + share * (by - ay)
            n += 1
            onward = next_side[side]
            next_side[side] = -1
            side = onward
        start = first[n_rings]
        xs[n] = xs[start]
        ys[n] = ys[start]
        twice = 0.0
        for k in range(start + 1, n):
            twice += (xs[k] - xs[start]) * (ys[k + 1] - ys[start]) - (xs[k + 1] - xs[start]) * (ys[k] - ys[start])
        area_m2[n_rings] = 0.5 * twice
        n += 1
        n_rings += 1
    first[n_rings] = n
    return n_rings


@compiled
def _is_within_ring(px: Any, py: Any, xs: Any, ys: Any, start: Any, stop: Any) -> Any:
    """Whether p lies inside the closed ring `start` to `stop - 1`."""
    is_inside = False
    for k in range(start, stop - 1):
        is_level = (ys[k] > py) == (ys[k + 1] > py)
        if not is_level and px < xs[k] + (py - ys[k]) / (ys[k + 1] - ys[k]) * (xs[k + 1] - xs[k]):
            is_inside = not is_inside
    return is_inside


@compiled
def _owners(n_rings: Any, first: Any, area_m2: Any, xs: Any, ys: Any) -> Any:
    """For every hole (negative area) the smallest outer ring around it; for an outer ring itself."""
    owner = np.arange(n_rings)
    for hole in range(n_rings):
        if area_m2[hole] > 0.0:
            continue
        best = -1
        for ring in range(n_rings):
            if area_m2[ring] < -area_m2[hole] or (best >= 0 and area_m2[ring] > area_m2[best]):
                continue
            if _is_within_ring(xs[first[hole]], ys[first[hole]], xs, ys, first[ring], first[ring + 1]):
                best = ring
        owner[hole] = best
    return owner


@compiled
def _write_rings(n_rings: Any, work: Any, out: Any, filled: Any) -> Any:
    """Append the polygons of one outline, each outer ring before its holes, to `out`; returns it and what it holds.

    `out` is x, y, the end of each ring and of each polygon; `filled` how many points, rings and polygons stand there.
    """
    xs, ys, first, area_m2 = work[3], work[4], work[5], work[6]
    out_x, out_y, out_ring, out_polygon = out
    n_points, n_rings_out, n_polygons = filled
    owner = _owners(n_rings, first, area_m2, xs, ys)
    if n_points + first[n_rings] > out_x.size:
        out_x, out_y = _grown(out_x, n_points + first[n_rings]), _grown(out_y, n_points + first[n_rings])
    if n_rings_out + n_rings >= out_ring.size:
        out_ring = _grown(out_ring, n_rings_out + n_rings + 1)
    if n_polygons + n_rings >= out_polygon.size:
        out_polygon = _grown(out_polygon, n_polygons + n_rings + 1)
    for outer in range(n_rings):
        if area_m2[outer] <= 0.0:
            continue
        for turn in range(2):
            for ring in range(n_rings):
                if owner[ring] != outer or (ring == outer) != (turn == 0):
                    continue
                size = first[ring + 1] - first[ring]
                out_x[n_points : n_points + size] = xs[first[ring] : first[ring + 1]]
                out_y[n_points : n_points + size] = ys[first[ring] : first[ring + 1]]
                n_points += size
                n_rings_out += 1
                out_ring[n_rings_out] = n_points
        n_polygons += 1
        out_polygon[n_polygons] = n_rings_out
    return (out_x, out_y, out_ring, out_polygon), (n_points, n_rings_out, n_polygons)


@compiled
def _workspace(size: Any) -> Any:
    """Next side, first sides, codes, ring points, first points and areas, for windows of up to `size` cells."""
    return (
        np.full(2 * size, -1, np.int64),
        np.empty(2 * size, np.int64),
        np.empty(size, np.int8),
        np.empty(4 * size, np.float64),
        np.empty(4 * size, np.float64),
        np.empty(size + 1, np.int64),
        np.empty(size + 1, np.float64),
    )


@compiled
def _walk_out(place: Any, here: Any, shape: Any, ground: Any) -> None:
    """Lower the four cells around a place to the walk straight to it, where no barrier lies between.

    By the road a place can be out of its own reach: its leg counts twice. The spot it stands on is not.
    """
    width, row_0, col_0 = shape
    _, leg_s, walls, frame = ground
    target = np.empty(4, np.float64)
    row = math.floor((frame[1] - place[6]) / frame[2] - 0.5)
    col = math.floor((place[5] - frame[0]) / frame[2] - 0.5)
    for k in range(4):
        r, c = row + k // 2, col + k % 2
        target[0], target[1] = frame[0] + (c + 0.5) * frame[2], frame[1] - (r + 0.5) * frame[2]
        target[2], target[3] = target[0], target[1]
        if not is_walled(place[5], place[6], 0.0, target, walls, frame):
            cell = (r - row_0) * width + c - col_0
            here[cell] = min(here[cell], math.hypot(place[5] - target[0], place[6] - target[1]) * leg_s)


@compiled
def _is_around(x: Any, y: Any, window: Any, shape: Any, limit_s: Any, frame: Any) -> Any:
    """Whether the four cells around a point are inside."""
    width, row_0, col_0 = shape
    row = math.floor((frame[1] - y) / frame[2] - 0.5) - row_0
    col = math.floor((x - frame[0]) / frame[2] - 0.5) - col_0
    for k in range(4):
        if window[(row + k // 2) * width + col + k % 2] > limit_s:
            return False
    return True


@compiled
def outlines(limits_s: Any, balls: Any, places: Any, roads: Any, cells: Any, edge: Any, ground: Any) -> Any:
    """Outlines of `places` at rising `limits_s`, as ragged arrays.

    `balls` are the junctions of each place (CSR) with centiseconds; `edge` the edges of the grid's cells. Returns x, y,
    the end of each ring, polygon and outline (from 0 on), and whether all cells around the place are inside.
    """
    edges, ends, chain_first, incident_first, incident, n_junctions = roads
    ball_first, ball_junction, ball_cs = balls
    leg_s, frame = ground[1], ground[3]
    n_places = places.shape[0]
    junction_s = np.full(n_junctions, np.inf, np.float64)
    stamp = np.full(chain_first.size - 1, -1, np.int32)
    chains = np.empty(chain_first.size, np.int32)
    window = np.empty(4096, np.float64)
    work = _workspace(window.size)
    out = (np.empty(4096, np.float64), np.empty(4096, np.float64), np.zeros(64, np.int64), np.zeros(64, np.int64))
    filled = (0, 0, 0)
    out_outline = np.zeros(n_places * limits_s.size + 1, np.int64)
    is_around = np.zeros(n_places * limits_s.size, np.bool_)
    n_outlines = 0
    for p in range(n_places):
        place = places[p]
        own = ends[int(place[0]), 0]
        junctions = ball_junction[ball_first[p] : ball_first[p + 1]]
        for k in range(junctions.size):
            junction_s[junctions[k]] = 0.01 * ball_cs[ball_first[p] + k]
        n_chains = _ball_chains(own, junctions, incident_first, incident, stamp, p, chains)
        n, found, seconds = _ball_cells(chains[:n_chains], limits_s[-1], roads, cells, junction_s, place, leg_s)
        row_0 = math.floor((frame[1] - place[6]) / frame[2] - 0.5)
        col_0 = math.floor((place[5] - frame[0]) / frame[2] - 0.5)
        row_1, col_1 = row_0 + 1, col_0 + 1
        for i in range(n):
            row_0, row_1 = min(row_0, found[i, 0]), max(row_1, found[i, 0])
            col_0, col_1 = min(col_0, found[i, 1]), max(col_1, found[i, 1])
        row_0 -= 1
        col_0 -= 1
        height, width = row_1 - row_0 + 2, col_1 - col_0 + 2
        if height * width > window.size:
            window = np.empty(2 * height * width, np.float64)
            work = _workspace(window.size)
        here = window[: height * width]
        here[:] = np.inf
        for i in range(n):
            here[(found[i, 0] - row_0) * width + found[i, 1] - col_0] = seconds[i]
        shape = (width, row_0, col_0)
        _walk_out(place, here, shape, ground)
        one = (edges, ends, junction_s, own, place)
        for limit_s in limits_s:
            is_around[n_outlines] = _is_around(place[5], place[6], here, shape, limit_s, frame)
            n_links = _link_sides(here, shape, limit_s, edge, one, ground, work)
            n_rings = _trace(here, shape, limit_s, edge, one, ground, work, n_links)
            out, filled = _write_rings(n_rings, work, out, filled)
            n_outlines += 1
            out_outline[n_outlines] = filled[2]
        junction_s[junctions] = np.inf
    return (
        out[0][: filled[0]].copy(),
        out[1][: filled[0]].copy(),
        out[2][: filled[1] + 1].copy(),
        out[3][: filled[2] + 1].copy(),
        out_outline,
        is_around,
    )


@compiled
def count_cells(limit_s: Any, balls: Any, places: Any, roads: Any, cells: Any, leg_s: Any, counts: Any) -> Any:
    """Add 1 to `counts` (rows x columns) for every cell within the limit of each of `places`."""
    _, ends, chain_first, incident_first, incident, n_junctions = roads
    ball_first, ball_junction, ball_cs = balls
    junction_s = np.full(n_junctions, np.inf, np.float64)
    stamp = np.full(chain_first.size - 1, -1, np.int32)
    chains = np.empty(chain_first.size, np.int32)
    for p in range(places.shape[0]):
        junctions = ball_junction[ball_first[p] : ball_first[p + 1]]
        for k in range(junctions.size):
            junction_s[junctions[k]] = 0.01 * ball_cs[ball_first[p] + k]
        own = ends[int(places[p, 0]), 0]
        n_chains = _ball_chains(own, junctions, incident_first, incident, stamp, p, chains)
        n, found, _ = _ball_cells(chains[:n_chains], limit_s, roads, cells, junction_s, places[p], leg_s)
        for i in range(n):
            counts[found[i, 0], found[i, 1]] += 1
        junction_s[junctions] = np.inf


@compiled
def cell_minutes(start: Any, stop: Any, state: Any, roads: Any, cells: Any, leg_s: Any, minutes: Any) -> Any:
    """Write minutes into the cells (rows x columns) of edges start..stop-1; inf where no place is reached."""
    cell_first, cell_place, cell_road = cells
    for e in range(start, stop):
        for i in range(cell_first[e], cell_first[e + 1]):
            t = road_s(e, np.float64(cell_road[i, 0]), roads, state) + cell_road[i, 1] * leg_s
            minutes[cell_place[i, 0], cell_place[i, 1]] = t / 60.0


@compiled
def point_seconds(x: Any, y: Any, state: Any, roads: Any, edge: Any, ground: Any) -> Any:
    """Seconds of points, and the edges that they use (-1 = unknown); candidates are the edges of the cells around."""
    frame = ground[3]
    near = np.empty(_AROUND, np.int64)
    seconds = np.full(x.size, np.inf, np.float64)
    used = np.empty(x.size, np.int64)
    for i in range(x.size):
        row = math.floor((frame[1] - y[i]) / frame[2])
        col = math.floor((x[i] - frame[0]) / frame[2])
        for k in range(_AROUND):
            near[k] = _edge_at(edge, row - 1 + k // 3, col - 1 + k % 3)
        e, share, leg_m = nearest_of(x[i], y[i], near, roads[0], ground)
        used[i] = e
        if e >= 0:
            seconds[i] = road_s(e, share, roads, state) + leg_m * ground[1]
    return seconds, used
