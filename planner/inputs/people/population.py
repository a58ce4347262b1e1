"""People per cell of a raster, as demand points at the centres of the cells: their sum is kept exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.crs import require_metric, transform
from planner.errors import InputError
from planner.inputs.columns.cells import empty
from planner.inputs.files.members import member_name
from planner.inputs.files.rasters import (
    open_rasters,
    raster_crs,
    require_readable,
    transform_of,
    values_of,
    window_of,
)
from planner.inputs.people.plausible import covered_share_of_county, most_people, undeclared_nodata
from planner.ledger import Ledger, LedgerRow
from planner.progress import SILENT
from planner.schema import DEMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import shapely
    from numpy.typing import NDArray

    from planner.inputs.files.rasters import Transform

    _People = tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    from planner.progress import Progress

WINDOW_CELLS = 4_000_000
"""Cells read at a time: 32 MB, however large the raster is."""
MAX_CELL_M = 10_000.0
"""A larger cell is a town."""
MAX_POINTS = 5_000_000
"""More demand points than this are no county."""
WHOLE_SHARE = 0.99
"""A raster that covers less of the county's area leaves people out, and is told wherever its people are counted."""
_NAMED = 5


def read_population(  # noqa: PLR0913, PLR0917  what an import may choose
    path: str | Path,
    crs: str,
    county: shapely.Geometry | None = None,
    frame: str | None = None,
    progress: Progress = SILENT,
    cell_m: float = 0.0,
    layer: str | None = None,
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Return one demand point for every cell with people, at its centre in the metric `crs`, and the counts.

    Reprojecting moves the points and never the people, so the total of the raster is kept. Cells without a value are
    counted, not taken for empty, and so are values that stand for "none" undeclared (`undeclared_nodata`). Negative
    cells are refused, those with more people than they have room for (`most_people`), and those whose centre lies
    outside the county.

    Parameters
    ----------
    path : GeoTIFF (or a zip with one) of people per cell; not people per square kilometre.
    crs : of the study.
    county : its outline in `crs`; None takes every cell.
    frame : CRS of the raster, overriding what it says.
    progress : told after every window.
    cell_m : side of the cells in metres of `crs` into which finer ones are put together, each point at the middle of
        its people; 0 keeps every cell of the raster.
    layer : name of the one raster of an archive that counts.

    Returns
    -------
    Columns of `schema.DEMAND`, and counts: `n_cells` read, `n_nodata`, `n_empty` (nobody lives there), `n_negative`,
    `n_crowded`, `n_outside`, `n_peopled` (taken), `n_points`, the sums `people_outside`, `people`, `most_people` (the
    bound of a cell), `covers_share` (of the county's area) and `marks` (undeclared value -> cells).

    Raises
    ------
    InputError
        When the file is no usable raster, or nobody lives in it.
    CrsError
        When its CRS is not known, or `crs` is not metric.
    """
    import geopandas as gpd
    import shapely

    require_metric(crs)
    if not 0 <= cell_m <= MAX_CELL_M:
        raise InputError(f"Cells of {cell_m:g} m are not possible: give 1 to 10,000, or 0 to keep every piece apart.")
    path = Path(path)
    counts: dict[str, Any] = dict.fromkeys(
        ("n_cells", "n_nodata", "n_empty", "n_negative", "n_crowded", "n_outside", "n_peopled"), 0
    )
    counts["people_outside"] = 0.0
    taken: list[_People] = []
    with open_rasters(path, layer) as datasets:
        if len(datasets) > 1:
            names = ", ".join(sorted(map(member_name, datasets))[:_NAMED])
            raise InputError(
                f"{path.name} holds {len(datasets)} rasters: {names}. "
                "Name the one with the people per cell with --layer."
            )
        dataset = datasets[0]
        source = raster_crs(dataset, path.name, frame)
        bounds = None if county is None else tuple(shapely.bounds(county).tolist())
        window = window_of(dataset, source, bounds, crs, margin=1)
        if window is None:
            raise InputError(f"{path.name} does not reach the county. Take a raster that covers it.")
        require_readable(window, path.name)
        strips = (values_of(dataset, part, path.name) for part, _ in _strips(window))
        counts["marks"] = undeclared_nodata(strips, dataset.dtypes[0])
        counts["most_people"] = most_people(dataset, window, source, crs)
        counts["covers_share"] = covered_share_of_county(dataset, county, source, crs)
        for part, done in _strips(window):
            progress.update(done, float(window.height), "population")
            values = values_of(dataset, part, path.name)
            values[np.isin(values, list(counts["marks"]))] = np.nan
            cells = _Cells(values, transform_of(dataset), part)
            found = _people(cells, (source, crs), county, counts)
            taken = [_together([*taken, found], cell_m)] if cell_m else [*taken, found]
            n_points = sum(len(part[0]) for part in taken)
            if n_points > MAX_POINTS:
                raise InputError(
                    f"{path.name} has people in more than {MAX_POINTS:,} cells. Clip it to the county first, or name "
                    "larger cells with --cell, such as --cell 100."
                )
    ids, x, y, people = (np.concatenate(column) for column in zip(*taken, strict=True))
    if not len(people):
        raise InputError(f"{path.name} holds nobody in the county: no cell has a value above 0.")
    columns: dict[str, Any] = {column.name: empty(column, len(people)) for column in DEMAND.columns}
    columns |= {"demand_id": ids, "population": people}
    counts |= {"n_points": len(people), "people": float(people.sum())}
    progress.update(1, 1)
    return gpd.GeoDataFrame(columns, geometry=shapely.points(x, y), crs=crs), counts


def raster_frame(path: str | Path, frame: str | None = None, layer: str | None = None) -> str:
    """Return the CRS in which a raster of people is taken.

    Raises
    ------
    InputError
        When the file is no usable raster.
    CrsError
        When its CRS is not known.
    """
    path = Path(path)
    with open_rasters(path, layer) as datasets:
        return raster_crs(datasets[0], path.name, frame)


def population_ledger(file: str, counts: dict[str, Any]) -> Ledger:
    """Return the ledger of one raster: a row is a cell whose value is not 0; refused are impossible and outer ones."""
    n_refused = int(counts["n_negative"] + counts["n_crowded"] + counts["n_outside"])
    people, outside = counts["people"], counts["people_outside"]
    sums = {"total": f"{people + outside:,.1f}", "people": f"{people:,.1f}", "outside": f"{outside:,.1f}"}
    rows = [LedgerRow(file, 0, "", "cells_sum", {**sums, "n": int(counts["n_points"])}, is_refused=False)]
    if counts["n_negative"]:
        rows.append(LedgerRow(file, 0, "", "cells_negative", {"n": int(counts["n_negative"])}))
    if counts["n_crowded"]:
        values = {"n": int(counts["n_crowded"]), "limit": f"{counts['most_people']:,.0f}"}
        rows.append(LedgerRow(file, 0, "", "cells_crowded", values))
    for value, n in counts["marks"].items():
        rows.append(LedgerRow(file, 0, "", "cells_marked", {"value": f"{value:.10g}", "n": n}, is_refused=False))
    if counts["covers_share"] < WHOLE_SHARE:
        rows.append(
            LedgerRow(file, 0, "", "raster_covers_part", {"share": f"{counts['covers_share']:.0%}"}, is_refused=False)
        )
    if counts["n_outside"]:
        people = round(counts["people_outside"])
        rows.append(LedgerRow(file, 0, "", "cells_outside", {"n": int(counts["n_outside"]), "people": people}))
    if counts["n_nodata"]:
        values = {"n": int(counts["n_nodata"]), "total": int(counts["n_cells"])}
        rows.append(LedgerRow(file, 0, "", "cells_nodata", values, is_refused=False))
    return Ledger(int(counts["n_peopled"]) + n_refused, n_refused, tuple(rows))


class _Cells:
    """The values of one strip of a raster, and where its cells are."""

    def __init__(self, values: NDArray[np.float64], transform: Transform, window: Any) -> None:  # noqa: ANN401
        self.values = values
        self.transform = transform
        self.first = (int(window.row_off), int(window.col_off))

    def centres(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
        """Return x, y of the centres of cells, counted from the strip's first."""
        a, b, c, d, e, f = self.transform
        across, down = column + self.first[1] + 0.5, row + self.first[0] + 0.5
        return a * across + b * down + c, d * across + e * down + f

    def ids(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> list[str]:
        """Return ids that name the cell: its row and column in the file, from 1."""
        rows, columns = (row + self.first[0] + 1).tolist(), (column + self.first[1] + 1).tolist()
        return [f"r{r}c{c}" for r, c in zip(rows, columns, strict=True)]


def _strips(window: Any) -> Iterator[tuple[Any, float]]:  # noqa: ANN401  rasterio windows
    """Yield strips of whole rows of the window, and the rows done before each."""
    from rasterio.windows import Window

    n_rows = max(int(WINDOW_CELLS // window.width), 1)
    for start in range(0, int(window.height), n_rows):
        height = min(n_rows, int(window.height) - start)
        yield Window(window.col_off, window.row_off + start, window.width, height), float(start)


def _people(cells: _Cells, frames: tuple[str, str], county: shapely.Geometry | None, counts: dict[str, Any]) -> _People:
    """Return id, x, y and people of the cells of a strip that count, and add the others to the counts."""
    import shapely

    values = cells.values
    with np.errstate(invalid="ignore"):
        counts["n_cells"] += values.size
        counts["n_nodata"] += int(np.isnan(values).sum())
        counts["n_empty"] += int((values == 0).sum())
        counts["n_negative"] += int((values < 0).sum())
        counts["n_crowded"] += int((values > counts["most_people"]).sum())
        row, column = np.nonzero((values > 0) & (values <= counts["most_people"]))
    people = values[row, column]
    x, y = transform(*cells.centres(row, column), *frames)
    inside = np.isfinite(x) & np.isfinite(y)
    if county is not None:
        shapely.prepare(county)
        inside &= shapely.contains_xy(county, x, y)
    counts["n_outside"] += int((~inside).sum())
    counts["people_outside"] += float(people[~inside].sum())
    counts["n_peopled"] += int(inside.sum())
    ids = np.asarray(cells.ids(row[inside], column[inside]), dtype=object)
    return ids, x[inside], y[inside], people[inside]


def _together(parts: list[_People], cell_m: float) -> _People:
    """Return the people of larger cells, from the north-west: id, the middle of the people, their number."""
    _, x, y, people = (np.concatenate(column) for column in zip(*parts, strict=True))
    # A middle of people lies in its cell, so that cells come together again with those of the next strip.
    column, row = np.floor(x / cell_m), np.floor(y / cell_m)
    keys, owner = np.unique(np.column_stack([-row, column]), axis=0, return_inverse=True)
    owner = owner.ravel()
    total = np.bincount(owner, weights=people, minlength=len(keys))
    middle = [np.bincount(owner, weights=people * values, minlength=len(keys)) / total for values in (x, y)]
    for values, key in zip(middle, (keys[:, 1], -keys[:, 0]), strict=True):
        np.clip(values, key * cell_m, np.nextafter((key + 1) * cell_m, -np.inf), out=values)
    ids = [f"x{east:.0f}y{north:.0f}" for north, east in zip(-keys[:, 0], keys[:, 1], strict=True)]
    return np.asarray(ids, dtype=object), middle[0], middle[1], np.asarray(total, dtype=np.float64)
