"""OSM extracts against hand-worked toy files and against a bare pyosmium pass over the real ones."""

import bz2
import contextlib
import gzip
import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from shapely.testing import assert_geometries_equal

from planner.crs import WGS84, transform
from planner.errors import CancelledError, CrsError, InputError
from planner.inputs.roads import osm as osm_module
from planner.inputs.roads.osm import NO_ROADS, read_osm
from planner.progress import Cancellable
from tests.reference.real_data import NETWORKS, require

osmium = pytest.importorskip("osmium")

CRS = "EPSG:32649"


def node(number, lon, lat):
    return f'<node id="{number}" version="1" lon="{lon}" lat="{lat}"/>'


def way(number, refs, **tags):
    body = "".join(f'<nd ref="{ref}"/>' for ref in refs)
    body += "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{number}" version="1">{body}</way>'


# Nine nodes on a 3 x 3 grid of about 100 m; 1 2 3 in the south, 7 8 9 in the north.
GRID = [node(1 + 3 * j + i, 109 + 0.001 * i, 32 + 0.001 * j) for j in range(3) for i in range(3)]


@pytest.fixture
def osm(tmp_path):
    """Write nodes and ways as an .osm file and return its path."""

    def write(*elements, name="县.osm", nodes=GRID):
        path = tmp_path / name
        path.write_text(f'<osm version="0.6">{"".join((*nodes, *elements))}</osm>', encoding="utf-8")
        return path

    return write


def one(read):
    assert len(read.roads) == 1
    return read.roads.iloc[0]


def test_ways_are_split_where_they_meet(osm):
    # 1-2-3 crosses 2-5-8 at 2; 5 stays inside the second.
    read = read_osm(osm(way(10, [1, 2, 3], highway="residential"), way(11, [2, 5, 8], highway="footway")), CRS)
    ends = [(row.road_id, row.from_node, row.to_node, len(row.geometry.coords)) for row in read.roads.itertuples()]
    assert ends == [("w10-1", 1, 2, 2), ("w10-2", 2, 3, 2), ("w11-1", 2, 8, 3)]
    assert read.counts["n_ways"] == 2
    assert read.counts["n_segments"] == 4
    assert read.counts["n_vertices"] == 5
    assert read.roads.crs == CRS
    assert (read.ledger.rows_in, read.ledger.rows_accepted) == (2, 2)


def test_coordinates_are_those_of_the_file(osm):
    road = one(read_osm(osm(way(10, [1, 5, 9], highway="path")), CRS))
    x, y = transform([109.0, 109.001, 109.002], [32.0, 32.001, 32.002], WGS84, CRS)
    np.testing.assert_allclose(np.array(road.geometry.coords), np.column_stack([x, y]), atol=1e-6)


def test_closed_way_stays_whole_and_is_counted(osm):
    read = read_osm(osm(way(10, [1, 2, 5, 4, 1], highway="residential")), CRS)
    road = one(read)
    assert road.from_node == road.to_node == 1
    assert read.counts["n_self_loops"] == 1


def test_figure_of_eight_is_split_at_its_waist(osm):
    read = read_osm(osm(way(10, [1, 2, 5, 6, 9, 8, 5, 4, 1], highway="path")), CRS)
    assert sorted(zip(read.roads["from_node"], read.roads["to_node"], strict=True)) == [(1, 5), (5, 1), (5, 5)]


def test_missing_nodes_break_a_way_and_are_never_bridged(osm):
    read = read_osm(osm(way(10, [1, 2, 99, 98, 3, 6], highway="residential")), CRS)
    assert list(zip(read.roads["from_node"], read.roads["to_node"], strict=True)) == [(1, 2), (3, 6)]
    assert read.counts["n_missing_nodes"] == 2
    (finding,) = read.ledger.rows
    assert (finding.row, finding.is_refused) == (1, False)
    assert "10" in finding.problem("en")


