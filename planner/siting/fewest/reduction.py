"""Smaller set covering instances with the same best plans: what a site or a row adds nothing to is taken out.

Reductions after Beasley (1987) and Caprara, Toth and Fischetti (2000): equal rows are merged, a row that is covered
whenever another one is goes, a site that another one replaces at no more cost goes, the only site of a row is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from planner.siting.fewest.kernels import Lists
    from planner.siting.fewest.question import Question

MAX_ROUNDS = 12
MAX_WORK = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Instance:
    """A covering instance that is left, and how it lies in the one that was asked.

    Attributes
    ----------
    relation : sites x rows, each stored entry = covers, sorted, [n, m].
    costs : of the sites, positive, [n].
    weights : of the rows, positive, [m].
    sites, rows : their numbers in the instance that was asked, [n] and [m].
    group : for each row that was asked its row here, -1 = none, [n_rows asked].
    opened, pins : sites opened by the reductions and, for each, a row that only this site was left to cover (-1: it was
        opened because it costs nothing).
    """

    relation: sparse.csr_matrix
    costs: NDArray[np.float64]
    weights: NDArray[np.float64]
    sites: NDArray[np.int64]
    rows: NDArray[np.int64]
    group: NDArray[np.int64]
    opened: NDArray[np.int64]
    pins: NDArray[np.int64]

    def lists(self) -> Lists:
        """The relation both ways, as the compiled loops read it."""
        from planner.siting.fewest.kernels import Lists

        turned = self.relation.T.tocsr()
        turned.sort_indices()
        return Lists(
            self.relation.indptr.astype(np.int64),
            self.relation.indices.astype(np.int32),
            turned.indptr.astype(np.int64),
            turned.indices.astype(np.int32),
        )

    def keep(self, is_site_kept: NDArray[np.bool_], is_row_kept: NDArray[np.bool_]) -> Instance:
        """The instance with these sites and rows only."""
        renumber = np.full(self.rows.size + 1, -1, dtype=np.int64)
        renumber[:-1][is_row_kept] = np.arange(int(is_row_kept.sum()))
        relation = self.relation[is_site_kept][:, is_row_kept]
        relation.sort_indices()
        return Instance(
            relation,
            self.costs[is_site_kept],
            self.weights[is_row_kept],
            self.sites[is_site_kept],
            self.rows[is_row_kept],
            renumber[self.group],
            self.opened,
            self.pins,
        )

    def open(self, sites: NDArray[np.int64], pins: NDArray[np.int64]) -> Instance:
        """The instance once these sites are open, for the rows `pins` (both by their numbers here)."""
        is_covered = np.zeros(self.rows.size, dtype=bool)
        is_covered[self.relation[sites].indices] = True
        is_left = np.ones(self.sites.size, dtype=bool)
        is_left[sites] = False
        left = self.keep(is_left, ~is_covered)
        return Instance(
            left.relation,
            left.costs,
            left.weights,
            left.sites,
            left.rows,
            left.group,
            np.concatenate([self.opened, self.sites[sites]]),
            np.concatenate([self.pins, np.append(self.rows, -1)[pins]]),
        )

    def spread_full(self, duals: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers of the rows that were asked, from those of the rows here, for full cover.

        A dropped row has none; a pin carries the cost of the site it opened, every other site over it costs no less.
        """
        out = np.zeros(self.group.size, dtype=np.float64)
        out[self.rows] = duals
        is_pinned = self.pins >= 0
        out[self.pins[is_pinned]] = costs[self.opened[is_pinned]]
        return out

    def spread_share(self, duals: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers of the rows that were asked, for partial cover: a merged row's is shared out by weight."""
        out = np.zeros(self.group.size, dtype=np.float64)
        held = self.group >= 0
        out[held] = duals[self.group[held]] * weights[held] / self.weights[self.group[held]]
        return out


def whole_instance(covers: sparse.csr_matrix, costs: NDArray[np.float64], weights: NDArray[np.float64]) -> Instance:
    """The instance with everything that was asked in it."""
    nothing = np.zeros(0, dtype=np.int64)
    n_sites, n_rows = covers.shape
    rows = np.arange(n_rows)
    return Instance(covers, costs, weights, np.arange(n_sites), rows, rows.copy(), nothing, nothing)


def free_instance(question: Question) -> Instance:
    """Return what is left to decide: free sites, and rows with a weight that no sure site covers."""
    is_free = ~question.is_sure & ~question.is_shut
    is_open_row = (question.weights > 0) & ~question.covered(question.is_sure)
    instance = whole_instance(question.covers, question.costs, question.weights).keep(is_free, is_open_row)
    gifts = np.flatnonzero(instance.costs == 0)
    return instance.open(gifts, np.full(gifts.size, -1, dtype=np.int64)) if gifts.size else instance


def reduce_instance(instance: Instance, *, is_full: bool) -> Instance:
    """The instance without what no best plan needs; for partial cover only equal rows and replaceable sites go."""
    instance = _merge_rows(instance)
    for _ in range(MAX_ROUNDS if is_full else 2):
        before = instance.relation.shape
        if is_full:
            instance = _drop_rows(instance)
        instance = _drop_sites(instance)
        if is_full:
            instance = _open_only_sites(instance)
        if instance.relation.shape == before or 0 in instance.relation.shape:
            break
        instance = _merge_rows(instance)
    return instance


def _merge_rows(instance: Instance) -> Instance:
    """Equal rows become one with the sum of their weights; rows that no site covers go."""
    from planner.siting.fewest.kernels import list_hashes, merge_equal

    lists = instance.lists()
    keys = np.random.default_rng(0).integers(1, 2**63, instance.sites.size, dtype=np.int64).astype(np.uint64)
    hashes = list_hashes(lists.row_first, lists.row_sites, keys)
    order = np.lexsort((np.arange(hashes.size), hashes))
    first = np.empty(hashes.size, dtype=np.int64)
    merge_equal(lists.row_first, lists.row_sites, order, hashes, first)
    is_kept = (first == np.arange(first.size)) & (np.diff(lists.row_first) > 0)
    if is_kept.all():
        return instance
    weights = np.bincount(first, weights=instance.weights, minlength=first.size).astype(np.float64)
    held = instance.group >= 0
    group = instance.group.copy()
    group[held] = first[group[held]]
    merged = Instance(
        instance.relation,
        instance.costs,
        weights,
        instance.sites,
        instance.rows,
        group,
        instance.opened,
        instance.pins,
    )
    return merged.keep(np.ones(instance.sites.size, dtype=bool), is_kept)


def _drop_rows(instance: Instance) -> Instance:
    from planner.siting.fewest.kernels import dominated_rows

    lists = instance.lists()
    order = np.argsort(np.diff(lists.row_first), kind="stable")
    is_dropped = dominated_rows(*lists, order, MAX_WORK)
    return instance.keep(np.ones(instance.sites.size, dtype=bool), ~is_dropped) if is_dropped.any() else instance


def _drop_sites(instance: Instance) -> Instance:
    from planner.siting.fewest.kernels import dominated_sites

    lists = instance.lists()
    by = dominated_sites(*lists, instance.costs, MAX_WORK)
    is_kept = (by < 0) & (np.diff(lists.site_first) > 0)
    return instance if is_kept.all() else instance.keep(is_kept, np.ones(instance.rows.size, dtype=bool))


def _open_only_sites(instance: Instance) -> Instance:
    turned = instance.relation.T.tocsr()
    pins = np.flatnonzero(np.diff(turned.indptr) == 1)
    if not pins.size:
        return instance
    sites, at = np.unique(turned.indices[turned.indptr[pins]], return_index=True)
    return instance.open(sites.astype(np.int64), pins[at])
