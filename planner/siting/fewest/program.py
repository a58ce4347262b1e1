"""Covering instances handed to HiGHS: multipliers from the linear relaxation, plans and bounds from branching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.siting.programs.mip import Answer, Limits, Model, highs_module, quiet_highs, solve_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.deadline import Deadline
    from planner.siting.fewest.reduction import Instance


@dataclass(frozen=True, eq=False)
class Prices:
    """Multipliers of a relaxation: one per row, and the price of a unit of weight (0 in full cover)."""

    duals: NDArray[np.float64]
    weight_price: float


def relaxation_prices(instance: Instance, target: float | None, time_limit_s: float) -> Prices | None:
    """Return multipliers near the best of the linear relaxation (interior point, no crossover), or None out of time.

    `target` is the weight to cover, None = every row. They are near only: the caller mends them and adds up what bound
    they give.
    """
    highspy = highs_module()
    n_sites, n_rows = instance.relation.shape
    turned = instance.relation.T.tocsr().astype(np.float64)
    highest = np.full(n_sites, highspy.kHighsInf)
    costs, matrix, lower = instance.costs, turned, np.ones(n_rows)
    if target is not None:
        rest = sparse.csr_matrix((np.zeros(0), np.zeros(0, np.int32), np.zeros(2, np.int32)), shape=(1, n_sites))
        own = sparse.vstack([-sparse.identity(n_rows), sparse.csr_matrix(instance.weights)])
        matrix = sparse.hstack([sparse.vstack([turned, rest]), own]).tocsr()
        costs = np.concatenate([costs, np.zeros(n_rows)])
        highest = np.concatenate([highest, np.ones(n_rows)])
        lower = np.concatenate([np.zeros(n_rows), [target]])
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = costs.size, lower.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = costs, np.zeros(costs.size), highest
    lp.row_lower_, lp.row_upper_ = lower, np.full(lower.size, highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data
    highs = quiet_highs(highspy)
    options = {"solver": "ipm", "run_crossover": "off", "threads": 1, "time_limit": time_limit_s}
    for name, value in options.items():
        highs.setOptionValue(name, value)
    highs.passModel(lp)
    highs.run()
    found = np.asarray(highs.getSolution().row_dual, dtype=np.float64)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal or not np.isfinite(found).all():
        return None
    found = np.maximum(0.0, found)
    return Prices(found, 0.0) if target is None else Prices(found[:-1], float(found[-1]))


def branch(
    instance: Instance, target: float | None, start: NDArray[np.bool_], limits: Limits, deadline: Deadline
) -> Answer:
    """Return what HiGHS makes of the instance as a mixed-integer model; `start` is a plan to begin with."""
    n_sites, n_rows = instance.relation.shape
    turned = instance.relation.T.tocsr().astype(np.float64)
    if target is None:
        kinds = np.ones(n_sites, dtype=bool)
        model = Model(instance.costs, np.zeros(n_sites), np.ones(n_sites), kinds, -turned, -np.ones(n_rows))
        return solve_model(model, limits, start.astype(np.float64), deadline.progress)
    cover = sparse.hstack([-turned, sparse.identity(n_rows)])
    share = sparse.hstack([sparse.csr_matrix((1, n_sites)), -sparse.csr_matrix(instance.weights)])
    model = Model(
        np.concatenate([instance.costs, np.zeros(n_rows)]),
        np.zeros(n_sites + n_rows),
        np.ones(n_sites + n_rows),
        np.concatenate([np.ones(n_sites, dtype=bool), np.zeros(n_rows, dtype=bool)]),
        sparse.vstack([cover, share]).tocsr(),
        np.concatenate([np.zeros(n_rows), [-target]]),
    )
    is_covered = np.zeros(n_rows, dtype=bool)
    is_covered[instance.relation[start].indices] = True
    return solve_model(model, limits, np.concatenate([start, is_covered]).astype(np.float64), deadline.progress)
