"""What goes wrong at the door, for every kind of import: the ledger's row, column and repair, or the one error."""

import struct
import zipfile

import numpy as np
import openpyxl
import pytest
import shapely

from planner.errors import CrsError, InputError, PlannerError
from planner.inputs.intake import KINDS, ImportOptions, import_file, read_class_map

WGS84 = ImportOptions(frame="EPSG:4326")
XY = {"经度": 109.0, "纬度": 32.7}
GOOD = {
    "facilities": {"编号": "A", "名称": "甲站", "层级": "站", **XY},
    "candidates": {"编号": "A", "名称": "旧校舍", "激活方式": "1", **XY},
    "demand": {"编号": "A", "人口": 10, **XY},
    "population": {"编号": "A", "人口": 10, **XY},
    "settlements": {"编号": "A", "名称": "甲安置点", "安置人数": 900, **XY},
}
REQUIRED = {
    "facilities": ("名称", "层级"),
    "candidates": ("名称",),
    "demand": ("人口",),
    "population": ("人口",),
    "settlements": ("名称", "安置人数"),
}
SQUARE = shapely.box(109, 32.5, 109.2, 32.7)
LINE = shapely.LineString([(109, 32.5), (109.2, 32.7)])


def take(study, kind, workbook, *changes):
    """Import a good row A, and one row per change with an id of its own, written from row 2 on."""
    rows = [GOOD[kind]] + [{**GOOD[kind], "编号": f"B{i}", **change} for i, change in enumerate(changes)]
    headers = list(dict.fromkeys(key for row in rows for key in row))
    return import_file(study, kind, workbook(headers, *([row.get(key) for key in headers] for row in rows)), WGS84)


def only_finding(result):
    assert len(result.ledger.rows) == 1, result.ledger.to_records("en")
    finding = result.ledger.rows[0]
    assert finding.problem("zh")
    assert finding.repair("zh")
    assert finding.problem("en") != finding.problem("zh")
    return finding


# ---- cells, for every table of places ----


@pytest.mark.parametrize(("kind", "header"), [(kind, header) for kind in GOOD for header in REQUIRED[kind]])
def test_a_required_cell_left_blank(county, workbook, kind, header):
    result = take(county, kind, workbook, {header: "  "})
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.code, finding.is_refused) == (3, header, "blank", True)
    assert header in finding.repair("zh")
    assert (result.ledger.rows_in, result.ledger.rows_accepted, result.ledger.rows_refused) == (2, 1, 1)


@pytest.mark.parametrize("kind", GOOD)
def test_the_second_of_two_equal_ids_is_refused(county, workbook, kind):
    finding = only_finding(take(county, kind, workbook, {"编号": "A"}))
    assert (finding.row, finding.column, finding.code) == (3, "编号", "duplicate_id")
    assert "2" in finding.problem("zh")


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("value", [None, " ", float("nan")])
def test_a_blank_coordinate_is_refused(county, workbook, kind, value):
    finding = only_finding(take(county, kind, workbook, {"纬度": value}))
    assert (finding.row, finding.column, finding.code, finding.is_refused) == (3, "纬度", "no_coordinates", True)


@pytest.mark.parametrize("kind", GOOD)
def test_words_for_a_coordinate_are_refused(county, workbook, kind):
    finding = only_finding(take(county, kind, workbook, {"经度": "东经一百零九度"}))
    assert (finding.row, finding.column, finding.code) == (3, "经度", "not_a_number")
    assert finding.old_value == "东经一百零九度"


@pytest.mark.parametrize("kind", GOOD)
def test_swapped_lon_and_lat_are_repaired(county, workbook, kind):
    result = take(county, kind, workbook, {"经度": 32.6, "纬度": 109.1})
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.code, finding.is_refused) == (
        3, "经度/纬度", "coordinates_swapped", False,
    )  # fmt: skip
    assert (finding.old_value, finding.new_value) == ("32.6, 109.1", "109.1, 32.6")
    assert result.ledger.rows_accepted == 2


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("place", [(110.5, 32.7), (0.0, 0.0), (250.0, 32.7)])
def test_a_place_outside_the_county_is_refused(county, workbook, kind, place):
    finding = only_finding(take(county, kind, workbook, {"经度": place[0], "纬度": place[1]}))
    assert (finding.row, finding.column, finding.code) == (3, "经度/纬度", "outside_county")
    assert "1000" in finding.problem("zh")


