"""The p-center against brute force, and its proof added up from raw data."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from planner.errors import InputError
from planner.progress import Cancellable
from planner.siting.p_center import solve_p_center

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def random_case(seed):
    """Dense minutes (inf = unreachable), weights, p and locks of one tiny instance."""
    rng = np.random.default_rng(seed)
    n_sites, n_rows = int(rng.integers(1, 9)), int(rng.integers(1, 12))
    minutes = rng.integers(0, 20, (n_sites, n_rows)).astype(float) if seed % 2 else rng.random((n_sites, n_rows)) * 30
    minutes[rng.random(minutes.shape) < rng.choice([0.0, 0.3, 0.6])] = np.inf
    weights = rng.integers(0, 4, n_rows).astype(float)
    locked_in = np.flatnonzero(rng.random(n_sites) < 0.1)
    locked_out = np.setdiff1d(np.flatnonzero(rng.random(n_sites) < 0.1), locked_in)
    p = int(rng.integers(max(1, locked_in.size), n_sites + 1))
    return minutes, weights, p, locked_in, locked_out


def brute_force(minutes, weights, p, locked_in, locked_out):
    """(people unserved, worst minutes) of the best plan, whoever can be served first."""
    allowed = np.setdiff1d(np.arange(minutes.shape[0]), locked_out)
    servable = (weights > 0) & (
        np.isfinite(minutes[allowed]).any(axis=0) if allowed.size else np.zeros(weights.size, dtype=bool)
    )
    best = (np.inf, np.inf)
    for plan in itertools.combinations(allowed.tolist(), min(p, allowed.size)):
        if not set(locked_in) <= set(plan):
            continue
        near = minutes[list(plan)].min(axis=0, initial=np.inf)
        lost = weights[servable & np.isinf(near)].sum()
        best = min(best, (lost, near[servable & np.isfinite(near)].max(initial=0.0)))
    return best


def check_case(seed):
    minutes, weights, p, locked_in, locked_out = random_case(seed)
    found = solve_p_center(minutes, p, weights=weights, locked_in=locked_in, locked_out=locked_out, time_limit_s=600)
    lost, worst = brute_force(minutes, weights, p, locked_in, locked_out)
    assert weights[found.unserved].sum() == lost
    assert set(locked_in) <= set(found.chosen)
    assert not set(locked_out) & set(found.chosen)
    assert len(found.chosen) <= p
    if lost:
        assert found.solver_bound == np.inf
        return
    assert found.value == worst
    assert found.is_optimal
    assert found.lower_bound <= worst
    if found.row_duals.any():
        is_in = np.isin(np.arange(minutes.shape[0]), locked_in)
        is_free = ~is_in & ~np.isin(np.arange(minutes.shape[0]), locked_out)
        duals = found.row_duals * (weights > 0)
        margin = 1.0 - (minutes < found.lower_bound) @ duals
        assert duals.sum() + margin[is_in].sum() + np.minimum(0, margin[is_free]).sum() > p


@pytest.mark.parametrize("part", range(6))
def test_tiny_instances_match_brute_force(part):
    for seed in range(part * 10, part * 10 + 10):
        check_case(seed)
