"""The one folder that the browser may name studies in, and where uploads wait; nothing outside is read or written."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE = "PLANNER_STUDY_FOLDER"
DEMO_NAME = "county.gpkg"
MOST_FILES = 12
_LONGEST_NAME = 80
_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)


def study_folder(arguments: Sequence[str]) -> Path:
    """Return the folder of studies: of the study named on the command line, of the variable, or the demo's."""
    if arguments:
        return Path(arguments[0]).resolve().parent
    return Path(os.environ.get(VARIABLE) or "demo-out").resolve()


def first_study(arguments: Sequence[str]) -> Path | None:
    """Return the study to open first; None when none is named and no demo is there."""
    if arguments:
        return Path(arguments[0]).resolve()
    path = study_folder(arguments) / DEMO_NAME
    return path if path.is_file() else None


def studies_in(folder: Path) -> list[str]:
    """Return the names of the study files in the folder, by name."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.glob("*.gpkg") if not path.name.startswith(".") and path.is_file())


def study_path(folder: Path, name: str) -> Path:
    """Return the path of the study file `name` in the folder, whatever a browser sends as a name.

    Raises
    ------
    InputError
        When the name is empty, too long, or would lead out of the folder.
    """
    stem = name.strip().removesuffix(".gpkg").strip()
    if (
        not stem
        or len(stem) > _LONGEST_NAME
        or stem.startswith(".")
        or _FORBIDDEN.search(stem)
        or _RESERVED.match(stem)
    ):
        raise InputError(f"'{name}' cannot be a file's name. Use up to {_LONGEST_NAME} letters, digits, - and _.")
    path = (folder / f"{stem}.gpkg").resolve()
    if path.parent != folder.resolve():
        raise InputError(f"'{name}' leads out of the study folder. Choose a plain name.")
    return path


@cache
def upload_folder() -> Path:
    """Return where uploaded files wait until they are imported."""
    return Path(tempfile.mkdtemp(prefix="planner-upload-"))


def keep_upload(name: str, content: bytes, token: str) -> Path:
    """Write an uploaded file under a name that is safe, in a folder of the session's own; return its path.

    What is there already is left alone: a page that runs again is not another upload.
    """
    plain = _FORBIDDEN.sub("_", Path(name.replace("\\", "/")).name).lstrip(".") or "upload"
    named = Path(plain)
    folder = upload_folder() / token
    folder.mkdir(exist_ok=True)
    path = folder / f"{named.stem[-_LONGEST_NAME:]}{named.suffix[:12]}"
    if not (path.is_file() and path.read_bytes() == content):
        path.write_bytes(content)
    return path


def drop_uploads(token: str) -> None:
    """Delete what a session uploaded."""
    shutil.rmtree(upload_folder() / token, ignore_errors=True)
