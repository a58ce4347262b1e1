"""Least-cost paths over the county's ground: how people and roads find their way through mountains."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from planner.demo.terrain import BLOCKED_HALF_WIDTH_M, CELL_M, neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.terrain import Terrain

EASY_GRADE = 0.07
"""Grade at which a metre of road costs twice a metre on the level."""
LEAST_DETOUR = 1.8
"""A second road between two places is built when the way around is longer by this factor."""


@dataclass(frozen=True)
class Ground:
    """The cells one can build on, as a weighted graph; cells are named by their flat number on the terrain.

    Attributes
    ----------
    n_cells : of the terrain.
    first, second : int64[n], ends of each step between touching cells, or of a bridge.
    cost_m : float64[n], metres on the level that are as hard as the step.
    is_bridge : bool[n].
    """

    n_cells: int
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cost_m: NDArray[np.float64]
    is_bridge: NDArray[np.bool_]

    @property
    def cells(self) -> NDArray[np.int64]:
        """int64[k]: cells that some step touches, in order."""
        is_used = np.zeros(self.n_cells, bool)
        is_used[self.first] = True
        is_used[self.second] = True
        return np.flatnonzero(is_used)

    def only(self, keep: NDArray[np.bool_]) -> Ground:
        """Return the ground with the steps in `keep` (bool[n]) alone."""
        return replace(
            self,
            first=self.first[keep],
            second=self.second[keep],
            cost_m=self.cost_m[keep],
            is_bridge=self.is_bridge[keep],
        )

    def times(self, factor: NDArray[np.float64]) -> Ground:
        """Return the ground with the cost of each step times `factor` (float64[n])."""
        return replace(self, cost_m=self.cost_m * factor)

    def cheaper_on(self, first: NDArray[np.int64], second: NDArray[np.int64], share: float) -> Ground:
        """Return the ground with the steps of existing roads at `share` of their cost, so that new roads join them."""
        key = step_key(first, second, self.n_cells)
        is_road = np.isin(step_key(self.first, self.second, self.n_cells), key)
        return self.times(np.where(is_road, share, 1.0))


@dataclass(frozen=True)
class Reach:
    """Least cost from the nearest source to every cell, and the way back.

    Attributes
    ----------
    cost_m : float64[n_cells], inf where nothing leads.
    before : int64[n_cells], the cell before it on the path; -1 at sources and where nothing leads.
    source : int64[n_cells], position of its source in the list; -1 where nothing leads.
    """

    cost_m: NDArray[np.float64]
    before: NDArray[np.int64]
    source: NDArray[np.int64]

    def path(self, cell: int) -> list[int]:
        """Cells from `cell` back to its source, both included."""
        cells = [cell]
        while self.before[cells[-1]] >= 0:
            cells.append(int(self.before[cells[-1]]))
        return cells


@dataclass(frozen=True)
class Link:
    """The cheapest way between the surroundings of two sources."""

    a: int
    b: int
    cost_m: float
    cells: list[int]


def make_ground(terrain: Terrain, bridges: list[tuple[int, int]]) -> Ground:
    """Return the ground of the county: rivers block, steep steps and streams cost, `bridges` (pairs of cells) cross."""
    first, second, length = neighbours(*terrain.shape)
    is_free = (terrain.is_inside & (terrain.river_distance_m > BLOCKED_HALF_WIDTH_M)).ravel()
    keep = is_free[first] & is_free[second]
    first, second, length_m = first[keep], second[keep], length[keep] * CELL_M
    height, side = terrain.height.ravel(), terrain.slope.ravel()
    grade = np.abs(height[first] - height[second]) / length_m
    cost_m = length_m * (1.0 + np.minimum((grade / EASY_GRADE) ** 2, 40.0))
    cost_m *= 1.0 + 1.5 * np.minimum(np.maximum(side[first], side[second]), 1.0)
    wet = np.zeros(height.size)
    for line in terrain.tributaries:
        wet[terrain.cells(densified(line, CELL_M / 3))] = 1.0
    cost_m *= 1.0 + 4.0 * np.maximum(wet[first], wet[second])
    ends = np.array(bridges, np.int64).reshape(-1, 2)
    span = np.hypot(*(terrain.xy(ends[:, 0]) - terrain.xy(ends[:, 1])).T)
    return Ground(
        height.size,
        np.concatenate([first, ends[:, 0]]),
        np.concatenate([second, ends[:, 1]]),
        np.concatenate([cost_m, 2.0 * span]),
        np.concatenate([np.zeros(len(first), bool), np.ones(len(ends), bool)]),
    )


def spread(ground: Ground, sources: NDArray[np.int64], handicap_m: NDArray[np.float64] | None = None) -> Reach:
    """Return the least cost of every cell from its nearest source (int64[k], cells), each with a start of its own."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    start = np.full(len(sources), 1e-3) if handicap_m is None else handicap_m + 1e-3
    n = ground.n_cells
    a = np.concatenate([ground.first, ground.second, np.full(len(sources), n)])
    b = np.concatenate([ground.second, ground.first, sources])
    graph = coo_matrix((np.concatenate([ground.cost_m, ground.cost_m, start]), (a, b)), shape=(n + 1, n + 1)).tocsr()
    cost_m, before = dijkstra(graph, directed=True, indices=n, return_predecessors=True)
    before = before[:n].astype(np.int64)
    source = np.full(n + 1, -1, np.int64)
    is_source = before == n
    number = np.full(n, -1, np.int64)
    number[sources] = np.arange(len(sources))
    root = np.where(is_source, np.arange(n), before)
    root = np.where(root < 0, n, root)
    root = np.append(root, n)
    while True:
        further = root[root]
        if np.array_equal(further, root):
            break
        root = further
    found = root[:n] < n
    source[:n][found] = number[root[:n][found]]
    before[is_source | (before < 0)] = -1
    return Reach(cost_m[:n], before, source[:n])


