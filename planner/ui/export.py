"""Export: choose, see, download one zip."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from planner.outputs.export import write_export
from planner.outputs.headline import headline_rows
from planner.outputs.leader import leader_page
from planner.outputs.leader_html import leader_html
from planner.plan.stages import make_plan
from planner.progress import Step
from planner.texts import text
from planner.ui.frame import choices_bar, note
from planner.ui.jobs import awaited, jobs
from planner.ui.words import escaped

if TYPE_CHECKING:
    from planner.progress import Progress
    from planner.scenario import Scenario
    from planner.study import Study
    from planner.texts import Language
    from planner.ui.state import AppState

PREVIEW_HEIGHT = 560
# What can be left out, by the ending of its files; the manifest always comes along.
PARTS = ("xlsx", "html", "gpkg", "geojson")


def page(state: AppState) -> None:
    """Show what can be handed in, make it, and hand it over."""
    language = state.language
    choices_bar(state, with_group=False)
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        parts = [part for part in PARTS if st.checkbox(text(f"ui_pages.part_{part}", language), value=True)]
        n_new = st.number_input(text("ui_plans.n_new", language), 0, 10_000, state.solved.most_new or 10
                                if state.solved else state.ask.most_new or 10)  # fmt: skip
    wishes = (state.solved or state.ask).with_choices(n_new=int(n_new))
    scenario = state.scenario.with_choices(siting=wishes.model_dump())
    key = ("export", state.held.key, scenario.model_dump_json(), tuple(parts), language)
    with left:
        asked = st.button(text("ui_pages.export_make", language), type="primary", width="stretch", disabled=not parts)
    if not asked and jobs().found(key) is None:
        right.caption(text("ui_pages.export_hint", language))
        return
    study = state.study
    with right:
        found = awaited(
            key, lambda progress: make_zip(study, scenario, tuple(parts), language, progress), state.session, language
        )
        if found is None:
            return
        content, rows, leader = found
        shown = "".join(
            f"<tr><th>{escaped(row['item'])}</th><td>{escaped(row['value'])}</td></tr>" for row in rows
        )  # fmt: skip
        st.html(f'<table class="facts">{shown}</table>')
        st.download_button(
            text("ui_pages.download", language, size=len(content) / 1e6), content, file_name=f"{_stem(study.name)}.zip",
            mime="application/zip", type="primary",
        )  # fmt: skip
    with st.expander(text("ui_pages.leader_preview", language), expanded=True):
        st.iframe(leader, height=PREVIEW_HEIGHT, alt=text("ui_pages.leader_preview", language))
    note(state, "export", text("ui_pages.export_strip", language, size=len(content) / 1e6))


def _stem(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)[:60] or "export"


def make_zip(
    study: Study, scenario: Scenario, parts: tuple[str, ...], language: Language, progress: Progress
) -> tuple[bytes, list[dict[str, str]], str]:
    """Return the export of a plan as one zip with the chosen parts, its headline figures and its leader's page."""
    plan = make_plan(study, scenario, Step(progress, 0.0, 0.7))
    with tempfile.TemporaryDirectory(prefix="planner-export-") as folder:
        paths = write_export(plan, Path(folder), language, Step(progress, 0.7, 0.95))
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                if path.suffix.lstrip(".") in {*parts, "json"}:
                    archive.write(path, path.name)
    return sink.getvalue(), headline_rows(plan, language), leader_html(leader_page(plan, language), language)
