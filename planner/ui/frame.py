"""What stands on every page: language, status strip, conditions, the mark of synthetic data, the choices."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

import streamlit as st

from planner.outputs.statement import conditions, profile_name, tier_name
from planner.scenario import GROUPS
from planner.texts import LANGUAGES, text
from planner.ui.folder import study_folder
from planner.ui.jobs import jobs
from planner.ui.settings import SIGN_OUT, arguments, has_password
from planner.ui.words import date, distance, escaped, plain, told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamlit.navigation.page import StreamlitPage

    from planner.scenario import Scenario
    from planner.texts import Language
    from planner.ui.state import AppState

PAGES = ("study", "coverage", "gaps", "siting", "settlements", "what_if", "network", "export")
LONGEST_MIN = 60
_LANGUAGE_NAMES = {"zh": "中文", "en": "English"}


def style(language: Language) -> None:
    """Put the app's style sheet into the page, and words of ours over those that Streamlit says in English only."""
    sheet = (resources.files("planner.ui") / "app.css").read_text(encoding="utf-8")
    words = text("ui.choose_files", language)
    button = '[data-testid="stFileUploaderDropzone"] [data-testid="stBaseButton-secondary"]'
    sheet += f'{button}::after {{ content: "{words}"; font-size: 14px; }}'
    # Streamlit marks a file that it refuses in red, and says why on hovering only.
    words = text("ui.not_uploaded", language, most=st.get_option("server.maxUploadSize"))
    sheet += f'[data-testid="stFileUploader"]:has([role="alert"])::after {{ content: "{words}"; color: #A40000; }}'
    st.html(f"<style>{sheet}</style>")


def head(state: AppState, page: str, pages: Mapping[str, StreamlitPage]) -> None:
    """Show the steps with what is done at each, what the figures rest on, and the switch of language."""
    language = state.language
    with st.container(key="strip"):
        columns = st.columns([*(1 for _ in PAGES), 1.25], gap="small")
        for number, (column, name) in enumerate(zip(columns[:-1], PAGES, strict=True), start=1):
            words = _summary(state, name)
            looks = " ".join(["said", *(["done"] if words else []), *(["here"] if name == page else [])])
            with column:
                st.page_link(pages[name], label=f"{number} {text(f'ui.page_{name}', language)}", width="stretch")
                st.html(f'<div class="{looks}">{escaped(words or text("ui.step_open", language))}</div>')
        with columns[-1]:
            language_switch(state)
    asked, button = st.columns([9.9, 1.1], gap="small", vertical_alignment="center")
    asked.html(f'<div class="ask">{_ask_html(state)}</div>')
    if state.opened is not None:
        with button:
            _conditions(state)


def language_switch(state: AppState) -> None:
    """Show both languages; a click changes every word."""

    def changed() -> None:
        if st.session_state.language in LANGUAGES:
            state.language = st.session_state.language

    st.session_state.language = state.language
    st.segmented_control(
        "语言 Language", LANGUAGES, key="language", format_func=_LANGUAGE_NAMES.__getitem__, on_change=changed,
        label_visibility="collapsed", required=True, width="stretch",
    )  # fmt: skip
    if has_password():
        st.html(f'<a href="{SIGN_OUT}" target="_self">{escaped(text("ui.sign_out", state.language))}</a>')


def _conditions(state: AppState) -> None:
    with st.popover(text("ui.conditions", state.language), width="stretch"):
        for code in state.scenario.profiles:
            st.caption(plain(conditions(state.study, state.scenario, code, state.language)))


def _summary(state: AppState, name: str) -> str:
    if state.opened is None:
        return ""
    if name == "study":
        mark = text("ui.unsaved", state.language) if state.held.is_changed else f"v{state.study.revision}"
        return f"{state.study.name} · {mark}"
    known = state.summaries.get(name)
    return known[1] if known is not None and known[0] == asked_for(state) else ""


def asked_for(state: AppState) -> tuple[Any, ...]:
    """Return what a line of the strip was computed for; another choice, another line."""
    return (state.held.key, state.choices, state.language)


def note(state: AppState, page: str, words: str) -> None:
    """Remember one line about a page for the strip; the strip shows it from the next run on."""
    value = (asked_for(state), words)
    if state.summaries.get(page) != value:
        state.summaries[page] = value
        st.session_state["strip_is_old"] = True


