"""Where people came from, and what would serve those whom nothing serves."""

import numpy as np
import pandas as pd
import pytest

from planner.coverage.moves import minutes_before, minutes_of_towns, origin_points
from planner.coverage.remedies import remedies, upgradable_places, usable_candidates
from planner.scenario import Scenario
from tests.coverage.conftest import points


def test_only_whole_origins_are_points(settlements):
    given = settlements.assign(origin_x=[1.0, np.nan, 3.0, np.inf, 5.0], origin_y=[1.0, 2.0, np.nan, 4.0, 5.0])
    assert origin_points(given)["settlement_id"].tolist() == ["R1", "R5"]
    assert origin_points(settlements).empty


def test_minutes_of_a_town_are_the_median_of_its_rural_people_who_stayed(demand, assigned, areas):
    """Town B: D3 2 min (200 - 60 relocated = 140), D10 12 (15), D11 35 (5), D4 40 (80): 240 people, the 120th is at 2.

    Town A without the urban D1: D2 15 (50), D9 22 (25). Town C: D5 30 (40 - 40 = 0), D6 cut off (30), D7 unknown.
    """
    minutes = pd.Series([5.0, 15, 2, 40, 30, np.inf, np.nan, 20, 22, 12, 35])
    assert minutes_of_towns(demand, minutes, assigned, areas) == {"甲镇": 15.0, "乙镇": 2.0, "丙镇": np.inf}
    assert minutes_of_towns(demand, minutes, assigned, None) == {}


def test_a_name_that_two_towns_share_says_nothing(demand, assigned, areas):
    twins = areas.assign(name=areas["name"].replace("乙镇", "甲镇"))
    minutes = pd.Series(np.arange(11.0))
    assert set(minutes_of_towns(demand, minutes, assigned, twins)) == {"丙镇"}


def test_a_point_goes_before_towns_and_several_towns_are_averaged(settlements):
    given = settlements.assign(origin_towns=["甲镇、乙镇", "甲镇，丁镇", "丁镇", None, "乙镇"])
    before = minutes_before(given, {"R5": 33.0}, {"甲镇": 10.0, "乙镇": 20.0})
    assert before["before_min"].tolist()[:2] == [15.0, 10.0]
    assert before["before_basis"].fillna("").tolist() == ["towns", "towns", "", "", "point"]
    assert before["before_min"].iloc[4] == pytest.approx(33.0)


def test_online_refused_and_other_tiers_are_no_options(facilities):
    scenario = Scenario(settlement_tier="station")
    light = facilities.assign(is_light=facilities["facility_id"] == "S1")
    assert upgradable_places(light, scenario)["facility_id"].tolist() == ["F1", "F2", "F3", "S1", "P1"]
    assert upgradable_places(light, Scenario())["facility_id"].tolist() == ["S1"]
    rows = [("a", "1", "agreed", None), ("b", "6", "agreed", None), ("c", "2", "refused", None),
            ("d", "3", None, "point"), ("e", "3", None, "station")]  # fmt: skip
    table = points(rows, ("candidate_id", "way", "consent", "tier"), [(0, 0)] * 5)
    assert usable_candidates(table, scenario)["candidate_id"].tolist() == ["a", "e"]
    assert usable_candidates(table, Scenario())["candidate_id"].tolist() == ["a", "d", "e"]


def test_options_beyond_the_limit_are_left_aside_and_a_session_is_always_last():
    audit = pd.DataFrame({
        "settlement_id": ["A", "B", "C"], "is_served": [False, True, False], "reason": ["too_far", "served", "unknown"],
        "rank": [2, 3, 1],
    })  # fmt: skip
    options = pd.DataFrame(
        [("A", "upgrade", "P", "p", 16.0, None, np.nan), ("A", "candidate", "K", "k", 15.0, "asked", 2.0),
         ("A", "candidate", "L", "l", 14.0, "agreed", 3.0), ("B", "upgrade", "P", "p", 1.0, None, np.nan)],
        columns=["settlement_id", "remedy", "place_id", "place_name", "remedy_min", "consent", "cost"],
    )  # fmt: skip
    table = remedies(audit, options, 15.0)
    assert table[["settlement_id", "option", "remedy", "place_id"]].fillna("").to_numpy().tolist() == [
        ["C", 1, "survey", ""], ["C", 2, "session", ""],
        ["A", 1, "candidate", "L"], ["A", 2, "candidate", "K"], ["A", 3, "session", ""],
    ]  # fmt: skip
