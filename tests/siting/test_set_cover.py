"""Set covering against brute force on tiny random instances."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from planner.siting.set_cover import solve_set_cover


def random_case(seed):
    """Covers, costs, weights, locks and share of one tiny instance of any kind."""
    rng = np.random.default_rng(seed)
    n_sites, n_rows = int(rng.integers(1, 9)), int(rng.integers(1, 13))
    covers = sparse.csr_matrix(rng.random((n_sites, n_rows)) < rng.choice([0.15, 0.3, 0.5]))
    costs = [np.ones(n_sites), rng.integers(0, 6, n_sites).astype(float), rng.random(n_sites) * 5][seed % 3]
    weights = [None, rng.integers(0, 8, n_rows).astype(float), rng.random(n_rows)][seed // 3 % 3]
    locked_in = np.flatnonzero(rng.random(n_sites) < 0.1)
    locked_out = np.flatnonzero(rng.random(n_sites) < 0.1)
    share = [1.0, 1.0, 0.95, 0.7, 0.4][seed % 5]
    return covers, costs, weights, locked_in, locked_out, share


def brute_force(covers, costs, weights, locked_in, locked_out, share):
    """The least cost, by trying every plan."""
    n_sites, n_rows = covers.shape
    table = covers.toarray() > 0
    weights = np.ones(n_rows) if weights is None else weights
    allowed = np.setdiff1d(np.arange(n_sites), np.setdiff1d(locked_out, locked_in))
    counted = np.where(table[allowed].any(axis=0), weights, 0.0)
    total = counted.sum()
    best = np.inf
    for picks in itertools.product([False, True], repeat=n_sites):
        plan = np.array(picks)
        if not plan[locked_in].all() or plan[np.setdiff1d(locked_out, locked_in)].any():
            continue
        is_covered = table[plan].any(axis=0)
        if share == 1 and not is_covered[counted > 0].all():
            continue
        if counted[is_covered].sum() >= share * total - 1e-9 * max(1.0, total):
            best = min(best, costs[plan].sum())
    return best


def proven_bound(result, covers, costs, weights, locked_in, locked_out):
    """The documented bound, added up from raw data."""
    n_sites, n_rows = covers.shape
    weights = np.ones(n_rows) if weights is None else weights.copy()
    is_in = np.zeros(n_sites, dtype=bool)
    is_in[locked_in] = True
    is_free = ~is_in
    is_free[locked_out] = False
    covered = np.asarray(covers[is_in | is_free].sum(axis=0)).ravel() > 0
    asked = covered & (weights > 0)
    duals = np.where(asked, result.row_duals, 0.0)
    assert (result.row_duals >= 0).all()
    margin = costs - covers.astype(float) @ duals
    total = margin[is_in].sum() + np.minimum(0, margin[is_free]).sum()
    if result.target is None:
        return total + duals.sum()
    price = result.weight_price
    return total + price * result.target - np.maximum(0, price * weights[asked] - duals[asked]).sum()


def check_case(seed):
    case = random_case(seed)
    covers, costs, weights, locked_in, locked_out, share = case
    found = solve_set_cover(
        covers, costs, weights=weights, locked_in=locked_in, locked_out=locked_out, cover_share=share, time_limit_s=600
    )
    best = brute_force(*case)
    assert found.value == pytest.approx(best, abs=1e-7)
    assert found.is_optimal
    assert found.value == pytest.approx(costs[found.chosen].sum())
    assert set(locked_in) <= set(found.chosen)
    assert not (set(locked_out) - set(locked_in)) & set(found.chosen)
    bound = proven_bound(found, covers, costs, weights, locked_in, locked_out)
    rounded = np.ceil(bound - 1e-6) if (costs == np.floor(costs)).all() else bound
    assert found.lower_bound == pytest.approx(rounded, abs=1e-6)
    assert found.lower_bound <= best + 1e-6


@pytest.mark.parametrize("part", range(6))
def test_tiny_instances_match_brute_force(part):
    for seed in range(part * 10, part * 10 + 10):
        check_case(seed)
