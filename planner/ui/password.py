"""The optional password: asked once a session, compared in constant time, slower after every wrong try."""

from __future__ import annotations

import hmac
import os
import time

import streamlit as st

from planner.texts import Language, text

VARIABLE = "PLANNER_APP_PASSWORD"
_LONGEST_WAIT_S = 5.0


def is_admitted(language: Language) -> bool:
    """Whether the session may go on: no password is set, or it was given; else a form asks for it."""
    wanted = os.environ.get(VARIABLE, "")
    if not wanted or st.session_state.get("is_admitted"):
        return True
    with st.form("password"):
        given = st.text_input(text("ui.password", language), type="password")
        sent = st.form_submit_button(text("ui.enter", language))
    if sent and hmac.compare_digest(given.encode(), wanted.encode()):
        st.session_state["is_admitted"] = True
        st.rerun()
    if sent:
        tries = _tries()
        tries[0] += 1
        time.sleep(min(_LONGEST_WAIT_S, 0.5 * tries[0]))
        st.error(text("ui.password_wrong", language))
    return False


@st.cache_resource(show_spinner=False)
def _tries() -> list[int]:
    """Wrong tries of all sessions together: a new window does not start from nothing."""
    return [0]
