"""The county on one interactive page that loads nothing from outside.

All that the page shows is handed to its script (`map_page/map.js`) as one JSON value:

`bounds` ((south, west), (north, east)) in degrees; `legend`: title, summary, heading, bands and marks as rows of
(colour, words, looks), notes; `layers` from the ground upwards: name, show, and either an image (png as a data URI,
bounds, opacity) or parts: GeoJSON, its look as Leaflet's path options, and the labels of the values in its popups.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from planner.coverage.names import gap_names
from planner.crs import WGS84
from planner.outputs.colours import (
    BAND_COLOURS,
    CIRCLE_COLOUR,
    GAP_COLOUR,
    PROPOSAL_COLOUR,
    STATUS_COLOURS,
    tier_colour,
)
from planner.outputs.leaflet import features, map_page
from planner.outputs.overlays import Frame, make_frame, minutes_on, palette_png
from planner.outputs.proof import proof_sentence
from planner.outputs.statement import conditions, profile_name, tier_name
from planner.texts import Language, listed, text
from planner.written import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from planner.plan.stages import Plan
    from planner.reach.surfaces import TimeSurface

BANDS_MIN = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0)
STATUS_OF_REASON = {"served": "served", "unknown": "unknown"}
_ROAD_WIDTHS = {"motorway": 3.0, "trunk": 2.6, "primary": 2.2, "secondary": 1.8, "tertiary": 1.4}
LARGEST_GAPS = 50
FEW_PLACES = 60
_OVERLAY_PIXELS = 900
_OVERLAY_OPACITY = 0.55
_LEGEND_PIXELS = 290
_ROAD_TOLERANCE_M = 8.0
_AREA_TOLERANCE_M = 15.0
_DOT = {"weight": 1, "color": "#222222", "fillOpacity": 0.95}


def county_map(plan: Plan, language: Language = "zh") -> str:
    """Return the map of a plan as one HTML page without any outside address; no text in it is HTML or script.

    Raises
    ------
    MissingExtraError
        When the Leaflet files or Pillow are not installed.
    """
    return map_page(map_data(plan, language), language)


def write_map(plan: Plan, path: Path, language: Language = "zh") -> Path:
    """Write `county_map` to `path`; return it."""
    return write_text(path, county_map(plan, language))


def map_data(plan: Plan, language: Language = "zh") -> dict[str, Any]:
    """Return what the page shows, as plain JSON values."""
    west, south, east, north = _bounds_degrees(plan)
    frame = make_frame((west, south, east, north), plan.study.crs, None, _OVERLAY_PIXELS)
    layers = [
        *_basemap(plan, language),
        *_surfaces(plan, frame, language),
        *_circles(plan, language),
        *_gaps(plan, language),
        *_places(plan, language),
        *_settlements(plan, language),
        *_proposals(plan, language),
    ]
    return {
        "bounds": [[south, west], [north, east]],
        "legend_pixels": _LEGEND_PIXELS,
        "legend": legend(plan, language),
        "layers": layers,
    }


def _words(key: str, language: Language, **values: object) -> str:
    return text(f"outputs.{key}", language, **values)


def _bounds_degrees(plan: Plan) -> tuple[float, float, float, float]:
    name = next(n for n in ("areas", "demand", "facilities", "roads") if plan.study.has(n))
    west, south, east, north = plan.study.tables[name].to_crs(WGS84).total_bounds
    return float(west), float(south), float(east), float(north)


def _group(name: str, parts: Sequence[dict[str, Any]], *, show: bool = True) -> dict[str, Any]:
    """Return a layer; rows without a place on the map are in the tables only."""
    return {"name": name, "show": show, "parts": [part for part in parts if part["features"]["features"]]}


def _column_words(names: tuple[str, ...], language: Language) -> dict[str, str]:
    return {name: text(f"columns.{name}", language) for name in names}


def _part(
    table: gpd.GeoDataFrame,
    look: dict[str, Any],
    popup: dict[str, str] | None = None,
    *,
    tolerance_m: float = 0.0,
    badge: str = "",
) -> dict[str, Any]:
    """Return a table as shapes of one look; `popup` has the words of the columns that a click shows."""
    popup = popup or {}
    shapes = features(table, tuple(popup), tolerance_m=tolerance_m, badge=badge)
    return {"features": shapes, "look": look, "labels": list(popup.values())}


def _basemap(plan: Plan, language: Language) -> Iterator[dict[str, Any]]:
    study = plan.study
    if study.has("areas"):
        areas = study.tables["areas"]
        looks = {
            "county": {"color": "#444444", "weight": 2.2, "fillOpacity": 0.0},
            "town": {"color": "#444444", "weight": 0.8, "fillOpacity": 0.0, "dashArray": "4 3"},
        }
        parts = [
            _part(areas[areas["level"] == level], look, tolerance_m=_AREA_TOLERANCE_M) for level, look in looks.items()
        ]
        yield _group(_words("layer_areas", language), parts)
    if study.has("roads"):
        roads = study.tables["roads"]
        parts = []
        for name, lines in roads.groupby("class", sort=True).geometry:
            merged = gpd.GeoDataFrame(geometry=[shapely.multilinestrings(list(lines))], crs=roads.crs)
            weight = _ROAD_WIDTHS.get(str(name).removesuffix("_link"), 0.7)
            look = {"color": "#8A8F98", "weight": weight, "opacity": 0.8}
            parts.append(_part(merged, look, tolerance_m=_ROAD_TOLERANCE_M))
        yield _group(_words("layer_roads", language), parts)


def _surfaces(plan: Plan, frame: Frame, language: Language) -> Iterator[dict[str, Any]]:
    for profile, surface in plan.surfaces.items():
        png = base64.b64encode(_surface_png(frame, surface)).decode("ascii")
        yield {
            "name": _words("layer_surface", language, profile=profile_name(profile, language)),
            "show": profile == plan.scenario.main_profile,
            "image": {"png": f"data:image/png;base64,{png}", "bounds": frame.bounds, "opacity": _OVERLAY_OPACITY},
        }


def _surface_png(frame: Frame, surface: TimeSurface) -> bytes:
    """Return a time surface in bands; cells without a road near stay clear."""
    minutes = minutes_on(frame, surface)
    codes = np.searchsorted(BANDS_MIN, minutes, side="left").astype(np.uint8)
    codes[np.isnan(minutes)] = len(BAND_COLOURS)
    return palette_png(codes, [*((colour, 255) for colour in BAND_COLOURS), ("#FFFFFF", 0)])


def _circles(plan: Plan, language: Language) -> Iterator[dict[str, Any]]:
    for profile, circles in plan.circles.groupby("profile", sort=False):
        code = str(profile)
        name = _words("layer_circles", language, cutoff=plan.scenario.cutoff_min, profile=profile_name(code, language))
        # Simplified before they are joined: the map shows where the union ends, the layers keep each circle exact.
        cell_m = float(circles["cell_m"].iloc[0])
        simple = circles.geometry.simplify(cell_m, preserve_topology=False).make_valid()
        union = gpd.GeoDataFrame(geometry=[simple.union_all()], crs=plan.circles.crs)
        look = {"color": CIRCLE_COLOUR, "weight": 1.2, "fillOpacity": 0.12}
        yield _group(name, [_part(union, look)], show=False)


def _gaps(plan: Plan, language: Language) -> Iterator[dict[str, Any]]:
    if plan.gaps.empty:
        return
    popup = _column_words(("rank", "name", "people", "nearest_median_min", "over_median_min", "cause"), language)
    gaps = plan.gaps[[*popup, "geometry"]].copy()
    gaps["cause"] = [text(f"coverage.{cause}", language) for cause in gaps["cause"]]
    gaps["name"] = gap_names(plan.gaps, language)
    first, rest = gaps[gaps["rank"] <= LARGEST_GAPS], gaps[gaps["rank"] > LARGEST_GAPS]
    look = {"color": GAP_COLOUR, "weight": 1.5, "fillOpacity": 0.25}
    for name, rows in (("layer_gaps", first), ("layer_gaps_rest", rest)):
        if len(rows):
            part = _part(rows, look, popup, tolerance_m=_AREA_TOLERANCE_M)
            yield _group(_words(name, language, n=LARGEST_GAPS), [part], show=name == "layer_gaps")


def _places(plan: Plan, language: Language) -> Iterator[dict[str, Any]]:
    if not plan.study.has("facilities"):
        return
    places = plan.study.tables["facilities"]
    popup = _column_words(("facility_id", "name", "tier", "town", "village", "host_building"), language)
    for tier, rows in places.groupby("tier", sort=False):
        shown = rows.reindex(columns=[*popup, "geometry"]).copy()
        shown["tier"] = tier_name(str(tier), language)
        top = str(tier) in plan.scenario.tiers[:2] or len(rows) <= FEW_PLACES
        look = {**_DOT, "radius": 6 if top else 3.5, "fillColor": tier_colour(str(tier), plan.scenario.tiers)}
        name = _words("layer_places", language, tier=tier_name(str(tier), language))
        yield _group(name, [_part(shown, look, popup)], show=top)


def _settlements(plan: Plan, language: Language) -> Iterator[dict[str, Any]]:
    if plan.settlements.empty:
        return
    columns = ("settlement_id", "name", "people", "households", "size_class", "travel_time_min", "reason")
    popup = _column_words(columns, language)
    shown = plan.settlements.reindex(columns=[*columns, "geometry"]).copy()
    status = np.array([STATUS_OF_REASON.get(str(reason), "unserved") for reason in shown["reason"]])
    shown["reason"] = [text(f"coverage.{reason}", language) for reason in shown["reason"]]
    parts = [
        _part(shown[status == each], {**_DOT, "radius": 6, "weight": 2, "fillColor": colour}, popup)
        for each, colour in STATUS_COLOURS.items()
    ]
    yield _group(_words("layer_settlements", language), parts)


def _proposals(plan: Plan, language: Language) -> Iterator[dict[str, Any]]:
    if plan.proposals.empty:
        return
    popup = _column_words(("rank", "candidate_id", "name", "way", "marginal_people", "total_people"), language)
    shown = plan.proposals[[*popup, "geometry"]].copy()
    shown["way"] = [text(f"terms.way_{way}", language) for way in shown["way"]]
    part = _part(shown, {"fillColor": PROPOSAL_COLOUR}, popup, badge="rank")
    yield _group(_words("layer_proposals", language), [part])


def legend(plan: Plan, language: Language) -> dict[str, Any]:
    """Return the legend with the conditions of the figures."""
    lows = (0.0, *BANDS_MIN)
    bands = [f"{low:g}-{high:g}" for low, high in zip(lows, BANDS_MIN, strict=False)]
    bands.append(_words("legend_over", language, minutes=BANDS_MIN[-1]))
    notes = [] if plan.siting is None else [proof_sentence(plan.siting.summary(), language)]
    notes += _standard(plan, language)
    notes.append(conditions(plan.study, plan.scenario, plan.scenario.main_profile, language))
    return {
        "title": _words("map_title", language, name=plan.study.name),
        "summary": _words("legend", language),
        "heading": _words("legend_minutes", language),
        "bands": [[colour, words, ""] for colour, words in zip(BAND_COLOURS, bands, strict=True)],
        "marks": list(_marks(plan, language)),
        "notes": notes,
    }


def _marks(plan: Plan, language: Language) -> Iterator[list[str]]:
    for tier in plan.scenario.tiers:
        yield [tier_colour(tier, plan.scenario.tiers), tier_name(tier, language), "round"]
    if len(plan.settlements):
        yield [STATUS_COLOURS["served"], _words("legend_served", language), "round"]
        yield [STATUS_COLOURS["unserved"], _words("legend_unserved", language), "round"]
        yield [STATUS_COLOURS["unknown"], _words("legend_unknown_settlement", language), "round"]
    if len(plan.gaps):
        yield [GAP_COLOUR, _words("legend_gap", language), ""]
    if len(plan.proposals):
        yield [PROPOSAL_COLOUR, _words("legend_proposal", language), "round"]


def _standard(plan: Plan, language: Language) -> list[str]:
    """Return the standard that the figures are held against, its source and its limits; nothing for own words."""
    scenario = plan.scenario
    standard = scenario.standards.get(scenario.standard)
    if standard is None:
        return []
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
    return lines
