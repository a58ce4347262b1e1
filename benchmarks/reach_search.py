"""The search against a plain breadth-first search of the same junctions, and against scipy, both in one run.

Run: python -m benchmarks.reach_search [andorra porto_alegre synthetic-1e6]
"""

from __future__ import annotations

import sys

import numba as nb
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.reach_fixtures import networks, prepared, scattered
from benchmarks.timing import medians, row
from planner.network.snap import snap_points
from planner.reach import kernels
from planner.reach.access import chosen as rows_of
from planner.reach.positions import index_positions, make_positions, search_graph

LIMIT_CS = 90_000
BLOCK = 64  # places at a time, as travel_times takes them
N_PLACES = {"walk": 1000, "car": 300}


@nb.njit(nogil=True, cache=True)
def mark(ball_first, ball, depth):
    """Open the junctions of each ball, then close them: what the marking alone costs."""
    for p in range(len(ball_first) - 1):
        for i in range(ball_first[p], ball_first[p + 1]):
            depth[ball[i]] = 2**31 - 1
        for i in range(ball_first[p], ball_first[p + 1]):
            depth[ball[i]] = -1


@nb.njit(nogil=True, cache=True)
def breadth_first(first, arcs, junction, ball_first, ball, depth, queue):  # noqa: PLR0917
    """Visit the junctions of each ball by a plain queue; the same arcs, growing output and cleaning as the search."""
    total = 0
    out_j, out_depth = np.empty(1024, np.int32), np.empty(1024, np.int32)
    for p in range(len(ball_first) - 1):
        for i in range(ball_first[p], ball_first[p + 1]):
            depth[ball[i]] = 2**31 - 1
        n = 0
        for side in range(2):
            j = np.int64(junction[p, side])
            if j >= 0 and depth[j] == 2**31 - 1:
                depth[j] = 0
                queue[n] = j
                n += 1
        at = 0
        while at < n:
            j = np.uint32(queue[at])
            at += 1
            t = depth[j] + 1
            for a in range(np.uint64(first[j]), np.uint64(first[j + np.uint32(1)])):
                head = np.uint32(arcs[a, 0])
                if depth[head] == 2**31 - 1:
                    depth[head] = t
                    queue[n] = head
                    n += 1
        if total + n > len(out_j):
            grown_j = np.empty(max(total + n, 2 * len(out_j)), np.int32)
            grown_depth = np.empty(max(total + n, 2 * len(out_j)), np.int32)
            grown_j[: len(out_j)], grown_depth[: len(out_j)] = out_j, out_depth
            out_j, out_depth = grown_j, grown_depth
        for i in range(n):
            j = np.uint32(queue[i])
            out_j[total] = j
            out_depth[total] = depth[j]
            depth[j] = -1
            total += 1
    return out_j[:total].copy(), out_depth[:total].copy()


def measure(name, network, code):
    """Both ratios for one network and profile."""
    profile_network = prepared(network, code)
    graph = search_graph(profile_network, "towards")
    n_places = N_PLACES[code]
    places = make_positions(profile_network, scattered(profile_network, n_places), leaves=False)
    work = kernels.make_workspace(graph, LIMIT_CS)
    count, ball, ball_cs = kernels.balls(graph, places, 0, n_places, LIMIT_CS, work)
    ball_first = np.concatenate([[0], np.cumsum(count)])
    n = network.n_junctions
    depth, queue = np.full(n, -1, np.int32), np.empty(n, np.int32)
    blocks = [(start, min(start + BLOCK, n_places)) for start in range(0, n_places, BLOCK)]

    def search():
        return sum(len(kernels.balls(graph, places, *block, LIMIT_CS, work)[1]) for block in blocks)

    def breadth():
        found = 0
        for start, stop in blocks:
            part = ball_first[start : stop + 1]
            junction = places.junction[start:stop]
            found += len(breadth_first(graph.first, graph.arcs, junction, part, ball, depth, queue)[0])
        return found

    tasks = {"search": search, "breadth": breadth, "mark": lambda: mark(ball_first, ball, depth)}
    spent, answers = medians(tasks, repeats=9)
    assert answers["search"] == answers["breadth"] == len(ball)
    per_place = spent["search"] / n_places
    ratio = spent["search"] / (spent["breadth"] - spent["mark"])
    row(f"{name}, {code}: a 15-minute ball of {len(ball) / n_places:.0f} junctions", f"{per_place:.4f} ms", "")
    row(f"{name}, {code}: against breadth-first search of the same junctions", f"{ratio:.2f} x", "<= 1.6 x")
    against_scipy(name, code, graph, places, (count, ball_cs), spent["search"] / n_places)


