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
from tests.reference.towns import CRS, corridor

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
