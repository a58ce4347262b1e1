"""Four places on a street, 200 m apart, in one town; a fifth across its border. Walking 1.2 m/s: 5 min = 360 m.

town 1: P0 (0) - P1 (200) - P2 (400) - P3 (600) | town 2: P4 (700)     N (300, 2000): no road

200 m take 166.67 s = 2.78 min, 400 m 5.56 min: every neighbour is within 5 min, no other pair is. Of the pairs that
are cliques the one whose ids come first is taken: P0 P1, then P2 P3. At 6 min P0 P1 P2 and P1 P2 P3 are cliques:
the first is taken, P3 stays alone.
"""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.plan.groups import town_clusters
from planner.plan.ready import prepare
from planner.scenario import Scenario
from planner.study import new_study
from tests.reference.towns import CRS, one_way, town

PLACES = {"P0": (0, 0), "P1": (200, 0), "P2": (400, 0), "P3": (600, 0), "P4": (700, 0), "N": (300, 2000)}
ROOMS = {"P0": "理论宣讲、会议室", "P1": "文化", "P2": "科普", "P3": None, "P4": "健身", "N": "健身"}


def study_of(roads, places, boxes):
    made = new_study("群", CRS).with_table("roads", roads)
    table = gpd.GeoDataFrame(
        {"facility_id": list(places), "name": [f"{p}站" for p in places], "tier": "station",
         "function_rooms": [ROOMS.get(p) for p in places]},
        geometry=gpd.points_from_xy(*zip(*places.values(), strict=True)), crs=CRS,
    )  # fmt: skip
    areas = gpd.GeoDataFrame(
        {"area_id": [f"t{i}" for i in range(1, len(boxes) + 1)], "name": [f"镇{i}" for i in range(1, len(boxes) + 1)],
         "level": "town", "parent_id": None, "class": None},
        geometry=[shapely.box(*box) for box in boxes], crs=CRS,
    )  # fmt: skip
    demand = gpd.GeoDataFrame({"demand_id": ["d"], "population": [1.0]}, geometry=[shapely.Point(0, 0)], crs=CRS)
    for name, one in (("facilities", table), ("areas", areas), ("demand", demand)):
        made = made.with_table(name, one)
    return made


@pytest.fixture
def street():
    roads = town(([(0, 0), (200, 0), (400, 0), (600, 0), (800, 0)], "residential", {}))
    return study_of(roads, PLACES, [(-50, -50, 650, 3000), (650, -50, 900, 3000)])


def clusters(study, minutes, profile="walk"):
    return town_clusters(prepare(study, Scenario(cluster_min=minutes).with_choices(profiles=[profile])))


def test_every_pair_is_within_the_limit(street):
    found = clusters(street, 5)
    table = found.table
    assert list(table["cluster_id"]) == ["t1-1", "t1-2"]
    assert list(table["places"]) == ["P0站、P1站", "P2站、P3站"]
    assert list(table["n_places"]) == [2, 2]
    assert list(table["n_connected"]) == [4, 4]
    assert list(table["farthest_min"]) == pytest.approx([200 / 72] * 2, abs=1e-3)
    assert list(table["functions"]) == ["theory,culture", "science"]
    assert list(table["lacks_functions"]) == ["education,science,fitness", "theory,education,culture,fitness"]
    assert list(table["other_rooms"]) == ["会议室", ""]
    assert list(table["n_unrecorded"]) == [0, 1]
    assert all(table.geometry.iloc[0].contains(shapely.Point(x, 0)) for x in (0, 200))
    state = found.places.set_index("facility_id")["membership"]
    assert state.to_dict() == {"N": "unknown", "P0": "member", "P1": "member", "P2": "member", "P3": "member",
                               "P4": "alone"}  # fmt: skip


def test_a_longer_limit_makes_larger_groups(street):
    found = clusters(street, 6)
    assert list(found.table["places"]) == ["P0站、P1站、P2站"]
    assert found.places.set_index("facility_id")["membership"]["P3"] == "alone"


def test_a_town_border_divides(street):
    """P3 and P4 are 100 m apart, in two towns."""
    assert "P4" not in "".join(clusters(street, 10).table["places"])


def test_nobody_says_what_rooms_there_are(street):
    bare = street.with_table("facilities", street.table("facilities").drop(columns="function_rooms"))
    table = clusters(bare, 5).table
    assert list(table["lacks_functions"]) == ["", ""]
    assert list(table["n_unrecorded"]) == [2, 2]


def test_both_directions_count():
    """One way round a block of 100 m: there 24 s, back 72 s by e-bike at 15 km/h."""
    study = study_of(one_way(), {"a": (0, 0), "b": (0, 100)}, [(-500, -500, 500, 500)])
    assert clusters(study, 1.1, "ebike").table.empty
    found = clusters(study, 1.25, "ebike").table
    assert found["farthest_min"].item() == pytest.approx(1.2, abs=1e-3)


def test_without_towns_there_is_no_cluster(street):
    tables = {name: table for name, table in street.tables.items() if name != "areas"}
    bare = new_study("群", CRS)
    for name, table in tables.items():
        bare = bare.with_table(name, table)
    found = clusters(bare, 5)
    assert found.table.empty
    assert set(found.places["membership"]) == {"no_town", "unknown"}


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_pairs_of_routes(seed):
    """Members of a cluster, and nobody else in it, are within the limit of one another by single routes."""
    from planner.network.snap import snap_table
    from planner.reach.access import chosen
    from planner.reach.routes import route
    from tests.reach.test_what_if import grid_town

    rng = np.random.default_rng(seed)
    roads = grid_town()
    west, south, east, north = roads.total_bounds
    places = {f"p{i}": (rng.uniform(west, east), rng.uniform(south, north)) for i in range(9)}
    study = study_of(roads, places, [(west - 9e3, south - 9e3, east + 9e3, north + 9e3)])
    reach = prepare(study, Scenario(cluster_min=6).with_choices(profiles=["walk"]))
    found = town_clusters(reach)
    snapped = snap_table(reach.profiles, study.table("facilities"), "facility_id")["walk"]
    for code, members in found.places.groupby("cluster_id")["facility_id"]:
        rows = [list(snapped.ids).index(m) for m in members]
        minutes = [
            route(reach.profiles["walk"], chosen(snapped, np.array([a])), chosen(snapped, np.array([b])))
            for a in rows for b in rows if a != b
        ]  # fmt: skip
        farthest = found.table.set_index("cluster_id")["farthest_min"][code]
        assert max(one.travel_time_min for one in minutes) == pytest.approx(farthest)
        assert farthest <= 6
