"""The pictures of the READMEs, taken of exported maps in Chromium, with the network shut.

usage: python scripts/screenshots.py EXPORT/map.html PICTURE.png [EXPORT/map.html PICTURE.png ...]

Needs the `dev` extra and a chromium on the PATH. Make the exports first: `PLANNER_LANG=en planner
demo --out demo-en`.
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


def main(arguments: list[str]) -> None:
    """Take one picture for every pair of page and file."""
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


def _refuse_the_network(page: Page) -> None:
    """An exported map loads nothing from outside; should one try, the picture is not taken."""

    def answer(route: Route) -> None:
        url = route.request.url
        if not url.startswith(("file:", "data:", "blob:")):
            raise SystemExit(f"The page asks for {url}")
        route.continue_()

    page.route("**/*", answer)


def _small(png: bytes) -> bytes:
    """Return the picture with as many colours as keep it below `MOST_BYTES`."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for n_colours in COLOURS:
        target = io.BytesIO()
        image.quantize(n_colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(
            target, "PNG", optimize=True
        )
        if target.tell() < MOST_BYTES:
            break
    return target.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
