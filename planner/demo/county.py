"""The synthetic county as tables: `make_county(DemoSpec())`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.crs import transform
from planner.demo.candidates import make_candidates
from planner.demo.corridors import cells_of, motorway, railway, ramps, river_polygon, surface_pieces
from planner.demo.facilities import make_facilities
from planner.demo.lines import make_edges, make_lines
from planner.demo.names import word_lists
from planner.demo.outline import make_areas, moved_inside
from planner.demo.people import make_demand, make_homes
from planner.demo.places import VILLAGE, make_places
from planner.demo.roads import add_hamlet_roads, main_roads
from planner.demo.spec import DemoSpec
from planner.demo.terrain import CELL_M, make_terrain
from planner.progress import SILENT, Progress
from planner.study import Grid
from planner.texts import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from planner.demo.people import Homes
    from planner.demo.places import Places
    from planner.demo.terrain import Terrain

WORKING_CRS = "EPSG:4545"
GEOGRAPHIC_CRS = "EPSG:4490"
GRID_DEG = 1.0 / 1_200.0
"""Cell of the rasters: 3 seconds of arc, about 78 x 92 m."""
TORN_SHARE = 0.015
"""Share of the hamlets' roads that stop short of the next road, a gap as real road data have them."""


@dataclass(frozen=True)
class DemoCounty:
    """A synthetic county in memory.

    Attributes
    ----------
    spec : the figures it was made to.
    tables : facilities, candidates, demand, settlements, areas, roads, barriers with the columns of their contracts,
        in `WORKING_CRS`.
    grids : "elevation" (metres) and "population" (people per cell), in `GEOGRAPHIC_CRS`.
    """

    spec: DemoSpec
    tables: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)


def make_county(spec: DemoSpec | None = None, progress: Progress = SILENT) -> DemoCounty:
    """Return a synthetic mountain county that meets the figures of `spec`; the same spec gives the same county."""
    spec = spec or DemoSpec()
    progress.update(0, 6, text("demo.progress_terrain"))
    terrain = make_terrain(spec)
    progress.update(1, 6, text("demo.progress_places"))
    places = make_places(spec, terrain)
    progress.update(2, 6, text("demo.progress_roads"))
    rng = np.random.default_rng([spec.seed, 3])
    draft = main_roads(places, rng)
    fast, rail = motorway(places), railway(places)
    noisy = np.concatenate([cells_of(line, places) for line in (fast, rail)])
    homes = make_homes(spec, places, np.unique(np.concatenate(draft.steps())), noisy)
    is_far = ~homes.hamlets["road"].isin(["near", ""]).to_numpy()
    cells = np.concatenate([homes.settlements["cell"], homes.hamlets.loc[is_far, "cell"]])
    words = np.concatenate([np.full(len(homes.settlements), "村道", object), homes.hamlets.loc[is_far, "road"]])
    is_torn = (np.arange(len(cells)) >= len(homes.settlements)) & (rng.random(len(cells)) < TORN_SHARE)
    add_hamlet_roads(draft, places, cells, words, is_torn)
    lines = make_lines(make_edges(draft, places, rng), WORKING_CRS)
    progress.update(3, 6, text("demo.progress_areas"))
    progress.update(4, 6, text("demo.progress_people"))
    areas = make_areas(spec, places, WORKING_CRS)
    homes = replace(homes, settlements=moved_inside(homes.settlements, areas))
    demand = moved_inside(make_demand(spec, places, homes), areas)
    progress.update(5, 6, text("demo.progress_tables"))
    tables = {
        "facilities": _points(make_facilities(spec, places, homes, areas)),
        "candidates": _points(make_candidates(spec, places, homes, areas)),
        "demand": _demand_table(demand, places),
        "settlements": _settlement_table(spec, demand, places, homes),
        "areas": areas,
        "roads": _with_motorway(lines, fast, places),
        "barriers": _barriers(fast, rail, places, areas),
    }
    grids = {"elevation": _elevation(places.terrain), "population": _population(tables["demand"])}
    return DemoCounty(spec, tables, grids)


