import geopandas as gpd
import numpy as np
import pytest

from planner.network.build import build_network
from planner.network.snap import snap_table
from planner.network.speeds import prepare_profile
from planner.reach.access import access_table, places_by_id
from planner.scenario import Scenario
from tests.reference.towns import CRS, islands

COLUMNS = ["point_id", "profile", "tier", "facility_id", "travel_time_min", "status"]


def layer(id_column, rows, **columns):
    return gpd.GeoDataFrame(
        {id_column: [row[0] for row in rows], **columns},
        geometry=gpd.points_from_xy([row[1] for row in rows], [row[2] for row in rows]), crs=CRS,
    )  # fmt: skip


def access(facilities, demand, scenario=None):
    scenario = scenario or Scenario()
    network = build_network(islands(), CRS)
    networks = {code: prepare_profile(network, profile) for code, profile in scenario.profiles.items()}
    places = snap_table(networks, facilities, "facility_id")
    points = snap_table(networks, demand, "demand_id")
    return access_table(facilities, places, points, networks, scenario)


def look(table, point, tier, profile="walk"):
    row = table[(table["point_id"] == point) & (table["tier"] == tier) & (table["profile"] == profile)]
    assert len(row) == 1
    return row.iloc[0]


DEMAND = layer("demand_id", [("near", 100, 0), ("island", 100, 5000), ("far", 100, 2500)])
PLACES = layer(
    "facility_id", [("s1", 0, 0), ("i1", 200, 0), ("own", 50, 0), ("web", 100, 0), ("lost", 0, 2500)],
    tier=["station", "institute", "temple_fair", "point", "point"], is_online=[False, None, False, True, False],
)  # fmt: skip


def test_one_row_per_point_profile_and_tier():
    table = access(PLACES, DEMAND)
    scenario = Scenario()
    assert list(table.columns) == COLUMNS
    assert len(table) == 3 * len(scenario.profiles) * len(scenario.tier_codes)
    assert not table.duplicated(["point_id", "profile", "tier"]).any()


def test_nearest_by_tier_with_minutes_worked_by_hand():
    table = access(PLACES, DEMAND)
    station = look(table, "near", "station")
    assert station["facility_id"] == "s1"
    assert station["travel_time_min"] == pytest.approx(100 / 1.2 / 60, abs=1e-4)
    assert station["status"] == "reachable"
    # at least an institute: the institute itself; at least a station: both are 100 m away, the id decides
    assert look(table, "near", "at_least:institute")["facility_id"] == "i1"
    assert look(table, "near", "at_least:station")["facility_id"] == "i1"
    # any: also a tier of the county's own
    assert look(table, "near", "any")["facility_id"] == "own"


def test_an_online_service_and_a_place_without_road_never_count():
    row = look(access(PLACES, DEMAND), "near", "point")
    assert row["facility_id"] is None
    assert np.isinf(row["travel_time_min"])
    assert row["status"] == "disconnected"


def test_disconnected_is_not_unknown():
    table = access(PLACES, DEMAND)
    assert look(table, "island", "any")["status"] == "disconnected"
    assert np.isinf(look(table, "island", "any")["travel_time_min"])
    assert look(table, "far", "any")["status"] == "unknown"
    assert np.isnan(look(table, "far", "any")["travel_time_min"])


def test_the_order_of_the_rows_does_not_matter():
    one = access(PLACES, DEMAND).sort_values(["profile", "tier", "point_id"]).reset_index(drop=True)
    shuffled = access(PLACES.iloc[::-1], DEMAND.iloc[::-1])
    assert one.equals(shuffled.sort_values(["profile", "tier", "point_id"]).reset_index(drop=True))


def test_physical_places_are_in_order_of_their_ids():
    assert list(places_by_id(PLACES)["facility_id"]) == ["i1", "lost", "own", "s1"]


def test_nothing_to_ask_for():
    assert list(access(PLACES, DEMAND.iloc[:0]).columns) == COLUMNS
    nowhere = access(PLACES.iloc[:0], DEMAND)
    assert set(nowhere["status"]) == {"disconnected", "unknown"}
