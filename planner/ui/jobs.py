"""Long work outside the script's thread: started once whatever reruns, with progress, cancelled when nobody waits."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from planner.progress import Cancellable, Standing
from planner.texts import Language, text
from planner.ui.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.progress import Progress

_MOST_KEPT = {"open": 3, "ready": 4}
_MOST_OF_OTHERS = 16
_POLL_S = 0.4
SERVER = "server"
"""Who waits for work that no reader asked for yet."""


@dataclass(eq=False)
class Job:
    """One piece of work, running or finished.

    Attributes
    ----------
    key : what it computes; equal keys are the same work.
    progress : what the work last reported.
    waiting : sessions that want the result; the last one to leave cancels the work.
    result, error : of the finished work.
    """

    key: tuple[Any, ...]
    progress: Cancellable = field(default_factory=Cancellable)
    waiting: set[str] = field(default_factory=set)
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None


class Jobs:
    """The jobs of one server, shared by its sessions: equal work is done once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: OrderedDict[tuple[Any, ...], Job] = OrderedDict()

    def start(self, key: tuple[Any, ...], work: Callable[[Progress], Any], session: str) -> Job:
        """Return the job of `key`, started now unless it is running or done."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                job = Job(key)
                self._jobs[key] = job
                threading.Thread(target=self._run, args=(job, work), daemon=True, name=str(key[0])).start()
            job.waiting.add(session)
            self._jobs.move_to_end(key)
            self._forget()
            return job

    def found(self, key: tuple[Any, ...]) -> Job | None:
        """Return the job of `key`, without starting it."""
        with self._lock:
            return self._jobs.get(key)

    def drop(self, key: tuple[Any, ...]) -> None:
        """Forget a finished job, so that the next request starts it anew."""
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.done.is_set():
                del self._jobs[key]

    def leave(self, job: Job, session: str) -> None:
        """Take a session's wish back; when no other reader waits, the work is cancelled."""
        with self._lock:
            job.waiting -= {session, SERVER}
            if not job.waiting:
                job.progress.cancel()

    def _run(self, job: Job, work: Callable[[Progress], Any]) -> None:
        try:
            job.result = work(job.progress)
        except Exception as error:  # noqa: BLE001  shown by whoever waits
            job.error = error
        finally:
            job.done.set()

    def _forget(self) -> None:
        """Drop finished jobs that were asked for longest ago: so many of each kind stay."""
        left: dict[str, int] = {}
        for key in reversed(list(self._jobs)):
            kind = str(key[0])
            if self._jobs[key].done.is_set():
                left[kind] = left.get(kind, 0) + 1
                if left[kind] > _MOST_KEPT.get(kind, _MOST_OF_OTHERS):
                    del self._jobs[key]


@cache  # not Streamlit's, which any window can empty
def jobs() -> Jobs:
    """Return the jobs of this server."""
    return Jobs()


def awaited(key: tuple[Any, ...], work: Callable[[Progress], Any], session: str, language: Language) -> Any:
    """Return the result of `work`, or None while a bar with a way out is shown instead.

    Raises
    ------
    PlannerError
        What the work raised and the user can mend; anything else is raised as it is: a defect of ours.
    """
    job = jobs().start(key, work, session)
    # What takes a blink needs no bar.
    if job.done.wait(_POLL_S):
        return finished(job)
    _bar(job, session, language)
    return None


def finished(job: Job) -> Any:
    """Return the result of a finished job, or raise its error; work that failed waits for `Jobs.drop` to start anew.

    The error carries the job's key as `job_key`, so that a page can offer to try again.
    """
    if job.error is not None:
        job.error.__dict__["job_key"] = job.key
        raise job.error
    return job.result


@st.fragment(run_every=_POLL_S)
def _bar(job: Job, session: str, language: Language) -> None:
    if job.done.is_set():
        st.rerun()
    done, total, message = job.progress.done, job.progress.total, job.progress.message
    share = min(max(done / total, 0.0), 1.0) if total else 0.0
    bar, button = st.columns([6, 1], vertical_alignment="center")
    bar.progress(share, text=f"{text(f'ui.job_{job.key[0]}', language)} {plain(stage(message, language))}")
    if button.button(text("ui.cancel", language), key=f"cancel {job.key}", width="stretch"):
        jobs().leave(job, session)


def stage(message: str, language: Language) -> str:
    """Return what a computation says about itself in words; as it is where there are none."""
    if isinstance(message, Standing):
        value, bound = (f"{number:,.0f}" if math.isfinite(number) else "-" for number in (message.value, message.bound))
        gap = f"{message.gap_share:.2%}" if math.isfinite(message.gap_share) else "-"
        return text("siting.standing", language, value=value, bound=bound, gap=gap)
    try:
        return text(f"ui.stage_{message}", language)
    except KeyError:
        return message
