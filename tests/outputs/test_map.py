"""The map: no outside address, no word of a user that runs, and in a browser what a planner clicks."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from planner.outputs.maps import county_map, legend, map_data
from planner.standards import standards_from_toml
from planner.texts import text
from tests.reference.lattice import IMAGE, SCRIPT


class Page(HTMLParser):
    """Tags, attributes that load something, and the text of scripts."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.loads, self.scripts, self._in, self.title, self.policy = [], [], [], "", "", ""
        self.title_source = page[page.index("<title>") : page.index("</title>")]
        self.feed(page)

    @property
    def data(self):
        """What the page hands to its script."""
        return json.loads(next(part for part in self.scripts if part.startswith("{")))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._in = tag
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"]
        self.loads += [value for name, value in attrs if name in {"src", "href", "action", "data", "srcset"}]

    def handle_endtag(self, tag):  # noqa: ARG002  the parser names it
        self._in = ""

    def handle_data(self, data):
        if self._in == "script":
            self.scripts.append(data)
        if self._in == "title":
            self.title += data


@pytest.fixture(scope="module", params=["zh", "en"])
def page(request, lattice_plan):
    return county_map(lattice_plan, request.param)


def test_nothing_is_loaded_from_outside(page):
    read = Page(page)
    assert read.loads == []
    assert "default-src 'none'" in read.policy
    # The only addresses left name a vocabulary (XML namespaces) or stand in a comment; nothing fetches them.
    bare = re.sub(r"data:image/png;base64,[\w+/=]*", "", page)
    addresses = set(re.findall(r"""https?://[\w.-]+\.[a-z]{2,}""", bare))
    assert addresses <= {"http://www.w3.org", "https://leafletjs.com", "https://bugzilla.mozilla.org"}, addresses
    assert "@import" not in bare
    assert not re.search(r"url\((?!\)|#|\"?\+)", bare)


def test_every_word_of_a_user_stands_in_the_data_only(page, lattice_plan):
    read = Page(page)
    assert read.tags.count("script") == 3
    assert read.data["legend"]["title"] in read.title
    data = next(part for part in read.scripts if part.startswith("{"))
    assert not set("<>&\u2028\u2029") & set(data)
    rest = page.replace(data, "").replace(read.title_source, "")
    for word in ("onerror=alert", "stolen", "7*7", "cmd()"):
        assert word not in rest
    names = [value for layer in read.data["layers"] for part in layer.get("parts", ()) for value in values(part)]
    assert {IMAGE, SCRIPT, "=cmd()", "+1"} <= set(names)


def values(part):
    return (value for shape in part["features"]["features"] for value in shape["properties"].get("values", ()))


def test_the_data_are_json_whatever_a_cell_holds(lattice_plan):
    gaps = lattice_plan.gaps.assign(nearest_median_min=np.inf, over_median_min=np.nan)
    data = map_data(replace(lattice_plan, gaps=gaps), "zh")
    json.dumps(data, allow_nan=False)
    layer = next(layer for layer in data["layers"] if layer["name"].startswith("盲区"))
    first = layer["parts"][0]
    at = first["labels"].index(text("columns.nearest_median_min", "zh"))
    assert first["features"]["features"][0]["properties"]["values"][at : at + 2] == ("∞", "")


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
    proposals = tab.locator(".badge")
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
        """() => { window.popups = []; window.tags = new Set();
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
    whole = legend(lattice_plan, "zh")
    bare = legend(replace(lattice_plan, settlements=nothing, proposals=nothing, gaps=nothing), "zh")
    for key in ("legend_served", "legend_unserved", "legend_gap", "legend_proposal"):
        words = text(f"outputs.{key}", "zh")
        assert words in marks(whole), key
        assert words not in marks(bare), key


def marks(drawn):
    return [words for _, words, _ in drawn["marks"]]


def test_the_legend_names_the_standard_with_its_source_and_limits(lattice_plan):
    shipped = "\n".join(legend(lattice_plan, "en")["notes"])
    assert "15-minute practice circle (verified; source: published goal" in shipped
    assert "any tier: walk, elderly walk, e-bike, 15 min" in shipped
    own = standards_from_toml('[mine]\nname = "<b>我的"\nsource = "<i>"\n[[mine.rules]]\ntier = "station"\n'
                              'profiles = ["walk"]\ncutoff_min = 10')  # fmt: skip
    chosen = lattice_plan.scenario.with_choices(own_standards=own, standard="mine")
    notes = legend(replace(lattice_plan, scenario=chosen), "zh")["notes"]
    assert "标准：<b>我的（未核实；来源：<i>）" in notes
    assert "站：步行，10 分钟" in notes
    in_words = legend(replace(lattice_plan, scenario=chosen.with_choices(standard="县里的规定")), "zh")
    assert not any("来源：<i>" in note for note in in_words["notes"])
