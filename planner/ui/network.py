"""Network: the pyramid in figures, what contradicts it, the checklist, declared against found, places together."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from planner.coverage.checklist import checklist_totals, rectification_list
from planner.coverage.declared import declared_from_toml, declared_presets, reconcile
from planner.coverage.hierarchy import hierarchy_findings, tier_table
from planner.errors import EntriesError
from planner.inputs.files.encodings import decode
from planner.plan.practice import network_findings
from planner.texts import text
from planner.ui import answers, groups, layers
from planner.ui.degrees import degrees
from planner.ui.frame import fault, note
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.tables import read_only, show_table
from planner.ui.words import escaped, plain

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.coverage.declared import Declared
    from planner.ui.state import AppState

MAP_HEIGHT = 420
FINDING_COLOUR = "#D55E00"
_VIEWS = ("tiers", "findings", "checklist", "declared", "belts", "clusters")
_TIERS = ("tier", "parent", "unit", "count", "n_units", "n_units_with", "n_places", "n_online", "n_findings")
_CHECKLIST = ("tier", "town_name", "n_places", "n_judged", "n_qualified", "qualified_share", "n_demonstration")
_MENDING = ("rank", "facility_id", "name", "tier", "town_name", "lacks", "partial", "not_judged", "notes")
_FINDINGS = ("name", "tier", "town_name", "problem", "repair")


def page(state: AppState) -> None:
    """Show what the places are, beside whom they reach."""
    if not state.study.has("facilities"):
        st.info(text("ui_pages.no_facilities", state.language))
        return
    language, study, scenario = state.language, state.study, state.scenario
    findings = network_findings(study, scenario, language)
    note(state, "network", text("ui_pages.findings_strip", language, n=len(findings)))
    names = dict(zip(_VIEWS, text("ui_pages.network_tabs", language).split("|"), strict=True))
    # No tabs: those compute what they hide.
    view = st.segmented_control(
        text("ui.page_network", language), _VIEWS, format_func=names.__getitem__, required=True, default=_VIEWS[0],
        key="network view", label_visibility="collapsed",
    )  # fmt: skip
    if view == "tiers":
        read_only(tier_table(study, scenario, hierarchy_findings(study, scenario)), _TIERS, language)
    elif view == "findings":
        _findings(state, findings)
    elif view == "checklist":
        _checklist(state)
    elif view == "declared":
        _declared(state)
    else:
        groups.belts(state) if view == "belts" else groups.clusters(state)


def _checklist(state: AppState) -> None:
    language, study, scenario = state.language, state.study, state.scenario
    read_only(checklist_totals(study, scenario.checklist), _CHECKLIST, language, height=230)
    st.caption(text("network.rectification", language))
    rows = rectification_list(study, scenario.checklist, language)
    read_only(pd.DataFrame(rows.drop(columns="geometry", errors="ignore")), _MENDING, language, height=260)


def _findings(state: AppState, findings: gpd.GeoDataFrame) -> None:
    language = state.language
    if findings.empty:
        st.success(text("ui_pages.no_findings", language))
        return
    left, right = st.columns([1, 1.5], gap="small")
    with right:
        table = pd.DataFrame(findings.drop(columns="geometry"))
        picked = show_table(table, _FINDINGS, language, key="findings", height=MAP_HEIGHT)
    with left:
        placed = findings[~(findings.geometry.isna() | findings.geometry.is_empty)]
        shapes = degrees(placed.geometry.representative_point())
        features = [
            layers.feature(shape, id=str(row), title=str(record["name"] or record["id"]),
                           rows=[["", str(record["problem"])], ["", str(record["repair"])]])
            for row, shape, record in zip(placed.index, shapes, layers.pd_records(placed), strict=True)
        ]  # fmt: skip
        key = state.held.key
        bounds = answers.bounds_of(state.study)
        shown = [
            *layers.basemap(state.study, key, tiles(), language),
            *layers.places(state.study, key, state.base, language),
            {"id": "findings", "kind": "vector", "clickable": True, "color": FINDING_COLOUR, "weight": 3, "radius": 8,
             "fillOpacity": 0, "ref": layers.geojson(features), "label": text("ui_pages.layer_findings", language)},
        ]  # fmt: skip
        legend = [("round", FINDING_COLOUR, text("ui_pages.layer_findings", language)),
                  *layers.place_legend(state.study, state.base, language)]  # fmt: skip
        chosen = None if picked is None else ("findings", str(findings.index[picked]))
        show_map(
            MapView(shown, legend, ((bounds[1], bounds[0]), (bounds[3], bounds[2])), state.study.name, selected=chosen),
            key="network", height=MAP_HEIGHT, label=text("ui.map_label", language),
            legend_title=text("outputs.legend", language),
        )  # fmt: skip


def _declared(state: AppState) -> None:
    language, box = state.language, st.container()
    own = _own_declared(state)
    found = {**own, **declared_presets()}
    code = box.selectbox(
        text("ui_pages.declared", language), list(found), index=0 if own else None,
        placeholder=text("ui_pages.choose", language),
        format_func=lambda one: found[one].name if language == "zh" else found[one].name_en or found[one].name,
    )  # fmt: skip
    if code is None:
        box.caption(text("ui_pages.declared_help", language))
        return
    result = reconcile([state.study], found[code], state.scenario)
    columns = ("measure", "tier", "class", "declared", "found", "difference", "judgement")
    read_only(result.table, columns, language)
    read_only(result.ratios, ("ratio", "declared", "found"), language)
    words = text("network.formula", language, declared=result.declared_formula, found=result.found_formula)
    st.html(f'<div class="ask">{escaped(words)}</div>')
    for note_words in result.declared.notes:
        st.caption(plain(note_words))


def _own_declared(state: AppState) -> dict[str, Declared]:
    """Return the declared figures in a file of the reader's own."""
    file = st.file_uploader(text("ui_pages.declared_own", state.language), type="toml", key="declared own")
    if file is None:
        sample = (resources.files("planner.presets") / "declared.toml").read_bytes()
        st.download_button(text("ui_pages.declared_sample", state.language), sample, "declared.toml")
        return {}
    try:
        return declared_from_toml(decode(file.getvalue(), file.name)[0])
    except EntriesError as error:
        fault(state, error.of(file.name))
        return {}
