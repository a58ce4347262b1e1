"""The time surface: minutes in cells and at points, people, and overlap, against the exact searches."""

import numpy as np
import pytest

from planner.errors import ScenarioError
from planner.network.build import build_network
from planner.network.road_network import UNREACHABLE_CS
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.snap_grid import make_snap_grid
from planner.reach.surfaces import overlap_counts, rows_of, time_surface
from planner.reach.travel_times import nearest, travel_times
from planner.standards import default_profiles
from tests.reference.towns import CRS, TOWNS, corridor, islands

PROFILES = default_profiles()


def prepared(roads, code="walk"):
    return prepare_profile(build_network(roads, CRS), PROFILES[code])


def snap(network, points):
    x, y = np.array(points, float).T
    return snap_points(network, np.array([f"p{i:04d}" for i in range(len(x))], object), x, y)


def cells(network, grid):
    rows, cols = (part.ravel() for part in np.indices(grid.edge.shape))
    points = np.column_stack([grid.x_min + (cols + 0.5) * grid.cell_m, grid.y_max - (rows + 0.5) * grid.cell_m])
    return rows, cols, snap(network, points)


@pytest.mark.parametrize("direction", ["towards", "from"])
@pytest.mark.parametrize("code", ["walk", "car"])
@pytest.mark.parametrize("name", TOWNS)
def test_cells_equal_the_exact_search(name, code, direction):
    network = prepared(TOWNS[name](), code)
    grid = make_snap_grid(network, cell_m=40.0)
    places = snap(network, [(20, 10), (180, -10), (60, 2), (9000, 0)])
    surface = time_surface(network, grid, places, direction=direction)
    rows, cols, points = cells(network, grid)
    exact = nearest(network, places, points, direction)
    minutes = np.where(exact.time_cs[:, 0] < UNREACHABLE_CS, exact.time_cs[:, 0] / 6000, np.inf)
    minutes[points.edge < 0] = np.nan
    np.testing.assert_allclose(surface.minutes[rows, cols], minutes, atol=0.001)


def test_points_equal_the_exact_search_and_say_what_is_unknown():
    network = prepared(islands())
    grid = make_snap_grid(network)
    surface = time_surface(network, grid, snap(network, [(0, 0)]))
    x, y = np.array([50.0, 130.0, 50.0, 50.0]), np.array([12.0, -40.0, 5010.0, 2500.0])
    minutes = surface.minutes_at(x, y)
    assert minutes[:2] == pytest.approx([(50 + 12) / 72, (130 + 40) / 72], abs=1e-4)
    assert np.isinf(minutes[2])
    assert np.isnan(minutes[3])


def test_people_are_covered_uncovered_or_unknown():
    network = prepared(islands())
    surface = time_surface(network, make_snap_grid(network), snap(network, [(0, 0)]))
    x, y = np.array([36.0, 108.0, 50.0, 50.0]), np.array([0.0, 0.0, 5010.0, 2500.0])
    people = surface.people_within(x, y, np.array([1.0, 2.0, 4.0, 8.0]), (0.5, 1.5))
    assert people.to_dict("list") == {
        "cutoff_min": [0.5, 1.5],
        "population": [15.0, 15.0],
        "covered_people": [1.0, 3.0],
        "uncovered_people": [6.0, 4.0],
        "unknown_people": [8.0, 8.0],
    }


def test_a_limit_leaves_the_rest_unreached():
    network = prepared(corridor())
    grid = make_snap_grid(network)
    whole = time_surface(network, grid, snap(network, [(0, 0)]))
    near = time_surface(network, grid, snap(network, [(0, 0)]), cutoff_min=3.0)
    known = ~np.isnan(whole.minutes)
    expected = np.where(whole.minutes[known] <= 3.0, whole.minutes[known], np.inf)
    np.testing.assert_allclose(near.minutes[known], expected, atol=1e-3)
    raster = near.to_grid()
    assert (raster.crs, raster.transform, raster.unit) == (CRS, grid.transform, "min")
    assert raster.values is near.minutes


def test_overlap_counts_the_places_within_reach():
    network = prepared(TOWNS["diamond"]())
    grid = make_snap_grid(network, cell_m=40.0)
    places = snap(network, [(20, 10), (180, -10), (180, -10), (9000, 0)])
    counts = overlap_counts(network, grid, places, 4.0)
    rows, cols, points = cells(network, grid)
    times = travel_times(network, places, points, 4.0)
    assert (counts[rows, cols] == np.bincount(times.point, minlength=len(points))).mean() > 0.999
    alone = [time_surface(network, grid, rows_of(places, slice(i, i + 1))).minutes <= 4.0 for i in range(3)]
    assert (counts == np.sum(alone, axis=0)).all()


def test_no_place_reaches_nothing():
    network = prepared(corridor())
    grid = make_snap_grid(network)
    nobody = snap(network, [(9000, 0)])
    assert np.isinf(time_surface(network, grid, nobody).minutes[grid.edge >= 0]).all()
    assert overlap_counts(network, grid, nobody, 15.0).sum() == 0


def test_a_grid_of_another_profile_is_refused():
    grid = make_snap_grid(prepared(corridor(), "car"))
    network = prepared(corridor())
    with pytest.raises(ScenarioError, match="Make it again"):
        time_surface(network, grid, snap(network, [(0, 0)]))
