"""Every page on a tiny county in both languages, without a browser: no fault, no word of the other language."""

import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from planner.plan.trial import RoadEdit
from tests.ui.conftest import PAGES

PATIENCE_S = 120


def show(name, language, path):
    """What the app runs for one page, on the study file at `path`."""
    from pathlib import Path

    from planner.progress import SILENT
    from planner.ui import main
    from planner.ui.state import read_file, session_state, take

    state = session_state()
    if state.opened is None:
        state.language = language
        take(state, read_file(Path(path), SILENT))
    main.PAGES[name](state)


def shown(name, language, path):
    """The page once nothing runs any more."""
    page = AppTest.from_function(show, kwargs={"name": name, "language": language, "path": str(path)})
    page.default_timeout = PATIENCE_S
    return settled(page.run())


def settled(page):
    until = time.monotonic() + PATIENCE_S
    while page.get("progress") and time.monotonic() < until:
        time.sleep(0.1)
        page.run()
    return page


def words_of(page):
    """Everything that the page says by itself; words of the study are left to those who wrote them."""
    kinds = ("button", "selectbox", "checkbox", "number_input", "text_input", "multiselect", "slider", "tab",
             "expander")  # fmt: skip
    return [element.label for kind in kinds for element in page.get(kind)] + [each.value for each in page.caption]


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_without_a_fault_in_its_language(name, language, lattice_file):
    page = shown(name, language, lattice_file)
    assert not page.exception
    assert [each.value for each in page.error] == []
    said = [words for words in words_of(page) if words]
    assert said or name in {"coverage", "network"}
    if language == "en":
        assert not [words for words in said if re.search("[\u4e00-\u9fff]", words)]


def test_another_limit_is_answered_at_once(lattice_file):
    page = shown("coverage", "zh", lattice_file)
    assert page.session_state["app"].choices.cutoff_min == 15.0
    page.slider[0].set_value(30.0)
    settled(page.run())
    assert page.session_state["app"].choices.cutoff_min == 30.0
    assert not page.exception


def test_sites_are_chosen_with_a_lock_and_a_veto(lattice_file):
    page = shown("siting", "en", lattice_file)
    state = page.session_state["app"]
    names = state.study.tables["candidates"]["candidate_id"].astype(str).tolist()
    lock, veto = (box for box in page.multiselect if box.label in {"Locked candidates", "Vetoed candidates"})
    lock.set_value([names[0]])
    veto.set_value([names[1]])
    page.run()
    page.number_input[0].set_value(2)
    page.button[0].click()
    settled(page.run())
    assert state.solved.lock_in == (names[0],)
    assert state.solved.lock_out == (names[1],)
    assert not page.exception
    assert [each.value for each in page.error] == []


def saved_as(study, name, monkeypatch):
    monkeypatch.setattr("sys.argv", ["app", str(study)])
    page = shown("study", "en", study)
    page.text_input(key="save as name").set_value(name)
    page.run()
    page.button(key="save as").click()
    return page.run()


def test_a_refused_file_name_is_told_and_nothing_is_written(lattice_file, tmp_path, monkeypatch):
    study = tmp_path / "county.gpkg"
    study.write_bytes(lattice_file.read_bytes())
    page = saved_as(study, "../stolen", monkeypatch)
    assert "stolen" in page.error[0].value
    assert sorted(path.name for path in tmp_path.iterdir()) == ["county.gpkg"]


def test_a_study_is_never_saved_over_another_of_its_name(lattice_file, tmp_path, monkeypatch):
    study, other = tmp_path / "county.gpkg", tmp_path / "other.gpkg"
    for path in (study, other):
        path.write_bytes(lattice_file.read_bytes())
    page = saved_as(study, "other", monkeypatch)
    assert "has a file of that name" in page.error[0].value
    assert other.read_bytes() == lattice_file.read_bytes()


def test_scenarios_with_roads_shut_are_compared_and_explained(lattice_file):
    page = shown("what_if", "en", lattice_file)
    state = page.session_state["app"]
    state.edits.append(RoadEdit("close", str(state.study.table("roads")["road_id"].iloc[0])))
    page.session_state["what_if view"] = 1
    settled(page.run())
    assert not page.exception
    assert [each.value for each in page.error] == []
    assert any("beside a shut road" in each.value for each in page.caption)


def test_circles_are_drawn_when_asked_for(lattice_file):
    page = shown("coverage", "zh", lattice_file)
    assert page.toggle[0].label.startswith("15 分钟实践圈")
    page.toggle[0].set_value(True)
    settled(page.run())
    assert not page.exception
    assert page.toggle[0].value
