"""Compiled loops of the time surfaces and the outlines of practice circles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from planner.reach.kernels import compiled
from planner.reach.snap_kernels import TOUCH_M, meets, project, side

# A crossing stays this share of a side away from its ends, so that no two rings of an outline touch.
_CLEARANCE = 1e-3
# Times that a side is halved to find where the outline crosses it, at least and at most.
_LEAST_HALVINGS, _MOST_HALVINGS = 2, 5
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
def _area_crossings(ax: Any, ay: Any, bx: Any, by: Any, own_area: Any, walls: Any, frame: Any) -> Any:
    """How often segment a-b crosses the rings of barrier area `own_area`."""
    barriers, barrier_area, first, items, _ = walls
    x_min, y_max, _, tile_m, n_tile_rows, n_tile_cols = frame
    col_0 = max(math.floor((min(ax, bx) - x_min) / tile_m), 0)
    col_1 = min(math.floor((max(ax, bx) - x_min) / tile_m), n_tile_cols - 1)
    row_0 = max(math.floor(y_max - max(ay, by) / tile_m), 0)
    row_1 = min(math.floor(y_max - min(ay, by) / tile_m), n_tile_rows - 1)
    n = 0
    for row in range(row_0, row_1 + 1):
        for col in range(col_0, col_1 + 1):
            tile = row * n_tile_cols + col
            for k in range(first[tile], first[tile + 1]):
                b = items[k]
                if barrier_area[b] != own_area:
                    continue
                cx, cy, dx, dy = barriers[b, 0], barriers[b, 1], barriers[b, 2], barriers[b, 3]
                # A segment lies in several tiles; the one that holds its first corner here counts it.
                home_col = max(math.floor((min(cx, dx) - x_min) / tile_m), col_0)
                home_row = max(math.floor(y_max - max(cy, dy) / tile_m), row_0)
                if home_col != col or home_row != row:
                    continue
                s1 = side(cx, cy, dx, dy, ax, ay)
                s2 = side(cx, cy, dx, dy, bx, by)
                if (s1 < 0.0) == (s2 < 0.0):
                    continue
                s3 = side(ax, ay, bx, by, cx, cy)
                s4 = side(ax, ay, bx, by, dx, dy)
                if (s3 < 0.0) != (s4 < 0.0):
                    n += 1
    return n


@compiled
def _is_in_area(px: Any, py: Any, wanted: Any, walls: Any, frame: Any) -> Any:
    """Whether p lies in barrier area `wanted`: its cell's centre does, and nothing lies between, or the reverse."""
    area = walls[4]
    x_min, y_max, cell_m = frame[0], frame[1], frame[2]
    row = min(max(math.floor((y_max - py) / cell_m), 0), area.shape[0] - 1)
    col = min(max(math.floor((px - x_min) / cell_m), 0), area.shape[1] - 1)
    qx = x_min + (col + 0.5) * cell_m
    qy = y_max - (row + 0.5) * cell_m
    is_odd = _area_crossings(px, py, qx, qy, wanted, walls, frame) % 2 == 1
    return (area[row, col] == wanted) != is_odd


@compiled
def _is_walled(px: Any, py: Any, qx: Any, qy: Any, walls: Any, frame: Any) -> Any:
    """Whether the leg p-q meets a barrier; the rings of an area that p lies in do not count.

    `frame` is (x_min, y_max, cell_m, tile_m, n_tile_rows, n_tile_cols).
    """
    barriers, barrier_area, first, items, _ = walls
    if items.size == 0:
        return False
    x_min, y_max, _, tile_m, n_rows, n_cols = frame
    col_0 = max(math.floor((min(px, qx) - x_min - TOUCH_M) / tile_m), 0)
    col_1 = min(math.floor((max(px, qx) - x_min + TOUCH_M) / tile_m), n_cols - 1)
    row_0 = max(math.floor((y_max - max(py, qy) - TOUCH_M) / tile_m), 0)
    row_1 = min(math.floor((y_max - min(py, qy) + TOUCH_M) / tile_m), n_rows - 1)
    free_area = -1
    for row in range(row_0, row_1 + 1):
        for col in range(col_0, col_1 + 1):
            tile = row * n_cols + col
            for k in range(first[tile], first[tile + 1]):
                b = items[k]
                if barrier_area[b] >= 0 and barrier_area[b] == free_area:
                    continue
                if meets(px, py, qx, qy, barriers, b, TOUCH_M):
                    if barrier_area[b] < 0 or not _is_in_area(px, py, barrier_area[b], walls, frame):
                        return True
                    free_area = barrier_area[b]
    return False


