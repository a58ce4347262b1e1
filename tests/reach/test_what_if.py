import numpy as np
import pytest

from planner.errors import InputError, ScenarioError
from planner.network.build import build_network
from planner.network.road_network import UNREACHABLE_CS
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.access import chosen
from planner.reach.travel_times import nearest
from planner.reach.what_if import (
    add_place,
    close_place,
    covered_people,
    move_place,
    open_place,
    start_what_if,
    undo,
)
from planner.standards import default_profiles
from tests.reference.real_data import roads_of
from tests.reference.towns import corridor, loop, one_way, town


def grid_town(n=9, seed=3):
    """A lattice of streets, some missing, some one-way, with bends: equal times abound."""
    rng = np.random.default_rng(seed)
    streets = []
    for i in range(n):
        for j in range(n):
            for di, dj in ((1, 0), (0, 1)):
                if rng.random() < 0.85 and i + di < n and j + dj < n:
                    ends = [(i * 100, j * 100), ((i + di) * 100, (j + dj) * 100)]
                    if rng.random() < 0.3:
                        ends.insert(1, (i * 100 + 50 + 7, j * 100 + 50 - 7))
                    streets.append((ends, "residential", {"oneway": rng.choice(["no", "no", "forward"])}))
    return town(*streets)


def prepared(roads, code="car"):
    return prepare_profile(build_network(roads, roads.crs.to_string()), default_profiles()[code])


def scattered(profile_network, n, seed, prefix, spread=20):
    rng = np.random.default_rng(seed)
    network = profile_network.network
    node = rng.integers(0, network.n_nodes, n)
    ids = np.array([f"{prefix}{i}" for i in rng.permutation(n)])
    offset = rng.integers(-1, 2, (2, n)) * spread
    return snap_points(profile_network, ids, network.x[node] + offset[0], network.y[node] + offset[1])


def recomputed(trial, horizon_min):
    rows = np.flatnonzero(trial.is_open)
    best = nearest(
        trial.profile_network, chosen(trial.places, rows), trial.points, trial.direction, cutoff_min=horizon_min
    )
    place = best.place[:, 0]
    return np.where(place >= 0, rows[place] if len(rows) else -1, -1), best.time_cs[:, 0]


def assert_equals_recompute(trial, horizon_min):
    place, time_cs = recomputed(trial, horizon_min)
    np.testing.assert_array_equal(trial.served.time_cs, time_cs)
    np.testing.assert_array_equal(trial.served.place, place)


def random_edit(trial, rng, spare):
    """One random edit; returns False when it was an undo."""
    open_ids = trial.places.ids[trial.is_open]
    closed_ids = trial.places.ids[~trial.is_open]
    what = rng.choice(["close", "open", "add", "move", "undo"], p=[0.3, 0.3, 0.1, 0.2, 0.1])
    if what == "close" and len(open_ids):
        close_place(trial, rng.choice(open_ids))
    elif what == "open" and len(closed_ids):
        open_place(trial, rng.choice(closed_ids))
    elif what == "move" and len(open_ids):
        move_place(trial, rng.choice(open_ids), chosen(spare, rng.integers(0, len(spare), 1)))
    elif what == "undo" and trial.changes:
        undo(trial)
    else:
        free = np.flatnonzero(~np.isin(spare.ids, trial.places.ids))
        if len(free):
            add_place(trial, chosen(spare, free[:1]))


@pytest.mark.parametrize("direction", ["towards", "from"])
@pytest.mark.parametrize("horizon_min", [1.0, 30.0])
@pytest.mark.parametrize("make", [grid_town, loop, one_way])
def test_a_chain_of_random_edits_equals_a_full_recompute(make, horizon_min, direction):
    profile_network = prepared(make())
    rng = np.random.default_rng(0)
    points, spare = scattered(profile_network, 60, 1, "q"), scattered(profile_network, 40, 2, "s")
    trial = start_what_if(profile_network, scattered(profile_network, 6, 3, "p"), points, direction, horizon_min)
    assert_equals_recompute(trial, horizon_min)
    for edit in range(120):
        random_edit(trial, rng, spare)
        if edit % 6 == 0:
            assert_equals_recompute(trial, horizon_min)
    assert_equals_recompute(trial, horizon_min)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["walk", "car"])
def test_a_thousand_random_edits_of_andorra_equal_a_full_recompute(code):
    profile_network = prepared(roads_of("andorra"), code)
    rng = np.random.default_rng(5)
    points, spare = scattered(profile_network, 3000, 1, "q"), scattered(profile_network, 300, 2, "s")
    trial = start_what_if(profile_network, scattered(profile_network, 60, 3, "p"), points, "towards", 30)
    for edit in range(1000):
        random_edit(trial, rng, spare)
        if edit % 50 == 49:
            assert_equals_recompute(trial, 30)


