"""Heights: every container, voids, clips, and the real tiles against a bare reading of their bytes."""

import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.crs import WGS84, transform
from planner.errors import CrsError, InputError
from planner.inputs import elevation
from planner.inputs.elevation import elevation_ledger, read_elevation
from planner.inputs.intake import import_file
from planner.study import new_study
from tests.reference.real_data import require

rasterio = pytest.importorskip("rasterio")


def from_origin(west, north, width, height):
    """The transform of a raster with its north-west corner there."""
    return rasterio.Affine(width, 0, west, 0, -height, north)


CRS = "EPSG:32649"
PLACE = from_origin(300_000, 3_600_000, 30, 30)


@pytest.fixture
def raster(tmp_path):
    """Write an array as a GeoTIFF and return its path."""

    def write(values, name="高程.tif", crs=CRS, place=PLACE, **profile):
        values = np.asarray(values)[None] if np.ndim(values) == 2 else np.asarray(values)
        path = tmp_path / name
        count, height, width = values.shape
        shape = {"count": count, "height": height, "width": width, "dtype": values.dtype.name}
        with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=place, **shape, **profile) as sink:
            sink.write(values)
        return path

    return write


def slope(rows=20, columns=30):
    """Heights that rise by 1 m a column and 10 m a row."""
    return (np.arange(columns)[None, :] + 10.0 * np.arange(rows)[:, None] + 100).astype(np.float32)


def write_hgt(path, values):
    path.write_bytes(np.asarray(values, dtype=">i2").tobytes())
    return path


def test_values_and_place_are_those_of_the_file(raster):
    grid, counts = read_elevation(raster(slope()))
    np.testing.assert_array_equal(grid.values, slope())
    assert grid.values.dtype == np.float32
    assert grid.transform == tuple(PLACE)[:6]
    assert (grid.crs, grid.unit) == (CRS, "m")
    assert counts == {"n_cells": 600, "n_voids": 0, "n_filled": 0, "n_unknown": 0, "n_coarser": 1,
                      "n_impossible": 0, "aside": [], "doubts": []}  # fmt: skip


@pytest.mark.parametrize("void", [-32768.0, np.nan, 1e30, -9999.0])
def test_inner_voids_are_filled_from_their_rim(raster, void):
    values = slope()
    values[5:8, 10:13] = void
    grid, counts = read_elevation(raster(values, nodata=-32768.0))
    assert (counts["n_voids"], counts["n_filled"], counts["n_unknown"]) == (9, 9, 0)
    assert np.isfinite(grid.values).all()
    rim = slope()[4:9, 9:14]
    hole = grid.values[5:8, 10:13]
    assert rim.min() <= hole.min() <= hole.max() <= rim.max()
    # a slope is continued as it is
    np.testing.assert_allclose(hole, slope()[5:8, 10:13], atol=1e-3)
    known = ~np.isin(np.arange(600).reshape(20, 30), [r * 30 + c for r in (5, 6, 7) for c in (10, 11, 12)])
    np.testing.assert_array_equal(grid.values[known], slope()[known])


def test_voids_at_the_edge_stay_unknown(raster):
    values = slope()
    values[:4, :5] = np.nan
    values[10, 10] = np.nan
    grid, counts = read_elevation(raster(values))
    assert (counts["n_voids"], counts["n_filled"], counts["n_unknown"]) == (21, 1, 20)
    assert np.isnan(grid.values[:4, :5]).all()
    ledger = elevation_ledger("高程.tif", counts)
    assert [row.code for row in ledger.rows] == ["voids_filled", "voids_left"]
    assert all(row.problem("zh") and row.repair("en") and not row.is_refused for row in ledger.rows)
    assert (ledger.rows_in, ledger.rows_accepted) == (1, 1)


def test_a_void_too_large_to_fill(raster, monkeypatch):
    monkeypatch.setattr(elevation, "MAX_VOID_CELLS", 100)
    values = slope(40, 40)
    values[5:15, 5:15] = np.nan
    values[20:31, 20:30] = np.nan
    _, counts = read_elevation(raster(values))
    assert (counts["n_filled"], counts["n_unknown"]) == (100, 110)