def test_a_way_without_any_place_is_refused(osm):
    path = osm(way(10, [99, 98], highway="path"), way(11, [1], highway="path"), way(12, [1, 2], highway="path"))
    read = read_osm(path, CRS)
    assert (read.ledger.rows_in, read.ledger.rows_refused, len(read.roads)) == (3, 2, 1)
    assert [finding.row for finding in read.ledger.rows] == [1, 2]
    assert all(finding.problem("zh") and finding.repair("en") for finding in read.ledger.rows)


def test_ways_before_nodes_as_overpass_writes_them(osm):
    read = read_osm(osm(*reversed(GRID), nodes=[way(10, [1, 2, 3], highway="path")]), CRS)
    assert read.counts["n_missing_nodes"] == 0
    assert len(one(read).geometry.coords) == 3


def test_negative_ids_of_an_editor(osm):
    nodes = [node(-1, 109, 32), node(-2, 109.001, 32), node(-3, 109.002, 32)]
    read = read_osm(osm(way(-10, [-1, -2, -3], highway="path"), nodes=nodes), CRS)
    assert (one(read).from_node, one(read).to_node) == (-1, -3)


def test_repeated_node_is_dropped(osm):
    read = read_osm(osm(way(10, [1, 2, 2, 3], highway="path")), CRS)
    assert [(f.row, f.code, f.values["way"]) for f in read.ledger.rows] == [(1, "way_zero_length", 10)]
    assert len(one(read).geometry.coords) == 3
    assert read.counts["n_zero_length"] == 1


def test_many_repaired_ways_are_cut_and_counted(osm, monkeypatch):
    monkeypatch.setattr(osm_module, "MAX_LISTED", 1)
    ways = [way(10 + i, [1 + i, 2 + i, 2 + i], highway="path") for i in range(2)]
    read = read_osm(osm(*ways), CRS)
    assert [(f.row, f.code, f.values["n"]) for f in read.ledger.rows] == [
        (0, "way_zero_length_more", 1), (1, "way_zero_length", 1),
    ]  # fmt: skip
    assert all(f.problem("zh") and f.repair("en") for f in read.ledger.rows)


def test_two_nodes_at_one_place_become_one(osm):
    # 2 and 20 lie on each other: the way 20-5 must stay connected with 1-2.
    nodes = [*GRID, node(20, 109.001, 32)]
    read = read_osm(osm(way(10, [1, 2, 20, 3], highway="path"), way(11, [20, 5], highway="path"), nodes=nodes), CRS)
    assert sorted(zip(read.roads["from_node"], read.roads["to_node"], strict=True)) == [(1, 2), (2, 3), (2, 5)]
    assert read.counts["n_zero_length"] == 1


def test_copies_of_a_segment(osm):
    same = read_osm(osm(way(10, [1, 2, 3], highway="path"), way(11, [3, 2], highway="path")), CRS)
    assert len(same.roads) == 2
    assert same.counts["n_duplicate_segments"] == 1
    (finding,) = same.ledger.rows
    assert (finding.row, finding.code, finding.values, finding.is_refused) == (
        2, "way_duplicate", {"way": 11, "n": 1}, False,
    )  # fmt: skip
    assert "11" in finding.problem("zh")
    assert same.ledger.rows_refused == 0
    other = read_osm(osm(way(10, [1, 2, 3], highway="path"), way(11, [3, 2], highway="steps")), CRS)
    assert len(other.roads) == 3
    both_ways = read_osm(
        osm(way(10, [1, 2], highway="primary", oneway="yes"), way(11, [2, 1], highway="primary", oneway="yes")), CRS
    )
    assert len(both_ways.roads) == 2


def test_there_and_back_on_one_way(osm):
    read = read_osm(osm(way(10, [1, 2, 3, 2], highway="path")), CRS)
    assert sorted(zip(read.roads["from_node"], read.roads["to_node"], strict=True)) == [(1, 2), (2, 3)]


