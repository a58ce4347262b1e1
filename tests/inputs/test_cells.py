"""Single cells as people write them."""

import datetime as dt

import numpy as np
import pytest

from planner.inputs.columns.cells import parse, plain_date, plain_number
from planner.inputs.records import Findings
from planner.schema import CONTRACTS


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("３００", 300), ("1,234", 1234), ("3，000人", 3000), ("约300", 300), ("300余人", 300), ("300+", 300),
        ("3百", 300), ("1.2千人", 1200), ("三百", 300), ("百余", 100), ("二百五十三", 253), ("一千二百", 1200),
        ("1.2万", 12_000), ("约300（含流动人口）", 300), ("300人(估)", 300), ("(300)", None), ("1,2", None),
        ("300（其中老人50）", None), ("300-400", None), ("三百二", None), ("12O", None), ("百百", None),
    ],
)  # fmt: skip
def test_numbers_of_people(cell, number):
    assert plain_number(cell, "people") == (None if number is None else pytest.approx(number))


@pytest.mark.parametrize(
    ("cell", "date", "is_exact"),
    [
        ("2025年6月30日", "2025-06-30", True), ("2025.6.30", "2025-06-30", True), ("20250630", "2025-06-30", True),
        ("二〇二五年六月三十日", "2025-06-30", True),
        (dt.date(2025, 6, 30), "2025-06-30", True),
        ("25年6月30日", "2025-06-30", True), ("2025年6月", "2025-06-30", False), ("25年6月", "2025-06-30", False),
        ("2025年6月底前", "2025-06-30", False), ("2025年底", "2025-12-31", False), ("2025年4季度", "2025-12-31", False),
        ("2024年第一季度", "2024-03-31", False), ("2025年上半年", "2025-06-30", False),
    ],
)  # fmt: skip
def test_dates(cell, date, is_exact):
    assert plain_date(cell) == (date, is_exact)


@pytest.mark.parametrize("cell", ["已启用", "2025年6月31日", "30/6/2025", "98年6月", "上半年", "2025年第五季度", ""])
def test_no_dates(cell):
    assert plain_date(cell) is None


def test_flags_in_the_words_of_their_header():
    words = ["达标", "已达标", "未达标", "不达标", "√", "否", None, "部分"]
    findings = Findings("a.xlsx", np.arange(2, 2 + len(words)))
    column = CONTRACTS["facilities"].column("is_qualified")
    flags = parse(column, "是否达标", np.array(words, dtype=object), findings)
    assert [None if flag is None else bool(flag) for flag in flags.astype(object).where(flags.notna(), None)] == [
        True, True, False, False, True, False, None, None,
    ]  # fmt: skip
    assert [(finding.row, finding.code) for finding in findings.rows] == [(9, "not_a_flag")]
