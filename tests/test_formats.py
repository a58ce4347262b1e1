"""A file is only what its name says: no ending opens another kind, and nothing in a file leads to another or away."""

import json
import sqlite3
from contextlib import closing

import geopandas as gpd
import pytest
import shapely

from planner.crs import parse_crs
from planner.errors import CrsError, PlannerError
from planner.formats import RASTER, VECTOR, read_layer_table, require_named, vector_library
from planner.inputs.inspection import inspect_file

VIRTUAL = (
    b'<OGRVRTDataSource><!-- <kml --><OGRVRTLayer name="a"><SrcDataSource>%s</SrcDataSource>'
    b"</OGRVRTLayer></OGRVRTDataSource>",
    b'<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    b"<SourceFilename>%s</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
    b'<GDAL_WMS><Service name="TMS"><ServerUrl>http://127.0.0.1:9/%s</ServerUrl></Service></GDAL_WMS>',
    b'{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read %s ! write --of stream streamed"}',
)
POINT = {"type": "Feature", "properties": {"name": "a"}, "geometry": {"type": "Point", "coordinates": [109, 32]}}


@pytest.mark.parametrize("virtual", VIRTUAL)
@pytest.mark.parametrize("suffix", sorted({*VECTOR, *RASTER} - {".gdb"}))
def test_a_virtual_file_under_any_ending_is_refused(suffix, virtual, tmp_path):
    secret = tmp_path / "secret.geojson"
    secret.write_text(json.dumps({"type": "FeatureCollection", "features": [POINT]}))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(virtual % str(secret).encode())
    with pytest.raises(PlannerError):
        inspect_file(path)


def test_only_the_named_drivers_are_left():
    assert set(vector_library().list_drivers()) <= {name for each in VECTOR.values() for name in each.drivers} | {"MEM"}


@pytest.mark.parametrize("crs", [
    {"type": "link", "properties": {"href": "http://127.0.0.1:9/x"}},
    {"type": "url", "properties": {"url": "http://127.0.0.1:9/x"}},
    {"type": "name", "properties": {"name": "+proj=longlat +nadgrids=/etc/passwd"}},
])  # fmt: skip
def test_a_reference_system_elsewhere_is_refused(crs, tmp_path):
    path = tmp_path / "a.geojson"
    for words in (json.dumps(crs), json.dumps(crs).replace('"', "'")):
        path.write_text(f'{{"type": "FeatureCollection", "crs": {words}, "features": [{json.dumps(POINT)}]}}')
        with pytest.raises(PlannerError, match="leads to other files"):
            read_layer_table(path)


@pytest.mark.parametrize("words", ["+proj=longlat +nadgrids=/etc/passwd", "+init=/etc/passwd:a +type=crs"])
def test_a_reference_system_that_names_a_file_is_refused(words):
    with pytest.raises(CrsError, match="names a file"):
        parse_crs(words)


@pytest.mark.parametrize("sql", [
    "CREATE VIEW v AS SELECT * FROM a", "CREATE VIRTUAL TABLE v USING fts5(x)",
])  # fmt: skip
def test_a_geopackage_with_a_view_or_a_module_is_refused(sql, tmp_path):
    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.Point(1, 1)], crs=4326).to_file(path, layer="a")
    require_named(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(sql)
        database.commit()
    with pytest.raises(PlannerError, match="views or virtual tables"):
        require_named(path)


def test_a_path_is_nothing_but_a_path(tmp_path):
    folder = tmp_path / "a!"
    folder.mkdir()
    (folder / "b.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [POINT]}))
    with pytest.raises(PlannerError, match="Rename the file"):
        read_layer_table(folder / "b.geojson")
