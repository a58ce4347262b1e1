"""A scenario's road changes on the road graph: what every answer of the scenario goes by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.crs import WGS84, transform
from planner.errors import EntriesError, InputError
from planner.network.patches import Spot, bridged, closed, divided, reclassed
from planner.network.snap import edge_lines
from planner.network.speeds import prepare_profile
from planner.reach.road_edits import nearest_spot, require_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.network.road_network import RoadNetwork
    from planner.road_changes import RoadChange
    from planner.scenario import Scenario
    from planner.study import Study


def changed_network(network: RoadNetwork, study: Study, scenario: Scenario) -> RoadNetwork:
    """Return the road graph with the scenario's road changes made, one after another.

    A road is named by its id; a road that was divided into links (`R7-1`, `R7-2`) by the id before the dash, too. Of
    roads that an area's outline crosses only the part inside is closed.

    Raises
    ------
    EntriesError
        Naming every change that cannot be made, and why.
    """
    faults = []
    for number, change in enumerate(scenario.road_changes, start=1):
        try:
            network = _changed(network, study, scenario, change)
        except InputError as error:
            faults.append(f"road_changes {number} ({change.kind}): {error}")
    if faults:
        raise EntriesError("The scenario's road changes", faults)
    return network


def rows_of_road(study: Study, road: str) -> NDArray[np.int64]:
    """Return the rows of the roads table that a road's id names: the link itself, else all links it was divided into.

    Raises
    ------
    InputError
        When there is none.
    """
    ids = study.table("roads")["road_id"].astype(str)
    rows = np.flatnonzero(ids == road)
    if not len(rows):
        rows = np.flatnonzero(ids.str.fullmatch(rf"{re.escape(road)}-\d+"))
    if not len(rows):
        raise InputError(f"There is no road '{road}'.")
    return rows


def _changed(network: RoadNetwork, study: Study, scenario: Scenario, change: RoadChange) -> RoadNetwork:
    if change.kind in ("close", "change"):
        edges = np.flatnonzero(np.isin(network.edge_road, rows_of_road(study, change.road)))
        if change.kind == "close":
            return closed(network, edges).network
        require_class(network, change.road_class)
        return reclassed(network, edges, change.road_class).network
    lon, lat = np.array(change.line, float).T
    line = np.column_stack(transform(lon, lat, WGS84, study.crs))
    if not np.isfinite(line).all():
        raise InputError("Its line lies where the study's coordinate system does not reach. Check the coordinates.")
    if change.kind == "area":
        return _without_area(network, line)
    require_class(network, change.road_class)
    travelled = prepare_profile(network, scenario.profiles[scenario.main_profile])
    ends = [nearest_spot(travelled, line[i]) for i in (0, -1)]
    return bridged(network, ends, line[1:-1], change.road_class).network


def _without_area(network: RoadNetwork, outline: NDArray[np.float64]) -> RoadNetwork:
    """Return the network with every road closed as far as it lies inside an outline."""
    area = shapely.make_valid(shapely.Polygon(outline))
    if not shapely.area(area):
        raise InputError("Its outline encloses nothing. Draw it again.")
    shapely.prepare(area)
    network = divided(network, _crossings(network, area))
    edges = _edges_near(network, area)
    middle = shapely.line_interpolate_point(edge_lines(network, edges), 0.5, normalized=True)
    inside = edges[shapely.intersects(area, middle)]
    if not len(inside):
        raise InputError("No road lies inside its outline. Check the coordinates: longitude stands before latitude.")
    return closed(network, inside).network


def _crossings(network: RoadNetwork, area: Any) -> list[Spot]:  # noqa: ANN401  shapely is untyped
    """Return where edges cross the outline."""
    edges = _edges_near(network, area)
    lines = edge_lines(network, edges)
    met = shapely.intersects(lines, shapely.boundary(area))
    spots = []
    for edge, line in zip(edges[met].tolist(), lines[met], strict=True):
        points = shapely.get_coordinates(shapely.intersection(line, shapely.boundary(area)))
        shares = np.unique(shapely.line_locate_point(line, shapely.points(points), normalized=True))
        spots += [Spot(edge, float(share)) for share in shares if 0 < share < 1]
    return spots


def _edges_near(network: RoadNetwork, area: Any) -> NDArray[np.int64]:  # noqa: ANN401
    """Return the edges whose boxes meet that of an area."""
    west, south, east, north = shapely.bounds(area)
    x = np.sort(network.x[[network.edge_from, network.edge_to]], axis=0)
    y = np.sort(network.y[[network.edge_from, network.edge_to]], axis=0)
    return np.flatnonzero((x[0] <= east) & (x[1] >= west) & (y[0] <= north) & (y[1] >= south))
