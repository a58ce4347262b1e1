"""What-if: a click adds, moves or closes a place; totals change at once; named scenarios are kept and compared."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import streamlit as st

from planner.coverage.minutes import access_of, is_covered
from planner.errors import InputError
from planner.outputs.overlays import GAIN_COLOURS, GAIN_FACTORS, gain_png, minutes_on
from planner.plan.coverage import coverage_table
from planner.plan.trial import Edit, RoadEdit, apply_edit, apply_road_edit, start_trial, surprises, trial_access
from planner.reach.what_if import undo
from planner.texts import Language, text
from planner.ui import answers, layers
from planner.ui.degrees import degrees, metres
from planner.ui.frame import choices_bar, groups_of, note
from planner.ui.leaflet import Click, MapView, last_click, publish, show_map
from planner.ui.settings import tiles
from planner.ui.state import Trial, remark
from planner.ui.tables import read_only
from planner.ui.words import escaped, people, plain, share, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.plan.ready import Reach
    from planner.reach.what_if import WhatIf
    from planner.study import Study
    from planner.ui.answers import Ready
    from planner.ui.state import AppState

MAP_HEIGHT = 404
TOOLS = ("add", "move", "close", "shut", "bridge")
KEPT = "what_if"
_GAINED, _LOST, _NEW, _SHUT = "#00441B", "#9970AB", "#F0E442", "#D55E00"
_NEAREST_M = 500.0
"""A click farther from every road closes none."""


def page(state: AppState) -> None:
    """Show the map to try places on, and the comparison of what was kept."""
    made = answers.ready(state)
    if made is None:
        return
    choices_bar(state, with_group=False)
    # No tabs: those switch in the browser alone, and the comparison would stand as it was before the last edits.
    names = text("ui_plans.what_if_tabs", state.language).split("|")
    view = st.segmented_control(
        text("ui.page_what_if", state.language), range(len(names)), format_func=names.__getitem__, required=True,
        default=0, key="what_if view", label_visibility="collapsed",
    )  # fmt: skip
    if view:
        _compare(state, made)
    else:
        _board(state, made)


@st.fragment
def _board(state: AppState, made: Ready) -> None:
    reach = made.asked(state.scenario)
    # The click first: what it changes is then shown in one run.
    click = last_click("what_if")
    if click is not None and state.is_new("what_if", click):
        _answer(state, reach, click)
    trial = trial_of(state, made)
    left, right = st.columns([1.9, 1], gap="small")
    with right:
        _totals(state, made, reach, trial)
        _keep(state)
    with left:
        _tools(state)
        _map(state, made, trial)


def trial_of(state: AppState, made: Ready) -> WhatIf:
    """Return the county with the session's edits made: only what is new is computed."""
    choices = state.choices
    key = (made.key, choices.profile, choices.tier)
    if state.trial is None or state.trial.key != key:
        state.trial = Trial(key, start_trial(made.asked(state.scenario)))
    reach, trial = made.asked(state.scenario), state.trial
    same = 0
    for had, wanted in zip(trial.edits, state.edits, strict=False):
        if had != wanted:
            break
        same += 1
    while len(trial.edits) > same:
        undo(trial.what_if)
        trial.edits.pop()
    for edit in list(state.edits[same:]):
        try:
            _apply(reach, trial.what_if, edit)
        except InputError as error:
            # A place of another tier, or a spot without a road for this profile.
            state.edits.remove(edit)
            st.toast(plain(told(error, state.language)), icon=":material/warning:")
        else:
            trial.edits.append(edit)
    return trial.what_if


def _apply(reach: Reach, trial: WhatIf, edit: Edit | RoadEdit) -> None:
    if isinstance(edit, RoadEdit):
        apply_road_edit(reach, trial, edit)
    else:
        apply_edit(reach, trial, edit)


def _tools(state: AppState) -> None:
    language = state.language
    tool, back, clear = st.columns([4, 1.2, 1.2], vertical_alignment="center")

    def changed() -> None:
        state.tool, state.picked, state.bridge_from = st.session_state["what_if tool"], None, None

    st.session_state["what_if tool"] = state.tool
    tool.segmented_control(
        text("ui_plans.tool", language), TOOLS, key="what_if tool", on_change=changed, required=True,
        format_func=lambda code: text(f"ui_plans.tool_{code}", language), label_visibility="collapsed", width="stretch",
    )  # fmt: skip
    if back.button(text("ui.undo", language), disabled=not state.edits, width="stretch", key="what_if undo"):
        state.edits.pop()
        st.rerun(scope="fragment")
    if clear.button(text("ui_plans.clear", language), disabled=not state.edits, width="stretch", key="what_if clear"):
        state.edits.clear()
        st.rerun(scope="fragment")
    hint = text(f"ui_plans.hint_{state.tool}", language)
    if state.tool == "move" and state.picked:
        hint = text("ui_plans.hint_put", language, place=state.picked)
    elif state.tool == "bridge" and state.bridge_from:
        hint = text("ui_plans.hint_bridge_end", language)
    st.html(f'<div class="ask">{escaped(hint)}</div>')


