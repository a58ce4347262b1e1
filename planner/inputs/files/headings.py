"""Where a table's header stands among title rows, and in how many lines."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.inputs.columns.cells import plain_number
from planner.inputs.columns.headers import match_headers
from planner.inputs.records import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.inputs.files.workbooks import Sheet
    from planner.schema import TableContract

    Row = Sequence[object]

SEARCHED_ROWS = 30
_UNIT = re.compile(r"[(\[]?(人|户|个|处|座|度|米|m|km|公里|平方米|m2|亩|元|万元|年|people|degrees?|metres?)[)\]]?")
_NOTE = re.compile(
    r"[(\[*※]*(注|备注|说明|填表说明|资料来源|数据来源|来源|单位|填表人|填报人|填报单位|制表人?|审核人?|负责人|联系人|联系电话|"
    r"填报日期|填表日期|制表日期|日期|notes?|source|remarks?)\d*[)\]]?[:.、].*",
    re.IGNORECASE | re.DOTALL,
)
_STEMS = "甲乙丙丁戊己庚辛"
_FEW_CELLS = 2
_MIN_NUMBERED = 3


@dataclass(frozen=True)
class Heading:
    """The header of a table.

    Attributes
    ----------
    first, last : positions of its rows among the sheet's rows, counted from 0.
    headers : one text per column; two lines are joined by a space.
    parts : per column, its lines from above; empty for a header of one line.
    n_matched : how many columns of the contract it names.
    """

    first: int
    last: int
    headers: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    n_matched: int

    def found(self, contract: TableContract, wanted: Mapping[str, str]) -> dict[str, int]:
        """Return the position of the header of every column of the contract that is named."""
        return match_headers(self.headers, contract, wanted, parts=self.parts)


def find_heading(sheet: Sheet, contract: TableContract, wanted: Mapping[str, str]) -> Heading:
    """Return the row, or the two rows, among the first of a sheet that name most columns of the contract."""
    nothing = Heading(0, 0, (), (), 0)
    rows = [tuple(header_text(cell) for cell in row) for row in sheet.head[:SEARCHED_ROWS]]
    singles = [
        Heading(position, position, _trimmed(row), (), len(match_headers(_trimmed(row), contract, wanted)))
        for position, row in enumerate(rows)
    ]
    doubles = [
        _double(position, upper, lower, contract, wanted)
        for position, (upper, lower) in enumerate(itertools.pairwise(rows))
    ]
    single = max(singles, key=lambda heading: heading.n_matched, default=nothing)
    double = max(filter(None, doubles), key=lambda heading: heading.n_matched, default=nothing)
    has_units = single.n_matched > 0 and _is_units(rows[single.last + 1] if single.last + 1 < len(rows) else ())
    if has_units and double.first == single.first and double.n_matched == single.n_matched:
        return double
    # A title over a header of one line matches as much as the header alone: the second line has to tell more.
    return double if double.n_matched > single.n_matched else single


def header_text(cell: object) -> str:
    """Return a header cell as one line of text."""
    return "" if is_blank(cell) else " ".join(str(cell).split())


def is_note(cells: Sequence[object]) -> bool:
    """Whether the filled cells of a row are a note under the table ("注：", "填表人：") and no record."""
    return (
        0 < len(cells) <= _FEW_CELLS * 2
        and isinstance(cells[0], str)
        and bool(_NOTE.fullmatch(unicodedata.normalize("NFKC", cells[0]).strip()))
    )


def is_numbering(cells: Sequence[object]) -> bool:
    """Whether the filled cells of a row only number the columns: 1, 2, 3, or 甲, 乙, 1, 2."""
    if len(cells) < _MIN_NUMBERED:
        return False
    words = [unicodedata.normalize("NFKC", _plain(cell)).strip(" ()") for cell in cells]
    stems = 0
    while stems < min(len(words), len(_STEMS)) and words[stems] == _STEMS[stems]:
        stems += 1
    return words[stems:] == [str(number) for number in range(1, len(words) - stems + 1)]


def _plain(cell: object) -> str:
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _double(
    position: int, upper: Sequence[str], lower: Sequence[str], contract: TableContract, wanted: Mapping[str, str]
) -> Heading | None:
    """Return the header that two rows make together; None when the lower one holds figures and so is data."""
    if not any(upper) or not any(lower) or any(cell and plain_number(cell) is not None for cell in lower):
        return None
    width = max(len(upper), len(lower))
    upper = [*upper, *[""] * (width - len(upper))]
    lower = [*lower, *[""] * (width - len(lower))]
    if _is_units(lower):
        units = [below.strip("()（）[]") for below in lower]
        headers = _trimmed([f"{above} ({unit})" if unit else above for above, unit in zip(upper, units, strict=True)])
        return Heading(position, position + 1, headers, (), len(match_headers(headers, contract, wanted)))
    parts: list[tuple[str, ...]] = []
    group = ""
    for above, below in zip(upper, lower, strict=True):
        # A cell merged over several columns holds its text in the first of them.
        group = above or (group if below else "")
        parts.append((above or group, below) if below else (above, above))
    headers = _trimmed([" ".join(dict.fromkeys(filter(None, lines))) for lines in parts])
    parts = parts[: len(headers)]
    n_matched = len(match_headers(headers, contract, wanted, parts=parts))
    return Heading(position, position + 1, headers, tuple(parts), n_matched)


def _is_units(row: Sequence[str]) -> bool:
    """Whether a row under the header holds nothing but units."""
    filled = [unicodedata.normalize("NFKC", cell).lower() for cell in row if cell]
    return bool(filled) and all(_UNIT.fullmatch(cell) for cell in filled)


def _trimmed(row: Sequence[str]) -> tuple[str, ...]:
    """Return the row without the blanks at its end."""
    cells = list(row)
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)