def against_scipy(name, code, graph, places, ours, per_place_ms):
    """scipy's bounded dijkstra on the same arcs, its dense rows made sparse, for as many places as it can bear."""
    n = len(graph.first) - 1
    some = np.flatnonzero(places.junction[:, 0] >= 0)[: max(5, min(50, 20_000_000 // max(n, 1)))]
    # A position stands on two junctions: it is a node of its own, with its two legs as arcs.
    legs = [(i, s) for i in some for s in (0, 1) if places.leg_cs[i, s] <= LIMIT_CS]
    tail = np.concatenate(
        [np.repeat(np.arange(n), np.diff(graph.first)), [n + np.searchsorted(some, i) for i, _ in legs]]
    )
    head = np.concatenate([graph.arcs[:, 0], [places.junction[i, s] for i, s in legs]])
    cost = np.concatenate([graph.arcs[:, 1], [places.leg_cs[i, s] for i, s in legs]]).astype(float)
    order = np.lexsort((cost, head, tail))
    tail, head, cost = tail[order], head[order], np.maximum(cost[order], 1e-9)
    keep = np.ones(len(tail), bool)
    keep[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    size = n + len(some)
    table = csr_array((cost[keep], (tail[keep], head[keep])), shape=(size, size))

    def scipy_sparse():
        dense = dijkstra(table, indices=n + np.arange(len(some)), limit=LIMIT_CS)[:, :n]
        return csr_array(np.where(np.isfinite(dense), dense, 0)).nnz

    spent, answers = medians({"scipy": scipy_sparse})
    count, _ = ours
    assert answers["scipy"] == count[some].sum(), (answers["scipy"], count[some].sum())
    ratio = spent["scipy"] / len(some) / per_place_ms
    row(f"{name}, {code}: against scipy dijkstra(limit=) on our contracted arcs, made sparse", f"{ratio:.0f} x", "")


def against_scipy_noded(name, network, code):
    """The product against scipy as one would use it: minutes from places to 2,000 points, over the noded graph."""
    profile_network = prepared(network, code)
    rng = np.random.default_rng(4)
    usable = np.unique(network.edge_from[profile_network.edge_is_usable])
    nodes = rng.choice(usable, 2000)
    points = snap_points(profile_network, np.arange(2000), network.x[nodes], network.y[nodes])
    n_places, n_scipy = N_PLACES[code], 20
    places = rows_of(points, np.arange(n_places))
    graph = search_graph(profile_network, "from")
    starts = make_positions(profile_network, places, leaves=True)
    ends = make_positions(profile_network, points, leaves=False)
    index = index_positions(ends, network.n_junctions, network.n_chains)
    work = kernels.make_workspace(graph, LIMIT_CS, 2000)
    tail = np.concatenate([network.edge_from, network.edge_to])
    head = np.concatenate([network.edge_to, network.edge_from])
    cost = np.concatenate([profile_network.edge_along_s, profile_network.edge_against_s])
    keep = np.isfinite(cost)
    order = np.lexsort((cost[keep], head[keep], tail[keep]))
    tail, head, cost = tail[keep][order], head[keep][order], np.maximum(cost[keep][order], 1e-9)
    first = np.ones(len(tail), bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    table = csr_array((cost[first], (tail[first], head[first])), shape=(network.n_nodes, network.n_nodes))

    def ours():
        blocks = [(start, min(start + BLOCK, n_places)) for start in range(0, n_places, BLOCK)]
        found = [kernels.point_times(graph, starts, ends, index, *b, LIMIT_CS, False, work)[0] for b in blocks]
        return int(np.concatenate(found)[:n_scipy].sum())

    def scipy_sparse():
        dense = dijkstra(table, indices=nodes[:n_scipy], limit=LIMIT_CS / 100)[:, nodes]
        return csr_array(np.where(np.isfinite(dense), np.maximum(dense, 1e-9), 0)).nnz

    spent, answers = medians({"ours": ours, "scipy": scipy_sparse})
    assert abs(answers["ours"] - answers["scipy"]) <= max(2, 0.002 * answers["scipy"]), answers
    ratio = spent["scipy"] / n_scipy / (spent["ours"] / n_places)
    target = {"walk": ">= 40 x", "car": ">= 4 x"}[code] if not name.startswith("synthetic") else "for the record"
    counts = f"{answers['ours']} = {answers['scipy']} pairs"
    row(
        f"{name}, {code}: against scipy dijkstra(limit=) on the noded graph, made sparse ({counts})",
        f"{ratio:.0f} x",
        target,
    )


if __name__ == "__main__":
    for name, network in networks(sys.argv[1:] or ["andorra", "porto_alegre", "synthetic-1e6"]):
        for code in ("walk", "car"):
            measure(name, network, code)
            against_scipy_noded(name, network, code)
