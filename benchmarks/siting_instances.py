"""Instances of the siting benchmarks, made from a seed, and from real roads in ../shared/data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def discs(demand, sites, radius):
    """Relation sites x demand: who lies within `radius` of whom."""
    tree = cKDTree(demand)
    found = tree.query_ball_point(sites, radius, return_sorted=True)
    first = np.concatenate([[0], np.cumsum([len(each) for each in found])])
    columns = (
        np.concatenate([np.asarray(each, dtype=np.int32) for each in found]) if first[-1] else np.zeros(0, np.int32)
    )
    return sparse.csr_matrix((np.ones(columns.size, dtype=bool), columns, first), shape=(len(sites), len(demand)))


def county(n_demand, n_sites, share, seed):
    """A planar county: 60 % of the people in clusters, sites where people are, each covering `share` of the points."""
    rng = np.random.default_rng(seed)
    n_towns = 25
    towns = rng.random((n_towns, 2)) * 100
    spread = rng.uniform(1.5, 6, n_towns)
    size = rng.dirichlet(np.full(n_towns, 1.5))
    home = rng.choice(n_towns, n_demand, p=size)
    demand = towns[home] + rng.normal(size=(n_demand, 2)) * spread[home, None]
    loose = rng.random(n_demand) < 0.4
    demand[loose] = rng.random((int(loose.sum()), 2)) * 100
    weights = rng.integers(1, 101, n_demand).astype(float)
    sites = demand[rng.choice(n_demand, n_sites, replace=False)] + rng.normal(size=(n_sites, 2)) * 0.2
    low, high = 0.01, 60.0
    sample = sites[rng.choice(n_sites, min(n_sites, 300), replace=False)]
    tree = cKDTree(demand)
    for _ in range(30):
        middle = (low + high) / 2
        mean = np.mean(tree.query_ball_point(sample, middle, return_length=True)) / n_demand
        low, high = (middle, high) if mean < share else (low, middle)
    return discs(demand, sites, high), weights


def uniform(n_demand, radius, seed, n_sites=100):
    """Random points as in Cordeau, Furini and Ljubic (2019): [0, 30]^2, demand 1-100."""
    rng = np.random.default_rng(seed)
    demand, sites = rng.random((n_demand, 2)) * 30, rng.random((n_sites, 2)) * 30
    return discs(demand, sites, radius), rng.integers(1, 101, n_demand).astype(float)


def streets(n_nodes, share, seed):
    """A part of Wuhan's street network: every node is demand and site, and covers about `share` of all nodes."""
    import pyarrow.parquet as pq
    import shapely

    lines = shapely.from_wkb(
        pq.read_table(SHARED / "wuhan_roads" / "roads.parquet", columns=["geometry"])["geometry"].to_numpy()
    )
    lines = lines[shapely.get_type_id(lines) == 1]
    ends = np.vstack(
        [shapely.get_coordinates(shapely.get_point(lines, 0)), shapely.get_coordinates(shapely.get_point(lines, -1))]
    )
    points, node = np.unique(np.round(ends, 1), axis=0, return_inverse=True)
    n_lines = len(lines)
    rng = np.random.default_rng(seed)
    graph = sparse.csr_matrix((shapely.length(lines), (node[:n_lines], node[n_lines:])), shape=(len(points),) * 2)
    graph = graph.maximum(graph.T).tocsr()
    _, part = sparse.csgraph.connected_components(graph, directed=False)
    inside = np.flatnonzero(part == np.bincount(part).argmax())
    centre = points[rng.choice(inside)]
    near = inside[np.argsort(np.hypot(*(points[inside] - centre).T), kind="stable")[: int(n_nodes * 1.3)]]
    sub = graph[near][:, near]
    _, part = sparse.csgraph.connected_components(sub, directed=False)
    keep = np.flatnonzero(part == np.bincount(part).argmax())[:n_nodes]
    sub = sub[keep][:, keep]
    low, high = 0.0, 20_000.0
    sample = rng.choice(len(keep), 100, replace=False)
    for _ in range(20):
        middle = (low + high) / 2
        mean = np.isfinite(sparse.csgraph.dijkstra(sub, indices=sample, limit=middle)).mean()
        low, high = (middle, high) if mean < share else (low, middle)
    blocks = [
        sparse.csr_matrix(np.isfinite(sparse.csgraph.dijkstra(sub, indices=part, limit=high)))
        for part in np.array_split(np.arange(len(keep)), max(1, len(keep) // 500))
    ]
    return sparse.vstack(blocks, format="csr"), rng.integers(1, 101, len(keep)).astype(float)
