"""Study: open, make or save one, take a change back; its tables, its ledger, its sources, blank templates."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from uuid import uuid4

import pandas as pd
import streamlit as st

from planner.demo.county import WORKING_CRS
from planner.demo.files import demo_files, demo_folder
from planner.demo.spec import DemoSpec
from planner.errors import PlannerError, RevisionConflictError
from planner.inputs.intake import study_ledger
from planner.ledger import table_in_words
from planner.outputs.templates import TEMPLATES, template_workbook
from planner.replay import import_all
from planner.schema import CONTRACTS
from planner.study import new_study
from planner.texts import text
from planner.ui import acceptance, answers, intake, layers
from planner.ui.folder import studies_in, study_folder, study_path, upload_folder
from planner.ui.frame import fault
from planner.ui.jobs import awaited
from planner.ui.leaflet import MapView, show_map
from planner.ui.opening import ask_to_open
from planner.ui.settings import arguments, tiles
from planner.ui.state import Opened, save, take, undo
from planner.ui.tables import read_only
from planner.ui.words import escaped, in_app, plain

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from planner.progress import Progress
    from planner.study import Study
    from planner.ui.state import AppState

MAP_HEIGHT = 380
_DEMO_FILE = "demo"
_VIEWS = ("files", "ledger", "sources", "templates")


def page(state: AppState) -> None:
    """Show the study at hand on the left, and what goes into it on the right."""
    left, right = st.columns([1, 2.1], gap="medium")
    with left:
        _held(state)
        _open(state)
    with right:
        if state.opened is None:
            st.info(text("ui_study.begin", state.language))
            return
        names = dict(zip(_VIEWS, text("ui_study.tabs", state.language).split("|"), strict=True))
        # No tabs: the browser would fetch what draws tables before somebody asks for one.
        view = st.segmented_control(
            text("ui.page_study", state.language), _VIEWS, format_func=names.__getitem__, required=True,
            default=_VIEWS[0], key="study view", label_visibility="collapsed",
        )  # fmt: skip
        if view == "files":
            intake.panel(state)
            if state.staged is None:
                _map(state)
        elif view == "ledger":
            _ledger(state)
        elif view == "sources":
            _sources(state)
        else:
            _templates(state)


# ---- the study at hand ----


def _held(state: AppState) -> None:
    language = state.language
    if state.opened is None:
        return
    study = state.study
    rows = [f"<tr><th>{escaped(text('ui_study.name', language))}</th><td>{escaped(study.name)}</td></tr>",
            f"<tr><th>{escaped(text('ui_study.crs', language))}</th><td>{escaped(study.crs)}</td></tr>"]  # fmt: skip
    for contract in CONTRACTS.values():
        n = len(study.tables[contract.name]) if study.has(contract.name) else 0
        name = contract.zh if language == "zh" else contract.en
        rows.append(f'<tr><th>{escaped(name)}</th><td class="num">{n:,}</td></tr>')
    st.html(f'<table class="facts">{"".join(rows)}</table>')
    file = state.held.file
    one, two = st.columns(2)
    # A place of its own, so that what is said there does not shut the box below while somebody types in it.
    place = st.container()
    label = text("ui_study.save", language)
    if one.button(label, type="primary", disabled=not state.held.is_changed or file is None, width="stretch"):
        _save(state, place)
    last = text(state.past[-1][0], language) if state.past else ""
    undo_label = text("ui.undo", language) + (f" ({last})" if last else "")
    if two.button(plain(undo_label), disabled=not state.past, width="stretch", key="study undo"):
        undo(state)
        st.rerun()
    with st.popover(text("ui_study.save_as", language), width="stretch"):
        name = st.text_input(text("ui_study.file_name", language), max_chars=80, key="save as name")
        if st.button(text("ui_study.save", language), key="save as", disabled=not name.strip()):
            _save(state, place, name)


def _save(state: AppState, place: DeltaGenerator, name: str | None = None) -> None:
    """Save; whoever comes second is told, and keeps what is theirs."""
    try:
        save(state, None if name is None else study_path(study_folder(arguments()), name))
    except RevisionConflictError:
        place.error(plain(text("ui_study.conflict" if name is None else "ui_study.taken", state.language)))
    except PlannerError as error:
        with place:
            fault(state, error)
    else:
        st.toast(text("ui_study.saved", state.language))
        st.rerun()


def _open(state: AppState) -> None:
    language, folder = state.language, study_folder(arguments())
    is_free = not (state.opened is not None and state.held.is_changed)
    with st.expander(text("ui_study.open", language), expanded=state.opened is None):
        if not is_free:
            is_free = st.checkbox(text("ui_study.give_up", language))
        names = studies_in(folder)
        name = st.selectbox(text("ui_study.in_folder", language), names, index=None,
                            placeholder=text("ui_pages.choose", language))  # fmt: skip
        if st.button(text("ui_study.open_it", language), disabled=name is None or not is_free, width="stretch"):
            ask_to_open(state, study_path(folder, str(name)))
            st.rerun()
        st.divider()
        if st.button(text("ui_study.demo", language), disabled=not is_free, width="stretch"):
            st.session_state["demo wanted"] = True
        if st.session_state.get("demo wanted"):
            _demo(state)
    with st.expander(text("ui_study.new", language)), st.form("new study", border=False):
        name = st.text_input(text("ui_study.county", language), max_chars=60)
        crs = st.text_input(text("ui_study.crs", language), "EPSG:4545", help=text("ui_study.crs_help", language))
        if st.form_submit_button(text("ui_study.make", language), width="stretch", disabled=not is_free):
            made = new_study(name.strip() or text("ui_study.unnamed", language), crs.strip())
            take(state, Opened(made, uuid4().hex, None, is_changed=True))
            state.past.clear()
            st.rerun()


def _demo(state: AppState) -> None:
    """Open the demo county, made from its files as a user's own would be."""
    found = awaited(("demo",), _demo_study, state.session, state.language)
    if found is not None:
        st.session_state["demo wanted"] = False
        take(state, Opened(found, "demo county", None, is_changed=True))
        state.past.clear()
        st.rerun()


