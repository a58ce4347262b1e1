"""What `planner check` counts and finds in the toy county (drawn in conftest.py).

By hand: P1 names town A but lies in B2. D8 lies beyond the county. S4 is online. The settlements list 4,460 people, the
demand counts 100 relocated ones. Of 7 places one can walk into, A1 (urban) has F1, F2, S1; P1 has town A's class.
"""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.coverage.integrity import check_study
from planner.study import Grid, new_study
from planner.texts import entries, text


@pytest.fixture
def check(study, scenario):
    return check_study(study, scenario)


def found(check):
    return {(one.code, one.table): one.ids for one in check.findings}


def test_places_by_tier_and_class(check):
    table = check.facilities
    rows = {(row[0], row[1]): (row[2], row[3]) for row in table.itertuples(index=False) if row[2] or row[3]}
    assert rows == {
        ("centre", "all"): (1, 0), ("centre", "urban"): (1, 0),
        ("institute", "all"): (2, 0), ("institute", "urban"): (1, 0), ("institute", "rural"): (1, 0),
        ("station", "all"): (3, 1), ("station", "urban"): (1, 0), ("station", "rural"): (2, 1),
        ("point", "all"): (1, 0), ("point", "urban"): (1, 0),
    }  # fmt: skip


def test_totals(check):
    wanted = {
        "n_facilities": 8, "n_demand": 11, "n_settlements": 5, "n_candidates": 0, "n_roads": 0, "n_towns": 3,
        "n_villages": 6, "population": 575, "age60_people": 129, "relocated_people": 100, "settlement_people": 4460,
        "settlement_households": 1040, "n_facilities_without_town": 0, "n_facilities_without_village": 1,
        "n_demand_without_town": 1, "n_demand_without_village": 1,
    }  # fmt: skip
    assert {name: check.totals[name] for name in wanted} == wanted
    assert "children_people" not in check.totals


def test_findings_name_their_rows(check):
    assert found(check) == {
        ("outside_named_town", "facilities"): ("P1",),
        ("outside_county", "demand"): ("D8",),
        ("online_facilities", "facilities"): ("S4",),
        ("no_group", "demand"): (),
        ("relocated_differ", "settlements"): (),
    }
    assert "P1" in check.to_frame()["problem"].iloc[0]
    assert "+4,360" in check.to_frame("en").set_index("code").loc["relocated_differ", "problem"]


def test_strange_names_tiers_ways_and_groups_are_found(study, scenario, facilities, demand):
    facilities.loc[facilities["facility_id"] == "S1", ["town", "village"]] = ["丁镇", "丁一村"]
    facilities.loc[facilities["facility_id"] == "S2", ["village", "tier"]] = ["甲一村", "驿站"]
    demand.loc[0, "age60"] = 101
    site = demand.iloc[:2][["geometry"]].assign(candidate_id=["K1", "K2"], name="x", way=["6", "1"])
    changed = study.with_table("facilities", facilities).with_table("demand", demand).with_table("candidates", site)
    check = check_study(changed, scenario)
    findings = found(check)
    assert findings["unknown_town_name", "facilities"] == ("S1",)
    assert findings["unknown_village_name", "facilities"] == ("S1",)
    assert findings["outside_named_village", "facilities"] == ("S2",)
    assert findings["unknown_tier", "facilities"] == ("S2",)
    assert findings["online_candidates", "candidates"] == ("K1",)
    assert findings["group_exceeds_population", "demand"] == ("D1",)
    assert "驿站" in check.to_frame().set_index("code").loc["unknown_tier", "problem"]
    assert (check.totals["n_candidates_way_1"], check.totals["n_candidates_way_6"]) == (1, 1)
    assert "驿站" in set(check.facilities["tier"])


def test_an_empty_study_says_what_is_missing(scenario):
    check = check_study(new_study("x", "EPSG:32649"), scenario)
    assert set(found(check)) == {("no_table", "facilities"), ("no_table", "demand")}
    assert check.facilities["n_facilities"].sum() == 0
    assert check.totals["n_demand"] == 0
    assert (check.to_frame()["n_rows"] == 0).all()


