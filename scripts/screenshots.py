"""The pictures of the READMEs, taken of exported maps and of the running app in Chromium, with the network shut.

usage: python scripts/screenshots.py EXPORT/map.html PICTURE.png [EXPORT/map.html PICTURE.png ...]
       python scripts/screenshots.py --app http://localhost:8501 FOLDER

Needs the `dev` extra and a chromium on the PATH. Make the exports first: `PLANNER_LANG=en planner
demo --out demo-en`; start the app first: `planner app demo-out/county.gpkg`. Of the app, six pages
are taken, in Chinese.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

SIZE_PX = {"width": 1280, "height": 800}
SETTLE_MS = 2_500  # tiles and overlays are painted a moment after the page says that it is loaded
MOST_BYTES = 300_000
COLOURS = (256, 128, 64, 32)
APP_PAGES = ("study", "coverage", "gaps", "siting", "settlements", "what_if", "network", "export")
APP_TAKEN = ("coverage", "gaps", "siting", "settlements", "what_if", "network")
APP_SIZE_PX = {"width": 1366, "height": 768}
APP_MOST_BYTES = 160_000
APP_PATIENCE_MS = 600_000


def main(arguments: list[str]) -> None:
    """Take one picture for every pair of page and file, or of six pages of the app."""
    if arguments[:1] == ["--app"] and len(arguments) == len(("--app", "address", "folder")):
        take_app(arguments[1], Path(arguments[2]))
        return
    if not arguments or len(arguments) % 2:
        raise SystemExit(__doc__)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for page_path, picture in zip(arguments[::2], arguments[1::2], strict=True):
            page = browser.new_page(viewport=SIZE_PX)
            _refuse_the_network(page)
            page.goto(Path(page_path).resolve().as_uri())
            page.wait_for_timeout(SETTLE_MS)
            Path(picture).write_bytes(_small(page.screenshot()))
            page.close()
        browser.close()


def take_app(address: str, folder: Path) -> None:
    """Take the pages of the app as a planner walks through them."""
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=APP_SIZE_PX)
        page.goto(address)
        page.wait_for_selector(".verdicts", timeout=APP_PATIENCE_MS)
        for number, name in enumerate(APP_PAGES):
            if name not in APP_TAKEN:
                continue
            page.locator(".st-key-strip a").nth(number).click()
            _settle(page, number)
            if name == "siting":
                page.get_by_role("button", name="开始选址").click()
                page.wait_for_selector(".sentence", timeout=APP_PATIENCE_MS)
                _settle(page, number)
            if name == "what_if":
                page.locator("iframe:visible").first.content_frame.locator("#map").click(position={"x": 470, "y": 250})
                _settle(page, number)
            (folder / f"app-{name.replace('_', '-')}.png").write_bytes(_small(page.screenshot(), APP_MOST_BYTES))
        browser.close()


def _settle(page: Page, number: int) -> None:
    """Wait until the page of step `number` stands, nothing runs and the map is painted."""
    page.wait_for_timeout(SETTLE_MS)
    page.wait_for_function(
        "(n) => document.querySelectorAll('.st-key-strip .said')[n].classList.contains('here') && "
        "!document.querySelector('[data-testid=stProgress]') && "
        "!document.querySelector('[data-test-script-state=running]')",
        arg=number,
        timeout=APP_PATIENCE_MS,
    )
    page.wait_for_timeout(2 * SETTLE_MS)


def _refuse_the_network(page: Page) -> None:
    """An exported map loads nothing from outside; should one try, the picture is not taken."""

    def answer(route: Route) -> None:
        url = route.request.url
        if not url.startswith(("file:", "data:", "blob:")):
            raise SystemExit(f"The page asks for {url}")
        route.continue_()

    page.route("**/*", answer)


def _small(png: bytes, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the picture with as many colours as keep it below `most_bytes`."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for n_colours in COLOURS:
        target = io.BytesIO()
        image.quantize(n_colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(
            target, "PNG", optimize=True
        )
        if target.tell() < most_bytes:
            break
    return target.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
