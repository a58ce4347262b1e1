"""Practice circles: contain their place, nest, keep to their side of a barrier, agree with the exact time."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import CancelledError, ScenarioError
from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.progress import Cancellable
from planner.reach.service_areas import service_areas, unplaced
from planner.reach.snap_grid import make_snap_grid
from planner.reach.surfaces import placed, rows_of
from planner.reach.travel_times import travel_times
from planner.standards import default_profiles
from tests.reference.real_data import NETWORKS, elevation_of, roads_of
from tests.reference.towns import CRS, TOWNS, corridor, town

PROFILES = default_profiles()


def walled(*shapes):
    return gpd.GeoDataFrame({"barrier_id": [str(i) for i in range(len(shapes))]}, geometry=list(shapes), crs=CRS)


def prepared(roads, code="walk"):
    return prepare_profile(build_network(roads, CRS), PROFILES[code])


def snap(network, points, barriers=None):
    x, y = np.array(points, float).T
    return snap_points(network, np.array([f"p{i}" for i in range(len(x))], object), x, y, barriers)


def random_town(seed):
    """A bent lattice of streets with gaps: loops, dead ends and pieces of their own."""
    rng = np.random.default_rng(seed)
    n = 7
    at = {(i, j): tuple(np.round(np.array([i, j]) * 150 + rng.normal(0, 30, 2), 1)) for i in range(n) for j in range(n)}
    streets = [
        ([at[i, j], at[k]], "residential", {})
        for i in range(n)
        for j in range(n)
        for k in ((i + 1, j), (i, j + 1))
        if k in at and rng.random() < 0.7
    ]
    return town(*streets)


def own_minutes(network, place, points):
    """float[n]: minutes of each point to the one place by the exact searches; inf = beyond an hour."""
    times = travel_times(network, place, points, 60.0)
    minutes = np.full(len(points), np.inf)
    minutes[times.point] = times.time_cs / 6000
    return minutes


@pytest.mark.parametrize("name", TOWNS)
def test_circles_of_toy_towns_are_valid_nested_and_hold_their_place(name):
    network = prepared(TOWNS[name]())
    places = snap(network, [(0, 0), (160, 40), (20, -30)])
    circles = service_areas(network, make_snap_grid(network), places, (1.0, 2.0, 3.0))
    assert circles.geometry.is_valid.all()
    for i in range(len(places)):
        rings = circles[circles.facility_id == f"p{i}"].sort_values("cutoff_min").geometry.to_numpy()
        assert shapely.covers(rings[1:], rings[:-1]).all()
        assert shapely.contains_xy(rings, places.x[i], places.y[i]).all()


@pytest.mark.parametrize("name", TOWNS)
def test_circles_of_very_short_limits_nest_too(name):
    """Below a cell an outline may miss its place; the spot that is drawn there lies within all larger outlines."""
    network = prepared(TOWNS[name]())
    places = snap(network, [(x, y) for x in (0, 37, 153) for y in (3, 61, 307)])
    circles = service_areas(network, make_snap_grid(network), places, (0.1, 0.3, 1.0, 3.0, 15.0))
    for _, one in circles.groupby("facility_id"):
        rings = one.sort_values("cutoff_min").geometry.to_numpy()
        assert shapely.area(shapely.difference(rings[:-1], rings[1:])).max() < 1e-6


def test_area_of_a_circle_on_one_straight_street():
    """In 2 minutes 144 m at 1.2 m/s: a square on its corner around a place in the middle of a long street."""
    network = prepared(town(([(-500, 0), (500, 0)], "residential", {})))
    circle = service_areas(network, make_snap_grid(network, cell_m=5.0), snap(network, [(0, 0)]), (2.0,))
    assert circle.area_km2[0] == pytest.approx(2 * 0.144**2, rel=2e-3)
    assert circle.columns.tolist() == ["facility_id", "profile", "cutoff_min", "area_km2", "cell_m", "geometry"]
    assert circle.cell_m[0] == 5.0


@pytest.mark.parametrize("seed", range(3))
def test_points_lie_on_the_side_that_their_own_time_says(seed):
    network = prepared(random_town(seed))
    grid = make_snap_grid(network)
    rng = np.random.default_rng(seed)
    places = snap(network, rng.uniform(0, 900, (4, 2)))
    points = snap(network, rng.uniform(-500, 1400, (3000, 2)))
    circles = service_areas(network, grid, places, (6.0,))
    wrong = 0
    for i in range(4):
        inside = shapely.contains_xy(circles.geometry[i], points.x, points.y)
        wrong += (inside != (own_minutes(network, rows_of(places, slice(i, i + 1)), points) <= 6.0)).sum()
    assert wrong / 12_000 < 0.01


def test_a_river_is_not_jumped_and_its_bridge_is_used():
    """Two streets 60 m apart, the river between them; the bridge stands 400 m to the east."""
    roads = town(
        ([(0, 30), (400, 30)], "residential", {}),
        ([(0, -30), (400, -30)], "residential", {}),
        ([(400, 30), (400, -30)], "residential", {"bridge": True}),
    )
    river = walled(shapely.LineString([(-600, 0), (1000, 0)]))
    network = prepared(roads)
    grid = make_snap_grid(network, cell_m=20.0, barriers=river)
    places = snap(network, [(0, 40)], river)
    near, far = service_areas(network, grid, places, (5.0, 9.0)).geometry
    south = shapely.box(-600, -600, 1000, -1e-6)
    assert near.area > 50_000
    # The outline stops at the water as sharply as a side is halved: a sixteenth of a cell.
    assert near.intersection(shapely.box(-600, -600, 380, -2.0)).area == 0
    assert far.intersection(south).area > 1_000
    assert not far.contains(shapely.Point(100, -10))


def test_every_place_has_a_row_per_limit_or_a_reason():
    network = prepared(corridor())
    places = snap(network, [(10, 10), (5000, 5000)])
    circles = service_areas(network, make_snap_grid(network), places, (5, 10))
    assert list(zip(circles.facility_id, circles.cutoff_min, strict=True)) == [("p0", 5.0), ("p0", 10.0)]
    lost = unplaced(network, places)
    assert lost.to_dict("records") == [{"facility_id": "p1", "profile": "walk", "reason": "no_road"}]


def test_a_place_whose_legs_use_up_the_limit_keeps_its_spot():
    network = prepared(corridor())
    places = snap(network, [(150, 300)])
    circle = service_areas(network, make_snap_grid(network), places, (2.0,)).geometry[0]
    assert circle.contains(shapely.Point(150, 300))
    assert circle.area < 40.0**2


def test_threads_do_not_change_a_byte(monkeypatch):
    network = prepared(random_town(5))
    places = snap(network, np.random.default_rng(5).uniform(0, 900, (40, 2)))
    made = []
    for n in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda n=n: n)
        grid = make_snap_grid(network)
        made.append((grid.edge, shapely.to_wkb(service_areas(network, grid, places, (4.0, 8.0)).geometry.to_numpy())))
    assert (made[0][0] == made[1][0]).all()
    assert (made[0][1] == made[1][1]).all()


def test_an_outline_does_not_hang_on_the_other_limits_or_places():
    network = prepared(random_town(6))
    grid = make_snap_grid(network)
    places = snap(network, np.random.default_rng(6).uniform(0, 900, (5, 2)))
    together = service_areas(network, grid, places, (4.0, 8.0, 12.0))
    alone = service_areas(network, grid, rows_of(places, slice(2, 3)), (8.0,))
    same = together[(together.facility_id == "p2") & (together.cutoff_min == 8.0)]
    assert shapely.equals_exact(same.geometry.iloc[0], alone.geometry.iloc[0], 1e-9)


def test_one_way_streets_bend_the_circle_with_the_direction():
    roads = town(([(0, 0), (2000, 0)], "residential", {"oneway": "forward"}))
    network = prepared(roads, "ebike")
    grid, places = make_snap_grid(network), snap(network, [(1000, 0)])
    towards = service_areas(network, grid, places, (3.0,), "towards").geometry[0]
    away = service_areas(network, grid, places, (3.0,), "from").geometry[0]
    assert towards.contains(shapely.Point(500, 5))
    assert not towards.contains(shapely.Point(1500, 5))
    assert away.contains(shapely.Point(1500, 5))
    assert not away.contains(shapely.Point(500, 5))


def test_bad_limits_and_foreign_grids_are_named():
    network = prepared(corridor())
    grid, places = make_snap_grid(network), snap(network, [(10, 10)])
    for cutoffs in ((), (0.0,), (-5.0,), (float("nan"),)):
        with pytest.raises(ScenarioError, match="time limits"):
            service_areas(network, grid, places, cutoffs)
    with pytest.raises(ScenarioError, match="Make it again"):
        service_areas(prepared(corridor(), "car"), grid, places, (5.0,))
    with pytest.raises(ScenarioError, match="direction"):
        service_areas(network, grid, places, (5.0,), "up")


def test_it_stops_when_cancelled():
    network = prepared(corridor())
    stop = Cancellable()
    stop.cancel()
    with pytest.raises(CancelledError):
        service_areas(network, make_snap_grid(network), snap(network, [(10, 10)]), (5.0,), progress=stop)


def _places(network, n=20):
    """Positions spread over the network, a little off the road."""
    rng = np.random.default_rng(11)
    node = rng.integers(0, network.network.n_nodes, n)
    return np.column_stack([network.network.x, network.network.y])[node] + rng.normal(0, 30, (n, 2))


def railway(roads):
    """A line through the middle of the town, bent, that legs may not meet."""
    west, south, east, north = roads.total_bounds
    x = np.linspace(west, east, 40)
    y = (south + north) / 2 + 0.05 * (north - south) * np.sin(np.arange(40))
    return gpd.GeoDataFrame(
        {"barrier_id": ["r"]}, geometry=[shapely.LineString(np.column_stack([x, y]))], crs=roads.crs
    )


@pytest.mark.slow
@pytest.mark.parametrize(("code", "cutoff"), [("walk", 15.0), ("ebike", 10.0), ("car", 5.0)])
@pytest.mark.parametrize("name", NETWORKS)
def test_real_points_lie_on_the_side_that_their_own_time_says(name, code, cutoff):
    """10,000 random points in the circles' boxes and 100 m around, exact snap and exact search: at least 97 %."""
    roads = roads_of(name)
    network = prepare_profile(build_network(roads, roads.crs.to_string(), elevation_of(name)), PROFILES[code])
    barriers = railway(roads)
    grid = make_snap_grid(network, barriers=barriers)
    places = placed(snap(network, _places(network), barriers))
    circles = service_areas(network, grid, places, (cutoff / 3, cutoff / 1.5, cutoff))
    shapes = circles.geometry.to_numpy().reshape(len(places), 3)
    assert shapely.is_valid(shapes).all()
    assert shapely.covers(shapes[:, 1:], shapes[:, :-1]).all()
    assert shapely.contains_xy(shapes, places.x[:, None], places.y[:, None]).all()

    rng = np.random.default_rng(3)
    own = np.sort(rng.integers(0, len(places), 10_000))
    west, south, east, north = (shapely.bounds(shapes[own, 2]) + np.array([-100, -100, 100, 100])).T
    xy = np.column_stack([rng.uniform(west, east), rng.uniform(south, north)])
    points = snap(network, xy, barriers)
    minutes = np.full(len(xy), np.inf)
    for i in range(len(places)):
        rows = np.flatnonzero(own == i)
        minutes[rows] = own_minutes(network, rows_of(places, slice(i, i + 1)), rows_of(points, rows))
    inside = shapely.contains_xy(shapes[own, 2], xy[:, 0], xy[:, 1])
    wrong = inside != (minutes <= cutoff)
    assert wrong.mean() < (0.01 if code == "walk" else 0.03)
