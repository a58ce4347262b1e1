"""Two villages of 2 km x 1 km, drawn and counted by hand, and two real networks that one can look at.

V1: a road of 3 km runs from x = 0 to 3000 at y = 500 (2 km in V1, 1 km in V2); a footpath of 400 m at x = 500.
V2: the rest of the road; a motorway past the far hamlet, which makes nobody near a road.
People: a (500, 500) 100; b (1500, 790) 50, 290 m off; c (1500, 801) 30, 301 m off; d (3900, 500) 20, 900 m off.
"""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.coverage.completeness import MIN_AREAS
from planner.plan.ready import prepare
from planner.plan.roads import road_quality
from planner.scenario import Scenario
from planner.study import new_study
from tests.reference.real_data import require
from tests.reference.towns import CRS, town


def study_of(roads, people, areas):
    made = new_study("全", CRS).with_table("roads", roads)
    x, y, w = zip(*people, strict=True)
    demand = gpd.GeoDataFrame(
        {"demand_id": [f"d{i}" for i in range(len(w))], "population": [float(n) for n in w]},
        geometry=gpd.points_from_xy(x, y), crs=CRS,
    )  # fmt: skip
    made = made.with_table("demand", demand)
    if not areas:
        return made
    rows = [(key, key, level, None, shapely.box(*box)) for key, level, box in areas]
    table = gpd.GeoDataFrame(rows, columns=["area_id", "name", "level", "parent_id", "geometry"], crs=CRS)
    return made.with_table("areas", table)


@pytest.fixture
def study():
    roads = town(
        ([(0, 500), (500, 500), (3000, 500)], "tertiary", {}),
        ([(500, 500), (500, 900)], "footway", {}),
        ([(3900, 0), (3900, 1000)], "motorway", {}),
    )
    people = [(500, 500, 100), (1500, 790, 50), (1500, 801, 30), (3900, 500, 20)]
    areas = [("V1", "village", (0, 0, 2000, 1000)), ("V2", "village", (2000, 0, 4000, 1000))]
    return study_of(roads, people, areas)


def quality(study, **choices):
    return road_quality(prepare(study, Scenario().with_choices(profiles=["walk"])), **choices)


def test_every_figure_by_hand(study):
    table = quality(study).table.set_index("area_id")
    columns = ["area_km2", "population", "road_km", "foot_km", "far_people", "unknown_people"]
    assert table.loc["V1", columns].tolist() == pytest.approx([2, 180, 2.0, 0.4, 30, 0])
    assert table.loc["V2", columns].tolist() == pytest.approx([2, 20, 2.0, 0, 20, 20])
    county = table.loc["county"]
    assert county[columns].tolist() == pytest.approx([4, 200, 4.0, 0.4, 50, 20])
    assert county[["road_km_per_km2", "foot_km_per_km2", "road_m_per_person", "foot_m_per_person"]].tolist() == (
        pytest.approx([1.0, 0.1, 20.0, 2.0])
    )
    assert county["unknown_share"] == pytest.approx(0.1)
    assert (county["covered_share"], county["covered_share_if_known"]) == pytest.approx((0, 0.1))


def test_what_is_doubted(study):
    table = quality(study).table.set_index("area_id")
    assert table["doubts"].to_dict() == {
        "county": "far_from_roads", "V2": "far_from_roads,no_footpaths", "V1": "",
    }  # fmt: skip
    assert table.loc["V1", "far_share"] == pytest.approx(30 / 180)
    assert table["rank"].to_dict() == {"county": 1, "V2": 1, "V1": 2}


def test_the_distance_can_be_chosen(study):
    assert quality(study, far_m=301).table.set_index("area_id")["far_people"]["V1"] == 0
    assert quality(study, far_m=289).table.set_index("area_id")["far_people"]["V1"] == 80


def test_an_area_without_any_road_or_anybody():
    roads = town(([(0, 0), (900, 0)], "residential", {}))
    areas = [("A", "village", (-10, -10, 910, 10)), ("B", "village", (5000, 0, 5100, 100)),
             ("C", "village", (6000, 0, 6100, 100))]  # fmt: skip
    table = quality(study_of(roads, [(5050, 50, 10), (10, 0, 10)], areas)).table.set_index("area_id")
    assert table["doubts"].to_dict() == {"county": "far_from_roads,no_footpaths", "B": "no_roads",
                                         "A": "no_footpaths", "C": ""}  # fmt: skip
    assert np.isnan(table.loc["C", "road_m_per_person"])


def test_without_areas_there_is_the_county_alone(study):
    bare = study_of(study.table("roads"), [(500, 500, 100)], [])
    table = quality(bare).table
    assert list(table["area_level"]) == ["county"]
    assert table["area_km2"].isna().all()
    assert table["road_km"].item() == pytest.approx(4.0)


def test_sparser_than_the_county_itself():
    """Nine villages of 1 km2 with 1 km of road each, and one with 10 m of it, for 100 people each."""
    streets, people, areas = [], [], []
    for i in range(MIN_AREAS + 2):
        x, length = 2000 * i, 10 if i == 4 else 900 + 10 * i
        streets += [([(x, 500), (x + length, 500)], "residential", {}), ([(x, 600), (x + 100, 600)], "path", {})]
        people.append((x + 5, 500, 100))
        areas.append((f"V{i}", "village", (x, 0, x + 1000, 1000)))
    table = quality(study_of(town(*streets), people, areas)).table.set_index("area_id")
    assert table[table["doubts"] == "sparse"].index.tolist() == ["V4"]
    assert table.loc["V4", "density_percentile"] == 0
    few = quality(study_of(town(*streets[8:14]), people[4:7], areas[4:7])).table
    assert "sparse" not in "".join(few["doubts"])


@pytest.mark.slow
def test_what_one_sees_on_the_maps_of_two_real_networks():
    """Guixi: streets along two axes, no footpath at all, bare squares between; Nanshan: dense, footpaths everywhere."""
    from benchmarks.completeness import NETWORKS
    from benchmarks.completeness import study_of as squares_of

    for path, _ in NETWORKS.values():
        require(path)
    guixi, nanshan = (quality(squares_of(name)).table for name in NETWORKS)
    assert guixi["doubts"].iloc[0] == "far_from_roads,no_footpaths"
    assert guixi["foot_km"].iloc[0] == 0
    bare = guixi[guixi["doubts"].str.contains("no_roads")]
    assert 0.15 < len(bare) / (len(guixi) - 1) < 0.35
    assert set(nanshan["doubts"]) == {""}
    assert nanshan["foot_km"].iloc[0] > 0.3 * nanshan["road_km"].iloc[0]
