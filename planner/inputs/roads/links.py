"""Road links: ways split at every vertex that joins them to others, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.units import METRES_PER_KM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.ledger import Ledger

NODE_GRID_M = 0.001
"""Vertices closer than this in x and in y are one node."""
MAX_SEGMENT_M = 100_000.0
"""No road runs straight for longer: such a segment comes from the antimeridian or from a coordinate that is wrong."""

SEGMENT_REPAIRS = (
    ("n_zero_length", "zero_length"),
    ("n_torn_segments", "torn"),
    ("n_duplicate_segments", "duplicate"),
)
"""Repairs of `Links`, and what the ledger's code of each ends in."""
MOTORWAYS = ("motorway", "motorway_link")
"""Classes that one cannot walk across."""


@dataclass(frozen=True)
class RoadsRead:
    """What a road file holds.

    Attributes
    ----------
    roads : links with the columns of `schema.ROADS`, in the working CRS.
    barriers : rivers, railways and motorways with the columns of `schema.BARRIERS_TABLE`; empty when the file has none.
    counts : what was read, repaired and left out (`n_ways`, `n_links`, `n_missing_nodes`, ...).
    ledger : the same, row by row.
    classes : one record for each class word of the file, longest first: `word`, `road_class`, `n_lines`, `length_km`,
        `is_known` (False: nobody mapped it, and it was taken for `road_class`).
    """

    roads: gpd.GeoDataFrame
    barriers: gpd.GeoDataFrame
    counts: dict[str, int]
    ledger: Ledger
    classes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Ways:
    """Ways as flat vertex arrays, in the order of the file.

    Attributes
    ----------
    node : int64[n_vertices], equal number = connected.
    x, y : float64[n_vertices], metres; not finite where the place is not known.
    first : int64[n_ways + 1], first vertex of each way.
    alike : int64[n_ways], equal number = equal class, access and marks, so that one of two copies is redundant.
    is_oneway : bool[n_ways], whether a copy the other way round says something else.
    """

    node: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    first: NDArray[np.int64]
    alike: NDArray[np.int64]
    is_oneway: NDArray[np.bool_]


@dataclass(frozen=True)
class Links:
    """Links between shared vertices.

    Attributes
    ----------
    geometry : object[n_links], LineStrings.
    way : int64[n_links], the way each is a piece of; never falls.
    part : int64[n_links], its place within that way, from 1.
    from_node, to_node : int64[n_links].
    is_usable : bool[n_ways], whether any segment of the way has a place (a copy of another way has, too).
    repairs : int64[n_ways] each: `n_zero_length` (segments dropped because their ends are one place),
        `n_torn_segments` (dropped because longer than `MAX_SEGMENT_M`), `n_duplicate_segments` (copies of others).
    counts : the sums of `repairs`, `n_self_loops` (links that end where they begin; kept), `n_vertices`, `n_segments`,
        `n_links` (what is there in the end).
    """

    geometry: NDArray[np.object_]
    way: NDArray[np.int64]
    part: NDArray[np.int64]
    from_node: NDArray[np.int64]
    to_node: NDArray[np.int64]
    is_usable: NDArray[np.bool_]
    repairs: dict[str, NDArray[np.int64]]
    counts: dict[str, int]


