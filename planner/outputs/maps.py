"""The county on one interactive page that loads nothing from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from planner.crs import WGS84, transform
from planner.outputs.leaflet import escaped, features, offline_map
from planner.outputs.statement import conditions, profile_name, tier_name
from planner.texts import Language, text

if TYPE_CHECKING:
    from pathlib import Path

    import folium

    from planner.plan import Plan
    from planner.reach.surfaces import TimeSurface

# Okabe and Ito's colours, told apart by colour-blind eyes.
TIER_COLOURS = ("#D55E00", "#CC79A7", "#0072B2", "#56B4E9", "#009E73", "#E69F00")
BANDS_MIN = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0)
BAND_COLOURS = ("#00441B", "#238B45", "#74C476", "#FED976", "#FD8D3C", "#E31A1C", "#800026")
UNKNOWN_COLOUR = "#9E9E9E"
GAP_COLOUR = "#B2182B"
PROPOSAL_COLOUR = "#F0E442"
STATUS_COLOURS = {"served": "#009E73", "unserved": "#D55E00", "unknown": UNKNOWN_COLOUR}
STATUS_OF_REASON = {"served": "served", "unknown": "unknown"}
_ROAD_WIDTHS = {"motorway": 3.0, "trunk": 2.6, "primary": 2.2, "secondary": 1.8, "tertiary": 1.4}
_OVERLAY_PIXELS = 900
_ROAD_TOLERANCE_M = 8.0
_AREA_TOLERANCE_M = 15.0


def county_map(plan: Plan, language: Language = "zh") -> str:
    """Return the map of a plan as one HTML page without any outside address; every text in it is escaped."""
    import folium

    bounds = _bounds_degrees(plan)
    page = offline_map(location=[(bounds[1] + bounds[3]) / 2, (bounds[0] + bounds[2]) / 2], zoom_start=10)
    _add_basemap(page, plan, language)
    for profile, surface in plan.surfaces.items():
        _add_surface(page, surface, _words("layer_surface", language, profile=profile_name(profile, language)), {
            "show": profile == plan.scenario.main_profile,
        })  # fmt: skip
    _add_circles(page, plan, language)
    _add_gaps(page, plan, language)
    _add_places(page, plan, language)
    _add_settlements(page, plan, language)
    _add_proposals(page, plan, language)
    folium.LayerControl(collapsed=True).add_to(page)
    page.fit_bounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]])
    root: Any = page.get_root()
    root.html.add_child(folium.Element(legend_html(plan, language)))
    root.header.add_child(folium.Element(_head(plan, language)))
    return str(root.render())


def write_map(plan: Plan, path: Path, language: Language = "zh") -> Path:
    """Write `county_map` to `path`; return it."""
    path.write_text(county_map(plan, language), encoding="utf-8")
    return path


def _words(key: str, language: Language, **values: object) -> str:
    return text(f"outputs.{key}", language, **values)


def _bounds_degrees(plan: Plan) -> tuple[float, float, float, float]:
    name = next(n for n in ("areas", "demand", "facilities", "roads") if plan.study.has(n))
    west, south, east, north = plan.study.tables[name].to_crs(WGS84).total_bounds
    return float(west), float(south), float(east), float(north)


def _group(page: folium.Map, name: str, *, show: bool = True) -> folium.FeatureGroup:
    import folium

    group = folium.FeatureGroup(name=escaped(name), show=show)
    group.add_to(page)
    return group


def _add_basemap(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    study = plan.study
    if study.has("areas"):
        areas = study.tables["areas"]
        areas = areas.loc[areas["level"].isin(["county", "town"]), ["name", "level", "geometry"]]
        group = _group(page, _words("layer_areas", language))
        folium.GeoJson(
            features(areas, _AREA_TOLERANCE_M),
            style_function=lambda f: {
                "color": "#444444",
                "weight": 2.2 if f["properties"]["level"] == "county" else 0.8,
                "fillOpacity": 0.0,
                "dashArray": None if f["properties"]["level"] == "county" else "4 3",
            },
            interactive=False,
        ).add_to(group)
    if study.has("roads"):
        group = _group(page, _words("layer_roads", language))
        roads = study.tables["roads"]
        by_class = roads.groupby("class", sort=True).geometry
        bundles = [(name, shapely.multilinestrings(list(lines))) for name, lines in by_class]
        merged = gpd.GeoDataFrame(bundles, columns=["class", "geometry"], geometry="geometry", crs=roads.crs)
        folium.GeoJson(
            features(merged, _ROAD_TOLERANCE_M),
            style_function=lambda f: {
                "color": "#8A8F98",
                "weight": _ROAD_WIDTHS.get(f["properties"]["class"].removesuffix("_link"), 0.7),
                "opacity": 0.8,
            },
            interactive=False,
        ).add_to(group)


def _add_surface(page: folium.Map, surface: TimeSurface, name: str, options: dict[str, Any]) -> None:
    from folium.raster_layers import ImageOverlay

    colours, bounds = surface_image(surface)
    ImageOverlay(image=colours, bounds=bounds, name=escaped(name), opacity=0.55, **options).add_to(page)


def surface_image(surface: TimeSurface) -> tuple[np.ndarray, list[list[float]]]:
    """Return a time surface as RGBA bytes (rows x columns x 4) in Web Mercator, and its bounds [[S, W], [N, E]].

    Each pixel takes the cell under its centre; cells without a road near stay transparent.
    """
    rows, columns = surface.minutes.shape
    a, _, c, _, e, f = surface.transform
    corners_x = np.array([c, c + a * columns, c, c + a * columns])
    corners_y = np.array([f, f, f + e * rows, f + e * rows])
    mx, my = transform(corners_x, corners_y, surface.crs, "EPSG:3857")
    west, east, south, north = mx.min(), mx.max(), my.min(), my.max()
    step = max(east - west, north - south) / _OVERLAY_PIXELS
    xs = np.arange(west + step / 2, east, step)
    ys = np.arange(north - step / 2, south, -step)
    grid_x, grid_y = np.meshgrid(xs, ys)
    x, y = transform(grid_x, grid_y, "EPSG:3857", surface.crs)
    column = np.floor((x - c) / a).astype(int)
    row = np.floor((y - f) / e).astype(int)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    minutes = np.full(x.shape, np.nan)
    minutes[inside] = surface.minutes[row[inside], column[inside]]
    palette = np.array([[*bytes.fromhex(colour[1:]), 255] for colour in BAND_COLOURS], dtype=np.uint8)
    image = np.zeros((*minutes.shape, 4), dtype=np.uint8)
    known = ~np.isnan(minutes)
    image[known] = palette[np.searchsorted(BANDS_MIN, minutes[known], side="left")]
    lon, lat = transform([west, west + step * len(xs)], [north - step * len(ys), north], "EPSG:3857", WGS84)
    return image, [[float(lat[0]), float(lon[0])], [float(lat[1]), float(lon[1])]]


def _add_circles(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    for profile, circles in plan.circles.groupby("profile", sort=False):
        code = str(profile)
        name = _words("layer_circles", language, cutoff=plan.scenario.cutoff_min, profile=profile_name(code, language))
        # Simplified before they are joined: the map shows where the union ends, the layers keep each circle exact.
        simple = circles.geometry.simplify(float(circles["cell_m"].iloc[0])).make_valid()
        union = gpd.GeoDataFrame(geometry=[simple.union_all()], crs=plan.circles.crs)
        folium.GeoJson(
            features(union),
            style_function=lambda _: {"color": "#0072B2", "weight": 1.2, "fillOpacity": 0.12},
            interactive=False,
        ).add_to(_group(page, name, show=False))


def _popup(fields: dict[str, str]) -> Any:  # noqa: ANN401  folium is untyped
    from folium import GeoJsonPopup

    return GeoJsonPopup(fields=list(fields), aliases=list(fields.values()), labels=True, max_width=360)


def _column_words(names: tuple[str, ...], language: Language) -> dict[str, str]:
    return {name: text(f"columns.{name}", language) for name in names}


def _add_gaps(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    if plan.gaps.empty:
        return
    fields = ("rank", "name", "people", "nearest_median_min", "over_median_min", "cause")
    gaps = plan.gaps[[*fields, "geometry"]].copy()
    gaps["cause"] = [text(f"coverage.{cause}", language) for cause in gaps["cause"]]
    folium.GeoJson(
        features(_rounded(gaps), _AREA_TOLERANCE_M),
        style_function=lambda _: {"color": GAP_COLOUR, "weight": 1.2, "fillColor": GAP_COLOUR, "fillOpacity": 0.25},
        popup=_popup(_column_words(fields, language)),
    ).add_to(_group(page, _words("layer_gaps", language)))


def _add_places(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    if not plan.study.has("facilities"):
        return
    places = plan.study.tables["facilities"]
    fields = ("facility_id", "name", "tier", "town", "village", "host_building")
    for tier, rows in places.groupby("tier", sort=False):
        shown = rows.reindex(columns=[*fields, "geometry"]).copy()
        shown["tier"] = tier_name(str(tier), language)
        top = str(tier) in plan.scenario.tiers[:2]
        folium.GeoJson(
            features(shown),
            marker=folium.CircleMarker(
                radius=6 if top else 3.5,
                weight=1,
                color="#222222",
                fill_color=tier_colour(str(tier), plan.scenario.tiers),
                fill_opacity=0.95,
            ),
            popup=_popup(_column_words(fields, language)),
        ).add_to(_group(page, _words("layer_places", language, tier=tier_name(str(tier), language)), show=top))


def tier_colour(tier: str, tiers: tuple[str, ...]) -> str:
    """Return the colour of a tier: by its rank in the pyramid, grey for a tier that the scenario does not know."""
    return TIER_COLOURS[tiers.index(tier) % len(TIER_COLOURS)] if tier in tiers else "#777777"


def _add_settlements(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    if plan.settlements.empty:
        return
    fields = ("settlement_id", "name", "people", "households", "size_class", "travel_time_min", "reason")
    shown = plan.settlements.reindex(columns=[*fields, "geometry"]).copy()
    shown["status"] = [STATUS_OF_REASON.get(str(reason), "unserved") for reason in shown["reason"]]
    shown["reason"] = [text(f"coverage.{reason}", language) for reason in shown["reason"]]
    group = _group(page, _words("layer_settlements", language))
    for status, rows in _rounded(shown).groupby("status", sort=False):
        folium.GeoJson(
            features(rows),
            marker=folium.CircleMarker(
                radius=6, weight=2, color="#222222", fill_color=STATUS_COLOURS[str(status)], fill_opacity=0.95
            ),
            popup=_popup(_column_words(fields, language)),
        ).add_to(group)


def _add_proposals(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    if plan.proposals.empty:
        return
    fields = ("rank", "candidate_id", "name", "way", "marginal_people", "total_people")
    group = _group(page, _words("layer_proposals", language))
    points = plan.proposals.to_crs(WGS84)
    headers = _column_words(fields, language)
    for record, point in zip(points.to_dict("records"), points.geometry, strict=True):
        record["way"] = text(f"terms.way_{record['way']}", language)
        lines = "".join(f"<tr><th>{headers[name]}</th><td>{escaped(record[name])}</td></tr>" for name in fields)
        folium.Marker(
            [point.y, point.x],
            icon=folium.DivIcon(
                html=f'<div class="proposal">{int(record["rank"])}</div>', icon_size=(26, 26), icon_anchor=(13, 13)
            ),
            popup=folium.Popup(f"<table>{lines}</table>", max_width=360),
            z_index_offset=1000,
        ).add_to(group)


def _rounded(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    numbers = table.select_dtypes("number").columns
    return table.assign(**{name: table[name].astype(float).round(1) for name in numbers})


def legend_html(plan: Plan, language: Language) -> str:
    """Return the legend with the conditions of the figures, as HTML with every text escaped."""
    rows = []
    low = 0.0
    for colour, high in zip(BAND_COLOURS, (*BANDS_MIN, np.inf), strict=True):
        words = f"{low:g}-{high:g}" if np.isfinite(high) else _words("legend_over", language, minutes=low)
        rows.append(_swatch(colour, words))
        low = high
    marks = [_swatch(tier_colour(t, plan.scenario.tiers), tier_name(t, language), "50%") for t in plan.scenario.tiers]
    marks += [
        _swatch(STATUS_COLOURS["served"], _words("legend_served", language), "50%"),
        _swatch(STATUS_COLOURS["unserved"], _words("legend_unserved", language), "50%"),
        _swatch(STATUS_COLOURS["unknown"], _words("legend_unknown_settlement", language), "50%"),
        _swatch(GAP_COLOUR, _words("legend_gap", language)),
        _swatch(PROPOSAL_COLOUR, _words("legend_proposal", language), "50%"),
    ]
    title = escaped(_words("map_title", language, name=plan.study.name))
    note = escaped(conditions(plan.study, plan.scenario, plan.scenario.main_profile, language))
    return (
        f'<div class="legend"><h1>{title}</h1><details open><summary>{escaped(_words("legend", language))}</summary>'
        f"<h2>{escaped(_words('legend_minutes', language))}</h2>{''.join(rows)}<hr>{''.join(marks)}</details>"
        f"<p>{note}</p></div>"
    )


def _swatch(colour: str, words: str, radius: str = "2px") -> str:
    return f'<div><span style="background:{colour};border-radius:{radius}"></span>{escaped(words)}</div>'


def _head(plan: Plan, language: Language) -> str:
    return f"""<title>{escaped(_words("map_title", language, name=plan.study.name))}</title>
