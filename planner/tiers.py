"""Tiers of the pyramid of places as data that people edit: parent, the unit that must have one, how many."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from planner.toml import Entry, entries_of, toml_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

Unit = Literal["county", "town", "village", "none"]


class Tier(Entry):
    """One level of the pyramid.

    Attributes
    ----------
    name : as printed; blank = the planner's word for the code, else the code.
    parent : code of the tier above; None at the top, or where places of this tier belong to nobody.
    unit : which unit must have one.
    count : how many that unit must have.
    is_light : its places are light: listed and counted, but no coverage.
    counts_light : light places of this tier do count in coverage.
    """

    name: str = ""
    parent: str | None = None
    unit: Unit = "none"
    count: int = Field(default=1, ge=1, le=1_000)
    is_light: bool = False
    counts_light: bool = False


def tiers_from_toml(toml: str) -> dict[str, Tier]:
    """Return the tiers of a TOML text by code, in its order.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong. A cycle of parents is no error here: the check of the network reports it.
    """
    return entries_of(toml_tables(toml, "The tiers"), Tier, "The tiers")


@cache
def default_tiers() -> dict[str, Tier]:
    """Return the tiers that ship with the planner."""
    path = resources.files("planner.presets") / "tiers.toml"
    return tiers_from_toml(path.read_text(encoding="utf-8"))


def parent_cycles(tiers: Mapping[str, Tier]) -> list[tuple[str, ...]]:
    """Return every cycle of parents once, beginning with its smallest code; empty = a pyramid.

    Examples
    --------
    >>> parent_cycles({"a": Tier(parent="b"), "b": Tier(parent="a"), "c": Tier(parent="a")})
    [('a', 'b')]
    """
    return cycles_of({code: tier.parent for code, tier in tiers.items()})


def cycles_of(parent_of: Mapping[str, str | None]) -> list[tuple[str, ...]]:
    """Return every cycle of a relation child -> parent once, beginning with its smallest member, in their order."""
    done: set[str] = set()
    found = []
    for start in parent_of:
        path: dict[str, int] = {}
        at: str | None = start
        while at is not None and at in parent_of and at not in done and at not in path:
            path[at] = len(path)
            at = parent_of[at]
        if at is not None and at in path:
            ring = list(path)[path[at] :]
            first = ring.index(min(ring))
            found.append((*ring[first:], *ring[:first]))
        done.update(path)
    return sorted(found)
