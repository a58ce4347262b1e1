"""Which header of a file means which column of a contract."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.schema import COORDINATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.schema import Column, TableContract

_ALIASES = {"lon": "x", "lng": "x", "lat": "y"}
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】")
_IGNORED = re.compile(r"[\s_\-·:*★.、,'\"]+")
# "其中：60岁及以上" is a part of the column before it.
_OF_WHICH = re.compile(r"^其中[的:：]?")
# "2024年人口" and "2025年人口" are one column in two years.
_YEAR = re.compile(r"(19|20)\d\d(年末?底?|末)")
_ALL_OF_THEM = frozenset({"", "总数", "合计", "总计", "小计", "计", "数量", "人数", "total", "all"})
# A shapefile cuts a header at ten bytes; part of a character and an ignored underscore may be lost too.
_SHORT_BYTES = 8
_ALIKE = 60.0
Meaning = Callable[[str, str], bool]

CONFIDENCE = {"chosen": 1.0, "name": 1.0, "synonym": 0.95, "bare": 0.9, "part": 0.85, "cut": 0.8, "said": 0.7,
              "content": 0.6}  # fmt: skip
"""How sure a match is, by the way it was made."""


@dataclass(frozen=True)
class Match:
    """One column of a contract and the header that it was found under.

    Attributes
    ----------
    field : name of the column in the contract, or x, y.
    header : as written in the file.
    position : of the header among the file's headers.
    how : "chosen" by the user, by the contract's "name", a "synonym", one of them with its "bare" words (unit and year
        left out), one line of a "part" of a two-line header, a name "cut" by the format, "said" by the names or titles
        of the table, or by the column's "content".
    """

    field: str
    header: str
    position: int
    how: str

    @property
    def confidence(self) -> float:
        """How sure it is, from 0 to 1."""
        return CONFIDENCE[self.how]


def fields(contract: TableContract) -> tuple[Column, ...]:
    """Return the columns that a file of this table may have, its coordinates included."""
    return contract.columns + COORDINATES if contract.geometry == "Point" else contract.columns


def match_headers(
    headers: Sequence[str],
    contract: TableContract,
    wanted: Mapping[str, str],
    *,
    is_short: bool = False,
    parts: Sequence[tuple[str, ...]] = (),
) -> dict[str, int]:
    """Return the position of the header of every field that was found; see `header_matches`."""
    matches = header_matches(headers, contract, wanted, is_short=is_short, parts=parts)
    return {match.field: match.position for match in matches}


def header_matches(
    headers: Sequence[str],
    contract: TableContract,
    wanted: Mapping[str, str],
    *,
    is_short: bool = False,
    parts: Sequence[tuple[str, ...]] = (),
) -> list[Match]:
    """Return the header of every field that was found, surest first.

    An explicit choice wins, then the contract's own names, then its synonyms; then the same without units in brackets
    and years; then one line of a header of two; last, for `is_short`, headers cut at ten bytes. A header serves one
    field.

    Parameters
    ----------
    headers : as written in the file.
    contract : of the table.
    wanted : field -> header, chosen by the user; one that is not among `headers` is passed over.
    is_short : whether the format cuts headers.
    parts : per header, its lines, from above, where the table has two.
    """
    found: dict[str, Match] = {}
    for name, header in wanted.items():
        position = _position(headers, header)
        if position is not None:
            field = _ALIASES.get(name, name)
            found[field] = Match(field, headers[position], position, "chosen")
    plain = [normalise(header) for header in headers]
    rounds: list[tuple[list[str], Meaning, tuple[str, str]]] = [
        (plain, _is_same, ("name", "synonym")),
        ([_bare(header) for header in headers], _is_same, ("bare", "bare")),
    ]
    # A header of two lines that was written into one line keeps them apart by a space; English words do so too.
    parts = parts or [tuple(header.split()) if not header.isascii() else () for header in headers]
    if any(parts):
        rounds.append(([_bare(lines[-1]) if len(lines) > 1 else "" for lines in parts], _is_same, ("part", "part")))
        rounds.append(([_whole(lines) for lines in parts], _is_same, ("part", "part")))
    if is_short:
        rounds.append((plain, _is_cut, ("cut", "cut")))
    for candidates, means, ways in rounds:
        for names, how in zip((_own_names, _synonyms), ways, strict=True):
            for column in fields(contract):
                if column.name not in found:
                    taken = {match.position for match in found.values()}
                    position = _first_meaning(candidates, taken, names(column), means)
                    if position is not None:
                        found[column.name] = Match(column.name, headers[position], position, how)
    return list(found.values())


def alike(headers: Sequence[str], column: Column, taken: Sequence[int] = ()) -> tuple[str, float] | None:
    """Return the header, not at a position in `taken`, that reads most like a name of `column`, and how much, 0 to 1.

    Source of the measure: the ratio of the longest common subsequence, as in rapidfuzz.
    """
    from rapidfuzz import fuzz

    names = [*_own_names(column), *_synonyms(column)]
    best = ("", 0.0)
    for position, header in enumerate(headers):
        word = _bare(header)
        if position in taken or not word:
            continue
        score = max(fuzz.ratio(word, name) for name in names)
        if score > best[1]:
            best = (header, score)
    return (best[0], best[1] / 100) if best[1] >= _ALIKE else None


def require_choices(headers: Sequence[str], contract: TableContract, wanted: Mapping[str, str], file: str) -> None:
    """Raise `InputError` when the user's own choice of columns names a field or a header that does not exist."""
    names = [column.name for column in fields(contract)]
    for name, header in wanted.items():
        if _ALIASES.get(name, name) not in names:
            raise InputError(f"'{name}' is no field of {contract.name}. Fields: {', '.join(names)}.")
        if _position(headers, header) is None:
            raise InputError(f"{file} has no header '{header}' (chosen for {name}). {listing(headers)}")


