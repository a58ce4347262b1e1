import zipfile
from decimal import Decimal

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

from planner.crs import transform
from planner.errors import CancelledError, InputError
from planner.hashes import file_hash
from planner.inputs.intake import ImportOptions, import_file
from planner.progress import Cancellable
from planner.schema import CONTRACTS

WGS84 = ImportOptions(frame="EPSG:4326")
HEADER = ["编号", "站名", "层级", "经度", "纬度"]
ROWS = [["A1", "甲站", "站", 109.0, 32.7], ["A2", "乙所", "所", 109.1, 32.8]]


def lonlat(table):
    return np.column_stack(transform(table.geometry.x, table.geometry.y, table.crs.to_string(), "EPSG:4326"))


def codes(result):
    return [(finding.row, finding.column, finding.code) for finding in result.ledger.rows]


def test_a_clean_workbook_goes_in_whole(county, workbook):
    result = import_file(county, "facilities", workbook(HEADER, *ROWS), WGS84)
    table = result.study.table("facilities")
    assert list(table.columns) == [*(c.name for c in CONTRACTS["facilities"].columns), "geometry"]
    assert list(table["facility_id"]) == ["A1", "A2"]
    assert list(table["tier"]) == ["station", "institute"]
    assert np.allclose(lonlat(table), [[109.0, 32.7], [109.1, 32.8]], atol=1e-9)
    assert result.ledger.rows == ()
    assert result.summary == {"rows_in": 2, "rows_accepted": 2, "rows_refused": 0, "n_repaired": 0}
    assert not county.has("facilities")


def test_rows_are_numbered_as_the_spreadsheet_shows_them(county, workbook):
    path = workbook(["示例县阵地一览表"], [], HEADER, ROWS[0], [], ["A2", None, "所", 109.1, 32.8])
    result = import_file(county, "facilities", path, WGS84)
    assert codes(result) == [(6, "站名", "blank")]
    assert result.ledger.rows_in == 2


def test_a_merged_title_and_cells_merged_downwards(county, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["示例县需求点"], ["乡镇", "小组", "人口", "经度", "纬度"], ["甲镇", "一组", 30, 109.0, 32.7],
                [None, "二组", None, 109.0, 32.71], ["乙镇", "三组", 5, 109.0, 32.72]):  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("A1:E1")
    sheet.merge_cells("A3:A4")
    sheet.merge_cells("C3:C4")
    book.save(tmp_path / "d.xlsx")
    result = import_file(county, "demand", tmp_path / "d.xlsx", WGS84)
    assert list(result.study.table("demand")["town"]) == ["甲镇", "乙镇"]
    # The people of a merged cell are not counted twice: the row without its own figure is refused.
    assert (4, "人口", "blank") in codes(result)


def book_of_sheets(path, *titles, **hidden):
    book = openpyxl.Workbook()
    book.worksheets[0].append(["说明"])
    for title in titles:
        sheet = book.create_sheet(title)
        sheet.append(HEADER)
        sheet.append([f"A-{title}", "甲", title, 109.0, 32.7])
        sheet.sheet_state = hidden.get(title, "visible")
    book.save(path)
    return path


def test_the_sheet_with_the_data_is_found(county, tmp_path):
    result = import_file(county, "facilities", book_of_sheets(tmp_path / "f.xlsx", "站"), WGS84)
    assert list(result.study.table("facilities")["tier"]) == ["station"]
    assert (result.proposal.source.part, result.proposal.source.others) == ("站", ("Sheet",))
    assert result.ledger.rows == ()


