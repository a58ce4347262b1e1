"""Steps between cells made into road lines: bent, noded at shared vertices, joined to the streets of towns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from planner.demo.ground import step_key
from planner.demo.roads import CLASSES, RANK, Draft
from planner.demo.terrain import CELL_M, noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.places import Places

STAIR_GRADE = 0.3
"""Footpaths steeper than this are steps."""
STRAIGHT = ("主干路", "次干路", "街巷")
"""Classes of streets, which are drawn with straight edges."""


@dataclass(frozen=True)
class Edges:
    """Road edges between numbered nodes.

    Attributes
    ----------
    xy : float64[n, 2], of the nodes.
    ends : int64[m, 2].
    rank : int64[m], row of `CLASSES`.
    name : object[m].
    is_bridge : bool[m].
    oneway : int8[m], 1 = only from the first end to the second.
    """

    xy: NDArray[np.float64]
    ends: NDArray[np.int64]
    rank: NDArray[np.int64]
    name: NDArray[np.object_]
    is_bridge: NDArray[np.bool_]
    oneway: NDArray[np.int8]


@dataclass(frozen=True)
class Steps:
    """Road steps between cells, each once: ends, class rank and name."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    rank: NDArray[np.int64]
    name: NDArray[np.object_]

    def taken(self, rows: NDArray[np.generic]) -> Steps:
        """Return the steps in `rows` (a mask or row numbers)."""
        return Steps(self.first[rows], self.second[rows], self.rank[rows], self.name[rows])

    def highest(self, n_cells: int) -> Steps:
        """Return each step once, with its highest class."""
        key = step_key(self.first, self.second, n_cells)
        order = np.lexsort((self.rank, key))
        return self.taken(order[np.append(True, np.diff(key[order]) != 0)])


def make_edges(draft: Draft, places: Places, rng: np.random.Generator) -> Edges:
    """Return all roads of the county but the motorway: the draft's steps outside of towns, and the towns' streets."""
    ground, zone = places.ground, places.zone
    steps = Steps(*draft.steps(), np.concatenate(draft.rank), np.concatenate(draft.name)).highest(ground.n_cells)
    steps = _uncrossed(steps, places.terrain.shape[1], ground.n_cells)
    steps = steps.taken((zone[steps.first] < 0) | (zone[steps.second] < 0))
    spans = step_key(ground.first[ground.is_bridge], ground.second[ground.is_bridge], ground.n_cells)
    is_bridge = np.isin(step_key(steps.first, steps.second, ground.n_cells), spans)
    cells, ends = np.unique(np.stack([steps.first, steps.second], axis=1), return_inverse=True)
    ends = ends.reshape(-1, 2)
    xy = _bent(places, cells, ends, rng)
    is_bridge |= _over_water(xy[ends], places)
    height = places.terrain.height.ravel()[cells]
    grade = np.abs(height[ends[:, 0]] - height[ends[:, 1]]) / np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    rank = np.where((steps.rank == RANK["步道"]) & (grade > STAIR_GRADE), RANK["台阶"], steps.rank)
    outside = Edges(xy, ends, rank, steps.name, is_bridge, np.zeros(len(ends), np.int8))
    return _with_streets(outside, cells, places)


def _over_water(segments: NDArray[np.float64], places: Places) -> NDArray[np.bool_]:
    """bool[n]: segments (float64[n, 2, 2]) that cross a tributary."""
    streams = shapely.union_all([shapely.LineString(line) for line in places.terrain.tributaries])
    shapely.prepare(streams)
    return shapely.intersects(streams, shapely.linestrings(segments))


def _uncrossed(steps: Steps, columns: int, n_cells: int) -> Steps:
    """Where two steps cross without a shared cell, one goes around the corner, so that roads that cross meet."""
    low, high = np.minimum(steps.first, steps.second), np.maximum(steps.first, steps.second)
    falling, rising = high - low == columns + 1, high - low == columns - 1
    corner = low - 1
    is_crossed = rising & np.isin(corner, low[falling])
    kept, moved = steps.taken(~is_crossed), steps.taken(is_crossed)
    low, high, corner = low[is_crossed], high[is_crossed], corner[is_crossed]
    return Steps(
        np.concatenate([kept.first, low, corner]),
        np.concatenate([kept.second, corner, high]),
        np.concatenate([kept.rank, moved.rank, moved.rank]),
        np.concatenate([kept.name, moved.name, moved.name]),
    ).highest(n_cells)


