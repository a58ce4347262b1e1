"""The search against a plain breadth-first search of the same junctions, and against scipy, both in one run.

Run: python -m benchmarks.reach_search [andorra porto_alegre synthetic-1e6]
"""

from __future__ import annotations

import sys

import numba as nb
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.reach_fixtures import networks, prepared, scattered, workspace
from benchmarks.timing import medians, row
from planner.reach import kernels
from planner.reach.positions import make_positions, search_graph

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
    work = workspace(profile_network, graph, LIMIT_CS)
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
    target = {"walk": ">= 40 x", "car": ">= 4 x"}[code] if not name.startswith("synthetic") else "for the record"
    row(f"{name}, {code}: against scipy dijkstra(limit=) made sparse", f"{ratio:.0f} x", target)


if __name__ == "__main__":
    for name, network in networks(sys.argv[1:] or ["andorra", "porto_alegre", "synthetic-1e6"]):
        for code in ("walk", "car"):
            measure(name, network, code)
