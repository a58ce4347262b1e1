"""Opening hours by weekday, as people write them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from planner.coverage.areas import texts
from planner.coverage.integrity import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60
EVENING = 18 * 60
_CHINESE = dict(zip("一二三四五六日天", (0, 1, 2, 3, 4, 5, 6, 6), strict=True))
_DAY = (
    r"(?:周|星期|礼拜)?[一二三四五六日天]|mon(?:day)?|tues?(?:day)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?"
)
_TIME = re.compile(r"(\d{1,2})(?::(\d{2})|点(半|\d{2}分?)?|时(半|\d{2}分?)?)?")
_RANGE = re.compile(rf"({_TIME.pattern})\s*(?:-|~|至|到|–|—|to)\s*({_TIME.pattern})")
_ALL_WEEK = ("每天", "每日", "天天", "全周", "daily", "every day")
_WORKDAYS = ("工作日", "weekdays")
_WEEKEND = ("周末", "双休日", "weekend")
_ALL_DAY = ("24小时", "全天", "全天开放", "24h", "24 hours")


@dataclass(frozen=True)
class Hours:
    """Opening hours of one place.

    Attributes
    ----------
    days : per weekday from Monday the open intervals as minutes after midnight, in order.
    problems : codes of what could not be taken: "hours_unreadable", "hours_no_clock_time" (25:00, 8:75),
        "hours_end_before_begin", "hours_overlap", each with the words it is about.
    """

    days: tuple[tuple[tuple[int, int], ...], ...]
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def per_week(self) -> float:
        """Hours open in a week."""
        return sum(end - begin for day in self.days for begin, end in day) / 60


def parse_hours(words: str) -> Hours:
    """Return the opening hours that `words` mean.

    Parts are divided by semicolons, the days of a part stand before its times: "周一至周五 8:30-12:00，14:00-17:30；
    周六周日 9:00-12:00", "Mon-Fri 8:30-17:30; Sat,Sun 9-12", "每天 24小时". Times without days mean every day.

    Examples
    --------
    >>> parse_hours("Mon-Fri 8:30-17:30").per_week
    45.0
    """
    open_: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    problems: list[tuple[str, str]] = []
    plain = unicodedata.normalize("NFKC", words).lower()
    for part in filter(None, (piece.strip() for piece in re.split(r"[;。\n]", plain))):
        days, times = _split(part)
        if not days or not times:
            problems.append(("hours_unreadable", part))
            continue
        for begin, end in times:
            if begin is None or end is None:
                problems.append(("hours_no_clock_time", part))
                continue
            if end <= begin:
                problems.append(("hours_end_before_begin", part))
                continue
            for day in days:
                open_[day].append((begin, end))
    for times_of_day in open_:
        times_of_day.sort()
        if any(end > begin for (_, end), (begin, _) in pairwise(times_of_day)):
            problems.append(("hours_overlap", words))
    return Hours(tuple(_merged(day) for day in open_), tuple(dict.fromkeys(problems)))


def hours_table(facilities: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return facility_id, hours_per_week, open_days, is_open_weekend, is_open_evening (after 18:00).

    Rows as in `facilities`; blanks (NaN, 0 days, False) where the hours are blank or cannot be read at all.
    """
    rows = []
    for words in texts(facilities, "opening_hours"):
        hours = parse_hours(words or "")
        n_days = sum(bool(day) for day in hours.days)
        evening = any(end > EVENING for day in hours.days for _, end in day)
        rows.append((hours.per_week if n_days else float("nan"), n_days, any(hours.days[5:]), evening))
    columns = ["hours_per_week", "open_days", "is_open_weekend", "is_open_evening"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(0, "facility_id", facilities["facility_id"].to_numpy(dtype=object))
    return table


def hours_findings(facilities: gpd.GeoDataFrame) -> Iterator[Finding]:
    """Yield every opening time that no clock shows, ends before it begins, overlaps another or cannot be read."""
    columns = (facilities["facility_id"].astype(str), texts(facilities, "name"), texts(facilities, "tier"))
    for key, name, tier, words in zip(*columns, texts(facilities, "opening_hours"), strict=True):
        for code, part in parse_hours(words or "").problems:
            values = {"id": key, "name": name or key, "tier": tier or "", "hours": part}
            yield Finding(code, "facilities", (key,), values, subject="network")


def _split(part: str) -> tuple[list[int], list[tuple[int | None, int | None]]]:
    """Return the days and times of one part; empty lists where something in it is neither."""
    rest = part
    times: list[tuple[int | None, int | None]] = []
    for word in _ALL_DAY:
        if word in rest:
            times.append((0, MINUTES_A_DAY))
            rest = rest.replace(word, "", 1)
            break
    for found in _RANGE.finditer(rest):
        first, second = _TIME.fullmatch(found[1]), _TIME.fullmatch(found[6])
        if first is not None and second is not None:
            times.append((_minutes(first), _minutes(second)))
    days = _days(re.sub(r"开放|营业|[,、\s:及和]", " ", _RANGE.sub(" ", rest)).strip())
    return days, times


def _minutes(found: re.Match[str]) -> int | None:
    """Return the minutes after midnight, None where no clock shows such a time."""
    part = found[2] or found[3] or found[4] or "0"
    minute = 30 if part == "半" else int(part.removesuffix("分"))
    minutes = int(found[1]) * 60 + minute
    return minutes if minute < 60 and minutes <= MINUTES_A_DAY else None  # noqa: PLR2004  minutes of an hour


def _days(words: str) -> list[int]:
    if not words:
        return list(range(7))
    days: set[int] = set()
    for names, meant in ((_ALL_WEEK, range(7)), (_WORKDAYS, range(5)), (_WEEKEND, range(5, 7))):
        for name in names:
            if name in words:
                days.update(meant)
                words = words.replace(name, " ")
    for found in re.finditer(rf"({_DAY})\s*(?:-|~|至|到|–|—|to)\s*({_DAY})", words):
        first, last = _day(found[1]), _day(found[2])
        days.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    words = re.sub(rf"({_DAY})\s*(?:-|~|至|到|–|—|to)\s*({_DAY})", " ", words)
    days.update(_day(found) for found in re.findall(_DAY, words))
    return [] if re.sub(_DAY, " ", words).strip() else sorted(days)


def _day(word: str) -> int:
    return _CHINESE[word[-1]] if word[-1] in _CHINESE else DAYS.index(word[:3])


def _merged(day: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for begin, end in day:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return tuple(merged)
