"""Nearest place with label on large networks, what-if edits, and what the second core adds.

Run: python -m benchmarks.reach_nearest [nearest] [what_if] [cores] [--big]   (--big adds five million nodes)
"""

from __future__ import annotations

import os
import statistics
import sys
import time

import numpy as np
import shapely

from benchmarks.reach_fixtures import networks, prepared, scattered
from benchmarks.timing import medians, row
from planner.reach import edit_kernels, kernels
from planner.reach import threads as threads_module
from planner.reach.positions import make_positions, search_graph
from planner.reach.road_edits import build_bridge, change_road, close_road
from planner.reach.travel_times import travel_times
from planner.reach.what_if import close_place, covered_people, open_place, start_what_if, undo

NO_LIMIT = 2**31 - 2


def nearest(names):
    """The label of the nearest of 1,000 places for every junction."""
    for name, network in networks(names):
        profile_network = prepared(network, "walk")
        graph = search_graph(profile_network, "towards")
        places = make_positions(profile_network, scattered(profile_network, 1000), leaves=False)
        spent, answers = medians({"nearest": lambda g=graph, p=places: kernels.nearest_junctions(g, p, 1, NO_LIMIT)})
        reached = (answers["nearest"][0] >= 0).mean()
        target = {"synthetic-1e6": "<= 100 ms", "synthetic-5e6": "<= 1000 ms"}[name]
        figure = f"nearest of 1,000 places with label, {network.n_nodes:,} nodes ({reached:.1%} of junctions reached)"
        row(figure, f"{spent['nearest']:.0f} ms", target)


