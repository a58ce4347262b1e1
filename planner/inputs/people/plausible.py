"""What a raster of people cannot mean: no-data values that nobody declared, more people than a cell has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.crs import transform
from planner.inputs.files.rasters import place_of, transform_of
from planner.units import M2_PER_KM2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MOST_PEOPLE_PER_KM2 = 200_000.0
"""More than any square kilometre of a city holds (the densest known have 100,000 to 150,000); unverified as a norm."""
FEWEST_MOST = 1_000.0
"""Never doubted in one cell, however small: a tower stands on a few hundred square metres."""
# What formats and tools write where they know nothing, beside the largest numbers of each kind.
_NUMBERS_TOO = (127.0, 255.0, 9_999.0)  # so many people may live in a cell
_MARKS = (*_NUMBERS_TOO, 32_767.0, 65_535.0, 99_999.0, 2.0**31 - 1, 2.0**31, 2.0**32 - 1)
_HUGE = 1e9
_OFTEN = 0.005
_APART = 0.8
_MOST_MARKS = 4
_OUTLINE_STEPS = 64


def undeclared_nodata(strips: Iterable[NDArray[np.float64]], kind: str) -> dict[float, int]:
    """Return the values that mean "no value" though the raster does not say so, with their cells, the largest first.

    The greatest value of a raster is one when it stands in two cells or more and is a mark of a format (255 of bytes,
    32767, 65535, 2^31 - 1 ...) or above a thousand million; a small mark (127, 255, 9999) of a wider type also has to
    be frequent (one cell in 200) and apart from all other values. What is left without it is looked at again.

    Parameters
    ----------
    strips : the values, NaN where the raster has none.
    kind : type of the values in the file, such as "uint8".
    """
    counts: dict[float, int] = {}
    n_cells = 0
    greatest = np.zeros(0)
    for values in strips:
        known = values[np.isfinite(values)]
        n_cells += values.size
        top, n = np.unique(known[np.isin(known, _MARKS) | (known >= _HUGE)], return_counts=True)
        for value, count in zip(top.tolist(), n.tolist(), strict=True):
            counts[value] = counts.get(value, 0) + count
        greatest = np.unique(np.concatenate([greatest, np.unique(known)]))[-(_MOST_MARKS + 1) :]
    found: dict[float, int] = {}
    for position in range(len(greatest) - 1, -1, -1):
        value, rest = float(greatest[position]), float(greatest[position - 1]) if position else 0.0
        if not _is_mark(value, rest, counts.get(value, 0), n_cells, kind):
            break
        found[value] = counts[value]
    return found


def _is_mark(value: float, rest: float, n: int, n_cells: int, kind: str) -> bool:
    if n < 2:  # noqa: PLR2004  twice is no chance
        return False
    own = np.iinfo(kind).max if np.issubdtype(np.dtype(kind), np.integer) else None
    if value == own or value not in _NUMBERS_TOO:
        return True
    return n >= _OFTEN * n_cells and rest <= _APART * value


def most_people(dataset: Any, window: Any, source: str, crs: str) -> float:  # noqa: ANN401  rasterio
    """Return the most people that a cell in the middle of the window has room for.

    Parameters
    ----------
    source, crs : of the raster; metric, of the study.
    """
    column, row = int(window.col_off + window.width / 2), int(window.row_off + window.height / 2)
    corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
    km2 = shapely.area(_outline(dataset, corners, source, crs)) / M2_PER_KM2
    return max(MOST_PEOPLE_PER_KM2 * km2, FEWEST_MOST)


def covered_share_of_county(dataset: Any, county: shapely.Geometry | None, source: str, crs: str) -> float:  # noqa: ANN401
    """Return the share of the county's area that the raster covers, from 0 to 1; 1 where the county is not known."""
    if county is None:
        return 1.0
    steps = np.linspace(0, 1, _OUTLINE_STEPS)
    sides = [(steps, 0 * steps), (1 + 0 * steps, steps), (1 - steps, 1 + 0 * steps), (0 * steps, 1 - steps)]
    corners = [
        (x * dataset.width, y * dataset.height) for across, down in sides for x, y in zip(across, down, strict=True)
    ]
    outline = shapely.make_valid(_outline(dataset, corners, source, crs))
    return float(shapely.area(shapely.intersection(outline, county)) / shapely.area(county))


def _outline(dataset: Any, corners: Iterable[tuple[float, float]], source: str, crs: str) -> shapely.Geometry:  # noqa: ANN401
    places = np.array([place_of(transform_of(dataset), column, row) for column, row in corners])
    return shapely.Polygon(np.column_stack(transform(places[:, 0], places[:, 1], source, crs)))
