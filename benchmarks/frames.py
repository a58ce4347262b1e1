"""In which frame are these coordinates? Generated cases over real roads: python -m benchmarks.frames [N]

Each case takes points near the roads of a real extract, with noise, writes them in a frame as a planner's file would
have them (rounded; a quarter with the axes swapped; half without a .prj, a quarter with a right, a quarter with a wrong
one), and asks. Printed: how often the right frame stands first, how often the import needs no question (beyond doubt,
or declared and not doubted), how often a wrong frame is beyond doubt, how often a wrong declaration passes; the same
for points that are in none of the frames (the whole cloud moved by 100-1,000 m), and for few points far from roads.
The data stand in ../shared/data; `--data FOLDER` names another place.
"""

from __future__ import annotations

import argparse
import collections
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from planner.crs import WGS84, suggest_working_crs, transform
from planner.inputs.frames.forensics import Ground, certain_frame, frame_hypotheses, is_doubtful
from planner.inputs.frames.systems import convert, meridian_frame, zone_frame
from planner.inputs.roads.osm import read_osm

EXTRACTS = {
    "guixi": "guixi/guixi.osm",
    "nanshan": "shenzhen_nanshan/nanshan.osm",
    "campus": "beijing_campus/campus.osm",
    "wuhan": "wuhan_roads/roads.parquet",
    "andorra": "andorra/andorra.osm.pbf",
    "porto_alegre": "porto_alegre/poa_osm.pbf",
    "helsinki": "helsinki/helsinki.osm.pbf",
}
CENTRES = {
    "guixi": (117.22, 28.3), "nanshan": (113.93, 22.53), "campus": (116.32, 40.0), "andorra": (1.55, 42.55),
    "porto_alegre": (-51.2, -30.0), "helsinki": (24.94, 60.17),
}  # fmt: skip


def roads_of(folder, place):
    """The metric CRS and the road lines of an extract."""
    path = folder / EXTRACTS[place]
    if path.suffix == ".parquet":
        table = gpd.read_parquet(path)
        return table.crs.to_string(), np.asarray(table.geometry.array, dtype=object)
    crs = suggest_working_crs(*CENTRES[place])
    return crs, np.asarray(read_osm(path, crs).roads.geometry.array, dtype=object)


