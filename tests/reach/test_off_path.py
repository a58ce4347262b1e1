import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.network.build import build_network
from planner.network.snap import snap_points, snap_table
from planner.network.speeds import prepare_profile
from planner.reach.off_path import Ground, estimate_off_path, estimated_access_table
from planner.reach.travel_times import nearest
from planner.scenario import Scenario
from planner.standards import default_profiles
from planner.study import Grid
from tests.reference.towns import CRS, corridor, town

WALK = default_profiles()["walk"]


def hills(slope_north=0.0):
    """Heights that rise to the north, 50 m cells over 8 km."""
    y = np.arange(3975.0, -4000, -50)
    values = np.tile((y * slope_north)[:, None], (1, 160)).astype(np.float32)
    return Grid(values, (50.0, 0.0, -4000.0, 0.0, -50.0, 4000.0), CRS, "m")


def prepared():
    return prepare_profile(build_network(corridor(), CRS), WALK)


def snap(profile_network, *points):
    xy = np.array(points, float)
    return snap_points(profile_network, np.arange(len(xy)), xy[:, 0], xy[:, 1])


def fence(*geometries):
    return gpd.GeoDataFrame({"kind": "river"}, geometry=list(geometries), index=range(len(geometries)), crs=CRS)


def test_level_ground_is_walked_at_six_tenths():
    profile_network = prepared()
    snapped = snap(profile_network, (150, 1000), (150, 100), (150, 3900))
    found = estimate_off_path(profile_network, snapped, Ground(hills()))
    assert list(found.ids) == [0, 2]  # the mapped point is left alone
    assert list(found.reason) == ["estimated", "no_road"]
    assert found.access_s[0] == pytest.approx(1000 / (1.2 * 0.6), rel=0.05)
    assert found.snap_y[0] == 0
    assert found.edge[1] == -1


def test_uphill_takes_longer_than_down():
    profile_network = prepared()
    snapped = snap(profile_network, (150, 1000))
    ground = Ground(hills(slope_north=0.2))
    down = estimate_off_path(profile_network, snapped, ground, "towards").access_s[0]
    up = estimate_off_path(profile_network, snapped, ground, "from").access_s[0]
    assert up / down == pytest.approx(np.exp(3.5 * 0.1), rel=0.03)


def test_a_barrier_is_walked_round_and_never_crossed():
    profile_network = prepared()
    snapped = snap(profile_network, (150, 1000))
    free = estimate_off_path(profile_network, snapped, Ground(hills())).access_s[0]
    wall = fence(shapely.LineString([(-600, 510), (700, 510)]))
    round_it = estimate_off_path(profile_network, snapped, Ground(hills(), wall)).access_s[0]
    assert round_it > 1.3 * free
    ring = fence(shapely.Point(150, 1000).buffer(300).boundary)
    assert estimate_off_path(profile_network, snapped, Ground(hills(), ring)).edge[0] == -1


def test_where_no_height_is_known_nobody_walks():
    profile_network = prepared()
    snapped = snap(profile_network, (150, 1000))
    grid = hills()
    grid.values[:] = np.nan
    assert estimate_off_path(profile_network, snapped, Ground(grid)).edge[0] == -1


def test_estimates_are_a_class_of_their_own():
    scenario = Scenario()
    network = build_network(corridor(), CRS)
    networks = {code: prepare_profile(network, profile) for code, profile in scenario.profiles.items()}
    facilities = gpd.GeoDataFrame(
        {"facility_id": ["a"], "tier": ["station"]}, geometry=gpd.points_from_xy([0], [0]), crs=CRS
    )
    demand = gpd.GeoDataFrame(
        {"demand_id": ["far", "near"]}, geometry=gpd.points_from_xy([150, 150], [1000, 10]), crs=CRS
    )
    points = snap_table(networks, demand, "demand_id")
    estimated = {code: estimate_off_path(networks[code], points[code], Ground(hills())) for code in networks}
    places = snap_table(networks, facilities, "facility_id")
    table = estimated_access_table(facilities, places, estimated, networks, scenario)
    assert set(table["point_id"]) == {"far"}
    row = table[(table["profile"] == "walk") & (table["tier"] == "station")].iloc[0]
    assert row["status"] == "estimated"
    assert row["travel_time_min"] == nearest(networks["walk"], places["walk"], estimated["walk"]).minutes()[0, 0]
    assert set(table["status"]) <= {"estimated", "disconnected"}


def test_nothing_lost_nothing_estimated():
    profile_network = prepared()
    assert len(estimate_off_path(profile_network, snap(profile_network, (150, 10)), Ground(hills()))) == 0


@pytest.mark.parametrize("far", [(2e5, 2e5), (5e6, 5e6), (np.nan, 0.0)])
def test_a_point_far_from_every_road_stays_unknown_and_changes_nothing(far):
    profile_network = prepared()
    ground = Ground(hills(slope_north=0.1))
    near = [(150, 1000), (-700, 640), (2500, -900)]
    alone = estimate_off_path(profile_network, snap(profile_network, *near), ground)
    beside = estimate_off_path(profile_network, snap(profile_network, near[0], far, *near[1:]), ground)
    for name in ("edge", "share", "access_s", "reason"):
        np.testing.assert_array_equal(np.delete(getattr(beside, name), 1), getattr(alone, name))
    assert beside.edge[1] == -1
    assert (alone.edge >= 0).sum() >= 2


def test_people_of_two_tiles_are_estimated_as_each_alone():
    """Tiles are 14.4 km across: roads 40 km apart and people on both sides of a tile's edge."""
    long_road = town(([(0, 0), (40_000, 0)], "residential", {}))
    profile_network = prepare_profile(build_network(long_road, CRS), WALK)
    level = Grid(np.zeros((90, 900), np.float32), (50.0, 0.0, -1000.0, 0.0, -50.0, 2250.0), CRS, "m")
    points = [(14_390.0, 900.0), (14_410.0, 900.0), (39_000.0, 1200.0), (200.0, 700.0)]
    together = estimate_off_path(profile_network, snap(profile_network, *points), Ground(level))
    for i, point in enumerate(points):
        alone = estimate_off_path(profile_network, snap(profile_network, point), Ground(level))
        assert together.access_s[i] == alone.access_s[0] < np.inf
        assert together.access_s[i] == pytest.approx(point[1] / (1.2 * 0.6), rel=0.09)
