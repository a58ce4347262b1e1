"""Raster files (GeoTIFF, SRTM `.hgt`, zipped or not) opened, checked, and read by windows."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.crs import parse_crs
from planner.errors import CrsError, InputError
from planner.formats import RASTER, open_raster, raster_environment, raster_library
from planner.inputs.files.archives import require_file, unpacked
from planner.inputs.frames.systems import parse_frame, require_plain
from planner.inputs.limits import MAX_RASTER_CELLS
from planner.inputs.records import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Bounds = tuple[float, float, float, float]
    Transform = tuple[float, float, float, float, float, float]

SUFFIXES = tuple(RASTER)
_ADVICE = "The file is damaged, cut short or no raster: export or download it again."
_PICTURE_BANDS = 3
_NAMED = 10
# GDAL keeps what it has read, up to a twentieth of the machine's memory: a strip of the file is enough.
_CACHE_MB = 128
_TILE_NAME = "N32E108.hgt"


@contextmanager
def open_rasters(path: Path, layer: str | None = None) -> Iterator[list[Any]]:
    """Give the rasters in a file (several where a zip holds several tiles), as rasterio datasets.

    Parameters
    ----------
    layer : name of the one member of an archive that is wanted; None = all.

    Raises
    ------
    InputError
        When the file cannot be read, is a picture, has no place on the map, or holds no such member.
    MissingExtraError
        When rasterio is not installed.
    """
    raster_library()
    require_file(path)
    with ExitStack() as stack:
        members = [path]
        if path.suffix.lower() == ".zip":
            members = [file for file in stack.enter_context(unpacked(path)) if file.suffix.lower() in SUFFIXES]
        if layer is not None:
            members = _chosen(path.name, members, layer)
        if not members or members[0].suffix.lower() not in SUFFIXES:
            raise InputError(f"{path.name} holds no raster. Rasters are read from {', '.join((*SUFFIXES, '.zip'))}.")
        stack.enter_context(raster_environment(GDAL_CACHEMAX=_CACHE_MB))
        yield [stack.enter_context(_opened(member, path.name)) for member in members]


def _chosen(file: str, members: list[Path], layer: str) -> list[Path]:
    """Return the member of that name, with or without its ending."""
    found = [member for member in members if layer in (member.name, member.stem)]
    if not found:
        names = ", ".join(sorted(member.name for member in members)[:_NAMED])
        raise InputError(f"{file} holds no raster '{layer}'. It holds {names}.")
    return found


@contextmanager
def _opened(path: Path, file: str) -> Iterator[Any]:
    import warnings

    advice = _ADVICE
    if path.suffix.lower() == ".hgt":
        advice = f"An .hgt tile is named after its south-west corner, such as {_TILE_NAME}, and holds whole rows."
    with reading(file, advice), warnings.catch_warnings():
        # What a raster lacks is checked below, with a message that says what to do.
        warnings.simplefilter("ignore")
        dataset = open_raster(path)
    with dataset:
        if dataset.count >= _PICTURE_BANDS and dataset.dtypes[0] == "uint8":
            raise InputError(f"{file} is a picture ({dataset.count} colours), not a grid of values.")
        if dataset.transform.is_identity or dataset.transform.determinant == 0:
            raise InputError(f"{file} has no place on the map (no georeference). Export it as a GeoTIFF.")
        yield dataset


def raster_crs(dataset: Any, file: str, frame: str | None) -> str:  # noqa: ANN401
    """Return the CRS of a raster: the user's choice, else what the file says.

    Raises
    ------
    CrsError
        When neither says.
    """
    if frame is not None:
        return require_plain(parse_frame(frame), file)
    if dataset.crs is None:
        raise CrsError(
            f"{file} does not say in which coordinate system it is. Name it with --frame, such as EPSG:4490."
        )
    return parse_crs(dataset.crs.to_wkt()).to_string()


def values_of(dataset: Any, window: Any, file: str, out_shape: tuple[int, int] | None = None) -> NDArray[np.float64]:  # noqa: ANN401
    """Return the values of a window as float64, NaN where the raster has none; scale and offset applied.

    `out_shape` (rows, columns) below the window's makes each value the mean of the known cells it stands for.
    """
    from rasterio.enums import Resampling

    require_readable(window, file)
    with reading(file, _ADVICE):
        data = dataset.read(1, window=window, masked=True, out_shape=out_shape, resampling=Resampling.average)
    values = np.ma.filled(data.astype(np.float64), np.nan)
    values[~np.isfinite(values)] = np.nan
    return values * dataset.scales[0] + dataset.offsets[0]


def require_readable(window: Any, file: str) -> None:  # noqa: ANN401
    """Raise `InputError` when a window holds more cells than are read."""
    if window.width * window.height > MAX_RASTER_CELLS:
        raise InputError(
            f"{file} holds {int(window.width):,} x {int(window.height):,} cells where the county is; at most "
            f"{MAX_RASTER_CELLS:,} are read. Clip it to the county, or make its cells larger."
        )


def window_of(dataset: Any, crs: str, bounds: Bounds | None, bounds_crs: str, margin: int = 0) -> Any | None:  # noqa: ANN401
    """Return the whole cells that cover `bounds`, `margin` cells wider; all without bounds; None when they miss."""
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window

    if bounds is None:
        return Window(0, 0, dataset.width, dataset.height)
    west, south, east, north = transform_bounds(parse_crs(bounds_crs).to_wkt(), parse_crs(crs).to_wkt(), *bounds)
    corners = [cell_at(transform_of(dataset), x, y) for x in (west, east) for y in (south, north)]
    columns, rows = zip(*corners, strict=True)
    first = [max(int(np.floor(min(values))) - margin, 0) for values in (columns, rows)]
    last = [
        min(int(np.ceil(max(values))) + margin, size)
        for values, size in ((columns, dataset.width), (rows, dataset.height))
    ]
    if last[0] <= first[0] or last[1] <= first[1]:
        return None
    return Window(first[0], first[1], last[0] - first[0], last[1] - first[1])


def transform_of(dataset: Any) -> Transform:  # noqa: ANN401
    """Return a, b, c, d, e, f of x = a * column + b * row + c, y = d * column + e * row + f."""
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    return a, b, c, d, e, f


def place_of(transform: Transform, column: float, row: float) -> tuple[float, float]:
    """Return x, y of a position among the cells (whole numbers are corners)."""
    a, b, c, d, e, f = transform
    return a * column + b * row + c, d * column + e * row + f


def cell_at(transform: Transform, x: float, y: float) -> tuple[float, float]:
    """Return column, row of a place: the inverse of `place_of`."""
    a, b, c, d, e, f = transform
    area = a * e - b * d
    return (e * (x - c) - b * (y - f)) / area, (a * (y - f) - d * (x - c)) / area
