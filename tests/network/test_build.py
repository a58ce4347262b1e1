import numpy as np
import pytest
import shapely

from planner.errors import CrsError, InputError
from planner.network.build import build_network
from planner.network.components import summary
from planner.network.contract import hilbert_index
from tests.reference.towns import CRS, TOWNS, corridor, diamond, islands, loop, one_way, town


def chains_are_sound(network):
    first = network.chain_first_edge
    assert first[0] == 0
    assert first[-1] == network.n_edges
    assert (np.diff(first) > 0).all()
    np.testing.assert_array_equal(np.repeat(np.arange(network.n_chains), np.diff(first)), network.edge_chain)
    inner = np.setdiff1d(np.arange(1, network.n_edges), first)
    np.testing.assert_array_equal(network.edge_to[inner - 1], network.edge_from[inner])
    np.testing.assert_array_equal(network.edge_from[first[:-1]], network.junction_node[network.chain_from])
    np.testing.assert_array_equal(network.edge_to[first[1:] - 1], network.junction_node[network.chain_to])
    for column in (network.edge_class, network.edge_oneway, *network.edge_access.T):
        np.testing.assert_array_equal(column, column[first[:-1]][network.edge_chain])
    assert (network.chain_from <= network.chain_to).all()


@pytest.mark.parametrize("name", TOWNS)
def test_every_vertex_is_a_node_and_every_segment_an_edge(name):
    roads = TOWNS[name]()
    network = build_network(roads, CRS)
    points = {point for line in roads.geometry for point in line.coords}
    assert network.n_nodes == len(points)
    assert network.n_edges == sum(len(line.coords) - 1 for line in roads.geometry)
    assert set(zip(network.x, network.y, strict=True)) == points
    assert network.edge_length_m.sum() == pytest.approx(roads.length.sum())
    chains_are_sound(network)


def test_a_corridor_is_one_chain():
    network = build_network(corridor(), CRS)
    assert (network.n_nodes, network.n_edges, network.n_chains, network.n_junctions) == (4, 3, 1, 2)


def test_a_chain_runs_on_over_links_of_one_kind_and_breaks_where_the_class_changes():
    roads = town(([(0, 0), (1, 0)], "path", {}), ([(2, 0), (1, 0)], "path", {}), ([(2, 0), (3, 0)], "steps", {}))
    network = build_network(roads, CRS)
    assert network.n_chains == 2
    chains_are_sound(network)


def test_one_way_links_join_only_in_the_same_sense():
    head_to_tail = town(
        ([(0, 0), (1, 0)], "path", {"oneway": "forward"}), ([(2, 0), (1, 0)], "path", {"oneway": "backward"})
    )
    assert build_network(head_to_tail, CRS).n_chains == 1
    head_to_head = town(
        ([(0, 0), (1, 0)], "path", {"oneway": "forward"}), ([(2, 0), (1, 0)], "path", {"oneway": "forward"})
    )
    assert build_network(head_to_head, CRS).n_chains == 2


def test_an_isolated_ring_is_a_loop_at_its_south_westernmost_shared_vertex():
    ring = town(([(0, 0), (5, 5), (9, 0)], "path", {}), ([(0, 0), (5, -5), (9, 0)], "path", {}))
    network = build_network(ring, CRS)
    assert network.n_chains == 1
    assert network.chain_from[0] == network.chain_to[0]
    node = network.junction_node[network.chain_from[0]]
    assert (network.x[node], network.y[node]) == (0, 0)
    chains_are_sound(network)


def test_a_ring_of_one_link():
    network = build_network(town(([(0, 0), (5, 5), (9, 0), (0, 0)], "path", {})), CRS)
    assert (network.n_nodes, network.n_edges, network.n_chains) == (3, 3, 1)
    chains_are_sound(network)


@pytest.mark.parametrize("make", [loop, one_way, diamond])
def test_the_order_of_the_rows_does_not_change_the_contraction(make):
    roads = make()
    one = build_network(roads, CRS)
    for seed in range(5):
        mixed = roads.sample(frac=1, random_state=seed).reset_index(drop=True)
        other = build_network(mixed, CRS)
        np.testing.assert_array_equal(one.chain_from, other.chain_from)
        np.testing.assert_array_equal(one.chain_to, other.chain_to)
        np.testing.assert_array_equal(one.x[one.edge_from], other.x[other.edge_from])
        np.testing.assert_array_equal(one.y[one.edge_to], other.y[other.edge_to])
        np.testing.assert_array_equal(one.edge_oneway, other.edge_oneway)


def test_a_long_chain_of_many_links_keeps_its_order():
    rng = np.random.default_rng(0)
    links = [([(i, 0), (i + 1, 0)] if rng.random() < 0.5 else [(i + 1, 0), (i, 0)], "path", {}) for i in range(200)]
    rng.shuffle(links)
    network = build_network(town(*links), CRS)
    assert network.n_chains == 1
    np.testing.assert_array_equal(np.abs(np.diff(network.x[network.edge_from])), 1)
    chains_are_sound(network)


def test_islands_are_numbered_by_size():
    network = build_network(islands(), CRS)
    assert summary(network) == {
        "n_nodes": 5, "n_edges": 3, "length_m": 300.0, "n_components": 2, "largest_component_share": 0.6,
    }  # fmt: skip
    np.testing.assert_array_equal(network.component[network.y == 0], 0)


def test_the_hilbert_curve_visits_neighbours_one_after_the_other():
    x, y = (axis.ravel().astype(float) for axis in np.meshgrid(np.arange(16), np.arange(16)))
    order = np.argsort(hilbert_index(x * 4097, y * 4097))
    steps = np.hypot(np.diff(x[order]), np.diff(y[order]))
    np.testing.assert_array_equal(steps, 1.0)


def test_without_roads_the_message_says_how_to_import_some():
    with pytest.raises(InputError, match="planner import"):
        build_network(corridor().iloc[:0], CRS)


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="from_node"):
        build_network(corridor().drop(columns="from_node"), CRS)


def test_an_empty_line_is_named():
    roads = diamond()
    roads.loc[1, "geometry"] = shapely.LineString()
    with pytest.raises(InputError, match="r1"):
        build_network(roads, CRS)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32650"])
def test_another_or_a_geographic_crs_is_refused(crs):
    with pytest.raises(CrsError):
        build_network(corridor(), crs)


def test_flags_may_be_blank_or_absent():
    roads = corridor().drop(columns=["bridge", "oneway", "foot"])
    roads["tunnel"] = None
    network = build_network(roads, CRS)
    assert not network.edge_is_level.any()
    assert not network.edge_oneway.any()
