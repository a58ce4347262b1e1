"""Contraction of links into chains: runs through nodes of degree 2 along which nothing that decides access changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HILBERT_BITS = 16
_PASSING = 2  # ends that meet where a chain runs on


@dataclass(frozen=True)
class Links:
    """Roads between shared vertices, ready to be joined. An "end" is numbered 2 * link (start) or 2 * link + 1.

    Attributes
    ----------
    end_node : int64[2 * n_links], node of each end.
    inner_x, inner_y : float64[2 * n_links], the vertex next to each end: tells the two ends of a loop apart.
    kind : int64[n_links], equal where class and access are equal.
    oneway : int8[n_links, 2], of bicycles and cars: 0, 1 along the link, -1 against it.
    node_x, node_y : float64[n_nodes].
    """

    end_node: NDArray[np.int64]
    inner_x: NDArray[np.float64]
    inner_y: NDArray[np.float64]
    kind: NDArray[np.int64]
    oneway: NDArray[np.int8]
    node_x: NDArray[np.float64]
    node_y: NDArray[np.float64]


@dataclass(frozen=True)
class Chains:
    """Where each link lies in the contracted graph.

    Attributes
    ----------
    link_order : int64[n_links], links by chain and place in it.
    link_is_reversed : bool[n_links], the chain runs against the link.
    link_chain : int32[n_links].
    chain_from, chain_to : int32[n_chains], junction numbers.
    junction_node : int32[n_junctions], in Hilbert order.
    """

    link_order: NDArray[np.int64]
    link_is_reversed: NDArray[np.bool_]
    link_chain: NDArray[np.int32]
    chain_from: NDArray[np.int32]
    chain_to: NDArray[np.int32]
    junction_node: NDArray[np.int32]


def contract(links: Links) -> Chains:
    """Return the chains of `links`; directions and numbers follow from the geometry, not from the order of the rows.

    A chain points from its lower to its higher junction. An isolated ring becomes a loop at its south-westernmost
    shared vertex.
    """
    partner = _partners(links)
    last, n_after = _walk_to_the_end(partner)
    # The run that enters link i at its start ends with `last[2i]`; the opposite run ends with `last[2i + 1]`, so the
    # former begins at that link's far end.
    start_end, stop_end = last[1::2] ^ 1, last[0::2] ^ 1
    is_terminal = partner < 0
    junction_node = _along_hilbert(np.unique(links.end_node[is_terminal]), links)
    number = np.full(len(links.node_x), -1, np.int32)
    number[junction_node] = np.arange(len(junction_node), dtype=np.int32)
    start, stop = number[links.end_node[start_end]], number[links.end_node[stop_end]]
    reverse = (start > stop) | ((start == stop) & _is_after(start_end, stop_end, links))
    run_start_end = np.where(reverse, stop_end, start_end)
    run_stop_end = np.where(reverse, start_end, stop_end)
    low, high = np.where(reverse, stop, start), np.where(reverse, start, stop)
    chain_ends, link_run = np.unique(run_start_end, return_inverse=True)
    chain_stop = np.empty_like(chain_ends)
    chain_stop[link_run] = run_stop_end
    chain_low, chain_high = np.empty(len(chain_ends), np.int32), np.empty(len(chain_ends), np.int32)
    chain_low[link_run], chain_high[link_run] = low, high
    order = np.lexsort((links.inner_y[chain_ends], links.inner_x[chain_ends], chain_high, chain_low))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    link_chain = rank[link_run]
    after = np.where(reverse, n_after[1::2], n_after[0::2])
    return Chains(
        np.lexsort((-after, link_chain)), reverse, link_chain, chain_low[order], chain_high[order],
        junction_node.astype(np.int32),
    )  # fmt: skip


def _partners(links: Links) -> NDArray[np.int64]:
    """int64[2 * n_links]: the end that continues each end through a node of degree 2; -1 where a chain ends."""
    n_ends = len(links.end_node)
    partner = np.full(n_ends, -1, np.int64)
    by_node = np.argsort(links.end_node, kind="stable")
    degree = np.bincount(links.end_node, minlength=len(links.node_x))
    first = np.cumsum(degree) - degree
    pairs = first[degree == _PASSING]
    one, two = by_node[pairs], by_node[pairs + 1]
    # One-way signs in the direction of travel: in at `one`, out at `two`; a link runs towards its odd end.
    sign_in = links.oneway[one >> 1] * np.where(one & 1, 1, -1)[:, None]
    sign_out = links.oneway[two >> 1] * np.where(two & 1, -1, 1)[:, None]
    alike = (links.kind[one >> 1] == links.kind[two >> 1]) & (sign_in == sign_out).all(axis=1)
    one, two = one[alike], two[alike]
    keep = ~_closes_a_ring(one, two, links)
    one, two = one[keep], two[keep]
    partner[one], partner[two] = two, one
    return partner


def _closes_a_ring(one: NDArray[np.int64], two: NDArray[np.int64], links: Links) -> NDArray[np.bool_]:
    """bool[n_joins]: the join at the south-westernmost node of every ring that has no junction at all."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    closes = np.zeros(len(one), bool)
    if not len(one):
        return closes
    members, inverse = np.unique(np.concatenate([one >> 1, two >> 1]), return_inverse=True)
    a, b = inverse[: len(one)], inverse[len(one) :]
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(len(members), len(members)))
    n_runs, run = connected_components(graph, directed=False)
    is_ring = np.bincount(run[a], minlength=n_runs) == np.bincount(run, minlength=n_runs)
    on_ring = np.flatnonzero(is_ring[run[a]])
    node = links.end_node[one[on_ring]]
    ring = run[a[on_ring]]
    order = np.lexsort((node, links.node_y[node], links.node_x[node], ring))
    _, first = np.unique(ring[order], return_index=True)
    closes[on_ring[order[first]]] = True
    return closes


