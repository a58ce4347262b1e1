"""The frames that coordinates of a file may be in, by the names people give them, and the way out of each.

A frame is a text: an authority code or WKT that PROJ knows ("EPSG:4490"), one of the shifted frames of Chinese web maps
("gcj02", "bd09", "bd09mc"), or either of them after "dms:" where the numbers are degrees, minutes and seconds run
together (108.54305 or 1085430.5 for 108°54'30.5").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from planner.crs import WGS84, parse_crs, transform
from planner.errors import CrsError, InputError
from planner.inputs.frames.shifts import (
    bd09_from_bd09mc,
    bd09_from_gcj02,
    bd09mc_from_bd09,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    wgs84_from_gcj02,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]

CGCS2000 = "EPSG:4490"
WEB_MERCATOR = "EPSG:3857"
GCJ02, BD09, BD09MC = "gcj02", "bd09", "bd09mc"
SHIFTED = (GCJ02, BD09, BD09MC)
PACKED = "dms:"

# First EPSG code and first zone of each series of Gauss-Krüger zones whose easting begins with the zone's number.
_ZONES_3, _ZONES_6 = (4513, 25, 45), (4491, 13, 23)
_FIRST_CENTRAL, _FIRST_MERIDIAN, _LAST_MERIDIAN = 4534, 75, 135
_OLD_DATUMS = {"Beijing 1954": "beijing54", "Xian 1980": "xian80"}
_NAMES = {
    WGS84: ("wgs84", "wgs1984", "gps", "wgs"),
    CGCS2000: ("cgcs2000", "国家2000", "大地2000", "2000国家大地坐标系"),
    WEB_MERCATOR: ("webmercator", "web墨卡托", "伪墨卡托"),
    GCJ02: ("gcj02", "gcj", "火星坐标", "火星坐标系", "国测局", "高德", "amap", "腾讯", "tencent"),
    BD09: ("bd09", "bd09ll", "百度", "百度经纬度", "baidu"),
    BD09MC: ("bd09mc", "bd09mercator", "百度墨卡托", "百度米制"),
    "EPSG:4214": ("beijing54", "beijing1954", "北京54"),
    "EPSG:4610": ("xian80", "xian1980", "xi'an80", "西安80"),
}
_FRAME_OF = {name: frame for frame, names in _NAMES.items() for name in names}
_ZONE = re.compile(r"(?:cgcs2000)?(?:gk|zone)?(\d{2})(?:带|度带)?|(?:cgcs2000)?[36]度带?第?(\d{2})带")
_MERIDIAN = re.compile(r"(?:cgcs2000)?(?:cm|中央经线|中央子午线)(\d{2,3})(?:e|°|度)?")
# Whole degrees have at most three digits: what is longer has minutes and seconds before its point.
_RUN_TOGETHER = 1_000.0


def parse_frame(text: str) -> str:
    """Return the frame that a text names: "EPSG:4490", "4490", WKT, "GCJ-02", "百度", "36带", "cm108", "dms:4490".

    Raises
    ------
    CrsError
        When there is no such frame.
    """
    words = text.strip()
    if words.lower().startswith(PACKED):
        inner = parse_frame(words[len(PACKED) :])
        if not is_degrees(inner):
            raise CrsError(f"'{text}': degrees, minutes and seconds need a frame in degrees, such as dms:4490.")
        return f"{PACKED}{inner}"
    name = re.sub(r"[\s_-]+", "", words.lower())
    named = _FRAME_OF.get(name) or _zone_frame(name)
    if named is not None:
        return named
    return parse_crs(f"EPSG:{words}" if words.isdigit() else words).to_string()


def zone_frame(zone: int) -> str | None:
    """Return the CGCS2000 Gauss-Krüger frame whose eastings begin with `zone`: 13-23 six degrees, 25-45 three."""
    for code, first, last in (_ZONES_3, _ZONES_6):
        if first <= zone <= last:
            return f"EPSG:{code + zone - first}"
    return None


def meridian_frame(meridian: int) -> str | None:
    """Return the CGCS2000 Gauss-Krüger frame without a zone in its eastings, by its central meridian in degrees."""
    if _FIRST_MERIDIAN <= meridian <= _LAST_MERIDIAN and meridian % 3 == 0:
        return f"EPSG:{_FIRST_CENTRAL + (meridian - _FIRST_MERIDIAN) // 3}"
    return None


def is_degrees(frame: str) -> bool:
    """Whether coordinates of the frame are plain degrees."""
    if frame in SHIFTED:
        return frame != BD09MC
    return not frame.startswith(PACKED) and bool(parse_crs(frame).is_geographic)


def old_datum(frame: str) -> str:
    """Return "beijing54" or "xian80" for frames that can be taken to WGS-84 approximately only, "" for the others."""
    crs = parse_crs(frame) if _is_plain(frame) else None
    base = crs.geodetic_crs if crs is not None else None
    name = "" if base is None else base.name.replace("_", " ")
    return next((code for words, code in _OLD_DATUMS.items() if words in name), "")


def frame_name(frame: str) -> str:
    """Return what the frame is called, with its code."""
    names = {GCJ02: "GCJ-02 (Amap, Tencent)", BD09: "BD-09 (Baidu)", BD09MC: "BD-09 Mercator (Baidu)"}
    if frame.startswith(PACKED):
        return f"{frame_name(frame.removeprefix(PACKED))}, DDD.MMSS"
    if frame in names:
        return names[frame]
    crs = parse_crs(frame)
    return f"{crs.name} ({frame})" if len(frame) <= len("EPSG:999999") else crs.name


def require_plain(frame: str, file: str) -> str:
    """Return the frame, which must be one that a raster's cells can be laid out in.

    Raises
    ------
    InputError
        For the shifted frames and for degrees with minutes: their cells are no rectangles.
    """
    if not _is_plain(frame):
        raise InputError(f"{file} cannot be a raster in {frame_name(frame)}. Reproject it to EPSG:4490 first.")
    return frame


def convert(x: ArrayLike, y: ArrayLike, source: str, target: str) -> Pair:
    """Return `x`, `y` (arrays of equal shape) converted between two frames; infinite or NaN where that is impossible.

    Order is x, y: longitude before latitude, easting before northing. Sources: PROJ; `shifts`.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if source == target:
        return x, y
    source, x, y = _to_plain(x, y, source)
    if _is_plain(target):
        return (x, y) if source == target else transform(x, y, source, target)
    if source != WGS84:
        x, y = transform(x, y, source, WGS84)
    return _from_wgs84(x, y, target)


