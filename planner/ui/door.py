"""The one door before the app: who may in, from where, and what every answer tells the browser to refuse."""

from __future__ import annotations

import hashlib
import html
import ipaddress
import logging
import math
import secrets
import socket
import threading
import time
from collections import OrderedDict, deque
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from planner.texts import text
from planner.ui.settings import SIGN_OUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SIGN_IN, HEALTH = "/sign-in", "/_stcore/health"
MOST_TRIES, TRIES_S = 20, 60.0
"""So many wrong passwords are heard in so many seconds, from all windows and machines together."""
STAY_S = 12 * 3_600.0
"""Who came in may stay so long."""

_COOKIE = "planner-door"
_MOST_SESSIONS = 1_000
_MOST_FORM_BYTES = 4_096
_log = logging.getLogger(__name__)


class Tries:
    """Wrong passwords of everybody together, and how long the door stays shut after too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: deque[float] = deque(maxlen=MOST_TRIES)

    def wait_s(self) -> float:
        """Return the seconds until a password is heard again; 0 when it is heard now."""
        if len(self._wrong) < MOST_TRIES:
            return 0.0
        return max(0.0, self._wrong[0] + TRIES_S - self._clock())

    def add(self) -> None:
        """Count a wrong password."""
        self._wrong.append(self._clock())


class Sessions:
    """Who came in: only hashes of their tokens are kept, so many and so long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def new(self) -> str:
        """Let somebody in and return the token that says so."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._until[_hash(token)] = self._clock() + STAY_S
            while len(self._until) > _MOST_SESSIONS:
                self._until.popitem(last=False)
        return token

    def has(self, token: str) -> bool:
        """Whether the holder of the token may still be in."""
        return self._until.get(_hash(token), -math.inf) > self._clock()

    def end(self, token: str) -> None:
        """Show the holder of the token out."""
        with self._lock:
            self._until.pop(_hash(token), None)


class Door:
    """Stands before every route but health.

    Parameters
    ----------
    app
        What is behind the door.
    password
        What opens it; empty: it is open to this machine's own pages.
    address
        The address that the server listens on, also a name that readers may call it by.
    tiles
        The basemap's address, the only other place that a page may take pictures from.
    """

    def __init__(self, app: ASGIApp, password: str = "", address: str = "localhost", tiles: str = "") -> None:
        self._app = app
        self._password = hashlib.sha256(password.encode()).digest() if password else b""
        self._names = {"localhost", address.lower(), socket.gethostname().lower()}
        self._headers = _headers(tiles)
        self._tries, self._sessions = Tries(), Sessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what may in; answer the rest here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        guarded = self._guarded(scope, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = str(scope["path"])
        if path == HEALTH:
            await self._app(scope, receive, guarded)
        elif not self._is_from_here(scope, headers):
            _log.warning("Refused a request that another site's page made, from %s", _who(scope))
            await _refuse(scope, receive, guarded, 403)
        elif not self._password:
            await self._app(scope, receive, guarded)
        elif scope["type"] == "http" and scope["method"] == "POST" and path == SIGN_IN:
            await self._sign_in(scope, headers, receive, guarded)
        elif self._sessions.has(token := _token(headers)):
            if path == SIGN_OUT:
                self._sessions.end(token)
                await _go_home(guarded, _cookie("", scope, headers) + "; Max-Age=0")
                return
            await self._app(scope, receive, guarded)
        elif scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            await _answer(guarded, 401, _page(self._tries.wait_s()))
        else:
            await _refuse(scope, receive, guarded, 401)

    def _is_from_here(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Whether the page that asks is the app's own, not one of a site that points its name or a form at us."""
        host = headers.get("host", "")
        if not self._password and not self._is_ours(host):
            return False
        asks_to_change = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        origin = headers.get("origin")
        return not asks_to_change or origin is None or origin.lower().partition("://")[2] == host.lower()

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
            return name in self._names or bool(ipaddress.ip_address(name))
        except ValueError:
            return False

    async def _sign_in(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        given = await _password_of(receive)
        if wait := self._tries.wait_s():
            _log.warning("Heard no password from %s: locked for another %.0f s", _who(scope), wait)
            await _answer(send, 429, _page(wait), [(b"retry-after", str(math.ceil(wait)).encode())])
        elif secrets.compare_digest(hashlib.sha256(given).digest(), self._password):
            await _go_home(send, _cookie(self._sessions.new(), scope, headers))
        else:
            self._tries.add()
            _log.warning("Refused a wrong password from %s", _who(scope))
            await _answer(send, 401, _page(self._tries.wait_s(), is_wrong=True))

    def _guarded(self, scope: Scope, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in self._headers}
                kept = [each for each in message.get("headers", []) if each[0].lower() not in own]
                names = {name.lower() for name, _ in kept}
                if b"cache-control" not in names and not str(scope["path"]).startswith("/static/"):
                    kept.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        return guarded


def _headers(tiles: str) -> list[tuple[bytes, bytes]]:
    parts = urlsplit(tiles)
    pictures = f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}" if parts.scheme in ("http", "https") else ""
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:{pictures}; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "frame-src 'self' blob: data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    )
    return [
        (b"content-security-policy", policy.encode("latin-1")), (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"), (b"x-frame-options", b"SAMEORIGIN"),
    ]  # fmt: skip


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _cookie(token: str, scope: Scope, headers: dict[str, str]) -> str:
    secure = "; Secure" if "https" in (scope.get("scheme"), headers.get("x-forwarded-proto")) else ""
    return f"{_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _who(scope: Scope) -> str:
    return str((scope.get("client") or ("somewhere",))[0])


async def _password_of(receive: Receive) -> bytes:
    """Return the password of a form; empty where the form is too long to be ours."""
    body = b""
    while len(body) <= _MOST_FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if len(body) > _MOST_FORM_BYTES:
        return b""
    fields = parse_qs(body.decode("latin-1"), encoding="utf-8", errors="replace")
    return fields.get("password", [""])[0].strip().encode()


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await _answer(send, status, b"")


async def _go_home(send: Send, cookie: str) -> None:
    await _answer(send, 303, b"", [(b"location", b"/"), (b"set-cookie", cookie.encode("latin-1"))])


async def _answer(send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]] | None = None) -> None:
    headers: list[Any] = [
        (b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode()), *(more or []),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _page(wait_s: float, *, is_wrong: bool = False) -> bytes:
    """Return the page that asks for the password, in both languages: nobody has chosen one yet."""
    told = _both("ui.password_wrong") if is_wrong else ""
    if wait_s:
        told = _both("ui.password_locked", seconds=math.ceil(wait_s))
    return _PAGE.format(
        title=_both("ui.title"), password=_both("ui.password"), enter=_both("ui.enter"), told=told, action=SIGN_IN
    ).encode()


def _both(name: str, **values: Any) -> str:
    return html.escape(f"{text(name, 'zh', **values)} / {text(name, 'en', **values)}")


_PAGE = """<!doctype html><html lang="zh"><head><meta charset="utf-8">
<meta name="referrer" content="same-origin"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body{{font:16px/1.6 "Microsoft YaHei","PingFang SC","Noto Sans CJK SC",sans-serif;
color:#222;background:#f4f6f8;margin:0}}
form{{max-width:26em;margin:14vh auto;padding:2em;background:#fff;border:1px solid #d5dbe1;border-radius:8px}}
h1{{font-size:1.1em;margin:0 0 1em}}
input,button{{font:inherit;width:100%;box-sizing:border-box;padding:.5em;margin:.4em 0}}
button{{background:#1f5c8b;color:#fff;border:0;border-radius:4px}}p{{color:#a3211b;min-height:1.6em;margin:.4em 0}}
</style></head><body><form method="post" action="{action}"><h1>{title}</h1><label>{password}
<input type="password" name="password" autocomplete="current-password" autofocus required></label>
<button>{enter}</button><p role="alert">{told}</p></form></body></html>"""
