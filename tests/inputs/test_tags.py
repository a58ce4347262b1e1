"""Tags as routers read them: access, one-way for bicycles, barrier nodes, plazas, what is gone; files in any order."""

import gzip

import geopandas as gpd
import numpy as np
import pytest

from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.inputs.roads.osm import read_osm
from planner.inputs.roads.tags import MODES, attributes, barrier_closes
from planner.network.build import build_network
from planner.network.speeds import prepare_profile
from planner.standards import default_profiles
from planner.study import new_study

pytest.importorskip("osmium")

CRS = "EPSG:32649"


def node(number, lon, lat, **tags):
    body = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    return f'<node id="{number}" version="1" lon="{lon}" lat="{lat}">{body}</node>'


def way(number, refs, extra="", **tags):
    body = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    body += "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{number}" version="1" {extra}>{body}</way>'


def grid(**tags_of_2):
    """Nine nodes on a 3 x 3 grid of about 100 m; 1 2 3 in the south, 7 8 9 in the north."""
    tags = {2: tags_of_2}
    return [
        node(1 + 3 * j + i, 109 + 0.001 * i, 32 + 0.001 * j, **tags.get(1 + 3 * j + i, {}))
        for j in range(3)
        for i in range(3)
    ]


@pytest.fixture
def osm(tmp_path):
    def write(*elements, name="县.osm", nodes=None):
        path = tmp_path / name
        text = f'<osm version="0.6">\n{chr(10).join((*(nodes or grid()), *elements))}\n</osm>'
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


NO, OPEN = "no", None


@pytest.mark.parametrize(
    ("tags", "foot", "bicycle", "motor"),
    [
        ({}, OPEN, OPEN, OPEN),
        ({"access": "agricultural"}, OPEN, OPEN, NO),
        ({"access": "agricultural;forestry"}, OPEN, OPEN, NO),
        ({"access": "permit"}, OPEN, OPEN, NO),
        ({"access": "delivery"}, OPEN, OPEN, NO),
        ({"access": "no"}, NO, NO, NO),
        ({"access": "no;private"}, NO, NO, NO),
        ({"access": "private", "foot": "yes"}, "yes", NO, NO),
        ({"foot": "no;private"}, NO, OPEN, OPEN),
        ({"foot": "private; yes"}, "yes", OPEN, OPEN),
        ({"foot": "permit"}, NO, OPEN, OPEN),
        ({"foot": "use_sidepath"}, NO, OPEN, OPEN),
        ({"vehicle": "agricultural"}, OPEN, NO, NO),
        ({"vehicle": "no", "bicycle": "yes"}, OPEN, "yes", NO),
        ({"motor_vehicle": "forestry", "motorcar": "yes"}, OPEN, OPEN, "yes"),
        ({"access": "yes"}, OPEN, OPEN, OPEN),
        ({"sac_scale": "hiking"}, OPEN, OPEN, OPEN),
        ({"sac_scale": "mountain_hiking"}, OPEN, NO, OPEN),
        ({"sac_scale": "alpine_hiking"}, NO, NO, OPEN),
        ({"motorroad": "yes"}, NO, NO, OPEN),
        ({"highway": "via_ferrata"}, NO, NO, NO),
        ({"highway": "via_ferrata", "foot": "yes"}, "yes", NO, NO),
    ],
)
def test_who_may_travel_a_way(tags, foot, bicycle, motor):
    words = {"highway": "track", **tags}
    found = attributes(words["highway"], words.get)
    assert (found.foot, found.bicycle, found.motor) == (foot, bicycle, motor)


@pytest.mark.parametrize(
    ("tags", "oneway", "bicycle"),
    [
        ({"oneway": "yes"}, "forward", None),
        ({"oneway": "yes", "oneway:bicycle": "no"}, "forward", "no"),
        ({"oneway": "yes", "cycleway": "opposite_lane"}, "forward", "no"),
        ({"oneway": "-1", "cycleway:left": "opposite"}, "backward", "no"),
        ({"oneway:bicycle": "yes"}, "no", "forward"),
        ({"junction": "roundabout", "oneway:bicycle": "no"}, "forward", "no"),
        ({"oneway": "yes", "oneway:bicycle": "yes"}, "forward", None),
    ],
)
def test_one_way_for_bicycles(tags, oneway, bicycle):
    found = attributes("residential", tags.get)
    assert (found.oneway, found.bicycle_oneway) == (oneway, bicycle)


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        ({"barrier": "bollard"}, ("motor",)),
        ({"barrier": "gate"}, ()),
        ({"barrier": "gate", "access": "no"}, MODES),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, ("bicycle", "motor")),
        ({"barrier": "lift_gate"}, ()),
        ({"barrier": "block"}, ("motor",)),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ()),
        ({"barrier": "wall"}, MODES),
        ({"barrier": "stile"}, ("bicycle", "motor")),
        ({"barrier": "something new"}, ("motor",)),
    ],
)
def test_whom_a_barrier_stops(tags, closed):
    assert barrier_closes(tags.get) == closed


