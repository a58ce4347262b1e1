"""Text tables: separated by commas, tabs, semicolons, bars, full-width commas or blanks."""

from __future__ import annotations

import csv
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from planner.inputs.files.encodings import encoding_of_file
from planner.inputs.files.workbooks import HEAD_ROWS, Sheet
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


class _Lines:
    """Gives the lines of a file and remembers those of the last record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.last: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.last.append(line)
        return line


def _rows(file: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Give the records; lines that a stray quotation mark ran together are taken apart again."""
    lines = _Lines(file)
    width = 0
    for record in csv.reader(lines, delimiter=separator):
        if len(lines.last) > 1 and width and _is_run_together(record, width, separator):
            yield from csv.reader(lines.last, delimiter=separator, quoting=csv.QUOTE_NONE)
        else:
            width = max(len(record), 1) if len(lines.last) == 1 and len(record) > 1 else width
            yield record
        lines.last = []


def _is_run_together(record: list[str], width: int, separator: str) -> bool:
    """Whether a record of several lines is several records: a cell may hold a line break, but not a whole record."""
    return len(record) != width or any("\n" in cell and cell.count(separator) >= width - 1 for cell in record)
