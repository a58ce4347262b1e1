"""Rows of a file before anything is believed about them, and what is found wrong with them on the way in."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pandas import isna
from pandas.api.types import is_scalar

from planner.errors import InputError, PlannerError
from planner.ledger import Ledger, LedgerRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Cells = NDArray[np.object_]

_MAX_VALUE_LENGTH = 80
MAX_REPAIRS = 10_000
"""Rows of a table with one repair that are listed one by one; the rest are counted. Refusals are all listed."""
MAX_LISTED = 1_000
"""Rows of one kind that are listed one by one where a whole layer may have the same fault; the rest are counted."""


@dataclass(frozen=True)
class Source:
    """Where in a file its rows were found.

    Attributes
    ----------
    kind : "workbook", "text" or "layer".
    part : name of the sheet or layer.
    encoding : of the text, in words, "" where the format fixes it.
    header_rows : first and last row of the header as a spreadsheet numbers them; (0, 0) for a layer.
    others : names of the sheets that were passed over.
    """

    kind: str = "layer"
    part: str = ""
    encoding: str = ""
    header_rows: tuple[int, int] = (0, 0)
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Records:
    """The rows of one table or layer, as they stand in the file.

    Attributes
    ----------
    file : name of the file, for the ledger.
    headers : as written in the file, in its order; may repeat.
    columns : one array of cells per header, all of length n_rows.
    row : int64[n_rows], the number under which the user sees the row, rising.
    geometry : shapely geometries (or None), where the file has some.
    crs : of the geometry, as the file declares it.
    has_short_headers : the format cuts headers at ten bytes (shapefiles).
    merges : (header, first row, last row) of cells merged downwards, rows counted from 0 among the records.
    findings : what the reader itself found; its refused rows stay among the records.
    source : where in the file they were found.
    parts : per header, its lines from above, where the header has two.
    said : (field, position) of columns that are in no column of the file, but are said by its names or titles.
    """

    file: str
    headers: tuple[str, ...]
    columns: tuple[Cells, ...]
    row: NDArray[np.int64]
    geometry: Cells | None = None
    crs: str | None = None
    has_short_headers: bool = False
    merges: tuple[tuple[int, int, int], ...] = ()
    findings: tuple[LedgerRow, ...] = ()
    source: Source = Source()
    parts: tuple[tuple[str, ...], ...] = ()
    said: tuple[tuple[str, int], ...] = ()

    def __len__(self) -> int:
        return len(self.row)


class Findings:
    """Collects the ledger of one import while its columns are checked."""

    def __init__(self, file: str, row: NDArray[np.int64]) -> None:
        self.file = file
        self.row = row
        self.refused = np.zeros(len(row), bool)
        self.closed = np.zeros(len(row), bool)
        self.rows: list[LedgerRow] = []
        self._repaired: dict[tuple[str, str], list[int]] = {}

    def add(self, findings: Sequence[LedgerRow]) -> None:
        """Take over findings that were made elsewhere about rows of this file."""
        for finding in findings:
            i = int(np.searchsorted(self.row, finding.row))
            if finding.is_refused and i < len(self.row) and self.row[i] == finding.row:
                self.refused[i] = True
                self.close(i)
        self.rows.extend(findings)

    def close(self, i: int) -> None:
        """Say no more about the i-th record: it is not a record at all."""
        self.closed[i] = True

    def refuse(self, i: int, column: str, code: str, **values: Any) -> None:  # noqa: ANN401  words of any kind
        """Leave the i-th record out."""
        self.refused[i] = True
        self._say(i, LedgerRow(self.file, int(self.row[i]), column, code, values, old_value=_old(values)))

    def drop(self, i: int, column: str, code: str, **values: Any) -> None:  # noqa: ANN401
        """Keep the i-th record, without its value in `column`."""
        self.repair(i, column, code, (_old(values) or "", ""), **values)

    def repair(self, i: int, column: str, code: str, change: tuple[str, str], **values: Any) -> None:  # noqa: ANN401
        """Keep the i-th record, with a value changed from `change[0]` to `change[1]`."""
        self._keep(i, column, code, values, shown(change[0]), shown(change[1]))

    def remark(self, i: int, column: str, code: str, **values: Any) -> None:  # noqa: ANN401
        """Keep the i-th record as it stands, and say what is wrong with it."""
        self._keep(i, column, code, values, _old(values), None)

    def note(self, column: str, code: str, **values: Any) -> None:  # noqa: ANN401
        """Say something about the file as a whole."""
        self.rows.append(LedgerRow(self.file, 0, column, code, values, is_refused=False))

    def _keep(self, i: int, column: str, code: str, values: dict[str, Any], old: str | None, new: str | None) -> None:
        row = int(self.row[i])
        alike = self._repaired.setdefault((code, column), [row, 0])
        alike[1] += not self.closed[i]
        if alike[1] <= MAX_REPAIRS:
            self._say(i, LedgerRow(self.file, row, column, code, values, False, old, new))  # noqa: FBT003  kept

    def _say(self, i: int, finding: LedgerRow) -> None:
        if not self.closed[i]:
            self.rows.append(finding)

    def ledger(self) -> Ledger:
        """Return the ledger, in the order of the file."""
        more = [
            LedgerRow(self.file, 0, column, "more_alike", {"n": n - MAX_REPAIRS, "row": row}, is_refused=False)
            for (_, column), (row, n) in self._repaired.items()
            if n > MAX_REPAIRS
        ]
        rows = sorted([*self.rows, *more], key=lambda finding: finding.row)
        return Ledger(len(self.row), int(self.refused.sum()), tuple(rows))


def _old(values: dict[str, Any]) -> str | None:
    return shown(values["value"]) if "value" in values else None


def shown(value: object) -> str:
    """Return `value` as the ledger quotes it: plain text of at most 80 characters."""
    words = " ".join(str(value).split())
    return words if len(words) <= _MAX_VALUE_LENGTH else words[: _MAX_VALUE_LENGTH - 1] + "…"


def is_blank(cell: object) -> bool:
    """Whether a cell holds nothing."""
    if isinstance(cell, str):
        return not cell.strip()
    return bool(is_scalar(cell) and isna(cast("float", cell)))


@contextmanager
def reading(file: str, advice: str) -> Iterator[None]:
    """Turn whatever a reader raises on a broken file into one `InputError` with `advice`."""
    try:
        yield
    except (PlannerError, MemoryError):
        raise
    except Exception as error:  # readers of foreign formats raise anything on damaged bytes
        # The folder is the business of whoever runs the planner, not of a reader in a browser.
        cause = re.sub(rf"(?:[A-Za-z]:)?[/\\][^'\"]*[/\\](?={re.escape(file)})", "", str(error))
        raise InputError(f"{file} cannot be read ({shown(cause) or type(error).__name__}). {advice}") from error


def with_file(records: Records, file: str) -> Records:
    """Return the records under the file name that the user gave."""
    return replace(records, file=file, findings=tuple(replace(finding, file=file) for finding in records.findings))