@pytest.mark.parametrize("value", sorted(NO_ROADS))
def test_no_roads_are_left_out(osm, value):
    path = osm(
        way(10, [1, 2], highway=value),
        way(11, [4, 5], highway="path"),
        way(12, [7, 8, 9, 7], highway="service", area="yes"),
    )
    read = read_osm(path, CRS)
    assert len(read.roads) == 1
    assert read.counts["n_ways_left_out"] == 2


@pytest.mark.parametrize(
    ("tags", "foot", "bicycle", "motor"),
    [
        ({}, None, None, None),
        ({"access": "private"}, "no", "no", "no"),
        ({"access": "no", "foot": "yes"}, "yes", "no", "no"),
        ({"access": "yes"}, None, None, None),
        ({"access": "destination"}, None, None, None),
        ({"vehicle": "no"}, None, "no", "no"),
        ({"vehicle": "no", "bicycle": "yes"}, None, "yes", "no"),
        ({"vehicle": "no", "motor_vehicle": "yes"}, None, "no", "yes"),
        ({"motor_vehicle": "no"}, None, None, "no"),
        ({"motor_vehicle": "no", "motorcar": "yes"}, None, None, "yes"),
        ({"motor_vehicle": "agricultural"}, None, None, "no"),
        ({"foot": "designated", "bicycle": "dismount"}, "yes", "no", None),
        ({"sidewalk": "both"}, "yes", None, None),
        ({"sidewalk": "both", "foot": "no"}, "no", None, None),
        ({"sidewalk": "both", "access": "private"}, "no", "no", "no"),
        ({"motorroad": "yes"}, "no", "no", None),
        ({"motorroad": "yes", "foot": "yes"}, "yes", "no", None),
    ],
)
def test_access_hierarchy(osm, tags, foot, bicycle, motor):
    road = one(read_osm(osm(way(10, [1, 2], highway="tertiary", **tags)), CRS))
    found = [None if pd.isna(value) else value for value in (road.foot, road.bicycle, road.motor)]
    assert found == [foot, bicycle, motor]


def test_classes_that_close_themselves(osm):
    road = one(read_osm(osm(way(10, [1, 2], highway="via_ferrata")), CRS))
    assert (road.foot, road.bicycle, road.motor) == ("no", "no", "no")


@pytest.mark.parametrize(
    ("tags", "oneway"),
    [
        ({"highway": "primary"}, "no"),
        ({"highway": "primary", "oneway": "yes"}, "forward"),
        ({"highway": "primary", "oneway": "1"}, "forward"),
        ({"highway": "primary", "oneway": "-1"}, "backward"),
        ({"highway": "primary", "oneway": "reversible"}, "no"),
        ({"highway": "primary", "junction": "roundabout"}, "forward"),
        ({"highway": "primary", "junction": "roundabout", "oneway": "no"}, "no"),
        ({"highway": "motorway"}, "forward"),
        ({"highway": "motorway", "oneway": "no"}, "no"),
        ({"highway": "motorway_link"}, "no"),
    ],
)
def test_oneway(osm, tags, oneway):
    assert one(read_osm(osm(way(10, [1, 2], **tags)), CRS)).oneway == oneway


def test_bridge_tunnel_and_name(osm):
    path = osm(way(10, [1, 2], highway="path", bridge="viaduct", tunnel="no", name="汉江大桥"))
    road = one(read_osm(path, CRS))
    assert (road.bridge, road.tunnel, road["name"]) == (True, False, "汉江大桥")


