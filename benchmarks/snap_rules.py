"""Three rules for where a point touches the roads, on real networks: who changes, and what each would cost.

today   the nearest edge that may be used
(a)     the nearest edge of a piece that matters (what the planner does)
(b)     the soonest of all edges that a straight leg reaches without crossing another usable edge

Points: 1,000 at random, within 300 m of a road; places: 20 of them. A point is covered within 15 minutes. Two more
tables: `pieces` tries other lengths of a piece that matters, `trials` closes roads and builds bridges one at a time and
counts how often somebody is covered by a closing, or uncovered by a bridge. Run with
`python -m benchmarks.snap_rules [rules | pieces | trials] [--shared FOLDER]`.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from planner.errors import InputError
from planner.inputs.intake import import_file
from planner.network.build import build_network
from planner.network.road_network import Snapped
from planner.network.snap import edge_lines, positions_on_edges, snap_points
from planner.network.speeds import prepare_profile
from planner.reach.access import chosen
from planner.reach.road_edits import build_bridge, close_road
from planner.reach.travel_times import nearest
from planner.reach.what_if import start_what_if, undo
from planner.standards import default_profiles
from planner.study import new_study
from planner.units import mps_from_kph

NETWORKS = {
    "andorra": ("andorra/andorra.osm.pbf", "EPSG:32631"),
    "porto_alegre": ("porto_alegre/poa_osm.pbf", "EPSG:32722"),
    "guixi": ("guixi/guixi.osm", "EPSG:4548"),
    "nanshan": ("shenzhen_nanshan/nanshan.osm", "EPSG:4547"),
    "campus": ("beijing_campus/campus.osm", "EPSG:4548"),
    "helsinki": ("helsinki/helsinki.osm.pbf", "EPSG:32635"),
    "wuhan": ("wuhan_roads/roads.parquet", "EPSG:32650"),
}
N_POINTS, N_PLACES, NEAR_M, CUTOFF_MIN = 1_000, 20, 300.0, 15.0
PIECES_M = (0.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
N_TRIALS, BRIDGE_M = 100, 300.0


def random_points(network, rng):
    """Points within `NEAR_M` of a road, uniform over that ground."""
    box = (network.x.min(), network.y.min(), network.x.max(), network.y.max())
    tree = shapely.STRtree(edge_lines(network, np.arange(network.n_edges)))
    x, y = np.zeros(0), np.zeros(0)
    while len(x) < N_POINTS:
        px, py = rng.uniform(box[0], box[2], 20_000), rng.uniform(box[1], box[3], 20_000)
        near = np.unique(tree.query(shapely.points(px, py), predicate="dwithin", distance=NEAR_M)[0])
        x, y = np.append(x, px[near]), np.append(y, py[near])
    return x[:N_POINTS], y[:N_POINTS]


def visible_legs(profile_network, x, y):
    """Pairs of point and edge whose straight leg crosses no other usable edge (rule b)."""
    network, reach_m = profile_network.network, profile_network.profile.max_access_m
    edges = np.flatnonzero(profile_network.edge_is_usable)
    lines = edge_lines(network, edges)
    tree = shapely.STRtree(lines)
    point, found = tree.query(shapely.points(x, y), predicate="dwithin", distance=reach_m)
    kept_points, kept_edges = [], []
    for start in range(0, len(point), 200_000):
        some, edge = point[start : start + 200_000], edges[found[start : start + 200_000]]
        _, sx, sy, metres = positions_on_edges(profile_network, edge, x[some], y[some])
        share = np.minimum(0.01 / np.maximum(metres, 0.02), 0.5)  # a leg does not cross the road it ends on
        ends = np.column_stack([sx - share * (sx - x[some]), sy - share * (sy - y[some])])
        legs = shapely.linestrings(np.stack([np.column_stack([x[some], y[some]]), ends], axis=1))
        crossed = np.unique(tree.query(legs, predicate="intersects")[0])
        is_open = np.ones(len(some), bool)
        is_open[crossed] = False
        kept_points.append(some[is_open])
        kept_edges.append(edge[is_open])
    return np.concatenate(kept_points), np.concatenate(kept_edges)


def snapped_on(profile_network, x, y, edge):
    """Positions of points on given edges."""
    share, sx, sy, metres = positions_on_edges(profile_network, edge, x, y)
    network = profile_network.network
    return Snapped(
        ids=np.arange(len(x)).astype(object), x=x, y=y, edge=edge.astype(np.int32), share=share, snap_x=sx, snap_y=sy,
        access_m=metres, access_s=metres / mps_from_kph(profile_network.profile.access_speed_kph),
        component=profile_network.chain_component[network.edge_chain[edge]], reason=np.full(len(x), "", object),
    )  # fmt: skip


def timed(work):
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def compare(name, profile_network, rng):
    """Print one row of the table."""
    x, y = random_points(profile_network.network, rng)
    ids = np.arange(len(x)).astype(object)
    former = replace(profile_network, edge_is_snappable=profile_network.edge_is_usable)
    snaps = {rule: timed(lambda network=network: snap_points(network, ids, x, y)) for rule, network in
             (("today", former), ("a", profile_network))}  # fmt: skip
    places = chosen(snaps["a"][0], np.flatnonzero(snaps["a"][0].edge >= 0)[:N_PLACES])
    minutes, costs = {}, {}
    for rule, (points, seconds) in snaps.items():
        found, more = timed(lambda points=points: nearest(profile_network, places, points).minutes()[:, 0])
        minutes[rule], costs[rule] = np.where(points.edge >= 0, found, np.nan), (seconds, more)
    (point, edge), seconds = timed(lambda: visible_legs(profile_network, x, y))
    legs = snapped_on(profile_network, x[point], y[point], edge)
    found, more = timed(lambda: nearest(profile_network, places, legs).minutes()[:, 0])
    best = np.full(len(x), np.inf)
    np.minimum.at(best, point, found)
    best[np.setdiff1d(np.arange(len(x)), point)] = np.nan
    minutes["b"], costs["b"] = best, (seconds, more)
    covered = {rule: int((values <= CUTOFF_MIN).sum()) for rule, values in minutes.items()}
    unknown = {rule: int(np.isnan(values).sum()) for rule, values in minutes.items()}
    cut_off = {rule: int(np.isinf(values).sum()) for rule, values in minutes.items()}
    moved = int((snaps["today"][0].edge != snaps["a"][0].edge).sum())
    reach = (sum(costs["b"])) / max(sum(costs["a"]), 1e-9)
    print(
        f"{name:13} {profile_network.profile.code:6} moved {moved:4}  "
        + "  ".join(
            f"{rule}: {covered[rule]:4} covered {cut_off[rule]:4} cut off {unknown[rule]:4} unknown" for rule in minutes
        )
        + f"  legs a point {len(point) / len(x):5.1f}  cost of b / a {reach:6.1f}"
    )


def try_pieces(name, profile_network, rng):
    """Print, for other lengths of a piece that matters, who is cut off from the largest piece, and who is unknown."""
    network, profile = profile_network.network, profile_network.profile
    x, y = random_points(network, rng)
    told = []
    for length_m in PIECES_M:
        changed = prepare_profile(network, profile.model_copy(update={"min_piece_m": length_m}))
        snapped = snap_points(changed, np.arange(len(x)).astype(object), x, y)
        cut_off = int(((snapped.edge >= 0) & (snapped.component != 0)).sum())
        told.append(f"{length_m:6,.0f} m: {cut_off:3} apart {int((snapped.reason == 'fragment').sum()):3} unknown")
    print(f"{name:13} {profile.code:6} " + "   ".join(told))


def try_edits(name, profile_network, rng):
    """Print how often closing one road covers somebody, and how often one bridge uncovers somebody."""
    network = profile_network.network
    x, y = random_points(network, rng)
    points = snap_points(profile_network, np.arange(len(x)).astype(object), x, y)
    places = chosen(points, np.flatnonzero(points.edge >= 0)[:N_PLACES])
    trial = start_what_if(profile_network, places, points, "towards", 60.0)
    was = trial.minutes() <= CUTOFF_MIN
    roads = np.unique(network.edge_road[points.edge[points.edge >= 0]])
    turned = {"close": [], "bridge": []}
    for road in rng.choice(roads, min(N_TRIALS, len(roads)), replace=False):
        close_road(trial, int(road))
        turned["close"].append(int((~was & (trial.minutes() <= CUTOFF_MIN)).sum()))
        undo(trial)
    for point in rng.choice(len(x), N_TRIALS):
        turn, ends = rng.uniform(0, 2 * np.pi), np.array([[x[point], y[point]]] * 2)
        ends[1] += BRIDGE_M * np.array([np.cos(turn), np.sin(turn)])
        try:
            build_bridge(trial, shapely.LineString(ends))
        except InputError:
            continue
        turned["bridge"].append(int((was & ~(trial.minutes() <= CUTOFF_MIN)).sum()))
        undo(trial)
    told = [
        f"{kind}: {sum(n > 0 for n in counts):3} of {len(counts):3} trials, at most {max(counts, default=0):3} points"
        for kind, counts in turned.items()
    ]
    print(f"{name:13} {profile_network.profile.code:6} " + "   ".join(told))


TABLES = {"rules": compare, "pieces": try_pieces, "trials": try_edits}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("table", nargs="?", choices=list(TABLES), default="rules")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[1].parent / "shared" / "data")
    asked = parser.parse_args()
    folder = asked.shared
    for name, (path, crs) in NETWORKS.items():
        if not (folder / path).exists():
            print(f"{name}: {folder / path} is absent")
            continue
        study = import_file(new_study(name, crs), "roads", folder / path).study
        network = build_network(study.table("roads"), crs)
        for code in ("walk", "ebike", "car"):
            TABLES[asked.table](name, prepare_profile(network, default_profiles()[code]), np.random.default_rng(7))


if __name__ == "__main__":
    main()
