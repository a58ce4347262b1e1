"""Layers and GeoJSON as QGIS and a browser would read them."""

import json

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from planner.outputs.export import write_export
from planner.outputs.layers import result_tables, to_geojson, write_geojson, write_layers
from tests.reference.lattice import IMAGE
from tests.reference.towns import CRS


@pytest.fixture(scope="module")
def folder(lattice_plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "成果"
    write_export(lattice_plan, path)
    return path


def test_every_result_is_a_layer_with_all_its_rows(folder, lattice_plan):
    tables = result_tables(lattice_plan)
    layers = {str(name) for name, _ in pyogrio.list_layers(folder / "results.gpkg")}
    assert layers == {name for name, table in tables.items() if len(table)}
    for name in layers:
        read = pyogrio.read_dataframe(folder / "results.gpkg", layer=name)
        assert len(read) == len(tables[name]), name
        assert set(tables[name].columns) <= set(read.columns), name
        if isinstance(tables[name], gpd.GeoDataFrame):
            assert read.crs == tables[name].crs
            assert read.geometry.is_valid.all(), name
    gaps = pyogrio.read_dataframe(folder / "results.gpkg", layer="settlements")
    assert IMAGE in set(gaps["name"])


def test_geojson_is_in_degrees_and_valid(folder, lattice_plan):
    names = {path.stem for path in folder.glob("*.geojson")}
    assert {"circles", "gaps", "settlements", "proposals"} <= names
    for name in names:
        text = (folder / f"{name}.geojson").read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=pytest.fail)
        shapes = [shapely.geometry.shape(feature["geometry"]) for feature in document["features"]]
        assert len(shapes) == len(result_tables(lattice_plan)[name])
        assert all(shape.is_valid and not shape.is_empty for shape in shapes)
        west, south, east, north = shapely.total_bounds(shapes)
        assert 110 < west <= east < 112
        assert 32 < south <= north < 33


def test_an_export_that_fails_leaves_the_folder_as_it_was(lattice_plan, tmp_path, monkeypatch):
    (tmp_path / "manifest.json").write_text("{}")  # of an earlier export

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("planner.outputs.export.write_map", broken)
    with pytest.raises(ValueError, match="disk full"):
        write_export(lattice_plan, tmp_path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("manifest.json", "{}")]
    with pytest.raises(ValueError, match="disk full"):
        write_export(lattice_plan, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_tables_without_rows_leave_no_file(tmp_path):
    empty = {"gaps": gpd.GeoDataFrame(geometry=[], crs=CRS), "curve": pd.DataFrame()}
    assert write_geojson(empty, tmp_path) == []
    assert json.loads(to_geojson(empty["gaps"]))["features"] == []


def test_layers_of_an_earlier_export_do_not_linger(tmp_path):
    one = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(500_000, 3_600_000)], crs=CRS)
    write_layers({"old": one}, tmp_path / "results.gpkg")
    write_layers({"new": one}, tmp_path / "results.gpkg")
    assert [str(name) for name, _ in pyogrio.list_layers(tmp_path / "results.gpkg")] == ["new"]