def test_without_a_boundary_a_place_far_from_the_crs_is_refused(study, workbook):
    finding = only_finding(take(study, "facilities", workbook, {"经度": 0.0, "纬度": 0.0}))
    assert (finding.row, finding.code) == (3, "outside_crs")
    assert "EPSG:32649" in finding.problem("zh")


@pytest.mark.parametrize("place", [(1e308, 32.66), (109.0, 1e308), (1e200, -1e200), (469.0, 32.7), (109.0, 1e9)])
@pytest.mark.parametrize("has_county", [True, False])
def test_an_impossible_coordinate_is_refused_and_poisons_nothing(study, county, text_file, place, has_county):
    path = text_file(f"编号,名称,层级,经度,纬度\nA,甲,站,109,32.7\nB,癸,站,{place[0]!r},{place[1]!r}\n")
    result = import_file(county if has_county else study, "facilities", path, ImportOptions(frame="EPSG:4490"))
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.is_refused) == (3, "经度/纬度", True)
    assert finding.code in ("outside_crs", "outside_county")
    assert np.isfinite(shapely.get_coordinates(result.study.table("facilities").geometry)).all()


def test_a_file_of_impossible_coordinates_only_is_one_error(county, text_file):
    path = text_file("编号,名称,层级,经度,纬度\nA,甲,站,1e308,32\nB,癸,站,1e308,33\n")
    with pytest.raises(InputError, match="No usual frame fits"):
        import_file(county, "facilities", path, ImportOptions(frame="EPSG:4490"))


@pytest.mark.parametrize("vertex", [(1e300, 32.6), (460.0, 32.6), (109.1, -91.0)])
def test_one_impossible_vertex_refuses_the_shape(study, layer, vertex):
    bad = shapely.Polygon([(109, 32.5), (109.2, 32.5), vertex])
    path = layer([SQUARE, bad], "层.parquet", 代码=["1", "2"], 名称=["甲", "乙"], 级别=["县", "镇"])
    result = import_file(study, "areas", path)
    assert [(f.row, f.is_refused) for f in result.ledger.rows if f.is_refused] == [(2, True)]
    assert np.isfinite(result.study.table("areas").total_bounds).all()


@pytest.mark.parametrize(("kind", "header"), [("demand", "人口"), ("population", "人口"), ("settlements", "安置人数")])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("三四百", "not_a_number"),
        ("300-400", "not_a_number"),
        (-5, "too_small"),
        (1e9 + 1, "too_large"),
        (1e308, "too_large"),
        ("#N/A", "blank"),
        (True, "not_a_number"),
        ("inf", "not_a_number"),
        ("1_000", "not_a_number"),
    ],
)
def test_people_that_cannot_be_counted_are_refused(county, workbook, kind, header, value, code):
    finding = only_finding(take(county, kind, workbook, {header: value}))
    assert (finding.row, finding.column, finding.code, finding.is_refused) == (3, header, code, True)


@pytest.mark.parametrize(
    ("kind", "header", "value", "code"),
    [
        ("facilities", "容纳人数", "50-60", "not_a_number"),
        ("facilities", "容纳人数", -1, "too_small"),
        ("facilities", "是否线上", "部分", "not_a_flag"),
        ("facilities", "城乡分类", "郊区", "not_a_choice"),
        ("candidates", "意向", "再说", "not_a_choice"),
        ("candidates", "费用(万元)", "面议", "not_a_number"),
        ("demand", "60岁以上人数", "许多", "not_a_number"),
        ("demand", "儿童人数", -3, "too_small"),
        ("settlements", "安置年份", 2016.5, "not_an_integer"),
        ("settlements", "安置年份", 1016, "too_small"),
        ("settlements", "安置年份", 20166, "too_large"),
    ],
)
def test_an_optional_value_that_cannot_be_used_is_left_out_and_the_row_kept(
    county, workbook, kind, header, value, code
):
    result = take(county, kind, workbook, {header: value})
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.code, finding.is_refused) == (3, header, code, False)
    assert (finding.old_value, finding.new_value) == (str(value), "")
    assert result.ledger.rows_refused == 0


