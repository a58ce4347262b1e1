"""Nobody starts from a scrap of road, and no last digit decides a person: by hand, on random networks, on real ones."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.standards import default_profiles
from tests.network.test_snap import fences
from tests.reference.noded import NodedRoads
from tests.reference.real_data import NETWORKS, roads_of
from tests.reference.towns import CRS, town

STREET = ([(x, 0) for x in range(0, 1300, 100)], "residential", {})


def prepared(roads, code="walk", **changes):
    profile = default_profiles()[code].model_copy(update=changes)
    return prepare_profile(build_network(roads, CRS), profile)


def snap(network, *points, barriers=None):
    x, y = np.array(points, float).T
    return snap_points(network, np.arange(len(x)), x, y, barriers)


def test_a_scrap_beside_a_street_is_passed_over():
    """A path of 40 m, 20 m beside the street, joins nothing: both people walk to the street."""
    network = prepared(town(STREET, ([(500, 20), (540, 20)], "footway", {})))
    snapped = snap(network, (520, 25), (600, 15))
    np.testing.assert_allclose(snapped.access_m, [25, 15])
    assert set(snapped.reason) == {""}


def test_people_who_find_only_a_scrap_are_unknown_and_told_so():
    network = prepared(town(STREET, ([(500, 5000), (540, 5000)], "footway", {})))
    snapped = snap(network, (520, 5010), (520, 9000), (520, 10))
    assert list(snapped.reason) == ["fragment", "no_road", ""]
    assert list(snapped.edge[:2]) == [-1, -1]


def test_a_long_piece_or_a_large_share_matters():
    far = [(x, 5000) for x in range(0, 1100, 100)]
    assert not snap(prepared(town(STREET, (far, "residential", {}))), (50, 5010)).reason[0]
    short = prepared(town(([(0, 0), (100, 0)], "residential", {}), ([(0, 5000), (20, 5000)], "residential", {})))
    assert not snap(short, (10, 5010)).reason[0]  # 20 m of 120 m: more than a tenth
    assert (
        snap(prepared(town(STREET, ([(0, 5000), (20, 5000)], "residential", {}))), (10, 5010)).reason[0] == "fragment"
    )


@pytest.mark.parametrize("oneway", ["forward", "backward"])
def test_a_one_way_stub_is_no_place_to_start(oneway):
    stub = ([(600, 0), (600, 100), (600, 200)], "residential", {"oneway": oneway})
    roads = town(([(x, 0) for x in range(0, 601, 100)], *STREET[1:]), ([(600, 0), (1200, 0)], *STREET[1:]), stub)
    np.testing.assert_allclose(snap(prepared(roads, "car"), (620, 150)).access_m, [150])
    np.testing.assert_allclose(snap(prepared(roads, "walk"), (620, 150)).access_m, [20])


def test_a_motorway_is_no_barrier_to_a_leg_that_ends_on_it():
    line = [(0, 0), (1_700, 311)]
    network = prepared(town((line, "motorway", {})), "car")
    wall = fences(shapely.LineString(line))
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 1_700, 400), rng.uniform(-60, 371, 400)
    for dx, dy in ((0, 0), (1e-6, 0), (0, -1e-6), (3e-7, 7e-7)):
        assert not set(snap(network, *np.column_stack([x + dx, y + dy]), barriers=wall).reason) - {""}


def test_a_motorway_still_bars_the_way_across():
    street, motorway = [(0, 100), (1_200, 100)], [(0, 0), (1_200, 0)]
    network = prepared(town((street, "residential", {}), (motorway, "motorway", {})))
    wall = fences(shapely.LineString(motorway))
    assert list(snap(network, (500, -50), (500, 50), (500, 0), barriers=wall).reason) == ["barrier", "", ""]


def random_roads(rng, n_streets=14):
    streets = []
    for _ in range(n_streets):
        start = rng.uniform(0, 3_000, 2)
        steps = rng.uniform(-400, 400, (int(rng.integers(1, 5)), 2))
        line = [tuple(np.round(p, 3)) for p in (start, *(start + np.cumsum(steps, axis=0)))]
        if streets and rng.random() < 0.7:  # most join one that is there already
            other = streets[rng.integers(len(streets))][0]
            line[0] = other[rng.integers(len(other))]
        options = {"oneway": str(rng.choice(["no", "no", "forward", "backward"]))}
        streets.append((line, str(rng.choice(["path", "residential", "motorway"])), options))
    return streets


def agrees(seed):
    """Nearest among the pieces that matter, past barriers, as brute force finds it; and the same a micrometre away."""
    rng = np.random.default_rng(seed)
    streets, code = random_roads(rng), ("walk", "ebike", "car")[seed % 3]
    roads = town(*streets)
    walls = [shapely.LineString(line) for line, road_class, _ in streets if road_class == "motorway"]
    profile = default_profiles()[code].model_copy(update={"min_piece_m": float(rng.choice([0, 300, 1_000, 3_000]))})
    x, y = rng.uniform(-100, 3_100, 12), rng.uniform(-100, 3_100, 12)
    network = prepare_profile(build_network(roads, CRS), profile)
    barriers = fences(*walls) if walls else None
    snapped = snap_points(network, np.arange(12), x, y, barriers)
    expected = NodedRoads(roads, profile).legs(x, y, walls)
    np.testing.assert_allclose(snapped.access_m, [metres for *_, metres in expected], atol=1e-6)
    shifted = roads.set_geometry(roads.translate(1e-6, -1e-6))
    moved = (
        fences(*(shapely.transform(wall, lambda xy: xy + np.array([1e-6, -1e-6])) for wall in walls)) if walls else None
    )
    again = snap_points(prepare_profile(build_network(shifted, CRS), profile), np.arange(12), x + 1e-6, y - 1e-6, moved)
    assert list(again.reason) == list(snapped.reason)
    np.testing.assert_array_equal(again.edge, snapped.edge)


def test_on_random_networks():
    for seed in range(15):
        agrees(seed)


@pytest.mark.slow
def test_on_300_random_networks():
    for seed in range(300):
        agrees(seed)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["walk", "ebike", "car"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_on_real_networks(name, code):
    roads = roads_of(name)
    profile = default_profiles()[code]
    network = build_network(roads, roads.crs.to_string())
    rng = np.random.default_rng(11)
    west, south, east, north = roads.total_bounds
    x, y = rng.uniform(west, east, 60), rng.uniform(south, north, 60)
    snapped = snap_points(prepare_profile(network, profile), np.arange(60), x, y)
    expected = NodedRoads(roads, profile).legs(x, y)
    np.testing.assert_allclose(snapped.access_m, [metres for *_, metres in expected], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["walk", "car"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_micrometre_changes_nobody_beside_real_main_roads(name, code):
    """The main roads are walls as well, and all points stand beside them."""
    roads, profile, rng = roads_of(name), default_profiles()[code], np.random.default_rng(5)
    main = roads.geometry[roads["class"].isin(["motorway", "trunk", "primary"])]
    at = main.sample(300, replace=True, random_state=5).interpolate(rng.uniform(0, 1, 300), normalized=True)
    x, y = (values + rng.uniform(-60, 60, 300) for values in (at.x.to_numpy(), at.y.to_numpy()))

    def touched(dx, dy):
        moved, walls = roads.set_geometry(roads.translate(dx, dy)), main.translate(dx, dy)
        barriers = gpd.GeoDataFrame(
            {"kind": "motorway"}, geometry=walls.to_numpy(), index=range(len(walls)), crs=roads.crs
        )
        network = prepare_profile(build_network(moved, roads.crs.to_string()), profile)
        return snap_points(network, np.arange(300), x + dx, y + dy, barriers)

    before, after = touched(0, 0), touched(1e-6, -1e-6)
    assert list(before.reason) == list(after.reason)
    np.testing.assert_allclose(after.access_m, before.access_m, atol=1e-4)
