"""The GeoTIFF of a time surface holds exact minutes of its cell centres, how many places are near, and the terms."""

import numpy as np
import pytest

from planner.network.snap import snap_points
from planner.plan.circles import surface_grid
from planner.plan.ready import prepare
from planner.reach.access import chosen
from planner.reach.travel_times import travel_times
from planner.scenario import Scenario
from tests.reference.lattice import lattice_study
from tests.reference.towns import CRS

rasterio = pytest.importorskip("rasterio")
WALK = Scenario().with_choices(profiles=["walk"], main_profile="walk", main_tier="any", cutoff_min=9.0)


def test_the_command_writes_exact_minutes_and_counts_with_their_terms(planner, lattice_file, tmp_path):
    options = ("--profile", "walk", "--tier", "any", "--cutoff", "9", "--out", tmp_path / "minutes.tif", "--json")
    answer = planner("surface", lattice_file, *options)
    assert answer.code == 0, answer.err
    with rasterio.open(tmp_path / "minutes.tif") as raster:
        minutes, counts = raster.read()
        tags, transform = raster.tags(), raster.transform
        assert raster.descriptions == ("minutes", "n_places_within_cutoff")
        assert raster.crs == rasterio.crs.CRS.from_user_input(CRS)
    expected = {"PROFILE": "walk", "SPEED_KPH": "4.32", "CUTOFF_MIN": "9.0", "STANDARD": WALK.standard, "TIER": "any"}
    assert expected.items() <= tags.items()
    reach = prepare(lattice_study(), WALK)
    rng = np.random.default_rng(2)
    row, column = (rng.integers(0, n, 400) for n in minutes.shape)
    x, y = transform.c + (column + 0.5) * transform.a, transform.f + (row + 0.5) * transform.e
    network = reach.profiles["walk"]
    cells = snap_points(network, np.arange(400), x, y, reach.study.tables["barriers"])
    places = chosen(reach.places["walk"], np.flatnonzero(reach.places["walk"].edge >= 0))
    exact = travel_times(network, places, cells, 300.0).minutes().toarray()
    exact[exact == 0] = np.inf
    known = cells.edge >= 0
    np.testing.assert_array_equal(np.isnan(minutes[row, column]), ~known)
    np.testing.assert_allclose(minutes[row, column][known], exact.min(axis=0)[known], atol=1e-3)
    at_limit = (np.abs(exact - 9.0) < 1e-3).any(axis=0)
    np.testing.assert_array_equal(counts[row, column][known & ~at_limit], (exact <= 9.0).sum(axis=0)[known & ~at_limit])
    assert (counts[row, column][known] > 1).any()


def test_a_surface_needs_no_people_and_says_when_it_cannot_be_written(planner, lattice_file, tmp_path):
    _, counts, terms = surface_grid(prepare(lattice_study(), WALK, needs_people=False))
    assert terms["n_places"] == counts.max() + 1  # F7 touches no road
    answer = planner("surface", lattice_file, "--profile", "walk", "--out", tmp_path / "no" / "folder.tif")
    assert answer.code == 2
    assert "cannot be written" in answer.err
