"""Heights above sea level from GeoTIFF and SRTM tiles, as one grid in its own CRS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.crs import WGS84
from planner.errors import InputError
from planner.inputs.files.members import height_members, is_about_heights
from planner.inputs.files.rasters import cell_at, open_rasters, place_of, raster_crs, transform_of, values_of, window_of
from planner.ledger import Ledger, LedgerRow
from planner.progress import SILENT
from planner.study import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from planner.inputs.files.rasters import Bounds, Transform
    from planner.progress import Progress

MAX_CELLS = 60_000_000
"""A grid of more cells is read coarser: 240 MB, and far finer than slopes of roads need."""
LOWEST_M, HIGHEST_M = -500.0, 9_000.0
"""No land is lower or higher (Dead Sea shore -430 m, Everest 8,849 m): other values are voids."""
MAX_VOID_CELLS = 10_000
"""Larger voids (9 km2 at 30 m) are not filled: a mountain may stand in them."""

# What makes a raster of heights doubtful, by the code that says so.
_DOUBTS_OF_FILE: Mapping[str, Callable[[Any], bool]] = {
    "heights_in_bytes": lambda dataset: dataset.dtypes[0] in ("uint8", "int8"),
    "heights_of_several_bands": lambda dataset: dataset.count > 1,
    "heights_named_otherwise": is_about_heights,
}
_MARGIN_CELLS = 8
_ALIGNED = 0.01


def read_elevation(  # noqa: PLR0913  what an import may choose
    path: str | Path,
    bounds: Bounds | None = None,
    bounds_crs: str = WGS84,
    frame: str | None = None,
    progress: Progress = SILENT,
    *,
    is_partial: bool = False,
    layer: str | None = None,
) -> tuple[Grid, dict[str, Any]]:
    """Return heights in metres as a grid in the raster's own CRS, and the counts of its cells.

    Voids that known heights surround are interpolated from their rim, up to `MAX_VOID_CELLS` each; larger voids and
    those that reach the edge stay unknown.

    Parameters
    ----------
    path : GeoTIFF, `.hgt`, or a zip with one of them or with adjoining tiles; rasters beside them that say something
        about the heights (masks, counts, errors) are set aside.
    bounds : west, south, east, north of what is needed; the rest is not read.
    bounds_crs : of `bounds`.
    frame : CRS of the raster, overriding what it says.
    progress : told between steps.
    is_partial : more may be needed later than `bounds`: a raster of up to `MAX_CELLS` is kept whole.
    layer : name of the one raster of an archive that counts; None = found out.

    Returns
    -------
    Grid, and counts: `n_cells`, `n_voids`, `n_filled`, `n_unknown` (voids left), `n_coarser` (cells of the file that
    each cell of the grid stands for, along one side; 1 = all read), `n_impossible` (no land is so high or low),
    `aside` (rasters set aside) and `doubts` (codes of the ledger: what does not look like heights).

    Raises
    ------
    InputError
        When the file is no usable raster, lies outside `bounds` or holds no height, or when two of its rasters cover
        one extent.
    CrsError
        When its CRS is not known.
    """
    path = Path(path)
    progress.update(0, 2, "elevation")
    with open_rasters(path, layer) as opened:
        datasets, aside = height_members(opened, path.name)
        doubts = [code for code, is_so in _DOUBTS_OF_FILE.items() if any(map(is_so, datasets))]
        crs = raster_crs(datasets[0], path.name, frame)
        if datasets[0].units[0] in ("ft", "feet", "foot", "us-ft"):
            raise InputError(f"{path.name} holds heights in feet. Convert it to metres first.")
        windows = [(dataset, window_of(dataset, crs, bounds, bounds_crs, _MARGIN_CELLS)) for dataset in datasets]
        parts = [(dataset, window) for dataset, window in windows if window is not None]
        if not parts:
            raise InputError(f"{path.name} does not reach the county. Take a raster that covers it.")
        if is_partial:
            parts = _whole_if_small(datasets, parts)
        values, transform, n_coarser = _joined(parts, path.name)
    progress.update(1, 2, "elevation")
    values, transform = _north_up(values, transform)
    n_impossible = _without_impossible(values, path.name)
    if np.nanmin(values, initial=np.inf) == np.nanmax(values, initial=-np.inf):
        doubts.append("heights_constant")
    is_void = np.isnan(values)
    if is_void.all():
        raise InputError(f"{path.name} holds no height in the county: every cell is empty.")
    filled = _filled(values.astype(np.float32), is_void)
    n_left = int(np.isnan(filled).sum())
    counts = {
        "n_cells": values.size,
        "n_voids": int(is_void.sum()),
        "n_filled": int(is_void.sum()) - n_left,
        "n_unknown": n_left,
        "n_coarser": n_coarser,
        "n_impossible": n_impossible,
        "aside": aside,
        "doubts": doubts,
    }
    progress.update(2, 2)
    return Grid(filled, transform, crs, "m"), counts


def _without_impossible(values: NDArray[np.float64], file: str) -> int:
    """Make voids of the heights that no land has, and return how many they are.

    Raises
    ------
    InputError
        When they are most of the file's values: it holds something else, or heights in another unit.
    """
    with np.errstate(invalid="ignore"):
        is_impossible = (values < LOWEST_M) | (values > HIGHEST_M)
    n, n_known = int(is_impossible.sum()), int(np.isfinite(values).sum())
    if n > n_known / 2:
        low, high = np.nanmin(values), np.nanmax(values)
        raise InputError(
            f"{file} holds no heights in metres: its values run from {low:.6g} to {high:.6g}. Take the heights "
            "themselves, in metres above sea level."
        )
    values[is_impossible] = np.nan
    return n


def elevation_ledger(file: str, counts: dict[str, Any]) -> Ledger:
    """Return the ledger of one raster: one row in, with notes on voids, a coarser reading, and what is doubted."""
    notes = [
        LedgerRow(file, 0, "", code, {"n": counts[key], "total": counts["n_cells"]}, is_refused=False)
        for key, code in (("n_filled", "voids_filled"), ("n_unknown", "voids_left"))
        if counts[key]
    ]
    if counts["n_impossible"]:
        values = {"n": counts["n_impossible"], "low": f"{LOWEST_M:.0f}", "high": f"{HIGHEST_M:.0f}"}
        notes.append(LedgerRow(file, 0, "", "heights_impossible", values, is_refused=False))
    if counts["aside"]:
        notes.append(LedgerRow(file, 0, "", "rasters_aside", {"names": ", ".join(counts["aside"])}, is_refused=False))
    notes += [LedgerRow(file, 0, "", code, {}, is_refused=False) for code in counts["doubts"]]
    if counts["n_coarser"] > 1:
        notes.append(LedgerRow(file, 0, "", "raster_coarser", {"n": counts["n_coarser"]}, is_refused=False))
    return Ledger(1, 0, tuple(notes))


def _whole_if_small(datasets: Sequence[Any], parts: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return all tiles with all their cells where they can be kept, else `parts`."""
    from rasterio.windows import Window

    west, south, east, north = (
        pick(dataset.bounds[i] for dataset in datasets) for i, pick in enumerate((min, min, max, max))
    )
    a, b, _, d, e, _ = transform_of(datasets[0])
    n_cells = (east - west) * (north - south) / abs(a * e - b * d)
    if n_cells > MAX_CELLS:
        return parts
    return [(dataset, Window(0, 0, dataset.width, dataset.height)) for dataset in datasets]


