"""What must hold on any network: drawn at random, checked without knowing the times."""

import numpy as np
import pytest

from planner.network.build import build_network
from planner.network.cache import cached_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.access import chosen
from planner.reach.travel_times import nearest, travel_times
from planner.standards import default_profiles
from tests.reach.test_what_if import grid_town
from tests.reference.towns import CRS, town

CAR = default_profiles()["car"]
SEEDS = range(4)


def prepared(roads):
    return prepare_profile(build_network(roads, CRS), CAR)


def positions(profile_network, n, seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-30, 830, (2, n))
    return snap_points(profile_network, np.array([f"{i:03d}" for i in range(n)]), *xy)


def dense(times):
    table = np.full((len(times.first) - 1, times.n_points), np.inf)
    for place in range(len(table)):
        part = slice(times.first[place], times.first[place + 1])
        table[place, times.point[part]] = times.time_cs[part]
    return table


@pytest.mark.parametrize("seed", SEEDS)
def test_reversing_every_road_swaps_the_direction(seed):
    roads = grid_town(seed=seed)
    flipped = roads.assign(oneway=roads["oneway"].map({"no": "no", "forward": "backward", "backward": "forward"}))
    one, two = prepared(roads), prepared(flipped)
    there = travel_times(one, positions(one, 20, 1), positions(one, 30, 2), 60, "towards")
    back = travel_times(two, positions(two, 20, 1), positions(two, 30, 2), 60, "from")
    np.testing.assert_array_equal(dense(there), dense(back))


@pytest.mark.parametrize("seed", SEEDS)
def test_towards_and_from_are_the_same_pairs_seen_from_either_end(seed):
    profile_network = prepared(grid_town(seed=seed))
    one, two = positions(profile_network, 20, 1), positions(profile_network, 30, 2)
    towards = travel_times(profile_network, one, two, 60, "towards")
    from_other = travel_times(profile_network, two, one, 60, "from")
    np.testing.assert_array_equal(dense(towards), dense(from_other).T)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_road_more_never_lengthens_a_time(seed):
    streets = [(list(line.coords), "residential", {}) for line in grid_town(seed=seed).geometry]
    before = prepared(town(*streets))
    more = [*streets, ([(0, 0), (400, 400)], "residential", {}), ([(300, 800), (800, 100)], "residential", {})]
    after = prepared(town(*more))
    # Positions are those of the old roads: a new road nearby may not move a point.
    one, two = (positions(before, n, n) for n in (20, 30))
    moved = [snap_points(after, p.ids, p.snap_x, p.snap_y) for p in (one, two)]
    for old, new in zip((one, two), moved, strict=True):
        on_road = old.edge >= 0
        new.access_s[on_road] = old.access_s[on_road]
    old_times = dense(travel_times(before, one, two, 60))
    new_times = dense(travel_times(after, *moved, 60))
    known = np.isfinite(old_times)
    # A junction in the middle of a street splits a chain in two, each rounded once.
    assert (new_times[known] <= old_times[known] + 20).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_place_more_never_lengthens_a_time(seed):
    profile_network = prepared(grid_town(seed=seed))
    places, points = positions(profile_network, 12, 1), positions(profile_network, 60, 2)
    before = nearest(profile_network, chosen(places, np.arange(6)), points).time_cs
    after = nearest(profile_network, places, points).time_cs
    assert (after <= before).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_places_points_and_roads_does_not_matter(seed):
    roads = grid_town(seed=seed)
    rng = np.random.default_rng(seed)
    profile_network = prepared(roads)
    places, points = positions(profile_network, 20, 1), positions(profile_network, 60, 2)
    expected = dense(travel_times(profile_network, places, points, 30))
    best = nearest(profile_network, places, points, k=3)
    p, q = rng.permutation(20), rng.permutation(60)
    mixed_roads = roads.iloc[rng.permutation(len(roads))].reset_index(drop=True)
    other = prepared(mixed_roads)
    places2 = snap_points(other, places.ids[p], places.x[p], places.y[p])
    points2 = snap_points(other, points.ids[q], points.x[q], points.y[q])
    np.testing.assert_array_equal(dense(travel_times(other, places2, points2, 30)), expected[p][:, q])
    mixed = nearest(other, places2, points2, k=3)
    np.testing.assert_array_equal(mixed.time_cs, best.time_cs[q])
    np.testing.assert_array_equal(
        np.where(mixed.place >= 0, p[mixed.place], -1), best.place[q]
    )  # the same labels, named by their ids


def test_a_cached_network_gives_the_same_answers(tmp_path):
    roads = grid_town()
    answers = []
    for _ in range(2):
        profile_network = prepare_profile(cached_network(roads, CRS, None, tmp_path), CAR)
        times = travel_times(profile_network, positions(profile_network, 20, 1), positions(profile_network, 30, 2), 60)
        answers.append((times.first.tobytes(), times.point.tobytes(), times.time_cs.tobytes()))
    assert answers[0] == answers[1]
