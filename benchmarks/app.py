"""The app's journey in Chromium: seconds from a click to the figure on the page, and what every page weighs.

Run: python -m benchmarks.app STUDY.gpkg [runs] (default 5 of each; medians). Needs the `dev` extra and Chromium. The
first opening also reads the file and computes; everything after it has warm caches, as for a second reader. A page's
weight is everything that a new reader's browser receives for it: the app's own scripts, the map's layers and pictures,
and what comes over the socket.
"""

from __future__ import annotations

import statistics
import sys
import time

from playwright.sync_api import sync_playwright

from tests.ui.conftest import PAGES, PATIENCE_MS, Tab, serving, weight_mb

MOST_MB = 5.0

TARGETS = {
    "first opening, everything cold": None,
    "first map, caches warm": 3.0,
    "profile switched": 1.0,
    "limit switched": 1.0,
    "what-if: totals after a click": 0.5,
}
DRAWN = (
    "() => { const f = [...document.querySelectorAll('iframe')].find(e => e.contentDocument); "
    "return f && f.contentDocument.body && f.contentDocument.body.dataset.drawn; }"
)


def opened(browser, address):
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(".verdicts", timeout=PATIENCE_MS)
    page.wait_for_function(DRAWN, timeout=PATIENCE_MS)
    return page, time.perf_counter() - started


def changed(page, selector, act):
    before = page.locator(selector).first.inner_text()
    started = time.perf_counter()
    act()
    page.wait_for_function(
        "([s, b]) => { const e = document.querySelector(s); return e && e.innerText !== b; }",
        arg=[selector, before],
        polling=20,
        timeout=60_000,
    )
    return time.perf_counter() - started


def switches(page, runs):
    found = {"profile switched": [], "limit switched": []}
    names = ("老年人步行", "电动自行车", "小汽车", "步行")
    for number in range(runs):
        button = page.get_by_role("radio", name=names[number % len(names)], exact=True)
        found["profile switched"].append(changed(page, ".cell.main .title", button.click))
        page.wait_for_timeout(500)
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(runs):
        found["limit switched"].append(changed(page, ".cell.main .title", lambda: page.keyboard.press("ArrowRight")))
        page.wait_for_timeout(500)
    return found


def edits(browser, address, runs):
    page, _ = opened(browser, address)
    tab = Tab(page, address)
    tab.go("what_if")
    page.wait_for_selector("td[data-gained]", timeout=PATIENCE_MS)
    frame, times = tab.map(), []
    page.get_by_role("radio", name="添加阵地", exact=True)
    for number in range(6 * runs):
        if len(times) == runs:
            break
        before = page.locator("td[data-gained]").first.inner_text()
        started = time.perf_counter()
        frame.locator("#map").click(position={"x": 380 + 23 * number, "y": 130 + 17 * (number % 9)})
        try:
            page.wait_for_function(
                "(b) => document.querySelector('td[data-gained]').innerText !== b",
                arg=before,
                polling=20,
                timeout=4_000,
            )
        except Exception:  # noqa: BLE001  a spot without a road, or nobody new within reach
            continue
        times.append(time.perf_counter() - started)
        page.wait_for_timeout(600)
    return times


def main():
    study, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    found = {}
    with serving(study) as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page, cold = opened(browser, address)
        found["first opening, everything cold"] = [cold]
        page.wait_for_timeout(15_000)  # the pictures of the other profiles are made in the background
        found["first map, caches warm"] = [opened(browser, address)[1] for _ in range(runs)]
        found |= switches(page, runs)
        found["what-if: totals after a click"] = edits(browser, address, runs)
        weights = {name: weight_mb(browser, address, name) for name in PAGES}
        browser.close()
    for name, target in TARGETS.items():
        times = found[name]
        if not times:
            print(f"{name}: not measured")
            continue
        asked = "" if target is None else f" (at most {target:g} s)"
        print(f"{name}: median {statistics.median(times):.2f} s of {len(times)}, best {min(times):.2f} s{asked}")
    for name, (files, socket) in weights.items():
        total = files + socket
        print(f"page {name}: {total:.2f} MB ({files:.2f} files, {socket:.2f} socket; at most {MOST_MB:g} MB)")


if __name__ == "__main__":
    main()