def _walk_to_the_end(partner: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for the run that enters a link at each end, its last entry end and the links after this one.

    Pointer jumping: as many rounds as the logarithm of the longest chain (Wyllie 1979).
    """
    n_ends = len(partner)
    onward = partner[np.arange(n_ends) ^ 1]
    last = np.where(onward < 0, np.arange(n_ends), onward)
    n_after = (onward >= 0).astype(np.int64)
    moving = np.flatnonzero(onward >= 0)
    while len(moving):
        step = n_after[last[moving]]
        target = last[last[moving]]
        n_after[moving] += step
        last[moving] = target
        moving = moving[step > 0]
    return last, n_after


def _is_after(a: NDArray[np.int64], b: NDArray[np.int64], links: Links) -> NDArray[np.bool_]:
    """bool: whether end `a` stands after end `b`, by its inner vertex from west to east, then south to north."""
    ax, ay, bx, by = links.inner_x[a], links.inner_y[a], links.inner_x[b], links.inner_y[b]
    after_in_y = (ay > by) | ((ay == by) & (a > b))
    return (ax > bx) | ((ax == bx) & after_in_y)


def _along_hilbert(nodes: NDArray[np.int64], links: Links) -> NDArray[np.int64]:
    """Return `nodes` in the order of a Hilbert curve, so that neighbours lie near one another in memory."""
    x, y = links.node_x[nodes], links.node_y[nodes]
    return nodes[np.lexsort((nodes, y, x, hilbert_index(x, y)))]


def hilbert_index(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return int64[n], the place of each point on a Hilbert curve through its bounding square.

    Source: Warren, Hacker's Delight (2003), section 16, the state-free conversion from coordinates to distance.
    """
    if not len(x):
        return np.zeros(0, np.int64)
    side = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    scale = (2**_HILBERT_BITS - 1) / side
    column = ((x - x.min()) * scale).astype(np.int64)
    row = ((y - y.min()) * scale).astype(np.int64)
    index = np.zeros(len(x), np.int64)
    half = 1 << (_HILBERT_BITS - 1)
    while half:
        right, up = (column & half) > 0, (row & half) > 0
        index += half * half * ((3 * right) ^ up)
        turn = right & ~up
        column, row = np.where(turn, half - 1 - column, column), np.where(turn, half - 1 - row, row)
        column, row = np.where(up, column, row), np.where(up, row, column)
        column, row = column & (half - 1), row & (half - 1)
        half >>= 1
    return index
