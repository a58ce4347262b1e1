"""The two verdicts over the toy county (drawn in conftest.py), by hand:

Stations: S1 in A1, S2 in A2, S3 in B1. S4 in C1 is online and no station. So A1, A2 and B1 have one; B2, C1, C2
have none; town A has 2, B 1, C 0. Places of any tier: F1 F2 F3 S1 S2 S3 P1 = 7.
People in villages with a station of their own: 100 + 75 + 200 = 375; without: B2 100 + C1 40 + C2 50 = 190; in no
village: D8 10. Sum 575.
On foot within 15 minutes of a station the verdicts differ in A2 (has one; D9 25 beyond) and B2 (has none; D10 15
within). By e-bike: B2 for all its 100, C1 for its 40; A2 no longer.
"""

import numpy as np
import pytest

from planner.coverage.areas import assign_areas
from planner.coverage.population_share import coverage_table
from planner.coverage.verdicts import (
    administrative_people,
    administrative_verdict,
    differing_villages,
    two_verdicts,
)


@pytest.fixture
def administrative(facilities, areas, scenario):
    return administrative_verdict(facilities, assign_areas(facilities, areas), areas, scenario)


@pytest.fixture
def both(demand, access, assigned, areas, administrative):
    own = administrative_people(demand, assigned, administrative, areas)
    return two_verdicts(coverage_table(demand, access, assigned, areas, [15.0]), administrative, own)


def places(administrative, tier):
    rows = administrative[(administrative["tier"] == tier) & administrative["area_level"].isin(["town", "village"])]
    return {row.area_id: row.n_facilities for row in rows.itertuples() if row.has_one}


def test_areas_have_the_places_that_stand_or_are_named_there(administrative):
    assert places(administrative, "station") == {"A": 2, "B": 1, "A1": 1, "A2": 1, "B1": 1}
    assert places(administrative, "institute") == {"A": 1, "B": 1, "A1": 1, "B1": 1}
    assert places(administrative, "at_least:institute") == {"A": 2, "B": 1, "A1": 2, "B1": 1}
    county = administrative[(administrative["area_level"] == "county") & administrative["area_class"].isna()]
    found = dict(zip(county["tier"], county["n_facilities"], strict=True))
    assert (found["centre"], found["station"], found["point"], found["any"]) == (1, 3, 1, 7)


def test_an_online_service_is_not_a_place(facilities, areas, scenario):
    """Were the flag ignored, C1 would have a station."""
    facilities["is_online"] = False
    counted = administrative_verdict(facilities, assign_areas(facilities, areas), areas, scenario)
    assert places(counted, "station")["C1"] == 1


def test_people_with_a_station_of_their_own_stand_beside_the_minutes(both):
    row = both[(both["area_level"] == "county") & both["area_class"].isna() & (both["group"] == "all")].iloc[0]
    assert (row["profile"], row["covered_people"], row["uncovered_people"], row["unknown_people"]) == (
        "walk",
        365,
        190,
        20,
    )
    assert (row["own_people"], row["no_own_people"], row["no_unit_people"]) == (375, 190, 10)
    assert row["own_share"] == pytest.approx(375 / 575)
    assert (row["n_facilities"], row["has_one"]) == (3, True)
    assert len(both) == len(
        both.drop_duplicates(["tier", "profile", "cutoff_min", "group", "area_level", "area_id", "area_class"])
    )


def test_people_by_unit_sum_to_the_population_in_every_row(both):
    total = both["own_people"] + both["no_own_people"] + both["no_unit_people"]
    assert np.array_equal(total, both["population"])


def test_towns_as_the_unit_of_institutes(demand, assigned, administrative, areas):
    own = administrative_people(demand, assigned, administrative, areas, unit_level="town")
    row = own[(own["tier"] == "institute") & (own["group"] == "all")].iloc[0]
    assert (row["own_people"], row["no_own_people"], row["no_unit_people"]) == (475, 90, 10)


def test_villages_where_the_verdicts_differ_are_ranked_by_people(both, areas):
    table = differing_villages(both[both["group"] == "all"], areas)
    rows = [
        (row.profile, row.rank, row.area_id, row.town_name, row.kind, row.differing_people)
        for row in table.itertuples()
    ]
    assert rows == [
        ("walk", 1, "A2", "甲镇", "named_not_reached", 25),
        ("walk", 2, "B2", "乙镇", "reached_not_named", 15),
        ("ebike", 1, "B2", "乙镇", "reached_not_named", 100),
        ("ebike", 2, "C1", "丙镇", "reached_not_named", 40),
    ]


def test_a_class_without_any_place_has_none_rather_than_a_blank(demand, access, assigned, areas, facilities, scenario):
    rural = facilities[facilities["facility_id"] == "S3"]
    administrative = administrative_verdict(rural, assign_areas(rural, areas), areas, scenario)
    own = administrative_people(demand, assigned, administrative, areas)
    both = two_verdicts(coverage_table(demand, access, assigned, areas, [15.0]), administrative, own)
    urban = both[(both["area_level"] == "county") & (both["area_class"] == "urban")]
    assert not urban["has_one"].any()
    assert (urban["n_facilities"] == 0).all()


def test_without_areas_nobody_has_a_unit(demand, access, facilities, scenario):
    administrative = administrative_verdict(facilities, assign_areas(facilities, None), None, scenario)
    assigned = assign_areas(demand, None)
    own = administrative_people(demand, assigned, administrative, None)
    both = two_verdicts(coverage_table(demand, access, assigned, None, [15.0]), administrative, own)
    assert (both["no_unit_people"] == both["population"]).all()
    assert len(differing_villages(both, None)) == 0
