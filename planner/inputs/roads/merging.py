"""A road layer laid over the roads that are there: what both draw is kept once, and the rest is joined on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.inputs.roads.links import Ways, road_table, split_ways
from planner.inputs.roads.noding import Noder
from planner.network.faults import is_apart

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

DOUBLE_M = 15.0
"""A piece this near a road of the other layer, in its direction, is that road drawn twice (unverified)."""
DOUBLE_DEGREES = 30.0
PIECE_M = 20.0
REACH_M = 2 * DOUBLE_M
"""An end that lost its road is drawn on by no more than this."""
MIN_DOUBLE_M, MIN_KEPT_M = 75.0, 30.0
"""Shorter runs of doubles within a link are two roads that come near; shorter runs between doubles are doubles."""
FOOT = frozenset({"footway", "path", "steps", "pedestrian", "cycleway", "bridleway", "corridor"})
_ATTRIBUTES = ("class", "name", "oneway", "bicycle_oneway", "foot", "bicycle", "motor", "bridge", "tunnel")


@dataclass(frozen=True)
class Merged:
    """Two layers as one.

    Attributes
    ----------
    roads : links with the columns of `schema.ROADS`.
    counts : `n_double_km` (kilometres of the lower layer left out, rounded to 0.001), `n_cut` (its links that were left
        out or cut), `n_attached` (its ends joined to the upper layer), `n_crossings` (crossings of the two joined).
    """

    roads: gpd.GeoDataFrame
    counts: dict[str, Any]


@dataclass(frozen=True)
class _Runs:
    """Runs of links of the lower layer that are kept: their lines, links, and nodes at both ends (-1 = cut there)."""

    xy: list[NDArray[np.float64]]
    link: list[int]
    ends: list[tuple[int, int]]


def merge_roads(over: gpd.GeoDataFrame, under: gpd.GeoDataFrame) -> Merged:
    """Return the links of `over`, and those of `under` that it does not draw, joined where they meet.

    Each link of `under` is looked at in pieces of `PIECE_M`. A piece is a double where a road of `over` runs within
    `DOUBLE_M` of its middle, at most `DOUBLE_DEGREES` off its direction, and both are ways for walkers only or both are
    not; runs of doubles shorter than `MIN_DOUBLE_M` are kept, runs between doubles shorter than `MIN_KEPT_M` are not.
    Ends that lost what they were joined to are drawn on to the nearest road of `over` within `REACH_M`; where roads of
    the two layers cross without a bridge, a tunnel or a motorway they are joined. Within each layer nothing is joined
    that was not.

    Parameters
    ----------
    over, under : links with the columns of `schema.ROADS`, in one metric CRS.
    """
    import pandas as pd

    over = over.reset_index(drop=True)
    under = under.reset_index(drop=True)
    double = _doubles(over, under)
    runs, lost, counts = _kept_runs(under, double)
    columns = [name for name in _ATTRIBUTES if name in over.columns]
    below = under.reindex(columns=columns)  # roads of an older study may lack a column
    attributes = pd.concat([over[columns], below.loc[runs.link]], ignore_index=True)
    for name in ("bridge", "tunnel"):
        attributes[name] = attributes[name].astype(bool)
    ways, lost_ends = _ways(over, runs, attributes, lost)
    side = np.repeat(np.array([0, 1], np.int8), [len(over), len(runs.link)])
    noder = Noder(ways, is_apart(attributes))
    counts["n_crossings"] = noder.cross(side)
    counts["n_attached"] = noder.attach(lost_ends, REACH_M, side == 0)
    links = split_ways(noder.ways_joined())
    names = [*over["road_id"].astype(str), *under["road_id"].astype(str).iloc[runs.link]]
    roads = road_table(links, _unique(names, links.way), attributes, str(over.crs))
    return Merged(roads, counts)


def _doubles(over: gpd.GeoDataFrame, under: gpd.GeoDataFrame) -> list[NDArray[np.bool_]]:
    """Return, for every link of `under`, which of its pieces `over` draws too."""
    import shapely

    fine = shapely.segmentize(under.geometry.to_numpy(), PIECE_M)
    middle, angle, link = _pieces(fine)
    target, target_angle, target_link = _pieces(over.geometry.to_numpy(), middles=False)
    is_double = np.zeros(len(middle), dtype=bool)
    if len(target) and len(middle):
        piece, near = shapely.STRtree(target).query(shapely.points(middle), predicate="dwithin", distance=DOUBLE_M)
        turn = np.abs(angle[piece] - target_angle[near]) % 180.0
        along = np.minimum(turn, 180.0 - turn) <= DOUBLE_DEGREES
        foot = [table["class"].isin(FOOT).to_numpy() for table in (under, over)]
        level = [(table["bridge"] | table["tunnel"]).to_numpy(dtype=bool) for table in (under, over)]
        like = foot[0][link[piece]] == foot[1][target_link[near]]
        # A bridge over a road is not that road; a layer that marks no bridge at all says nothing of them.
        like &= (level[0][link[piece]] == level[1][target_link[near]]) | ~level[1].any() | ~level[0].any()
        is_double[piece[along & like]] = True
    starts = np.searchsorted(link, np.arange(len(under) + 1))
    return [is_double[starts[i] : starts[i + 1]] for i in range(len(under))]


def _pieces(lines: NDArray[Any], *, middles: bool = True) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[Any]]:
    """Return every segment's middle (or the segment), its direction in degrees, and the row of its line."""
    import shapely

    xy, row = shapely.get_coordinates(lines, return_index=True)
    tail = np.flatnonzero(np.diff(row) == 0)
    a, b = xy[tail], xy[tail + 1]
    angle = np.degrees(np.arctan2(*(b - a).T[::-1]))
    shape = (a + b) / 2 if middles else shapely.linestrings(np.stack([a, b], axis=1))
    return shape, angle, row[tail]


