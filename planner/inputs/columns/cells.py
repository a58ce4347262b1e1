"""Cells as people write them, turned into values: numbers, codes, yes and no, dates."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
import unicodedata
from numbers import Number
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from planner.inputs.records import Findings, is_blank, shown
from planner.schema import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.inputs.records import Cells
    from planner.schema import Column

_BLANK_NUMBERS = {"-", "--", "—", "——", "/", "\\", "nan", "null", "none", "n/a", "na", "无", "不详", "暂无"}
# Units that people write into a cell, with what one of them is in the unit of the column; the longest come first.
_UNITS: Mapping[str, Mapping[str, float]] = {
    "people": {"万余人": 1e4, "万人": 1e4, "口人": 1, "人次": 1, "名": 1, "人": 1, "口": 1, "万": 1e4, "people": 1,
               "persons": 1},
    "households": {"万户": 1e4, "户": 1, "households": 1},
    "10,000 CNY": {"亿元": 1e4, "万元": 1, "千元": 0.1, "万": 1, "亿": 1e4, "元": 1e-4},
    "m2": {"平方公里": 1e6, "平方千米": 1e6, "公顷": 1e4, "平方米": 1, "平米": 1, "平方": 1, "km2": 1e6, "m2": 1,
           "sqm": 1, "亩": 2000 / 3, "平": 1},
    "m": {"公里": 1e3, "千米": 1e3, "km": 1e3, "里": 500, "米": 1, "m": 1},
    "": {"年": 1, "个": 1, "处": 1, "座": 1, "栋": 1},
}  # fmt: skip
# What makes a number an estimate; the number is taken and the finding quotes the cell.
_ABOUT = re.compile(
    r"^(大约|约为|约|大概|近|将近|超过|不足|共计|共|>=|<=|~|≈|≥|≤|>|<|')|(左右|上下|以上|以下|余|多|来|许|\+)$"
)
# A remark behind a number: "300（含流动人口）". With a figure of its own it may be another count.
_REMARK = re.compile(r"\([^()\d]*\)$")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII)
_DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_PLACES = {"十": 10, "百": 100, "千": 1_000}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# The decimals that spreadsheets add to a code such as 1 when they write text.
_DECIMALS = re.compile(r"(?<=^\d)\.0+$", re.ASCII)
_NUMBERED = re.compile(r"^\d+[.、．)\s]*")
_DATE = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)(?:[ t]\d{1,2}:\d{2}(?::\d{2})?.*)?", re.ASCII
)
_PACKED_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
# Parts of a year by their last month: what is promised for one is there for certain when it is over.
_PARTS_OF_YEAR = {"上半年": 6, "下半年": 12, "第1季度": 3, "第2季度": 6, "第3季度": 9, "第4季度": 12,
                  "1季度": 3, "2季度": 6, "3季度": 9, "4季度": 12}  # fmt: skip
_PART_OF_YEAR = re.compile(r"(?<=年)(?:[上下]半年|第?[1-4]季度)$")
# Days since 1899-12-30, as spreadsheets count them: 1927 to 2099.
_SERIAL_DAYS = (10_000, 73_050)
_YEARS = (1900, 2200)
_MONTHS = 12
_DAY_ZERO = dt.date(1899, 12, 30)
MAX_EXACT_INTEGER = 2**53


def parse(column: Column, header: str, cells: Cells, findings: Findings) -> pd.Series:
    """Return the values of one column; what cannot be read becomes blank and a finding.

    A row is refused when the column is required, otherwise it is kept without the value. Values: text columns `str`
    (NaN where blank), "number" float64, "integer" Int64, "flag" boolean, "choice" the code, "date" ISO text.
    """
    reader = _Reader(column, header, findings)
    if column.kind in ("id", "text"):
        return pd.Series([reader.words(i, cell) for i, cell in enumerate(cells)], dtype="str")
    if column.kind in ("number", "integer"):
        values = np.array([reader.number(i, cell) for i, cell in enumerate(cells)], dtype=float)
        return pd.Series(values) if column.kind == "number" else pd.Series(values).astype("Int64")
    if column.kind == "flag":
        return pd.Series([reader.flag(i, cell) for i, cell in enumerate(cells)], dtype="boolean")
    if column.kind == "choice":
        return pd.Series([reader.choice(i, cell) for i, cell in enumerate(cells)], dtype="str")
    return pd.Series([reader.date(i, cell) for i, cell in enumerate(cells)], dtype="str")


def empty(column: Column, n_rows: int) -> pd.Series:
    """Return `n_rows` blanks of the column's type."""
    if column.kind == "number":
        return pd.Series(np.full(n_rows, np.nan))
    kinds = {"integer": "Int64", "flag": "boolean"}
    return pd.Series([None] * n_rows, dtype=kinds.get(column.kind, "str"))


