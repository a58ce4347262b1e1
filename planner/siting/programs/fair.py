"""Lift the worst-served town first, then everyone: two models, one after the other (lexicographic)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.siting.most_covered.reduce import Reduced, reduce_cover
from planner.siting.outcome import Outcome
from planner.siting.programs.mip import Limits, Model, solve_model
from planner.siting.programs.models import cover_model
from planner.siting.programs.plain import Leeway, with_leeway
from planner.siting.proof.bounds import Prices, cover_certificate, relaxed_duals, sides_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.rules import Rules
    from planner.siting.solution import Ask

_ROUNDING = 1e-9


def fairest(problem: SitingProblem, ask: Ask, rules: Rules, leeway: Leeway, progress: Progress) -> Outcome:
    """Return the plan whose worst-served value of `fair_by` has the largest covered share, then covers most people."""
    deadline = time.monotonic() + ask.time_limit_s
    reduced = reduce_cover(problem, rules, drop_dominated=False)
    model = cover_model(reduced, sides_of(rules, reduced.rows))
    shares, sure = _shares(problem, reduced)
    first = solve_model(
        with_leeway(_worst_share(model, shares, sure), rules, leeway.n_rules),
        Limits(ask.time_limit_s / 2, 0.0, ask.max_nodes),
        None,
        progress,
    )
    if first.x is None:
        return Outcome(None, first.status, float("nan"))
    is_open = _open_of(reduced, rules, first.x)
    if first.status == "cancelled":
        return Outcome(is_open, "cancelled", float("nan"))
    # The share is taken from the plan itself, not from the model, whose rounding could shut out the plan.
    worst = worst_share(problem, is_open)
    floor = replace(
        model,
        matrix=sparse.vstack([model.matrix, -_columns(shares, model, reduced)], format="csr"),
        upper=np.concatenate([model.upper, sure - worst + _ROUNDING]),
    )
    limits = Limits(max(0.1, deadline - time.monotonic()), ask.gap_share, ask.max_nodes)
    answer = solve_model(with_leeway(floor, rules, leeway.n_rules), limits, None, progress)
    if answer.x is not None:
        is_open = _open_of(reduced, rules, answer.x)
    duals = relaxed_duals(model, limits.time_limit_s) if leeway == Leeway() else None
    certificate = None
    if duals is not None:
        prices = Prices(duals[: model.first_side], duals[model.first_side :])
        certificate = cover_certificate(problem, rules, reduced, prices)
    is_best = first.status == "optimal" and answer.x is not None
    status = "cancelled" if answer.status == "cancelled" else "done"
    return Outcome(is_open, status, reduced.base_value - answer.bound if is_best else float("nan"), certificate)


def worst_share(problem: SitingProblem, is_open: NDArray[np.bool_]) -> float:
    """Return the covered share of the worst-served value of `fair_by`; 1 where nobody lives in any."""
    town, people = _towns(problem)
    covered = np.asarray(problem.covers[is_open].sum(axis=0)).ravel() > 0
    served = np.bincount(town, problem.weights * covered, minlength=people.size)
    return float((served[people > 0] / people[people > 0]).min(initial=1.0))


def _towns(problem: SitingProblem) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    labels = problem.demand_labels[str(problem.fair_by)]
    _, town = np.unique([str(value) for value in labels], return_inverse=True)
    return town.astype(np.int64), np.bincount(town, problem.weights).astype(np.float64)


def _shares(problem: SitingProblem, reduced: Reduced) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """Return the share of its town that each merged column holds, towns x columns, and the share that is sure."""
    town, people = _towns(problem)
    inside = np.flatnonzero(reduced.column_of >= 0)
    lived = np.flatnonzero(people > 0)
    share = sparse.csr_matrix(
        (problem.weights[inside] / people[town[inside]], (town[inside], reduced.column_of[inside])),
        shape=(people.size, reduced.weights.size),
    )[lived]
    sure = np.bincount(town, problem.weights * reduced.is_settled, minlength=people.size)[lived] / people[lived]
    return share, sure


def _columns(shares: sparse.csr_matrix, model: Model, reduced: Reduced) -> sparse.csr_matrix:
    n = reduced.rows.size
    more = model.costs.size - n - reduced.weights.size
    parts = [sparse.csr_matrix((shares.shape[0], n)), shares, sparse.csr_matrix((shares.shape[0], more))]
    return sparse.hstack(parts, format="csr")


def _worst_share(model: Model, shares: sparse.csr_matrix, sure: NDArray[np.float64]) -> Model:
    """Return `model` that maximises one more column: a share that no town stays below."""
    n_towns, m = shares.shape
    n = model.costs.size - m
    share_rows = sparse.hstack([sparse.csr_matrix((n_towns, n)), -shares, np.ones((n_towns, 1))])
    wide = sparse.hstack([model.matrix, sparse.csr_matrix((model.upper.size, 1))])
    return Model(
        costs=np.concatenate([np.zeros(model.costs.size), [-1.0]]),
        lowest=np.concatenate([model.lowest, [0.0]]),
        highest=np.concatenate([model.highest, [1.0]]),
        is_integer=np.concatenate([model.is_integer, [False]]),
        matrix=sparse.vstack([wide, share_rows], format="csr"),
        upper=np.concatenate([model.upper, sure]),
        first_side=model.first_side,
    )


def _open_of(reduced: Reduced, rules: Rules, x: NDArray[np.float64]) -> NDArray[np.bool_]:
    is_open = rules.lowest.astype(bool)
    is_open[reduced.rows] = x[: reduced.rows.size] > 0.5  # noqa: PLR2004  0 or 1
    return is_open
