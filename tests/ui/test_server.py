"""The app's server: Streamlit's scripts packed as they are, and nothing else answered by us."""

import asyncio
import gzip
from pathlib import Path

import pytest
import streamlit as st

from planner.ui.server import PackedFiles

STATIC = Path(st.__file__).with_name("static") / "static"


def answer(path, encoding=b"gzip, deflate, br", method="GET"):
    """What the server says to a request: its headers and body; None where it hands the request on."""
    sent, handed_on = [], []

    async def inner(_scope, _receive, _send):
        handed_on.append(True)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"accept-encoding", encoding)]}
    asyncio.run(PackedFiles(inner)(scope, None, send))
    assert bool(handed_on) != bool(sent)
    return None if handed_on else (dict(sent[0]["headers"]), sent[1]["body"])


def test_a_script_arrives_packed_and_whole():
    script = min((path for path in (STATIC / "js").glob("*.js")), key=lambda path: path.stat().st_size)
    headers, body = answer(f"/static/js/{script.name}")
    assert headers[b"content-encoding"] == b"gzip"
    assert int(headers[b"content-length"]) == len(body)
    assert gzip.decompress(body) == script.read_bytes()


@pytest.mark.parametrize(
    "path",
    ["/", "/static/js/none.js", "/static/../index.html", "/static/js/../../../../server.js", "/app/static/x.js",
     "/static//etc/passwd.js", "/js/index.js"],
)  # fmt: skip
def test_everything_else_is_streamlits_to_answer(path):
    assert answer(path) is None


def test_who_takes_no_packed_files_gets_none():
    (script, *_) = (STATIC / "js").glob("*.js")
    assert answer(f"/static/js/{script.name}", encoding=b"identity") is None
    assert answer(f"/static/js/{script.name}", method="HEAD") is None
