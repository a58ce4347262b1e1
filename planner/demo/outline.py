"""Boundaries of the county, its towns and its villages, which share their lines exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from planner.demo.places import SEAT, VILLAGE
from planner.demo.terrain import CELL_M
from planner.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from planner.demo.places import Places
    from planner.demo.spec import DemoSpec

_COUNTY_CODE = "619901"
_TOLERANCE_M = 110.0
INNER_M = 6.0


def make_areas(spec: DemoSpec, places: Places, crs: str) -> gpd.GeoDataFrame:
    """Return one row for the county, each town and each village: area_id, name, level, parent_id, class, geometry."""
    villages = shapely.coverage_simplify(_village_polygons(places), _TOLERANCE_M)
    villages = shapely.transform(villages, _wandered)
    units, towns = places.units, places.towns
    town_of = units["town"].to_numpy()
    town_geometry = [shapely.union_all(villages[town_of == town]) for town in range(len(towns))]
    town_code = [f"{_COUNTY_CODE}{town + 1:03d}" for town in range(len(towns))]
    number = units.groupby("town").cumcount().to_numpy() + 1
    village_code = [f"{town_code[town]}{200 + i:03d}" for town, i in zip(town_of, number, strict=True)]
    geometry = [shapely.union_all(np.array(town_geometry)), *town_geometry, *villages]
    return gpd.GeoDataFrame(
        {
            "area_id": [_COUNTY_CODE, *town_code, *village_code],
            "name": [spec.name, *towns["name"], *units["name"]],
            "level": ["county", *["town"] * len(towns), *["village"] * len(units)],
            "parent_id": ["", *[_COUNTY_CODE] * len(towns), *[town_code[town] for town in town_of]],
            "class": [
                "",
                *np.where(towns["kind"] == SEAT, "urban", "rural"),
                *np.where(units["kind"] == VILLAGE, "rural", "urban"),
            ],
        },
        geometry=[_multi(shape) for shape in geometry],
        crs=crs,
    )  # fmt: skip


def moved_inside(points: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the points (x, y, unit) with those outside of their own village moved just inside of it."""
    villages = areas.loc[areas["level"] == "village", "geometry"].to_numpy()
    own = shapely.buffer(villages, -INNER_M)[points["unit"].to_numpy(np.int64)]
    place = shapely.points(points[["x", "y"]].to_numpy(float))
    nearest = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(own, place), 0))
    is_out = ~shapely.intersects(own, place)
    return points.assign(x=np.where(is_out, nearest[:, 0], points["x"]), y=np.where(is_out, nearest[:, 1], points["y"]))


def _wandered(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """The corners moved a little, equal ones equally: lines along cells look drawn with a ruler."""
    x, y = xy.T
    dx = 34.0 * np.sin(x / 171.0 + 1.3 * np.sin(y / 263.0)) + 21.0 * np.sin(y / 97.0)
    dy = 34.0 * np.sin(y / 183.0 + 1.1 * np.sin(x / 241.0)) + 21.0 * np.sin(x / 103.0)
    return np.round(np.column_stack([x + dx, y + dy]), 1)


def _village_polygons(places: Places) -> NDArray[np.object_]:
    """One polygon for each unit, along the cells' edges."""
    try:
        from rasterio.features import shapes
        from rasterio.transform import Affine
    except ImportError as error:
        raise MissingExtraError("rasterio", "raster") from error

    terrain = places.terrain
    label = places.unit.reshape(terrain.shape).astype(np.int32)
    parts: dict[int, list[shapely.Geometry]] = {}
    transform = Affine(CELL_M, 0.0, terrain.west, 0.0, -CELL_M, terrain.north)
    for shape, value in shapes(label, mask=label >= 0, transform=transform):
        parts.setdefault(int(value), []).append(shapely.geometry.shape(shape))
    # Every corner of a cell becomes a vertex: neighbours must have all their corners in common.
    whole = np.array([shapely.union_all(parts[unit]) for unit in range(len(places.units))])
    return shapely.transform(shapely.segmentize(whole, CELL_M), np.rint)


def _multi(shape: shapely.Geometry) -> shapely.MultiPolygon:
    pieces = [
        piece for piece in shapely.get_parts(shape) if piece.geom_type == "Polygon" and piece.area > CELL_M**2 / 2
    ]
    return shapely.MultiPolygon(pieces)
