"""From the frame of a file to the study's CRS: which frame it is, swapped coordinates, places that cannot be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely

from planner.crs import WGS84, parse_crs, transform
from planner.inputs.columns.angles import parse_angle
from planner.inputs.columns.cells import plain_number
from planner.inputs.frames.systems import convert, is_degrees, old_datum
from planner.inputs.records import is_blank, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from planner.inputs.records import Findings, Records
    from planner.study import Study

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

# A boundary is drawn less carefully than a building is placed: a place this near it still counts as inside.
OUTSIDE_TOLERANCE_M = 1_000.0
# A CRS is used a little beyond its official area: counties do not end at a zone's meridian.
_BEYOND_AREA_OF_USE_DEG = 2.0
_PART = 4_096
_MAX_LON, _MAX_LAT = 180.0, 90.0
_PLAIN = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """Where places of a study may lie.

    Attributes
    ----------
    crs : the study's.
    bounds : lon and lat within which `crs` may be used: west, south, east, north.
    county : the county's outline in `crs`, widened by the tolerance; None where no boundary was imported.
    """

    crs: str
    bounds: tuple[float, float, float, float]
    county: shapely.Geometry | None = None

    def holds(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether each x, y of `crs` lies where the CRS may be used."""
        lon, lat = transform(x, y, self.crs, WGS84)
        west, south, east, north = self.bounds
        with np.errstate(invalid="ignore"):
            return np.isfinite(lon) & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)

    def contains(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Whether each x, y of `crs` lies in the county, or, without a boundary, where the CRS may be used."""
        if self.county is None:
            return self.holds(x, y)
        return np.asarray(shapely.contains_xy(self.county, x, y))


def study_region(study: Study, *, use_county: bool = True) -> Region:
    """Return where places of the study may lie, from its boundary and its CRS."""
    west, south, east, north = _area_of_use(study.crs)
    beyond = _BEYOND_AREA_OF_USE_DEG
    bounds = (west - beyond, south - beyond, east + beyond, north + beyond)
    outline = county_outline(study) if use_county else None
    if outline is None:
        return Region(study.crs, bounds)
    county = outline.buffer(OUTSIDE_TOLERANCE_M)
    shapely.prepare(county)
    return Region(study.crs, bounds, county)


def county_outline(study: Study) -> shapely.Geometry | None:
    """Return the county's outline in the study's CRS, None where no boundary was imported."""
    if not study.has("areas"):
        return None
    areas = study.table("areas")
    outlines = areas.geometry[areas["level"] == "county"]
    return shapely.union_all(outlines.to_numpy()) if len(outlines) else None


def points_of(records: Records, found: Mapping[str, int], findings: Findings) -> Shapes:
    """Return a point per record from its coordinate columns, None (and a refusal) where there is none."""
    n_rows = len(records)
    columns = {}
    for name in ("x", "y"):
        header = records.headers[found[name]]
        values = np.full(n_rows, np.nan)
        for i, cell in enumerate(records.columns[found[name]]):
            values[i] = _coordinate(i, cell, header, findings)
        columns[name] = values
    x, y = columns["x"], columns["y"]
    points = np.full(n_rows, None, dtype=object)
    usable = np.isfinite(x) & np.isfinite(y)
    points[usable] = shapely.points(x[usable], y[usable])
    return points


def to_study(
    geometry: Shapes, frame: str, region: Region, findings: Findings, columns: tuple[str, str], *, is_bound: bool
) -> Shapes:
    """Return the shapes in the study's CRS; swapped coordinates are mended, impossible places refused.

    Parameters
    ----------
    geometry : shapes in `frame`; None where a record has none.
    frame : their CRS.
    region : where they may lie.
    findings : where repairs and refusals go.
    columns : the headers of x and y, "" for a layer.
    is_bound : whether a place outside the county is refused.
    """
    if old_datum(frame):
        findings.note("", f"frame_{old_datum(frame)}")
    x, y = _centres(geometry)
    tx, ty = convert(x, y, frame, region.crs)
    sx, sy = convert(y, x, frame, region.crs)
    known = np.isfinite(x) & np.isfinite(y)
    swapped = known & ~region.contains(tx, ty) & region.contains(sx, sy)
    column = "/".join(name for name in columns if name)
    for i in np.flatnonzero(swapped).tolist():
        old, new = _pair(x[i], y[i]), _pair(y[i], x[i])
        findings.repair(i, column, "coordinates_swapped", (old, new), x=_figure(x[i]), y=_figure(y[i]))
    has_county = is_bound and region.county is not None
    outside = known & ~swapped & ~region.contains(tx, ty) if has_county else np.zeros(len(x), bool)
    outside_crs = known & ~swapped & ~outside & ~region.holds(tx, ty)
    placed = geometry.copy()
    placed[outside_crs | outside] = None
    placed[swapped] = shapely.transform(placed[swapped], lambda xy: xy[:, ::-1])
    move = _mover(frame, region.crs)
    moved = np.empty_like(placed)
    for part in _parts(len(placed)):
        moved[part] = shapely.transform(placed[part], move)
    impossible = has_vertex(placed, _is_off_the_globe(frame)) | has_vertex(moved, is_nowhere)
    moved[impossible] = None
    outside_crs |= impossible
    for i in np.flatnonzero(outside_crs).tolist():
        findings.refuse(i, column, "outside_crs", value=_pair(x[i], y[i]), x=_figure(x[i]), y=_figure(y[i]),
                        crs=region.crs)  # fmt: skip
    for i in np.flatnonzero(outside).tolist():
        findings.refuse(i, column, "outside_county", value=_pair(x[i], y[i]), x=_figure(x[i]), y=_figure(y[i]),
                        tolerance=f"{OUTSIDE_TOLERANCE_M:.0f}")  # fmt: skip
    return moved


def centres(geometry: Shapes) -> tuple[Floats, Floats]:
    """Return the middle of every shape's bounds, NaN where it is missing or empty."""
    return _centres(geometry)


def _mover(frame: str, crs: str) -> Callable[[Floats], Floats]:
    return lambda xy: np.column_stack(convert(xy[:, 0], xy[:, 1], frame, crs))


def _parts(n: int) -> list[slice]:
    """Return slices of at most `_PART` shapes: the vertices of millions of them are not held twice at once."""
    return [slice(start, start + _PART) for start in range(0, n, _PART)]


def has_vertex(geometry: Shapes, is_such: Callable[[Floats], NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return bool[n]: which shapes have a vertex for which `is_such` (x, y -> bool) holds."""
    has = np.zeros(len(geometry), dtype=bool)
    for part in _parts(len(geometry)):
        xy, owner = shapely.get_coordinates(geometry[part], return_index=True)
        has[part.start + owner[is_such(xy)]] = True
    return has


def is_nowhere(xy: Floats) -> NDArray[np.bool_]:
    """Return which rows of x, y are not finite."""
    return np.asarray(~np.isfinite(xy).all(axis=1))


def _is_off_the_globe(frame: str) -> Callable[[Floats], NDArray[np.bool_]]:
    """Return the check for vertices that a geographic frame cannot have: PROJ would wrap 469 E around to 109 E."""
    if not is_degrees(frame):
        return is_nowhere
    return lambda xy: ~((np.abs(xy[:, 0]) <= _MAX_LON) & (np.abs(xy[:, 1]) <= _MAX_LAT))


def _centres(geometry: Shapes) -> tuple[Floats, Floats]:
    bounds = np.atleast_2d(shapely.bounds(geometry))
    # Halves are added, as the sum of two absurd coordinates has no value.
    return bounds[:, 0] / 2 + bounds[:, 2] / 2, bounds[:, 1] / 2 + bounds[:, 3] / 2


def _coordinate(i: int, cell: object, header: str, findings: Findings) -> float:
    """Return one coordinate; refuses the record when there is none."""
    if is_blank(cell):
        findings.refuse(i, header, "no_coordinates")
        return float("nan")
    if isinstance(cell, Number):
        value: float | None = float(cast("float", cell))
    else:
        # "108 54 30.5" is an angle, and would also do for a number with blanks in it.
        words = str(cell).strip().removesuffix("°")
        value = None if _PLAIN.fullmatch(words) else parse_angle(words)
        code = "angle_read"
        if value is None:
            value, code = plain_number(words), "number_cleaned"
        if value is not None and not _PLAIN.fullmatch(str(cell).strip()):
            number = _figure(value)
            findings.repair(i, header, code, (str(cell), number), value=shown(cell), number=number)
    if value is None or not np.isfinite(value):
        findings.refuse(i, header, "not_a_number", value=shown(cell), header=header)
        return float("nan")
    return value


def _area_of_use(crs: str) -> tuple[float, float, float, float]:
    area = parse_crs(crs).area_of_use
    if area is None:
        return (-_MAX_LON, -_MAX_LAT, _MAX_LON, _MAX_LAT)
    west, south, east, north = area.bounds
    return (west, south, east, north)


def _figure(value: float) -> str:
    return f"{value:.10g}"


def _pair(x: float, y: float) -> str:
    return f"{_figure(x)}, {_figure(y)}"
