"""The county on one interactive page that loads nothing from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from planner.coverage.names import gap_names
from planner.crs import WGS84, transform
from planner.outputs.leaflet import escaped, features, offline_map
from planner.outputs.proof import proof_sentence
from planner.outputs.statement import conditions, profile_name, tier_name
from planner.texts import Language, listed, text

if TYPE_CHECKING:
    from pathlib import Path

    import folium
    from numpy.typing import NDArray

    from planner.plan.stages import Plan
    from planner.reach.surfaces import TimeSurface

# Okabe and Ito's colours, told apart by colour-blind eyes.
TIER_COLOURS = ("#4B0082", "#CC79A7", "#0072B2", "#56B4E9", "#999933", "#882255")
BANDS_MIN = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0)
# Blue within 15 minutes, orange beyond: told apart by colour-blind eyes and on a pale projector.
BAND_COLOURS = ("#08306B", "#2171B5", "#6BAED6", "#FEE391", "#FE9929", "#CC4C02", "#662506")
UNKNOWN_COLOUR = "#9E9E9E"
GAP_COLOUR = "#B2182B"
PROPOSAL_COLOUR = "#F0E442"
STATUS_COLOURS = {"served": "#009E73", "unserved": "#D55E00", "unknown": UNKNOWN_COLOUR}
STATUS_OF_REASON = {"served": "served", "unknown": "unknown"}
_ROAD_WIDTHS = {"motorway": 3.0, "trunk": 2.6, "primary": 2.2, "secondary": 1.8, "tertiary": 1.4}
LARGEST_GAPS = 50
FEW_PLACES = 60
_OVERLAY_PIXELS = 900
_LEGEND_PIXELS = 290
_ROAD_TOLERANCE_M = 8.0
_AREA_TOLERANCE_M = 15.0


def county_map(plan: Plan, language: Language = "zh") -> str:
    """Return the map of a plan as one HTML page without any outside address; every text in it is escaped."""
    import folium

    bounds = _bounds_degrees(plan)
    page = offline_map(location=[(bounds[1] + bounds[3]) / 2, (bounds[0] + bounds[2]) / 2], zoom_start=10)
    _add_basemap(page, plan, language)
    _add_surfaces(page, plan, pixels_of(bounds, plan.study.crs), language)
    _add_circles(page, plan, language)
    _add_gaps(page, plan, language)
    _add_places(page, plan, language)
    _add_settlements(page, plan, language)
    _add_proposals(page, plan, language)
    folium.LayerControl(collapsed=True).add_to(page)
    page.fit_bounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]], padding_top_left=(_LEGEND_PIXELS, 10))
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


def _add_surfaces(page: folium.Map, plan: Plan, pixels: Pixels, language: Language) -> None:
    from folium.raster_layers import ImageOverlay

    for profile, surface in plan.surfaces.items():
        ImageOverlay(
            image=surface_image(surface, pixels),
            bounds=pixels.bounds,
            name=escaped(_words("layer_surface", language, profile=profile_name(profile, language))),
            opacity=0.55,
            show=profile == plan.scenario.main_profile,
        ).add_to(page)


@dataclass(frozen=True)
class Pixels:
    """The pixels of an overlay in Web Mercator: their centres in the study's CRS, and the bounds [[S, W], [N, E]]."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    bounds: list[list[float]]


def pixels_of(bounds: tuple[float, float, float, float], crs: str) -> Pixels:
    """Return the pixels of an overlay over `bounds` (west, south, east, north in degrees) for a study in `crs`."""
    mx, my = transform([bounds[0], bounds[2]], [bounds[1], bounds[3]], WGS84, "EPSG:3857")
    step = max(mx[1] - mx[0], my[1] - my[0]) / _OVERLAY_PIXELS
    columns = np.arange(mx[0] + step / 2, mx[1] + step / 2, step)
    rows = np.arange(my[1] - step / 2, my[0] - step / 2, -step)
    x, y = transform(*np.meshgrid(columns, rows), "EPSG:3857", crs)
    edges_x, edges_y = [mx[0], mx[0] + step * len(columns)], [my[1] - step * len(rows), my[1]]
    lon, lat = transform(edges_x, edges_y, "EPSG:3857", WGS84)
    return Pixels(x, y, [[float(lat[0]), float(lon[0])], [float(lat[1]), float(lon[1])]])


