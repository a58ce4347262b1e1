"""Coordinate reference systems: one metric working CRS per study, order always x, y (lon, lat).

Conversions are cached pyproj transformers with `always_xy`. The core raises on a CRS that is missing, geographic or
not the study's.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import CrsError
from planner.formats import names_a_file

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from pyproj import CRS, Transformer

WGS84 = "EPSG:4326"
_CHINA_LON = (73.0, 135.5)
_CHINA_LAT = (17.0, 54.0)
_WIDEST_DEGREES = 30.0
"""A metric system for a wider area, such as Web Mercator, stretches lengths by more than anybody should accept."""


@cache
def parse_crs(text: str) -> CRS:
    """Return the CRS that `text` names (an authority code such as "EPSG:32749", or WKT).

    Raises
    ------
    CrsError
        When no such CRS is known, it names a file (PROJ would open any), or nothing leads to it, as from a damaged
        `.prj` whose unit is 0 metres.
    """
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    if names_a_file(text):
        raise CrsError(f"'{text[:80]}' names a file. Give an EPSG code, such as EPSG:4490.")
    try:
        crs = CRS.from_user_input(text)
        Transformer.from_crs(WGS84, crs)
    except ProjError as error:
        raise CrsError(
            f"'{text}' is not a coordinate reference system. Give an EPSG code, such as EPSG:4490."
        ) from error
    return crs


def require_metric(text: str) -> CRS:
    """Return the CRS, which must be projected with metre axes.

    Raises
    ------
    CrsError
        When it is geographic, not in metres, or made for so wide an area that lengths are not kept.
    """
    crs = parse_crs(text)
    if not crs.is_projected or any(axis.unit_conversion_factor != 1.0 for axis in crs.axis_info):
        raise CrsError(
            f"'{text}' is not a metric projected system. A study needs one, such as EPSG:4545 "
            "(CGCS2000, central meridian 108 E) or EPSG:32749 (UTM zone 49 N)."
        )
    area = crs.area_of_use
    width = 0.0 if area is None else area.east - area.west
    if width + (360.0 if width < 0 else 0.0) > _WIDEST_DEGREES:
        raise CrsError(
            f"'{text}' is made for {width:.0f} degrees of longitude and does not keep lengths. Choose a zone, such as "
            "EPSG:4545 (CGCS2000, central meridian 108 E) or EPSG:32749 (UTM zone 49 N)."
        )
    return crs


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """Return the cached transformer from `source` to `target`, in x, y order."""
    from pyproj import Transformer

    return Transformer.from_crs(parse_crs(source), parse_crs(target), always_xy=True)


def transform(x: ArrayLike, y: ArrayLike, source: str, target: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `x`, `y` (arrays of equal shape) converted from `source` to `target`."""
    tx, ty = transformer(source, target).transform(np.asarray(x, float), np.asarray(y, float))
    return np.asarray(tx, float), np.asarray(ty, float)


def suggest_working_crs(lon: float, lat: float) -> str:
    """Return the metric CRS that suits a place: CGCS2000 3-degree in China, UTM elsewhere.

    Source: EPSG registry, codes 4534-4554 (CGCS2000, central meridians 75 E - 135 E), 326xx and 327xx (UTM).
    """
    if _CHINA_LON[0] <= lon <= _CHINA_LON[1] and _CHINA_LAT[0] <= lat <= _CHINA_LAT[1]:
        meridian = min(max(round(lon / 3) * 3, 75), 135)
        return f"EPSG:{4534 + (meridian - 75) // 3}"
    zone = min(int((lon + 180) // 6) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"
