"""A file is only what its name says: the one driver of each ending, what its bytes must be, and GDAL shut to the rest.

GDAL opens by content: a virtual layer named `.dxf` would read any file of the machine and ask any address. So every map
layer and raster is opened here. All drivers but those of the table are taken out of the process, addresses are switched
off, names are plain paths, and a file must begin as its ending says and may not lead to other files.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from planner.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Format:
    """What an ending stands for.

    Attributes
    ----------
    drivers : names of the GDAL drivers that may read it.
    start : what its first bytes must be, after blanks where it is a text; letters in any case.
    forbidden : bytes that would lead to other files, anywhere in it.
    pattern : the same, where fixed bytes cannot say it.
    """

    drivers: tuple[str, ...]
    start: bytes = b""
    forbidden: tuple[bytes, ...] = ()
    pattern: re.Pattern[bytes] | None = None


# A reference system at an address. GDAL takes single quotation marks, comments and needless escapes in JSON as well.
_ADDRESS = re.compile(
    rb"""["'](?:c|\\u00[46]3)(?:r|\\u00[57]2)(?:s|\\u00[57]3)["'][^{"']{0,999}\{"""
    rb"""(?:[^}]{0,999}["'](?:link|url|href)\b|[^}]{0,999}\\u00)""",
    re.IGNORECASE,
)
_OTHER_TABLES = re.compile(rb"isseamless|create\s+view|open\s+table", re.IGNORECASE)
_JSON = Format(("GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON"), rb"[{\[]", (b"gdal_streamed_alg",), _ADDRESS)
VECTOR: Mapping[str, Format] = {
    ".shp": Format(("ESRI Shapefile",), rb"\x00\x00\x27\x0a"),
    ".dbf": Format(("ESRI Shapefile",), rb"[\x02\x03\x04\x05\x30-\x32\x43\x63\x83\x8b\x8c\xcb\xf5\xfb]"),
    ".gpkg": Format(("GPKG",), rb"SQLite format 3\x00"),
    ".gdb": Format(("OpenFileGDB",)),
    ".geojson": _JSON,
    ".json": _JSON,
    ".kml": Format(
        ("LIBKML", "KML"),
        rb"(?:<\?xml[^>]*>\s*|<!--[\s\S]*?-->\s*)*<(?:kml|document|folder|placemark)\b",
        (b"<!ENTITY", b"<!DOCTYPE"),
    ),
    ".tab": Format(("MapInfo File",), rb"!table", pattern=_OTHER_TABLES),
    ".mif": Format(("MapInfo File",), rb"version"),
    ".dxf": Format(("DXF",), rb"(?:999|0)\s|AutoCAD Binary DXF"),
    ".fgb": Format(("FlatGeobuf",), rb"fgb"),
}
# Nodes of an Erdas file that keep cells, or overviews, in another file.
_IMG_PARTS = (b"ImgExternalRaster\x00", b"Eimg_DependentFile\x00", b"RRDNamesList\x00")
RASTER: Mapping[str, Format] = {
    ".tif": Format(("GTiff",), rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]"),
    ".tiff": Format(("GTiff",), rb"II[\x2a\x2b]\x00|MM\x00[\x2a\x2b]"),
    ".hgt": Format(("SRTMHGT",)),
    ".img": Format(("HFA",), rb"EHFA_HEADER_TAG", _IMG_PARTS),
    ".asc": Format(("AAIGrid",), rb"ncols|nrows|xll|yll|cellsize|nodata|dx|dy"),
}
# MEM is where rasterio keeps what it makes of arrays.
_DRIVERS = {driver for each in (*VECTOR.values(), *RASTER.values()) for driver in each.drivers} | {"MEM"}
_BLANKS = b"\xef\xbb\xbf \t\r\n\x1e"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 8192
# A reference system may name a file with shifts between datums, and PROJ would open it, whatever it is.
_GRID_FILE = (
    r"""(?:nad|geoid|\+)grids\s*=\s*(?!@null)|PROJ4_GRIDS"\s*,\s*"(?!@null)|PARAMETERFILE|\+(?:init|file|catalog)\s*=|"""
    r"""\bfile"\s*,\s*"value\""""
)
_GRID_FILE_TEXT = re.compile(_GRID_FILE, re.IGNORECASE)
_GRID_FILE_BYTES = re.compile(_GRID_FILE.encode("ascii"), re.IGNORECASE)
_GRID_WORDS = (b"grids", b"GRIDS", b"PARAMETERFILE", b"+init", b"+file", b"+catalog")
# What these say of reference systems stands in a .prj or in a table of its own; all else in them is cells.
_CELLS_ONLY = (".shp", ".dbf", ".gpkg")
# Files beside a raster that say which of its cells count, or hold cells of their own, and may be of any kind.
_RASTER_SIDES = (".msk", ".aux", ".rrd", ".ige")
# Each raster is opened by its one named driver; these are not even there for what a file may hold inside.
_LEADING = (
    "VRT,GTI,WMS,WCS,WMTS,HTTP,STACIT,STACTA,DAAS,PLMOSAIC,EEDA,EEDAI,MRF,DERIVED,Rasterlite,GNMDatabase,GNMFile,Zarr"
)
_SHUT = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    "GDAL_HTTP_PROXY": "none://none",
    "GDAL_HTTPS_PROXY": "none://none",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "LIBKML_EXTERNAL_STYLE": "NO",
}
_DAMAGED = "is something else, or damaged"


