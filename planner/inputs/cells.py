"""Cells as people write them, turned into values: numbers, codes, yes and no, dates."""

from __future__ import annotations

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
    from planner.inputs.records import Cells
    from planner.schema import Column

_BLANK_NUMBERS = {"-", "--", "—", "——", "/", "\\", "nan", "null", "none", "n/a", "na", "无", "不详", "暂无"}
_UNITS = {
    "people": ("人", "口人", "口"),
    "households": ("户",),
    "10,000 CNY": ("万元", "万"),
    "m2": ("m2", "平方米", "平米", "平"),
    "": ("年", "个", "处", "座"),
}
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# The decimals that spreadsheets add to a code such as 1 when they write text.
_DECIMALS = re.compile(r"(?<=^\d)\.0+$", re.ASCII)
_NUMBERED = re.compile(r"^\d+[.、．)\s]*")
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d")
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
    """Return the number that `text` means, or None; full-width digits, thousands separators and units may stand."""
    words = unicodedata.normalize("NFKC", text).strip().lower().replace("−", "-").replace(" ", "")
    for word in _UNITS.get(unit, ()):
        if words.endswith(word):
            words = words.removesuffix(word)
            break
    if _GROUPED.fullmatch(words):
        words = words.replace(",", "")
    return float(words) if _NUMBER.fullmatch(words) and math.isfinite(float(words)) else None


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
        if is_blank(cell):
            return None
        if isinstance(cell, dt.datetime | dt.date):
            return cell.isoformat()[:10]
        words = unicodedata.normalize("NFKC", _text(cell))
        for layout in _DATE_FORMATS:
            try:
                return dt.datetime.strptime(words, layout).replace(tzinfo=dt.UTC).date().isoformat()
            except ValueError:
                continue
        self._unusable(i, cell, "not_a_date")
        return None

    def _as_number(self, i: int, cell: object) -> float | None:
        if isinstance(cell, bool | np.bool_) or not isinstance(cell, str | Number):
            return None
        if not isinstance(cell, str):
            return float(cast("float", cell))
        if _NUMBER.fullmatch(cell.strip().lower()):
            return float(cell)
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
