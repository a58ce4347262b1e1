"""Tiny problems with every kind of rule and their mixtures, against brute force over all plans."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest

from planner.siting import special
from planner.siting.most_covered import climb
from planner.siting.problem import BY_MINUTES, MAXIMISING, OBJECTIVES, Quota, SitingProblem
from planner.siting.proof.certificate import check_certificate
from planner.siting.solve import solve

DEMANDS = {"must-serve", "quota-min", "lock-in", "share"}


def random_problem(seed):
    rng = np.random.default_rng(seed)
    objective = OBJECTIVES[seed % len(OBJECTIVES)]
    n, m = int(rng.integers(2, 8)), int(rng.integers(1, 9))

    def some(share, most, of):
        if rng.random() > share:
            return []
        return [int(each) for each in rng.choice(of, min(len(of), int(rng.integers(1, most + 1))), replace=False)]

    rows = np.arange(n)
    existing = some(0.5, 2, rows)
    optional = some(0.6, 2, existing) if existing else []
    movable = [row for row in optional if rng.random() < 0.5]
    data = {
        "weights": rng.integers(0, 9, m) if rng.random() < 0.7 else rng.random(m) * 5,
        "existing": existing,
        "movable": movable,
        "closable": [row for row in optional if row not in movable],
        "costs": rng.integers(0, 6, n) / rng.choice([1, 2, 7]) if rng.random() < 0.5 else None,
        "labels": {
            "town": [str(rng.choice(["A", "B"])) for _ in rows],
            "village": [None if rng.random() < 0.3 else str(rng.choice(["v", "w", "x"])) for _ in rows],
        },
        "lock_in": some(0.2, 2, rows),
        "lock_out": some(0.2, 2, rows),
        "must_serve": some(0.3, 2, np.arange(m)),
        "one_per": ["village"] if rng.random() < 0.3 else [],
    }
    quotas = []
    if rng.random() < 0.3:
        quotas.append(Quota("town", "A", minimum=int(rng.integers(0, 3)), maximum=int(rng.integers(0, 4))))
    if rng.random() < 0.2:
        quotas.append(Quota("town", "B", minimum=int(rng.integers(0, 3))))
    data["quotas"] = quotas
    if rng.random() < 0.4 and n > 1:
        data["conflicts"] = [rng.choice(rows, 2, replace=False) for _ in range(int(rng.integers(1, 4)))]
    minutes = np.where(rng.random((n, m)) < rng.uniform(0.3, 0.9), rng.integers(0, 12, (n, m)) / 2.0, np.inf)
    data |= {"minutes": minutes, "cutoff_min": float(rng.integers(1, 7))}
    if rng.random() < 0.2:
        data |= {"groups": {"old": rng.integers(0, 3, m)}, "group_factors": {"old": 2.0}}
    if objective == "max-cover":
        if rng.random() < 0.15:
            data["capacities"] = rng.integers(0, 12, n)
        elif rng.random() < 0.15:
            data |= {"fair_by": "town", "demand_labels": {"town": [str(rng.choice(["A", "B"])) for _ in range(m)]}}
    asked = {}
    if objective == "min-sites":
        asked["cover_share"] = float(rng.choice([1.0, 1.0, 0.95, 0.6]))
        if rng.random() < 0.3:
            asked["n_new"] = int(rng.integers(0, 4))
    elif rng.random() < 0.3:
        asked["budget"] = float(rng.integers(0, 10))
    else:
        asked["n_new"] = int(rng.integers(0, 4))
    return SitingProblem(**data), objective, asked


def plans(problem):
    free = [row for row in range(problem.n_sites) if row not in set(problem.fixed_open.tolist())]
    for size in range(len(free) + 1):
        for chosen in itertools.combinations(free, size):
            is_open = np.zeros(problem.n_sites, dtype=bool)
            is_open[problem.fixed_open] = True
            is_open[list(chosen)] = True
            yield is_open


def broken(problem, is_open, n_new, budget):
    """Names of all broken rules, straight from what the words of the rules say."""
    names = []
    old = set(problem.existing)
    opened = [row for row in np.flatnonzero(is_open).tolist() if row not in old]
    closed = [row for row in problem.existing if not is_open[row]]
    if n_new is not None and len(opened) > n_new + sum(row in problem.movable for row in closed):
        names.append(("count",))
    paid = opened + [row for row in (*problem.closable, *problem.movable) if is_open[row]]
    costs = np.ones(problem.n_sites) if problem.costs is None else problem.costs
    if budget is not None and costs[paid].sum() > budget + 1e-6:
        names.append(("budget",))
    names += [("lock-in", row) for row in problem.lock_in if not is_open[row]]
    names += [("lock-out", row) for row in problem.lock_out if is_open[row] and row not in problem.fixed_open]
    for quota in problem.quotas:
        number = sum(problem.labels[quota.label][row] == quota.value for row in opened)
        if number < quota.minimum:
            names.append(("quota-min", quota.label, quota.value))
        if quota.maximum is not None and number > quota.maximum:
            names.append(("quota-max", quota.label, quota.value))
    for kind in problem.one_per:
        values = problem.labels[kind]
        for value in set(values) - {None}:
            inside = [row for row in opened if values[row] == value]
            if len(inside) > 1 or (inside and any(is_open[row] and values[row] == value for row in old)):
                names.append(("one-per", kind, value))
    for one, two in problem.conflicts.tolist():
        if is_open[one] and is_open[two] and not (one in old and two in old):
            names.append(("conflict", one, two))
    covers = problem.covers.toarray()
    names += [("must-serve", column) for column in problem.must_serve if not covers[is_open, column].any()]
    return names


def judged(problem, objective, is_open, share):
    """People short and value (to be minimised) of a plan."""
    covers, weights = problem.covers.toarray(), problem.weights
    if objective in {"max-cover", "backup-cover"}:
        needed = 1 if objective == "max-cover" else 2
        times = covers[is_open].sum(axis=0)
        if problem.capacities is not None:
            return 0.0, -served(problem, is_open)
        value = -weights[times >= needed].sum()
        if problem.fair_by is None:
            return 0.0, value
        towns = np.array(problem.demand_labels[problem.fair_by])
        shares = [
            weights[(towns == town) & (times >= 1)].sum() / weights[towns == town].sum()
            for town in np.unique(towns)
            if weights[towns == town].sum() > 0
        ]
        return 0.0, (-round(min(shares, default=1.0), 9), value)
    if objective == "min-sites":
        allowed = np.ones(problem.n_sites, dtype=bool)
        allowed[[row for row in problem.lock_out if row not in problem.fixed_open]] = False
        everyone = weights[covers[allowed].any(axis=0)].sum()
        allowed_columns = covers[allowed].any(axis=0)
        covered = weights[covers[is_open].any(axis=0) & allowed_columns].sum()
        counted = is_open.copy()
        counted[problem.fixed_open] = False
        costs = np.ones(problem.n_sites) if problem.costs is None else problem.costs
        short = share * everyone - covered
        return (short if short > 1e-9 * max(1, everyone) else 0.0), costs[counted].sum()
    minutes = np.where(problem.minutes.toarray() > 0, problem.minutes.toarray(), np.inf)
    stored = problem.minutes.copy()
    stored.data = np.ones_like(stored.data)
    minutes = np.where(stored.toarray() == 1, problem.minutes.toarray(), np.inf)
    reachable = np.isfinite(minutes).any(axis=0)
    nearest = minutes[is_open].min(axis=0, initial=np.inf)
    reached = np.isfinite(nearest)
    short = weights[reachable & ~reached].sum()
    if objective == "p-center":
        return short, nearest[reached & (weights > 0)].max(initial=0.0)
    late = np.maximum(0, nearest - problem.cutoff_min) if objective == "least-excess" else nearest
    return short, (weights[reached] * late[reached]).sum()


def served(problem, is_open):
    """Most people served within capacity: the smallest cut over all sets of rows (max-flow min-cut)."""
    rows = np.flatnonzero(is_open)
    covers, best = problem.covers.toarray(), np.inf
    for size in range(len(rows) + 1):
        for full in itertools.combinations(rows.tolist(), size):
            others = [row for row in rows.tolist() if row not in full]
            reach = problem.weights[covers[others].any(axis=0)].sum() if others else 0.0
            best = min(best, problem.capacities[list(full)].sum() + reach)
    return best


def best_plan(problem, objective, n_new=None, budget=None, cover_share=1.0):
    """(number of unmet demands, people short, value) of the best plan that keeps every limit."""
    best = None
    for is_open in plans(problem):
        names = broken(problem, is_open, n_new, budget)
        if any(name[0] not in DEMANDS for name in names):
            continue
        short, value = judged(problem, objective, is_open, cover_share)
        key = (len(names), round(short, 6), value)
        if best is None or key < best:
            best = key
    return best


def assert_equal_to_brute_force(seed):
    problem, objective, asked = random_problem(seed)
    solution = solve(problem, objective, **asked)
    n_unmet, short, value = best_plan(problem, objective, **asked)
    is_open = np.zeros(problem.n_sites, dtype=bool)
    is_open[list(solution.open_rows(problem))] = True
    names = broken(problem, is_open, asked.get("n_new"), asked.get("budget"))
    assert {name[0] for name in names} <= DEMANDS, f"{seed}: {names}"
    own_short, own_value = judged(problem, objective, is_open, asked.get("cover_share", 1.0))
    assert len(names) == n_unmet, f"{seed}: gives up {names}, {n_unmet} would do"
    assert own_short == pytest.approx(short, abs=1e-5), seed
    if isinstance(value, tuple):
        assert own_value[0] == pytest.approx(value[0], abs=1e-7), seed
        own_value, value = own_value[1], value[1]
    assert own_value == pytest.approx(value, abs=1e-6), f"{seed}: {own_value}, best is {value}"
    sign = -1.0 if objective in MAXIMISING else 1.0
    assert solution.value == pytest.approx(sign * value, abs=1e-6), seed
    assert (solution.status == "infeasible") == (n_unmet > 0 or short > 1e-6), f"{seed}: {solution.status}"
    if solution.status == "infeasible":
        assert_clash(problem, objective, asked, solution.clash, seed)
    else:
        assert solution.status == "optimal", f"{seed}: {solution.status} {solution.value} {solution.bound}"
        for bound in (solution.certified_bound, solution.solver_bound):
            assert not (-sign * (solution.value - bound) > 1e-6), f"{seed}: {bound} is no bound of {solution.value}"
    assert check_certificate(problem, solution).is_valid, (seed, check_certificate(problem, solution))


def assert_clash(problem, objective, asked, clash, seed):
    """No plan keeps all of the clash, and no smaller set of rules does the same."""
    sets = []
    for chosen in itertools.product([False, True], repeat=problem.n_sites - problem.fixed_open.size):
        is_open = np.zeros(problem.n_sites, dtype=bool)
        is_open[problem.fixed_open] = True
        is_open[np.setdiff1d(np.arange(problem.n_sites), problem.fixed_open)] = chosen
        names = set(broken(problem, is_open, asked.get("n_new"), asked.get("budget")))
        if objective in BY_MINUTES:
            stored = problem.minutes.copy()
            stored.data = np.ones_like(stored.data)
            reach = stored.toarray() == 1
            lost = reach.any(axis=0) & ~reach[is_open].any(axis=0) & (problem.weights > 0)
            names |= {("reach", int(column)) for column in np.flatnonzero(lost)}
        if objective == "min-sites" and judged(problem, objective, is_open, asked.get("cover_share", 1.0))[0] > 0:
            names.add(("share",))
        sets.append(names)
    assert clash, seed
    assert all(names & set(clash) for names in sets), f"{seed}: {clash} can hold"
    universe = sorted(set().union(*sets), key=str)
    for size in range(1, len(clash)):
        for fewer in itertools.combinations(universe, size):
            assert not all(names & set(fewer) for names in sets), f"{seed}: {fewer} is smaller than {clash}"


@pytest.mark.parametrize("start", range(0, 12, 2))
def test_mixtures_equal_brute_force(start):
    for seed in range(start, start + 2):
        assert_equal_to_brute_force(seed)


@pytest.mark.slow
def test_many_mixtures_equal_brute_force():
    """`SITING_MIXTURES=10000` runs the whole ten thousand; by default a sample of them."""
    for seed in range(100, 100 + int(os.environ.get("SITING_MIXTURES", "300"))):
        assert_equal_to_brute_force(seed)


@pytest.mark.slow
def test_mixtures_answered_by_methods_of_their_own_equal_brute_force(monkeypatch):
    monkeypatch.setattr(special, "SMALL", -1)
    monkeypatch.setattr(climb, "SMALL", -1)
    for seed in range(5000, 5000 + int(os.environ.get("SITING_MIXTURES", "120"))):
        assert_equal_to_brute_force(seed)