def test_a_way_that_is_none_of_the_six(county, workbook):
    result = take(county, "candidates", workbook, {"激活方式": "7"})
    note, finding = result.ledger.rows
    assert (finding.row, finding.column, finding.code) == (3, "激活方式", "not_a_choice")
    assert (note.code, note.values["n"]) == ("way_unstated", 1)
    assert "盘活闲置场所" in finding.repair("zh")


@pytest.mark.parametrize("value", ["1.0", 1.0, 1, " 1.00 ", "１．０", "1.盘活闲置场所", "1"])
def test_a_way_written_as_a_number_cell(county, workbook, value):
    result = take(county, "candidates", workbook, {"激活方式": value})
    assert not result.ledger.rows
    assert list(result.study.table("candidates")["way"]) == ["1", "1"]


@pytest.mark.parametrize(("kind", "whole"), [("demand", "人口"), ("settlements", "安置人数")])
def test_more_older_people_than_people(county, workbook, kind, whole):
    finding = only_finding(take(county, kind, workbook, {whole: 10, "60岁以上人数": 12}))
    assert (finding.row, finding.column, finding.code) == (3, "60岁以上人数", "part_above_whole")
    assert (finding.old_value, finding.new_value, finding.is_refused) == ("12", "10", False)


def test_every_problem_of_a_row_is_told_at_once(county, workbook):
    result = take(county, "demand", workbook, {"编号": "A", "人口": -1, "经度": None, "60岁以上人数": "x"})
    assert {(f.row, f.column, f.code) for f in result.ledger.rows} == {
        (3, "编号", "duplicate_id"), (3, "人口", "too_small"), (3, "经度", "no_coordinates"),
        (3, "60岁以上人数", "not_a_number"),
    }  # fmt: skip
    assert result.ledger.rows_refused == 1


def test_an_unquoted_thousands_separator_shifts_no_row(county, text_file):
    path = text_file("编号,人口,经度,纬度\nA,10,109,32.7\nB,1,234,109,32.7\n")
    result = import_file(county, "demand", path, WGS84)
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.code) == (3, "", "too_many_cells")
    assert list(result.study.table("demand")["population"]) == [10.0]


def test_control_characters_are_removed(county, text_file):
    result = import_file(county, "facilities", text_file("名称,层级,经度,纬度\n甲\x07站,站,109,32.7\n"), WGS84)
    assert list(result.study.table("facilities")["name"]) == ["甲站"]
    assert [(f.row, f.column) for f in result.ledger.rows if f.code == "text_cleaned"] == [(2, "名称")]


# ---- the file as a whole, for every table of places ----


@pytest.mark.parametrize("kind", GOOD)
def test_a_missing_column_is_named_with_the_headers_found(county, workbook, kind):
    row = {key: value for key, value in GOOD[kind].items() if key != REQUIRED[kind][-1]}
    with pytest.raises(InputError, match=REQUIRED[kind][-1]) as caught:
        import_file(county, kind, workbook(list(row), list(row.values())), WGS84)
    assert "编号" in str(caught.value)
    assert "--column" in str(caught.value)


@pytest.mark.parametrize("kind", GOOD)
def test_no_coordinate_columns(county, workbook, kind):
    row = {key: value for key, value in GOOD[kind].items() if key not in XY}
    with pytest.raises(InputError, match=r"no coordinates.*经度 \(lon\), 纬度 \(lat\)"):
        import_file(county, kind, workbook(list(row), list(row.values())), WGS84)


@pytest.mark.parametrize("kind", GOOD)
def test_no_frame_says_which_ones_fit(county, workbook, kind):
    with pytest.raises(InputError, match=r"(?s)--frame EPSG:4326 .*EPSG:4490.*--frame gcj02 "):
        import_file(county, kind, workbook(list(GOOD[kind]), list(GOOD[kind].values())))


def test_no_frame_for_metres_says_which_ones_fit(county, workbook):
    row = {**GOOD["demand"], "经度": 36_594_000.0, "纬度": 3_620_000.0}
    with pytest.raises(InputError, match=r"--frame EPSG:4524 "):
        import_file(county, "demand", workbook(list(row), list(row.values())))


