"""The shifted degrees of Chinese web maps: GCJ-02 (Amap, Tencent), BD-09 and BD-09 Mercator (Baidu).

Forward formulas are the published ones; backward, their fixed point is iterated, so that both directions agree to well
below a millimetre. Outside the box of `in_shifted_area` nothing is shifted, neither way. The box is the one with which
the published formulas come: it holds parts of neighbouring countries too, where web maps carry no shift.

Sources: GCJ-02 as published in 2013 by the authors of `eviltransform` (MIT) from leaked library constants; BD-09 as
published by the authors of `coordtransform` (MIT); both agree with Amap's and Baidu's own services within a metre.
BD-09 Mercator: the polynomials of Baidu's JavaScript API (`presets/baidu_mercator.toml`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]

BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north in degrees: where the published formulas shift."""

# The ellipsoid of GCJ-02 (Krasovsky 1940), and the point around which its polynomials are written.
_SEMI_MAJOR_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_ORIGIN_LON, _ORIGIN_LAT = 105.0, 35.0
# BD-09: a wave of this many radians a degree, and an offset in degrees.
_BD_WAVE = np.pi * 3000.0 / 180.0
_BD_LON, _BD_LAT = 0.0065, 0.006
# The shift changes by less than 2 % of a step: each round gains nearly two digits.
_ROUNDS = 8
_MERCATOR_LAT = 74.0
_NEWTON_ROUNDS = 12


def in_shifted_area(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each place in degrees lies where web maps are shifted."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    west, south, east, north = BOX
    with np.errstate(invalid="ignore"):
        return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return GCJ-02 degrees of WGS-84 degrees (arrays of equal shape)."""
    return _within(lon, lat, _gcj02)


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return WGS-84 degrees of GCJ-02 degrees, to 1e-9 degrees."""
    return _within(lon, lat, lambda x, y: _inverse(_gcj02, x, y))


def bd09_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return BD-09 degrees of GCJ-02 degrees."""
    return _within(lon, lat, _bd09)


def gcj02_from_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return GCJ-02 degrees of BD-09 degrees, to 1e-9 degrees."""
    return _within(lon, lat, lambda x, y: _inverse(_bd09, x, y))


def bd09mc_from_bd09(lon: ArrayLike, lat: ArrayLike) -> Pair:
    """Return BD-09 Mercator metres of BD-09 degrees; infinite beyond 74 degrees of latitude."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    band = _coefficients()[_band_of(np.abs(lat), _band_starts())]
    x = np.copysign(band[..., 0] + band[..., 1] * np.abs(lon), lon)
    y = np.copysign(_northing(band, np.abs(lat))[0], lat)
    with np.errstate(invalid="ignore"):
        is_known = (np.abs(lat) <= _MERCATOR_LAT) & (np.abs(lon) <= 180.0)  # noqa: PLR2004  the globe
    return np.where(is_known, x, np.inf), np.where(is_known, y, np.inf)


def bd09_from_bd09mc(x: ArrayLike, y: ArrayLike) -> Pair:
    """Return BD-09 degrees of BD-09 Mercator metres: the forward polynomial inverted by Newton's method."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    starts = _band_starts()
    first_northings = _northing(_coefficients(), starts)[0]
    bands = _band_of(np.abs(y), first_northings)
    band = _coefficients()[bands]
    with np.errstate(invalid="ignore", over="ignore"):
        lon = np.copysign((np.abs(x) - band[..., 0]) / band[..., 1], x)
        lat = np.broadcast_to(band[..., 9], y.shape).astype(float)
        for _ in range(_NEWTON_ROUNDS):
            northing, slope = _northing(band, lat)
            # A step never leaves the band's neighbourhood, where alone its polynomial rises.
            lat = np.clip(lat + (np.abs(y) - northing) / slope, starts[bands] - 1.0, starts[bands] + 16.0)
        is_known = (np.abs(lon) <= 180.0) & (lat <= _MERCATOR_LAT + 1.0)  # noqa: PLR2004  the globe
    return np.where(is_known, lon, np.inf), np.where(is_known, np.copysign(lat, y), np.inf)


def _within(lon: ArrayLike, lat: ArrayLike, shifted: Callable[[Floats, Floats], Pair]) -> Pair:
    """Return the places, those in the box shifted."""
    lon, lat = np.array(lon, float), np.array(lat, float)
    inside = in_shifted_area(lon, lat)
    lon[inside], lat[inside] = shifted(lon[inside], lat[inside])
    return lon, lat


def _inverse(forward: Callable[[Floats, Floats], Pair], lon: Floats, lat: Floats) -> Pair:
    """Return what `forward` takes to lon, lat."""
    x, y = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        fx, fy = forward(x, y)
        x, y = x + (lon - fx), y + (lat - fy)
    return x, y


def _gcj02(lon: Floats, lat: Floats) -> Pair:
    x, y = lon - _ORIGIN_LON, lat - _ORIGIN_LAT
    root = np.sqrt(np.abs(x))
    ripple = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += 2.0 / 3.0 * (ripple + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0))
    north += 2.0 / 3.0 * (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += 2.0 / 3.0 * (ripple + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0))
    east += 2.0 / 3.0 * (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0))
    # Metres to degrees by the radii of curvature: along the meridian and along the parallel.
    phi = np.radians(lat)
    w_squared = 1.0 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / w_squared**1.5
    parallel_m = _SEMI_MAJOR_M / np.sqrt(w_squared) * np.cos(phi)
    return lon + np.degrees(east / parallel_m), lat + np.degrees(north / meridian_m)


def _bd09(lon: Floats, lat: Floats) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_WAVE)
    return radius * np.cos(angle) + _BD_LON, radius * np.sin(angle) + _BD_LAT


@cache
def _bands() -> tuple[tuple[float, tuple[float, ...]], ...]:
    path = resources.files("planner.presets") / "baidu_mercator.toml"
    bands = tomllib.loads(path.read_text(encoding="utf-8"))["band"]
    return tuple((float(band["from_lat_deg"]), tuple(float(value) for value in band["c"])) for band in bands)


def _band_starts() -> Floats:
    return np.array([start for start, _ in _bands()])


def _coefficients() -> Floats:
    """Return float64[n_bands, 10]."""
    return np.array([coefficients for _, coefficients in _bands()])


def _band_of(values: Floats, starts: Floats) -> NDArray[np.int64]:
    """Return the band of each value, the first for what is below all or not a number."""
    with np.errstate(invalid="ignore"):
        return np.sum(values[..., None] >= starts[1:], axis=-1)


def _northing(band: Floats, lat: Floats) -> Pair:
    """Return northing in metres and its slope in metres a degree, of |lat| in its band."""
    t = lat / band[..., 9]
    northing, slope = np.zeros_like(t), np.zeros_like(t)
    with np.errstate(invalid="ignore", over="ignore"):
        for power in range(8, 2, -1):
            slope = slope * t + (power - 2) * band[..., power]
            northing = (northing + band[..., power]) * t
        return northing + band[..., 2], slope / band[..., 9]
