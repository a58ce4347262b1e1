"""A cover problem made smaller with the same optimum: settled demand out, equal demand merged, dominated sites out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.siting.problem import SitingProblem
    from planner.siting.rules import Rules

_HASH_SEED = 20_260_101
DOMINANCE_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class Reduced:
    """What is left to decide.

    Attributes
    ----------
    rows : relation rows that may still be opened or not, [n].
    covers : boolean, [n, m]; column = merged demand that no fixed place covers and some row of `rows` does.
    weights : people a column, [m].
    needed : open rows that a column still needs to count, [m].
    base_value : people whom the fixed places cover.
    is_settled : demand that the fixed places cover, [n_demand].
    column_of : merged column of each demand point, -1 = settled already, out of reach, or nobody there.
    dropped : pairs (row, row that dominates it), [n_dropped, 2].
    """

    rows: NDArray[np.int64]
    covers: sparse.csr_matrix
    weights: NDArray[np.float64]
    needed: NDArray[np.int64]
    base_value: float
    is_settled: NDArray[np.bool_]
    column_of: NDArray[np.int64]
    dropped: NDArray[np.int64]


def reduce_cover(problem: SitingProblem, rules: Rules, *, needed: int = 1, drop_dominated: bool = True) -> Reduced:
    """Return the smaller cover problem in which a column counts once `needed` open rows cover it.

    Demand keeps its own column where it needs another number of rows, or lies in another value of `fair_by`.
    """
    covers = problem.covers
    times = covers_of(covers, np.flatnonzero(rules.lowest))
    rows = np.flatnonzero((rules.lowest == 0) & (rules.highest == 1))
    left = np.maximum(0, needed - times)
    kept = np.flatnonzero((left > 0) & (problem.weights > 0))
    columns = covers[rows][:, kept].tocsc() if kept.size < left.size else covers[rows].tocsc()
    group, n_groups = merge_columns(columns, _keys(problem, left)[kept])
    merged, weights, first = _merged(columns, group, n_groups, problem.weights[kept])
    column_of = np.full(problem.n_demand, -1, dtype=np.int64)
    column_of[kept] = group
    dropped = np.zeros((0, 2), dtype=np.int64)
    if drop_dominated and needed == 1 and problem.capacities is None:
        by = dominated_by(merged, problem.cost_of[rows], kinds_of(problem, rules)[rows])
        dropped = np.column_stack([rows[by >= 0], rows[by[by >= 0]]]).astype(np.int64)
        merged, rows = merged[by < 0], rows[by < 0]
    base_value = float(problem.weights[left == 0].sum())
    return Reduced(rows, merged, weights, left[kept[first]], base_value, left == 0, column_of, dropped)


def narrowed(reduced: Reduced, rules: Rules) -> Reduced:
    """Return what is left of a reduced problem (each column needs one row more) once `rules` hold more rows fixed."""
    is_open = rules.lowest[reduced.rows] == 1
    is_free = ~is_open & (rules.highest[reduced.rows] == 1)
    is_covered = covers_of(reduced.covers, np.flatnonzero(is_open)) > 0
    kept = np.flatnonzero(~is_covered)
    columns = reduced.covers[is_free][:, kept].tocsc()
    group, n_groups = merge_columns(columns, reduced.needed[kept])
    merged, weights, first = _merged(columns, group, n_groups, reduced.weights[kept])
    # The number after the last stands for demand that has no column (-1).
    column_of = np.full(reduced.weights.size + 1, -1, dtype=np.int64)
    column_of[kept] = group
    return Reduced(
        reduced.rows[is_free],
        merged,
        weights,
        reduced.needed[kept[first]],
        reduced.base_value + float(reduced.weights[is_covered].sum()),
        reduced.is_settled | (np.append(is_covered, False)[reduced.column_of] & (reduced.column_of >= 0)),
        column_of[reduced.column_of],
        reduced.dropped,
    )


def _keys(problem: SitingProblem, left: NDArray[np.int64]) -> NDArray[np.int64]:
    if problem.fair_by is None:
        return left
    _, town = np.unique([str(value) for value in problem.demand_labels[problem.fair_by]], return_inverse=True)
    return left + 3 * town.astype(np.int64)


def covers_of(covers: sparse.csr_matrix, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many of `rows` cover each demand point, [n_demand]."""
    return np.asarray(covers[rows].sum(axis=0), dtype=np.int64).ravel()


