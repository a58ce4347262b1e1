"""Roads joined where their lines meet without a shared vertex: crossings, ends on a road, ends that stop short of one.

Bridges, tunnels and motorways are joined at their own ends only: other roads pass over or under them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.inputs.roads.links import Ways

TOUCH_M = 0.001
"""A contact this near a vertex is a contact with the vertex."""
MAX_GAP_M = 50.0
"""No gap wider than this is closed: beyond it nobody can tell a slip of the pen from the end of a road."""


@dataclass
class _Changes:
    """Vertices to put in, and nodes that become one."""

    at: list[int] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    node: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)

    def add(self, at: int, share: float, xy: tuple[float, float], node: int) -> None:
        """Put a vertex after vertex `at`, at `share` of the way to the next (-1 = before it)."""
        self.at.append(at)
        self.share.append(share)
        self.x.append(xy[0])
        self.y.append(xy[1])
        self.node.append(node)


class Noder:
    """The segments of ways as a search tree, and the joints made so far."""

    def __init__(self, ways: Ways, apart: NDArray[np.bool_]) -> None:
        import shapely

        self.ways, self.apart = ways, apart
        n = len(ways.node)
        self.way = np.repeat(np.arange(len(ways.first) - 1), np.diff(ways.first))
        placed = np.isfinite(ways.x) & np.isfinite(ways.y)
        follows = (self.way[1:] == self.way[:-1]) & placed[1:] & placed[:-1]
        self.tail = np.flatnonzero(follows)
        self.is_end = np.zeros(n, dtype=bool)
        self.is_end[ways.first[:-1]] = True
        self.is_end[ways.first[1:] - 1] = True
        self.xy = np.column_stack([ways.x, ways.y])
        self.lines = shapely.linestrings(np.stack([self.xy[self.tail], self.xy[self.tail + 1]], axis=1))
        self.tree = shapely.STRtree(self.lines)
        self.changes = _Changes()
        self.next_node = int(ways.node.max(initial=0)) + 1

    def cross(self, side: NDArray[np.int8] | None = None, *, is_joined: bool = True) -> int:
        """Join segments that meet without a shared node, and return how many contacts there are.

        Parameters
        ----------
        side : int8[n_ways]; where given, only ways of different sides are joined.
        is_joined : False only counts.
        """
        a, b, t, u = self._contacts(side)
        vertex = [self._vertex(seg, share) for seg, share in ((a, t), (b, u))]
        ok = self._may_join(a, vertex[0]) & self._may_join(b, vertex[1])
        for i in np.flatnonzero(ok).tolist() if is_joined else ():
            self._join((int(a[i]), float(t[i]), int(vertex[0][i])), (int(b[i]), float(u[i]), int(vertex[1][i])))
        return int(ok.sum())

    def attach(self, ends: NDArray[np.int64], max_m: float, targets: NDArray[np.bool_] | None = None) -> int:
        """Join each of the vertices `ends` to the nearest other way within `max_m`, by a straight piece.

        Parameters
        ----------
        ends : int64[n], vertices at the end of a way; each node is attached once.
        targets : bool[n_ways], ways that may be joined to; None = all.
        """
        import shapely

        if not len(ends) or not len(self.tail):
            return 0
        end, seg = self.tree.query(shapely.points(self.xy[ends]), predicate="dwithin", distance=max_m)
        segment_way = self.way[self.tail[seg]]
        ok = segment_way != self.way[ends[end]]
        # What the end's own node touches is joined already.
        ok &= (self.ways.node[self.tail[seg]] != self.ways.node[ends[end]]) & (
            self.ways.node[self.tail[seg] + 1] != self.ways.node[ends[end]]
        )
        if targets is not None:
            ok &= targets[segment_way]
        end, seg = end[ok], seg[ok]
        share, gap = self._project(self.xy[ends[end]], seg)
        vertex = self._vertex(seg, share)
        may = self._may_join(seg, vertex)
        end, seg, vertex = end[may], seg[may], vertex[may]
        share, gap = share[may], gap[may]
        linked: set[int] = set()
        for i in np.lexsort((seg, end, np.round(gap, 6))).tolist():
            own = int(ends[end[i]])
            node = int(self.ways.node[own])
            other = int(self.ways.node[vertex[i]]) if vertex[i] >= 0 else -1
            if node in linked or (other in linked and other >= 0 and self.is_end[vertex[i]]):
                continue
            linked.add(node)
            self._extend(own, int(seg[i]), float(share[i]), int(vertex[i]))
        return len(linked)

    def dangling(self) -> NDArray[np.int64]:
        """Return the vertices at the end of a way whose node no other vertex has, and which nothing has joined yet."""
        _, number, count = np.unique(self.ways.node, return_inverse=True, return_counts=True)
        joined = {node for pair in self.changes.pairs for node in pair} | set(self.changes.node)
        alone = self.is_end & (count[number] == 1) & np.isfinite(self.xy).all(axis=1)
        return np.array([v for v in np.flatnonzero(alone).tolist() if int(self.ways.node[v]) not in joined], np.int64)

    def ways_joined(self) -> Ways:
        """Return the ways with the new vertices, nodes that meet made one."""
        made = self.changes
        n = len(self.ways.node)
        base = np.concatenate([np.arange(n), np.array(made.at, np.int64)])
        share = np.concatenate([np.zeros(n), np.array(made.share)])
        order = np.lexsort((share, base))
        node = _united(np.concatenate([self.ways.node, np.array(made.node, np.int64)]), made.pairs)
        way = self.way[base][order]
        first = np.searchsorted(way, np.arange(len(self.ways.first)))
        return replace(
            self.ways,
            node=node[order],
            x=np.concatenate([self.ways.x, made.x])[order],
            y=np.concatenate([self.ways.y, made.y])[order],
            first=first.astype(np.int64),
        )

    def _contacts(self, side: NDArray[np.int8] | None) -> tuple[NDArray[Any], ...]:
        """Return pairs of segments that meet without a shared node, and the share of each at which they do."""
        a, b = self.tree.query(self.lines, predicate="dwithin", distance=TOUCH_M)
        keep = a < b
        a, b = a[keep], b[keep]
        ways, tail = self.ways.node, self.tail
        if side is not None:
            keep = side[self.way[tail[a]]] != side[self.way[tail[b]]]
            a, b = a[keep], b[keep]
        shared = np.zeros(len(a), dtype=bool)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            shared |= ways[tail[a] + i] == ways[tail[b] + j]
        a, b = a[~shared], b[~shared]
        p, q = self.xy[tail[a]], self.xy[tail[b]]
        r, s = self.xy[tail[a] + 1] - p, self.xy[tail[b] + 1] - q
        area = r[:, 0] * s[:, 1] - r[:, 1] * s[:, 0]
        size = np.hypot(*r.T) * np.hypot(*s.T)
        # Lines that run on one another are doubles, not crossings.
        keep = np.abs(area) > 1e-9 * np.maximum(size, 1e-12)
        a, b, p, q, r, s, area = (part[keep] for part in (a, b, p, q, r, s, area))
        d = q - p
        t = np.clip((d[:, 0] * s[:, 1] - d[:, 1] * s[:, 0]) / area, 0.0, 1.0)
        u = np.clip((d[:, 0] * r[:, 1] - d[:, 1] * r[:, 0]) / area, 0.0, 1.0)
        return a, b, t, u

    def _project(self, xy: NDArray[np.float64], seg: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the share of each segment nearest to each point, and the metres between."""
        p = self.xy[self.tail[seg]]
        r = self.xy[self.tail[seg] + 1] - p
        squared = np.maximum((r * r).sum(axis=1), 1e-12)
        share = np.clip(((xy - p) * r).sum(axis=1) / squared, 0.0, 1.0)
        return share, np.hypot(*(xy - p - share[:, None] * r).T)

    def _vertex(self, seg: NDArray[Any], share: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the vertex that a position on a segment is, -1 where it lies between two."""
        tail = self.tail[seg]
        length = np.hypot(*(self.xy[tail + 1] - self.xy[tail]).T)
        found = np.where(share * length <= TOUCH_M, tail, -1)
        return np.where((found < 0) & ((1 - share) * length <= TOUCH_M), tail + 1, found).astype(np.int64)

    def _may_join(self, seg: NDArray[Any], vertex: NDArray[np.int64]) -> NDArray[np.bool_]:
        at_end = (vertex >= 0) & self.is_end[np.maximum(vertex, 0)]
        return ~self.apart[self.way[self.tail[seg]]] | at_end

    def _join(self, one: tuple[int, float, int], other: tuple[int, float, int]) -> None:
        """Make two positions one node: a segment, a share of it, and the vertex there (-1 = none yet)."""
        nodes = [int(self.ways.node[vertex]) if vertex >= 0 else -1 for *_, vertex in (one, other)]
        if min(nodes) >= 0:
            self.changes.pairs.append((nodes[0], nodes[1]))
            return
        node, at = max(nodes), one
        if node < 0:
            node, self.next_node = self.next_node, self.next_node + 1
        elif nodes[1] >= 0:
            at = other
        xy = self._place(*at)
        for (seg, share, vertex), own in zip((one, other), nodes, strict=True):
            if own < 0 and vertex < 0:
                self.changes.add(int(self.tail[seg]), share, xy, node)

    def _extend(self, end: int, seg: int, share: float, vertex: int) -> None:
        """Draw the way on from its end to a position on another."""
        if vertex >= 0:
            node = int(self.ways.node[vertex])
        else:
            node, self.next_node = self.next_node, self.next_node + 1
        xy = self._place(seg, share, vertex)
        if vertex < 0:
            self.changes.add(int(self.tail[seg]), share, xy, node)
        if np.hypot(*(self.xy[end] - xy)) <= TOUCH_M:
            self.changes.pairs.append((int(self.ways.node[end]), node))
            return
        is_first = end == int(self.ways.first[self.way[end]])
        self.changes.add(end, -1.0 if is_first else 2.0, xy, node)

    def _place(self, seg: int, share: float, vertex: int) -> tuple[float, float]:
        if vertex >= 0:
            return float(self.xy[vertex, 0]), float(self.xy[vertex, 1])
        p, q = self.xy[self.tail[seg]], self.xy[self.tail[seg] + 1]
        return float(p[0] + share * (q[0] - p[0])), float(p[1] + share * (q[1] - p[1]))


def _united(node: NDArray[np.int64], pairs: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Return `node` with the nodes of each pair made one: the smallest number."""
    if not pairs:
        return node
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, ends = np.unique(np.array(pairs, np.int64), return_inverse=True)
    a, b = ends.reshape(-1, 2).T
    _, piece = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(ids),) * 2), directed=False)
    smallest = np.full(piece.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, piece, ids)
    row = np.minimum(np.searchsorted(ids, node), len(ids) - 1)
    return np.where(ids[row] == node, smallest[piece[row]], node)
