"""The one progress protocol: long work reports to it, and stops when it says so."""

from __future__ import annotations

import math
import threading
from typing import Protocol

from planner.errors import CancelledError


class Progress(Protocol):
    """What a long computation calls between steps."""

    def update(self, done: float, total: float, message: str = "") -> None:
        """Report `done` of `total`; raises `CancelledError` once the user has cancelled."""


class Standing(str):
    """A report of a search for the best: the best value so far and the bound that no answer can pass.

    Handed to `Progress.update` as its message, so that who only prints messages prints this one too.

    Attributes
    ----------
    value, bound : in the unit of the objective; infinite where there is none yet.
    """

    value: float
    bound: float

    def __new__(cls, value: float, bound: float) -> Standing:
        """Return the report of `value` and `bound`, worded."""
        shown = (f"{number:,.6g}" if math.isfinite(number) else "-" for number in (value, bound))
        gap = gap_between(value, bound)
        report = super().__new__(cls, "value {}, bound {}".format(*shown) + (f", gap {gap:.3%}" if gap == gap else ""))  # noqa: PLR0124
        report.value, report.bound = value, bound
        return report

    @property
    def gap_share(self) -> float:
        """The distance of value and bound as a share of the value; NaN while either is missing."""
        return gap_between(self.value, self.bound)


def gap_between(value: float, bound: float) -> float:
    """Return the distance of two numbers as a share of the first; NaN where either is not finite."""
    if not (math.isfinite(value) and math.isfinite(bound)):
        return math.nan
    return abs(bound - value) / abs(value) if value else (0.0 if bound == value else math.nan)


class Step:
    """A part of a longer work: what it reports from 0 to 1 moves the whole from `start` to `stop`."""

    def __init__(self, whole: Progress, start: float, stop: float) -> None:
        self._whole, self._start, self._stop = whole, start, stop

    def update(self, done: float, total: float, message: str = "") -> None:
        """Report on; raises `CancelledError` when the whole does."""
        share = min(1.0, max(0.0, done / total)) if total > 0 else 0.0
        self._whole.update(self._start + (self._stop - self._start) * share, 1.0, message)


class Silent:
    """Reports to nobody and never cancels."""

    def update(self, done: float, total: float, message: str = "") -> None:
        """Do nothing."""


class Cancellable:
    """Remembers the last report (and the last `Standing`), and cancels the work when asked, from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self.done = 0.0
        self.total = 1.0
        self.message = ""
        self.standing: Standing | None = None

    def cancel(self) -> None:
        """Ask the work to stop at its next report."""
        self._stop.set()

    def update(self, done: float, total: float, message: str = "") -> None:
        """Remember the report; raises `CancelledError` after `cancel`."""
        self.done, self.total, self.message = done, total, message
        if isinstance(message, Standing):
            self.standing = message
        if self._stop.is_set():
            raise CancelledError("Cancelled.")


SILENT = Silent()
