"""A plan judged from the raw data of its problem: value and broken rules, without any code that solvers use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.problem import SitingProblem
    from planner.siting.solution import Ask

RuleName = tuple[str | int, ...]
RawRule = tuple[dict[int, int], int]
COST_UNITS = 2**20


def plan_value(problem: SitingProblem, ask: Ask, is_open: NDArray[np.bool_]) -> float:
    """Return the objective of a plan, from raw data."""
    if ask.objective in {"max-cover", "backup-cover"}:
        times = problem.covers[is_open].sum(axis=0).A1
        if ask.objective == "max-cover" and problem.capacities is not None:
            return served_within_capacity(problem, is_open)
        needed = 1 if ask.objective == "max-cover" else 2
        return float(problem.weights[times >= needed].sum())
    if ask.objective == "min-sites":
        counted = is_open.copy()
        counted[problem.fixed_open] = False
        return float(problem.cost_of[counted].sum())
    best = best_minutes(problem, is_open)
    served = np.isfinite(best)
    if ask.objective == "p-center":
        counted_minutes = best[served & (problem.weights > 0)]
        return float(counted_minutes.max()) if counted_minutes.size else 0.0
    return float((problem.weights[served] * charged(problem, ask, best[served])).sum())


def charged(problem: SitingProblem, ask: Ask, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the minutes that count: all, or those beyond the cutoff."""
    return np.maximum(0.0, minutes - float(problem.cutoff_min or 0.0)) if ask.objective == "least-excess" else minutes


def best_minutes(problem: SitingProblem, is_open: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return minutes to the nearest open row, `inf` where there is none, [n_demand]."""
    best = np.full(problem.n_demand, np.inf)
    chosen = problem.minutes[is_open]
    np.minimum.at(best, chosen.indices, chosen.data)
    return best


def served_within_capacity(problem: SitingProblem, is_open: NDArray[np.bool_]) -> float:
    """Return the most people that the open rows can serve within reach and capacity (people of a point may split)."""
    from scipy import optimize, sparse

    rows = np.flatnonzero(is_open)
    part = problem.covers[rows].tocoo()
    if part.nnz == 0:
        return 0.0
    at = np.arange(part.nnz)
    ones = np.ones(part.nnz)
    per_row = sparse.csr_matrix((ones, (part.row, at)), shape=(rows.size, part.nnz))
    per_point = sparse.csr_matrix((ones, (part.col, at)), shape=(problem.n_demand, part.nnz))
    answer = optimize.linprog(
        -ones,
        A_ub=sparse.vstack([per_row, per_point]),
        b_ub=np.concatenate([problem.capacities[rows], problem.weights]),
        method="highs",
    )
    return float(-answer.fun)


def broken_rules(problem: SitingProblem, ask: Ask, is_open: NDArray[np.bool_]) -> list[RuleName]:
    """Return the names of the rules that a plan breaks, read from raw data."""
    broken: list[RuleName] = [("lock-in", row) for row in problem.lock_in if not is_open[row]]
    broken += [("lock-out", row) for row in problem.lock_out if is_open[row] and row not in problem.fixed_open]
    broken += [("existing", int(row)) for row in problem.fixed_open if not is_open[row]]
    for name, (coefficients, upper) in raw_rules(problem, ask).items():
        if sum(value for row, value in coefficients.items() if is_open[row]) > upper:
            broken.append(name)
    if ask.objective == "min-sites":
        wanted = coverable(problem)
        covered = (problem.covers[is_open].sum(axis=0).A1 > 0) & wanted
        everyone = problem.weights[wanted].sum()
        if problem.weights[covered].sum() < ask.cover_share * everyone - 1e-9 * max(1.0, everyone):
            broken.append(("share",))
    if ask.objective in {"p-median", "p-center", "least-excess"}:
        lost = reachable(problem) & ~np.isfinite(best_minutes(problem, is_open))
        broken += [("reach", int(column)) for column in np.flatnonzero(lost)]
    return broken


def coverable(problem: SitingProblem) -> NDArray[np.bool_]:
    """Return which demand points have people and a row that may cover them, [n_demand]."""
    allowed = np.ones(problem.n_sites, dtype=bool)
    allowed[np.setdiff1d(problem.lock_out, problem.fixed_open).astype(np.int64)] = False
    return (problem.covers[allowed].sum(axis=0).A1 > 0) & (problem.weights > 0)


def reachable(problem: SitingProblem) -> NDArray[np.bool_]:
    """Return which demand points have people and a row that reaches them, [n_demand]."""
    reached = np.zeros(problem.n_demand, dtype=bool)
    reached[problem.minutes.indices] = True
    return reached & (problem.weights > 0)


def raw_rules(problem: SitingProblem, ask: Ask) -> dict[RuleName, RawRule]:
    """Return every rule: coefficients a row and the upper limit, in whole 1 / COST_UNITS, rounded loosely."""
    rules: dict[RuleName, RawRule] = {}
    new = [row for row in range(problem.n_sites) if row not in set(problem.existing)]
    one = COST_UNITS
    if ask.n_new is not None:
        movable = list(problem.movable)
        rules["count",] = dict.fromkeys(new + movable, one), one * (ask.n_new + len(movable))
    if ask.budget is not None:
        paid = sorted({*new, *problem.closable, *problem.movable})
        rules["budget",] = {row: _down(problem.cost_of[row]) for row in paid}, _up(ask.budget)
    for quota in problem.quotas:
        members = [row for row in new if problem.labels[quota.label][row] == quota.value]
        if quota.minimum > 0:
            rules["quota-min", quota.label, quota.value] = dict.fromkeys(members, -one), -one * quota.minimum
        if quota.maximum is not None:
            rules["quota-max", quota.label, quota.value] = dict.fromkeys(members, one), one * quota.maximum
    columns = problem.relation.tocsc()
    for column in problem.must_serve:
        servers = columns.indices[columns.indptr[column] : columns.indptr[column + 1]].tolist()
        rules["must-serve", column] = dict.fromkeys(servers, -one), -one
    return rules | _raw_spacing(problem)


def _raw_spacing(problem: SitingProblem) -> dict[RuleName, RawRule]:
    rules: dict[RuleName, RawRule] = {}
    existing, fixed, one = set(problem.existing), set(problem.fixed_open.tolist()), COST_UNITS
    for kind in problem.one_per:
        for value in sorted({value for value in problem.labels[kind] if value is not None}):
            inside = [row for row, label in enumerate(problem.labels[kind]) if label == value]
            old = [row for row in inside if row in existing]
            if len(inside) == 1 or len(old) == len(inside):
                continue
            most = one * max(1, len(old))
            if fixed.intersection(old):
                rules["one-per", kind, value] = dict.fromkeys([row for row in inside if row not in existing], one), 0
            else:
                rules["one-per", kind, value] = {row: one if row in existing else most for row in inside}, most
    for first, second in problem.conflicts.tolist():
        if not (first in existing and second in existing):
            rules["conflict", first, second] = {first: one, second: one}, one
    return rules


def _down(value: float) -> int:
    return int(np.floor(value * COST_UNITS))


def _up(value: float) -> int:
    return int(np.ceil(value * COST_UNITS))
