"""Settlements, equity and kept declared figures by the command line."""

import shutil
from dataclasses import replace

import pytest

from planner.store import open_study, save_study
from tests.reference.lattice import lattice_study


def test_settlements_come_with_remedies_totals_and_checks(planner, lattice_file):
    document = planner("settlements", lattice_file, "--json").document
    assert set(document) == {"results", "totals", "checks"}
    first = next(one for one in document["results"] if one["settlement_id"] == "R1")
    assert first["remedy"] == first["remedies"][0]["remedy"]
    assert first["remedies"][-1]["remedy"] == "session"
    assert [check["check"] for check in document["checks"]] == ["demand"]
    shown = planner("settlements", lattice_file)
    assert shown.code == 0
    assert "Settlements in all" in shown.out


def test_size_classes_of_ones_own(planner, lattice_file, tmp_path):
    own = tmp_path / "sizes.toml"
    own.write_text("[hamlet]\nmin_people = 0\n[big]\nmin_people = 100\n", encoding="utf-8")
    document = planner("settlements", lattice_file, "--sizes", own, "--json").document
    assert [one["size_class"] for one in document["results"]] == ["big", "hamlet"]
    own.write_text("[big]\nmin_people = 100\n", encoding="utf-8")
    wrong = planner("settlements", lattice_file, "--sizes", own)
    assert wrong.code == 2
    assert "begin at 0" in wrong.err


def test_equity_before_and_after_and_against_another_study(planner, lattice_file):
    words = ("--profile", "walk", "--json")
    before = planner("equity", lattice_file, *words).document["summary"]
    assert [(row["state"], row["profile"], row["supply"]) for row in before] == [("before", "walk", "place")]
    assert 0 < before[0]["gini_two_step"] < 1
    both = planner("equity", lattice_file, "--after", *words).document
    assert [row["state"] for row in both["summary"]] == ["before", "after"]
    assert both["summary"][1]["n_places"] == both["summary"][0]["n_places"] + 3
    assert both["summary"][1]["covered_people"] > both["summary"][0]["covered_people"]
    same = planner("equity", lattice_file, "--other", lattice_file, *words).document["summary"]
    assert [row["state"] for row in same] == ["before", "after"]
    assert {name: value for name, value in same[0].items() if name != "state"} == {
        name: value for name, value in same[1].items() if name != "state"
    }
    assert "Gini" in planner("equity", lattice_file, "--profile", "walk").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--supply", "chairs"), "chairs"),
        (("--supply", "capacity"), "no capacity"),
        (("--after", "--other", "x.gpkg"), "--other"),
    ],
)
def test_what_equity_cannot_do_is_one_sentence(planner, lattice_file, words, said):
    answer = planner("equity", lattice_file, *words)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_studies_that_count_different_things_are_not_compared(planner, lattice_file, tmp_path):
    study = open_study(lattice_file)
    seated = tmp_path / "seated.gpkg"
    save_study(study.with_table("facilities", study.table("facilities").assign(capacity=40.0)), seated)
    words = ("equity", lattice_file, "--other", seated, "--profile", "walk")
    answer = planner(*words)
    assert answer.code == 2
    assert "counts seats, the other places" in answer.err
    assert planner(*words, "--supply", "place").code == 0


def test_a_study_named_twice_is_refused(planner, lattice_file):
    answer = planner("declared", lattice_file, lattice_file, "--preset", "zhaohua")
    assert answer.code == 2
    assert "count twice" in answer.err


def test_what_is_wrong_in_a_file_is_said_with_its_name(planner, lattice_file, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("[a]\ncolour = 1\n[b]\ncolour = 2\n", encoding="utf-8")
    for command in ("declared", "standards", "checklist"):
        answer = planner(command, lattice_file, "--file", own)
        assert answer.code == 2
        assert f"{own} must be mended:" in answer.err
        assert "a.colour: is not known here." in answer.err
        assert "b.colour: is not known here." in answer.err


def test_items_that_nobody_judged_are_told_apart_from_lacking_ones(planner, lattice_file, tmp_path):
    study = open_study(lattice_file)
    marks = ["有场所=无"] + [None] * (len(study.table("facilities")) - 1)
    save_study(study.with_table("facilities", study.table("facilities").assign(checklist=marks)), tmp_path / "c.gpkg")
    shown = planner("checklist", tmp_path / "c.gpkg").out
    assert all(head in shown for head in ("lacks", "partly", "not judged"))


def test_declared_figures_are_kept_and_asked_again(planner, lattice_file, tmp_path):
    study = tmp_path / "county.gpkg"
    shutil.copy(lattice_file, study)
    assert planner("declared", study).code == 2
    assert planner("declared", study, "--preset", "zhaohua", "--no-keep").code == 0
    assert planner("declared", study).code == 2
    kept = planner("declared", study, "--preset", "zhaohua", "--json")
    assert kept.code == 0
    assert open_study(study).metadata["declared"]["code"] == "zhaohua"
    again = planner("declared", study, "--json").document
    assert again["declared_formula"] == "1+12+150+N"
    assert planner("declared", study, study, "--preset", "zhaohua", "--keep").code == 2


def test_a_study_without_areas_has_its_equity_without_villages(planner, tmp_path):
    study = lattice_study()
    bare = tmp_path / "bare.gpkg"
    save_study(replace(study, tables={name: table for name, table in study.tables.items() if name != "areas"}), bare)
    answer = planner("equity", bare, "--profile", "walk")
    assert answer.code == 0
    assert "Gini" in answer.out


@pytest.mark.parametrize("command", ["verdicts", "standards"])
def test_an_unknown_level_is_refused(planner, lattice_file, command):
    answer = planner(command, lattice_file, "--level", "moon")
    assert (answer.code, answer.out) == (2, "")
    assert "moon" in answer.err


def test_a_group_that_the_demand_does_not_count_is_refused(planner, tmp_path):
    study = lattice_study()
    path = tmp_path / "county.gpkg"
    demand = study.tables["demand"].drop(columns="children", errors="ignore")
    save_study(study.with_table("demand", demand), path)
    answer = planner("verdicts", path, "--group", "children")
    assert answer.code == 2
    assert "children" in answer.err
