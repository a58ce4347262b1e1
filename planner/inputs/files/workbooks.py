"""The sheets of workbooks, row by row: .xlsx through openpyxl, .xls (and WPS .et) through xlrd."""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.errors import InputError
from planner.inputs.files.archives import check_archive
from planner.inputs.limits import MAX_ROWS
from planner.inputs.records import reading

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    Merge = tuple[int, int, int]

SUFFIXES = (".xlsx", ".xls", ".et")
HEAD_ROWS = 31
ADVICE = "The file is damaged or was cut short: save or copy it again."
_ERROR_CELLS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*?\bref=\"([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)\"")
_CHUNK_BYTES = 1024**2
_LONGEST_TAG = 200


@dataclass(frozen=True)
class Sheet:
    """One sheet, or a text table, read as far as its header may stand.

    Attributes
    ----------
    name : of the sheet.
    head : its first rows.
    rest : gives the rows after them, once.
    merges : (column, first row, last row) of cells merged downwards, counted from 0.
    is_text : a text table, whose rows may have different lengths and no types.
    is_hidden : the user does not see it in a spreadsheet.
    """

    name: str
    head: Sequence[Sequence[object]]
    rest: Iterator[Sequence[object]]
    merges: tuple[Merge, ...] = ()
    is_text: bool = False
    is_hidden: bool = False

    def rows(self) -> Iterator[Sequence[object]]:
        """Give all rows, once."""
        return itertools.chain(self.head, self.rest)


@contextmanager
def opened_workbook(path: Path, wanted: str | None = None) -> Iterator[list[Sheet]]:
    """Give the sheets of a workbook, or the one that is `wanted`, as long as it is open.

    Raises
    ------
    InputError
        When the file is damaged or has no such sheet.
    """
    is_new = path.suffix.lower() == ".xlsx"
    with reading(path.name, ADVICE), warnings.catch_warnings():
        # openpyxl warns about styles and extensions that it leaves out; no value is touched by them.
        warnings.simplefilter("ignore")
        with _opened_xlsx(path, wanted) if is_new else _opened_xls(path, wanted) as sheets:
            yield sheets


def sheet_names(path: Path) -> list[str]:
    """Return the names of a workbook's sheets, hidden ones left out."""
    with opened_workbook(path) as sheets:
        return [sheet.name for sheet in sheets if not sheet.is_hidden]


def _named(file: str, names: Sequence[str], wanted: str | None) -> list[str]:
    if wanted is None:
        return list(names)
    if wanted not in names:
        raise InputError(f"{file} has no sheet '{wanted}'. It has: {', '.join(names)}.")
    return [wanted]


@contextmanager
def _opened_xlsx(path: Path, wanted: str | None) -> Iterator[list[Sheet]]:
    from openpyxl import load_workbook

    with zipfile.ZipFile(path) as archive:
        check_archive(path.name, archive)
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            pages: dict[str, Any] = {page.title: page for page in book.worksheets}
            yield [_xlsx_sheet(pages[name], archive) for name in _named(path.name, list(pages), wanted)]
        finally:
            book.close()


def _xlsx_sheet(page: Any, archive: zipfile.ZipFile) -> Sheet:  # noqa: ANN401  its stubs are those of another class
    # The size that the file declares may be wrong, and would cut rows off.
    page.reset_dimensions()
    rows = (tuple(map(_without_error, row)) for row in _bounded(page.iter_rows(values_only=True), page.title))
    head = list(itertools.islice(rows, HEAD_ROWS))
    merges = _xlsx_merges(archive, page._worksheet_path)  # noqa: SLF001  openpyxl reads no merges in this mode
    return Sheet(page.title, head, rows, merges, is_hidden=page.sheet_state != "visible")


def _bounded(rows: Iterable[Any], sheet: str) -> Iterator[Any]:
    """Give the rows of a sheet; a number of rows that no spreadsheet has is refused, not counted to its end."""
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise InputError(
                f"The sheet '{sheet}' claims more than {MAX_ROWS:,} rows. Save the table again in a new file."
            )
        yield row


def _without_error(cell: object) -> object:
    return None if isinstance(cell, str) and cell in _ERROR_CELLS else cell


def _xlsx_merges(archive: zipfile.ZipFile, part: str) -> tuple[Merge, ...]:
    """Return the cells merged downwards, which stand at the end of a sheet's part."""
    from openpyxl.utils import column_index_from_string

    merges = set()
    kept = b""
    with archive.open(part.lstrip("/")) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            kept += chunk
            for left, first, _, last in _MERGE.findall(kept) if b"mergeCell" in kept else ():
                if int(last) > int(first):
                    merges.add((column_index_from_string(left.decode()) - 1, int(first) - 1, int(last) - 1))
            kept = kept[-_LONGEST_TAG:]
    return tuple(sorted(merges))


@contextmanager
def _opened_xls(path: Path, wanted: str | None) -> Iterator[list[Sheet]]:
    import xlrd

    quiet = io.StringIO()
    with xlrd.open_workbook(str(path), on_demand=True, ragged_rows=True, formatting_info=True, logfile=quiet) as book:
        pages = {page.name: page for page in map(book.sheet_by_index, range(book.nsheets))}
        yield [_xls_sheet(pages[name], book.datemode) for name in _named(path.name, list(pages), wanted)]


def _xls_sheet(page: Any, datemode: int) -> Sheet:  # noqa: ANN401  xlrd has no types
    rows = (
        [_xls_value(kind, value, datemode) for kind, value in zip(page.row_types(i), page.row_values(i), strict=True)]
        for i in range(page.nrows)
    )
    head = list(itertools.islice(rows, HEAD_ROWS))
    merges = tuple(sorted((left, top, bottom - 1) for top, bottom, left, _ in page.merged_cells if bottom - top > 1))
    return Sheet(page.name, head, rows, merges, is_hidden=bool(page.visibility))


def _xls_value(kind: int, value: Any, datemode: int) -> object:  # noqa: ANN401
    """Return the value of one cell; blanks and errors are None."""
    import xlrd

    if kind == xlrd.XL_CELL_DATE:
        try:
            moment: dt.datetime = xlrd.xldate_as_datetime(value, datemode)
        except (ValueError, OverflowError):
            return value
        return moment
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    return value if kind in (xlrd.XL_CELL_TEXT, xlrd.XL_CELL_NUMBER) else None
