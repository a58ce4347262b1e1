"""Siting against published optima, made instances and spopt.

Run: python -m benchmarks.siting --short (an easy case of each family), or without it every family over 5 seeds (some
hours), or --only some of them.
spopt needs a Python of its own: --peer path/to/python.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import or_library
import siting_instances as made
from scipy import sparse

from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.most_covered.search import compile_kernels
from planner.siting.problem import SitingProblem
from planner.siting.proof.certificate import check_certificate
from planner.siting.rules import compile_rules
from planner.siting.solve import solve


def measured(name, problem, objective, limit_s, **asked):
    began, cpu = time.perf_counter(), time.process_time()
    solution = solve(problem, objective, time_limit_s=limit_s, **asked)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    check = check_certificate(problem, solution)
    certified = abs(solution.certified_bound - solution.value) / max(1e-9, abs(solution.value))
    print(
        f"| {name} | {solution.status} | {solution.value:.10g} | {solution.certified_bound:.10g} | "
        f"{solution.solver_bound:.10g} | {solution.gap_share:.3%} | {certified:.3%} | {seconds:.1f} s | {cpu:.1f} s | "
        f"{'ok' if check.is_valid else check.problems[:1]} |",
        flush=True,
    )
    return solution, seconds


def reduction(problem, n_new):
    reduced = reduce_cover(problem, compile_rules(problem, n_new))
    n_sites, n_columns = reduced.covers.shape
    print(f"reduced to {n_sites} sites x {n_columns} columns, {reduced.covers.nnz} pairs of {problem.covers.nnz}")


def spopt_county(seeds, shares, peer, limit_s):
    """50,000 x 1,000, p = 50: ours and spopt's (in the interpreter `peer`), with the building of its model."""
    for share, seed in [(share, seed) for share in shares for seed in seeds]:
        covers, weights = made.county(50_000, 1_000, share, seed)
        problem = SitingProblem(weights, covers)
        reduction(problem, 50)
        ours, seconds = measured(f"50k x 1k {share:.1%} p=50 #{seed}", problem, "max-cover", limit_s, n_new=50)
        if peer is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            sparse.save_npz(f"{folder}/covers.npz", covers)
            np.save(f"{folder}/weights.npy", weights)
            script = Path(__file__).with_name("siting_peer.py")
            theirs = subprocess.run([peer, str(script), folder, "50"], capture_output=True, text=True, check=True)
        value, spent, cpu = (float(word) for word in theirs.stdout.split()[-3:])
        print(f"spopt {value:.10g} in {spent:.0f} s ({cpu:.0f} s CPU), {spent / seconds:.0f} x ours; ours {ours.value}")


def family(name, instances, limit_s):
    times, n_proven = [], 0
    for label, (covers, weights), n_new in instances:
        problem = SitingProblem(weights, covers)
        solution, seconds = measured(f"{name} {label}", problem, "max-cover", limit_s, n_new=n_new)
        times.append(seconds)
        n_proven += solution.status == "optimal"
    if times:
        middle = statistics.median(times)
        print(f"{name}: {n_proven} of {len(times)} proven, median {middle:.1f} s, worst {max(times):.1f} s")


def published(short):
    if not (made.SHARED / "pmed").exists():
        print(f"published instances skipped: no {made.SHARED / 'pmed'}")
        return
    optima = or_library.median_optima()
    for number in (1, 2, 6) if short else range(1, 21):
        name = f"pmed{number}"
        minutes, n_new = or_library.read_median(made.SHARED / "pmed" / f"{name}.txt")
        problem = SitingProblem(np.ones(len(minutes)), minutes=minutes)
        solution, _ = measured(f"{name} (optimum {optima[name]:.0f})", problem, "p-median", 60, n_new=n_new)
        assert solution.value == optima[name]
    known = or_library.set_cover_optima()
    every = [path.stem for path in sorted((made.SHARED / "scp").glob("scp*.txt"))]
    for name in ("scp41", "scp51") if short else every:
        costs, covers = or_library.read_set_cover(made.SHARED / "scp" / f"{name}.txt")
        problem = SitingProblem(np.ones(covers.shape[1]), covers, costs=costs)
        measured(f"{name} (best known {known[name]:.0f})", problem, "min-sites", 60)


