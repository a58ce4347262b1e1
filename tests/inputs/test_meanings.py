"""Cells that can be read and mean nothing: each a row of the ledger when a file is imported, nothing changed for it."""

import pytest

from planner.inputs.intake import ImportOptions, import_file

WGS84 = ImportOptions(frame="EPSG:4326")
HEADERS = ("编号", "名称", "层级", "上级编号", "五有情况", "开放时间", "经度", "纬度")


def taken(county, workbook, *rows, options=WGS84):
    """Import places of id, tier, parent, checklist and hours, written from row 2 on."""
    lines = [(key, f"{key}站", *rest, 109.0, 32.7 + 0.01 * n) for n, (key, *rest) in enumerate(rows)]
    return import_file(county, "facilities", workbook(HEADERS, *lines), options)


def said(result):
    return [(row.row, row.column, row.code, row.is_refused) for row in result.ledger.rows]


@pytest.mark.parametrize(
    ("place", "column", "code", "value"),
    [
        (("squad", None, None, None), "层级", "tier_undeclared", "squad"),
        (("站", None, "有车辆=有；有场所=有", None), "五有情况", "checklist_item_unknown", "有车辆=有"),
        (("站", None, "有场所=好", None), "五有情况", "checklist_state_unknown", "有场所=好"),
        (("站", None, "有场所=有@去年", None), "五有情况", "checklist_date_unreadable", "有场所=有@去年"),
        (("站", None, None, "周一 17:00-8:00"), "开放时间", "hours_end_before_begin", "周一 17:00-8:00"),
        (("站", None, None, "周一 9:00-25:00"), "开放时间", "hours_no_clock_time", "周一 9:00-25:00"),
        (("站", None, None, "8:75-12:00"), "开放时间", "hours_no_clock_time", "8:75-12:00"),
        (("站", None, None, "看情况"), "开放时间", "hours_unreadable", "看情况"),
        (("站", None, None, "9:00-12:00，11:00-14:00"), "开放时间", "hours_overlap", "11:00-14:00"),
    ],
)  # fmt: skip
def test_a_cell_that_means_nothing_is_a_row_of_the_ledger(county, workbook, place, column, code, value):
    result = taken(county, workbook, ("A", "站", None, None, "周一至周五 8:30-17:30"), ("B", *place))
    assert said(result) == [(3, column, code, False)]
    row = result.ledger.rows[0]
    assert value in row.old_value.replace(",", "，")
    assert row.problem("zh") != row.problem("en")
    assert row.repair("zh") != row.repair("en")
    assert len(result.study.table("facilities")) == 2


def test_parents_that_go_round_in_a_circle_are_named_once(county, workbook):
    rows = (("A", "站", "B"), ("B", "所", "C"), ("C", "站", "A"), ("D", "点", "A"), ("E", "点", "E"))
    result = taken(county, workbook, *((*row, None, None) for row in rows))
    assert said(result) == [(2, "上级编号", "parent_cycle", False), (6, "上级编号", "parent_cycle", False)]
    assert "A → B → C → A" in result.ledger.rows[0].problem("zh")


def test_a_circle_that_an_appended_row_closes_is_found(county, workbook):
    before = taken(county, workbook, ("A", "站", "B", None, None)).study
    appended = ImportOptions(frame="EPSG:4326", append=True)
    rows = (("B", "所", "A", None, None),)
    assert said(taken(before, workbook, *rows, options=appended)) == [(2, "上级编号", "parent_cycle", False)]
    assert said(taken(before, workbook, *rows)) == []
