"""What goes wrong with elevation and population rasters at the door, and damage of any kind to any file."""

import random
import warnings
import zipfile

import numpy as np
import pytest
import shapely

from planner.errors import InputError, PlannerError
from planner.inputs.intake import ImportOptions, import_file

rasterio = pytest.importorskip("rasterio")

NODATA = -9999.0


@pytest.fixture
def raster(tmp_path):
    """Write values (rows from the north) over 108.9-109.1 E, 32.6-32.8 N and return the path."""

    def write(values, name="图.tif", crs="EPSG:4326", bounds=(108.9, 32.6, 109.1, 32.8)):
        bands = np.atleast_3d(values).transpose(2, 0, 1)
        bands = bands.astype("uint8" if len(bands) == 3 else "float32")
        shape = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype}
        if len(bands) == 1:
            shape["nodata"] = NODATA
        west, south, east, north = bounds
        across, down = (east - west) / bands.shape[2], (south - north) / bands.shape[1]
        place = rasterio.Affine(across, 0, west, 0, down, north)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(tmp_path / name, "w", "GTiff", crs=crs, transform=place, **shape) as file:
                file.write(bands)
        return tmp_path / name

    return write


HEIGHTS = np.add.outer(np.arange(20.0), np.arange(20.0)) + 200


@pytest.mark.parametrize("kind", ["elevation", "population"])
def test_a_raster_goes_in(county, raster, kind):
    result = import_file(county, kind, raster(HEIGHTS))
    assert result.ledger.rows_refused == 0
    assert result.ledger.rows_in == (1 if kind == "elevation" else 400)
    if kind == "population":
        assert result.study.table("demand")["population"].sum() == pytest.approx(HEIGHTS.sum())
    else:
        assert result.study.grids["elevation"].values.min() == 200


@pytest.mark.parametrize("kind", ["elevation", "population"])
def test_a_raster_without_a_frame(county, raster, kind):
    path = raster(HEIGHTS, crs=None)
    with pytest.raises(PlannerError, match="--frame"):
        import_file(county, kind, path)
    assert import_file(county, kind, path, ImportOptions(frame="4326")).ledger.rows_accepted > 0


@pytest.mark.parametrize("kind", ["elevation", "population"])
def test_a_raster_of_somewhere_else(county, raster, kind):
    with pytest.raises(InputError):
        import_file(county, kind, raster(HEIGHTS, bounds=(8.9, 42.6, 9.1, 42.8)))


@pytest.mark.parametrize("kind", ["elevation", "population"])
def test_a_raster_of_nothing_but_voids(county, raster, kind):
    with pytest.raises(InputError):
        import_file(county, kind, raster(np.full((20, 20), NODATA)))


@pytest.mark.parametrize("kind", ["elevation", "population"])
def test_a_picture_is_no_raster_of_figures(county, raster, kind):
    with pytest.raises(InputError):
        import_file(county, kind, raster(np.dstack([HEIGHTS] * 3)))


@pytest.mark.parametrize("kind", ["elevation", "population"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_raster_cut_short(county, raster, kind, share):
    path = raster(np.random.default_rng(0).random((300, 300)) * 100)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError):
        import_file(county, kind, path)


@pytest.mark.parametrize("name", ["N32E109.hgt", "高程.hgt"])
def test_an_elevation_tile_of_a_wrong_size(county, tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00" * 1000)
    with pytest.raises(InputError):
        import_file(county, "elevation", tmp_path / name)


def test_a_zip_without_a_raster_is_no_elevation(county, tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.csv", "x")
    with pytest.raises(InputError):
        import_file(county, "elevation", tmp_path / "z.zip")


def test_a_workbook_is_no_elevation(county, workbook):
    with pytest.raises(InputError):
        import_file(county, "elevation", workbook(["高程"], [200]))


def test_cells_of_negative_people_are_refused_and_counted(county, raster):
    people = np.ones((20, 20))
    people[3, 4:6] = -7
    people[10, 10] = NODATA
    result = import_file(county, "population", raster(people))
    assert (result.ledger.rows_in, result.ledger.rows_refused) == (399, 2)
    assert [(f.code, f.is_refused, f.values["n"]) for f in result.ledger.rows if "n" in f.values] == [
        ("cells_sum", False, 397), ("cells_negative", True, 2), ("cells_nodata", False, 1),
    ]  # fmt: skip
    assert result.study.table("demand")["population"].sum() == 397


def test_people_outside_the_county_are_refused_with_their_number(county, raster):
    result = import_file(county, "population", raster(np.ones((20, 20)), bounds=(109.4, 32.6, 109.6, 32.8)))
    finding = next(f for f in result.ledger.rows if f.is_refused)
    assert finding.code == "cells_outside"
    assert finding.values["n"] == finding.values["people"] == result.ledger.rows_refused > 0
    assert result.ledger.rows_accepted == len(result.study.table("demand")) == 200


def test_a_population_raster_is_not_added_to_what_is_there(county, raster):
    study = import_file(county, "population", raster(HEIGHTS)).study
    with pytest.raises(InputError, match="counted twice"):
        import_file(study, "population", raster(HEIGHTS), ImportOptions(append=True))


# ---- damage of any kind ----


def damaged(data, draw):
    """Return the bytes with some overwritten, left out or put in."""
    bytes_ = bytearray(data)
    for _ in range(draw.choice([1, 3, 20, 200])):
        place = draw.randrange(len(bytes_))
        match draw.randrange(3):
            case 0:
                bytes_[place] = draw.randrange(256)
            case 1:
                del bytes_[place : place + draw.randrange(1, 50)]
            case _:
                bytes_[place:place] = draw.randbytes(draw.randrange(1, 20))
        if len(bytes_) < 2:
            return b"xx"
    return bytes(bytes_)


@pytest.fixture
def sources(workbook, text_file, layer, raster):
    """Write a good file by its name and return its path."""
    points = shapely.points(np.linspace(109, 109.1, 40), np.full(40, 32.7))
    columns = {"名称": ["甲"] * 40, "层级": ["站"] * 40, "容纳人数": range(40)}
    rows = [["名称", "层级", "经度", "纬度"], *[["甲", "站", 109.0, 32.7]] * 40]

    def write(name):
        if name.endswith(".csv"):
            return text_file("\n".join(",".join(map(str, row)) for row in rows), encoding="gb18030")
        if name.endswith(".xlsx"):
            return workbook(*rows)
        return raster(HEIGHTS) if name.endswith(".tif") else layer(points, name, **columns)

    return write


@pytest.mark.slow
@pytest.mark.parametrize("name", ["表.csv", "表.xlsx", "层.gpkg", "层.geojson", "层.parquet", "层.shp", "图.tif"])
def test_any_damage_gives_one_clear_error_or_a_balanced_ledger(county, sources, name):
    path = sources(name)
    kind = "elevation" if name == "图.tif" else "facilities"
    parts = [path, path.with_suffix(".dbf"), path.with_suffix(".shx")] if name == "层.shp" else [path]
    whole = {part: part.read_bytes() for part in parts}
    draw = random.Random(name)
    for _ in range(60):
        part = draw.choice(parts)
        part.write_bytes(damaged(whole[part], draw))
        try:
            result = import_file(county, kind, path, ImportOptions(frame="EPSG:4326"))
        except PlannerError:
            continue
        finally:
            part.write_bytes(whole[part])
        assert result.ledger.rows_in == result.ledger.rows_accepted + result.ledger.rows_refused
        assert len(result.ledger.to_frame("en")) == len(result.ledger.to_frame("zh"))
        if kind == "facilities":
            assert len(result.study.table(kind)) == result.ledger.rows_accepted
