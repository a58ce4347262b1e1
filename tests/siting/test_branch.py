"""The relaxation from both sides, and the tree, against HiGHS and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from planner.progress import SILENT
from planner.siting.deadline import Deadline
from planner.siting.most_covered.branch import Tree, arrays_of, near_relaxation, whole_part
from planner.siting.most_covered.reduce import narrowed, reduce_cover
from planner.siting.problem import Quota, SitingProblem
from planner.siting.programs.mip import solve_model
from planner.siting.programs.models import cover_model
from planner.siting.proof.bounds import sides_of
from planner.siting.rules import compile_rules


def instance(seed, n_sites=18, n_demand=120, **rules):
    rng = np.random.default_rng(seed)
    demand, sites = rng.random((n_demand, 2)), rng.random((n_sites, 2))
    covers = np.hypot(*(sites[:, None] - demand[None]).transpose(2, 0, 1)) < 0.25
    return SitingProblem(rng.integers(1, 50, n_demand), covers, **rules)


def stage_of(problem, n_new):
    rules = compile_rules(problem, n_new)
    reduced = reduce_cover(problem, rules)
    return reduced, sides_of(rules, reduced.rows)


def relaxed_optimum(reduced, sides):
    model = cover_model(reduced, sides)
    object.__setattr__(model, "is_integer", np.zeros(model.costs.size, dtype=bool))
    return -solve_model(model).value


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_prices_come_near_the_relaxation_from_above(seed):
    quotas = [Quota("town", "a", maximum=1)] if seed else []
    problem = instance(seed, labels={"town": ["a", "b"] * 9}, quotas=quotas)
    reduced, sides = stage_of(problem, 4)
    optimum = relaxed_optimum(reduced, sides)
    found = near_relaxation(reduced, sides, 0.0, lambda: False)
    assert optimum - 1e-6 <= found.bound <= optimum * 1.03
    assert found.x.min() >= 0
    assert found.x.sum() <= 4 + 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_the_tree_ends_at_the_best_plan(seed):
    problem = instance(seed)
    reduced, sides = stage_of(problem, 4)
    covers, weights = reduced.covers.toarray(), reduced.weights
    worth = {plan: weights[covers[list(plan)].any(axis=0)].sum() for plan in combinations(range(covers.shape[0]), 4)}
    best = [0.0]

    def offer(plan):
        assert plan.sum() <= 4
        best[0] = max(best[0], float(weights[covers[plan].any(axis=0)].sum()))
        return best[0]

    start = near_relaxation(reduced, sides, 0.0, lambda: False)
    arrays = arrays_of(reduced, sides)
    tree = Tree(arrays, offer, 0.999)
    tree.add(whole_part(arrays, start), start.bound)
    bound = tree.run(0.0, Deadline(60, SILENT), max_nodes=2)
    assert bound >= max(worth.values())
    bound = tree.run(best[0], Deadline(60, SILENT))
    assert best[0] == bound == max(worth.values())


def test_narrowing_in_two_steps_is_reducing_at_once():
    problem = instance(5)
    rules = compile_rules(problem, 4)
    lowest, highest = rules.lowest.copy(), rules.highest.copy()
    lowest[3], highest[[1, 7]] = 1, 0
    more = type(rules)(rules.matrix, rules.upper, rules.names, lowest, highest)
    once = reduce_cover(problem, more, drop_dominated=False)
    twice = narrowed(reduce_cover(problem, rules, drop_dominated=False), more)
    assert once.base_value == twice.base_value
    assert np.array_equal(once.rows, twice.rows)
    assert np.array_equal(once.is_settled, twice.is_settled)
    assert np.array_equal(once.column_of, twice.column_of)
    assert np.array_equal(once.weights, twice.weights)
    assert (once.covers != twice.covers).nnz == 0


def test_a_part_without_people_left_still_has_its_rules():
    from planner.siting.most_covered.branch_kernels import approach

    relation = np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int32), np.zeros(0)
    rules = np.array([0, 1]), np.array([0]), np.array([-1.0]), np.array([-1.0])
    bound, _ = approach(relation, rules, 1, np.zeros(1), np.zeros(0), np.zeros(1), np.array([25.0, -1.0, 0.0]))
    assert bound == 0.0
