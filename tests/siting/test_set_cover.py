"""Set covering against brute force on tiny random instances."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from planner.errors import InputError
from planner.progress import Cancellable
from planner.siting.fewest.set_cover import solve_set_cover

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


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


@pytest.mark.slow
def test_three_hundred_tiny_instances_match_brute_force():
    for seed in range(1000, 1300):
        check_case(seed)


def test_sites_and_rows_that_add_nothing_leave_a_full_proof():
    # Row 0 asks for site 0, which covers all that site 1 does; rows 2 and 3 want 2 or 3, site 3 is dearer.
    covers = sparse.csr_matrix([[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    found = solve_set_cover(covers, [3.0, 3.0, 1.5, 2.0])
    assert found.chosen.tolist() == [0, 2]
    assert found.value == pytest.approx(4.5)
    assert found.lower_bound == pytest.approx(4.5)
    assert found.is_optimal


def test_five_cycle_needs_three_sites_where_prices_prove_two_and_a_half():
    covers = sparse.csr_matrix([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 1]])
    found = solve_set_cover(covers, np.ones(5))
    assert found.value == pytest.approx(3.0)
    assert found.lower_bound == pytest.approx(3.0)
    assert found.row_duals.sum() == pytest.approx(2.5, abs=1e-5)


def test_rows_nobody_covers_are_named_and_left_out():
    covers = sparse.csr_matrix([[1, 0, 0], [0, 1, 0]])
    found = solve_set_cover(covers, [1.0, 1.0], locked_out=[1])
    assert found.uncoverable.tolist() == [1, 2]
    assert found.chosen.tolist() == [0]


def test_a_share_counts_people_and_leaves_the_dear_ones():
    covers = sparse.csr_matrix(np.eye(3))
    found = solve_set_cover(covers, [1.0, 1.0, 1.0], weights=[50.0, 45.0, 5.0], cover_share=0.95)
    assert found.chosen.tolist() == [0, 1]
    assert found.is_optimal


def test_same_question_same_plan():
    rng = np.random.default_rng(5)
    covers = sparse.csr_matrix(rng.random((60, 80)) < 0.08)
    first, second = (solve_set_cover(covers, np.ones(60), seed=3) for _ in range(2))
    assert first.chosen.tolist() == second.chosen.tolist()
    assert (first.row_duals == second.row_duals).all()


def test_the_goal_stops_the_search_either_way():
    covers = sparse.csr_matrix(np.eye(6))
    assert solve_set_cover(covers, np.ones(6), goal=3.0).lower_bound > 3
    assert solve_set_cover(covers, np.ones(6), goal=8.0).value <= 8


def test_cancelling_keeps_what_was_found():
    progress = Cancellable()
    progress.cancel()
    rng = np.random.default_rng(1)
    covers = sparse.csr_matrix(rng.random((40, 60)) < 0.1)
    found = solve_set_cover(covers, np.ones(40), progress=progress)
    assert found.is_cancelled
    assert np.isfinite(found.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"costs": [1.0]},
        {"costs": [1.0, -1.0]},
        {"costs": [1.0, np.nan]},
        {"weights": [1.0]},
        {"cover_share": 0.0},
        {"cover_share": 1.5},
        {"locked_in": [2]},
        {"locked_out": [-1]},
    ],
)
def test_contradictions_are_refused(wrong):
    given = {"costs": [1.0, 1.0]} | wrong
    costs = given.pop("costs")
    with pytest.raises(InputError):
        solve_set_cover(sparse.csr_matrix([[1, 0], [0, 1]]), costs, **given)


def read_published(path):
    """Costs and sites x rows relation of an OR-Library file."""
    numbers = [int(word) for word in path.read_text().split()]
    n_rows, n_sites = numbers[:2]
    at, pairs = 2 + n_sites, []
    for row in range(n_rows):
        pairs += [(site - 1, row) for site in numbers[at + 1 : at + 1 + numbers[at]]]
        at += 1 + numbers[at]
    sites, rows = np.array(pairs).T
    covers = sparse.csr_matrix((np.ones(sites.size), (sites, rows)), shape=(n_sites, n_rows))
    return np.array(numbers[2 : 2 + n_sites], dtype=float), covers


@pytest.mark.slow
@pytest.mark.parametrize(("name", "optimum"), [("scp41", 429), ("scp46", 560), ("scp51", 253), ("scpa3", 232)])
def test_published_instances_meet_their_optimum(name, optimum):
    path = DATA / "scp" / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    costs, covers = read_published(path)
    found = solve_set_cover(covers, costs, time_limit_s=300)
    assert found.value == pytest.approx(optimum)
    assert found.is_optimal
    assert proven_bound(found, covers, costs, None, [], []) <= optimum + 1e-6
