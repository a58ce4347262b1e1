"""The one progress protocol: long work reports to it, and stops when it says so."""

from __future__ import annotations

import threading
from typing import Protocol

from planner.errors import CancelledError


class Progress(Protocol):
    """What a long computation calls between steps."""

    def update(self, done: float, total: float, message: str = "") -> None:
        """Report `done` of `total`; raises `CancelledError` once the user has cancelled."""


class Silent:
    """Reports to nobody and never cancels."""

    def update(self, done: float, total: float, message: str = "") -> None:
        """Do nothing."""


class Cancellable:
    """Remembers the last report and cancels the work when asked, from any thread."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self.done = 0.0
        self.total = 1.0
        self.message = ""

    def cancel(self) -> None:
        """Ask the work to stop at its next report."""
        self._stop.set()

    def update(self, done: float, total: float, message: str = "") -> None:
        """Remember the report; raises `CancelledError` after `cancel`."""
        self.done, self.total, self.message = done, total, message
        if self._stop.is_set():
            raise CancelledError("Cancelled.")


SILENT = Silent()
