"""Frames by name, and the way from each to every other."""

import numpy as np
import pytest
from pyproj import CRS, Proj, Transformer

from planner.errors import CrsError, InputError
from planner.inputs.frames.shifts import bd09_from_gcj02, bd09mc_from_bd09, gcj02_from_wgs84
from planner.inputs.frames.systems import (
    convert,
    frame_name,
    is_degrees,
    meridian_frame,
    old_datum,
    parse_frame,
    require_plain,
    zone_frame,
)

LON, LAT = np.array([108.9, 109.0, 109.1]), np.array([32.6, 32.7, 32.8])


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("EPSG:4490", "EPSG:4490"), ("4490", "EPSG:4490"), (" epsg:4490 ", "EPSG:4490"), ("CGCS2000", "EPSG:4490"),
        ("WGS-84", "EPSG:4326"), ("gcj02", "gcj02"), ("GCJ-02", "gcj02"), ("高德", "gcj02"), ("BD_09", "bd09"),
        ("百度", "bd09"), ("BD-09 MC", "bd09mc"), ("web mercator", "EPSG:3857"), ("36带", "EPSG:4524"),
        ("3度带36带", "EPSG:4524"), ("zone 19", "EPSG:4497"), ("cm108", "EPSG:4545"), ("中央经线111", "EPSG:4546"),
        ("dms:4490", "dms:EPSG:4490"), ("DMS: gcj02", "dms:gcj02"), ("Xian 80", "EPSG:4610"),
    ],
)  # fmt: skip
def test_frames_as_people_write_them(text, frame):
    assert parse_frame(text) == frame
    assert parse_frame(frame) == frame


@pytest.mark.parametrize("text", ["4490x", "西安", "", "99带", "cm109", "dms:4524", "dms:", "dms:bd09mc"])
def test_frames_that_are_none(text):
    with pytest.raises(CrsError):
        parse_frame(text)


@pytest.mark.parametrize("zone", [*range(13, 24), *range(25, 46)])
def test_every_zone_before_its_easting(zone):
    crs = CRS(zone_frame(zone))
    width = 6 if zone < 24 else 3
    meridian = zone * 6 - 3 if width == 6 else zone * 3
    assert crs.name.endswith(f"zone {zone}")
    # The transverse Mercator of PROJ with the textbook's parameters: an easting of 500 km behind the zone's number.
    plain = Proj(proj="tmerc", lon_0=meridian, k=1, x_0=zone * 1e6 + 500_000, y_0=0, a=6378137, rf=298.257222101)
    lon, lat = np.array([meridian - 1.4, meridian, meridian + 1.4]), np.array([20.0, 33.0, 50.0])
    np.testing.assert_allclose(convert(lon, lat, "EPSG:4490", zone_frame(zone)), plain(lon, lat), atol=1e-3)


@pytest.mark.parametrize("meridian", range(75, 136, 3))
def test_every_meridian_without_zone(meridian):
    plain = Proj(proj="tmerc", lon_0=meridian, k=1, x_0=500_000, y_0=0, a=6378137, rf=298.257222101)
    lon, lat = np.array([meridian - 1.4, meridian + 1.4]), np.array([20.0, 50.0])
    np.testing.assert_allclose(convert(lon, lat, "EPSG:4490", meridian_frame(meridian)), plain(lon, lat), atol=1e-3)
    np.testing.assert_allclose(convert(*plain(lon, lat), meridian_frame(meridian), "EPSG:4490"), (lon, lat), atol=1e-8)


def test_zones_that_are_none():
    assert [zone_frame(zone) for zone in (12, 24, 46)] == [None] * 3
    assert [meridian_frame(meridian) for meridian in (72, 76, 138)] == [None] * 3


@pytest.mark.parametrize(
    "frame",
    ["EPSG:4326", "EPSG:4490", "gcj02", "bd09", "bd09mc", "EPSG:3857", "EPSG:32649", "EPSG:4524", "EPSG:4497",
     "EPSG:4545", "dms:EPSG:4490", "dms:bd09"],
)  # fmt: skip
def test_forth_and_back(frame):
    x, y = convert(LON, LAT, "EPSG:4326", frame)
    np.testing.assert_allclose(convert(x, y, frame, "EPSG:4326"), (LON, LAT), atol=1e-8)
    np.testing.assert_allclose(
        convert(x, y, frame, "EPSG:32649"), Transformer.from_crs(4326, 32649, always_xy=True).transform(LON, LAT),
        atol=1e-3,
    )  # fmt: skip


def test_the_shifted_frames_follow_one_another():
    bd09 = bd09_from_gcj02(*gcj02_from_wgs84(LON, LAT))
    np.testing.assert_array_equal(convert(LON, LAT, "EPSG:4326", "bd09"), bd09)
    np.testing.assert_array_equal(convert(LON, LAT, "EPSG:4326", "bd09mc"), bd09mc_from_bd09(*bd09))
    np.testing.assert_allclose(convert(*bd09, "bd09", "gcj02"), gcj02_from_wgs84(LON, LAT), atol=1e-9)


@pytest.mark.parametrize(
    ("value", "degrees"),
    [(108.54305, 108 + 54 / 60 + 30.5 / 3600), (1085430.5, 108 + 54 / 60 + 30.5 / 3600), (32.42, 32.7), (324200, 32.7),
     (-32.42, -32.7), (108.3, 108.5)],
)  # fmt: skip
def test_degrees_minutes_seconds_run_together(value, degrees):
    x, _ = convert([value], [0.0], "dms:EPSG:4326", "EPSG:4326")
    assert x[0] == pytest.approx(degrees, abs=1e-9)


def test_sixty_minutes_are_no_angle():
    x, _ = convert([108.60, 108.0061, 108.5959], [32.0] * 3, "dms:EPSG:4326", "EPSG:4326")
    assert np.isfinite(x).tolist() == [False, False, True]


def test_what_is_in_degrees():
    assert [is_degrees(frame) for frame in ("EPSG:4490", "gcj02", "bd09", "bd09mc", "EPSG:4524", "dms:EPSG:4490")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_old_datums_are_known():
    assert [old_datum(f) for f in ("EPSG:4214", "EPSG:21419", "EPSG:2422")] == ["beijing54"] * 3
    assert [old_datum(f) for f in ("EPSG:4610", "EPSG:2349", "EPSG:2338")] == ["xian80"] * 3
    assert [old_datum(f) for f in ("EPSG:4490", "EPSG:4524", "gcj02", "dms:EPSG:4490")] == [""] * 4
    esri = CRS.from_epsg(2349).to_wkt("WKT1_ESRI")
    assert old_datum(esri) == "xian80"


def test_names():
    assert frame_name("gcj02").startswith("GCJ-02")
    assert frame_name("EPSG:4524") == "CGCS2000 / 3-degree Gauss-Kruger zone 36 (EPSG:4524)"
    assert frame_name("dms:EPSG:4490").endswith("DDD.MMSS")


def test_rasters_have_no_shifted_frame():
    assert require_plain("EPSG:4490", "a.tif") == "EPSG:4490"
    with pytest.raises(InputError, match=r"a\.tif.*GCJ-02"):
        require_plain("gcj02", "a.tif")
