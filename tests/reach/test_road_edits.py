"""Edits of roads and places, mixed, against a full recompute on the whole network."""

from contextlib import suppress

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import InputError
from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.access import chosen
from planner.reach.road_edits import build_bridge, change_road, close_road
from planner.reach.travel_times import nearest
from planner.reach.what_if import close_place, covered_people, start_what_if, undo
from planner.standards import default_profiles
from tests.reach.test_what_if import grid_town, prepared, random_edit, scattered
from tests.reference import edited_roads as edits
from tests.reference.real_data import roads_of
from tests.reference.towns import CRS, corridor, loop, one_way, town

CLASSES = ["residential", "footway", "primary", "track"]


def fence():
    return gpd.GeoDataFrame({"kind": ["river"]}, geometry=[shapely.LineString([(-500, 330), (2000, 360)])], crs=CRS)


def random_road_edit(trial, rng):
    network = trial.profile_network.network
    what = rng.choice(["close", "close one", "class", "bridge"])
    edge = int(rng.integers(0, network.n_edges))
    road = int(network.edge_road[edge])
    if what == "bridge":
        ends = rng.choice(network.n_nodes, 2, replace=False)
        x, y = network.x[ends] + rng.normal(0, 30, 2), network.y[ends] + rng.normal(0, 30, 2)
        line = shapely.LineString([(x[0], y[0]), (x.mean() + 20, y.mean()), (x[1], y[1])])
        with suppress(InputError):  # both ends may meet one spot
            build_bridge(trial, line, rng.choice(CLASSES))
    elif what == "class":
        change_road(trial, road, rng.choice(CLASSES))
    else:
        close_road(trial, road, edge if what == "close one" else None)


def assert_equals_recompute(trial, horizon_min):
    """Points and places touch the whole network anew, and every point's nearest open place is searched anew."""
    fresh_places, fresh_points = (
        snap_points(trial.profile_network, part.ids, part.x, part.y, trial.barriers)
        for part in (trial.places, trial.points)
    )
    for old, new in ((trial.places, fresh_places), (trial.points, fresh_points)):
        for name in ("edge", "share", "access_s", "component", "reason"):
            np.testing.assert_array_equal(getattr(old, name), getattr(new, name), name)
    whole = prepare_profile(trial.profile_network.network, trial.profile_network.profile)
    for name in vars(whole):
        np.testing.assert_array_equal(getattr(trial.profile_network, name), getattr(whole, name), name)
    rows = np.flatnonzero(trial.is_open)
    best = nearest(
        trial.profile_network, chosen(fresh_places, rows), fresh_points, trial.direction, cutoff_min=horizon_min
    )
    place = best.place[:, 0]
    np.testing.assert_array_equal(trial.served.time_cs, best.time_cs[:, 0])
    np.testing.assert_array_equal(trial.served.place, np.where(place >= 0, rows[place] if len(rows) else -1, -1))


def image(trial):
    return [
        trial.junctions.state[:, [0, 3]].tobytes(), trial.served.time_cs.tobytes(), trial.served.place.tobytes(),
        trial.is_open.tobytes(), trial.places.edge.tobytes(), trial.points.edge.tobytes(),
        trial.points.share.tobytes(), trial.profile_network.in_cs.tobytes(), trial.place_positions.leg_cs.tobytes(),
    ]  # fmt: skip


def started(make, direction, horizon_min, barriers=None, code="car"):
    profile_network = prepared(make(), code)
    points, spare = scattered(profile_network, 60, 1, "q", 90), scattered(profile_network, 40, 2, "s")
    places = scattered(profile_network, 6, 3, "p")
    points, spare, places = (
        snap_points(profile_network, part.ids, part.x, part.y, barriers) for part in (points, spare, places)
    )
    return start_what_if(profile_network, places, points, direction, horizon_min, barriers), spare


@pytest.mark.parametrize("direction", ["towards", "from"])
@pytest.mark.parametrize("horizon_min", [1.0, 30.0])
@pytest.mark.parametrize("make", [grid_town, loop, one_way])
def test_mixed_edits_equal_a_full_recompute_and_undo_exactly(make, horizon_min, direction):
    barriers = fence() if horizon_min > 1 else None
    trial, spare = started(make, direction, horizon_min, barriers)
    rng = np.random.default_rng(0)
    images = [image(trial)]
    for edit in range(60):
        n = len(trial.changes)
        if rng.random() < 0.5 and trial.profile_network.edge_is_usable.sum() > 2:
            random_road_edit(trial, rng)
        else:
            random_edit(trial, rng, _snapped_again(trial, spare))
        images = images[: len(trial.changes) + (len(trial.changes) <= n)]
        if len(trial.changes) > n:
            images.append(image(trial))
        if edit % 4 == 0:
            assert_equals_recompute(trial, horizon_min)
    assert_equals_recompute(trial, horizon_min)
    while trial.changes:
        assert image(trial) == images.pop()
        undo(trial)
    assert image(trial) == images.pop()


def _snapped_again(trial, spare):
    return snap_points(trial.profile_network, spare.ids, spare.x, spare.y, trial.barriers)


@pytest.mark.slow
def test_a_thousand_mixed_edits_equal_a_full_recompute():
    trial, spare = started(lambda: grid_town(14), "towards", 30.0)
    rng = np.random.default_rng(9)
    for edit in range(1000):
        if rng.random() < 0.4:
            random_road_edit(trial, rng)
        else:
            random_edit(trial, rng, _snapped_again(trial, spare))
        if edit % 20 == 19:
            assert_equals_recompute(trial, 30.0)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["walk", "car"])
