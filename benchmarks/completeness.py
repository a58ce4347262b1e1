"""Completeness reports of two Chinese networks as they are in OpenStreetMap, drawn beside the map they speak of.

Run: python -m benchmarks.completeness [--map FOLDER]. Both extracts come without people or boundaries: squares of 500 m
stand for villages, one person for each 50 m cell, so that "people far from roads" means land far from roads. With
--map, one picture a network is drawn (needs matplotlib).
"""

import argparse
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from planner.coverage.completeness import FOOT_CLASSES
from planner.inputs.roads.osm import read_osm
from planner.plan.ready import prepare
from planner.plan.roads import road_quality
from planner.scenario import Scenario
from planner.study import new_study
from tests.reference.real_data import DATA

NETWORKS = {"guixi": ("guixi/guixi.osm", "EPSG:4548"), "nanshan": ("shenzhen_nanshan/nanshan.osm", "EPSG:4547")}
VILLAGE_M, CELL_M = 500.0, 50.0


def study_of(name):
    """The network with squares for villages and a person in every cell."""
    path, crs = NETWORKS[name]
    read = read_osm(DATA / path, crs)
    # Some ways run far out of the extract: the box is that of the middle 96 % of vertices.
    xy = shapely.get_coordinates(read.roads.geometry.to_numpy())
    (west, south), (east, north) = np.percentile(xy, [2, 98], axis=0)
    size = np.maximum(1, np.round(np.array([east - west, north - south]) / VILLAGE_M)).astype(int)
    rows = [
        ("C", name, "county", None, shapely.box(west, south, west + size[0] * VILLAGE_M, south + size[1] * VILLAGE_M))
    ]
    for i, j in np.ndindex(*size):
        x, y = west + i * VILLAGE_M, south + j * VILLAGE_M
        rows.append((f"{i:02d}-{j:02d}", f"{i},{j}", "village", "C", shapely.box(x, y, x + VILLAGE_M, y + VILLAGE_M)))
    areas = gpd.GeoDataFrame(rows, columns=["area_id", "name", "level", "parent_id", "geometry"], crs=crs)
    steps = [np.arange(CELL_M / 2, n * VILLAGE_M, CELL_M) for n in size]
    x, y = (grid.ravel() for grid in np.meshgrid(west + steps[0], south + steps[1]))
    demand = gpd.GeoDataFrame(
        {"demand_id": [f"d{i}" for i in range(len(x))], "population": 1.0}, geometry=gpd.points_from_xy(x, y), crs=crs
    )
    made = new_study(name, crs)
    for key, table in (("areas", areas), ("demand", demand), ("roads", read.roads), ("barriers", read.barriers)):
        made = made.with_table(key, table)
    return made


def draw(name, study, quality, folder):
    """Roads, footpaths, and the squares by their doubts."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    table = quality.table[quality.table["area_level"] == "village"]
    colour = {"no_roads": "#b2182b", "far_from_roads": "#ef8a62", "sparse": "#fddbc7", "no_footpaths": "#d9d9d9"}
    figure, axes = plt.subplots(figsize=(9, 9))
    shade = [
        next((colour[code] for code in words.split(",") if code in colour), "#ffffff") for words in table["doubts"]
    ]
    table.plot(ax=axes, color=shade, edgecolor="#999999")
    roads = study.table("roads")
    is_foot = roads["class"].isin(FOOT_CLASSES)
    roads[~is_foot].plot(ax=axes, color="black", linewidth=0.8)
    if is_foot.any():
        roads[is_foot].plot(ax=axes, color="#2166ac", linewidth=0.8)
    west, south, east, north = table.total_bounds
    axes.set(
        xlim=(west, east),
        ylim=(south, north),
        title=f"{name}: red no road, orange far, grey no footpath, blue = footpaths",
    )
    figure.savefig(folder / f"{name}.png", dpi=80)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--map", type=Path)
    folder = parser.parse_args().map
    for name in NETWORKS:
        study = study_of(name)
        quality = road_quality(prepare(study, Scenario().with_choices(profiles=["walk"])))
        county = quality.table.iloc[0]
        squares = quality.table[quality.table["area_level"] == "village"]
        counts = squares["doubts"].str.get_dummies(",").sum().to_dict()
        foot_share = county["foot_km"] / (county["foot_km"] + county["road_km"])
        print(
            f"{name}: {county['area_km2']:.1f} km2, roads {county['road_km']:.1f} km, "
            f"footpaths {county['foot_km']:.1f} km ({foot_share:.1%}), beyond 300 m of any road "
            f"{county['far_share']:.1%} of the land, unknown on foot {county['unknown_share']:.1%}; doubts about "
            f"the whole: {county['doubts'] or 'none'}; of {len(squares)} squares {counts}; "
            f"faults {quality.faults['kind'].value_counts().to_dict()}"
        )
        if folder:
            draw(name, study, quality, folder)


if __name__ == "__main__":
    main()
