"""The road graph from the roads table: noded at shared vertices, contracted, in Hilbert order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.crs import require_metric
from planner.errors import InputError
from planner.network.components import pieces, ranked
from planner.network.contract import Links, contract
from planner.network.road_network import RoadNetwork
from planner.network.slope import sample_heights
from planner.study import require_crs

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.study import Grid

_ONEWAY = {"no": 0, "forward": 1, "backward": -1}
_ACCESS = {"yes": 1, "no": -1}
_ACCESS_COLUMNS = ("foot", "bicycle", "motor")
_REQUIRED = ("class", "from_node", "to_node")


def build_network(roads: gpd.GeoDataFrame, crs: str, elevation: Grid | None = None) -> RoadNetwork:
    """Return the network of the roads table: every vertex a node, every segment an edge.

    Parameters
    ----------
    roads : links between shared vertices (columns of the contract `roads`), in `crs`.
    crs : the study's metric CRS.
    elevation : heights; None = everything counts as level.

    Raises
    ------
    InputError
        When there is no road, a column is missing, or a line has fewer than two vertices.
    CrsError
        When `crs` is not metric or not the table's.
    """
    import shapely

    require_metric(crs)
    require_crs(roads, crs)
    _require_columns(roads)
    coordinates, link = shapely.get_coordinates(roads.geometry.to_numpy(), return_index=True)
    n_vertices = np.bincount(link, minlength=len(roads))
    if n_vertices.min() < 2:  # noqa: PLR2004  a line has two ends
        rows = roads["road_id"].to_numpy()[n_vertices < 2] if "road_id" in roads else np.flatnonzero(n_vertices < 2)  # noqa: PLR2004
        raise InputError(f"{len(rows)} roads have no length (first: {list(rows[:5])}). Import the roads again.")
    vertex_node, n_nodes = _number_vertices(roads, link, n_vertices)
    x, y = np.empty(n_nodes), np.empty(n_nodes)
    x[vertex_node], y[vertex_node] = coordinates[:, 0], coordinates[:, 1]

    classes, link_class = _coded(roads["class"])
    motor = _mapped(roads, "oneway", _ONEWAY)
    oneway = np.column_stack([_bicycle_oneway(roads, motor), motor])
    access = np.column_stack([_mapped(roads, name, _ACCESS) for name in _ACCESS_COLUMNS])
    last = np.cumsum(n_vertices) - 1
    first = last - n_vertices + 1
    inner = np.column_stack([first + 1, last - 1]).ravel()
    kind = ((link_class.astype(np.int64) * 3 + access[:, 0] + 1) * 3 + access[:, 1] + 1) * 3 + access[:, 2] + 1
    chains = contract(
        Links(
            end_node=np.column_stack([vertex_node[first], vertex_node[last]]).ravel().astype(np.int64),
            inner_x=coordinates[inner, 0], inner_y=coordinates[inner, 1], kind=kind, oneway=oneway, node_x=x, node_y=y,
        )
    )  # fmt: skip

    edge_vertex, edge_link, backwards = _edges_in_chain_order(chains.link_order, chains.link_is_reversed, first, last)
    edge_from = vertex_node[edge_vertex + backwards]
    edge_to = vertex_node[edge_vertex + ~backwards]
    edge_chain = chains.link_chain[edge_link]
    level = _flags(roads, "bridge") | _flags(roads, "tunnel")
    n_junctions = len(chains.junction_node)
    piece = pieces(chains.chain_from, chains.chain_to, n_junctions)
    component = np.empty(n_nodes, np.int32)
    component[edge_from] = component[edge_to] = piece[chains.chain_from[edge_chain]]
    return RoadNetwork(
        crs=crs,
        x=x,
        y=y,
        z=None if elevation is None else sample_heights(elevation, x, y, crs),
        edge_from=edge_from,
        edge_to=edge_to,
        edge_length_m=np.hypot(x[edge_to] - x[edge_from], y[edge_to] - y[edge_from]),
        edge_class=link_class[edge_link],
        classes=classes,
        edge_oneway=np.where(backwards[:, None], -oneway[edge_link], oneway[edge_link]).astype(np.int8),
        edge_access=access[edge_link],
        edge_is_level=level[edge_link],
        edge_road=edge_link.astype(np.int32),
        edge_chain=edge_chain,
        chain_first_edge=np.searchsorted(edge_chain, np.arange(len(chains.chain_from) + 1)).astype(np.int64),
        chain_from=chains.chain_from,
        chain_to=chains.chain_to,
        junction_node=chains.junction_node,
        component=ranked(component),
    )


def _require_columns(roads: gpd.GeoDataFrame) -> None:
    if not len(roads):
        raise InputError("The study has no roads. Import some: planner import STUDY.gpkg roads FILE")
    missing = [name for name in _REQUIRED if name not in roads]
    if missing:
        raise InputError(f"The roads table lacks {', '.join(missing)}. Import the roads again.")
    n_open = int(roads[["from_node", "to_node"]].isna().any(axis=1).sum())
    if n_open:
        raise InputError(f"{n_open} roads do not say which nodes they join. Import the roads again.")


def _number_vertices(
    roads: gpd.GeoDataFrame, link: NDArray[Any], n_vertices: NDArray[Any]
) -> tuple[NDArray[np.int32], int]:
    """Return int32[n_vertices] node numbers and their count: link ends by node id first, then inner vertices."""
    ends = np.concatenate([roads["from_node"].to_numpy(np.int64), roads["to_node"].to_numpy(np.int64)])
    ids, number = np.unique(ends, return_inverse=True)
    last = np.cumsum(n_vertices) - 1
    first = last - n_vertices + 1
    is_end = np.zeros(len(link), bool)
    is_end[first] = is_end[last] = True
    node = np.empty(len(link), np.int32)
    n_inner = int((~is_end).sum())
    node[~is_end] = len(ids) + np.arange(n_inner, dtype=np.int32)
    node[first], node[last] = number[: len(roads)], number[len(roads) :]
    return node, len(ids) + n_inner


def _edges_in_chain_order(
    order: NDArray[np.int64], is_reversed: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return, for every edge, the lower of its two vertices, its link, and whether it points against the link."""
    n_edges = (last - first)[order]
    edge_link = np.repeat(order, n_edges)
    step = np.arange(len(edge_link)) - np.repeat(np.cumsum(n_edges) - n_edges, n_edges)
    backwards = is_reversed[edge_link]
    return np.where(backwards, last[edge_link] - 1 - step, first[edge_link] + step), edge_link, backwards


