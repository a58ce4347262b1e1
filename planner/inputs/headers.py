"""Which header of a file means which column of a contract."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.schema import COORDINATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planner.schema import Column, TableContract

_ALIASES = {"lon": "x", "lng": "x", "lat": "y"}
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】")
_IGNORED = re.compile(r"[\s_\-·:*★.、,'\"]+")
# A shapefile cuts a header at ten bytes; half a character and an ignored underscore may be lost too.
_SHORT_BYTES = 8
Meaning = Callable[[str, str], bool]


def fields(contract: TableContract) -> tuple[Column, ...]:
    """Return the columns that a file of this table may have, its coordinates included."""
    return contract.columns + COORDINATES if contract.geometry == "Point" else contract.columns


def match_headers(
    headers: Sequence[str], contract: TableContract, wanted: Mapping[str, str], *, is_short: bool = False
) -> dict[str, int]:
    """Return the position of the header of every field that was found.

    An explicit choice wins, then the contract's own names, then its synonyms; then the same without units in brackets;
    last, for `is_short`, headers cut at ten bytes. A header serves one field.

    Parameters
    ----------
    headers : as written in the file.
    contract : of the table.
    wanted : field -> header, chosen by the user; one that is not among `headers` is passed over.
    """
    found: dict[str, int] = {}
    for name, header in wanted.items():
        position = _position(headers, header)
        if position is not None:
            found[_ALIASES.get(name, name)] = position
    plain = [normalise(header) for header in headers]
    bare = [normalise(_BRACKETS.sub("", unicodedata.normalize("NFKC", header))) for header in headers]
    rounds: list[tuple[list[str], Meaning]] = [(plain, _is_same), (bare, _is_same)]
    if is_short:
        rounds.append((plain, _is_cut))
    for candidates, means in rounds:
        for names in (_own_names, _synonyms):
            for column in fields(contract):
                if column.name not in found:
                    _match_column(found, candidates, column.name, names(column), means)
    return found


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
            f"{file} has no column for {names}. {listing(headers)} "
            f"Name the header with --column {missing[0].name}=HEADER, or use the template: "
            f"planner template {contract.name}"
        )


def listing(headers: Sequence[str]) -> str:
    """Return the sentence that lists what headers were found."""
    shown = [header for header in headers if header.strip()]
    if not shown:
        return "No headers were found."
    more = f" and {len(shown) - 20} more" if len(shown) > 20 else ""  # noqa: PLR2004  what fits a message
    return f"Headers found: {', '.join(shown[:20])}{more}."


def normalise(header: str) -> str:
    """Return the header without case, spaces, marks and full-width forms: what two spellings have in common."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", header).lower())


def _match_column(
    found: dict[str, int], candidates: Sequence[str], field: str, names: tuple[str, ...], means: Meaning
) -> None:
    """Give `field` the first free header that means one of `names`."""
    taken = set(found.values())
    for name in names:
        for i, header in enumerate(candidates):
            if i not in taken and means(header, name):
                found[field] = i
                return


def _own_names(column: Column) -> tuple[str, ...]:
    return tuple(normalise(name) for name in (column.zh, column.en, column.name))


def _synonyms(column: Column) -> tuple[str, ...]:
    return tuple(normalise(name) for name in column.synonyms)


def _is_same(header: str, name: str) -> bool:
    return bool(header) and header == name


def _is_cut(header: str, name: str) -> bool:
    return len(header.encode("gb18030")) >= _SHORT_BYTES and name.startswith(header)


def _position(headers: Sequence[str], wanted: str) -> int | None:
    """Return where `wanted` stands, written exactly so or nearly so."""
    for i, header in enumerate(headers):
        if header.strip() == wanted.strip():
            return i
    plain = normalise(wanted)
    return next((i for i, header in enumerate(headers) if plain and normalise(header) == plain), None)
