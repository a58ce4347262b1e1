"""The app as a person uses it, in Chromium: pages, languages, two readers, reloads, hostile names, a whole journey."""

import io
import json
import re
import zipfile

import pytest

from tests.ui.conftest import PAGES, PATIENCE_MS, SHOTS, serving, weight_mb

pytestmark = [pytest.mark.browser, pytest.mark.timeout(2400)]
slow = pytest.mark.slow
MOST_MB = 5.0


def picture(tab, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=SHOTS / f"{name}.png")


@slow
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


@slow
def test_no_page_weighs_more_than_five_megabytes(small_app, browser):
    # The others draw no more than these: no data grid, no chart, no second map.
    heaviest = ("coverage", "gaps", "siting", "settlements")
    weights = {name: sum(weight_mb(browser, small_app, name)) for name in heaviest}
    assert max(weights.values()) < MOST_MB, weights


def test_hostile_names_are_text_everywhere_and_no_page_asks_anything_outside(hostile_app, window):
    tab = window(hostile_app).open()
    for name in PAGES:
        tab.go(name)
        picture(tab, f"hostile-{name}")
        assert tab.faults() == [], name
        for frame in tab.page.frames:
            assert frame.evaluate("() => window.stolen === undefined")
            assert frame.locator('img[src="x"]').count() == 0
    tab.go("siting")
    tab.page.get_by_role("button", name="开始选址").click()
    assert "新增" in sentence(tab)
    picture(tab, "hostile-siting")
    tab.go("coverage")
    frame = tab.map()
    frame.locator("#map").click(position={"x": 420, "y": 220})
    tab.page.wait_for_selector("table.facts", timeout=PATIENCE_MS)
    assert tab.alerts == []


@slow
def test_two_readers_do_not_see_each_other_and_a_reload_finds_its_own(small_app, window):
    one, two = window(small_app).open(), window(small_app).open()
    one.go("what_if")
    before = sentence(one)
    gain_by_click(one)
    mine = sentence(one)
    two.go("what_if")
    assert sentence(two) == before
    one.page.reload()
    one.page.wait_for_selector("td[data-gained]", timeout=PATIENCE_MS)
    assert sentence(one) == mine
    assert one.faults() == []


@slow
def test_a_reload_in_the_middle_of_a_solve_goes_on(small_app, window):
    tab = window(small_app).open()
    tab.go("siting")
    tab.page.get_by_text("开始选址", exact=True).click()
    tab.page.wait_for_timeout(300)
    tab.page.reload()
    tab.page.wait_for_selector(".sentence", timeout=PATIENCE_MS)
    assert "新增 10 处" in tab.page.locator(".sentence").first.inner_text()
    assert tab.faults() == []


@slow
def test_a_broken_upload_is_told_in_one_sentence(small_app, window):
    tab = window(small_app).open()
    tab.go("study")
    damaged = {"name": "facilities.xlsx", "mimeType": "application/zip", "buffer": b"PK\x03\x04 no workbook"}
    tab.page.locator('input[type="file"]').set_input_files([damaged])
    tab.page.wait_for_selector('[data-testid="stAlertContentError"]', timeout=PATIENCE_MS)
    assert "facilities.xlsx" in tab.page.locator('[data-testid="stAlertContentError"]').inner_text()
    assert tab.page.locator('[data-testid="stException"]').count() == 0
    assert tab.errors == []


@slow
def test_a_password_keeps_strangers_out(small_file, window):
    with serving(small_file, PLANNER_APP_PASSWORD="geheim 8") as address:
        tab = window(address)
        tab.page.goto(address)
        tab.page.wait_for_selector('input[type="password"]', timeout=PATIENCE_MS)
        assert tab.page.locator(".st-key-strip").count() == 0
        tab.page.locator('input[type="password"]').fill("wrong")
        tab.page.locator("button").click()
        tab.page.get_by_text("密码不对").wait_for(timeout=PATIENCE_MS)
        tab.page.locator('input[type="password"]').fill("geheim 8")
        tab.page.locator("button").click()
        tab.page.wait_for_selector(".st-key-strip", timeout=PATIENCE_MS)


FILES = ("areas.geojson", "elevation.tif", "roads.zip", "barriers.geojson", "facilities.xlsx", "candidates.xlsx",
         "demand.xlsx", "settlements.xlsx")  # fmt: skip


@pytest.fixture
def said(planner, small_file, monkeypatch):
    """What a command says of the small county, its sentences in Chinese."""
    monkeypatch.setenv("PLANNER_LANG", "zh")

    def run(command, *words):
        return planner(command, small_file, *words, "--json").document

    return run


