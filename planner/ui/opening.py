"""Opening a study: a county's file takes seconds to read, so it is read outside the script, with a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import PlannerError
from planner.scenario import scenario_of
from planner.ui import answers
from planner.ui.frame import fault
from planner.ui.jobs import SERVER, awaited, jobs
from planner.ui.state import read_file, take

if TYPE_CHECKING:
    from pathlib import Path

    from planner.progress import Progress
    from planner.ui.state import AppState


def ask_to_open(state: AppState, path: Path) -> None:
    """Have the study in `path` opened; what the session has stays until the new one is read."""
    state.opening = path


def is_opening(state: AppState) -> bool:
    """Whether a study is being read: then a bar is shown, and nothing else is to be done yet."""
    path = state.opening
    if path is None:
        return False
    key = _key(path)
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


def read_early(path: Path) -> None:
    """Begin to read a study and to make it ready, so that the first reader finds that under way or done."""
    jobs().start(("early", str(path)), lambda progress: _read_early(path, progress), SERVER)


def _read_early(path: Path, progress: Progress) -> None:
    progress.update(0, 2, "open")
    read = jobs().start(_key(path), lambda each: read_file(path, each), SERVER)
    read.done.wait()
    if read.error is not None:
        return
    study, base = read.result.study, scenario_of(read.result.study.scenarios)
    key = answers.ready_key(read.result.key, base)
    jobs().start(("ready", key), lambda each: answers.make_ready(key, study, base, each), SERVER)


def _key(path: Path) -> tuple[object, ...]:
    stamp = (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else (0, 0)
    return ("open", str(path), *stamp)