@compiled
def _chain_s(e: Any, share: Any, near_s: Any, far_s: Any, place: Any) -> Any:
    """Seconds along the chain that position and place share, the place's leg included; inf where not allowed.

    `place` is (edge, share, seconds from the chain's start, from its end, leg).
    """
    best = np.inf
    if (e > place[0] or (e == place[0] and share >= place[1])) and near_s < np.inf:
        best = near_s - place[2]
    if (e < place[0] or (e == place[0] and share <= place[1])) and far_s < np.inf:
        best = min(best, far_s - place[3])
    return best + place[4]


@compiled
def _road_s(
    e: Any, share: Any, edges: Any, ends: Any, junction_s: Any, chain_place: Any, next_place: Any, places: Any
) -> Any:
    """Seconds on the road between a position and the nearest of the places, its leg included; inf = not searched."""
    near_s = edges[e, 4] + share * edges[e, 5]
    far_s = edges[e, 6] - share * edges[e, 7]
    best = min(junction_s[ends[e, 1]] + near_s, junction_s[ends[e, 2]] + far_s)
    p = chain_place[ends[e, 0]]
    while p >= 0:
        best = min(best, _chain_s(e, share, near_s, far_s, places[p]))
        p = next_place[p]
    return best


@compiled
def _nearest_of(px: Any, py: Any, candidates: Any, edges: Any, max_access_m: Any, walls: Any, frame: Any) -> Any:
    """Edge, share and leg of the nearest clear position among `candidates` (-1 = none); edge -1 when there is none."""
    best = -1
    best_share = 0.0
    best2 = max_access_m * max_access_m
    for e in candidates:
        if e < 0 or e == best:
            continue
        share, d2 = project(px, py, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3])
        if d2 > best2 or (d2 == best2 and best >= 0 and e > best):
            continue
        if walls[3].size > 0:
            qx = edges[e, 0] + share * (edges[e, 2] - edges[e, 0])
            qy = edges[e, 1] + share * (edges[e, 3] - edges[e, 1])
            if _is_walled(px, py, qx, qy, walls, frame):
                continue
        best = e
        best_share = share
        best2 = d2
    return best, best_share, math.sqrt(best2)


@compiled
def _grown(array: Any, n: Any) -> Any:
    """A copy with room for at least `n` entries."""
    larger = np.empty(max(2 * array.size, n), array.dtype)
    larger[: array.size] = array
    return larger


@compiled
def _ball_chains(
    own_chain: Any, junctions: Any, incident_first: Any, incident_chain: Any, stamp: Any, mark: Any, chains: Any
) -> Any:
    """List the chains that a place's junctions touch, its own first: their number."""
    chains[0] = own_chain
    stamp[own_chain] = mark
    n = 1
    for j in junctions:
        for k in range(incident_first[j], incident_first[j + 1]):
            chain = incident_chain[k]
            if stamp[chain] != mark:
                stamp[chain] = mark
                chains[n] = chain
                n += 1
    return n


