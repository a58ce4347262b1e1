"""Blocks of sites that share few columns: the split, and the best plan against brute force."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

from planner.progress import SILENT
from planner.siting.deadline import Deadline
from planner.siting.most_covered import blocks as siting_blocks
from planner.siting.most_covered.blocks import Blocks, may_be_split
from planner.siting.most_covered.branch import arrays_of, near_relaxation
from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.most_covered.split import blocks_of, split
from planner.siting.problem import SitingProblem
from planner.siting.proof.bounds import sides_of
from planner.siting.rules import compile_rules

ROOM = 0.999


def towns(seed, radius=0.11, n_sites=18, n_demand=300):
    """Three towns near one another, so that some demand is reached from two of them."""
    rng = np.random.default_rng(seed)
    centres = np.array([[0.2, 0.2], [0.5, 0.3], [0.35, 0.6]])
    demand = centres[rng.integers(3, size=n_demand)] + rng.normal(size=(n_demand, 2)) * 0.08
    sites = centres[np.arange(n_sites) % 3] + rng.normal(size=(n_sites, 2)) * 0.07
    covers = np.hypot(*(sites[:, None] - demand[None]).transpose(2, 0, 1)) < radius
    return SitingProblem(rng.integers(1, 50, n_demand), covers)


def stage_of(problem, n_new):
    rules = compile_rules(problem, n_new)
    reduced = reduce_cover(problem, rules)
    return reduced, sides_of(rules, reduced.rows)


@pytest.mark.slow
@pytest.mark.parametrize("most_merged", [0.0, 3.0, 9.0], ids=["divided", "merged and divided", "merged"])
@pytest.mark.parametrize("seed", range(6))
def test_blocks_end_at_the_best_plan(seed, most_merged, monkeypatch):
    monkeypatch.setattr(siting_blocks, "ENOUGH", -np.inf)
    monkeypatch.setattr(siting_blocks, "LEAST_PLACES", 1.5)
    monkeypatch.setattr(siting_blocks, "MOST_MERGED", most_merged)
    reduced, sides = stage_of(towns(seed), 5)
    covers, weights = reduced.covers.toarray(), reduced.weights
    best = max(weights[covers[list(plan)].any(axis=0)].sum() for plan in combinations(range(covers.shape[0]), 5))
    offered = [0.0]

    def offer(plan):
        assert plan.sum() <= 5
        offered[0] = max(offered[0], float(weights[covers[plan].any(axis=0)].sum()))
        return offered[0]

    start = near_relaxation(reduced, sides, 0.0, lambda: False)
    # Fractions taken from several relaxations may add up to more than may be opened.
    start = replace(start, x=np.minimum(1.0, (1 + seed % 2) * start.x))
    blocks = Blocks(reduced, 5, start, (offer, lambda _: offered[0]), ROOM)
    assert len(blocks.blocks) > 1
    deadline = Deadline(600, SILENT)
    near = blocks.near(0.6 * best, deadline, lambda _: False)
    assert near >= best
    bound = min(near, blocks.divide(deadline, lambda _: False))
    assert offered[0] == bound == best


def test_a_limit_of_parts_ends_at_the_same_bound_everywhere(monkeypatch):
    monkeypatch.setattr(siting_blocks, "ENOUGH", -np.inf)
    monkeypatch.setattr(siting_blocks, "LEAST_PLACES", 1.5)
    reduced, sides = stage_of(towns(0, n_sites=60, n_demand=900), 9)
    start = near_relaxation(reduced, sides, 0.0, lambda: False)

    def ended(most_parts):
        offered = [0.0]

        def offer(plan):
            offered[0] = max(offered[0], worth(plan))
            return offered[0]

        blocks = Blocks(reduced, 9, start, (offer, lambda _: offered[0]), ROOM, most_parts)
        deadline = Deadline(600, SILENT)
        bound = min(blocks.near(0.0, deadline, lambda _: False), blocks.divide(deadline, lambda _: False))
        return bound, offered[0], blocks.n_parts

    def worth(plan):
        return float(reduced.weights[reduced.covers.toarray()[plan].any(axis=0)].sum())

    bound, best, n_parts = ended(None)
    assert bound == best
    for most in (n_parts // 8, n_parts // 2):
        early = ended(most)
        assert early == ended(most)
        assert early[0] >= best
        assert most <= early[2] < n_parts


def test_sites_that_share_nobody_fall_into_blocks_that_share_nothing():
    covers = sparse.csr_matrix(np.kron(np.eye(3), np.ones((4, 5))).astype(bool))
    block = split(covers, np.ones(15), np.full(12, 0.3), 4.0)
    assert [len(set(block[first : first + 4])) for first in (0, 4, 8)] == [1, 1, 1]
    assert len(set(block)) == 3
    assert not any(each.shared.any() for each in blocks_of(covers, block))


def test_places_limit_the_size_of_a_block():
    covers = sparse.csr_matrix(np.ones((6, 2), dtype=bool))
    block = split(covers, np.ones(2), np.full(6, 1.0), 3.1)
    assert np.bincount(block).max() <= 3


def test_only_the_number_of_sites_may_bind_them():
    problem = towns(0)
    reduced, sides = stage_of(problem, 3)
    assert may_be_split(arrays_of(reduced, sides))
    conflicts = SitingProblem(problem.weights, problem.covers, conflicts=[(0, 1)])
    assert not may_be_split(arrays_of(*stage_of(conflicts, 3)))
