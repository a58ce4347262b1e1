import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import InputError, ScenarioError
from planner.network.snap import node_positions, snap_points
from planner.plan.ready import demand_access, prepare
from planner.plan.travel import estimated_table, nearest_table, route_table, start_trial
from planner.reach.travel_times import nearest
from planner.reach.what_if import close_place
from planner.scenario import Scenario, scenario_to_toml
from planner.store import save_study
from planner.study import Grid
from tests.reference.lattice import EAST, NORTH, every_piece, lattice_study
from tests.reference.towns import CRS

WALK = every_piece(Scenario().with_choices(profiles=["walk"], main_profile="walk", main_tier="any"))


@pytest.fixture(scope="module")
def reach():
    return prepare(lattice_study(), WALK)


def with_heights_and_a_place():
    """Level ground, and a place on the street where no other is, 1.7 km from the people without a road."""
    study = lattice_study()
    place = study.tables["facilities"].iloc[[3]].assign(facility_id="F8")
    place.geometry = [shapely.Point(EAST + 3150, NORTH)]
    level = Grid(np.zeros((120, 160), np.float32), (50.0, 0.0, EAST - 1000, 0.0, -50.0, NORTH + 4000), CRS, "m")
    facilities = gpd.GeoDataFrame(pd.concat([study.tables["facilities"], place], ignore_index=True), crs=CRS)
    return replace(study.with_table("facilities", facilities), grids={"elevation": level})


def test_a_way_has_the_minutes_of_the_tables(reach):
    access = demand_access(reach).set_index(["tier", "point_id"]).loc["any"]
    for point in ("D000", "D900"):
        (row,) = route_table(reach.study, WALK, point).to_dict("records")
        assert row["travel_time_min"] == access.loc[point, "travel_time_min"]
        assert row["facility_id"] == access.loc[point, "facility_id"]
        metres = row["road_m"] + row["origin_access_m"] + row["place_access_m"]
        assert row["geometry"].length == pytest.approx(metres, abs=0.01)


def test_a_way_from_degrees_to_a_named_place(reach):
    degrees = gpd.GeoSeries([shapely.Point(EAST + 400, NORTH + 200)], crs=CRS).to_crs("EPSG:4326").iloc[0]
    one = route_table(reach.study, WALK, f"{degrees.x},{degrees.y}", "F1")
    two = route_table(reach.study, WALK, f"{EAST + 400},{NORTH + 200}", "F1")
    assert one["road_m"].iloc[0] == pytest.approx(600, abs=0.1)
    assert two["travel_time_min"].iloc[0] == pytest.approx(600 / 72, abs=0.001)


def test_where_there_is_no_way(reach):
    rows = [route_table(reach.study, WALK, point).iloc[0] for point in ("D901", "D902")]
    assert np.isinf(rows[0]["travel_time_min"])
    assert np.isnan(rows[1]["travel_time_min"])
    assert all(row["geometry"] is None for row in rows)


@pytest.mark.parametrize(
    ("origin", "place", "words"), [("nobody", None, "no point 'nobody'"), ("D000", "F6", "no place 'F6'")]
)
def test_a_way_from_nowhere_is_refused(reach, origin, place, words):
    with pytest.raises(InputError, match=words):
        route_table(reach.study, WALK, origin, place)


def test_the_nearest_places_in_order(reach):
    table = nearest_table(reach, 3)
    first = table[table["rank"] == 1].set_index("demand_id")
    access = demand_access(reach).set_index(["tier", "point_id"]).loc["any"]
    np.testing.assert_array_equal(first["travel_time_min"], access.loc[first.index, "travel_time_min"])
    assert (table.groupby("demand_id")["travel_time_min"].diff().dropna() >= 0).all()
    assert not table.duplicated(["demand_id", "facility_id"]).any()
    assert set(table["rank"]) == {1, 2, 3}
    with pytest.raises(ScenarioError, match="no profile 'boat'"):
        nearest_table(reach, 3, profile="boat")


def test_every_node_has_its_nearest_places(reach):
    network = reach.profiles["walk"]
    nodes = node_positions(network)
    fresh = snap_points(network, nodes.ids, network.network.x, network.network.y)
    found, expected = (nearest(network, reach.places["walk"], points, k=2) for points in (nodes, fresh))
    np.testing.assert_array_equal(found.time_cs, expected.time_cs)
    np.testing.assert_array_equal(found.place, expected.place)
    np.testing.assert_array_equal(nodes.component, fresh.component)


def test_a_trial_starts_with_the_places_that_count(reach):
    trial = start_trial(reach, tier="at_least:institute")
    assert set(trial.places.ids) == {"F1", "F2"}
    before = trial.minutes()
    close_place(trial, "F2")
    assert (trial.minutes() >= before)[np.isfinite(before)].all()
    assert (trial.minutes() > before).any()


def test_people_over_open_ground_are_a_class_of_their_own():
    reach = prepare(with_heights_and_a_place(), WALK)
    for cutoff, expected in ((15, 0), (60, 30)):
        table = estimated_table(reach, [cutoff], tiers=["any"], groups=["all"], level="county")
        whole = table[table["area_class"].isna()].iloc[0]
        assert whole["estimated_people"] == expected
        assert whole["unknown_people"] == 30
        sum_of_people = whole["covered_people"] + whole["uncovered_people"] + whole["unknown_people"]
        assert sum_of_people == whole["population"]


def test_open_ground_needs_heights(reach):
    with pytest.raises(InputError, match="needs heights"):
        estimated_table(reach)


def test_the_commands(planner, tmp_path):
    path, out = tmp_path / "study.gpkg", tmp_path / "way.geojson"
    scenarios = {"default": scenario_to_toml(WALK)}
    save_study(replace(with_heights_and_a_place(), revision=0, scenarios=scenarios), path)
    answer = planner("route", path, "--from", "D000", "--profile", "walk", "--tier", "any", "--out", out, "--json")
    assert answer.code == 0
    assert answer.document["results"][0]["travel_time_min"] > 0
    (feature,) = json.loads(out.read_text(encoding="utf-8"))["features"]
    assert feature["geometry"]["type"] == "LineString"
    assert planner("route", path, "--from", "D902", "--out", out).code == 0
    answer = planner("coverage", path, "--profile", "walk", "--cutoff", 60, "--tier", "any", "--off-path", "--json")
    assert {row["estimated_people"] for row in answer.document["results"] if row["area"]["level"] == "county"} >= {30.0}
    assert "estimated" in planner("coverage", path, "--profile", "walk", "--off-path").out
    assert planner("route", path, "--from", "nowhere").code == 2
