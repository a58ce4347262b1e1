"""What if a road were closed, of another class, or a footbridge built: edits of a `WhatIf` that undo takes back.

A road is named by its row in the roads table, as snap records and `edge_road` say it; a bridge gets the next number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.errors import InputError
from planner.network.patches import Spot, bridged, closed, reclassed
from planner.network.snap import positions_on_edges
from planner.reach.what_if import change_network

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import LineString

    from planner.network.road_network import ProfileNetwork
    from planner.reach.what_if import WhatIf


def close_road(trial: WhatIf, road: int, edge: int | None = None) -> None:
    """Close a road, or one of its edges only, to everybody.

    Raises
    ------
    InputError
        When there is no such road, or the edge is not one of its.
    """
    edges = _edges_of(trial, road)
    if edge is not None:
        if edge not in edges:
            raise InputError(f"Edge {edge} is not one of road {road}: it has the edges {edges.tolist()}.")
        edges = np.array([edge])
    change_network(trial, closed(trial.profile_network.network, edges))


def change_road(trial: WhatIf, road: int, road_class: str) -> None:
    """Put a road into another class: another speed, and perhaps other profiles.

    Raises
    ------
    InputError
        When there is no such road.
    """
    change_network(trial, reclassed(trial.profile_network.network, _edges_of(trial, road), road_class))


def build_bridge(trial: WhatIf, line: LineString, road_class: str = "footway") -> int:
    """Build a bridge whose two ends are led to the nearest usable road; return the number of its road.

    Raises
    ------
    InputError
        When there is no road, or both ends meet it at one spot.
    """
    import shapely

    coordinates = shapely.get_coordinates(line)
    ends = [_nearest_spot(trial.profile_network, coordinates[i]) for i in (0, -1)]
    patch = bridged(trial.profile_network.network, ends, coordinates[1:-1], road_class)
    change_network(trial, patch)
    return int(patch.network.edge_road[-1])


def _edges_of(trial: WhatIf, road: int) -> NDArray[np.int64]:
    edges = np.flatnonzero(trial.profile_network.network.edge_road == road)
    if not len(edges):
        raise InputError(f"There is no road {road}.")
    return edges


def _nearest_spot(profile_network: ProfileNetwork, point: NDArray[Any]) -> Spot:
    """Return the nearest position on an edge that the profile may use."""
    edges = np.flatnonzero(profile_network.edge_is_usable)
    if not len(edges):
        raise InputError("There is no road that the profile may use.")
    x, y = np.full(len(edges), point[0]), np.full(len(edges), point[1])
    share, _, _, distance_m = positions_on_edges(profile_network, edges, x, y)
    best = int(np.argmin(distance_m))
    return Spot(int(edges[best]), float(share[best]))
