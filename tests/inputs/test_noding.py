"""Roads that nobody joined: crossings, ends on a road, ends that stop short, worked out on toy lines."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.errors import InputError
from planner.inputs.options import ImportOptions
from planner.inputs.roads.lines import read_road_lines
from planner.network.build import build_network
from planner.network.components import summary

CRS = "EPSG:32649"
X, Y = 300_000.0, 3_600_000.0


@pytest.fixture
def read(tmp_path):
    """Read lines (coordinates near the origin, class, bridge, tunnel) with options."""

    def run(*lines, **options):
        rows = [
            {"class": "residential", "bridge": "no", "tunnel": "no", **(line[1] if len(line) > 1 else {})}
            for line in lines
        ]
        shapes = [shapely.LineString(np.array(line[0], float) + np.array([X, Y])) for line in lines]
        path = tmp_path / "roads.gpkg"
        gpd.GeoDataFrame(rows, geometry=shapes, crs=CRS).to_file(path)
        return read_road_lines(path, CRS, ImportOptions(**options))

    return run


def pieces(read):
    return summary(build_network(read.roads, CRS))["n_components"]


CROSS = (([(0, 0), (200, 0)],), ([(50, -100), (50, 100)],))


def test_a_crossing_is_told_and_joined_when_asked(read):
    alone = read(*CROSS)
    assert (pieces(alone), alone.counts["n_crossings"]) == (2, 1)
    assert [row.code for row in alone.ledger.rows] == ["crossings_open"]
    joined = read(*CROSS, is_noded=True)
    assert (pieces(joined), len(joined.roads)) == (1, 4)
    assert sorted(joined.roads.length) == pytest.approx([50, 100, 100, 150])
    assert joined.ledger.rows == ()


@pytest.mark.parametrize("marks", [{"bridge": "yes"}, {"tunnel": "yes"}, {"class": "motorway"}])
def test_what_passes_over_or_under_is_not_joined(read, marks):
    found = read(CROSS[0], (CROSS[1][0], marks), is_noded=True)
    assert (pieces(found), found.counts["n_crossings"]) == (2, 0)


def test_a_bridge_is_joined_at_its_own_ends(read):
    """The bridge ends on the road at x = 50 without a vertex there; another road passes under its middle."""
    bridge = ([(50, 0), (50, 100)], {"bridge": "yes"})
    under = ([(0, 60), (200, 60)],)
    found = read(CROSS[0], bridge, under, is_noded=True)
    assert found.counts["n_crossings"] == 1
    assert pieces(found) == 2


def test_an_end_on_a_road(read):
    touch = ([(50, 80), (50, 0)],)
    assert pieces(read(CROSS[0], touch)) == 2
    found = read(CROSS[0], touch, is_noded=True)
    assert (pieces(found), len(found.roads)) == (1, 3)


def test_two_crossings_on_one_segment_stand_in_order(read):
    found = read(([(0, 0), (300, 0)],), ([(200, -9), (200, 9)],), ([(100, -9), (100, 9)],), is_noded=True)
    along = [line.length for line in found.roads.geometry if line.coords[0][1] == line.coords[-1][1]]
    assert along == pytest.approx([100, 100, 100])


def test_three_roads_through_one_point(read):
    found = read(([(-50, 0), (50, 0)],), ([(0, -50), (0, 50)],), ([(-40, -40), (40, 40)],), is_noded=True)
    assert pieces(found) == 1
    assert found.roads.length.sum() == pytest.approx(200 + 80 * 2**0.5)


def test_gaps_are_closed_within_the_tolerance_only(read):
    short = ([(50, 80), (50, 6)],)
    assert pieces(read(CROSS[0], short, gap_m=5)) == 2
    found = read(CROSS[0], short, gap_m=6.5)
    assert (pieces(found), found.counts["n_gaps_closed"]) == (1, 1)
    assert found.roads.length.sum() == pytest.approx(200 + 80)


def test_ends_that_face_each_other_are_joined_once(read):
    found = read(([(0, 0), (100, 0)],), ([(104, 0), (200, 0)],), gap_m=10)
    assert pieces(found) == 1
    assert found.roads.length.sum() == pytest.approx(200)


def test_a_gap_below_a_bridge_stays(read):
    over = ([(0, 0), (200, 0)], {"bridge": "yes"})
    assert pieces(read(over, ([(50, 80), (50, 4)],), gap_m=10)) == 2


@pytest.mark.parametrize("gap_m", [-1.0, 51.0, float("nan")])
def test_gaps_that_nobody_should_close(read, gap_m):
    with pytest.raises(InputError, match="cannot be closed"):
        read(*CROSS, gap_m=gap_m)


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_noding_by_geos(read, seed):
    """Random straight roads: the same pieces and metres as shapely's own noding of the same lines."""
    rng = np.random.default_rng(seed)
    ends = rng.uniform(0, 1000, (25, 2, 2))
    found = read(*(([tuple(a), tuple(b)],) for a, b in ends), is_noded=True)
    noded = shapely.get_parts(shapely.node(shapely.multilinestrings([shapely.LineString(pair) for pair in ends])))
    assert found.roads.length.sum() == pytest.approx(shapely.length(noded).sum())
    assert len(found.roads) == len(noded)


def test_classes_are_shown_with_their_lengths(read):
    found = read(([(0, 0), (1000, 0)], {"class": "神秘路"}), ([(0, 5), (3000, 5)], {"class": "乡道"}),
                 ([(0, 9), (500, 9)], {"class": "乡道"}))  # fmt: skip
    assert found.classes == (
        {"word": "神秘路", "road_class": "unclassified", "n_lines": 1, "length_km": 1.0, "is_known": False},
        {"word": "乡道", "road_class": "tertiary", "n_lines": 2, "length_km": 3.5, "is_known": True},
    )
