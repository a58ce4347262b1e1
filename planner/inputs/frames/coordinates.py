"""The coordinates of a file as they stand in it, and the frames in which they may be, before anything is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.inputs.columns.headers import listing
from planner.inputs.columns.proposals import propose
from planner.inputs.frames.choice import declared_frame
from planner.inputs.frames.forensics import frame_hypotheses, study_ground
from planner.inputs.frames.to_study import centres, points_of
from planner.inputs.options import ImportOptions
from planner.inputs.records import Findings
from planner.inputs.tables import read_records
from planner.schema import FACILITIES

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from planner.inputs.frames.forensics import Hypothesis
    from planner.study import Study


@dataclass(frozen=True)
class Coordinates:
    """A place of every row as its numbers stand in the file, NaN where it has none, and the frame it declares."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    declared: str | None


def file_coordinates(path: Path, options: ImportOptions | None = None) -> Coordinates:
    """Return the coordinates of a table or layer; of lines and areas, the middle of their box.

    Raises
    ------
    InputError
        When the file cannot be read or has no coordinates.
    """
    options = options or ImportOptions()
    records = read_records(path, FACILITIES, options)
    if records.geometry is not None:
        return Coordinates(*centres(records.geometry), declared_frame(records.crs))
    found = propose(records, FACILITIES, options.columns).found
    if not {"x", "y"} <= set(found):
        raise InputError(
            f"{records.file} has no coordinates: no column for longitude and latitude. {listing(records.headers)} "
            "Name the headers with --column x=HEADER and --column y=HEADER."
        )
    return Coordinates(*centres(points_of(records, found, Findings(records.file, records.row))), None)


def file_hypotheses(path: Path, options: ImportOptions | None = None, study: Study | None = None) -> list[Hypothesis]:
    """Return the frames in which a file's coordinates may be, likeliest first, with the evidence for each.

    Parameters
    ----------
    path : a table or layer.
    options : columns, sheet, layer; its frame is not looked at.
    study : its county and roads make the evidence far stronger.

    Raises
    ------
    InputError
        When the file cannot be read or has no coordinates.
    """
    found = file_coordinates(path, options)
    return frame_hypotheses(found.x, found.y, None if study is None else study_ground(study), found.declared)
