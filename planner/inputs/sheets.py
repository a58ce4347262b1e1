"""Worksheets and comma-separated text as records: title rows above the header, merged cells, encodings."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError
from planner.inputs.archives import check_archive
from planner.inputs.headers import fields, listing, match_headers, require_choices
from planner.inputs.layers import decode
from planner.inputs.records import Records, is_blank, reading
from planner.ledger import LedgerRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from planner.inputs.options import ImportOptions
    from planner.schema import TableContract

SUFFIXES = (".csv", ".txt", ".xlsx")
_SEARCHED_ROWS = 30
_SEPARATORS = (",", "\t", ";")
_ADVICE = "The file is damaged or was cut short: save or copy it again."
_ERROR_CELLS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"}


@dataclass(frozen=True)
class Sheet:
    """The cells of one worksheet; `merges` are (column, first row, last row), counted from 0."""

    name: str
    rows: Sequence[Sequence[object]]
    merges: tuple[tuple[int, int, int], ...] = ()
    is_ragged: bool = False


def read_sheet(path: Path, contract: TableContract, options: ImportOptions) -> Records:
    """Return the rows under the header that matches the contract best.

    Raises
    ------
    InputError
        When the file is damaged or in an unknown encoding, or no row looks like a header.
    """
    if options.sheet is not None and path.suffix.lower() != ".xlsx":
        raise InputError(f"{path.name} has no sheets: it is a text file. Leave --sheet out.")
    sheets = _read_xlsx(path, options.sheet) if path.suffix.lower() == ".xlsx" else [_read_csv(path)]
    heads = [_find_header(sheet, contract, options.columns) for sheet in sheets]
    best = max(range(len(sheets)), key=lambda i: (heads[i][1], -i))
    sheet, (position, n_matched) = sheets[best], heads[best]
    if n_matched == 0:
        first = next((row for row in sheet.rows if any(not is_blank(cell) for cell in row)), [])
        headers = [_header(cell) for cell in first]
        require_choices(headers, contract, options.columns, path.name)
        raise InputError(
            f"{path.name} has no row that looks like the header of {contract.name} ({contract.zh}). "
            f"{listing(headers)} Use the template: planner template {contract.name}"
        )
    findings = _other_sheets(path.name, contract, sheets, heads, best)
    return _records(path.name, sheet, position, findings)


def _read_csv(path: Path) -> Sheet:
    text, _ = decode(path.read_bytes(), path.name)
    head = text[:20_000].splitlines()[:_SEARCHED_ROWS]
    separator = max(_SEPARATORS, key=lambda mark: sum(line.count(mark) for line in head))
    with reading(path.name, "A quotation mark may be missing. Open it in a spreadsheet and save it again."):
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    return Sheet(path.stem, rows, is_ragged=True)


def _read_xlsx(path: Path, wanted: str | None) -> list[Sheet]:
    from openpyxl import load_workbook

    with reading(path.name, _ADVICE), warnings.catch_warnings():
        # openpyxl warns about styles and extensions that it leaves out; no value is touched by them.
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path) as archive:
            check_archive(path.name, archive)
        book = load_workbook(path, data_only=True)
        sheets = [_sheet(worksheet) for worksheet in book.worksheets]
    if wanted is None:
        return sheets
    named = [sheet for sheet in sheets if sheet.name == wanted]
    if not named:
        names = ", ".join(sheet.name for sheet in sheets)
        raise InputError(f"{path.name} has no sheet '{wanted}'. It has: {names}.")
    return named


def _sheet(worksheet: Worksheet) -> Sheet:
    # Sheets are often formatted down to row 1,048,576: walking there would make a cell object for every blank.
    filled = [place for place, cell in worksheet._cells.items() if cell.value is not None]  # noqa: SLF001
    if not filled:
        return Sheet(worksheet.title, [])
    last_row, last_column = (max(place[i] for place in filled) for i in (0, 1))
    rows = [
        [None if isinstance(cell, str) and cell in _ERROR_CELLS else cell for cell in row]
        for row in worksheet.iter_rows(values_only=True, max_row=last_row, max_col=last_column)
    ]
    merges = tuple(
        (area.min_col - 1, area.min_row - 1, area.max_row - 1)
        for area in worksheet.merged_cells.ranges
        if area.max_row > area.min_row
    )
    return Sheet(worksheet.title, rows, tuple(sorted(merges)))


def _find_header(sheet: Sheet, contract: TableContract, wanted: Mapping[str, str]) -> tuple[int, int]:
    """Return the position of the row with most headers of the contract, and how many it has."""
    best = (0, 0)
    for position, row in enumerate(sheet.rows[:_SEARCHED_ROWS]):
        n_matched = len(match_headers([_header(cell) for cell in row], contract, wanted))
        if n_matched > best[1]:
            best = (position, n_matched)
    return best


def _other_sheets(
    file: str, contract: TableContract, sheets: Sequence[Sheet], heads: Sequence[tuple[int, int]], best: int
) -> tuple[LedgerRow, ...]:
    """Return a note that names sheets which look like data of the same kind but were not read."""
    others = []
    for i, (sheet, (position, _)) in enumerate(zip(sheets, heads, strict=True)):
        if i == best or len(sheet.rows) <= position + 1:
            continue
        found = match_headers([_header(cell) for cell in sheet.rows[position]], contract, {})
        if all(column.name in found for column in fields(contract) if column.is_required):
            others.append(sheet.name)
    if not others:
        return ()
    values = {"sheet": sheets[best].name, "others": ", ".join(others)}
    return (LedgerRow(file, 0, "", "sheets_ignored", values, is_refused=False),)


def _header(cell: object) -> str:
    return "" if is_blank(cell) else " ".join(str(cell).split())


def _records(file: str, sheet: Sheet, position: int, findings: tuple[LedgerRow, ...]) -> Records:
    """Return the rows below the header that hold anything, under the numbers that a spreadsheet shows."""
    headers = [_header(cell) for cell in sheet.rows[position]]
    while headers and not headers[-1]:
        headers.pop()
    width = len(headers)
    kept = [
        i for i in range(position + 1, len(sheet.rows)) if any(not is_blank(cell) for cell in sheet.rows[i])
    ]  # fmt: skip
    columns = []
    for j in range(width):
        column = np.empty(len(kept), dtype=object)
        column[:] = [sheet.rows[i][j] if j < len(sheet.rows[i]) else None for i in kept]
        columns.append(column)
    place = {i: k for k, i in enumerate(kept)}
    merges = tuple(
        (column, place[first], place[max(i for i in kept if i <= last)])
        for column, first, last in sheet.merges
        if first in place and column < width
    )
    if sheet.is_ragged:
        findings += tuple(
            LedgerRow(file, i + 1, "", "too_many_cells", {"n": len(sheet.rows[i]), "n_headers": width})
            for i in kept
            if any(not is_blank(cell) for cell in sheet.rows[i][width:])
        )
    row = np.array(kept, dtype=np.int64) + 1
    return Records(file, tuple(headers), tuple(columns), row, merges=merges, findings=findings)
