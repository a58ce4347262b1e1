"""Workbooks and text tables as records: the sheet that holds the table, its header, its rows and what is none."""

from __future__ import annotations

from array import array
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError
from planner.inputs.columns.headers import fields, listing, require_choices
from planner.inputs.columns.tier_words import says_tiers
from planner.inputs.files import delimited, workbooks
from planner.inputs.files.encodings import DAMAGED
from planner.inputs.files.headings import find_heading, header_text, is_note, is_numbering
from planner.inputs.records import Records, Source, is_blank, shown
from planner.ledger import LedgerRow
from planner.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from planner.inputs.files.headings import Heading
    from planner.inputs.files.workbooks import Sheet
    from planner.inputs.options import ImportOptions
    from planner.progress import Progress
    from planner.schema import TableContract

SUFFIXES = (*delimited.SUFFIXES, *workbooks.SUFFIXES)
_REPORTED_ROWS = 50_000
# Words that repeat (towns, tiers) are kept once; a column with more of them than this is one of names.
_MAX_REPEATED = 20_000


def read_sheet(path: Path, contract: TableContract, options: ImportOptions, progress: Progress = SILENT) -> Records:
    """Return the rows under the header that matches the contract best.

    Raises
    ------
    InputError
        When the file is damaged or in an unknown encoding, no row looks like a header, or several sheets do.
    """
    with opened_sheets(path, options.sheet) as (sheets, encoding):
        headings = [find_heading(sheet, contract, options.columns) for sheet in sheets]
        best = _chosen(path.name, sheets, headings, contract, options)
        source = Source(
            "text" if sheets[best].is_text else "workbook",
            "" if sheets[best].is_text else sheets[best].name,
            encoding,
            (headings[best].first + 1, headings[best].last + 1),
            tuple(sheet.name for i, sheet in enumerate(sheets) if i != best),
        )
        return _Table(path.name, sheets[best], headings[best]).records(source, progress)


def qualifying_sheets(path: Path, contract: TableContract, options: ImportOptions) -> list[str]:
    """Return the names of a workbook's visible sheets that have every required column and at least one row."""
    with opened_sheets(path, None) as (sheets, _):
        return [
            sheet.name
            for sheet in sheets
            if not sheet.is_hidden and _qualifies(sheet, find_heading(sheet, contract, options.columns), contract)
        ]


@contextmanager
def opened_sheets(path: Path, wanted: str | None) -> Iterator[tuple[list[Sheet], str]]:
    """Give the sheets of a workbook, or a text table as the only one, and the encoding of the text.

    Raises
    ------
    InputError
        When the file is damaged or has no such sheet.
    """
    if path.suffix.lower() in workbooks.SUFFIXES:
        with workbooks.opened_workbook(path, wanted) as sheets:
            yield sheets, ""
        return
    if wanted is not None:
        raise InputError(f"{path.name} has no sheets: it is a text file. Leave --sheet out.")
    with delimited.opened_text(path) as (sheet, encoding):
        yield [sheet], str(encoding)


def _chosen(
    file: str, sheets: Sequence[Sheet], headings: Sequence[Heading], contract: TableContract, options: ImportOptions
) -> int:
    """Return the position of the sheet that holds the table."""
    able = [i for i, sheet in enumerate(sheets) if not sheet.is_hidden] or list(range(len(sheets)))
    best = max(able, key=lambda i: (headings[i].n_matched, -i), default=0)
    if not sheets or headings[best].n_matched == 0:
        rows = sheets[best].head if sheets else []
        first = next((row for row in rows if any(not is_blank(cell) for cell in row)), [])
        headers = [header_text(cell) for cell in first]
        require_choices(headers, contract, options.columns, file)
        raise InputError(
            f"{file} has no row that looks like the header of {contract.name} ({contract.zh}). "
            f"{listing(headers)} Use the template: planner template {contract.name}"
        )
    rivals = [sheets[i].name for i in able if _qualifies(sheets[i], headings[i], contract)]
    if len(rivals) > 1:
        raise InputError(
            f"{file} holds {len(rivals)} sheets that look like {contract.name} ({contract.zh}): "
            f"{', '.join(rivals[:10])}. Name one with --sheet, or take them all with --sheet '*'."
        )
    return best


