"""The shifted degrees of web maps against published pairs, and forth and back over all China."""

import csv

import numpy as np
import pytest
from pyproj import Geod

from planner.inputs.frames.shifts import (
    BOX,
    bd09_from_bd09mc,
    bd09_from_gcj02,
    bd09mc_from_bd09,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    in_shifted_area,
    wgs84_from_gcj02,
)
from tests.reference.real_data import DATA

SHARED = DATA / "coordinates"
needs_cities = pytest.mark.skipif(not (SHARED / "cities.csv").exists(), reason=f"{SHARED}/cities.csv is not there")
GEOD = Geod(ellps="WGS84")
CHINA = [grid.ravel() for grid in np.meshgrid(np.arange(73.0, 135.5, 0.25), np.arange(3.0, 54.0, 0.25))]


def apart_m(one, other):
    """Metres along the ellipsoid between places in degrees."""
    return np.abs(GEOD.inv(*(np.atleast_1d(values).astype(float) for values in (*one, *other)))[2])


def rows_of(name):
    with (SHARED / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@needs_cities
def test_the_332_cities():
    rows = rows_of("cities.csv")
    wgs84, gcj02, bd09 = (
        [np.array([float(row[f"{frame}_{axis}"]) for row in rows]) for axis in ("lon", "lat")]
        for frame in ("wgs84", "gcj02", "bd09")
    )
    assert len(rows) == 332
    assert apart_m(gcj02_from_wgs84(*wgs84), gcj02).max() < 1.0
    assert apart_m(wgs84_from_gcj02(*gcj02), wgs84).max() < 1.0
    assert apart_m(bd09_from_gcj02(*gcj02), bd09).max() < 0.1
    assert apart_m(gcj02_from_bd09(*bd09), gcj02).max() < 0.1


VECTORS = {
    ("WGS84", "GCJ02"): gcj02_from_wgs84,
    ("GCJ02", "WGS84"): wgs84_from_gcj02,
    ("GCJ02", "BD09"): bd09_from_gcj02,
    ("BD09", "GCJ02"): gcj02_from_bd09,
}


@needs_cities
def test_the_published_vectors():
    n_tested = 0
    for row in rows_of("published_vectors.csv"):
        pair = (row["from_frame"], row["to_frame"])
        if pair in VECTORS:
            x, y = VECTORS[pair](float(row["from_lon"]), float(row["from_lat"]))
            # Both libraries compare six decimals of a degree.
            assert apart_m((x, y), (float(row["to_lon"]), float(row["to_lat"])))[0] < 0.111, row
            n_tested += 1
    assert n_tested == 7


@needs_cities
def test_two_published_vectors_are_of_another_wave():
    """eviltransform writes pi where Baidu's wave has 3000 pi / 180: its two BD-09 vectors contradict the 332 cities."""
    rows = [
        row for row in rows_of("published_vectors.csv") if (row["from_frame"], row["to_frame"]) == ("BD09", "WGS84")
    ]
    assert len(rows) == 2
    for row in rows:
        expected = (float(row["to_lon"]), float(row["to_lat"]))
        x, y = float(row["from_lon"]) - 0.0065, float(row["from_lat"]) - 0.006
        radius = np.hypot(x, y) - 0.00002 * np.sin(y * np.pi)
        angle = np.arctan2(y, x) - 0.000003 * np.cos(x * np.pi)
        gcj02 = radius * np.cos(angle), radius * np.sin(angle)
        one_step = [2 * a - b for a, b in zip(gcj02, gcj02_from_wgs84(*gcj02), strict=True)]
        np.testing.assert_allclose(one_step, expected, atol=5e-7)
        ours = wgs84_from_gcj02(*gcj02_from_bd09(float(row["from_lon"]), float(row["from_lat"])))
        assert 5 < apart_m(ours, expected)[0] < 50


def test_forth_and_back_over_all_china():
    for there, back in (
        (gcj02_from_wgs84, wgs84_from_gcj02),
        (bd09_from_gcj02, gcj02_from_bd09),
        (bd09mc_from_bd09, bd09_from_bd09mc),
    ):
        assert apart_m(back(*there(*CHINA)), CHINA).max() < 1e-4
        assert (
            apart_m(there(*back(*there(*CHINA))), there(*CHINA)).max() < 1e-4 if there is not bd09mc_from_bd09 else True
        )
    whole = bd09_from_gcj02(*gcj02_from_wgs84(*CHINA))
    assert apart_m(wgs84_from_gcj02(*gcj02_from_bd09(*whole)), CHINA).max() < 1e-4


def test_the_shift_is_some_hundred_metres():
    shift = apart_m(gcj02_from_wgs84(*CHINA), CHINA)
    assert shift.max() < 800
    assert np.median(shift) > 250


@pytest.mark.parametrize(("lon", "lat"), [(1.52, 42.5), (-51.2, -30.0), (139.7, 35.7), (24.9, 60.2), (-122.4, 37.8)])
def test_outside_the_box_nothing_moves(lon, lat):
    for shift in (gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_gcj02, gcj02_from_bd09):
        assert shift(lon, lat) == (lon, lat)


def test_the_box_is_closed_and_knows_no_nan():
    west, south, east, north = BOX
    assert in_shifted_area([west, east, 100, 100], [south, north, np.nan, 56]).tolist() == [True, True, False, False]
    for shift in VECTORS.values():
        assert np.isnan(shift(np.nan, 30.0)[0])


def test_inputs_are_not_changed():
    lon, lat = np.array([108.9]), np.array([32.7])
    gcj02_from_wgs84(lon, lat)
    assert (lon[0], lat[0]) == (108.9, 32.7)


# Baidu's own polynomial of the other direction, for the two bands that China south of 45 N has (JavaScript API, MC2LL).
BACKWARD = {
    22.5: [3.09191371068437e-9, 8.983055096812155e-6, 6.995724062e-5, 23.10934304144901, -2.3663490511e-4,
           -0.6321817810242, -0.00663494467273, 0.03430082397953, -0.00466043876332, 2555164.4],
    37.5: [-1.981981304930552e-8, 8.983055099779535e-6, 0.03278182852591, 40.31678527705744, 0.65659298677277,
           -4.44255534477492, 0.85341911805263, 0.12923347998204, -0.04625736007561, 4482777.06],
}  # fmt: skip


@pytest.mark.parametrize(("middle", "south", "north"), [(22.5, 16, 29.9), (37.5, 30.1, 44.9)])
def test_the_plane_of_baidu_against_its_own_polynomial_backward(middle, south, north):
    lon, lat = (grid.ravel() for grid in np.meshgrid(np.linspace(74, 135, 30), np.linspace(south, north, 200)))
    x, y = bd09mc_from_bd09(lon, lat)
    c = BACKWARD[middle]
    t = np.abs(y) / c[9]
    their = c[0] + c[1] * x, sum(c[2 + power] * t**power for power in range(7))
    assert apart_m(their, (lon, lat)).max() < 0.5
    assert apart_m(bd09_from_bd09mc(x, y), (lon, lat)).max() < 1e-4


def test_the_plane_of_baidu_where_its_service_answers():
    # The example of Baidu's conversion service: 116.404, 39.915.
    np.testing.assert_allclose(bd09mc_from_bd09(116.404, 39.915), (12958175.0, 4825923.77), atol=0.02)


def test_the_plane_of_baidu_at_its_ends():
    x, y = bd09_from_bd09mc([1e9, np.nan, 0.0, -1e6], [1e6, 1e6, 1e12, -1e6])
    assert np.isinf(x[[0, 1, 2]]).all()
    assert np.isinf(y[[0, 1, 2]]).all()
    assert x[3] < 0 > y[3]
    assert np.isinf(bd09mc_from_bd09(0.0, 75.0)).all()
