"""From points to positions on the network: the nearest place on an edge, the leg to it, and why there is none."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from planner.network.road_network import Snapped
from planner.study import point_xy, require_crs
from planner.units import mps_from_kph

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from shapely import STRtree

    from planner.network.patches import Patch
    from planner.network.road_network import ProfileNetwork, RoadNetwork

_NO_ROAD, _FRAGMENT, _BARRIER, _NO_COORDINATES = "no_road", "fragment", "barrier", "no_coordinates"
_BLOCK = 512  # points whose every near edge is looked at together: bounds the memory in dense streets
_WIDENING = (0.1, 0.25, 0.5, 1.0)  # shares of the longest leg within which a way round a barrier is sought in turn
_NEAR_M = 1e-3
# A barrier on which a leg begins or ends, within so many metres, does not block it (as in the compiled loops of reach).
_END_M = 0.01
_PART = 0.25  # of the edges: when fewer are around the points, a search tree of these is enough
_TREES: WeakKeyDictionary[ProfileNetwork, tuple[STRtree, NDArray[np.int64]]] = WeakKeyDictionary()


def snap_points(
    profile_network: ProfileNetwork,
    ids: NDArray[Any],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    barriers: gpd.GeoDataFrame | None = None,
) -> Snapped:
    """Return, for every point, the nearest position on an edge of a piece of road that matters for the profile.

    The straight leg to it crosses no barrier; a barrier on which it begins or ends (within a centimetre) and a barrier
    area that a point itself lies in do not bind it. For each edge its nearest position counts; of edges equally near
    the lowest number wins. Beyond the profile's `max_access_m` the point is unknown, reason "no_road"; "barrier" when
    roads are near but all behind one; "fragment" when only pieces that do not matter (`planner.network.fragments`) can
    be reached; "no_coordinates" when it has none, which harms no other point.

    Parameters
    ----------
    ids, x, y : n ids and coordinates in the network's CRS, metres; NaN or infinite = has none.
    barriers : lines and areas that a leg may not cross; None = there are none.

    Raises
    ------
    CrsError
        When the barriers are in another CRS.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    has_place = np.isfinite(x) & np.isfinite(y)
    edge, reason = np.full(len(x), -1, np.int32), np.full(len(x), _NO_COORDINATES, object)
    edge[has_place], reason[has_place] = _nearest_edges(profile_network, x[has_place], y[has_place], barriers)
    known = edge >= 0
    legs = np.repeat([[0.0], [np.nan], [np.nan], [np.inf]], len(x), axis=1)
    legs[:, known] = positions_on_edges(profile_network, edge[known], x[known], y[known])
    share, snap_x, snap_y, access_m = legs
    component = np.full(len(x), -1, np.int32)
    network = profile_network.network
    component[known] = profile_network.chain_component[network.edge_chain[edge[known]]]
    return Snapped(
        ids=np.asarray(ids, object),
        x=x,
        y=y,
        edge=edge,
        share=share,
        snap_x=snap_x,
        snap_y=snap_y,
        access_m=access_m,
        access_s=access_m / mps_from_kph(profile_network.profile.access_speed_kph),
        component=component,
        reason=reason,
    )


def node_positions(profile_network: ProfileNetwork) -> Snapped:
    """Return every node of the network as a position on itself, id = its number: what has times for the whole network.

    A node that touches no edge the profile may use is unknown, reason "no_road".
    """
    network = profile_network.network
    edges = np.flatnonzero(profile_network.edge_is_usable)[::-1]
    edge, share = np.full(network.n_nodes, -1, np.int32), np.zeros(network.n_nodes)
    for end, at in ((network.edge_to, 1.0), (network.edge_from, 0.0)):
        edge[end[edges]], share[end[edges]] = edges, at
    known = edge >= 0
    component = np.full(network.n_nodes, -1, np.int32)
    component[known] = profile_network.chain_component[network.edge_chain[edge[known]]]
    off = np.where(known, 0.0, np.inf)
    return Snapped(
        ids=np.arange(network.n_nodes).astype(object),
        x=network.x,
        y=network.y,
        edge=edge,
        share=share,
        snap_x=np.where(known, network.x, np.nan),
        snap_y=np.where(known, network.y, np.nan),
        access_m=off,
        access_s=off.copy(),
        component=component,
        reason=np.where(known, "", _NO_ROAD).astype(object),
    )


