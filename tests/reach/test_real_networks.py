"""Times on every network of the real data equal scipy's on the noded, uncontracted graph, with legs by brute force."""

import numpy as np
import pytest

from planner.network.build import build_network
from planner.network.road_network import UNREACHABLE_CS
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.travel_times import nearest, travel_times
from planner.standards import default_profiles
from tests.reference.noded import NodedRoads
from tests.reference.real_data import NETWORKS, elevation_of, roads_of

N_PLACES, N_POINTS = 20, 100  # 2,000 pairs for each network, profile and direction


@pytest.mark.slow
@pytest.mark.parametrize("code", default_profiles())
@pytest.mark.parametrize("name", NETWORKS)
def test_pairs_equal_the_reference(name, code):
    roads, grid, profile = roads_of(name), elevation_of(name), default_profiles()[code]
    crs = roads.crs.to_string()
    network = build_network(roads, crs, grid)
    prepared = prepare_profile(network, profile)
    reference = NodedRoads(roads, profile, grid)
    assert network.n_nodes == reference.n_nodes
    assert network.n_edges == len(reference.tail)

    rng = np.random.default_rng(7)
    node = rng.integers(0, network.n_nodes, N_PLACES + N_POINTS)
    x = network.x[node] + rng.normal(0, 60, len(node))
    y = network.y[node] + rng.normal(0, 60, len(node))
    legs = reference.legs(x, y)
    snapped = snap_points(prepared, np.array([f"{i:03d}" for i in range(len(x))]), x, y)
    np.testing.assert_allclose(snapped.access_m, [metres for *_, metres in legs], atol=1e-6)
    places = snap_points(prepared, snapped.ids[:N_PLACES], x[:N_PLACES], y[:N_PLACES])
    points = snap_points(prepared, snapped.ids[N_PLACES:], x[N_PLACES:], y[N_PLACES:])

    for direction in ("towards", "from"):
        expected = reference.times(legs[:N_PLACES], legs[N_PLACES:], direction)
        expected[np.isnan(expected)] = np.inf
        minutes = travel_times(prepared, places, points, 60, direction).minutes().toarray()
        found = np.where(minutes > 0, minutes, np.inf)
        # Every chain on the way is rounded once, by at most half a centisecond.
        tolerance = 0.005
        within = expected / 60 < 60
        near_cutoff = np.abs(expected / 60 - 60) < tolerance
        np.testing.assert_array_equal((found < np.inf)[~near_cutoff], within[~near_cutoff])
        both = (found < np.inf) & within
        assert both.sum() >= 1
        np.testing.assert_allclose(found[both], expected[both] / 60, atol=tolerance)

        best = nearest(prepared, places, points, direction)
        time_s = np.where(best.time_cs[:, 0] < UNREACHABLE_CS, best.time_cs[:, 0] / 100, np.inf)
        np.testing.assert_allclose(time_s, expected.min(axis=0), atol=2.0, rtol=1e-4)
