"""The pyramid of a lattice county of 3 towns: 2 communities and 7 villages, 12 points, every place where it belongs.

town 1: community 1, villages 2 and 3    town 2: community 1, villages 2 and 3    town 3: villages 1, 2, 3
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from planner.coverage.declared import declared_from_toml
from planner.coverage.hierarchy import findings_table, hierarchy_findings, tier_table
from planner.demo.networks import network_studies
from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
from planner.tiers import Tier, default_tiers, parent_cycles

TOY = """
name = "玩具县"
[figures]
centre = 1
institute = 3
station = { all = 9, urban = 2, rural = 7 }
point = 12
post = 2
"""


@pytest.fixture
def study():
    return network_studies(declared_from_toml(TOY)["declared"])[0]


@pytest.fixture
def county():
    """Sixty stations in six towns: room for ten mistakes that do not touch one another."""
    toml = TOY.replace("institute = 3", "institute = 6").replace(
        "all = 9, urban = 2, rural = 7", "all = 60, urban = 12, rural = 48"
    )
    return network_studies(declared_from_toml(toml)["declared"])[0]


def found(study, scenario=None):
    return sorted((one.code, one.ids) for one in hierarchy_findings(study, scenario or Scenario()))


def with_places(study, places):
    return study.with_table("facilities", places.reset_index(drop=True))


def set_cell(places, key, **values):
    for column, value in values.items():
        places.loc[places["facility_id"] == key, column] = value
    return places


def test_a_whole_pyramid_has_no_findings_and_its_figures(study):
    findings = hierarchy_findings(study, Scenario())
    assert findings == ()
    table = tier_table(study, Scenario(), findings).set_index("tier")
    assert table.loc["station", ["unit", "n_units", "n_units_with", "n_places"]].tolist() == ["village", 9, 9, 9]
    assert table.loc["institute", ["n_units", "n_units_with", "n_places"]].tolist() == [3, 3, 3]
    assert table.loc["post", ["n_places", "is_light"]].tolist() == [2, True]


@pytest.mark.parametrize("what", ["position", "town", "everything"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_report_names_exactly_the_ten_mistakes(county, what, seed):
    """Three stations dropped, two doubled, five moved into a wrong town: by position, by name, or altogether."""
    rng = np.random.default_rng(seed)
    places = county.table("facilities").copy()
    stations = np.flatnonzero(places["tier"] == "station")
    picked = rng.permutation(stations)[:10]
    dropped, doubled, moved = picked[:3], picked[3:5], picked[5:]
    others = {row: rng.choice(stations[(places["town"].iloc[stations] != places["town"].iloc[row])]) for row in moved}
    before = places.copy()
    for row, other in others.items():
        if what != "town":
            places.loc[row, "geometry"] = before.geometry.iloc[other]
        if what != "position":
            places.loc[row, "town"] = before["town"].iloc[other]
        if what == "everything":
            places.loc[row, "village"] = before["village"].iloc[other]
    copies = places.iloc[doubled].assign(facility_id=[f"{key}-2" for key in places["facility_id"].iloc[doubled]])
    wrong = with_places(county, pd.concat([places.drop(index=dropped), copies]))
    villages = county.table("areas").set_index("name")["area_id"]
    findings = hierarchy_findings(wrong, Scenario())
    code = "parent_elsewhere" if what == "everything" else "outside_unit"
    wanted = [("unit_without", (villages[before["village"].iloc[row]],)) for row in dropped]
    wanted += [("double", (key,)) for key in copies["facility_id"]]
    wanted += [(code, (before["facility_id"].iloc[row],)) for row in moved]
    assert sorted((one.code, one.ids) for one in findings) == sorted(wanted)
    layer = findings_table(wrong, findings)
    assert len(layer) == 10
    assert layer["problem"].str.len().gt(5).all()
    assert all(
        key in repair or table == "areas"
        for key, repair, table in zip(layer["id"], layer["repair"], layer["table"], strict=True)
    )
    assert layer.geometry.notna().all()
    assert layer.crs == county.crs


def test_a_place_without_an_institute_above_it_is_told_once(study):
    places = study.table("facilities")
    first = places[places["tier"] == "institute"].iloc[0]
    findings = hierarchy_findings(with_places(study, places[places["facility_id"] != first["facility_id"]]), Scenario())
    assert [one.code for one in findings] == ["unit_without"]
    assert findings[0].values["n_children"] == 3
    assert "3 places below" in findings[0].problem("en")
    assert "3处下级阵地没有上级" in findings[0].problem("zh")


def test_parents(study):
    places = study.table("facilities").copy()
    keys = places.groupby("tier")["facility_id"].apply(list)
    point, station, institute = keys["point"], keys["station"], keys["institute"]
    set_cell(places, point[0], parent_id="NOBODY")
    set_cell(places, point[1], parent_id=keys["centre"][0])
    assert found(with_places(study, places)) == [("parent_unknown", (point[0],)), ("parent_wrong_tier", (point[1],))]
    places = set_cell(study.table("facilities").copy(), institute[0], parent_id=station[0])
    assert found(with_places(study, places)) == [("parent_cycle", (station[0],))]


def test_a_planted_parent_that_does_not_exist_is_named_at_every_tier(study):
    places = study.table("facilities")
    before = {(one.code, one.ids) for one in hierarchy_findings(study, Scenario())}
    for row in range(len(places)):
        planted = places.copy()
        planted.loc[planted.index[row], "parent_id"] = "ZZ999"
        found = hierarchy_findings(study.with_table("facilities", planted), Scenario())
        more = [one for one in found if (one.code, one.ids) not in before]
        said = " ".join(one.problem("zh") for one in more)
        assert "ZZ999" in said, places["facility_id"].iloc[row]
        assert str(places["facility_id"].iloc[row]) in said


def test_a_place_without_parent_and_unit_is_an_orphan(study):
    places = study.table("facilities").copy()
    key = places.loc[places["tier"] == "point", "facility_id"].iloc[0]
    set_cell(places, key, parent_id=None, town=None, village=None, geometry=shapely.Point(0, 0))
    assert found(with_places(study, places)) == [("orphan", (key,))]


def test_an_online_service_is_nobodys_station(study):
    places = study.table("facilities").copy()
    row = places[places["tier"] == "station"].iloc[-1]
    set_cell(places, row["facility_id"], is_online=True)
    areas = study.table("areas").set_index("name")["area_id"]
    assert found(with_places(study, places)) == [("unit_without", (areas[row["village"]],))]


def test_rules_that_contradict_themselves_are_findings(study):
    tiers = dict(default_tiers())
    ring = Scenario(hierarchy=tiers | {"centre": Tier(parent="station", unit="county")})
    assert found(study, ring)[0] == ("tier_cycle", ("centre", "station", "institute"))
    bare = Scenario(hierarchy={code: tier for code, tier in tiers.items() if code != "point"})
    assert ("tier_undeclared", ("point",)) in found(study, bare)
    lost = Scenario(hierarchy=tiers | {"hub": Tier(parent="palace")})
    assert found(study, lost) == [("tier_parent_undeclared", ("hub",))]
    strange = with_places(study, set_cell(study.table("facilities").copy(), "DED0001", tier="书屋"))
    assert found(strange) == [("place_tier_undeclared", ("DED0001",))]
    for one in hierarchy_findings(strange, ring):
        assert one.repair("zh")
        assert one.problem("en")


def test_three_levels_with_other_names(study):
    """A county that knows headquarters, houses and corners only."""
    names = {"centre": "总站", "institute": "大院", "station": "角"}
    places = study.table("facilities")
    places = places[places["tier"].isin(list(names))].assign(tier=lambda table: table["tier"].map(names))
    toml = """
tiers = ["总站", "大院", "角"]
[hierarchy."总站"]
unit = "county"
[hierarchy."大院"]
parent = "总站"
unit = "town"
[hierarchy."角"]
parent = "大院"
unit = "village"
count = 2
"""
    scenario = scenario_from_toml(toml)
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario
    findings = hierarchy_findings(with_places(study, places), scenario)
    assert {one.code for one in findings} == {"unit_without"}
    assert len(findings) == 9
    assert findings[0].values["wanted"] == 2


def test_an_empty_study_says_so(study):
    empty = replace(study, tables={})
    assert [one.code for one in hierarchy_findings(empty, Scenario())] == ["no_places"]
    assert len(findings_table(empty, hierarchy_findings(empty, Scenario()))) == 1
    assert tier_table(empty, Scenario())["n_places"].sum() == 0


def test_cycles_begin_at_their_smallest_member():
    tiers = {code: Tier(parent=parent) for code, parent in {"c": "a", "a": "b", "b": "c", "d": "d", "e": "a"}.items()}
    assert parent_cycles(tiers) == [("a", "b", "c"), ("d",)]
    assert parent_cycles(default_tiers()) == []
