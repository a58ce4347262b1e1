"""Choices, changes, undo, and two who save the same study."""

import pytest

from planner.errors import InputError, RevisionConflictError
from planner.progress import SILENT
from planner.ui import state as states
from planner.ui.leaflet import Click
from planner.ui.state import AppState, Opened, change, read_file, remark, save, take, undo


@pytest.fixture
def opened(lattice_file, tmp_path):
    copy = tmp_path / "county.gpkg"
    copy.write_bytes(lattice_file.read_bytes())
    return read_file(copy, SILENT)


def test_a_change_can_be_taken_back(opened):
    state = AppState("t")
    take(state, opened)
    changed = state.study.with_metadata(x=1)
    change(state, "ui_study.did_import", changed)
    assert state.held.is_changed
    assert state.held.key != opened.key
    undo(state)
    assert "x" not in state.study.metadata
    undo(state)
    assert "x" not in state.study.metadata


def test_words_about_a_study_do_not_make_it_another(opened):
    state = AppState("t")
    take(state, opened)
    remark(state, "ui_plans.did_keep", state.study.with_metadata(what_if={}))
    assert state.held.key == opened.key
    assert state.held.is_changed


def test_the_second_who_saves_is_told_and_loses_nothing(opened, tmp_path):
    one, two = AppState("1"), AppState("2")
    for number, state in enumerate((one, two)):
        take(state, opened)
        remark(state, "ui_plans.did_keep", state.study.with_metadata(by=number))
    save(one)
    with pytest.raises(RevisionConflictError):
        save(two)
    assert two.study.metadata["by"] == 1
    assert two.held.is_changed
    save(two, tmp_path / "mine.gpkg")
    assert not two.held.is_changed
    assert read_file(tmp_path / "mine.gpkg", SILENT).study.metadata["by"] == 1
    assert read_file(tmp_path / "county.gpkg", SILENT).study.metadata["by"] == 0


def test_without_a_study_there_is_one_message():
    with pytest.raises(InputError):
        _ = AppState("t").study


def test_a_state_is_given_back_after_a_reload_and_to_nobody_else(monkeypatch):
    alive = {"a"}
    monkeypatch.setattr(states, "_is_alive", alive.__contains__)
    kept = states._States()
    first = kept.claim(None, "a")
    assert kept.claim(first.token, "a") is first
    assert kept.claim(first.token, "b") is not first
    alive.clear()
    assert kept.claim(first.token, "c") is first
    assert kept.claim("guessed", "d") is not first


def test_a_click_is_answered_once(opened):
    state = AppState("t")
    click = Click("click", "", None, 109.0, 32.0, 5)
    assert state.is_new("map", click)
    assert not state.is_new("map", click)
    assert state.is_new("other", click)
    assert not state.is_new("map", None)


def test_another_county_brings_its_own_choices(opened):
    state = AppState("t")
    take(state, opened)
    state.choices = states.Choices("car", "station", 30.0)
    take(state, Opened(opened.study.with_metadata(y=1), "k", None))
    assert state.choices.profile == "car"
    import dataclasses

    take(state, Opened(dataclasses.replace(opened.study, name="乙县"), "k2", None))
    assert state.choices.profile == "walk"
