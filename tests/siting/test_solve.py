"""Plans against full enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.errors import InputError
from planner.siting.problem import SitingProblem
from planner.siting.proof.certificate import check_certificate
from planner.siting.solve import solve


def random_case(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 9)), int(rng.integers(1, 14))
    covers = rng.random((n, m)) < rng.uniform(0.1, 0.6)
    weights = rng.integers(0, 20, m).astype(float) if seed % 2 else rng.random(m) * 10
    existing = [int(row) for row in rng.choice(n, rng.integers(0, min(3, n)), replace=False)]
    costs, n_new, budget = None, None, None
    if seed % 3 == 0:
        costs, budget = rng.integers(1, 9, n) / (1 if seed % 2 else 7.0), float(rng.integers(1, 15))
    else:
        n_new = int(rng.integers(0, 4))
    return covers, weights, existing, costs, n_new, budget


def most_people(covers, weights, existing, costs, n_new, budget):
    candidates = [row for row in range(len(covers)) if row not in existing]
    best = 0.0
    for size in range(len(candidates) + 1):
        if n_new is not None and size > n_new:
            break
        for chosen in itertools.combinations(candidates, size):
            if budget is None or costs[list(chosen)].sum() <= budget + 1e-9:
                best = max(best, weights[covers[existing + list(chosen)].any(axis=0)].sum())
    return best


def assert_best(seed):
    covers, weights, existing, costs, n_new, budget = random_case(seed)
    problem = SitingProblem(weights=weights, covers=covers, existing=existing, costs=costs)
    solution = solve(problem, n_new=n_new, budget=budget)
    best = most_people(covers, weights, existing, costs, n_new, budget)
    assert solution.status == "optimal"
    assert solution.value == pytest.approx(best, abs=1e-9)
    assert solution.certified_bound >= best - 1e-9
    assert solution.solver_bound >= best - 1e-6
    assert sum(solution.marginal) + solution.base_value == pytest.approx(best, abs=1e-9)
    assert check_certificate(problem, solution).is_valid


@pytest.mark.parametrize("seed", range(8))
def test_most_people_equal_full_enumeration(seed):
    assert_best(seed)


@pytest.mark.slow
def test_most_people_equal_full_enumeration_on_200_cases():
    for seed in range(8, 208):
        assert_best(seed)


def test_a_table_typed_by_hand():
    # site 0 covers demand 0, 1; site 1 covers 1, 2; site 2 covers 2 only
    problem = SitingProblem(weights=[5, 1, 4], covers=[[1, 1, 0], [0, 1, 1], [0, 0, 1]], existing=[])
    solution = solve(problem, "max-cover", n_new=1)
    assert (solution.status, solution.value, solution.chosen) == ("optimal", 6.0, (0,))
    both = solve(problem, "max-cover", n_new=2)
    assert (both.value, both.certified_bound, both.chosen) == (10.0, 10.0, (0, 1))
    assert both.marginal == (6.0, 4.0)
    assert both.total == (6.0, 5.0)
    assert both.sites[1].substitute == 2
    assert both.sites[1].loss == pytest.approx(0.0)


def test_a_bad_problem_is_refused():
    with pytest.raises(InputError, match="weights"):
        SitingProblem(weights=[1, 2], covers=[[1, 0, 1]])
    with pytest.raises(InputError, match="n_new"):
        solve(SitingProblem(weights=[1], covers=[[1]]))


def test_numbers_of_numpy_are_numbers():
    covers = np.random.default_rng(0).random((9, 60)) < 0.2
    problem = SitingProblem(np.full(60, 1e6), covers)
    solution = solve(problem, n_new=np.int64(3), budget=np.float64(3))
    assert solution.chosen == solve(problem, n_new=3, budget=3.0).chosen
    assert check_certificate(problem, solution).is_valid
