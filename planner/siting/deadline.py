"""When a solver stops: a clock beside its work limits, and the user's cancel."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planner.progress import Standing

if TYPE_CHECKING:
    from planner.progress import Progress


@dataclass(frozen=True)
class Deadline:
    """A clock that started when it was made, and the one who listens.

    Attributes
    ----------
    seconds : allowed in all.
    progress : is told value and bound at every report, and may cancel then.
    started : reading of the monotonic clock.
    """

    seconds: float
    progress: Progress
    started: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Seconds that are left, not negative."""
        return max(0.0, self.seconds - (time.monotonic() - self.started))

    def share(self, share: float) -> Deadline:
        """A clock for a part of the time that is left."""
        return Deadline(self.left_s * share, self.progress)

    def report(self, value: float, bound: float) -> None:
        """Tell the listener where the solver stands; raises `CancelledError` when the user has cancelled."""
        spent = min(self.seconds, time.monotonic() - self.started)
        total = self.seconds if self.seconds < float("inf") else max(spent, 1.0) * 2
        self.progress.update(spent, total, Standing(value, bound))
