"""People within the cutoff. Everything about the toy county (drawn in conftest.py) is worked by hand:

Everybody: 100 + 50 + 200 + 80 + 40 + 30 + 20 + 10 + 25 + 15 + 5 = 575
On foot, 15 minutes, station: covered D1 100 + D2 50 (at 15.0: the cutoff counts) + D3 200 + D10 15 = 365;
  unknown D7 20; uncovered D4 80 + D5 40 + D6 30 + D8 10 + D9 25 + D11 5 = 190; 365 + 190 + 20 = 575; 365 / 575.
Of 60 and over: everybody 129; covered 20 + 10 + 40 + 3 = 73; unknown 4; uncovered 52.
Relocated: 100; covered D3 60; uncovered D5 40.
By e-bike: uncovered D6 30 + D8 10 (15.5) = 40; unknown 20; covered 515.
Urban (A1): 100, all covered. Rural: 575 - 100 - D8 10 (in no area) = 465; on foot covered 265, unknown 20, so
  uncovered 180. Town A: D1, D2, D9 = 175, covered 150. Town B: D3, D4, D10, D11 = 300, covered 215. Town C: D5,
  D6, D7 = 90, covered 0, unknown 20, uncovered 70. Towns 565 + D8 10 = 575.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.coverage.areas import assign_areas
from planner.coverage.minutes import is_covered, is_unknown
from planner.coverage.people import people_by_group
from planner.coverage.population_share import RESULT_COLUMNS, coverage_table
from planner.errors import InputError

PEOPLE = ["population", "covered_people", "uncovered_people", "unknown_people"]


@pytest.fixture
def table(demand, access, assigned, areas):
    return coverage_table(demand, access, assigned, areas, [15.0])


def of(table, area_id="X", area_class=None, profile="walk", group="all", cutoff=15.0):
    rows = table[
        (table["area_id"] == area_id)
        & (table["profile"] == profile)
        & (table["group"] == group)
        & (table["cutoff_min"] == cutoff)
    ]
    if area_id == "X":
        rows = rows[rows["area_class"].isna() if area_class is None else rows["area_class"] == area_class]
    (row,) = rows[PEOPLE].itertuples(index=False)
    return tuple(row)


def test_county_totals_by_group_and_profile(table):
    assert of(table) == (575, 365, 190, 20)
    assert of(table, group="age60") == (129, 73, 52, 4)
    assert of(table, group="relocated") == (100, 60, 40, 0)
    assert of(table, profile="ebike") == (575, 515, 40, 20)


def test_urban_rural_towns_and_villages(table):
    assert of(table, area_class="urban") == (100, 100, 0, 0)
    assert of(table, area_class="rural") == (465, 265, 180, 20)
    assert [of(table, town) for town in "ABC"] == [(175, 150, 25, 0), (300, 215, 85, 0), (90, 0, 70, 20)]
    villages = {"A1": (100, 100, 0, 0), "A2": (75, 50, 25, 0), "B1": (200, 200, 0, 0), "B2": (100, 15, 85, 0)}
    villages |= {"C1": (40, 0, 40, 0), "C2": (50, 0, 30, 20)}
    assert {village: of(table, village) for village in villages} == villages


def test_shares_words_and_order(table):
    assert tuple(table.columns) == RESULT_COLUMNS
    row = table.iloc[0]
    assert row["covered_share"] == pytest.approx(365 / 575)
    assert (row["tier"], row["profile"], row["group"], row["area_level"], row["area_name"]) == (
        "station", "walk", "all", "county", "玩具县",
    )  # fmt: skip
    assert "children" not in set(table["group"])


def test_the_curve_never_falls(demand, access, assigned, areas):
    curve = coverage_table(demand, access, assigned, areas, [5.0, 10.0, 15.0, 20.0, 25.0, 30.0])
    covered = [of(curve, cutoff=cutoff)[1] for cutoff in (5.0, 10.0, 15.0, 20.0, 25.0, 30.0)]
    # 5: D1, D3; 10: the same; 15: + D2, D10; 20: + D8; 25: + D9; 30: + D5.
    assert covered == [300, 300, 365, 375, 400, 440]


def test_an_area_without_people_has_no_share(demand, access, areas):
    few = demand[demand["demand_id"] != "D5"]
    table = coverage_table(few, access, assign_areas(few, areas), areas, [15.0])
    empty = table[table["area_id"] == "C1"]
    assert (empty["population"] == 0).all()
    assert empty["covered_share"].isna().all()


def test_without_areas_there_is_the_county_only(demand, access):
    table = coverage_table(demand, access, assign_areas(demand, None), None, [15.0])
    assert set(table["area_level"]) == {"county"}
    assert tuple(table.loc[0, PEOPLE]) == (575, 365, 190, 20)


def test_times_older_than_the_points_are_refused(demand, access, assigned, areas):
    with pytest.raises(InputError, match="D3"):
        coverage_table(demand, access[access["point_id"] != "D3"], assigned, areas, [15.0])
    with pytest.raises(InputError, match="Compute the travel times again"):
        coverage_table(demand, pd.concat([access, access.iloc[:1]]), assigned, areas, [15.0])
    with pytest.raises(InputError, match="lacks the columns status"):
        coverage_table(demand, access.drop(columns="status"), assigned, areas, [15.0])


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_impossible_populations_are_refused(demand, bad):
    demand["population"] = demand["population"].astype(float)
    demand.loc[2, "population"] = bad
    with pytest.raises(InputError, match=r"1 rows \(3\)"):
        people_by_group(demand)


def test_blank_groups_count_nobody_and_empty_columns_are_no_group():
    people = people_by_group(pd.DataFrame({"population": [3, 4], "age60": [1.0, None], "children": [None, None]}))
    assert people.to_dict("list") == {"all": [3.0, 4.0], "age60": [1.0, 0.0]}


def test_a_table_without_population_is_refused():
    with pytest.raises(InputError, match="population"):
        people_by_group(pd.DataFrame({"age60": [1]}))


def test_the_cutoff_itself_counts_and_unknown_is_not_covered():
    assert is_covered([15.0, np.nextafter(15.0, 16.0), np.inf, np.nan], 15.0).tolist() == [True, False, False, False]
    assert is_unknown([15.0, np.inf, np.nan]).tolist() == [False, False, True]


counts = st.floats(0, 1e6, allow_nan=False, allow_infinity=False)
minutes = st.one_of(st.floats(0, 60), st.just(np.inf), st.just(np.nan))
towns = st.sampled_from(["A", "B", "C"])
worlds = st.lists(st.tuples(counts, counts, minutes, towns, st.integers(1, 2)), min_size=1, max_size=30)


def world(rows, demand, areas):
    """Return demand, access and assignment of random people in the toy county's villages."""
    number = len(rows)
    table = demand.iloc[np.zeros(number, dtype=int)].reset_index(drop=True)
    table["demand_id"] = [f"D{row:03d}" for row in range(number)]
    table["population"], table["age60"] = [row[0] for row in rows], [row[1] for row in rows]
    access = pd.DataFrame(
        {
            "point_id": table["demand_id"], "profile": "walk", "tier": "any", "facility_id": None,
            "travel_time_min": [row[2] for row in rows], "status": "reachable",
        }
    )  # fmt: skip
    classes = ["urban" if town == "A" else "rural" for *_, town, _ in rows]
    villages = [f"{town}{village}" for *_, town, village in rows]
    assigned = pd.DataFrame(
        {"town_id": [row[3] for row in rows], "village_id": villages, "class": classes}, dtype=object
    )
    return table, access, assigned


