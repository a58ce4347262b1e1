from itertools import combinations

import numpy as np
import pytest

from planner.coverage.cliques import clique_partition


def brute_force(linked):
    """Every subset, largest first, then by the members' numbers: as the page of methods says it."""
    left, groups = list(range(len(linked))), []
    while left:
        group = next(
            list(members)
            for size in range(len(left), 0, -1)
            for members in combinations(left, size)
            if all(linked[a, b] for a, b in combinations(members, 2))
        )
        if len(group) == 1:
            break
        groups.append(group)
        left = [i for i in left if i not in group]
    return groups


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(8))
def test_equal_to_trying_every_subset(share, seed):
    rng = np.random.default_rng(seed)
    linked = np.triu(rng.random((10, 10)) < share, 1)
    linked |= linked.T
    assert clique_partition(linked) == brute_force(linked)


def test_a_chain_is_no_clique():
    """a-b-c-d hang together, but a and c do not see each other: two pairs."""
    linked = np.eye(4, k=1, dtype=bool) | np.eye(4, k=-1, dtype=bool)
    assert clique_partition(linked) == [[0, 1], [2, 3]]


def test_nobody_and_everybody():
    assert clique_partition(np.zeros((0, 0), bool)) == []
    assert clique_partition(np.zeros((3, 3), bool)) == []
    assert clique_partition(np.ones((200, 200), bool)) == [list(range(200))]
