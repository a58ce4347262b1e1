"""A raster of 2 GB as people of a county, in bounded memory: python -m benchmarks.big_raster [--folder FOLDER]

Writes a GeoTIFF of 23,200 x 23,200 float32 cells of 5 m (2.15 GB, not compressed, in tiles; people in 0.4 % of the
cells, whole numbers), takes it into a study whose county covers all of it, cell by cell and put together to 100 m, each
in a process of its own, and prints CPU time, the largest memory of that process and whether everybody is there.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDE, TILE, CELL_M = 23_200, 464, 5.0
WEST, NORTH = 400_000.0, 3_700_000.0
CRS = "EPSG:4545"


def write(path):
    """Write the raster tile by tile; returns its people."""
    import rasterio

    rng = np.random.default_rng(7)
    place = rasterio.Affine(CELL_M, 0, WEST, 0, -CELL_M, NORTH)
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": CRS, "transform": place, "tiled": True,
               "blockxsize": 16 * 29, "blockysize": 16 * 29, "BIGTIFF": "YES"}  # fmt: skip
    total = 0
    with rasterio.open(path, "w", height=SIDE, width=SIDE, **profile) as sink:
        for row in range(0, SIDE, TILE):
            for column in range(0, SIDE, TILE):
                values = np.zeros((TILE, TILE), dtype=np.float32)
                lived_in = rng.random((TILE, TILE)) < 0.004
                values[lived_in] = rng.integers(1, 9, lived_in.sum())
                total += int(values.sum())
                sink.write(values, 1, window=rasterio.windows.Window(column, row, TILE, TILE))
    return total


class Count:
    """Counts how often progress was told."""

    def __init__(self):
        self.n = 0

    def update(self, done, total, message=""):  # noqa: ARG002  the words of a progress
        self.n += 1


def take(path, cell_m):
    """Import the raster and print what it took."""
    import geopandas as gpd
    import shapely

    from planner.inputs.intake import ImportOptions, import_file
    from planner.study import new_study

    extent = SIDE * CELL_M
    county = gpd.GeoDataFrame(
        {"代码": ["1"], "名称": ["县"], "级别": ["县"]},
        geometry=[shapely.box(WEST, NORTH - extent, WEST + extent, NORTH)], crs=CRS,
    )  # fmt: skip
    outline = path.with_name("county.gpkg")
    county.to_file(outline)
    study = import_file(new_study("县", CRS), "areas", outline).study
    before, start, progress = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time(), Count()
    result = import_file(study, "population", path, ImportOptions(cell_m=cell_m or None), progress)
    people = result.study.table("demand")["population"].sum()
    print(f"{people:.0f} {result.summary['n_points']:.0f} {time.process_time() - start:.1f} {before / 1024:.0f} "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} {progress.n}")  # fmt: skip


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=None, help="where 2.2 GB may stand for a while")
    parser.add_argument("--take", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--cell", type=float, default=0.0, help=argparse.SUPPRESS)
    choices = parser.parse_args()
    if choices.take:
        take(choices.take, choices.cell)
        return
    with tempfile.TemporaryDirectory(dir=choices.folder) as folder:
        path = Path(folder) / "people.tif"
        total = write(path)
        print(f"{path.stat().st_size / 1e9:.2f} GB, {total:,} people")
        for cell_m in (0, 100):
            command = [sys.executable, "-m", "benchmarks.big_raster", "--take", str(path), "--cell", str(cell_m)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            people, n_points, cpu, before, peak, told = map(float, said)
            print(f"| {'every cell' if not cell_m else f'{cell_m} m cells'} | {n_points:,.0f} points | "
                  f"{'everybody' if people == total else f'{people - total:+,.0f} people'} | {cpu:.0f} s of CPU | "
                  f"{peak:,.0f} MB ({before:,.0f} before) | told {told:.0f} times |", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
