"""The quality ledger: what was refused or repaired on the way in, and how to mend it.

Nothing is lost: rows in = rows accepted + rows refused; a repaired row counts as accepted. Problems are kept as codes
with values, so that the same ledger reads in Chinese and in English (words: `texts/problems.toml`, keys
`<code>.problem` is written `<code>_problem`, `<code>_repair`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.texts import Language, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

_SHOWN = 5
RETURN_HEADERS = ("问题 Problem", "怎么改 Repair", "出处 Source")
"""Headers of the columns that a workbook sent back for correction has at its end; an import takes no data from them."""


def source_mark(file: str, row: int) -> str:
    """Return how a workbook of corrections names the row that a row of it is a copy of."""
    return f"{file} | {row}"


def marked_source(mark: str) -> tuple[str, int] | None:
    """Return the file and row that `source_mark` names, None where it names none."""
    file, _, row = mark.rpartition(" | ")
    return (file, int(row)) if file and row.isascii() and row.isdigit() else None


@dataclass(frozen=True)
class LedgerRow:
    """One finding about one cell or row of a file.

    Attributes
    ----------
    file : file name as the user gave it.
    row : row number as the user sees it in the file (a spreadsheet's first row is 1; a layer's first feature is 1);
        0 for the file as a whole.
    column : header as it stands in the file, or the contract's column where the file has none; "" for the whole row.
    code : key into `texts/problems.toml`: `<code>_problem` and `<code>_repair`.
    values : what fills the placeholders of the two texts.
    is_refused : True when the row was left out, False when it was repaired or only noted.
    old_value, new_value : for repairs.
    """

    file: str
    row: int
    column: str
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    is_refused: bool = True
    old_value: str | None = None
    new_value: str | None = None

    def problem(self, language: Language = "zh") -> str:
        """What is wrong, in words."""
        return text(f"problems.{self.code}_problem", language, **self.values)

    def repair(self, language: Language = "zh") -> str:
        """How to mend it, in words."""
        return text(f"problems.{self.code}_repair", language, **self.values)


@dataclass(frozen=True)
class Ledger:
    """All findings of one import, with the balance of its rows."""

    rows_in: int = 0
    rows_refused: int = 0
    rows: tuple[LedgerRow, ...] = ()

    @property
    def rows_accepted(self) -> int:
        """Rows that went into the study, repaired ones included."""
        return self.rows_in - self.rows_refused

    def merged(self, other: Ledger) -> Ledger:
        """Return the ledger of both imports."""
        return Ledger(
            self.rows_in + other.rows_in,
            self.rows_refused + other.rows_refused,
            self.rows + other.rows,
        )

    def to_records(self, language: Language = "zh") -> list[dict[str, Any]]:
        """Return the findings as plain records, in the order of the file."""
        return [
            {
                "file": row.file,
                "row": row.row,
                "column": row.column,
                "problem": row.problem(language),
                "repair": row.repair(language),
                "is_refused": row.is_refused,
                "old_value": row.old_value,
                "new_value": row.new_value,
            }
            for row in self.rows
        ]

    def to_frame(self, language: Language = "zh") -> pd.DataFrame:
        """Return the findings as a table, one row each."""
        import pandas as pd

        columns = [
            "file", "row", "column", "problem", "repair", "is_refused", "old_value", "new_value",
        ]  # fmt: skip
        return pd.DataFrame(self.to_records(language), columns=columns)


def ledger_counts(rows: Sequence[LedgerRow], language: Language = "zh") -> pd.DataFrame:
    """Return the findings counted by kind and column, worst first: most rows refused, then most rows.

    Columns: code, column, n_refused, n_repaired (rows kept, and remarks), rows (the first five), problem and repair (of
    the first of them).
    """
    import pandas as pd

    kinds: dict[tuple[str, str], list[LedgerRow]] = {}
    for row in rows:
        kinds.setdefault((row.code, row.column), []).append(row)
    counted = [
        (
            code,
            column,
            sum(row.is_refused for row in of_kind),
            sum(not row.is_refused for row in of_kind),
            ", ".join(str(row.row) for row in of_kind[:_SHOWN] if row.row) + (" …" if len(of_kind) > _SHOWN else ""),
            of_kind[0].problem(language),
            of_kind[0].repair(language),
        )
        for (code, column), of_kind in kinds.items()
    ]
    counted.sort(key=lambda each: (-each[2], -each[3], each[0], each[1]))
    columns = ["code", "column", "n_refused", "n_repaired", "rows", "problem", "repair"]
    return pd.DataFrame(counted, columns=columns)


def rows_of_table(table: pd.DataFrame) -> tuple[LedgerRow, ...]:
    """Return the findings of a study's stored ledger."""
    return tuple(
        LedgerRow(
            str(record["file"]), int(record["row"]), _plain(record["column"]) or "", str(record["code"]),
            json.loads(record["values"]), bool(record["is_refused"]), _plain(record["old_value"]),
            _plain(record["new_value"]),
        )
        for record in table.to_dict("records")
    )  # fmt: skip


def _plain(value: Any) -> str | None:  # noqa: ANN401  a missing cell is None or not a number
    return value if isinstance(value, str) else None


def table_in_words(table: pd.DataFrame, language: Language = "zh") -> pd.DataFrame:
    """Return a study's stored ledger with `problem` and `repair` in `language`, from its `code` and `values`."""
    if table.empty:
        return table.copy()
    rows = [
        LedgerRow("", 0, "", str(code), json.loads(values))
        for code, values in zip(table["code"], table["values"], strict=True)
    ]
    return table.assign(problem=[row.problem(language) for row in rows], repair=[row.repair(language) for row in rows])
