"""From a pbf to a routable network, against a bare pyosmium pass that only reads nodes and ways.

Run: python -m benchmarks.network_load
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import osmium

from benchmarks.reach_fixtures import FILES, prepared
from benchmarks.timing import medians, row
from planner.inputs.roads.osm import read_osm
from planner.network.build import build_network
from planner.network.cache import cached_network


def bare(path):
    """Read every node's place and every way's nodes, and keep their number."""
    n = 0
    for way in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations():
        if way.is_way():
            n += len(way.nodes)
    return n


def main():
    for name, (path, crs) in FILES.items():
        if not path.exists():
            print(f"{name}: skipped, {path} is absent")
            continue
        roads = read_osm(path, crs).roads
        network = build_network(roads, crs)
        with tempfile.TemporaryDirectory() as folder:
            tasks = {
                "bare": lambda p=path: bare(p),
                "read": lambda p=path, c=crs: read_osm(p, c),
                "build": lambda r=roads, c=crs: build_network(r, c),
                "profile": lambda n=network: prepared(n, "walk"),
                "cached": lambda r=roads, c=crs, f=folder: cached_network(r, c, None, Path(f)),
            }
            spent, _ = medians(tasks)
        total = spent["read"] + spent["build"] + spent["profile"]
        parts = ", ".join(f"{part} {spent[part]:.0f} ms" for part in tasks)
        ratio = total / spent["bare"]
        row(f"{name}: pbf to a routable network against a bare pyosmium pass ({parts})", f"{ratio:.2f} x", "<= 1.6 x")


if __name__ == "__main__":
    main()
