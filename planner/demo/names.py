"""Invented Chinese names: natural, each used once, of no real county."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_DIGITS = "零一二三四五六七八九"
_ROUND = 200
"""Names of compounds in one round; later rounds add the number of a building phase."""


@dataclass(frozen=True)
class Names:
    """Names of one county, each used once."""

    subdistricts: list[str]
    towns: list[str]
    town_communities: list[str]
    seat_communities: list[str]
    villages: list[str]


@cache
def word_lists() -> dict[str, Any]:
    """Return the lists that names are made of (`presets/demo_words.toml`)."""
    path = resources.files("planner.presets") / "demo_words.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def draw_names(rng: np.random.Generator, counts: tuple[int, int, int, int]) -> Names:
    """Return names for `counts` = (subdistricts, other towns, communities of the seat, villages)."""
    n_subdistricts, n_towns, n_seat, n_villages = counts
    words = word_lists()
    stems = _combined(rng, words["town_heads"], words["town_tails"], n_towns + n_subdistricts)
    pool = words["communities"]
    drawn = [pool[i] for i in rng.permutation(len(pool))]
    rounds = -(-n_seat // len(pool))
    communities = [name if turn == 0 else f"{name}{numeral(turn + 1)}区" for turn in range(rounds) for name in drawn]
    villages = _combined(rng, words["village_heads"], words["village_tails"], n_villages)
    return Names(
        [f"{stem}街道" for stem in stems[:n_subdistricts]],
        [f"{stem}镇" for stem in stems[n_subdistricts:]],
        [f"{stem}社区" for stem in stems[n_subdistricts:]],
        [f"{name}社区" for name in communities[:n_seat]],
        [f"{name}村" for name in villages],
    )


def draw_compounds(rng: np.random.Generator, n: int) -> list[str]:
    """Return `n` names of housing compounds, each used once."""
    words = word_lists()
    names = _combined(rng, words["compound_heads"], words["compound_tails"], min(n, _ROUND))
    rounds = -(-n // _ROUND)
    return [name if turn == 0 else f"{name}{numeral(turn + 1)}期" for turn in range(rounds) for name in names][:n]


def numeral(number: int) -> str:
    """Chinese numeral of 1 to 99.

    >>> numeral(21)
    '二十一'
    """
    tens, ones = divmod(number, 10)
    words = "" if tens == 0 else ("十" if tens == 1 else f"{_DIGITS[tens]}十")
    return words + (_DIGITS[ones] if ones else "")


def numbered(names: Sequence[str], pattern: str = "{name}{number}") -> list[str]:
    """Return names made different: from its second use on, a name is filled into `pattern` with its number."""
    count: dict[str, int] = {}
    result = []
    for name in names:
        count[name] = count.get(name, 0) + 1
        result.append(name if count[name] == 1 else pattern.format(name=name, number=numeral(count[name])))
    return result


def _combined(rng: np.random.Generator, heads: Sequence[str], tails: Sequence[str], n: int) -> list[str]:
    """`n` names of a head and a tail: every head is used once before one is used again."""
    first = [heads[i] for i in rng.permutation(len(heads))]
    last = rng.permutation(len(tails))
    names = [
        head + tails[last[(turn + 5 * i) % len(tails)]] for turn in range(len(tails)) for i, head in enumerate(first)
    ]
    names = [name for name in names if len(set(name)) == len(name)]
    more = -(-n // len(names))
    return [name if turn == 0 else f"{'新上下东西南北'[turn - 1]}{name}" for turn in range(more) for name in names][:n]
