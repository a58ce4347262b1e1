"""Where people lived before they moved: a second pair of coordinates in a row, put into the study's CRS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.inputs.frames.systems import convert

if TYPE_CHECKING:
    import pandas as pd

    from planner.inputs.frames.to_study import Region
    from planner.inputs.records import Findings

_X, _Y = "origin_x", "origin_y"


def place_origins(columns: pd.DataFrame, frame: str, region: Region, findings: Findings) -> pd.DataFrame:
    """Return the columns with origin_x, origin_y in the study's CRS; other tables come back as they are.

    A pair of which one half is blank, or that lies where the study's CRS does not hold, is left out and noted; the row
    itself stays. People come from elsewhere, so an origin need not lie in the county.

    Parameters
    ----------
    columns : of one table, one row per record.
    frame : CRS of the file's coordinates, those of the origins among them.
    region : where the study's CRS holds.
    findings : where the notes go.
    """
    if _X not in columns.columns:
        return columns
    x, y = (columns[name].to_numpy(dtype=float, na_value=np.nan) for name in (_X, _Y))
    is_given = np.isfinite(x) & np.isfinite(y)
    moved_x, moved_y = np.full(len(x), np.nan), np.full(len(y), np.nan)
    moved_x[is_given], moved_y[is_given] = convert(x[is_given], y[is_given], frame, region.crs)
    holds = is_given & region.holds(moved_x, moved_y)
    for i in np.flatnonzero((np.isfinite(x) ^ np.isfinite(y)) & ~findings.refused).tolist():
        findings.drop(i, f"{_X}/{_Y}", "origin_half", value=f"{x[i]:g}, {y[i]:g}")
    for i in np.flatnonzero(is_given & ~holds & ~findings.refused).tolist():
        findings.drop(i, f"{_X}/{_Y}", "origin_nowhere", value=f"{x[i]:g}, {y[i]:g}")
    return columns.assign(**{_X: np.where(holds, moved_x, np.nan), _Y: np.where(holds, moved_y, np.nan)})