def surface_image(surface: TimeSurface, pixels: Pixels) -> NDArray[np.uint8]:
    """Return a time surface as RGBA bytes (rows x columns x 4).

    Each pixel takes the cell under its centre; cells without a road near stay transparent.
    """
    rows, columns = surface.minutes.shape
    a, _, c, _, e, f = surface.transform
    column = np.floor((pixels.x - c) / a).astype(int)
    row = np.floor((pixels.y - f) / e).astype(int)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    minutes = np.full(pixels.x.shape, np.nan)
    minutes[inside] = surface.minutes[row[inside], column[inside]]
    palette = np.array([[*bytes.fromhex(colour[1:]), 255] for colour in BAND_COLOURS], dtype=np.uint8)
    image = np.zeros((*minutes.shape, 4), dtype=np.uint8)
    known = ~np.isnan(minutes)
    image[known] = palette[np.searchsorted(BANDS_MIN, minutes[known], side="left")]
    return image


def _add_circles(page: folium.Map, plan: Plan, language: Language) -> None:

    for profile, circles in plan.circles.groupby("profile", sort=False):
        code = str(profile)
        name = _words("layer_circles", language, cutoff=plan.scenario.cutoff_min, profile=profile_name(code, language))
        # Simplified before they are joined: the map shows where the union ends, the layers keep each circle exact.
        cell_m = float(circles["cell_m"].iloc[0])
        simple = circles.geometry.simplify(cell_m, preserve_topology=False).make_valid()
        union = gpd.GeoDataFrame(geometry=[simple.union_all()], crs=plan.circles.crs)
        _draw(
            _group(page, name, show=False),
            features(union),
            style_function=lambda _: {"color": "#0072B2", "weight": 1.2, "fillOpacity": 0.12},
            interactive=False,
        )


def _draw(group: Any, document: dict[str, Any], **look: Any) -> None:  # noqa: ANN401  folium is untyped
    """Add features to a group of layers; rows without a place on the map are in the tables only."""
    from folium import GeoJson

    if document["features"]:
        GeoJson(document, **look).add_to(group)


def _popup(fields: dict[str, str]) -> Any:  # noqa: ANN401  folium is untyped
    from folium import GeoJsonPopup

    return GeoJsonPopup(fields=list(fields), aliases=list(fields.values()), labels=True, max_width=360)


def _column_words(names: tuple[str, ...], language: Language) -> dict[str, str]:
    return {name: text(f"columns.{name}", language) for name in names}


def _add_gaps(page: folium.Map, plan: Plan, language: Language) -> None:

    if plan.gaps.empty:
        return
    fields = ("rank", "name", "people", "nearest_median_min", "over_median_min", "cause")
    gaps = plan.gaps[[*fields, "geometry"]].copy()
    gaps["cause"] = [text(f"coverage.{cause}", language) for cause in gaps["cause"]]
    gaps["name"] = gap_names(plan.gaps, language)
    gaps = _rounded(gaps)
    first, rest = gaps[gaps["rank"] <= LARGEST_GAPS], gaps[gaps["rank"] > LARGEST_GAPS]
    for name, rows in (("layer_gaps", first), ("layer_gaps_rest", rest)):
        if len(rows):
            _draw(
                _group(page, _words(name, language, n=LARGEST_GAPS), show=name == "layer_gaps"),
                features(rows, _AREA_TOLERANCE_M),
                style_function=lambda _: {"color": GAP_COLOUR, "weight": 1.5, "fillOpacity": 0.25},
                popup=_popup(_column_words(fields, language)),
            )


