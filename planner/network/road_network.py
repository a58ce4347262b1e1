"""The road graph as immutable arrays, and what a profile makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from planner.standards import Profile

UNREACHABLE_CS = 2**31 - 1
"""Travel time of what cannot be reached, in centiseconds (int32)."""


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """Noded roads (every vertex a node, every segment an edge) and their contraction into chains.

    A chain is a run of edges through nodes of degree 2 along which road class, one-way rule, access and bridge or
    tunnel marks that bear on access do not change. Edges stand in the order of their chains and point along them, so
    the edges of chain c are `chain_first_edge[c]` to `chain_first_edge[c + 1] - 1`; each ends where the next begins.

    Attributes
    ----------
    crs : metric working CRS.
    x, y : float64[n_nodes], metres.
    z : float64[n_nodes], metres above sea level; NaN where unknown, None without elevation.
    edge_from, edge_to : int32[n_edges], node numbers.
    edge_length_m : float64[n_edges].
    edge_class : int16[n_edges], row of `classes`.
    edge_oneway : int8[n_edges, 2], columns bicycle, motor: 0 both ways, 1 along the edge only, -1 against it only.
    edge_access : int8[n_edges, 3], columns foot, bicycle, motor: 1 allowed, -1 forbidden, 0 by class.
    edge_is_level : bool[n_edges], bridge or tunnel: counted as level.
    edge_road : int32[n_edges], row of the roads table.
    edge_chain : int32[n_edges].
    chain_first_edge : int64[n_chains + 1].
    chain_from, chain_to : int32[n_chains], junction numbers.
    junction_node : int32[n_junctions], node of each junction; junctions are numbered along a Hilbert curve.
    component : int32[n_nodes], weakly connected piece; 0 is the largest, then by size, ties by smallest node.
    """

    crs: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64] | None
    edge_from: NDArray[np.int32]
    edge_to: NDArray[np.int32]
    edge_length_m: NDArray[np.float64]
    edge_class: NDArray[np.int16]
    classes: tuple[str, ...]
    edge_oneway: NDArray[np.int8]
    edge_access: NDArray[np.int8]
    edge_is_level: NDArray[np.bool_]
    edge_road: NDArray[np.int32]
    edge_chain: NDArray[np.int32]
    chain_first_edge: NDArray[np.int64]
    chain_from: NDArray[np.int32]
    chain_to: NDArray[np.int32]
    junction_node: NDArray[np.int32]
    component: NDArray[np.int32]

    @property
    def n_nodes(self) -> int:
        """Nodes of the noded, uncontracted graph."""
        return len(self.x)

    @property
    def n_edges(self) -> int:
        """Edges of the noded, uncontracted graph, each counted once."""
        return len(self.edge_from)

    @property
    def n_chains(self) -> int:
        """Chains of the contracted graph."""
        return len(self.chain_from)

    @property
    def n_junctions(self) -> int:
        """Nodes of the contracted graph."""
        return len(self.junction_node)


@dataclass(frozen=True, eq=False)
class ProfileNetwork:
    """The network as one profile travels it: exact seconds along edges, centiseconds between junctions.

    "Along" is in the direction of the chain, "against" is back. All edges of a chain are usable alike. A chain's time
    is summed in seconds first and rounded to centiseconds once.

    Attributes
    ----------
    network, profile : what it was made from.
    edge_along_s, edge_against_s : float64[n_edges], seconds to travel the edge; inf where the profile may not.
    before_along_s : float64[n_edges], seconds from the chain's start to the edge's start, travelling along.
    before_against_s : float64[n_edges], seconds from the edge's start to the chain's start, travelling against.
    chain_along_cs, chain_against_cs : int32[n_chains]; `UNREACHABLE_CS` where the profile may not.
    chain_along_s, chain_against_s : float64[n_chains], before rounding.
    out_first, out_head, out_cs : arcs leaving each junction (CSR: int64[n_junctions + 1], int32, int32).
    in_first, in_head, in_cs : arcs arriving at each junction, `in_head` is where they come from.
    chain_component : int32[n_chains], weakly connected piece of the usable graph; -1 where unusable; 0 is the largest.
    edge_is_snappable : bool[n_edges], whether points may touch the edge: it is usable and belongs to a piece that
        matters, within which every junction leads to every other (see `planner.network.fragments`).
    """

    network: RoadNetwork
    profile: Profile
    edge_along_s: NDArray[np.float64]
    edge_against_s: NDArray[np.float64]
    before_along_s: NDArray[np.float64]
    before_against_s: NDArray[np.float64]
    chain_along_s: NDArray[np.float64]
    chain_against_s: NDArray[np.float64]
    chain_along_cs: NDArray[np.int32]
    chain_against_cs: NDArray[np.int32]
    out_first: NDArray[np.int64]
    out_head: NDArray[np.int32]
    out_cs: NDArray[np.int32]
    in_first: NDArray[np.int64]
    in_head: NDArray[np.int32]
    in_cs: NDArray[np.int32]
    chain_component: NDArray[np.int32]
    edge_is_snappable: NDArray[np.bool_]

    @property
    def edge_is_usable(self) -> NDArray[np.bool_]:
        """bool[n_edges]: whether the profile may travel the edge in at least one direction."""
        import numpy as np

        return np.isfinite(np.minimum(self.edge_along_s, self.edge_against_s))


@dataclass(frozen=True, eq=False)
class Snapped:
    """Positions on the network: where each point of a table touches the road, and how far it walks to it.

    Attributes
    ----------
    ids : object[n], ids of the points.
    x, y : float64[n], the points themselves, metres.
    edge : int32[n], edge it snaps to; -1 where no usable road is near (unknown).
    share : float64[n], position along the edge, 0 at its start, 1 at its end.
    snap_x, snap_y : float64[n], that position in metres; NaN where unknown.
    access_m, access_s : float64[n], straight leg in metres and its walking time in seconds; inf where unknown.
    component : int32[n], `chain_component` of its chain; -1 where unknown.
    reason : object[n], "" when snapped, else "no_road" (nothing within `max_access_m`), "fragment" (nothing but scraps
        of road that lead nowhere), "barrier" (a road is within it, but only across a barrier) or "no_coordinates".
    """

    ids: NDArray[np.object_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    edge: NDArray[np.int32]
    share: NDArray[np.float64]
    snap_x: NDArray[np.float64]
    snap_y: NDArray[np.float64]
    access_m: NDArray[np.float64]
    access_s: NDArray[np.float64]
    component: NDArray[np.int32]
    reason: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.edge)
