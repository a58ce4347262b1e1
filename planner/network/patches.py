"""A network with one road changed: closed, in another class, or bridged, without building the rest again.

Junctions keep their numbers and new ones are appended; chains and edges keep their order. A chain that is changed in
part is cut at the ends of the change. Chains are not joined again where a closed road leaves two of them alone, so that
a way is rounded as often as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.errors import InputError
from planner.network.components import pieces, ranked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.network.road_network import RoadNetwork

_SAME_PLACE_M = 1e-3


class Spot(NamedTuple):
    """A position on an edge: `share` 0 is its start, 1 its end."""

    edge: int
    share: float


@dataclass(frozen=True, eq=False)
class Patch:
    """A changed network, and what changed.

    Attributes
    ----------
    network : the new one.
    new_edge : int64[n_old_edges], number of each old edge, or of its first part, in the new network.
    edges : int64[n], edges of the new network that were changed, cut or added.
    old_chains, new_chains : int64, chains of the old and of the new network that are not in the other.
    """

    network: RoadNetwork
    new_edge: NDArray[np.int64]
    edges: NDArray[np.int64]
    old_chains: NDArray[np.int64]
    new_chains: NDArray[np.int64]


def divided(network: RoadNetwork, spots: Sequence[Spot]) -> RoadNetwork:
    """Return the network with a junction at each of `spots`; edges cut there are two, in their order."""
    cut, _, breaks, _ = _with_vertices(network, spots)
    return _with_breaks(cut, breaks)


def closed(network: RoadNetwork, edges: NDArray[Any]) -> Patch:
    """Return the network with `edges` forbidden to everybody."""
    access = network.edge_access.copy()
    access[edges] = -1
    return _changed(network, edges, edge_access=access)


def reclassed(network: RoadNetwork, edges: NDArray[Any], road_class: str) -> Patch:
    """Return the network with `edges` in another road class."""
    classes = network.classes if road_class in network.classes else (*network.classes, road_class)
    codes = network.edge_class.copy()
    codes[edges] = classes.index(road_class)
    return _changed(network, edges, edge_class=codes, classes=classes)


def bridged(network: RoadNetwork, ends: Sequence[Spot], inner: NDArray[np.float64], road_class: str) -> Patch:
    """Return the network with a bridge between two positions on edges; its road is the highest number.

    Heights where a road is cut are interpolated along it; a bridge is level.

    Parameters
    ----------
    ends : where it begins and where it ends.
    inner : float64[n, 2], its vertices between, metres.

    Raises
    ------
    InputError
        When both ends meet the roads at one spot.
    """
    cut, nodes, breaks, first_part = _with_vertices(network, ends)
    if nodes[0] == nodes[1]:
        raise InputError("Both ends of the bridge meet the roads at one spot. Draw it longer.")
    broken = _with_breaks(cut, breaks)
    cut_edges = [spot.edge for spot, at in zip(ends, breaks, strict=True) if at >= 0]
    old_chains = np.unique(network.edge_chain[cut_edges]).astype(np.int64)
    joined = _with_chain(broken, nodes, inner, road_class)
    was = np.searchsorted(first_part, np.arange(cut.n_edges), side="right") - 1
    is_part = np.diff(np.append(first_part, cut.n_edges))[was] > 1
    added = np.arange(cut.n_edges, joined.n_edges)
    of_old = np.isin(network.edge_chain[was], old_chains)
    return Patch(
        network=_with_components(joined),
        new_edge=first_part,
        edges=np.concatenate([np.flatnonzero(is_part), added]),
        old_chains=old_chains,
        new_chains=np.unique(np.concatenate([joined.edge_chain[: cut.n_edges][of_old], joined.edge_chain[added]])),
    )


def _changed(network: RoadNetwork, edges: NDArray[Any], **values: Any) -> Patch:  # noqa: ANN401  fields
    """Return the network with other values on `edges`, its chains cut where they begin and end."""
    edges = np.unique(edges).astype(np.int64)
    is_changed = np.zeros(network.n_edges + 1, bool)
    is_changed[edges] = True
    same_chain = network.edge_chain[1:] == network.edge_chain[:-1]
    breaks = np.flatnonzero((is_changed[1:-1] != is_changed[:-2]) & same_chain) + 1
    old_chains = np.unique(network.edge_chain[edges]).astype(np.int64)
    broken = _with_breaks(replace(network, **values), breaks)
    return Patch(
        network=broken,
        new_edge=np.arange(network.n_edges),
        edges=edges,
        old_chains=old_chains,
        new_chains=np.unique(broken.edge_chain[np.isin(network.edge_chain, old_chains)]),
    )


def _with_breaks(network: RoadNetwork, breaks: NDArray[Any]) -> RoadNetwork:
    """Return the network with a junction at the start of each edge of `breaks` (-1 = none), all inside chains."""
    breaks = np.unique(breaks[breaks >= 0])
    if not len(breaks):
        return network
    first = network.chain_first_edge
    starts = np.insert(first[:-1], np.searchsorted(first[:-1], breaks), breaks)
    new_junction = network.n_junctions + np.arange(len(breaks))
    old_chain = np.searchsorted(first, starts, side="right") - 1
    at = np.minimum(np.searchsorted(breaks, starts), len(breaks) - 1)
    begins_new = breaks[at] == starts
    chain_from = np.where(begins_new, new_junction[at], network.chain_from[old_chain])
    chain_to = network.chain_to[old_chain].astype(np.int64)
    before_new = np.flatnonzero(begins_new) - 1
    chain_to[before_new] = new_junction[at[begins_new]]
    all_first = np.append(starts, network.n_edges)
    return replace(
        network,
        edge_chain=np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(all_first)),
        chain_first_edge=all_first.astype(np.int64),
        chain_from=chain_from.astype(np.int32),
        chain_to=chain_to.astype(np.int32),
        junction_node=np.append(network.junction_node, network.edge_from[breaks]).astype(np.int32),
    )


def _with_vertices(
    network: RoadNetwork, spots: Sequence[Spot]
) -> tuple[RoadNetwork, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the network with a vertex at each spot, their nodes, the edges that begin there, old edges' first parts.

    -1 instead of an edge where no chain has to be cut, as the spot is a junction already.
    """
    length_m = np.array([network.edge_length_m[spot.edge] for spot in spots])
    share = np.array([spot.share for spot in spots])
    edge = np.array([spot.edge for spot in spots], np.int64)
    share = np.where(share * length_m < _SAME_PLACE_M, 0.0, share)
    share = np.where((1.0 - share) * length_m < _SAME_PLACE_M, 1.0, share)
    inside = np.flatnonzero((share > 0) & (share < 1))
    inside = inside[np.lexsort((share[inside], edge[inside]))]
    n_parts = np.ones(network.n_edges, np.int64)
    np.add.at(n_parts, edge[inside], 1)
    first_part = np.cumsum(n_parts) - n_parts
    cut = _cut(network, edge[inside], share[inside], n_parts)
    node, starts = np.empty(len(spots), np.int64), np.empty(len(spots), np.int64)
    node[inside] = network.n_nodes + np.arange(len(inside))
    starts[inside] = edge[inside] + np.arange(len(inside)) + 1
    for i in np.flatnonzero((share == 0) | (share == 1)):
        starts[i] = first_part[edge[i]] + (n_parts[edge[i]] if share[i] == 1 else 0)
        node[i] = (network.edge_to if share[i] == 1 else network.edge_from)[edge[i]]
    return cut, node, np.where(np.isin(starts, cut.chain_first_edge), -1, starts), first_part