def test_road_edits_of_andorra_equal_a_full_recompute(code):
    profile_network = prepared(roads_of("andorra"), code)
    points = scattered(profile_network, 2000, 1, "q", 100)
    trial = start_what_if(profile_network, scattered(profile_network, 60, 3, "p"), points, "towards", 30)
    rng = np.random.default_rng(5)
    start = image(trial)
    for _ in range(12):
        random_road_edit(trial, rng)
        assert_equals_recompute(trial, 30)
    while trial.changes:
        undo(trial)
    assert image(trial) == start


@pytest.mark.parametrize(
    ("edit", "by_table"),
    [
        (lambda t: close_road(t, 5), lambda roads: edits.close_road(roads, "r5")),
        (lambda t: change_road(t, 7, "track"), lambda roads: edits.change_class(roads, "r7", "track")),
        (
            lambda t: build_bridge(t, shapely.LineString([(95, 30), (310, 480)]), "residential"),
            lambda roads: edits.add_bridge(roads, shapely.LineString([(95, 30), (310, 480)]), "b", "residential"),
        ),
    ],
)
def test_an_edited_road_gives_what_importing_it_so_gives(edit, by_table):
    trial, _ = started(grid_town, "towards", 30.0)
    edit(trial)
    other = prepared(by_table(grid_town()))
    places, points = (snap_points(other, part.ids, part.x, part.y) for part in (trial.places, trial.points))
    fresh = nearest(other, places, points, "towards", cutoff_min=30)
    # Chains that a closed road leaves alone are not joined again: each rounds once by half a centisecond.
    np.testing.assert_allclose(trial.served.time_cs, fresh.time_cs[:, 0], atol=20)


def test_an_edit_searches_its_region_only():
    trial, _ = started(lambda: grid_town(14), "towards", 30.0)
    n_all = trial.profile_network.network.n_junctions
    close_road(trial, 0)
    (change,) = trial.changes[-1]
    assert len(change.junctions) < n_all / 2


def test_a_closed_corridor_and_a_bridge_worked_by_hand():
    profile_network = prepare_profile(build_network(corridor(), CRS), default_profiles()["walk"])
    place = snap_points(profile_network, np.array(["a"]), np.array([0.0]), np.zeros(1))
    points = snap_points(profile_network, np.arange(2), np.array([50.0, 250.0]), np.zeros(2))
    trial = start_what_if(profile_network, place, points)
    np.testing.assert_allclose(trial.minutes(), [50 / 72, 250 / 72], atol=1e-4)
    close_road(trial, 0, 1)
    np.testing.assert_allclose(trial.minutes(), [50 / 72, np.inf], atol=1e-4)
    assert covered_people(trial, np.array([3.0, 4.0]), 15) == 3
    road = build_bridge(trial, shapely.LineString([(50, 1), (50, 100), (250, 100), (250, 1)]))
    np.testing.assert_allclose(trial.minutes(), [50 / 72, (50 + 100 + 200 + 100) / 72], atol=0.001)
    assert road == 1
    close_place(trial, "a")
    for _ in range(3):
        undo(trial)
    np.testing.assert_allclose(trial.minutes(), [50 / 72, 250 / 72], atol=1e-4)


def test_nonsense_is_refused():
    trial, _ = started(grid_town, "towards", 30.0)
    for edit, words in (
        (lambda: close_road(trial, 9999), "no road 9999"), (lambda: change_road(trial, -1, "track"), "no road -1"),
        (lambda: close_road(trial, 0, 10**6), "not one of road 0"),
        (lambda: build_bridge(trial, shapely.LineString([(-50, -50), (-60, -60)])), "one spot"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            edit()
    closed = town(([(0, 0), (100, 0)], "footway", {}))
    lonely = prepared(closed)
    nobody = snap_points(lonely, np.zeros(0, object), np.zeros(0), np.zeros(0))
    with pytest.raises(InputError, match="may use"):
        build_bridge(start_what_if(lonely, nobody, nobody), shapely.LineString([(0, 0), (9, 9)]))


def drawn(points):
    with np.errstate(invalid="ignore"):
        return shapely.LineString(points)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (shapely.LineString(), "one line"), (shapely.Point(0, 0), "one line"), (None, "one line"),
        (shapely.MultiLineString([[(0, 0), (100, 0)]]), "one line"),
        (drawn([(np.nan, 0), (100, 0)]), "no coordinates"),
        (drawn([(0, 0), (np.nan, 5), (300, 0)]), "no coordinates"),
        (drawn([(0, 0), (np.inf, 0)]), "no coordinates"),
        (shapely.LineString([(0, 1e6), (300, 0)]), "1000000 m"), (shapely.LineString([(0, 0), (300, 501)]), "501 m"),
    ],
)  # fmt: skip
def test_a_bridge_from_nowhere_is_refused_and_changes_nothing(line, message):
    network = prepared(corridor(), "walk")
    trial = start_what_if(network, scattered(network, 1, 1, "p"), scattered(network, 3, 2, "q"))
    before = trial.minutes()
    with pytest.raises(InputError, match=message):
        build_bridge(trial, line)
    np.testing.assert_array_equal(trial.minutes(), before)
    assert not trial.changes


@pytest.mark.parametrize("name", ["residentail", "", None, "高速公路"])
def test_a_class_that_nobody_knows_is_refused_by_naming_the_known(name):
    network = prepared(corridor(), "walk")
    trial = start_what_if(network, scattered(network, 1, 1, "p"), scattered(network, 3, 2, "q"))
    with pytest.raises(InputError, match="residential"):
        change_road(trial, 0, name)
    with pytest.raises(InputError, match="residential"):
        build_bridge(trial, shapely.LineString([(0, 20), (300, 20)]), name)
