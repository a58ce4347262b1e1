"""A synthetic road network of any size: bent streets between the junctions of a shaken lattice, some missing.

About 2.6 vertices a junction, as in real extracts, so that `n_nodes` counts what a map would show.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from planner.network.build import build_network

CRS = "EPSG:32649"
SPACING_M = 120.0
NODES_PER_JUNCTION = 3.55


def lattice_roads(n_nodes, seed=0):
    """The roads table of a network of about `n_nodes` vertices."""
    rng = np.random.default_rng(seed)
    side = max(int(np.sqrt(n_nodes / NODES_PER_JUNCTION)), 2)
    column, row = (axis.ravel() for axis in np.meshgrid(np.arange(side), np.arange(side)))
    x = column * SPACING_M + rng.uniform(-40, 40, side * side)
    y = row * SPACING_M + rng.uniform(-40, 40, side * side)
    number = np.arange(side * side)
    east, north = number[column < side - 1], number[row < side - 1]
    tail, head = np.concatenate([east, north]), np.concatenate([east + 1, north + side])
    keep = rng.random(len(tail)) < 0.75
    tail, head = tail[keep], head[keep]
    n_inner = rng.choice([0, 1, 2, 3, 4], len(tail), p=[0.2, 0.2, 0.3, 0.2, 0.1])
    n_vertices = n_inner + 2
    link = np.repeat(np.arange(len(tail)), n_vertices)
    step = np.arange(len(link)) - np.repeat(np.cumsum(n_vertices) - n_vertices, n_vertices)
    share = step / (n_vertices - 1)[link]
    bend = np.where((step > 0) & (share < 1), rng.normal(0, 5, len(link)), 0.0)
    coordinates = np.column_stack(
        [
            x[tail[link]] + share * (x[head] - x[tail])[link] + bend,
            y[tail[link]] + share * (y[head] - y[tail])[link] - bend,
        ]
    )
    return gpd.GeoDataFrame(
        {
            "class": rng.choice(["residential", "unclassified", "footway"], len(tail)),
            "from_node": tail,
            "to_node": head,
        },
        geometry=shapely.linestrings(coordinates, indices=link),
        crs=CRS,
    )


def lattice_network(n_nodes, seed=0):
    """The road network of `lattice_roads`."""
    return build_network(lattice_roads(n_nodes, seed), CRS)
