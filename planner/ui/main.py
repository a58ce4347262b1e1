"""The app's entrance: which study, which page, and what stands above each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from planner.errors import PlannerError
from planner.schema import CONTRACTS
from planner.texts import listed, text
from planner.ui import coverage, export, folder, frame, gaps, network, settlements, siting, study, what_if
from planner.ui.opening import ask_to_open, is_opening
from planner.ui.settings import arguments, leave_the_path
from planner.ui.state import session_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streamlit.navigation.page import StreamlitPage

    from planner.ui.state import AppState

PAGES: dict[str, Callable[[AppState], None]] = {
    "study": study.page,
    "coverage": coverage.page,
    "gaps": gaps.page,
    "siting": siting.page,
    "settlements": settlements.page,
    "what_if": what_if.page,
    "network": network.page,
    "export": export.page,
}

# Without people and roads there is nothing to compute on the pages that rest on minutes.
GROUND = ("demand", "roads")
WITHOUT_GROUND = ("study", "network")


def main() -> None:
    """Show the page that the reader chose, on the study named on the command line at first."""
    leave_the_path()
    st.set_page_config(page_title=text("ui.title", "zh"), layout="wide", initial_sidebar_state="collapsed")
    state = session_state()
    frame.style(state.language)
    _first_study(state)
    first = st.session_state.setdefault("first_page", _first_page(state))
    pages: dict[str, StreamlitPage] = {}
    for name in PAGES:
        title = text(f"ui.page_{name}", state.language)
        pages[name] = st.Page(_named(state, name, pages), title=title, url_path=name, default=name == first)
    st.navigation(list(pages.values()), position="hidden").run()


def _named(state: AppState, name: str, pages: Mapping[str, StreamlitPage]) -> Callable[[], None]:
    """Return the function that runs a page, under the page's own name."""

    def run() -> None:
        _run(state, name, pages)

    run.__name__ = name
    return run


def _first_page(state: AppState) -> str:
    """Where a county is at hand, the reader begins at its map."""
    is_there = state.opened is not None or state.opening is not None
    return "coverage" if is_there else next(iter(PAGES))


def _first_study(state: AppState) -> None:
    """Open the study named on the command line, or the demo's where it was made."""
    if state.opened is not None or "was_opened" in st.session_state:
        return
    st.session_state["was_opened"] = True
    path = folder.first_study(arguments())
    if path is not None:
        ask_to_open(state, path)


def _run(state: AppState, name: str, pages: Mapping[str, StreamlitPage]) -> None:
    place = st.container(key="head")
    st.session_state["strip_is_old"] = False
    try:
        if is_opening(state):
            return
        if state.opened is None and name != "study":
            st.info(text("ui.open_first", state.language))
        elif missing := [] if name in WITHOUT_GROUND else _missing(state):
            st.info(text("ui.import_first", state.language, names=listed(missing, state.language)))
        else:
            PAGES[name](state)
    except PlannerError as error:
        frame.fault(state, error)
    finally:
        # Last, so that the strip says what this very run found out.
        with place:
            frame.head(state, name, pages)


def _missing(state: AppState) -> list[str]:
    contracts = [CONTRACTS[name] for name in GROUND if not state.study.has(name)]
    return [each.zh if state.language == "zh" else each.en for each in contracts]


if __name__ == "__main__":  # `planner.ui.server` hands this file to Streamlit
    main()
