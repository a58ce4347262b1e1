"""The mixed-integer model of every objective: one column a site that is still to be decided comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.siting.programs.mip import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.most_covered.reduce import Reduced
    from planner.siting.proof.bounds import Sides


def cover_model(reduced: Reduced, sides: Sides) -> Model:
    """Return "most people covered": columns are the sites, then the demand columns.

    A column that needs two more open rows counts once 2 z <= sum of x (Hogan and ReVelle 1986).
    """
    n, m = reduced.covers.shape
    link = sparse.hstack(
        [-reduced.covers.T.astype(np.float64), sparse.diags_array(reduced.needed.astype(np.float64))], format="csr"
    )
    return Model(
        costs=np.concatenate([np.zeros(n), -reduced.weights]),
        lowest=np.zeros(n + m),
        highest=np.ones(n + m),
        is_integer=np.concatenate([np.ones(n, dtype=bool), reduced.needed > 1]),
        matrix=sparse.vstack([link, _wide(sides.matrix, m)], format="csr"),
        upper=np.concatenate([np.zeros(m), sides.upper]),
        first_side=m,
        reported=(reduced.base_value, -1.0),
    )


def set_cover_model(covers: sparse.csr_matrix, costs: NDArray[np.float64], sides: Sides) -> Model:
    """Return "cheapest sites that cover every column" (Toregas, Swain, ReVelle and Bergman 1971)."""
    n, m = covers.shape
    return Model(
        costs=costs,
        lowest=np.zeros(n),
        highest=np.ones(n),
        is_integer=np.ones(n, dtype=bool),
        matrix=sparse.vstack([-covers.T.astype(np.float64), sides.matrix], format="csr"),
        upper=np.concatenate([-np.ones(m), sides.upper]),
        first_side=m,
    )


def partial_cover_model(
    covers: sparse.csr_matrix, weights: NDArray[np.float64], costs: NDArray[np.float64], sides: Sides, target: float
) -> Model:
    """Return "cheapest sites that cover `target` people": columns are the sites, then the demand columns."""
    n, m = covers.shape
    link = sparse.hstack([-covers.T.astype(np.float64), sparse.identity(m)], format="csr")
    people = sparse.csr_matrix(np.concatenate([np.zeros(n), -weights])[None, :])
    return Model(
        costs=np.concatenate([costs, np.zeros(m)]),
        lowest=np.zeros(n + m),
        highest=np.ones(n + m),
        is_integer=np.concatenate([np.ones(n, dtype=bool), np.zeros(m, dtype=bool)]),
        matrix=sparse.vstack([link, _wide(sides.matrix, m), people], format="csr"),
        upper=np.concatenate([np.zeros(m), sides.upper, [-target]]),
        first_side=m,
    )


def median_model(times: sparse.csr_matrix, sides: Sides) -> Model:
    """Return "least total of `times`, every column served once" (ReVelle and Swain 1970).

    Columns are the sites, then one a stored pair; a stored time is already weighted.
    """
    n, m = times.shape
    n_pairs = times.nnz
    site = np.repeat(np.arange(n), np.diff(times.indptr))
    pair = np.arange(n_pairs)
    ones = np.ones(n_pairs)
    served = sparse.csr_matrix((-ones, (times.indices, n + pair)), shape=(m, n + n_pairs))
    link = sparse.csr_matrix(
        (np.concatenate([ones, -ones]), (np.concatenate([pair, pair]), np.concatenate([n + pair, site]))),
        shape=(n_pairs, n + n_pairs),
    )
    return Model(
        costs=np.concatenate([np.zeros(n), times.data]),
        lowest=np.zeros(n + n_pairs),
        highest=np.ones(n + n_pairs),
        is_integer=np.concatenate([np.ones(n, dtype=bool), np.zeros(n_pairs, dtype=bool)]),
        matrix=sparse.vstack([served, _wide(sides.matrix, n_pairs), link], format="csr"),
        upper=np.concatenate([-np.ones(m), sides.upper, np.zeros(n_pairs)]),
        first_side=m,
    )


def capacity_model(
    covers: sparse.csr_matrix, weights: NDArray[np.float64], capacities: NDArray[np.float64], sides: Sides
) -> Model:
    """Return "most people served within capacity": columns are the sites, then people a pair of site and demand."""
    n, m = covers.shape
    n_pairs = covers.nnz
    site = np.repeat(np.arange(n), np.diff(covers.indptr))
    pair, ones = np.arange(n_pairs), np.ones(n_pairs)
    limit = np.minimum(weights[covers.indices], capacities[site])
    once = sparse.csr_matrix((ones, (covers.indices, n + pair)), shape=(m, n + n_pairs))
    full = sparse.csr_matrix((ones, (site, n + pair)), shape=(n, n + n_pairs)) - sparse.csr_matrix(
        (capacities, (np.arange(n), np.arange(n))), shape=(n, n + n_pairs)
    )
    link = sparse.csr_matrix(
        (np.concatenate([ones, -limit]), (np.concatenate([pair, pair]), np.concatenate([n + pair, site]))),
        shape=(n_pairs, n + n_pairs),
    )
    return Model(
        costs=np.concatenate([np.zeros(n), -ones]),
        lowest=np.zeros(n + n_pairs),
        highest=np.concatenate([np.ones(n), limit]),
        is_integer=np.concatenate([np.ones(n, dtype=bool), np.zeros(n_pairs, dtype=bool)]),
        matrix=sparse.vstack([once, full.tocsr(), link, _wide(sides.matrix, n_pairs)], format="csr"),
        upper=np.concatenate([weights, np.zeros(n), np.zeros(n_pairs), sides.upper]),
        first_side=m + n + n_pairs,
    )


def _wide(matrix: sparse.csr_matrix, n_more: int) -> sparse.csr_matrix:
    return sparse.hstack([matrix, sparse.csr_matrix((matrix.shape[0], n_more))], format="csr")
