"""HTML as a tree: a word is shown as it is, data are JSON that no script can leave, and only named scripts run."""

import json
from html.parser import HTMLParser

import pytest

from planner.outputs.markup import data_block, html, html_page, tag
from tests.reference.lattice import HOSTILE

WORDS = (*HOSTILE, "<!-- a", "]]>", "\u2028\u2029", "&lt;", "&#60;", "{% raw %}", "%s {0.__class__}", '\', "a": "')


class Seen(HTMLParser):
    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.said, self.looks = [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.looks += attrs

    def handle_data(self, data):
        self.said += data


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_shown_as_it_is(word):
    seen = Seen(html(tag("p", word, tag("b", word), word, looks=word)))
    assert seen.tags == ["p", "b"]
    assert seen.said == word * 3
    assert seen.looks == [("class", word)]


@pytest.mark.parametrize("word", WORDS)
def test_data_are_read_as_they_were(word):
    source = html(data_block("plan", {word: [word]}))
    seen = Seen(source)
    assert seen.tags == ["script"]
    assert json.loads(seen.said) == {word: [word]}
    assert not set("<>&\u2028\u2029") & set(seen.said)


def test_what_is_no_number_is_no_data():
    with pytest.raises(ValueError, match="JSON compliant"):
        data_block("plan", float("nan"))


def test_a_page_without_scripts_allows_none():
    page = html_page("<title>", [tag("p", "a")], "en")
    assert "script-src 'none'" in page
    assert "<title>&lt;title&gt;</title>" in page


@pytest.mark.slow
def test_only_the_named_scripts_run(browser, tmp_path):
    body = [tag("p", "a", id="p"), tag("script", "window.other = 1"), data_block("plan", "\u2028</script><b>")]
    script = "window.named = JSON.parse(document.getElementById('plan').textContent)"
    path = tmp_path / "page.html"
    path.write_text(html_page("a", body, "en", scripts=[script]), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(path.as_uri())
    assert tab.evaluate("() => [window.named, window.other]") == ["\u2028</script><b>", None]
    tab.close()
