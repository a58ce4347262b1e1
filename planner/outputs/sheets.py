"""A table of figures as a worksheet that a planner can hand in: titles, widths, number formats, frozen panes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl import Workbook
    from openpyxl.cell import Cell, MergedCell

PEOPLE = "#,##0"
SHARE = "0.0%"
MINUTES = "0.0"
PLAIN = "General"
_MAX_SHEET_NAME = 31
_FONT = "Microsoft YaHei"
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


def add_sheet(workbook: Workbook, sheet: Sheet) -> None:
    """Append `sheet` to `workbook`: title in row 1, conditions in row 2, headers in row 3, data from row 4."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    page = workbook.create_sheet(sheet.name[:_MAX_SHEET_NAME])
    n_columns = len(sheet.columns)
    thin = Side(style="thin", color="C8CCD0")
    border = Border(left=thin, right=thin, top=thin, bottom=thin)
    for row, (words, font, height) in enumerate(
        (
            (sheet.title, Font(name=_FONT, size=14, bold=True), 26),
            (sheet.note, Font(name=_FONT, size=9, color="5A6470"), 44),
        ),
        start=1,
    ):
        write_cell(page.cell(row, 1), words)
        page.cell(row, 1).font = font
        page.cell(row, 1).alignment = Alignment(wrap_text=True, vertical="center")
        page.merge_cells(start_row=row, end_row=row, start_column=1, end_column=max(n_columns, 6))
        page.row_dimensions[row].height = height
    for number, column in enumerate(sheet.columns, start=1):
        header = page.cell(3, number)
        write_cell(header, column.header)
        header.font = Font(name=_FONT, size=10, bold=True, color="FFFFFF")
        header.fill = PatternFill("solid", fgColor="1F5C8B")
        header.alignment = Alignment(wrap_text=True, horizontal="center", vertical="center")
        header.border = border
        page.column_dimensions[get_column_letter(number)].width = column.width
    page.row_dimensions[3].height = 32
    styles = [_body_style(workbook, column.number_format) for column in sheet.columns]
    for row, record in enumerate(sheet.table.loc[:, [c.name for c in sheet.columns]].itertuples(index=False), start=4):
        for number, value in enumerate(record, start=1):
            cell = page.cell(row, number)
            cell.style = styles[number - 1]
            write_cell(cell, value)
    last = 3 + len(sheet.table)
    page.freeze_panes = "B4" if n_columns > 1 else "A4"
    page.auto_filter.ref = f"A3:{get_column_letter(n_columns)}{max(last, 3)}"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = page.PAPERSIZE_A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "1:3"


def _body_style(workbook: Workbook, number_format: str) -> str:
    """Return the name of the style of a column's cells: named once, so that thousands of cells share it."""
    from openpyxl.styles import Alignment, Border, Font, NamedStyle, Side

    name = f"body {number_format}"
    if name not in workbook.named_styles:
        side = Side(style="thin", color="C8CCD0")
        style = NamedStyle(name, font=Font(name=_FONT, size=10), number_format=number_format)
        style.border = Border(left=side, right=side, top=side, bottom=side)
        style.alignment = Alignment(wrap_text=number_format == PLAIN, vertical="center")
        workbook.add_named_style(style)
    return name


def write_cell(cell: Cell | MergedCell, value: Any) -> None:  # noqa: ANN401  a cell holds anything
    """Put `value` into `cell`: text stays text (never a formula), unknown and unreachable stay empty."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not np.isfinite(value)):
        return
    if isinstance(value, str):
        if not value:
            return
        cell.value = value.translate(_ILLEGAL)
        # Excel would run a text that begins like a formula; data type "s" and the quote prefix keep it a text.
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in {"=", "+", "-", "@"}
    else:
        cell.value = value
