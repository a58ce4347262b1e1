"""Nodes and areas of OpenStreetMap that decide who passes: barrier nodes stop a mode, plazas are walked across.

A barrier node becomes stubs of at most a metre on every road that meets in it, closed to whom it stops: no length is
lost, and whoever it does not stop passes as before. A plaza is walked along its outline and straight across between its
entrances, as far as the straight line stays inside.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.inputs.roads.tags import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from planner.inputs.roads.tags import Attributes

STUB_M = 1.0
MAX_ENTRANCES = 40
"""Of a plaza with more, only the outline is walked."""
_M_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Way:
    """A way with the places of its nodes.

    Attributes
    ----------
    row : of the way among those of the file; pieces of a way share it.
    refs : node numbers.
    lonlat : (longitude, latitude) of each node, NaN where unknown.
    attributes : what its tags say.
    is_plaza : an area that one walks on.
    """

    row: int
    refs: tuple[int, ...]
    lonlat: tuple[tuple[float, float], ...]
    attributes: Attributes
    is_plaza: bool = False


def with_plazas(ways: list[Way]) -> tuple[list[Way], int]:
    """Return the ways, plazas among them as outlines and lines across; and how many plazas there are.

    An entrance is a corner that another way shares.
    """
    uses = Counter(ref for way in ways for ref in set(way.refs))
    found: list[Way] = []
    n_plazas = 0
    for way in ways:
        found.append(way)
        if way.is_plaza:
            n_plazas += 1
            found.extend(_across(way, uses))
    return found, n_plazas


def _across(plaza: Way, uses: Mapping[int, int]) -> Iterator[Way]:
    import shapely

    corners = dict(zip(plaza.refs, plaza.lonlat, strict=True))
    entrances = [ref for ref in corners if uses[ref] > 1 and np.isfinite(corners[ref][0])]
    ring = np.array(plaza.lonlat)
    if not 1 < len(entrances) <= MAX_ENTRANCES or len(set(plaza.refs)) < 3 or not np.isfinite(ring).all():  # noqa: PLR2004
        return
    area = shapely.make_valid(shapely.Polygon(ring))
    sides = {frozenset(pair) for pair in itertools.pairwise(plaza.refs)}
    pairs = [pair for pair in itertools.combinations(entrances, 2) if frozenset(pair) not in sides]
    lines = shapely.linestrings([[corners[one], corners[two]] for one, two in pairs]) if pairs else []
    for (one, two), is_inside in zip(pairs, shapely.covers(area, lines) if pairs else [], strict=True):
        if is_inside:
            yield Way(plaza.row, (one, two), (corners[one], corners[two]), plaza.attributes)


def with_gates(ways: list[Way], closed: Mapping[int, tuple[str, ...]]) -> list[Way]:
    """Return the ways with closed stubs at their barrier nodes.

    Parameters
    ----------
    closed : node -> modes that it stops.
    """
    if not closed:
        return ways
    fresh = itertools.count(max((ref for way in ways for ref in way.refs), default=0) + 1)
    return [piece for way in ways for piece in _stubbed(way, closed, fresh)]


def _stubbed(way: Way, closed: Mapping[int, tuple[str, ...]], fresh: Iterator[int]) -> Iterator[Way]:
    """Yield the pieces of a way: stubs beside barrier nodes, and what lies between them."""
    if not any(ref in closed for ref in way.refs):
        yield way
        return
    piece = [(way.refs[0], way.lonlat[0])]
    for one, two in itertools.pairwise(zip(way.refs, way.lonlat, strict=True)):
        for modes, end in _parts(one, two, closed, fresh):
            if modes:
                yield from _made(way, piece)
                yield from _made(way, [piece[-1], end], modes)
                piece = [end]
            else:
                piece.append(end)
    yield from _made(way, piece)


def _parts(
    one: tuple[int, tuple[float, float]],
    two: tuple[int, tuple[float, float]],
    closed: Mapping[int, tuple[str, ...]],
    fresh: Iterator[int],
) -> Iterator[tuple[tuple[str, ...], tuple[int, tuple[float, float]]]]:
    """Yield the modes that each part of a segment is closed to, and where the part ends."""
    (first, (x0, y0)), (last, (x1, y1)) = one, two
    length_m = _M_PER_DEGREE * np.hypot((x1 - x0) * np.cos(np.radians(y0)), y1 - y0)
    if first == last or not np.isfinite(length_m) or length_m == 0:
        yield (), two
        return
    share = min(STUB_M / length_m, 1 / 3)
    if first in closed:
        yield closed[first], (next(fresh), (x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    if last in closed:
        yield (), (next(fresh), (x1 - share * (x1 - x0), y1 - share * (y1 - y0)))
        yield closed[last], two
    else:
        yield (), two


def _made(way: Way, piece: list[tuple[int, tuple[float, float]]], modes: tuple[str, ...] = ()) -> Iterator[Way]:
    if len(piece) > 1:
        refs, lonlat = zip(*piece, strict=True)
        foot, bicycle, motor = (
            "no" if mode in modes else said
            for mode, said in zip(
                MODES, (way.attributes.foot, way.attributes.bicycle, way.attributes.motor), strict=True
            )
        )
        yield Way(way.row, refs, lonlat, way.attributes._replace(foot=foot, bicycle=bicycle, motor=motor))
