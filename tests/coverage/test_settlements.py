"""Settlements of the toy county (drawn in conftest.py), stations on foot in 15 minutes, by hand:

R1   60 people, S3 at 50 m (F3 at 150 m): own place by distance; 1 minute: served.
R2  900, only the online S4 within 300 m, and only S4 names its village: no place of its own; 30 min: over 15,
    13,500 people x minutes.
R3  400, S2 is 1,000 m away but of the same village: own place by village; 17 min: over 2, 800.
R4 3000, nothing known.   R5 100, cut off.
Sum 4,460: served 60, unserved 900 + 400 + 100 = 1,400, unknown 3,000. Of 5,000 relocated people in all: 1.2 %,
28 %, 60 %, and 540 live elsewhere. Sizes: small R1, R3, R5 = 560; medium R2; large R4.
Rank: R5 (cut off), R2 (13,500), R3 (800), R4 (unknown), R1 (served).
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from planner.coverage.areas import assign_areas
from planner.coverage.settlements import (
    audit_settlements,
    nearest_places,
    own_places,
    settlement_totals,
)
from planner.errors import InputError, ScenarioError
from planner.sizes import default_sizes, size_of, sizes_from_toml

QUIET = [HealthCheck.function_scoped_fixture]  # the fixtures are never changed
NO_SHRINK = (Phase.explicit, Phase.reuse, Phase.generate)


@pytest.fixture
def assigned_settlements(settlements, areas):
    return assign_areas(settlements, areas)


@pytest.fixture
def audit(study, settlement_access, assigned_settlements, scenario):
    return audit_settlements(study, settlement_access, assigned_settlements, scenario)


def test_each_settlement_is_served_or_told_why_not(audit):
    rows = [(row.settlement_id, row.is_served, row.reason, row.rank) for row in audit.itertuples()]
    assert rows == [
        ("R1", True, "served", 5),
        ("R2", False, "too_far", 2),
        ("R3", False, "too_far", 3),
        ("R4", False, "unknown", 4),
        ("R5", False, "disconnected", 1),
    ]
    assert audit["over_min"].tolist()[:3] == [0, 15, 2]
    assert audit["person_min_over"].tolist()[:3] == [0, 13500, 800]
    assert audit[["over_min", "person_min_over"]].iloc[3:].isna().all(axis=None)
    assert audit["size_class"].tolist() == ["small", "medium", "small", "large", "small"]
    assert audit["village_id"].tolist() == ["B1", "C1", "A2", "C2", "C2"]
    assert audit["households"].tolist() == [15, 200, 100, 700, 25]
    assert audit["station_ebike_min"].tolist()[:3] == [0.25, 7.5, 4.25]


def test_own_places_by_distance_or_village_never_online(audit):
    names = ["has_place_inside", "has_place_in_village", "own_facility_id", "own_by"]
    rows = list(map(tuple, audit[names].to_numpy(object)))
    assert rows == [
        (True, False, "S3", "distance"), (False, False, None, None), (False, True, "S2", "village"),
        (False, False, None, None), (False, False, None, None),
    ]  # fmt: skip
    assert audit.loc[[0, 2], "own_distance_m"].tolist() == [50, 1000]
    assert audit["own_tier"].tolist()[0] == "station"


def test_an_online_service_would_have_been_an_own_place(settlements, facilities, scenario):
    facilities["is_online"] = False
    assert own_places(settlements, facilities, scenario)["own_facility_id"].tolist()[1] == "S4"


def test_the_rule_of_own_places_can_be_changed(settlements, facilities, scenario):
    far = own_places(settlements, facilities, scenario.with_choices(own_place_m=1000.0))
    assert far["own_by"].tolist()[2] == "distance"
    strict = own_places(settlements, facilities, scenario.with_choices(own_place_m=49.9, own_place_by_village=False))
    assert strict["has_place_inside"].tolist() == [False] * 5
    assert strict["own_facility_id"].isna().all()
    assert strict["has_place_in_village"].tolist() == [False, False, True, False, False]


def test_a_village_of_the_same_name_in_another_town_is_not_the_settlements(settlements, facilities, scenario):
    facilities.loc[facilities["facility_id"] == "S2", "town"] = "丁镇"
    assert not own_places(settlements, facilities, scenario)["has_place_in_village"].iloc[2]


def test_a_light_place_is_nobodys_own_unless_its_tier_says_so(settlements, facilities, scenario):
    light = facilities.assign(is_light=facilities["facility_id"].isin(["S3", "F3", "S2"]))
    own = own_places(settlements, light, scenario)
    assert not own[["has_place_inside", "has_place_in_village"]].any(axis=None)
    counts = {**scenario.hierarchy, "station": scenario.hierarchy["station"].model_copy(update={"counts_light": True})}
    counted = own_places(settlements, light, scenario.with_choices(hierarchy=counts))
    assert counted["own_facility_id"].tolist()[:3] == ["S3", None, "S2"]


def test_nearest_places_are_a_long_table_in_a_fixed_order(settlement_access):
    shuffled = settlement_access.sample(frac=1, random_state=2)
    ids = ["R2", "R1", "R3", "R4", "R5"]
    table = nearest_places(shuffled, ids)
    assert list(table.columns) == ["settlement_id", "tier", "profile", "facility_id", "travel_time_min", "status"]
    assert list(dict.fromkeys(table["settlement_id"])) == ids
    walk = table[table["profile"] == "walk"].set_index("settlement_id")
    assert walk.loc["R2", ["facility_id", "travel_time_min"]].tolist() == ["S3", 30.0]
    assert np.isinf(walk.loc["R5", "travel_time_min"])
    assert np.isnan(walk.loc["R4", "travel_time_min"])


def test_totals_stand_against_all_relocated_people(audit):
    totals = settlement_totals(audit, relocated_people=5000.0)
    assert totals["size_class"].tolist() == ["small", "medium", "large", "all"]
    assert totals["people"].tolist() == [560, 900, 3000, 4460]
    last = totals.iloc[-1]
    assert (last["served_people"], last["unserved_people"], last["unknown_people"]) == (60, 1400, 3000)
    assert (last["served_share"], last["unserved_share"], last["unknown_share"]) == pytest.approx((0.012, 0.28, 0.6))
    assert (last["base_people"], last["outside_people"], last["households"]) == (5000, 540, 1040)
    assert (last["n_settlements"], last["n_served"], last["n_place_inside"], last["n_place_in_village"]) == (5, 1, 1, 1)
    assert last["person_min_over"] == 14300
    assert totals.loc[0, "served_share"] == pytest.approx(60 / 560)


def test_totals_without_a_base_are_of_the_settlements(audit):
    last = settlement_totals(audit).iloc[-1]
    assert (last["base_people"], last["outside_people"]) == (4460, 0)


def test_a_study_without_facilities_can_be_audited(study, settlement_access, assigned_settlements, scenario):
    tables = {name: table for name, table in study.tables.items() if name != "facilities"}
    bare = type(study)(name=study.name, crs=study.crs, tables=tables)
    nowhere = settlement_access.assign(facility_id=None, travel_time_min=np.inf, status="disconnected")
    audit = audit_settlements(bare, nowhere, assigned_settlements, scenario)
    assert not audit[["has_place_inside", "has_place_in_village"]].any(axis=None)
    assert set(audit["reason"]) == {"disconnected"}


def test_reachable_places_without_a_finite_time_are_too_far(study, settlement_access, assigned_settlements, scenario):
    settlement_access.loc[settlement_access["point_id"] == "R5", "status"] = "reachable"
    audit = audit_settlements(study, settlement_access, assigned_settlements, scenario)
    assert audit.loc[4, ["reason", "rank"]].tolist() == ["too_far", 1]


def test_times_that_lead_to_an_online_service_are_refused(study, settlement_access, assigned_settlements, scenario):
    settlement_access.loc[0, "facility_id"] = "S4"
    with pytest.raises(InputError, match="S4"):
        audit_settlements(study, settlement_access, assigned_settlements, scenario)


def test_size_classes_begin_where_they_say():
    assert size_of([0, 799, 800, 2999, 3000, 9999, 10000], default_sizes()) == [
        "small", "small", "medium", "medium", "large", "large", "very_large",
    ]  # fmt: skip
    assert [size.is_verified for size in default_sizes()] == [True, True, False, False]


@pytest.mark.parametrize(
    "toml",
    [
        "[a]\nmin_people = 5",
        "[a]\nmin_people = 0\n[b]\nmin_people = 0",
        "[a]\nmin_people = -1",
        "",
        "[a]\nmin_people = 0\nmax = 3",
        "a = 1",
        "[a",
    ],
)
def test_size_classes_that_cannot_be_are_refused(toml):
    with pytest.raises(ScenarioError):
        sizes_from_toml(toml)


@settings(max_examples=5, deadline=None, suppress_health_check=QUIET, phases=NO_SHRINK)
@given(rows=st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 60)), min_size=5, max_size=5))
def test_settlements_sum_to_their_total(study, settlement_access, assigned_settlements, scenario, rows):
    settlements = study.table("settlements").assign(people=[row[0] for row in rows])
    walk = settlement_access[settlement_access["profile"] == "walk"].assign(travel_time_min=[row[1] for row in rows])
    world = study.with_table("settlements", settlements)
    totals = settlement_totals(audit_settlements(world, walk, assigned_settlements, scenario))
    parts, last = totals.iloc[:-1], totals.iloc[-1]
    for column in ("people", "served_people", "unserved_people", "unknown_people", "n_settlements"):
        assert parts[column].sum() == last[column]
    assert last["served_people"] + last["unserved_people"] + last["unknown_people"] == last["people"]
