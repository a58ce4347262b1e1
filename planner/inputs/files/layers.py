"""Map layers as records: whatever GDAL reads of the formats that planners have, and GeoParquet."""

from __future__ import annotations

import re
import struct
import warnings
from typing import TYPE_CHECKING

import numpy as np
import shapely

from planner import formats
from planner.errors import InputError
from planner.formats import read_json_text, read_layer_table, require_plain_crs, vector_library
from planner.inputs.files.encodings import encoding_of_file
from planner.inputs.limits import MAX_TABLE_CELLS
from planner.inputs.records import Records, Source, reading

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

SUFFIXES = (
    ".shp", ".gpkg", ".gdb", ".geojson", ".json", ".kml", ".tab", ".mif", ".dxf", ".fgb", ".parquet",
    ".geoparquet", ".dbf",
)  # fmt: skip
# Formats of one file with several layers.
_LAYERED = (".gpkg", ".gdb", ".kml")
_RAW_TEXTS = (".shp", ".dbf", ".tab", ".mif", ".dxf")
# How CAD writes a character that its code page lacks.
_CAD_CHARACTER = re.compile(r"\\U\+([0-9A-Fa-f]{4})")
ENCODINGS = ("utf-8", "gb18030")
_RAW = "ISO-8859-1"
_LAST_BYTE = 255
_NAMES = {"utf-8": "UTF-8", "gb18030": "GBK / GB18030"}
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
    if suffix not in _LAYERED and layer not in (None, path.name, path.stem):
        raise InputError(f"{path.name} has no layer '{layer}': it holds a single one. Leave --layer out.")
    with reading(path.name, _ADVICE), warnings.catch_warnings():
        # GDAL's remarks are about the file's dialect; what matters to the user is checked row by row.
        warnings.simplefilter("ignore")
        if suffix in _RAW_TEXTS:
            table, encoding = _read_raw(path)
            return _records(path, table, encoding, has_short_headers=suffix in (".shp", ".dbf"))
        if suffix in (".parquet", ".geoparquet"):
            return _records(path, _read_parquet(path))
        if suffix in (".geojson", ".json"):
            return _records(path, *_read_geojson(path))
        return _records(path, _read_layered(path, layer), part=layer or "")