def _qualifies(sheet: Sheet, heading: Heading, contract: TableContract) -> bool:
    """Whether a sheet has every required column of the contract, and a row under them."""
    found = heading.found(contract, {})
    has_rows = any(not is_blank(cell) for row in sheet.head[heading.last + 1 :] for cell in row)
    required = {column.name for column in fields(contract) if column.is_required}
    if "tier" in required and "name" in found:
        names = [row[found["name"]] for row in sheet.head[heading.last + 1 :] if len(row) > found["name"]]
        required -= {"tier"} if says_tiers(sheet.name, names) else set()
    return has_rows and required <= set(found)


def _is_unclosed(cell: str) -> bool:
    """Whether a cell of a text table begins with a quotation mark that nothing closes."""
    return cell.lstrip().startswith('"') and cell.count('"') % 2 == 1


class _Table:
    """Collects the rows of one sheet, column by column, so that a million of them fit."""

    def __init__(self, file: str, sheet: Sheet, heading: Heading) -> None:
        self.file = file
        self.sheet = sheet
        self.heading = heading
        self.width = len(heading.headers)
        self.columns: list[list[object]] = [[] for _ in range(self.width)]
        self.known: list[dict[str, str]] = [{} for _ in range(self.width)]
        self.row = array("q")
        self.findings: list[LedgerRow] = []

    def records(self, source: Source, progress: Progress) -> Records:
        """Return the rows below the header that hold anything, under the numbers that a spreadsheet shows."""
        for number, cells in enumerate(self.sheet.rows(), start=1):
            if number > self.heading.last + 1:
                self._take(number, cells)
            if number % _REPORTED_ROWS == 0:
                progress.update(0, 4, f"{number:,}")
        row = np.array(self.row, dtype=np.int64)
        columns = []
        while self.columns:
            column = np.empty(len(row), dtype=object)
            column[:] = self.columns.pop(0)
            columns.append(column)
        return Records(
            self.file,
            self.heading.headers,
            tuple(columns),
            row,
            merges=self._merges(row),
            findings=tuple(self.findings),
            source=source,
            parts=self.heading.parts,
        )

    def _take(self, number: int, cells: Sequence[object]) -> None:
        filled = [cell for cell in cells if cell is not None and not is_blank(cell)]
        if not filled:
            return
        for j in range(self.width):
            cell = cells[j] if j < len(cells) else None
            if isinstance(cell, str):
                known = self.known[j]
                if len(known) < _MAX_REPEATED:
                    cell = known.setdefault(cell, cell)
            self.columns[j].append(cell)
        self.row.append(number)
        self._judge(number, cells, filled)

    def _judge(self, number: int, cells: Sequence[object], filled: Sequence[object]) -> None:
        """Keep what is wrong with a row as a whole."""
        if is_note(filled):
            self._say(number, "note_row", value=shown(filled[0]))
        elif len(filled) > 1 and tuple(map(header_text, cells[: self.width])) == self.heading.headers:
            self._say(number, "header_row")
        elif len(self.row) == 1 and is_numbering(filled):
            self._say(number, "numbering_row")
        elif self.sheet.is_text and len(cells) > self.width and any(not is_blank(c) for c in cells[self.width :]):
            self._say(number, "too_many_cells", n=len(cells), n_headers=self.width)
        elif self.sheet.is_text and any(isinstance(cell, str) and _is_unclosed(cell) for cell in filled):
            self._say(number, "stray_quote")
        elif self.sheet.is_text and any(DAMAGED in cell for cell in filled if isinstance(cell, str)):
            self.findings.append(LedgerRow(self.file, number, "", "text_damaged", {}, is_refused=False))

    def _say(self, number: int, code: str, **values: object) -> None:
        self.findings.append(LedgerRow(self.file, number, "", code, values))

    def _merges(self, row: np.ndarray) -> tuple[tuple[int, int, int], ...]:
        """Return the merges among the rows that were taken, by their positions."""
        merges = []
        for column, first, last in self.sheet.merges:
            start, end = np.searchsorted(row, [first + 1, last + 2])
            if column < self.width and start < len(row) and row[start] == first + 1 and end > start:
                merges.append((column, int(start), int(end) - 1))
        return tuple(merges)
