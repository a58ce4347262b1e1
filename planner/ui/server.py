"""The app's server: Streamlit's own, with its scripts sent packed, and the first county read before anybody asks."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import logging
import os
import signal
import sys
import threading
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from starlette.middleware import Middleware

from planner.ui.door import Door
from planner.ui.folder import first_study
from planner.ui.settings import PASSWORD_VARIABLE, arguments, leave_the_path, tiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Receive, Scope, Send

OPTIONS = {
    "server.headless": True, "server.maxUploadSize": 500, "server.fileWatcherType": "none",
    "browser.gatherUsageStats": False, "client.toolbarMode": "minimal", "client.showErrorDetails": "none",
    "theme.base": "light", "theme.primaryColor": "#1f5c8b",
}  # fmt: skip
"""What the app asks of Streamlit; uploads up to so many MB."""
_SCRIPT = Path(__file__).with_name("main.py")
_STATIC = Path(st.__file__).with_name("static") / "static"
_PACKED = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
_PREFIX = "/static/"
_GRACE_S = 5.0


class PackedFiles:
    """Sends Streamlit's scripts and style sheets packed, each packed once.

    Streamlit sends them as they are (3 MB of a page's 4) and leaves packing to a proxy, which no county's machine has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for such a file; hand every other on."""
        name = str(scope.get("path", "")).removeprefix(_PREFIX)
        kind = _PACKED.get(Path(name).suffix)
        if scope["type"] != "http" or kind is None or not _takes_packed(scope):
            await self._app(scope, receive, send)
            return
        content = await asyncio.to_thread(_packed, name)
        if content is None:
            await self._app(scope, receive, send)
            return
        # Their names change with their content, so a browser keeps them, as it does without packing.
        headers = [
            (b"content-type", kind), (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"),
            (b"content-length", str(len(content)).encode()), (b"cache-control", b"public, immutable, max-age=31536000"),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _takes_packed(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    asks_whole = scope["method"] == "GET" and scope["path"].startswith(_PREFIX) and b"range" not in headers
    return asks_whole and b"gzip" in headers.get(b"accept-encoding", b"")


@cache
def _packed(name: str) -> bytes | None:
    """Return the packed content of a file of Streamlit's; None where it has none of that name."""
    if name not in _names():
        return None
    return gzip.compress((_STATIC / name).read_bytes(), 6, mtime=0)


@cache
def _names() -> frozenset[str]:
    return frozenset(path.relative_to(_STATIC).as_posix() for path in _STATIC.rglob("*") if path.is_file())


@asynccontextmanager
async def _county_at_hand(_app: Any) -> AsyncIterator[dict[str, Any]]:
    leave_the_path()
    # Only now: what the pages keep belongs to a server that runs.
    from planner.ui.opening import read_early

    path = first_study(arguments())
    if path is not None:
        read_early(path)
    yield {}


def _say_it_is_ours(error: Exception) -> bool:
    """Say in the reader's language that we are at fault; the log has the rest."""
    from planner.ui.frame import defect
    from planner.ui.state import session_state

    logging.getLogger(__name__).error("A page failed", exc_info=error)
    defect(session_state(), error)
    return True


def _end_with_the_owner() -> None:
    """End when the command that started the server is gone, however it ended: the port is free again."""
    sys.stdin.buffer.read()
    threading.Timer(_GRACE_S, os._exit, [1]).start()
    signal.raise_signal(signal.SIGTERM)


def main() -> None:
    """Serve the app until somebody stops it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("study", nargs="?")
    parser.add_argument("--address", default="localhost")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--owned", action="store_true", help="end with whoever holds the other end of the input")
    given = parser.parse_args()
    if given.owned:
        threading.Thread(target=_end_with_the_owner, daemon=True).start()
    # The script of the pages finds the study alone on the command line.
    sys.argv[1:] = [given.study] if given.study else []
    door = Middleware(Door, password=os.environ.get(PASSWORD_VARIABLE, ""), address=given.address, tiles=tiles() or "")
    app = st.App(
        _SCRIPT, lifespan=_county_at_hand, middleware=[door, Middleware(PackedFiles)], on_script_error=_say_it_is_ours
    )
    app.run(config={**OPTIONS, "server.address": given.address, "server.port": given.port})


if __name__ == "__main__":
    main()
