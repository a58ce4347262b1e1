"""Floating catchments against a brute-force reference and published examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from planner.coverage.catchment import ENHANCED_WEIGHTS, PLAIN_WEIGHTS, catchment, zone_weights
from planner.errors import ScenarioError


def brute_force(minutes, supply, people, cutoff, weights):
    """Both steps by the formulas of the papers, pair by pair; minutes is places x points, inf = out of reach."""

    def weight(time):
        for number, one in enumerate(weights, start=1):
            if time <= cutoff * number / len(weights):
                return one
        return 0.0

    n_places, n_points = minutes.shape
    ratio = []
    for j in range(n_places):
        coming = sum(weight(minutes[j, k]) * people[k] for k in range(n_points))
        ratio.append(supply[j] / coming if coming else 0.0)
    return [sum(weight(minutes[j, i]) * ratio[j] for j in range(n_places)) for i in range(n_points)]


def sparse_of(minutes):
    """Only what is within reach is stored, zeros among it."""
    place, point = np.nonzero(np.isfinite(minutes))
    return sparse.csr_array((minutes[place, point], (place, point)), shape=minutes.shape)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n_places=st.integers(1, 5), n_points=st.integers(1, 7))
def test_both_methods_equal_the_brute_force(data, n_places, n_points):
    # A third of the limit is 5: many times stand exactly on the edge of a zone.
    time = st.sampled_from([0.0, 1.0, 5.0, 5.1, 10.0, 14.9, 15.0, 15.1, 40.0, np.inf])
    minutes = np.array(data.draw(st.lists(time, min_size=n_places * n_points, max_size=n_places * n_points)))
    minutes = minutes.reshape(n_places, n_points)
    supply = data.draw(st.lists(st.integers(1, 500), min_size=n_places, max_size=n_places))
    people = data.draw(st.lists(st.integers(0, 900), min_size=n_points, max_size=n_points))
    for weights in (PLAIN_WEIGHTS, ENHANCED_WEIGHTS):
        pairs = zone_weights(sparse_of(minutes), 15.0, weights)
        found = catchment(pairs, supply, people)
        np.testing.assert_allclose(found.score, brute_force(minutes, supply, people, 15.0, weights), rtol=1e-12)
        coming = pairs @ np.array(people, float)
        offered = sum(one for one, heads in zip(supply, coming, strict=True) if heads > 0)
        assert found.score @ np.array(people, float) == pytest.approx(offered)


def test_the_example_of_the_package_sdc_catchment():
    """Three consumers of 100 at 0, 1, 2 and two providers of 10 at 0 and 2, Gaussian weights with scale 1.

    Published in the description of the Python package sdc-catchment: 0.065179, 0.069641, 0.065179.
    """
    distance = np.abs(np.subtract.outer([0.0, 2.0], [0.0, 1.0, 2.0]))
    found = catchment(sparse.csr_array(np.exp(-(distance**2) / 2)), [10, 10], [100, 100, 100])
    assert found.score == pytest.approx([0.065179, 0.069641, 0.065179], abs=1e-6)


def test_everybody_within_reach_shares_alike():
    """25 places of supply 1 and five points of one person, all within reach: 5 a head; each alone: 1 a head."""
    near = zone_weights(sparse.csr_array(np.ones((25, 5))), 15.0)
    assert catchment(near, np.ones(25), np.ones(5)).score == pytest.approx([5.0] * 5)
    alone = zone_weights(sparse.csr_array(np.eye(5)), 15.0)
    assert catchment(alone, np.ones(5), np.ones(5)).score == pytest.approx([1.0] * 5)


def test_zones_hold_their_outer_edge():
    minutes = sparse.csr_array((np.array([0.0, 5.0, 5.01, 10.0, 15.0, 15.01]), (np.zeros(6, int), np.arange(6))))
    weights = zone_weights(minutes, 15.0)
    assert weights.toarray()[0].tolist() == pytest.approx([1, 1, 0.68, 0.68, 0.22, 0])


@pytest.mark.parametrize("weights", [(), (0.5, 1.0), (-1.0,)])
def test_weights_that_rise_are_refused(weights):
    with pytest.raises(ScenarioError):
        zone_weights(sparse.csr_array((1, 1)), 15.0, weights)


def test_nobody_within_reach_of_anything():
    found = catchment(sparse.csr_array((2, 3)), [10, 20], [1, 2, 3])
    assert found.score.tolist() == [0, 0, 0]
    assert found.ratio.tolist() == [0, 0]
