"""Small files that claim, or unpack to, more than a machine holds: one message or a row of the ledger, at once."""

import zipfile

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from pyarrow import parquet

from planner.errors import EntriesError, InputError
from planner.inputs import limits
from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.outputs.manifest import read_manifest
from planner.scenario import scenario_from_toml

FRAME = ImportOptions(frame="EPSG:4490")


def rewritten(path, part, old, new):
    """The workbook with one string of one part replaced."""
    target = path.with_name("又.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as sink:
        for item in source.infolist():
            data = source.read(item)
            sink.writestr(item, data.replace(old, new) if item.filename == part else data)
    return target


def test_a_workbook_that_claims_two_thousand_million_rows(county, workbook):
    path = workbook(["名称", "层级", "经度", "纬度"], ["甲", "站", 109, 32.7])
    path = rewritten(path, "xl/worksheets/sheet1.xml", b'<row r="2"', b'<row r="2000000000"')
    with pytest.raises(InputError, match=r"more than 1,048,576 rows"):
        import_file(county, "facilities", path, FRAME)


def test_a_columnar_file_that_claims_too_many_cells(county, tmp_path, monkeypatch):
    monkeypatch.setattr("planner.inputs.files.layers.MAX_TABLE_CELLS", 1_000)
    table = pa.table({"名称": pa.array(["甲"] * 2_000).dictionary_encode()})
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(InputError, match="2,000 rows of 1 columns"):
        import_file(county, "facilities", tmp_path / "t.parquet", FRAME)


def test_a_raster_of_more_cells_than_are_read(county, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    place = rasterio.Affine(1e-5, 0, 108.5, 0, -1e-5, 33.0)
    form = {"driver": "GTiff", "count": 1, "dtype": "int16", "width": 100_000, "height": 60_000, "sparse_ok": True,
            "tiled": True, "blockxsize": 4096, "blockysize": 4096, "compress": "deflate"}  # fmt: skip
    with rasterio.open(tmp_path / "h.tif", "w", crs="EPSG:4326", transform=place, **form):
        pass
    for kind in ("elevation", "population"):
        with pytest.raises(InputError, match="Clip it to the county"):
            import_file(county, kind, tmp_path / "h.tif")


@pytest.mark.parametrize("kind", ["areas", "facilities", "barriers"])
def test_a_star_that_crosses_itself_everywhere(county, tmp_path, kind, monkeypatch):
    monkeypatch.setattr("planner.inputs.tables.MAX_TANGLED_VERTICES", 50)
    angle = np.arange(101) * 2 * np.pi * 50 / 101
    star = shapely.Polygon(np.column_stack([109 + 0.1 * np.cos(angle), 32.7 + 0.1 * np.sin(angle)]))
    square = shapely.box(109, 32.6, 109.1, 32.7)
    table = gpd.GeoDataFrame(
        {"名称": ["星", "方"], "级别": ["镇", "镇"], "层级": ["站", "站"], "类别": ["河流", "河流"]},
        geometry=[star, square], crs=4326,
    )  # fmt: skip
    table.to_file(tmp_path / "s.gpkg")
    result = import_file(county, kind, tmp_path / "s.gpkg", ImportOptions(append=kind == "areas"))
    refused = [(row.row, row.code) for row in result.ledger.rows if row.is_refused]
    assert refused == [(1, "shape_tangled")]
    assert result.ledger.rows_accepted == 1


@pytest.mark.parametrize(
    "toml", ["a = " + "[" * 20_000, "a = " + "{b = " * 20_000, "a = " + "9" * 5_000, "[" + "a." * 20_000 + "a]"]
)
def test_a_scenario_that_is_nested_without_end(toml):
    with pytest.raises(EntriesError):
        scenario_from_toml(toml)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a": ' * 100_000, "9" * 6_000, "\x00", ""])
def test_a_manifest_that_is_nested_without_end(tmp_path, text):
    (tmp_path / "m.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_manifest(tmp_path / "m.json")


def people(n, at=None, mark='"'):
    rows = [f"D{i},组{i},{i % 90},109.0{i % 9},32.7" for i in range(n)]
    if at is not None:
        rows[at] = rows[at].replace(",组", f",{mark}组", 1)
    return "编号,名称,人口,经度,纬度\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("at", [0, 1, 40, 2_998, 2_999])
def test_one_stray_quotation_mark_costs_one_row(county, text_file, at):
    result = import_file(county, "demand", text_file(people(3_000, at)), FRAME)
    assert (result.ledger.rows_in, result.ledger.rows_accepted) == (3_000, 2_999)
    assert [(row.row, row.code) for row in result.ledger.rows if row.is_refused] == [(at + 2, "stray_quote")]


def test_cells_of_several_lines_and_doubled_marks_stay_whole(county, text_file):
    rows = ['a,"甲组\n（新村）",5,109.0,32.7', 'b,"乙""组"",",6,109.1,32.7', 'c,丙 5" 组,7,109.1,32.7']
    text = "\n".join(["编号,名称,人口,经度,纬度", *rows, ""])
    result = import_file(county, "demand", text_file(text), FRAME)
    assert list(result.study.table("demand")["name"]) == ["甲组\n（新村）", '乙"组",', '丙 5" 组']


def test_a_control_character_before_a_number(county, text_file):
    result = import_file(county, "demand", text_file("编号,人口,经度,纬度\na,\x1d5,109.0,32.7\n"), FRAME)
    assert result.study.table("demand")["population"].tolist() == [5.0]


def test_limits_are_said_in_the_documents():
    from pathlib import Path

    page = (Path(__file__).resolve().parents[2] / "docs" / "intake.md").read_text(encoding="utf-8")
    for number in (limits.MAX_ROWS, limits.MAX_TABLE_CELLS, limits.MAX_RASTER_CELLS, limits.MAX_TANGLED_VERTICES):
        assert f"{number:,}" in page
