"""Degrees, minutes and seconds as people write them, turned into degrees."""

from __future__ import annotations

import re
import unicodedata

# Which side of Greenwich or the equator turns the sign.
_NEGATIVE = frozenset("ws西南")
_NUMBER = r"(\d+(?:\.\d*)?)"
_MARKED = re.compile(rf"{_NUMBER}[°度](?:{_NUMBER}['分])?(?:{_NUMBER}(?:[\"秒]|''))?", re.ASCII)
_SPACED = re.compile(rf"(\d{{1,3}})[\s:]+(\d{{1,2}}|\d{{1,2}}\.\d*)(?:[\s:]+{_NUMBER})?", re.ASCII)
_BARE = re.compile(_NUMBER, re.ASCII)
_DASHED = re.compile(rf"(\d{{1,3}})-(\d{{1,2}})-{_NUMBER}", re.ASCII)
_SIDE = re.compile(r"[ensw东西南北][经纬]?")
_MAX_DEGREES, _SIXTY = 180.0, 60.0
# What different keyboards offer for the marks of degrees, minutes and seconds.
_MARKS = str.maketrans(
    {"º": "°", "˚": "°", "′": "'", "’": "'", "‘": "'", "`": "'", "´": "'", "″": '"', "”": '"', "“": '"'}
)


def parse_angle(text: str) -> float | None:
    """Return degrees of an angle with minutes, None where the text is no such angle.

    Read are 108°54'30.5"E, 东经108度54分30.5秒, 108°54.508', E 108 54 30, 108:54:30, 108-54-30 and E108.9; W, S, 西 and
    南 make it negative. Minutes and seconds of 60 and more, and degrees beyond 180, are no angle.

    Examples
    --------
    >>> parse_angle("东经108°54.6'")
    108.91
    """
    words = unicodedata.normalize("NFKC", text.translate(_MARKS)).translate(_MARKS).strip().lower()
    sides = set("".join(_SIDE.findall(words[:2] + " " + words[-2:])))
    words = re.sub(r"^[ensw东西南北][经纬]?|[ensw东西南北][经纬]?$", "", words).strip(" :,")
    sign = -1.0 if sides & _NEGATIVE else 1.0
    if words.startswith(("-", "+")):
        sign = -sign if words[0] == "-" else sign
        words = words[1:].strip()
    match = _MARKED.fullmatch(words.replace(" ", "")) or _SPACED.fullmatch(words) or _DASHED.fullmatch(words)
    if match is None and sides:
        match = _BARE.fullmatch(words)
    if match is None:
        return None
    degrees, minutes, seconds = (float(part or 0.0) for part in (*match.groups(), 0, 0)[:3])
    is_angle = minutes < _SIXTY and seconds < _SIXTY and degrees <= _MAX_DEGREES
    return sign * (degrees + minutes / _SIXTY + seconds / 3600.0) if is_angle else None
