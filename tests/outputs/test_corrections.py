import openpyxl
import pytest
from geopandas.testing import assert_geodataframe_equal

from planner.errors import InputError
from planner.inputs.intake import import_file, study_ledger
from planner.inputs.options import ImportOptions
from planner.ledger import Ledger, LedgerRow, ledger_counts
from planner.outputs.corrections import write_corrections
from planner.study import new_study

OPTIONS = ImportOptions(frame="EPSG:4326", keep_rows=True)


@pytest.fixture
def book_of(tmp_path):
    def write(*rows, name="甲镇.xlsx"):
        book = openpyxl.Workbook()
        for row in (["小组", "人口", "经度", "纬度"], *rows):
            book.worksheets[0].append(row)
        for cells in book.worksheets[0].iter_rows():
            cells[0].data_type = "s"
        book.save(tmp_path / name)
        return tmp_path / name

    return write


STUDY = new_study("示例县", "EPSG:32649")
ROWS = [["一组", 30, 109.0, 32.7], ["二组", "很多", 109.1, 32.7], ["=1+1", "约40", 109.2, 32.7]]


def test_a_copy_goes_back_is_mended_and_comes_in_again(book_of, tmp_path):
    first = import_file(STUDY, "demand", book_of(*ROWS), OPTIONS)
    assert first.study.table("demand")["demand_id"].tolist() == ["D00001", "D00003"]
    back = write_corrections(tmp_path / "退回.xlsx", first.ledger, first.rows)
    book = openpyxl.load_workbook(back)
    page = book.worksheets[0]
    assert [cell.value for cell in page[2]] == [
        "编号", "小组", "人口", "经度", "纬度", "问题 Problem", "怎么改 Repair", "出处 Source",
    ]  # fmt: skip
    assert page["C4"].fill.fgColor.rgb == "FFF4B6B0"
    assert page["C5"].fill.fgColor.rgb == "FFFDE9B8"
    assert page["B5"].data_type == "s"
    assert "“很多”不是数字" in page["F4"].value
    assert "'很多' is not a number" in page["F4"].value
    page["C4"].value = 50
    book.save(back)
    update = ImportOptions(frame="EPSG:4326", update=True)
    mended = import_file(first.study, "demand", back, update).study
    table = mended.table("demand").sort_values("demand_id")
    assert list(zip(table["demand_id"], table["population"], strict=True)) == [
        ("D00001", 30), ("D00002", 50), ("D00003", 40),
    ]  # fmt: skip
    # What was settled has left the ledger; importing the same copy again changes nothing.
    assert not [row for row in study_ledger(mended).rows if row.is_refused]
    again = import_file(mended, "demand", back, update).study
    assert_geodataframe_equal(again.table("demand"), mended.table("demand"))
    with pytest.raises(InputError, match="is there already"):
        write_corrections(back, first.ledger, first.rows)


def test_a_second_town_is_added_and_its_copy_touches_no_other(book_of, tmp_path):
    study = import_file(STUDY, "demand", book_of(*ROWS), OPTIONS).study
    more = ImportOptions(frame="EPSG:4326", append=True, keep_rows=True)
    result = import_file(
        study, "demand", book_of(["四组", None, 109.3, 32.7], ["五组", 5, 109.3, 32.8], name="乙镇.xlsx"), more
    )
    ids = result.study.table("demand")["demand_id"].tolist()
    assert len(set(ids)) == 3
    back = write_corrections(tmp_path / "退回.xlsx", result.ledger, result.rows)
    book = openpyxl.load_workbook(back)
    book.worksheets[0]["C3"].value = 4
    book.save(back)
    mended = import_file(result.study, "demand", back, ImportOptions(frame="EPSG:4326", update=True)).study
    assert set(ids) < set(mended.table("demand")["demand_id"])
    assert mended.table("demand")["population"].sum() == 30 + 40 + 4 + 5
    assert [(row.file, row.code) for row in study_ledger(mended).rows if row.is_refused] == [
        ("甲镇.xlsx", "not_a_number")
    ]


def test_findings_are_counted_worst_first():
    rows = (
        LedgerRow("f", 2, "人口", "number_cleaned", {"value": "约3", "number": "3"}, is_refused=False),
        LedgerRow("f", 3, "人口", "number_cleaned", {"value": "约4", "number": "4"}, is_refused=False),
        LedgerRow("f", 4, "站名", "blank", {"header": "站名"}),
    )
    counts = ledger_counts(rows, "en")
    assert counts[["code", "n_refused", "n_repaired", "rows"]].to_numpy().tolist() == [
        ["blank", 1, 0, "4"], ["number_cleaned", 0, 2, "2, 3"],
    ]  # fmt: skip


def test_a_ledger_without_rows_is_a_workbook_too(tmp_path):
    book = openpyxl.load_workbook(write_corrections(tmp_path / "l.xlsx", Ledger(3, 0, ())))
    assert book.sheetnames == ["问题清单 problems", "分类汇总 by kind"]


def test_refused_rows_keep_the_place_that_they_were_given(book_of):
    rows = [*ROWS, ["四组", 10, "东", 32.7]]
    result = import_file(STUDY, "demand", book_of(*rows), OPTIONS)
    assert result.ledger.rows_refused == 2
    assert result.places.index.tolist() == [("甲镇.xlsx", row) for row in (2, 3, 4)]
    degrees = result.places.to_crs("EPSG:4326")
    assert degrees.x.tolist() == pytest.approx([109.0, 109.1, 109.2], abs=1e-8)
    assert degrees.y.tolist() == pytest.approx([32.7, 32.7, 32.7], abs=1e-8)
