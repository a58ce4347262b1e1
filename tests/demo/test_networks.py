"""Declared networks as studies, and the commands that ask about their places."""

import json

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from planner.cli import app
from planner.coverage.declared import declared_from_toml
from planner.coverage.places import counted_places
from planner.demo.journey import run_network
from planner.demo.networks import network_studies
from planner.errors import InputError, ScenarioError
from planner.plan.coverage import coverage_table, verdict_table
from planner.plan.practice import norm_table, place_set_table
from planner.plan.ready import prepare
from planner.scenario import Scenario
from planner.store import save_study
from planner.tiers import default_tiers

TOY = """
name = "玩具县"
[figures]
centre = 1
institute = 3
station = { all = 9, urban = 2, rural = 7 }
point = 12
post = 2
[relocated]
people = 900
households = 200
"""


@pytest.fixture
def study():
    return network_studies(declared_from_toml(TOY)["declared"])[0]


def ask(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_the_demo_writes_a_network_and_reconciles_it(tmp_path):
    result, paths = run_network("zhaohua", tmp_path)
    assert [path.name for path in paths] == ["zhaohua.gpkg"]
    assert result.agrees
    workbook = openpyxl.load_workbook(tmp_path / "reconciliation.xlsx")
    words = [cell.value for cell in workbook.worksheets[0]["D"]]
    assert "150" in words
    assert "1+12+150+N" in workbook.worksheets[0]["A2"].value
    with pytest.raises(InputError, match="zhaohua"):
        run_network("atlantis", tmp_path)


@pytest.mark.slow
def test_commands_about_places(study, tmp_path):
    path, declared = tmp_path / "toy.gpkg", tmp_path / "declared.toml"
    places = study.table("facilities")
    gone = places[places["facility_id"] == "DEN0003"].iloc[0]
    save_study(study.with_table("facilities", places[places["facility_id"] != "DEN0003"]), path)
    declared.write_text(TOY, encoding="utf-8")
    tiers = ask("tiers", path)
    assert {row["tier"]: row["n_places"] for row in tiers["tiers"]}["station"] == 8
    assert [(row["code"], row["name"]) for row in tiers["findings"]] == [("unit_without", gone["village"])]
    assert tiers["findings"][0]["repair"]
    answer = ask("declared", path, "--file", declared)
    rows = {(row["tier"], row["class"]): row for row in answer["results"] if row["measure"] == "places"}
    assert (rows["station", "all"]["found"], rows["station", "all"]["judgement"]) == (8, "short")
    assert not answer["agrees"]
    assert answer["found_formula"] == "1+3+8+12"
    judged = ask("checklist", path, "--coverage")
    assert judged["checklist"] == "five_haves"
    assert {row["facility_id"] for row in judged["rectification"]} >= {"DEN0006", "DEN0009", "DED0006"}
    assert {row["place_set"] for row in judged["coverage"]} == {"named", "qualified"}
    assert ask("checklist", path, "--use", "six_haves")["findings"]
    assert {row["standard"] for row in ask("standards")["standards"]} >= {"practice_circle_15", "gb50180", "tdt1062"}
    both = ask("standards", path, "--use", "practice_circle_15", "--use", "gb50180")["results"]
    assert {row["standard"] for row in both} == {"practice_circle_15", "gb50180"}
    shown = ask("verdicts", path, "--tier", "station", "--level", "village", "--group", "age60")
    assert len(shown["results"]) == 9
    assert {"share:walk", "share:elderly_walk", "share:ebike", "has_one"} <= set(shown["results"][0])
    assert {row["group"] for row in shown["differing"]} == {"age60"}


def test_a_standard_is_copied_edited_and_used(study, tmp_path):
    path, copy = tmp_path / "toy.gpkg", tmp_path / "mine.toml"
    save_study(study, path)
    CliRunner().invoke(app, ["standards", "--copy", "changsha", "--out", str(copy)], catch_exceptions=False)
    copy.write_text(copy.read_text(encoding="utf-8").replace("0.85", "0.1"), encoding="utf-8")
    rows = ask("standards", path, "--file", copy)["results"]
    assert {(row["standard"], row["target_share"], row["judgement"]) for row in rows} == {("changsha_copy", 0.1, "met")}


@pytest.mark.parametrize(
    "arguments",
    [
        ["declared"], ["declared", "--preset", "atlantis"], ["declared", "--file", "absent.toml"],
        ["checklist", "--use", "seven_haves"], ["standards", "--use", "nobodys"], ["verdicts", "--tier", "palace"],
        ["verdicts", "--group", "cats"],
    ],
)  # fmt: skip
def test_a_wrong_wish_is_one_error(study, tmp_path, arguments):
    path = tmp_path / "toy.gpkg"
    save_study(study, path)
    with pytest.raises((InputError, ScenarioError)):
        CliRunner().invoke(app, [arguments[0], str(path), *arguments[1:]], catch_exceptions=False)


def figures(study, scenario):
    reach = prepare(study, scenario)
    return [
        verdict_table(reach, coverage_table(reach)),
        place_set_table(reach),
        norm_table(reach, ["practice_circle_15", "relocation_800"]),
    ]


@pytest.mark.slow
def test_online_services_way_6_and_light_places_add_nothing_anywhere(study):
    """Stations and points that are online or light, and way-6 candidates, stand on every hamlet: no figure moves."""
    scenario = Scenario()
    before = figures(study, scenario)
    demand, places = study.table("demand"), study.table("facilities")
    for marks in ({"is_online": True}, {"is_light": True}, {"tier": "post"}, {"tier": "hub", "is_light": None}):
        more = demand[["geometry", "town", "village", "class"]].assign(
            facility_id=[f"ON{row:04d}" for row in range(len(demand))], name="x", parent_id=None, checklist=None,
            is_qualified=True, **({"tier": "station", "is_online": False, "is_light": False} | marks),
        )  # fmt: skip
        sites = more[["geometry"]].assign(candidate_id=more["facility_id"], name="x", way="6", tier="station")
        both = pd.concat([places, more], ignore_index=True)
        crowded = study.with_table("facilities", both).with_table("candidates", sites)
        for old, new in zip(before, figures(crowded, scenario), strict=True):
            assert old.equals(new)
    # The same places, real and not light, do move them.
    real = study.with_table(
        "facilities", both.assign(is_online=False, is_light=False, tier=both["tier"].replace("hub", "station"))
    )
    assert not before[0].equals(figures(real, scenario)[0])


def test_light_places_count_where_their_tier_says_so(study):
    tiers = dict(default_tiers())
    counted = Scenario(hierarchy=tiers | {"post": tiers["post"].model_copy(update={"counts_light": True})})
    places = study.table("facilities")
    n_posts = int((places["tier"] == "post").sum())
    assert n_posts == 2
    assert len(counted_places(places, counted)) - len(counted_places(places, Scenario())) == n_posts


def test_qualified_places_reach_no_more_than_named_ones(study):
    table = place_set_table(prepare(study, Scenario()))
    named, qualified = (table[table["place_set"] == name].reset_index(drop=True) for name in ("named", "qualified"))
    assert (qualified["covered_people"] <= named["covered_people"]).all()
    assert (qualified["covered_people"] < named["covered_people"]).any()
    assert qualified["population"].equals(named["population"])
