"""Which rasters of an archive hold what is asked for: heights beside their masks, counts and error layers.

A download of heights holds more than heights: ASTER GDEM `_dem` and `_num` (number of scenes), ALOS AW3D30 `DSM`, `MSK`
and `STK`, Copernicus GLO-30 `DEM` and `EDM`, `FLM`, `HEM`, `WBM`, TanDEM-X `COV` and `WAM`, NASADEM `.num` and `.swb`,
GEDTM its standard deviation. They cover one extent, so that laid over one another the last would win.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import InputError
from planner.inputs.files.rasters import cell_at, transform_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# Words of a member's name that say it holds heights, and those that say it holds something about them.
_HEIGHTS = frozenset({"dem", "dsm", "dtm", "hgt", "fabdem", "heights", "height", "elevation", "elev", "gedtm", "gdem",
                      "高程", "数字高程"})  # fmt: skip
_ABOUT = frozenset({"num", "msk", "mask", "stk", "stack", "qai", "edm", "flm", "hem", "wbm", "swb", "swbd", "att",
                    "wam", "cov", "lsm", "std", "stddev", "slope", "aspect", "hillshade", "shade", "count", "quality",
                    "qa", "qc", "err", "error", "uncertainty", "掩膜", "质量", "坡度", "坡向", "阴影",
                    "山体阴影"})  # fmt: skip
# Tiles may share their outermost rows and columns (SRTM does), but no more.
_EDGE_CELLS = 2.5
_NAMED = 5


def height_members(datasets: Sequence[Any], file: str) -> tuple[list[Any], list[str]]:
    """Return the rasters that hold heights, and the names of those set aside because they say something about heights.

    Parameters
    ----------
    datasets : rasterio datasets of one archive.

    Raises
    ------
    InputError
        When two of what is left cover one extent: nobody can say which of them holds the heights.
    """
    aside = [dataset for dataset in datasets if is_about_heights(dataset)]
    kept = [dataset for dataset in datasets if not is_about_heights(dataset)]
    if not kept:
        aside, kept = [], list(datasets)
    # Where only some say that they are heights, a rival of the same extent that says nothing is not.
    named = [dataset for dataset in kept if _words(dataset) & _HEIGHTS]
    rivals = [one for one in kept if one not in named and any(overlap(one, other) for other in named)]
    kept, aside = [one for one in kept if one not in rivals], [*aside, *rivals]
    require_apart(kept, file)
    return kept, sorted(member_name(dataset) for dataset in aside)


def require_apart(datasets: Sequence[Any], file: str) -> None:
    """Raise `InputError` when two rasters share more than their edges: they are no tiles of one grid."""
    for i, one in enumerate(datasets):
        for other in datasets[i + 1 :]:
            if overlap(one, other):
                names = ", ".join(sorted(member_name(dataset) for dataset in datasets)[:_NAMED])
                raise InputError(
                    f"{file} holds several rasters of one extent, so that they are no tiles: {names}. "
                    "Name the one that counts with --layer."
                )


def overlap(one: Any, other: Any) -> bool:  # noqa: ANN401  rasterio datasets
    """Whether two rasters of one frame share more than the rows or columns along an edge."""
    if one.crs != other.crs:
        return False
    corners = [cell_at(transform_of(one), x, y) for x in other.bounds[::2] for y in other.bounds[1::2]]
    columns, rows = (np.array(values) for values in zip(*corners, strict=True))
    shared = [
        min(values.max(), size) - max(values.min(), 0.0) for values, size in ((columns, one.width), (rows, one.height))
    ]
    return min(shared) > _EDGE_CELLS


def member_name(dataset: Any) -> str:  # noqa: ANN401
    """Return the name of the file that a dataset was opened from."""
    return re.split(r"[\\/]", str(dataset.name))[-1]


def is_about_heights(dataset: Any) -> bool:  # noqa: ANN401
    """Whether a raster says something about heights and holds none: by its name, else by what its band is called."""
    words = _words(dataset)
    if words & _ABOUT:
        return True
    described = {word for text in (dataset.descriptions or ()) if text for word in _split(text)}
    return not words & _HEIGHTS and bool(described & _ABOUT)


def _words(dataset: Any) -> frozenset[str]:  # noqa: ANN401
    return frozenset(_split(member_name(dataset)))


def _split(text: str) -> list[str]:
    """Return the words of a name; Chinese ones are those known, wherever they stand (县域高程)."""
    known = [word for word in (*_HEIGHTS, *_ABOUT) if not word.isascii() and word in text]
    return [*re.findall(r"[0-9a-z]+", text.lower()), *known]
