"""Edges made into lines on a toy network."""

import numpy as np

from planner.demo.lines import Edges, Steps, _uncrossed, make_lines
from planner.demo.roads import RANK


def _edges(ends, words, xy, oneway=None):
    ends = np.array(ends)
    n = len(ends)
    return Edges(
        np.array(xy, float),
        ends,
        np.array([RANK[word] for word in words]),
        np.full(n, "", object),
        np.zeros(n, bool),
        np.zeros(n, np.int8) if oneway is None else np.array(oneway, np.int8),
    )


def test_runs_end_at_junctions_and_where_the_class_changes():
    """0 - 1 - 2 - 3 with a spur 1 - 4; the last edge is a path: four lines."""
    edges = _edges(
        [(0, 1), (1, 2), (2, 3), (1, 4)], ["街巷", "街巷", "步道", "街巷"], [(0, 0), (9, 0), (9, 9), (20, 9), (9, -9)]
    )
    lines = make_lines(edges, "EPSG:4545")
    assert sorted(lines["class"]) == ["步道", "街巷", "街巷", "街巷"]
    assert lines.length.sum() == 9 + 9 + 11 + 9


def test_a_ring_is_one_line():
    edges = _edges([(0, 1), (1, 2), (2, 0)], ["街巷"] * 3, [(0, 0), (30, 0), (0, 40)])
    (line,) = make_lines(edges, "EPSG:4545").geometry
    assert line.is_ring
    assert line.length == 120.0


def test_one_way_edges_keep_their_direction():
    edges = _edges([(1, 0), (1, 2)], ["街巷"] * 2, [(0, 0), (10, 0), (20, 0)], oneway=[1, 0])
    lines = make_lines(edges, "EPSG:4545")
    forward = lines[lines["oneway"] == "forward"].geometry.iloc[0]
    assert list(forward.coords) == [(10.0, 0.0), (0.0, 0.0)]


def test_crossing_diagonals_meet_at_a_corner():
    """Cells 0 1 / 2 3: the steps 0-3 and 1-2 cross; 1-2 goes around by 0."""
    steps = Steps(np.array([0, 1]), np.array([3, 2]), np.array([2, 5]), np.array(["a", "b"], object))
    out = _uncrossed(steps, columns=2, n_cells=4)
    pairs = {tuple(sorted(pair)) for pair in zip(out.first.tolist(), out.second.tolist(), strict=True)}
    assert pairs == {(0, 3), (0, 1), (0, 2)}
