"""Places together: practice belts along roads or corridors, and town clusters, each on a map beside its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from planner.belts import belt_along
from planner.coverage.belts import belts_of
from planner.outputs.statement import profile_name
from planner.outputs.wording import in_words
from planner.plan.groups import practice_belts, town_clusters
from planner.texts import text
from planner.ui import answers, layers
from planner.ui.degrees import degrees
from planner.ui.jobs import awaited
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.tables import read_only, show_table
from planner.ui.words import escaped, plain

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.ui.state import AppState

MAP_HEIGHT = 430
CHAIN_COLOUR, BREAK_COLOUR, CLUSTER_COLOUR = "#0072B2", "#D55E00", "#AA3377"
_BELTS = ("name", "zone", "n_places", "n_breaks", "length_m", "longest_link_m")
_LINKS = ("seq", "from_name", "to_name", "length_m", "link_min", "cause")
_CLUSTERS = ("town_name", "n_places", "places", "farthest_min", "functions", "lacks_functions")


def belts(state: AppState) -> None:
    """Show the places along a corridor as an ordered chain, with its lengths and breaks."""
    language, scenario = state.language, state.scenario
    made = answers.ready(state)
    if made is None:
        return
    roads, buffer, _ = st.columns([2, 1, 1.6])
    chosen = roads.multiselect(
        text("ui_pages.belt_roads", language), _road_names(state.study.table("roads"), state.held.key),
        key="belt roads", select_all=False, placeholder=text("ui_pages.choose", language),
    )  # fmt: skip
    metres = buffer.number_input(text("ui_pages.belt_buffer", language), 0.0, 20_000.0, 500.0, step=100.0, format="%g")
    asked = belt_along(chosen, (), (), (), metres)
    if asked is not None:
        scenario = scenario.with_choices(belts={"belt": asked})
    elif not belts_of(state.study, scenario):
        st.caption(text("ui_pages.belt_hint", language))
        return
    reach = made.asked(scenario)
    found = awaited(("belts", made.key, scenario.model_dump_json()), lambda _: practice_belts(reach), state.session,
                    language)  # fmt: skip
    if found is None:
        return
    for finding in found.findings:
        st.warning(plain(f"{finding.problem(language)} {finding.repair(language)}"))
    links = found.links
    left, right = st.columns([1.25, 1], gap="small")
    with left:
        chain = {
            "id": "belts", "kind": "vector", "weight": 4, "fillOpacity": 0, "color": CHAIN_COLOUR,
            "ref": layers.geojson([
                layers.feature(shape, color=BREAK_COLOUR if broken else CHAIN_COLOUR, dash="6 5" if broken else None)
                for shape, broken in zip(degrees(links.geometry, 10.0), links["is_break"], strict=True)
            ]),
        }  # fmt: skip
        legend = [("line", CHAIN_COLOUR, text("ui_pages.legend_chain", language)),
                  ("line", BREAK_COLOUR, text("ui_pages.legend_break", language))]  # fmt: skip
        _map(state, "belts", chain, legend)
    with right:
        read_only(_plain(found.table), _BELTS, language)
        st.caption(text("ui_pages.belt_links", language))
        read_only(_plain(links), _LINKS, language, height=260)


@st.cache_data(max_entries=8, show_spinner=False)
def _road_names(_roads: pd.DataFrame, key: str) -> list[str]:
    """Return the names of roads, those of most pieces first."""
    return [str(name) for name in _roads["name"].dropna().value_counts().index if str(name).strip()]


def clusters(state: AppState) -> None:
    """Show the places of a town that can all be reached from one another within minutes, and what they lack."""
    language = state.language
    made = answers.ready(state)
    if made is None:
        return
    box, words, _ = st.columns([1, 2, 1], vertical_alignment="bottom")
    limit = box.number_input(
        text("ui_pages.cluster_min", language), 1.0, 60.0, state.scenario.cluster_min, step=1.0, format="%g"
    )
    scenario = state.scenario.with_choices(cluster_min=limit)
    reach = made.asked(scenario)
    found = awaited(("clusters", made.key, scenario.main_profile, limit), lambda _: town_clusters(reach),
                    state.session, language)  # fmt: skip
    if found is None:
        return
    apart = int((found.places["membership"] != "member").sum())
    said = text("belts.apart", language, n=apart, total=len(found.places))
    words.html(
        f'<div class="ask"><b>{escaped(profile_name(scenario.main_profile, language))}</b> {escaped(said)}</div>'
    )
    left, right = st.columns([1, 1.25], gap="small")
    with right:
        picked = show_table(_plain(found.table), _CLUSTERS, language, key="clusters", height=MAP_HEIGHT)
    with left:
        shapes = degrees(found.table.geometry)
        names = in_words(_plain(found.table), language)
        outline = {
            "id": "clusters", "kind": "vector", "clickable": True, "color": CLUSTER_COLOUR, "weight": 2,
            "fillOpacity": 0.25, "ref": layers.geojson([
                layers.feature(shape, id=str(row), title=str(record["town_name"]),
                               rows=layers.rows_of(record, ("n_places", "places", "lacks_functions"), language))
                for row, (shape, record) in enumerate(zip(shapes, layers.pd_records(names), strict=True))
            ]),
        }  # fmt: skip
        focus = None
        if picked is not None:
            west, south, east, north = shapes[picked].bounds
            focus = ((south, west), (north, east))
        _map(state, "clusters", outline, [("", CLUSTER_COLOUR, text("ui_pages.legend_cluster", language))], focus)


def _plain(table: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(table.drop(columns="geometry"))


def _map(
    state: AppState, key: str, layer: dict[str, Any], legend: list[tuple[str, str, str]], focus: Any = None
) -> None:
    language, study = state.language, state.study
    west, south, east, north = answers.bounds_of(study)
    shown = [
        *layers.basemap(study, state.held.key, tiles(), language), layer,
        *layers.places(study, state.held.key, state.base, language),
    ]  # fmt: skip
    legend = [*legend, *layers.place_legend(study, state.base, language)]
    view = MapView(shown, legend, ((south, west), (north, east)), study.name, focus=focus)
    show_map(view, key=key, height=MAP_HEIGHT, label=text("ui.map_label", language),
             legend_title=text("outputs.legend", language))  # fmt: skip
