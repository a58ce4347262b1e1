"""What one session knows: the study it works on, its choices, what it has not saved yet. The one place of state."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from planner.errors import InputError
from planner.hashes import file_hash
from planner.scenario import Scenario, scenario_of
from planner.store import open_study, save_study
from planner.texts import LANGUAGES, Language, text
from planner.wishes import Wishes

if TYPE_CHECKING:
    from pathlib import Path

    from planner.plan.trial import Edit, RoadEdit
    from planner.progress import Progress
    from planner.reach.what_if import WhatIf
    from planner.study import Study
    from planner.ui.leaflet import Click

_MOST_UNDO = 20
_MOST_STATES = 60
_TOKEN = "s"  # noqa: S105  the name of a query parameter


@dataclass(frozen=True)
class Choices:
    """What every page is asked for.

    Attributes
    ----------
    profile, tier, group : codes.
    cutoff_min : the time limit.
    """

    profile: str
    tier: str
    cutoff_min: float
    group: str = "all"


@dataclass(frozen=True)
class Opened:
    """A study as this session has it.

    Attributes
    ----------
    study : with what is not saved yet.
    key : says what it holds; another content, another key.
    file : the study file it came from, and goes to; None = not saved anywhere yet.
    is_changed : whether something is not saved.
    """

    study: Study
    key: str
    file: Path | None
    is_changed: bool = False


@dataclass
class Trial:
    """A what-if under way: what it was started for, and how many edits of the session it has had.

    Attributes
    ----------
    key : of the study made ready, profile and tier.
    what_if : the county under trial.
    edits : those that it has had.
    """

    key: tuple[str, ...]
    what_if: WhatIf
    edits: list[Edit | RoadEdit] = field(default_factory=list)


@dataclass
class AppState:
    """The state of one session; pages read and change it, nothing else keeps any.

    Attributes
    ----------
    token : names this state in the address, so that a reload finds it again.
    language : of every word.
    opened : the study; None before one is open.
    opening : the study file that is being read.
    past : what it was before every change, oldest first, with the key of the words for the change.
    choices : what the pages are asked for.
    answered : number of the last click on each map that was answered.
    at : where the reader clicked on the map of coverage, degrees.
    chosen_gap, chosen_settlement, chosen_finding : ids selected in a table or on a map, the position of a finding.
    ask, solved : of siting: what stands on the form, and what was last sent off to be solved.
    edits, trial : of the what-if, oldest first; the county with them made.
    tool, picked, bridge_from : what a click on the what-if's map does, the place that is to move, the first end of a
        footbridge (metres).
    staged : an import that waits to be accepted; see `planner.ui.acceptance`.
    summaries : one line a page for the status strip, with what it was computed for.
    """

    token: str
    language: Language = "zh"
    opened: Opened | None = None
    opening: Path | None = None
    past: list[tuple[str, Opened]] = field(default_factory=list)
    choices: Choices = field(default_factory=lambda: Choices("walk", "any", 15.0))
    answered: dict[str, int] = field(default_factory=dict)
    at: tuple[float, float] | None = None
    chosen_gap: str | None = None
    chosen_settlement: str | None = None
    chosen_finding: int | None = None
    ask: Wishes = field(default_factory=lambda: Wishes(n_new=10))
    solved: Wishes | None = None
    edits: list[Edit | RoadEdit] = field(default_factory=list)
    trial: Trial | None = None
    tool: str = "add"
    picked: str | None = None
    bridge_from: tuple[float, float] | None = None
    staged: Any = None
    summaries: dict[str, tuple[Any, str]] = field(default_factory=dict)

    @property
    def held(self) -> Opened:
        """The open study with its file.

        Raises
        ------
        InputError
            When none is open.
        """
        if self.opened is None:
            raise InputError(text("ui.open_first", self.language))
        return self.opened

    @property
    def study(self) -> Study:
        """The open study."""
        return self.held.study

    @property
    def base(self) -> Scenario:
        """The study's own scenario, before the choices on the page."""
        return scenario_of(self.study.scenarios)

    @property
    def scenario(self) -> Scenario:
        """The study's scenario with the choices on the page."""
        return self.base.with_choices(
            main_profile=self.choices.profile, main_tier=self.choices.tier, cutoff_min=self.choices.cutoff_min
        )

    @property
    def session(self) -> str:
        """Who waits for a job."""
        return self.token

    def is_new(self, map_key: str, click: Click | None) -> bool:
        """Whether a click was not answered yet; from now on it is."""
        if click is None or self.answered.get(map_key, 0) >= click.number:
            return False
        self.answered[map_key] = click.number
        return True


