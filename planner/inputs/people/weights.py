"""Where people live within an area: weighted pieces of buildings, parcels, land use, a raster, roads, bare ground."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner.inputs.columns.cells import choice_key, plain_number
from planner.inputs.columns.headers import normalise
from planner.inputs.frames.choice import choose_frame
from planner.inputs.frames.to_study import centres, study_region, to_study
from planner.inputs.records import Findings, is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.inputs.options import ImportOptions
    from planner.inputs.records import Records
    from planner.ledger import LedgerRow
    from planner.progress import Progress
    from planner.study import Study

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

BUILDING_M2 = 2_000.0
"""Layers whose median polygon is smaller than this are buildings; larger ones are parcels, cut into cells."""
_USES = ("用途", "建筑用途", "用地性质", "用地类型", "土地用途", "地类名称", "地类编码", "地类", "dlmc", "dlbm",
         "landuse", "building", "功能", "类型", "use", "fclass", "type", "class")  # fmt: skip
_FLOORS = (
    "层数",
    "楼层",
    "楼层数",
    "建筑层数",
    "地上层数",
    "floors",
    "floor",
    "buildinglevels",
    "levels",
    "storeys",
    "num_floors",
)
_MAX_FLOORS = 80.0
_POLYGON, _POLYGONS = 3, 6


@dataclass(frozen=True)
class Pieces:
    """Weighted pieces of ground in the study's CRS: where each is (float64[n]), what it weighs, and by which method."""

    x: Floats
    y: Floats
    weight: Floats
    method: str
    findings: tuple[LedgerRow, ...] = ()


def no_pieces(method: str) -> Pieces:
    """Return nothing."""
    return Pieces(np.empty(0), np.empty(0), np.empty(0), method)


def layer_pieces(study: Study, path: Path, options: ImportOptions, cell_m: float) -> Pieces:
    """Return the pieces of a polygon layer: a building is one, weighing its floor area; a parcel one in every cell.

    Weight is the area in square metres, times the floors where a column has them, times the factor of the use where a
    column has uses that `presets/split_weights.toml` knows.

    Raises
    ------
    InputError
        When the file is no polygon layer, or its frame is not known.
    """
    from planner.errors import InputError
    from planner.inputs.tables import read_records
    from planner.schema import BARRIERS_TABLE

    records = read_records(path, BARRIERS_TABLE, options)
    if records.geometry is None:
        raise InputError(
            f"{records.file} has no geometry. People are split by a layer of buildings, parcels or land use."
        )
    findings = Findings(records.file, records.row)
    kind = shapely.get_type_id(records.geometry)
    shapes = records.geometry.copy()
    shapes[~np.isin(kind, (_POLYGON, _POLYGONS))] = None
    if shapely.is_missing(shapes).all():
        raise InputError(
            f"{records.file} holds no polygons. People are split by a layer of buildings, parcels or land use."
        )
    frame = choose_frame(records, options.frame, centres(shapes), study, findings, "areas")
    placed = to_study(shapes, frame, study_region(study, use_county=False), findings, ("", ""), is_bound=False)
    usable = np.flatnonzero(~shapely.is_missing(placed))
    placed = shapely.make_valid(placed[usable])
    factor = _use_factor(records, findings)[usable] * _floors(records)[usable]
    area = shapely.area(placed)
    lived_in = (factor > 0) & (area > 0)
    placed, factor, area = placed[lived_in], factor[lived_in], area[lived_in]
    said = tuple(row for row in findings.rows if row.row == 0)
    if not len(placed):
        return Pieces(np.empty(0), np.empty(0), np.empty(0), "parcels", said)
    method = "buildings" if np.median(area) < BUILDING_M2 else "parcels"
    is_large = area > 2 * cell_m * cell_m
    point = shapely.get_coordinates(shapely.point_on_surface(placed[~is_large]))
    x, y, weight = [point[:, 0]], [point[:, 1]], [area[~is_large] * factor[~is_large]]
    for shape, share in zip(placed[is_large], factor[is_large], strict=True):
        cells = _cut(shape, cell_m)
        middle = shapely.get_coordinates(shapely.point_on_surface(cells))
        x.append(middle[:, 0])
        y.append(middle[:, 1])
        weight.append(shapely.area(cells) * share)
    return Pieces(np.concatenate(x), np.concatenate(y), np.concatenate(weight), method, said)


