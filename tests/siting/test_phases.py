"""Nested years and the budget curve on tables small enough to enumerate."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planner.errors import InputError
from planner.siting.curve import budget_curve
from planner.siting.phases import plan_phases
from planner.siting.problem import SitingProblem


def table(seed):
    rng = np.random.default_rng(seed)
    return rng.random((8, 14)) < 0.3, rng.integers(1, 9, 14)


def best_addition(covers, weights, before, n_more, must):
    """Most people of `before` plus at most n_more sites from which `must` can still be met with 4 sites in all."""
    best = -1
    for size in range(n_more + 1):
        for more in itertools.combinations([row for row in range(8) if row not in before], size):
            now = [*before, *more]
            can = any(
                covers[now + list(rest)][:, must].any(axis=0).all()
                for extra in range(4 - len(now) + 1)
                for rest in itertools.combinations(range(8), extra)
                if len(set(now) | set(rest)) <= 4
            )
            if can or not must:
                best = max(best, weights[covers[now].any(axis=0)].sum() if now else 0)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_each_year_is_the_best_on_top_of_those_before(seed):
    covers, weights = table(seed)
    must = [int(np.argmin(covers.sum(axis=0) + 100 * (covers.sum(axis=0) == 0)))]
    plan = plan_phases(SitingProblem(weights=weights, covers=covers, must_serve=must), n_new=[1, 2, 4])
    before = []
    for phase, n_more in zip(plan.phases, [1, 1, 2], strict=True):
        assert phase.is_best
        assert phase.value == best_addition(covers, weights, before, phase.n_new - len(before), must)
        assert phase.value <= phase.certified_free_bound + 1e-9
        assert len(phase.opened) <= n_more + 1
        before += phase.opened
    assert covers[before][:, must].any(axis=0).all()


def test_the_curve_rises_and_every_point_has_its_bounds():
    covers, weights = table(9)
    points = budget_curve(SitingProblem(weights=weights, covers=covers), range(4))
    assert [point.n_new for point in points] == [0, 1, 2, 3]
    assert points[0].value == pytest.approx(0)
    for point in points:
        best = max(
            weights[covers[list(rows)].any(axis=0)].sum() if rows else 0
            for rows in itertools.combinations(range(8), point.n_new)
        )
        assert point.value == best
        assert min(point.certified_bound, point.solver_bound) >= best - 1e-9


def test_falling_limits_are_refused():
    covers, weights = table(1)
    problem = SitingProblem(weights=weights, covers=covers)
    with pytest.raises(InputError, match="lower"):
        plan_phases(problem, n_new=[2, 1])
    with pytest.raises(InputError, match="one limit a year"):
        plan_phases(problem)
    with pytest.raises(InputError, match="no budget curve"):
        budget_curve(problem, [1], "min-sites")
