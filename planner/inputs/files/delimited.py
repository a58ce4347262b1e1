"""Text tables: separated by commas, tabs, semicolons, bars, full-width commas or blanks."""

from __future__ import annotations

import csv
import itertools
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from planner.inputs.files.encodings import encoding_of_file
from planner.inputs.files.workbooks import HEAD_ROWS, Sheet
from planner.inputs.limits import MAX_QUOTED_LINES
from planner.inputs.records import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from planner.inputs.files.encodings import Encoding

SUFFIXES = (".csv", ".tsv", ".txt")
_SEPARATORS = (",", "\t", ";", "|", "，")
_HEAD_CHARACTERS = 20_000
_ADVICE = "A quotation mark may be missing. Open it in a spreadsheet and save it again."


@contextmanager
def opened_text(path: Path) -> Iterator[tuple[Sheet, Encoding]]:
    """Give a text table as a sheet, as long as it is open, and its encoding.

    Raises
    ------
    InputError
        When the encoding is unknown, or a quotation mark swallows the file.
    """
    encoding = encoding_of_file(path)
    with (
        reading(path.name, _ADVICE),
        path.open(encoding=encoding.codec, errors=encoding.errors, newline="") as file,
    ):
        lines = file.read(_HEAD_CHARACTERS).splitlines()[:HEAD_ROWS]
        file.seek(0)
        separator = max(_SEPARATORS, key=lambda mark: sum(line.count(mark) for line in lines))
        is_separated = any(separator in line for line in lines)
        rows = _rows(file, separator) if is_separated else (line.split() for line in file)
        yield Sheet(path.stem, list(itertools.islice(rows, HEAD_ROWS)), rows, is_text=True), encoding


def _rows(file: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Give the records; a stray quotation mark costs its own line, not those that it would swallow."""
    lines, waiting = iter(file), deque[str]()
    width = 0
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        if '"' not in line:
            record = line.rstrip("\r\n").split(separator)
        else:
            waiting.extend(itertools.islice(lines, max(MAX_QUOTED_LINES - len(waiting), 0)))
            record, n_more = _quoted(line, waiting, separator, width)
            for _ in range(n_more):
                waiting.popleft()
        width = len(record) if len(record) > 1 and not width else width
        yield record


def _quoted(line: str, more: Iterable[str], separator: str, width: int) -> tuple[list[str], int]:
    """Return the record that begins with a line and how many of the lines after it belong to it.

    Where the quotation marks do not close, or run records together, the line stands alone with its marks as they are.
    """
    reader = csv.reader([line, *more], delimiter=separator, strict=True)
    try:
        record = next(reader)
        if reader.line_num == 1 or not (width and _is_run_together(record, width, separator)):
            return record, reader.line_num - 1
    except csv.Error:
        pass
    return line.rstrip("\r\n").split(separator), 0


def _is_run_together(record: list[str], width: int, separator: str) -> bool:
    """Whether a record of several lines is several records: a cell may hold a line break, but not a whole record."""
    return len(record) != width or any("\n" in cell and cell.count(separator) >= width - 1 for cell in record)