def _points(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """The table with its x and y (metres) as points."""
    xy = np.round(table[["x", "y"]].to_numpy(float), 1)
    return gpd.GeoDataFrame(table.drop(columns=["x", "y"]), geometry=shapely.points(xy), crs=WORKING_CRS)


def _demand_table(demand: pd.DataFrame, places: Places) -> gpd.GeoDataFrame:
    units = places.units.iloc[demand["unit"]]
    table = pd.DataFrame({
        "demand_id": [f"QLX{i:05d}" for i in range(1, len(demand) + 1)],
        "population": demand["population"].to_numpy(),
        "age60": demand["age60"].to_numpy(),
        "children": demand["children"].to_numpy(),
        "relocated": demand["relocated"].to_numpy(),
        "name": demand["name"].to_numpy(),
        "town": places.towns["name"].to_numpy()[units["town"]],
        "village": units["name"].to_numpy(),
        "class": np.where(units["kind"] == VILLAGE, "rural", "urban"),
        "x": demand["x"].to_numpy(), "y": demand["y"].to_numpy(),
    })  # fmt: skip
    return _points(table)


def _settlement_table(spec: DemoSpec, demand: pd.DataFrame, places: Places, homes: Homes) -> gpd.GeoDataFrame:
    rng = np.random.default_rng([spec.seed, 8])
    homes_table = homes.settlements
    ages = demand[demand["settlement"] >= 0].groupby("settlement")[["age60", "children"]].sum()
    units = places.units.iloc[homes_table["unit"]]
    towns = places.towns["name"].to_numpy()
    own = units["town"].to_numpy()
    origins = []
    for town, size in zip(own, homes_table["size_class"], strict=True):
        n = {"small": 0, "medium": 1, "large": 3, "very_large": 6}[size] + int(rng.random() < 0.3)
        more = rng.choice(len(towns), min(n, len(towns)), replace=False)
        origins.append("、".join(dict.fromkeys([towns[town], *towns[more]])))
    table = pd.DataFrame({
        "settlement_id": [f"QLA{i:04d}" for i in range(1, len(homes_table) + 1)],
        "name": homes_table["name"].to_numpy(),
        "people": homes_table["people"].to_numpy(),
        "households": homes_table["households"].to_numpy(),
        "age60": ages["age60"].to_numpy(),
        "children": ages["children"].to_numpy(),
        "year": homes_table["year"].to_numpy(),
        "compounds": homes_table["compounds"].to_numpy(),
        "origin_towns": origins,
        "town": towns[own],
        "village": units["name"].to_numpy(),
        "x": homes_table["x"].to_numpy(), "y": homes_table["y"].to_numpy(),
    })  # fmt: skip
    return _points(table)


def _with_motorway(lines: gpd.GeoDataFrame, line: NDArray[np.float64], places: Places) -> gpd.GeoDataFrame:
    """The roads with the motorway piece, which meets them at its ramps only."""
    exits = ramps(line, places)
    cuts = sorted({0, len(line) - 1, *(at for at, _, _ in exits)})
    rows = [(line[a : b + 1], "高速公路", "G9901青岚高速") for a, b in pairwise(cuts)]
    for at, number, node in exits:
        rows.append((np.array([line[at], places.streets[number].nodes[node]]), "高速匝道", "互通匝道"))
    more = gpd.GeoDataFrame(
        {
            "class": [row[1] for row in rows], "name": [row[2] for row in rows], "oneway": "no",
            "bridge": [row[1] == "高速匝道" for row in rows],
        },
        geometry=[shapely.LineString(row[0]) for row in rows],
        crs=lines.crs,
    )  # fmt: skip
    roads = pd.concat([more, lines], ignore_index=True)
    roads.insert(0, "road_id", [f"R{i:05d}" for i in range(1, len(roads) + 1)])
    return roads


def _barriers(
    fast: NDArray[np.float64], rail: NDArray[np.float64], places: Places, areas: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """River, tributaries, and the stretches of railway and motorway that lie on the ground."""
    county = areas.loc[areas["level"] == "county", "geometry"].iloc[0].buffer(500.0)
    rows = [("river", "青岚江", river_polygon(places))]
    for line, name in zip(places.terrain.tributaries, word_lists()["tributaries"], strict=False):
        rows.append(("river", name, shapely.LineString(np.round(line, 1))))
    rows += [("railway", "青岚铁路", shapely.LineString(piece)) for piece in surface_pieces(rail, places)]
    rows += [("motorway", "G9901青岚高速", shapely.LineString(piece)) for piece in surface_pieces(fast, places)]
    geometry = [shapely.intersection(row[2], county) for row in rows]
    table = gpd.GeoDataFrame(
        {"barrier_id": [f"B{i:03d}" for i in range(1, len(rows) + 1)], "kind": [row[0] for row in rows],
         "name": [row[1] for row in rows]},
        geometry=geometry, crs=WORKING_CRS,
    )  # fmt: skip
    return table[~table.is_empty].reset_index(drop=True)


def _elevation(terrain: Terrain) -> Grid:
    """Heights in cells of three seconds of arc over the whole terrain, whole metres, as elevation models come."""
    from scipy.ndimage import map_coordinates

    rows, columns = terrain.shape
    x = terrain.west + np.array([0, columns, 0, columns]) * CELL_M
    y = terrain.north - np.array([0, 0, rows, rows]) * CELL_M
    lon, lat = transform(x, y, WORKING_CRS, GEOGRAPHIC_CRS)
    west, east = np.ceil(lon[[0, 2]].max() / GRID_DEG), np.floor(lon[[1, 3]].min() / GRID_DEG)
    south, north = np.ceil(lat[2:].max() / GRID_DEG), np.floor(lat[:2].min() / GRID_DEG)
    grid_lon = (west + np.arange(int(east - west)) + 0.5) * GRID_DEG
    grid_lat = (north - np.arange(int(north - south)) - 0.5) * GRID_DEG
    px, py = transform(
        np.tile(grid_lon, len(grid_lat)), np.repeat(grid_lat, len(grid_lon)), GEOGRAPHIC_CRS, WORKING_CRS
    )
    at = np.stack([(terrain.north - py) / CELL_M - 0.5, (px - terrain.west) / CELL_M - 0.5])
    height = map_coordinates(terrain.height, at, order=1, mode="nearest")
    values = np.rint(height).astype(np.float32).reshape(len(grid_lat), len(grid_lon))
    return Grid(values, (GRID_DEG, 0.0, west * GRID_DEG, 0.0, -GRID_DEG, north * GRID_DEG), GEOGRAPHIC_CRS, "m")


def _population(demand: gpd.GeoDataFrame) -> Grid:
    """The people of the demand table, per cell of three seconds of arc; cells without people are 0."""
    lon, lat = transform(demand.geometry.x, demand.geometry.y, WORKING_CRS, GEOGRAPHIC_CRS)
    column, row = np.floor(lon / GRID_DEG).astype(np.int64), np.floor(-lat / GRID_DEG).astype(np.int64)
    west, north = column.min() - 4, row.min() - 4
    values = np.zeros((row.max() - north + 5, column.max() - west + 5), np.float32)
    np.add.at(values, (row - north, column - west), demand["population"].to_numpy(np.float32))
    return Grid(values, (GRID_DEG, 0.0, west * GRID_DEG, 0.0, -GRID_DEG, -north * GRID_DEG), GEOGRAPHIC_CRS, "people")