def test_a_wrong_frame_refuses_all_and_names_the_right_one(county, workbook):
    row = {**GOOD["demand"], "经度": 36_594_000.0, "纬度": 3_620_000.0}
    with pytest.raises(
        InputError, match=r"all 1 rows are refused.*outside the county.*Frames that would fit: EPSG:4524"
    ):
        import_file(county, "demand", workbook(list(row), list(row.values())), WGS84)


@pytest.mark.parametrize("frame", ["EPSG:99999", "西安", "99999", ""])
def test_a_frame_that_does_not_exist(county, workbook, frame):
    with pytest.raises(CrsError, match="not a coordinate reference system"):
        take_with(county, workbook, ImportOptions(frame=frame))


@pytest.mark.parametrize(
    ("columns", "words"), [({"站名": "名称"}, "no field of facilities"), ({"name": "店名"}, "no header '店名'")]
)
def test_a_choice_of_columns_that_cannot_be(county, workbook, columns, words):
    with pytest.raises(InputError, match=words):
        take_with(county, workbook, ImportOptions(frame="EPSG:4326", columns=columns))


def take_with(study, workbook, options):
    row = GOOD["facilities"]
    return import_file(study, "facilities", workbook(list(row), list(row.values())), options)


@pytest.mark.parametrize("kind", GOOD)
def test_a_header_and_nothing_below(county, workbook, kind):
    with pytest.raises(InputError, match="holds no rows"):
        import_file(county, kind, workbook(list(GOOD[kind])), WGS84)


def test_every_row_refused_is_one_error_with_the_reasons(county, workbook):
    rows = [["甲", "站", None, 32.7]] * 7
    with pytest.raises(InputError, match=r"all 7 rows are refused.*no coordinates.*7 rows: 2, 3, 4, 5, 6 \.\.\."):
        import_file(county, "facilities", workbook(["名称", "层级", "经度", "纬度"], *rows), WGS84)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_file(county, text_file, kind):
    with pytest.raises(InputError):
        import_file(county, kind, text_file(b"", name="空.csv"), WGS84)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_there(county, tmp_path, kind):
    with pytest.raises(InputError):
        import_file(county, kind, tmp_path / "没有.xlsx", WGS84)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder(county, tmp_path, kind):
    with pytest.raises(InputError):
        import_file(county, kind, tmp_path, WGS84)


def test_an_unknown_kind(county, tmp_path):
    with pytest.raises(InputError, match="no kind of import"):
        import_file(county, "schools", tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("表.xlsx", b"PK\x03\x04 and then nothing", "cannot be read"),
        ("表.xlsx", "名称,层级\n甲,站\n".encode(), "does not hold what its name ending .xlsx says"),
        ("表.csv", b"PK\x03\x04\x00\x00", "zip archive"),
        ("表.xls", b"\xd0\xcf\x11\xe0", "cannot be read"),
        ("表.ods", b"PK\x03\x04", "save it as .xlsx"),
        ("表.mdb", b"x", "Export the table from Access"),
        ("图.dwg", b"x", "Save the drawing in CAD as .dxf"),
        ("表.docx", b"PK\x03\x04", "not a format that can be read"),
        ("表.csv", b"\xff\xfe\xff\xff\x80\x81 name", "no row that looks like the header"),
        ("表.csv", b"name,\x81\xff\xfe\xff\n", "neither in UTF-8 nor in GBK"),
        ("表.csv", b"name\x00,tier", "no text file"),
        ("表.csv", "今天天气很好\n没有表头\n".encode(), "no row that looks like the header"),
        ("表.csv", b'name,tier,lon,lat\n"' + b"x" * 200_000, "quotation mark"),
        ("表.zip", b"PK\x03\x04 broken", "damaged"),
        ("表.gpkg", b"SQLite format 3\x00" + bytes(5000), "damaged"),
        ("表.parquet", b"PAR1 and no foot", "damaged"),
        ("表.geojson", b'{"type": "FeatureCollection", "features": [{"type": "Fea', "damaged"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_give_one_clear_error(county, text_file, name, content, words):
    with pytest.raises(InputError, match=words):
        import_file(county, "facilities", text_file(content, name=name), WGS84)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["表.xlsx", "层.gpkg", "层.geojson", "层.parquet", "层.zip", "层.shp"])
def test_a_file_cut_short_anywhere_gives_one_clear_error(county, tmp_path, workbook, layer, name, share):
    path = cut_source(tmp_path, workbook, layer, name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError):
        import_file(county, "facilities", path, WGS84)


def cut_source(tmp_path, workbook, layer, name):
    points = shapely.points(np.linspace(109, 109.1, 300), np.full(300, 32.7))
    columns = {"名称": ["甲"] * 300, "层级": ["站"] * 300}
    if name == "表.xlsx":
        return workbook(["名称", "层级", "经度", "纬度"], *[["甲", "站", 109.0, 32.7]] * 300)
    if name != "层.zip":
        return layer(points, name, **columns)
    layer(points, "层.shp", **columns)
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in tmp_path.glob("层.[sdp]*"):
            archive.write(part, part.name)
    return tmp_path / name


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_shapefile_without_one_of_its_files(county, layer, part):
    path = layer([shapely.Point(109, 32.7)], "层.shp", 名称=["甲"], 层级=["站"])
    path.with_suffix(part).unlink()
    with pytest.raises(InputError, match=f"without its {part}"):
        import_file(county, "facilities", path)


def test_a_shapefile_without_prj_and_without_frame(county, layer):
    path = layer([shapely.Point(109, 32.7)], "层.shp", 名称=["甲"], 层级=["站"])
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match="does not say in which frame"):
        import_file(county, "facilities", path)


