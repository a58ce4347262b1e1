"""Weakly connected pieces of a network: reported, never silently used or dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.network.road_network import RoadNetwork


def pieces(tail: NDArray[Any], head: NDArray[Any], n_nodes: int) -> NDArray[np.int32]:
    """Return int32[n_nodes], the weakly connected piece of each node, in no particular order."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n_nodes, n_nodes))
    _, label = connected_components(graph, directed=False)
    return np.asarray(label, np.int32)


def ranked(label: NDArray[Any]) -> NDArray[np.int32]:
    """Return int32[n], the labels renumbered: 0 is the most frequent, ties by the label met first."""
    if not len(label):
        return np.zeros(0, np.int32)
    values, first, inverse, count = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -count))
    rank = np.empty(len(values), np.int32)
    rank[order] = np.arange(len(values), dtype=np.int32)
    return rank[inverse]


def summary(network: RoadNetwork) -> dict[str, Any]:
    """Return the counts of the noded graph: nodes, edges, metres, pieces and the share of nodes in the largest."""
    n_components = int(network.component.max()) + 1 if network.n_nodes else 0
    largest = int((network.component == 0).sum())
    return {
        "n_nodes": network.n_nodes,
        "n_edges": network.n_edges,
        "length_m": float(network.edge_length_m.sum()),
        "n_components": n_components,
        "largest_component_share": largest / network.n_nodes if network.n_nodes else 0.0,
    }
