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
from planner.standards import road_class_words

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely import LineString

    from planner.network.road_network import ProfileNetwork, RoadNetwork
    from planner.reach.what_if import WhatIf


def close_road(trial: WhatIf, road: int | NDArray[np.int64], edge: int | None = None) -> None:
    """Close a road (or all of several), or one of its edges only, to everybody.

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


def change_road(trial: WhatIf, road: int | NDArray[np.int64], road_class: str) -> None:
    """Put a road (or all of several) into another class: another speed, and perhaps other profiles.

    Raises
    ------
    InputError
        When there is no such road or class.
    """
    require_class(trial.profile_network.network, road_class)
    change_network(trial, reclassed(trial.profile_network.network, _edges_of(trial, road), road_class))


def build_bridge(trial: WhatIf, line: LineString, road_class: str = "footway") -> int:
    """Build a bridge whose two ends are led to the nearest usable road; return the number of its road.

    Raises
    ------
    InputError
        When the line is none, an end lies farther from a usable road than a leg may be long (`max_access_m`), both meet
        the roads at one spot, or there is no such class.
    """
    import shapely

    require_class(trial.profile_network.network, road_class)
    coordinates = shapely.get_coordinates(line)
    if shapely.get_type_id(line) != shapely.GeometryType.LINESTRING or len(coordinates) < 2:  # noqa: PLR2004  both ends
        raise InputError("A bridge is one line with two ends. Draw it again.")
    if not np.isfinite(coordinates).all():
        raise InputError("A vertex of the bridge has no coordinates. Draw it again.")
    ends = [nearest_spot(trial.profile_network, coordinates[i]) for i in (0, -1)]
    patch = bridged(trial.profile_network.network, ends, coordinates[1:-1], road_class)
    change_network(trial, patch)
    return int(patch.network.edge_road[-1])


def _edges_of(trial: WhatIf, road: int | NDArray[np.int64]) -> NDArray[np.int64]:
    edges = np.flatnonzero(np.isin(trial.profile_network.network.edge_road, road))
    if not len(edges):
        raise InputError(f"There is no road {road}.")
    return edges


def require_class(network: RoadNetwork, road_class: str) -> None:
    """Raise `InputError` unless the planner or the network knows the class."""
    known = sorted({*road_class_words(), *network.classes} - {""})
    if road_class not in known:
        raise InputError(f"There is no road class '{road_class}'; there are {', '.join(known)}.")


def nearest_spot(profile_network: ProfileNetwork, point: NDArray[Any]) -> Spot:
    """Return the nearest position on an edge that the profile may use.

    Raises
    ------
    InputError
        When the nearest is beyond `max_access_m`, or there is none.
    """
    edges = np.flatnonzero(profile_network.edge_is_usable)
    if not len(edges):
        raise InputError("There is no road that the profile may use.")
    x, y = np.full(len(edges), point[0]), np.full(len(edges), point[1])
    share, _, _, distance_m = positions_on_edges(profile_network, edges, x, y)
    best = int(np.argmin(distance_m))
    most_m = profile_network.profile.max_access_m
    if distance_m[best] > most_m:
        raise InputError(
            f"The nearest usable road is {distance_m[best]:.0f} m from an end of the bridge; {most_m:g} m are allowed."
        )
    return Spot(int(edges[best]), float(share[best]))
