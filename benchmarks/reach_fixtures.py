"""Networks to measure on: two real ones of the shared folder (where present) and synthetic ones of any size."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.synthetic import lattice_network
from planner.inputs.roads.osm import read_osm
from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.standards import default_profiles

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = {
    "andorra": (DATA / "andorra" / "andorra.osm.pbf", "EPSG:32631"),
    "porto_alegre": (DATA / "porto_alegre" / "poa_osm.pbf", "EPSG:32722"),
}


def networks(names):
    """(name, network) of those that can be had; says which cannot."""
    for name in names:
        if name.startswith("synthetic"):
            yield name, lattice_network(int(float(name.split("-")[1])))
            continue
        path, crs = FILES[name]
        if not path.exists():
            print(f"{name}: skipped, {path} is absent")
            continue
        yield name, build_network(read_osm(path, crs).roads, crs)


def prepared(network, code):
    """The network as a default profile travels it."""
    return prepare_profile(network, default_profiles()[code])


def scattered(profile_network, n, seed=0):
    """n positions near random nodes."""
    rng = np.random.default_rng(seed)
    network = profile_network.network
    node = rng.integers(0, network.n_nodes, n)
    x, y = network.x[node] + rng.normal(0, 20, n), network.y[node] + rng.normal(0, 20, n)
    return snap_points(profile_network, np.arange(n), x, y)