@slow
def test_the_whole_journey_ends_with_the_figures_of_the_command_line(
    small_app, small_files, small_export, window, said
):
    """New study, files, coverage, gaps, siting with a lock and a veto, settlements, what-if, compare, export."""
    tab = window(small_app).open()
    page = tab.page
    new_study_from_files(tab, small_files)

    tab.go("coverage")
    page.wait_for_selector(".verdicts", timeout=PATIENCE_MS)
    rows = [row for row in said("coverage", "--tier", "any", "--group", "all")["results"]
            if row["area"]["level"] == "county" and row["area"]["class"] is None]  # fmt: skip
    shown = page.locator(".verdicts .figure").all_inner_texts()
    assert shown == [f"{rows[0]['own_share']:.1%}", *(f"{row['covered_share']:.1%}" for row in rows)]

    tab.go("gaps")
    gaps = said("gaps")["results"]
    assert f"盲区 {len(gaps)} 处" in sentence(tab)

    tab.go("siting")
    page.get_by_role("button", name="开始选址").click()
    page.wait_for_selector(".sentence", timeout=PATIENCE_MS)
    best = said("site", "--n-new", "10")
    assert sentence(tab) == best["sentence"]
    veto = best["chosen"][0]["candidate_id"]
    lock = next(row["candidate_id"] for row in best["rejected"] if row["reason"] == "less-gain")
    for box, name in (("lock_in", lock), ("lock_out", veto)):
        field = page.locator(f".st-key-siting-{box} input")
        field.fill(f"({name})")
        field.press("Enter")
        field.press("Escape")
        page.locator(f".st-key-siting-{box}").get_by_text(f"({name})").wait_for(timeout=PATIENCE_MS)
        tab.settle()
    page.get_by_role("button", name="开始选址").click()
    ruled = said("site", "--n-new", "10", "--lock", lock, "--veto", veto)
    assert ruled["value"] < best["value"]
    changes_to(tab, ruled["sentence"])

    tab.go("settlements")
    total = said("settlements")["totals"][-1]
    assert f"其中时限内有服务的 {total['n_served']} 个" in sentence(tab)

    tab.go("what_if")
    gained = gain_by_click(tab)
    page.get_by_label("存为情景（名称）").fill("路口一处")
    page.get_by_role("button", name="保留", exact=True).click()
    tab.settle()
    page.get_by_text("比较两个情景", exact=True).click()
    changes_to(tab, f"相差 {gained} 人")

    tab.go("export")
    page.get_by_role("button", name="生成成果").click()
    page.get_by_role("button", name=re.compile("下载压缩包")).wait_for(timeout=PATIENCE_MS)
    with page.expect_download() as got:
        page.get_by_role("button", name=re.compile("下载压缩包")).click()
    with zipfile.ZipFile(io.BytesIO(got.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert {"results.xlsx", "map.html", "leader.html", "results.gpkg", "manifest.json"} <= set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["study"]["name"] == "旅程县"
    usual = json.loads((small_export / "manifest.json").read_text(encoding="utf-8"))["tables"]
    for name in ("coverage", "gaps", "settlements", "verdicts", "curve"):
        assert manifest["tables"].get(name) == usual.get(name), name
    assert tab.faults() == []


def new_study_from_files(tab, folder):
    """Make a study and take the demo files in; the one frame that the evidence leaves open is named."""
    page = tab.page
    tab.go("study")
    page.get_by_text("新建", exact=True).click()
    page.get_by_label("县（区）名称").fill("旅程县")
    page.get_by_role("button", name="新建研究").click()
    page.wait_for_function("() => document.body.innerText.includes('旅程县')", timeout=PATIENCE_MS)
    tab.settle()
    page.locator('input[type="file"]').set_input_files([folder / name for name in FILES])
    check = page.get_by_role("button", name=f"检查这 {len(FILES)} 个文件")
    check.click(timeout=PATIENCE_MS)
    refusal = page.locator('[data-testid="stAlertContentError"]')
    refusal.wait_for(timeout=PATIENCE_MS)
    assert "candidates.xlsx" in refusal.inner_text()
    box = page.locator('[class*="st-key-frame-candidates-xlsx"] input')
    box.fill("EPSG:4490")
    box.press("Enter")
    tab.settle()
    check.click()
    page.get_by_role("button", name="确认导入").click(timeout=PATIENCE_MS)
    tab.settle()


def sentence(tab):
    """The page's first sentence in bold."""
    tab.page.wait_for_selector(".sentence", timeout=PATIENCE_MS)
    return tab.page.locator(".sentence").first.inner_text()


def changes_to(tab, words):
    """Wait until a sentence in bold says `words`."""
    tab.page.wait_for_function(
        "(words) => [...document.querySelectorAll('.sentence')].some(e => e.innerText.includes(words))",
        arg=words,
        timeout=PATIENCE_MS,
    )


def gain_by_click(tab):
    """Click the map where people are not covered until somebody is gained; return how many, as the page says it."""
    frame = tab.map()
    cell = tab.page.locator('td[data-gained="all"]')
    for x, y in ((500, 200), (560, 240), (480, 260), (600, 180), (520, 150), (440, 220)):
        frame.locator("#map").click(position={"x": x, "y": y})
        tab.page.wait_for_timeout(700)
        tab.settle()
        if cell.inner_text() != "+0":
            return cell.inner_text()
    raise AssertionError("no click gained anybody")
