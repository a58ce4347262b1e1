"""Compiled looks at a spot: the barriers around it, the nearest edge that it can reach, its seconds along that edge.

What comes in again and again: `ground` and `roads` as `surfaces` makes them; `edges` has a row an edge (x, y of both
ends; seconds from its chain's start: offset and rate; from its end: offset and rate), `ends` its chain, that chain's
two junctions, and 1 or 2 where it is the closed start or end of its chain; a place is a row (edge, share, seconds from
its chain's start and end, of its leg, x, y).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.reach.segment_kernels import TOUCH_M, meets, project, side

_SAME_SHARE = 1e-6


@compiled
def _area_crossings(ax: Any, ay: Any, bx: Any, by: Any, own_area: Any, walls: Any, frame: Any) -> Any:
    """How often segment a-b crosses the rings of barrier area `own_area`."""
    barriers, barrier_area, first, items = walls[0], walls[1], walls[2], walls[3]
    x_min, y_max, _, tile_m, n_tile_rows, n_tile_cols = frame
    col_0 = max(math.floor((min(ax, bx) - x_min) / tile_m), 0)
    col_1 = min(math.floor((max(ax, bx) - x_min) / tile_m), n_tile_cols - 1)
    row_0 = max(math.floor((y_max - max(ay, by)) / tile_m), 0)
    row_1 = min(math.floor((y_max - min(ay, by)) / tile_m), n_tile_rows - 1)
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
                home_row = max(math.floor((y_max - max(cy, dy)) / tile_m), row_0)
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
def is_in_area(px: Any, py: Any, wanted: Any, walls: Any, frame: Any) -> Any:
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
def is_walled(px: Any, py: Any, share: Any, segment: Any, walls: Any, frame: Any) -> Any:
    """Whether the leg from p to a share of a segment meets a barrier; the rings of an area that p lies in do not count.

    `frame` is (x_min, y_max, cell_m, tile_m, n_tile_rows, n_tile_cols).
    """
    barriers, barrier_area, first, items = walls[0], walls[1], walls[2], walls[3]
    if items.size == 0:
        return False
    qx = segment[0] + share * (segment[2] - segment[0])
    qy = segment[1] + share * (segment[3] - segment[1])
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
                    if barrier_area[b] < 0 or not is_in_area(px, py, barrier_area[b], walls, frame):
                        return True
                    free_area = barrier_area[b]
    return False


@compiled
def nearest_of(px: Any, py: Any, candidates: Any, edges: Any, ground: Any) -> Any:
    """Edge, share and leg of the nearest clear position among `candidates` (-1 = none); edge -1 when there is none."""
    max_access_m, _, walls, frame = ground
    best = -1
    best_share = 0.0
    best2 = max_access_m * max_access_m
    for e in candidates:
        if e < 0 or e == best:
            continue
        share, d2 = project(px, py, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3])
        if d2 > best2 or (d2 == best2 and best >= 0 and e > best):
            continue
        if not is_walled(px, py, share, edges[e], walls, frame):
            best = e
            best_share = share
            best2 = d2
    return best, best_share, math.sqrt(best2)


@compiled
def chain_s(e: Any, share: Any, near_s: Any, far_s: Any, place: Any) -> Any:
    """Seconds along the chain that a position and the place share, the place's leg included; inf where not allowed."""
    best = np.inf
    # Cells keep their share in 32 bits: one that stands where the place does is on both sides of it.
    if (e > place[0] or (e == place[0] and share >= place[1] - _SAME_SHARE)) and near_s < np.inf:
        best = max(near_s - place[2], 0.0)
    if (e < place[0] or (e == place[0] and share <= place[1] + _SAME_SHARE)) and far_s < np.inf:
        best = min(best, max(far_s - place[3], 0.0))
    return best + place[4]


@compiled
def by_junctions_s(e: Any, share: Any, near_s: Any, far_s: Any, ends: Any, junction_s: Any) -> Any:
    """Seconds by either junction of the chain; at the very end of a one-way chain one stands on its junction."""
    start_s, end_s = junction_s[ends[e, 1]], junction_s[ends[e, 2]]
    best = min(start_s + near_s, end_s + far_s)
    if ends[e, 3] != 0:
        if share <= 0.0 and ends[e, 3] & 1:
            best = min(best, start_s)
        if share >= 1.0 and ends[e, 3] & 2:
            best = min(best, end_s)
    return best


@compiled
def road_s(e: Any, share: Any, roads: Any, state: Any) -> Any:
    """Seconds on the road between a position and the nearest of the places, its leg included; inf = not searched."""
    junction_s, chain_place, next_place, places = state
    edges, ends = roads[0], roads[1]
    near_s = edges[e, 4] + share * edges[e, 5]
    far_s = edges[e, 6] - share * edges[e, 7]
    best = by_junctions_s(e, share, near_s, far_s, ends, junction_s)
    p = chain_place[ends[e, 0]]
    while p >= 0:
        best = min(best, chain_s(e, share, near_s, far_s, places[p]))
        p = next_place[p]
    return best


@compiled
def single_s(px: Any, py: Any, e: Any, edges: Any, ends: Any, junction_s: Any, own: Any, place: Any, leg_s: Any) -> Any:
    """Seconds between a point that uses edge `e` and the one place, whose chain is `own`; square of the leg, share."""
    share, d2 = project(px, py, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3])
    near_s = edges[e, 4] + share * edges[e, 5]
    far_s = edges[e, 6] - share * edges[e, 7]
    t = by_junctions_s(e, share, near_s, far_s, ends, junction_s)
    if ends[e, 0] == own:
        t = min(t, chain_s(e, share, near_s, far_s, place))
    return t + math.sqrt(d2) * leg_s, d2, share
