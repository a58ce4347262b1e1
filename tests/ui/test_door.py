"""The door before the app: nothing but health is answered without the password, and all guesses share one rate."""

import asyncio
import contextlib
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
import streamlit as st
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from planner.ui import door as door_module
from planner.ui.door import MOST_TRIES, TRIES_S, Door, Sessions, Tries
from planner.ui.server import _SCRIPT

SECRET = "geheim 8"
ROOT = Path(__file__).parents[2]


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


class Behind:
    """The app behind a door, which counts what reaches it."""

    def __init__(self):
        self.reached = []

    async def __call__(self, scope, _receive, send):
        self.reached.append(scope["path"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"none")]})
        await send({"type": "http.response.body", "body": b"inside"})


def ask(door, path, *, method="GET", body=b"", kind="http", **headers):
    """Return what the door answers: its status (or the kind of the socket's message), headers and body."""
    sent = []
    headers = {"host": "localhost:8501", **{name.replace("_", "-"): value for name, value in headers.items()}}

    async def receive():
        return {"type": "http.request", "body": body} if kind == "http" else {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "scheme": "http", "client": ("127.0.0.1", 1),
             "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}  # fmt: skip
    asyncio.run(door(scope, receive, send))
    if kind == "websocket":
        return sent[0]["type"], {}, b""
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def give(door, password, **headers):
    body = urllib.parse.urlencode({"password": password}).encode()
    return ask(door, "/sign-in", method="POST", body=body, **headers)


@pytest.fixture
def behind():
    return Behind()


@pytest.fixture
def door(behind):
    return Door(behind, SECRET)


@pytest.mark.parametrize(
    "path", ["/", "/_stcore/metrics", "/media/x", "/static/js/x.js", "/_stcore/health/", "/sign-out"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_is_answered_without_the_password(door, behind, path, method):
    assert ask(door, path, method=method)[0] == 401
    assert ask(door, path, method=method, cookie="planner-door=guessed")[0] == 401
    assert behind.reached == []


def test_health_is_answered_and_the_socket_is_not(door, behind):
    assert ask(door, "/_stcore/health")[0] == 200
    assert ask(door, "/_stcore/stream", kind="websocket")[0] == "websocket.close"
    assert behind.reached == ["/_stcore/health"]


def test_the_password_opens_the_door_until_the_reader_leaves(door):
    status, headers, _ = give(door, SECRET)
    cookie = headers[b"set-cookie"].decode()
    assert status == 303
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    assert "Secure" not in cookie.split("; ")
    assert SECRET not in cookie
    token = cookie.split(";")[0]
    assert ask(door, "/", cookie=token)[2] == b"inside"
    assert ask(door, "/_stcore/stream", kind="websocket", cookie=token)[0] == "websocket.accept"
    assert ask(door, "/sign-out", cookie=token)[0] == 303
    assert ask(door, "/", cookie=token)[0] == 401


def test_behind_https_the_cookie_travels_no_other_way(door):
    assert "; Secure" in give(door, SECRET, x_forwarded_proto="https")[1][b"set-cookie"].decode()


def test_guesses_of_all_share_one_rate_and_the_page_says_how_long(door, monkeypatch, caplog):
    clock = Clock()
    monkeypatch.setattr(door, "_tries", Tries(clock))
    with caplog.at_level(logging.WARNING):
        heard = [give(door, f"guess {n}")[0] for n in range(40)]
    assert heard == [401] * MOST_TRIES + [429] * (40 - MOST_TRIES)
    assert len(caplog.records) == 40
    assert "guess" not in caplog.text
    assert SECRET not in caplog.text
    status, headers, page = give(door, SECRET)
    assert (status, headers[b"retry-after"]) == (429, b"60")
    assert "60 秒" in page.decode()
    clock.now += TRIES_S
    assert give(door, SECRET)[0] == 303


@pytest.mark.parametrize("body", [b"", b"password", b"password=%ff%00", b"x" * 10_000_000, b"&" * 4_000, b"a=1&" * 900])
def test_a_strange_form_opens_nothing(door, behind, body):
    assert ask(door, "/sign-in", method="POST", body=body)[0] == 401
    assert behind.reached == []


def test_a_session_ends_by_itself_and_the_oldest_of_too_many(monkeypatch):
    clock = Clock()
    sessions = Sessions(clock)
    token = sessions.new()
    assert sessions.has(token)
    clock.now += door_module.STAY_S
    assert not sessions.has(token)
    monkeypatch.setattr(door_module, "_MOST_SESSIONS", 2)
    first, *others = [sessions.new() for _ in range(3)]
    assert not sessions.has(first)
    assert all(map(sessions.has, others))


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8501", "", "[", "evil.example@localhost.x"])
def test_without_a_password_a_foreign_name_is_not_ours(behind, host):
    assert ask(Door(behind), "/", host=host)[0] == 403
    assert behind.reached == []


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "192.168.1.7", "LOCALHOST"])
def test_without_a_password_the_own_names_are_open(behind, host):
    assert ask(Door(behind), "/", host=host)[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9999", "null", "http://[", ""])
@pytest.mark.parametrize("password", ["", SECRET])
def test_pages_of_other_sites_reach_no_socket_and_change_nothing(behind, origin, password):
    door = Door(behind, password)
    assert ask(door, "/_stcore/stream", kind="websocket", origin=origin)[0] == "websocket.close"
    assert ask(door, "/_stcore/upload_file/a/b", method="PUT", origin=origin)[0] == 403
    assert behind.reached == []


def test_every_answer_tells_the_browser_what_to_refuse(behind):
    open_door, shut = Door(behind, tiles="https://tiles.example/{z}/{x}/{y}"), Door(behind, SECRET)
    for _, headers, _ in (ask(open_door, "/"), ask(shut, "/"), ask(shut, "/", accept="text/html"), give(shut, "x")):
        assert b"frame-ancestors 'self'" in headers[b"content-security-policy"]
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"referrer-policy"] == b"no-referrer"
        assert headers[b"x-frame-options"] == b"SAMEORIGIN"
        assert headers[b"cache-control"] == b"no-store"
    assert b"https://tiles.example;" in ask(open_door, "/")[1][b"content-security-policy"]
    assert b"http" not in ask(shut, "/")[1][b"content-security-policy"]


@contextlib.contextmanager
def running(tmp_path, **environment):
    """Run `planner app` in an empty folder; give its process and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "planner", "app", "--port", str(port), "--address", "127.0.0.1"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                if request(port, "GET", "/_stcore/health") == 200:
                    break
            time.sleep(0.2)
        yield process, port
    finally:
        process.kill()
        process.wait()


def request(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        return connection.getresponse().status
    finally:
        connection.close()


def routes():
    """Every path that Streamlit serves, with something in the place of each parameter."""
    app = st.App(_SCRIPT)
    paths = {getattr(route, "path", "/") for route in create_streamlit_routes(app._create_runtime())}
    return sorted(
        {"/".join("x" if part.startswith("{") else part for part in path.split("/")) or "/" for path in paths}
    )


@pytest.mark.slow
def test_every_route_of_the_server_stands_behind_the_door(tmp_path):
    found = routes()
    assert len(found) > 8
    with running(tmp_path, PLANNER_APP_PASSWORD=SECRET) as (_, port):
        for path in {*found, "/", "/coverage", "/static/index.html", "/nothing"} - {"/_stcore/health"}:
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
                assert request(port, method, path) == 401, (method, path)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_the_server_ends_with_a_command_that_was_killed(tmp_path):
    with running(tmp_path) as (process, port):
        assert request(port, "GET", "/_stcore/health") == 200
        process.send_signal(signal.SIGKILL)
        for _ in range(150):
            try:
                request(port, "GET", "/_stcore/health")
            except OSError:
                break
            time.sleep(0.1)
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
