"""What killed writers left beside a study file: locks, half-written siblings, journals."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from planner.errors import StudyFileError
from planner.lock import living_token

if TYPE_CHECKING:
    from pathlib import Path

JOURNALS = ("-wal", "-shm", "-journal")


def mend(path: Path) -> None:
    """Sweep up what killed writers left: their locks, their half-written siblings, journals of the file itself.

    A sibling belongs to a living writer only while the lock names its token: a writer locks before it makes the
    sibling, and unlocks after it is gone, so the siblings are listed before the lock is looked at. A folder that cannot
    be written is left alone.
    """
    siblings = siblings_of(path)
    token = living_token(path)
    remove_siblings(siblings, token)
    if path.exists() and any(path.with_name(path.name + suffix).exists() for suffix in JOURNALS):
        with suppress(StudyFileError, sqlite3.Error):
            release_database(path)


def siblings_of(path: Path) -> list[Path]:
    """Return the half-written files of every save of `path`, with their journals."""
    return list(path.parent.glob(f".{_escaped(path.stem)}.*.saving.gpkg*"))


def remove_siblings(siblings: list[Path], token: str | None) -> None:
    """Remove half-written files, but for those of the writer that `token` names."""
    for sibling in siblings:
        if token is None or token not in sibling.name:
            remove(sibling)


def release_database(path: Path) -> None:
    """Bring the journals of a file home, so that none of them is applied to the file that takes its place.

    Raises
    ------
    StudyFileError
        When another program has the file open.
    """
    if not any(path.with_name(path.name + suffix).exists() for suffix in JOURNALS):
        return
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as database:
            database.execute("PRAGMA journal_mode=DELETE").fetchone()
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    except sqlite3.OperationalError as error:
        raise StudyFileError(
            f"{path.name} is open in another program (such as QGIS). Close it there and save again."
        ) from error
    for suffix in JOURNALS:
        remove(path.with_name(path.name + suffix))


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "[*?" else character for character in name)


def remove(path: Path) -> None:
    """Remove a file where that is possible."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
