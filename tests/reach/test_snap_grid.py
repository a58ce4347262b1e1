"""The snap grid finds for every cell what the exact search finds for its centre, barriers included."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import CancelledError, CrsError, ScenarioError
from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.progress import Cancellable
from planner.reach.snap_grid import make_snap_grid
from planner.standards import default_profiles
from tests.reference.real_data import NETWORKS, roads_of
from tests.reference.towns import CRS, corridor, islands, one_way, town

PROFILES = default_profiles()


def prepared(roads, code="walk"):
    return prepare_profile(build_network(roads, roads.crs.to_string()), PROFILES[code])


def centres(grid, rows, cols):
    return grid.x_min + (cols + 0.5) * grid.cell_m, grid.y_max - (rows + 0.5) * grid.cell_m


def compare(network, grid, barriers=None, n=None, seed=0):
    """Share of cells whose leg is not the exact search's, to a millimetre."""
    rows, cols = (part.ravel() for part in np.indices(grid.edge.shape))
    if n is not None:
        some = np.random.default_rng(seed).choice(len(rows), min(n, len(rows)), replace=False)
        rows, cols = rows[some], cols[some]
    x, y = centres(grid, rows, cols)
    exact = snap_points(network, np.arange(len(x)), x, y, barriers)
    np.testing.assert_array_equal(grid.edge[rows, cols] >= 0, exact.edge >= 0)
    known = exact.edge >= 0
    np.testing.assert_allclose(grid.access_m()[rows, cols][known], exact.access_m[known], atol=1e-3)
    same = grid.edge[rows, cols][known] == exact.edge[known]
    np.testing.assert_allclose(grid.shares()[rows, cols][known][same], exact.share[known][same], atol=1e-5)
    return 1 - same.mean()


def walled(*shapes, crs=CRS):
    return gpd.GeoDataFrame({"barrier_id": [str(i) for i in range(len(shapes))]}, geometry=list(shapes), crs=crs)


@pytest.mark.parametrize("make", [corridor, islands, one_way])
def test_every_cell_of_a_toy_town(make):
    network = prepared(make())
    assert compare(network, make_snap_grid(network, cell_m=25.0)) == 0


def test_a_long_road_among_short_ones():
    rng = np.random.default_rng(3)
    streets = [(tuple(map(tuple, np.round(rng.uniform(0, 3000, 2) + rng.normal(0, 40, (2, 2)), 2))), "residential", {})
               for _ in range(60)]  # fmt: skip
    network = prepared(town(*streets, (((0, 0), (3000, 2900)), "residential", {})))
    assert compare(network, make_snap_grid(network, cell_m=30.0)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_walls_of_lines_and_areas(seed):
    """Bent walls, some of them roads, and areas with cells and roads of their own, which are not bound by them."""
    rng = np.random.default_rng(seed)
    streets = [(tuple(map(tuple, np.round(rng.uniform(0, 1200, 2) + rng.normal(0, 90, (2, 2)), 2))), "residential", {})
               for _ in range(25)]  # fmt: skip
    lines = [
        shapely.LineString(np.cumsum(rng.normal(0, 120, (6, 2)), axis=0) + rng.uniform(0, 1200, 2)) for _ in range(4)
    ]
    areas = [
        shapely.Point(0, 300).buffer(150),
        shapely.Point(900, 800).buffer(120).difference(shapely.Point(900, 800).buffer(50)),
    ]
    barriers = walled(*lines, *areas, *(shapely.LineString(street) for street, *_ in streets[:6]))
    network = prepared(town(*streets))
    assert compare(network, make_snap_grid(network, cell_m=30.0, barriers=barriers), barriers) < 0.002


@pytest.mark.parametrize("cell_m", [25.0, 40.0])
def test_parts_whose_middle_is_on_a_road_still_mind_the_wall_beside_it(cell_m):
    """The first street stands in the middle of whole parts of the grid; cells beyond the wall walk to the second."""
    east, wall = range(0, 2_001, 100), walled(shapely.LineString([(100, 30), (1_900, 30)]))
    streets = [[(x, 0) for x in east], [(x, 300) for x in east], [(0, 0), (0, 300)]]
    network = prepared(town(*((street, "residential", {}) for street in streets)))
    assert compare(network, make_snap_grid(network, cell_m=cell_m, barriers=wall), wall) < 0.002


def test_a_leg_to_a_bridge_does_not_pass_through_the_water():
    """North of the river only a road that crosses it: cells of the south bank take it at their own bank."""
    river = walled(shapely.box(-2000, -40, 2000, 40))
    network = prepared(town(([(0, 300), (0, 0), (0, -300)], "residential", {"bridge": True})))
    grid = make_snap_grid(network, cell_m=20.0, barriers=river)
    assert compare(network, grid, river) == 0
    row, col = int((grid.y_max - 30) / 20), int((310 - grid.x_min) / 20)
    assert grid.edge[row, col] >= 0  # lies in the water itself, which does not bind it
    row = int((grid.y_max - 50) / 20)
    snap_y = 300 - 300 * grid.shares()[row, col] if grid.shares()[row, col] < 1 else 0
    assert grid.edge[row, col] >= 0
    assert abs(snap_y) >= 40 or grid.access_m()[row, col] > 300


def test_bounds_are_widened_to_whole_cells_and_cells_align():
    network = prepared(corridor())
    grid = make_snap_grid(network, (3.0, -7.0, 98.0, 12.0), 20.0)
    assert (grid.x_min, grid.y_max, grid.edge.shape) == (0.0, 20.0, (2, 5))
    assert grid.transform == (20.0, 0.0, 0.0, 0.0, -20.0, 20.0)
    whole = make_snap_grid(network, None, 20.0)
    rows, cols = int((whole.y_max - grid.y_max) / 20), int((grid.x_min - whole.x_min) / 20)
    assert (whole.edge[rows : rows + 2, cols : cols + 5] == grid.edge).all()


def test_what_cannot_be_is_said():
    network = prepared(corridor())
    with pytest.raises(ScenarioError, match="cell size"):
        make_snap_grid(network, cell_m=0.0)
    with pytest.raises(ScenarioError, match="empty"):
        make_snap_grid(network, (10.0, 0.0, 0.0, 10.0))
    with pytest.raises(ScenarioError, match="too large"):
        make_snap_grid(network, cell_m=0.001)
    with pytest.raises(CrsError):
        make_snap_grid(network, barriers=walled(shapely.LineString([(0, 0), (1, 1)]), crs="EPSG:4326"))


def test_it_stops_when_cancelled():
    stop = Cancellable()
    stop.cancel()
    with pytest.raises(CancelledError):
        make_snap_grid(prepared(corridor()), progress=stop)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["walk", "car"])
@pytest.mark.parametrize("name", NETWORKS)
def test_cells_of_the_real_networks(name, code):
    network = prepared(roads_of(name), code)
    grid = make_snap_grid(network)
    assert compare(network, grid, n=10_000) < 0.002  # two edges that meet are equally near; rounding picks one
