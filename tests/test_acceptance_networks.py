"""Every real network by a user's own path: import, its figures by a bare pass, circles, coverage, times by scipy."""

import itertools
import json

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely

from planner.plan.ready import prepare
from planner.reach.access import chosen
from planner.reach.travel_times import travel_times
from planner.scenario import Scenario
from planner.store import open_study
from tests.reference.noded import NodedRoads
from tests.reference.real_data import NETWORKS, require

README = {
    # What the README of the data says of its highways: the least there is: piers, plazas and stubs come on top.
    "andorra": {"n_nodes": 139_670, "n_edges": 142_991},
    "guixi": {"n_nodes": 1_260},
    "nanshan": {"n_nodes": 4_270},
    "campus": {"n_nodes": 1_455},
    "helsinki": {"n_nodes": 6_071, "n_missing_nodes": 755},
    "wuhan": {"length_m": 7_185_000.0},
}
NO_ROADS = {"construction", "proposed", "abandoned", "razed", "platform", "services", "rest_area", "raceway"}
N_FACILITIES, N_DEMAND, N_PLACES, N_POINTS = 8, 60, 10, 20


def bare_pass(path):
    """Nodes, segments and the largest component of an extract's highways, by union and find over its ways."""
    parent = {}

    def root(node):
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    segments, n_missing = set(), 0
    for way in osmium.FileProcessor(str(path)).with_locations():
        if not way.is_way() or way.tags.get("highway", next(iter(NO_ROADS))) in NO_ROADS:
            continue
        if way.tags.get("area") == "yes":
            continue
        nodes = [node.ref if node.location.valid() else None for node in way.nodes]
        n_missing += nodes.count(None)
        for one, two in itertools.pairwise(nodes):
            if one is None or two is None or one == two:
                continue
            segments.add(frozenset((one, two)))
            parent.setdefault(one, one)
            parent.setdefault(two, two)
            parent[root(one)] = root(two)
    sizes = np.unique([root(node) for node in parent], return_counts=True)[1]
    return {
        "n_nodes": len(parent), "n_edges": len(segments), "n_missing_nodes": n_missing,
        "largest_component_share": sizes.max() / len(parent),
    }  # fmt: skip


def random_positions(roads, n, rng, spread_m):
    """Positions at random along the roads, a little off them."""
    lines = roads.geometry.to_numpy()
    ends = np.cumsum(shapely.length(lines))
    at = rng.uniform(0, ends[-1], n)
    row = np.searchsorted(ends, at)
    points = shapely.line_interpolate_point(lines[row], ends[row] - at)
    return shapely.points(shapely.get_coordinates(points) + rng.normal(0, spread_m, (n, 2)))


@pytest.mark.slow
@pytest.mark.parametrize("name", README)
def test_a_network_from_its_file_to_circles_and_coverage(planner, tmp_path, name):
    file, crs = NETWORKS[name]
    path, source = tmp_path / "county.gpkg", require(file)
    planner("new", path, "--name", name, "--crs", crs)
    imported = planner("import", path, "roads", source, "--json")
    assert imported.code == 0, imported.err
    assert imported.document["rows_in"] == imported.document["rows_accepted"] + imported.document["rows_refused"]
    network = planner("network", path, "--json").document

    for key, figure in README[name].items():
        assert network[key] > 0.98 * figure, key
    if source.suffix != ".parquet":
        expected = bare_pass(source)
        # Highways are all there but for a repeated node or copy; piers, plazas and the stubs at barriers come on top.
        for key in ("n_nodes", "n_edges"):
            assert 0.998 * expected[key] <= network[key] < 1.5 * expected[key], key
        assert network["n_missing_nodes"] >= expected["n_missing_nodes"]
        assert network["largest_component_share"] == pytest.approx(expected["largest_component_share"], abs=0.01)

    rng = np.random.default_rng(20)
    roads = open_study(path).table("roads")
    walkable = roads[~roads["class"].str.startswith(("motorway", "trunk"))]
    for kind, n, columns in (
        ("facilities", N_FACILITIES, {"name": [f"F{i}" for i in range(N_FACILITIES)], "tier": "station"}),
        ("demand", N_DEMAND, {"population": rng.integers(1, 500, N_DEMAND)}),
    ):
        table = gpd.GeoDataFrame(columns, geometry=list(random_positions(walkable, n, rng, 40.0)), crs=crs)
        table.to_file(tmp_path / f"{kind}.gpkg")
        assert planner("import", path, kind, tmp_path / f"{kind}.gpkg", "--json").document["rows_accepted"] == n

    study = open_study(path)
    population = float(study.table("demand")["population"].sum())
    words = ("--profile", "walk", "--tier", "station")
    rows = planner("coverage", path, *words, "--group", "all", "--json").document["results"]
    for row in rows:
        assert row["population"] == population
        people = row["covered_people"] + row["uncovered_people"] + row["unknown_people"]
        assert people == pytest.approx(population, abs=1e-6)
    reach = prepare(study, Scenario().with_choices(profiles=["walk"]))
    placed = {str(i) for i, edge in zip(reach.places["walk"].ids, reach.places["walk"].edge, strict=True) if edge >= 0}
    circles = json.loads(planner("circles", path, *words, "--json").out)["features"]
    assert {feature["properties"]["facility_id"] for feature in circles} == placed
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in circles]
    assert all(shape.is_valid and shape.area > 0 for shape in shapes)

    two_hundred_pairs(study, reach, rng)


def two_hundred_pairs(study, reach, rng):
    """200 pairs of the walk network, legs and barriers included, equal the reference's times."""
    roads = study.table("roads")
    reference = NodedRoads(roads, reach.scenario.profiles["walk"])
    barriers = study.tables["barriers"].geometry.to_numpy() if study.has("barriers") else np.array([], object)
    places = chosen(reach.places["walk"], np.arange(N_FACILITIES))
    picked = np.sort(rng.choice(N_DEMAND, 25, replace=False))
    points = chosen(reach.demand["walk"], picked)
    tree = shapely.STRtree(barriers)
    legs = []
    for x, y in zip([*places.x, *points.x], [*places.y, *points.y], strict=True):
        near = tree.query(shapely.Point(x, y), predicate="dwithin", distance=reference.profile.max_access_m)
        legs += reference.legs([x], [y], [barriers[i] for i in near])
    expected = reference.times(legs[:N_FACILITIES], legs[N_FACILITIES:]) / 60
    assert expected.size == 200
    expected[np.isnan(expected)] = np.inf
    limit = 240.0
    minutes = travel_times(reach.profiles["walk"], places, points, limit).minutes().toarray()
    found = np.where(minutes > 0, minutes, np.inf)
    is_near = expected < limit - 0.05
    # Each chain on the way is rounded once, by half a centisecond at most.
    np.testing.assert_allclose(found[is_near], expected[is_near], atol=0.02)
    assert not np.isfinite(found[expected > limit + 0.05]).any()