def plain_number(text: str, unit: str = "") -> float | None:
    """Return the number that `text` means in `unit`, or None.

    Full-width digits, thousands separators, Chinese numerals, units ("1.2 万人", "3.5 公里") and words of estimate
    ("约300", "300余") may stand. A range ("300-400") is no number: nobody can say which.
    """
    words = unicodedata.normalize("NFKC", text).strip().lower().replace("−", "-").replace(" ", "")
    words = _REMARK.sub("", words)
    if not _NUMBER.fullmatch(words):
        words = _ABOUT.sub("", _ABOUT.sub("", words))
    factor = 1.0
    for word, size in _UNITS.get(unit, {}).items():
        if words.endswith(word):
            words, factor = _ABOUT.sub("", words.removesuffix(word)), size
            break
    if words[-1:] in ("百", "千") and _NUMBER.fullmatch(words[:-1]):
        words, factor = words[:-1], factor * _PLACES[words[-1]]
    if _GROUPED.fullmatch(words):
        words = words.replace(",", "")
    value = float(words) if _NUMBER.fullmatch(words) else _chinese_number(words)
    return value * factor if value is not None and math.isfinite(value) else None


def _chinese_number(words: str) -> float | None:
    """Return the number that Chinese numerals up to 9,999 mean, or None."""
    if not words or any(character not in _DIGITS and character not in _PLACES for character in words):
        return None
    if not any(character in _PLACES for character in words):
        return float("".join(str(_DIGITS[character]) for character in words))
    return _sum_of_places(words)


def _sum_of_places(words: str) -> float | None:
    """Return what numerals with places mean ("三百二十"); None for "三四百" and "三百二", which have two readings."""
    total, digit, place = 0, "", 10_000
    for character in words:
        if character in _DIGITS:
            if digit not in ("", "零", "〇"):
                return None
            digit = character
        elif _PLACES[character] >= place:
            return None
        else:
            place = _PLACES[character]
            total += _DIGITS.get(digit, 1) * place
            digit = ""
    is_open = bool(digit) and place > _PLACES["十"] and not re.search(f"[零〇]{digit}$", words)
    return None if is_open else float(total + _DIGITS.get(digit, 0))


def plain_date(cell: object) -> tuple[str, bool] | None:
    """Return the ISO date that a cell means and whether it is one to the day, or None.

    A month or a year alone means its last day: what is promised for May is there for certain when May is over.
    """
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()[:10], True
    words = unicodedata.normalize("NFKC", _text(cell)).strip().lower()
    if any(character in _DIGITS for character in words):
        words = re.sub(r"[〇零一二三四五六七八九十]+", _in_figures, words)
    words = re.sub(r"\s*([年月日])\s*", r"\1", words).removesuffix("前").removesuffix("底")
    words = _PART_OF_YEAR.sub(lambda found: f"{_PARTS_OF_YEAR[found.group()]}月", words)
    words = re.sub(r"^(?=[0-4]\d年\d)", "20", words)
    match = _DATE.fullmatch(words) or _PACKED_DATE.fullmatch(words)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    if year is None or not _YEARS[0] <= year <= _YEARS[1]:
        return None
    try:
        if month is not None and day is not None:
            return dt.date(year, month, day).isoformat(), True
        month = month or _MONTHS
        return dt.date(year, month, calendar.monthrange(year, month)[1]).isoformat(), False
    except (ValueError, calendar.IllegalMonthError):
        return None


def _in_figures(match: re.Match[str]) -> str:
    value = _chinese_number(match.group())
    return match.group() if value is None else f"{value:.0f}"


