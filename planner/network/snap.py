"""From points to positions on the network: the nearest place on an edge, the leg to it, and why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from planner.errors import InputError
from planner.network.road_network import Snapped
from planner.study import require_crs
from planner.units import mps_from_kph

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from shapely import STRtree

    from planner.network.road_network import ProfileNetwork

_NO_ROAD, _BARRIER = "no_road", "barrier"
_BLOCK = 512  # points whose every near edge is looked at together: bounds the memory in dense streets
_WIDENING = (0.1, 0.25, 0.5, 1.0)  # shares of the longest leg within which a way round a barrier is sought in turn
_TREES: WeakKeyDictionary[ProfileNetwork, tuple[STRtree, NDArray[np.int64]]] = WeakKeyDictionary()


def snap_points(
    profile_network: ProfileNetwork,
    ids: NDArray[Any],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    barriers: gpd.GeoDataFrame | None = None,
) -> Snapped:
    """Return, for every point, the nearest position on an edge that the profile may use.

    The straight leg to it crosses no barrier; a barrier area that a point itself lies in does not bind that point. For
    each edge its nearest position counts; of edges equally near the lowest number wins. Beyond the profile's
    `max_access_m` the point is unknown, reason "no_road"; "barrier" when roads are near but all behind one.

    Parameters
    ----------
    ids, x, y : n ids and coordinates in the network's CRS, metres.
    barriers : lines and areas that a leg may not cross; None = there are none.

    Raises
    ------
    InputError
        When a coordinate is not a finite number; the message names the points.
    CrsError
        When the barriers are in another CRS.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    if len(bad):
        names = [str(ids[i]) for i in bad[:5]]
        raise InputError(f"{len(bad)} points have no coordinates (first: {', '.join(names)}). Give them x and y.")
    edge, reason = _nearest_edges(profile_network, x, y, barriers)
    share, snap_x, snap_y, access_m = positions_on_edges(profile_network, np.maximum(edge, 0), x, y)
    known = edge >= 0
    speed_mps = mps_from_kph(profile_network.profile.access_speed_kph)
    component = np.full(len(x), -1, np.int32)
    network = profile_network.network
    component[known] = profile_network.chain_component[network.edge_chain[edge[known]]]
    return Snapped(
        ids=np.asarray(ids, object),
        x=x,
        y=y,
        edge=edge,
        share=np.where(known, share, 0.0),
        snap_x=np.where(known, snap_x, np.nan),
        snap_y=np.where(known, snap_y, np.nan),
        access_m=np.where(known, access_m, np.inf),
        access_s=np.where(known, access_m / speed_mps, np.inf),
        component=component,
        reason=reason,
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
    ids, points = table[id_column].to_numpy(object), table.geometry
    for code, profile_network in profile_networks.items():
        require_crs(table, profile_network.network.crs)
        snapped[code] = snap_points(profile_network, ids, points.x.to_numpy(), points.y.to_numpy(), barriers)
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
    """Return the rows of `snap_records` that touch no road: kind, id, profile, reason ("no_road" or "barrier")."""
    rows = records.loc[records["edge"] < 0, ["kind", "id", "profile", "reason"]]
    return rows.reset_index(drop=True)


def positions_on_edges(
    profile_network: ProfileNetwork, edge: NDArray[Any], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each point and its edge, the nearest position: share along the edge, x, y, and metres to it."""
    network = profile_network.network
    if not network.n_edges:
        return np.zeros(len(x)), x.copy(), y.copy(), np.zeros(len(x))
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
    import shapely

    edge = np.full(len(x), -1, np.int32)
    reason = np.full(len(x), _NO_ROAD, object)
    tree, edges = _tree(profile_network)
    if not len(edges) or not len(x):
        return edge, reason
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
                detour, other = _nearest_open(profile_network, fence, some, (x, y), share * reach)
                edge[detour], reason[detour] = other, ""
            blocked = blocked[edge[blocked] < 0]
    return edge, reason


def _tree(profile_network: ProfileNetwork) -> tuple[STRtree, NDArray[np.int64]]:
    """Return a search tree over the usable edges and their numbers, made once per profile network."""
    import shapely

    if profile_network not in _TREES:
        network = profile_network.network
        edges = np.flatnonzero(profile_network.edge_is_usable)
        ends = np.column_stack([network.edge_from[edges], network.edge_to[edges]]).ravel()
        lines = shapely.linestrings(
            np.column_stack([network.x[ends], network.y[ends]]), indices=np.repeat(np.arange(len(edges)), 2)
        )
        _TREES[profile_network] = shapely.STRtree(lines), edges
    return _TREES[profile_network]


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
        _, snap_x, snap_y, _ = positions_on_edges(profile_network, edge, px, py)
        legs = shapely.linestrings(np.stack([np.column_stack([px, py]), np.column_stack([snap_x, snap_y])], axis=1))
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
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return those of `points` that reach an edge within the radius without crossing a barrier, and the nearest one."""
    import shapely

    x, y = xy
    tree, edges = _tree(profile_network)
    row, found = tree.query(shapely.points(x[points], y[points]), predicate="dwithin", distance=radius_m)
    point, edge = points[row], edges[found]
    is_open = ~fence.blocks(profile_network, point, edge, x, y)
    return _best(profile_network, point[is_open], edge[is_open], x, y)
