"""What a profile makes of the network: where it may travel, and how long every edge and chain takes it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.network.components import pieces, ranked
from planner.network.fragments import chain_matters
from planner.network.road_network import UNREACHABLE_CS, ProfileNetwork
from planner.network.slope import tobler_factor
from planner.units import CENTISECONDS_PER_SECOND, mps_from_kph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.network.patches import Patch
    from planner.network.road_network import RoadNetwork
    from planner.standards import Profile

    _Arcs = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]

_ACCESS_COLUMN = {"foot": 0, "bicycle": 1, "motor": 2}
_ONEWAY_COLUMN = {"foot": 1, "bicycle": 0, "motor": 1}


def prepare_profile(network: RoadNetwork, profile: Profile) -> ProfileNetwork:
    """Return the network as `profile` travels it: seconds along edges, centiseconds between junctions.

    A road's own access column overrules the profile's excluded classes. Slope is rise over run between the ends of an
    edge, rising in the direction of travel; bridges, tunnels and edges of unknown height are level.
    """
    return _prepared(network, profile, _seconds(network, profile))


def patch_profile(before: ProfileNetwork, patch: Patch) -> ProfileNetwork:
    """Return what `prepare_profile` returns for a patched network, from what was prepared before it."""
    network, old = patch.network, before.network
    part = _part(network, patch.new_chains)
    seconds = _seconds(part, before.profile)
    kept = np.flatnonzero(~np.isin(old.edge_chain, patch.old_chains))
    kept_chains = np.setdiff1d(np.arange(old.n_chains), patch.old_chains, assume_unique=True)
    to_edge, to_chain = patch.new_edge[kept], network.edge_chain[patch.new_edge[old.chain_first_edge[kept_chains]]]
    part_edges = np.flatnonzero(np.isin(network.edge_chain, patch.new_chains))
    whole = {}
    for name, values in seconds.items():
        is_chain = name.startswith("chain")
        column = np.empty(network.n_chains if is_chain else network.n_edges)
        column[patch.new_chains if is_chain else part_edges] = values
        column[to_chain if is_chain else to_edge] = getattr(before, name)[kept_chains if is_chain else kept]
        whole[name] = column
    return _prepared(network, before.profile, whole)


def _part(network: RoadNetwork, chains: NDArray[np.int64]) -> RoadNetwork:
    """Return the network with these chains alone."""
    edges = np.flatnonzero(np.isin(network.edge_chain, chains))
    of_edges = ("edge_from", "edge_to", "edge_length_m", "edge_class", "edge_oneway", "edge_access", "edge_is_level")
    return replace(
        network,
        **{name: getattr(network, name)[edges] for name in (*of_edges, "edge_road")},
        edge_chain=np.searchsorted(chains, network.edge_chain[edges]).astype(np.int32),
        chain_first_edge=np.concatenate([[0], np.cumsum(np.diff(network.chain_first_edge)[chains])]),
        chain_from=network.chain_from[chains],
        chain_to=network.chain_to[chains],
    )


def _seconds(network: RoadNetwork, profile: Profile) -> dict[str, NDArray[np.float64]]:
    """Return the columns of `ProfileNetwork` in seconds, by name."""
    along_s, against_s = edge_seconds(network, profile)
    chain_along_s, before_along_s = _chain_seconds(along_s, network.chain_first_edge, network.edge_chain)
    chain_against_s, before_against_s = _chain_seconds(against_s, network.chain_first_edge, network.edge_chain)
    return {
        "edge_along_s": along_s,
        "edge_against_s": against_s,
        "before_along_s": before_along_s,
        "before_against_s": before_against_s,
        "chain_along_s": chain_along_s,
        "chain_against_s": chain_against_s,
    }


def _prepared(network: RoadNetwork, profile: Profile, seconds: dict[str, NDArray[np.float64]]) -> ProfileNetwork:
    along_s, against_s = seconds["chain_along_s"], seconds["chain_against_s"]
    along_cs, against_cs = centiseconds(along_s), centiseconds(against_s)
    (out_first, out_head, out_cs), (in_first, in_head, in_cs) = junction_arcs(network, along_cs, against_cs)
    return ProfileNetwork(
        network=network,
        profile=profile,
        **seconds,
        chain_along_cs=along_cs,
        chain_against_cs=against_cs,
        out_first=out_first,
        out_head=out_head,
        out_cs=out_cs,
        in_first=in_first,
        in_head=in_head,
        in_cs=in_cs,
        chain_component=_chain_components(network, np.isfinite(np.minimum(along_s, against_s))),
        edge_is_snappable=chain_matters(network, profile, along_cs, against_cs)[network.edge_chain],
    )


def edge_seconds(network: RoadNetwork, profile: Profile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return float64[n_edges] seconds along and against every edge; inf where the profile may not travel."""
    speeds_kph = [profile.class_speed_kph.get(name, profile.speed_kph) for name in network.classes]
    speed_mps = np.array([mps_from_kph(speed) for speed in speeds_kph])[network.edge_class]
    level_s = network.edge_length_m / speed_mps
    along_s, against_s = level_s.copy(), level_s.copy()
    if profile.slope == "tobler" and network.z is not None:
        slope = _slopes(network, network.z)
        along_s /= tobler_factor(slope)
        against_s /= tobler_factor(-slope)
    excluded = np.isin(np.array(network.classes, object), profile.excluded)[network.edge_class]
    own = network.edge_access[:, _ACCESS_COLUMN[profile.mode]]
    is_closed = np.where(own == 0, excluded, own < 0)
    column = _ONEWAY_COLUMN[profile.mode]
    oneway = network.edge_oneway[:, column] if profile.obeys_oneway else np.zeros(network.n_edges, np.int8)
    along_s[is_closed | (oneway < 0)] = np.inf
    against_s[is_closed | (oneway > 0)] = np.inf
    return along_s, against_s


