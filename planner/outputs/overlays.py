"""Time surfaces as small pictures to lay over a map: bands of minutes, the edge of a circle, a difference."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner.crs import WGS84, transform
from planner.errors import MissingExtraError
from planner.outputs.colours import BAND_COLOURS, UNKNOWN_COLOUR

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.reach.surfaces import TimeSurface

BAND_FACTORS = (1 / 3, 2 / 3, 1.0, 4 / 3, 2.0, 3.0)
"""Upper ends of the bands as multiples of the time limit; for 15 minutes 5, 10, 15, 20, 30 and 45."""
EDGE_COLOUR = "#000000"
GAIN_FACTORS = (-2 / 3, -1 / 3, -1 / 15, 1 / 15, 1 / 3, 2 / 3)
# Purple = slower, green = faster (ColorBrewer PRGn), nothing where both are alike.
GAIN_COLOURS = ("#40004B", "#9970AB", "#D8B7DD", "", "#B5DFAE", "#5AAE61", "#00441B")
_KNOTS = 24
_WEB_MERCATOR = "EPSG:3857"
_UNKNOWN_ALPHA, _BAND_ALPHA = 90, 190


@dataclass(frozen=True)
class Frame:
    """The pixels of an overlay in Web Mercator.

    Attributes
    ----------
    x, y : float32[rows, columns], pixel centres in the study's CRS, metres.
    bounds : ((south, west), (north, east)) in degrees, as web maps take them.
    inside : bool[rows, columns], pixels within the county; all of them where its outline is not known.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    bounds: tuple[tuple[float, float], tuple[float, float]]
    inside: NDArray[np.bool_]


def make_frame(
    bounds: tuple[float, float, float, float], crs: str, outline: gpd.GeoSeries | None, pixels: int
) -> Frame:
    """Return a frame over `bounds` (west, south, east, north in degrees) whose longer side has `pixels` pixels.

    Coordinates are projected at some knots and interpolated between them: within a county that errs by less than a
    metre, and takes a hundredth of the time.
    """
    (west, east), (south, north) = transform([bounds[0], bounds[2]], [bounds[1], bounds[3]], WGS84, _WEB_MERCATOR)
    step = max(east - west, north - south) / pixels
    n_columns, n_rows = max(1, round((east - west) / step)), max(1, round((north - south) / step))
    knot_columns, knot_rows = np.linspace(0, n_columns, _KNOTS), np.linspace(0, n_rows, _KNOTS)
    mesh = np.meshgrid(west + knot_columns * step, north - knot_rows * step)
    knots = transform(mesh[0], mesh[1], _WEB_MERCATOR, crs)
    x, y = (_between(np.asarray(values), knot_rows, knot_columns, (n_rows, n_columns)) for values in knots)
    lon, lat = transform([west, west + n_columns * step], [north - n_rows * step, north], _WEB_MERCATOR, WGS84)
    inside = np.ones((n_rows, n_columns), bool)
    if outline is not None:
        inside = _mask(outline.to_crs(_WEB_MERCATOR), (west, north, step), (n_rows, n_columns))
    return Frame(x, y, ((float(lat[0]), float(lon[0])), (float(lat[1]), float(lon[1]))), inside)


def _between(
    values: NDArray[np.float64], knot_rows: NDArray, knot_columns: NDArray, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return values known at the knots, at every pixel centre."""
    from scipy.interpolate import RectBivariateSpline

    spline = RectBivariateSpline(knot_rows, knot_columns, values)
    return spline(np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5).astype(np.float32)


def _mask(outline: gpd.GeoSeries, origin: tuple[float, float, float], shape: tuple[int, int]) -> NDArray[np.bool_]:
    from PIL import Image, ImageDraw

    west, north, step = origin
    image = Image.new("1", (shape[1], shape[0]))
    draw = ImageDraw.Draw(image)
    parts = shapely.get_parts(outline.to_numpy())
    for polygon in parts:
        for ring, fill in [(polygon.exterior, 1), *((hole, 0) for hole in polygon.interiors)]:
            xy = shapely.get_coordinates(ring)
            draw.polygon(list(zip((xy[:, 0] - west) / step, (north - xy[:, 1]) / step, strict=True)), fill=fill)
    return np.asarray(image, dtype=bool)


def minutes_on(frame: Frame, surface: TimeSurface) -> NDArray[np.float32]:
    """Return float32[rows, columns] minutes of the cell under every pixel; inf = not reached, NaN = unknown."""
    rows, columns = surface.minutes.shape
    a, _, c, _, e, f = surface.transform
    column, row = np.floor((frame.x - c) / a).astype(np.int32), np.floor((frame.y - f) / e).astype(np.int32)
    is_known = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    np.clip(row, 0, rows - 1, out=row)
    np.clip(column, 0, columns - 1, out=column)
    return np.where(is_known, surface.minutes[row, column], np.float32(np.nan))


def bands_min(cutoff_min: float) -> tuple[float, ...]:
    """Return the upper ends of the bands in minutes; the third is the time limit."""
    return tuple(round(factor * cutoff_min, 1) for factor in BAND_FACTORS)


def band_png(frame: Frame, minutes: NDArray[np.float32], cutoff_min: float) -> bytes:
    """Return the minutes of `minutes_on` as a PNG in bands, with a line where the limit is; unknown is grey."""
    codes = np.full(minutes.shape, len(BAND_COLOURS) + 1, np.uint8)
    known = ~np.isnan(minutes)
    codes[known] = np.searchsorted(bands_min(cutoff_min), minutes[known], side="left")
    within = codes <= BAND_FACTORS.index(1.0)
    edge = within & ~_eroded(within)
    codes[edge & frame.inside] = len(BAND_COLOURS)
    codes[~frame.inside] = len(BAND_COLOURS) + 2
    colours = [*((colour, _BAND_ALPHA) for colour in BAND_COLOURS), (EDGE_COLOUR, 200),
               (UNKNOWN_COLOUR, _UNKNOWN_ALPHA), ("#FFFFFF", 0)]  # fmt: skip
    return palette_png(codes, colours)


def gain_png(frame: Frame, before: NDArray[np.float32], after: NDArray[np.float32], cutoff_min: float) -> bytes:
    """Return the minutes saved (`before` - `after`) as a PNG; clear where little changes or one is not known."""
    with np.errstate(invalid="ignore"):
        saved = np.clip(before, None, 1e4) - np.clip(after, None, 1e4)
    ends = [factor * cutoff_min for factor in GAIN_FACTORS]
    codes = np.searchsorted(ends, saved, side="left").astype(np.uint8)
    codes[np.isnan(saved) | ~frame.inside] = GAIN_COLOURS.index("")
    return palette_png(codes, [(colour or "#FFFFFF", 200 if colour else 0) for colour in GAIN_COLOURS])


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner


def palette_png(codes: NDArray[np.uint8], colours: list[tuple[str, int]]) -> bytes:
    """Return uint8[rows, columns] codes as a PNG with one colour (#RRGGBB, alpha 0-255) a code.

    Raises
    ------
    MissingExtraError
        When Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("Pillow", "maps") from error

    image = Image.frombytes("P", (codes.shape[1], codes.shape[0]), np.ascontiguousarray(codes).tobytes())
    image.putpalette(b"".join(bytes.fromhex(colour[1:]) for colour, _ in colours))
    sink = io.BytesIO()
    image.save(sink, "PNG", transparency=bytes(alpha for _, alpha in colours), compress_level=4)
    return sink.getvalue()