def test_a_shapefile_whose_attributes_are_in_no_known_encoding(county, layer):
    path = layer([shapely.Point(109, 32.7)], "层.shp", 名称=["QQQQQQQQ"], 层级=["站"])
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"QQQQQQQQ", b"\xff\xff\x80\x20\xff\xff\xff\x20"))
    with pytest.raises(InputError, match="neither in UTF-8 nor in GBK"):
        import_file(county, "facilities", path)


# ---- archives ----


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../out.csv", "a/../../out.csv", "/etc/out.csv", "C:\\out.csv", "..\\out.csv"])
def test_an_archive_that_leads_out_of_its_folder(county, tmp_path, name):
    path = zipped(tmp_path / "z.zip", **{name: "名称,层级,经度,纬度\n甲,站,109,32.7\n"})
    with pytest.raises(InputError, match="leads out of its folder"):
        import_file(county, "facilities", path, WGS84)
    assert not (tmp_path.parent / "out.csv").exists()


def test_an_archive_that_would_fill_the_disk(county, tmp_path):
    path = zipped(tmp_path / "z.zip", **{"big.csv": b"0" * (80 * 1024**2)})
    with pytest.raises(InputError, match="would unpack to"):
        import_file(county, "facilities", path, WGS84)


def test_a_workbook_that_would_fill_the_memory(county, tmp_path):
    path = zipped(tmp_path / "z.xlsx", **{"xl/workbook.xml": b" " * (80 * 1024**2)})
    with pytest.raises(InputError, match="would unpack to"):
        import_file(county, "facilities", path, WGS84)


def test_an_archive_with_a_password(county, tmp_path):
    path = zipped(tmp_path / "z.zip", **{"a.csv": "名称\n甲\n"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    start = data.index(b"PK\x01\x02")
    data[start + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="password"):
        import_file(county, "facilities", path, WGS84)


def test_an_archive_without_a_table(county, tmp_path):
    path = zipped(tmp_path / "z.zip", **{"readme.md": "x"})
    with pytest.raises(InputError, match=r"holds no file that can be read here \(readme.md\)"):
        import_file(county, "facilities", path, WGS84)


def test_an_archive_with_two_tables_asks_which_one(county, tmp_path):
    text = "名称,层级,经度,纬度\n甲,站,109,32.7\n"
    path = zipped(tmp_path / "z.zip", **{"a.csv": text, "b.csv": text})
    with pytest.raises(InputError, match=r"holds 2 layers: a.csv, b.csv"):
        import_file(county, "facilities", path, WGS84)
    assert import_file(county, "facilities", path, ImportOptions("4326", layer="b")).ledger.rows_accepted == 1


def test_a_geopackage_with_two_layers_asks_which_one(county, layer, tmp_path):
    import geopandas as gpd

    path = layer([shapely.Point(109, 32.7)], 名称=["甲"], 层级=["站"])
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 1)], crs=4326).to_file(path, layer="另一层")
    with pytest.raises(InputError, match="holds 2 layers: 层, 另一层"):
        import_file(county, "facilities", path)
    assert import_file(county, "facilities", path, ImportOptions(layer="层")).ledger.rows_accepted == 1
    with pytest.raises(InputError, match="no layer 'x'"):
        import_file(county, "facilities", path, ImportOptions(layer="x"))