def nodes_by_place(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of each vertex: equal for equal places on the millimetre grid."""
    columns = [np.unique(np.round(values / NODE_GRID_M), return_inverse=True) for values in (x, y)]
    (_, column), (rows, row) = columns
    _, node = np.unique(column.astype(np.int64) * len(rows) + row, return_inverse=True)
    return node.astype(np.int64)


def split_ways(ways: Ways) -> Links:
    """Return the links of the ways, cut at every vertex used more than once and wherever a vertex has no place.

    A way is never joined across a vertex without a place: the road between is not known. Segments of no length are
    dropped, and their two nodes become one, so that nothing is disconnected. Of copies of a segment on ways that are
    alike, the first is kept.
    """
    n_vertices = len(ways.node)
    way = np.repeat(np.arange(len(ways.first) - 1), np.diff(ways.first))
    placed = np.isfinite(ways.x) & np.isfinite(ways.y)
    follows = np.zeros(n_vertices, dtype=bool)
    follows[1:] = (way[1:] == way[:-1]) & placed[1:] & placed[:-1]
    length = np.zeros(n_vertices)
    with np.errstate(invalid="ignore"):
        length[1:] = np.hypot(np.diff(ways.x), np.diff(ways.y))
    torn = follows & (length > MAX_SEGMENT_M)
    follows &= ~torn
    same_node = np.zeros(n_vertices, dtype=bool)
    same_node[1:] = ways.node[1:] == ways.node[:-1]
    dropped = follows & (same_node | (length == 0.0))
    node = _merged(ways.node, np.flatnonzero(dropped & ~same_node))

    n_ways = len(ways.first) - 1
    repairs = {
        "n_zero_length": np.bincount(way[dropped], minlength=n_ways),
        "n_torn_segments": np.bincount(way[torn], minlength=n_ways),
    }
    is_usable = np.zeros(n_ways, dtype=bool)
    is_usable[way[follows & ~dropped]] = True
    kept = np.flatnonzero(placed & ~dropped)
    run = np.cumsum(~follows)[kept]
    node, way, xy = node[kept], way[kept], np.column_stack((ways.x[kept], ways.y[kept]))
    start, end, repeats, n_used = _cut(node, run, way, ways)
    repairs["n_duplicate_segments"] = np.bincount(repeats, minlength=n_ways)
    size = end - start + 1
    row = np.repeat(np.arange(len(start)), size)
    vertex = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size) + start[row]
    return Links(
        geometry=_lines(xy[vertex], row),
        way=way[start],
        part=_part(way[start]),
        from_node=node[start],
        to_node=node[end],
        is_usable=is_usable,
        repairs=repairs,
        counts={
            **{key: int(values.sum()) for key, values in repairs.items()},
            "n_self_loops": int((node[start] == node[end]).sum()),
            "n_vertices": n_used,
            "n_segments": int((size - 1).sum()),
            "n_links": len(start),
        },
    )


def _merged(node: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `node` with the nodes of vertices `at` and of those before them made one: the smallest number."""
    if not len(at):
        return node
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, ends = np.unique(np.concatenate((node[at - 1], node[at])), return_inverse=True)
    a, b = ends[: len(at)], ends[len(at) :]
    _, piece = connected_components(coo_array((np.ones(len(at)), (a, b)), shape=(len(ids), len(ids))), directed=False)
    smallest = np.full(piece.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(smallest, piece, ids)
    row = np.minimum(np.searchsorted(ids, node), len(ids) - 1)
    return np.where(ids[row] == node, smallest[piece[row]], node)


def _cut(
    node: NDArray[np.int64], run: NDArray[np.int64], way: NDArray[np.int64], ways: Ways
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    """Return the first and the last vertex of every link, the way of every repeated segment, and the nodes used.

    Redundant copies are left out of the links.
    """
    n = len(node)
    joined = np.zeros(n + 1, dtype=bool)
    joined[1:n] = run[1:] == run[:-1]
    _, number, uses = np.unique(node, return_inverse=True, return_counts=True)
    low, high = np.minimum(number[:-1], number[1:]), np.maximum(number[:-1], number[1:])
    segment = np.flatnonzero(joined[1:n])
    _, first_copy, pair, copies = np.unique(
        low[segment] * n + high[segment], return_index=True, return_inverse=True, return_counts=True
    )
    repeats = way[np.delete(segment, first_copy)]
    is_end = (uses[number] > 1) | ~joined[:n] | ~joined[1:]
    if len(repeats):
        again = segment[copies[pair] > 1]
        is_end[again] = is_end[again + 1] = True
    ends = np.flatnonzero(is_end & (joined[:n] | joined[1:]))
    linked = run[ends[1:]] == run[ends[:-1]]
    start, end = ends[:-1][linked], ends[1:][linked]
    if len(repeats):
        first = _first_copies(number, way, ways, (start, end))
        start, end = start[first], end[first]
    n_used = int(np.count_nonzero(np.bincount(number, weights=joined[:n] | joined[1:])))
    return start, end, repeats, n_used


def _first_copies(
    number: NDArray[np.int64],
    way: NDArray[np.int64],
    ways: Ways,
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """Return the rows of links that no earlier link of one segment repeats, in order."""
    start, end = ends
    a, b = number[start], number[end]
    swap = (a > b) & ~ways.is_oneway[way[start]]
    single = end - start == 1
    key = np.column_stack(
        (np.where(swap, b, a), np.where(swap, a, b), ways.alike[way[start]], np.where(single, -1, start))
    )
    _, first = np.unique(key, axis=0, return_index=True)
    return np.sort(first)


def _lines(xy: NDArray[np.float64], row: NDArray[np.int64]) -> NDArray[np.object_]:
    import shapely

    if not len(row):
        return np.zeros(0, dtype=object)
    return shapely.linestrings(xy, indices=row)


def _part(way: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 1, 2, 3 ... within each way; links stand in the order of their ways."""
    if not len(way):
        return np.zeros(0, dtype=np.int64)
    new = np.flatnonzero(np.r_[True, way[1:] != way[:-1]])
    return np.arange(len(way)) - np.repeat(new, np.diff(np.r_[new, len(way)])) + 1


def road_table(links: Links, ids: list[str], attributes: pd.DataFrame, crs: str) -> gpd.GeoDataFrame:
    """Return the links with the columns of `schema.ROADS`; `attributes` has one row a way."""
    import geopandas as gpd

    table = attributes.take(links.way).reset_index(drop=True)
    table.insert(0, "road_id", ids)
    table["from_node"] = links.from_node
    table["to_node"] = links.to_node
    return gpd.GeoDataFrame(table, geometry=links.geometry, crs=crs)


def motorways(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the motorways as barriers; under their bridges and over their tunnels one can pass."""
    rows = roads[roads["class"].isin(MOTORWAYS) & ~roads["bridge"] & ~roads["tunnel"]]
    return barrier_table(["motorway"] * len(rows), rows["name"].to_list(), rows.geometry.array, str(roads.crs))


def class_lengths(
    words: Sequence[str], classes: Sequence[str], length_m: NDArray[Any], is_known: Callable[[str], bool]
) -> tuple[dict[str, Any], ...]:
    """Return one record for each class word: the planner's class, lines, kilometres; words nobody knows first, by km.

    Parameters
    ----------
    words, classes : of each line, as in the file and as the planner takes it.
    length_m : of each line.
    is_known : whether a word of the file is mapped to a class.
    """
    import pandas as pd

    table = pd.DataFrame({"word": list(words), "road_class": list(classes), "length_m": length_m})
    found = table.groupby(["word", "road_class"], sort=True)["length_m"].agg(["size", "sum"]).reset_index()
    records = [
        {
            "word": word,
            "road_class": road_class,
            "n_lines": int(n),
            "length_km": round(float(metres) / METRES_PER_KM, 3),
            "is_known": is_known(word),
        }
        for word, road_class, n, metres in found.itertuples(index=False)
    ]
    return tuple(sorted(records, key=lambda one: (one["is_known"], -one["length_km"], one["word"])))


def barrier_table(kinds: list[str], names: list[Any], shapes: Any, crs: str) -> gpd.GeoDataFrame:  # noqa: ANN401
    """Return barriers with the columns of `schema.BARRIERS_TABLE`, numbered from 1."""
    import geopandas as gpd
    import pandas as pd

    return gpd.GeoDataFrame(
        {
            "barrier_id": pd.Series([f"b{number}" for number in range(1, len(kinds) + 1)], dtype="str"),
            "kind": pd.Series(kinds, dtype="str"),
            "name": pd.Series(names, dtype="str"),
        },
        geometry=shapes,
        crs=crs,
    )
