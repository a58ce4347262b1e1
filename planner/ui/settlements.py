"""Settlements: served or not and why, before and after the proposal, by town, size class and year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from planner.outputs.wording import in_words
from planner.plan.settlements import settlement_audit
from planner.plan.trial import Edit, apply_edit, start_trial
from planner.texts import text
from planner.ui import answers, layers, siting
from planner.ui.frame import choices_bar, note
from planner.ui.jobs import awaited, jobs
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.tables import header, show_table
from planner.ui.words import escaped, people

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.plan.proposals import Proposals
    from planner.plan.ready import Reach
    from planner.plan.settlements import SettlementAudit
    from planner.ui.answers import Ready
    from planner.ui.leaflet import Click
    from planner.ui.state import AppState

MAP_HEIGHT = 434
_COLUMNS = (
    "rank", "name", "people", "reason", "after", "travel_time_min", "over_min", "size_class", "town_name", "year",
    "has_place_inside", "has_place_in_village", "remedy", "remedy_name", "remedy_min",
)  # fmt: skip


def page(state: AppState) -> None:
    """Show every relocation settlement with its verdict."""
    made = answers.ready(state)
    if made is None:
        return
    if not state.study.has("settlements"):
        st.info(text("ui_pages.no_settlements", state.language))
        return
    choices_bar(state, with_group=False)
    scenario = state.scenario.with_choices(settlement_tier=state.choices.tier)
    reach, access = made.asked(scenario), made.access
    key = ("settlements", made.key, scenario.main_profile, scenario.main_tier, scenario.cutoff_min)
    audit = awaited(key, lambda _: settlement_audit(reach, access), state.session, state.language)
    if audit is None:
        return
    _total(state, audit)
    table = _with_towns(state, audit.table)
    table = _after(state, made, table)
    shown = _filters(state, table)
    left, right = st.columns([1, 1.25], gap="small")
    with left:
        click = _map(state, made, shown)
    if click is not None and state.is_new("settlements", click) and click.layer == "settlements":
        state.chosen_settlement = click.id
        st.rerun()
    with right:
        ids = shown["settlement_id"].astype(str).tolist()
        chosen = ids.index(state.chosen_settlement) if state.chosen_settlement in ids else None
        picked = show_table(shown, _COLUMNS, state.language, key="settlements", height=MAP_HEIGHT, chosen=chosen)
        if picked is not None and ids[picked] != state.chosen_settlement:
            state.chosen_settlement = ids[picked]
            st.rerun()


def _total(state: AppState, audit: SettlementAudit) -> None:
    language, total = state.language, audit.totals.iloc[-1]
    words = text(
        "ui_pages.settlements_total", language, n=int(total["n_settlements"]), served=int(total["n_served"]),
        people=people(float(total["people"]), language), served_people=people(float(total["served_people"]), language),
        unserved=people(float(total["unserved_people"]), language),
    )  # fmt: skip
    st.html(f'<div class="sentence">{escaped(words)}</div>')
    note(state, "settlements", f"{int(total['n_served'])} / {int(total['n_settlements'])}")


def _with_towns(state: AppState, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names: dict[str, str] = {}
    if state.study.has("areas"):
        areas = state.study.tables["areas"]
        names = dict(zip(areas["area_id"].astype(str), areas["name"].astype(str), strict=True))
    towns = pd.Series([names.get(str(code)) for code in table["town_id"]], table.index, dtype=object)
    return table.assign(town_name=towns).sort_values("rank").reset_index(drop=True)


def _after(state: AppState, made: Ready, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the table with whether the last proposal of the siting page would serve each settlement."""
    if state.solved is None:
        return table
    job = jobs().found(siting.job_key(state, made.key, state.solved))
    if job is None or not job.done.is_set() or job.error is not None:
        return table
    minutes = after_min(made.asked(state.scenario), job.result, table)
    is_in = minutes <= state.choices.cutoff_min
    words = [text("coverage.served" if served else f"coverage.{reason}", state.language)
             for served, reason in zip(is_in, table["reason"], strict=True)]  # fmt: skip
    return table.assign(after=pd.Series(words, table.index, dtype=object))


def after_min(reach: Reach, proposals: Proposals, settlements: gpd.GeoDataFrame) -> Any:
    """Return minutes from the settlements to the nearest place once the proposed sites are open, and others closed."""
    from dataclasses import replace

    from planner.network.snap import snap_table

    code = reach.scenario.main_profile
    network = {code: reach.profiles[code]}
    barriers = reach.study.tables.get("barriers")
    homes = snap_table(network, settlements, "settlement_id", barriers)[code]
    trial = start_trial(replace(reach, demand={**reach.demand, code: homes}))
    gone = {str(place["facility_id"]) for place in proposals.summary()["closed"]}
    for name in gone & set(trial.places.ids):
        apply_edit(reach, trial, Edit("close", name))
    for name, point in zip(proposals.sites["candidate_id"].astype(str), proposals.sites.geometry, strict=True):
        apply_edit(reach, trial, Edit("add", f"candidate {name}", point.x, point.y))
    return trial.minutes()


def _filters(state: AppState, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Show pull-downs for town, size class, year and verdict; return the rows that pass."""
    language = state.language
    everything = text("ui_pages.all", language)
    columns = st.columns(4)
    kept = table
    names = [name for name in ("town_name", "size_class", "year", "reason") if name in table.columns]
    for column, name in zip(columns, names, strict=False):
        values = sorted({value for value in table[name] if not pd.isna(value)}, key=str)
        shown = in_words(pd.DataFrame({name: values}), language)[name].tolist()
        words = {everything: everything} | {
            value: f"{word:.0f}" if isinstance(word, float) else str(word)
            for value, word in zip(values, shown, strict=True)
        }
        picked = column.selectbox(
            header(name, language), list(words), format_func=words.__getitem__, key=f"only {name}"
        )
        if picked != everything:
            kept = kept[kept[name] == picked]
    return kept.reset_index(drop=True)


def _map(state: AppState, made: Ready, table: gpd.GeoDataFrame) -> Click | None:
    language, study, choices = state.language, state.study, state.choices
    key = state.held.key
    shown = [
        layers.surface_layer(
            answers.surface_picture(made, made.key, choices.profile, choices.tier, choices.cutoff_min),
            made.frame.bounds, text("ui.layer_minutes", language),
        ),
        *layers.basemap(study, key, tiles(), language),
        *layers.places(study, key, state.base, language),
        layers.settlements(table, language),
    ]  # fmt: skip
    view = MapView(
        shown, [*layers.settlement_legend(language), *layers.band_legend(choices.cutoff_min, language)], made.bounds,
        study.name, selected=None if state.chosen_settlement is None else ("settlements", state.chosen_settlement),
    )  # fmt: skip
    return show_map(view, key="settlements", height=MAP_HEIGHT, label=text("ui.map_label", language),
                    legend_title=text("outputs.legend", language))  # fmt: skip
