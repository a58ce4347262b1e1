"""The p-center against brute force, and its proof added up from raw data."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from planner.errors import InputError
from planner.progress import Cancellable
from planner.siting.travel.p_center import solve_p_center

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


@pytest.mark.slow
def test_three_hundred_tiny_instances_match_brute_force():
    for seed in range(1000, 1300):
        check_case(seed)


def test_a_corridor_of_five():
    # Villages at 0, 1, 2, 8, 9 km: two sites leave nobody more than 1 km away, by prices.
    at = np.array([0.0, 1.0, 2.0, 8.0, 9.0])
    found = solve_p_center(np.abs(at[:, None] - at), 2)
    assert found.value == pytest.approx(1.0)
    assert found.lower_bound == pytest.approx(1.0)


def test_too_few_sites_serve_most_people_and_name_the_rest():
    minutes = np.array([[1.0, np.inf, np.inf], [np.inf, 3.0, np.inf]])
    found = solve_p_center(minutes, 1, weights=[5, 9, 4])
    assert found.chosen.tolist() == [1]
    assert found.unserved.tolist() == [0]
    assert found.unservable.tolist() == [2]
    assert found.lower_bound == np.inf


def test_cancelling_keeps_the_locked_sites():
    progress = Cancellable()
    progress.cancel()
    found = solve_p_center(np.random.default_rng(1).random((30, 40)), 4, locked_in=[2], progress=progress)
    assert found.is_cancelled
    assert 2 in found.chosen


@pytest.mark.parametrize(
    ("minutes", "p", "locked_in"),
    [([[1.0, -2.0]], 1, []), ([[1.0], [2.0]], 1, [0, 1]), ([[1.0]], 0, []), ([[1.0]], 1, [4])],
)
def test_contradictions_are_refused(minutes, p, locked_in):
    with pytest.raises(InputError):
        solve_p_center(np.array(minutes), p, locked_in=locked_in)


def test_san_francisco_meets_every_expected_value():
    folder = DATA / "spopt_sf"
    if not folder.exists():
        pytest.skip(f"{folder} is not there")
    import pandas as pd

    table = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    wide = table.pivot_table(index="name", columns="DestinationName", values="distance").to_numpy()
    for name, value in json.loads((folder / "expected_values.json").read_text()).items():
        if name.startswith("PCENTER"):
            found = solve_p_center(wide, int(name.split("=")[1]))
            assert found.value == pytest.approx(value, abs=1e-3)
            assert found.is_optimal
