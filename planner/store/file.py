"""The study file: one GeoPackage a county, written whole and swapped in, so that no reader ever sees half of it.

Layers are named as the study's tables; results are `result_<name>`. Beside them stand plain tables: `study` (name, CRS,
revision, format), `metadata`, `scenarios`, `history`, `ledger`, `grids` (compressed) and `contents` (what each layer's
columns were before GeoPackage types). Everything opens in QGIS as it is.

A save writes a sibling file, reads it back, flushes it and swaps it in with `os.replace`, under a lock file that names
its writer. What is read back is sealed by a hash a layer (in `contents`) and one over the plain tables (in `study`),
which every opening compares; an id of the save tells apart copies that went different ways. What a killed writer left
behind is swept up by the next open or save.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
import zlib
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd

from planner.errors import CancelledError, InputError, PlannerError, RevisionConflictError, StudyFileError
from planner.formats import require_named, vector_library
from planner.lock import locked
from planner.progress import SILENT
from planner.schema import CONTRACTS
from planner.store.cells import plain_value, restored_column, stored_column
from planner.store.leftovers import JOURNALS, mend, release_database, remove, remove_siblings, siblings_of
from planner.store.seal import SEAL, layer_seal, plain_seal
from planner.study import Grid, Study
from planner.written import flush, flush_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    import pyarrow as pa

    from planner.progress import Progress

FORMAT_VERSION = 2
_FIRST_SEALED = 2

_RESULT = "result_"
_FID = "planner_fid"
_GEOMETRY = "geom"
_BUSY_WAIT_S = 10.0
_OPEN_ATTEMPTS = 5


def open_study(path: str | Path, progress: Progress = SILENT) -> Study:
    """Return the study in the file, after sweeping up what a killed writer left beside it.

    Raises
    ------
    StudyFileError
        When there is no such file, it is no study, it is damaged or changed by another program, one has it locked, or a
        newer planner wrote it.
    """
    path = Path(path)
    mend(path)
    _require_study_file(path)
    for _ in range(_OPEN_ATTEMPTS):
        before = _stamp(path)
        try:
            with _reading(path):
                study = _read(path, progress)
        except StudyFileError:
            if _stamp(path) == before:
                raise
            continue  # what was read is part of one save and part of another
        if _stamp(path) == before:
            return study
    raise StudyFileError(f"{path.name} keeps changing while it is read. Try again when the other program has finished.")


def save_study(study: Study, path: str | Path, progress: Progress = SILENT) -> Study:
    """Write the study to `path` and return it with its revision raised by one.

    Raises
    ------
    RevisionConflictError
        When somebody saved the file after `study` was opened from it.
    StudyFileError
        When the file is locked, is no study, or cannot be written; what was there is left as it was.
    """
    path = Path(path)
    if path.suffix.lower() != ".gpkg":
        raise StudyFileError(f"{path.name} must end in .gpkg.")
    with _writing(path), locked(path) as token:
        _require_same_revision(study, path)
        remove_siblings(siblings_of(path), token)
        saved = replace(study, revision=study.revision + 1, save_id=uuid4().hex)
        sibling = path.with_name(f".{path.stem}.{token}.saving.gpkg")
        try:
            _write(saved, sibling, progress)
            flush(sibling)
            _check(sibling, saved)
            _require_same_revision(study, path)
            release_database(path)
            sibling.replace(path)
            flush_folder(path.parent)
        finally:
            for suffix in ("", *JOURNALS):
                remove(sibling.with_name(sibling.name + suffix))
    return saved


# ---- reading ----


def _require_study_file(path: Path) -> None:
    if not path.is_file():
        raise StudyFileError(
            f"There is no study file {path}. Make one: planner new {path.name} --name NAME --crs EPSG:..."
        )
    if path.stat().st_size == 0:
        raise StudyFileError(f"{path.name} is empty. Take it from a backup.")


def _stamp(path: Path) -> tuple[int, int]:
    with _reading(path):
        status = path.stat()
    return status.st_ino, status.st_mtime_ns


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever a locked, damaged or foreign file raises into one error."""
    import pyarrow as pa
    from pyogrio.errors import DataLayerError, DataSourceError
    from shapely.errors import ShapelyError

    foreign = (sqlite3.Error, DataSourceError, DataLayerError, pa.ArrowException, ShapelyError, zlib.error, InputError)
    try:
        yield
    except (StudyFileError, RevisionConflictError, CancelledError):
        raise
    except (*foreign, OSError, LookupError, ValueError) as error:
        if _is_locked(error):
            raise StudyFileError(
                f"{path.name} is in use by another program (such as QGIS). Close it there and try again."
            ) from error
        if isinstance(error, OSError) or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CANTOPEN:
            raise StudyFileError(
                f"{path} cannot be read ({error}). Check that the disk is there and that you may read it."
            ) from error
        raise StudyFileError(
            f"{path.name} is no study file of the planner, or is damaged ({error}). "
            "Open the right file, or take it from a backup."
        ) from error


