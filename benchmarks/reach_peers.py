"""Sparse 15-minute results against pandana or pandarm, networkx and the osmnx recipe (ego graph and hull).

Peers come with the `bench` extra; one that is not installed is skipped. All get the contracted graph with the same
arcs, which spares them the noded one. Run: python -m benchmarks.reach_peers
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import importlib
import sys

import numpy as np

from benchmarks.reach_fixtures import networks, prepared
from benchmarks.timing import medians, row
from planner.reach import kernels
from planner.reach.positions import search_graph

LIMIT_CS = 90_000


def at_junctions(sources):
    """Searches that start on a junction, without any leg: what the peers can do."""
    n = len(sources)
    none = np.full(n, -1, np.int32)
    return kernels.Positions(
        np.column_stack([sources, none]).astype(np.int32), np.zeros((n, 2), np.int32), none, np.zeros(n), np.zeros(n),
        np.zeros(n),
    )  # fmt: skip


def measure(name, network, code):
    """Every peer on the same junctions, the counts checked equal."""
    profile_network = prepared(network, code)
    graph = search_graph(profile_network, "from")
    rng = np.random.default_rng(3)
    usable = np.flatnonzero(np.diff(graph.first) > 0)
    sources = rng.choice(usable, 300)
    work = kernels.make_workspace(graph, LIMIT_CS)
    tail = np.repeat(np.arange(network.n_junctions), np.diff(graph.first))
    head, cost = graph.arcs[:, 0], np.maximum(graph.arcs[:, 1], 0)

    def ours(n):
        return sum(
            len(kernels.balls(graph, at_junctions(sources[:n]), i, min(i + 64, n), LIMIT_CS, work)[1])
            for i in range(0, n, 64)
        )

    few = 20 if code == "walk" else 2
    for package in ("pandana", "pandarm"):
        peer = range_queries(package, network, (tail, head, cost), sources[:30])
        if peer:
            compare(f"{name}, {code}: against {package} range queries", ours, 30, peer, ">= 50 x")
    peer = ego_lengths((tail, head, cost), sources[:few])
    if peer:
        compare(f"{name}, {code}: against networkx with cutoff", ours, few, peer, ">= 40 x")
    peer = ego_hulls(network, (tail, head, cost), sources[:few])
    if peer:
        compare(f"{name}, {code}: against the osmnx recipe", ours, few, peer, ">= 500 x")


def compare(figure, ours, n, peer, target):
    """Both on the same n sources, ours often enough to be measured."""
    repeats = max(300 // n, 1)
    spent, answers = medians({"ours": lambda: [ours(n) for _ in range(repeats)], "peer": peer})
    same = answers["ours"][0]
    assert abs(same - answers["peer"]) <= 0.01 * same, (figure, same, answers["peer"])
    row(f"{figure} ({same} = {answers['peer']} junctions)", f"{spent['peer'] / spent['ours'] * repeats:.0f} x", target)


def _installed(package):
    try:
        return importlib.import_module(package)
    except ImportError:
        print(f"{package}: skipped, it is not installed (pip install 'practice-circle-planner[bench]')")
        return None


def range_queries(package, network, arcs, sources):
    module = _installed(package)
    if module is None:
        return None
    import pandas as pd

    tail, head, cost = arcs
    node = network.junction_node
    engine = module.Network(
        pd.Series(network.x[node]), pd.Series(network.y[node]), pd.Series(tail), pd.Series(head.astype(np.int64)),
        pd.DataFrame({"minutes": cost / 6000}), twoway=False,
    )  # fmt: skip
    return lambda: len(engine.nodes_in_range(list(map(int, sources)), LIMIT_CS / 6000 + 1e-9))


def _digraph(arcs):
    networkx = _installed("networkx")
    if networkx is None:
        return None, None
    graph = networkx.MultiDiGraph()
    graph.add_weighted_edges_from(zip(*(part.tolist() for part in arcs), strict=True), weight="cs")
    return networkx, graph


def ego_lengths(arcs, sources):
    networkx, graph = _digraph(arcs)
    if networkx is None:
        return None
    search = networkx.single_source_dijkstra_path_length
    return lambda: sum(len(search(graph, int(s), cutoff=LIMIT_CS, weight="cs")) for s in sources)


def ego_hulls(network, arcs, sources):
    """The recipe of osmnx's isochrone example: networkx ego graph, points of its nodes, their convex hull."""
    if _installed("osmnx") is None:
        return None
    import shapely

    networkx, graph = _digraph(arcs)
    node = network.junction_node
    for j in graph.nodes:
        graph.nodes[j].update(x=network.x[node[j]], y=network.y[node[j]])

    def recipe():
        n = 0
        for source in sources:
            ego = networkx.ego_graph(graph, int(source), radius=LIMIT_CS, distance="cs")
            points = shapely.MultiPoint([(data["x"], data["y"]) for _, data in ego.nodes(data=True)])
            assert points.convex_hull is not None
            n += len(ego)
        return n

    return recipe


if __name__ == "__main__":
    for name, network in networks(sys.argv[1:] or ["andorra", "porto_alegre"]):
        for code in ("walk", "car"):
            measure(name, network, code)