@compiled
def _ball_cells(
    chains: Any,
    limit_s: Any,
    edges: Any,
    ends: Any,
    chain_first_edge: Any,
    junction_s: Any,
    place: Any,
    cell_first: Any,
    cell_place: Any,
    cell_road: Any,
    leg_s: Any,
    cells: Any,
    seconds: Any,
) -> Any:
    """Cells of `chains` within the limit: how many; fills `cells` (row and column) and `seconds`. The first is own."""
    n = 0
    for turn in range(chains.size):
        chain = chains[turn]
        first_edge = chain_first_edge[chain]
        start_s = junction_s[ends[first_edge, 1]]
        end_s = junction_s[ends[first_edge, 2]]
        for e in range(first_edge, chain_first_edge[chain + 1]):
            first = cell_first[e]
            last = cell_first[e + 1]
            if first == last:
                continue
            near_s = start_s + edges[e, 4]
            far_s = end_s + edges[e, 6]
            near_rate = edges[e, 5]
            far_rate = edges[e, 7]
            if turn > 0 and near_s > limit_s and not far_s - far_rate <= limit_s:
                continue
            for i in range(first, last):
                share = np.float64(cell_road[i, 0])
                t = min(near_s + share * near_rate, far_s - share * far_rate)
                if turn == 0:
                    direct_s = _chain_s(
                        e, share, edges[e, 4] + share * near_rate, edges[e, 6] - share * far_rate, place
                    )
                    t = min(t, direct_s)
                t += cell_road[i, 1] * leg_s
                if t <= limit_s:
                    cells[n, 0] = cell_place[i, 0]
                    cells[n, 1] = cell_place[i, 1]
                    seconds[n] = t
                    n += 1
    return n


@compiled
def _single_s(
    px: Any, py: Any, e: Any, edges: Any, ends: Any, junction_s: Any, own_chain: Any, place: Any, leg_s: Any
) -> Any:
    """Seconds between a point that uses edge `e` and the one place; and the square of its leg in metres."""
    share, d2 = project(px, py, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3])
    near_s = edges[e, 4] + share * edges[e, 5]
    far_s = edges[e, 6] - share * edges[e, 7]
    t = min(junction_s[ends[e, 1]] + near_s, junction_s[ends[e, 2]] + far_s)
    if ends[e, 0] == own_chain:
        t = min(t, _chain_s(e, share, near_s, far_s, place))
    return t + math.sqrt(d2) * leg_s, d2


@compiled
def _pair_s(
    px: Any,
    py: Any,
    a: Any,
    b: Any,
    edges: Any,
    ends: Any,
    junction_s: Any,
    own_chain: Any,
    place: Any,
    leg_s: Any,
    max_access_m: Any,
    walls: Any,
    frame: Any,
) -> Any:
    """Seconds between a point and the one place by the nearer of edges a and b, and that edge (-1 = unknown)."""
    best = -1
    best_s = np.inf
    best2 = max_access_m * max_access_m
    for turn in range(1 if a == b else 2):
        e = a if turn == 0 else b
        if e < 0:
            continue
        t, d2 = _single_s(px, py, e, edges, ends, junction_s, own_chain, place, leg_s)
        if d2 > best2 or (d2 == best2 and best >= 0 and e > best):
            continue
        if walls[3].size > 0:
            share, _ = project(px, py, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3])
            qx = edges[e, 0] + share * (edges[e, 2] - edges[e, 0])
            qy = edges[e, 1] + share * (edges[e, 3] - edges[e, 1])
            if _is_walled(px, py, qx, qy, walls, frame):
                continue
        best = e
        best_s = t
        best2 = d2
    return best_s, best