def _is_locked(error: Exception) -> bool:
    """Whether another program holds the file: SQLite says it by a code, GDAL in words."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} or "is locked" in str(error)


def _read(path: Path, progress: Progress) -> Study:
    require_named(path)
    with closing(_connect(path)) as database:
        head = _head(path, database)
        _require_sealed(path, head, database)
        metadata = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM metadata")}
        scenarios = dict(database.execute("SELECT name, toml FROM scenarios ORDER BY rowid"))
        contents = [
            (layer, role, name, json.loads(columns))
            for layer, role, name, columns in database.execute(
                "SELECT layer, role, name, columns FROM contents ORDER BY rowid"
            )
        ]
        grids = dict(_read_grids(database))
    frames: dict[str, dict[str, Any]] = {"table": {}, "result": {}, "log": {}}
    for number, (layer, role, name, spec) in enumerate(contents):
        progress.update(number, len(contents), name)
        frames[role][name] = _read_layer(path, layer, spec)
    progress.update(len(contents), len(contents))
    return Study(
        name=head["name"],
        crs=head["crs"],
        tables=frames["table"],
        grids=grids,
        results=frames["result"],
        scenarios=scenarios,
        history=frames["log"].get("history"),
        ledger=frames["log"].get("ledger"),
        metadata=metadata,
        revision=int(head["revision"]),
        save_id=head.get("save_id", ""),
    )


def _require_sealed(path: Path, head: Mapping[str, str], database: sqlite3.Connection) -> None:
    """Raise unless the plain tables are those that were saved; a file older than the seals has none to compare."""
    if int(head["format_version"]) >= _FIRST_SEALED and head[SEAL] != plain_seal(database):
        raise _damaged(path, "study")


def _damaged(path: Path, layer: str) -> StudyFileError:
    return StudyFileError(
        f"{path.name} is damaged, or another program changed it: its part '{layer}' is not what was saved. Take the "
        "file from a backup. A layer that was changed on purpose can be exported from it and imported."
    )


def _connect(path: Path) -> sqlite3.Connection:
    # No read-only URI: SQLite's URIs cannot name a file on a Windows network share.
    database = sqlite3.connect(path, timeout=_BUSY_WAIT_S)
    database.execute("PRAGMA query_only=ON")
    return database


def _head(path: Path, database: sqlite3.Connection) -> dict[str, str]:
    """Return the rows of the table `study`; raises when a newer planner wrote the file."""
    head = dict(database.execute("SELECT key, value FROM study"))
    if int(head["format_version"]) > FORMAT_VERSION:
        raise StudyFileError(
            f"{path.name} was written by a newer planner (format {head['format_version']}, this one reads "
            f"{FORMAT_VERSION}). Install the newer version."
        )
    return head


def _read_grids(database: sqlite3.Connection) -> Iterator[tuple[str, Grid]]:
    rows = database.execute("SELECT name, crs, transform, shape, dtype, unit, data FROM grids ORDER BY rowid")
    for name, crs, transform, shape, dtype, unit, data in rows:
        values = np.frombuffer(zlib.decompress(data), dtype=dtype).reshape(json.loads(shape)).copy()
        a, b, c, d, e, f = json.loads(transform)
        yield name, Grid(values, (a, b, c, d, e, f), crs, unit)


def _read_layer(path: Path, layer: str, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Return one layer with the columns, types, order and index that it had.

    Raises
    ------
    StudyFileError
        When it does not hold what was saved.
    """
    import geopandas as gpd

    columns: dict[Any, Any] = {}
    if spec["columns"]:
        rows = _rows(path, layer)
        if spec.get(SEAL) not in {None, layer_seal(rows)}:
            raise _damaged(path, layer)
        stored = rows.to_pandas()
        for column in spec["columns"]:
            if column["kind"] == "geometry":
                columns[column["name"]] = gpd.GeoSeries.from_wkb(stored[_GEOMETRY])
            else:
                columns[column["name"]] = restored_column(stored[column["stored"]], column)
    table = pd.DataFrame(columns, index=pd.RangeIndex(spec["n_rows"]))
    table.columns = pd.Index([column["name"] for column in spec["columns"]], dtype=table.columns.dtype)
    if spec["geometry"] is not None:
        table = gpd.GeoDataFrame(table, geometry=spec["geometry"])
        table = table.set_crs(spec["crs"], allow_override=True) if spec["crs"] is not None else table
    return table.set_index(spec["index"]) if spec["index"] else table


