"""The slow obvious way: every vertex a node, scipy's dijkstra in float seconds, legs by brute force over all segments.

Written from the rules in docs/method.md, not from the package's network code; shares nothing with it but the roads
table, the profile and the grid.
"""

import itertools
import math

import networkx as nx
import numpy as np
import shapely
from pyproj import Transformer
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra


def heights(grid, x, y, crs):
    """Bilinear by scipy, in the grid's own CRS."""
    gx, gy = Transformer.from_crs(crs, grid.crs, always_xy=True).transform(x, y)
    a, b, c, d, e, f = grid.transform
    assert b == 0
    assert d == 0
    rows, columns = (np.asarray(gy) - f) / e - 0.5, (np.asarray(gx) - c) / a - 0.5
    z = map_coordinates(grid.values.astype(float), [rows, columns], order=1, mode="nearest")
    n_rows, n_columns = grid.values.shape
    outside = (rows < -0.5) | (columns < -0.5) | (rows > n_rows - 0.5) | (columns > n_columns - 0.5)
    return np.where(outside, np.nan, z)


class NodedRoads:
    """Segments between consecutive vertices, with seconds either way for one profile."""

    def __init__(self, roads, profile, grid=None):
        crs = roads.crs.to_string()
        tails, heads, level, row = [], [], [], []
        number, xy = {}, []
        for i, (line, start, stop) in enumerate(zip(roads.geometry, roads["from_node"], roads["to_node"], strict=True)):
            coords = list(line.coords)
            names = [("shared", start), *(("own", i, k) for k in range(1, len(coords) - 1)), ("shared", stop)]
            for name, point in zip(names, coords, strict=True):
                if name not in number:
                    number[name] = len(xy)
                    xy.append(point[:2])
            for one, two in itertools.pairwise(names):
                tails.append(number[one])
                heads.append(number[two])
                row.append(i)
        self.profile = profile
        self.xy = np.array(xy)
        self.tail, self.head, self.row = np.array(tails), np.array(heads), np.array(row)
        self.n_nodes = len(xy)
        length = np.hypot(*(self.xy[self.head] - self.xy[self.tail]).T)
        z = np.full(self.n_nodes, np.nan) if grid is None else heights(grid, self.xy[:, 0], self.xy[:, 1], crs)
        self.along = np.empty(len(length))
        self.against = np.empty(len(length))
        records = roads.drop(columns="geometry").to_dict("records")
        rules = [self._rule(record) for record in records]
        level = [bool(record.get("bridge")) or bool(record.get("tunnel")) for record in records]
        for s, metres in enumerate(length):
            kph, forward, backward = rules[row[s]]
            rise = 0.0 if level[row[s]] else z[self.head[s]] - z[self.tail[s]]
            slope = 0.0 if metres == 0 or math.isnan(rise) or profile.slope == "none" else rise / metres
            level_s = metres / (kph / 3.6)
            self.along[s] = level_s / _tobler(slope) if forward else math.inf
            self.against[s] = level_s / _tobler(-slope) if backward else math.inf

    def _rule(self, record):
        kph = self.profile.class_speed_kph.get(record["class"], self.profile.speed_kph)
        own = record.get({"foot": "foot", "bicycle": "bicycle", "motor": "motor"}[self.profile.mode])
        usable = own == "yes" or (own != "no" and record["class"] not in self.profile.excluded)
        oneway = record.get("oneway") if self.profile.obeys_oneway else "no"
        return kph, usable and oneway != "backward", usable and oneway != "forward"

    def matters(self):
        """Whether each segment belongs to a strongly connected piece of enough metres, or of enough of the whole."""
        ahead, back = np.isfinite(self.along), np.isfinite(self.against)
        graph = nx.DiGraph()
        graph.add_nodes_from(range(self.n_nodes))
        graph.add_edges_from(zip(self.tail[ahead], self.head[ahead], strict=True))
        graph.add_edges_from(zip(self.head[back], self.tail[back], strict=True))
        piece = np.empty(self.n_nodes, int)
        for number, nodes in enumerate(nx.strongly_connected_components(graph)):
            piece[list(nodes)] = number
        metres = np.hypot(*(self.xy[self.head] - self.xy[self.tail]).T)
        inside = (ahead | back) & (piece[self.tail] == piece[self.head])
        if not inside.any():
            return ahead | back
        sums = {number: metres[inside & (piece[self.tail] == number)].sum() for number in set(piece[self.tail[inside]])}
        enough = min(
            self.profile.min_piece_m, self.profile.min_piece_share * metres[ahead | back].sum(), max(sums.values())
        )
        return inside & np.array([sums.get(number, -1.0) >= enough - 1e-9 for number in piece[self.tail]])

    def legs(self, x, y, barriers=None):
        """Nearest position on any segment that matters, by looking at all: segment, share, metres (inf = unknown)."""
        usable = np.flatnonzero(self.matters())
        a, b = self.xy[self.tail[usable]], self.xy[self.head[usable]]
        found = []
        for px, py in zip(x, y, strict=True):
            d = b - a
            squared = (d**2).sum(axis=1)
            t = np.clip(((px - a[:, 0]) * d[:, 0] + (py - a[:, 1]) * d[:, 1]) / np.where(squared > 0, squared, 1), 0, 1)
            foot = a + t[:, None] * d
            metres = np.hypot(px - foot[:, 0], py - foot[:, 1])
            best = (-1, 0.0, math.inf)
            for s in np.argsort(metres, kind="stable"):
                if metres[s] > self.profile.max_access_m:
                    break
                end = (
                    min(0.01 / metres[s], 0.5) if metres[s] > 0 else 0.5
                )  # a barrier at either end of a leg is not crossed
                here = np.array([px, py])
                leg = shapely.LineString([here + end * (foot[s] - here), foot[s] - end * (foot[s] - here)])
                if (
                    barriers is None
                    or metres[s] <= 0.02
                    or not any(
                        leg.intersects(b) and not (b.area > 0 and b.intersects(shapely.Point(px, py))) for b in barriers
                    )
                ):
                    best = (int(usable[s]), float(t[s]), float(metres[s]))
                    break
            found.append(best)
        return found

    def times(self, place_legs, point_legs, direction="towards"):
        """Seconds between every place and every point; inf unreachable, NaN unknown."""
        legs = [*place_legs, *point_legs]
        rows, columns, costs = [*self.tail, *self.head], [*self.head, *self.tail], [*self.along, *self.against]
        for v, (s, share, _) in enumerate(legs):
            if s < 0:
                continue
            node = self.n_nodes + v
            for one, two, cost in (
                (node, self.head[s], _part(1 - share, self.along[s])),
                (self.tail[s], node, _part(share, self.along[s])),
                (node, self.tail[s], _part(share, self.against[s])),
                (self.head[s], node, _part(1 - share, self.against[s])),
            ):  # fmt: skip
                rows.append(one)
                columns.append(two)
                costs.append(cost)
        rows, columns, costs = np.array(rows), np.array(columns), np.array(costs)
        rows, columns, costs = (part[np.isfinite(costs)] for part in (rows, columns, costs))
        order = np.lexsort((costs, columns, rows))
        rows, columns, costs = rows[order], columns[order], np.maximum(costs[order], 1e-9)
        first = np.ones(len(rows), bool)
        first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        n = self.n_nodes + len(legs)
        graph = coo_array((costs[first], (rows[first], columns[first])), shape=(n, n)).tocsr()
        if direction == "towards":
            graph = graph.T.tocsr()
        sources = self.n_nodes + np.arange(len(place_legs))
        found = dijkstra(graph, indices=sources)[:, self.n_nodes + len(place_legs) :]
        walk = self.profile.access_speed_kph / 3.6
        for i, (s, share, metres) in enumerate(place_legs):
            for j, (other, point_share, point_metres) in enumerate(point_legs):
                if s < 0 or other < 0:
                    found[i, j] = math.nan
                    continue
                if s == other:
                    ahead = share - point_share if direction == "towards" else point_share - share
                    pace = self.along[s] if ahead >= 0 else self.against[s]
                    found[i, j] = min(found[i, j], _part(abs(ahead), pace))
                found[i, j] += (metres + point_metres) / walk
        return found


def _part(share, seconds):
    """Seconds of a part of a segment; a position at its very end stands on the node, one-way or not."""
    return 0.0 if share < 1e-9 else share * seconds


def _tobler(slope):
    return math.exp(-3.5 * abs(slope + 0.05)) / math.exp(-3.5 * 0.05)
