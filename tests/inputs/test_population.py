"""People per cell: nobody is lost or invented, whatever the CRS, the windows and the holes."""

import numpy as np
import pytest
import shapely

from planner.crs import transform
from planner.errors import CrsError, InputError
from planner.inputs.people import population
from planner.inputs.people.population import population_ledger, read_population
from planner.schema import DEMAND

rasterio = pytest.importorskip("rasterio")


def from_origin(west, north, width, height):
    """The transform of a raster with its north-west corner there."""
    return rasterio.Affine(width, 0, west, 0, -height, north)


CRS = "EPSG:32649"
DEGREES = from_origin(109.0, 32.9, 0.001, 0.001)


@pytest.fixture
def raster(tmp_path):
    """Write an array as a GeoTIFF and return its path."""

    def write(values, crs="EPSG:4326", place=DEGREES, **profile):
        path = tmp_path / "人口.tif"
        height, width = values.shape
        options = {"driver": "GTiff", "count": 1, "dtype": values.dtype.name, "crs": crs, "transform": place} | profile
        with rasterio.open(path, "w", height=height, width=width, **options) as sink:
            sink.write(values, 1)
        return path

    return write


def people(rows=40, columns=50, seed=3):
    rng = np.random.default_rng(seed)
    return np.where(rng.random((rows, columns)) < 0.4, rng.gamma(2.0, 5.0, (rows, columns)), 0.0).astype(np.float32)


def test_one_point_a_cell_at_its_centre(raster):
    demand, counts = read_population(raster(people()), CRS)
    assert demand["population"].sum() == people().astype(np.float64).sum()
    assert counts["people"] == demand["population"].sum()
    assert len(demand) == counts["n_points"] == (people() > 0).sum()
    row, column = np.nonzero(people() > 0)
    x, y = transform(109 + 0.001 * (column + 0.5), 32.9 - 0.001 * (row + 0.5), "EPSG:4326", CRS)
    np.testing.assert_allclose(shapely.get_coordinates(demand.geometry.array), np.column_stack([x, y]), atol=1e-6)
    assert demand.crs == CRS
    assert demand["demand_id"].is_unique
    assert demand["demand_id"].iloc[0] == f"r{row[0] + 1}c{column[0] + 1}"
    assert set(demand.columns) == {*(column.name for column in DEMAND.columns), "geometry"}


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4490", "EPSG:3857", "EPSG:32650", "EPSG:4545", "ESRI:54009"])
def test_the_total_is_kept_from_any_crs(raster, crs):
    x, y = transform([109.0], [32.9], "EPSG:4326", crs)
    size = 0.001 if abs(x[0]) <= 180 else 100.0
    demand, counts = read_population(raster(people(), crs=crs, place=from_origin(x[0], y[0], size, size)), CRS)
    assert demand["population"].sum() == people().astype(np.float64).sum()
    assert counts["n_cells"] == people().size


def test_a_rotated_raster(raster):
    place = rasterio.Affine(80, 60, 300_000, 60, -80, 3_600_000)
    demand, _ = read_population(raster(people(), crs=CRS, place=place), CRS)
    row, column = np.nonzero(people() > 0)
    across, down = column[5] + 0.5, row[5] + 0.5
    x, y = 300_000 + 80 * across + 60 * down, 3_600_000 + 60 * across - 80 * down
    assert (demand.geometry.x.iloc[5], demand.geometry.y.iloc[5]) == (pytest.approx(x), pytest.approx(y))


def test_windows_change_nothing(raster, monkeypatch):
    whole, counts = read_population(raster(people(), tiled=True, blockxsize=16, blockysize=16), CRS)
    monkeypatch.setattr(population, "WINDOW_CELLS", 130)
    parts, same = read_population(raster(people()), CRS)
    assert parts.equals(whole)
    assert same == counts


def test_nodata_empty_and_negative_cells_are_told_apart(raster):
    values = people()
    values[values == 0] = 0
    values[0, :7] = -99999
    values[1, :3] = np.nan
    values[2, :4] = -1
    values[3, :5] = 0
    demand, counts = read_population(raster(values, nodata=-99999.0), CRS)
    assert (counts["n_nodata"], counts["n_negative"]) == (10, 4)
    assert counts["n_empty"] == (values == 0).sum()
    assert counts["n_cells"] == 2000 == sum(counts[key] for key in ("n_nodata", "n_negative", "n_empty", "n_points"))
    assert demand["population"].min() > 0
    ledger = population_ledger("人口.tif", counts)
    assert (ledger.rows_in, ledger.rows_refused, ledger.rows_accepted) == (len(demand) + 4, 4, len(demand))
    assert {row.code: row.is_refused for row in ledger.rows} == {
        "cells_sum": False, "cells_negative": True, "cells_nodata": False,
    }  # fmt: skip
    assert all(row.problem("zh") and row.repair("en") for row in ledger.rows)


