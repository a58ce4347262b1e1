import numpy as np
import pytest

from planner.errors import CancelledError, ScenarioError
from planner.network.build import build_network
from planner.network.road_network import UNREACHABLE_CS
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.progress import Cancellable
from planner.reach import kernels
from planner.reach import threads as module
from planner.reach.travel_times import junction_times, nearest, travel_times
from planner.standards import default_profiles
from tests.network.test_speeds import ramp
from tests.reference.lattice import lattice_study
from tests.reference.noded import NodedRoads
from tests.reference.towns import CRS, TOWNS, corridor, loop, one_way

PROFILES = default_profiles()


def snap(profile_network, x, y, prefix="p"):
    return snap_points(profile_network, np.array([f"{prefix}{i:04d}" for i in range(len(x))]), np.array(x), np.array(y))


def prepared(roads, code="walk", grid=None):
    return prepare_profile(build_network(roads, CRS, grid), PROFILES[code])


def dense(times):
    table = np.full((len(times.first) - 1, times.n_points), np.inf)
    for place in range(len(table)):
        part = slice(times.first[place], times.first[place + 1])
        table[place, times.point[part]] = times.time_cs[part] / 100
    return table


def around(roads, n, seed):
    """Points on and beside the roads, some exactly on vertices, some out of reach."""
    rng = np.random.default_rng(seed)
    lines = roads.geometry.iloc[rng.integers(0, len(roads), n)]
    on = [line.interpolate(rng.random(), normalized=True) for line in lines]
    x = np.array([p.x for p in on]) + rng.normal(0, 30, n) * (rng.random(n) < 0.5)
    y = np.array([p.y for p in on]) + rng.normal(0, 30, n) * (rng.random(n) < 0.5)
    x[0], y[0] = roads.geometry.iloc[0].coords[0]
    x[-1] += 50_000
    return x, y


@pytest.mark.parametrize("direction", ["towards", "from"])
@pytest.mark.parametrize("code", ["walk", "ebike", "car"])
@pytest.mark.parametrize("name", TOWNS)
def test_times_equal_the_reference_on_toy_towns(name, code, direction):
    roads, grid = TOWNS[name](), ramp(0.08)
    profile_network = prepared(roads, code, grid)
    px, py = around(roads, 15, 1)
    qx, qy = around(roads, 25, 2)
    places, points = snap(profile_network, px, py), snap(profile_network, qx, qy)
    reference = NodedRoads(roads, PROFILES[code], grid)
    expected = reference.times(reference.legs(px, py), reference.legs(qx, qy), direction)
    found = dense(travel_times(profile_network, places, points, 600, direction))
    found[np.isnan(expected)] = np.nan
    np.testing.assert_allclose(found, expected, atol=0.06)

    best = nearest(profile_network, places, points, direction, k=3)
    sorted_expected = np.sort(np.where(np.isnan(expected), np.inf, expected), axis=0)[:3].T
    times_s = np.where(best.time_cs < UNREACHABLE_CS, best.time_cs / 100, np.inf)
    np.testing.assert_allclose(times_s, sorted_expected, atol=0.06)
    q, i = np.nonzero(best.place >= 0)
    np.testing.assert_allclose(found[best.place[q, i], q], times_s[q, i], atol=0.011)


def test_a_corridor_worked_by_hand():
    # 100 m at 1.2 m/s are 83.33 s; the place stands at 50 m, 12 m off the road (10 s).
    profile_network = prepared(corridor())
    places, points = snap(profile_network, [50.0], [12.0]), snap(profile_network, [50.0, 60.0, 290.0], [0.0, 0.0, 24.0])
    times = dense(travel_times(profile_network, places, points, 10))[0]
    np.testing.assert_allclose(times, [10.0, 18.33, 10 + 200 + 20], atol=0.005)


def test_the_cutoff_is_included():
    profile_network = prepared(corridor())
    places, points = snap(profile_network, [0.0], [0.0]), snap(profile_network, [72.0, 72.1], [0.0, 0.0])
    assert list(travel_times(profile_network, places, points, 1).point) == [0]


def test_one_way_on_the_same_edge_goes_round_the_block():
    profile_network = prepared(one_way(), "car")
    places, points = snap(profile_network, [0.0], [20.0]), snap(profile_network, [0.0], [60.0])
    metres_per_s = 25 / 3.6
    there = dense(travel_times(profile_network, places, points, 10, "from"))[0, 0]
    back = dense(travel_times(profile_network, places, points, 10, "towards"))[0, 0]
    assert there == pytest.approx(40 / metres_per_s, abs=0.02)
    assert back == pytest.approx(360 / metres_per_s, abs=0.04)


def test_the_short_way_round_a_loop():
    profile_network = prepared(loop())
    side = np.hypot(100, 100)
    places, points = snap(profile_network, [50.0], [50.0]), snap(profile_network, [50.0], [-50.0])
    time_s = dense(travel_times(profile_network, places, points, 60))[0, 0]
    assert time_s == pytest.approx(side / 1.2, abs=0.02)


