"""Scraps of road that people do not start from: pieces too small to lead anywhere, and one-way stubs.

A path of 40 m that joins nothing, or the stub of a one-way ramp, is often the nearest road of all. Whoever took it
would be cut off beside a street. Routers pass over small pieces too: OSRM prefers pieces of 1,000 nodes and more,
Valhalla edges that 50 nodes can be reached from, GraphHopper drops pieces below 200 nodes (tiny components,
`minimum_reachability` and `min_network_size`). Here a piece is measured in metres: a finely drawn path is no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.network.road_network import UNREACHABLE_CS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.network.road_network import RoadNetwork
    from planner.standards import Profile


def chain_matters(
    network: RoadNetwork, profile: Profile, along_cs: NDArray[np.int32], against_cs: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return bool[n_chains]: whether a chain belongs to a piece that matters for the profile.

    A piece is strongly connected: from everywhere in it one gets everywhere in it. It matters when it is at least
    `min_piece_m` long, or holds `min_piece_share` of what the profile may use; the longest always does. A chain that
    leads only into a piece, or only out of one, belongs to none.

    Parameters
    ----------
    along_cs, against_cs : int32[n_chains], `UNREACHABLE_CS` where the profile may not travel.
    """
    label = _pieces(network, along_cs, against_cs)
    is_usable = np.minimum(along_cs, against_cs) < UNREACHABLE_CS
    is_within = is_usable & (label[network.chain_from] == label[network.chain_to])
    if not is_within.any():
        return is_usable  # nothing but stubs: better those than nothing
    length_m = (
        np.add.reduceat(network.edge_length_m, network.chain_first_edge[:-1]) if network.n_chains else np.zeros(0)
    )
    piece = label[network.chain_from]
    piece_m = np.bincount(piece[is_within], weights=length_m[is_within], minlength=label.max() + 1)
    enough_m = min(
        profile.min_piece_m, profile.min_piece_share * float(length_m[is_usable].sum()), float(piece_m.max())
    )
    return is_within & (piece_m[piece] >= enough_m)


def _pieces(network: RoadNetwork, along_cs: NDArray[np.int32], against_cs: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return int32[n_junctions], the strongly connected piece of each junction."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    along, against = along_cs < UNREACHABLE_CS, against_cs < UNREACHABLE_CS
    tail = np.concatenate([network.chain_from[along], network.chain_to[against]])
    head = np.concatenate([network.chain_to[along], network.chain_from[against]])
    n = network.n_junctions
    graph = coo_array((np.ones(len(tail), np.int8), (tail, head)), shape=(n, n))
    _, label = connected_components(graph.tocsr(), directed=True, connection="strong")
    return np.asarray(label, np.int32)
