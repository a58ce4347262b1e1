"""An official layer laid over OpenStreetMap roads whose truth is known: what is doubled, what is lost, what is torn.

Run: python -m benchmarks.merging. The roads of Wuhan (OpenStreetMap, 7,185 km) are the layer that is there. The
"official" layer holds its main roads (motorway to tertiary, with their ramps) as another office would draw them:
simplified by 3 m, shifted by 4 m, bent by up to 1.5 m, with Chinese words for classes and no bridges. The truth is the
network before: a perfect merger has its length, its pieces and its distances.
"""

import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from planner.inputs.roads.lines import read_road_lines
from planner.inputs.roads.merging import merge_roads
from planner.network.build import build_network
from planner.network.components import summary
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.travel_times import nearest
from planner.standards import default_profiles
from tests.reference.real_data import DATA

CRS = "EPSG:32650"
WORDS = {"motorway": "高速公路", "trunk": "国道", "primary": "省道", "secondary": "县道", "tertiary": "乡道"}


def official(roads, folder):
    """The main roads as another office draws them, in a file of its own."""
    chosen = roads[[one.removesuffix("_link") in WORDS for one in roads["class"]]]
    simple = shapely.simplify(chosen.geometry.to_numpy(), 3.0)
    # Bent by the place, so that roads that meet still do.
    moved = shapely.transform(simple, lambda xy: xy + [3.0, -2.6] + 1.5 * np.sin(xy[:, ::-1] / 170.0))
    words = [WORDS.get(one.removesuffix("_link"), "街巷") for one in chosen["class"]]
    path = Path(folder) / "official.gpkg"
    gpd.GeoDataFrame({"道路等级": words}, geometry=moved, crs=CRS).to_file(path)
    return read_road_lines(path, CRS).roads


def distances(roads, points, places):
    """Metres by car (at one speed) from points to their nearest place, over the roads."""
    car = default_profiles()["car"]
    profile = car.model_copy(update={"class_speed_kph": {}, "speed_kph": 36.0, "obeys_oneway": False})
    network = prepare_profile(build_network(roads, CRS), profile)
    snapped = [snap_points(network, np.arange(len(xy)), *xy.T) for xy in (places, points)]
    return nearest(network, *snapped).minutes()[:, 0] * 600.0


def main():
    under = read_road_lines(DATA / "wuhan_roads/roads.parquet", CRS).roads
    with tempfile.TemporaryDirectory() as folder:
        over = official(under, folder)
    start = time.process_time()
    merged = merge_roads(over, under)
    seconds = time.process_time() - start
    over_km, under_km = (roads.length.sum() / 1e3 for roads in (over, under))
    print(f"over {over_km:,.0f} km, under {under_km:,.0f} km; CPU {seconds:.0f} s; {merged.counts}")
    print(f"both piled up: {over_km + under_km:,.0f} km")
    for name, roads in (("before", under), ("over", over), ("merged", merged.roads)):
        found = summary(build_network(roads, CRS))
        print(
            f"{name}: {found['length_m'] / 1e3:,.0f} km, {found['n_components']:,} pieces, largest "
            f"{found['largest_component_share']:.2%} of nodes"
        )
    rng = np.random.default_rng(2)
    sample = shapely.get_coordinates(shapely.line_interpolate_point(under.geometry.to_numpy(), 0.5, normalized=True))
    points, places = rng.permutation(sample)[:3_000], rng.permutation(sample)[:60]
    before, after = (distances(roads, points, places) for roads in (under, merged.roads))
    known = np.isfinite(before) & np.isfinite(after)
    off = np.abs(after - before)[known] / np.maximum(before[known], 500.0)
    print(
        f"distance to the nearest of 60 places, {known.sum():,} points: median change {np.median(off):.2%}, "
        f"95th percentile {np.percentile(off, 95):.2%}; cut off before {(~np.isfinite(before)).sum()}, after "
        f"{(~np.isfinite(after)).sum()}"
    )


if __name__ == "__main__":
    main()
