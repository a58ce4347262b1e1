"""The leader's page as a worksheet that prints on one A4 page, portrait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.outputs.sheets import Book, write_across
from planner.texts import Language, text

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

    from planner.outputs.leader import Block, LeaderPage

_BLUE, _GREY, _RED, _PALE, _LINE = "#1F5C8B", "#5A6470", "#B2182B", "#EEF3F8", "#C8CCD0"
_INK = "#1D2733"
_WIDTHS = (36, 13, 24, 13, 15, 36)
_FIRST_WIDE = 0x2E7F  # letters beyond it are as wide as two of a column's width


def add_leader_sheet(book: Book, page: LeaderPage, language: Language = "zh") -> None:
    """Append the page as a worksheet that prints on one A4 page, portrait."""
    sheet = book.page(text("leader.sheet", language))
    sheet.hide_gridlines(2)
    for number, width in enumerate(_WIDTHS):
        sheet.set_column(number, number, width)
    row = _line(book, sheet, 0, page.title, font_size=18, font_color=_BLUE, bold=True)
    if page.mark:
        row = _line(book, sheet, row, page.mark, font_color=_RED, bold=True)
    row = _line(book, sheet, row, page.subtitle, font_color=_GREY)
    row = _tile_rows(book, sheet, row, page)
    for block in page.blocks:
        row = _block_rows(book, sheet, row + 1, block)
    row = _line(book, sheet, row + 1, f"{text('leader.foot', language)} {page.foot}", font_size=8, font_color=_GREY)
    sheet.set_portrait()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    sheet.print_area(0, 0, row - 1, len(_WIDTHS) - 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.4, bottom=0.4)
    sheet.center_horizontally()


def _line(book: Book, sheet: Worksheet, row: int, words: str, **look: str | float) -> int:
    """Write one sentence over the whole width; return the next row."""
    size = float(look.get("font_size", 10))
    write_across(
        sheet, row, (0, len(_WIDTHS) - 1), words, book.style(**{"font_color": _INK, "text_wrap": True, **look})
    )
    sheet.set_row(row, _n_lines(words, sum(_WIDTHS) * 10 / size) * size * 1.65)
    return row + 1


def _n_lines(words: str, width: float) -> int:
    """Return how many lines `words` take in a cell `width` characters wide."""
    letters = sum(2 if ord(letter) > _FIRST_WIDE else 1 for letter in words)
    return max(1, -(-letters // int(width * 1.08)))


def _tile_rows(book: Book, sheet: Worksheet, row: int, page: LeaderPage) -> int:
    # Four tiles over six columns: the outer two as they are, the middle four in pairs.
    spans = ((0, 0), (1, 2), (3, 4), (5, 5))
    for number, ((value, caption), span) in enumerate(zip(page.tiles, spans, strict=True)):
        colour = _RED if number == len(page.tiles) - 1 else _BLUE
        for down, (words, size, shade) in enumerate(((value, 18, colour), (caption, 9, _GREY))):
            style = book.style(
                font_size=size, bold=down == 0, font_color=shade, bg_color=_PALE, align="center", text_wrap=True
            )
            write_across(sheet, row + down, span, words, style)
    sheet.set_row(row, 30)
    sheet.set_row(row + 1, 18)
    return row + 2


def _block_rows(book: Book, sheet: Worksheet, row: int, block: Block) -> int:
    row = _line(book, sheet, row, block.heading, font_size=13, font_color=_BLUE, bold=True)
    for words in block.sentences:
        row = _line(book, sheet, row, words)
    if not block.rows:
        return row
    for down, cells in enumerate((block.headers, *block.rows)):
        ground = {"bold": True, "font_color": "#FFFFFF", "bg_color": _BLUE} if down == 0 else {"font_color": _INK}
        for number, words in enumerate(cells):
            look = {"align": "left" if number in block.words_at else "right", "indent": int(number > 0),
                    "text_wrap": True, "bottom": 1, "bottom_color": _LINE}  # fmt: skip
            # The last column takes the rest, so that every table is as wide as the page.
            last = number if number < len(cells) - 1 else len(_WIDTHS) - 1
            write_across(sheet, row + down, (number, last), words, book.style(**look, **ground))
        lines = max(_n_lines(words, _WIDTHS[number]) for number, words in enumerate(cells))
        sheet.set_row(row + down, 16.5 * lines)
    return row + 1 + len(block.rows)