class _Reader:
    """Reads the cells of one column and keeps the findings about them."""

    def __init__(self, column: Column, header: str, findings: Findings) -> None:
        self.column = column
        self.header = header
        self.findings = findings
        self.choices = {choice_key(word): code for code, words in column.choices for word in (code, *words)}

    def words(self, i: int, cell: object) -> str | None:
        """Text; whole numbers without the decimals that a spreadsheet adds."""
        if is_blank(cell):
            return None
        words = _text(cell)
        if _CONTROL.search(words):
            cleaned = _CONTROL.sub("", words).strip()
            self.findings.repair(i, self.header, "text_cleaned", (repr(words), cleaned))
            return cleaned or None
        return words

    def number(self, i: int, cell: object) -> float:
        """A finite number, NaN where blank."""
        if is_blank(cell) or (isinstance(cell, str) and cell.strip().lower() in _BLANK_NUMBERS):
            return math.nan
        value = self._as_number(i, cell)
        if value is None or not math.isfinite(value):
            return self._unusable(i, cell, "not_a_number")
        if self.column.kind == "integer" and (value != int(value) or abs(value) > MAX_EXACT_INTEGER):
            return self._unusable(i, cell, "not_an_integer")
        return value

    def flag(self, i: int, cell: object) -> bool | None:
        """True, False, or None where blank."""
        if is_blank(cell):
            return None
        key = _DECIMALS.sub("", choice_key(_text(cell)))
        for value, words in zip((True, False), FLAGS, strict=True):
            if key in {choice_key(word) for word in words}:
                return value
        # "达标" and "未达标" under 是否达标.
        named = choice_key(self.column.zh.removeprefix("是否"))
        if key.removeprefix("已") == named:
            return True
        if key in {f"{no}{named}" for no in ("未", "不", "非", "没有")}:
            return False
        self._unusable(i, cell, "not_a_flag")
        return None

    def choice(self, i: int, cell: object) -> str | None:
        """The code of a choice; other words only where the contract allows them."""
        if is_blank(cell):
            return None
        words = _text(cell)
        key = _DECIMALS.sub("", choice_key(words))
        code = self.choices.get(key) or self.choices.get(_NUMBERED.sub("", key))
        if code is not None:
            return code
        if self.column.is_open:
            return words
        choices = ", ".join(f"{code} ({names[0]})" for code, names in self.column.choices)
        self._unusable(i, cell, "not_a_choice", choices=choices)
        return None

    def date(self, i: int, cell: object) -> str | None:
        """An ISO date."""
        if is_blank(cell) or (isinstance(cell, str) and cell.strip().lower() in _BLANK_NUMBERS):
            return None
        if isinstance(cell, int | float) and _SERIAL_DAYS[0] <= cell <= _SERIAL_DAYS[1]:
            return (_DAY_ZERO + dt.timedelta(days=int(cell))).isoformat()
        found = plain_date(cell)
        if found is None:
            self._unusable(i, cell, "not_a_date")
            return None
        date, is_exact = found
        if not is_exact:
            self.findings.repair(i, self.header, "date_completed", (shown(cell), date), value=shown(cell), date=date)
        return date

    def _as_number(self, i: int, cell: object) -> float | None:
        if isinstance(cell, bool | np.bool_) or not isinstance(cell, str | Number):
            return None
        if not isinstance(cell, str):
            return float(cast("float", cell))
        if _NUMBER.fullmatch(cell.strip().lower()):
            return float(cell.strip())
        value = plain_number(cell, self.column.unit)
        if value is not None:
            number = f"{value:.15g}"
            self.findings.repair(i, self.header, "number_cleaned", (cell, number), value=shown(cell), number=number)
        return value

    def _unusable(self, i: int, cell: object, code: str, **values: str) -> float:
        """Refuse the row, or leave the value out where the column may be blank."""
        report = self.findings.refuse if self.column.is_required else self.findings.drop
        report(i, self.header, code, value=shown(cell), header=self.header, **values)
        return math.nan


def _text(cell: object) -> str:
    if isinstance(cell, float | np.floating) and float(cell).is_integer() and abs(float(cell)) < MAX_EXACT_INTEGER:
        return str(int(cell))
    if isinstance(cell, dt.datetime) and cell.time() == dt.time(0):
        return cell.date().isoformat()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace")
    return str(cell).strip()


def choice_key(words: str) -> str:
    """Return what two spellings of a choice have in common."""
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", words).lower())
