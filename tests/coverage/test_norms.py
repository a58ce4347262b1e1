"""Standards over the toy county (drawn in conftest.py), by hand, for stations on foot and by e-bike.

Everybody within 15 minutes on foot: D1 100 + D2 50 + D3 200 + D10 15 = 365 of 575; 20 unknown. Urban is village A1
only: D1, 100 people, all within 5 minutes. Rural: 475 people minus D8 (10, in no village) = 465, covered 265, unknown
20. By e-bike 575 - D8 10 (15.5 min) - D6 30 (cut off) - D7 20 (unknown) = 515.
Density: villages are 4 km2. A1 25/km2, A2 (D2 50 + D9 25) 18.75, B1 50, B2 25, C1 10, C2 12.5. From 25 on urban: A1
100, B1 200, B2 100 people.
"""

import numpy as np
import pytest

from planner.coverage.areas import assign_areas
from planner.coverage.norms import compare_standards, density_classes, standard_table
from planner.coverage.population_share import coverage_table
from planner.coverage.verdicts import administrative_people, administrative_verdict, two_verdicts, verdict_matrix
from planner.errors import ScenarioError
from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
from planner.standards import default_standards, standard_to_toml, standards_from_toml

TOML = """
[own]
name = "自定"
source = "县方案"
{by}
[[own.rules]]
tier = "station"
profiles = ["ebike", "walk"]
cutoff_min = 15
[[own.rules]]
tier = "station"
class = "urban"
profiles = ["walk"]
cutoff_min = 5
target_share = 0.9
is_verified = true
[[own.rules]]
tier = "station"
class = "rural"
profiles = ["walk"]
cutoff_min = 15
target_share = 0.9
"""


def own(by=""):
    return standards_from_toml(TOML.format(by=by))["own"]


@pytest.fixture
def table(demand, access, assigned, areas, scenario):
    return standard_table(demand, access, assigned, areas, (own(), scenario))


def county(table):
    rows = table[table["area_level"] == "county"]
    columns = ["rule", "profile", "population", "covered_people", "unknown_people", "judgement"]
    return [tuple(row) for row in rows[columns].itertuples(index=False)]


def test_every_rule_counts_its_own_people(table):
    assert county(table) == [
        (1, "ebike", 575, 515, 20, "no_target"),
        (1, "walk", 575, 365, 20, "no_target"),
        (2, "walk", 100, 100, 0, "met"),
        (3, "walk", 465, 265, 20, "not_met"),
    ]
    first = table.iloc[0]
    assert (first["standard"], first["source"], first["profile"]) == ("own", "县方案", "ebike")
    assert first["distance_m"] == pytest.approx(3_750)
    assert table[table["rule"] == 2]["is_verified"].all()
    assert not table[table["rule"] == 3]["is_verified"].any()


def test_people_of_towns_sum_to_the_county_where_all_have_one(table):
    rural = table[table["rule"] == 3]
    towns = rural[rural["area_level"] == "town"]
    assert towns["population"].sum() == rural[rural["area_level"] == "county"]["population"].iloc[0] == 465
    assert towns["covered_people"].sum() == 265


def test_classes_by_density(demand, assigned, areas, access, scenario):
    classes = density_classes(demand, assigned, areas, 25.0)
    by_class = demand["population"].groupby(classes.to_numpy(dtype=object)).sum()
    assert by_class.to_dict() == {"urban": 400, "rural": 165}
    assert classes.isna().sum() == 1
    dense = own('class_by = "density"\nurban_per_km2 = 25')
    table = standard_table(demand, access, assigned, areas, (dense, scenario))
    urban = table[(table["rule"] == 2) & (table["area_level"] == "county")].iloc[0]
    # Within 5 minutes: D1 100, D3 200; B2 has D4 80, D10 15, D11 5 beyond.
    assert (urban["population"], urban["covered_people"], urban["judgement"]) == (400, 300, "not_met")
    assert urban["class_by"] == "density>=25/km2"


def test_two_standards_on_one_page(table, demand, access, assigned, areas, scenario):
    access = access.assign(tier="any")
    other = standard_table(demand, access, assigned, areas, (default_standards()["changsha"], scenario))
    page = compare_standards([table, other])
    assert list(dict.fromkeys(page["standard"])) == ["own", "changsha"]
    assert set(page["area_level"]) == {"county"}
    assert page["target_share"].iloc[-1] == pytest.approx(0.85)


def test_nobody_of_a_class_is_said(demand, access, areas, scenario):
    nobody = assign_areas(demand, areas).assign(**{"class": "rural"})
    table = standard_table(demand, access, nobody, areas, (own(), scenario))
    row = table[table["rule"] == 2].iloc[0]
    assert (row["population"], row["judgement"]) == (0, "nobody")
    assert np.isnan(row["covered_share"])


def test_a_standard_that_asks_for_what_is_not_there_is_one_error(demand, access, assigned, areas, scenario):
    for change, words in (
        ("walk", "horse"),
        ('tier = "station"', 'tier = "palace"'),
        ("cutoff_min = 15", 'cutoff_min = 15\ngroup = "children"'),
    ):
        toml = TOML.format(by="").replace(change, words)
        with pytest.raises(ScenarioError):
            standard_table(demand, access, assigned, areas, (standards_from_toml(toml)["own"], scenario))


def test_own_standards_are_made_by_copying_and_travel_in_the_scenario():
    copied = standards_from_toml(standard_to_toml(default_standards()["gb50180"], "mine"))["mine"]
    assert copied.rules == default_standards()["gb50180"].rules
    assert not copied.is_verified
    scenario = Scenario(own_standards={"mine": copied}, standard="mine")
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario
    assert "mine" in scenario.standards


@pytest.mark.parametrize(
    "toml",
    [
        "[x]",
        "[x]\nrules = []",
        "[[x.rules]]\ncutoff_min = 15",
        "x = 1",
        "no",
        "[[x.rules]]\nprofiles=['walk']\ncutoff_min=0",
    ],
)
def test_a_wrong_standard_file_is_one_error(toml):
    with pytest.raises(ScenarioError, match="standards must be mended"):
        standards_from_toml(toml)


def test_shipped_standards_apply_to_the_shipped_scenario():
    scenario = Scenario()
    for standard in default_standards().values():
        assert standard.source
        for rule in standard.rules:
            assert set(rule.profiles) <= set(scenario.profiles)
            scenario.tiers_of(rule.tier)


def test_both_verdicts_side_by_side(demand, access, assigned, areas, facilities, scenario):
    """Town A has a station and 150 of its 175 people within 15 minutes on foot, all by e-bike."""
    administrative = administrative_verdict(facilities, assign_areas(facilities, areas), areas, scenario)
    people = administrative_people(demand, assigned, administrative, areas)
    matrix = verdict_matrix(
        two_verdicts(coverage_table(demand, access, assigned, areas, [15.0]), administrative, people)
    )
    row = matrix[(matrix["area_id"] == "A") & (matrix["group"] == "all")].iloc[0]
    assert (row["has_one"], row["own_share"], row["uncovered:walk"], row["uncovered:ebike"]) == (True, 1.0, 25, 0)
    assert row["share:walk"] == pytest.approx(150 / 175)
    assert row["differing_profiles"] == 1
    village = matrix[(matrix["area_id"] == "B2") & (matrix["group"] == "all")].iloc[0]
    assert (village["has_one"], village["differing_profiles"]) == (False, 2)
    assert {"all", "age60", "relocated"} == set(matrix["group"])
