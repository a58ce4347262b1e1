"""Opening a study: a county's file takes seconds to read, so it is read outside the script, with a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import PlannerError
from planner.ui.frame import fault
from planner.ui.jobs import awaited, jobs
from planner.ui.state import read_file, take

if TYPE_CHECKING:
    from pathlib import Path

    from planner.ui.state import AppState


def ask_to_open(state: AppState, path: Path) -> None:
    """Have the study in `path` opened; what the session has stays until the new one is read."""
    state.opening = path


def is_opening(state: AppState) -> bool:
    """Whether a study is being read: then a bar is shown, and nothing else is to be done yet."""
    path = state.opening
    if path is None:
        return False
    stamp = (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else (0, 0)
    key = ("open", str(path), *stamp)
    try:
        found = awaited(key, lambda progress: read_file(path, progress), state.session, state.language)
    except PlannerError as error:
        state.opening = None
        jobs().drop(key)
        fault(state, error)
        return False
    if found is None:
        return True
    state.opening = None
    state.past.clear()
    take(state, found)
    return False