def _answer(state: AppState, reach: Reach, click: Click) -> None:
    """Take a click as an edit."""
    x, y = metres(click.lon, click.lat, reach.study.crs)
    is_place = click.layer.startswith("places ") or click.layer == "edits"
    if click.kind == "move" and click.id is not None:
        state.edits.append(Edit("move", click.id, x, y))
    elif state.tool == "add":
        number = 1 + sum(edit.kind == "add" for edit in state.edits)
        state.edits.append(Edit("add", f"+{number}", x, y))
    elif state.tool == "close" and is_place and click.id is not None:
        state.edits.append(Edit("close", click.id))
    elif state.tool == "move" and state.picked is None and is_place:
        state.picked = click.id
    elif state.tool == "move" and state.picked is not None:
        state.edits.append(Edit("move", state.picked, x, y))
        state.picked = None
    elif state.tool == "shut":
        _shut(state, reach, (x, y))
    elif state.tool == "bridge" and state.bridge_from is None:
        state.bridge_from = (x, y)
    elif state.tool == "bridge" and state.bridge_from is not None:
        state.edits.append(RoadEdit("bridge", line=(state.bridge_from, (x, y))))
        state.bridge_from = None


def _shut(state: AppState, reach: Reach, at: tuple[float, float]) -> None:
    """Close the road nearest to a click."""
    roads = reach.study.table("roads")
    _, rows = roads.sindex.nearest(shapely.Point(at), max_distance=_NEAREST_M, return_all=False)
    if len(rows):
        state.edits.append(RoadEdit("close", str(roads["road_id"].iloc[int(rows[0])])))
    else:
        st.toast(text("ui_plans.no_road", state.language, distance=_NEAREST_M), icon=":material/warning:")


def _map(state: AppState, made: Ready, trial: WhatIf) -> None:
    choices, language, study = state.choices, state.language, state.study
    key = state.held.key
    shown = [
        layers.surface_layer(
            answers.surface_picture(made, made.key, choices.profile, choices.tier, choices.cutoff_min),
            made.frame.bounds, text("ui.layer_minutes", language),
        ),
        *layers.basemap(study, key, tiles(), language),
        *layers.places(study, key, state.base, language),
        _changed_layer(made, state, _before(made, state), trial.minutes()),
        _road_layer(study, state.edits, state.bridge_from),
        _closed_layer(study, trial),
        _edit_layer(study, trial, state.edits),
    ]  # fmt: skip
    legend = [
        ("round", _GAINED, text("ui_plans.legend_gained", language)),
        ("round", _LOST, text("ui_plans.legend_lost", language)),
        ("round", _NEW, text("ui_plans.legend_new", language)),
        *_road_legend(state.edits, language),
        *layers.band_legend(choices.cutoff_min, language),
    ]
    view = MapView(shown, legend, made.bounds, study.name, is_picking=True)
    show_map(
        view, key="what_if", height=MAP_HEIGHT, label=text("ui.map_label", language),
        legend_title=text("outputs.legend", language),
    )  # fmt: skip


def _before(made: Ready, state: AppState) -> NDArray[np.float64]:
    """Return the minutes of every demand point before any edit."""
    access = made.access
    rows = (access["profile"] == state.choices.profile) & (access["tier"] == state.choices.tier)
    return access.loc[rows, "travel_time_min"].to_numpy(dtype=float)


def _road_legend(edits: Sequence[Edit | RoadEdit], language: Language) -> list[tuple[str, str, str]]:
    """Return the legend of the roads that are shut and built, of those kinds that are there."""
    kinds = {edit.kind for edit in edits if isinstance(edit, RoadEdit)}
    rows = {"close": ("line", _SHUT, text("ui_plans.legend_shut", language)),
            "bridge": ("line", _NEW, text("ui_plans.legend_bridge", language))}  # fmt: skip
    return [row for kind, row in rows.items() if kind in kinds]


