"""Five haves in a lattice county of 3 towns and 9 stations, worked by hand.

The demo writes every sixth place of a tier without a mechanism, and every ninth with half a team. Stations are numbered
0-8: number 5 lacks the mechanism, number 8 has half a team; so 7 of 9 are qualified. Of 12 points number 5 and 11 lack
the mechanism and number 8 has half a team: 9 of 12 are qualified. Three institutes and the centre lack nothing.
"""

import pytest

from planner.coverage.checklist import (
    checklist_findings,
    checklist_table,
    checklist_totals,
    parse_marks,
    place_quality,
    qualified_ids,
    rectification_list,
)
from planner.coverage.declared import declared_from_toml
from planner.coverage.hours import hours_table, parse_hours
from planner.demo.networks import network_studies
from planner.errors import ScenarioError
from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
from planner.standards import checklists_from_toml, default_checklists

FIVE = default_checklists()["five_haves"]
TOY = """
name = "玩具县"
[figures]
centre = 1
institute = 3
station = { all = 9, urban = 2, rural = 7 }
point = 12
"""


@pytest.fixture
def study():
    return network_studies(declared_from_toml(TOY)["declared"])[0]


def edited(study, key, **values):
    places = study.table("facilities").astype({"is_qualified": "boolean"})
    for column, value in values.items():
        places.loc[places["facility_id"] == key, column] = value
    return study.with_table("facilities", places)


def test_totals_by_tier_and_town(study):
    totals = checklist_totals(study, FIVE)
    county = totals[totals["town_name"] == "all"].set_index("tier")
    assert county["n_qualified"].to_dict() == {"centre": 1, "institute": 3, "station": 7, "point": 9}
    assert county.loc["station", "qualified_share"] == pytest.approx(7 / 9)
    assert county.loc["station", "full:mechanism"] == pytest.approx(8 / 9)
    assert county.loc["point", "full:mechanism"] == pytest.approx(10 / 12)
    towns = totals[totals["town_name"] != "all"]
    for column in ("n_places", "n_qualified"):
        assert towns.groupby("tier")[column].sum().to_dict() == county[column].to_dict()


def test_the_rectification_list_says_which_place_lacks_what(study):
    listed = rectification_list(study, FIVE)
    rows = {row.facility_id: (row.lacks, row.partial, row.notes, row.last_date) for row in listed.itertuples()}
    half = ("", "有队伍", "有队伍：缺骨干", "2024-05-01")
    assert rows == {
        "DED0006": ("有机制", "", "", ""), "DED0012": ("有机制", "", "", ""), "DEN0006": ("有机制", "", "", ""),
        "DED0009": half, "DEN0009": half,
    }  # fmt: skip
    assert listed["rank"].tolist() == [1, 2, 3, 4, 5]
    assert listed.geometry.notna().all()
    assert "mechanism" in set(rectification_list(study, FIVE, "en")["lacks"])


def test_a_place_without_marks_goes_by_its_flag_and_else_is_not_judged(study):
    flagged = edited(study, "DEN0001", checklist=None, is_qualified=True)
    assert "DEN0001" in qualified_ids(flagged, FIVE)
    blank = edited(study, "DEN0001", checklist=None, is_qualified=None)
    row = place_quality(blank, FIVE).set_index("facility_id").loc["DEN0001"]
    assert (row["basis"], row["is_qualified"], row["n_not_judged"]) == ("not_judged", False, 5)
    half = edited(study, "DEN0001", checklist="place=full")
    row = place_quality(half, FIVE).set_index("facility_id").loc["DEN0001"]
    assert (row["basis"], row["is_qualified"], row["n_full"], row["n_not_judged"]) == ("checklist", False, 1, 4)
    bare = study.with_table("facilities", study.table("facilities").drop(columns=["checklist", "is_qualified"]))
    assert qualified_ids(bare, FIVE) == set()


def test_six_haves_judge_otherwise(study):
    six = default_checklists()["six_haves"]
    words = "组织=有；场所=有；队伍=有；平台=有；机制=有；成效=有"
    assert qualified_ids(edited(study, "DEN0001", checklist=words), six) == {"DEN0001"}
    scenario = Scenario(checklist=six)
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario
    assert len(checklist_table(study, six)) == 6 * 25


