import zipfile

import geopandas as gpd
import pytest
import shapely

from planner.errors import InputError
from planner.inputs.columns.recipes import read_recipe, recipe_to_toml
from planner.inputs.inspection import inspect_file
from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.schema import CONTRACTS, COORDINATES

HEADER = ["编号", "站名", "层级", "经度", "纬度"]
ROWS = [["A1", "甲站", "站", 109.0, 32.7], ["A2", None, "所", 109.1, 32.8]]


def test_a_file_is_told_without_a_study(workbook):
    report = inspect_file(workbook(["示例县"], HEADER, *ROWS))
    assert (report.kind, report.proposal.source.header_rows, report.parts) == ("facilities", (2, 2), ("Sheet",))
    assert [(column["header"], column["looks_like"], column["field"]) for column in report.columns] == [
        ("编号", "text", "facility_id"), ("站名", "text", "name"), ("层级", "text", "tier"),
        ("经度", "longitude", "x"), ("纬度", "latitude", "y"),
    ]  # fmt: skip
    assert [(row.row, row.code) for row in report.ledger.rows] == [(4, "blank")]
    assert report.extent == (109.0, 32.7, 109.1, 32.8)
    assert "EPSG:4326" in {hypothesis.frame for hypothesis in report.frames}


@pytest.mark.parametrize("kind", ["facilities", "candidates", "demand", "settlements"])
def test_every_table_is_known_by_its_own_headers(workbook, kind):
    headers = [column.zh for column in (*CONTRACTS[kind].columns, *COORDINATES)]
    assert inspect_file(workbook(headers, ["x"] * len(headers))).kind == kind


@pytest.mark.parametrize(
    ("shape", "columns", "kind"),
    [
        (shapely.box(0, 0, 1, 1), {"名称": ["甲"], "级别": ["县"]}, "areas"),
        (shapely.LineString([(0, 0), (1, 1)]), {"道路等级": ["县道"]}, "roads"),
        (shapely.LineString([(0, 0), (1, 1)]), {"类别": ["河流"]}, "barriers"),
        (shapely.Point(109, 32), {"名称": ["甲"], "激活方式": ["1"]}, "candidates"),
    ],
)
def test_the_kind_of_a_layer_is_known_by_shapes_and_headers(layer, shape, columns, kind):
    report = inspect_file(layer([shape], **columns))
    assert (report.kind, report.crs, report.parts) == (kind, "EPSG:4326", ("层",))


def test_what_holds_no_table_says_so(text_file):
    assert "no row that looks like the header" in inspect_file(text_file("今天\n天气\n")).problem
    with pytest.raises(InputError, match="does not exist"):
        inspect_file("nowhere.xlsx")
    with pytest.raises(InputError, match="is no table"):
        inspect_file("nowhere.xlsx", "churches")


def test_a_recipe_reads_next_years_file_the_same_way(county, workbook, tmp_path):
    options = ImportOptions(frame="EPSG:4326", columns={"population": "2024年口数"})
    rows = ["一组", 30, 109.0, 32.7]
    first = import_file(county, "demand", workbook(["组名", "2024年口数", "经度", "纬度"], rows), options)
    path = tmp_path / "r.toml"
    path.write_text(recipe_to_toml("demand", options, first.proposal), encoding="utf-8")
    kind, again = read_recipe(path, None, ImportOptions())
    assert (kind, again.frame) == ("demand", "EPSG:4326")
    later = workbook(["组名", "2025年口数", "经度", "纬度"], rows)
    assert import_file(county, kind, later, again).study.table("demand")["population"].tolist() == [30]
    assert read_recipe(path, "demand", ImportOptions(frame="gcj02"))[1].frame == "gcj02"
    with pytest.raises(InputError, match="recipe for demand, not for facilities"):
        read_recipe(path, "facilities", ImportOptions())


@pytest.mark.parametrize("text", ["x = 1", "columns = 'a'", "[columns]\nname = 1", "not toml", "kind = 3"])
def test_what_is_no_recipe(tmp_path, text):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(InputError, match=r"recipe|must be"):
        read_recipe(tmp_path / "r.toml", None, ImportOptions())


def test_a_virtual_layer_dressed_up_as_another_is_refused(tmp_path):
    gpd.GeoDataFrame({"名称": ["甲"]}, geometry=[shapely.Point(1, 1)], crs=4326).to_file(tmp_path / "secret.geojson")
    for name in ("a.kml", "a.geojson"):
        (tmp_path / name).write_text(
            f'<OGRVRTDataSource><!-- <kml --><OGRVRTLayer name="secret"><SrcDataSource>{tmp_path}/secret.geojson'
            "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
        )
        with pytest.raises(InputError, match="something else, or damaged"):
            inspect_file(tmp_path / name)


def test_a_drawing_gives_roads(county, tmp_path):
    lines = [shapely.LineString([(109.0, 32.7), (109.01, 32.7)]), shapely.LineString([(109.01, 32.7), (109.02, 32.71)])]
    drawing = gpd.GeoDataFrame({"Layer": ["县道", "乡道"]}, geometry=lines, crs=4326)
    drawing.to_file(tmp_path / "路.dxf", driver="DXF", engine="pyogrio")
    options = ImportOptions(frame="EPSG:4326", columns={"class": "Layer"})
    result = import_file(county, "roads", tmp_path / "路.dxf", options)
    assert (result.ledger.rows_accepted, len(result.study.table("roads"))) == (2, 2)


def test_an_import_never_reads_the_hidden_files_of_an_archive(county, tmp_path):
    import zipfile

    path = tmp_path / "点.kmz"
    kml = (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>点</name>'
        "<Placemark><name>甲站</name><ExtendedData><Data name='层级'><value>站</value></Data></ExtendedData>"
        "<Point><coordinates>109.0,32.7</coordinates></Point></Placemark></Document></kml>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", kml)
        archive.writestr("__MACOSX/._doc.kml", "x")
    table = import_file(county, "facilities", path).study.table("facilities")
    assert table[["name", "tier"]].to_numpy().tolist() == [["甲站", "station"]]


@pytest.mark.parametrize(("name", "content"), [("a.tif", b""), ("a.tif", b"noise" * 99), ("a.hgt", b"noise")])
def test_a_raster_that_is_none_is_told_without_the_folder_it_lies_in(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="a") as caught:
        inspect_file(tmp_path / name)
    assert str(tmp_path) not in str(caught.value)


def test_an_empty_archive_is_called_empty(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    with pytest.raises(InputError, match="there is no file in it"):
        inspect_file(tmp_path / "a.zip")