def _kept_runs(under: gpd.GeoDataFrame, double: list[NDArray[np.bool_]]) -> tuple[_Runs, set[int], dict[str, Any]]:
    """Return the runs to keep, the nodes that lost a double, and what was left out."""
    import shapely

    lines = under.geometry.to_numpy()
    nodes = under[["from_node", "to_node"]].to_numpy(dtype=np.int64)
    runs, lost, left_out, n_cut = _Runs([], [], []), set(), 0.0, 0
    for link, found in enumerate(double):
        xy = shapely.get_coordinates(lines[link])
        start, stop = (int(node) for node in nodes[link])
        if not found.any():
            runs.xy.append(xy)
            runs.link.append(link)
            runs.ends.append((start, stop))
            continue
        fine = shapely.get_coordinates(shapely.segmentize(lines[link], PIECE_M))
        step = np.hypot(*np.diff(fine, axis=0).T)
        flags = _smoothed(found, step)
        n_cut += bool(flags.any())
        left_out += float(step[flags].sum())
        lost |= {node for node, flag in ((start, flags[0]), (stop, flags[-1])) if flag}
        edges = np.flatnonzero(np.diff(np.r_[True, flags, True].astype(np.int8)))
        for first, last in edges.reshape(-1, 2).tolist():
            runs.xy.append(fine[first : last + 1])
            runs.link.append(link)
            runs.ends.append((start if first == 0 else -1, stop if last == len(flags) else -1))
    return runs, lost, {"n_double_km": round(left_out / 1000, 3), "n_cut": n_cut}


def _smoothed(flags: NDArray[np.bool_], step_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the flags with runs that are too short turned: double ones first, then kept ones."""
    for value, least_m in ((True, MIN_DOUBLE_M), (False, MIN_KEPT_M)):
        bounds = np.flatnonzero(np.diff(np.r_[not flags[0], flags, not flags[-1]].astype(np.int8)))
        if len(bounds) == 2:  # noqa: PLR2004  one run: a whole link
            break
        flags = flags.copy()
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if bool(flags[first]) is value and step_m[first:last].sum() < least_m:
                flags[first:last] = not value
    return flags


def _ways(
    over: gpd.GeoDataFrame, runs: _Runs, attributes: pd.DataFrame, lost: set[int]
) -> tuple[Ways, NDArray[np.int64]]:
    """Return all lines as ways, and the vertices of those ends that lost what they were joined to."""
    import shapely

    coordinates, owner = shapely.get_coordinates(over.geometry.to_numpy(), return_index=True)
    sizes = np.concatenate([np.bincount(owner, minlength=len(over)), [len(xy) for xy in runs.xy]]).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(sizes)))
    ends = over[["from_node", "to_node"]].to_numpy(dtype=np.int64)
    offset = int(ends.max(initial=-1)) + 1
    shifted = [tuple(node + offset if node >= 0 else -1 for node in pair) for pair in runs.ends]
    all_ends = np.concatenate([ends, np.array(shifted, np.int64).reshape(-1, 2)])
    # Inner vertices of a link join nothing, and neither does the end of a cut: each is a node of its own.
    node = np.arange(len(coordinates) + sum(map(len, runs.xy)), dtype=np.int64) + int(all_ends.max(initial=0)) + 1
    for at, column in ((first[:-1], 0), (first[1:] - 1, 1)):
        known = all_ends[:, column] >= 0
        node[at[known]] = all_ends[known, column]
    xy = np.concatenate([coordinates, *runs.xy]) if runs.xy else coordinates
    lost_ends = [
        int(first[len(over) + row] if side == 0 else first[len(over) + row + 1] - 1)
        for row, pair in enumerate(runs.ends)
        for side, end in enumerate(pair)
        if end == -1 or end in lost
    ]
    alike = attributes.groupby(list(attributes.columns), dropna=False, sort=False).ngroup()
    return Ways(
        node=node, x=xy[:, 0].copy(), y=xy[:, 1].copy(), first=first, alike=np.asarray(alike, np.int64),
        is_oneway=(attributes["oneway"] != "no").to_numpy(dtype=bool),
    ), np.array(lost_ends, np.int64)  # fmt: skip


def _unique(names: list[str], way: NDArray[np.int64]) -> list[str]:
    """Return an id for every link: its way's own where that is one of a kind, else with a number behind it."""
    used: set[str] = set()
    found = []
    for row in way.tolist():
        name, number = names[row], 1
        while name in used:
            number += 1
            name = f"{names[row]}.{number}"
        used.add(name)
        found.append(name)
    return found
