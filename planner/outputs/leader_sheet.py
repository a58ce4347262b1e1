"""The leader's page as a worksheet that prints on one A4 page, portrait."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from planner.outputs.sheets import write_cell
from planner.texts import Language, text

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

    from planner.outputs.leader import Block, LeaderPage

_FONT = "Microsoft YaHei"
_BLUE, _GREY, _RED, _PALE, _LINE = "1F5C8B", "5A6470", "B2182B", "EEF3F8", "C8CCD0"
_INK = "1D2733"
_WIDTHS = (36, 13, 24, 13, 15, 36)
_FIRST_WIDE = 0x2E7F  # letters beyond it are as wide as two of a column's width


def add_leader_sheet(workbook: Workbook, page: LeaderPage, language: Language = "zh") -> None:
    """Append the page as a worksheet that prints on one A4 page, portrait."""
    from openpyxl.utils import get_column_letter

    sheet = workbook.create_sheet(text("leader.sheet", language))
    sheet.sheet_view.showGridLines = False
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    row = _line(sheet, 1, page.title, size=18, colour=_BLUE, bold=True)
    if page.mark:
        row = _line(sheet, row, page.mark, colour=_RED, bold=True)
    row = _line(sheet, row, page.subtitle, colour=_GREY)
    row = _tile_rows(sheet, row, page)
    for block in page.blocks:
        row = _block_rows(sheet, row + 1, block)
    row = _line(sheet, row + 1, f"{text('leader.foot', language)} {page.foot}", size=8, colour=_GREY)
    sheet.page_setup.orientation = "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 1
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_area = f"A1:{get_column_letter(len(_WIDTHS))}{row - 1}"
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top = sheet.page_margins.bottom = 0.4
    sheet.print_options.horizontalCentered = True


def _line(sheet: Worksheet, row: int, words: str, size: float = 10, colour: str = _INK, *, bold: bool = False) -> int:
    """Write one sentence over the whole width; return the next row."""
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(row, 1)
    write_cell(cast("Cell", cell), words)
    cell.font = Font(name=_FONT, size=size, bold=bold, color=colour)
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(_WIDTHS))
    sheet.row_dimensions[row].height = _n_lines(words, sum(_WIDTHS) * 10 / size) * size * 1.65
    return row + 1


def _n_lines(words: str, width: float) -> int:
    """Return how many lines `words` take in a cell `width` characters wide."""
    letters = sum(2 if ord(letter) > _FIRST_WIDE else 1 for letter in words)
    return max(1, -(-letters // int(width * 1.08)))


def _tile_rows(sheet: Worksheet, row: int, page: LeaderPage) -> int:
    from openpyxl.styles import Alignment, Font, PatternFill

    # Four tiles over six columns: the outer two as they are, the middle four in pairs.
    spans = ((1, 1), (2, 3), (4, 5), (6, 6))
    fill = PatternFill("solid", fgColor=_PALE)
    for number, ((value, caption), (first, last)) in enumerate(zip(page.tiles, spans, strict=True)):
        colour = _RED if number == len(page.tiles) - 1 else _BLUE
        for down, (words, size, shade) in enumerate(((value, 18, colour), (caption, 9, _GREY))):
            cell = sheet.cell(row + down, first)
            write_cell(cast("Cell", cell), words)
            cell.font = Font(name=_FONT, size=size, bold=down == 0, color=shade)
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
            for column in range(first, last + 1):
                sheet.cell(row + down, column).fill = fill
            sheet.merge_cells(start_row=row + down, start_column=first, end_row=row + down, end_column=last)
    sheet.row_dimensions[row].height, sheet.row_dimensions[row + 1].height = 30, 18
    return row + 2


def _block_rows(sheet: Worksheet, row: int, block: Block) -> int:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    row = _line(sheet, row, block.heading, size=13, colour=_BLUE, bold=True)
    for words in block.sentences:
        row = _line(sheet, row, words)
    if not block.rows:
        return row
    thin = Side(style="thin", color=_LINE)
    for down, cells in enumerate((block.headers, *block.rows)):
        lines = 1
        for number, words in enumerate(cells, start=1):
            cell = sheet.cell(row + down, number)
            write_cell(cast("Cell", cell), words)
            cell.font = Font(name=_FONT, size=10, bold=down == 0, color="FFFFFF" if down == 0 else _INK)
            left = number - 1 in block.words_at
            side = "left" if left else "right"
            cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True, indent=int(number > 1))
            cell.border = Border(bottom=thin)
            if down == 0:
                cell.fill = PatternFill("solid", fgColor=_BLUE)
            lines = max(lines, _n_lines(words, _WIDTHS[number - 1]))
        if len(cells) < len(_WIDTHS):
            # The last column takes the rest, so that every table is as wide as the page.
            sheet.merge_cells(
                start_row=row + down, start_column=len(cells), end_row=row + down, end_column=len(_WIDTHS)
            )
        sheet.row_dimensions[row + down].height = 16.5 * lines
    return row + 1 + len(block.rows)
