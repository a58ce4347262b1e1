"""Workbooks that a planner can hand in: sheets of tables with titles, widths, number formats and frozen panes."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd

from planner.written import is_whole_zip, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

PEOPLE = "#,##0"
SHARE = "0.0%"
MINUTES = "0.0"
PLAIN = "General"
FONT = "Microsoft YaHei"
_MAX_SHEET_NAME = 31
_MAX_LETTERS = 32_767
_A4 = 9
_LINE, _GREY, _BLUE = "#C8CCD0", "#5A6470", "#1F5C8B"
_ILLEGAL = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


@dataclass(frozen=True)
class SheetColumn:
    """How one column of a table stands in a sheet: its header, number format and width in characters."""

    name: str
    header: str
    number_format: str = PLAIN
    width: float = 12.0


@dataclass(frozen=True)
class Sheet:
    """One worksheet: a title, the conditions under which its figures hold, and a table."""

    name: str
    title: str
    note: str
    columns: Sequence[SheetColumn]
    table: pd.DataFrame


class Style(NamedTuple):
    """How a cell looks: as it is, as a text that begins like a formula, and as a date."""

    plain: Format
    quoted: Format
    dated: Format


class Book:
    """A workbook on its way to a file; `with` writes it, or leaves no file when something fails inside.

    Raises
    ------
    InputError
        On leaving `with`, when the file cannot be written.
    """

    def __init__(self, path: Path, title: str = "") -> None:
        self._path, self._title = path, title
        self._held = ExitStack()
        self._styles: dict[tuple[tuple[str, Any], ...], Style] = {}

    def __enter__(self) -> Self:
        from xlsxwriter import Workbook
        from xlsxwriter.exceptions import XlsxFileError

        part = self._held.enter_context(written(self._path, is_whole_zip, (XlsxFileError,)))
        self._book: Workbook = Workbook(part)
        self._book.set_properties({"title": self._title, "author": "Practice Circle Planner"})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            self._held.__exit__(kind, error, at)
            return
        with self._held:
            self._book.close()  # XlsxWriter writes nothing before it is closed

    def page(self, name: str) -> Worksheet:
        """Append a worksheet."""
        return self._book.add_worksheet(name[:_MAX_SHEET_NAME])

    def style(self, **properties: Any) -> Style:  # noqa: ANN401  XlsxWriter's names and values of formats
        """Return the style of these properties: named once, so that thousands of cells share it."""
        key = tuple(sorted(properties.items()))
        if key not in self._styles:
            own = {"font_name": FONT, "font_size": 10, "valign": "vcenter", **properties}
            variants: tuple[dict[str, Any], ...] = ({}, {"quote_prefix": True}, {"num_format": "yyyy-mm-dd"})
            self._styles[key] = Style(*(self._book.add_format({**own, **variant}) for variant in variants))
        return self._styles[key]


def write_cell(page: Worksheet, row: int, column: int, value: Any, style: Style) -> None:  # noqa: ANN401
    """Put `value` into a cell (rows and columns from 0): text stays text, unknown and unreachable stay empty."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        page.write_blank(row, column, None, style.plain)
    elif isinstance(value, bool):
        page.write_boolean(row, column, value, style.plain)
    elif isinstance(value, (int, float)):
        page.write_number(row, column, value, style.plain)
    elif isinstance(value, dt.date) and getattr(value, "tzinfo", None) is None:
        page.write_datetime(row, column, value, style.dated)
    else:
        words = str(value).translate(_ILLEGAL)[:_MAX_LETTERS]
        # Excel would run a text that begins like a formula once somebody edits it; the quote prefix keeps it a text.
        page.write_string(row, column, words, style.quoted if words[:1] in {"=", "+", "-", "@"} else style.plain)


def write_across(page: Worksheet, row: int, columns: tuple[int, int], value: Any, style: Style) -> None:  # noqa: ANN401
    """Put `value` into the cells from the first to the last of `columns`, made one."""
    first, last = columns
    if last > first:
        page.merge_range(row, first, row, last, "", style.plain)
    write_cell(page, row, first, value, style)


def add_sheet(book: Book, sheet: Sheet) -> None:
    """Append `sheet` to `book`: title in row 1, conditions in row 2, headers in row 3, data from row 4."""
    page = book.page(sheet.name)
    n_columns = len(sheet.columns)
    across = (0, max(n_columns, 6) - 1)
    write_across(page, 0, across, sheet.title, book.style(font_size=14, bold=True, text_wrap=True))
    write_across(page, 1, across, sheet.note, book.style(font_size=9, font_color=_GREY, text_wrap=True))
    head = book.style(bold=True, font_color="#FFFFFF", bg_color=_BLUE, text_wrap=True, align="center", border=1,
                      border_color=_LINE)  # fmt: skip
    for row, height in enumerate((26, 44, 32)):
        page.set_row(row, height)
    for number, column in enumerate(sheet.columns):
        write_cell(page, 2, number, column.header, head)
        page.set_column(number, number, column.width)
        style = book.style(num_format=column.number_format, text_wrap=column.number_format == PLAIN, border=1,
                           border_color=_LINE)  # fmt: skip
        for row, value in enumerate(sheet.table[column.name], start=3):
            write_cell(page, row, number, value, style)
    page.freeze_panes(3, 1 if n_columns > 1 else 0)
    page.autofilter(2, 0, 2 + len(sheet.table), n_columns - 1)
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0, 2)