def snap_table(
    profile_networks: Mapping[str, ProfileNetwork],
    table: gpd.GeoDataFrame,
    id_column: str,
    barriers: gpd.GeoDataFrame | None = None,
) -> dict[str, Snapped]:
    """Return the points of a study table on the network of every profile, by profile code.

    Raises
    ------
    CrsError
        When the table is in another CRS than the network.
    """
    snapped = {}
    ids, (x, y) = table[id_column].to_numpy(object), point_xy(table).T
    for code, profile_network in profile_networks.items():
        require_crs(table, profile_network.network.crs)
        snapped[code] = snap_points(profile_network, ids, x, y, barriers)
    return snapped


def snap_records(kind: str, snapped: Mapping[str, Snapped], networks: Mapping[str, ProfileNetwork]) -> pd.DataFrame:
    """Return one row per point and profile: kind, id, profile, edge, road, access_m, component, reason.

    `road` is the row of the roads table; edge, road and component are -1 where the point touches no road.
    """
    import pandas as pd

    tables = []
    for code, points in snapped.items():
        known = points.edge >= 0
        road = np.where(known, networks[code].network.edge_road[np.maximum(points.edge, 0)], -1)
        tables.append(
            pd.DataFrame(
                {
                    "kind": kind, "id": points.ids, "profile": code, "edge": points.edge, "road": road,
                    "access_m": points.access_m, "component": points.component, "reason": points.reason,
                }
            )
        )  # fmt: skip
    columns = ["kind", "id", "profile", "edge", "road", "access_m", "component", "reason"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def unplaced(records: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `snap_records` that touch no road: kind, id, profile, reason (see `snap_points`)."""
    rows = records.loc[records["edge"] < 0, ["kind", "id", "profile", "reason"]]
    return rows.reset_index(drop=True)


def positions_on_edges(
    profile_network: ProfileNetwork, edge: NDArray[Any], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each point and its edge, the nearest position: share along the edge, x, y, and metres to it."""
    network = profile_network.network
    x0, y0 = network.x[network.edge_from[edge]], network.y[network.edge_from[edge]]
    dx, dy = network.x[network.edge_to[edge]] - x0, network.y[network.edge_to[edge]] - y0
    squared = dx * dx + dy * dy
    share = ((x - x0) * dx + (y - y0) * dy) / np.where(squared > 0, squared, 1.0)
    share = np.clip(share, 0.0, 1.0)
    snap_x, snap_y = x0 + share * dx, y0 + share * dy
    return share, snap_x, snap_y, np.hypot(x - snap_x, y - snap_y)


def _nearest_edges(
    profile_network: ProfileNetwork, x: NDArray[np.float64], y: NDArray[np.float64], barriers: gpd.GeoDataFrame | None
) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    """Return int32[n] edges (-1 = none) and object[n] reasons."""
    edge = np.full(len(x), -1, np.int32)
    reason = np.full(len(x), _NO_ROAD, object)
    if not len(x):
        return edge, reason
    _touch(profile_network, x, y, barriers, edge, reason)
    _tell_fragments(profile_network, x, y, barriers, edge, reason)
    return edge, reason


def _touch(
    profile_network: ProfileNetwork,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    barriers: gpd.GeoDataFrame | None,
    edge: NDArray[np.int32],
    reason: NDArray[np.object_],
) -> None:
    """Write the nearest open edge of each point, and "barrier" where all that are near lie behind one."""
    import shapely

    tree, edges = _tree(profile_network, x, y)
    if not len(edges):
        return
    points = shapely.points(x, y)
    reach = profile_network.profile.max_access_m
    point, found = tree.query_nearest(points, max_distance=reach, all_matches=True)
    point, candidate = _best(profile_network, point, edges[found], x, y)
    edge[point], reason[point] = candidate, ""
    if barriers is not None and len(barriers):
        require_crs(barriers, profile_network.network.crs)
        fence = _Fence(barriers)
        blocked = point[fence.blocks(profile_network, point, candidate, x, y)]
        edge[blocked], reason[blocked] = -1, _BARRIER
        for share in _WIDENING:
            for start in range(0, len(blocked), _BLOCK):
                some = blocked[start : start + _BLOCK]
                detour, other = _nearest_open(profile_network, fence, some, (x, y), share * reach, (tree, edges))
                edge[detour], reason[detour] = other, ""
            blocked = blocked[edge[blocked] < 0]


def _tell_fragments(
    profile_network: ProfileNetwork,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    barriers: gpd.GeoDataFrame | None,
    edge: NDArray[np.int32],
    reason: NDArray[np.object_],
) -> None:
    """Give the reason "fragment" to points that touch no road but reach an edge of a piece that does not matter."""
    import shapely

    network, reach_m = profile_network.network, profile_network.profile.max_access_m
    lost = np.flatnonzero(edge < 0)
    scraps = np.flatnonzero(profile_network.edge_is_usable & ~profile_network.edge_is_snappable)
    if not len(lost) or not len(scraps):
        return
    scraps = scraps[_is_around(network, scraps, x[lost], y[lost], reach_m)]
    tree = shapely.STRtree(edge_lines(network, scraps))
    fence = _Fence(barriers) if barriers is not None and len(barriers) else None
    for start in range(0, len(lost), _BLOCK):
        some = lost[start : start + _BLOCK]
        row, found = tree.query(shapely.points(x[some], y[some]), predicate="dwithin", distance=reach_m)
        point, scrap = some[row], scraps[found]
        if fence is not None:
            point = point[~fence.blocks(profile_network, point, scrap, x, y)]
        reason[point] = _FRAGMENT


def _tree(
    profile_network: ProfileNetwork, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[STRtree, NDArray[np.int64]]:
    """Return a search tree over the edges that points may touch and their numbers, made once per profile network.

    For points of a small area on a network that has none yet it holds only the edges that their legs may reach.
    """
    if profile_network in _TREES:
        return _TREES[profile_network]
    network = profile_network.network
    edges = np.flatnonzero(profile_network.edge_is_snappable)
    around = edges[_is_around(network, edges, x, y, profile_network.profile.max_access_m)]
    if len(around) < _PART * len(edges):
        return _lines_tree(profile_network, around)
    _TREES[profile_network] = _lines_tree(profile_network, edges)
    return _TREES[profile_network]


def _lines_tree(profile_network: ProfileNetwork, edges: NDArray[np.int64]) -> tuple[STRtree, NDArray[np.int64]]:
    import shapely

    return shapely.STRtree(edge_lines(profile_network.network, edges)), edges


def edge_lines(network: RoadNetwork, edges: NDArray[Any]) -> NDArray[np.object_]:
    """Return the edges as lines."""
    import shapely

    ends = np.column_stack([network.edge_from[edges], network.edge_to[edges]]).ravel()
    return shapely.linestrings(
        np.column_stack([network.x[ends], network.y[ends]]), indices=np.repeat(np.arange(len(edges)), 2)
    )


def _is_around(
    network: RoadNetwork, edges: NDArray[Any], x: NDArray[np.float64], y: NDArray[np.float64], margin_m: float
) -> NDArray[np.bool_]:
    """bool[n]: whether each edge may come within the margin of any of the points (by boxes)."""
    is_around = np.ones(len(edges), bool)
    for at, values in ((network.x, x), (network.y, y)):
        one, two = at[network.edge_from[edges]], at[network.edge_to[edges]]
        is_around &= (np.maximum(one, two) >= values.min() - margin_m) & (
            np.minimum(one, two) <= values.max() + margin_m
        )
    return is_around


def snap_again(
    profile_network: ProfileNetwork,
    patch: Patch,
    snapped: Snapped,
    former: ProfileNetwork,
    barriers: gpd.GeoDataFrame | None = None,
) -> Snapped:
    """Return the positions of `snapped` on a patched network: those near what changed touch the roads anew.

    `former` is the network before: pieces that began to matter, or no longer do, have changed as well.

    Equal to what `snap_points` returns on the whole network.
    """
    import shapely

    known = snapped.edge >= 0
    edge = np.where(known, patch.new_edge[np.maximum(snapped.edge, 0)], -1).astype(np.int32)
    margin_m = np.minimum(snapped.access_m, profile_network.profile.max_access_m) + _NEAR_M
    turned = profile_network.edge_is_snappable[patch.new_edge] != former.edge_is_snappable
    edges = np.union1d(patch.edges, patch.new_edge[turned])
    changed = shapely.multilinestrings(edge_lines(patch.network, edges))
    west, south, east, north = shapely.bounds(changed)
    off_m = np.hypot(
        np.maximum(np.maximum(west - snapped.x, snapped.x - east), 0),
        np.maximum(np.maximum(south - snapped.y, snapped.y - north), 0),
    )
    rows = np.flatnonzero(off_m <= margin_m)
    near = shapely.distance(shapely.points(snapped.x[rows], snapped.y[rows]), changed) <= margin_m[rows]
    rows = rows[near]
    again = snap_points(profile_network, snapped.ids[rows], snapped.x[rows], snapped.y[rows], barriers)
    values = {field.name: getattr(snapped, field.name).copy() for field in fields(Snapped)}
    values["edge"] = edge
    for name, column in values.items():
        column[rows] = getattr(again, name)
    known = values["edge"] >= 0
    chain = patch.network.edge_chain[values["edge"][known]]
    values["component"][known] = profile_network.chain_component[chain]
    return Snapped(**values)


def _best(
    profile_network: ProfileNetwork, point: NDArray[Any], edge: NDArray[Any], x: NDArray[Any], y: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return each point once, with its nearest edge of those paired with it; ties by edge number."""
    *_, distance = positions_on_edges(profile_network, edge, x[point], y[point])
    order = np.lexsort((edge, np.round(distance, 6), point))
    point, first = np.unique(point[order], return_index=True)
    return point, edge[order][first]


class _Fence:
    """Barriers as a search tree."""

    def __init__(self, barriers: gpd.GeoDataFrame) -> None:
        import shapely

        geometry = barriers.geometry.to_numpy()
        self.parts = shapely.get_parts(geometry[~shapely.is_missing(geometry)])
        self.is_area = shapely.get_dimensions(self.parts) == 2  # noqa: PLR2004  areas have two dimensions
        self.tree = shapely.STRtree(self.parts)

    def blocks(
        self, profile_network: ProfileNetwork, point: NDArray[Any], edge: NDArray[Any], x: NDArray[Any], y: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """bool[n]: whether the leg from each point to its edge crosses a barrier."""
        import shapely

        px, py = x[point], y[point]
        _, snap_x, snap_y, length_m = positions_on_edges(profile_network, edge, px, py)
        # Legs of no more than both ends become a point in their middle.
        end = np.minimum(_END_M / np.where(length_m > 0, length_m, 1.0), 0.5)
        dx, dy = end * (snap_x - px), end * (snap_y - py)
        ends = [np.column_stack([px + dx, py + dy]), np.column_stack([snap_x - dx, snap_y - dy])]
        legs = shapely.linestrings(np.stack(ends, axis=1))
        legs[length_m <= 2 * _END_M] = None
        leg, barrier = self.tree.query(legs, predicate="intersects")
        around = self.is_area[barrier]
        around[around] = shapely.intersects_xy(self.parts[barrier[around]], px[leg[around]], py[leg[around]])
        crosses = np.zeros(len(point), bool)
        crosses[leg[~around]] = True
        return crosses


def _nearest_open(
    profile_network: ProfileNetwork,
    fence: _Fence,
    points: NDArray[Any],
    xy: tuple[NDArray[Any], NDArray[Any]],
    radius_m: float,
    roads: tuple[STRtree, NDArray[np.int64]],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return those of `points` that reach an edge within the radius without crossing a barrier, and the nearest one."""
    import shapely

    x, y = xy
    tree, edges = roads
    row, found = tree.query(shapely.points(x[points], y[points]), predicate="dwithin", distance=radius_m)
    point, edge = points[row], edges[found]
    is_open = ~fence.blocks(profile_network, point, edge, x, y)
    return _best(profile_network, point[is_open], edge[is_open], x, y)
