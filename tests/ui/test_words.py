"""A user's text is text for Markdown and HTML; numbers follow the habits of the language."""

import math
import re

import pytest

from planner.errors import InputError
from planner.texts import LANGUAGES, entries
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


# What only the command line says: the app has no such options, or another way to choose.
CLI_ONLY = re.compile(
    r"--(out|preset|file|other|after|place|within|save-recipe|quota|group-weight|supply)\b|--column name="
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "subject", ["errors", "problems", "frames", "belts", "network", "ui", "ui_pages", "ui_plans", "ui_study"]
)
def test_no_words_of_the_app_send_a_reader_to_the_command_line(subject, language):
    for key, said in entries(subject).items():
        shown = words.in_app(re.sub(r"\{\w*\}", "layer", said[language]), language)
        is_command = re.search(r"(?<![\w-])--[a-z]|planner (?:import|new|template|duplicates|declared)\b", shown)
        assert not is_command or CLI_ONLY.search(said["en"]) or key in {"head_frame", "certain"}, f"{key}: {shown}"
        assert is_command or shown.count("（") == shown.count("）"), f"{key}: {shown}"


def test_a_missing_header_is_said_with_the_place_on_the_page_where_it_is_chosen():
    error = InputError("a.csv has no coordinates: no column for 经度 (lon), 纬度 (lat). Headers found: 名称. "
                       "Name the header with --column x=HEADER.")  # fmt: skip
    assert words.told(error, "en").endswith("Name the header under 'Which header means what'.")
    assert words.told(error, "zh").endswith("请在“表头对应”中选定。")
