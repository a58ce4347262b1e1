"""Least-cost paths on toy grounds, worked by hand."""

import numpy as np
import pytest

from planner.demo.ground import Ground, chosen_links, links, spread


@pytest.fixture
def corridor():
    r"""Six cells in a row, 100 m a step; the step from 2 to 3 is steep (500 m); a bridge joins 0 and 5 (900 m).

    0 -100- 1 -100- 2 -500- 3 -100- 4 -100- 5
     \______________________________________/  900
    """
    first, second = np.array([0, 1, 2, 3, 4, 0]), np.array([1, 2, 3, 4, 5, 5])
    cost = np.array([100.0, 100.0, 500.0, 100.0, 100.0, 900.0])
    return Ground(6, first, second, cost, np.array([False] * 5 + [True]))


def test_spread_gives_cost_path_and_source(corridor):
    reach = spread(corridor, np.array([0, 5]))
    assert reach.cost_m == pytest.approx([0, 100, 200, 200, 100, 0], abs=0.1)
    assert reach.source.tolist() == [0, 0, 0, 1, 1, 1]
    assert reach.path(2) == [2, 1, 0]
    assert reach.path(3) == [3, 4, 5]


def test_a_handicap_moves_the_border(corridor):
    reach = spread(corridor, np.array([0, 5]), np.array([0.0, 800.0]))
    assert reach.source.tolist() == [0, 0, 0, 0, 0, 1]


def test_links_take_the_cheapest_meeting(corridor):
    (link,) = links(corridor, spread(corridor, np.array([0, 5])))
    assert (link.a, link.b) == (0, 1)
    assert link.cost_m == pytest.approx(900.0, abs=0.1)


def test_existing_roads_are_cheaper(corridor):
    cheap = corridor.cheaper_on(np.array([1, 2]), np.array([2, 3]), 0.1)
    assert cheap.cost_m == pytest.approx([100, 10, 50, 100, 100, 900])


def test_chosen_links_join_everything_and_spare_long_detours():
    r"""A square with one dear side: the tree takes three sides, the fourth saves a detour of 300 against 120."""
    ground = Ground(
        4, np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0]), np.array([100.0, 100.0, 100.0, 120.0]), np.zeros(4, bool)
    )
    found = links(ground, spread(ground, np.arange(4)))
    assert [(link.a, link.b) for link in chosen_links(found, 4, n_extra=0)] == [(0, 1), (1, 2), (2, 3)]
    assert len(chosen_links(found, 4, n_extra=1)) == 4


def test_unreached_cells_have_no_source():
    ground = Ground(4, np.array([0]), np.array([1]), np.array([100.0]), np.zeros(1, bool))
    reach = spread(ground, np.array([0]))
    assert np.isinf(reach.cost_m[2:]).all()
    assert reach.source.tolist() == [0, 0, -1, -1]
    assert ground.cells.tolist() == [0, 1]
