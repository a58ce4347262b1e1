"""The synthetic county meets its figures exactly and hangs together."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from planner.demo.county import make_county
from planner.demo.spec import DemoSpec, scaled_spec
from planner.errors import ScenarioError
from planner.progress import Cancellable, CancelledError
from planner.schema import CONTRACTS


def test_counts_of_places_are_the_specified_ones(small_county):
    spec, facilities = small_county.spec, small_county.tables["facilities"]
    counts = facilities.groupby(["tier", "class"]).size().to_dict()
    assert counts["centre", "urban"] == 1
    assert facilities["tier"].value_counts().to_dict() == {
        "centre": 1,
        "institute": spec.n_institutes,
        "station": spec.n_stations_urban + spec.n_stations_rural,
        "point": spec.n_points,
    }
    assert counts["station", "urban"] == spec.n_stations_urban
    assert counts["station", "rural"] == spec.n_stations_rural


def test_every_unit_has_its_place_and_every_place_its_parent(small_county):
    facilities, areas = small_county.tables["facilities"], small_county.tables["areas"]
    stations = facilities[facilities["tier"] == "station"]
    institutes = facilities[facilities["tier"] == "institute"]
    assert sorted(stations["village"]) == sorted(areas.loc[areas["level"] == "village", "name"])
    assert sorted(institutes["town"]) == sorted(areas.loc[areas["level"] == "town", "name"])
    tier_of = facilities.set_index("facility_id")["tier"]
    above = {"institute": "centre", "station": "institute", "point": "station"}
    below = facilities[facilities["tier"] != "centre"]
    assert (below["parent_id"].map(tier_of) == below["tier"].map(above)).all()


def test_people_are_counted_once_and_exactly(small_county):
    spec, demand, settlements = small_county.spec, small_county.tables["demand"], small_county.tables["settlements"]
    assert demand["population"].sum() == spec.population
    assert demand["relocated"].sum() == spec.relocated_people == settlements["people"].sum()
    assert settlements["households"].sum() == spec.relocated_households
    assert len(settlements) == spec.n_settlements
    assert (demand["population"] > 0).all()
    assert (demand["age60"] + demand["children"] <= demand["population"]).all()
    assert (demand["relocated"] <= demand["population"]).all()
    assert (settlements["age60"] + settlements["children"] <= settlements["people"]).all()


def test_relocated_people_live_at_their_settlement(small_county):
    demand, settlements = small_county.tables["demand"], small_county.tables["settlements"]
    moved = demand[demand["relocated"] > 0]
    for row in settlements.itertuples():
        near = moved[moved["name"].str.startswith(row.name) & (moved.distance(row.geometry) < 300.0)]
        assert near["relocated"].sum() >= row.people


def test_candidates_cover_the_six_ways(small_county):
    candidates = small_county.tables["candidates"]
    assert len(candidates) == small_county.spec.n_candidates
    assert set(candidates["way"]) == set("123456")
    assert (candidates["cost"] >= 0).all()
    assert candidates.geometry.is_valid.all()


def test_codes_and_columns_are_those_of_the_contracts(small_county):
    for name, table in small_county.tables.items():
        contract = CONTRACTS[name]
        assert set(table.columns) - {"geometry"} <= {column.name for column in contract.columns}
        for column in contract.columns:
            if column.choices and column.name in table.columns:
                assert set(table[column.name]) - {""} <= {code for code, _ in column.choices}


@pytest.mark.parametrize("name", ["facilities", "candidates", "settlements", "areas"])
def test_ids_and_names_are_unique(small_county, name):
    table = small_county.tables[name]
    assert table[CONTRACTS[name].id_column].is_unique
    assert table["name"].is_unique


@pytest.mark.parametrize("name", ["facilities", "candidates", "demand", "settlements"])
def test_points_lie_in_the_village_they_name(small_county, name):
    villages = small_county.tables["areas"].query("level == 'village'")[["name", "geometry"]]
    joined = small_county.tables[name].sjoin(villages.rename(columns={"name": "own"}), predicate="within")
    assert len(joined) == len(small_county.tables[name])
    assert (joined["village"] == joined["own"]).all()


def test_areas_share_their_lines_and_fill_the_county(small_county):
    areas = small_county.tables["areas"]
    villages, towns = (areas[areas["level"] == level] for level in ("village", "town"))
    county = areas[areas["level"] == "county"].geometry.iloc[0]
    assert areas.is_valid.all()
    assert shapely.coverage_is_valid(villages.geometry.to_numpy())
    assert villages.area.sum() == pytest.approx(county.area)
    assert towns.area.sum() == pytest.approx(county.area)
    assert county.area == pytest.approx(small_county.spec.area_km2 * 1e6, rel=0.02)
    assert set(villages["parent_id"]) == set(towns["area_id"])


def _pieces(roads: gpd.GeoDataFrame) -> pd.Series:
    ends = shapely.get_coordinates(roads.boundary.to_numpy()).reshape(-1, 2, 2)
    nodes, number = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    a, b = number.reshape(-1, 2).T
    _, piece = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(len(nodes),) * 2), directed=False)
    return pd.Series(roads.length.to_numpy()).groupby(piece[a]).sum().sort_values(ascending=False)


def test_roads_join_at_shared_vertices_but_for_a_few_pieces(small_county):
    roads = small_county.tables["roads"]
    closed = roads.geometry.is_ring
    pieces = _pieces(roads[~closed])
    assert pieces.iloc[0] > 0.9 * pieces.sum()
    assert len(pieces) >= 2
    assert roads.geometry.is_valid.all()


def test_roads_of_every_kind_are_there(small_county):
    roads = small_county.tables["roads"]
    classes = set(roads["class"])
    assert classes == {
        *("高速公路", "高速匝道", "国道", "省道", "县道", "乡道", "村道"),
        *("主干路", "次干路", "街巷", "机耕路", "步道", "台阶"),
    }
    assert roads["bridge"].any()
    assert set(roads["oneway"]) == {"no", "forward"}


def test_the_river_is_crossed_on_bridges_only(small_county):
    roads, barriers = small_county.tables["roads"], small_county.tables["barriers"]
    river = barriers[barriers.geom_type.isin(["Polygon", "MultiPolygon"])].geometry.union_all()
    line = river.buffer(-60.0)
    crossing = roads[roads.intersects(line) & ~roads["class"].isin(["高速公路", "高速匝道"])]
    assert len(crossing) > 0
    assert crossing["bridge"].all()


def test_some_villages_have_no_road(small_county):
    roads = small_county.tables["roads"]
    stations = small_county.tables["facilities"].query("tier == 'station'")
    far = stations.distance(roads.union_all()) > 500.0
    assert 1 <= far.sum() < 0.1 * len(stations)


def test_heights_are_those_of_mountains(small_county):
    heights = small_county.grids["elevation"].values
    assert 200 <= heights.min() < 300
    assert 1_200 < heights.max() <= 2_000


def test_population_grid_holds_the_people_of_the_demand_table(small_county):
    assert small_county.grids["population"].values.sum(dtype=float) == small_county.spec.population


def test_a_spec_that_cannot_be_met_is_refused():
    with pytest.raises(ScenarioError, match="8 villages"):
        DemoSpec(n_stations_rural=3)
    with pytest.raises(ScenarioError, match="settlements <= households"):
        DemoSpec(relocated_people=900_000)


def test_scaled_figures_keep_their_shares():
    spec = scaled_spec(54)
    assert (spec.n_institutes, spec.n_stations_rural, spec.population) == (54, 666, 1_760_000)


def test_generation_can_be_cancelled():
    progress = Cancellable()
    progress.cancel()
    with pytest.raises(CancelledError):
        make_county(scaled_spec(3), progress)


@pytest.mark.slow
def test_same_spec_same_county_other_seed_other_county(small_county):
    again = make_county(small_county.spec)
    other = make_county(replace(small_county.spec, seed=1))
    for name, table in small_county.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    assert not again.tables["demand"].equals(other.tables["demand"])
    assert other.tables["demand"]["population"].sum() == small_county.spec.population


@pytest.mark.slow
def test_counties_of_other_shapes():
    spec = DemoSpec(
        name="合成县", area_km2=700.0, n_institutes=6, n_stations_urban=14, n_stations_rural=60, n_points=420,
        n_candidates=30, n_settlements=5, population=120_000, relocated_households=900, relocated_people=3_500,
    )  # fmt: skip
    tables = make_county(spec).tables
    counts = tables["facilities"]["tier"].value_counts()
    assert counts.to_dict() == {"centre": 1, "institute": 6, "station": 74, "point": 420}
    assert tables["demand"]["population"].sum() == 120_000
    assert tables["demand"]["relocated"].sum() == 3_500
    assert tables["facilities"]["name"].is_unique
