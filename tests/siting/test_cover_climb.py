"""The climb (search, prices, fixing, branching) on problems that are large enough for it."""

from __future__ import annotations

import numpy as np
import pytest

from planner.errors import CancelledError
from planner.progress import SILENT
from planner.siting.deadline import Deadline
from planner.siting.most_covered import climb
from planner.siting.most_covered.branch import near_relaxation
from planner.siting.most_covered.interior import relaxation
from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.most_covered.search import exchange_of, mixed
from planner.siting.problem import Quota, SitingProblem
from planner.siting.proof.bounds import sides_of
from planner.siting.proof.certificate import check_certificate
from planner.siting.rules import compile_rules
from planner.siting.solve import solve


def county(seed, n_sites=60, n_demand=400):
    rng = np.random.default_rng(seed)
    demand, sites = rng.random((n_demand, 2)), rng.random((n_sites, 2))
    covers = np.hypot(*(sites[:, None] - demand[None]).transpose(2, 0, 1)) < 0.15
    return {"weights": rng.integers(1, 50, n_demand), "covers": covers}, rng


@pytest.mark.parametrize("seed", range(3))
def test_the_climb_finds_what_the_plain_model_finds(seed, monkeypatch):
    data, rng = county(seed)
    rules = {
        "labels": {"town": [str(rng.integers(4)) for _ in range(60)]},
        "existing": [0, 1],
        "conflicts": rng.integers(2, 30, (20, 1)) + np.array([[0, 30]]),
        "costs": rng.integers(1, 5, 60),
        "quotas": [Quota("town", "0", minimum=1, maximum=2)],
        "must_serve": [int(np.flatnonzero(data["covers"].any(axis=0))[5])],
    }
    problem = SitingProblem(**data, **(rules if seed else {}))
    asked = {"n_new": 8} if seed < 2 else {"budget": 17.0}
    plain = solve(problem, **asked)
    monkeypatch.setattr(climb, "SMALL", 0)
    climbed = solve(problem, **asked)
    assert (plain.status, climbed.status) == ("optimal", "optimal")
    assert climbed.value == pytest.approx(plain.value)
    assert climbed.certified_bound >= plain.value
    assert check_certificate(problem, climbed).is_valid


def test_a_cancelled_climb_keeps_its_best_plan(monkeypatch):
    class Impatient:
        def update(self, *_report):
            raise CancelledError("Cancelled.")

    monkeypatch.setattr(climb, "SMALL", 0)
    data, _ = county(7)
    problem = SitingProblem(**data)
    solution = solve(problem, n_new=5, progress=Impatient())
    assert solution.status == "cancelled"
    assert len(solution.chosen) == 5
    assert check_certificate(problem, solution).is_valid


def test_the_climb_is_the_same_twice(monkeypatch):
    monkeypatch.setattr(climb, "SMALL", 0)
    data, _ = county(9)
    one, two = (solve(SitingProblem(**data), n_new=6) for _ in range(2))
    assert one.chosen == two.chosen


def test_mixed_plans_keep_the_rules_and_reach_the_best():
    data, _ = county(3, n_sites=40)
    problem = SitingProblem(
        **data, conflicts=[(0, 1), (2, 3)], one_per=["village"], labels={"village": ["a", "b"] * 20}
    )
    rules = compile_rules(problem, 2)
    reduced = reduce_cover(problem, rules)
    sides = sides_of(rules, reduced.rows)
    n = reduced.rows.size
    exchange = exchange_of(reduced, sides, problem.cost_of[reduced.rows])
    value, plan = mixed(exchange, sides, np.full(n, 2 / n), np.zeros(n, dtype=bool), Deadline(60, SILENT))
    assert (sides.matrix @ plan <= sides.upper).all()
    assert value + reduced.base_value == solve(problem, n_new=2).value


def test_prices_and_plans_by_turns_reach_the_best(monkeypatch):
    data, rng = county(4)
    problem = SitingProblem(**data, labels={"town": [str(rng.integers(4)) for _ in range(60)]}, one_per=["town"])
    best = solve(problem, n_new=4).value
    for name, value in {"SMALL": 0, "WIDE": -1, "INTERIOR_SITES": -1, "MOST_MIXED": 10}.items():
        monkeypatch.setattr(climb, name, value)
    solution = solve(problem, n_new=4)
    assert solution.status == "optimal"
    assert solution.value == best
    assert check_certificate(problem, solution).is_valid


def test_a_second_look_at_the_relaxation_goes_on_from_the_first():
    data, _ = county(6)
    problem = SitingProblem(**data)
    rules = compile_rules(problem, 6)
    reduced = reduce_cover(problem, rules)
    sides = sides_of(rules, reduced.rows)
    exact = relaxation(reduced.covers, reduced.weights, sides)
    first = near_relaxation(reduced, sides, 0.0, lambda: True)
    second = near_relaxation(reduced, sides, exact.bound * 0.999, lambda: False, first)
    assert exact.bound * (1 - 1e-6) <= second.bound <= first.bound
    assert second.bound <= exact.bound * (1 + 1e-3)


def test_no_time_left_ends_at_once(monkeypatch):
    monkeypatch.setattr(climb, "SMALL", 0)
    data, _ = county(5)
    problem = SitingProblem(**data)
    solution = solve(problem, n_new=6, time_limit_s=0.0)
    assert solution.status in {"optimal", "feasible"}
    assert check_certificate(problem, solution).is_valid
