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
    from collections.abc import Mapping

    import pandas as pd

RETURN_HEADERS = ("问题 Problem", "怎么改 Repair")
"""Headers of the two columns that a workbook sent back for correction has at its end; an import passes over them."""


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


def table_in_words(table: pd.DataFrame, language: Language = "zh") -> pd.DataFrame:
    """Return a study's stored ledger with `problem` and `repair` in `language`, from its `code` and `values`."""
    if table.empty:
        return table.copy()
    rows = [
        LedgerRow("", 0, "", str(code), json.loads(values))
        for code, values in zip(table["code"], table["values"], strict=True)
    ]
    return table.assign(problem=[row.problem(language) for row in rows], repair=[row.repair(language) for row in rows])
