"""A user's text is text for Markdown and HTML; numbers follow the habits of the language."""

import math
import re

import pytest

from planner.texts import entries
from planner.ui import words
from tests.reference.lattice import HOSTILE


@pytest.mark.parametrize("name", [*HOSTILE, ":red[x]", "$x^2$", "![a](http://b)", "# head", "1. a", "a\n\nb"])
def test_markdown_sees_no_mark_of_its_own(name):
    shown = words.plain(name)
    assert not re.search(r"(?<!\\)[\[\]`*_$:<>#!(){}]", shown)
    assert "\n" not in shown


def test_html_is_escaped():
    assert words.escaped("<img src=x onerror=alert(1)>") == "&lt;img src=x onerror=alert(1)&gt;"
    assert words.escaped(None) == ""


def test_numbers_in_both_languages():
    assert words.people(602285.4, "zh") == "602,285 人"
    assert words.people(602285.4, "en") == "602,285"
    assert words.about(267722, "zh") == "26.8 万人"
    assert words.about(267722, "en") == "268 thousand"
    assert words.about(900, "zh") == "900 人"
    assert words.share(0.6844) == "68.4%"
    assert words.share(math.nan) == "-"
    assert words.minutes(12.34, "zh") == "12.3 分钟"
    assert words.minutes(math.inf, "en") == "no way"
    assert words.minutes(math.nan, "en") == "unknown"
    assert words.date("2024-06-30", "zh") == "2024年6月30日"
    assert words.date("2024-06-30", "en") == "30 Jun 2024"
    assert words.date("第七次普查", "zh") == "第七次普查"


def test_every_page_has_a_name_in_both_languages():
    from planner.ui.frame import PAGES

    named = entries("ui")
    assert all(f"page_{page}" in named for page in PAGES)


def test_no_page_holds_words_of_its_own():
    """Chinese stands in the texts only, and so does every sentence handed to Streamlit."""
    from pathlib import Path

    import planner.ui

    allowed = {"（", "人", "万人", "年", "月", "日", "、", "语言 Language", "中文", "人口"}
    for path in Path(planner.ui.__file__).parent.glob("*.py"):
        code = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for found in re.findall(r"[\u4e00-\u9fff、，。（）]+(?: Language)?", code):
            assert found in allowed, f"{path.name}: {found}"
        for found in re.findall(
            r'st\.(?:caption|info|error|warning|success|button|write|markdown)\(\s*"([^"]+)"', code
        ):
            pytest.fail(f"{path.name}: {found}")