def _add_places(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    if not plan.study.has("facilities"):
        return
    places = plan.study.tables["facilities"]
    fields = ("facility_id", "name", "tier", "town", "village", "host_building")
    for tier, rows in places.groupby("tier", sort=False):
        shown = rows.reindex(columns=[*fields, "geometry"]).copy()
        shown["tier"] = tier_name(str(tier), language)
        top = str(tier) in plan.scenario.tiers[:2] or len(rows) <= FEW_PLACES
        _draw(
            _group(page, _words("layer_places", language, tier=tier_name(str(tier), language)), show=top),
            features(shown),
            marker=folium.CircleMarker(
                radius=6 if top else 3.5,
                weight=1,
                color="#222222",
                fill_color=tier_colour(str(tier), plan.scenario.tiers),
                fill_opacity=0.95,
            ),
            popup=_popup(_column_words(fields, language)),
        )


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
        _draw(
            group,
            features(rows),
            marker=folium.CircleMarker(
                radius=6, weight=2, color="#222222", fill_color=STATUS_COLOURS[str(status)], fill_opacity=0.95
            ),
            popup=_popup(_column_words(fields, language)),
        )


def _add_proposals(page: folium.Map, plan: Plan, language: Language) -> None:
    import folium

    if plan.proposals.empty:
        return
    fields = ("rank", "candidate_id", "name", "way", "marginal_people", "total_people")
    shown = _rounded(plan.proposals[[*fields, "geometry"]].copy())
    shown["way"] = [text(f"terms.way_{way}", language) for way in shown["way"]]
    group = _group(page, _words("layer_proposals", language))
    for row, rank in enumerate(plan.proposals["rank"]):
        icon = folium.DivIcon(
            html=f'<div class="proposal">{int(rank)}</div>', icon_size=(26, 26), icon_anchor=(13, 13), class_name="flat"
        )
        _draw(
            group,
            features(shown.iloc[[row]]),
            marker=folium.Marker(icon=icon, z_index_offset=1000),
            popup=_popup(_column_words(fields, language)),
        )


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
    if len(plan.settlements):
        marks += [
            _swatch(STATUS_COLOURS["served"], _words("legend_served", language), "50%"),
            _swatch(STATUS_COLOURS["unserved"], _words("legend_unserved", language), "50%"),
            _swatch(STATUS_COLOURS["unknown"], _words("legend_unknown_settlement", language), "50%"),
        ]
    if len(plan.gaps):
        marks.append(_swatch(GAP_COLOUR, _words("legend_gap", language)))
    if len(plan.proposals):
        marks.append(_swatch(PROPOSAL_COLOUR, _words("legend_proposal", language), "50%"))
    proof = "" if plan.siting is None else f"<p>{escaped(proof_sentence(plan.siting.summary(), language))}</p>"
    title = escaped(_words("map_title", language, name=plan.study.name))
    note = escaped(conditions(plan.study, plan.scenario, plan.scenario.main_profile, language))
    return (
        f'<div class="legend"><h1>{title}</h1><details open><summary>{escaped(_words("legend", language))}</summary>'
        f"<h2>{escaped(_words('legend_minutes', language))}</h2>{''.join(rows)}<hr>{''.join(marks)}</details>"
        f"{proof}{_standard_html(plan, language)}<p>{note}</p></div>"
    )


def _standard_html(plan: Plan, language: Language) -> str:
    """Return the standard that the figures are held against, its source and its limits, as HTML; "" for own words."""
    scenario = plan.scenario
    standard = scenario.standards.get(scenario.standard)
    if standard is None:
        return ""
    lines = [
        _words(
            "legend_standard",
            language,
            name=standard.name if language == "zh" else standard.name_en or standard.name,
            # Shipped sources are written in both languages, Chinese first.
            source=standard.source.split(" / ", 1)[0 if language == "zh" else -1],
            mark=_words("verified" if standard.is_verified else "unverified", language),
        )
    ]
    for rule in standard.rules:
        profiles = [profile_name(code, language) for code in rule.profiles]
        values = {
            "tier": tier_name(rule.tier, language),
            "profiles": listed(profiles, language),
            "cutoff": rule.cutoff_min,
        }
        lines.append(_words("legend_rule", language, **values))
    return "".join(f"<p>{escaped(line)}</p>" for line in lines)


def _swatch(colour: str, words: str, radius: str = "2px") -> str:
    return f'<div><span style="background:{colour};border-radius:{radius}"></span>{escaped(words)}</div>'


def _head(plan: Plan, language: Language) -> str:
    return f"""<title>{escaped(_words("map_title", language, name=plan.study.name))}</title>
<style>
html, body {{ height: 100%; margin: 0; font-family: "Microsoft YaHei", "Noto Sans CJK SC", "PingFang SC", sans-serif; }}
.legend {{ position: absolute; z-index: 1000; left: 12px; bottom: 44px; width: 250px; max-height: 78vh;
  overflow-y: auto; background: rgba(255,255,255,.94); padding: 10px 12px; border-radius: 4px;
  box-shadow: 0 1px 5px rgba(0,0,0,.4); font-size: 12px; line-height: 1.45; }}
.legend h1 {{ font-size: 15px; margin: 0 0 6px; }}
.legend h2 {{ font-size: 12px; margin: 6px 0 2px; }}
.legend summary {{ cursor: pointer; font-weight: bold; }}
.legend span {{ display: inline-block; width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px;
  border: 1px solid #555; }}
.legend p {{ margin: 8px 0 0; color: #444; font-size: 11px; }}
/* Kilometres only. */
.leaflet-control-scale-line:not(:first-child) {{ display: none; }}
.folium-map.leaflet-container {{ background: #F4F1EA; }}
.leaflet-popup-content table {{ font-size: 12px; }}
.leaflet-popup-content th {{ text-align: left; padding-right: 8px; white-space: nowrap; vertical-align: top; }}
.proposal {{ width: 24px; height: 24px; border-radius: 50%; background: {PROPOSAL_COLOUR}; border: 2px solid #222;
  text-align: center; line-height: 24px; font-weight: bold; font-size: 12px; }}
</style>"""