@pytest.mark.parametrize("option", ["sheet", "layer"])
def test_a_text_file_has_no_sheets_or_layers(county, text_file, option):
    path = text_file("名称,层级,经度,纬度\n甲,站,109,32.7\n")
    with pytest.raises(InputError, match=rf"has no {option}s.*Leave --{option} out"):
        import_file(county, "facilities", path, ImportOptions("4326", **{option: "foo"}))


@pytest.mark.parametrize("file", ["层.geojson", "层.shp", "层.parquet", "层.gpkg"])
@pytest.mark.parametrize(("kind", "shape"), [("facilities", shapely.Point(109, 32.7)), ("roads", LINE)])
def test_a_layer_that_is_not_there(county, layer, file, kind, shape):
    path = layer([shape], file, 名称=["甲"], 层级=["站"], 道路等级=["乡道"])
    with pytest.raises(InputError, match="has no layer 'foo'"):
        import_file(county, kind, path, ImportOptions(layer="foo"))
    with pytest.raises(InputError, match="has no sheets"):
        import_file(county, kind, path, ImportOptions(sheet="foo"))
    assert import_file(county, kind, path, ImportOptions(layer="层")).ledger.rows_accepted == 1


def test_a_workbook_has_no_layers_and_a_raster_neither(county, workbook, tmp_path):
    row = GOOD["facilities"]
    with pytest.raises(InputError, match="has no layers"):
        import_file(county, "facilities", workbook(list(row), list(row.values())), ImportOptions("4326", layer="foo"))
    with pytest.raises(InputError, match="has no sheets"):
        import_file(county, "elevation", tmp_path / "a.tif", ImportOptions(sheet="foo"))
    with pytest.raises(InputError, match="has no layers"):
        import_file(county, "roads", tmp_path / "a.osm", ImportOptions(layer="foo"))


# ---- shapes ----


def test_a_layer_of_areas_is_not_taken_for_places(county, layer):
    path = layer([SQUARE] * 4, 名称=["甲", "乙", "丙", "丁"], 级别=["县", "乡镇", "Village", "站"])
    result = import_file(county, "facilities", path)
    assert [(f.row, f.column, f.code, f.is_refused) for f in result.ledger.rows if f.row] == [
        (1, "级别", "looks_like_area", True), (2, "级别", "looks_like_area", True),
        (3, "级别", "looks_like_area", True), (4, "", "geometry_to_point", False),
    ]  # fmt: skip
    assert list(result.study.table("facilities")["name"]) == ["丁"]
    with pytest.raises(InputError, match="looks like an administrative area"):
        import_file(county, "facilities", layer([SQUARE], "区.geojson", 名称=["甲"], 级别=["镇"]))


def test_a_point_may_have_a_tier_of_its_own_called_village(county, layer):
    result = import_file(county, "facilities", layer([shapely.Point(109, 32.7)], 名称=["甲"], 层级=["村"]))
    assert result.ledger.rows_accepted == 1


def test_lines_are_no_places(county, layer):
    result = import_file(
        county, "facilities", layer([shapely.Point(109, 32.7), LINE], 名称=["甲", "乙"], 层级=["站", "站"])
    )
    finding = result.ledger.rows[-1]
    assert (finding.row, finding.column, finding.code, finding.is_refused) == (2, "", "not_a_place", True)
    assert "LineString" in finding.problem("zh")