<style>
html, body {{ height: 100%; margin: 0; font-family: "Microsoft YaHei", "Noto Sans CJK SC", "PingFang SC", sans-serif; }}
.legend {{ position: absolute; z-index: 1000; left: 12px; bottom: 28px; width: 250px; max-height: 86vh;
  overflow-y: auto; background: rgba(255,255,255,.94); padding: 10px 12px; border-radius: 4px;
  box-shadow: 0 1px 5px rgba(0,0,0,.4); font-size: 12px; line-height: 1.45; }}
.legend h1 {{ font-size: 15px; margin: 0 0 6px; }}
.legend h2 {{ font-size: 12px; margin: 6px 0 2px; }}
.legend summary {{ cursor: pointer; font-weight: bold; }}
.legend span {{ display: inline-block; width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px;
  border: 1px solid #555; }}
.legend p {{ margin: 8px 0 0; color: #444; font-size: 11px; }}
.leaflet-container {{ background: #F4F1EA; }}
.leaflet-popup-content table {{ font-size: 12px; }}
.leaflet-popup-content th {{ text-align: left; padding-right: 8px; white-space: nowrap; vertical-align: top; }}
.proposal {{ width: 24px; height: 24px; border-radius: 50%; background: {PROPOSAL_COLOUR}; border: 2px solid #222;
  text-align: center; line-height: 24px; font-weight: bold; font-size: 12px; }}
</style>"""