def test_clipped_to_what_is_needed(raster):
    lon, lat = transform([300_300, 300_600], [3_599_700, 3_599_800], CRS, WGS84)
    whole = slope(200, 300)
    grid, _ = read_elevation(raster(whole), bounds=(lon[0], lat[0], lon[1], lat[1]))
    rows, columns = grid.values.shape
    assert rows * columns < whole.size / 20
    column, row = round((grid.transform[2] - 300_000) / 30), round((3_600_000 - grid.transform[5]) / 30)
    np.testing.assert_array_equal(grid.values, whole[row : row + rows, column : column + columns])
    # the needed cells, with some to spare for the interpolation
    assert column <= 9
    assert column + columns >= 21
    same, _ = read_elevation(raster(whole), bounds=(300_300, 3_599_700, 300_600, 3_599_800), bounds_crs=CRS)
    assert same.values.shape[0] <= rows


def test_kept_whole_while_more_may_be_needed(raster, monkeypatch):
    bounds = (300_300, 3_599_700, 300_600, 3_599_800)
    path = raster(slope(200, 300))
    grid, _ = read_elevation(path, bounds, CRS, is_partial=True)
    np.testing.assert_array_equal(grid.values, slope(200, 300))
    with pytest.raises(InputError, match="does not reach"):
        read_elevation(path, (10, 10, 11, 11), is_partial=True)
    # too large to be kept: what is needed now counts more than what may be
    monkeypatch.setattr(elevation, "MAX_CELLS", 59_999)
    clipped, counts = read_elevation(path, bounds, CRS, is_partial=True)
    assert clipped.values.size < 2_000
    assert counts["n_coarser"] == 1


def test_heights_imported_before_the_roads_reach_as_far_as_the_file(raster, tmp_path):
    area, roads = tmp_path / "area.geojson", tmp_path / "roads.gpkg"
    box = gpd.GeoSeries([shapely.box(300_300, 3_599_700, 300_600, 3_599_800)], crs=CRS)
    gpd.GeoDataFrame({"代码": ["1"], "名称": ["县"], "级别": ["县"]}, geometry=box.to_crs(4326)).to_file(area)
    line = shapely.LineString([(300_300, 3_599_750), (300_600, 3_599_750)])
    gpd.GeoDataFrame({"class": ["path"]}, geometry=[line], crs=CRS).to_file(roads)
    study = import_file(new_study("县", CRS), "areas", area).study
    path = raster(slope(2_000, 1_000) / 10)
    early = import_file(study, "elevation", path).study
    assert early.grids["elevation"].values.shape == (2_000, 1_000)
    late = import_file(import_file(study, "roads", roads).study, "elevation", path).study
    assert late.grids["elevation"].values.size < 400_000


def test_bounds_that_miss(raster):
    with pytest.raises(InputError, match="does not reach"):
        read_elevation(raster(slope()), bounds=(10, 10, 11, 11))


def test_a_very_large_raster_is_read_coarser(raster, monkeypatch):
    monkeypatch.setattr(elevation, "MAX_CELLS", 100)
    grid, counts = read_elevation(raster(slope(20, 30)))
    assert counts["n_coarser"] == 3
    assert grid.values.shape == (7, 10)
    assert grid.transform[0] == pytest.approx(90)
    np.testing.assert_allclose(grid.values[0, :3], slope()[:3, :9].reshape(3, 3, 3).mean(axis=(0, 2)), atol=2)
    assert elevation_ledger("a", counts).rows[0].code == "raster_coarser"


def test_row_zero_is_north(raster):
    upside_down = rasterio.Affine(30, 0, 300_000, 0, 30, 3_599_400)
    grid, _ = read_elevation(raster(slope()[::-1], place=upside_down))
    np.testing.assert_array_equal(grid.values, slope())
    assert grid.transform == pytest.approx(tuple(PLACE)[:6])


def test_scale_and_offset(raster, tmp_path):
    path = raster(np.full((4, 4), 10, np.int16))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.5,), (100.0,)
    assert (read_elevation(path)[0].values == 105).all()


def srtm(rows=1201):
    values = (np.arange(rows)[:, None] + np.arange(rows)[None, :]).astype(np.int16)
    values[600, 600] = -32768
    return values


@pytest.mark.parametrize("name", ["N32E109.hgt", "n32e109.hgt"])
def test_srtm_tile(tmp_path, name):
    grid, counts = read_elevation(write_hgt(tmp_path / name, srtm()), bounds=(109.3, 32.4, 109.6, 32.7))
    assert grid.crs == WGS84
    assert counts["n_filled"] == 1
    # cell centres lie on the whole degrees
    column = (109.5 - grid.transform[2]) / grid.transform[0] - 0.5
    row = (32.5 - grid.transform[5]) / grid.transform[4] - 0.5
    assert (column, row) == (pytest.approx(round(column), abs=1e-6), pytest.approx(round(row), abs=1e-6))
    assert grid.values[round(row), round(column)] == pytest.approx(1200, abs=1)


