from itertools import pairwise, permutations

import numpy as np
import pytest

from planner.coverage.sequence import MAX_EXACT, shortest_chain


def length(cost, order):
    return sum(cost[a, b] for a, b in pairwise(order))


def apart(xy):
    return np.hypot(*(xy[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 6])
@pytest.mark.parametrize("seed", range(4))
def test_no_order_is_shorter(n, seed):
    cost = apart(np.random.default_rng(seed).uniform(0, 100, (n, 2)))
    order = shortest_chain(cost)
    assert sorted(order) == list(range(n))
    assert length(cost, order) == pytest.approx(min(length(cost, list(p)) for p in permutations(range(n))))


def test_many_places_on_a_line_stand_in_their_order():
    x = np.random.default_rng(3).permutation(60).astype(float)
    order = shortest_chain(np.abs(np.subtract.outer(x, x)))
    along = [x[i] for i in order]
    assert along in (sorted(along), sorted(along, reverse=True))
    assert order[0] < order[-1]


@pytest.mark.parametrize("seed", range(3))
def test_above_the_exact_size_no_reversal_helps(seed):
    cost = apart(np.random.default_rng(seed).uniform(0, 100, (MAX_EXACT + 6, 2)))
    order = shortest_chain(cost)
    best = length(cost, order)
    for i in range(len(order)):
        for j in range(i + 1, len(order)):
            turned = [*order[:i], *order[i : j + 1][::-1], *order[j + 1 :]]
            assert length(cost, turned) >= best - 1e-6