def _rows(path: Path, layer: str) -> pa.Table:
    pyogrio = vector_library()

    with warnings.catch_warnings():
        # What GDAL remarks about a damaged file is found by the seal, and said by it.
        warnings.simplefilter("ignore")
        return pyogrio.read_arrow(path.absolute(), layer=layer)[1]


# ---- writing ----


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what a full disk, a read-only folder or another program raises into one error."""
    from pyogrio.errors import DataLayerError, DataSourceError, FieldError, GeometryError

    foreign = (sqlite3.Error, DataSourceError, DataLayerError, FieldError, GeometryError, OSError)
    try:
        yield
    except PlannerError:
        raise
    except foreign as error:
        raise StudyFileError(
            f"{path} could not be saved ({error}). Check that the disk has room, that you may write there and that no "
            "other program (such as QGIS) has it open. The file is as it was."
        ) from error


def _write(study: Study, target: Path, progress: Progress) -> None:
    """Write the whole study into a new file, and seal what is read back."""
    layers = list(_layers(study))
    contents = []
    with _unsynchronised():
        for number, (layer, role, name, table) in enumerate(layers):
            progress.update(number, len(layers) + 1, name)
            spec = _write_layer(table, target, layer)
            if spec["columns"]:
                spec[SEAL] = _seal_of_written(target, layer, spec["n_rows"])
            contents.append((layer, role, name, json.dumps(spec, ensure_ascii=False)))
        if not target.exists():
            _write_empty(target)
    progress.update(len(layers), len(layers) + 1, "")
    with closing(sqlite3.connect(target)) as database, database:
        _write_plain(study, contents, database)
        database.execute("INSERT INTO study (key, value) VALUES (?, ?)", (SEAL, plain_seal(database)))
    progress.update(1, 1)


def _seal_of_written(target: Path, layer: str, n_rows: int) -> str:
    rows = _rows(target, layer)
    if rows.num_rows != n_rows:
        raise _incomplete()
    return layer_seal(rows)


def _incomplete() -> StudyFileError:
    return StudyFileError("The study was not written completely (is the disk full?). The file is as it was.")


def _layers(study: Study) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
    """Yield layer name, role, name in the study and rows of everything tabular."""
    order = [name for name in CONTRACTS if name in study.tables]
    yield from ((name, "table", name, study.tables[name]) for name in order)
    yield from ((f"{_RESULT}{name}", "result", name, table) for name, table in study.results.items())
    for name, log in (("history", study.history), ("ledger", study.ledger)):
        if log is not None:
            yield name, "log", name, log


def _write_layer(table: pd.DataFrame, target: Path, layer: str) -> dict[str, Any]:
    """Append a table to the file as one layer, and return what restores it."""
    import geopandas as gpd

    pyogrio = vector_library()

    index = [] if table.index.name is None and table.index.nlevels == 1 else list(table.index.names)
    table = table.reset_index(drop=not index)
    is_layer = isinstance(table, gpd.GeoDataFrame)
    geometry = table.geometry.name if is_layer else None
    taken = {_FID, _GEOMETRY, "fid"}
    stored: dict[str, Any] = {}
    columns = []
    for name in table.columns:
        if name == geometry:
            columns.append({"name": name, "kind": "geometry"})
            continue
        values, spec = stored_column(table[name])
        key = _free_name(str(name), taken)
        stored[key] = values
        columns.append({"name": name, "stored": key, **spec})
    spec = {"columns": columns, "geometry": geometry, "index": index, "n_rows": len(table),
            "crs": _crs_text(table) if is_layer else None}  # fmt: skip
    if not columns:
        return spec
    frame = pd.DataFrame(stored, index=table.index)
    options: dict[str, Any] = {"FID": _FID}
    if is_layer:
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(table.geometry.array), crs=table.crs)
        options |= {"GEOMETRY_NAME": _GEOMETRY}
    with warnings.catch_warnings():
        # GDAL remarks that a layer of an unknown CRS or of mixed shapes is unusual; both are meant.
        warnings.simplefilter("ignore")
        pyogrio.write_dataframe(
            frame,
            target,
            layer=layer,
            driver="GPKG",
            use_arrow=True,
            geometry_type=_geometry_type(table.geometry, layer) if is_layer else None,
            layer_options=options,
        )
    return spec


def _free_name(name: str, taken: set[str]) -> str:
    """Return the name, numbered where SQLite, which ignores case, would take it for another's."""
    key, number = name, 2
    while key.lower() in taken:
        key, number = f"{name}_{number}", number + 1
    taken.add(key.lower())
    return key