def _demo_study(progress: Progress) -> Study:
    study = new_study(DemoSpec().name, WORKING_CRS).with_metadata(
        is_synthetic=True, population_source=text("outputs.synthetic"), road_source=text("outputs.synthetic")
    )
    return import_all(study, demo_files(demo_folder(upload_folder() / _DEMO_FILE)), progress)


# ---- what is in it ----


def _map(state: AppState) -> None:
    study, language, key = state.study, state.language, state.held.key
    if not any(study.has(name) for name in ("areas", "roads", "facilities")):
        return
    west, south, east, north = answers.bounds_of(study)
    shown = [*layers.basemap(study, key, tiles(), language), *layers.places(study, key, state.base, language)]
    view = MapView(shown, layers.place_legend(study, state.base, language), ((south, west), (north, east)), study.name)
    show_map(view, key="study", height=MAP_HEIGHT, label=text("ui.map_label", language),
             legend_title=text("outputs.legend", language))  # fmt: skip


def _sources(state: AppState) -> None:
    columns = ("kind", "file", "frame", "rows_in", "rows_accepted", "rows_refused", "imported_at", "sha256")
    history = state.study.history
    read_only(pd.DataFrame(columns=list(columns)) if history is None else history, columns, state.language)


def _ledger(state: AppState) -> None:
    ledger = state.study.ledger
    if ledger is None or ledger.empty:
        st.success(text("ui_study.ledger_empty", state.language))
        return
    columns = ("file", "row", "column", "problem", "repair", "old_value", "new_value")
    table = table_in_words(ledger, state.language)
    table["repair"] = [in_app(str(words), state.language) for words in table["repair"]]
    read_only(table, columns, state.language, height=520)
    acceptance.corrections_button(state.study.name, study_ledger(state.study), None, state)


def _templates(state: AppState) -> None:
    language = state.language
    st.caption(text("ui_study.templates_help", language))
    for contract in TEMPLATES.values():
        if contract.name in {"roads", "barriers"}:
            continue
        sink = io.BytesIO()
        template_workbook(contract.name, language).save(sink)
        name = contract.zh if language == "zh" else contract.en
        st.download_button(name, sink.getvalue(), file_name=f"{contract.name}.xlsx", key=f"template {contract.name}")