def test_cells_outside_the_county_are_counted(raster):
    x, y = transform(109.025, 32.88, "EPSG:4326", CRS)
    county = shapely.Point(x, y).buffer(900)
    demand, counts = read_population(raster(people()), CRS, county)
    everyone, _ = read_population(raster(people()), CRS)
    inside = everyone[everyone.within(county)]
    assert 0 < len(inside) < len(everyone)
    assert list(demand["demand_id"]) == list(inside["demand_id"])
    assert counts["people"] == pytest.approx(inside["population"].sum(), rel=1e-15)
    # only the county's surroundings are read; what lies there and outside is told
    assert counts["n_cells"] < people().size
    assert counts["n_outside"] > 0
    assert population_ledger("a", counts).rows[1].code == "cells_outside"


def test_integer_rasters(raster):
    demand, _ = read_population(raster(np.array([[1, 0], [3, 65535]], np.uint16), nodata=65535), CRS)
    assert demand["population"].tolist() == [1.0, 3.0]


def test_nobody(raster):
    with pytest.raises(InputError, match="nobody"):
        read_population(raster(np.zeros((5, 5), np.float32)), CRS)
    with pytest.raises(InputError, match="nobody"):
        read_population(raster(np.full((5, 5), np.nan, np.float32)), CRS)
    with pytest.raises(InputError, match="does not reach"):
        read_population(raster(people()), CRS, shapely.box(0, 0, 10, 10))


def test_more_points_than_a_county_has(raster, monkeypatch):
    monkeypatch.setattr(population, "MAX_POINTS", 10)
    with pytest.raises(InputError, match="Clip it"):
        read_population(raster(people()), CRS)


def test_no_crs(raster):
    path = raster(people(), crs=None)
    with pytest.raises(CrsError, match="--frame"):
        read_population(path, CRS)
    assert len(read_population(path, CRS, frame="EPSG:4490")[0]) > 0
    with pytest.raises(CrsError):
        read_population(path, "EPSG:4326")


@pytest.mark.parametrize("content", [b"", b"noise" * 30, b"II*\x00" + b"\xff" * 60])
def test_bad_files_are_one_error(tmp_path, content):
    (tmp_path / "人口.tif").write_bytes(content)
    with pytest.raises(InputError, match="人口"):
        read_population(tmp_path / "人口.tif", CRS)


@pytest.mark.parametrize("window", [130, 8_000_000])
def test_finer_cells_come_together(raster, monkeypatch, window):
    every, counts = read_population(raster(people()), CRS)
    monkeypatch.setattr(population, "WINDOW_CELLS", window)
    demand, same = read_population(raster(people()), CRS, cell_m=700.0)
    key = np.floor(shapely.get_coordinates(every.geometry.array) / 700.0)
    expected = every.groupby([-key[:, 1], key[:, 0]])["population"].sum()
    np.testing.assert_allclose(demand["population"], expected, rtol=1e-12)
    np.testing.assert_array_equal(np.floor(shapely.get_coordinates(demand.geometry.array) / 700.0)[:, ::-1] * (-1, 1),
                                  np.array(expected.index.to_list()))  # fmt: skip
    assert same["people"] == pytest.approx(counts["people"], rel=1e-12)
    assert same["n_peopled"] == counts["n_points"]
    assert demand["demand_id"].is_unique


def test_cells_that_cannot_be(raster):
    for cell_m in (-1.0, 20_000.0, float("nan")):
        with pytest.raises(InputError, match="not possible"):
            read_population(raster(people()), CRS, cell_m=cell_m)


def test_an_import_says_what_the_raster_holds(county, raster):
    from planner.inputs.intake import import_file

    result = import_file(county, "population", raster(people()))
    (note,) = [row for row in result.ledger.rows if row.code == "cells_sum"]
    assert note.values["people"] == f"{result.study.table('demand')['population'].sum():,.1f}"
    assert result.study.history["frame"].iloc[-1] == "EPSG:4326"