def centiseconds(seconds: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return int32, seconds as the nearest whole centiseconds; `UNREACHABLE_CS` for inf."""
    finite = np.isfinite(seconds)
    whole = np.rint(np.where(finite, seconds, 0.0) * CENTISECONDS_PER_SECOND)
    return np.where(finite, np.minimum(whole, UNREACHABLE_CS - 1), UNREACHABLE_CS).astype(np.int32)


def junction_arcs(
    network: RoadNetwork, chain_along_cs: NDArray[np.int32], chain_against_cs: NDArray[np.int32]
) -> tuple[_Arcs, _Arcs]:
    """Return the arcs leaving and those arriving at each junction (CSR: first, head, centiseconds).

    Loops are left out: they never shorten a way.
    """
    is_path = network.chain_from != network.chain_to
    along, against = is_path & (chain_along_cs < UNREACHABLE_CS), is_path & (chain_against_cs < UNREACHABLE_CS)
    tail = np.concatenate([network.chain_from[along], network.chain_to[against]])
    head = np.concatenate([network.chain_to[along], network.chain_from[against]])
    cost = np.concatenate([chain_along_cs[along], chain_against_cs[against]])
    return _compressed(tail, head, cost, network.n_junctions), _compressed(head, tail, cost, network.n_junctions)


def _compressed(tail: NDArray[np.int32], head: NDArray[np.int32], cost: NDArray[np.int32], n_junctions: int) -> _Arcs:
    order = np.argsort(tail, kind="stable")
    first = np.zeros(n_junctions + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=n_junctions), out=first[1:])
    return first, head[order], cost[order]


def _slopes(network: RoadNetwork, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[n_edges]: rise over run along each edge; 0 for bridges, tunnels, unknown heights and points."""
    rise = z[network.edge_to] - z[network.edge_from]
    is_level = network.edge_is_level | np.isnan(rise) | (network.edge_length_m == 0)
    return np.where(is_level, 0.0, rise) / np.where(is_level, 1.0, network.edge_length_m)


def _chain_seconds(
    edge_s: NDArray[np.float64], first: NDArray[np.int64], edge_chain: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return float64[n_chains] seconds of each chain and float64[n_edges] seconds from its start to each edge's.

    Sums are made chain by chain (a prefix scan in doubling steps, Hillis and Steele 1986): one cliff that takes a
    walker for ever must not blur the seconds of every chain behind it.
    """
    through = edge_s.copy()
    rank = np.arange(len(edge_s)) - first[:-1][edge_chain]
    later, step = np.flatnonzero(rank >= 1), 1
    while len(later):
        through[later] += through[later - step]
        step *= 2
        later = later[rank[later] >= step]
    before = np.zeros(len(edge_s))
    before[1:] = through[:-1]
    before[first[:-1]] = 0.0
    return through[first[1:] - 1], np.where(np.isfinite(edge_s), before, np.inf)


def _chain_components(network: RoadNetwork, is_usable: NDArray[np.bool_]) -> NDArray[np.int32]:
    """int32[n_chains]: weakly connected piece of the usable graph, by its number of edges; -1 where unusable."""
    label = pieces(network.chain_from[is_usable], network.chain_to[is_usable], network.n_junctions)
    component = np.full(network.n_chains, -1, np.int32)
    n_edges = np.diff(network.chain_first_edge)
    of_edges = ranked(np.repeat(label[network.chain_from[is_usable]], n_edges[is_usable]))
    starts = np.cumsum(n_edges[is_usable]) - n_edges[is_usable]
    component[is_usable] = of_edges[starts]
    return component
