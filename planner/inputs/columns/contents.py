"""What the cells of a column look like, whatever its header says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.inputs.columns.cells import choice_key, plain_date, plain_number
from planner.inputs.columns.headers import Match, fields
from planner.inputs.records import is_blank
from planner.schema import FLAGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.inputs.records import Cells, Records
    from planner.schema import Column, TableContract

_SAMPLE = 1_000
_MOST = 0.8
_LON, _LAT = (70.0, 140.0), (3.0, 55.0)
_EASTING, _NORTHING = ((1e5, 1e6), (1.2e7, 4.7e7)), ((3e5, 6.5e6),)
_FLAG_WORDS = frozenset(choice_key(word) for words in FLAGS for word in words)
_YEARS = (1900, 2100)


@dataclass(frozen=True)
class Look:
    """What a column looks like.

    Attributes
    ----------
    kind : "blank", "longitude", "latitude", "easting", "northing", "year", "integer", "number", "date", "flag", "text".
    filled_share : share of the cells that hold something.
    n_distinct : different values among the cells looked at.
    examples : the first different values, at most three.
    """

    kind: str
    filled_share: float
    n_distinct: int
    examples: tuple[str, ...]


def look_at(cells: Cells) -> Look:
    """Return what a column looks like, from at most a thousand of its cells, spread evenly."""
    sample = _sample(cells)
    filled = [cell for cell in sample if not is_blank(cell)]
    words = list(dict.fromkeys(str(cell).strip() for cell in filled))
    share = len(filled) / len(sample) if sample else 0.0
    return Look(_kind(filled), share, len(words), tuple(word[:40] for word in words[:3]))


def content_matches(records: Records, contract: TableContract, found: Sequence[Match]) -> list[Match]:
    """Return matches for required and telling columns without a header: by their words, or the range of their numbers.

    A column of codes (tier, way, level) is taken where one column alone has four in five of its cells among the
    contract's words; coordinates where one column alone can be each of the two.
    """
    taken = {match.position for match in found}
    named = {match.field for match in found}
    free = [i for i in range(len(records.headers)) if i not in taken]
    matches = []
    for column in contract.columns:
        if (column.is_required or column.is_telling) and column.choices and column.name not in named:
            able = [i for i in free if _share_of_choices(records.columns[i], column) >= _MOST]
            if len(able) == 1:
                matches.append(Match(column.name, records.headers[able[0]], able[0], "content"))
                free.remove(able[0])
    needs_place = any(column.name == "x" for column in fields(contract)) and records.geometry is None
    if needs_place and not named & {"x", "y"}:
        matches += _coordinates(records, free)
    return matches


def _coordinates(records: Records, free: Sequence[int]) -> list[Match]:
    kinds = {i: _kind([cell for cell in _sample(records.columns[i]) if not is_blank(cell)]) for i in free}
    for pair in (("longitude", "latitude"), ("easting", "northing")):
        able = [[i for i in free if kinds[i] == kind] for kind in pair]
        if all(len(positions) == 1 for positions in able):
            return [
                Match(field, records.headers[i], i, "content") for field, (i,) in zip(("x", "y"), able, strict=True)
            ]
    return []


def _sample(cells: Cells) -> list[object]:
    return list(cells[:: max(1, -(-len(cells) // _SAMPLE))])


def _share_of_choices(cells: Cells, column: Column) -> float:
    known = {choice_key(word) for code, words in column.choices for word in (code, *words) if not word.isdigit()}
    filled = [str(cell) for cell in _sample(cells) if not is_blank(cell)]
    return sum(choice_key(word) in known for word in filled) / len(filled) if filled else 0.0


def _kind(filled: Sequence[object]) -> str:
    if not filled:
        return "blank"
    numbers = [_number(cell) for cell in filled]
    values = np.array([number for number in numbers if number is not None], dtype=float)
    if len(values) >= _MOST * len(filled):
        return _kind_of_numbers(values)
    if sum(plain_date(cell) is not None for cell in filled) >= _MOST * len(filled):
        return "date"
    if sum(choice_key(str(cell)) in _FLAG_WORDS for cell in filled) >= _MOST * len(filled):
        return "flag"
    return "text"


def _kind_of_numbers(values: np.ndarray) -> str:
    is_whole = bool((values == np.round(values)).all())
    if is_whole and _is_within(values, (_YEARS,)):
        return "year"
    for kind, ranges in (
        ("longitude", (_LON,)), ("latitude", (_LAT,)), ("easting", _EASTING), ("northing", _NORTHING),
    ):  # fmt: skip
        if (not is_whole or values.min() > _NORTHING[0][0]) and _is_within(values, ranges):
            return kind
    return "integer" if is_whole else "number"


def _is_within(values: np.ndarray, ranges: Sequence[tuple[float, float]]) -> bool:
    return any(bool(((values >= low) & (values <= high)).mean() >= _MOST) for low, high in ranges)


def _number(cell: object) -> float | None:
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, int | float | np.integer | np.floating):
        return float(cell) if np.isfinite(float(cell)) else None
    return plain_number(cell.strip().removesuffix("°")) if isinstance(cell, str) else None