@compiled
def _crossing(
    ax: Any,
    ay: Any,
    bx: Any,
    by: Any,
    edge_a: Any,
    edge_b: Any,
    time_a: Any,
    limit_s: Any,
    edges: Any,
    ends: Any,
    junction_s: Any,
    own_chain: Any,
    place: Any,
    leg_s: Any,
    max_access_m: Any,
    walls: Any,
    frame: Any,
) -> Any:
    """Share of the side from a (inside) to b (outside) at which the time limit is met.

    Halving keeps an inner and an outer end, so crossings of rising limits never pass one another; it goes on until
    both ends use one edge, along which the time is a straight line.
    """
    inner, inner_s, inner_edge = 0.0, time_a, edge_a
    outer, outer_s, outer_edge = 1.0, np.inf, -1
    if edge_b >= 0:
        outer_s, _ = _single_s(bx, by, edge_b, edges, ends, junction_s, own_chain, place, leg_s)
        outer_edge = edge_b
    for step in range(_MOST_HALVINGS):
        if step >= _LEAST_HALVINGS and inner_edge == outer_edge and outer_s < np.inf:
            break
        middle = 0.5 * (inner + outer)
        middle_s, middle_edge = _pair_s(
            ax + middle * (bx - ax),
            ay + middle * (by - ay),
            edge_a,
            edge_b,
            edges,
            ends,
            junction_s,
            own_chain,
            place,
            leg_s,
            max_access_m,
            walls,
            frame,
        )
        if middle_s <= limit_s:
            inner, inner_s, inner_edge = middle, middle_s, middle_edge
        else:
            outer, outer_s, outer_edge = middle, middle_s, middle_edge
    share = 0.5
    if inner_edge == outer_edge and inner_s < outer_s < np.inf:
        share = min(max((limit_s - inner_s) / (outer_s - inner_s), 0.0), 1.0)
    share = inner + (outer - inner) * share
    return min(max(share, _CLEARANCE), 1.0 - _CLEARANCE)


@compiled
def _edge_at(edge: Any, row: Any, col: Any) -> Any:
    """Edge of a cell, -1 beyond the grid."""
    if row < 0 or col < 0 or row >= edge.shape[0] or col >= edge.shape[1]:
        return -1
    return edge[row, col]


