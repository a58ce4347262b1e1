"""Fewest sites for everyone, or 95 % of the people: invented planar counties, 100,000 demand points.

Run: python benchmarks/fewest_sites.py [--sites 2000 20000] [--shares 0.001 0.005 0.01] [--limit 300] [--seeds 1]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from planner.siting.fewest.set_cover import solve_set_cover

N_DEMAND = 100_000
N_CENTRES = 60


def planar_county(n_sites, share, is_clustered, seed):
    """Sites x demand relation where a site covers about `share` of the demand points, and people 1-100 a point."""
    rng = np.random.default_rng(seed)
    if is_clustered:
        centres, spread = rng.random((N_CENTRES, 2)), rng.uniform(0.01, 0.06, N_CENTRES)
        chance = rng.dirichlet(np.ones(N_CENTRES))
        demand, sites = (_clustered(rng, n, centres, spread, chance) for n in (N_DEMAND, n_sites))
    else:
        demand, sites = rng.random((N_DEMAND, 2)), rng.random((n_sites, 2))
    tree = cKDTree(demand)
    low, high = 0.001, 0.5
    for _ in range(30):
        radius = (low + high) / 2
        near = tree.query_ball_point(sites[:200], radius, return_length=True).mean() / N_DEMAND
        low, high = (radius, high) if near < share else (low, radius)
    lists = tree.query_ball_point(sites, radius)
    first = np.concatenate([[0], np.cumsum([len(each) for each in lists])])
    rows = np.concatenate([np.sort(np.array(each, dtype=np.int32)) for each in lists])
    covers = sparse.csr_matrix((np.ones(rows.size, dtype=np.int8), rows, first), shape=(n_sites, N_DEMAND))
    return covers, rng.integers(1, 101, N_DEMAND).astype(float)


def _clustered(rng, n, centres, spread, chance):
    """Points around town centres, a quarter of them anywhere."""
    town = rng.choice(N_CENTRES, n, p=chance)
    points = centres[town] + rng.normal(size=(n, 2)) * spread[town][:, None]
    anywhere = rng.random(n) < 0.25
    points[anywhere] = rng.random((int(anywhere.sum()), 2))
    return np.clip(points, 0, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, nargs="+", default=[2000, 20000])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.001, 0.005, 0.01])
    parser.add_argument("--covers", type=float, nargs="+", default=[1.0, 0.95])
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    for n_sites in asked.sites:
        for share in asked.shares:
            for kind in ("clustered", "uniform"):
                for seed in range(1, asked.seeds + 1):
                    covers, people = planar_county(n_sites, share, kind == "clustered", seed)
                    for cover_share in asked.covers:
                        _row(covers, people, cover_share, asked.limit, f"{n_sites:6} {share:6} {kind:9} {seed}")


def _row(covers, people, cover_share, limit_s, name):
    begun = time.perf_counter()
    found = solve_set_cover(
        covers, np.ones(covers.shape[0]), weights=people, cover_share=cover_share, time_limit_s=limit_s
    )
    gap = found.value - found.solver_bound
    print(
        f"{name} cover {cover_share:.0%} sites {found.value:6.0f} certified {found.lower_bound:6.0f} "
        f"solver {found.solver_bound:6.0f} gap {gap:4.0f} = {gap / found.value:6.2%} "
        f"optimal {found.is_optimal!s:5} {time.perf_counter() - begun:6.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