def uniform(seeds, short, limit_s):
    sizes = (10_000,) if short else (10_000, 100_000, 1_000_000)
    grid = [(n, r, p, s) for n in sizes for r in (5.5, 6.25) for p in (10, 20) for s in seeds]
    family("uniform", ((f"{n:,} R={r} p={p} #{s}", made.uniform(n, r, s), p) for n, r, p, s in grid), limit_s or 60)


def streets(seeds, short, limit_s):
    if not (made.SHARED / "wuhan_roads").exists():
        print(f"streets skipped: no {made.SHARED / 'wuhan_roads'}")
        return
    sizes = ((2_700, 0.015, 50),) if short else ((2_700, 0.02, 50), (5_000, 0.01, 100), (7_700, 0.015, 100))
    grid = [(n, share, p, s) for n, share, p in sizes for s in seeds]
    made_now = ((f"{n:,} {share:.1%} p={p} #{s}", made.streets(n, share, s), p) for n, share, p, s in grid)
    family("streets", made_now, limit_s or 120)


def county(seeds, short, limit_s):
    cases = [(share, p) for share in (0.001, 0.005, 0.01) for p in (10, 20, 50, 100, 200)]
    grid = [(share, p, s) for share, p in (cases[:1] if short else cases) for s in seeds]
    made_now = ((f"100k x 2k {c:.1%} p={p} #{s}", made.county(100_000, 2_000, c, s), p) for c, p, s in grid)
    family("county", made_now, limit_s or 60)


def wide(seeds, short, limit_s):
    for limit in (limit_s,) if limit_s else (10, 60, 300)[: 1 if short else 3]:
        family(f"{limit} s", ((f"100k x 20k #{s}", made.county(100_000, 20_000, 0.005, s), 100) for s in seeds), limit)


def fewest(short, limit_s):
    cases = [(n_sites, share) for n_sites in (2_000, 20_000) for share in (1.0, 0.95)]
    for n_sites, share in cases[:1] if short else cases:
        problem = SitingProblem(*made.county(100_000, n_sites, 0.001, 0)[::-1])
        limit = limit_s or (10 if short else 300)
        measured(f"fewest {n_sites} {share:.0%}", problem, "min-sites", limit, cover_share=share)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument(
        "--only", nargs="+", choices=("uniform", "streets", "published", "spopt", "county", "wide", "fewest")
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=float, help="seconds a question, instead of the family's own")
    parser.add_argument("--shares", type=float, nargs="+", default=(0.001, 0.005, 0.01), help="for spopt's county")
    parser.add_argument("--peer", help="a Python that has spopt and pulp, or none")
    asked = parser.parse_args()
    seeds, limit_s = range(1 if asked.short else asked.seeds), asked.limit
    runs = {
        "uniform": lambda: uniform(seeds, asked.short, limit_s),
        "streets": lambda: streets(seeds, asked.short, limit_s),
        "published": lambda: published(asked.short),
        "spopt": lambda: spopt_county(
            seeds, asked.shares[:1] if asked.short else asked.shares, asked.peer, limit_s or 300
        ),
        "county": lambda: county(seeds, asked.short, limit_s),
        "wide": lambda: wide(seeds, asked.short, limit_s),
        "fewest": lambda: fewest(asked.short, limit_s),
    }
    print("| instance | status | value | certified bound | solver bound | gap | certified gap | time | CPU | check |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    compile_kernels()
    # The short form has a county of its own already.
    for name in asked.only or [each for each in runs if not (asked.short and each == "spopt")]:
        runs[name]()


if __name__ == "__main__":
    main()