def _is_plain(frame: str) -> bool:
    return frame not in SHIFTED and not frame.startswith(PACKED)


def _to_plain(x: Floats, y: Floats, frame: str) -> tuple[str, Floats, Floats]:
    """Return a frame that PROJ knows, and the coordinates in it."""
    if frame.startswith(PACKED):
        return _to_plain(_unpacked(x), _unpacked(y), frame.removeprefix(PACKED))
    if frame == BD09MC:
        x, y = bd09_from_bd09mc(x, y)
    if frame in (BD09, BD09MC):
        x, y = gcj02_from_bd09(x, y)
    if frame in SHIFTED:
        x, y = wgs84_from_gcj02(x, y)
        return WGS84, x, y
    return frame, x, y


def _from_wgs84(lon: Floats, lat: Floats, frame: str) -> Pair:
    if frame.startswith(PACKED):
        x, y = convert(lon, lat, WGS84, frame.removeprefix(PACKED))
        return _packed(x), _packed(y)
    x, y = gcj02_from_wgs84(lon, lat)
    if frame in (BD09, BD09MC):
        x, y = bd09_from_gcj02(x, y)
    return bd09mc_from_bd09(x, y) if frame == BD09MC else (x, y)


def _unpacked(values: Floats) -> Floats:
    """Return degrees of DDD.MMSS or DDDMMSS; NaN where minutes reach 60 or seconds exceed it."""
    size = np.abs(values)
    run = np.where(size >= _RUN_TOGETHER, size, size * 1e4)
    # The last bits of a written decimal must not turn 30 seconds into 29.99999 of the minute before.
    run = np.round(run, 6)
    degrees, rest = np.divmod(run, 1e4)
    minutes, seconds = np.divmod(rest, 100.0)
    # Seconds that were rounded may stand as 60.
    valid = (minutes < 60.0) & (seconds <= 60.0)  # noqa: PLR2004  a degree has sixty minutes
    return np.copysign(np.where(valid, degrees + minutes / 60.0 + seconds / 3600.0, np.nan), values)


def _packed(values: Floats) -> Floats:
    """Return DDD.MMSS of degrees, to 1e-6 seconds."""
    seconds = np.round(np.abs(values) * 3600.0, 6)
    degrees, rest = np.divmod(seconds, 3600.0)
    minutes, seconds = np.divmod(rest, 60.0)
    return np.copysign(degrees + minutes / 100.0 + seconds / 1e4, values)


def _zone_frame(name: str) -> str | None:
    """Return the frame that "36带", "zone 36", "gk36", "3度带36带" or "cm108" names; a bare number is an EPSG code."""
    meridian = _MERIDIAN.fullmatch(name)
    if meridian:
        return meridian_frame(int(meridian.group(1)))
    zone = None if name.isdigit() else _ZONE.fullmatch(name)
    return zone_frame(int(zone.group(1) or zone.group(2))) if zone else None