def layer_names(path: Path) -> list[str]:
    """Return the names of the layers that a file of several holds; nothing for a format of one.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    if path.suffix.lower() not in _LAYERED:
        return []
    with reading(path.name, _ADVICE), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return formats.layer_names(path)


def _read_layered(path: Path, layer: str | None) -> pd.DataFrame:
    names = layer_names(path) if path.suffix.lower() in _LAYERED else []
    if path.suffix.lower() in _LAYERED:
        if not names:
            raise InputError(f"{path.name} holds no layer.")
        if layer is not None and layer not in names:
            raise InputError(f"{path.name} has no layer '{layer}'. It has: {', '.join(names[:10])}.")
        if layer is None and len(names) > 1:
            raise InputError(f"{path.name} holds {len(names)} layers: {', '.join(names[:10])}. Name one with --layer.")
    return read_layer_table(path, layer=layer or (names[0] if names else None))


def _read_geojson(path: Path) -> tuple[pd.DataFrame, str]:
    encoding = encoding_of_file(path)
    if encoding.codec in ("utf-8", "utf-8-sig"):
        return read_layer_table(path), str(encoding)
    text = path.read_text(encoding=encoding.codec, errors=encoding.errors)
    return read_json_text(text, path.name, path.suffix.lower()), str(encoding)


def _read_parquet(path: Path) -> pd.DataFrame:
    import geopandas as gpd
    import pandas as pd
    from pyarrow import parquet

    head = parquet.read_metadata(path)
    if head.num_rows * max(head.num_columns, 1) > MAX_TABLE_CELLS:
        raise InputError(
            f"{path.name} claims {head.num_rows:,} rows of {head.num_columns} columns; at most {MAX_TABLE_CELLS:,} "
            "cells are read. Keep the county's rows and the columns that are needed."
        )
    metadata = head.schema.to_arrow_schema().metadata or {}
    is_layer = b"geo" in metadata
    if is_layer:
        require_plain_crs(metadata[b"geo"], path.name)
    return gpd.read_parquet(path) if is_layer else pd.read_parquet(path)


def _read_raw(path: Path) -> tuple[pd.DataFrame, str]:
    """Return the table of a format whose texts may be in any encoding, and the encoding found."""
    if path.suffix.lower() in (".shp", ".dbf"):
        _require_whole_shapefile(path)
    # Read byte for byte, then decode here: the .cpg and the language byte of the .dbf are often missing or wrong, and
    # GDAL believes the code page of a drawing whose text is in UTF-8 (every one since AutoCAD 2007).
    if path.suffix.lower() == ".dxf":
        vector_library().set_gdal_config_options({"DXF_ENCODING": _RAW})
        table = read_layer_table(path)
    else:
        table = read_layer_table(path, encoding=_RAW)
    texts = [name for name in table.columns if name != "geometry" and not _is_numeric(table[name])]
    words = {word for name in texts for word in table[name].unique() if isinstance(word, str)}
    words.update(name for name in table.columns if isinstance(name, str))
    if any(ord(character) > _LAST_BYTE for word in words for character in word):
        # GDAL has decoded it already, by the character set that the file declares.
        return table, ""
    encoding = _encoding(path.name, words)
    for name in texts:
        known = {word: _decoded(word, encoding) for word in table[name].unique() if isinstance(word, str)}
        table[name] = [known.get(cell, cell) if isinstance(cell, str) else cell for cell in table[name]]
    headers = {name: _decoded(name, encoding) for name in table.columns if name != "geometry"}
    is_ascii = all(word.isascii() for word in words)
    return table.rename(columns=headers), "" if is_ascii else _NAMES[encoding]


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
    if not isinstance(cell, str):
        return cell
    words = cell.encode(_RAW).decode(encoding, errors="ignore")
    return _CAD_CHARACTER.sub(lambda found: chr(int(found[1], 16)), words)


def _require_whole_shapefile(path: Path) -> None:
    """Raise `InputError` when a part is missing or shorter than its header says: GDAL fills up with blanks."""
    is_table = path.suffix.lower() == ".dbf"
    siblings = {sibling.suffix.lower(): sibling for sibling in path.parent.iterdir() if sibling.stem == path.stem}
    missing = [] if is_table else [suffix for suffix in (".shx", ".dbf") if suffix not in siblings]
    if missing:
        raise InputError(
            f"{path.name} comes without its {' and '.join(missing)}. A shapefile is several files: keep them together."
        )
    head, table = _head(path, _SHP_HEADER), _head(siblings[".dbf"], _DBF_HEADER)
    if (len(head) < _SHP_HEADER and not is_table) or len(table) < _DBF_HEADER:
        raise InputError(f"{path.name} was cut short. Copy or export it again.")
    n_rows, header_length, row_length = struct.unpack("<IHH", table[4:12])
    declared = 0 if is_table else struct.unpack(">i", head[24:28])[0] * 2
    is_cut = path.stat().st_size < declared or siblings[".dbf"].stat().st_size < header_length + n_rows * row_length
    if is_cut:
        raise InputError(f"{path.name} was cut short: it is smaller than its header says. Copy or export it again.")


def _head(path: Path, n_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(n_bytes)


def _records(
    path: Path, table: pd.DataFrame, encoding: str = "", *, has_short_headers: bool = False, part: str = ""
) -> Records:
    """Return a data frame's rows as records, numbered from 1."""
    name = getattr(table, "_geometry_column_name", None)
    geometry: NDArray[np.object_] | None = None
    crs = None
    if name is not None and name in table.columns:
        geometry = np.asarray(table[name].array, dtype=object)
        if shapely.has_z(geometry).any():
            geometry = shapely.force_2d(geometry)
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
        source=Source("layer", part, encoding),
    )
