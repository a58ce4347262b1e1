"""A what-if in people is the county computed anew with the places edited."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import InputError
from planner.plan.closers import gap_closers
from planner.plan.coverage import coverage_table, gap_table
from planner.plan.ready import demand_access, prepare
from planner.plan.trial import Edit, RoadEdit, apply_edit, start_trial, surprises, trial_access, trial_table, tried
from planner.reach.travel_times import travel_times
from planner.scenario import Scenario
from planner.store import save_study
from planner.study import new_study
from tests.reference import edited_roads as edits
from tests.reference.lattice import EAST, NORTH, lattice_study
from tests.reference.towns import town


@pytest.fixture(scope="module")
def reach():
    return prepare(lattice_study(), Scenario(main_tier="any", cutoff_min=15.0))


def _whole(reach, study):
    made = prepare(study, reach.scenario)
    access = demand_access(made)
    rows = access[(access["profile"] == "walk") & (access["tier"] == "any")]
    return coverage_table(made, rows).reset_index(drop=True)


def test_edits_give_what_a_county_with_those_places_gives(reach):
    trial = start_trial(reach)
    spot = (EAST + 1400.0, NORTH + 1410.0)
    for edit in (Edit("add", "+1", *spot), Edit("move", "F3", EAST + 1600.0, NORTH + 10.0), Edit("close", "F1")):
        apply_edit(reach, trial, edit)
    places = reach.study.table("facilities")
    places = places[places["facility_id"] != "F1"].copy()
    places.loc[places["facility_id"] == "F3", "geometry"] = shapely.Point(EAST + 1600.0, NORTH + 10.0)
    new = gpd.GeoDataFrame(
        {"facility_id": ["+1"], "name": ["x"], "tier": ["station"], "host_building": [None], "is_online": [False]},
        geometry=[shapely.Point(*spot)], crs=places.crs,
    )  # fmt: skip
    study = reach.study.with_table("facilities", pd.concat([places, new], ignore_index=True))
    found = coverage_table(reach, trial_access(reach, trial)).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, _whole(reach, study))


def test_before_any_edit_nothing_differs(reach):
    found = coverage_table(reach, trial_access(reach, start_trial(reach))).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, _whole(reach, reach.study))


def test_a_spot_without_a_road_is_refused(reach):
    with pytest.raises(InputError, match="No usable road"):
        apply_edit(reach, start_trial(reach), Edit("add", "+1", EAST + 4000.0, NORTH + 1600.0))


def test_the_closer_of_a_gap_reaches_most_of_its_people(reach):
    closers, gaps = gap_closers(reach), gap_table(reach)
    assert set(closers["gap_id"]) <= set(gaps["gap_id"])
    assert "C4" not in set(closers["candidate_id"])  # online: way 6
    # By hand: one search from every candidate, one sum for every gap.
    from planner.coverage.gaps import gap_members
    from planner.network.snap import snap_table

    members = gap_members(reach.study, demand_access(reach), reach.assigned, reach.scenario)
    candidates = reach.study.table("candidates")
    snapped = snap_table({"walk": reach.profiles["walk"]}, candidates, "candidate_id", reach.study.tables["barriers"])
    minutes = travel_times(reach.profiles["walk"], snapped["walk"], reach.demand["walk"], 15.0).minutes().toarray()
    ids = [str(one) for one in reach.demand["walk"].ids]
    for row in closers.itertuples():
        people = members[members["gap_id"] == row.gap_id].set_index("demand_id")["people"]
        sums = []
        for number, way in enumerate(candidates["way"]):
            near = [people.get(name, 0.0) for name, time in zip(ids, minutes[number], strict=True) if 0 < time <= 15]
            sums.append(0.0 if way == "6" else float(np.sum(near)))
        assert row.closed_people == pytest.approx(max(sums))


def test_road_edits_give_what_a_county_with_those_roads_gives(reach):
    roads, spots = reach.study.table("roads"), ((EAST + 1600.0, NORTH + 40.0), (EAST + 3000.0, NORTH))
    first, other = roads["road_id"].astype(str).iloc[[3, 12]]
    road_edits = [RoadEdit("close", first), RoadEdit("change", other, "motorway"), RoadEdit("bridge", line=spots)]
    changed = edits.change_class(edits.close_road(roads, first), other, "motorway")
    changed = edits.add_bridge(changed, shapely.LineString(spots), "bridge")
    after = _whole(reach, reach.study.with_table("roads", changed))
    found = trial_table(reach, *tried(reach, road_edits))
    before = coverage_table(reach, trial_access(reach, start_trial(reach)))
    np.testing.assert_array_equal(found["before_people"], before["covered_people"])
    np.testing.assert_array_equal(found["after_people"], after["covered_people"])
    assert (found["gained_people"] != 0).any()


def test_people_whom_closing_covers_and_adding_uncovers_are_told_one_by_one(reach):
    close, add, bridge = RoadEdit("close", "r1"), Edit("add", "x", 0, 0), RoadEdit("bridge")
    people = reach.study.table("demand")["population"].to_numpy()
    before, after = np.full(len(people), 20.0), np.full(len(people), 20.0)
    after[[0, 1]], before[[2, 3, 4]] = 15.0, 3.0  # two are within 15 minutes only after, three only before
    after[4], before[5], after[6] = np.nan, np.inf, np.nan
    gained, lost = {"gained": people[:2].sum()}, {"lost": people[2:5].sum()}
    assert surprises(reach, [close, Edit("close", "F1")], before, after) == gained
    assert surprises(reach, [add, bridge], before, after) == lost
    assert surprises(reach, [close], after, after) == surprises(reach, [add], after, after) == {}
    assert surprises(reach, [close, add], before, after) == surprises(reach, [], before, after) == {}


def test_a_road_whose_people_are_better_off_when_it_is_shut(planner, tmp_path):
    """A lane of 150 m that joins the street far away: whoever lives between it and the street took it."""
    lane = [(2_000, 0), (2_000, 60), (0, 60)]
    roads = town(([(x, 0) for x in range(0, 2_001, 500)], "residential", {}), (lane, "footway", {}))
    points = gpd.GeoDataFrame(
        {"demand_id": ["p"], "population": [100.0]}, geometry=[shapely.Point(100, 40)], crs=roads.crs
    )
    places = gpd.GeoDataFrame(
        {"facility_id": ["a"], "name": ["甲"], "tier": ["station"]}, geometry=[shapely.Point(0, -10)], crs=roads.crs
    )
    study = new_study("县", roads.crs.to_string())
    for name, table in (("roads", roads), ("demand", points), ("facilities", places)):
        study = study.with_table(name, table)
    save_study(study, tmp_path / "s.gpkg")
    words = ("what-if", tmp_path / "s.gpkg", "--close-road", roads["road_id"].iloc[-1], "--profile", "walk")
    answer = planner(*words, "--tier", "any", "--json")
    assert answer.document["surprises"] == {"gained": 100.0}
    assert "100 people are covered who were not" in planner(*words, "--tier", "any").out


def test_the_command_tries_places_and_roads(planner, lattice_file):
    words = ("--profile", "walk", "--tier", "any", "--cutoff", "9", "--json")
    nothing = planner("what-if", lattice_file, *words)
    assert {row["gained_people"] for row in nothing.document["results"]} == {0}
    answer = planner("what-if", lattice_file, "--close", "F1", "--add", "new=C1", "--change-road", "r0=footway", *words)
    assert answer.code == 0, answer.err
    reach = prepare(lattice_study(), Scenario().with_choices(main_tier="any", cutoff_min=9.0))
    spot = reach.study.table("candidates").geometry.iloc[1]
    wanted = [RoadEdit("change", "r0", "footway"), Edit("close", "F1"), Edit("add", "n", spot.x, spot.y)]
    table = trial_table(reach, *tried(reach, wanted))
    (county,) = (row for row in answer.document["results"] if row["group"] == "all" and row["area_class"] is None)
    is_county = (table["area_level"] == "county") & (table["group"] == "all") & table["area_class"].isna()
    assert county["after_people"] == table.loc[is_county, "after_people"].item()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--close", "nobody"), "no place"), (("--close-road", "x9"), "no road 'x9'"), (("--add", "new"), "no pair"),
        (("--change-road", "r0=residentail"), "residential"), (("--bridge", "1,1;2,2"), "nearest usable road"),
        (("--add", "new=nan,3"), "usable road"), (("--move", "F1=zzz"), "no point 'zzz'"),
    ],
)  # fmt: skip
def test_the_command_refuses_what_is_not_there(planner, lattice_file, words, message):
    answer = planner("what-if", lattice_file, *words)
    assert answer.code == 2, answer.err
    assert message in " ".join(answer.err.split())
