"""The app as a server of its own, and a Chromium that may not leave this machine."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "artefacts" / "app"
PAGES = ("study", "coverage", "gaps", "siting", "settlements", "what_if", "network", "export")
PATIENCE_MS = 600_000  # the first computation also compiles, and the machine may have other work


@contextlib.contextmanager
def serving(study, **environment):
    """Run the app on a study, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from planner.cli import main; main()", "app", str(study), "--port", str(port)]
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths, **environment}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    address = f"http://localhost:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                break
            time.sleep(0.2)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 15)
        server.wait(30)


@dataclass
class Tab:
    """One window, with everything that went wrong in it."""

    page: object
    address: str
    outside: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    alerts: list = field(default_factory=list)

    def open(self, ready=".verdicts"):
        self.page.goto(self.address)
        self.page.wait_for_selector(ready, timeout=PATIENCE_MS)
        return self

    def go(self, name):
        """Click the step `name` of the strip, and wait until its page stands."""
        number = PAGES.index(name)
        self.page.locator(".st-key-strip a").nth(number).click()
        self.page.wait_for_function(
            "(n) => { const all = [...document.querySelectorAll('.st-key-strip .said')];"
            " return all[n] && all[n].classList.contains('here'); }",
            arg=number,
            timeout=PATIENCE_MS,
        )
        self.settle()

    def settle(self):
        """Wait until nothing runs and no bar is left."""
        self.page.wait_for_function(
            "() => !document.querySelector('[data-testid=stProgress]') && "
            "!document.querySelector('[data-test-script-state=running]')",
            timeout=PATIENCE_MS,
        )
        self.page.wait_for_timeout(400)

    def map(self):
        """Return the frame of the page's first visible map, drawn."""
        frame = self.page.locator("iframe:visible").first.content_frame
        frame.locator("body[data-drawn]").wait_for(timeout=PATIENCE_MS)
        return frame

    def faults(self):
        """Everything that no page may show or do."""
        shown = self.page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]').all_inner_texts()
        return [*self.outside, *self.errors, *self.alerts, *shown]


def weight_mb(browser, address, name):
    """Return MB received for a page by a browser that holds nothing yet: files as sent, and the socket."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    received = {"files": 0, "socket": 0}

    def frame(event):
        received["socket"] += len(event["response"]["payloadData"]) * (3 / 4 if event["response"]["opcode"] == 2 else 1)

    def data(event):
        received["files"] += event["encodedDataLength"]

    watch = page.context.new_cdp_session(page)
    watch.send("Network.enable")
    watch.on("Network.loadingFinished", data)
    watch.on("Network.webSocketFrameReceived", frame)
    page.goto(f"{address}/{name}")
    page.wait_for_selector(".st-key-strip", timeout=PATIENCE_MS)
    Tab(page, address).settle()
    page.wait_for_timeout(1_500)
    page.context.close()
    return received["files"] / 1e6, received["socket"] / 1e6


@pytest.fixture
def window(browser, request):
    """Open windows on an address; each is a reader of its own, and how each ended is kept as a picture."""
    opened = []

    def make(address):
        context = browser.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
        page = context.new_page()
        tab = Tab(page, address)

        def asked(wish):
            url = wish.url
            if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:")):
                tab.outside.append(url)

        page.on("request", asked)
        page.on("pageerror", lambda error: tab.errors.append(str(error)))
        page.on("dialog", lambda dialog: (tab.alerts.append(dialog.message), dialog.dismiss()))
        opened.append(tab)
        return tab

    yield make
    SHOTS.mkdir(parents=True, exist_ok=True)
    for number, tab in enumerate(opened):
        with contextlib.suppress(Exception):
            tab.page.screenshot(path=SHOTS / f"last-{request.node.name}-{number}.png")
        tab.page.context.close()


@pytest.fixture(scope="session")
def small_file(small_study, tmp_path_factory):
    """The small county as a study file."""
    from planner.store import save_study

    path = tmp_path_factory.mktemp("app") / "small.gpkg"
    save_study(small_study.with_metadata(is_synthetic=True), path)
    return path


@pytest.fixture(scope="session")
def small_app(small_file):
    """The app on the small county."""
    with serving(small_file) as address:
        yield address


@pytest.fixture(scope="session")
def hostile_app(lattice_file, tmp_path_factory):
    """The app on the county whose every name tries to break out."""
    path = tmp_path_factory.mktemp("hostile") / "county.gpkg"
    path.write_bytes(lattice_file.read_bytes())
    with serving(path) as address:
        yield address
