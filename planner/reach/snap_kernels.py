"""Compiled loops of the snap grid: barrier areas, and the nearest edge of every cell.

All of them release the interpreter lock, so that threads share the work.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from planner.compiled import compiled
from planner.reach.segment_kernels import TOUCH_M, meets, project

# Edges that are looked at for one that is clear of barriers for a whole part of a tile.
_TRIES = 6


@compiled
def buckets_of_segments(segments: Any, chosen: Any, frame: Any, margin_m: Any) -> Any:
    """Segments that come within `margin_m` of each tile (by bounding box), as CSR: first, segment.

    `frame` is (x_min, y_max, tile_m, n_tile_rows, n_tile_cols).
    """
    x_min, y_max, tile_m, n_rows, n_cols = frame
    first = np.zeros(n_rows * n_cols + 1, np.int64)
    items = np.empty(0, np.int32)
    for step in range(2):
        for i in chosen:
            west = min(segments[i, 0], segments[i, 2]) - margin_m
            east = max(segments[i, 0], segments[i, 2]) + margin_m
            south = min(segments[i, 1], segments[i, 3]) - margin_m
            north = max(segments[i, 1], segments[i, 3]) + margin_m
            col_0 = max(math.floor((west - x_min) / tile_m), 0)
            col_1 = min(math.floor((east - x_min) / tile_m), n_cols - 1)
            row_0 = max(math.floor((y_max - north) / tile_m), 0)
            row_1 = min(math.floor((y_max - south) / tile_m), n_rows - 1)
            for row in range(row_0, row_1 + 1):
                for col in range(col_0, col_1 + 1):
                    tile = row * n_cols + col
                    if step == 0:
                        first[tile + 1] += 1
                    else:
                        items[first[tile]] = i
                        first[tile] += 1
        if step == 0:
            first = np.cumsum(first)
            items = np.empty(first[-1], np.int32)
    for tile in range(n_rows * n_cols, 0, -1):
        first[tile] = first[tile - 1]
    first[0] = 0
    return first, items


@compiled
def fill_areas(barriers: Any, barrier_area: Any, frame: Any, area: Any) -> Any:
    """Write into `area` (rows x columns, -1 = none) which barrier area each cell centre lies in; areas are disjoint.

    `frame` is (x_min, y_max, cell_m). A row is filled between its crossings with an area's rings, taken in pairs.
    """
    x_min, y_max, cell_m = frame
    n_rows, n_cols = area.shape
    first = np.zeros(n_rows + 1, np.int64)
    order = np.empty(0, np.int64)
    cross_x = np.empty(0, np.float64)
    cross_area = np.empty(0, np.int64)
    for step in range(2):
        for b in range(barrier_area.size):
            if barrier_area[b] < 0:
                continue
            low, high = min(barriers[b, 1], barriers[b, 3]), max(barriers[b, 1], barriers[b, 3])
            row_0 = max(math.floor((y_max - high) / cell_m) - 1, 0)
            row_1 = min(math.floor((y_max - low) / cell_m) + 1, n_rows - 1)
            for row in range(row_0, row_1 + 1):
                y = y_max - (row + 0.5) * cell_m
                if not low <= y < high:
                    continue
                if step == 0:
                    first[row + 1] += 1
                else:
                    share = (y - barriers[b, 1]) / (barriers[b, 3] - barriers[b, 1])
                    cross_x[first[row]] = barriers[b, 0] + share * (barriers[b, 2] - barriers[b, 0])
                    cross_area[first[row]] = barrier_area[b]
                    first[row] += 1
        if step == 0:
            first = np.cumsum(first)
            cross_x = np.empty(first[-1], np.float64)
            cross_area = np.empty(first[-1], np.int64)
    start = 0
    for row in range(n_rows):
        stop = first[row]
        xs = cross_x[start:stop]
        owners = cross_area[start:stop]
        order = np.argsort(xs)
        for k in range(order.size):
            if owners[order[k]] < 0:
                continue
            for other in range(k + 1, order.size):
                if owners[order[other]] == owners[order[k]]:
                    col_0 = max(math.ceil((xs[order[k]] - x_min) / cell_m - 0.5), 0)
                    col_1 = min(math.ceil((xs[order[other]] - x_min) / cell_m - 0.5), n_cols)
                    for col in range(col_0, col_1):
                        area[row, col] = owners[order[k]]
                    owners[order[other]] = -1
                    break
        start = stop


@compiled
def _nearest_clear(
    px: Any, py: Any, edges: Any, distance2: Any, segments: Any, blocks: Any, barriers: Any, margin_m: Any, tries: Any
) -> Any:
    """Place in `edges` of the nearest edge whose straight leg keeps `margin_m` from every barrier; -1 = none.

    Edges that fail get their distance turned to -1 - distance in `distance2`; after `tries` of them it gives up.
    """
    for _ in range(tries):
        best = -1
        for k in range(edges.size):
            if distance2[k] >= 0.0 and (best < 0 or distance2[k] < distance2[best]):
                best = k
        if best < 0:
            return -1
        e = edges[best]
        share, _ = project(px, py, segments[e, 0], segments[e, 1], segments[e, 2], segments[e, 3])
        qx = segments[e, 0] + share * (segments[e, 2] - segments[e, 0])
        qy = segments[e, 1] + share * (segments[e, 3] - segments[e, 1])
        is_clear = True
        for b in blocks:
            if meets(px, py, qx, qy, barriers, b, margin_m):
                is_clear = False
                break
        if is_clear:
            return best
        distance2[best] = -1.0 - distance2[best]
    return -1


@compiled
def _binding(
    px: Any, py: Any, half: Any, own_area: Any, blocks: Any, barriers: Any, barrier_area: Any, kept: Any
) -> Any:
    """Copy into `kept` the barriers that bind a part around p: all but those of the area that it lies in entirely."""
    is_within = own_area >= 0
    if is_within and half > 0.0:
        for b in blocks:
            if barrier_area[b] == own_area:
                d2 = project(px, py, barriers[b, 0], barriers[b, 1], barriers[b, 2], barriers[b, 3])[1]
                if d2 <= half * half:
                    is_within = False
                    break
    n = 0
    for b in blocks:
        if not (is_within and barrier_area[b] == own_area):
            kept[n] = b
            n += 1
    return n


@compiled
def snap_tiles(tiles: Any, frame: Any, roads: Any, walls: Any, area: Any, edge: Any, road: Any, is_near: Any) -> Any:
    """Fill in the nearest usable position of the cells of `tiles`.

    `edge` (rows x columns) takes its edge, `road` (rows x columns x 2) the share along it and metres of leg, `is_near`
    whether a barrier lies so near that it can bear on a leg from within one cell.

    Each tile is divided in four again and again. A part with centre c and half diagonal h keeps the edges that can be
    the nearest of any of its points: those no further from c than the nearest edge that is clear of barriers for the
    whole part, plus 2 h. A cell at the end has very few left.

    `frame` is (x_min, y_max, cell_m, cells across a tile, max_access_m); `roads` are the edges' ends and the edges of
    each tile (CSR); `walls` the barriers' ends, their areas, and the barriers of each tile (CSR).
    """
    x_min, y_max, cell_m, tile_cells, max_access_m = frame
    segments, tile_first, tile_edges = roads
    barriers, barrier_area, wall_first, wall_items = walls
    n_rows, n_cols = edge.shape
    tiles_across = (n_cols + tile_cells - 1) // tile_cells
    levels = 3
    while (1 << (levels - 3)) < tile_cells:
        levels += 1
    most = 1
    most_blocks = 1
    for tile in tiles:
        most = max(most, tile_first[tile + 1] - tile_first[tile])
        most_blocks = max(most_blocks, wall_first[tile + 1] - wall_first[tile])
    edges = np.empty(most * levels, np.int32)
    distance2 = np.empty(most, np.float64)
    blocks = np.empty(most_blocks * levels, np.int32)
    binding = np.empty(most_blocks, np.int32)
    stack = np.empty((4 * levels, 7), np.int64)
    for tile in tiles:
        n_top = tile_first[tile + 1] - tile_first[tile]
        if n_top == 0:
            continue
        edges[:n_top] = tile_edges[tile_first[tile] : tile_first[tile + 1]]
        n_blocks_top = wall_first[tile + 1] - wall_first[tile]
        blocks[:n_blocks_top] = wall_items[wall_first[tile] : wall_first[tile + 1]]
        stack[0, 0] = (tile // tiles_across) * tile_cells
        stack[0, 1] = (tile % tiles_across) * tile_cells
        stack[0, 2] = tile_cells
        stack[0, 3] = 0
        stack[0, 4] = n_top
        stack[0, 5] = 0
        stack[0, 6] = n_blocks_top
        height = 1
        while height > 0:
            height -= 1
            row, col, size = stack[height, 0], stack[height, 1], stack[height, 2]
            start, end, b_start, b_end = stack[height, 3], stack[height, 4], stack[height, 5], stack[height, 6]
            if row >= n_rows or col >= n_cols:
                continue
            px = x_min + (col + 0.5 * size) * cell_m
            py = y_max - (row + 0.5 * size) * cell_m
            half = (size - 1) * cell_m * math.sqrt(0.5)
            n = end - start
            here = edges[start:end]
            nearest2 = np.inf
            nearest = -1
            for k in range(n):
                e = here[k]
                d2 = project(px, py, segments[e, 0], segments[e, 1], segments[e, 2], segments[e, 3])[1]
                distance2[k] = d2
                if d2 < nearest2:
                    nearest2 = d2
                    nearest = k
            if b_end > b_start:
                own_area = area[min(row + size // 2, area.shape[0] - 1), min(col + size // 2, area.shape[1] - 1)]
                n_binding = _binding(px, py, half, own_area, blocks[b_start:b_end], barriers, barrier_area, binding)
                margin_m = max(half, TOUCH_M)
                tries = n if size == 1 else _TRIES
                nearest = _nearest_clear(
                    px, py, here, distance2, segments, binding[:n_binding], barriers, margin_m, tries
                )
                for k in range(n):
                    if distance2[k] < 0.0:
                        distance2[k] = -1.0 - distance2[k]
                nearest2 = np.inf if nearest < 0 else distance2[nearest]
            if size == 1:
                is_near[min(row, is_near.shape[0] - 1), min(col, is_near.shape[1] - 1)] |= b_end > b_start
                if nearest >= 0 and nearest2 <= max_access_m * max_access_m:
                    e = here[nearest]
                    s, d2 = project(px, py, segments[e, 0], segments[e, 1], segments[e, 2], segments[e, 3])
                    edge[row, col] = e
                    road[row, col, 0] = s
                    road[row, col, 1] = math.sqrt(d2)
                continue
            reach = max_access_m + half
            if nearest >= 0:
                reach = min(reach, math.sqrt(nearest2) + 2.0 * half)
            reach2 = reach * reach * (1.0 + 1e-9)
            wall_reach2 = (reach + cell_m + 1.0) ** 2
            kept = end
            for k in range(n):
                if distance2[k] <= reach2:
                    edges[kept] = here[k]
                    kept += 1
            if kept == end:
                continue
            b_kept = b_end
            for k in range(b_start, b_end):
                b = blocks[k]
                d2 = project(px, py, barriers[b, 0], barriers[b, 1], barriers[b, 2], barriers[b, 3])[1]
                if d2 <= wall_reach2:
                    blocks[b_kept] = b
                    b_kept += 1
            part = size // 2
            for k in range(4):
                stack[height, 0] = row + (k // 2) * part
                stack[height, 1] = col + (k % 2) * part
                stack[height, 2] = part
                stack[height, 3] = end
                stack[height, 4] = kept
                stack[height, 5] = b_end
                stack[height, 6] = b_kept
                height += 1


@compiled
def cells_by_edge(edge: Any, n_edges: Any) -> Any:
    """Cells in the order of their edges, as CSR: first, (row, column); inside an edge by row, then column."""
    n_rows, n_cols = edge.shape
    first = np.zeros(n_edges + 1, np.int64)
    for row in range(n_rows):
        for col in range(n_cols):
            if edge[row, col] >= 0:
                first[edge[row, col] + 1] += 1
    first = np.cumsum(first)
    place = np.empty((first[-1], 2), np.uint16)
    free = first[:-1].copy()
    for row in range(n_rows):
        for col in range(n_cols):
            e = edge[row, col]
            if e >= 0:
                place[free[e], 0] = row
                place[free[e], 1] = col
                free[e] += 1
    return first, place
