"""Every error that a user of the planner can mend.

A message says what is wrong, in which rows (the first five and the count), and what to do. Anything that is not a
`PlannerError` is a defect of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PlannerError(Exception):
    """Something the user can mend; the command line ends with code 2."""


class InputError(PlannerError, ValueError):
    """A file or a table that cannot be used as it is; `chinese` where the message quotes words of both languages."""

    def __init__(self, english: str, chinese: str = "") -> None:
        super().__init__(english)
        self.chinese = chinese


class NoCoordinatesError(InputError):
    """People of towns or villages without coordinates: where there are areas, they can be split among them."""


class CrsError(PlannerError, ValueError):
    """A coordinate reference system that is missing, geographic or not the study's."""


class FrameError(InputError):
    """Coordinates whose frame nothing settles; the evidence is said in both languages."""


class StudyFileError(PlannerError, OSError):
    """A study file that cannot be opened, locked or written."""


class RevisionConflictError(StudyFileError):
    """Somebody else saved the study after it was opened here."""


class ScenarioError(PlannerError, ValueError):
    """A scenario, profile or standard that contradicts itself."""


class EntriesError(ScenarioError):
    """Entries of a file that people edit, or of a scenario, that have to be mended; all of them are named at once.

    Attributes
    ----------
    lines : one for each: key, what is wrong, repair.
    """

    def __init__(self, what: str, lines: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"{what} must be mended:", *lines]))
        self.lines = tuple(lines)

    def of(self, file: str) -> EntriesError:
        """Return the same faults, said of a file."""
        return EntriesError(file, self.lines)


class MissingExtraError(PlannerError, ImportError):
    """A part of the planner that is not installed; the message names the pip line."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed. Install it with: pip install 'practice-circle-planner[{extra}]'")


class CancelledError(PlannerError):
    """The user stopped a long computation."""