def _coded(values: pd.Series) -> tuple[tuple[str, ...], NDArray[np.int16]]:
    """Return the distinct road classes in order of their names, and int16[n] codes."""
    import pandas as pd

    categories = pd.Categorical(values.astype("object").where(values.notna(), "").astype(str))
    return tuple(str(name) for name in categories.categories), categories.codes.astype(np.int16)


def _bicycle_oneway(roads: gpd.GeoDataFrame, motor: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return int8[n], the one-way rule of bicycles: their own where the road has one, else that of cars."""
    if "bicycle_oneway" not in roads:
        return motor
    own = roads["bicycle_oneway"].map(_ONEWAY).to_numpy(float, na_value=np.nan)
    return np.where(np.isnan(own), motor, own).astype(np.int8)


def _mapped(roads: gpd.GeoDataFrame, column: str, codes: dict[str, int]) -> NDArray[np.int8]:
    """Return int8[n], the column's codes; 0 where it is absent or blank."""
    if column not in roads:
        return np.zeros(len(roads), np.int8)
    return roads[column].map(codes).fillna(0).to_numpy(np.int8)


def _flags(roads: gpd.GeoDataFrame, column: str) -> NDArray[np.bool_]:
    if column not in roads:
        return np.zeros(len(roads), bool)
    values = roads[column]
    return values.astype(object).where(values.notna(), other=False).astype(bool).to_numpy()
