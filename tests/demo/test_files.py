"""The county as files: what a planner would have, awkward where real files are."""

import zipfile

import openpyxl
import pyogrio
import pytest

from planner.demo.files import demo_files, demo_folder, write_county
from planner.inputs.intake import import_file
from planner.study import new_study

KINDS = ["areas", "elevation", "roads", "barriers", "facilities", "candidates", "demand", "settlements"]


@pytest.fixture(scope="module")
def folder(small_county, tmp_path_factory):
    path = tmp_path_factory.mktemp("county")
    write_county(small_county, path)
    return path


def test_workbooks_have_a_merged_title_and_chinese_headers(folder):
    sheet = openpyxl.load_workbook(folder / "facilities.xlsx").active
    assert "合成演示数据" in sheet["A1"].value
    assert [str(merge)[:3] for merge in sheet.merged_cells.ranges] == ["A1:"]
    headers = [cell.value for cell in sheet[2]]
    assert headers[:3] == ["编号", "名称", "层级"]
    assert headers[-2:] == ["经度", "纬度"]
    assert 100 < sheet.cell(3, len(headers) - 1).value < 120


def test_roads_are_a_gbk_shapefile_that_does_not_say_so(folder):
    with zipfile.ZipFile(folder / "roads.zip") as archive:
        assert sorted(archive.namelist()) == ["roads.dbf", "roads.prj", "roads.shp", "roads.shx"]
        table = archive.read("roads.dbf")
        assert "CGCS2000" in archive.read("roads.prj").decode()
    assert "道路等级".encode("gbk") in table
    assert "国道".encode("gbk") in table


def test_layers_are_in_degrees_and_labelled(folder, small_county):
    text = (folder / "areas.geojson").read_text(encoding="utf-8")
    assert "合成演示数据" in text[:2_000]
    info = pyogrio.read_info(folder / "areas.geojson")
    assert info["crs"] == "EPSG:4490"
    assert info["features"] == len(small_county.tables["areas"])


def test_rasters_say_what_they_hold(folder, small_county):
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(folder / "population.tif") as raster:
        assert raster.read(1).sum(dtype=float) == small_county.spec.population
        assert "SYNTHETIC" in raster.tags()["TIFFTAG_IMAGEDESCRIPTION"]
    with rasterio.open(folder / "elevation.tif") as raster:
        assert raster.crs.to_epsg() == 4490
        assert raster.read(1).min() >= 200


def test_the_readme_says_synthetic_in_both_languages(folder):
    words = (folder / "README.txt").read_text(encoding="utf-8")
    assert "合成演示数据" in words
    assert "SYNTHETIC" in words


def test_files_are_listed_in_the_order_of_their_import(folder):
    listed = demo_files(folder)
    assert [kind for kind, _, _ in listed] == KINDS
    assert all(path.exists() for _, path, _ in listed)


@pytest.mark.slow
def test_writing_twice_gives_the_same_bytes(folder, small_county, tmp_path):
    for path in write_county(small_county, tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_every_row_of_every_file_is_accepted(folder, small_county):
    study = new_study(small_county.spec.name, "EPSG:4545")
    for kind, path, options in demo_files(folder):
        result = import_file(study, kind, path, options)
        study = result.study
        assert result.ledger.rows_refused == 0, kind
        if kind in small_county.tables and kind != "roads":
            assert result.ledger.rows_in == len(small_county.tables[kind])
    assert study.tables["demand"]["population"].sum() == small_county.spec.population
    assert study.tables["facilities"]["tier"].value_counts()["station"] == 43


def test_the_shipped_files_are_used_where_they_are(tmp_path):
    shipped = demo_folder(tmp_path)
    assert shipped.name == "demo_county"
    assert not list(tmp_path.iterdir())
    assert sum(path.stat().st_size for path in shipped.iterdir()) < 15_000_000
