"""Leaflet inside the page: folium maps that load nothing from outside."""

from __future__ import annotations

import base64
import html
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.crs import WGS84
from planner.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    import folium
    import geopandas as gpd

DEGREE_DIGITS = 5
"""Digits of a degree kept on maps: about one metre."""


@cache
def _package_file(name: str) -> bytes:
    try:
        from xstatic.pkg import leaflet
    except ImportError as error:
        raise MissingExtraError("XStatic-Leaflet", "maps") from error
    return (_as_path(leaflet.BASE_DIR) / name).read_bytes()


def _as_path(text: str) -> Path:
    from pathlib import Path

    return Path(text)


@cache
def _data_uri(name: str, mime: str) -> str:
    content = _package_file(name)
    if name.endswith(".css"):
        css = re.sub(r"behavior: url\(#default#VML\);", "", content.decode())
        css = re.sub(r"url\((images/[\w.-]+)\)", lambda m: f"url({_data_uri(m.group(1), 'image/png')})", css)
        content = css.encode()
    if name.endswith(".js"):
        content = re.sub(rb"//# sourceMappingURL=.*", b"", content)
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def offline_map(**options: Any) -> folium.Map:  # noqa: ANN401  passed on to folium
    """Return an empty folium map without a basemap whose scripts and styles stand in the page itself.

    Raises
    ------
    MissingExtraError
        When folium or the Leaflet files are not installed.
    """
    try:
        import folium
    except ImportError as error:
        raise MissingExtraError("folium", "maps") from error
    # Without the attribution control, whose only content would be a link to Leaflet's home page.
    page = folium.Map(
        tiles=None, control_scale=True, prefer_canvas=True, zoom_snap=0.25, attribution_control=False, **options
    )
    page.default_js = [("leaflet", _data_uri("leaflet.js", "text/javascript"))]
    page.default_css = [("leaflet_css", _data_uri("leaflet.css", "text/css"))]
    return page


def escaped(value: object) -> str:
    """Return `value` as text that HTML shows as it is; "" for nothing."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    return html.escape(str(value), quote=True)


def features(table: gpd.GeoDataFrame, tolerance_m: float = 0.0) -> dict[str, Any]:
    """Return `table` as a GeoJSON mapping in degrees, simplified by `tolerance_m`, every text escaped."""
    geometry = table.geometry
    if tolerance_m > 0:
        geometry = geometry.simplify(tolerance_m)
    degrees = shapely.transform(geometry.to_crs(WGS84).to_numpy(), lambda xy: np.round(xy, DEGREE_DIGITS))
    names = [name for name in table.columns if name != table.geometry.name]
    records = table[names].to_dict("records") if names else [{} for _ in range(len(table))]
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    str(k): (v.item() if isinstance(v, np.generic) else v)
                    if isinstance(v, (int, float, np.number))
                    else escaped(v)
                    for k, v in record.items()
                },
                "geometry": shapely.geometry.mapping(shape),
            }
            for record, shape in zip(records, degrees, strict=True)
            if shape is not None and not shape.is_empty
        ],
    }