def test_a_study_without_areas_checks_the_rest(study, scenario):
    tables = {name: table for name, table in study.tables.items() if name != "areas"}
    check = check_study(type(study)(name="x", crs=study.crs, tables=tables), scenario)
    assert not [code for code, _ in found(check) if code.startswith("outside")]
    assert check.totals["n_demand_without_town"] == 11


def test_long_lists_show_the_first_five(study, scenario, demand):
    demand["age60"] = demand["population"] + 1
    check = check_study(study.with_table("demand", demand), scenario)
    words = check.to_frame("en").set_index("code").loc["group_exceeds_population", "problem"]
    assert "In 11 demand points" in words
    assert words.count("D") == 5


def heights(west, south, east, north):
    """A grid of cells of 100 m over these bounds."""
    values = np.zeros((round((north - south) / 100), round((east - west) / 100)), np.float32)
    return Grid(values, (100.0, 0.0, west, 0.0, -100.0, north), "EPSG:32649", "m")


def test_an_elevation_smaller_than_the_roads_is_found(study, scenario):
    lines = [shapely.LineString([(100, 100), (900, 100)]), shapely.LineString([(900, 100), (1500, 1100)])]
    roads = gpd.GeoDataFrame({"road_id": ["r1-1", "r2-1"]}, geometry=lines, crs=study.crs)
    with_roads = study.with_table("roads", roads)
    assert ("elevation_too_small", "roads") not in found(check_study(with_roads, scenario))
    wide = check_study(with_roads.with_grid("elevation", heights(0, 0, 1500, 1100)), scenario)
    assert ("elevation_too_small", "roads") not in found(wide)
    small = check_study(with_roads.with_grid("elevation", heights(0, 0, 1400, 1100)), scenario)
    assert found(small)["elevation_too_small", "roads"] == ("r2-1",)
    west_cut = check_study(with_roads.with_grid("elevation", heights(200, 0, 1500, 1100)), scenario)
    assert found(west_cut)["elevation_too_small", "roads"] == ("r1-1",)


def test_the_grid_may_be_geographic(study, scenario):
    line = shapely.LineString([(500_000, 3_600_000), (501_000, 3_600_000)])
    roads = gpd.GeoDataFrame({"road_id": ["r1-1"]}, geometry=[line], crs=study.crs)
    grid = Grid(np.zeros((200, 200), np.float32), (0.001, 0.0, 110.9, 0.0, -0.001, 32.6), "EPSG:4326", "m")
    check = check_study(study.with_table("roads", roads).with_grid("elevation", grid), scenario)
    assert ("elevation_too_small", "roads") not in found(check)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_totals_and_places_in_words(study, scenario, demand, language):
    site = demand.iloc[:1][["geometry"]].assign(candidate_id=["K1"], name="x", way=["2"])
    demand["children"] = 1
    check = check_study(study.with_table("candidates", site).with_table("demand", demand), scenario)
    words = check.totals_in_words(language)
    assert [one["value"] for one in words] == list(check.totals.values())
    items = [one["item"] for one in words]
    assert len(set(items)) == len(items)
    assert not [item for item in items if "_" in item or "{" in item]
    places = check.facilities_in_words(language)
    assert [one["n_facilities"] for one in places] == list(check.facilities["n_facilities"])
    assert list(places[0]) == list(check.facilities.columns)
    tier, classes = {
        "zh": ("中心", ["合计", "城镇", "乡村", "未分类"]),
        "en": ("centre", ["all classes", "urban", "rural", "not classed"]),
    }[language]
    assert [(one["tier"], one["class"]) for one in places[:4]] == [(tier, of_class) for of_class in classes]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_word_exists_in_both_languages(language):
    codes = [key for key in entries("coverage") if key.endswith("_problem")]
    assert len(codes) > 10
    for code in codes:
        assert text(f"coverage.{code.removesuffix('_problem')}_repair", language)
