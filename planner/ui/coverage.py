"""Coverage: both verdicts side by side, the map of minutes, towns, the curve, and what a click on the map says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from planner.outputs.statement import conditions, profile_name, tier_name
from planner.texts import text
from planner.ui import answers, layers
from planner.ui.frame import choices_bar, note
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.spot import spot_facts, spot_layers, spot_of
from planner.ui.tables import read_only
from planner.ui.words import about, distance, escaped, people, plain, share

if TYPE_CHECKING:
    import pandas as pd

    from planner.ui.answers import Ready
    from planner.ui.state import AppState

MAP_HEIGHT = 440
SIDES = ("spot", "towns", "curve")
_CIRCLES = "coverage circles"


def page(state: AppState) -> None:
    """Show who is within the time limit."""
    made = answers.ready(state)
    if made is None:
        _ground(state)
        return
    choices_bar(state)
    coverage = answers.coverage_of(made, made.key, state.choices.tier, state.choices.cutoff_min)
    county = answers.county_rows(coverage, state.choices.group)
    _verdicts(state, county)
    left, right = st.columns([1.45, 1], gap="small")
    with left:
        _map(state, made)
    with right:
        _side(state, made, coverage)
    covered = float(county["covered_share"][state.choices.profile])
    words = f"{profile_name(state.choices.profile, state.language)} {share(covered)}"
    note(state, "coverage", words)


def _ground(state: AppState) -> None:
    """Show the county while its minutes are computed."""
    key = state.held.key
    bounds = answers.bounds_of(state.study)
    corners = ((bounds[1], bounds[0]), (bounds[3], bounds[2]))
    shown = [*layers.basemap(state.study, key, tiles(), state.language),
             *layers.places(state.study, key, state.base, state.language)]  # fmt: skip
    view = MapView(shown, layers.place_legend(state.study, state.base, state.language), corners, state.study.name)
    _put(state, view, "ground")


def _put(state: AppState, view: MapView, key: str) -> Any:
    return show_map(
        view, key=key, height=MAP_HEIGHT, label=text("ui.map_label", state.language),
        legend_title=text("outputs.legend", state.language),
    )  # fmt: skip


def _verdicts(state: AppState, county: pd.DataFrame) -> None:
    language, choices = state.language, state.choices
    own = float(county["own_share"].iloc[0])
    cells = []
    for code, row in county.iterrows():
        is_main = " main" if code == choices.profile else ""
        profile = state.base.profiles[str(code)]
        rests_on = escaped(conditions(state.study, state.scenario, str(code), language))
        cells.append(
            f'<div class="cell{is_main}" title="{rests_on}">'
            f'<div class="title">{escaped(profile_name(str(code), language))} · '
            f"{escaped(distance(profile, choices.cutoff_min, language))}</div>"
            f'<div class="figure">{share(row["covered_share"])}</div>'
            f'<div class="small">{escaped(_split(row, language))}</div></div>'
        )
    named = text("ui.verdict_named", language, tier=_tier(state))
    st.html(
        f'<div class="verdicts"><div class="box"><div class="title">{escaped(named)}</div>'
        f'<div class="figure">{share(own)}</div>'
        f'<div class="small">{escaped(text("ui.verdict_named_help", language))}</div></div>'
        f'<div class="box"><div class="row">{"".join(cells)}</div></div></div>'
        f'<div class="sentence">{escaped(_sentence(state, county))}</div>'
    )


def _tier(state: AppState) -> str:
    return tier_name(state.choices.tier, state.language)


def _split(row: pd.Series, language: Any) -> str:
    return text(
        "ui.split", language, uncovered=people(row["uncovered_people"], language),
        unknown=people(row["unknown_people"], language),
    )  # fmt: skip


def _sentence(state: AppState, county: pd.DataFrame) -> str:
    row: Any = county.loc[state.choices.profile]
    own = float(row["own_share"])
    return text(
        "ui.verdict_sentence" if np.isfinite(own) else "ui.verdict_sentence_no_units", state.language,
        own=share(own), covered=share(row["covered_share"]), beyond=about(row["uncovered_people"], state.language),
        profile=profile_name(state.choices.profile, state.language), cutoff=state.choices.cutoff_min,
        group=text(f"terms.{state.choices.group}", state.language),
    )  # fmt: skip


def _map(state: AppState, made: Ready) -> None:
    choices, language = state.choices, state.language
    key = state.held.key
    picture = answers.surface_picture(made, made.key, choices.profile, choices.tier, choices.cutoff_min)
    name = text("outputs.layer_surface", language, profile=profile_name(choices.profile, language))
    shown = [
        layers.surface_layer(picture, made.frame.bounds, name),
        *layers.basemap(state.study, key, tiles(), language),
        *layers.places(state.study, key, state.base, language),
        *spot_layers(state, made),
    ]
    # Asked for, as some hundred outlines to be joined would keep a switch of the profile waiting.
    if st.session_state.get(_CIRCLES):
        ref = answers.circles_outline(made, made.key, choices.profile, choices.tier, choices.cutoff_min)
        shown.append({"id": "circles", "kind": "vector", "ref": ref, "color": "#0072B2", "weight": 1.4,
                      "fillOpacity": 0.08, "label": _circles_name(state)})  # fmt: skip
    legend = [
        *layers.band_legend(choices.cutoff_min, language),
        *layers.place_legend(state.study, state.base, language),
    ]
    click = _put(state, MapView(shown, legend, made.bounds, state.study.name), "coverage")
    if state.is_new("coverage", click) and click is not None:
        state.at = (click.lon, click.lat)
        st.rerun()


def _circles_name(state: AppState) -> str:
    choices, language = state.choices, state.language
    profile = profile_name(choices.profile, language)
    return plain(text("outputs.layer_circles", language, cutoff=choices.cutoff_min, profile=profile))


def _side(state: AppState, made: Ready, coverage: pd.DataFrame) -> None:
    language = state.language
    one, two = st.columns([1, 1], vertical_alignment="center")
    two.toggle(_circles_name(state), key=_CIRCLES)
    # No tabs: the browser would fetch what draws tables and charts before somebody asks for one.
    view = one.segmented_control(
        text("ui.page_coverage", language), SIDES, format_func=lambda name: text(f"ui.tab_{name}", language),
        required=True, default=SIDES[0], key="coverage side", label_visibility="collapsed",
    )  # fmt: skip
    if view == "towns":
        _towns(state, coverage)
    elif view == "curve":
        _curve(state, made)
    elif (found := spot_of(state, made)) is None:
        st.caption(text("ui.spot_hint", language))
    else:
        st.html(spot_facts(state, found))


def _towns(state: AppState, coverage: pd.DataFrame) -> None:
    rows = coverage[(coverage["area_level"] == "town") & (coverage["group"] == state.choices.group)]
    main = rows[rows["profile"] == state.choices.profile].sort_values(
        ["uncovered_people", "area_id"], ascending=[False, True]
    )
    if not len(main):
        st.caption(text("ui.no_towns", state.language))
        return
    shares = rows.pivot_table(index="area_id", columns="profile", values="covered_share", sort=False, dropna=False)
    table = main.set_index("area_id")
    for code in shares.columns:
        table[f"share:{code}"] = shares[code].reindex(table.index)
    columns = ["area_name", "uncovered_people", *(f"share:{code}" for code in state.base.profiles), "unknown_people",
               "population"]  # fmt: skip
    read_only(table.reset_index(), columns, state.language, height=MAP_HEIGHT - 50)


def _curve(state: AppState, made: Ready) -> None:
    limits = tuple(sorted({*state.base.curve_min, state.choices.cutoff_min}))
    table = answers.curve_of(made, made.key, state.choices.tier, limits)
    rows = table[table["group"] == state.choices.group]
    wide = rows.pivot_table(index="cutoff_min", columns="profile", values="covered_share", sort=False)
    names = {code: profile_name(str(code), state.language) for code in wide.columns}
    st.line_chart(
        (wide.rename(columns=names) * 100).round(1), height=MAP_HEIGHT - 110, color=list(CURVE_COLOURS[: len(names)]),
        x_label=text("columns.cutoff_min", state.language), y_label=text("ui.percent_covered", state.language),
    )  # fmt: skip
    st.caption(plain(text("ui.curve_help", state.language)))


CURVE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