def test_barriers(osm):
    nodes = [
        *GRID,
        *(
            node(30 + i, 109.01 + x, 32.01 + y)
            for i, (x, y) in enumerate([(0, 0), (0.003, 0), (0.003, 0.003), (0, 0.003)])
        ),
    ]
    read = read_osm(
        osm(
            way(10, [1, 2], highway="path"),
            way(11, [1, 4, 7], waterway="river", name="汉江"),
            way(12, [2, 5], railway="rail"),
            way(13, [5, 8], railway="rail", bridge="yes"),
            way(14, [3, 6], highway="motorway"),
            way(15, [6, 9], highway="motorway", tunnel="yes"),
            way(16, [1, 5], waterway="stream"),
            way(17, [30, 31, 32, 33, 30], natural="water"),
            way(18, [1, 2, 5, 4, 1], natural="wood"),
            nodes=nodes,
        ),
        CRS,
    )
    found = Counter(zip(read.barriers["kind"], read.barriers.geom_type, strict=True))
    assert found == {
        ("river", "LineString"): 1,
        ("river", "MultiPolygon"): 1,
        ("railway", "LineString"): 1,
        ("motorway", "LineString"): 1,
    }
    assert read.barriers["barrier_id"].is_unique
    assert read.barriers.crs == CRS


def test_small_water_is_no_barrier(osm):
    # 94 m x 55 m, half a hectare
    nodes = [
        *GRID,
        *(node(30 + i, 109 + x, 32 + y) for i, (x, y) in enumerate([(0, 0), (0.001, 0), (0.001, 0.0005), (0, 0.0005)])),
    ]
    path = osm(way(10, [1, 2], highway="path"), way(17, [30, 31, 32, 33, 30], natural="water"), nodes=nodes)
    assert len(read_osm(path, CRS).barriers) == 0


def test_antimeridian(osm):
    nodes = [node(1, 179.999, -17), node(2, -179.999, -17), node(3, -179.997, -17)]
    read = read_osm(osm(way(10, [1, 2, 3], highway="path"), nodes=nodes), "EPSG:32760")
    assert read.counts["n_torn_segments"] == 0
    assert one(read).geometry.length == pytest.approx(425, rel=0.01)


def test_a_node_far_from_its_way_tears_it(osm):
    nodes = [node(1, 109, 32), node(2, 109.001, 32), node(3, 111.2, 32)]
    torn = read_osm(osm(way(10, [1, 2, 3], highway="path"), nodes=nodes), CRS)
    assert torn.counts["n_torn_segments"] == 1
    assert one(torn).geometry.length < 100


@pytest.mark.parametrize(("suffix", "opener"), [(".osm.gz", gzip.open), (".osm.bz2", bz2.open)])
def test_compressed_xml(osm, tmp_path, suffix, opener):
    plain = osm(way(10, [1, 2, 3], highway="path"))
    packed = tmp_path / f"packed{suffix}"
    with opener(packed, "wb") as file:
        file.write(plain.read_bytes())
    assert_geometries_equal(read_osm(plain, CRS).roads.geometry.array, read_osm(packed, CRS).roads.geometry.array)


def write_pbf(path, n_nodes=20_000):
    writer = osmium.SimpleWriter(str(path))
    for i in range(n_nodes):
        writer.add_node(osmium.osm.mutable.Node(id=i + 1, location=(109 + 1e-5 * (i * 7919 % 9973), 32 + 1e-5 * i)))
    writer.add_way(osmium.osm.mutable.Way(id=1, nodes=list(range(1, 200)), tags={"highway": "path"}))
    writer.close()
    return path


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9])
def test_truncated_pbf_is_one_error(tmp_path, share):
    whole = write_pbf(tmp_path / "whole.osm.pbf").read_bytes()
    path = tmp_path / "cut.osm.pbf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="cut"):
        read_osm(path, CRS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.osm.pbf", bytes(range(256)) * 40),
        ("text.osm.pbf", b"road,class\n1,2\n"),
        ("broken.osm", b"<osm version='0.6'><node id='1' lat='x' lon='2'/></osm>"),
        ("half.osm", b"<osm version='0.6'><node id='1' lat='32' lon="),
        ("page.osm", b"<html><body>503</body></html>"),
        ("empty.osm", b""),
        ("not_gzip.osm.gz", b"plain"),
        ("strange.xyz", b"<osm/>"),
    ],
)
def test_bad_files_are_one_error(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.stem.split(".")[0]):
        read_osm(path, CRS)


