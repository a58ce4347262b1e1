"""What a place is good for: its function rooms as functions that places can be compared by."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import Field

from planner.coverage.areas import texts
from planner.toml import Entry, entries_of, toml_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


class Function(Entry):
    """One function of a place.

    Attributes
    ----------
    zh, en : its names.
    words : a room has the function when its name holds one of them, in whatever case.
    """

    zh: str
    en: str
    words: tuple[str, ...] = Field(min_length=1)


def functions_from_toml(toml: str) -> dict[str, Function]:
    """Return the functions of a TOML text by code, in its order.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong.
    """
    return entries_of(toml_tables(toml, "The functions"), Function, "The functions")


@cache
def default_functions() -> dict[str, Function]:
    """Return the functions that ship with the planner."""
    path = resources.files("planner.presets") / "functions.toml"
    return functions_from_toml(path.read_text(encoding="utf-8"))


def functions_of(
    facilities: pd.DataFrame, functions: Mapping[str, Function]
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return, for every place, the codes of its functions and the rooms that have none of them.

    Rooms are divided by commas, semicolons, slashes and their full-width kin.

    Examples
    --------
    >>> import pandas as pd
    >>> functions_of(pd.DataFrame({"function_rooms": ["文化活动室、科普室、会议室"]}), default_functions())
    [(('culture', 'science'), ('会议室',))]
    """
    found = []
    for words in texts(facilities, "function_rooms"):
        rooms = [room for room in re.split(r"[,;/、\n]", unicodedata.normalize("NFKC", words or "")) if room.strip()]
        of_room = {
            room.strip(): {code for code, one in functions.items() if any(w in room.lower() for w in one.words)}
            for room in rooms
        }
        has = set().union(*of_room.values()) if of_room else set()
        codes = tuple(code for code in functions if code in has)
        found.append((codes, tuple(room for room, of in of_room.items() if not of)))
    return found
