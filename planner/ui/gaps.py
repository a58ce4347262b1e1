"""Gaps: a ranked list and a map that light each other up, with the cause and the candidate that would close most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from planner.coverage.names import gap_names
from planner.outputs.colours import GAP_COLOUR
from planner.outputs.wording import in_words
from planner.plan.closers import gap_closers
from planner.plan.coverage import gap_table
from planner.texts import text
from planner.ui import answers, layers
from planner.ui.degrees import degrees
from planner.ui.frame import choices_bar, note
from planner.ui.jobs import awaited
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.tables import header, show_table
from planner.ui.words import about, escaped

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.plan.ready import Reach
    from planner.ui.answers import Ready
    from planner.ui.leaflet import Click
    from planner.ui.state import AppState

MAP_HEIGHT = 500
MOST_ON_MAP = 600
_COLUMNS = ("rank", "name", "people", "cause", "over_median_min")
_FACTS = ("name", "people", "age60_people", "children_people", "relocated_people", "cause", "nearest_name",
          "nearest_median_min", "over_median_min", "straight_m", "closer")  # fmt: skip


def page(state: AppState) -> None:
    """Show whom no place reaches, as places one can name."""
    made = answers.ready(state)
    if made is None:
        return
    choices_bar(state, with_group=False)
    scenario = state.scenario
    key = ("gaps", made.key, scenario.main_profile, scenario.main_tier, scenario.cutoff_min)
    reach, access = made.asked(scenario), made.access
    gaps = awaited(key, lambda _: _gaps(reach, access), state.session, state.language)
    if gaps is None:
        return
    if gaps.empty:
        st.success(text("ui_pages.no_gaps", state.language))
        return
    total = float(gaps["people"].sum())
    words = text("ui_pages.gaps_total", state.language, n=len(gaps), people=about(total, state.language))
    st.html(f'<div class="sentence">{escaped(words)}</div>')
    note(state, "gaps", text("ui_pages.gaps_strip", state.language, n=len(gaps)))
    left, right = st.columns([1.12, 1], gap="small")
    with left:
        click = _map(state, made, gaps)
    if click is not None and state.is_new("gaps", click) and click.layer == "gaps":
        state.chosen_gap = click.id
        st.rerun()
    with right:
        _list(state, gaps)


def _gaps(reach: Reach, access: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the gaps with the candidate that would close most of each."""
    table, closers = gap_table(reach, access), gap_closers(reach, access).set_index("gap_id")
    if table.empty:
        return table
    named = closers["candidate_name"].reindex(table["gap_id"]).to_numpy(dtype=object)
    closed = closers["closed_people"].reindex(table["gap_id"]).to_numpy(dtype=float)
    return table.assign(candidate_name=named, closed_people=closed)


def _list(state: AppState, gaps: gpd.GeoDataFrame) -> None:
    language, ids = state.language, gaps["gap_id"].astype(str).tolist()
    chosen = ids.index(state.chosen_gap) if state.chosen_gap in ids else None
    if chosen is not None:
        _facts(state, gaps.iloc[chosen])
    shown = pd.DataFrame(gaps.drop(columns="geometry")).assign(name=gap_names(gaps, language))
    height = MAP_HEIGHT if chosen is None else MAP_HEIGHT - 260
    picked = show_table(shown.drop(columns="gap_id"), _COLUMNS, language, key="gaps", height=height, chosen=chosen)
    if picked is not None and ids[picked] != state.chosen_gap:
        state.chosen_gap = ids[picked]
        st.rerun()


def _facts(state: AppState, gap: Any) -> None:
    language = state.language
    row = in_words(pd.DataFrame([gap.drop("geometry")]), language).iloc[0].to_dict()
    if isinstance(gap["candidate_name"], str):
        row["closer"] = text(
            "ui_pages.closer", language, name=gap["candidate_name"], n=gap["closed_people"],
            share=gap["closed_people"] / max(gap["people"], 1),
        )  # fmt: skip
    else:
        row["closer"] = text("ui_pages.no_closer", language)
    rows = []
    for name in _FACTS:
        value = row.get(name)
        if value is None or pd.isna(value) or (name.endswith("_people") and not value):
            continue
        words = f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
        rows.append(f"<tr><th>{escaped(header(name, language))}</th><td>{escaped(words)}</td></tr>")
    st.html(f'<table class="facts">{"".join(rows)}</table>')


def _map(state: AppState, made: Ready, gaps: gpd.GeoDataFrame) -> Click | None:
    language, study, choices = state.language, state.study, state.choices
    key = state.held.key
    shown_gaps = gaps.head(MOST_ON_MAP)
    shapes = degrees(shown_gaps.geometry, 60.0)
    columns = ("rank", "people", "cause", "nearest_median_min", "over_median_min")
    worded = in_words(pd.DataFrame(shown_gaps.drop(columns="geometry")), language)
    features = [
        layers.feature(shape, id=str(record["gap_id"]), title=str(record["name"]),
                       rows=layers.rows_of(record, columns, language))
        for shape, record in zip(shapes, layers.pd_records(worded), strict=True)
    ]  # fmt: skip
    shown = [
        layers.surface_layer(
            answers.surface_picture(made, made.key, choices.profile, choices.tier, choices.cutoff_min),
            made.frame.bounds, text("ui.layer_minutes", language), show=False,
        ),
        *layers.basemap(study, key, tiles(), language),
        {"id": "gaps", "kind": "vector", "clickable": True, "color": GAP_COLOUR, "weight": 1.6,
         "fillOpacity": 0.3, "ref": layers.geojson(features), "label": text("outputs.legend_gap", language)},
        *layers.places(study, key, state.base, language),
    ]  # fmt: skip
    legend = [
        ("", GAP_COLOUR, text("outputs.legend_gap", language)),
        *layers.place_legend(study, state.base, language),
    ]
    focus = None
    ids = shown_gaps["gap_id"].astype(str).tolist()
    if state.chosen_gap in ids:
        west, south, east, north = shapes[ids.index(state.chosen_gap)].bounds
        focus = ((south, west), (north, east))
    view = MapView(
        shown, legend, made.bounds, study.name, focus=focus,
        selected=None if state.chosen_gap is None else ("gaps", state.chosen_gap),
    )  # fmt: skip
    return show_map(view, key="gaps", height=MAP_HEIGHT, label=text("ui.map_label", language),
                    legend_title=text("outputs.legend", language))  # fmt: skip
