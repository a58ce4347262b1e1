"""Words and numbers on the pages: a user's text stays text, numbers follow the habits of the language."""

from __future__ import annotations

import datetime as dt
import html
import math
import re
from functools import cache
from typing import TYPE_CHECKING

from planner.texts import Language, entries, error_words, text

if TYPE_CHECKING:
    from planner.standards import Profile

# Streamlit's Markdown also knows colours, icons and formulas; ASCII punctuation can be escaped, all of it.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$:~&@=/])")
_TEN_THOUSAND, _MILLION = 10_000, 1_000_000


def plain(words: object) -> str:
    """Return a text that Streamlit's Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", str(words).replace("\n", " "))


def escaped(words: object) -> str:
    """Return a text that HTML shows as it is; "" for nothing."""
    return "" if words is None else html.escape(str(words), quote=True)


def in_app(words: str, language: Language) -> str:
    """Return what the library says with what to do in the app in place of commands and options of the command line."""
    for pattern, said in _in_app(language):
        words = pattern.sub(said, words)
    return words


def told(error: Exception, language: Language) -> str:
    """Return what an error says to a reader of the app."""
    return in_app(error_words(error, language), language)


@cache
def _in_app(language: Language) -> tuple[tuple[re.Pattern[str], str], ...]:
    pairs = (words[language].partition(" => ") for words in entries("in_app").values())
    return tuple((re.compile(pattern), said) for pattern, _, said in pairs)


def people(value: float, language: Language) -> str:
    """Return people with thousands marked: 602,285 人, 602,285."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f} 人" if language == "zh" else f"{value:,.0f}"


def about(value: float, language: Language) -> str:
    """Return people as one says them: 60.2 万人, 602 thousand."""
    if abs(value) < _TEN_THOUSAND:
        return people(value, language)
    if language == "zh":
        return f"{value / _TEN_THOUSAND:,.1f} 万人"
    return f"{value / _MILLION:,.2f} million" if abs(value) >= _MILLION else f"{value / 1e3:,.0f} thousand"


def share(value: float) -> str:
    """Return a share in percent, a dash where there is none."""
    return f"{value:.1%}" if math.isfinite(value) else "-"


def minutes(value: float, language: Language) -> str:
    """Return minutes: 12.3 分钟, 12.3 min; in words where there is no way or nothing is known."""
    if math.isnan(value):
        return text("ui.minutes_unknown", language)
    if math.isinf(value):
        return text("ui.minutes_never", language)
    return text("ui.minutes", language, value=value)


def size(n_bytes: float) -> str:
    """Return the size of a file: 12 kB, 3.4 MB."""
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= _MILLION else f"{math.ceil(n_bytes / 1e3):,} kB"


def date(moment: dt.date | str | None, language: Language) -> str:
    """Return a date: 2026年11月22日, 22 Nov 2026; a text that is no date as it is."""
    if moment is None or moment == "":
        return text("outputs.not_stated", language)
    if isinstance(moment, str):
        try:
            day: dt.date = dt.datetime.fromisoformat(moment).date()
        except ValueError:
            return moment
    else:
        day = moment
    return f"{day.year}年{day.month}月{day.day}日" if language == "zh" else f"{day:%d %b %Y}"


def distance(profile: Profile, cutoff_min: float, language: Language) -> str:
    """Return a time limit as a distance: 15 分钟 = 1,080 米."""
    return text("ui.distance", language, cutoff=cutoff_min, distance=profile.distance_m(cutoff_min))
