"""The app as a person uses it, in Chromium: pages, languages, two readers, reloads, hostile names, a whole journey."""

import io
import json
import re
import zipfile

import pytest

from planner.plan.coverage import coverage_table
from planner.plan.ready import prepare
from planner.scenario import Scenario
from tests.ui.conftest import PAGES, SHOTS, serving

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(1500)]
MOST_BYTES = 5 * 1024**2


def picture(tab, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=SHOTS / f"{name}.png")


def test_every_page_opens_without_fault_and_fits_the_screen(small_app, window):
    tab = window(small_app).open()
    for name in PAGES:
        tab.go(name)
        picture(tab, name)
        assert tab.faults() == [], name
        wide = tab.page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, name
    tab.page.get_by_text("English", exact=True).click()
    for name in PAGES:
        tab.go(name)
        picture(tab, f"{name}-en")
        assert tab.faults() == [], name
        strip = tab.page.locator(".st-key-strip").inner_text()
        assert not re.search(r"研究数据|覆盖情况|盲区|选址|导出", strip)


def test_no_page_weighs_more_than_five_megabytes(small_app, window):
    tab = window(small_app)
    weights = []
    tab.page.on("response", lambda answer: weights.append(answer))  # noqa: PLW0108  it takes Python functions
    tab.open()
    tab.map()
    layers = [each for each in weights if "/layers/" in each.url]
    assert layers
    sizes = {each.url: len(each.body()) for each in layers}
    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_hostile_names_are_text_everywhere(hostile_app, window):
    tab = window(hostile_app).open()
    for name in PAGES:
        tab.go(name)
        picture(tab, f"hostile-{name}")
        assert tab.outside == []
        assert tab.alerts == []
        assert tab.errors == []
        for frame in tab.page.frames:
            assert frame.evaluate("() => window.stolen === undefined")
            assert frame.locator('img[src="x"]').count() == 0
    tab.go("coverage")
    frame = tab.map()
    frame.locator("#map").click(position={"x": 420, "y": 220})
    tab.page.wait_for_selector("table.facts", timeout=60_000)
    assert tab.alerts == []


def test_two_readers_do_not_see_each_other_and_a_reload_finds_its_own(small_app, window):
    one, two = window(small_app).open(), window(small_app).open()
    one.go("what_if")
    frame = one.map()
    before = one.page.locator(".sentence").first.inner_text()
    for x, y in ((500, 200), (560, 240), (480, 260), (600, 180)):
        frame.locator("#map").click(position={"x": x, "y": y})
        one.page.wait_for_timeout(2_500)
        if one.page.locator(".sentence").first.inner_text() != before:
            break
    mine = one.page.locator(".sentence").first.inner_text()
    assert mine != before
    two.go("what_if")
    assert two.page.locator(".sentence").first.inner_text() == before
    one.page.reload()
    one.page.wait_for_selector("td[data-gained]", timeout=120_000)
    assert one.page.locator(".sentence").first.inner_text() == mine
    assert one.faults() == []


def test_a_reload_in_the_middle_of_a_solve_goes_on(small_app, window):
    tab = window(small_app).open()
    tab.go("siting")
    tab.page.get_by_text("开始选址", exact=True).click()
    tab.page.wait_for_timeout(300)
    tab.page.reload()
    tab.page.wait_for_selector(".sentence", timeout=120_000)
    assert "新增 10 处" in tab.page.locator(".sentence").first.inner_text()
    assert tab.faults() == []


def test_a_broken_upload_is_told_in_one_sentence(small_app, window):
    tab = window(small_app).open()
    tab.go("study")
    damaged = {"name": "facilities.xlsx", "mimeType": "application/zip", "buffer": b"PK\x03\x04 no workbook"}
    tab.page.locator('input[type="file"]').set_input_files([damaged])
    tab.page.wait_for_selector('[data-testid="stAlertContentError"]', timeout=60_000)
    assert "facilities.xlsx" in tab.page.locator('[data-testid="stAlertContentError"]').inner_text()
    assert tab.page.locator('[data-testid="stException"]').count() == 0
    assert tab.errors == []


def test_a_password_keeps_strangers_out(small_file, window):
    with serving(small_file, PLANNER_APP_PASSWORD="geheim 8") as address:
        tab = window(address)
        tab.page.goto(address)
        tab.page.wait_for_selector('input[type="password"]', timeout=120_000)
        assert tab.page.locator(".st-key-strip").count() == 0
        tab.page.locator('input[type="password"]').fill("wrong")
        tab.page.get_by_text("进入", exact=True).click()
        tab.page.wait_for_selector('[data-testid="stAlertContentError"]', timeout=60_000)
        tab.page.locator('input[type="password"]').fill("geheim 8")
        tab.page.get_by_text("进入", exact=True).click()
        tab.page.wait_for_selector(".st-key-strip", timeout=120_000)


def test_the_whole_journey_ends_with_the_figures_of_the_library(small_app, small_files, small_study, window):
    tab = window(small_app).open()
    page = tab.page
    tab.go("study")
    page.get_by_text("新建", exact=True).click()
    page.get_by_label("县（区）名称").fill("旅程县")
    page.get_by_role("button", name="新建研究").click()
    page.wait_for_function("() => document.body.innerText.includes('旅程县')", timeout=60_000)
    names = ("areas.geojson", "elevation.tif", "roads.zip", "barriers.geojson", "facilities.xlsx", "candidates.xlsx",
             "demand.xlsx", "settlements.xlsx")  # fmt: skip
    page.locator('input[type="file"]').set_input_files([small_files / name for name in names])
    button = page.get_by_role("button", name="检查这 8 个文件")
    button.wait_for(timeout=180_000)
    for name in names[4:]:
        box = page.locator(f'[class*="st-key-frame-{name.replace(".", "-")}"] input')
        box.fill("EPSG:4490")
        box.press("Enter")
        page.wait_for_timeout(600)
    button.click()
    page.get_by_role("button", name="确认导入").click(timeout=240_000)
    tab.settle()
    tab.go("coverage")
    reach = prepare(small_study, Scenario())
    rows = coverage_table(reach, level="county", tiers=["any"], groups=["all"])
    rows = rows[rows["area_class"].isna()].set_index("profile")
    shown = page.locator(".verdicts .figure").all_inner_texts()[1:]
    assert shown == [f"{share:.1%}" for share in rows["covered_share"]]
    tab.go("gaps")
    assert "处，涉及" in page.locator(".sentence").inner_text()
    tab.go("siting")
    page.get_by_text("开始选址", exact=True).click()
    page.wait_for_selector(".sentence", timeout=120_000)
    tab.go("settlements")
    tab.go("export")
    page.get_by_role("button", name="生成成果").click()
    page.get_by_role("button", name=re.compile("下载压缩包")).wait_for(timeout=300_000)
    with page.expect_download() as got:
        page.get_by_role("button", name=re.compile("下载压缩包")).click()
    with zipfile.ZipFile(io.BytesIO(got.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert {"results.xlsx", "map.html", "results.gpkg", "manifest.json"} <= set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["study"]["name"] == "旅程县"
    assert tab.faults() == []