def _ask_html(state: AppState) -> str:
    language = state.language
    if state.opened is None:
        return escaped(text("ui.no_study_open", language))
    profile = state.base.profiles[state.choices.profile]
    metadata = state.study.metadata
    parts = [
        (text("columns.tier", language), tier_name(state.choices.tier, language)),
        (text("columns.profile", language), text(
            "ui.profile_speed", language, profile=profile_name(profile.code, language), speed=profile.speed_kph)),
        (text("terms.cutoff", language), distance(profile, state.choices.cutoff_min, language)),
        (text("ui.standard", language), standard_name(state.scenario, language)),
        (text("ui.population_source", language), _source(metadata.get("population_source"), metadata.get(
            "population_date"), language)),
    ]  # fmt: skip
    mark = f'<span class="synthetic">{escaped(text("outputs.synthetic", language))}</span> '
    return (mark if metadata.get("is_synthetic") else "") + " · ".join(
        f"<b>{escaped(name)}</b> {escaped(words)}" for name, words in parts
    )


def _source(source: Any, moment: Any, language: Language) -> str:
    words = str(source) if source else text("outputs.not_stated", language)
    if moment is None or moment == "":
        return text("ui.source_undated", language, source=words)
    return text("ui.source_date", language, source=words, date=date(moment, language))


def standard_name(scenario: Scenario, language: Language) -> str:
    """Return the standard's name up to its first bracket: the whole sentence stands in the conditions."""
    try:
        words = text(f"standards.{scenario.standard}", language)
    except KeyError:
        return scenario.standard
    return words.split("（")[0].split(" (")[0]


def choices_bar(state: AppState, *, with_group: bool = True) -> None:
    """Show profile, tier, group and time limit; a change answers at once on every page."""
    choices, base, language = state.choices, state.base, state.language
    columns = st.columns([4.4, 1.7, 1.6, 2.6] if with_group else [4.4, 1.9, 2.6], vertical_alignment="top")

    def changed(name: str) -> None:
        value = st.session_state[f"choice_{name}"]
        if value is not None:
            state.choices = replace(state.choices, **{name: value})

    def put(name: str, value: Any) -> dict[str, Any]:
        st.session_state[f"choice_{name}"] = value
        return {"key": f"choice_{name}", "on_change": changed, "args": (name,)}

    columns[0].segmented_control(
        text("columns.profile", language), list(base.profiles), required=True, width="stretch",
        format_func=lambda code: plain(profile_name(code, language)), **put("profile", choices.profile),
    )  # fmt: skip
    columns[1].selectbox(
        text("columns.tier", language), base.tier_codes, format_func=lambda code: tier_name(code, language),
        **put("tier", choices.tier),
    )  # fmt: skip
    if with_group:
        columns[2].selectbox(
            text("columns.group", language), groups_of(state), format_func=lambda code: text(f"terms.{code}", language),
            **put("group", choices.group if choices.group in groups_of(state) else "all"),
        )  # fmt: skip
    columns[-1].slider(
        text("columns.cutoff_min", language), 1.0, float(max(LONGEST_MIN, choices.cutoff_min)), step=1.0, format="%g",
        **put("cutoff_min", float(choices.cutoff_min)),
    )  # fmt: skip


def groups_of(state: AppState) -> Sequence[str]:
    """Return the groups of people that the study tells apart."""
    if not state.study.has("demand"):
        return GROUPS[:1]
    columns = state.study.tables["demand"].columns
    return [code for code in GROUPS if code == "all" or code in columns]


def fault(state: AppState, error: Exception) -> None:
    """Show what went wrong and how to mend it; for the error of a job also a button that tries again.

    Files are named without the folder of studies: where that lies is no business of a browser.
    """
    key = getattr(error, "job_key", None)
    words = told(error, state.language).replace(f"{study_folder(arguments())}{os.sep}", "")
    st.error(plain(words))
    if key is not None and st.button(text("ui.again", state.language), key=f"again {key}"):
        jobs().drop(key)
        st.rerun()


def defect(state: AppState, error: Exception) -> None:
    """Say that we are at fault; the work that failed is done anew when the reader asks again."""
    key = getattr(error, "job_key", None)
    if key is not None:
        jobs().drop(key)
    st.error(text("ui.defect", state.language))
