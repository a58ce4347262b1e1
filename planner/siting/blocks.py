"""Most people covered where sites fall into blocks that share few columns: each block is solved by itself.

A plan of all sites is a plan of every block, tied by the number of sites and by the columns that several blocks reach.
Such a column is worth its price to each block that covers it (Lagrangian decomposition, Guignard and Kim 1987), the
number of sites is shared out by a table of what each block can do with so many. What that leaves is divided: a column
counts for one block only, or that block does not cover it. The work of the blocks adds up instead of multiplying.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.progress import SILENT
from planner.siting.branch import Arrays, Part, Tree
from planner.siting.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.siting.interior import Relaxation
    from planner.siting.reduce import Reduced

MOST_SITES = 3_000
LEAST_PLACES, MOST_PLACES = 4.0, 12.0
SMALL_FRACTION = 1e-3
ENOUGH = 0.3
ROOM = 0.1
GROWTH = 4
NOTHING = 1e-12
FREE, SHUT = 0, 2
_NO_RULES = (np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))


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


@dataclass(eq=False)
class Search:
    """The branching of one block for a number of sites: its tree, and the best plan so far with its worth."""

    covers: NDArray[np.bool_]
    reward: NDArray[np.float64]
    plan: NDArray[np.bool_]
    value: float = 0.0
    tree: Tree | None = None

    def offer(self, plan: NDArray[np.bool_]) -> float:
        """Keep a plan that is better; returns the best worth."""
        value = float(self.reward[self.covers[plan].any(axis=0)].sum())
        if value > self.value:
            self.value, self.plan = value, plan.copy()
        return self.value


@dataclass(eq=False)
class Face:
    """What a block is asked in some part of the plans, and what is known of the answer.

    Attributes
    ----------
    reward : what covering each column is worth, [m].
    state : a site: free or shut, [n].
    most : no plan with so many sites is worth more, [n_pick + 1].
    searches : unfinished branching by number of sites.
    plans : best plan by number of sites, where it is known.
    hints : plans that may be good.
    """

    reward: NDArray[np.float64]
    state: NDArray[np.int8]
    most: NDArray[np.float64]
    searches: dict[int, Search] = field(default_factory=dict)
    plans: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    hints: tuple[NDArray[np.bool_], ...] = ()


@dataclass(frozen=True, eq=False)
class Share:
    """A part of the plans: a face a block, and the block that each shared column counts for (-1 = several)."""

    faces: tuple[Face, ...]
    owner: NDArray[np.int64]


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
    found = []
    for number in range(n_blocks):
        sites = np.flatnonzero(block == number)
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
        found.append(Block(sites, columns, own.toarray().astype(bool), lists, is_shared[columns]))
    return found


class Blocks:
    """Most people covered with at most `n_pick` sites and no other rule, block by block.

    `offer(plan)` hears plans and returns the best value that is known; `room` is how much more than that a better plan
    has at least.
    """

    def __init__(
        self, reduced: Reduced, n_pick: int, start: Relaxation, offer: Callable[[NDArray[np.bool_]], float], room: float
    ) -> None:
        self.weights, self.n_pick, self.start, self.offer, self.room = reduced.weights, n_pick, start, offer, room
        most = float(np.clip(n_pick / 4, LEAST_PLACES, MOST_PLACES))
        self.blocks = blocks_of(reduced.covers, split(reduced.covers, start.demand, start.x, most))
        shared = [block.columns[block.shared] for block in self.blocks]
        self.shared = np.unique(np.concatenate(shared))
        self.price = np.clip(start.demand[self.shared], 0.0, self.weights[self.shared])
        self.n_visited = 0
        self.value = -np.inf
        self.heap: list[tuple[float, int, Share, NDArray[np.int64]]] = []

    def run(self, value: float, deadline: Deadline, is_enough: Callable[[float], bool]) -> float:
        """Return a bound on every plan: the best value when all parts are settled, or what time leaves.

        Gives up early, with the bound so far, where blocks share so much that they bound hardly better than prices do.
        """
        self.value = value
        self._visit(self._whole(), self.start.bound, deadline)
        bound = -self.heap[0][0] if self.heap else value
        if self.start.bound - bound < ENOUGH * (self.start.bound - value):
            return bound
        while self.heap and deadline.left_s > 0:
            bound = max(self.value, -self.heap[0][0])
            if is_enough(bound):
                return bound
            before, _, part, numbers = heapq.heappop(self.heap)
            if -before >= self.value + self.room:
                for child in self._divided(part, numbers):
                    self._visit(child, -before, deadline)
            deadline.report(self.value, bound)
        return max(self.value, -self.heap[0][0]) if self.heap else self.value

    def _whole(self) -> Share:
        """All plans."""
        owner = np.full(self.shared.size, -1, dtype=np.int64)
        faces = [
            self._face(block, self._rewards(number, owner), np.zeros(block.sites.size, np.int8))
            for number, block in enumerate(self.blocks)
        ]
        return Share(tuple(faces), owner)

    def _rewards(self, number: int, owner: NDArray[np.int64]) -> NDArray[np.float64]:
        """What covering each column is worth to a block."""
        block = self.blocks[number]
        reward = self.weights[block.columns].copy()
        at = np.searchsorted(self.shared, block.columns[block.shared])
        whole = reward[block.shared]
        reward[block.shared] = np.where(owner[at] < 0, self.price[at], np.where(owner[at] == number, whole, 0.0))
        return np.maximum(reward, NOTHING)

    def _face(self, block: Block, reward: NDArray[np.float64], state: NDArray[np.int8]) -> Face:
        price = np.minimum(self.start.demand[block.columns], reward)
        worth = np.where(state == FREE, block.covers @ price, 0.0)
        highest = np.zeros(self.n_pick + 1)
        n = min(self.n_pick, worth.size)
        highest[1 : n + 1] = np.cumsum(np.sort(worth)[::-1][:n])
        highest[n + 1 :] = highest[n]
        return Face(reward, state, highest + float((reward - price).sum()))

    def _bound(self, part: Share, deadline: Deadline) -> tuple[float, NDArray[np.int64]]:
        """Return the bound of a part, and how many sites each block has at it; ends early when it is low enough.

        A block's value for a number of sites is first bounded by its relaxation, then by a few parts of its branching.
        """
        free = part.owner < 0
        constant = float((self.weights[self.shared][free] - self.price[free]).sum())
        while True:
            bound, numbers = self._shared_out(part.faces)
            bound += constant
            asked = zip(self.blocks, part.faces, numbers.tolist(), strict=True)
            unknown = [each for each in asked if each[2] not in each[1].plans]
            if bound < self.value + self.room or not unknown or deadline.left_s <= 0:
                return bound, numbers
            # All are bounded by as many parts before any is bounded by more: none holds up the others.
            spent = [_parts_of(face, number) for _, face, number in unknown]
            for (block, face, number), n_parts in zip(unknown, spent, strict=True):
                if n_parts == min(spent):
                    # A block's value that rules the part out with the others' need not be known better.
                    enough = self.value + self.room - (bound - float(face.most[number]))
                    self._solve(block, face, number, deadline, enough)

    def _shared_out(self, faces: tuple[Face, ...]) -> tuple[float, NDArray[np.int64]]:
        """Return the best sum of the blocks' values, and the number of sites of each, by a table over blocks."""
        n = self.n_pick
        total = np.full(n + 1, -np.inf)
        total[0] = 0.0
        back = np.arange(n + 1)[:, None] - np.arange(n + 1)[None, :]
        choices = []
        for face in faces:
            sums = np.where(back >= 0, total[back] + face.most[None, :], -np.inf)
            choice = sums.argmax(axis=1)
            total = sums[np.arange(n + 1), choice]
            choices.append(choice)
        at = int(total.argmax())
        bound, numbers = float(total[at]), np.zeros(len(faces), dtype=np.int64)
        for each in range(len(faces) - 1, -1, -1):
            numbers[each] = choices[each][at]
            at -= int(numbers[each])
        return bound, numbers

    def _solve(self, block: Block, face: Face, n_open: int, deadline: Deadline, enough: float) -> None:
        """Find the best plan of a block with `n_open` sites, or bound it better, or below `enough`; changes `face`."""
        if n_open == 0:
            face.most[0], face.plans[0] = 0.0, np.zeros(block.sites.size, dtype=bool)
            return
        room = ROOM * self.room / len(self.blocks)
        search = face.searches.get(n_open) or self._search(block, face, n_open, room)
        face.searches[n_open] = search
        tree = search.tree
        assert tree is not None  # noqa: S101  every search is given one
        n_parts = max(1, (GROWTH - 1) * tree.n_visited)
        clock = Deadline(deadline.left_s, SILENT)
        bound = tree.run(search.value, clock, tree.n_visited + n_parts, lambda bound: bound + room < enough) + room
        face.most[n_open] = min(face.most[n_open], bound)
        if not tree.heap or deadline.left_s <= 0:
            face.plans[n_open] = search.plan
            del face.searches[n_open]

    def _search(self, block: Block, face: Face, n_open: int, room: float) -> Search:
        search = Search(block.covers, face.reward, np.zeros(block.sites.size, dtype=bool))
        for known in (*face.hints, *face.plans.values()):
            if known.sum() <= n_open and (face.state[known] == FREE).all():
                search.offer(known)
        search.tree = Tree(Arrays((*block.lists, face.reward), _NO_RULES, n_open, -1), search.offer, room)
        price = np.minimum(self.start.demand[block.columns], face.reward)
        none, x = np.zeros(0, dtype=np.int64), self.start.x[block.sites]
        first = Part(face.state, none, x.astype(np.float32), price.astype(np.float32), np.zeros(0))
        search.tree.add(first, float(face.most[n_open]))
        return search

    def _times(self, part: Share, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """By how many blocks each shared column is covered."""
        times = np.zeros(self.shared.size, dtype=np.int64)
        for block, face, number in zip(self.blocks, part.faces, numbers.tolist(), strict=True):
            covered = block.covers[face.plans[number]].any(axis=0) & block.shared
            times[np.searchsorted(self.shared, block.columns[covered])] += 1
        return times

    def _offer(self, part: Share, numbers: NDArray[np.int64]) -> None:
        plan = np.zeros(self.start.x.size, dtype=bool)
        for block, face, number in zip(self.blocks, part.faces, numbers.tolist(), strict=True):
            plan[block.sites[face.plans[number]]] = True
        self.value = max(self.value, self.offer(plan))

    def _visit(self, part: Share, before: float, deadline: Deadline) -> None:
        """Bound a part, offer its plan, and keep it to be divided when it may hold a better one."""
        self.n_visited += 1
        bound, numbers = self._bound(part, deadline)
        bound = min(bound, before)
        if bound < self.value + self.room:
            return
        if deadline.left_s > 0:
            self._offer(part, numbers)
        if bound >= self.value + self.room:
            heapq.heappush(self.heap, (-bound, self.n_visited, part, numbers))

    def _divided(self, part: Share, numbers: NDArray[np.int64]) -> list[Share]:
        """Divide a part at the shared column that is most wrongly counted."""
        times = self._times(part, numbers)
        wrong = np.where(times == 0, self.weights[self.shared] - self.price, (times - 1) * self.price)
        wrong[part.owner >= 0] = 0.0
        at = int(wrong.argmax())
        column = self.shared[at]
        reaching = []
        for number, (block, face) in enumerate(zip(self.blocks, part.faces, strict=True)):
            place = int(np.searchsorted(block.columns, column))
            if place < block.columns.size and block.columns[place] == column:
                sites = block.covers[:, place] & (face.state == FREE)
                if sites.any():
                    reaching.append((int(sites.sum()), number, sites))
        if not reaching:
            return [self._owned(part, at, 0)]
        _, owner, sites = max(reaching, key=lambda each: (each[0], -each[1]))
        parts = [self._owned(part, at, owner)]
        if len(reaching) == 1:
            return parts
        face = part.faces[owner]
        shut = face.state.copy()
        shut[sites] = SHUT
        faces = list(part.faces)
        faces[owner] = self._inherited(owner, part.owner, shut, face)
        without = Share(tuple(faces), part.owner)
        if len(reaching) == 2:  # noqa: PLR2004  it counts for the other one then
            other = next(number for _, number, _ in reaching if number != owner)
            without = self._owned(without, at, other)
        return [*parts, without]

    def _owned(self, part: Share, at: int, owner: int) -> Share:
        """The part in which a shared column counts for one block only."""
        owners = part.owner.copy()
        owners[at] = owner
        column = self.shared[at]
        faces = list(part.faces)
        for number, (block, face) in enumerate(zip(self.blocks, part.faces, strict=True)):
            place = int(np.searchsorted(block.columns, column))
            if place < block.columns.size and block.columns[place] == column:
                faces[number] = self._inherited(number, owners, face.state, face)
        return Share(tuple(faces), owners)

    def _inherited(self, number: int, owner: NDArray[np.int64], state: NDArray[np.int8], before: Face) -> Face:
        """A face with other rewards or fewer sites, bounded by what was known before."""
        reward = self._rewards(number, owner)
        face = self._face(self.blocks[number], reward, state)
        more = float(np.maximum(0.0, reward - before.reward).sum())
        face.most[:] = np.minimum(face.most, before.most + more)
        face.hints = tuple(before.plans.values())
        return face


def _parts_of(face: Face, n_open: int) -> int:
    """How many parts a block's value for a number of sites has taken so far."""
    search = face.searches.get(n_open)
    return 0 if search is None or search.tree is None else search.tree.n_visited


def may_be_split(arrays: Arrays) -> bool:
    """Whether a problem has no rule but the number of sites, and not too many of them to be put into blocks."""
    return arrays.rules[3].size == 0 and arrays.count >= 0 and arrays.whole[0].size - 1 <= MOST_SITES