def _cut(
    network: RoadNetwork, edge: NDArray[np.int64], share: NDArray[np.float64], n_parts: NDArray[np.int64]
) -> RoadNetwork:
    """Return the network with sorted cuts inside edges."""
    if not len(edge):
        return network
    was = np.repeat(np.arange(network.n_edges), n_parts)
    after = edge + np.arange(len(edge)) + 1
    new_node = network.n_nodes + np.arange(len(edge))
    tail, head = network.edge_from[edge], network.edge_to[edge]

    def between(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(values, values[tail] + share * (values[head] - values[tail]))

    x, y = between(network.x), between(network.y)
    edge_from, edge_to = network.edge_from[was], network.edge_to[was]
    edge_from[after], edge_to[after - 1] = new_node, new_node
    length_m = network.edge_length_m[was]
    parts = np.union1d(after, after - 1)
    length_m[parts] = np.hypot(x[edge_to[parts]] - x[edge_from[parts]], y[edge_to[parts]] - y[edge_from[parts]])
    return replace(
        network,
        x=x,
        y=y,
        z=None if network.z is None else between(network.z),
        edge_from=edge_from,
        edge_to=edge_to,
        edge_length_m=length_m,
        edge_class=network.edge_class[was],
        edge_oneway=network.edge_oneway[was],
        edge_access=network.edge_access[was],
        edge_is_level=network.edge_is_level[was],
        edge_road=network.edge_road[was],
        edge_chain=network.edge_chain[was],
        chain_first_edge=np.concatenate([[0], np.cumsum(n_parts)])[network.chain_first_edge],
        component=np.append(network.component, network.component[tail]).astype(np.int32),
    )


def _with_chain(
    network: RoadNetwork, nodes: NDArray[np.int64], inner: NDArray[np.float64], road_class: str
) -> RoadNetwork:
    """Return the network with one more chain of one road, from the first of `nodes` over `inner` to the second."""
    n = len(inner) + 1
    way = np.concatenate([nodes[:1], network.n_nodes + np.arange(n - 1), nodes[1:]]).astype(np.int32)
    x, y = np.append(network.x, inner[:, 0]), np.append(network.y, inner[:, 1])
    classes = network.classes if road_class in network.classes else (*network.classes, road_class)
    junction = [int(np.flatnonzero(network.junction_node == node)[0]) for node in nodes]

    def more(values: NDArray[Any], value: Any) -> NDArray[Any]:  # noqa: ANN401  of the array's type
        return np.append(values, np.full(n, value, values.dtype))

    return replace(
        network,
        x=x,
        y=y,
        z=None if network.z is None else np.append(network.z, np.full(n - 1, np.nan)),
        edge_from=np.append(network.edge_from, way[:-1]),
        edge_to=np.append(network.edge_to, way[1:]),
        edge_length_m=np.append(network.edge_length_m, np.hypot(np.diff(x[way]), np.diff(y[way]))),
        edge_class=more(network.edge_class, classes.index(road_class)),
        classes=classes,
        edge_oneway=np.concatenate([network.edge_oneway, np.zeros((n, 2), np.int8)]),
        edge_access=np.concatenate([network.edge_access, np.zeros((n, 3), np.int8)]),
        edge_is_level=more(network.edge_is_level, value=True),
        edge_road=more(network.edge_road, network.edge_road.max() + 1),
        edge_chain=more(network.edge_chain, network.n_chains),
        chain_first_edge=np.append(network.chain_first_edge, network.n_edges + n),
        chain_from=np.append(network.chain_from, junction[0]).astype(np.int32),
        chain_to=np.append(network.chain_to, junction[1]).astype(np.int32),
        component=np.append(network.component, np.full(n - 1, network.component[nodes[0]], np.int32)),
    )


def _with_components(network: RoadNetwork) -> RoadNetwork:
    """Return the network with its weakly connected pieces found anew: a bridge may join two."""
    piece = pieces(network.chain_from, network.chain_to, network.n_junctions)
    component = np.empty(network.n_nodes, np.int32)
    component[network.edge_from] = component[network.edge_to] = piece[network.chain_from[network.edge_chain]]
    return replace(network, component=ranked(component))
