"""The ledger as a workbook to send back: what to mend, row by row, in both languages, and a copy to mend it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from planner.errors import InputError
from planner.ledger import RETURN_HEADERS, Ledger, ledger_counts, source_mark
from planner.outputs.sheets import Book, Sheet, SheetColumn, add_sheet, write_cell
from planner.texts import LANGUAGES, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.ledger import LedgerRow

MAX_ROWS = 50_000
"""Rows of the copy; of a longer table only the rows with a finding are copied."""
_REFUSED_FILL, _REPAIRED_FILL, _HEADER_FILL = "#F4B6B0", "#FDE9B8", "#1F5C8B"
_PROBLEM_COLUMNS = ("file", "row", "column", "is_refused", "problem_zh", "repair_zh", "problem_en", "repair_en",
                    "old_value", "new_value")  # fmt: skip
_COUNT_COLUMNS = ("column", "n_refused", "n_repaired", "rows", "problem_zh", "repair_zh", "problem_en", "repair_en")
_WIDTHS = {"problem": 46.0, "repair": 46.0, "rows": 22.0, "file": 22.0, "column": 16.0}


@dataclass
class _Row:
    """What is wrong with one row of the file."""

    is_refused: bool = False
    problems: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    columns: dict[str, bool] = field(default_factory=dict)


def write_corrections(path: Path | str, ledger: Ledger, rows: pd.DataFrame | None = None) -> Path:
    """Write the workbook and return its path: a copy of the rows to mend, the findings, their counts.

    The copy has the headers of the file, the ids that were given, and what to mend at the end of each row; cells to
    mend are red (the row was refused) or yellow (read in a changed form). It can be imported as it is.

    Parameters
    ----------
    path : of the .xlsx; an existing file is never replaced: somebody may be correcting it.
    ledger : of the import.
    rows : as they stood in the file, indexed by file and row number (`ImportResult.rows`); no copy when left out.

    Raises
    ------
    InputError
        When the file is there already, or cannot be written.
    """
    target = Path(path)
    if target.exists():
        raise InputError(f"{target} is there already. Choose another name, or delete it first.")
    with Book(target) as book:
        if rows is not None and len(rows):
            _write_copy(book, ledger, rows)
        add_sheet(book, _problem_sheet(ledger))
        add_sheet(book, _count_sheet(ledger))
    return target


def _both(key: str, **values: object) -> str:
    """Return words in both languages, Chinese first."""
    return " ".join(text(f"corrections.{key}", language, **values) for language in LANGUAGES)


def _write_copy(book: Book, ledger: Ledger, rows: pd.DataFrame) -> None:
    page = book.page(_both("copy"))
    wrong = _wrong_rows(ledger)
    if len(rows) > MAX_ROWS:
        rows = rows[[key in wrong for key in rows.index]]
    headers = [*map(str, rows.columns), *RETURN_HEADERS]
    plain, head = book.style(), book.style(bold=True, font_color="#FFFFFF", bg_color=_HEADER_FILL)
    fills = {True: _REFUSED_FILL, False: _REPAIRED_FILL}
    write_cell(page, 0, 0, _both("hint"), book.style(bold=True))
    for position, header in enumerate(headers):
        write_cell(page, 1, position, header, head)
        page.set_column(position, position, 46 if header in RETURN_HEADERS[:2] else 16)
    for number, (key, record) in enumerate(zip(rows.index, rows.itertuples(index=False, name=None), strict=True), 2):
        finding = wrong.get(key, _Row())
        words = ("\n".join(finding.problems), "\n".join(finding.repairs), source_mark(*key))
        for position, value in enumerate((*record, *words)):
            header, style = headers[position], plain
            if header in finding.columns:
                style = book.style(bg_color=fills[finding.columns[header]])
            elif header in RETURN_HEADERS and finding.problems:
                style = book.style(bg_color=fills[finding.is_refused], text_wrap=True, valign="top")
            write_cell(page, number, position, value, style)
    page.freeze_panes(2, 0)


def _wrong_rows(ledger: Ledger) -> dict[tuple[str, int], _Row]:
    """Return what is wrong by file and row number."""
    wrong: dict[tuple[str, int], _Row] = {}
    for finding in ledger.rows:
        if finding.row <= 0 or finding.code == "id_given":
            continue
        row = wrong.setdefault((finding.file, finding.row), _Row())
        row.is_refused |= finding.is_refused
        row.problems.append(" ".join(finding.problem(language) for language in LANGUAGES))
        row.repairs.append(" ".join(finding.repair(language) for language in LANGUAGES))
        row.columns[finding.column] = row.columns.get(finding.column, False) or finding.is_refused
    return wrong


def _problem_sheet(ledger: Ledger) -> Sheet:
    table = pd.DataFrame(
        [
            (row.file, row.row or None, row.column, _yes_no(row), *_four(row), row.old_value, row.new_value)
            for row in sorted(ledger.rows, key=lambda row: (not row.is_refused, row.file, row.row))
        ],
        columns=list(_PROBLEM_COLUMNS),
    )
    return Sheet(_both("problems"), _both("problems"), _balance(ledger), _columns(_PROBLEM_COLUMNS), table)


def _count_sheet(ledger: Ledger) -> Sheet:
    counts = {language: ledger_counts(ledger.rows, language) for language in LANGUAGES}
    table = counts["zh"].rename(columns={"problem": "problem_zh", "repair": "repair_zh"})
    table = table.assign(problem_en=counts["en"]["problem"], repair_en=counts["en"]["repair"])
    return Sheet(_both("counts"), _both("counts"), _balance(ledger), _columns(_COUNT_COLUMNS), table)


def _balance(ledger: Ledger) -> str:
    return _both(
        "balance", rows_in=ledger.rows_in, accepted=ledger.rows_accepted, refused=ledger.rows_refused
    )  # fmt: skip


def _four(row: LedgerRow) -> tuple[str, str, str, str]:
    return row.problem("zh"), row.repair("zh"), row.problem("en"), row.repair("en")


def _yes_no(row: LedgerRow) -> str:
    return _both("refused" if row.is_refused else "kept")


def _columns(names: tuple[str, ...]) -> list[SheetColumn]:
    widths: Mapping[str, float] = _WIDTHS
    return [
        SheetColumn(name, _both(f"column_{name}"), width=widths.get(name.removesuffix("_zh").removesuffix("_en"), 12.0))
        for name in names
    ]
