"""Where the time of a search goes, and why some peers cannot be further behind: counts and parts beside the figures.

Run: python -m benchmarks.reach_profile [andorra porto_alegre]
"""

from __future__ import annotations

import sys

import numba as nb
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.reach_fixtures import networks, prepared, scattered
from benchmarks.reach_search import BLOCK, LIMIT_CS, N_PLACES, breadth_first, mark
from benchmarks.timing import medians, row
from planner.reach import kernels
from planner.reach.positions import make_positions, search_graph


@nb.njit(nogil=True, cache=True)
def counts(first, arcs, shift, junction, leg_cs, limit_cs, time_cs, bucket, queue, touched):  # noqa: PLR0917
    """Junctions, arcs followed, arcs that improved, times put in, times passed over, empty buckets looked at."""
    total = np.zeros(6, np.int64)
    for p in range(len(junction)):
        n, n_in, n_out, b = 0, 0, 0, 0
        for side in range(2):
            j, cs = junction[p, side], leg_cs[p, side]
            if j >= 0 and cs < time_cs[j]:
                if time_cs[j] == limit_cs + 1:
                    touched[n] = j
                    n += 1
                time_cs[j] = cs
                queue[n_in, 0], queue[n_in, 1], queue[n_in, 2] = j, cs, bucket[cs >> shift]
                bucket[cs >> shift] = n_in
                n_in += 1
        while n_out < n_in:
            at = bucket[b]
            if at < 0:
                b += 1
                total[5] += 1
                continue
            j, t = queue[at, 0], queue[at, 1]
            bucket[b] = queue[at, 2]
            n_out += 1
            if t != time_cs[j]:
                total[4] += 1
                continue
            for a in range(first[j], first[j + 1]):
                head, reached = arcs[a, 0], np.int64(t) + arcs[a, 1]
                total[1] += 1
                if reached >= time_cs[head]:
                    continue
                total[2] += 1
                if time_cs[head] == limit_cs + 1:
                    touched[n] = head
                    n += 1
                time_cs[head] = reached
                queue[n_in, 0], queue[n_in, 1], queue[n_in, 2] = head, reached, bucket[reached >> shift]
                bucket[reached >> shift] = n_in
                n_in += 1
        total[0] += n
        total[3] += n_in
        for i in range(n):
            time_cs[touched[i]] = limit_cs + 1
    return total


def measure(name, network, code):
    """Rows for one network and profile."""
    profile_network = prepared(network, code)
    graph, n_places = search_graph(profile_network, "towards"), N_PLACES[code]
    places = make_positions(profile_network, scattered(profile_network, n_places), leaves=False)
    work = kernels.make_workspace(graph, LIMIT_CS)
    count, ball, _ = kernels.balls(graph, places, 0, n_places, LIMIT_CS, work)
    ball_first = np.concatenate([[0], np.cumsum(count)])
    n = network.n_junctions
    depth, queue = np.full(n, -1, np.int32), np.empty(n, np.int32)
    blocks = [(start, min(start + BLOCK, n_places)) for start in range(0, n_places, BLOCK)]

    def breadth():
        for start, stop in blocks:
            breadth_first(
                graph.first, graph.arcs, places.junction[start:stop], ball_first[start : stop + 1], ball, depth, queue
            )

    noded, nodes = _noded(network, profile_network)
    tasks = {
        "search": lambda: [kernels.balls(graph, places, *block, LIMIT_CS, work) for block in blocks],
        "breadth": breadth,
        "mark": lambda: mark(ball_first, ball, depth),
        "scipy": lambda: dijkstra(noded, indices=nodes, limit=LIMIT_CS / 100),
        "scipy, limit 0": lambda: dijkstra(noded, indices=nodes, limit=0),
    }
    spent, answers = medians(tasks, repeats=7)
    junctions, arcs, improved, put_in, passed, empty = counts(
        graph.first, graph.arcs, graph.shift, places.junction, places.leg_cs, LIMIT_CS, *work[:4]
    )
    assert junctions == len(ball)
    ns = 1e6 / junctions
    row(f"{name}, {code}: junctions a ball, of all", f"{junctions / n_places:.0f} of {n}")
    row(
        f"{name}, {code}: a junction",
        f"{spent['search'] * ns:.0f} ns, breadth-first {(spent['breadth'] - spent['mark']) * ns:.0f} ns",
    )
    row(
        f"{name}, {code}: a junction follows",
        f"{arcs / junctions:.2f} arcs, {improved / junctions:.2f} improve; put in {put_in / junctions:.2f} times, "
        f"passed over {passed / junctions:.2f}, empty buckets {empty / junctions:.2f}",
    )
    n_bytes = 4 * junctions + 8 * arcs + 16 * junctions + 16 * put_in + 4 * arcs + 12 * junctions
    row(
        f"{name}, {code}: bytes read and written a junction (times, arcs, queue, list, output)",
        f"{n_bytes / junctions:.0f}",
    )
    first_step = spent["scipy, limit 0"] / len(nodes)
    reached = np.isfinite(answers["scipy"]).sum() / len(nodes)
    row(
        f"{name}, {code}: scipy, a place, {network.n_nodes} nodes of which it reaches {reached:.0f}",
        f"{spent['scipy'] / len(nodes):.3f} ms, of it {first_step:.3f} ms before the first step",
    )
    best = spent["scipy"] / len(nodes) / ((spent["breadth"] - spent["mark"]) / n_places)
    row(
        f"{name}, {code}: scipy against the breadth-first search: the most that any search could be ahead",
        f"{best:.0f} x",
    )


def _noded(network, profile_network):
    """The noded graph as scipy takes it, and 20 nodes."""
    tail = np.concatenate([network.edge_from, network.edge_to])
    head = np.concatenate([network.edge_to, network.edge_from])
    cost = np.concatenate([profile_network.edge_along_s, profile_network.edge_against_s])
    keep = np.isfinite(cost) & (tail != head)
    order = np.lexsort((cost[keep], head[keep], tail[keep]))
    tail, head, cost = tail[keep][order], head[keep][order], np.maximum(cost[keep][order], 1e-9)
    first = np.ones(len(tail), bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    table = csr_array((cost[first], (tail[first], head[first])), shape=(network.n_nodes, network.n_nodes))
    usable = np.unique(network.edge_from[profile_network.edge_is_usable])
    return table, np.random.default_rng(4).choice(usable, 20)


if __name__ == "__main__":
    for name, network in networks(sys.argv[1:] or ["andorra", "porto_alegre"]):
        for code in ("walk", "car"):
            measure(name, network, code)