def names_a_file(crs: str) -> bool:
    """Whether the words of a reference system would make PROJ open a file."""
    return _GRID_FILE_TEXT.search(crs) is not None


def require_named(path: Path) -> None:
    """Raise `InputError` unless a layer or raster is what its ending says and leads to no other file or address."""
    suffix = path.suffix.lower()
    known = VECTOR.get(suffix) or RASTER[suffix]
    _require_plain(path)
    if path.is_dir():
        parts: Iterable[Path] = path.iterdir()
    else:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        if not re.match(known.start, head.lstrip(_BLANKS) if known.start[:1] != b"\\" else head, re.IGNORECASE):
            _require_utf16(path, head)
        parts = [path.with_suffix(".prj"), path.with_suffix(".PRJ"), path.with_name(f"{path.name}.aux.xml")]
        parts += [] if suffix in _CELLS_ONLY else [path]
    for part in parts:
        if part.is_file() and _leads_away(part, known):
            raise _leading_away(part.name)
    if suffix == ".gpkg":
        _require_plain_tables(path)
    if suffix in RASTER:
        _require_alone(path)


def _leading_away(file: str) -> InputError:
    return InputError(f"{file} leads to other files or addresses and is refused. Export the layer again into one file.")


def _require_plain(path: Path) -> None:
    """Raise `InputError` when a path means more than a place on the disk to GDAL, or to what hands it to GDAL."""
    whole = path.absolute().as_posix()
    if whole.lower().startswith("/vsi") or any(mark in whole for mark in "!;?"):
        raise InputError(
            f"The path of {path.name} holds '!', ';' or '?', or begins with /vsi: map libraries read that as a "
            "command. Rename the file or its folder."
        )


def _require_utf16(path: Path, head: bytes) -> None:
    """Raise `InputError` unless it is a JSON layer in UTF-16, which is decoded before anything else sees it."""
    if path.suffix.lower() not in (".geojson", ".json") or not head.startswith(_UTF16):
        raise InputError(
            f"{path.name} does not hold what its name ending {path.suffix.lower()} says: it {_DAMAGED}. "
            "Give it its true ending, or export it again."
        )


def _leads_away(path: Path, known: Format) -> bool:
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if any(content.find(word) >= 0 for word in known.forbidden) or (
            known.pattern and known.pattern.search(content)
        ):
            return True
        # Fixed words first: a large raster is passed through at the speed of its disk.
        is_near = any(content.find(word) >= 0 for word in _GRID_WORDS)
        return is_near and _GRID_FILE_BYTES.search(content) is not None


def _require_plain_tables(path: Path) -> None:
    """Raise `InputError` when a table of a GeoPackage is a view or made by a module, which may read anything."""
    import sqlite3

    query = "SELECT name, type, sql FROM sqlite_master WHERE type = 'view' OR sql LIKE 'create virtual%'"
    systems = "SELECT definition FROM gpkg_spatial_ref_sys"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA query_only=ON")
        found = [
            name for name, kind, sql in database.execute(query)
            if kind == "view" or not re.search(r"using\s+\"?rtree\b", sql, re.IGNORECASE)
        ]  # fmt: skip
        is_led_away = any(names_a_file(str(words)) for (words,) in database.execute(systems))
    if is_led_away:
        raise _leading_away(path.name)
    if found:
        raise InputError(
            f"{path.name} holds views or virtual tables ({', '.join(found[:5])}) and is refused: they may read "
            "anything. Export the layer into a new GeoPackage."
        )


