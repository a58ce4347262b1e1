"""The exported map as one page: Leaflet, the script that draws, and what it draws."""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.crs import WGS84
from planner.errors import MissingExtraError
from planner.outputs.markup import data_block, html_page, tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from planner.texts import Language

DEGREE_DIGITS = 5
"""Digits of a degree kept on maps: about one metre."""


def _package_file(name: str) -> Path:
    try:
        from xstatic.pkg import leaflet
    except ImportError as error:
        raise MissingExtraError("XStatic-Leaflet", "maps") from error
    return Path(leaflet.BASE_DIR) / name


@cache
def _leaflet_script() -> str:
    return re.sub(r"//# sourceMappingURL=.*", "", _package_file("leaflet.js").read_text(encoding="utf-8"))


@cache
def _leaflet_style() -> str:
    css = re.sub(r"behavior: url\(#default#VML\);", "", _package_file("leaflet.css").read_text(encoding="utf-8"))
    return re.sub(r"url\((images/[\w.-]+)\)", lambda found: f"url({_data_uri(found.group(1))})", css)


def _data_uri(name: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(_package_file(name).read_bytes()).decode('ascii')}"


def map_page(data: dict[str, Any], language: Language) -> str:
    """Return the page that draws `data` (`planner.outputs.maps` says in which form), scripts and styles within it.

    Raises
    ------
    MissingExtraError
        When the Leaflet files are not installed.
    """
    own = resources.files("planner.outputs") / "map_page"
    body = [tag("div", id="map"), tag("div", looks="legend", id="legend"), data_block("plan", data)]
    scripts = [_leaflet_script(), (own / "map.js").read_text(encoding="utf-8")]
    style = _leaflet_style() + (own / "map.css").read_text(encoding="utf-8")
    return html_page(data["legend"]["title"], body, language, style, scripts)


def features(
    table: gpd.GeoDataFrame, columns: Sequence[str] = (), *, tolerance_m: float = 0.0, badge: str = ""
) -> dict[str, Any]:
    """Return a table as a GeoJSON mapping in degrees.

    Parameters
    ----------
    table : in any CRS.
    columns : whose cells become the words of a popup, as the property `values`; none without columns.
    tolerance_m : how far a line may be simplified, metres.
    badge : column whose cell stands on the mark, as the property `badge`.
    """
    geometry = table.geometry
    if tolerance_m > 0:
        geometry = geometry.simplify(tolerance_m)
    degrees = shapely.transform(geometry.to_crs(WGS84).to_numpy(), lambda xy: np.round(xy, DEGREE_DIGITS))
    cells = [[_shown(value) for value in table[name]] for name in columns]
    values = zip(*cells, strict=True) if cells else ((),) * len(table)
    badges = [_shown(value) for value in table[badge]] if badge else [""] * len(table)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": ({"values": row} if row else {}) | ({"badge": mark} if badge else {}),
                "geometry": shapely.geometry.mapping(shape),
            }
            for row, mark, shape in zip(values, badges, degrees, strict=True)
            if shape is not None and not shape.is_empty
        ],
    }


def _shown(value: Any) -> str:  # noqa: ANN401  a cell of any column
    """Return a cell as words; "" for nothing."""
    if not isinstance(value, (float, int, np.number)) or isinstance(value, bool):
        return "" if value is None or value is pd.NA else str(value)
    if np.isfinite(value):
        return f"{value:,.1f}".removesuffix(".0")
    return "" if np.isnan(value) else "∞"
