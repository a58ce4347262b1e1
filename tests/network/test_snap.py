import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import CrsError
from planner.network.build import build_network
from planner.network.snap import snap_points, snap_records, snap_table, unplaced
from planner.network.speeds import prepare_profile
from planner.standards import default_profiles
from tests.reference.noded import NodedRoads
from tests.reference.towns import CRS, corridor, islands, one_way, town

WALK = default_profiles()["walk"]


def prepared(roads, profile=WALK):
    return prepare_profile(build_network(roads, CRS), profile)


def snap(profile_network, *points, barriers=None):
    xy = np.array(points, float).reshape(-1, 2)
    return snap_points(profile_network, np.array([f"p{i}" for i in range(len(xy))]), xy[:, 0], xy[:, 1], barriers)


def fences(*geometries):
    return gpd.GeoDataFrame({"kind": "river"}, geometry=list(geometries), index=range(len(geometries)), crs=CRS)


def test_a_point_touches_the_road_between_its_vertices():
    snapped = snap(prepared(corridor()), (130, 60))
    assert (snapped.snap_x[0], snapped.snap_y[0]) == (130, 0)
    assert snapped.access_m[0] == pytest.approx(60)
    assert snapped.access_s[0] == pytest.approx(50)
    assert snapped.reason[0] == ""
    assert snapped.component[0] == 0


def test_beyond_the_longest_leg_nothing_is_known():
    snapped = snap(prepared(corridor()), (100, 500), (100, 500.1))
    np.testing.assert_array_equal(snapped.edge >= 0, [True, False])
    assert snapped.reason[1] == "no_road"
    assert np.isinf(snapped.access_s[1])
    assert np.isnan(snapped.snap_x[1])
    assert snapped.component[1] == -1


def test_only_edges_that_the_profile_may_use_count():
    town_roads = one_way()
    point = (-40, 10)
    walk = snap(prepared(town_roads), point)
    assert walk.snap_x[0] == 0  # the motorway beside it is closed to feet
    car = snap(prepared(town_roads, default_profiles()["car"]), point)
    assert car.snap_x[0] == -40


def test_a_leg_crosses_no_barrier():
    roads = town(([(0, 0), (300, 0)], "path", {}), ([(0, 200), (300, 200)], "path", {}))
    river = fences(shapely.LineString([(-50, 30), (350, 30)]))
    snapped = snap(prepared(roads), (100, 50), (100, 10), barriers=river)
    np.testing.assert_array_equal(snapped.snap_y, [200, 0])
    np.testing.assert_allclose(snapped.access_m, [150, 10])


def test_a_road_only_behind_a_barrier_is_unknown_with_that_reason():
    river = fences(shapely.box(-1000, 20, 1000, 40))
    snapped = snap(prepared(corridor()), (100, 100), (100, 700), barriers=river)
    assert list(snapped.reason) == ["barrier", "no_road"]
    assert (snapped.edge == -1).all()


def test_an_area_barrier_does_not_bind_the_point_that_lies_in_it():
    snapped = snap(prepared(corridor()), (100, 30), barriers=fences(shapely.box(-1000, 20, 1000, 40)))
    assert snapped.reason[0] == ""


def test_equally_near_edges_give_way_to_the_lowest_number():
    profile_network = prepared(corridor())
    snapped = snap(profile_network, (100, 50), (200, -50))
    for i, x in enumerate((100, 200)):
        touching = np.flatnonzero(
            (profile_network.network.x[profile_network.network.edge_from] == x)
            | (profile_network.network.x[profile_network.network.edge_to] == x)
        )
        assert snapped.edge[i] == touching.min()


@pytest.mark.parametrize("with_barriers", [False, True])
@pytest.mark.parametrize("code", ["walk", "car"])
def test_legs_equal_brute_force_over_all_segments(code, with_barriers):
    rng = np.random.default_rng(5)
    streets = []
    for _ in range(60):
        start = rng.integers(0, 60, 2) * 50
        steps = rng.integers(-2, 3, (4, 2)) * 50
        line = [tuple(map(int, start)), *(tuple(map(int, p)) for p in start + np.cumsum(steps, axis=0))]
        line = [p for i, p in enumerate(line) if i == 0 or p != line[i - 1]]
        if len(line) > 1:
            streets.append((line, rng.choice(["path", "residential", "motorway"]), {}))
    roads = town(*streets)
    walls = [
        shapely.LineString([(0, 777), (3000, 1333)]), shapely.LineString([(1234, 0), (1111, 3000)]),
        shapely.box(1803, 1803, 2333, 1988), shapely.MultiPoint([(5, 5)]),
    ] if with_barriers else []  # fmt: skip
    profile = default_profiles()[code].model_copy(update={"max_access_m": 150.0})
    x, y = rng.uniform(-100, 3100, 300), rng.uniform(-100, 3100, 300)
    snapped = snap_points(prepared(roads, profile), np.arange(300), x, y, fences(*walls) if walls else None)
    expected = NodedRoads(roads, profile).legs(x, y, walls)
    np.testing.assert_allclose(snapped.access_m, [metres for *_, metres in expected], atol=1e-6)
    assert (snapped.edge < 0).any()


def test_tables_give_records_and_what_could_not_be_placed():
    networks = {code: prepared(islands(), default_profiles()[code]) for code in ("walk", "car")}
    table = gpd.GeoDataFrame(
        {"facility_id": ["a", "b"]}, geometry=gpd.points_from_xy([50, 50], [10, 2500]), crs=CRS
    )  # fmt: skip
    snapped = snap_table(networks, table, "facility_id")
    records = snap_records("facilities", snapped, networks)
    assert len(records) == 4
    assert records.loc[records["id"] == "a", "access_m"].eq(10).all()
    missing = unplaced(records)
    assert list(missing["id"]) == ["b", "b"]
    assert list(missing["profile"]) == ["walk", "car"]
    assert set(missing["reason"]) == {"no_road"}


def test_no_point_and_no_usable_road_are_no_errors():
    assert len(snap(prepared(corridor()))) == 0
    closed = prepared(corridor().assign(foot="no"))
    assert snap(closed, (0, 0)).reason[0] == "no_road"


@pytest.mark.parametrize("where", [(np.nan, 3.0), (3.0, np.nan), (np.inf, 0.0), (np.nan, np.nan)])
def test_a_point_without_coordinates_is_unknown_and_harms_no_other(where):
    river = fences(shapely.LineString([(-50, 30), (350, 30)]))
    for barriers in (None, river):
        alone = snap(prepared(corridor()), (130, 10), (20, 60), barriers=barriers)
        beside = snap(prepared(corridor()), (130, 10), where, (20, 60), barriers=barriers)
        for name in ("edge", "share", "snap_x", "snap_y", "access_m", "access_s", "component", "reason"):
            np.testing.assert_array_equal(getattr(beside, name)[[0, 2]], getattr(alone, name))
        assert (beside.edge[1], beside.reason[1], beside.access_m[1]) == (-1, "no_coordinates", np.inf)
    assert snap(prepared(corridor()), where).reason[0] == "no_coordinates"


def test_another_crs_is_refused():
    networks = {"walk": prepared(corridor())}
    table = gpd.GeoDataFrame({"facility_id": ["a"]}, geometry=gpd.points_from_xy([0], [0]), crs="EPSG:32650")
    with pytest.raises(CrsError):
        snap_table(networks, table, "facility_id")
    river = fences(shapely.LineString([(0, 1), (1, 1)])).to_crs("EPSG:32650")
    with pytest.raises(CrsError):
        snap(networks["walk"], (0, 0), barriers=river)
