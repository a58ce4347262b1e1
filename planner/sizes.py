"""Size classes of relocation settlements, as a table that people edit."""

from __future__ import annotations

from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from planner.errors import ScenarioError
from planner.toml import Entry, entries_of, toml_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


class SizeClass(Entry):
    """One size class; it ends where the next begins.

    Attributes
    ----------
    code : its name in results; words in `texts/coverage.toml` where it is one of ours.
    min_people : people from which a settlement belongs to it.
    source, is_verified : where the threshold comes from, and whether a public source was found for it.
    """

    code: str
    min_people: float = Field(ge=0)
    source: str = ""
    is_verified: bool = False


def sizes_from_toml(toml: str) -> tuple[SizeClass, ...]:
    """Return the size classes of a TOML text, smallest first.

    Raises
    ------
    ScenarioError
        When it cannot be read, the first class does not begin at 0, or thresholds do not rise.
    """
    sizes = tuple(entries_of(toml_tables(toml, "The size classes"), SizeClass, "The size classes").values())
    require_rising(sizes)
    return sizes


def require_rising(sizes: Sequence[SizeClass]) -> None:
    """Raise `ScenarioError` when the first class does not begin at 0, or thresholds do not rise."""
    starts = [size.min_people for size in sizes]
    if not starts or starts[0] != 0 or any(low >= high for low, high in pairwise(starts)):
        raise ScenarioError(f"Size classes begin at 0 people and rise; these begin at {starts}. Mend min_people.")


@cache
def default_sizes() -> tuple[SizeClass, ...]:
    """Return the size classes that ship with the planner."""
    path = resources.files("planner.presets") / "settlement_sizes.toml"
    return sizes_from_toml(path.read_text(encoding="utf-8"))


def size_of(people: ArrayLike, sizes: Sequence[SizeClass]) -> list[str]:
    """Return the code of the size class of each number of people.

    Examples
    --------
    >>> size_of([799, 800], default_sizes())
    ['small', 'medium']
    """
    starts = [size.min_people for size in sizes]
    return [sizes[row].code for row in np.searchsorted(starts, np.asarray(people, float), side="right") - 1]
