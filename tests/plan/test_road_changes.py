"""A scenario's road changes give what the same roads edited by hand give, in every answer."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.crs import WGS84, transform
from planner.errors import EntriesError
from planner.inputs.intake import import_file
from planner.outputs.statement import conditions
from planner.plan.circles import circle_table, snap_grids
from planner.plan.coverage import coverage_table
from planner.plan.ready import demand_access, prepare
from planner.plan.road_changes import rows_of_road
from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
from planner.study import new_study
from planner.texts import error_words
from tests.reference import edited_roads as edits
from tests.reference.lattice import EAST, NORTH, lattice_study
from tests.reference.towns import CRS

TOML = """
main_profile = "walk"
[[road_changes]]
kind = "close"
road = "{first}"
note = "塌方"
[[road_changes]]
kind = "change"
road = "{other}"
road_class = "motorway"
[[road_changes]]
kind = "bridge"
line = {bridge}
"""


def degrees(*spots):
    lon, lat = transform(*np.array(spots, float).T, CRS, WGS84)
    return [[float(a), float(b)] for a, b in zip(lon, lat, strict=True)]


def covered(study, scenario):
    ready = prepare(study, scenario)
    return coverage_table(ready, demand_access(ready)), ready


def scenario_with(*changes):
    return Scenario.model_validate({"road_changes": list(changes)})


def test_changes_of_the_scenario_are_changes_of_the_roads():
    study, spots = lattice_study(), ((EAST + 1600.0, NORTH + 40.0), (EAST + 3000.0, NORTH))
    roads = study.table("roads")
    first, other = roads["road_id"].astype(str).iloc[[3, 12]]
    scenario = scenario_from_toml(TOML.format(first=first, other=other, bridge=degrees(*spots)))
    by_hand = edits.change_class(edits.close_road(roads, first), other, "motorway")
    by_hand = edits.add_bridge(by_hand, shapely.LineString(spots), "bridge")
    found, ready = covered(study, scenario)
    wanted, _ = covered(study.with_table("roads", by_hand), Scenario())
    before, _ = covered(study, Scenario())
    pd.testing.assert_frame_equal(found, wanted)
    assert (found["covered_people"] != before["covered_people"]).any()
    circles = circle_table(ready, snap_grids(ready))
    other_ready = prepare(study.with_table("roads", by_hand), Scenario())
    np.testing.assert_allclose(
        shapely.area(circles.geometry),
        shapely.area(circle_table(other_ready, snap_grids(other_ready)).geometry),
        rtol=1e-6,
    )
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario


def test_a_closed_area_closes_only_what_lies_inside():
    """A street of 1,000 m; the area covers 300 to 500 m of it: both rests stay open, and are apart."""
    roads = gpd.GeoDataFrame(
        {"road_id": ["R7"], "class": ["residential"], "oneway": ["no"], "foot": [None], "bicycle": [None],
         "motor": [None], "bridge": [False], "tunnel": [False], "from_node": [0], "to_node": [1]},
        geometry=[shapely.LineString([(EAST, NORTH), (EAST + 1000, NORTH)])], crs=CRS,
    )  # fmt: skip
    study = new_study("街", CRS).with_table("roads", roads)
    corners = [(EAST + 300, NORTH - 50), (EAST + 500, NORTH - 50), (EAST + 500, NORTH + 50), (EAST + 300, NORTH + 50)]
    ready = prepare(study, scenario_with({"kind": "area", "line": degrees(*corners)}), needs_people=False)
    network = ready.profiles["walk"].network
    usable = ready.profiles["walk"].edge_is_usable
    ends = np.sort(np.column_stack([network.x[network.edge_from], network.x[network.edge_to]]) - EAST, axis=1)
    np.testing.assert_allclose(np.sort(ends[usable], axis=0), [[0, 300], [500, 1000]], atol=0.01)
    assert len(set(ready.profiles["walk"].chain_component[network.edge_chain[usable]])) == 2


def test_everything_that_is_wrong_is_said_at_once():
    study = lattice_study()
    far = [[100.0, 10.0], [100.1, 10.0], [100.1, 10.1]]
    wrong = scenario_with(
        {"kind": "close", "road": "x9"}, {"kind": "change", "road": "r0", "road_class": "residentail"},
        {"kind": "area", "line": far}, {"kind": "bridge", "line": far[:2]},
    )  # fmt: skip
    with pytest.raises(EntriesError) as caught:
        prepare(study, wrong)
    assert len(caught.value.lines) == 4
    for word in ("x9", "residentail", "No road lies inside", "nearest usable road"):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "close"}, "names a road"), ({"kind": "bridge", "line": [[108, 32]]}, "2 or more"),
        ({"kind": "area", "line": [[108, 32], [109, 32]]}, "3 or more"),
        ({"kind": "shut", "road": "r0"}, "must be one of"),
        ({"kind": "bridge", "line": [[500000, 32], [109, 32]]}, "degrees"),
        ({"kind": "close", "road": "r0", "x": 1}, "x"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_meant_is_refused(change, word):
    import tomli_w

    with pytest.raises(EntriesError, match=word) as caught:
        scenario_from_toml(tomli_w.dumps({"road_changes": [change]}))
    assert error_words(caught.value, "zh") != str(caught.value)
    assert "road change" not in error_words(caught.value, "zh")


@pytest.mark.parametrize(("language", "word"), [("zh", "封闭 1 条"), ("en", "1 closed")])
def test_the_sentence_of_conditions_says_so(language, word):
    study = lattice_study()
    scenario = scenario_with({"kind": "close", "road": "r3"})
    assert word in conditions(study, scenario, "walk", language)
    assert word not in conditions(study, Scenario(), "walk", language)


def test_ids_that_a_layer_gives_its_roads_stay(tmp_path):
    lines = [[(0, 0), (100, 0), (200, 0)], [(100, 0), (100, 100)], [(200, 0), (300, 0)], [(300, 0), (400, 0)]]
    shapes = [shapely.LineString([(EAST + x, NORTH + y) for x, y in line]) for line in lines]
    table = gpd.GeoDataFrame(
        {"路段编号": ["R7", "R8", None, "R8"], "道路等级": ["residential"] * 4}, geometry=shapes, crs=CRS
    )
    table.to_file(tmp_path / "路.gpkg")
    study = import_file(new_study("县", CRS), "roads", tmp_path / "路.gpkg").study
    ids = list(study.table("roads")["road_id"])
    assert ids == ["R7-1", "R7-2", "R8-1", "r3-1", "R8-2"]
    assert rows_of_road(study, "R7").tolist() == [0, 1]
    assert rows_of_road(study, "R8").tolist() == [2, 4]
    assert rows_of_road(study, "R8-2").tolist() == [4]
    network = prepare(study, scenario_with({"kind": "close", "road": "R7"}), needs_people=False)
    usable = network.profiles["walk"].edge_is_usable
    assert set(network.network.edge_road[usable]) == {2, 3, 4}