def read_file(path: Path, progress: Progress) -> Opened:
    """Return the study in a file as a session takes it.

    Raises
    ------
    StudyFileError
        When there is no such file, or it is no study.
    """
    study = open_study(path, progress)
    return Opened(study, file_hash(path), path)


def take(state: AppState, opened: Opened) -> None:
    """Make `opened` the session's study, and bring choices and selections in line with it."""
    is_other = state.opened is None or state.opened.study.name != opened.study.name
    state.opened = opened
    state.at = state.chosen_gap = state.chosen_settlement = state.chosen_finding = None
    state.summaries.clear()
    base = state.base
    fits = state.choices.profile in base.profiles and state.choices.tier in base.tier_codes
    if is_other or not fits:
        state.choices = Choices(base.main_profile, base.main_tier, base.cutoff_min)
        state.ask, state.solved = Wishes(n_new=base.siting.most_new or 10), None
        state.edits.clear()


def change(state: AppState, words: str, study: Study) -> None:
    """Put `study` in place of the session's, remembering the one before under the key `words`."""
    state.past.append((words, state.held))
    del state.past[:-_MOST_UNDO]
    take(state, replace(state.held, study=study, key=uuid4().hex, is_changed=True))


def remark(state: AppState, words: str, study: Study) -> None:
    """Put a study in place that differs in words only: nothing has to be computed again."""
    state.past.append((words, state.held))
    state.opened = replace(state.held, study=study, is_changed=True)


def undo(state: AppState) -> None:
    """Take the last change back."""
    if state.past:
        _, before = state.past.pop()
        # What was saved meanwhile keeps its revision: going back is a change to it.
        study = replace(before.study, revision=state.study.revision, save_id=state.study.save_id)
        take(state, replace(before, study=study, file=state.held.file, is_changed=True))


def save(state: AppState, path: Path | None = None) -> None:
    """Save the session's study to its file, or to another.

    Raises
    ------
    RevisionConflictError
        When somebody saved it meanwhile; the session keeps its own.
    StudyFileError
        When it cannot be written.
    """
    opened = state.held
    target = path or opened.file
    if target is None:
        raise InputError(text("ui.no_file", state.language))
    study = opened.study if target == opened.file else replace(opened.study, revision=0, save_id="")
    saved = save_study(study, target)
    state.opened = replace(opened, study=saved, file=target, is_changed=False)


class _States:
    """The states of a server by token, with the session that holds each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, tuple[AppState, str]] = OrderedDict()

    def claim(self, token: str | None, session_id: str) -> AppState:
        """Return the state of `token` when no other living session holds it, else a new one."""
        with self._lock:
            if token in self._states:
                state, holder = self._states[str(token)]
                if holder == session_id or not _is_alive(holder):
                    self._states[state.token] = (state, session_id)
                    self._states.move_to_end(state.token)
                    return state
            state = AppState(secrets.token_urlsafe(12))
            self._states[state.token] = (state, session_id)
            while len(self._states) > _MOST_STATES:
                self._states.popitem(last=False)
            return state


@cache  # not Streamlit's, which any window can empty
def _states() -> _States:
    return _States()


def _is_alive(session_id: str) -> bool:
    return st.runtime.exists() and st.runtime.get_instance().is_active_session(session_id)


def session_state() -> AppState:
    """Return this session's state; after a reload of the page, the one from before it.

    The address carries a token that nobody can guess. A state that another living session holds is not given out:
    two windows never see each other's unsaved work.
    """
    if "app" not in st.session_state:
        context = get_script_run_ctx()
        session_id = context.session_id if context else ""
        state = _states().claim(st.query_params.get(_TOKEN), session_id)
        language = st.query_params.get("lang")
        if language in LANGUAGES:
            state.language = language
        st.session_state["app"] = state
    state = st.session_state["app"]
    if st.query_params.get(_TOKEN) != state.token:
        st.query_params[_TOKEN] = state.token
    return state
