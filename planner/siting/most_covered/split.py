"""Sites that fall into blocks which share few columns: which sites are decided together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL_FRACTION = 1e-3


@dataclass(frozen=True, eq=False)
class Block:
    """Sites that are decided together, and the columns that they reach.

    Attributes
    ----------
    sites, columns : their numbers in the reduced problem, rising, [n] and [m].
    covers : boolean, [n, m].
    lists : the same both ways, as the compiled loops read it.
    shared : which columns other blocks reach too, [m].
    """

    sites: NDArray[np.int64]
    columns: NDArray[np.int64]
    covers: NDArray[np.bool_]
    lists: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]
    shared: NDArray[np.bool_]


def split(
    covers: sparse.csr_matrix, price: NDArray[np.float64], x: NDArray[np.float64], most: float
) -> NDArray[np.int64]:
    """Return the block of each site, [n]: pairs that share dearest for their size are joined, up to `most` places."""
    relation = covers.astype(np.float64)
    mass = x + SMALL_FRACTION
    root = np.sqrt(mass)
    tie = (relation.multiply(price[None, :]).tocsr() @ relation.T).toarray() * np.outer(root, root)
    np.fill_diagonal(tie, 0.0)
    group = np.arange(mass.size)

    def best_of(one: int) -> None:
        score = np.where(mass[one] + mass <= most, tie[one] / (mass[one] * mass), 0.0)
        partner[one] = int(score.argmax())
        worth[one] = score[partner[one]]

    partner, worth = np.zeros(mass.size, dtype=np.int64), np.zeros(mass.size)
    for site in range(mass.size):
        best_of(site)
    while True:
        one = int(worth.argmax())
        two = int(partner[one])
        if worth[one] <= 0.0:
            break
        tie[one] += tie[two]
        tie[one, one], tie[two] = 0.0, 0.0
        tie[:, one], tie[:, two] = tie[one], 0.0
        mass[one] += mass[two]
        group[group == two] = one
        worth[two] = 0.0
        # The joined pair is worth less a place than the dearer of the two: who wished for either looks again.
        for site in np.flatnonzero(((partner == one) | (partner == two)) & (worth > 0.0)).tolist():
            best_of(site)
        best_of(one)
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def blocks_of(covers: sparse.csr_matrix, block: NDArray[np.int64]) -> list[Block]:
    """Return the blocks, given the number of each site's."""
    n_blocks = int(block.max()) + 1
    belongs = sparse.csr_matrix((np.ones(block.size), (block, np.arange(block.size))), shape=(n_blocks, block.size))
    is_shared = np.asarray(((belongs @ covers.astype(np.float64)) > 0).sum(axis=0)).ravel() > 1
    return [block_of(covers, np.flatnonzero(block == number), is_shared) for number in range(n_blocks)]


def block_of(covers: sparse.csr_matrix, sites: NDArray[np.int64], is_shared: NDArray[np.bool_]) -> Block:
    """Return the block of some sites, given which columns others reach too."""
    own = covers[sites]
    columns = np.unique(own.indices).astype(np.int64)
    own = own[:, columns].tocsr()
    own.sort_indices()
    turned = own.tocsc()
    turned.sort_indices()
    lists = (
        own.indptr.astype(np.int64),
        own.indices.astype(np.int32),
        turned.indptr.astype(np.int64),
        turned.indices.astype(np.int32),
    )
    return Block(sites, columns, own.toarray().astype(bool), lists, is_shared[columns])
