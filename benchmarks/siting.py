"""Siting against published optima, made instances and peers; `python benchmarks/siting.py --short` is the short form.

Peers stand in the extra `bench`; one that is not installed is skipped aloud.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import or_library
import siting_instances as made

from planner.siting.certificate import check_certificate
from planner.siting.problem import SitingProblem
from planner.siting.solve import solve


def measured(name, problem, objective, limit_s, **asked):
    began = time.perf_counter()
    solution = solve(problem, objective, time_limit_s=limit_s, **asked)
    seconds = time.perf_counter() - began
    check = check_certificate(problem, solution)
    certified = abs(solution.certified_bound - solution.value) / max(1e-9, abs(solution.value))
    print(
        f"| {name} | {solution.status} | {solution.value:.10g} | {solution.certified_bound:.10g} | "
        f"{solution.solver_bound:.10g} | {solution.gap_share:.3%} | {certified:.3%} | {seconds:.1f} s | "
        f"{'ok' if check.is_valid else check.problems[:1]} |",
        flush=True,
    )
    return solution, seconds


def spopt_county(seeds):
    """50,000 x 1,000, p = 50: ours and spopt's, with the building of its model."""
    try:
        import pulp
        from spopt import locate
    except ImportError as error:
        print(f"spopt skipped: {error}")
        locate = None
    for seed in seeds:
        covers, weights = made.county(50_000, 1_000, 0.01, seed)
        problem = SitingProblem(weights, covers)
        ours, seconds = measured(f"county 50k x 1k p=50 #{seed}", problem, "max-cover", 300, n_new=50)
        if locate is None:
            continue
        began = time.perf_counter()
        cost = np.where(covers.T.toarray(), 0.0, 2.0)
        model = locate.MCLP.from_cost_matrix(cost, weights, service_radius=1.0, p_facilities=50)
        model = model.solve(pulp.PULP_CBC_CMD(msg=False))
        theirs = time.perf_counter() - began
        value = model.problem.objective.value()
        print(f"spopt: {value} in {theirs:.0f} s, {theirs / seconds:.0f} x ours; ours {ours.value}")


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    short = parser.parse_args().short
    seeds = range(1) if short else range(5)
    print("| instance | status | value | certified bound | solver bound | gap | certified gap | time | check |")
    print("|---|---|---|---|---|---|---|---|---|")
    measured("warm-up", SitingProblem(*made.county(30_000, 400, 0.02, 0)[::-1]), "max-cover", 10, n_new=5)
    sizes = (10_000,) if short else (10_000, 100_000, 1_000_000)
    grid = [(n, r, p, s) for n in sizes for r in (5.5, 6.25) for p in (10, 20) for s in seeds]
    family("uniform", ((f"{n:,} R={r} p={p} #{s}", made.uniform(n, r, s), p) for n, r, p, s in grid), 60)
    if (made.SHARED / "wuhan_roads").exists():
        sizes = ((2_700, 50),) if short else ((2_700, 50), (5_000, 100), (7_700, 100))
        grid = [(n, p, s) for n, p in sizes for s in seeds]
        family("streets", ((f"{n:,} p={p} #{s}", made.streets(n, 0.015, s), p) for n, p, s in grid), 120)
    if (made.SHARED / "pmed").exists():
        published(short)
    if short:
        return
    spopt_county(seeds)
    grid = [(share, p, s) for share in (0.001, 0.005, 0.01) for p in (10, 20, 50, 100, 200) for s in seeds]
    made_now = ((f"100k x 2k {c:.1%} p={p} #{s}", made.county(100_000, 2_000, c, s), p) for c, p, s in grid)
    family("county", made_now, 60)
    for limit_s in (10, 60, 300):
        family("county", ((f"100k x 20k #{s}", made.county(100_000, 20_000, 0.005, s), 100) for s in seeds), limit_s)
    for n_sites in (2_000, 20_000):
        for share in (1.0, 0.95):
            covers, weights = made.county(100_000, n_sites, 0.001, 0)
            measured(
                f"fewest {n_sites} {share:.0%}", SitingProblem(weights, covers), "min-sites", 300, cover_share=share
            )


if __name__ == "__main__":
    main()