def frames_at(lon, lat):
    """Every frame in which a file about this place may be: name of the family -> frames."""
    utm = f"EPSG:{(32600 if lat >= 0 else 32700) + int((lon + 180) // 6) + 1}"
    frames = {"wgs84": [WGS84], "web_mercator": ["EPSG:3857"], "utm": [utm], "dms": ["dms:EPSG:4326"]}
    if 73 < lon < 135 and 18 < lat < 54:
        zone, near = round(lon / 3), round(lon / 3) + (1 if lon > round(lon / 3) * 3 else -1)
        frames |= {
            "cgcs2000": ["EPSG:4490"], "gcj02": ["gcj02"], "bd09": ["bd09"], "bd09mc": ["bd09mc"],
            "dms": ["dms:EPSG:4490"],
            "gk3_zone": [zone_frame(zone), zone_frame(near)],
            "gk6_zone": [zone_frame(int(lon // 6) + 1)],
            "gk3_meridian": [meridian_frame(zone * 3), meridian_frame(near * 3)],
            "beijing54": ["EPSG:4214", f"EPSG:{2401 + zone - 25}", f"EPSG:{21413 + int(lon // 6) + 1 - 13}"],
            "xian80": ["EPSG:4610", f"EPSG:{2349 + zone - 25}", f"EPSG:{2327 + int(lon // 6) + 1 - 13}"],
        }  # fmt: skip
    return frames


def cloud(rng, roads, n, noise_m):
    """Points near the roads of a part of the extract, one in twenty anywhere in it."""
    lengths = shapely.length(roads)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(roads, 0.5, normalized=True))
    seed = middle[rng.choice(len(roads), p=lengths / lengths.sum())]
    near = np.flatnonzero(np.hypot(*(middle - seed).T) <= rng.uniform(2_000, 15_000))
    picked = roads[rng.choice(near, n, p=lengths[near] / lengths[near].sum())]
    xy = shapely.get_coordinates(shapely.line_interpolate_point(picked, rng.random(n), normalized=True))
    xy += rng.normal(0.0, noise_m, (n, 2))
    # Some places are wherever they are.
    astray = rng.random(n) < 0.05
    xy[astray] = rng.uniform(xy.min(axis=0), xy.max(axis=0), (n, 2))[astray]
    return xy


def a_case(rng, places, *, moved_m, sizes, noises):
    """The numbers of a file, what is known of the place, what the file declares, and the truth."""
    place = rng.choice(list(places))
    crs, roads = places[place]
    n, noise_m = int(rng.integers(*sizes)), float(rng.uniform(*noises))
    xy = cloud(rng, roads, n, noise_m)
    if moved_m:
        angle = rng.uniform(0, 2 * np.pi)
        xy += moved_m * np.array([np.cos(angle), np.sin(angle)])
    lon, lat = transform([xy[:, 0].mean()], [xy[:, 1].mean()], crs, WGS84)
    families = frames_at(lon[0], lat[0])
    family = str(rng.choice(list(families)))
    truth = str(rng.choice(families[family]))
    x, y = convert(xy[:, 0], xy[:, 1], crs, truth)
    decimals = int(rng.integers(5, 8)) if np.abs(x).max() < 1_000 else int(rng.integers(0, 4))
    if family == "dms":
        decimals = 6
    x, y = np.round(x, decimals), np.round(y, decimals)
    is_swapped = bool(rng.random() < 0.25)
    others = [frame for name, frames in families.items() for frame in frames if frame[:3] == "EPS" and name != "dms"]
    kind = str(rng.choice(["missing", "missing", "right", "wrong"]))
    if family in ("beijing54", "xian80"):
        kind = "right"  # by their numbers alone the old datums are not told apart: their .prj is how they are known
    if kind == "right" and not truth.startswith("EPSG"):
        kind = "wrong"  # no .prj can say gcj02
    declared = {"missing": None, "right": truth, "wrong": str(rng.choice([f for f in others if f != truth]))}[kind]
    county = shapely.MultiPoint(shapely.get_coordinates(roads)[::7]).convex_hull.buffer(500)
    ground = Ground(crs, county if rng.random() < 0.5 else None, roads)
    about = {"place": place, "family": family, "prj": kind, "n": n, "noise_m": noise_m, "swapped": is_swapped}
    return (y, x) if is_swapped else (x, y), ground, declared, (truth, is_swapped), about


def outcome(numbers, ground, declared, truth):
    """What the detector makes of a case: rank of the truth, certain, certain and wrong, taken as declared and wrong."""
    found = frame_hypotheses(*numbers, ground, declared)
    ranks = [i for i, h in enumerate(found) if truth[0] in h.frames and h.is_swapped == truth[1]]
    sure = certain_frame(found)
    is_wrong = sure is not None and not (truth[0] in sure.frames and truth[1] == sure.is_swapped)
    own = next((h for h in found if declared in h.frames), None)
    is_taken = declared is not None and own is not None and not is_doubtful(found, declared)
    is_same = any(truth[0] in h.frames and declared in h.frames for h in found)
    return ranks[0] if ranks else None, sure is not None, is_wrong, is_taken, is_same


def detect(places, n_cases, seed, *, moved=False, sizes=(12, 150), noises=(3, 30)):
    """Run the cases, print what came of them, and return the counts."""
    rng = np.random.default_rng(seed)
    tally, groups, started = collections.Counter(), collections.defaultdict(collections.Counter), time.process_time()
    for _ in range(n_cases):
        moved_m = float(rng.uniform(100, 1_000)) if moved else 0.0
        case = a_case(rng, places, moved_m=moved_m, sizes=sizes, noises=noises)
        rank, is_sure, is_wrong, is_taken, is_same = outcome(*case[:4])
        about = case[4]
        facts = {
            "right first": rank == 0, "settled": is_sure or (is_taken and rank == 0),
            "certain and wrong": is_wrong or (moved and is_sure),
            "wrong .prj taken": about["prj"] == "wrong" and is_taken and not is_same,
            "right .prj questioned": about["prj"] == "right" and not is_taken,
        }  # fmt: skip
        for name, fact in facts.items():
            tally[name] += bool(fact)
            for key in ("place", "family", "prj"):
                groups[key, about[key]][name] += bool(fact)
        for key in ("place", "family", "prj"):
            groups[key, about[key]]["cases"] += 1
        if not moved and (rank != 0 or is_wrong or facts["wrong .prj taken"] or facts["right .prj questioned"]):
            failed = [name for name, fact in facts.items() if fact]
            print(f"  look: {about} truth {case[3]} declared {case[2]} rank {rank} {failed}", flush=True)
    spent = time.process_time() - started
    title = "moved clouds, in no frame" if moved else "cases"
    print(f"\n{n_cases} {title}, seed {seed}, {spent:.0f} s of CPU")
    for name, count in tally.items():
        if not (moved and name == "right first"):
            print(f"| {name} | {count} | {count / n_cases:.1%} |")
    if not moved:
        for (key, value), counts in sorted(groups.items()):
            print(f"  {key} {value}: {counts['cases']} cases, right first {counts['right first']}, "
                  f"settled {counts['settled']}, certain and wrong {counts['certain and wrong']}")  # fmt: skip
    return tally


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n_cases", nargs="?", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    choices = parser.parse_args()
    places = {place: roads_of(choices.data, place) for place in EXTRACTS if (choices.data / EXTRACTS[place]).exists()}
    if not places:
        print(f"no extract in {choices.data}")
        return
    detect(places, choices.n_cases, choices.seed)
    detect(places, max(choices.n_cases // 4, 1), choices.seed + 1, moved=True)
    print("\nfew points, far from roads: 5-20 points, 20-60 m")
    detect(places, max(choices.n_cases // 4, 1), choices.seed + 2, sizes=(5, 20), noises=(20, 60))


if __name__ == "__main__":
    main()