def _joined(parts: Sequence[tuple[Any, Any]], file: str) -> tuple[NDArray[np.float64], Transform, int]:
    """Return the windows of all tiles as one array, its transform, and how much coarser it is than the file."""
    first, window = parts[0]
    if len(parts) == 1:
        n_coarser = int(np.ceil(np.sqrt(window.width * window.height / MAX_CELLS)))
        shape = (-(-int(window.height) // n_coarser), -(-int(window.width) // n_coarser))
        values = values_of(first, window, file, shape)
        step = (window.width / shape[1], window.height / shape[0])
        a, b, _, d, e, _ = transform_of(first)
        c, f = place_of(transform_of(first), window.col_off, window.row_off)
        return values, (a * step[0], b * step[1], c, d * step[0], e * step[1], f), n_coarser
    places = [_place(dataset, window, first, file) for dataset, window in parts]
    left, top = (min(place[i] for place in places) for i in (0, 1))
    width = max(column + int(window.width) for (column, _), (_, window) in zip(places, parts, strict=True)) - left
    height = max(row + int(window.height) for (_, row), (_, window) in zip(places, parts, strict=True)) - top
    if width * height > MAX_CELLS:
        raise InputError(f"{file} holds {width * height:,} cells in {len(parts)} tiles. Join and clip them first.")
    values = np.full((height, width), np.nan)
    for (column, row), (dataset, part) in zip(places, parts, strict=True):
        there = values[row - top : row - top + int(part.height), column - left : column - left + int(part.width)]
        tile = values_of(dataset, part, file)
        there[:] = np.where(np.isnan(tile), there, tile)
    x, y = place_of(transform_of(first), left, top)
    a, b, _, d, e, _ = transform_of(first)
    return values, (a, b, x, d, e, y), 1


def _place(dataset: Any, window: Any, first: Any, file: str) -> tuple[int, int]:  # noqa: ANN401  rasterio datasets
    """Return the column and row of a tile's window on the grid of the first tile."""
    own, theirs = transform_of(dataset), transform_of(first)
    column, row = cell_at(theirs, *place_of(own, window.col_off, window.row_off))
    size = abs(theirs[0]) + abs(theirs[1])
    same_scale = all(abs(own[i] - theirs[i]) < size / (10 * max(dataset.width, dataset.height)) for i in (0, 1, 3, 4))
    if dataset.crs != first.crs or not same_scale or min(abs(column % 1 - 0.5), abs(row % 1 - 0.5)) < 0.5 - _ALIGNED:
        raise InputError(f"{file} holds tiles that do not adjoin on one grid. Join them in a GIS first.")
    return round(column), round(row)


def _north_up(values: NDArray[np.float64], transform: Transform) -> tuple[NDArray[np.float64], Transform]:
    """Return the grid with row 0 in the north."""
    a, b, c, d, e, f = transform
    if e <= 0 or b or d:
        return values, transform
    return values[::-1], (a, b, c, d, -e, f + e * len(values))


def _filled(values: NDArray[np.float32], is_void: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the heights with every void filled that neither reaches the edge nor is larger than `MAX_VOID_CELLS`.

    Each filled cell is the mean of its four neighbours (Laplace's equation): planes are continued exactly, and no
    height lies outside the range of the rim.
    """
    if not is_void.any():
        return values
    from scipy import ndimage
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    label, n_voids = ndimage.label(is_void, structure=np.ones((3, 3)))
    is_fillable = np.bincount(label.ravel(), minlength=n_voids + 1) <= MAX_VOID_CELLS
    is_fillable[np.concatenate((label[0], label[-1], label[:, 0], label[:, -1]))] = False
    is_fillable[0] = False
    row, column = np.nonzero(is_fillable[label])
    n = len(row)
    if not n:
        return values
    unknown = np.full(values.shape, -1, dtype=np.int64)
    unknown[row, column] = np.arange(n)
    known = np.zeros(n)
    entries = [(np.arange(n), np.arange(n), np.full(n, 4.0))]
    for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        beside = unknown[row + down, column + across]
        is_known = beside < 0
        known[is_known] += values[row + down, column + across][is_known]
        cells = np.flatnonzero(~is_known)
        entries.append((cells, beside[cells], np.full(len(cells), -1.0)))
    rows, columns, weights = (np.concatenate(part) for part in zip(*entries, strict=True))
    filled = values.copy()
    filled[row, column] = splu(csc_array((weights, (rows, columns)), shape=(n, n))).solve(known)
    return filled
