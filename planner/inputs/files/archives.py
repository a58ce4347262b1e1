"""What a path really holds: the kind of its bytes, and zip archives unpacked without trusting them."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.formats import RASTER, VECTOR, require_named
from planner.inputs.records import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_UNPACKED_BYTES = 4 * 1024**3
_MAX_RATIO = 250
_ALWAYS_FINE_BYTES = 64 * 1024**2
_MAX_MEMBERS = 20_000
_CHUNK_BYTES = 1024**2
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_SIGNATURES = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"PAR1", "parquet"),
    (b"\xd0\xcf\x11\xe0", "ole"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "pdf"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf", "7z"),
    (b"fgb", "flatgeobuf"),
)
_WORDS = {
    "zip": "a zip archive (or an .xlsx workbook)",
    "sqlite": "a GeoPackage (.gpkg)",
    "parquet": "a Parquet file (.parquet)",
    "ole": "an old Office file (.xls, .doc)",
    "gzip": "a gzip archive",
    "pdf": "a PDF",
    "rar": "a RAR archive",
    "7z": "a 7z archive",
    "flatgeobuf": "a FlatGeobuf layer (.fgb)",
}
_EXPECTED = {
    ".csv": None, ".tsv": None, ".txt": None, ".geojson": None, ".json": None, ".shp": None, ".dbf": None, ".dxf": None,
    ".kml": None, ".tab": None, ".mif": None, ".fgb": "flatgeobuf", ".xls": "ole", ".et": "ole",
    ".xlsx": "zip", ".zip": "zip", ".kmz": "zip", ".gpkg": "sqlite", ".parquet": "parquet", ".geoparquet": "parquet",
}  # fmt: skip
_HEAD_BYTES = 4096
_HIDDEN = ("__MACOSX", ".")


def require_file(path: Path) -> None:
    """Raise `InputError` unless `path` is a file with something in it, whose bytes are what its name says."""
    if path.is_dir() and path.suffix.lower() == ".gdb":
        if not any(path.glob("*.gdbtable")):
            raise InputError(f"{path.name} is no file geodatabase: it holds no .gdbtable. Copy the whole folder again.")
        return
    if path.is_dir():
        raise InputError(f"{path.name} is a folder. Name one file in it.")
    if not path.exists():
        raise InputError(f"{path} does not exist. Check the name and the folder.")
    with reading(path.name, "Check that you may read it and that no other program holds it."), path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes). Export it again.")
    suffix = path.suffix.lower()
    found = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if suffix in _EXPECTED and found != _EXPECTED[suffix]:
        holds = f"is {_WORDS[found]}" if found else "is something else, or damaged"
        raise InputError(
            f"{path.name} does not hold what its name ending {suffix} says: it {holds}. "
            "Give it its true ending, or export it again."
        )
    if suffix in VECTOR or suffix in RASTER:
        with reading(path.name, "The file is damaged or was cut short: export or copy it again."):
            require_named(path)


def folder_files(folder: Path) -> list[Path]:
    """Return the files, and file geodatabases, directly in a folder; the folder itself when it is a geodatabase."""
    if folder.suffix.lower() == ".gdb":
        return [folder]
    return sorted(path for path in folder.iterdir() if not path.name.startswith(_HIDDEN))


@contextmanager
def unpacked(path: Path) -> Iterator[list[Path]]:
    """Give the files inside a zip, in a folder that vanishes afterwards; sorted by name.

    Raises
    ------
    InputError
        When the archive is damaged, encrypted, leads out of its folder, or would grow beyond all measure.
    """
    with TemporaryDirectory(prefix="planner-") as folder:
        yield unpack(path, Path(folder))


def unpack(path: Path, folder: Path) -> list[Path]:
    """Write the files of the zip at `path` into `folder` (flat names where they do not clash) and return them."""
    advice = "The archive is damaged or was cut short: make or copy it again."
    with reading(path.name, advice), zipfile.ZipFile(path) as archive:
        members = check_archive(path.name, archive)
        targets = []
        for member, name in members:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as sink:
                while chunk := source.read(_CHUNK_BYTES):
                    sink.write(chunk)
            # A file geodatabase is a folder of many files.
            parts = [parent for parent in target.parents if parent.suffix.lower() == ".gdb" and parent != folder]
            targets.append(parts[-1] if parts else target)
    return sorted(set(targets))


def check_archive(file: str, archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return the members with their names, after checking what they would do when unpacked."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    total = sum(member.file_size for member in members)
    packed = max(sum(member.compress_size for member in members), 1)
    is_bomb = total > _ALWAYS_FINE_BYTES and total / packed > _MAX_RATIO
    if total > MAX_UNPACKED_BYTES or is_bomb or len(members) > _MAX_MEMBERS:
        raise InputError(
            f"{file} would unpack to {total / 1024**2:,.0f} MB in {len(members):,} files and is refused. "
            "Unpack it yourself and import the file that you need."
        )
    named = [(member, _member_name(member)) for member in members]
    for member, name in named:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or ":" in name:
            raise InputError(f"{file} holds a file that leads out of its folder ('{name}') and is refused.")
        if member.flag_bits & _ENCRYPTED:
            raise InputError(f"{file} is protected by a password. Unpack it yourself and import the file inside.")
    return [(member, name) for member, name in named if not PurePosixPath(name).parts[-1].startswith(_HIDDEN)
            and not name.startswith(_HIDDEN)]  # fmt: skip


def choose(file: str, paths: Sequence[Path], suffixes: Sequence[str], wanted: str | None) -> Path:
    """Return the one data file among `paths`.

    Raises
    ------
    InputError
        When there is none, or several and `wanted` names none of them.
    """
    usable = [path for path in paths if path.suffix.lower() in suffixes and not _is_part(path, paths)]
    if not usable:
        if not paths:
            raise InputError(f"{file} is empty: there is no file in it. Make it again.")
        found = ", ".join(path.name for path in paths[:5])
        raise InputError(f"{file} holds no file that can be read here ({found}). Expected: {', '.join(suffixes)}.")
    if len(usable) == 1:
        return usable[0]
    named = [path for path in usable if wanted in (path.name, path.stem)]
    if len(named) == 1:
        return named[0]
    raise InputError(
        f"{file} holds {len(usable)} layers: {', '.join(path.name for path in usable[:10])}. Name one with --layer."
    )


def _is_part(path: Path, paths: Sequence[Path]) -> bool:
    """Whether a .dbf, or a file without a geometry of its own, belongs to the layer beside it."""
    beside = {
        other.suffix.lower() for other in paths if other != path and other.with_suffix("") == path.with_suffix("")
    }
    return path.suffix.lower() == ".dbf" and ".shp" in beside


def _member_name(member: zipfile.ZipInfo) -> str:
    """Return the name, read as GBK where the archive does not say that it is UTF-8 (Windows archivers in China)."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename
