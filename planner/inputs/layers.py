"""Map layers as records: shapefile, GeoPackage, GeoJSON, GeoParquet."""

from __future__ import annotations

import struct
import warnings
from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner.errors import InputError
from planner.inputs.records import Records, reading

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

SUFFIXES = (".shp", ".gpkg", ".geojson", ".json", ".parquet", ".geoparquet")
ENCODINGS = ("utf-8", "gb18030")
_RAW = "ISO-8859-1"
_ADVICE = "The file is damaged or was cut short: export or copy it again."
_SHP_HEADER = 100
_DBF_HEADER = 32


def read_layer(path: Path, layer: str | None = None) -> Records:
    """Return the features of one layer as they stand in the file, geometry in two dimensions.

    Parameters
    ----------
    path : a file with one of `SUFFIXES`.
    layer : its name, where the file holds several.

    Raises
    ------
    InputError
        When the file is damaged, or holds several layers and `layer` names none of them.
    """
    suffix = path.suffix.lower()
    if suffix != ".gpkg" and layer not in (None, path.name, path.stem):
        raise InputError(f"{path.name} has no layer '{layer}': it holds a single one. Leave --layer out.")
    with reading(path.name, _ADVICE), warnings.catch_warnings():
        # GDAL's remarks are about the file's dialect; what matters to the user is checked row by row.
        warnings.simplefilter("ignore")
        if suffix == ".shp":
            return _records(path, _read_shapefile(path), has_short_headers=True)
        if suffix in (".parquet", ".geoparquet"):
            return _records(path, _read_parquet(path))
        if suffix in (".geojson", ".json"):
            return _records(path, _read_geojson(path))
        return _records(path, _read_geopackage(path, layer))


def decode(data: bytes, file: str) -> tuple[str, str]:
    """Return the text of a file and its encoding: UTF-8 (with or without a mark) or GB18030.

    Raises
    ------
    InputError
        When it is neither.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{file} is in UTF-16. Save it again as 'CSV UTF-8'.")
    if b"\x00" in data:
        raise InputError(f"{file} is no text file (it holds zero bytes). Export it again as 'CSV UTF-8'.")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise InputError(f"{file} is neither in UTF-8 nor in GBK (GB18030). Save it again as 'CSV UTF-8'.")


def _read_geopackage(path: Path, layer: str | None) -> pd.DataFrame:
    import pyogrio

    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    if not names:
        raise InputError(f"{path.name} holds no layer.")
    if layer is not None and layer not in names:
        raise InputError(f"{path.name} has no layer '{layer}'. It has: {', '.join(names[:10])}.")
    if layer is None and len(names) > 1:
        raise InputError(f"{path.name} holds {len(names)} layers: {', '.join(names[:10])}. Name one with --layer.")
    return pyogrio.read_dataframe(path, layer=layer or names[0])


def _read_geojson(path: Path) -> pd.DataFrame:
    import pyogrio

    text, encoding = decode(path.read_bytes(), path.name)
    return pyogrio.read_dataframe(path if encoding != "gb18030" else text.encode("utf-8"))


def _read_parquet(path: Path) -> pd.DataFrame:
    import geopandas as gpd
    import pandas as pd
    from pyarrow import parquet

    is_layer = b"geo" in (parquet.read_schema(path).metadata or {})
    return gpd.read_parquet(path) if is_layer else pd.read_parquet(path)


def _read_shapefile(path: Path) -> pd.DataFrame:
    import pyogrio

    _require_whole_shapefile(path)
    # Read byte for byte, then decode here: the .cpg and the language byte of the .dbf are often missing or wrong.
    table = pyogrio.read_dataframe(path, encoding=_RAW)
    texts = [name for name in table.columns if name != "geometry" and not _is_numeric(table[name])]
    words = {word for name in texts for word in table[name].unique() if isinstance(word, str)}
    words.update(name for name in table.columns if isinstance(name, str))
    encoding = _encoding(path.name, words)
    for name in texts:
        table[name] = [_decoded(cell, encoding) for cell in table[name]]
    return table.rename(columns={name: _decoded(name, encoding) for name in table.columns if name != "geometry"})


def _is_numeric(column: pd.Series) -> bool:
    return bool(np.issubdtype(column.to_numpy().dtype, np.number))


def _encoding(file: str, words: set[str]) -> str:
    """Return the encoding in which all words can be read; a last character cut at the field's width is allowed."""
    raw = [word.encode(_RAW) for word in words]
    for encoding in ENCODINGS:
        if all(_is_readable(word, encoding) for word in raw):
            return encoding
    raise InputError(
        f"The attribute table of {file} is neither in UTF-8 nor in GBK (GB18030). Export it again as UTF-8."
    )


def _is_readable(word: bytes, encoding: str) -> bool:
    try:
        word.decode(encoding)
    except UnicodeDecodeError as error:
        return error.reason in ("unexpected end of data", "incomplete multibyte sequence")
    return True


def _decoded(cell: object, encoding: str) -> object:
    return cell.encode(_RAW).decode(encoding, errors="ignore") if isinstance(cell, str) else cell


def _require_whole_shapefile(path: Path) -> None:
    """Raise `InputError` when a part is missing or shorter than its header says: GDAL fills up with blanks."""
    siblings = {sibling.suffix.lower(): sibling for sibling in path.parent.iterdir() if sibling.stem == path.stem}
    missing = [suffix for suffix in (".shx", ".dbf") if suffix not in siblings]
    if missing:
        raise InputError(
            f"{path.name} comes without its {' and '.join(missing)}. A shapefile is several files: keep them together."
        )
    head = path.read_bytes()[:_SHP_HEADER]
    table = siblings[".dbf"].read_bytes()[:_DBF_HEADER]
    if len(head) < _SHP_HEADER or len(table) < _DBF_HEADER:
        raise InputError(f"{path.name} was cut short. Copy or export it again.")
    n_rows, header_length, row_length = struct.unpack("<IHH", table[4:12])
    declared = struct.unpack(">i", head[24:28])[0] * 2
    is_cut = path.stat().st_size < declared or siblings[".dbf"].stat().st_size < header_length + n_rows * row_length
    if is_cut:
        raise InputError(f"{path.name} was cut short: it is smaller than its header says. Copy or export it again.")


def _records(path: Path, table: pd.DataFrame, *, has_short_headers: bool = False) -> Records:
    """Return a data frame's rows as records, numbered from 1."""
    name = getattr(table, "_geometry_column_name", None)
    geometry: NDArray[np.object_] | None = None
    crs = None
    if name is not None and name in table.columns:
        geometry = shapely.force_2d(np.asarray(table[name].array, dtype=object))
        crs = table.crs.to_string() if getattr(table, "crs", None) is not None else None
        table = table.drop(columns=name)
    return Records(
        file=path.name,
        headers=tuple(str(header) for header in table.columns),
        columns=tuple(table.iloc[:, i].astype(object).to_numpy() for i in range(table.shape[1])),
        row=np.arange(1, len(table) + 1, dtype=np.int64),
        geometry=geometry,
        crs=crs,
        has_short_headers=has_short_headers,
    )