def test_features_without_a_shape_are_refused(county, layer):
    shapes = [shapely.Point(109, 32.7), None, shapely.Point()]
    result = import_file(county, "facilities", layer(shapes, 名称=["甲", "乙", "丙"], 层级=["站"] * 3))
    assert [(f.row, f.code) for f in result.ledger.rows if f.row] == [(2, "no_geometry"), (3, "no_geometry")]


@pytest.mark.parametrize(
    ("shape", "code"), [(shapely.Point(109, 32.7), "not_an_area"), (LINE, "not_an_area"), (None, "no_geometry")]
)
def test_areas_must_be_polygons(study, layer, shape, code):
    result = import_file(study, "areas", layer([SQUARE, shape], 代码=["1", "2"], 名称=["甲", "乙"], 级别=["县", "镇"]))
    finding = only_finding(result)
    assert (finding.row, finding.code, finding.is_refused) == (2, code, True)


def test_an_area_of_an_unknown_level(study, layer):
    result = import_file(study, "areas", layer([SQUARE] * 2, 代码=["1", "2"], 名称=["甲", "乙"], 级别=["县", "省"]))
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.code) == (2, "级别", "not_a_choice")


def test_two_areas_with_one_code(study, layer):
    result = import_file(study, "areas", layer([SQUARE] * 2, 代码=["1", "1"], 名称=["甲", "乙"], 级别=["县", "镇"]))
    finding = only_finding(result)
    assert (finding.row, finding.column, finding.code) == (2, "代码", "duplicate_id")


def test_areas_with_lon_and_lat_swapped_are_turned(study, layer):
    turned = shapely.transform(SQUARE, lambda xy: xy[:, ::-1])
    result = import_file(study, "areas", layer([turned], 代码=["1"], 名称=["甲"], 级别=["县"]))
    finding = only_finding(result)
    assert (finding.row, finding.code) == (1, "coordinates_swapped")
    assert result.study.table("areas").geometry.area.iloc[0] == pytest.approx(18_750 * 22_180, rel=0.01)


@pytest.mark.parametrize("kind", ["areas", "barriers"])
def test_shapes_do_not_come_from_a_workbook(study, workbook, kind):
    with pytest.raises(InputError, match="need a map layer"):
        import_file(study, kind, workbook(["代码", "名称", "级别", "类别"], ["1", "甲", "县", "河流"]), WGS84)


@pytest.mark.parametrize("kind", ["areas", "barriers"])
def test_shapes_on_the_other_side_of_the_world(study, layer, kind):
    far = shapely.box(-60, -30, -59, -29)
    with pytest.raises(InputError, match="outside the area where the study's system"):
        import_file(study, kind, layer([far], 代码=["1"], 名称=["甲"], 级别=["县"], 类别=["河流"]))


def test_a_barrier_is_no_point(study, layer):
    result = import_file(
        study, "barriers", layer([LINE, shapely.Point(109, 32.6)], 编号=["1", "2"], 类别=["河流", "铁路"])
    )
    finding = only_finding(result)
    assert (finding.row, finding.code, finding.is_refused) == (2, "not_a_barrier", True)


def test_a_barrier_of_no_kind(study, layer):
    result = import_file(
        study, "barriers", layer([LINE, LINE, LINE], 编号=["1", "2", "3"], 类别=["河流", "菜地", None])
    )
    assert [(f.row, f.column, f.code) for f in result.ledger.rows] == [
        (2, "类别", "not_a_choice"), (3, "类别", "blank"),
    ]  # fmt: skip


def test_a_geojson_in_gbk(county, tmp_path):
    text = (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"名称": "甲站", "层级": "站"},'
        ' "geometry": {"type": "Point", "coordinates": [109.0, 32.7]}}]}'
    )
    path = tmp_path / "层.geojson"
    path.write_bytes(text.encode("gb18030"))
    assert list(import_file(county, "facilities", path).study.table("facilities")["name"]) == ["甲站"]


# ---- roads ----


def test_roads_without_a_class_column(county, layer):
    with pytest.raises(InputError, match=r"no column for 道路等级 \(class\).*Headers found: 备注"):
        import_file(county, "roads", layer([LINE], 备注=["x"]))


def test_points_are_no_roads(county, layer):
    result = import_file(county, "roads", layer([LINE, shapely.Point(109, 32.6)], 道路等级=["县道", "县道"]))
    assert [(f.row, f.is_refused) for f in result.ledger.rows if f.row] == [(2, True)]
    assert (result.ledger.rows_in, result.ledger.rows_refused) == (2, 1)