def test_a_larger_cutoff_loses_nothing():
    roads = loop()
    profile_network = prepared(roads)
    places, points = (snap(profile_network, *around(roads, 30, seed)) for seed in (3, 4))
    before = set()
    for cutoff in (0, 1, 2, 4, 8, 16):
        times = travel_times(profile_network, places, points, cutoff)
        row = np.repeat(np.arange(30), np.diff(times.first))
        now = set(zip(row.tolist(), times.point.tolist(), times.time_cs.tolist(), strict=True))
        assert before <= now
        before = now


def test_equal_times_go_to_the_id_that_sorts_first():
    profile_network = prepared(corridor())
    snapped = snap_points(profile_network, np.array(["b", "a"]), np.array([0.0, 200.0]), np.zeros(2))
    best = nearest(profile_network, snapped, snap(profile_network, [100.0], [0.0]), k=2)
    np.testing.assert_array_equal(best.place, [[1, 0]])


def test_no_places_and_no_points():
    profile_network = prepared(corridor())
    none, one = snap(profile_network, [], []), snap(profile_network, [10.0], [0.0])
    assert len(travel_times(profile_network, none, one, 15).point) == 0
    assert len(travel_times(profile_network, one, none, 15).point) == 0
    assert travel_times(profile_network, none, one, 15).minutes().shape == (0, 1)
    np.testing.assert_array_equal(nearest(profile_network, none, one).place, [[-1]])
    assert nearest(profile_network, one, none, k=2).place.shape == (0, 1)
    assert np.isinf(nearest(profile_network, none, one).minutes()).all()


def test_a_network_closed_to_the_profile():
    profile_network = prepared(corridor().assign(foot="no"))
    one = snap(profile_network, [10.0], [0.0])
    assert len(travel_times(profile_network, one, one, 15).point) == 0
    np.testing.assert_array_equal(nearest(profile_network, one, one).place, [[-1]])


def test_one_bad_origin_harms_nobody():
    profile_network = prepared(corridor())
    points = snap(profile_network, [10.0, 200.0], [0.0, 0.0])
    good = travel_times(profile_network, snap(profile_network, [50.0], [0.0]), points, 15)
    both = travel_times(profile_network, snap(profile_network, [90_000.0, 50.0], [0.0, 0.0]), points, 15)
    assert both.first[1] == 0
    np.testing.assert_array_equal(both.point, good.point)
    np.testing.assert_array_equal(both.time_cs, good.time_cs)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_a_byte(threads, monkeypatch):
    roads = one_way()
    profile_network = prepared(roads, "car")
    places, points = (snap(profile_network, *around(roads, 300, seed)) for seed in (5, 6))
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    one = travel_times(profile_network, places, points, 15)
    monkeypatch.setattr(module.os, "cpu_count", lambda: threads)
    other = travel_times(profile_network, places, points, 15)
    for name in ("first", "point", "time_cs"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_junction_times_are_the_ball():
    profile_network = prepared(loop())
    balls = junction_times(profile_network, snap(profile_network, [-100.0], [0.0]), 2)
    network = profile_network.network
    assert list(balls.first) == [0, 2]
    x = network.x[network.junction_node[balls.junction]]
    assert set(x) == {-200, 0}
    np.testing.assert_array_equal(balls.time_cs, [8333, 8333])


def test_work_can_be_cancelled():
    profile_network = prepared(corridor())
    progress = Cancellable()
    progress.cancel()
    one = snap(profile_network, [10.0], [0.0])
    with pytest.raises(CancelledError):
        travel_times(profile_network, one, one, 15, progress=progress)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cutoff_min": -1}, "time limit"),
        ({"cutoff_min": float("nan")}, "time limit"),
        ({"direction": "up"}, "towards"),
    ],
)
def test_nonsense_is_refused(options, words):
    profile_network = prepared(corridor())
    one = snap(profile_network, [10.0], [0.0])
    with pytest.raises(ScenarioError, match=words):
        travel_times(profile_network, one, one, **{"cutoff_min": 15, **options})
    with pytest.raises(ScenarioError, match="k = 0"):
        nearest(profile_network, one, one, k=0)
    with pytest.raises(ScenarioError):
        nearest(profile_network, one, one, k=2.5)  # type: ignore[arg-type]
    assert nearest(profile_network, one, one, k=10**9).place.tolist() == [[0]]


def test_a_queue_that_is_too_short_changes_nothing(monkeypatch):
    roads = lattice_study().tables["roads"]
    profile_network = prepare_profile(build_network(roads, roads.crs.to_string()), PROFILES["walk"])
    places, points = (snap(profile_network, *around(roads, 8, seed)) for seed in (1, 2))
    whole = travel_times(profile_network, places, points, 30)
    make = kernels.make_workspace

    def tight(*sizes):
        return make(*sizes)._replace(queue=np.empty((4, 4), np.int32))

    monkeypatch.setattr(kernels, "make_workspace", tight)
    again = travel_times(profile_network, places, points, 30)
    assert len(whole.point) > 8
    for name in ("first", "point", "time_cs"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(again, name))
