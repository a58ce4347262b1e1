"""The order of places in a zone: the shortest chain through all of them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_EXACT = 9
"""Up to this many places every order is compared (Held and Karp 1962); above it, the order is improved step by step."""
N_STARTS = 8
_LEAST_GAIN = 1e-9


def shortest_chain(cost: NDArray[np.float64]) -> list[int]:
    """Return the order of n places in which the costs between neighbours add up to the least.

    Exact for up to `MAX_EXACT` places (Held and Karp 1962, *A dynamic programming approach to sequencing problems*);
    above it, nearest neighbour from up to `N_STARTS` places, then reversals until none helps (2-opt, Croes 1958). The
    end with the smaller number comes first.

    Parameters
    ----------
    cost : float64[n, n], symmetrical, finite.

    Examples
    --------
    >>> shortest_chain(np.abs(np.subtract.outer([3.0, 1.0, 2.0], [3.0, 1.0, 2.0])))
    [0, 2, 1]
    """
    n = len(cost)
    if n <= 2:  # noqa: PLR2004  two places have one order
        return list(range(n))
    order = _exact(cost) if n <= MAX_EXACT else _improved(cost)
    return order if order[0] < order[-1] else order[::-1]


def _exact(cost: NDArray[np.float64]) -> list[int]:
    n = len(cost)
    best: dict[tuple[int, int], tuple[float, int]] = {(1 << i, i): (0.0, -1) for i in range(n)}
    for size in range(2, n + 1):
        for members in combinations(range(n), size):
            mask = sum(1 << i for i in members)
            for last in members:
                rest = mask ^ (1 << last)
                best[mask, last] = min(
                    (best[rest, before][0] + cost[before, last], before) for before in members if before != last
                )
    mask = (1 << n) - 1
    last = min(range(n), key=lambda i: best[mask, i][0])
    order = [last]
    while best[mask, last][1] >= 0:
        mask, last = mask ^ (1 << last), best[mask, last][1]
        order.append(last)
    return order


def _improved(cost: NDArray[np.float64]) -> list[int]:
    starts = np.unique(np.linspace(0, len(cost) - 1, N_STARTS).round().astype(int))
    chains = [_untangled(cost, _greedy(cost, int(start))) for start in starts]
    return min(chains, key=lambda chain: (round(_length(cost, chain), 6), chain))


def _greedy(cost: NDArray[np.float64], start: int) -> list[int]:
    order, left = [start], [i for i in range(len(cost)) if i != start]
    while left:
        nearest = min(left, key=lambda i: (cost[order[-1], i], i))
        left.remove(nearest)
        order.append(nearest)
    return order


def _untangled(cost: NDArray[np.float64], order: list[int]) -> list[int]:
    """Return the chain after every reversal of a run that makes it shorter."""
    chain, n = np.array(order), len(order)
    # A stop of no cost beyond either end, so that a run at the end may turn round, too.
    padded = np.pad(cost, ((0, 1), (0, 1)))
    improved = True
    while improved:
        improved = False
        for i in range(n - 1):
            around = np.concatenate(([n], chain, [n]))
            run, after = np.arange(i + 1, n), around[i + 3 : n + 2]
            gain = padded[around[i], chain[i]] + padded[chain[run], after]
            gain = gain - padded[around[i], chain[run]] - padded[chain[i], after]
            best = int(np.argmax(gain))
            if gain[best] > _LEAST_GAIN:
                chain[i : run[best] + 1] = chain[i : run[best] + 1][::-1]
                improved = True
    return [int(i) for i in chain]


def _length(cost: NDArray[np.float64], order: list[int]) -> float:
    return float(cost[order[:-1], order[1:]].sum())
