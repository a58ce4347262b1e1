import numpy as np
import pytest
import shapely

from planner.errors import InputError
from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.access import chosen
from planner.reach.routes import nearest_route, route
from planner.reach.travel_times import nearest
from planner.standards import default_profiles
from tests.reach.test_travel_times import around, snap
from tests.reach.test_what_if import grid_town, scattered
from tests.reference.real_data import elevation_of, roads_of
from tests.reference.towns import TOWNS, corridor, islands, one_way


def prepared(roads, code="walk", grid=None):
    return prepare_profile(build_network(roads, roads.crs.to_string(), grid), default_profiles()[code])


def is_sound(profile_network, found, origin, place, direction):
    """The line joins the two, follows the edges it names, and its seconds add up to the time of the tables."""
    start, stop = (origin, place) if direction == "towards" else (place, origin)
    line = found.geometry
    np.testing.assert_allclose(line.coords[0], (start.x[0], start.y[0]))
    np.testing.assert_allclose(line.coords[-1], (stop.x[0], stop.y[0]))
    assert line.length == pytest.approx(found.length_m + found.origin_access_m + found.place_access_m, abs=1e-3)
    network = profile_network.network
    seconds = float(origin.access_s[0] + place.access_s[0])
    for edge, segment in _segments(profile_network, found, start, stop):
        tail = shapely.Point(network.x[network.edge_from[edge]], network.y[network.edge_from[edge]])
        is_along = tail.distance(segment[0]) < tail.distance(segment[1])
        pace = (profile_network.edge_along_s if is_along else profile_network.edge_against_s)[edge]
        seconds += segment[0].distance(segment[1]) / network.edge_length_m[edge] * pace
    assert found.travel_time_min * 60 == pytest.approx(seconds, abs=0.005 * (len(found.edge) + 3))


def _segments(profile_network, found, start, stop):
    points = [shapely.Point(p) for p in found.geometry.coords]
    if not len(found.edge):
        return []
    inner = points[int(start.access_m[0] > 0) : len(points) - int(stop.access_m[0] > 0)]
    assert len(inner) == len(found.edge) + 1
    return [(edge, (a, b)) for edge, a, b in zip(found.edge, inner[:-1], inner[1:], strict=True)]


@pytest.mark.parametrize("direction", ["towards", "from"])
@pytest.mark.parametrize("code", ["walk", "car"])
@pytest.mark.parametrize("make", [*TOWNS.values(), grid_town])
def test_routes_take_the_time_that_the_tables_say(make, code, direction):
    roads = make()
    profile_network = prepared(roads, code)
    origins, places = snap(profile_network, *around(roads, 12, 1)), snap(profile_network, *around(roads, 8, 2))
    for i in range(12):
        for j in range(8):
            origin, place = chosen(origins, np.array([i])), chosen(places, np.array([j]))
            found = route(profile_network, origin, place, direction)
            best = nearest(profile_network, place, origin, direction)
            if best.place[0, 0] >= 0:
                assert found.travel_time_min == pytest.approx(best.minutes()[0, 0])
                is_sound(profile_network, found, origin, place, direction)
            else:
                assert found.geometry is None
                assert not np.isfinite(found.travel_time_min)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["walk", "ebike", "car"])
def test_routes_on_real_roads(code):
    profile_network = prepared(roads_of("porto_alegre"), code, elevation_of("porto_alegre"))
    origins, places = scattered(profile_network, 40, 1, "o"), scattered(profile_network, 15, 2, "p")
    n_found = 0
    for i in range(40):
        origin = chosen(origins, np.array([i]))
        found = nearest_route(profile_network, origin, places)
        if found.geometry is not None:
            n_found += 1
            row = list(places.ids).index(found.place_id)
            is_sound(profile_network, found, origin, chosen(places, np.array([row])), "towards")
    assert n_found > 20


def test_a_one_way_street_leads_round_the_block():
    profile_network = prepared(one_way(), "car")
    origin, place = snap(profile_network, [0.0], [60.0]), snap(profile_network, [0.0], [20.0])
    assert route(profile_network, origin, place).length_m == pytest.approx(360)
    assert route(profile_network, origin, place, "from").length_m == pytest.approx(40)


def test_without_a_way_and_without_a_road():
    profile_network = prepared(islands())
    here, there, nowhere = (snap(profile_network, [50.0], [y]) for y in (0.0, 5000.0, 2500.0))
    assert np.isinf(route(profile_network, here, there).travel_time_min)
    assert np.isnan(route(profile_network, here, nowhere).travel_time_min)
    assert route(profile_network, here, there).geometry is None


def test_the_same_spot_is_a_way_of_no_length():
    profile_network = prepared(corridor())
    one = snap(profile_network, [50.0], [0.0])
    found = route(profile_network, one, one)
    assert (found.travel_time_min, found.length_m, len(found.edge)) == (0, 0, 0)


def test_nonsense_is_refused():
    profile_network = prepared(corridor())
    two = snap_points(profile_network, np.arange(2), np.array([0.0, 50.0]), np.zeros(2))
    none = chosen(two, np.zeros(0, int))
    with pytest.raises(InputError, match="2 origins"):
        route(profile_network, two, two)
    with pytest.raises(InputError, match="no place"):
        nearest_route(profile_network, two, none)
    with pytest.raises(InputError, match="has one"):
        nearest_route(profile_network, two, two)