def _geometry_type(shapes: gpd.GeoSeries, layer: str) -> str:
    """Return the one type of the shapes, or "Unknown"; an empty table has that of its contract."""
    kinds = shapes.geom_type.dropna().unique()
    if not len(kinds) and layer in CONTRACTS:
        declared = CONTRACTS[layer].geometry
        return "Unknown" if declared == "Any" else declared
    has_z = bool(shapes.has_z.any())
    return kinds[0] if len(kinds) == 1 and not has_z and kinds[0] != "LinearRing" else "Unknown"


def _crs_text(table: gpd.GeoDataFrame) -> str | None:
    if table.crs is None:
        return None
    authority = table.crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else table.crs.to_wkt()


def _write_empty(target: Path) -> None:
    """Make a GeoPackage without layers, for a study that has none yet."""
    pyogrio = vector_library()

    pyogrio.write_dataframe(pd.DataFrame({"note": pd.Series([], dtype="str")}), target, layer="empty", driver="GPKG")
    with closing(sqlite3.connect(target)) as database, database:
        database.execute("DROP TABLE empty")
        for table in ("gpkg_contents", "gpkg_ogr_contents"):
            database.execute(f"DELETE FROM {table} WHERE table_name = 'empty'")  # noqa: S608  names are ours


def _write_plain(study: Study, contents: list[tuple[str, str, str, str]], database: sqlite3.Connection) -> None:
    """Add the tables that are no layers, and declare them as GeoPackage attributes."""
    head = {
        "format_version": FORMAT_VERSION, "name": study.name, "crs": study.crs, "revision": study.revision,
        "save_id": study.save_id,
    }  # fmt: skip
    tables: dict[str, tuple[str, list[tuple]]] = {
        "study": ("key TEXT, value TEXT", [(key, str(value)) for key, value in head.items()]),
        "metadata": (
            "key TEXT, value TEXT",
            [
                (key, json.dumps(value, ensure_ascii=False, default=plain_value))
                for key, value in study.metadata.items()
            ],
        ),
        "scenarios": ("name TEXT, toml TEXT", list(study.scenarios.items())),
        "contents": ("layer TEXT, role TEXT, name TEXT, columns TEXT", contents),
        "grids": (
            "name TEXT, crs TEXT, transform TEXT, shape TEXT, dtype TEXT, unit TEXT, data BLOB",
            [_grid_row(name, grid) for name, grid in study.grids.items()],
        ),
    }
    for name, (columns, rows) in tables.items():
        database.execute(f"CREATE TABLE {name} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {columns})")
        names = ", ".join(column.split()[0] for column in columns.split(", "))
        marks = ", ".join("?" for _ in columns.split(", "))
        database.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", rows)  # noqa: S608  names are ours
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)", (name, name)
        )


def _grid_row(name: str, grid: Grid) -> tuple[str, str, str, str, str, str, bytes]:
    values = np.ascontiguousarray(grid.values)
    return (name, grid.crs, json.dumps([float(value) for value in grid.transform]), json.dumps(values.shape),
            values.dtype.str, grid.unit, zlib.compress(values.tobytes(), 1))  # fmt: skip


@contextmanager
def _unsynchronised() -> Iterator[None]:
    """Let SQLite skip its flush after every step: the finished file is flushed once, before it is swapped in."""
    pyogrio = vector_library()

    key = "OGR_SQLITE_SYNCHRONOUS"
    before = pyogrio.get_gdal_config_option(key)
    pyogrio.set_gdal_config_options({key: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({key: before})


def _check(target: Path, saved: Study) -> None:
    """Raise `StudyFileError` unless the written file is sound, and its plain tables are those of this save."""
    with _reading(target), closing(_connect(target)) as database:
        sound = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        head = _head(target, database)
        _require_sealed(target, head, database)
    if sound != "ok" or head["save_id"] != saved.save_id:
        raise _incomplete()


def _require_same_revision(study: Study, path: Path) -> None:
    """Raise unless `path` is free, or holds the study and the save that `study` was opened from."""
    if not path.exists():
        return
    with _reading(path), closing(_connect(path)) as database:
        head = _head(path, database)
        found = int(head["revision"])
    if head["name"] != study.name:
        raise RevisionConflictError(
            f"{path.name} is the study of {head['name']}, yours is that of {study.name}. Choose another file."
        )
    if found != study.revision:
        raise RevisionConflictError(
            f"{path.name} was saved by someone else in the meantime (revision {found}, yours is {study.revision}). "
            "Open it again and repeat your change, or save under another name."
        )
    if head.get("save_id", "") != study.save_id:
        raise RevisionConflictError(
            f"{path.name} is another copy of the study, changed apart from yours (both have revision {found}). "
            "Save under another name and compare the two."
        )
