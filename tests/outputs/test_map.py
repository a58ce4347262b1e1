"""The map: no outside address, no word of a user that runs, and in a browser what a planner clicks."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from planner.outputs.leaflet import escaped
from planner.outputs.maps import county_map, legend_html
from planner.standards import standards_from_toml
from planner.texts import text
from tests.reference.lattice import HOSTILE


class Page(HTMLParser):
    """Tags, attributes that load something, and the text of scripts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.loads, self.scripts, self._is_script = [], [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._is_script = tag == "script"
        self.loads += [value for name, value in attrs if name in {"src", "href", "action", "data", "srcset"}]

    def handle_endtag(self, tag):  # noqa: ARG002  the parser names it
        self._is_script = False

    def handle_data(self, data):
        if self._is_script:
            self.scripts.append(data)


@pytest.fixture(scope="module", params=["zh", "en"])
def page(request, lattice_plan):
    return county_map(lattice_plan, request.param)


def test_nothing_is_loaded_from_outside(page):
    read = Page(page)
    assert read.loads
    assert all(address.startswith(("data:", "#")) for address in read.loads)
    # The only addresses left name a vocabulary (XML namespaces); nothing fetches them.
    bare = re.sub(r'"data:[^"]*"', '""', page)
    addresses = set(re.findall(r"""(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s"'<>)]*""", bare))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, addresses
    assert "@import" not in bare
    assert not re.search(r"url\(\s*['\"]?(?!data:|#)", bare)


def test_no_word_of_a_user_becomes_a_tag(page):
    read = Page(page)
    assert "img" not in read.tags
    assert "stolen" not in "".join(part for part in read.scripts if part.strip().startswith("window.stolen"))
    assert page.count("<script") == page.count("</script>")
    for raw in ("<img src=x", "</script><script>window", "alert(1)>"):
        assert raw not in page
    # Neither as HTML nor as a string of the script that will be put into the page as HTML.
    assert "\\u003cimg" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


@pytest.mark.parametrize("word", HOSTILE)
def test_escaping_shows_a_text_as_it_is(word):
    class Text(HTMLParser):
        said = ""

        def handle_data(self, data):
            self.said += data

        def handle_starttag(self, tag, attrs):  # noqa: ARG002  the parser names it
            pytest.fail(f"<{tag}>")

    reader = Text(convert_charrefs=True)
    reader.feed(escaped(word))
    reader.close()
    assert reader.said == word


@pytest.mark.slow
def test_the_page_in_chromium(browser, lattice_plan, tmp_path):
    path = tmp_path / "map.html"
    path.write_text(county_map(lattice_plan, "zh"), encoding="utf-8")
    asked, errors, alerts = [], [], []
    tab = browser.new_page(viewport={"width": 1200, "height": 800})
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    tab.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    tab.goto(path.as_uri())
    tab.wait_for_selector(".leaflet-control-layers")

    outside = [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert outside == []
    assert errors == []
    assert "格县<img src=x onerror=alert(1)>" in tab.title()
    assert "格县<img" in tab.inner_text(".legend h1")
    assert tab.locator(".leaflet-control-scale").count() == 1

    tab.hover(".leaflet-control-layers")
    labels = tab.locator(".leaflet-control-layers-overlays label")
    names = [name.strip() for name in labels.all_inner_texts()]
    assert any(name.startswith("盲区") for name in names)
    assert text("outputs.layer_settlements", "zh") in names
    assert text("outputs.layer_proposals", "zh") in names
    proposals = tab.locator(".proposal")
    n_shown = proposals.count()
    assert n_shown == len(lattice_plan.proposals)
    box = labels.nth(names.index(text("outputs.layer_proposals", "zh"))).locator("input")
    box.click()
    assert proposals.count() == 0
    box.click()
    assert proposals.count() == n_shown
    # Every box off and on again: each layer can be switched.
    for index in range(labels.count()):
        one = labels.nth(index).locator("input")
        was = one.is_checked()
        one.click()
        assert one.is_checked() != was
        one.click()
    assert errors == []

    tab.mouse.move(400, 20)
    proposals.first.click(force=True)
    tab.wait_for_selector(".leaflet-popup-content")
    first = lattice_plan.proposals.iloc[0]
    said = tab.inner_text(".leaflet-popup-content")
    assert str(first["candidate_id"]) in said
    assert str(first["name"]) in said
    # Every popup of every layer: words only, whatever a place is called.
    tab.evaluate(
        """() => { const map = Object.values(window).find(v => v instanceof L.Map);
        window.popups = []; window.tags = new Set();
        map.eachLayer(layer => { if (layer.feature && layer.eachLayer === undefined && layer.getLatLng) {
            layer.fire('click', {latlng: layer.getLatLng()}); } });
        document.querySelectorAll('.leaflet-popup-content *').forEach(e => window.tags.add(e.tagName)); }"""
    )
    assert not {"IMG", "SCRIPT", "IFRAME"} & set(tab.evaluate("() => [...window.tags]"))
    assert tab.evaluate("() => window.stolen") is None
    assert alerts == []
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    tab.close()


def test_the_legend_names_only_what_the_map_shows(lattice_plan):
    nothing = lattice_plan.proposals.iloc[:0]
    whole = legend_html(lattice_plan, "zh")
    bare = legend_html(replace(lattice_plan, settlements=nothing, proposals=nothing, gaps=nothing), "zh")
    for key in ("legend_served", "legend_unserved", "legend_gap", "legend_proposal"):
        words = text(f"outputs.{key}", "zh")
        assert words in whole, key
        assert words not in bare, key


def test_the_legend_names_the_standard_with_its_source_and_limits(lattice_plan):
    shipped = legend_html(lattice_plan, "en")
    assert "15-minute practice circle (verified; source: published goal" in shipped
    assert "any tier: walk, elderly walk, e-bike, 15 min" in shipped
    own = standards_from_toml('[mine]\nname = "<b>我的"\nsource = "<i>"\n[[mine.rules]]\ntier = "station"\n'
                              'profiles = ["walk"]\ncutoff_min = 10')  # fmt: skip
    chosen = lattice_plan.scenario.with_choices(own_standards=own, standard="mine")
    legend = legend_html(replace(lattice_plan, scenario=chosen), "zh")
    assert "标准：&lt;b&gt;我的（未核实；来源：&lt;i&gt;）" in legend
    assert "站：步行，10 分钟" in legend
    in_words = legend_html(replace(lattice_plan, scenario=chosen.with_choices(standard="县里的规定")), "zh")
    assert "来源：&lt;i&gt;" not in in_words