def _changed_layer(
    made: Ready, state: AppState, before_min: NDArray[np.float64], after_min: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the people who come within the limit or fall out of it."""
    cutoff_min, demand = state.choices.cutoff_min, made.reach.study.table("demand")
    before, after = is_covered(before_min, cutoff_min), is_covered(after_min, cutoff_min)
    rows = np.flatnonzero(before != after)
    features = []
    for row, shape in zip(rows, degrees(demand.geometry.iloc[rows]), strict=True):
        count = float(demand["population"].iloc[row])
        fill = _GAINED if after[row] else _LOST
        features.append(layers.feature(shape, fill=fill, radius=2.5 + min(6.0, math.sqrt(count) / 6)))
    return {"id": "changed", "kind": "vector", "data": {"type": "FeatureCollection", "features": features},
            "color": "#FFFFFF", "weight": 1, "label": text("ui_plans.layer_changed", state.language)}  # fmt: skip


def _road_layer(
    study: Study, edits: Sequence[Edit | RoadEdit], waiting: tuple[float, float] | None = None
) -> dict[str, Any]:
    """Return the closed roads, the footbridges, and the end of a bridge that waits for its other one."""
    roads, tried = study.table("roads"), [edit for edit in edits if isinstance(edit, RoadEdit)]
    shut = roads.geometry[roads["road_id"].astype(str).isin([edit.road_id for edit in tried if edit.kind == "close"])]
    bridges = [shapely.LineString(edit.line) for edit in tried if edit.kind == "bridge"]
    ends = [] if waiting is None else [shapely.Point(waiting)]
    shapes = degrees(gpd.GeoSeries([*shut, *bridges, *ends], crs=study.crs))
    colours = [_SHUT] * len(shut) + [_NEW] * (len(bridges) + len(ends))
    features = [layers.feature(shape, color=colour) for shape, colour in zip(shapes, colours, strict=True)]
    return {"id": "road edits", "kind": "vector", "data": {"type": "FeatureCollection", "features": features},
            "weight": 5, "radius": 5}  # fmt: skip


def _closed_layer(study: Study, trial: WhatIf, layer_id: str = "closed") -> dict[str, Any]:
    shut = np.flatnonzero(~trial.is_open)
    points = gpd.GeoSeries(shapely.points(trial.places.x[shut], trial.places.y[shut]), crs=study.crs)
    features = [layers.feature(shape) for shape in degrees(points)]
    return {"id": layer_id, "kind": "vector", "data": {"type": "FeatureCollection", "features": features},
            "color": _SHUT, "fill": "#FFFFFF", "weight": 3, "radius": 8, "fillOpacity": 0.6}  # fmt: skip


def _edit_layer(
    study: Study, trial: WhatIf, edits: Sequence[Edit | RoadEdit], scenario: int | None = None
) -> dict[str, Any]:
    """Return added and moved places as marks: to be dragged on, or with the number of the scenario that has them."""
    touched = {edit.place_id for edit in edits if isinstance(edit, Edit) and edit.kind != "close"}
    rows = [row for row, name in enumerate(trial.places.ids) if str(name) in touched and trial.is_open[row]]
    points = gpd.GeoSeries(shapely.points(trial.places.x[rows], trial.places.y[rows]), crs=study.crs)
    features = [
        layers.feature(shape, id=str(trial.places.ids[row]), badge=str(scenario or trial.places.ids[row])[:3])
        for row, shape in zip(rows, degrees(points), strict=True)
    ]
    is_board = scenario is None
    return {"id": "edits" if is_board else f"edits {scenario}", "kind": "vector", "clickable": is_board,
            "draggable": is_board, "data": {"type": "FeatureCollection", "features": features}}  # fmt: skip


def _totals(state: AppState, made: Ready, reach: Reach, trial: WhatIf) -> None:
    language, choices = state.language, state.choices
    after = coverage_table(reach, trial_access(reach, trial))
    before = answers.coverage_of(made, made.key, choices.tier, choices.cutoff_min)
    before = before[before["profile"] == choices.profile]
    county = [_county(table) for table in (before, after)]
    rows = []
    for group in groups_of(state):
        if group not in county[0].index:
            continue
        was, now = (float(table.loc[group, "covered_people"]) for table in county)  # type: ignore[arg-type]
        gained = now - was
        looks = "good" if gained > 0 else "bad" if gained < 0 else ""
        shares = [share(float(table.loc[group, "covered_share"])) for table in county]  # type: ignore[arg-type]
        rows.append(
            f"<tr><th>{escaped(text(f'terms.{group}', language))}</th>"
            f'<td class="num">{shares[0]}</td><td class="num">{shares[1]}</td>'
            f'<td class="num {looks}" data-gained="{group}">{gained:+,.0f}</td></tr>'
        )
    heads = "".join(f'<th class="num">{escaped(words)}</th>'
                    for words in text("ui_plans.totals_heads", language).split("|"))  # fmt: skip
    gained = float(county[1].loc["all", "covered_people"]) - float(county[0].loc["all", "covered_people"])  # type: ignore[arg-type]
    words = text("ui_plans.totals", language, n=len(state.edits), gained=f"{gained:+,.0f}")
    st.html(f'<div class="sentence">{escaped(words)}</div>'
            f'<table class="facts"><tr><th></th>{heads}</tr>{"".join(rows)}</table>')  # fmt: skip
    before_min = access_of(made.access, list(trial.points.ids), choices.profile, choices.tier)["travel_time_min"]
    for kind, turned in surprises(reach, state.edits, before_min, trial.minutes()).items():
        st.caption(text(f"network.what_if_{kind}", language, people=turned))
    strip = text("ui_plans.totals_strip", language, n=len(state.edits), gained=f"{gained:+,.0f}")
    note(state, "what_if", strip if state.edits else "")
    table = _by_town(before, after)
    if len(table):
        read_only(table, ("area_name", "before_people", "after_people", "gained_people"), language, height=190)


def _county(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[(table["area_level"] == "county") & table["area_class"].isna()]
    return rows.set_index("group")


def _by_town(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the towns whose covered people changed, most first."""
    sides = []
    for table in (before, after):
        rows = table[(table["area_level"] == "town") & (table["group"] == "all")]
        sides.append(rows.set_index("area_id"))
    joined = pd.DataFrame({
        "area_name": sides[0]["area_name"], "before_people": sides[0]["covered_people"],
        "after_people": sides[1]["covered_people"],
    })  # fmt: skip
    joined["gained_people"] = joined["after_people"] - joined["before_people"]
    changed = joined[joined["gained_people"].abs() > 0.5]  # noqa: PLR2004  half a person is rounding
    order = changed["gained_people"].abs().sort_values(ascending=False, kind="stable").index
    return changed.loc[order].reset_index()


# ---- what is kept ----


def kept_of(state: AppState) -> dict[str, list[Edit | RoadEdit]]:
    """Return the scenarios that the study keeps, by name."""
    kept = state.study.metadata.get(KEPT) or {}
    return {str(name): [_edit(record) for record in records] for name, records in kept.items()}


def _edit(record: Mapping[str, Any]) -> Edit | RoadEdit:
    if "road_class" not in record:
        return Edit(**record)
    return RoadEdit(**{**record, "line": tuple((float(x), float(y)) for x, y in record["line"])})


def as_kept(edit: Edit | RoadEdit) -> dict[str, Any]:
    """Return an edit as JSON holds it: what is not a number is left out."""
    return {name: value for name, value in asdict(edit).items() if not (isinstance(value, float) and math.isnan(value))}


def _keep(state: AppState) -> None:
    language = state.language
    with st.form("what_if keep", clear_on_submit=True, border=False):
        name_box, button = st.columns([2.2, 1], vertical_alignment="bottom")
        name = name_box.text_input(text("ui_plans.keep_as", language), max_chars=40)
        sent = button.form_submit_button(text("ui_plans.keep", language), disabled=not state.edits, width="stretch")
    if sent and name.strip():
        kept = dict(state.study.metadata.get(KEPT) or {})
        kept[name.strip()] = [as_kept(edit) for edit in state.edits]
        remark(state, "ui_plans.did_keep", state.study.with_metadata(**{KEPT: kept}))
        st.rerun()


def _drop(state: AppState) -> None:
    """Show the kept scenarios, each with a button that takes it out of the study."""
    names = list(kept_of(state))
    with st.popover(text("ui_plans.drop", state.language), disabled=not names, width="stretch"):
        for name in names:
            label = plain(text("ui_plans.drop_one", state.language, name=name))
            if st.button(label, key=f"drop {name}", width="stretch"):
                kept = {each: edits for each, edits in state.study.metadata[KEPT].items() if each != name}
                remark(state, "ui_plans.did_drop", state.study.with_metadata(**{KEPT: kept}))
                st.rerun()


def _compare(state: AppState, made: Ready) -> None:
    language = state.language
    kept = {text("ui_plans.as_is", language): [], **kept_of(state)}
    if state.edits:
        kept[text("ui_plans.current", language)] = list(state.edits)
    names = list(kept)
    if len(names) == 1:
        st.caption(text("ui_plans.compare_hint", language))
        return
    one, two, three = st.columns([2, 2, 1], vertical_alignment="bottom")
    with three:
        _drop(state)
    first = one.selectbox(text("ui_plans.first", language), names, index=0)
    second = two.selectbox(text("ui_plans.second", language), names, index=len(names) - 1)
    reach = made.asked(state.scenario)
    sides = [_replayed(reach, kept[name], language) for name in (first, second)]
    tables = [coverage_table(reach, trial_access(reach, trial)) for trial in sides]
    left, right = st.columns([1.7, 1], gap="small")
    with left:
        _gain_map(state, made, sides, (kept[first], kept[second]))
    with right:
        county = [_county(table).loc["all", "covered_people"] for table in tables]
        gained = float(county[1]) - float(county[0])  # type: ignore[arg-type]
        words = text(
            "ui_plans.compared", language, first=people(float(county[0]), language),  # type: ignore[arg-type]
            second=people(float(county[1]), language), gained=f"{gained:+,.0f}",  # type: ignore[arg-type]
        )  # fmt: skip
        st.html(f'<div class="sentence">{escaped(words)}</div>')
        read_only(_by_town(*tables), ("area_name", "before_people", "after_people", "gained_people"), language)
        if any(isinstance(edit, RoadEdit) and edit.kind == "close" for edit in (*kept[first], *kept[second])):
            st.caption(text("ui_plans.beside_shut", language))


def _replayed(reach: Reach, edits: Sequence[Edit | RoadEdit], language: Language) -> WhatIf:
    trial = start_trial(reach)
    for edit in edits:
        try:
            _apply(reach, trial, edit)
        except InputError as error:
            st.warning(plain(told(error, language)))
    return trial


def _gain_map(
    state: AppState, made: Ready, sides: Sequence[WhatIf], edits: Sequence[Sequence[Edit | RoadEdit]]
) -> None:
    """Show where the minutes differ, who comes within the limit or falls out of it, and the edits of both sides."""
    language, study = state.language, state.study
    every = [edit for own in edits for edit in own]
    shown, legend = _gain_picture(state, made, sides)
    shown += [
        *layers.basemap(study, state.held.key, tiles(), language),
        _changed_layer(made, state, sides[0].minutes(), sides[1].minutes()),
        _road_layer(study, every),
        *(_closed_layer(study, trial, f"closed {number}") for number, trial in enumerate(sides, 1)),
        *(
            _edit_layer(study, trial, own, number)
            for number, (trial, own) in enumerate(zip(sides, edits, strict=True), 1)
        ),
    ]
    legend += [
        ("round", _GAINED, text("ui_plans.legend_gained", language)),
        ("round", _LOST, text("ui_plans.legend_lost", language)),
        ("round", _NEW, text("ui_plans.legend_of", language)),
        *_road_legend(every, language),
    ]
    show_map(
        MapView(shown, legend, made.bounds, study.name), key="compare", height=MAP_HEIGHT,
        label=text("ui.map_label", language), legend_title=text("outputs.legend", language),
    )  # fmt: skip


def _gain_picture(
    state: AppState, made: Ready, sides: Sequence[WhatIf]
) -> tuple[list[dict[str, Any]], list[tuple[str, str, str]]]:
    """Return the layer of the difference in minutes, and its legend."""
    choices, language = state.choices, state.language
    minutes = [minutes_on(made.frame, answers.surface_tried(made, choices.profile, trial)) for trial in sides]
    picture = publish(gain_png(made.frame, minutes[0], minutes[1], choices.cutoff_min), ".png")
    legend = [("head", "", text("ui_plans.legend_gain", language))]
    ends = [round(factor * choices.cutoff_min, 1) for factor in GAIN_FACTORS]
    for position, colour in reversed(list(enumerate(GAIN_COLOURS))):
        if colour:
            low = ends[position - 1] if position else -np.inf
            high = ends[position] if position < len(ends) else np.inf
            words = f"> {low:g}" if np.isinf(high) else f"< {high:g}" if np.isinf(low) else f"{low:g} ~ {high:g}"
            legend.append(("", colour, words))
    return [layers.surface_layer(picture, made.frame.bounds, text("ui_plans.legend_gain", language), "gain")], legend
