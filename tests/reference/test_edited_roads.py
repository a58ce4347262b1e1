import pytest
import shapely

from planner.network.build import build_network
from planner.network.components import summary
from tests.reference.edited_roads import add_bridge, change_class, close_road
from tests.reference.towns import CRS, corridor, islands


def test_closing_a_segment_in_the_middle_cuts_the_street_in_two():
    roads = corridor()
    figures = summary(build_network(close_road(roads, "r0", 1), CRS))
    assert (figures["n_components"], figures["n_edges"], figures["length_m"]) == (2, 2, 200)
    assert len(roads) == 1


@pytest.mark.parametrize("segment", [0, 2])
def test_closing_a_segment_at_an_end_shortens_the_street(segment):
    figures = summary(build_network(close_road(corridor(), "r0", segment), CRS))
    assert (figures["n_components"], figures["length_m"]) == (1, 200)


def test_closing_a_whole_road():
    assert len(close_road(islands(), "r1")) == 1


def test_a_class_changes():
    network = build_network(change_class(islands(), "r0", "steps"), CRS)
    assert network.classes == ("residential", "steps")


def test_a_footbridge_joins_two_islands():
    roads = islands()
    bridged = add_bridge(roads, shapely.LineString([(130, 5), (140, 2500), (0, 4990)]), "new")
    network = build_network(bridged, CRS)
    figures = summary(network)
    assert figures["n_components"] == 1
    assert figures["n_edges"] == 3 + 2 + 1  # the one street is split where the bridge meets it
    assert network.edge_is_level.sum() == 2
    assert (130, 0) in set(zip(network.x, network.y, strict=True))
    assert len(roads) == 2


def test_nonsense_is_refused():
    roads = corridor()
    with pytest.raises(ValueError, match="no road 'x'"):
        close_road(roads, "x")
    with pytest.raises(ValueError, match="3 segments"):
        close_road(roads, "r0", 3)
    with pytest.raises(ValueError, match="already"):
        add_bridge(roads, shapely.LineString([(0, 0), (300, 0)]), "r0")
    with pytest.raises(ValueError, match="one spot"):
        add_bridge(roads, shapely.LineString([(0, 5), (0, 9)]), "new")