@compiled
def _mixed_squares(window: Any, height: Any, width: Any, limit_s: Any, squares: Any, codes: Any) -> Any:
    """Squares of four cells that the outline passes through, and which of their cells are inside; how many."""
    n = 0
    for row in range(height - 1):
        base = row * width
        left = 8 * (window[base] <= limit_s) + (window[base + width] <= limit_s)
        for col in range(width - 1):
            cell = base + col
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
def _link_sides(
    window: Any,
    height: Any,
    width: Any,
    limit_s: Any,
    row_0: Any,
    col_0: Any,
    edge: Any,
    edges: Any,
    ends: Any,
    junction_s: Any,
    own_chain: Any,
    place: Any,
    leg_s: Any,
    max_access_m: Any,
    walls: Any,
    frame: Any,
    next_side: Any,
    starts: Any,
    codes: Any,
) -> Any:
    """Link the sides that the outline crosses, inside on the left: how many links there are; fills their first sides.

    Side 2 * cell runs from a cell to its eastern neighbour, side 2 * cell + 1 to its southern one.
    """
    near = np.empty(4, np.int32)
    n_squares = _mixed_squares(window, height, width, limit_s, starts, codes)
    squares = starts[:n_squares].copy()
    n = 0
    for i in range(n_squares):
        cell = squares[i]
        code = codes[i]
        is_joined = False
        if code in _SADDLES:
            row = row_0 + cell // width
            col = col_0 + cell % width
            for k in range(4):
                near[k] = _edge_at(edge, row + k // 2, col + k % 2)
            x = frame[0] + (col + 1.0) * frame[2]
            y = frame[1] - (row + 1.0) * frame[2]
            e, _, _ = _nearest_of(x, y, near, edges, max_access_m, walls, frame)
            if e >= 0:
                is_joined = _single_s(x, y, e, edges, ends, junction_s, own_chain, place, leg_s)[0] <= limit_s
        sides = (2 * cell, 2 * cell + 3, 2 * (cell + width), 2 * cell + 1)
        row_of_links = code
        if is_joined:
            row_of_links = 16 if code == _SADDLES[0] else 17
        links = _LINKS[row_of_links]
        starts[n] = sides[links[0]]
        next_side[sides[links[0]]] = sides[links[1]]
        n += 1
        if links[2] >= 0:
            starts[n] = sides[links[2]]
            next_side[sides[links[2]]] = sides[links[3]]
            n += 1
    return n


@compiled
def _trace(
    window: Any,
    width: Any,
    limit_s: Any,
    row_0: Any,
    col_0: Any,
    edge: Any,
    edges: Any,
    ends: Any,
    junction_s: Any,
    own_chain: Any,
    place: Any,
    leg_s: Any,
    max_access_m: Any,
    walls: Any,
    frame: Any,
    next_side: Any,
    starts: Any,
    xs: Any,
    ys: Any,
    first: Any,
    area_m2: Any,
) -> Any:
    """Follow the links into closed rings and clear them: how many; fills their points, first points and areas."""
    n_rings = 0
    n = 0
    for start in starts:
        if next_side[start] < 0:
            continue
        first[n_rings] = n
        twice = 0.0
        x_0, y_0, x_1, y_1 = 0.0, 0.0, 0.0, 0.0
        side = start
        while next_side[side] >= 0:
            cell = side // 2
            row = cell // width
            col = cell - row * width
            row_2, col_2 = (row + 1, col) if side % 2 else (row, col + 1)
            if window[cell] > limit_s:
                row, col, row_2, col_2 = row_2, col_2, row, col
            ax = frame[0] + (col_0 + col + 0.5) * frame[2]
            ay = frame[1] - (row_0 + row + 0.5) * frame[2]
            bx = frame[0] + (col_0 + col_2 + 0.5) * frame[2]
            by = frame[1] - (row_0 + row_2 + 0.5) * frame[2]
            share = _crossing(
                ax,
                ay,
                bx,
                by,
                _edge_at(edge, row_0 + row, col_0 + col),
                _edge_at(edge, row_0 + row_2, col_0 + col_2),
                window[row * width + col],
                limit_s,
                edges,
                ends,
                junction_s,
                own_chain,
                place,
                leg_s,
                max_access_m,
                walls,
                frame,
            )
            x_2 = ax + share * (bx - ax)
            y_2 = ay + share * (by - ay)
            if n == first[n_rings]:
                x_0, y_0 = x_2, y_2
            else:
                twice += (x_1 - x_0) * (y_2 - y_0) - (x_2 - x_0) * (y_1 - y_0)
            x_1, y_1 = x_2, y_2
            xs[n] = x_2
            ys[n] = y_2
            n += 1
            onward = next_side[side]
            next_side[side] = -1
            side = onward
        xs[n] = x_0
        ys[n] = y_0
        n += 1
        area_m2[n_rings] = 0.5 * twice
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
def _stand(p: Any, balls: Any, junction_s: Any) -> Any:
    """Write seconds to the junctions of place `p`; returns these junctions."""
    first, junction, time_cs = balls
    for k in range(first[p], first[p + 1]):
        junction_s[junction[k]] = 0.01 * time_cs[k]
    return junction[first[p] : first[p + 1]]


@compiled
def outlines(
    start: Any, stop: Any, limits_s: Any, balls: Any, places: Any, roads: Any, cells: Any, edge: Any, ground: Any
) -> Any:
    """Outlines of places start..stop-1 at rising `limits_s`, as ragged arrays.

    `balls` are the junctions of each place (CSR) with centiseconds; `places` their edges as rows of `_chain_s` with x
    and y; `roads`, `cells` and `ground` as `surfaces` makes them.

    Returns x, y of the points, the first point of each ring, first ring of each polygon, first polygon of each
    outline (all with their end), and whether all cells around the place are inside.
    """
    edges, ends, chain_first_edge, incident_first, incident_chain, n_junctions = roads
    cell_first, cell_place, cell_road = cells
    max_access_m, leg_s, walls, frame = ground
    n_chains = chain_first_edge.size - 1
    n_most = limits_s.size * (stop - start)
    junction_s = np.full(n_junctions, np.inf, np.float64)
    stamp = np.full(n_chains, -1, np.int32)
    chains = np.empty(n_chains + 1, np.int32)
    found = np.empty((4096, 2), np.int64)
    seconds = np.empty(4096, np.float64)
    window = np.empty(4096, np.float64)
    next_side = np.full(8192, -1, np.int64)
    starts = np.empty(8192, np.int64)
    codes = np.empty(8192, np.int8)
    xs, ys = np.empty(16384, np.float64), np.empty(16384, np.float64)
    first = np.empty(8192, np.int64)
    area_m2 = np.empty(8192, np.float64)
    out_x, out_y = np.empty(4096, np.float64), np.empty(4096, np.float64)
    out_ring, out_polygon = np.zeros(64, np.int64), np.zeros(64, np.int64)
    out_outline = np.zeros(n_most + 1, np.int64)
    is_around = np.zeros(n_most, np.bool_)
    n_points, n_rings_out, n_polygons, n_outlines = 0, 0, 0, 0
    for p in range(start, stop):
        place = places[p]
        junctions = _stand(p, balls, junction_s)
        own_chain = ends[int(place[0]), 0]
        n_near = _ball_chains(own_chain, junctions, incident_first, incident_chain, stamp, p, chains)
        n_cells = 0
        for k in range(n_near):
            n_cells += cell_first[chain_first_edge[chains[k] + 1]] - cell_first[chain_first_edge[chains[k]]]
        if n_cells > seconds.size:
            found = np.empty((2 * n_cells, 2), np.int64)
            seconds = np.empty(2 * n_cells, np.float64)
        n = _ball_cells(
            chains[:n_near],
            limits_s[-1],
            edges,
            ends,
            chain_first_edge,
            junction_s,
            place,
            cell_first,
            cell_place,
            cell_road,
            leg_s,
            found,
            seconds,
        )
        row_0, col_0, height, width = 0, 0, 2, 2
        if n > 0:
            row_1, col_1 = found[0, 0], found[0, 1]
            row_0, col_0 = row_1, col_1
            for i in range(1, n):
                row_0, row_1 = min(row_0, found[i, 0]), max(row_1, found[i, 0])
                col_0, col_1 = min(col_0, found[i, 1]), max(col_1, found[i, 1])
            row_0 -= 1
            col_0 -= 1
            height, width = row_1 - row_0 + 2, col_1 - col_0 + 2
        size = height * width
        if size > window.size:
            window = np.empty(2 * size, np.float64)
            next_side = np.full(4 * size, -1, np.int64)
            starts, codes = np.empty(4 * size, np.int64), np.empty(4 * size, np.int8)
            xs, ys = np.empty(8 * size, np.float64), np.empty(8 * size, np.float64)
            first, area_m2 = np.empty(4 * size, np.int64), np.empty(4 * size, np.float64)
        window[:size] = np.inf
        for i in range(n):
            window[(found[i, 0] - row_0) * width + found[i, 1] - col_0] = seconds[i]
        row = math.floor((frame[1] - place[6]) / frame[2]) - row_0
        col = math.floor((place[5] - frame[0]) / frame[2]) - col_0
        for limit_s in limits_s:
            inside = 0
            for k in range(_AROUND):
                r, c = row - 1 + k // 3, col - 1 + k % 3
                if 0 <= r < height and 0 <= c < width and window[r * width + c] <= limit_s:
                    inside += 1
            is_around[n_outlines] = inside == _AROUND
            n_links = _link_sides(
                window,
                height,
                width,
                limit_s,
                row_0,
                col_0,
                edge,
                edges,
                ends,
                junction_s,
                own_chain,
                place,
                leg_s,
                max_access_m,
                walls,
                frame,
                next_side,
                starts,
                codes,
            )
            n_rings = _trace(
                window,
                width,
                limit_s,
                row_0,
                col_0,
                edge,
                edges,
                ends,
                junction_s,
                own_chain,
                place,
                leg_s,
                max_access_m,
                walls,
                frame,
                next_side,
                starts[:n_links],
                xs,
                ys,
                first,
                area_m2,
            )
            owner = _owners(n_rings, first, area_m2, xs, ys)
            if n_points + first[n_rings] > out_x.size:
                out_x = _grown(out_x, n_points + first[n_rings])
                out_y = _grown(out_y, n_points + first[n_rings])
            if n_rings_out + n_rings + 1 > out_ring.size:
                out_ring = _grown(out_ring, n_rings_out + n_rings + 1)
            if n_polygons + n_rings + 1 > out_polygon.size:
                out_polygon = _grown(out_polygon, n_polygons + n_rings + 1)
            for outer in range(n_rings):
                if area_m2[outer] <= 0.0:
                    continue
                for turn in range(2):
                    for ring in range(n_rings):
                        if owner[ring] != outer or (ring == outer) != (turn == 0):
                            continue
                        for k in range(first[ring], first[ring + 1]):
                            out_x[n_points] = xs[k]
                            out_y[n_points] = ys[k]
                            n_points += 1
                        n_rings_out += 1
                        out_ring[n_rings_out] = n_points
                n_polygons += 1
                out_polygon[n_polygons] = n_rings_out
            n_outlines += 1
            out_outline[n_outlines] = n_polygons
        junction_s[junctions] = np.inf
    return (
        out_x[:n_points].copy(),
        out_y[:n_points].copy(),
        out_ring[: n_rings_out + 1].copy(),
        out_polygon[: n_polygons + 1].copy(),
        out_outline,
        is_around,
    )


@compiled
def count_cells(
    start: Any, stop: Any, limit_s: Any, balls: Any, places: Any, roads: Any, cells: Any, leg_s: Any, counts: Any
) -> Any:
    """Add 1 to `counts` (rows x columns) for every cell within the limit of each of places start..stop-1."""
    edges, ends, chain_first_edge, incident_first, incident_chain, n_junctions = roads
    cell_first, cell_place, cell_road = cells
    n_chains = chain_first_edge.size - 1
    junction_s = np.full(n_junctions, np.inf, np.float64)
    stamp = np.full(n_chains, -1, np.int32)
    chains = np.empty(n_chains + 1, np.int32)
    found = np.empty((cell_place.shape[0] + 1, 2), np.int64)
    seconds = np.empty(cell_place.shape[0] + 1, np.float64)
    for p in range(start, stop):
        junctions = _stand(p, balls, junction_s)
        own_chain = ends[int(places[p, 0]), 0]
        n_near = _ball_chains(own_chain, junctions, incident_first, incident_chain, stamp, p, chains)
        n = _ball_cells(
            chains[:n_near],
            limit_s,
            edges,
            ends,
            chain_first_edge,
            junction_s,
            places[p],
            cell_first,
            cell_place,
            cell_road,
            leg_s,
            found,
            seconds,
        )
        for i in range(n):
            counts[found[i, 0], found[i, 1]] += 1
        junction_s[junctions] = np.inf


@compiled
def cell_minutes(start: Any, stop: Any, state: Any, roads: Any, cells: Any, leg_s: Any, minutes: Any) -> Any:
    """Write minutes into the cells (rows x columns) of edges start..stop-1; inf where no place is reached."""
    junction_s, chain_place, next_place, places = state
    edges, ends = roads[0], roads[1]
    cell_first, cell_place, cell_road = cells
    for e in range(start, stop):
        for i in range(cell_first[e], cell_first[e + 1]):
            t = _road_s(e, np.float64(cell_road[i, 0]), edges, ends, junction_s, chain_place, next_place, places)
            minutes[cell_place[i, 0], cell_place[i, 1]] = (t + cell_road[i, 1] * leg_s) / 60.0


@compiled
def point_seconds(x: Any, y: Any, state: Any, roads: Any, edge: Any, ground: Any) -> Any:
    """Seconds of points, and the edges that they use (-1 = unknown); candidates are the edges of the cells around."""
    junction_s, chain_place, next_place, places = state
    edges, ends = roads[0], roads[1]
    max_access_m, leg_s, walls, frame = ground
    near = np.empty(9, np.int32)
    seconds = np.full(x.size, np.inf, np.float64)
    used = np.empty(x.size, np.int32)
    for i in range(x.size):
        row = math.floor((frame[1] - y[i]) / frame[2])
        col = math.floor((x[i] - frame[0]) / frame[2])
        for k in range(9):
            near[k] = _edge_at(edge, row - 1 + k // 3, col - 1 + k % 3)
        e, share, leg_m = _nearest_of(x[i], y[i], near, edges, max_access_m, walls, frame)
        used[i] = e
        if e >= 0:
            seconds[i] = _road_s(e, share, edges, ends, junction_s, chain_place, next_place, places) + leg_m * leg_s
    return seconds, used
