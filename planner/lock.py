"""Lock files: one writer at a time, told by process, machine and time, so that a killed writer locks nobody out."""

from __future__ import annotations

import json
import math
import os
import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from planner.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

WAIT_S = 10.0
FOREIGN_LOCK_S = 600.0
"""A lock of another machine counts as left behind after this time."""
OWN_LOCK_S = 3_600.0
"""So does one of this machine whose process number is alive: numbers are given out again."""

_UNREADABLE_LOCK_S = 10.0
_POLL_S = 0.05


@contextmanager
def locked(path: Path) -> Iterator[str]:
    """Hold the lock file of `path`, and give the token that names its holder.

    Raises
    ------
    StudyFileError
        When a living writer holds it for longer than `WAIT_S`.
    OSError
        When no lock file can be made there.
    """
    lock = lock_file(path)
    token = uuid4().hex
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "time": time.time(), "token": token}
    deadline = time.monotonic() + WAIT_S
    while not _take(lock, holder):
        found = _holder(lock)
        if found is not None and _is_left_behind(found):
            _break(lock, found)
        elif time.monotonic() > deadline:
            name = f"process {found['pid']} on {found['host']}" if found and "pid" in found else "another program"
            raise StudyFileError(
                f"{path.name} is being saved by {name}. Try again; if no planner runs there, delete {lock.name}."
            )
        else:
            time.sleep(_POLL_S)
    try:
        yield token
    finally:
        if (_holder(lock) or {}).get("token") == token:
            lock.unlink(missing_ok=True)


def _take(lock: Path, holder: Mapping[str, Any]) -> bool:
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    try:
        os.write(handle, json.dumps(holder).encode())
    finally:
        os.close(handle)
    return True


def _holder(lock: Path) -> dict[str, Any] | None:
    """Return who holds the lock; None when nobody does. Bytes that say nothing give their age only."""
    try:
        data, written = lock.read_bytes(), lock.stat().st_mtime
    except OSError:
        return None
    try:
        found = json.loads(data)
        return {"pid": int(found["pid"]), "host": str(found["host"]), "time": float(found["time"]),
                "token": str(found["token"])}  # fmt: skip
    except (ValueError, LookupError, TypeError):
        return {"time": written, "token": ""}


def _is_left_behind(holder: Mapping[str, Any]) -> bool:
    """Whether the writer that holds a lock is gone."""
    # A time in the future, or none at all, is no reason to wait for it.
    age = abs(time.time() - holder["time"])
    age = math.inf if math.isnan(age) else age
    if "pid" not in holder:
        return age > _UNREADABLE_LOCK_S
    if holder["host"] != socket.gethostname():
        return age > FOREIGN_LOCK_S
    return not _is_running(holder["pid"]) or age > OWN_LOCK_S


def _is_running(pid: int) -> bool:
    if os.name == "nt":
        return _is_running_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_running_on_windows(pid: int) -> bool:
    """Ask Windows for the process: a signal would end it there."""
    import ctypes

    query, still_active = 0x1000, 259
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(query, 0, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active


def _break(lock: Path, found: Mapping[str, Any]) -> None:
    """Take away a lock that was left behind, unless somebody else was faster and holds a new one."""
    aside = lock.with_name(f"{lock.name}.{uuid4().hex}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return
    taken = _holder(aside)
    if taken is not None and taken.get("token") != found.get("token") and not lock.exists():
        aside.rename(lock)
        return
    aside.unlink(missing_ok=True)


def living_token(path: Path) -> str | None:
    """Return the token of the writer that holds the lock of `path`; a lock left behind is taken away first."""
    lock = lock_file(path)
    holder = _holder(lock)
    if holder is None:
        return None
    if not _is_left_behind(holder):
        return str(holder["token"])
    with suppress(OSError):
        _break(lock, holder)
    return None


def lock_file(path: Path) -> Path:
    """Return where the lock of `path` stands."""
    return path.with_name(f"{path.name}.lock")
