"""One row without coordinates is unknown, with its reason, and harms no other: nothing else than a row far away."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from planner.coverage.integrity import check_study
from planner.plan.ready import prepare
from planner.plan.stages import make_plan
from planner.scenario import Scenario
from planner.store import save_study
from tests.reference.lattice import lattice_study

POINT_TABLES = ("facilities", "demand", "settlements", "candidates")
FAR = shapely.Point(5e5, 9e6)
SCENARIO = Scenario().with_choices(main_tier="any", n_new=1)


def with_first_rows_at(*shapes):
    """The lattice county in which the first row of every table of points (and the next ones) stands at `shapes`."""
    study = lattice_study()
    for number, name in enumerate(POINT_TABLES):
        table = study.tables[name].copy()
        column = table.geometry.to_numpy().copy()
        # Far from one another, too: a place beside a settlement would be its own.
        apart = [shapely.transform(shape, lambda xy, by=number: xy + 1e5 * by) for shape in shapes]
        column[: min(len(shapes), len(column) - 1)] = apart[: len(column) - 1]
        study = study.with_table(name, table.set_geometry(column, crs=table.crs))
    return study


@pytest.mark.parametrize("shape", [None, shapely.Point(), shapely.points(np.nan, np.nan)], ids=["null", "empty", "nan"])
def test_a_row_without_coordinates_is_not_placed_and_the_others_are(shape):
    lost, far = (prepare(with_first_rows_at(one), SCENARIO) for one in (shape, FAR))
    for code in lost.profiles:
        for of_lost, of_far in ((lost.places[code], far.places[code]), (lost.demand[code], far.demand[code])):
            np.testing.assert_array_equal(of_lost.edge, of_far.edge)
            np.testing.assert_array_equal(of_lost.access_s, of_far.access_s)
    reasons = lost.unplaced.set_index(["kind", "id", "profile"])["reason"]
    assert set(reasons[[("facilities", "F1", "walk"), ("demand", "D000", "car")]]) == {"no_coordinates"}


@pytest.mark.slow
def test_a_plan_counts_people_without_coordinates_as_unknown():
    lost, far = (make_plan(with_first_rows_at(one), SCENARIO) for one in (None, FAR))
    assert int(lost.study.table("demand")["population"].iloc[0]) > 0
    for name in ("coverage", "access", "settlement_totals", "proposals", "curve", "differing"):
        tables = [pd.DataFrame(getattr(one, name)).drop(columns="geometry", errors="ignore") for one in (lost, far)]
        pd.testing.assert_frame_equal(*tables, obj=name)
    pd.testing.assert_frame_equal(lost.circles, far.circles)
    assert lost.gaps["people"].sum() == far.gaps["people"].sum()


def test_check_names_the_rows_without_coordinates():
    found = check_study(with_first_rows_at(None, shapely.Point()), SCENARIO).to_frame("en")
    rows = found[found["code"] == "no_position"].set_index("table")["ids"]
    assert rows.to_dict() == {
        "facilities": "F1, F2", "candidates": "C0, C1", "demand": "D000, D001", "settlements": "R1",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "check", "coverage", "circles", "gaps", "settlements", "tiers", "checklist", "verdicts", "equity", "belts",
        "clusters", "duplicates", "completeness", "site", "network", "plan", "export", "standards",
    ],
)  # fmt: skip
def test_every_command_works_beside_rows_without_coordinates(planner, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    save_study(with_first_rows_at(None, shapely.Point()), tmp_path / "county.gpkg")
    more = ["--n-new", "1"] if command == "site" else []
    answer = planner(command, tmp_path / "county.gpkg", *more)
    assert answer.code == 0, answer.err


def test_a_way_from_a_row_without_coordinates_says_why(planner, tmp_path):
    save_study(with_first_rows_at(None), tmp_path / "county.gpkg")
    answer = planner("route", tmp_path / "county.gpkg", "--from", "D000", "--json")
    assert answer.code == 0, answer.err
    assert {row["reason"] for row in answer.document["results"]} == {"no_coordinates"}


def test_circles_need_no_people(planner, tmp_path):
    county = lattice_study()
    save_study(county, tmp_path / "with.gpkg")
    save_study(replace(county, tables={k: t for k, t in county.tables.items() if k != "demand"}), tmp_path / "no.gpkg")
    asked = [planner("circles", tmp_path / name, "--profile", "walk") for name in ("with.gpkg", "no.gpkg")]
    assert asked[1].code == 0, asked[1].err
    with_people, without = (answer.document["features"] for answer in asked)
    assert [each["geometry"] for each in without] == [each["geometry"] for each in with_people]
    assert {each["properties"]["people"] for each in without} == {None}
    assert "no demand" in planner("coverage", tmp_path / "no.gpkg").err