def test_flipped_bytes_never_end_in_a_traceback(tmp_path):
    whole = bytearray(write_pbf(tmp_path / "whole.osm.pbf", 2_000).read_bytes())
    rng = np.random.default_rng(7)
    path = tmp_path / "flipped.osm.pbf"
    for _ in range(60):
        damaged = whole.copy()
        for at in rng.integers(0, len(whole), 4):
            damaged[at] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            read_osm(path, CRS)


def test_no_roads_at_all(osm, tmp_path):
    with pytest.raises(InputError, match="no road"):
        read_osm(osm(way(10, [1, 2], waterway="river")), CRS)
    with pytest.raises(InputError, match="no road"):
        read_osm(osm(nodes=[]), CRS)
    with pytest.raises(InputError, match="does not exist"):
        read_osm(tmp_path / "gone.osm", CRS)


def test_all_nodes_missing(osm):
    with pytest.raises(InputError, match="place"):
        read_osm(osm(way(10, [91, 92, 93], highway="path")), CRS)


def test_extract_of_another_country(osm):
    with pytest.raises(InputError, match="EPSG:4545"):
        read_osm(osm(way(10, [1, 2], highway="path")), "EPSG:32631")


def test_geographic_crs_is_refused(osm):
    with pytest.raises(CrsError):
        read_osm(osm(way(10, [1, 2], highway="path")), "EPSG:4326")


def test_progress_can_cancel(osm):
    progress = Cancellable()
    progress.cancel()
    with pytest.raises(CancelledError):
        read_osm(osm(way(10, [1, 2], highway="path")), CRS, progress)


def bare(path):
    """Ways, occurrences of nodes without a place, and the set of segments, by a pass that shares no code with ours."""
    n_ways = n_missing = 0
    segments = Counter()
    walkable = 0
    items = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for item in items.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)):
        if "highway" not in item.tags:
            continue
        if item.tags["highway"] in NO_ROADS or item.tags.get("area") == "yes":
            continue
        n_ways += 1
        nodes = [(n.ref if n.location.valid() else None) for n in item.nodes]
        n_missing += nodes.count(None)
        for a, b in itertools.pairwise(nodes):
            if a is not None and b is not None and a != b:
                segments[frozenset((a, b))] += 1
                foot, access = item.tags.get("foot"), item.tags.get("access")
                walkable += foot not in ("no", "private") and (access not in ("no", "private") or foot is not None)
    return n_ways, n_missing, segments, walkable


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "wuhan"])
def test_real_extracts_agree_with_a_bare_pass(name):
    path, crs = require(NETWORKS[name][0]), NETWORKS[name][1]
    read = read_osm(path, crs)
    n_ways, n_missing, segments, walkable = bare(path)
    # The highways are all there; piers, platforms, plazas and the stubs at barriers come on top.
    assert read.counts["n_ways"] - read.counts["n_plazas"] == pytest.approx(n_ways, rel=0.01)
    assert read.counts["n_missing_nodes"] >= n_missing
    n_vertices = len(frozenset().union(*segments))
    assert n_vertices <= read.counts["n_vertices"] < 1.25 * n_vertices
    kept = sum(len(line.coords) - 1 for line in read.roads.geometry)
    assert kept == read.counts["n_segments"]
    assert len(segments) <= kept < 1.5 * sum(segments.values())
    assert read.ledger.rows_in == read.counts["n_ways"]
    if name == "andorra":
        # The hierarchy opens private roads that say foot=yes; a count that ignores it has 140,137.
        pieces = read.roads.geometry.count_coordinates() - 1
        assert pieces[(read.roads["foot"] != "no")].sum() == pytest.approx(walkable, rel=0.01)
        assert walkable == pytest.approx(140_137, rel=0.01)
    shared = Counter(np.concatenate([read.roads["from_node"], read.roads["to_node"]]).tolist())
    assert read.roads["road_id"].is_unique
    assert (read.roads.geometry.length > 0).all()
    assert max(shared.values()) > 2