def links(ground: Ground, reach: Reach) -> list[Link]:
    """Return the cheapest link between every two sources whose surroundings touch, by source numbers."""
    a, b = reach.source[ground.first], reach.source[ground.second]
    meets = np.flatnonzero((a != b) & (a >= 0) & (b >= 0))
    low, high = np.minimum(a[meets], b[meets]), np.maximum(a[meets], b[meets])
    cost = reach.cost_m[ground.first[meets]] + ground.cost_m[meets] + reach.cost_m[ground.second[meets]]
    order = np.lexsort((meets, cost, high, low))
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    found = []
    for at in order[is_first]:
        step = meets[at]
        ends = (int(ground.first[step]), int(ground.second[step]))
        if a[step] > b[step]:
            ends = ends[::-1]
        cells = reach.path(ends[0])[::-1] + reach.path(ends[1])
        found.append(Link(int(low[at]), int(high[at]), float(cost[at]), cells))
    return found


def chosen_links(candidates: list[Link], n_places: int, n_extra: int) -> list[Link]:
    """Return the links that join all places at least cost, and the `n_extra` that save the longest detours."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree

    ends = np.array([(link.a, link.b) for link in candidates], np.int64).reshape(-1, 2)
    cost = np.array([link.cost_m for link in candidates])
    tree = minimum_spanning_tree(coo_matrix((cost, ends.T), shape=(n_places, n_places)).tocsr())
    around = dijkstra(tree, directed=False)[ends[:, 0], ends[:, 1]]
    is_tree = np.asarray(tree[ends[:, 0], ends[:, 1]]).ravel() > 0
    detour = np.where(is_tree, 0.0, around / cost)
    extra = np.argsort(-detour, kind="stable")[:n_extra]
    chosen = np.flatnonzero(is_tree | (np.isin(np.arange(len(cost)), extra) & (detour > LEAST_DETOUR)))
    return [candidates[i] for i in chosen]


def steps_of(cells: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Consecutive pairs of a path."""
    path = np.array(cells, np.int64)
    return path[:-1], path[1:]


def step_key(first: NDArray[np.int64], second: NDArray[np.int64], n_cells: int) -> NDArray[np.int64]:
    """One number for each unordered pair of cells."""
    return np.minimum(first, second) * np.int64(n_cells) + np.maximum(first, second)


def densified(line: NDArray[np.float64], step_m: float) -> NDArray[np.float64]:
    """float64[n, 2]: points along the line, at most about `step_m` apart."""
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    even = np.linspace(0.0, at[-1], max(2, int(at[-1] / step_m)))
    return np.column_stack([np.interp(even, at, line[:, 0]), np.interp(even, at, line[:, 1])])