def what_if():
    """Close and reopen every place of Andorra: the searches alone, and to updated totals of people."""
    for _, network in networks(["andorra"]):
        profile_network = prepared(network, "walk")
        places, points = scattered(profile_network, 200, 1), scattered(profile_network, 5000, 2)
        people = np.random.default_rng(0).integers(1, 300, (5000, 4)).astype(float)
        trial = start_what_if(profile_network, places, points, horizon_min=30)
        kernel_ms, total_ms = {"close": [], "open": []}, {"close": [], "open": []}
        graph, back = search_graph(profile_network, "towards"), search_graph(profile_network, "from")
        for edit in range(400):
            what, place = ("close", "open")[edit % 2], places.ids[(edit // 2) % 200]
            start = time.process_time()
            (close_place if what == "close" else open_place)(trial, place)
            covered_people(trial, people, 15)
            total_ms[what].append((time.process_time() - start) * 1e3)
        for p in range(200):
            for what in ("close", "open"):
                trial.step += 1
                trial.is_open[p] = what == "open"
                start = time.perf_counter()
                if what == "close":
                    edit_kernels.close_place(
                        graph, back, trial.place_positions, trial.place_index, trial.is_open, p, trial.limit_cs,
                        trial.junctions, trial.step,
                    )  # fmt: skip
                else:
                    edit_kernels.open_place(
                        graph, trial.place_positions, p, trial.limit_cs, trial.junctions, trial.step
                    )
                kernel_ms[what].append((time.perf_counter() - start) * 1e3)
        for what in ("close", "open"):
            row(
                f"what-if, {what} a place, kernel, Andorra", f"{statistics.median(kernel_ms[what]):.4f} ms", "<= 0.2 ms"
            )
            row(f"what-if, {what} a place, to new totals", f"{statistics.median(total_ms[what]):.3f} ms", "<= 20 ms")


def what_if_roads():
    """Close a road, change its class, build a bridge, take each back: Andorra, 200 places, 5,000 points."""
    for _, network in networks(["andorra"]):
        profile_network = prepared(network, "walk")
        places, points = scattered(profile_network, 200, 1), scattered(profile_network, 5000, 2)
        _road_edits(network, start_what_if(profile_network, places, points, horizon_min=30))


def _road_edits(network, trial):
    rng = np.random.default_rng(0)
    spent = {"close": [], "class": [], "bridge": [], "undo": []}

    def timed(what, task, *arguments):
        start = time.process_time()
        task(trial, *arguments)
        spent[what].append((time.process_time() - start) * 1e3)

    for _ in range(9):
        edge = int(rng.integers(0, network.n_edges))
        road, node = int(network.edge_road[edge]), network.edge_from[edge]
        x, y = network.x[node], network.y[node]
        timed("close", close_road, road)
        timed("undo", undo)
        timed("class", change_road, road, "steps")
        timed("undo", undo)
        timed("bridge", build_bridge, shapely.LineString([(x, y), (x + 200, y + 200)]))
        timed("undo", undo)
    for what, times in spent.items():
        row(f"what-if on a road, {what}, to new minutes, Andorra", f"{statistics.median(times):.0f} ms", "")


def cores():
    """What the second core adds: wall time in turns, and, as a busy machine spoils that, where CPU time goes.

    With n threads the blocks' CPU time is spread over the cores and the rest (positions, joining the parts) is not, so
    that two cores of one's own give T1 / (serial + blocks / 2), T1 being all CPU time of one thread. `blocks` is
    measured with both threads at work: what they cost one another in memory and locks is in it.
    """
    for name, code, n_places, n_points in (("porto_alegre", "car", 1500, 3000), ("porto_alegre", "walk", 20_000, 3000)):
        for _, network in networks([name]):
            profile_network = prepared(network, code)
            places, points = scattered(profile_network, n_places, 1), scattered(profile_network, n_points, 2)
            measured = {1: [], 2: []}
            bytes_of = {}
            for _ in range(7):
                for n_threads in (1, 2):
                    measured[n_threads].append(_on_threads(n_threads, profile_network, places, points, bytes_of))
            assert bytes_of[1] == bytes_of[2]
            best = {n: min(runs[1:]) for n, runs in measured.items()}
            cpu = {n: [statistics.median(run[i] for run in runs[1:]) for i in (1, 2)] for n, runs in measured.items()}
            serial, in_blocks = cpu[2][0] - cpu[2][1], cpu[2][1]
            by_cpu = cpu[1][0] / (serial + in_blocks / 2)
            load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
            row(
                f"second core, {name}, {code}: best wall of each (load {load:.1f})",
                f"{best[1][0] / best[2][0]:.2f} x",
                "",
            )
            row(
                f"second core, {name}, {code}: by CPU time (one thread {cpu[1][0]:.0f} ms; two: "
                f"serial {serial:.0f} ms, blocks {in_blocks:.0f} ms)",
                f"{by_cpu:.2f} x",
                ">= 1.75 x",
            )


def _on_threads(n_threads, profile_network, places, points, bytes_of):
    """Wall, CPU of the process and CPU inside the blocks, in ms, of one many-to-many on so many threads."""
    count, spent = os.cpu_count, []
    run = kernels.point_times

    def timed(*arguments):
        start = time.thread_time()
        found = run(*arguments)
        spent.append(time.thread_time() - start)
        return found

    threads_module.os.cpu_count = lambda: n_threads
    kernels.point_times = timed
    try:
        wall, cpu = time.perf_counter(), time.process_time()
        found = travel_times(profile_network, places, points, 15)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    finally:
        os.cpu_count, kernels.point_times = count, run
    bytes_of[n_threads] = found.time_cs.tobytes()
    return wall * 1e3, cpu * 1e3, sum(spent) * 1e3


if __name__ == "__main__":
    asked = {word for word in sys.argv[1:] if not word.startswith("-")} or {"nearest", "what_if", "cores"}
    if "what_if" in asked:
        what_if()
        what_if_roads()
    if "cores" in asked:
        cores()
    if "nearest" in asked:
        nearest(["synthetic-1e6", *(["synthetic-5e6"] if "--big" in sys.argv else [])])