def test_zipped_tiles_that_adjoin_are_joined(tmp_path):
    west, east = srtm(), (np.arange(1201)[:, None] + np.arange(1200, 2401)[None, :]).astype(np.int16)
    archive = tmp_path / "tiles.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(write_hgt(tmp_path / "N32E109.hgt", west), "srtm/N32E109.hgt")
        packed.write(write_hgt(tmp_path / "N32E110.hgt", east), "srtm/N32E110.hgt")
    grid, counts = read_elevation(archive, bounds=(109.9, 32.5, 110.1, 32.6))
    assert counts["n_unknown"] == 0
    np.testing.assert_array_equal(np.diff(grid.values, axis=1), 1)
    whole, _ = read_elevation(archive)
    assert whole.values.shape == (1201, 2401)


def test_tiles_that_do_not_adjoin(raster, tmp_path):
    archive = tmp_path / "tiles.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(raster(slope(), "a.tif"), "a.tif")
        packed.write(raster(slope(), "b.tif", place=from_origin(300_910, 3_600_000, 30, 30)), "b.tif")
    with pytest.raises(InputError, match="adjoin"):
        read_elevation(archive)


def test_frame_of_the_user_wins(raster):
    path = raster(slope(), crs=None)
    with pytest.raises(CrsError, match="--frame"):
        read_elevation(path)
    assert read_elevation(path, frame="32649")[0].crs == CRS
    with pytest.raises(InputError, match="BD-09"):
        read_elevation(path, frame="BD-09")


def test_rasters_that_are_no_heights(raster, tmp_path):
    with pytest.raises(InputError, match="picture"):
        read_elevation(raster(np.zeros((3, 5, 5), np.uint8)))
    with pytest.raises(InputError, match="every cell is empty"):
        read_elevation(raster(np.full((5, 5), -32768, np.int16), nodata=-32768))
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        path = raster(slope(), place=rasterio.Affine.identity())
    with pytest.raises(InputError, match="georeference"):
        read_elevation(path)
    path = raster(slope())
    with rasterio.open(path, "r+") as file:
        file.units = ("ft",)
    with pytest.raises(InputError, match="feet"):
        read_elevation(path)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.tif", b"", "empty"),
        ("a.tif", b"II*\x00" + b"\x00" * 20, "cannot be read"),
        ("N32E109.hgt", b"\x00" * 1000, "named after"),
        ("dem.hgt", b"\x00" * (1201 * 1201 * 2), "named after"),
        ("a.zip", b"PK\x03\x04" + b"\x00" * 40, "damaged"),
        ("a.xlsx", b"PK\x03\x04" + b"\x00" * 40, "no raster"),
    ],
)
def test_bad_files_are_one_error(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=match):
        read_elevation(tmp_path / name)


def test_a_truncated_geotiff(raster):
    path = raster(np.random.default_rng(1).random((300, 300), np.float32), compress="deflate")
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(InputError, match="damaged"):
        read_elevation(path)


def test_a_zip_without_a_raster(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("readme.txt", "no heights")
    with pytest.raises(InputError, match="no raster"):
        read_elevation(tmp_path / "a.zip")


def test_andorra():
    path = require("andorra/N42E001.hgt.zip")
    with zipfile.ZipFile(path) as archive:
        raw = np.frombuffer(archive.read("N42E001.hgt"), ">i2").reshape(1201, 1201)
    grid, counts = read_elevation(path)
    known = raw != -32768
    np.testing.assert_array_equal(grid.values[known], raw[known])
    assert counts["n_voids"] == (~known).sum() == counts["n_filled"] + counts["n_unknown"]
    assert counts["n_voids"] / counts["n_cells"] < 0.01
    assert np.isfinite(grid.values).mean() > 0.99


def test_porto_alegre():
    path = require("porto_alegre/poa_elevation.tif")
    grid, counts = read_elevation(path)
    with rasterio.open(path) as source:
        np.testing.assert_array_equal(grid.values, source.read(1))
    assert counts["n_voids"] == 0
