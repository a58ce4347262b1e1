"""Loops compiled by numba and kept on disk, safely when several processes start at once."""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba as nb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)
_LOCK = "compile.lock"
_STALE_S = 20.0


class _Cache:
    """Whether compiled code can be kept on disk; said once when it cannot."""

    is_writable = True


def compiled(function: Callable[..., Any]) -> Any:  # noqa: ANN401  numba is untyped
    """Return `function` compiled without the interpreter's lock, kept on disk when a folder can be written."""
    if _Cache.is_writable:
        try:
            return _with_one_body(_with_safe_saves(_with_neighbours(nb.njit(function, nogil=True, cache=True))))
        except RuntimeError:
            _say_once()
    return _with_one_body(nb.njit(function, nogil=True))


def _say_once() -> None:
    if _Cache.is_writable:
        _Cache.is_writable = False
        _log.warning("Compiled code cannot be kept on this machine: every start compiles again (some seconds).")


def _with_one_body(dispatcher: Any) -> Any:  # noqa: ANN401
    """Let loops that call the function share one body, however wide or literal the whole numbers are that they give.

    Numba compiles a callee anew for a 0 written in the call, for a 32-bit number out of an array, and for each mixture
    of them: a third of the time that a first start waits.
    """
    template = dispatcher.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:  # noqa: ANN401
        return template(tuple(map(_widest, args)), {name: _widest(kind) for name, kind in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


def _widest(kind: Any) -> Any:  # noqa: ANN401
    plain = nb.types.unliteral(kind)  # type: ignore[no-untyped-call]
    return nb.int64 if plain in nb.types.signed_domain else plain


def _with_neighbours(dispatcher: Any) -> Any:  # noqa: ANN401
    """Let what is kept hold only as long as no file of compiled loops in the folder changes.

    Numba looks at the function's own file, and would go on running the old body of an edited callee in another.
    """
    index = dispatcher._cache._cache_file  # noqa: SLF001  numba has no public way to this
    index._source_stamp = index._source_stamp, _stamps(Path(dispatcher.py_func.__code__.co_filename).parent)  # noqa: SLF001
    return dispatcher


@cache
def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    files = [(path.name, path.stat()) for path in sorted(folder.glob("*kernels.py"))]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)


def _with_safe_saves(dispatcher: Any) -> Any:  # noqa: ANN401
    """Let one process at a time add to the cache.

    Numba numbers the files of a function's signatures by what its index holds. Two processes that add different
    signatures at once give both the same number, and a later start would run the wrong code.
    """
    cache = dispatcher._cache  # noqa: SLF001  numba has no public way to this
    save = cache.save_overload

    def save_alone(signature: Any, code: Any) -> None:  # noqa: ANN401
        try:
            with _alone(Path(cache.cache_path) / _LOCK):
                save(signature, code)
        except OSError:  # a full disk, or a folder that somebody closed meanwhile
            _say_once()

    cache.save_overload = save_alone
    return dispatcher


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the lock file beside what is kept; one that a killed process left is taken over after some seconds.

    Raises
    ------
    OSError
        When what was left cannot be removed, such as another user's: waiting on would never end.
    """
    handle = None
    while handle is None:
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            with suppress(FileNotFoundError):
                # A time in the future is no reason to wait for it.
                if abs(time.time() - lock.stat().st_mtime) > _STALE_S:
                    lock.unlink()
            time.sleep(0.01)
        except OSError:  # no lock can be made here: as numba would do by itself
            break
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
            with suppress(OSError):
                lock.unlink()