def test_of_several_sheets_one_is_asked_for_or_all_are_taken(county, tmp_path):
    path = book_of_sheets(tmp_path / "f.xlsx", "站", "所", "点", 点="hidden")
    with pytest.raises(InputError, match=r"2 sheets that look like facilities .*: 站, 所. Name one with --sheet"):
        import_file(county, "facilities", path, WGS84)
    one = import_file(county, "facilities", path, ImportOptions(frame="EPSG:4326", sheet="所"))
    assert list(one.study.table("facilities")["tier"]) == ["institute"]
    both = import_file(county, "facilities", path, ImportOptions(frame="EPSG:4326", sheet="*"))
    assert list(both.study.table("facilities")["tier"]) == ["station", "institute"]
    assert both.summary["rows_in"] == both.ledger.rows_in == 2
    again = import_file(both.study, "facilities", path, ImportOptions(frame="EPSG:4326", sheet="*"))
    assert_geodataframe_equal(again.study.table("facilities"), both.study.table("facilities"))
    with pytest.raises(InputError, match="no sheet 'x'\\. It has: Sheet, 站, 所, 点"):
        import_file(county, "facilities", path, ImportOptions(frame="4326", sheet="x"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_tables_in_the_encodings_that_are_met(county, text_file, encoding, separator):
    text = '示例县阵地\n编号,站名,层级,经度,纬度\nA1,"甲站\n(东)",站,109.0,32.7\n\n'.replace(",", separator)
    result = import_file(county, "facilities", text_file(text, encoding=encoding), WGS84)
    assert list(result.study.table("facilities")["name"]) == ["甲站\n(东)"]
    assert result.ledger.rows == ()


def test_headers_in_english_with_units_brackets_and_case(county, workbook):
    path = workbook(["Demand ID", "Population(人)", "Lon (°)", "LAT", "60岁以上 人数*"], ["d", 10, 109.0, 32.7, 3])
    table = import_file(county, "demand", path, WGS84).study.table("demand")
    assert table[["demand_id", "population", "age60"]].iloc[0].tolist() == ["d", 10.0, 3.0]


def test_origins_come_in_the_frame_of_their_table(county, workbook):
    rows = [
        ["编号", "名称", "安置人数", "经度", "纬度", "迁出点经度", "迁出点纬度"],
        ["a", "甲", 900, 109.0, 32.7, 109.01, 32.71],
        ["b", "乙", 900, 109.0, 32.7, 109.01, None],
        ["c", "丙", 900, 109.0, 32.7, 500000, 3600000],
        ["d", "丁", 900, 109.0, 32.7, None, None],
    ]
    result = import_file(county, "settlements", workbook(*rows), WGS84)
    table = result.study.table("settlements").set_index("settlement_id")
    x, y = transform([109.01], [32.71], "EPSG:4326", county.crs)
    assert table.loc["a", ["origin_x", "origin_y"]].tolist() == pytest.approx([x[0], y[0]])
    assert table.loc[["b", "c", "d"], "origin_x"].isna().all()
    assert [(f.row, f.code, f.is_refused) for f in result.ledger.rows] == [
        (3, "origin_half", False), (4, "origin_nowhere", False),
    ]  # fmt: skip


def test_the_users_own_choice_of_columns_wins(county, workbook):
    path = workbook(["名称", "正式名", "层级", "经度", "纬度", "E1", "N1"], ["甲", "甲站", "站", 1, 1, 109.0, 32.7])
    columns = {"name": "正式名", "lon": "E1", "y": "N1"}
    result = import_file(county, "facilities", path, ImportOptions(frame="4326", columns=columns))
    assert list(result.study.table("facilities")["name"]) == ["甲站"]
    assert codes(result)[0] == (0, "", "columns_ignored")
    assert result.ledger.rows[0].values["headers"] == "名称, 经度, 纬度"


@pytest.mark.parametrize("name", ["层.gpkg", "层.geojson", "层.parquet", "层.shp"])
def test_layers_bring_their_own_frame(county, layer, name):
    points = [shapely.Point(109.0, 32.7, 400.0), shapely.Point(109.1, 32.8, 500.0)]
    columns = {"名称": ["甲站", "乙站"], "层级": ["站", "站"], "是否线上": ["是", "否"]}
    read = import_file(county, "facilities", layer(points, name, **columns)).study.table("facilities")
    assert np.allclose(lonlat(read), [[109.0, 32.7], [109.1, 32.8]], atol=1e-9)
    assert list(read["name"]) == ["甲站", "乙站"]
    assert list(read["is_online"]) == [True, False]
    assert not read.geometry.has_z.any()


def test_a_frame_of_the_users_overrides_the_layers(county, layer):
    x, y = transform([109.0], [32.7], "EPSG:4326", "EPSG:4545")
    path = layer(shapely.points(x, y), crs="EPSG:4326", 名称=["甲站"], 层级=["站"])
    result = import_file(county, "facilities", path, ImportOptions(frame="EPSG:4545"))
    assert np.allclose(lonlat(result.study.table("facilities")), [[109.0, 32.7]], atol=1e-6)
    assert result.study.history["frame"].iloc[-1] == "EPSG:4545"


def test_eastings_with_the_zone_number_in_front(county, workbook):
    x, y = transform([109.0], [32.7], "EPSG:4326", "EPSG:4524")
    path = workbook(["站名", "层级", "Y坐标(东)", "X坐标(北)"], ["甲", "站", float(x[0]), float(y[0])])
    columns = {"x": "Y坐标(东)", "y": "X坐标(北)"}
    table = import_file(county, "facilities", path, ImportOptions("4524", columns)).study.table("facilities")
    assert np.allclose(lonlat(table), [[109.0, 32.7]], atol=1e-6)


def test_a_zipped_gbk_shapefile_without_cpg_and_with_a_chinese_name(county, layer, tmp_path):
    path = layer([shapely.Point(109.0, 32.7)], "阵地.shp", 名称=["汉江边的新时代文明实践站"], 层级=["站"])
    (tmp_path / "阵地.cpg").unlink()
    with zipfile.ZipFile(tmp_path / "阵地.zip", "w") as archive:
        for part in tmp_path.glob("阵地.[sdp]*"):
            info = zipfile.ZipInfo(part.name.encode("gbk").decode("cp437"))
            archive.writestr(info, part.read_bytes())
    table = import_file(county, "facilities", tmp_path / "阵地.zip").study.table("facilities")
    assert list(table["name"]) == ["汉江边的新时代文明实践站"]
    assert path.exists()


def test_shapefile_headers_cut_at_ten_bytes_are_known(county, layer):
    path = layer([shapely.Point(109.0, 32.7)], "s.shp", settlement_id=["S9"], name=["甲"], people=[900], 安置户数=[200])
    table = import_file(county, "settlements", path).study.table("settlements")
    assert list(table["settlement_id"]) == ["S9"]
    assert list(table["households"]) == [200.0]


def test_polygons_give_places_a_point_inside(county, layer):
    ring = shapely.Polygon([(109, 32.7), (109.1, 32.7), (109.1, 32.8), (109.09, 32.71), (109, 32.71)])
    result = import_file(county, "demand", layer([ring], 人口=[12]))
    point = shapely.Point(*lonlat(result.study.table("demand"))[0])
    assert ring.contains(point)
    finding = result.ledger.rows[-1]
    assert (finding.row, finding.code, finding.old_value, finding.new_value) == (
        1, "geometry_to_point", "Polygon", "Point",
    )  # fmt: skip


def test_areas_become_valid_multipolygons(study, layer):
    bow = shapely.Polygon([(109, 32), (109.1, 32.1), (109.1, 32), (109, 32.1)])
    result = import_file(
        study, "areas", layer([bow, shapely.box(109, 32, 110, 33)], 名称=["甲", "乙"], 级别=["村", "镇"])
    )
    table = result.study.table("areas")
    assert set(table.geom_type) == {"MultiPolygon"}
    assert table.is_valid.all()
    assert [finding.code for finding in result.ledger.rows if finding.row] == ["geometry_mended"]


def test_barriers_are_lines_or_polygons(study, layer):
    shapes = [shapely.LineString([(109, 32.7), (109.2, 32.7)]), shapely.box(109, 32, 109.1, 32.1)]
    table = import_file(study, "barriers", layer(shapes, 类别=["铁路", "河流"])).study.table("barriers")
    assert list(table["kind"]) == ["railway", "river"]
    assert list(table["barrier_id"]) == ["B00001", "B00002"]


def test_swapped_coordinates_are_mended_and_told(county, workbook):
    result = import_file(county, "facilities", workbook(HEADER, ["A1", "甲", "站", 32.7, 109.0]), WGS84)
    finding = result.ledger.rows[0]
    assert (finding.row, finding.column, finding.code) == (2, "经度/纬度", "coordinates_swapped")
    assert (finding.old_value, finding.new_value) == ("32.7, 109", "109, 32.7")
    assert not finding.is_refused
    assert np.allclose(lonlat(result.study.table("facilities")), [[109.0, 32.7]])


def test_without_a_boundary_the_crs_tells_swapped_coordinates(study, workbook):
    result = import_file(study, "facilities", workbook(HEADER, ["A1", "甲", "站", 32.7, 109.0]), WGS84)
    assert [finding.code for finding in result.ledger.rows] == ["coordinates_swapped"]


def test_places_just_over_the_boundary_are_kept_and_farther_ones_refused(county, workbook):
    near, far = 109.5 + 900 / 93_700, 109.5 + 1_200 / 93_700
    result = import_file(
        county, "facilities", workbook(HEADER, ["A1", "近", "站", near, 32.7], ["A2", "远", "站", far, 32.7]), WGS84
    )
    assert codes(result) == [(3, "经度/纬度", "outside_county")]


def test_numbers_as_people_write_them(county, workbook):
    wide = "\uff11\uff12\uff13\uff14"
    path = workbook(
        ["编号", "人口", "60岁以上", "经度", "纬度"],
        ["a", "1,234", "12人", 109.0, 32.7],
        ["b", wide, "-", 109.0, 32.7],
        ["c", " 7 ", None, "109.0", "32.7°"],
    )
    result = import_file(county, "demand", path, WGS84)
    table = result.study.table("demand")
    assert list(table["population"]) == [1234.0, 1234.0, 7.0]
    assert table["age60"].iloc[0] == 12.0
    assert table["age60"].isna().tolist() == [False, True, True]
    assert [(f.row, f.column, f.old_value, f.new_value) for f in result.ledger.rows] == [
        (2, "人口", "1,234", "1234"),
        (2, "60岁以上", "12人", "12"),
        (3, "人口", wide, "1234"),
        (4, "纬度", "32.7°", "32.7"),
    ]


def test_groups_are_cut_to_the_people_there_are(county, workbook):
    path = workbook(
        ["编号", "人口", "60岁以上", "儿童", "搬迁人口", "经度", "纬度"], ["a", 100, 70, 40, 120, 109.0, 32.7]
    )
    result = import_file(county, "demand", path, WGS84)
    row = result.study.table("demand").iloc[0]
    assert (row["age60"], row["children"], row["relocated"]) == (70.0, 30.0, 100.0)
    assert [(f.column, f.old_value, f.new_value) for f in result.ledger.rows] == [
        ("儿童", "40", "30"), ("搬迁人口", "120", "100"),
    ]  # fmt: skip


def test_missing_ids_are_given_in_order_and_never_twice(county, workbook):
    path = workbook(
        HEADER, ["F00001", "甲", "站", 109.0, 32.7], [None, "乙", "站", 109.0, 32.7], [3.0, "丙", "站", 109, 32.7]
    )
    result = import_file(county, "facilities", path, WGS84)
    assert list(result.study.table("facilities")["facility_id"]) == ["F00001", "F00002", "3"]
    assert [(f.row, f.code, f.new_value) for f in result.ledger.rows] == [(3, "id_given", "F00002")]


def test_appending_keeps_what_is_there(county, workbook):
    first = import_file(county, "facilities", workbook(HEADER, *ROWS), WGS84).study
    more = workbook(HEADER, ["A1", "丙", "站", 109.0, 32.7], [None, "丁", "站", 109.0, 32.7], name="more.xlsx")
    result = import_file(first, "facilities", more, ImportOptions(frame="EPSG:4326", append=True))
    assert list(result.study.table("facilities")["facility_id"]) == ["A1", "A2", "F00001"]
    assert (2, "编号", "taken_id") in codes(result)
    replaced = import_file(first, "facilities", more, WGS84).study
    assert list(replaced.table("facilities")["name"]) == ["丙", "丁"]


def test_the_history_and_the_ledger_of_the_study_grow(county, workbook):
    path = workbook(HEADER, *ROWS, ["A2", "丁", "站", 109.0, 32.7])
    moment = pd.Timestamp("2024-05-01T08:00:00+08:00").to_pydatetime()
    study = import_file(county, "facilities", path, WGS84, imported_at=moment).study
    assert list(study.history["kind"]) == ["areas", "facilities"]
    row = study.history.iloc[-1]
    assert (row["file"], row["frame"], row["rows_in"], row["rows_accepted"], row["rows_refused"]) == (
        "表.xlsx", "EPSG:4326", 3, 2, 1,
    )  # fmt: skip
    assert row["imported_at"] == "2024-05-01T00:00:00+00:00"
    assert row["sha256"] == file_hash(path)
    assert study.ledger[["kind", "row", "code", "values"]].values.tolist() == [
        ["facilities", 4, "duplicate_id", '{"value": "A2", "first": 3}']
    ]


def test_total_lines_are_no_records(county, workbook):
    path = workbook(["序号", "小组", "人口", "经度", "纬度"], [1, "一组", 5, 109.0, 32.7], ["合 计", None, 5])
    result = import_file(county, "demand", path, WGS84)
    assert result.study.table("demand")["population"].sum() == 5
    assert (3, "序号", "total_row") in codes(result)
    assert len([finding for finding in result.ledger.rows if finding.row == 3]) == 1


def test_text_that_looks_like_a_formula_stays_text(county, text_file):
    path = text_file("站名,层级,经度,纬度\n\"=cmd|'/c calc'!A0\",站,109,32.7\n")
    assert import_file(county, "facilities", path, WGS84).study.table("facilities")["name"][0] == "=cmd|'/c calc'!A0"


def test_own_tiers_are_kept_and_known_words_become_codes(county, workbook):
    path = workbook(
        HEADER,
        ["1", "a", " 新时代文明实践站 ", 109, 32.7],
        ["2", "b", "书屋", 109, 32.7],
        ["3", "c", "Centre", 109, 32.7],
    )
    assert list(import_file(county, "facilities", path, WGS84).study.table("facilities")["tier"]) == [
        "station", "书屋", "centre",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["1", 1, 1.0, "盘活闲置场所", "1.盘活闲置场所", "1、闲置", "Idle Premises"])
def test_the_six_ways_as_people_write_them(county, workbook, word):
    path = workbook(["名称", "激活方式", "经度", "纬度"], ["旧校舍", word, 109.0, 32.7])
    table = import_file(county, "candidates", path, WGS84).study.table("candidates")
    assert list(table["way"]) == ["1"]
    assert list(table["tier"]) == ["point"]


def test_the_kind_population_reads_a_table_of_people(county, workbook):
    path = workbook(["人口", "经度", "纬度"], [7, 109.0, 32.7])
    study = import_file(county, "population", path, WGS84).study
    assert study.table("demand")["population"].sum() == 7
    assert study.metadata["population_source"] == "表.xlsx"
    assert study.history["kind"].iloc[-1] == "population"


def test_cancelling_stops_an_import(county, workbook):
    progress = Cancellable()
    progress.cancel()
    with pytest.raises(CancelledError):
        import_file(county, "facilities", workbook(HEADER, *ROWS), WGS84, progress)


def test_the_same_file_gives_the_same_table(county, workbook):
    path = workbook(HEADER[1:], *(row[1:] for row in ROWS))
    tables = [import_file(county, "facilities", path, WGS84).study.table("facilities") for _ in range(2)]
    assert_geodataframe_equal(*tables)


def test_typed_columns_of_a_layer_with_missing_values(county, tmp_path):
    table = gpd.GeoDataFrame(
        {
            "name": pd.array(["甲", "乙"], dtype="string"),
            "people": [Decimal("900"), Decimal("12.5")],
            "year": pd.array([2016, None], dtype="Int64"),
            "town": pd.Categorical(["东镇", None]),
            "age60": pd.array([None, 3], dtype="Float64"),
        },
        geometry=shapely.points([109.0, 109.1], [32.7, 32.7]),
        crs=4490,
    )
    table.to_parquet(tmp_path / "s.parquet")
    read = import_file(county, "settlements", tmp_path / "s.parquet").study.table("settlements")
    assert list(read["people"]) == [900.0, 12.5]
    assert read["year"].isna().tolist() == [False, True]
    assert read["town"].isna().tolist() == [False, True]
    assert read["age60"].isna().tolist() == [True, False]


def test_a_parquet_table_without_geometry_uses_its_coordinate_columns(county, tmp_path):
    table = pd.DataFrame({"人口": [3, 4], "lon": [109.0, 109.1], "lat": [32.7, float("nan")]})
    table.to_parquet(tmp_path / "d.parquet")
    result = import_file(county, "demand", tmp_path / "d.parquet", WGS84)
    assert [(f.row, f.column, f.code) for f in result.ledger.rows if f.row] == [(2, "lat", "no_coordinates")]


def test_a_note_beside_the_layer_in_an_archive_is_passed_over(county, tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("说明.txt", "坐标系:EPSG:4490")
        archive.writestr("__MACOSX/._a.csv", "x")
        archive.writestr("a.csv", "名称,层级,经度,纬度\n甲,站,109,32.7\n")
    assert import_file(county, "facilities", tmp_path / "z.zip", WGS84).ledger.rows_accepted == 1


def test_the_hash_of_a_shapefile_covers_its_attributes(layer):
    path = layer([shapely.Point(109.0, 32.7)], "s.shp", name=["甲"])
    before = file_hash(path)
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes()[:-2] + b"x" + table.read_bytes()[-1:])
    assert file_hash(path) != before


def test_a_total_of_a_category_is_found_in_any_text_column(county, workbook):
    rows = [["甲镇", "一组", 5, 109.0, 32.7], ["小计：", None, 5, None, None], ["总  计", None, 5, 109.0, 32.7]]
    result = import_file(county, "demand", workbook(["乡镇", "小组", "人口", "经度", "纬度"], *rows), WGS84)
    assert [(f.row, f.code) for f in result.ledger.rows if f.row] == [(3, "total_row"), (4, "total_row")]


def test_a_sheet_formatted_down_to_its_last_row_is_read_quickly(county, tmp_path):
    book = openpyxl.Workbook()
    for row in (HEADER, *ROWS):
        book.worksheets[0].append(row)
    book.worksheets[0].cell(1_048_576, 200).font = openpyxl.styles.Font(bold=True)
    book.save(tmp_path / "f.xlsx")
    assert import_file(county, "facilities", tmp_path / "f.xlsx", WGS84).ledger.rows_in == 2