@settings(max_examples=5, deadline=None)
@given(rows=worlds)
def test_every_person_is_counted_once_exactly(rows):
    demand, areas = toy()
    table, access, assigned = world(rows, demand, areas)
    result = coverage_table(table, access, assigned, areas, [5.0, 15.0])
    assert (
        result["covered_people"] + result["uncovered_people"] + result["unknown_people"] == result["population"]
    ).all()
    county = result[(result["area_level"] == "county") & result["area_class"].isna()].reset_index(drop=True)
    keys = ["tier", "profile", "cutoff_min", "group"]
    for part in (
        result[result["area_level"] == "town"],
        result[result["area_level"] == "village"],
        result[result["area_class"].notna() & (result["area_level"] == "county")],
    ):
        sums = part.groupby(keys, sort=False)[PEOPLE].sum().reset_index()
        assert (sums[PEOPLE].to_numpy() == county[PEOPLE].to_numpy()).all()
    # People are summed on a grid as fine as the largest group allows.
    largest = sum(row[0] + row[1] for row in rows)
    assert county["population"].iloc[0] == pytest.approx(sum(row[0] for row in rows), rel=1e-12, abs=1e-12 * largest)


@settings(max_examples=5, deadline=None)
@given(rows=worlds, seed=st.integers(0, 100))
def test_the_order_of_rows_changes_nothing(rows, seed):
    demand, areas = toy()
    table, access, assigned = world(rows, demand, areas)
    order = np.random.default_rng(seed).permutation(len(rows))
    before = coverage_table(table, access, assigned, areas, [15.0])
    after = coverage_table(
        table.iloc[order], access.sample(frac=1, random_state=seed), assigned.iloc[order], areas, [15.0]
    )
    pd.testing.assert_frame_equal(before, after, check_exact=True)


def toy():
    """Return a demand row and the areas without fixtures: hypothesis runs one test many times."""
    import geopandas as gpd
    import shapely

    crs = "EPSG:32649"
    demand = gpd.GeoDataFrame({"demand_id": ["D"]}, geometry=[shapely.Point(0, 0)], crs=crs)
    rows = [(town, town, "town", None, None, shapely.box(0, 0, 1, 1)) for town in "ABC"]
    rows += [(f"{t}{n}", f"{t}{n}", "village", t, None, shapely.box(0, 0, 1, 1)) for t in "ABC" for n in (1, 2)]
    areas = gpd.GeoDataFrame(rows, columns=["area_id", "name", "level", "parent_id", "class", "geometry"], crs=crs)
    return demand, areas
