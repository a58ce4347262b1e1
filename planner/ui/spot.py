"""A spot on the map: minutes to the nearest place by every profile, the way there, over by how much, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import streamlit as st

from planner.coverage.areas import assign_by_position
from planner.coverage.causes import causes
from planner.coverage.minutes import is_covered
from planner.network.snap import snap_points
from planner.outputs.statement import profile_name
from planner.reach.access import DISCONNECTED, REACHABLE, UNKNOWN, chosen
from planner.reach.routes import nearest_route
from planner.texts import text
from planner.ui.answers import is_of_tier
from planner.ui.degrees import degrees, metres
from planner.ui.layers import feature
from planner.ui.words import escaped, minutes

if TYPE_CHECKING:
    from planner.reach.routes import Route
    from planner.ui.answers import Ready
    from planner.ui.state import AppState

_BLANK: dict[str, Any] = {"type": "FeatureCollection", "features": []}


@dataclass(frozen=True)
class Spot:
    """What is known about a spot.

    Attributes
    ----------
    at : lon, lat in degrees.
    names : of the village and the town it lies in; None where unknown.
    routes : to the nearest place by profile; None where there is no place.
    cause : why it is not covered by the chosen profile; "" when it is.
    place_names : facility id -> name.
    """

    at: tuple[float, float]
    names: tuple[str | None, str | None]
    routes: dict[str, Route | None]
    cause: str
    place_names: dict[str, str]


def spot_of(state: AppState, made: Ready) -> Spot | None:
    """Return what is known about the spot that the reader clicked; None before a click."""
    if state.at is None:
        return None
    choices = state.choices
    return _spot(made, made.key, state.at, choices.tier, choices.profile, choices.cutoff_min)


@st.cache_resource(max_entries=32, show_spinner=False)
def _spot(
    _made: Ready,
    key: str,
    at: tuple[float, float],
    tier: str,
    profile: str,
    cutoff_min: float,
) -> Spot:
    reach = _made.reach
    x, y = (np.array([value]) for value in metres(*at, reach.study.crs))
    barriers = reach.study.tables.get("barriers")
    rows = np.flatnonzero(is_of_tier(reach, tier))
    routes: dict[str, Route | None] = {}
    for code, network in reach.profiles.items():
        origin = snap_points(network, np.array(["spot"], object), x, y, barriers)
        places = chosen(reach.places[code], rows)
        routes[code] = nearest_route(network, origin, places, reach.scenario.direction) if len(rows) else None
    point = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=reach.study.crs)
    areas = reach.study.tables["areas"] if reach.study.has("areas") else None
    assigned = assign_by_position(point, areas)
    known = {} if areas is None else dict(zip(areas["area_id"], areas["name"], strict=True))
    names = (known.get(assigned["village_id"].iloc[0]), known.get(assigned["town_id"].iloc[0]))
    cause = _cause(_made, point, (routes[profile], profile, cutoff_min), rows)
    facilities = reach.facilities
    place_names = dict(zip(facilities["facility_id"].astype(str), facilities["name"].astype(str), strict=True))
    return Spot(at, names, routes, cause, place_names)


def _cause(
    made: Ready,
    point: gpd.GeoDataFrame,
    asked: tuple[Route | None, str, float],
    rows: Any,
) -> str:
    way, profile, cutoff_min = asked
    travel_time_min = np.inf if way is None else way.travel_time_min
    if is_covered(travel_time_min, cutoff_min):
        return ""
    status = UNKNOWN if np.isnan(travel_time_min) else DISCONNECTED if np.isinf(travel_time_min) else REACHABLE
    reach = made.reach
    why = causes(
        point, pd.Series([status]), reach.facilities.iloc[rows], reach.study.tables.get("barriers"),
        reach.scenario.profiles[profile].distance_m(cutoff_min),
    )  # fmt: skip
    return str(why["cause"].iloc[0])


def spot_layers(state: AppState, made: Ready) -> list[dict[str, Any]]:
    """Return the clicked spot and the way from it to its nearest place as layers, empty before a click."""
    spot = spot_of(state, made)
    way = None if spot is None else spot.routes[state.choices.profile]
    line, pin = dict(_BLANK), dict(_BLANK)
    if way is not None and way.geometry is not None:
        (shape,) = degrees(gpd.GeoSeries([way.geometry], crs=state.study.crs))
        line = {**_BLANK, "features": [feature(shape)]}
    if spot is not None:
        pin = {**_BLANK, "features": [feature(shapely.Point(spot.at))]}
    return [
        {"id": "route", "kind": "vector", "data": line, "color": "#CC00CC", "weight": 4, "pane": "marks"},
        {"id": "pin", "kind": "vector", "data": pin, "color": "#000000", "fill": "#CC00CC", "radius": 7, "weight": 2,
         "pane": "marks"},
    ]  # fmt: skip


def spot_facts(state: AppState, spot: Spot) -> str:
    """Return what is known about the spot as HTML, every name escaped."""
    language, choices = state.language, state.choices
    where = " ".join(name for name in (spot.names[1], spot.names[0]) if name) or text("ui.outside", language)
    rows = []
    for code, way in spot.routes.items():
        travel_time_min = np.inf if way is None else way.travel_time_min
        is_in = bool(is_covered(travel_time_min, choices.cutoff_min))
        over = travel_time_min - choices.cutoff_min
        if np.isnan(travel_time_min):
            verdict, looks = text("terms.unknown", language), ""
        elif is_in:
            verdict, looks = text("ui.within_limit", language), "good"
        else:
            verdict = text("ui.over_by", language, over=over) if np.isfinite(over) else text("ui.no_way", language)
            looks = "bad"
        place = "" if way is None or not np.isfinite(travel_time_min) else spot.place_names.get(str(way.place_id), "")
        metres = f"{way.length_m:,.0f}" if way is not None and np.isfinite(way.length_m) else "-"
        rows.append(
            f"<tr><th>{escaped(profile_name(code, language))}</th>"
            f'<td class="num">{escaped(minutes(travel_time_min, language))}</td>'
            f'<td class="{looks}">{escaped(verdict)}</td><td class="num">{metres}</td><td>{escaped(place)}</td></tr>'
        )
    heads = "".join(
        f"<th>{escaped(text(f'ui.spot_{name}', language))}</th>" for name in ("time", "verdict", "metres", "place")
    )
    why = ""
    if spot.cause:
        words = text("ui.why", language, profile=profile_name(choices.profile, language))
        why = f"<p><b>{escaped(words)}</b> {escaped(text(f'coverage.{spot.cause}', language))}</p>"
    way = spot.routes[choices.profile]
    legs = ""
    if way is not None and np.isfinite(way.travel_time_min):
        legs = f"<p>{escaped(text('ui.legs', language, start=way.origin_access_m, stop=way.place_access_m))}</p>"
    return (
        f'<p class="sentence">{escaped(where)}</p>'
        f'<table class="facts spot"><tr><th></th>{heads}</tr>{"".join(rows)}</table>{why}{legs}'
    )