def require_columns(found: Mapping[str, int], headers: Sequence[str], contract: TableContract, file: str) -> None:
    """Raise `InputError` when a required column has no header in the file."""
    missing = [column for column in contract.columns if column.is_required and column.name not in found]
    if missing:
        names = ", ".join(f"{column.zh} ({column.name})" for column in missing)
        raise InputError(
            f"{file} has no column for {names}. {listing(headers)}{_guesses(missing, headers, found)} "
            f"Name the header with --column {missing[0].name}=HEADER, or use the template: "
            f"planner template {contract.name}"
        )


def _guesses(missing: Sequence[Column], headers: Sequence[str], found: Mapping[str, int]) -> str:
    """Return the sentence that says which headers read like the missing columns."""
    guesses = []
    for column in missing:
        guess = alike(headers, column, tuple(found.values()))
        if guess is not None:
            guesses.append(f"--column {column.name}={guess[0]}")
    return f"\nPerhaps: {' '.join(guesses)}." if guesses else ""


def listing(headers: Sequence[str]) -> str:
    """Return the sentence that lists what headers were found."""
    shown = [header for header in headers if header.strip()]
    if not shown:
        return "No headers were found."
    more = f" and {len(shown) - 20} more" if len(shown) > 20 else ""  # noqa: PLR2004  what fits a message
    return f"Headers found: {', '.join(shown[:20])}{more}."


@lru_cache(maxsize=50_000)
def normalise(header: str) -> str:
    """Return the header without case, spaces, marks and full-width forms: what two spellings have in common."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", header).lower())


@lru_cache(maxsize=50_000)
def _bare(header: str) -> str:
    """Return the header normalised, without what stands in brackets, without its year and "of which"."""
    return _timeless(_OF_WHICH.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", header)).strip()))


def _timeless(header: str) -> str:
    """Return the header normalised, without its year."""
    return normalise(_YEAR.sub("", header))


def _whole(lines: tuple[str, ...]) -> str:
    """Return the upper line of a header whose lower line only says that all of them are meant."""
    return _bare(lines[0]) if len(lines) > 1 and normalise(lines[-1]) in _ALL_OF_THEM else ""


def _first_meaning(candidates: Sequence[str], taken: set[int], names: tuple[str, ...], means: Meaning) -> int | None:
    """Return the position of the first free header that means one of `names`, the first name first."""
    for name in names:
        for i, header in enumerate(candidates):
            if i not in taken and means(header, name):
                return i
    return None


@lru_cache(maxsize=1_000)
def _own_names(column: Column) -> tuple[str, ...]:
    return tuple(normalise(name) for name in (column.zh, column.en, column.name))


@lru_cache(maxsize=1_000)
def _synonyms(column: Column) -> tuple[str, ...]:
    return tuple(normalise(name) for name in column.synonyms)


def _is_same(header: str, name: str) -> bool:
    return bool(header) and header == name


def _is_cut(header: str, name: str) -> bool:
    return name.startswith(header) and len(header.encode("utf-8")) >= _SHORT_BYTES


def _position(headers: Sequence[str], wanted: str) -> int | None:
    """Return where `wanted` stands, written exactly so or nearly so."""
    for i, header in enumerate(headers):
        if header.strip() == wanted.strip():
            return i
    for key in (normalise, _timeless):
        plain = key(wanted)
        position = next((i for i, header in enumerate(headers) if plain and key(header) == plain), None)
        if position is not None:
            return position
    return None
