"""The p-median against brute force, against published optima, and its proof added up from raw data."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from planner.errors import InputError
from planner.progress import Cancellable
from planner.siting.travel.p_median import solve_p_median

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def random_case(seed):
    """Dense minutes (inf = unreachable), weights, p and locks of one tiny instance."""
    rng = np.random.default_rng(seed)
    n_sites, n_rows = int(rng.integers(1, 9)), int(rng.integers(1, 12))
    minutes = rng.integers(0, 20, (n_sites, n_rows)).astype(float) if seed % 2 else rng.random((n_sites, n_rows)) * 30
    minutes[rng.random(minutes.shape) < rng.choice([0.0, 0.3, 0.6])] = np.inf
    weights = rng.integers(0, 9, n_rows).astype(float) if seed % 3 else rng.random(n_rows)
    locked_in = np.flatnonzero(rng.random(n_sites) < 0.1)
    locked_out = np.setdiff1d(np.flatnonzero(rng.random(n_sites) < 0.1), locked_in)
    p = int(rng.integers(max(1, locked_in.size), n_sites + 1))
    return minutes, weights, p, locked_in, locked_out


def as_sparse(minutes):
    sites, rows = np.nonzero(np.isfinite(minutes))
    first = np.concatenate([[0], np.cumsum(np.bincount(sites, minlength=minutes.shape[0]))])
    return sparse.csr_matrix((minutes[sites, rows], rows, first), shape=minutes.shape)


def brute_force(minutes, weights, p, locked_in, locked_out):
    """Most people served first, then least travel: (people unserved, people x minutes) of the best plan."""
    n_sites = minutes.shape[0]
    allowed = np.setdiff1d(np.arange(n_sites), locked_out)
    servable = np.isfinite(minutes[allowed]).any(axis=0) if allowed.size else np.zeros(minutes.shape[1], dtype=bool)
    best = (np.inf, np.inf)
    for plan in itertools.combinations(allowed.tolist(), min(p, allowed.size)):
        if not set(locked_in) <= set(plan):
            continue
        near = minutes[list(plan)].min(axis=0) if plan else np.full(minutes.shape[1], np.inf)
        served = np.isfinite(near) & (weights > 0)
        lost = weights[servable & ~np.isfinite(near)].sum()
        best = min(best, (round(lost, 9), float((weights[served] * near[served]).sum())))
    return best


def proven_bound(minutes, weights, p, locked_in, locked_out, parts):
    """The documented bound of every part, added up from raw data."""
    n_sites = minutes.shape[0]
    costs = np.where(np.isfinite(minutes), minutes, 1e30) * weights
    bounds = []
    for part in parts:
        assert (part.duals >= 0).all()
        margin = np.where(np.isfinite(minutes), np.minimum(0, costs - part.duals), 0.0)[:, weights > 0].sum(axis=1)
        is_open = np.isin(np.arange(n_sites), np.concatenate([locked_in, part.opened]))
        is_free = ~is_open & ~np.isin(np.arange(n_sites), np.concatenate([locked_out, part.shut]))
        n_more = max(0, min(p, n_sites - locked_out.size) - int(is_open.sum()))
        bounds.append(part.duals[weights > 0].sum() + margin[is_open].sum() + np.sort(margin[is_free])[:n_more].sum())
    return min(bounds)


def holds_every_plan(parts):
    """Whether parts come from splits on one site at a time with both sides kept."""
    if any(not opened and not shut for opened, shut in parts):
        return True
    shared = frozenset.intersection(*(opened | shut for opened, shut in parts)) if parts else frozenset()
    if not shared:
        return False
    site = min(shared)
    inside = [(opened - {site}, shut) for opened, shut in parts if site in opened]
    outside = [(opened, shut - {site}) for opened, shut in parts if site in shut]
    return holds_every_plan(inside) and holds_every_plan(outside)


def check_case(seed):
    minutes, weights, p, locked_in, locked_out = random_case(seed)
    given = as_sparse(minutes) if seed % 5 else minutes
    found = solve_p_median(given, weights, p, locked_in=locked_in, locked_out=locked_out, time_limit_s=600)
    lost, travel = brute_force(minutes, weights, p, locked_in, locked_out)
    assert weights[found.unserved].sum() == pytest.approx(lost, abs=1e-7)
    assert found.value == pytest.approx(travel, abs=1e-6)
    assert set(locked_in) <= set(found.chosen)
    assert not set(locked_out) & set(found.chosen)
    if lost > 0:
        assert found.lower_bound == np.inf
        assert found.cover.solver_bound > p
        return
    assert found.is_optimal
    assert holds_every_plan([(frozenset(part.opened), frozenset(part.shut)) for part in found.parts])
    bound = proven_bound(minutes, weights, p, locked_in, locked_out, found.parts)
    assert bound >= travel - 1 + 1e-6 - (1e-6 * abs(travel)) or bound == pytest.approx(travel, rel=1e-6, abs=1e-6)
    assert bound <= travel + 1e-6


@pytest.mark.parametrize("part", range(6))
def test_tiny_instances_match_brute_force(part):
    for seed in range(part * 20, part * 20 + 20):
        check_case(seed)


@pytest.mark.slow
def test_five_hundred_tiny_instances_match_brute_force():
    for seed in range(2000, 2500):
        check_case(seed)


def test_a_corridor_of_five_puts_two_sites_near_the_crowds():
    # Villages at 0, 1, 2, 8, 9 km; two sites.
    at = np.array([0.0, 1.0, 2.0, 8.0, 9.0])
    found = solve_p_median(np.abs(at[:, None] - at), [1, 1, 1, 1, 3], 2)
    assert found.chosen.tolist() == [1, 4]
    assert found.value == pytest.approx(3.0)
    assert found.lower_bound == pytest.approx(3.0)


def test_zero_minutes_is_not_unreachable():
    minutes = sparse.csr_matrix((np.array([0.0, 5.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    found = solve_p_median(minutes, [2.0, 1.0], 1)
    assert found.value == pytest.approx(5.0)
    assert not found.unservable.size


def test_too_few_sites_serve_most_people_and_name_the_rest():
    minutes = np.array([[1.0, np.inf, np.inf], [np.inf, 3.0, np.inf]])
    found = solve_p_median(minutes, [5, 9, 4], 1)
    assert found.chosen.tolist() == [1]
    assert found.unserved.tolist() == [0]
    assert found.unservable.tolist() == [2]
    assert found.lower_bound == np.inf
    assert found.cover.lower_bound == pytest.approx(2.0)


def test_same_question_same_plan():
    rng = np.random.default_rng(3)
    minutes = rng.random((40, 60))
    first, second = (solve_p_median(minutes, np.ones(60), 6, seed=1) for _ in range(2))
    assert first.chosen.tolist() == second.chosen.tolist()
    assert first.is_optimal
    assert len(first.parts) == len(second.parts)


def test_cancelling_keeps_what_was_found():
    progress = Cancellable()
    progress.cancel()
    found = solve_p_median(np.random.default_rng(1).random((30, 40)), np.ones(40), 4, progress=progress)
    assert found.is_cancelled
    assert len(found.chosen) == 4


@pytest.mark.parametrize(
    ("minutes", "weights", "p", "locked_in"),
    [
        ([[1.0, 2.0]], [1.0], 1, []),
        ([[1.0, -2.0]], [1.0, 1.0], 1, []),
        ([[1.0, 2.0]], [1.0, -1.0], 1, []),
        ([[1.0], [2.0]], [1.0], 1, [0, 1]),
        ([[1.0]], [1.0], 0, []),
        ([[1.0]], [1.0], 1, [4]),
    ],
)
def test_contradictions_are_refused(minutes, weights, p, locked_in):
    with pytest.raises(InputError):
        solve_p_median(np.array(minutes), weights, p, locked_in=locked_in)


def read_published(path):
    """Distances between all vertices, and p; a repeated edge takes its last cost."""
    from scipy.sparse.csgraph import shortest_path

    numbers = np.array(path.read_text().split(), dtype=int)
    direct = np.full((numbers[0], numbers[0]), np.inf)
    for one, two, cost in numbers[3:].reshape(-1, 3):
        direct[one - 1, two - 1] = direct[two - 1, one - 1] = cost
    return shortest_path(direct, directed=False), int(numbers[2])


@pytest.mark.slow
@pytest.mark.parametrize(("number", "optimum"), [(1, 5819), (2, 4093), (6, 7824), (11, 7696), (17, 6999)])
def test_published_instances_meet_their_optimum(number, optimum):
    path = DATA / "pmed" / f"pmed{number}.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    distances, p = read_published(path)
    found = solve_p_median(distances, np.ones(distances.shape[1]), p, time_limit_s=300)
    assert found.value == pytest.approx(optimum)
    assert found.lower_bound == pytest.approx(optimum)
    none = np.array([], dtype=int)
    assert np.ceil(proven_bound(distances, np.ones(distances.shape[1]), p, none, none, found.parts) - 1e-6) == optimum
    assert holds_every_plan([(frozenset(part.opened), frozenset(part.shut)) for part in found.parts])


def test_san_francisco_meets_every_expected_value():
    folder = DATA / "spopt_sf"
    if not folder.exists():
        pytest.skip(f"{folder} is not there")
    import pandas as pd

    table = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    wide = table.pivot_table(index="name", columns="DestinationName", values="distance")
    people = table.groupby("DestinationName")["demand"].first().loc[wide.columns]
    for name, value in json.loads((folder / "expected_values.json").read_text()).items():
        if name.startswith("PMEDIAN"):
            found = solve_p_median(wide.to_numpy(), people.to_numpy(dtype=float), int(name.split("=")[1]))
            assert found.value == pytest.approx(value, rel=1e-9)
            assert found.is_optimal
