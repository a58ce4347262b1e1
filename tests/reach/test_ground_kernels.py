"""Looks at a spot: whether it lies in an area of water, against shapely, near the shore too."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.network.build import build_network
from planner.network.speeds import prepare_profile
from planner.reach.ground_kernels import is_in_area
from planner.reach.snap_grid import make_snap_grid
from planner.reach.surfaces import ground_of
from planner.standards import default_profiles
from tests.reference.towns import CRS, town


@pytest.mark.parametrize("corner", [(0.0, 0.0), (480_000.0, 3_610_000.0)])
def test_a_point_is_in_the_water_that_it_is_in(corner):
    rng = np.random.default_rng(5)
    at = np.array(corner)
    streets = [(tuple(map(tuple, rng.uniform(0, 3000, (2, 2)) + at)), "residential", {}) for _ in range(40)]
    turns = np.sort(rng.uniform(0, 2 * np.pi, 60))
    shore = np.column_stack([np.cos(turns), np.sin(turns)]) * rng.uniform(500, 1100, (60, 1)) + at + 1500
    island = shapely.Point(*(at + 1500)).buffer(250)
    water = shapely.Polygon(shore).difference(island)
    barriers = gpd.GeoDataFrame({"barrier_id": ["lake"]}, geometry=[water], crs=CRS)
    network = prepare_profile(build_network(town(*streets), CRS), default_profiles()["walk"])
    _, _, walls, frame = ground_of(make_snap_grid(network, cell_m=25.0, barriers=barriers))

    spread = shapely.line_interpolate_point(water.boundary, rng.uniform(0, water.boundary.length, 4000))
    x, y = (shapely.get_coordinates(spread) + rng.normal(0, 12, (4000, 2))).T
    found = np.array([is_in_area(*point, 0, walls, frame) for point in zip(x, y, strict=True)])
    np.testing.assert_array_equal(found, shapely.contains_xy(water, x, y))
