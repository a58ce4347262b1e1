"""Groups of which every pair is linked: the largest first, each member in one group only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


def clique_partition(linked: NDArray[np.bool_]) -> list[list[int]]:
    """Return groups of members of which every pair is linked, so that each member is in one group.

    The largest group is taken first, of equally large ones that whose members' numbers come first; then the same among
    those that are left. Groups of one are left out.

    Parameters
    ----------
    linked : bool[n, n], symmetrical; the diagonal does not count.

    Examples
    --------
    >>> import numpy as np
    >>> linked = np.zeros((4, 4), bool)
    >>> for a, b in [(0, 1), (1, 2), (2, 3), (1, 3)]:
    ...     linked[a, b] = linked[b, a] = True
    >>> clique_partition(linked)
    [[1, 2, 3]]
    """
    n = len(linked)
    near = [sum(1 << j for j in range(n) if j != i and linked[i, j]) for i in range(n)]
    left = (1 << n) - 1
    groups = []
    while left:
        group = _first_largest(near, left)
        if len(group) == 1:
            break
        groups.append(group)
        left &= ~sum(1 << i for i in group)
    return groups


def _first_largest(near: list[int], among: int) -> list[int]:
    """Return the largest clique of the members in the bits of `among`, the first of them by number."""
    size = _largest(near, among, 0)
    group: list[int] = []
    while len(group) < size:
        for i in _bits(among):
            inside = among & near[i]
            needed = size - len(group) - 1
            if inside.bit_count() >= needed and _largest(near, inside, max(needed - 1, 0)) >= needed:
                group.append(i)
                # Those before i are in no such group: they were tried.
                among = inside & ~((1 << (i + 1)) - 1)
                break
    return group


def _largest(near: list[int], among: int, best: int) -> int:
    """Return the size of the largest clique among the bits, where it is above `best`, else `best`.

    Branch and bound by colouring (Tomita and Seki 2003): members of one colour are not linked, so that a clique has at
    most one of each.
    """
    order, bound = _coloured(near, among)
    for i, most in zip(reversed(order), reversed(bound), strict=True):
        if most <= best:
            break
        best = max(best, 1 + _largest(near, among & near[i], max(best - 1, 0)))
        among &= ~(1 << i)
    return best


def _coloured(near: list[int], among: int) -> tuple[list[int], list[int]]:
    """Return the members by colour, and for each the number of colours up to it."""
    order, bound, colour = [], [], 0
    while among:
        colour += 1
        free = among
        while free:
            i = (free & -free).bit_length() - 1
            free &= ~(near[i] | (1 << i))
            among &= ~(1 << i)
            order.append(i)
            bound.append(colour)
    return order, bound


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
