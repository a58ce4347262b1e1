"""Standard output that is only ours: libraries in C write to file descriptor 1 behind Python's back.

Guarding `sys.stdout` would not do: a solver's banner in the middle of a JSON document makes it none.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUT, _ERR = 1, 2


def keep_stdout_clean() -> None:
    """Let Python alone write to standard output from now on; what C writes there goes to standard error.

    Nothing happens where standard output was replaced already (a test, a notebook), or is closed.
    """
    out = sys.__stdout__
    if out is None or sys.stdout is not out:
        return
    with suppress(OSError, ValueError):
        out.flush()
        kept = os.dup(_OUT)
        os.dup2(_ERR, _OUT)
        sys.stdout = os.fdopen(kept, "w", encoding=out.encoding, errors=out.errors, buffering=1)


@contextmanager
def c_output_on_stderr() -> Iterator[None]:
    """Send what is written to file descriptor 1 meanwhile to standard error: for one call that is known to write."""
    try:
        kept = os.dup(_OUT)
        os.dup2(_ERR, _OUT)
    except OSError:  # one of the two is closed: there is nothing to keep clean
        yield
        return
    try:
        yield
    finally:
        _flush_c()
        os.dup2(kept, _OUT)
        os.close(kept)


def leave_closed_pipe() -> None:
    """Forget what is still to be written to a reader who has gone: the interpreter would complain at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush_c() -> None:
    """Write out what C's own buffers hold: with a pipe they are emptied only at the end of the process."""
    with suppress(OSError, AttributeError):
        (ctypes.cdll.ucrtbase if os.name == "nt" else ctypes.CDLL(None)).fflush(None)
