"""Both coordinates of a place in one cell, as map pickers copy them: taken apart into two columns."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.inputs.columns.angles import parse_angle
from planner.inputs.columns.cells import plain_number
from planner.inputs.columns.proposals import propose
from planner.inputs.records import is_blank
from planner.ledger import LedgerRow
from planner.schema import COORDINATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.inputs.records import Cells, Records
    from planner.schema import TableContract

_LABELS = re.compile(r"(经度|纬度|坐标|longitude|latitude|lng|lon|lat|\b[xy])\s*[:：=]?\s*", re.IGNORECASE)
_BRACKETS = " ()（）[]【】"
_BETWEEN = re.compile(r"[,，;；、/|]|(?=[东西]经|[南北]纬)")
_BEHIND_THE_POINT = re.compile(r"[.．]\d|\d{5}")
_SAMPLE = 400
_MOST = 0.5


def with_pairs_apart(records: Records, contract: TableContract, wanted: Mapping[str, str]) -> Records:
    """Return the records with the one column that holds pairs of coordinates made two, and a note that says so.

    Where a table of points has a column for either coordinate, or no column or several are full of pairs, the records
    are returned as they are. The first number goes under longitude: an order that is turned round is found where
    places are put on the map. A cell that is no pair stands in both columns, where it is refused.
    """
    if records.geometry is not None or contract.geometry != "Point":
        return records
    proposal = propose(records, contract, wanted)
    if {"x", "y"} & set(proposal.found):
        return records
    used = {match.position for match in proposal.matches}
    able = [i for i, cells in enumerate(records.columns) if i not in used and _are_pairs(cells)]
    return _apart(records, able[0]) if len(able) == 1 else records


def pair_of(cell: object) -> tuple[str, str] | None:
    """Return the two coordinates of a cell as text, None where it holds no pair.

    Examples
    --------
    >>> pair_of("108.965584，32.695644")
    ('108.965584', '32.695644')
    """
    if not isinstance(cell, str):
        return None
    words = _LABELS.sub("", cell).strip(_BRACKETS)
    for parts in (_BETWEEN.split(words), words.split()):
        first, *others = [part.strip(_BRACKETS) for part in parts if part.strip(_BRACKETS)] or [""]
        if len(others) == 1 and _is_coordinate(first) and _is_coordinate(others[0]):
            return first, others[0]
    return None


def _is_coordinate(words: str) -> bool:
    """Whether a text is an angle, or a number with the digits that a place needs: "1,234" is no pair."""
    number = words.removesuffix("°")
    return parse_angle(words) is not None or (
        plain_number(number) is not None and _BEHIND_THE_POINT.search(number) is not None
    )


def _are_pairs(cells: Cells) -> bool:
    filled = [cell for cell in cells[:: max(1, -(-len(cells) // _SAMPLE))] if not is_blank(cell)]
    return bool(filled) and sum(pair_of(cell) is not None for cell in filled) >= _MOST * len(filled)


def _apart(records: Records, position: int) -> Records:
    """Return the records with one column in two: longitude in its place, latitude behind the last column."""
    header = records.headers[position]
    both = [pair_of(cell) or (cell, cell) for cell in records.columns[position]]
    halves = [np.array([pair[side] for pair in both], dtype=object) for side in (0, 1)]
    names = [f"{header} {column.zh}".strip() for column in COORDINATES]
    columns, headers, parts = list(records.columns), list(records.headers), list(records.parts)
    columns[position], headers[position] = halves[0], names[0]
    if parts:
        parts[position] = (header, COORDINATES[0].zh)
        parts.append((header, COORDINATES[1].zh))
    note = LedgerRow(records.file, 0, header, "pairs_apart", {"header": header}, is_refused=False)
    return replace(
        records,
        headers=(*headers, names[1]),
        columns=(*columns, halves[1]),
        parts=tuple(parts),
        findings=(note, *records.findings),
    )
