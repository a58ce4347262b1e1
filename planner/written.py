"""Files written for people: whole, proven and in one step, or not at all.

A writer gets a temporary name in the folder of the file. What it wrote is flushed and read back by the reader of its
kind before it takes its name; where anything fails, what was there before is left as it was.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from planner.errors import InputError, PlannerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class IncompleteError(OSError):
    """What was written does not hold what was meant."""

    def __init__(self) -> None:
        super().__init__("what was written is not whole; the disk may be full")


@contextmanager
def written(path: Path, is_whole: Callable[[Path], bool], foreign: tuple[type[Exception], ...] = ()) -> Iterator[Path]:
    """Give the temporary name to write to; on leaving, prove what stands there and give it the name `path`.

    Parameters
    ----------
    is_whole : reads the file back and says whether it holds what was meant.
    foreign : errors of the libraries that write and read, beside those of the system.

    Raises
    ------
    InputError
        When the file cannot be written, or does not hold what was meant.
    """
    part = path.with_name(f".{uuid4().hex[:12]}.part{path.suffix}")
    errors: tuple[type[Exception], ...] = (OSError, *foreign)
    try:
        yield part
        flush(part)
        if not is_whole(part):
            raise IncompleteError
        part.replace(path)
        flush_folder(path.parent)
    except PlannerError:
        raise
    except errors as error:
        reason = getattr(error, "strerror", None) or error  # without the temporary name
        raise InputError(
            f"'{path}' cannot be written ({reason}). Check that the disk has room, that you may write there and that "
            "no other program has it open. What was there is as it was."
        ) from error
    finally:
        for left in part.parent.glob(f"{part.name}*"):  # a database has journals beside it
            with suppress(OSError):
                left.unlink()


def write_text(path: Path, document: str) -> Path:
    """Write a text file in UTF-8, prove it and return its path; `InputError` where that is impossible."""
    content = document.encode()
    with written(path, lambda part: part.read_bytes() == content) as part:
        part.write_bytes(content)
    return path


def is_whole_zip(path: Path) -> bool:
    """Whether every member of an archive (a workbook is one) has its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None and bool(archive.namelist())
    except zipfile.BadZipFile:
        return False


@contextmanager
def written_together(folder: Path, last: str) -> Iterator[Path]:
    """Give an empty folder inside `folder`, which is made where missing; on leaving, its files take their places.

    The file `last` goes first and comes last, so that a folder that has it is complete.

    Raises
    ------
    InputError
        When the folder cannot be made or the files cannot be put there. What fails inside leaves nothing.
    """
    is_new = not folder.exists()
    part = folder / f".{uuid4().hex[:12]}.part"
    try:
        part.mkdir(parents=True)
        yield part
        (folder / last).unlink(missing_ok=True)
        for made in sorted(part.iterdir(), key=lambda file: (file.name == last, file.name)):
            made.replace(folder / made.name)
        flush_folder(folder)
    except PlannerError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"'{folder}' cannot be written ({reason}). Check that the disk has room, that you may write there and that "
            "no other program has a file of it open."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                folder.rmdir()  # only where nothing was put there


def flush(path: Path) -> None:
    """Have the system put a file on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Flush the folder's entry, where the system can (Windows cannot, and need not)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
