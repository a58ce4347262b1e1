"""Gaps of the toy county (drawn in conftest.py) for stations on foot in 15 minutes, by hand:

15 minutes at 1.2 m/s reach 1,080 m. Members and the station nearest in a straight line:
D4 (80) S2 2,532 m: too far; over 25.   D11 (5) S2 2,500 m: too far; over 20; 400 m from D4: one gap of 85 people.
D5 (40) S3 900 m, the river between: barrier; over 15. (The online S4 is 100 m away and must not count.)
D6 (30) cut off.                        D7 (20) unknown; 400 m from D6, but of another status.
D9 (25) S2 900 m, nothing between: detour; over 7.
D8 (10) S3 3,800 m: too far; over 5; lies in no village, nearest is C1 (1,000 m).
Sum 85 + 40 + 30 + 25 + 20 + 10 = 210 = 190 uncovered + 20 unknown.
Minutes over of the first gap: 80 x 25 + 5 x 20 = 2,100; its median is D4's 40 minutes.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from planner.coverage.areas import assign_areas
from planner.coverage.gaps import gap_areas, gap_members, linked, weighted_median
from planner.coverage.names import gap_names
from planner.coverage.population_share import coverage_table
from planner.errors import InputError

QUIET = [HealthCheck.function_scoped_fixture]  # the fixtures are never changed
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.fixture
def members(study, access, assigned, scenario):
    return gap_members(study, access, assigned, scenario)


@pytest.fixture
def gaps(study, members, scenario):
    return gap_areas(study, members, scenario)


def test_members_have_their_gap_and_their_cause(members):
    rows = [(m.gap_id, m.demand_id, m.people, m.cause, m.barrier_kind) for m in members.itertuples()]
    assert rows == [
        ("G0001", "D11", 5, "too_far", None),
        ("G0001", "D4", 80, "too_far", None),
        ("G0002", "D5", 40, "barrier", "river"),
        ("G0003", "D6", 30, "disconnected", None),
        ("G0004", "D9", 25, "detour", None),
        ("G0005", "D7", 20, "unknown", None),
        ("G0006", "D8", 10, "too_far", None),
    ]
    over = members.set_index("demand_id")["over_min"]
    assert (over["D4"], over["D11"], over["D9"]) == (25, 20, 7)
    assert over[["D6", "D7"]].isna().all()
    assert members.set_index("demand_id").loc["D4", "straight_m"] == pytest.approx(math.hypot(2500, 400))


def test_an_online_service_never_explains_a_gap(study, access, assigned, scenario, facilities):
    """Were the online S4 counted, nothing would lie between D5 and the place nearest to it."""
    facilities["is_online"] = False
    told = gap_members(study.with_table("facilities", facilities), access, assigned, scenario)
    assert told.set_index("demand_id").loc["D5", "cause"] == "detour"


def test_times_that_lead_to_an_online_service_are_refused(study, access, assigned, scenario):
    access.loc[access["point_id"] == "D5", "facility_id"] = "S4"
    with pytest.raises(InputError, match="online services \\(S4\\)"):
        gap_members(study, access, assigned, scenario)


def test_times_that_lead_to_a_way_6_candidate_are_refused(study, access, assigned, scenario, demand):
    site = demand.iloc[:1][["geometry"]].assign(candidate_id="K1", name="网上平台", way="6")
    access.loc[access["point_id"] == "D5", "facility_id"] = "K1"
    with pytest.raises(InputError, match="online services \\(K1\\)"):
        gap_members(study.with_table("candidates", site), access, assigned, scenario)


def test_gap_figures(gaps):
    first = gaps.iloc[0]
    assert (first["gap_id"], first["people"], first["uncovered_people"], first["unknown_people"]) == (
        "G0001",
        85,
        85,
        0,
    )
    assert (first["age60_people"], first["relocated_people"], first["too_far_people"], first["n_demand"]) == (
        31,
        0,
        85,
        2,
    )
    assert (first["nearest_median_min"], first["nearest_max_min"]) == (40, 40)
    assert (first["over_median_min"], first["over_max_min"], first["person_min_over"]) == (25, 25, 2100)
    assert (first["nearest_facility_id"], first["nearest_name"], first["straight_m"]) == ("S3", "乙一村站", 2500)
    assert gaps["cause"].tolist() == ["too_far", "barrier", "disconnected", "detour", "unknown", "too_far"]
    assert gaps["unknown_people"].tolist() == [0, 0, 0, 0, 20, 0]
    assert gaps.loc[2, ["nearest_median_min", "over_max_min"]].isna().all()
    causes = gaps[["too_far_people", "barrier_people", "detour_people", "disconnected_people", "unknown_people"]]
    assert causes.sum(axis=1).tolist() == gaps["people"].tolist()


def test_gaps_are_named_by_village_and_town(gaps):
    assert gaps["name"].tolist() == [
        "乙镇乙二村一带", "丙镇丙一村一带", "丙镇丙二村一带", "甲镇甲二村一带",
        "丙镇丙二村一带（之2）", "丙镇丙一村一带（之2）",
    ]  # fmt: skip
    assert gap_names(gaps, "en")[0] == "around 乙二村, 乙镇"


def test_outlines_hold_their_people(gaps, members):
    joined = members.merge(gaps[["gap_id", "geometry"]].rename(columns={"geometry": "outline"}), on="gap_id")
    assert all(row.outline.contains(row.geometry) for row in joined.itertuples())
    # Two circles of 400 m whose middles are 400 m apart overlap by r^2 (2 pi / 3 - sqrt(3) / 2).
    lens = 400**2 * (2 * math.pi / 3 - math.sqrt(3) / 2)
    assert gaps.loc[0, "area_km2"] == pytest.approx((2 * math.pi * 400**2 - lens) / 1e6, rel=0.01)
    assert gaps.crs == members.crs


def test_people_of_all_gaps_are_the_uncovered_and_unknown(gaps, study, access, assigned):
    table = coverage_table(study.table("demand"), access, assigned, study.table("areas"), [15.0])
    county = table.set_index(["profile", "group", "area_level"]).loc[("walk", slice(None), "county"), :]
    county = county[county["area_class"].isna()].reset_index().set_index("group")
    for group, column in (("all", "people"), ("age60", "age60_people"), ("relocated", "relocated_people")):
        assert gaps[column].sum() == county.loc[group, "uncovered_people"] + county.loc[group, "unknown_people"]


def test_without_areas_or_facilities_the_rows_own_names_serve(study, access, scenario):
    demand = study.table("demand").assign(village=None, name=None)
    demand.loc[3, "name"] = "石门组"
    bare = type(study)(name="x", crs=study.crs, tables={"demand": demand})
    members = gap_members(bare, access, assign_areas(demand, None), scenario)
    gaps = gap_areas(bare, members, scenario)
    assert gaps["people"].sum() == 210
    assert gaps.loc[0, "name"] == "石门组一带"
    assert gaps.loc[1, "name"] == "盲区2"


def test_a_county_without_gaps_has_an_empty_table(study, access, assigned, scenario):
    access["travel_time_min"], access["status"] = 1.0, "reachable"
    members = gap_members(study, access, assigned, scenario)
    gaps = gap_areas(study, members, scenario)
    assert (len(members), len(gaps)) == (0, 0)
    assert {"gap_id", "people", "age60_people", "geometry"} <= set(gaps.columns)


def test_the_order_of_rows_changes_nothing(study, access, assigned, scenario, gaps):
    order = np.random.default_rng(3).permutation(len(assigned))
    shuffled = study.with_table("demand", study.table("demand").iloc[order])
    again = gap_areas(shuffled, gap_members(shuffled, access, assigned.iloc[order], scenario), scenario)
    pd.testing.assert_frame_equal(
        pd.DataFrame(gaps.drop(columns="geometry")), pd.DataFrame(again.drop(columns="geometry"))
    )
    assert gaps.geometry.geom_equals(again.geometry).all()


def test_a_missing_profile_is_told(study, access, assigned, scenario):
    with pytest.raises(InputError, match="profile 'car'"):
        gap_members(study, access, assigned, scenario.model_copy(update={"main_profile": "car"}))


people = st.floats(0, 1e6)
minutes = st.one_of(st.floats(0, 60), st.just(math.inf), st.just(math.nan))


@settings(max_examples=5, deadline=None, suppress_health_check=QUIET, phases=NO_SHRINK)
@given(rows=st.lists(st.tuples(people, people, minutes), min_size=11, max_size=11))
def test_every_uncovered_and_unknown_person_is_in_one_gap_exactly(study, access, assigned, scenario, rows):
    """Fractions of people too: `+` of any order, `==` and no tolerance."""
    demand = study.table("demand").assign(population=[row[0] for row in rows], age60=[row[1] for row in rows])
    walk = access[access["profile"] == "walk"].assign(travel_time_min=[row[2] for row in rows], status="reachable")
    walk.loc[walk["travel_time_min"].isna(), "status"] = "unknown"
    world = study.with_table("demand", demand)
    gaps = gap_areas(world, gap_members(world, walk, assigned, scenario), scenario)
    county = coverage_table(demand, walk, assigned, study.table("areas"), [15.0]).query("area_level == 'county'")
    county = county[county["area_class"].isna()].set_index("group")
    assert gaps["people"].sum() == county.loc["all", "uncovered_people"] + county.loc["all", "unknown_people"]
    assert gaps["uncovered_people"].sum() == county.loc["all", "uncovered_people"]
    assert gaps["age60_people"].sum() == county.loc["age60", "uncovered_people"] + county.loc["age60", "unknown_people"]


@settings(max_examples=25, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 1)), min_size=1, max_size=25),
    linking_m=st.sampled_from([1.0, 2.0, 3.0]),
)
def test_linked_equals_a_search_by_hand(points, linking_m):
    xy = np.array([point[:2] for point in points], dtype=float)
    key = np.array([point[2] for point in points])
    label = linked(xy, key, linking_m)
    for start in range(len(points)):
        found, todo = {start}, [start]
        while todo:
            one = todo.pop()
            for other in range(len(points)):
                if other not in found and key[one] == key[other] and math.dist(xy[one], xy[other]) <= linking_m:
                    found.add(other)
                    todo.append(other)
        assert set(np.flatnonzero(label == label[start])) == found


def test_linked_works_across_its_chunks(monkeypatch):
    monkeypatch.setattr("planner.coverage.gaps._CHUNK", 2)
    xy = np.array([[0, 0], [10, 0], [1, 0], [11, 0], [2, 0], [12, 0]], dtype=float)
    label = linked(xy, np.zeros(6, dtype=int), 1.0)
    assert label[0] == label[2] == label[4] != label[1] == label[3] == label[5]


def test_weighted_median():
    assert weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 1.0])) == 2.0
    assert weighted_median(np.array([1.0, 9.0]), np.array([1.0, 5.0])) == 9.0
    assert math.isnan(weighted_median(np.array([]), np.array([])))