def test_undo_restores_every_byte():
    profile_network = prepared(grid_town())
    points, spare = scattered(profile_network, 60, 1, "q"), scattered(profile_network, 40, 2, "s")
    trial = start_what_if(profile_network, scattered(profile_network, 6, 3, "p"), points)
    rng = np.random.default_rng(1)

    def image():
        return [
            trial.junctions.state[:, [0, 3]].tobytes(), trial.served.time_cs.tobytes(), trial.served.place.tobytes(),
            trial.is_open.tobytes(), trial.places.ids.tobytes(), trial.places.edge.tobytes(),
        ]  # fmt: skip

    images = [image()]
    while len(trial.changes) < 40:
        n = len(trial.changes)
        random_edit(trial, rng, spare)
        images = images[: len(trial.changes) + (len(trial.changes) <= n)]
        if len(trial.changes) > n:
            images.append(image())
    while trial.changes:
        assert image() == images.pop()
        undo(trial)
    assert image() == images.pop()


def test_an_edit_touches_its_region_only():
    profile_network = prepared(grid_town())
    points = scattered(profile_network, 60, 1, "q")
    trial = start_what_if(profile_network, scattered(profile_network, 20, 3, "p"), points)
    n_served = np.bincount(trial.served.place[trial.served.place >= 0], minlength=20)
    row = int(np.argmin(np.where(n_served > 0, n_served, 99)))
    close_place(trial, trial.places.ids[row])
    (change,) = trial.changes[-1]
    assert len(change.points) == n_served[row]
    assert len(change.junctions) < profile_network.network.n_junctions / 2


def test_minutes_and_people():
    profile_network = prepared(corridor(), "walk")
    one = snap_points(profile_network, np.array(["a"]), np.array([0.0]), np.zeros(1))
    points = snap_points(profile_network, np.arange(3), np.array([72.0, 300.0, 9000.0]), np.zeros(3))
    trial = start_what_if(profile_network, one, points)
    np.testing.assert_allclose(trial.minutes(), [1.0, 300 / 72, np.nan])
    assert covered_people(trial, np.array([5.0, 7.0, 9.0]), 1.0) == 5.0
    np.testing.assert_allclose(covered_people(trial, np.ones((3, 2)), 5.0), [2, 2])
    close_place(trial, "a")
    assert np.isinf(trial.minutes()[:2]).all()
    assert (trial.nearest.time_cs[:, 0] == UNREACHABLE_CS).all()


def test_nonsense_is_refused():
    profile_network = prepared(corridor(), "walk")
    one = snap_points(profile_network, np.array(["a"]), np.array([0.0]), np.zeros(1))
    trial = start_what_if(profile_network, one, one)
    for edit, words in (
        (lambda: open_place(trial, "a"), "open already"), (lambda: close_place(trial, "z"), "no place 'z'"),
        (lambda: add_place(trial, one), "share an id"), (lambda: undo(trial), "nothing to undo"),
        (lambda: add_place(trial, chosen(one, np.zeros(0, int))), "one at a time"),
        (lambda: move_place(trial, "a", chosen(one, np.zeros(0, int))), "to one"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            edit()
    assert len(trial.places) == 1
    assert_equals_recompute(trial, 60)


@pytest.mark.parametrize("minutes", [-1.0, np.nan, np.inf, 1e12])
def test_limits_that_make_no_sense_are_refused(minutes):
    network = prepared(corridor(), "walk")
    places, points = scattered(network, 2, 1, "p"), scattered(network, 3, 2, "q")
    with pytest.raises(ScenarioError, match="makes no sense"):
        start_what_if(network, places, points, horizon_min=minutes)
    with pytest.raises(ScenarioError, match="makes no sense"):
        covered_people(start_what_if(network, places, points), np.ones(3), minutes)


def test_nobody_is_counted_beyond_the_horizon():
    network = prepared(corridor(), "walk")
    place, points = scattered(network, 1, 1, "p"), scattered(network, 3, 2, "q")
    trial = start_what_if(network, place, points, horizon_min=5)
    assert covered_people(trial, np.ones(3), 5) == (nearest(network, place, points).minutes() <= 5).sum()
    with pytest.raises(ScenarioError, match="horizon"):
        covered_people(trial, np.ones(3), 5.1)
    with pytest.raises(InputError, match="one for each"):
        covered_people(trial, np.ones(2), 5)
