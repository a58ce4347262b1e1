"""Heights of nodes, and how slope changes walking speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.crs import transform
from planner.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.study import Grid

_TOBLER_DECAY = 3.5
_TOBLER_OPTIMUM = 0.05


def tobler_factor(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64[n], walking speed on `slope` (rise over run, positive uphill) as a share of that on the level.

    Source: Tobler (1993), Three presentations on geographical analysis and modeling:
    speed_kph = 6 exp(-3.5 |s + 0.05|), here divided by its value at s = 0.
    """
    return np.exp(-_TOBLER_DECAY * (np.abs(slope + _TOBLER_OPTIMUM) - _TOBLER_OPTIMUM))


def sample_heights(grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Return float64[n], metres above sea level at positions given in `crs`; NaN where the grid knows nothing.

    Bilinear between cell centres, in the grid's own CRS, so that heights are interpolated once only. Beside a void the
    known neighbours count alone; within the outer half cell the nearest centres count.

    Raises
    ------
    InputError
        When the grid's transform has no area.
    """
    column, row = _cell_position(grid, *transform(x, y, crs, grid.crs))
    n_rows, n_columns = grid.values.shape
    with np.errstate(invalid="ignore"):
        # Half a cell beyond the outer centres is still the outer cell.
        inside = (np.abs(column - (n_columns - 1) / 2) <= n_columns / 2) & (
            np.abs(row - (n_rows - 1) / 2) <= n_rows / 2
        )
    column = np.clip(np.where(inside, column, 0.0), 0.0, n_columns - 1)
    row = np.clip(np.where(inside, row, 0.0), 0.0, n_rows - 1)
    left, top = np.floor(column).astype(np.int64), np.floor(row).astype(np.int64)
    right, bottom = np.minimum(left + 1, n_columns - 1), np.minimum(top + 1, n_rows - 1)
    u, v = column - left, row - top
    total, weight = np.zeros(len(u)), np.zeros(len(u))
    for r, c, part in (
        (top, left, (1 - u) * (1 - v)), (top, right, u * (1 - v)), (bottom, left, (1 - u) * v), (bottom, right, u * v),
    ):  # fmt: skip
        height = grid.values[r, c].astype(np.float64)
        w = np.where(np.isnan(height), 0.0, part)
        total += np.where(w > 0, height, 0.0) * w
        weight += w
    return np.where(inside & (weight > 0), total / np.maximum(weight, 1e-300), np.nan)


def _cell_position(
    grid: Grid, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return columns and rows counted from the first cell's centre."""
    a, b, c, d, e, f = grid.transform
    area = a * e - b * d
    if area == 0:
        raise InputError("The elevation raster's transform has no area: its cells would be lines. Import it again.")
    column = (e * (x - c) - b * (y - f)) / area
    row = (a * (y - f) - d * (x - c)) / area
    return column - 0.5, row - 0.5