def _bent(
    places: Places, cells: NDArray[np.int64], ends: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Positions of the cells' nodes: off the grid a little, then pulled straight along the roads."""
    from scipy.sparse import coo_matrix

    shape = places.terrain.shape
    xy = places.terrain.xy(cells)
    for axis in (0, 1):
        xy[:, axis] += np.clip(noise(rng, shape, 4.0, 2.5).ravel()[cells], -1.6, 1.6) * 0.24 * CELL_M
    n = len(cells)
    both = np.concatenate([ends, ends[:, ::-1]])
    graph = coo_matrix((np.ones(len(both)), both.T), shape=(n, n)).tocsr()
    degree = np.asarray(graph.sum(axis=1)).ravel()
    for _ in range(3):
        mean = graph @ xy / degree[:, None]
        xy = np.where((degree == 2)[:, None], 0.5 * xy + 0.5 * mean, xy)
    return xy


def _with_streets(edges: Edges, cells: NDArray[np.int64], places: Places) -> Edges:
    """The edges with each town's streets; a road that reaches a town ends at its nearest crossing."""
    from scipy.spatial import cKDTree

    zone = places.zone[cells]
    ends = edges.ends.copy()
    offset = len(cells)
    street_ends = []
    for number, town in enumerate(places.streets):
        tree = cKDTree(town.nodes)
        for side in (0, 1):
            into = np.flatnonzero(zone[edges.ends[:, side]] == number)
            _, nearest = tree.query(edges.xy[edges.ends[into, 1 - side]].reshape(-1, 2))
            ends[into, side] = offset + nearest
        street_ends.append(offset + town.ends)
        offset += len(town.nodes)
    towns = places.streets
    return Edges(
        np.concatenate([edges.xy, *(town.nodes for town in towns)]),
        np.concatenate([ends, *street_ends]),
        np.concatenate([edges.rank, *([RANK[word] for word in town.kinds] for town in towns)]),
        np.concatenate([edges.name, *(town.names for town in towns)]),
        np.concatenate([edges.is_bridge, *(town.is_bridge for town in towns)]),
        np.concatenate([edges.oneway, *(town.oneway for town in towns)]),
    )


def make_lines(edges: Edges, crs: str) -> gpd.GeoDataFrame:
    """Return one line a stretch of road between junctions: class, name, oneway, bridge; shared vertices are equal."""
    chains = _chains(edges)
    edge = np.array([edge for _, edge in chains], np.int64)
    words = [CLASSES[rank] for rank in edges.rank[edge]]
    shapes = []
    for (nodes, _), word in zip(chains, words, strict=True):
        xy = edges.xy[nodes]
        is_bent = word not in STRAIGHT and len(nodes) > len(("start", "end"))
        shapes.append(shapely.LineString(np.round(_rounded(xy) if is_bent else xy, 2)))
    lines = gpd.GeoDataFrame(
        {
            "class": words,
            "name": edges.name[edge],
            "oneway": np.where(edges.oneway[edge] > 0, "forward", "no"),
            "bridge": edges.is_bridge[edge],
        },
        geometry=shapes,
        crs=crs,
    )
    return lines[lines.length > 0].reset_index(drop=True)


def _chains(edges: Edges) -> list[tuple[list[int], int]]:
    """Runs of edges through nodes of degree 2 along which nothing changes: their nodes, and their first edge.

    A one-way edge is a run of its own, from its first end to its second.
    """
    ends = edges.ends.tolist()
    incident: list[list[int]] = [[] for _ in range(len(edges.xy))]
    for edge, (a, b) in enumerate(ends):
        incident[a].append(edge)
        incident[b].append(edge)
    traits = list(zip(edges.rank.tolist(), edges.is_bridge.tolist(), edges.name.tolist(), strict=True))
    is_free = (edges.oneway == 0).tolist()

    def goes_on(node: int) -> bool:
        if len(incident[node]) != len(ends[0]):
            return False
        p, q = incident[node]
        return is_free[p] and is_free[q] and traits[p] == traits[q]

    is_inner = [goes_on(node) for node in range(len(edges.xy))]
    seen = [False] * len(ends)
    chains = []
    # First from the ends of runs, each edge in both directions if need be; what is left then are rings.
    starts = [(edge, a) for edge, (a, _) in enumerate(ends) if not is_inner[a]]
    starts += [(edge, b) for edge, (a, b) in enumerate(ends) if is_inner[a] and not is_inner[b]]
    starts += [(edge, a) for edge, (a, b) in enumerate(ends) if is_inner[a] and is_inner[b]]
    for first, start in starts:
        if seen[first]:
            continue
        nodes, edge = [start], first
        while not seen[edge]:
            seen[edge] = True
            a, b = ends[edge]
            nodes.append(b if nodes[-1] == a else a)
            if is_inner[nodes[-1]]:
                p, q = incident[nodes[-1]]
                edge = q if p == edge else p
        chains.append((nodes, first))
    return chains


def _rounded(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """The line with its corners cut once (Chaikin 1974) and without vertices that bend it by less than 5 m."""
    before, after = xy[:-1], xy[1:]
    cut = np.empty((2 * len(before), 2))
    cut[0::2], cut[1::2] = 0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after
    line = shapely.LineString(np.concatenate([xy[:1], cut[1:-1], xy[-1:]]))
    return shapely.get_coordinates(shapely.simplify(line, 5.0, preserve_topology=False))
