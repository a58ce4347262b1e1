"""The time surface as a GeoTIFF: minutes to the nearest place, how many places are within reach, and on what terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.errors import MissingExtraError
from planner.written import written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from planner.study import Grid

BANDS = ("minutes", "n_places_within_cutoff")


def write_surface(path: Path, minutes: Grid, counts: NDArray[np.int32], tags: Mapping[str, object]) -> Path:
    """Write two bands of float32 into a GeoTIFF, with `tags` as its metadata; return its path.

    Band 1 holds the minutes: NaN (the no-data value) = unknown, infinite = no way leads to a place. Band 2 holds how
    many places are within the time limit: 0 = uncovered, NaN = unknown.

    Raises
    ------
    InputError
        When the file cannot be written.
    MissingExtraError
        When rasterio is not installed.
    """
    try:
        import rasterio
        from rasterio.transform import Affine
    except ImportError as error:
        raise MissingExtraError("rasterio", "raster") from error

    is_unknown = np.isnan(minutes.values)
    layers = (minutes.values, np.where(is_unknown, np.nan, counts))
    shape = {"height": minutes.values.shape[0], "width": minutes.values.shape[1], "count": len(layers)}
    form = {"driver": "GTiff", "dtype": "float32", "nodata": np.nan, "compress": "deflate", "tiled": True, **shape}

    def is_whole(part: Path) -> bool:
        with rasterio.open(part) as source:
            bands = zip(source.read(), layers, strict=True)
            return all(np.array_equal(band, values.astype(np.float32), equal_nan=True) for band, values in bands)

    form |= {"crs": minutes.crs, "transform": Affine(*minutes.transform)}
    with written(path, is_whole, (rasterio.errors.RasterioError,)) as part, rasterio.open(part, "w", **form) as target:
        for band, (name, values) in enumerate(zip(BANDS, layers, strict=True), 1):
            target.write(values.astype(np.float32), band)
            target.set_band_description(band, name)
        target.update_tags(**{key.upper(): str(value) for key, value in tags.items()})
    return path
