import numpy as np
import pytest
import shapely

from planner.coverage.spine import spine_of


def line(*xy):
    return shapely.LineString(xy)


def test_pieces_become_one_line_from_the_west():
    spine = spine_of([line((200, 0), (100, 0)), line((0, 0), (100, 0))])
    assert list(spine.coords) == [(0, 0), (100, 0), (200, 0)]


def test_branches_are_left_out():
    """Of a T with arms of 300, 200 and 50 the way is the two long arms."""
    spine = spine_of([line((0, 0), (300, 0)), line((300, 0), (500, 0)), line((300, 0), (300, 50))])
    assert spine.length == pytest.approx(500)


def test_a_gap_is_bridged_at_the_nearer_ends():
    spine = spine_of([line((1000, 0), (600, 0)), line((0, 0), (400, 0)), line((1300, 0), (1500, 0))])
    assert [x for x, _ in spine.coords] == [0, 400, 600, 1000, 1300, 1500]


def test_the_other_carriageway_is_no_continuation():
    spine = spine_of([line((0, 0), (1000, 0)), line((1000, 20), (0, 20))])
    assert spine.length == pytest.approx(1000)


def test_two_ways_between_the_same_ends():
    """The shorter of two ways round an island counts: 100 + 100 + 100."""
    spine = spine_of([
        line((0, 0), (100, 0)), line((100, 0), (200, 0)), line((100, 0), (150, 80), (200, 0)), line((200, 0), (300, 0)),
    ])  # fmt: skip
    assert spine.length == pytest.approx(300)


def test_a_ring_is_followed_all_round():
    ring = line((0, 0), (100, 0), (100, 100), (0, 100), (0, 0))
    assert spine_of([ring]).length == pytest.approx(400)


def test_no_line_gives_none():
    assert spine_of([]).is_empty
    assert spine_of([line((5, 5), (5, 5))]).is_empty


@pytest.mark.parametrize("seed", range(5))
def test_on_a_tree_no_two_ends_are_further_apart(seed):
    rng = np.random.default_rng(seed)
    nodes = rng.uniform(0, 10_000, (30, 2))
    edges = [(int(rng.integers(0, i)), i) for i in range(1, 30)]
    # Edges that cross would be joined there: compare with a graph noded in the same way.
    drawn = shapely.get_parts(shapely.union_all([line(nodes[a], nodes[b]) for a, b in edges]))
    assert spine_of(list(drawn)).length <= max(_all_pairs(drawn)) + 1e-6


def _all_pairs(parts):
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    ends = np.array([(p.coords[0], p.coords[-1]) for p in parts]).reshape(-1, 2).round(3)
    nodes, number = np.unique(ends, axis=0, return_inverse=True)
    a, b = number.reshape(-1, 2).T
    graph = coo_array(([p.length for p in parts], (a, b)), shape=(len(nodes),) * 2)
    distance = dijkstra(graph.tocsr(), directed=False)
    return distance[np.isfinite(distance)]
