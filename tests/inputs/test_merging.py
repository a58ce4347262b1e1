"""An official layer laid over the roads that are there: toy roads by hand, and a real network laid over itself."""

import numpy as np
import pytest

from planner.inputs.roads.merging import merge_roads
from planner.network.build import build_network
from planner.network.components import summary
from tests.reference.real_data import NETWORKS, require
from tests.reference.towns import CRS, town


def roads(*streets):
    table = town(*((list(xy), kind[0] if kind else "residential", {}) for xy, *kind in streets))
    return table.assign(name=None)


def pieces(merged):
    return summary(build_network(merged.roads, CRS))


UNDER = roads(
    ([(0, 0), (500, 0), (1000, 0)], "tertiary"),
    ([(500, 0), (500, 400)],),
    ([(0, 8), (1000, 8)], "footway"),
)


def test_a_double_is_kept_once_and_its_side_road_joined_on():
    """The official road runs 5 m south: the tertiary road goes, the side road is drawn on to it, the footway stays."""
    over = roads(([(0, -5), (1000, -5)], "secondary"))
    merged = merge_roads(over, UNDER)
    assert merged.counts["n_double_km"] == pytest.approx(1.0)
    assert merged.counts["n_attached"] == 1
    by_class = merged.roads.length.groupby(merged.roads["class"]).sum()
    assert by_class.to_dict() == pytest.approx({"secondary": 1000, "residential": 405, "footway": 1000})
    assert len(merged.roads[merged.roads["class"] == "secondary"]) == 2
    assert merged.roads["road_id"].is_unique


def test_what_only_one_layer_has_stays():
    """Beyond x = 600 the official layer ends: there the old road goes on, joined to its end."""
    merged = merge_roads(roads(([(0, -5), (600, -5)], "secondary")), UNDER)
    kept = merged.roads[merged.roads["class"] == "tertiary"]
    assert kept.length.sum() == pytest.approx(400, abs=25)
    assert pieces(merged)["n_components"] == 2  # the footway joins nothing in this world


def test_roads_of_the_two_that_cross_are_joined_but_for_bridges():
    across = roads(([(250, -300), (250, 300)], "secondary"))
    assert merge_roads(across, UNDER).counts["n_crossings"] == 2
    assert merge_roads(across.assign(bridge=True), UNDER).counts["n_crossings"] == 0


def test_a_road_beside_another_or_across_it_is_no_double():
    beside = merge_roads(roads(([(0, -20), (1000, -20)],)), UNDER)
    assert beside.counts["n_double_km"] == 0
    across = merge_roads(roads(([(500, -50), (500, 450)],)), roads(([(0, 0), (1000, 0)],)))
    assert across.counts["n_double_km"] == 0


def test_short_stretches_follow_their_neighbours():
    """Two roads that come near for 20 m only are two roads."""
    over = roads(([(0, 100), (480, 100), (490, 5), (510, 5), (520, 100), (1000, 100)],))
    assert merge_roads(over, UNDER).counts["n_double_km"] == 0


def test_one_way_roads_keep_their_direction():
    one_way = roads(([(0, 0), (1000, 0)],)).assign(oneway="forward")
    merged = merge_roads(roads(([(0, -5), (500, -5)],)), one_way)
    kept = merged.roads[merged.roads["oneway"] == "forward"]
    assert all(line.coords[0][0] < line.coords[-1][0] for line in kept.geometry)
    assert kept.length.sum() == pytest.approx(500, abs=25)


@pytest.mark.parametrize("name", ["guixi", "nanshan"])
def test_a_network_over_itself_is_itself(name):
    from planner.inputs.roads.osm import read_osm

    crs = NETWORKS[name][1]
    network = read_osm(require(NETWORKS[name][0]), crs).roads
    before, after = (summary(build_network(r, crs)) for r in (network, merge_roads(network, network).roads))
    assert after == before


def test_nothing_over_something_and_something_over_nothing():
    nothing = UNDER.iloc[:0]
    for merged in (merge_roads(nothing, UNDER), merge_roads(UNDER, nothing)):
        assert merged.roads.length.sum() == pytest.approx(UNDER.length.sum())
        assert np.unique(merged.roads[["from_node", "to_node"]]).size == np.unique(UNDER[["from_node", "to_node"]]).size