def connected(roads, code, one, other):
    """Whether a profile gets from one place to another, by scipy on the usable edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    network = build_network(roads, CRS)
    prepared = prepare_profile(network, default_profiles()[code])
    ends = [int(np.argmin(np.hypot(network.x - x, network.y - y))) for x, y in (one, other)]
    rows, columns = [], []
    for seconds, tail, head in (
        (prepared.edge_along_s, network.edge_from, network.edge_to),
        (prepared.edge_against_s, network.edge_to, network.edge_from),
    ):
        ok = np.isfinite(seconds)
        rows += tail[ok].tolist()
        columns += head[ok].tolist()
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(network.n_nodes, network.n_nodes)).tocsr()
    return bool(np.isfinite(shortest_path(graph, indices=ends[0])[ends[1]]))


@pytest.mark.parametrize("parts", [[[1, 2, 3]], [[1, 2], [2, 3]], [[1, 2], [2, 3], [2, 5]]])
def test_a_bollard_stops_cars_and_nobody_else(osm, parts):
    ways = [way(10 + i, refs, highway="residential") for i, refs in enumerate(parts)]
    read = read_osm(osm(*ways, nodes=grid(barrier="bollard")), CRS)
    bare = read_osm(osm(*ways, name="无.osm"), CRS)
    assert read.roads.length.sum() == pytest.approx(bare.roads.length.sum())
    assert read.roads["road_id"].is_unique
    west, east = (
        (line.coords[i])
        for line, i in ((bare.roads.geometry.iloc[0], 0), (bare.roads.geometry.iloc[len(parts[:2]) - 1], -1))
    )
    assert [connected(read.roads, code, west, east) for code in ("walk", "ebike", "car")] == [True, True, False]
    assert connected(bare.roads, "car", west, east)
    assert "barrier_nodes" in {row.code for row in read.ledger.rows}


def test_an_e_bike_rides_both_ways_where_the_tags_say_so(osm):
    path = osm(way(10, [1, 2, 3], highway="residential", oneway="yes", oneway__bicycle="no"))
    roads = read_osm(path, CRS).roads
    (west, *_, east) = roads.geometry.iloc[0].coords
    assert [connected(roads, code, east, west) for code in ("walk", "ebike", "car")] == [True, True, False]
    assert connected(roads, "car", west, east)


def test_a_plaza_is_walked_along_its_outline_and_across(osm):
    ring = way(12, [1, 3, 9, 7, 1], highway="pedestrian", area="yes")
    streets = [way(13, [1, 2], highway="residential"), way(14, [9, 8], highway="residential")]
    read = read_osm(osm(ring, *streets), CRS)
    across = read.roads[read.roads["road_id"].str.startswith("w12")]
    assert read.counts["n_plazas"] == 1
    half = 189 + 222  # metres from the south-western corner to the north-eastern along the outline
    assert sorted(across.length) == pytest.approx([np.hypot(189, 222), half, half], rel=0.02)


def test_what_is_not_there_is_left_out_and_counted(osm):
    path = osm(
        way(10, [1, 2], highway="residential"),
        way(11, [2, 3], highway="residential", construction="yes"),
        way(12, [4, 5], highway="residential", bridge="collapsed"),
        way(13, [5, 6], highway="track", impassable="yes"),
        way(14, [7, 8], disused__highway="residential"),
        way(15, [8, 9], extra="action='delete'", highway="residential"),
        way(16, [1, 4], route="ferry", name="渡口"),
        way(17, [4, 7], highway="residential ", access__conditional="no @ (22:00-06:00)"),
    )
    read = read_osm(path, CRS)
    assert set(read.roads["road_id"]) == {"w10-1", "w17-1"}
    assert set(read.roads["class"]) == {"residential"}
    said = {row.code: row.values["n"] for row in read.ledger.rows}
    assert said == {"ways_gone": 4, "ways_deleted": 1, "ferries_left_out": 1, "tags_conditional": 1}
    assert "渡口" in next(row.problem("zh") for row in read.ledger.rows if row.code == "ferries_left_out")


def test_ways_in_any_order_and_negative_ids(osm):
    path = osm(way(12, [2, 5], highway="path"), way(-3, [1, 2, 3], highway="path"), way(4, [5, 8], highway="path"))
    read = read_osm(path, CRS)
    assert sorted(read.roads["road_id"]) == ["w-3-1", "w-3-2", "w12-1", "w4-1"]


def test_packed_files_are_roads(osm):
    path = osm(way(10, [1, 2, 3], highway="path"), name="县.osm.gz")
    assert len(import_file(new_study("县", CRS), "roads", path).study.table("roads")) == 1


def test_a_file_made_of_lines_is_joined_by_place(osm):
    nodes = [node(number, 109 + 0.001 * i, 32) for number, i in ((1, 0), (2, 1), (3, 1), (4, 2))]
    read = read_osm(osm(way(10, [1, 2], highway="path"), way(11, [3, 4], highway="path"), nodes=nodes), CRS)
    first, second = read.roads.itertuples()
    assert first.to_node == second.from_node
    assert [row.code for row in read.ledger.rows] == ["nodes_joined"]


def test_missing_nodes_are_those_of_the_files_not_of_the_imports(osm):
    path = osm(way(10, [1, 2, 99], highway="path"))
    study = import_file(new_study("县", CRS), "roads", path).study
    again = import_file(study, "roads", path, ImportOptions(append=True)).study
    assert study.metadata["n_missing_nodes"] == again.metadata["n_missing_nodes"] == 1


def test_the_coast_is_a_barrier(osm):
    read = read_osm(osm(way(10, [1, 2], highway="path"), way(11, [4, 5, 6], natural="coastline")), CRS)
    assert isinstance(read.barriers, gpd.GeoDataFrame)
    assert list(read.barriers["kind"]) == ["sea"]
