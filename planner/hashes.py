"""What a file or a table holds, as one short word: equal content, equal hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from pathlib import Path

_GEOMETRY_DIGITS = 3
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; of a shapefile or a folder, that of all its parts."""
    parts = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
    if path.suffix.lower() == ".shp":
        siblings = {part.suffix.lower(): part for part in path.parent.iterdir() if part.stem == path.stem}
        parts = [siblings[suffix] for suffix in _SHAPEFILE_PARTS if suffix in siblings]
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def content_hash(table: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's content, whatever the order of its rows and columns.

    Numbers count to nine significant digits, geometries to a millimetre of the working CRS, so that a container or a
    platform that differs in the last bit of a float hashes alike.
    """
    columns = sorted(map(str, table.columns))
    cells = [_canonical_column(table[name]) for name in columns]
    digest = hashlib.sha256("\x1f".join(columns).encode())
    for line in sorted("\x1f".join(record) for record in zip(*cells, strict=True)):
        digest.update(b"\x1e")
        digest.update(line.encode())
    return digest.hexdigest()


def _canonical_column(values: pd.Series) -> list[str]:
    if isinstance(values.dtype, gpd.array.GeometryDtype):
        shapes = shapely.transform(values.to_numpy(), lambda xy: np.round(xy, _GEOMETRY_DIGITS) + 0.0)  # no minus zero
        return [str(wkb) for wkb in shapely.to_wkb(shapely.normalize(shapes), hex=True)]
    try:
        code, distinct = pd.factorize(values.astype(object), use_na_sentinel=False)
    except TypeError:  # lists cannot be told apart by hash
        return [_canonical(value) for value in values]
    words = [_canonical(value) for value in distinct]
    return [words[each] for each in code]


def _canonical(value: Any) -> str:  # noqa: ANN401  a cell holds anything
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + "\x1d".join(_canonical(item) for item in value) + "]"
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{float(value) + 0.0:.9g}" if isinstance(value, (int, float)) else str(value)
