import math

import numpy as np
import pytest

from planner.errors import InputError
from planner.network.build import build_network
from planner.network.road_network import UNREACHABLE_CS
from planner.network.slope import sample_heights, tobler_factor
from planner.network.speeds import prepare_profile
from planner.standards import default_profiles
from planner.study import Grid
from tests.reference.noded import heights
from tests.reference.towns import CRS, corridor, loop, one_way, town

WALK = default_profiles()["walk"]


def ramp(slope=0.1, crs=CRS):
    """Heights that rise to the east by `slope`, 10 m cells, x from -500 to 500."""
    x = np.arange(-495.0, 500, 10)
    return Grid(np.tile(x * slope, (100, 1)).astype(np.float32), (10.0, 0.0, -500.0, 0.0, -10.0, 500.0), crs, "m")


def test_tobler_is_one_on_the_level_and_fastest_at_five_percent_down():
    assert tobler_factor(np.array([0.0]))[0] == pytest.approx(1.0)
    assert tobler_factor(np.array([-0.05]))[0] == pytest.approx(math.exp(3.5 * 0.05))
    assert tobler_factor(np.array([0.1]))[0] == pytest.approx(math.exp(-0.35))
    assert tobler_factor(np.array([-0.1]))[0] == pytest.approx(1.0)


def test_walking_uphill_is_slower_than_down():
    prepared = prepare_profile(build_network(corridor(), CRS, ramp()), WALK)
    up, down = sorted([prepared.chain_along_s[0], prepared.chain_against_s[0]], reverse=True)
    assert up == pytest.approx(300 / 1.2 * math.exp(0.35), rel=1e-6)
    assert down == pytest.approx(300 / 1.2, rel=1e-6)


@pytest.mark.parametrize("mark", ["bridge", "tunnel"])
def test_bridges_and_tunnels_are_level(mark):
    roads = corridor().assign(**{mark: True})
    prepared = prepare_profile(build_network(roads, CRS, ramp()), WALK)
    assert prepared.chain_along_cs[0] == prepared.chain_against_cs[0] == 25_000


def test_unknown_heights_are_level():
    grid = ramp()
    grid.values[:] = np.nan
    prepared = prepare_profile(build_network(corridor(), CRS, grid), WALK)
    assert prepared.chain_along_cs[0] == 25_000


def test_slope_does_not_count_where_the_profile_says_so():
    prepared = prepare_profile(build_network(corridor(), CRS, ramp()), WALK.model_copy(update={"slope": "none"}))
    assert prepared.chain_along_cs[0] == prepared.chain_against_cs[0] == 25_000


def test_access_overrules_the_class_and_one_way_binds_vehicles_only():
    network = build_network(one_way(), CRS)
    walk, car = (prepare_profile(network, default_profiles()[code]) for code in ("walk", "car"))
    closed_to_feet = ~walk.edge_is_usable
    classes = np.array(network.classes)[network.edge_class]
    assert (classes[closed_to_feet] == "motorway").all()
    assert closed_to_feet.sum() == 2  # the third motorway edge says foot = yes
    assert car.edge_is_usable.all()
    one_sided = np.isinf(car.edge_along_s) | np.isinf(car.edge_against_s)
    assert one_sided.sum() == 5
    assert not (np.isinf(walk.edge_along_s) != np.isinf(walk.edge_against_s)).any()


def test_an_access_column_that_says_no_closes_a_road():
    prepared = prepare_profile(build_network(corridor().assign(foot="no"), CRS), WALK)
    assert not prepared.edge_is_usable.any()
    assert prepared.chain_along_cs[0] == UNREACHABLE_CS
    assert prepared.chain_component[0] == -1
    assert len(prepared.out_head) == 0


def test_seconds_before_an_edge_add_up_along_the_chain():
    network = build_network(loop(), CRS, ramp(0.07))
    prepared = prepare_profile(network, WALK)
    for chain in range(network.n_chains):
        edges = slice(network.chain_first_edge[chain], network.chain_first_edge[chain + 1])
        for before, seconds, total in (
            (prepared.before_along_s, prepared.edge_along_s, prepared.chain_along_s),
            (prepared.before_against_s, prepared.edge_against_s, prepared.chain_against_s),
        ):
            np.testing.assert_allclose(before[edges], np.cumsum(seconds[edges]) - seconds[edges], atol=1e-9)
            assert total[chain] == pytest.approx(seconds[edges].sum())


def test_class_speeds_count():
    roads = town(([(0, 0), (100, 0)], "steps", {}), ([(100, 0), (200, 0)], "path", {}))
    prepared = prepare_profile(build_network(roads, CRS), WALK)
    assert sorted(prepared.chain_along_cs) == [8_333, 16_667]


def test_arcs_point_both_ways_and_loops_have_none():
    network = build_network(loop(), CRS)
    prepared = prepare_profile(network, WALK)
    n_paths = (network.chain_from != network.chain_to).sum()
    assert len(prepared.out_head) == len(prepared.in_head) == 2 * n_paths


@pytest.mark.parametrize("crs", [CRS, "EPSG:32650"])
def test_heights_are_bilinear_in_the_grids_own_crs(crs):
    rng = np.random.default_rng(1)
    from pyproj import Transformer

    x, y = rng.uniform(400_000, 401_000, 50), rng.uniform(3_600_000, 3_601_000, 50)
    gx, gy = Transformer.from_crs(CRS, crs, always_xy=True).transform(x, y)
    grid = Grid(
        rng.uniform(0, 900, (200, 200)).astype(np.float32),
        (15.0, 0.0, min(gx) - 100, 0.0, -15.0, max(gy) + 100), crs, "m",
    )  # fmt: skip
    np.testing.assert_allclose(sample_heights(grid, x, y, CRS), heights(grid, x, y, CRS), rtol=1e-6)


def test_voids_are_left_out_and_beyond_the_grid_nothing_is_known():
    grid = ramp()
    grid.values[:, 50:] = np.nan
    z = sample_heights(grid, np.array([-100.0, -1.0, 100.0, 501.0, -499.0]), np.zeros(5), CRS)
    np.testing.assert_allclose(z, [-10.0, -0.5, np.nan, np.nan, -49.5], atol=1e-4)


def test_a_grid_without_area_is_refused():
    grid = Grid(np.zeros((2, 2), np.float32), (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), CRS, "m")
    with pytest.raises(InputError, match="transform"):
        sample_heights(grid, np.zeros(1), np.zeros(1), CRS)