def merge_columns(left: sparse.csc_matrix, key: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the group of each column (-1 = empty) and the number of groups: columns with equal rows share one.

    Columns are sorted by a 64-bit hash of their rows; neighbours are then compared row by row, so that two columns
    share a group only when they are equal.
    """
    n_columns = left.shape[1]
    left.sort_indices()
    length = np.diff(left.indptr)
    words = np.random.default_rng(_HASH_SEED).integers(1, 2**63, size=left.shape[0], dtype=np.uint64)
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(words[left.indices], dtype=np.uint64)])
    code = sums[left.indptr[1:]] - sums[left.indptr[:-1]]
    order = np.lexsort((np.arange(n_columns), key, code))
    order = order[length[order] > 0]
    if order.size == 0:
        return np.full(n_columns, -1, dtype=np.int64), 0
    before, after = order[:-1], order[1:]
    is_same = (code[before] == code[after]) & (key[before] == key[after]) & (length[before] == length[after])
    at = np.flatnonzero(is_same)
    is_same[at] = _equal_columns(left, before[at], after[at])
    group_sorted = np.concatenate([[0], np.cumsum(~is_same)])
    # Groups are numbered by their first column, so that the order of demand decides, not the hash.
    first = np.full(int(group_sorted[-1]) + 1, n_columns)
    np.minimum.at(first, group_sorted, order)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(first.size)
    group = np.full(n_columns, -1, dtype=np.int64)
    group[order] = rank[group_sorted]
    return group, first.size


def _equal_columns(left: sparse.csc_matrix, one: NDArray[np.int64], two: NDArray[np.int64]) -> NDArray[np.bool_]:
    length = np.diff(left.indptr)[one]
    step = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    differs = (
        left.indices[np.repeat(left.indptr[one], length) + step]
        != left.indices[np.repeat(left.indptr[two], length) + step]
    )
    if not differs.size:
        return np.ones(one.size, dtype=bool)
    n_different = np.add.reduceat(differs.astype(np.int64), np.cumsum(length) - length)
    return n_different == 0


def _merged(
    left: sparse.csc_matrix, group: NDArray[np.int64], n_groups: int, people: NDArray[np.float64]
) -> tuple[sparse.csr_matrix, NDArray[np.float64], NDArray[np.int64]]:
    inside = group >= 0
    weights = np.bincount(group[inside], weights=people[inside], minlength=n_groups).astype(np.float64)
    first = np.full(n_groups, left.shape[1], dtype=np.int64)
    np.minimum.at(first, group[inside], np.flatnonzero(inside))
    merged = left[:, first].tocsr() if n_groups else sparse.csr_matrix((left.shape[0], 0), dtype=bool)
    merged.sort_indices()
    return merged, weights, first


def kinds_of(problem: SitingProblem, rules: Rules) -> NDArray[np.int64]:
    """Return a number a row: rows with one number stand in the same rules with the same weight (costs apart).

    Rows that a conflict or a demand (must-serve, least quota) names, and existing rows, are unlike every other: with
    two of them open, closing one could break the rule.
    """
    apart = np.zeros(problem.n_sites, dtype=bool)
    apart[list(problem.existing)] = True
    general = []
    for number, name in enumerate(rules.names):
        if name[0] == "conflict" or rules.upper[number] < 0:
            apart[rules.matrix.indices[rules.matrix.indptr[number] : rules.matrix.indptr[number + 1]]] = True
        elif name[0] != "budget":
            general.append(number)
    sides = rules.matrix[general].tocsc()
    sides.sort_indices()
    groups: dict[bytes, int] = {}
    kinds = np.empty(problem.n_sites, dtype=np.int64)
    for row in range(problem.n_sites):
        part = slice(sides.indptr[row], sides.indptr[row + 1])
        key = b"%d" % row if apart[row] else sides.indices[part].tobytes() + b"|" + sides.data[part].tobytes()
        kinds[row] = groups.setdefault(key, len(groups))
    return kinds


def dominated_by(covers: sparse.csr_matrix, costs: NDArray[np.float64], kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, a row, the row that covers all it covers at no higher cost and is of its kind; -1 = none.

    The one named is itself never dominated. Of equal rows the cheaper, then the first, stays.
    """
    from planner.siting.most_covered.kernels import name_dominators

    by = np.full(covers.shape[0], -1, dtype=np.int64)
    size = np.diff(covers.indptr)
    degree = np.bincount(covers.indices, minlength=covers.shape[1]).astype(np.int64)
    if int((degree**2).sum()) > DOMINANCE_LIMIT:
        return by
    columns = covers.tocsc()
    columns.sort_indices()
    order = np.lexsort((np.arange(size.size), costs, -size))
    relation = (
        covers.indptr.astype(np.int64),
        covers.indices.astype(np.int32),
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int32),
    )
    name_dominators(relation, costs.astype(np.float64), kinds, order, by)
    return by
