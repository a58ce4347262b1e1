"""The workbook, read back by openpyxl: a planner's ledger, and no formula whatever people are called."""

import datetime as dt
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest

from planner.errors import InputError
from planner.outputs.sheets import PEOPLE, SHARE, Book, Sheet, SheetColumn, add_sheet, write_cell
from planner.outputs.wording import in_words
from planner.outputs.workbook import league_table, sheets, write_workbook
from planner.scenario import Scenario
from planner.texts import text
from tests.reference.lattice import HOSTILE, IMAGE


@pytest.fixture(scope="module")
def book(lattice_plan, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "成果.xlsx"
    return openpyxl.load_workbook(write_workbook(lattice_plan, path))


def column_of(page, header):
    """Cells under a header of row 3."""
    for cell in page[3]:
        if cell.value == header:
            return [page.cell(row, cell.column) for row in range(4, page.max_row + 1)]
    raise AssertionError(f"no {header} in {[cell.value for cell in page[3]]}")


def test_every_part_has_its_sheet_with_frozen_headers(book, lattice_plan):
    names = [text(f"sheets.{name}", "zh") for name in ("summary", "towns", "gaps", "settlements", "proposals")]
    assert set(names) <= set(book.sheetnames)
    for page in book.worksheets[1:]:  # the first is the leader's page: tests/outputs/test_leader.py
        assert page.freeze_panes == "B4"
        assert page.auto_filter.ref.startswith("A3:")
        assert page.max_row >= 4
        headers = [cell.value for cell in page[3] if cell.value is not None]
        assert len(headers) == len(set(headers)), f"{page.title}: two columns of one name"
        assert all(any("一" <= letter <= "鿿" for letter in header) for header in headers), headers
        assert page.column_dimensions["A"].width >= 8
        note = page.cell(2, 1).value
        assert "15" in note
        assert "1080" in note.replace(",", ""), note


def test_no_cell_is_a_formula_and_no_word_is_lost(book):
    words = set()
    for page in book:
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n", "b", "d"}, (page.title, cell.coordinate, cell.value)
                assert cell.hyperlink is None
                words.add(cell.value)
    assert {"=cmd()", IMAGE, "=乙镇"} <= words
    with_prefix = [
        cell.quotePrefix
        for page in book
        for row in page.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value[:1] in {"=", "+", "@"}
    ]
    assert with_prefix
    assert all(with_prefix)


def test_numbers_are_numbers_with_their_formats(book, lattice_plan):
    page = book[text("sheets.towns", "zh")]
    people = column_of(page, text("columns.population", "zh"))
    assert {cell.number_format for cell in people} == {PEOPLE}
    expected = lattice_plan.study.table("demand")["population"].sum()
    assert sum(cell.value for cell in people) == expected
    walk = column_of(page, text("sheets.share_of", "zh", profile=text("terms.walk", "zh")))
    assert {cell.number_format for cell in walk} == {SHARE}
    assert all(0 <= cell.value <= 1 for cell in walk)


def test_towns_are_ranked_by_people_left_out(lattice_plan):
    table = league_table(lattice_plan)
    assert table["rank"].tolist() == [1, 2]
    assert table["uncovered_people"].is_monotonic_decreasing
    assert [column for column in table.columns if column.startswith("share:")] == [
        f"share:{code}" for code in Scenario().profiles
    ]


def test_years_of_opening_stand_only_where_years_were_asked(lattice_plan):
    def headers(plan):
        return [c.header for s in sheets(plan) if s.name == text("sheets.proposals") for c in s.columns]

    assert not {"入住年份", "启用年份"} & set(headers(lattice_plan))
    by_year = replace(lattice_plan, proposals=lattice_plan.proposals.assign(year=2027))
    assert "启用年份" in headers(by_year)
    assert "入住年份" not in headers(by_year)


def test_kinds_of_sources_are_words(lattice_plan):
    history = pd.DataFrame({"kind": ["areas", "elevation"], "file": ["a", "b"], "rows_in": [1, 2]})
    plan = replace(lattice_plan, study=replace(lattice_plan.study, history=history))
    table = next(sheet.table for sheet in sheets(plan) if sheet.name == text("sheets.sources"))
    assert not set(table["kind"]) & set(history["kind"])


def test_english_sheets_have_english_headers(lattice_plan):
    headers = [column.header for sheet in sheets(lattice_plan, "en") for column in sheet.columns]
    assert not [header for header in headers if any("一" <= letter <= "鿿" for letter in header)]


@pytest.mark.parametrize("value", [*HOSTILE, "\x00a\x07b", "=1\x0b+1", "甲" * 40_000])
def test_any_text_stays_a_text(tmp_path, value):
    cell = written(tmp_path / "one.xlsx", value)
    assert cell.data_type == "s"
    cleaned = "".join(letter for letter in value if letter >= " ")[:32_767]
    assert cell.value == cleaned
    assert cell.quotePrefix == (cleaned[0] in "=+-@")


@pytest.mark.parametrize("value", [None, np.nan, np.inf, -np.inf, pd.NA, np.float64("nan"), pd.NaT])
def test_the_unknown_stays_empty(tmp_path, value):
    assert written(tmp_path / "one.xlsx", value).value is None


@pytest.mark.parametrize("value", [True, 3, 2.5, np.int64(7), dt.datetime.fromisoformat("2026-11-22")])
def test_figures_and_dates_keep_their_kind(tmp_path, value):
    read = written(tmp_path / "one.xlsx", value).value
    assert read == value
    assert isinstance(read, type(value.item() if isinstance(value, np.generic) else value))


def test_a_file_that_cannot_be_written_is_one_message(tmp_path):
    with pytest.raises(InputError, match="cannot be written"), Book(tmp_path / "no" / "folder.xlsx") as book:
        book.page("one")


def test_what_fails_inside_leaves_no_file(tmp_path):
    with pytest.raises(KeyError), Book(tmp_path / "half.xlsx"):
        raise KeyError
    assert not list(tmp_path.iterdir())


def written(path, value):
    with Book(path) as book:
        write_cell(book.page("one"), 0, 0, value, book.style())
    return openpyxl.load_workbook(path).worksheets[0].cell(1, 1)


def test_a_sheet_of_no_rows_and_a_long_name(tmp_path):
    table = pd.DataFrame({"a": []})
    with Book(tmp_path / "none.xlsx") as book:
        add_sheet(book, Sheet("名" * 40, "=title", "+note", [SheetColumn("a", "=header")], table))
    page = openpyxl.load_workbook(tmp_path / "none.xlsx").worksheets[0]
    assert len(page.title) == 31
    assert [page.cell(row, 1).data_type for row in (1, 2, 3)] == ["s", "s", "s"]


def test_sizes_remedies_and_qualities_are_words(lattice_plan):
    worded = in_words(lattice_plan.settlements, "zh")
    assert set(worded["size_class"]) == {"小型"}
    assert set(worded["remedy"].dropna()) <= {"提升现有阵地", "启用候选点", "流动服务", "先核查附近道路"}
    assert set(in_words(lattice_plan.settlement_totals, "zh")["size_class"]) == {"小型", "合计"}
    assert set(in_words(lattice_plan.equity.summary, "zh")["state"]) == {"现状", "启用之后"}
    assert set(in_words(lattice_plan.practice.places, "zh")["quality"]) <= {"达标", "未达标", "未评"}
