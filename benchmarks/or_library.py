"""Published instances of the OR-Library (J. E. Beasley) and their known optima: set covering, p-median, p-center.

Run: python benchmarks/or_library.py [scp] [pmed] [pcenter] [--limit 60]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from planner.siting.fewest.set_cover import solve_set_cover
from planner.siting.travel.p_center import solve_p_center
from planner.siting.travel.p_median import solve_p_median

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def read_set_cover(path):
    """Costs and sites x rows relation of an OR-Library set covering file."""
    numbers = np.array(path.read_text().split(), dtype=np.int64)
    n_rows, n_sites = numbers[:2]
    costs = numbers[2 : 2 + n_sites].astype(float)
    at, rows, sites = 2 + n_sites, [], []
    for row in range(n_rows):
        count = numbers[at]
        sites.append(numbers[at + 1 : at + 1 + count] - 1)
        rows.append(np.full(count, row))
        at += 1 + count
    pairs = (np.concatenate(sites), np.concatenate(rows))
    return costs, sparse.csr_matrix((np.ones(pairs[0].size, dtype=bool), pairs), shape=(n_sites, n_rows))


def set_cover_optima():
    """Best known values by file stem: 4.1 is scp41, A.1 is scpa1."""
    lines = (DATA / "scp" / "best-known.txt").read_text().split("\n")
    return {"scp" + line.split()[0].replace(".", "").lower(): float(line.split()[1]) for line in lines if line.strip()}


def read_median(path):
    """Distances between all vertices, and p, of an OR-Library p-median file (a repeated edge takes its last cost)."""
    numbers = np.array(path.read_text().split(), dtype=np.int64)
    n, n_edges, p = numbers[:3]
    edges = numbers[3 : 3 + 3 * n_edges].reshape(-1, 3)
    direct = np.full((n, n), np.inf)
    for one, two, cost in edges:
        direct[one - 1, two - 1] = direct[two - 1, one - 1] = cost
    return shortest_path(direct, directed=False), int(p)


def median_optima():
    lines = (DATA / "pmed" / "optima.txt").read_text().split("\n")[1:]
    return {line.split()[0]: float(line.split()[1]) for line in lines if line.strip()}


def run_set_cover(limit_s):
    known = set_cover_optima()
    for path in sorted((DATA / "scp").glob("scp*.txt")):
        costs, covers = read_set_cover(path)
        begun = time.perf_counter()
        found = solve_set_cover(covers, costs, time_limit_s=limit_s)
        print(
            f"{path.stem:8} known {known[path.stem]:6.0f} found {found.value:6.0f} certified {found.lower_bound:6.0f} "
            f"solver {found.solver_bound:6.0f} optimal {found.is_optimal} {time.perf_counter() - begun:6.2f} s",
            flush=True,
        )


def run_median(limit_s):
    known = median_optima()
    for name, optimum in known.items():
        distances, p = read_median(DATA / "pmed" / f"{name}.txt")
        begun = time.perf_counter()
        found = solve_p_median(distances, np.ones(distances.shape[1]), p, time_limit_s=limit_s)
        print(
            f"{name:8} p {p:4} known {optimum:6.0f} found {found.value:6.0f} certified {found.lower_bound:6.0f} "
            f"optimal {found.is_optimal} parts {len(found.parts):6} {time.perf_counter() - begun:6.2f} s",
            flush=True,
        )


# Known p-center optima of pmed1 to pmed20 (Elloumi, Labbe and Pochet 2004).
CENTER_OPTIMA = (127, 98, 93, 74, 48, 84, 64, 55, 37, 20, 59, 51, 36, 26, 18, 47, 39, 28, 18, 13)


def run_center(limit_s):
    for number, optimum in enumerate(CENTER_OPTIMA, start=1):
        distances, p = read_median(DATA / "pmed" / f"pmed{number}.txt")
        begun = time.perf_counter()
        found = solve_p_center(distances, p, time_limit_s=limit_s)
        print(
            f"pmed{number:<4} p {p:4} known {optimum:6.0f} found {found.value:6.0f} certified {found.lower_bound:6.0f} "
            f"solver {found.solver_bound:6.0f} optimal {found.is_optimal} {time.perf_counter() - begun:6.2f} s",
            flush=True,
        )


RUNS = {"scp": run_set_cover, "pmed": run_median, "pcenter": run_center}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=list(RUNS))
    parser.add_argument("--limit", type=float, default=60.0)
    asked = parser.parse_args()
    for name in asked.what:
        RUNS[name](asked.limit)


if __name__ == "__main__":
    main()
