"""Between metres and degrees on threads that stay: PROJ looks everything up again for a thread it does not know."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner.crs import WGS84, transform

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

DIGITS = 5
"""Digits of a degree kept on maps: about one metre."""


@cache
def _threads() -> ThreadPoolExecutor:
    # Streamlit makes a thread for every run of a page; there the first transformation alone takes a sixth of a second.
    return ThreadPoolExecutor(4, thread_name_prefix="degrees")


def degrees(geometry: gpd.GeoSeries, tolerance_m: float = 0.0) -> list[BaseGeometry]:
    """Return shapes in degrees, simplified by `tolerance_m` and rounded to about a metre."""
    if tolerance_m > 0:
        geometry = geometry.simplify(tolerance_m)
    shapes = _threads().submit(geometry.to_crs, WGS84).result().to_numpy()
    return list(shapely.transform(shapes, lambda xy: np.round(xy, DIGITS)))


def bounds_deg(geometry: gpd.GeoSeries) -> tuple[float, float, float, float]:
    """Return west, south, east and north of shapes in degrees."""
    west, south, east, north = _threads().submit(geometry.to_crs, WGS84).result().total_bounds
    return float(west), float(south), float(east), float(north)


def metres(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """Return where a click on the map is in the study's working CRS, metres."""
    (x,), (y,) = _threads().submit(transform, [lon], [lat], WGS84, crs).result()
    return float(x), float(y)
