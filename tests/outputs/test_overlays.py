"""Pictures over a map: pixels stand where they should, unknown has its own colour, the limit its line."""

import io

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from planner.crs import WGS84, transform
from planner.outputs.colours import BAND_COLOURS
from planner.outputs.overlays import band_png, bands_min, gain_png, make_frame

CRS = "EPSG:4545"


@pytest.fixture(scope="module")
def frame():
    return make_frame((108.0, 32.0, 109.2, 33.0), CRS, None, 300)


def test_pixels_stand_within_a_metre_of_where_they_belong(frame):
    (south, west), (north, east) = frame.bounds
    (left, right), (low, high) = transform([west, east], [south, north], WGS84, "EPSG:3857")
    rows, columns = frame.x.shape
    row, column = np.random.default_rng(1).integers(0, [[rows], [columns]], (2, 500))
    mx = left + (column + 0.5) * (right - left) / columns
    my = high - (row + 0.5) * (high - low) / rows
    x, y = transform(mx, my, "EPSG:3857", CRS)
    assert np.abs(frame.x[row, column] - x).max() < 1
    assert np.abs(frame.y[row, column] - y).max() < 1


def test_bands_follow_the_limit():
    assert bands_min(15) == (5, 10, 15, 20, 30, 45)
    assert bands_min(30)[2] == 30


def test_the_picture_says_minutes_limit_unknown_and_outside():
    outline = gpd.GeoSeries([shapely.box(108.0, 32.0, 108.6, 33.0)], crs=WGS84)
    frame = make_frame((108.0, 32.0, 109.2, 33.0), CRS, outline, 60)
    minutes = np.full(frame.x.shape, 12.0, np.float32)
    minutes[:10] = np.nan
    minutes[40:] = 50.0
    image = Image.open(io.BytesIO(band_png(frame, minutes, 15.0))).convert("RGBA")
    pixels = np.asarray(image)
    colour = lambda text: tuple(bytes.fromhex(text[1:]))  # noqa: E731
    assert tuple(pixels[25, 10][:3]) == colour(BAND_COLOURS[2])
    assert tuple(pixels[45, 10][:3]) == colour(BAND_COLOURS[6])
    assert tuple(pixels[39, 10][:3]) == (0, 0, 0)
    assert tuple(pixels[5, 10][:3]) == colour("#9E9E9E")
    assert pixels[25, 50][3] == 0


def test_a_difference_shows_what_is_saved_only(frame):
    before = np.full(frame.x.shape, 30.0, np.float32)
    after = before.copy()
    after[:100] = 10.0
    pixels = np.asarray(Image.open(io.BytesIO(gain_png(frame, before, after, 15.0))).convert("RGBA"))
    assert pixels[50, 50, 3] > 0
    assert pixels[200, 50, 3] == 0
