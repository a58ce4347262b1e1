"""People of towns and villages put where people live, as demand points: totals kept exactly, methods recorded.

Dasymetric mapping (Wright 1936; Mennis 2003): the people of an area are shared out over its pieces of ground by what
says that people live there, never over its water.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.errors import InputError
from planner.inputs.columns.cells import empty
from planner.inputs.files.rasters import SUFFIXES as RASTER_SUFFIXES
from planner.inputs.people.apportionment import apportion, apportion_groups
from planner.inputs.people.totals import Totals, read_totals
from planner.inputs.people.weights import Pieces, ground_pieces, layer_pieces, no_pieces, raster_pieces, road_pieces
from planner.ledger import Ledger, LedgerRow
from planner.progress import SILENT
from planner.schema import DEMAND

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.inputs.options import ImportOptions
    from planner.progress import Progress
    from planner.study import Study

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

CELL_M = 100.0
"""Side of the cells in which pieces become one demand point."""
WORDS = ("roads", "ground")
"""What people can be split by without a file."""


@dataclass(frozen=True)
class Split:
    """People put where they live.

    Attributes
    ----------
    demand : demand points with columns of `schema.DEMAND`, whole people, nobody lost.
    units : one row an area that people were known of: area_id, name, level, people, method, n_points, weight,
        people_moved (who by the weights alone would have been put on water).
    ledger : of the table of totals, and what the split has to say.
    """

    demand: gpd.GeoDataFrame
    units: pd.DataFrame
    ledger: Ledger


@dataclass(frozen=True)
class _Placed:
    """Pieces with the unit and the village they lie in, by position; -1 = none."""

    x: Floats
    y: Floats
    weight: Floats
    unit: Integers
    village: Integers
    is_wet: NDArray[np.bool_]
    method: NDArray[np.object_]

    def of(self, rows: NDArray[Any]) -> _Placed:
        """Return some of them."""
        return _Placed(*(values[rows] for values in self._columns()))

    def with_more(self, other: _Placed) -> _Placed:
        """Return both."""
        pairs = zip(self._columns(), other._columns(), strict=True)
        return _Placed(*(np.concatenate(pair) for pair in pairs))

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return (self.x, self.y, self.weight, self.unit, self.village, self.is_wet, self.method)


def read_split(study: Study, path: Path, options: ImportOptions, progress: Progress = SILENT) -> Split:
    """Return the people of a table of towns and villages, split by `options.split_by` within each.

    Parameters
    ----------
    study : its areas say where the towns and villages are, its barriers where water is.
    path : table of totals: no coordinates.
    options : columns and sheet of the table; `split_by` ("roads", "ground", or the path of a polygon layer or a
        raster), `cell_m`; frame and layer are those of the layer or raster.

    Raises
    ------
    InputError
        When the study has no areas, nothing matches, or the layer cannot be used.
    """
    progress.update(0, 4, "totals")
    cell_m = CELL_M if options.cell_m is None else options.cell_m
    if not (cell_m == 0 or 1 <= cell_m <= 10_000):  # noqa: PLR2004  a house, a county
        raise InputError(f"Cells of {cell_m:g} m are not possible: give 1 to 10,000, or 0 to keep every piece apart.")
    totals = read_totals(study, path, replace(options, frame=None, layer=None))
    progress.update(1, 4, "weights")
    by = str(options.split_by)
    if by in WORDS:
        pieces = road_pieces(study, cell_m or CELL_M) if by == "roads" else no_pieces("ground")
    elif Path(by).suffix.lower() in RASTER_SUFFIXES:
        whole = shapely.union_all(np.asarray(totals.areas.geometry.array, dtype=object))
        pieces = raster_pieces(study, Path(by), options.frame, whole, progress)
    else:
        layer_options = replace(options, columns={}, sheet=None)
        pieces = layer_pieces(study, Path(by), layer_options, cell_m or CELL_M)
    progress.update(2, 4, "splitting")
    split = split_people(study, totals, pieces, cell_m)
    progress.update(4, 4)
    return split


def split_people(study: Study, totals: Totals, pieces: Pieces, cell_m: float = CELL_M) -> Split:
    """Return the people of every area shared out over its pieces by their weight, first among its villages.

    An area in which no piece has weight falls back on its roads, then on all its ground. Pieces on water (polygons of
    rivers among the barriers) get nobody; who they would have had is counted. So are pieces in no area.
    """
    villages = _villages(study)
    placed = _place(study, totals, villages, pieces)
    n_outside = int((placed.unit < 0).sum())
    placed = placed.of(placed.unit >= 0)
    for method in WORDS if pieces.method != "ground" else ("ground",):
        lacking = _lacking(totals, placed)
        if len(lacking):
            found = _place(study, totals, villages, _fallback(study, totals, lacking, method, cell_m or CELL_M))
            placed = placed.with_more(found.of(np.isin(found.unit, lacking)))
    lacking = _lacking(totals, placed)
    if len(lacking):
        names = ", ".join(totals.areas["name"].iloc[lacking[:5]])
        raise InputError(
            f"{len(lacking)} areas are all water, so that nobody can live there: {names}. Check the barriers."
        )
    cells = _cells(placed.of(~placed.is_wet), cell_m)
    people, groups = _shared(totals, cells)
    units = _units(totals, placed, cells, people)
    kept = np.flatnonzero(people > 0)
    demand = _demand((study, totals, villages), cells.iloc[kept], people[kept], {k: g[kept] for k, g in groups.items()})
    return Split(demand, units, _ledger(totals, pieces, units, n_outside))


def _villages(study: Study) -> gpd.GeoDataFrame:
    areas = study.table("areas")
    return areas[areas["level"] == "village"].reset_index(drop=True)


def _place(study: Study, totals: Totals, villages: gpd.GeoDataFrame, pieces: Pieces) -> _Placed:
    """Return the pieces with where they lie; a village with a figure of its own goes before its town."""
    points = shapely.points(pieces.x, pieces.y)
    shapes, level = _shapes(totals.areas), totals.areas["level"].to_numpy(object)
    unit = np.full(len(points), -1, dtype=np.int64)
    for own in (np.flatnonzero(level != "village"), np.flatnonzero(level == "village")):
        found = _owner(points, shapes[own])
        unit[found >= 0] = own[found[found >= 0]]
    village = _owner(points, _shapes(villages))
    # A village that reaches into a neighbouring town is split in its own town only.
    both = np.flatnonzero((village >= 0) & (unit >= 0))
    code = totals.areas["area_id"].to_numpy(object)[unit[both]]
    at = village[both]
    is_own = (villages["parent_id"].to_numpy(object)[at] == code) | (villages["area_id"].to_numpy(object)[at] == code)
    kept = np.full(len(points), -1, dtype=np.int64)
    kept[both[is_own]] = at[is_own]
    method = np.full(len(points), pieces.method, dtype=object)
    return _Placed(pieces.x, pieces.y, pieces.weight, unit, kept, _owner(points, _water(study)) >= 0, method)


def _shapes(areas: gpd.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(areas.geometry.array, dtype=object)


def _water(study: Study) -> NDArray[np.object_]:
    """Return the polygons among the barriers that are rivers or lakes."""
    if not study.has("barriers"):
        return np.empty(0, dtype=object)
    barriers = study.table("barriers")
    shapes = _shapes(barriers[barriers["kind"] == "river"])
    return shapes[shapely.get_dimensions(shapes) == 2]  # noqa: PLR2004  areas


def _owner(points: NDArray[np.object_], shapes: NDArray[np.object_]) -> Integers:
    """Return the first shape in which each point lies, -1 for none."""
    owner = np.full(len(points), -1, dtype=np.int64)
    if len(points) and len(shapes):
        point, shape = shapely.STRtree(shapes).query(points, predicate="intersects")
        order = np.lexsort((shape, point))[::-1]
        owner[point[order]] = shape[order]
    return owner


def _lacking(totals: Totals, placed: _Placed) -> Integers:
    """Return the units with people for whom no dry piece has weight."""
    weight = np.bincount(placed.unit, weights=placed.weight * ~placed.is_wet, minlength=len(totals.people))
    return np.flatnonzero((totals.people > 0) & ~(weight > 0))


def _fallback(study: Study, totals: Totals, lacking: Integers, method: str, cell_m: float) -> Pieces:
    """Return the pieces for the units that lack weight."""
    if method == "roads":
        return road_pieces(study, cell_m)
    return ground_pieces(_shapes(totals.areas)[lacking], cell_m)


def _cells(placed: _Placed, cell_m: float) -> pd.DataFrame:
    """Return one row a unit, village and cell: unit, village, weight, and x, y of its heaviest piece.

    Rows are in the order of unit, village, and cells from the north-west.
    """
    table = pd.DataFrame({"unit": placed.unit, "village": placed.village, "weight": placed.weight, "x": placed.x})
    table["y"] = placed.y
    table = table[table["weight"] > 0]
    if not cell_m:
        return table.sort_values(["unit", "village"], kind="stable").reset_index(drop=True)
    table["row"] = -np.floor(table["y"] / cell_m)
    table["column"] = np.floor(table["x"] / cell_m)
    table = table.sort_values(
        ["unit", "village", "row", "column", "weight"], ascending=[True] * 4 + [False], kind="stable"
    )
    grouped = table.groupby(["unit", "village", "row", "column"], sort=False)
    cells = grouped[["x", "y"]].first()
    cells["weight"] = grouped["weight"].sum()
    return cells.reset_index()


def _shared(totals: Totals, cells: pd.DataFrame) -> tuple[Integers, dict[str, Integers]]:
    """Return the people and the groups of each cell: units to villages, villages to cells."""
    keys = cells[["unit", "village"]].to_numpy(np.int64)
    pairs, part = np.unique(keys, axis=0, return_inverse=True)
    first, part = pairs[:, 0].astype(np.int64), part.ravel().astype(np.int64)
    weight = cells["weight"].to_numpy(float)
    of_part = apportion(totals.people, first, np.bincount(part, weights=weight, minlength=len(first)).astype(float))
    groups_of_part = apportion_groups(of_part, first, totals.groups)
    people = apportion(of_part, part, weight)
    return people, apportion_groups(people, part, groups_of_part)


def _units(totals: Totals, placed: _Placed, cells: pd.DataFrame, people: Integers) -> pd.DataFrame:
    """Return the table of units: the method that gave each its weights, and who was moved off the water."""
    n = len(totals.people)
    unit = cells["unit"].to_numpy(np.int64)
    every = np.bincount(placed.unit, weights=placed.weight, minlength=n)
    dry = np.bincount(placed.unit, weights=placed.weight * ~placed.is_wet, minlength=n)
    wet_share = np.divide(every - dry, every, out=np.zeros(n), where=every > 0)
    # The last method that was tried for a unit is the one that gave it weight.
    method = pd.Series(placed.method[~placed.is_wet], dtype=object).groupby(placed.unit[~placed.is_wet]).last()
    table = totals.areas[["area_id", "name", "level"]].reset_index(drop=True)
    return table.assign(
        people=totals.people,
        method=[method.get(i, "") for i in range(n)],
        n_points=np.bincount(unit[people > 0], minlength=n),
        weight=dry,
        people_moved=np.round(totals.people * wet_share).astype(np.int64),
    )


def _demand(
    known: tuple[Study, Totals, gpd.GeoDataFrame], cells: pd.DataFrame, people: Integers, groups: dict[str, Integers]
) -> gpd.GeoDataFrame:
    """Return the cells with people as demand points, named after their village or town."""
    import geopandas as gpd

    study, totals, villages = known
    units = totals.areas
    unit, village = cells["unit"].to_numpy(np.int64), cells["village"].to_numpy(np.int64)
    has_village = village >= 0
    areas = study.table("areas")
    name_of = dict(zip(areas["area_id"], areas["name"], strict=True))
    is_town = units["level"].to_numpy(object)[unit] == "town"
    town = np.where(is_town, units["area_id"].to_numpy(object)[unit], units["parent_id"].to_numpy(object)[unit])

    def of_village(column: str, otherwise: NDArray[np.object_]) -> NDArray[np.object_]:
        values = otherwise.copy()
        values[has_village] = villages[column].to_numpy(object)[village[has_village]]
        return values

    code = of_village("area_id", units["area_id"].to_numpy(object)[unit])
    number = pd.Series(code).groupby(code).cumcount().to_numpy() + 1
    columns: dict[str, Any] = {column.name: empty(column, len(cells)) for column in DEMAND.columns}
    columns["demand_id"] = [f"{area}-{i:05d}" for area, i in zip(code, number, strict=True)]
    columns["population"] = people.astype(float)
    columns |= {name: shared.astype(float) for name, shared in groups.items()}
    columns["town"] = pd.Series([name_of.get(area) for area in town], dtype="str")
    columns["village"] = pd.Series(of_village("name", np.full(len(cells), None, dtype=object)), dtype="str")
    columns["class"] = pd.Series(of_village("class", units["class"].to_numpy(object)[unit]), dtype="str")
    points = shapely.points(cells["x"].to_numpy(float), cells["y"].to_numpy(float))
    return gpd.GeoDataFrame(columns, geometry=points, crs=study.crs)


def _ledger(totals: Totals, pieces: Pieces, units: pd.DataFrame, n_outside: int) -> Ledger:
    """Return the ledger of the totals with what the split has to say, one row a kind."""
    file = totals.file
    rows = [replace(row, file=file) for row in pieces.findings]
    moved = units[units["people_moved"] > 0]
    if len(moved):
        values = {"people": int(moved["people_moved"].sum()), "n": len(moved)}
        rows.append(LedgerRow(file, 0, "", "split_moved", values, is_refused=False))
    if n_outside:
        counts = {"n": n_outside, "total": len(pieces.x)}
        rows.append(LedgerRow(file, 0, "", "split_outside", counts, is_refused=False))
    for method in ("roads", "ground"):
        fallen = units[(units["method"] == method) & (units["people"] > 0)]
        if method != pieces.method and len(fallen):
            names = {"n": len(fallen), "names": ", ".join(fallen["name"].iloc[:10])}
            rows.append(LedgerRow(file, 0, "", f"split_by_{method}", names, is_refused=False))
    return totals.ledger.merged(Ledger(0, 0, tuple(rows)))