def raster_pieces(study: Study, path: Path, frame: str | None, within: shapely.Geometry, progress: Progress) -> Pieces:
    """Return a piece for every cell of a raster with a value above 0 whose centre lies in `within`."""
    from planner.inputs.people.population import read_population

    demand, _ = read_population(path, study.crs, within, frame, progress)
    xy = shapely.get_coordinates(demand.geometry.array)
    return Pieces(xy[:, 0], xy[:, 1], demand["population"].to_numpy(float), "raster")


def road_pieces(study: Study, cell_m: float) -> Pieces:
    """Return a piece for every stretch of road of at most half a cell, weighing its length times the class's factor."""
    if not study.has("roads"):
        return no_pieces("roads")
    roads = study.table("roads")
    factors = _weights()["road"]
    factor = np.array([factors.get(str(road_class), 0.0) for road_class in roads["class"]])
    lines = shapely.segmentize(np.asarray(roads.geometry.array, dtype=object)[factor > 0], cell_m / 2)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    joined = np.flatnonzero(line[1:] == line[:-1])
    start, end = xy[joined], xy[joined + 1]
    middle = (start + end) / 2
    length = np.hypot(*(end - start).T)
    return Pieces(middle[:, 0], middle[:, 1], length * factor[factor > 0][line[joined]], "roads")


def ground_pieces(areas: Shapes, cell_m: float) -> Pieces:
    """Return the middles of all cells in the areas, all of one weight; an area smaller than a cell has one piece."""
    found = []
    for shape in areas:
        west, south, east, north = shapely.bounds(shape)
        columns = np.arange(np.floor(west / cell_m), np.ceil(east / cell_m)) + 0.5
        rows = np.arange(np.floor(south / cell_m), np.ceil(north / cell_m)) + 0.5
        x, y = (grid.ravel() * cell_m for grid in np.meshgrid(columns, rows))
        shapely.prepare(shape)
        inside = shapely.contains_xy(shape, x, y)
        found.append(np.column_stack([x[inside], y[inside]]) if inside.any() else _inner_point(shape))
    xy = np.concatenate(found) if found else np.empty((0, 2))
    return Pieces(xy[:, 0], xy[:, 1], np.ones(len(xy)), "ground")


def _inner_point(shape: shapely.Geometry) -> Floats:
    return shapely.get_coordinates(shapely.point_on_surface(shape))


def _cut(shape: shapely.Geometry, cell_m: float) -> Shapes:
    """Return the parts of a polygon in the cells of the grid, without slivers."""
    west, south, east, north = shapely.bounds(shape)
    column, row = (
        grid.ravel() * cell_m
        for grid in np.meshgrid(
            np.arange(np.floor(west / cell_m), np.ceil(east / cell_m)),
            np.arange(np.floor(south / cell_m), np.ceil(north / cell_m)),
        )
    )
    shapely.prepare(shape)
    cells = shapely.box(column, row, column + cell_m, row + cell_m)
    parts = shapely.intersection(cells[shapely.intersects(shape, cells)], shape)
    return np.asarray(parts[shapely.area(parts) > 1.0], dtype=object)


def _use_factor(records: Records, findings: Findings) -> Floats:
    """Return the factor of each record's use; 1 for all where no column has a use that is known."""
    known = _weights()["use"]
    for position in _positions(records.headers, _USES):
        words = [None if is_blank(cell) else choice_key(str(cell)) for cell in records.columns[position]]
        factor = np.array([np.nan if word is None else known.get(word, np.nan) for word in words])
        if not np.isfinite(factor).any():
            continue
        strange = sorted({word for word in words if word is not None and word not in known})
        if strange:
            findings.note(records.headers[position], "use_without_people", n=len(strange), uses=", ".join(strange[:10]))
        return np.nan_to_num(factor)
    return np.ones(len(records))


def _floors(records: Records) -> Floats:
    """Return the floors of each record, 1 where they are not known."""
    for position in _positions(records.headers, _FLOORS):
        cells = records.columns[position]
        values = np.array([np.nan if is_blank(cell) else plain_number(str(cell)) or np.nan for cell in cells], float)
        known = np.isfinite(values) & (values >= 1) & (values <= _MAX_FLOORS)
        if known.any():
            return np.where(known, values, 1.0)
    return np.ones(len(records))


def _positions(headers: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return where headers stand that are one of the names, in the order of the names."""
    plain = [normalise(header) for header in headers]
    return [plain.index(normalise(name)) for name in names if normalise(name) in plain]


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    """Return the shipped factors: "use" by word as `choice_key` writes it, "road" by class."""
    path = resources.files("planner.presets") / "split_weights.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    use = {choice_key(word): float(factor) for factor, words in content["use"].items() for word in words}
    return {"use": use, "road": {name: float(factor) for name, factor in content["road"].items()}}
