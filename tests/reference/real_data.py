"""The networks of the folder of real data, read by the bare readers; a test is skipped where the folder is absent."""

from functools import cache
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
NETWORKS = {
    "andorra": ("andorra/andorra.osm.pbf", "EPSG:32631"),
    "porto_alegre": ("porto_alegre/poa_osm.pbf", "EPSG:32722"),
    "guixi": ("guixi/guixi.osm", "EPSG:4548"),
    "nanshan": ("shenzhen_nanshan/nanshan.osm", "EPSG:4547"),
    "campus": ("beijing_campus/campus.osm", "EPSG:4548"),
    "helsinki": ("helsinki/helsinki.osm.pbf", "EPSG:32635"),
    "wuhan": ("wuhan_roads/roads.parquet", "EPSG:32650"),
}


def require(name):
    """The path of a data file; skips the test, naming it, where it is absent."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path


@cache
def roads_of(name):
    """The roads table of one network."""
    from tests.reference.osm_roads import read_lines, read_links

    path, crs = require(NETWORKS[name][0]), NETWORKS[name][1]
    return (read_lines if path.suffix == ".parquet" else read_links)(path, crs)


@cache
def elevation_of(name):
    """Heights of the two networks that have them, else None."""
    import numpy as np
    import rasterio

    from planner.study import Grid

    paths = {"andorra": "andorra/N42E001.hgt.zip", "porto_alegre": "porto_alegre/poa_elevation.tif"}
    if name not in paths:
        return None
    path = require(paths[name])
    if path.suffix == ".zip":
        return _srtm_tile(path)
    with rasterio.open(path) as source:
        values = source.read(1).astype(np.float32)
        if source.nodata is not None:
            values[values == source.nodata] = np.nan
        known = np.nanmean(values)
        return Grid(np.where(np.isnan(values), known, values), tuple(source.transform)[:6], source.crs.to_string(), "m")


def _srtm_tile(path):
    """Three arc seconds, cell centres on the whole degrees of N42E001, big-endian; voids take the mean height."""
    import zipfile

    import numpy as np

    from planner.study import Grid

    with zipfile.ZipFile(path) as archive:
        raw = archive.read(archive.namelist()[0])
    values = np.frombuffer(raw, ">i2").reshape(1201, 1201).astype(np.float32)
    values[values == -32768] = values[values > -32768].mean()
    cell = 1 / 1200
    return Grid(values, (cell, 0.0, 1 - cell / 2, 0.0, -cell, 43 + cell / 2), "EPSG:4326", "m")
