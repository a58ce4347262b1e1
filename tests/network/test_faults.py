import pytest

from planner.network.faults import road_faults
from tests.reference.towns import TOWNS, town


def faults(*streets, near_m=30.0):
    table = road_faults(town(*streets), near_m)
    return [(r.kind, r.road_id, r.other_road_id, r.gap_m, (r.geometry.x, r.geometry.y)) for r in table.itertuples()]


def street(*xy, road_class="residential", **options):
    return (list(xy), road_class, options)


def test_an_end_that_stops_short():
    """The side street ends 12 m below the main road; both ends of the main road are dead ends, far from everything."""
    found = faults(street((0, 0), (500, 0)), street((200, -300), (200, -12)))
    assert found == [("dangling", "r1", "r0", 12.0, (200, -12))]


def test_an_end_on_a_road_without_a_shared_vertex():
    assert faults(street((0, 0), (500, 0)), street((200, -300), (200, 0))) == [("dangling", "r1", "r0", 0.0, (200, 0))]


def test_beyond_the_distance_nothing_is_said():
    assert faults(street((0, 0), (500, 0)), street((200, -300), (200, -31))) == []


def test_two_ends_that_face_each_other():
    found = faults(street((0, 0), (100, 0)), street((110, 0), (200, 0)))
    assert [(kind, road, gap) for kind, road, _, gap, _ in found] == [
        ("dangling", "r0", 10.0),
        ("dangling", "r1", 10.0),
    ]


def test_crossings_without_a_vertex():
    cross = (street((0, 0), (200, 0)), street((100, -90), (100, 110)))
    assert faults(*cross) == [("crossing", "r0", "r1", 0.0, (100, 0))]
    bridge = street((100, -90), (100, 110), bridge=True)
    assert faults(cross[0], bridge) == []
    assert faults(cross[0], street((100, -90), (100, 110), road_class="motorway")) == []


@pytest.mark.parametrize("make", TOWNS.values())
def test_towns_that_are_joined_have_none(make):
    assert not len(road_faults(make()))


def test_the_other_end_of_a_short_stub_is_no_neighbour():
    """A 10 m stub: its free end is 10 m from the road that it is joined to."""
    assert faults(street((0, 0), (100, 0), (200, 0)), street((100, 0), (100, 10))) == []
