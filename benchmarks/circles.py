"""Practice circles: CPU per circle, agreement with exact travel times beside three common recipes, and the snap grid.

Run: python -m benchmarks.circles [points] (default 100,000). Circles: 15-minute walk, Porto Alegre, one thread.
"""

from __future__ import annotations

import csv
import sys
import time

import numpy as np
import shapely

from benchmarks.reach_fixtures import DATA, networks, prepared
from benchmarks.synthetic import lattice_network
from benchmarks.timing import medians, row
from planner.crs import transform
from planner.network.snap import snap_points
from planner.reach.service_areas import service_areas
from planner.reach.snap_grid import make_snap_grid
from planner.reach.surfaces import placed, rows_of
from planner.reach.travel_times import travel_times

CUTOFF_MIN = 15.0
CELLS_M = (10.0, 20.0, 25.0)
BUFFER_M = 50.0
CONCAVE_RATIO = 0.15
MARGIN_M = 100.0


def places_of(profile_network):
    """The cells of Porto Alegre with a health post, snapped."""
    with (DATA / "porto_alegre" / "poa_hexgrid.csv").open(encoding="utf-8") as file:
        rows = [line for line in csv.DictReader(file) if float(line["healthcare"] or 0) > 0]
    lon, lat = (np.array([float(line[name]) for line in rows]) for name in ("lon", "lat"))
    x, y = transform(lon, lat, "EPSG:4326", profile_network.network.crs)
    return placed(snap_points(profile_network, np.array([line["id"] for line in rows], object), x, y))


def recipes(profile_network, places):
    """Outlines by the usual recipes from the nodes within reach: convex hull, concave hull, buffered edges."""
    network = profile_network.network
    nodes = snap_points(profile_network, np.arange(network.n_nodes), network.x, network.y)
    times = travel_times(profile_network, places, nodes, CUTOFF_MIN)
    xy = np.column_stack([network.x, network.y])
    lines = shapely.linestrings(np.stack([xy[network.edge_from], xy[network.edge_to]], axis=1))
    reached = [times.point[times.first[i] : times.first[i + 1]] for i in range(len(places))]

    def hulls(make):
        return np.array([make(shapely.multipoints(xy[nodes])) for nodes in reached])

    def buffered():
        shapes = []
        for nodes in reached:
            is_in = np.zeros(network.n_nodes, bool)
            is_in[nodes] = True
            rows = is_in[network.edge_from] & is_in[network.edge_to]
            shapes.append(shapely.union_all(shapely.buffer(lines[rows], BUFFER_M)))
        return np.array(shapes)

    return {
        "convex hull of the nodes": lambda: hulls(shapely.convex_hull),
        "concave hull of the nodes": lambda: hulls(lambda shape: shapely.concave_hull(shape, ratio=CONCAVE_RATIO)),
        f"edges buffered by {BUFFER_M:g} m": buffered,
    }


def random_points(profile_network, places, shapes, n):
    """n points in the circles' boxes and 100 m around: place of each, x, y, and its own exact minutes."""
    rng = np.random.default_rng(0)
    place = np.sort(rng.integers(0, len(places), n))
    west, south, east, north = (shapely.bounds(shapes[place]) + np.array([-1, -1, 1, 1]) * MARGIN_M).T
    x, y = rng.uniform(west, east), rng.uniform(south, north)
    points = snap_points(profile_network, np.arange(n), x, y)
    minutes = np.full(n, np.inf)
    for i in range(len(places)):
        rows = np.flatnonzero(place == i)
        times = travel_times(profile_network, rows_of(places, slice(i, i + 1)), rows_of(points, rows), CUTOFF_MIN)
        minutes[rows[times.point]] = times.time_cs / 6000
    return place, x, y, minutes


def agreement(shapes, points, cell_m=None):
    """Share of points on the wrong side; of these, the share within one cell of the outline."""
    place, x, y, minutes = points
    wrong = shapely.contains_xy(shapes[place], x, y) != (minutes <= CUTOFF_MIN)
    if cell_m is None:
        return wrong.mean(), np.nan
    outlines = shapely.boundary(shapes[place[wrong]])
    return wrong.mean(), (shapely.distance(outlines, shapely.points(x[wrong], y[wrong])) <= cell_m).mean()


def circles(profile_network, places, grid):
    """A task that makes the circles and their polygons."""

    def make():
        return service_areas(profile_network, grid, places, (CUTOFF_MIN,)).geometry.to_numpy()

    return make


def measure_circles(network, n_points):
    """Rows for the circles of one city."""
    walk = prepared(network, "walk")
    places = places_of(walk)
    tasks = {cell_m: circles(walk, places, make_snap_grid(walk, cell_m=cell_m)) for cell_m in CELLS_M}
    spent, shapes = medians({**tasks, **recipes(walk, places)}, repeats=5)
    points = random_points(walk, places, shapes[20.0], n_points)
    print(f"Porto Alegre: {len(places)} places, {n_points} points, {np.mean(points[3] <= CUTOFF_MIN):.0%} within reach")
    for key, task_ms in spent.items():
        cell_m = key if isinstance(key, float) else None
        wrong, near = agreement(shapes[key], points, cell_m)
        label = f"circle with polygon, {cell_m:g} m cells" if cell_m else f"{key} (after its search)"
        target = "< 0.7 ms, < 0.5 %, 99 % within a cell" if cell_m == 20.0 else ""
        beside = f", {near:.1%} of them within one cell" if cell_m else ""
        row(label, f"{task_ms / len(places):.3f} ms, {wrong:.2%} of points on the wrong side{beside}", target)


def spread_lattice(n_nodes, side_m):
    """A lattice network stretched to a square county."""
    network = lattice_network(n_nodes)
    scale = side_m / max(np.ptp(network.x), np.ptp(network.y))
    stretched = {"x": network.x * scale, "y": network.y * scale, "edge_length_m": network.edge_length_m * scale}
    return type(network)(**{**vars(network), **stretched})


def measure_grid(n_nodes):
    """Row for the snap grid of a county of 60 x 60 km at 25 m."""
    walk = prepared(spread_lattice(n_nodes, 60_000.0), "walk")
    network = walk.network
    bounds = (network.x.min(), network.y.min(), network.x.min() + 60_000.0, network.y.min() + 60_000.0)
    wall, cpu = [], []
    for _ in range(5):
        start, start_cpu = time.perf_counter(), time.process_time()
        grid = make_snap_grid(walk, bounds, 25.0)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    row(
        f"snap grid, 3,600 km2 at 25 m, {network.n_nodes:,} nodes, {grid.n_known / grid.edge.size:.0%} of cells known",
        f"{np.median(wall):.2f} s on all cores ({np.median(cpu):.2f} s of CPU), {grid.n_bytes / 1e6:.0f} MB",
        "< 5 s",
    )


def main():
    n_points = int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000
    print("| figure | value | target |\n|---|---|---|")
    for _, network in networks(["porto_alegre"]):
        measure_circles(network, n_points)
    for n_nodes in (100_000, 900_000):
        measure_grid(n_nodes)


if __name__ == "__main__":
    main()
