"""The rules of a plan as named linear rows over "site is open": what every solver here has to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from planner.siting.problem import SitingProblem

RuleName = tuple[str | int, ...]
Row = tuple[RuleName, "NDArray[np.int64]", "NDArray[np.float64]", float]

# Demands that are given up, fewest first, when they cannot all be met; every other rule always holds.
DEMAND_KINDS = frozenset({"must-serve", "quota-min", "lock-in", "share"})


@dataclass(frozen=True)
class Rules:
    """`matrix @ open <= upper`, `lowest <= open <= highest`.

    Attributes
    ----------
    matrix : [n_rules, n_sites].
    upper : [n_rules].
    names : one a rule: ("count",), ("budget",), ("quota-min", label, value), ("quota-max", label, value),
        ("one-per", label, value), ("conflict", row, row), ("must-serve", column).
    lowest, highest : 0 or 1 a site: existing places that stay, locks, and sites that an existing place blocks.
    """

    matrix: sparse.csr_matrix
    upper: NDArray[np.float64]
    names: tuple[RuleName, ...]
    lowest: NDArray[np.int8]
    highest: NDArray[np.int8]

    def broken_by(self, is_open: NDArray[np.bool_]) -> list[RuleName]:
        """Return the names of the rules that the plan breaks, locks included."""
        activity = self.matrix @ is_open.astype(np.float64)
        slack = 1e-9 * np.maximum(1.0, np.abs(self.upper))
        broken: list[RuleName] = [self.names[rule] for rule in np.flatnonzero(activity > self.upper + slack)]
        broken += [("lock-in", int(row)) for row in np.flatnonzero(self.lowest > is_open)]
        broken += [("lock-out", int(row)) for row in np.flatnonzero(self.highest < is_open)]
        return broken


def compile_rules(
    problem: SitingProblem, n_new: int | None = None, budget: float | None = None, *, locks_as_rules: bool = False
) -> Rules:
    """Return the rules of `problem` for at most `n_new` new sites and at most `budget` of cost.

    With `locks_as_rules` what must be open is a rule ("lock-in", row) and not a bound, so that it can be given up.
    """
    rows = list(_rows(problem, n_new, budget))
    lowest, highest = _bounds(problem, problem.lock_in if not locks_as_rules else ())
    if locks_as_rules:
        rows += [(("lock-in", row), np.array([row]), -np.ones(1), -1.0) for row in problem.lock_in]
    lengths = [len(columns) for _, columns, _, _ in rows]
    matrix = sparse.csr_matrix(
        (
            np.concatenate([values for _, _, values, _ in rows]) if rows else np.zeros(0),
            np.concatenate([columns for _, columns, _, _ in rows]) if rows else np.zeros(0, dtype=np.int64),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        ),
        shape=(len(rows), problem.n_sites),
    )
    return Rules(matrix, np.array([upper for *_, upper in rows]), tuple(row[0] for row in rows), lowest, highest)


def _bounds(problem: SitingProblem, lock_in: Sequence[int]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    lowest = np.zeros(problem.n_sites, dtype=np.int8)
    highest = np.ones(problem.n_sites, dtype=np.int8)
    lowest[problem.fixed_open] = 1
    lowest[list(lock_in)] = 1
    highest[list(problem.lock_out)] = 0
    highest[problem.fixed_open] = 1
    return lowest, highest


def _rows(problem: SitingProblem, n_new: int | None, budget: float | None) -> Iterator[Row]:
    new = problem.new_rows
    optional = np.array([*problem.closable, *problem.movable], dtype=np.int64)
    if n_new is not None:
        columns = np.concatenate([new, np.array(problem.movable, dtype=np.int64)])
        yield ("count",), columns, np.ones(columns.size), float(n_new + len(problem.movable))
    if budget is not None:
        columns = np.concatenate([new, optional])
        yield ("budget",), columns, problem.cost_of[columns], float(budget)
    yield from _quotas(problem, new)
    yield from _one_per(problem)
    yield from _conflicts(problem)
    if problem.must_serve:
        columns_of = problem.relation.tocsc()
        for column in problem.must_serve:
            servers = np.sort(columns_of.indices[columns_of.indptr[column] : columns_of.indptr[column + 1]])
            yield ("must-serve", column), servers.astype(np.int64), -np.ones(servers.size), -1.0


def _quotas(problem: SitingProblem, new: NDArray[np.int64]) -> Iterator[Row]:
    for quota in problem.quotas:
        labels = problem.labels[quota.label]
        rows = np.array([row for row in new.tolist() if labels[row] == quota.value], dtype=np.int64)
        if quota.minimum > 0:
            yield ("quota-min", quota.label, quota.value), rows, -np.ones(rows.size), -float(quota.minimum)
        if quota.maximum is not None:
            yield ("quota-max", quota.label, quota.value), rows, np.ones(rows.size), float(quota.maximum)


def _one_per(problem: SitingProblem) -> Iterator[Row]:
    existing = set(problem.existing)
    fixed = set(problem.fixed_open.tolist())
    for kind in problem.one_per:
        members: dict[str, list[int]] = {}
        for row, value in enumerate(problem.labels[kind]):
            if value is not None:
                members.setdefault(value, []).append(row)
        for value in sorted(members):
            rows = np.array(members[value], dtype=np.int64)
            is_new = np.array([row not in existing for row in members[value]])
            n_existing = int((~is_new).sum())
            if is_new.sum() == 0 or len(rows) == 1:
                continue
            # Existing places that stand together are a fact; they only keep new ones out.
            if fixed.intersection(members[value]):
                yield ("one-per", kind, value), rows[is_new], np.ones(int(is_new.sum())), 0.0
            else:
                weight = np.where(is_new, float(max(1, n_existing)), 1.0)
                yield ("one-per", kind, value), rows, weight, float(max(1, n_existing))


def _conflicts(problem: SitingProblem) -> Iterator[Row]:
    existing = set(problem.existing)
    for one, two in problem.conflicts.tolist():
        if not (one in existing and two in existing):
            yield ("conflict", one, two), np.array([one, two]), np.ones(2), 1.0