def test_roads_without_a_frame(county, layer):
    path = layer([LINE], "路.shp", 道路等级=["县道"])
    path.with_suffix(".prj").unlink()
    with pytest.raises(PlannerError, match="--frame"):
        import_file(county, "roads", path)


def test_roads_from_a_workbook(county, workbook):
    with pytest.raises(InputError):
        import_file(county, "roads", workbook(["道路等级"], ["县道"]))


@pytest.mark.parametrize("content", [b"", b"no protocol buffer at all", struct.pack(">I", 13) + b"\x0a\x09OSMHeader"])
def test_a_corrupted_pbf(county, text_file, content):
    pytest.importorskip("osmium")
    with pytest.raises(InputError):
        import_file(county, "roads", text_file(content, name="路.osm.pbf"))


def test_an_osm_file_without_roads(county, text_file):
    pytest.importorskip("osmium")
    text = '<?xml version="1.0"?><osm version="0.6"><node id="1" lon="109" lat="32.7" version="1"/></osm>'
    with pytest.raises(InputError, match="no road"):
        import_file(county, "roads", text_file(text, name="路.osm"))


def test_an_osm_file_cut_short(county, text_file):
    pytest.importorskip("osmium")
    with pytest.raises(InputError):
        import_file(county, "roads", text_file('<?xml version="1.0"?><osm version="0.6"><node id="1"', name="路.osm"))


def test_roads_are_laid_over_others_but_not_updated(county, layer):
    with pytest.raises(InputError, match="no ids to update by"):
        import_file(county, "roads", layer([LINE], 道路等级=["县道"]), ImportOptions(update=True))
    once = import_file(county, "roads", layer([LINE], 道路等级=["县道"])).study
    twice = import_file(once, "roads", layer([LINE], 道路等级=["乡道"]), ImportOptions(append=True)).study
    assert set(twice.table("roads")["class"]) == {"tertiary"}
    assert twice.table("roads").length.sum() == pytest.approx(once.table("roads").length.sum())


def test_the_users_barriers_outlive_an_import_of_roads(county, layer):
    study = import_file(county, "barriers", layer([LINE], "河.gpkg", 类别=["河流"])).study
    study = import_file(study, "roads", layer([LINE], "路.gpkg", 道路等级=["高速公路"])).study
    assert list(study.table("barriers")["kind"]) == ["river"]


def test_a_class_map_that_cannot_be_read(text_file):
    assert read_class_map(text_file('"乡间路" = "tertiary"', name="m.toml")) == {"乡间路": "tertiary"}
    with pytest.raises(InputError, match="cannot be read"):
        read_class_map(text_file("乡间路 -> tertiary", name="n.toml"))


def test_a_workbook_with_charts_only(county, tmp_path):
    book = openpyxl.Workbook()
    book.create_chartsheet("图")
    del book["Sheet"]
    book.save(tmp_path / "c.xlsx")
    with pytest.raises(InputError):
        import_file(county, "facilities", tmp_path / "c.xlsx", WGS84)


def test_barriers_of_an_osm_file_without_its_roads(county, text_file):
    pytest.importorskip("osmium")
    at = {1: (109.0, 32.6), 2: (109.01, 32.6), 3: (109.0, 32.61)}
    nodes = "".join(f'<node id="{i}" lon="{lon}" lat="{lat}"/>' for i, (lon, lat) in at.items())
    way = '<way id="{}"><nd ref="{}"/><nd ref="{}"/><tag k="{}" v="{}"/></way>'
    ways = way.format(10, 1, 2, "highway", "path") + way.format(11, 2, 3, "waterway", "river")
    file = text_file(f'<?xml version="1.0"?><osm version="0.6">{nodes}{ways}</osm>', name="水.osm")
    result = import_file(county, "barriers", file)
    assert list(result.study.table("barriers")["kind"]) == ["river"]
    assert not result.study.has("roads")
    assert result.summary["rows_in"] == 1
    again = import_file(result.study, "barriers", file, ImportOptions(append=True)).study
    assert len(again.table("barriers")) == 1