def test_marks_as_people_write_them():
    marks, problems = parse_marks("Place = full; 有队伍：部分（缺 2 人）@2024-05-01\n机制=无 ; 有项目=√；", FIVE)
    assert {code: (mark.state, mark.note, mark.date) for code, mark in marks.items()} == {
        "place": ("full", "", ""), "team": ("partial", "缺 2 人", "2024-05-01"), "mechanism": ("none", "", ""),
        "projects": ("full", "", ""),
    }  # fmt: skip
    assert problems == ()
    assert parse_marks("", FIVE) == ({}, ())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("有食堂=有", "checklist_item_unknown"), ("有场所", "checklist_item_unknown"),
        ("=有", "checklist_item_unknown"),
        ("有场所=很好", "checklist_state_unknown"), ("有场所=", "checklist_state_unknown"),
        ("有场所=有@五月", "checklist_date_unreadable"), ("有场所=有@2024-02-30", "checklist_date_unreadable"),
    ],
)  # fmt: skip
def test_bad_marks_are_findings(study, words, code):
    findings = checklist_findings(edited(study, "DEN0001", checklist=words, is_qualified=None), FIVE)
    assert [(one.code, one.ids) for one in findings] == [(code, ("DEN0001",))]
    assert findings[0].repair("zh")
    assert "DEN0001" in findings[0].problem("en")


def test_a_flag_against_the_checklist_is_a_finding(study):
    findings = checklist_findings(edited(study, "DEN0006", is_qualified=True), FIVE)
    assert [(one.code, one.ids) for one in findings] == [("qualified_but_lacking", ("DEN0006",))]
    assert "DEN0006" not in qualified_ids(edited(study, "DEN0006", is_qualified=True), FIVE)


@pytest.mark.parametrize("toml", ["[x]\nitems = {}", "[x]\ncolour = 1", "not toml", "x = 1"])
def test_a_wrong_checklist_file_is_one_error(toml):
    with pytest.raises(ScenarioError, match="checklists must be mended"):
        checklists_from_toml(toml)


def minutes(words):
    return [
        [(begin // 60 + begin % 60 / 60, end // 60 + end % 60 / 60) for begin, end in day]
        for day in parse_hours(words).days
    ]


@pytest.mark.parametrize(
    ("words", "per_week", "n_days"),
    [
        ("周一至周五 8:30-17:30", 45, 5), ("周一至周日 9:00-17:30", 59.5, 7), ("周五 14:00-17:30", 3.5, 1),
        ("周六周日 9:00-17:00", 16, 2), ("周一至周五 8:30-12:00，14:00-17:30；周六 9:00-12:00", 38, 6),
        ("Mon-Fri 8:30-17:30; Sat,Sun 9-12", 51, 7), ("每天 24小时", 168, 7), ("8:00-20:00", 84, 7),
        ("工作日 9点-17点半", 42.5, 5), ("周六至周一 9:00-10:00", 3, 3), ("周一、三、五 8：00～10：00", 6, 3),
        ("周一 8:00-12:00;周一 11:00-13:00", 5, 1), ("", 0, 0),
    ],
)  # fmt: skip
def test_hours_by_weekday(words, per_week, n_days):
    hours = parse_hours(words)
    assert hours.per_week == pytest.approx(per_week)
    assert sum(bool(day) for day in hours.days) == n_days


def test_a_lunch_break_stays_a_break():
    assert minutes("周二 8:30-12:00，14:00-17:30")[1] == [(8.5, 12.0), (14.0, 17.5)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("周一至周五 17:30-8:30", "hours_end_before_begin"), ("周一 9:00-9:00", "hours_end_before_begin"),
        ("周一 9:00-25:00", "hours_no_clock_time"), ("随时", "hours_unreadable"), ("周一", "hours_unreadable"),
        ("周八 9:00-10:00", "hours_unreadable"), ("周一 8:00-12:00；周一 11:00-13:00", "hours_overlap"),
    ],
)  # fmt: skip
def test_bad_hours_are_findings(study, words, code):
    findings = checklist_findings(edited(study, "DEN0002", opening_hours=words), FIVE)
    assert [(one.code, one.ids) for one in findings] == [(code, ("DEN0002",))]
    assert findings[0].repair("en")


def test_hours_of_the_county(study):
    table = hours_table(study.table("facilities")).set_index("facility_id")
    assert table.loc["DEN0001", "hours_per_week"] == 45
    assert not table.loc["DEN0001", "is_open_weekend"]
    assert table.loc["DEN0003", ["open_days", "is_open_weekend"]].tolist() == [6, True]
    assert not table["is_open_evening"].any()
