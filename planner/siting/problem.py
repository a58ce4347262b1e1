"""What is asked of siting: weights, a sparse relation of sites and demand, and the rules a plan has to keep.

Nothing here knows geography: a 3 x 3 table typed by hand is a problem. Rows of the relation are sites (candidates and
existing places), columns are demand points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.errors import InputError
from planner.wishes import OBJECTIVES, Objective, Quota

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["BY_MINUTES", "MAXIMISING", "OBJECTIVES", "Objective", "Quota", "SitingProblem"]

BY_MINUTES: frozenset[str] = frozenset({"p-median", "p-center", "least-excess"})
MAXIMISING: frozenset[str] = frozenset({"max-cover", "backup-cover"})


@dataclass(frozen=True, eq=False)
class SitingProblem:
    """Sites, demand and rules.

    Arrays are brought into one form when the problem is made, and what contradicts itself is refused there.

    Attributes
    ----------
    weights : people at each demand point, [n_demand], not negative.
    covers : sparse boolean relation, sites x demand; None = `minutes <= cutoff_min`.
    minutes : travel minutes, sites x demand; sparse (absent = unreachable, a stored 0 is 0 minutes) or dense (`inf` or
        NaN = unreachable).
    existing : rows that are open already. They stay open unless `closable` or `movable` name them.
    costs : of opening each site, [n_sites]; of keeping it, for a closable or movable row. None = 1 each.
    cutoff_min : the time limit in minutes; needed for `least-excess` and where `covers` is absent.
    row_ids, demand_ids : names of rows and columns; None = their numbers.
    labels : of sites: kind ("town", "village", "tier", "way") -> value a row, None = has none.
    demand_labels : of demand: kind ("town", "village", "settlement") -> value a column, None = has none.
    lock_in, lock_out : rows that must, or must never, be open.
    closable : existing rows that may close.
    movable : existing rows that may close and for each of which one more site may then be opened.
    must_serve : demand columns that an open row has to cover (reach, where the relation is minutes without a cutoff).
    quotas : limits a label value.
    one_per : label kinds of which every value may be opened at most once ("village"), existing rows with it counting.
    conflicts : pairs of rows that cannot both be open (minimum spacing), [n_pairs, 2]. A pair of existing rows is a
        fact and is not judged.
    groups, group_factors : people of a group at each demand point, and how many times each of them counts. The weight
        of a point is `weights + sum((factor - 1) * group)`.
    capacities : people that each row can serve, [n_sites]; None = any number. `max-cover` only.
    fair_by : kind of demand label ("town"): the worst-served value is lifted first, then everyone. `max-cover` only.

    Raises
    ------
    InputError
        When shapes, numbers or row numbers contradict each other.
    """

    weights: Any
    covers: Any = None
    minutes: Any = None
    existing: Sequence[int] = ()
    costs: Any = None
    cutoff_min: float | None = None
    row_ids: Sequence[str] | None = None
    demand_ids: Sequence[str] | None = None
    labels: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    demand_labels: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    lock_in: Sequence[int] = ()
    lock_out: Sequence[int] = ()
    closable: Sequence[int] = ()
    movable: Sequence[int] = ()
    must_serve: Sequence[int] = ()
    quotas: Sequence[Quota] = ()
    one_per: Sequence[str] = ()
    conflicts: Any = ()
    groups: Mapping[str, Any] = field(default_factory=dict)
    group_factors: Mapping[str, float] = field(default_factory=dict)
    capacities: Any = None
    fair_by: str | None = None

    def __post_init__(self) -> None:
        if self.covers is None and self.minutes is None:
            raise InputError("A siting problem needs `covers` (sites x demand, boolean) or `minutes` (sites x demand).")
        minutes = None if self.minutes is None else _minutes(self.minutes)
        if self.covers is not None:
            covers = _covers(self.covers)
        elif self.cutoff_min is not None and minutes is not None:
            covers = _within(minutes, float(self.cutoff_min))
        else:
            covers = None
        shape = covers.shape if covers is not None else minutes.shape  # type: ignore[union-attr]
        if covers is not None and minutes is not None and covers.shape != minutes.shape:
            raise InputError(
                f"`covers` is {covers.shape} and `minutes` {minutes.shape}: sites x demand of both must agree."
            )
        self._store("covers", covers)
        self._store("minutes", minutes)
        self._store("weights", _weighted(self, shape[1]))
        self._store("costs", None if self.costs is None else _numbers("costs", self.costs, shape[0]))
        if self.capacities is not None:
            self._store("capacities", _numbers("capacities", self.capacities, shape[0]))
        for name in ("existing", "lock_in", "lock_out", "closable", "movable"):
            self._store(name, _members(name, getattr(self, name), shape[0], "site"))
        self._store("must_serve", _members("must_serve", self.must_serve, shape[1], "demand point"))
        self._store("conflicts", _pairs(self.conflicts, shape[0]))
        self._check_names(shape)
        self._check_states()

    def _store(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_names(self, shape: tuple[int, int]) -> None:
        for table, length in ((self.labels, shape[0]), (self.demand_labels, shape[1])):
            for kind, values in table.items():
                if len(values) != length:
                    raise InputError(f"Label '{kind}' has {len(values)} values for {length} rows.")
        for ids, length, what in ((self.row_ids, shape[0], "row_ids"), (self.demand_ids, shape[1], "demand_ids")):
            if ids is not None and (len(ids) != length or len(set(ids)) != length):
                raise InputError(f"`{what}` must hold {length} different names.")
        for kind in (*self.one_per, *(quota.label for quota in self.quotas)):
            if kind not in self.labels:
                raise InputError(f"A rule speaks of label '{kind}', but sites have only {sorted(self.labels)}.")
        if self.fair_by is not None and self.fair_by not in self.demand_labels:
            raise InputError(f"fair_by is '{self.fair_by}', but demand has only {sorted(self.demand_labels)}.")

    def _check_states(self) -> None:
        for quota in self.quotas:
            if min(quota.minimum, 0 if quota.maximum is None else quota.maximum) < 0:
                raise InputError(f"The quota of {quota.label} '{quota.value}' is negative.")
        existing = set(self.existing)
        for name in ("closable", "movable"):
            stray = sorted(set(getattr(self, name)) - existing)
            if stray:
                raise InputError(f"`{name}` names rows {stray[:5]} ({len(stray)}) that are not `existing`.")
        both = sorted(set(self.closable) & set(self.movable))
        if both:
            raise InputError(f"Rows {both[:5]} ({len(both)}) are closable and movable: say one of the two.")
        if self.cutoff_min is not None and not self.cutoff_min >= 0:
            raise InputError(f"cutoff_min is {self.cutoff_min}; it must be 0 or more.")

    @property
    def n_sites(self) -> int:
        """Number of rows: candidates and existing places."""
        return int(self.relation.shape[0])

    @property
    def n_demand(self) -> int:
        """Number of demand points."""
        return int(self.relation.shape[1])

    @property
    def relation(self) -> sparse.csr_matrix:
        """The cover relation, or the minutes where there is none."""
        return self.covers if self.covers is not None else self.minutes

    @property
    def cost_of(self) -> NDArray[np.float64]:
        """Costs of all rows, 1 each where none were given."""
        return np.ones(self.n_sites) if self.costs is None else self.costs

    @property
    def fixed_open(self) -> NDArray[np.int64]:
        """Existing rows that neither close nor move."""
        return np.setdiff1d(np.array(self.existing, dtype=np.int64), [*self.closable, *self.movable])

    @property
    def new_rows(self) -> NDArray[np.int64]:
        """Rows that are not existing: the candidates."""
        return np.setdiff1d(np.arange(self.n_sites), self.existing)

    def row_name(self, row: int) -> str:
        """Return the id of a row."""
        return str(row) if self.row_ids is None else str(self.row_ids[row])

    def demand_name(self, column: int) -> str:
        """Return the id of a demand point."""
        return str(column) if self.demand_ids is None else str(self.demand_ids[column])


def _covers(covers: Any) -> sparse.csr_matrix:  # noqa: ANN401  any matrix
    matrix = sparse.csr_matrix(covers)
    matrix = sparse.csr_matrix((matrix.data != 0, matrix.indices, matrix.indptr), shape=matrix.shape)
    if not matrix.data.all():
        matrix.eliminate_zeros()
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix


def _minutes(minutes: Any) -> sparse.csr_matrix:  # noqa: ANN401  any matrix
    if sparse.issparse(minutes):
        matrix = minutes.tocsr().astype(np.float64)
        if not matrix.has_canonical_format:
            if np.any(np.diff(_sorted_pairs(matrix)) == 0):
                raise InputError("`minutes` holds two values for one pair of site and demand point.")
            matrix.sort_indices()
        rows, columns, values = _coordinates(matrix)
    else:
        dense = np.asarray(minutes, dtype=np.float64)
        if dense.ndim != 2:  # noqa: PLR2004
            raise InputError("`minutes` must have two dimensions: sites x demand.")
        rows, columns = np.nonzero(np.isfinite(dense) | (dense < 0))
        values, matrix = dense[rows, columns], dense
    keep = np.isfinite(values)
    if np.any(values[keep] < 0) or np.any(np.isneginf(values)):
        raise InputError("`minutes` holds negative times.")
    first = np.searchsorted(rows[keep], np.arange(matrix.shape[0] + 1))
    return sparse.csr_matrix((values[keep], columns[keep], first), shape=matrix.shape)


def _sorted_pairs(matrix: sparse.csr_matrix) -> NDArray[np.int64]:
    rows, columns, _ = _coordinates(matrix)
    return np.sort(rows * matrix.shape[1] + columns)


def _coordinates(matrix: sparse.csr_matrix) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return rows, matrix.indices.astype(np.int64), matrix.data


def _within(minutes: sparse.csr_matrix, cutoff_min: float) -> sparse.csr_matrix:
    rows, columns, values = _coordinates(minutes)
    inside = values <= cutoff_min
    first = np.searchsorted(rows[inside], np.arange(minutes.shape[0] + 1))
    return sparse.csr_matrix((np.ones(int(inside.sum()), dtype=bool), columns[inside], first), shape=minutes.shape)


def _numbers(name: str, values: ArrayLike, length: int) -> NDArray[np.float64]:
    numbers = np.array(values, dtype=np.float64)
    if numbers.shape != (length,):
        raise InputError(f"`{name}` has shape {numbers.shape}, the relation asks for ({length},).")
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if bad.size:
        raise InputError(f"`{name}` must be 0 or more; rows {bad[:5].tolist()} ({bad.size}) are not.")
    return numbers


def _weighted(problem: SitingProblem, length: int) -> NDArray[np.float64]:
    weights = _numbers("weights", problem.weights, length)
    for name, factor in problem.group_factors.items():
        if name not in problem.groups:
            raise InputError(f"group_factors speaks of '{name}', but groups has only {sorted(problem.groups)}.")
        weights = weights + (factor - 1.0) * _numbers(name, problem.groups[name], length)
    if np.any(weights < 0):
        raise InputError("Group factors make a weight negative.")
    return weights


def _members(name: str, values: Sequence[int], length: int, what: str) -> tuple[int, ...]:
    members = sorted({int(value) for value in values})
    stray = [member for member in members if not 0 <= member < length]
    if stray:
        raise InputError(f"`{name}` names {what} {stray[:5]} ({len(stray)}); there are {length}.")
    return tuple(members)


def _pairs(values: Any, length: int) -> NDArray[np.int64]:  # noqa: ANN401  any array of pairs
    pairs = np.array(values, dtype=np.int64).reshape(-1, 2)
    if pairs.size and (pairs.min() < 0 or pairs.max() >= length or np.any(pairs[:, 0] == pairs[:, 1])):
        raise InputError(f"`conflicts` must hold pairs of two different rows below {length}.")
    return np.unique(np.sort(pairs, axis=1), axis=0)