def _require_alone(path: Path) -> None:
    stems = {path.name.lower(), path.stem.lower()}
    for side in path.parent.iterdir():
        if side.suffix.lower() in _RASTER_SIDES and side.stem.lower() in stems:
            raise InputError(
                f"{path.name} keeps a part of its cells in a second file ({side.name}). Export it as one GeoTIFF."
            )


@cache
def vector_library() -> Any:  # noqa: ANN401  the module
    """Return pyogrio, after every driver but those of the table was taken out of the process."""
    import pyogrio
    from pyogrio import _ogr

    others = [driver for driver in pyogrio.list_drivers() if driver not in _DRIVERS]
    pyogrio.set_gdal_config_options({**_SHUT, "GDAL_SKIP": ",".join(others)})
    _ogr._register_drivers()  # noqa: SLF001  drivers are taken out when GDAL registers them
    return pyogrio


def layer_names(path: Path) -> list[str]:
    """Return the names of the layers in a file."""
    require_named(path)
    return [str(name) for name, _ in vector_library().list_layers(path.absolute())]


def read_layer_table(path: Path, **options: Any) -> Any:  # noqa: ANN401  pyogrio is untyped
    """Return one layer as a data frame; it has a geometry where the layer has one.

    Raises
    ------
    InputError
        When the file is not what its name says.
    """
    require_named(path)
    library = vector_library()
    known = VECTOR[path.suffix.lower()]
    if known is not _JSON:  # whose information costs as much as the reading
        driver = library.read_info(path.absolute(), layer=options.get("layer"))["driver"]
        if driver not in known.drivers:
            kind = f"is of the kind {driver}"
            raise InputError(
                f"{path.name} does not hold what its name ending {path.suffix.lower()} says: it {kind}. "
                "Give it its true ending, or export it again."
            )
    return library.read_dataframe(path.absolute(), **options)


def read_json_text(text: str, file: str, suffix: str) -> Any:  # noqa: ANN401  pyogrio is untyped
    """Return a GeoJSON layer that was decoded before; `file` is its name, `suffix` its ending."""
    content = text.encode("utf-8")
    if not re.match(rb"[{\[]", content.lstrip(_BLANKS)) or _ADDRESS.search(content):
        raise InputError(f"{file} does not hold what its name ending {suffix} says: it {_DAMAGED}. "
                         "Give it its true ending, or export it again.")  # fmt: skip
    return vector_library().read_dataframe(content)


def require_plain_crs(metadata: bytes, file: str) -> None:
    """Raise `InputError` when the reference system of a GeoParquet layer (JSON) names a file."""
    if names_a_file(json.dumps(json.loads(metadata), separators=(",", ":"), ensure_ascii=False)):
        raise _leading_away(file)


@cache
def raster_library() -> Any:  # noqa: ANN401  the module
    """Return rasterio, after the drivers that lead to other files and addresses were taken out of the process.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    """
    try:
        import rasterio
    except ImportError as error:
        raise MissingExtraError("rasterio", "raster") from error
    before = os.environ.get("GDAL_SKIP")
    os.environ["GDAL_SKIP"] = _LEADING
    try:
        with rasterio.Env():  # GDAL registers its drivers here, once a process
            pass
    finally:
        os.environ.pop("GDAL_SKIP")
        if before is not None:
            os.environ["GDAL_SKIP"] = before
    return rasterio


def raster_environment(**options: Any) -> Any:  # noqa: ANN401  a context of rasterio
    """Return the context in which rasters are opened, with addresses switched off."""
    return raster_library().Env(**_SHUT, **options)


def open_raster(path: Path) -> Any:  # noqa: ANN401  a dataset of rasterio
    """Return an opened raster without overviews, which stand in files of their own and may be anything.

    Raises
    ------
    InputError
        When the file is not what its name says.
    """
    require_named(path)
    driver = RASTER[path.suffix.lower()].drivers[0]
    return raster_library().open(path.absolute(), driver=driver, OVERVIEW_LEVEL="NONE")
