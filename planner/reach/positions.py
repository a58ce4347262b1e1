"""Snapped points as the searches use them: legs to the junctions of their chains, and who stands where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import numpy as np

from planner.errors import ScenarioError
from planner.network.road_network import UNREACHABLE_CS
from planner.network.speeds import centiseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.reach.kernels import Graph, Index, Positions

Direction = Literal["towards", "from"]
_SAME_PLACE_M = 1e-6
_NARROWEST, _WIDEST = 6, 14  # powers of two, centiseconds: 0.6 s and 164 s
_GRAPHS: WeakKeyDictionary[ProfileNetwork, dict[str, Graph]] = WeakKeyDictionary()


def search_graph(profile_network: ProfileNetwork, direction: Direction) -> Graph:
    """Return the packed arcs that a search from places follows: backwards for "towards", forwards for "from".

    Raises
    ------
    ScenarioError
        When `direction` is neither.
    """
    from planner.reach.kernels import Graph

    if direction not in ("towards", "from"):
        raise ScenarioError(f"direction '{direction}' is neither 'towards' nor 'from'.")
    graphs = _GRAPHS.setdefault(profile_network, {})
    if direction not in graphs:
        if direction == "towards":
            first, head, cost = profile_network.in_first, profile_network.in_head, profile_network.in_cs
        else:
            first, head, cost = profile_network.out_first, profile_network.out_head, profile_network.out_cs
        graphs[direction] = Graph(
            first, np.column_stack([head, cost]).astype(np.int32), _bucket_shift(cost), int(cost.max(initial=0))
        )
    return graphs[direction]


def _bucket_shift(cost_cs: NDArray[np.int32]) -> int:
    """The width of the queue's buckets as a power of two: about a fifth of a long arc was fastest on real cities."""
    if not len(cost_cs):
        return _NARROWEST
    return int(np.clip(np.rint(np.log2(max(np.percentile(cost_cs, 75), 1.0))) - 2, _NARROWEST, _WIDEST))


def make_positions(profile_network: ProfileNetwork, snapped: Snapped, *, leaves: bool) -> Positions:
    """Return the positions of `snapped`, from which travel leaves (or at which it arrives)."""
    from planner.reach.kernels import Positions

    network = profile_network.network
    known = snapped.edge >= 0
    if not network.n_edges:
        known = np.zeros(len(snapped), bool)
    edge = np.where(known, snapped.edge, 0)
    chain = network.edge_chain[edge] if network.n_edges else edge
    along_s = _from_start(profile_network.before_along_s, profile_network.edge_along_s, edge, snapped.share)
    against_s = _from_start(profile_network.before_against_s, profile_network.edge_against_s, edge, snapped.share)
    rest_along_s = _rest(profile_network.chain_along_s, chain, along_s)
    rest_against_s = _rest(profile_network.chain_against_s, chain, against_s)
    to_start_s, to_end_s = (against_s, rest_along_s) if leaves else (along_s, rest_against_s)
    if network.n_edges:
        # At the very end of a chain one stands on the junction, whatever the one-way rule of the chain says.
        at_start, at_end = _at_ends(profile_network, edge, snapped.share)
        to_start_s, to_end_s = np.where(at_start, 0.0, to_start_s), np.where(at_end, 0.0, to_end_s)
    access_s = np.where(known, snapped.access_s, np.inf)
    leg_cs = np.column_stack([centiseconds(access_s + leg_s) for leg_s in (to_start_s, to_end_s)])
    junction = np.column_stack([network.chain_from[chain], network.chain_to[chain]]).astype(np.int32)
    junction[~known] = -1
    return Positions(
        junction, leg_cs, np.where(known, chain, -1).astype(np.int32), along_s, against_s, access_s
    )  # fmt: skip


def _at_ends(
    profile_network: ProfileNetwork, edge: NDArray[Any], share: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """bool[n] twice: whether a position is the start, and the end, of its chain."""
    network = profile_network.network
    chain = network.edge_chain[edge]
    from_start_m = share * network.edge_length_m[edge]
    to_end_m = (1.0 - share) * network.edge_length_m[edge]
    at_start = (edge == network.chain_first_edge[chain]) & (from_start_m < _SAME_PLACE_M)
    at_end = (edge == network.chain_first_edge[chain + 1] - 1) & (to_end_m < _SAME_PLACE_M)
    return at_start, at_end


def _from_start(
    before_s: NDArray[np.float64], edge_s: NDArray[np.float64], edge: NDArray[Any], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Seconds between the chain's start and each position; inf where that direction is not allowed."""
    allowed = np.isfinite(edge_s[edge])
    return np.where(allowed, before_s[edge] + share * np.where(allowed, edge_s[edge], 0.0), np.inf)


def _rest(chain_s: NDArray[np.float64], chain: NDArray[Any], done_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds between each position and the chain's end; inf where that direction is not allowed."""
    allowed = np.isfinite(done_s)
    return np.where(allowed, np.maximum(chain_s[chain] - np.where(allowed, done_s, 0.0), 0.0), np.inf)


def index_positions(positions: Positions, n_junctions: int, n_chains: int) -> Index:
    """Return who stands at which junction's legs and on which chain."""
    from planner.reach.kernels import Index

    usable = (positions.junction >= 0) & (positions.leg_cs < UNREACHABLE_CS)
    member, side = np.nonzero(usable)
    junction = positions.junction[member, side]
    order = np.argsort(junction, kind="stable")
    on_chain = np.flatnonzero(positions.chain >= 0)
    chain_order = np.argsort(positions.chain[on_chain], kind="stable")
    return Index(
        _first(junction, n_junctions), member[order].astype(np.int32), positions.leg_cs[member, side][order],
        _first(positions.chain[on_chain], n_chains), on_chain[chain_order].astype(np.int32),
    )  # fmt: skip


def sorted_positions(positions: Positions, order: NDArray[Any]) -> Positions:
    """Return `positions` in another order."""
    return positions._replace(**{name: column[order] for name, column in positions._asdict().items()})


def _first(groups: NDArray[Any], n_groups: int) -> NDArray[np.int64]:
    first = np.zeros(n_groups + 1, np.int64)
    np.cumsum(np.bincount(groups, minlength=n_groups), out=first[1:])
    return first
