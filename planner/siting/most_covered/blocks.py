"""Most people covered where sites fall into blocks that share few columns: each block is solved by itself.

A plan of all sites is a plan of every block, tied by the number of sites and by the columns that several blocks reach.
Such a column is worth its price to each block that covers it (Lagrangian decomposition, Guignard and Kim 1987), the
number of sites is shared out by a table of what each block can do with so many. By turns the prices are moved against
what the blocks' plans get wrong (subgradient steps, Held, Wolfe and Crowder 1974; their length by Polyak 1969), and the
two blocks that disagree most become one, bounded by what is known of both. What that leaves is divided: a column counts
for one block only, or that block does not cover it. The work of the blocks adds up instead of multiplying.
"""

from __future__ import annotations

import heapq
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from planner.progress import SILENT
from planner.siting.deadline import Deadline
from planner.siting.most_covered.branch import Arrays, Part, Tree
from planner.siting.most_covered.search import AT_ONCE
from planner.siting.most_covered.split import Block, block_of, blocks_of, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.siting.most_covered.interior import Relaxation
    from planner.siting.most_covered.reduce import Reduced

MOST_SITES = 3_000
LEAST_PLACES, MOST_PLACES = 4.0, 12.0
ENOUGH = 0.1
ROOM = 0.1
NEAR = 0.1
GROWTH = 1.5
NEAR_SHARE = 0.8
STEPS, LATER_STEPS = 4, 2
ALIKE = 0.5
FIRST_LENGTH, SHORTER = 0.5, 0.7
MOST_MERGED = 30.0
MOST_HINTS = 3
EXCHANGES = 30
NOTHING = 1e-12
FREE, SHUT = 0, 2
_NO_RULES = (np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))


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
    x, price : fractions of sites and prices of columns that branching starts from, [n], [m].
    most : no plan with so many sites is worth more, [n_pick + 1].
    searches : branching by number of sites.
    hints : plans that may be good.
    """

    reward: NDArray[np.float64]
    state: NDArray[np.int8]
    x: NDArray[np.float64]
    price: NDArray[np.float64]
    most: NDArray[np.float64]
    searches: dict[int, Search] = field(default_factory=dict)
    hints: tuple[NDArray[np.bool_], ...] = ()

    def slack(self, n_open: int) -> float:
        """How much better than the plan that is known another with so many sites may be."""
        return float(self.most[n_open]) - self.searches[n_open].value if n_open in self.searches else np.inf

    def plan(self, n_open: int) -> NDArray[np.bool_]:
        """The best plan known with so many sites."""
        return self.searches[n_open].plan

    def plans(self) -> tuple[NDArray[np.bool_], ...]:
        """All plans known."""
        return tuple(search.plan for search in self.searches.values())


@dataclass(frozen=True, eq=False)
class Share:
    """A part of the plans: a face a block, and the block that each shared column counts for (-1 = several)."""

    faces: tuple[Face, ...]
    owner: NDArray[np.int64]


class Blocks:
    """Most people covered with at most `n_pick` sites and no other rule, block by block.

    `offer(plan)` hears plans, `mix(times)` how many of the plans so far opened each site; both return the best value
    that is known. `room` is how much more than that a better plan has at least; `most_parts` ends the work at so many
    parts of the blocks' branching, whatever the clock says.
    """

    def __init__(
        self,
        reduced: Reduced,
        n_pick: int,
        start: Relaxation,
        hearers: tuple[Callable[[NDArray[np.bool_]], float], Callable[[NDArray[np.float64]], float]],
        room: float,
        most_parts: int | None = None,
    ) -> None:
        self.covers, self.weights = reduced.covers, reduced.weights
        self.n_pick, self.start, self.room = n_pick, start, room
        self.offer, self.mix = hearers
        most = float(np.clip(n_pick / 4, LEAST_PLACES, MOST_PLACES))
        self.blocks = blocks_of(reduced.covers, split(reduced.covers, start.demand, start.x, most))
        shared = [block.columns[block.shared] for block in self.blocks]
        self.shared = np.unique(np.concatenate(shared))
        self.price = np.clip(start.demand[self.shared], 0.0, self.weights[self.shared])
        self.used = np.zeros(start.x.size)
        self.n_visited, self.n_parts, self.most_parts = 0, 0, np.inf if most_parts is None else most_parts
        self.length, self.is_poor = FIRST_LENGTH, False
        self.value, self.bound = -np.inf, start.bound
        self.heap: list[tuple[float, int, Share]] = []

    def near(self, value: float, deadline: Deadline, is_enough: Callable[[float], bool]) -> float:
        """Return a bound on every plan by the blocks' best plans, at prices of shared columns that make it low.

        By turns the prices move and the two blocks that count most wrongly become one. Gives up early where blocks
        share so much that they bound hardly better than the relaxation.

        Parameters
        ----------
        value : of the best plan that is known.
        """
        self.value = value
        clock = deadline.share(NEAR_SHARE)
        faces = [self._first_face(number, block) for number, block in enumerate(self.blocks)]
        part = Share(tuple(faces), np.full(self.shared.size, -1, dtype=np.int64))
        first, n_merged = self.start.bound - value, 0
        while True:
            part, bound, numbers = self._priced(part, STEPS if n_merged == 0 else LATER_STEPS, clock, is_enough)
            self.bound = min(self.bound, bound)
            if self.bound < self.value + self.room or is_enough(self.bound):
                return max(self.value, self.bound)
            self.is_poor = self.start.bound - self.bound < ENOUGH * first
            pairs = self._pairs(part, numbers)
            if self.is_poor or not pairs or self._is_over(clock):
                break
            self.value = max(self.value, self.mix(self.used))
            n_merged += len(pairs)
            # From the last on, so that the numbers of those before stay what they are.
            for one, two in sorted(pairs, key=lambda pair: -pair[1]):
                part = self._merged(part, numbers, one, two)
        self._keep(self.bound, part)
        return self.bound

    def _priced(
        self, part: Share, n_steps: int, deadline: Deadline, is_enough: Callable[[float], bool]
    ) -> tuple[Share, float, NDArray[np.int64]]:
        """Return the part at the best of some prices, its bound, and how many sites each block has at it."""
        weights = self.weights[self.shared]
        best, best_price, best_part, best_numbers = np.inf, self.price, part, np.zeros(0, dtype=np.int64)
        for step in range(n_steps + 1):
            bound, numbers = self._bound(part, deadline)
            if bound < best:
                best, best_price, best_part, best_numbers = bound, self.price, part, numbers
            elif step > 1:
                self.length *= SHORTER
            if best < self.value + self.room or is_enough(best) or self._is_over(deadline):
                break
            self._offer(part, numbers)
            deadline.report(self.value, min(best, self.bound))
            slope = self._times(part, numbers) - 1.0
            slope[((self.price <= 0) & (slope > 0)) | ((self.price >= weights) & (slope < 0))] = 0.0
            steep = float(slope @ slope)
            if steep == 0.0 or step == n_steps:
                break
            self.price = np.clip(self.price - self.length * (bound - self.value) / steep * slope, 0.0, weights)
            faces = [self._inherited(number, part.owner, face.state, face) for number, face in enumerate(part.faces)]
            part = Share(tuple(faces), part.owner)
        self.price = best_price
        return best_part, best, best_numbers

    def _pairs(self, part: Share, numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Return pairs of blocks between which much is counted wrongly, of those that are not too large together."""
        if not _is_known(part, numbers):
            return []
        reached = np.zeros((self.shared.size, len(self.blocks)))
        covered = np.zeros((self.shared.size, len(self.blocks)))
        for number, (block, face) in enumerate(zip(self.blocks, part.faces, strict=True)):
            at = np.searchsorted(self.shared, block.columns[block.shared])
            reached[at, number] = 1.0
            covered[at, number] = block.covers[face.plan(int(numbers[number]))][:, block.shared].any(axis=0)
        wrong = self._wrong(part, numbers)
        is_missed = covered.sum(axis=1) == 0
        tie = reached.T @ (reached * (wrong * is_missed)[:, None]) + covered.T @ (covered * wrong[:, None])
        np.fill_diagonal(tie, 0.0)
        mass = np.array([self.start.x[block.sites].sum() for block in self.blocks])
        tie[mass[:, None] + mass[None, :] > MOST_MERGED] = 0.0
        pairs: list[tuple[int, int]] = []
        least = ALIKE * float(tie.max())
        while tie.max() > 0.0 and tie.max() >= least:
            one, two = divmod(int(tie.argmax()), len(self.blocks))
            pairs.append((min(one, two), max(one, two)))
            for each in (one, two):
                tie[each], tie[:, each] = 0.0, 0.0
        return pairs

    def _merged(self, part: Share, numbers: NDArray[np.int64], one: int, two: int) -> Share:
        """Make two blocks one and return all plans: what was known of the two bounds what they can do together."""
        a, b = self.blocks[one], self.blocks[two]
        face_a, face_b = part.faces[one], part.faces[two]
        rest = [each for number, each in enumerate(self.blocks) if number not in {one, two}]
        is_shared = np.zeros(self.weights.size, dtype=bool)
        for each in rest:
            is_shared[each.columns] = True
        order = np.argsort(np.concatenate([a.sites, b.sites]))
        joined = block_of(self.covers, np.concatenate([a.sites, b.sites])[order], is_shared)
        both = np.intersect1d(a.columns, b.columns)
        inner = both[~is_shared[both]]
        at = np.searchsorted(self.shared, inner)
        more = float((self.weights[inner] - self.price[at]).sum())
        kept = ~np.isin(self.shared, inner)
        self.shared, self.price = self.shared[kept], self.price[kept]
        faces = list(part.faces)
        owner = part.owner[kept]
        most = np.full(self.n_pick + 1, -np.inf)
        for n in range(self.n_pick + 1):
            most[n] = (face_a.most[: n + 1] + face_b.most[n::-1]).max() + more
        self.blocks[one] = joined
        price = np.zeros(self.weights.size)
        price[a.columns] = face_a.price
        price[b.columns] += face_b.price
        x = np.concatenate([face_a.x, face_b.x])[order]
        reward = self._rewards(one, owner)
        face = self._face(joined, reward, np.zeros(order.size, np.int8), x, price[joined.columns])
        face.most[:] = np.minimum(face.most, most)
        nearest = [
            [s.plan for n, s in known.searches.items() if abs(n - numbers[number]) <= MOST_HINTS]
            for number, known in ((one, face_a), (two, face_b))
        ]
        face.hints = tuple(np.concatenate(pair)[order] for pair in product(*nearest))
        faces[one] = face
        del self.blocks[two], faces[two]
        return Share(tuple(faces), owner)

    def divide(self, deadline: Deadline, is_enough: Callable[[float], bool]) -> float:
        """Return a bound on every plan: the best value when all parts are settled, or what time leaves."""
        while self.heap and not self._is_over(deadline):
            bound = max(self.value, -self.heap[0][0])
            if is_enough(bound):
                return bound
            before, _, part = heapq.heappop(self.heap)
            if -before >= self.value + self.room:
                for child in self._divided(part, deadline):
                    self._visit(child, -before, deadline)
            self.bound = bound
            deadline.report(self.value, bound)
        return max(self.value, -self.heap[0][0]) if self.heap else self.value

    def _is_over(self, deadline: Deadline) -> bool:
        return deadline.left_s <= 0 or self.n_parts >= self.most_parts

    def _keep(self, bound: float, part: Share) -> None:
        self.n_visited += 1
        heapq.heappush(self.heap, (-bound, self.n_visited, part))

    def _first_face(self, number: int, block: Block) -> Face:
        owner = np.full(self.shared.size, -1, dtype=np.int64)
        x, price = self.start.x[block.sites], self.start.demand[block.columns]
        return self._face(block, self._rewards(number, owner), np.zeros(block.sites.size, np.int8), x, price)

    def _rewards(self, number: int, owner: NDArray[np.int64]) -> NDArray[np.float64]:
        """What covering each column is worth to a block."""
        block = self.blocks[number]
        reward = self.weights[block.columns].copy()
        at = np.searchsorted(self.shared, block.columns[block.shared])
        whole = reward[block.shared]
        reward[block.shared] = np.where(owner[at] < 0, self.price[at], np.where(owner[at] == number, whole, 0.0))
        return np.maximum(reward, NOTHING)

    def _face(
        self,
        block: Block,
        reward: NDArray[np.float64],
        state: NDArray[np.int8],
        x: NDArray[np.float64],
        price: NDArray[np.float64],
    ) -> Face:
        own = np.minimum(price, reward)
        return Face(reward, state, x, own, self._most(block, reward, state, own))

    def _most(
        self, block: Block, reward: NDArray[np.float64], state: NDArray[np.int8], price: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What the prices prove for every number of sites, [n_pick + 1]."""
        worth = np.where(state == FREE, block.covers @ price, 0.0)
        highest = np.zeros(self.n_pick + 1)
        n = min(self.n_pick, worth.size)
        highest[1 : n + 1] = np.cumsum(np.sort(worth)[::-1][:n])
        highest[n + 1 :] = highest[n]
        return highest + float((reward - price).sum())

    def _bound(self, part: Share, deadline: Deadline, near: float | None = None) -> tuple[float, NDArray[np.int64]]:
        """Return the bound of a part, and how many sites each block has at it; ends early when it is low enough.

        A block's value for a number of sites is first bounded by its relaxation, whose prices bound every other number
        too, then by its branching, until it is known to a share of the gap or another number is worth more.
        """
        free = part.owner < 0
        constant = float((self.weights[self.shared][free] - self.price[free]).sum())
        pairs = list(zip(self.blocks, part.faces, strict=True))
        unseen = [(*pair, min(self.n_pick, round(pair[1].x.sum()))) for pair in pairs if not pair[1].searches]
        self.n_parts += sum(_run([partial(self._look, *each) for each in unseen]))
        while True:
            bound, numbers, place = self._shared_out(part.faces)
            bound += constant
            asked = [(*pair, n) for pair, n in zip(pairs, numbers.tolist(), strict=True) if n not in pair[1].searches]
            if bound < self.value + self.room or self._is_over(deadline):
                return bound, numbers
            if asked:
                self.n_parts += sum(_run([partial(self._look, *each) for each in asked]))
                continue
            gap = max((NEAR if near is None else near) * (bound - self.value - self.room), ROOM * self.room) / max(
                1, int((numbers > 0).sum())
            )
            unsure = [(*pair, n) for pair, n in zip(pairs, numbers.tolist(), strict=True) if pair[1].slack(n) > gap]
            if not unsure:
                return bound, numbers
            deadline.report(self.value, self.bound)
            over = bound - self.value - self.room
            at_once = AT_ONCE if len(unsure) == 1 else 1
            self.n_parts += sum(
                _run([partial(self._solve, *each, (gap, over, place), deadline, at_once) for each in unsure])
            )

    def _shared_out(self, faces: tuple[Face, ...]) -> tuple[float, NDArray[np.int64], float]:
        """Return the best sum of the blocks' values, the number of sites of each, and what the last site adds."""
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
        place = max(0.0, bound - float(total[at - 1])) if at > 0 else 0.0
        for each in range(len(faces) - 1, -1, -1):
            numbers[each] = choices[each][at]
            at -= int(numbers[each])
        return bound, numbers, place

    def _look(self, block: Block, face: Face, n_open: int) -> int:
        """Begin the branching of a block with `n_open` sites: its relaxation bounds every number of sites.

        Returns how many parts that took.
        """
        search = Search(block.covers, face.reward, np.zeros(block.sites.size, dtype=bool))
        face.searches[n_open] = search
        if n_open == 0:
            face.most[0] = 0.0
            return 0
        for known in (*face.hints, *face.plans()):
            if known.sum() <= n_open and (face.state[known] == FREE).all():
                search.offer(known)
        room = self._room
        tree = Tree(Arrays((*block.lists, face.reward), _NO_RULES, n_open, -1), search.offer, room)
        search.tree = tree
        none = np.zeros(0, dtype=np.int64)
        first = Part(face.state, none, face.x.astype(np.float32), face.price.astype(np.float32), np.zeros(0))
        tree.add(first, float(face.most[n_open]))
        bound = tree.run(search.value, Deadline(np.inf, SILENT), 1, at_once=1) + room
        if tree.heap:
            ended = tree.heap[0][2]
            face.x, face.price = ended.x.astype(np.float64), np.minimum(ended.price.astype(np.float64), face.reward)
            face.most[:] = np.minimum(face.most, self._most(block, face.reward, face.state, face.price))
        face.most[n_open] = min(face.most[n_open], bound)
        return tree.n_visited

    @property
    def _room(self) -> float:
        """How much better a plan of a block has to be to count."""
        return ROOM * ROOM * self.room / len(self.blocks)

    def _solve(
        self,
        block: Block,
        face: Face,
        n_open: int,
        enough: tuple[float, float, float],
        deadline: Deadline,
        at_once: int,
    ) -> int:
        """Bound a block with `n_open` sites better; changes `face`, and returns how many parts that took.

        `enough` holds how near its value has to be known, by how much lower the whole part is ruled out, and what a
        site is worth elsewhere: where another number of sites may be worth more by that, that one is to be seen first.
        """
        gap, over, place = enough
        search, room = face.searches[n_open], self._room
        tree = search.tree
        assert tree is not None  # noqa: S101  only no sites at all need none
        if tree.n_visited == 1:
            # A good plan from the start spares most of the branching: what cannot beat it is settled at once.
            likely = np.zeros(block.sites.size, dtype=bool)
            likely[np.argsort(np.where(face.state == FREE, -face.x, 1.0), kind="stable")[:n_open]] = True
            likely &= face.state == FREE
            search.offer(_exchanged(block, face, n_open, likely if search.value == 0.0 else search.plan))
        others = face.most - place * np.arange(face.most.size)
        others[n_open] = -np.inf
        other, out = float(others.max()) + place * n_open, float(face.most[n_open]) - over
        least = GROWTH * tree.n_visited

        def is_enough(bound: float) -> bool:
            high = bound + room
            return high < out or high - search.value <= gap or (high < other and tree.n_visited >= least)

        clock = Deadline(deadline.left_s, SILENT)
        before = tree.n_visited
        most = None if self.most_parts == np.inf else before + int(self.most_parts) - self.n_parts
        bound = tree.run(search.value, clock, most, is_enough, at_once=at_once) + room
        face.most[n_open] = min(face.most[n_open], bound)
        return tree.n_visited - before

    def _times(self, part: Share, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """By how many blocks each shared column is covered."""
        times = np.zeros(self.shared.size, dtype=np.int64)
        for block, face, number in zip(self.blocks, part.faces, numbers.tolist(), strict=True):
            covered = block.covers[face.plan(number)].any(axis=0) & block.shared
            times[np.searchsorted(self.shared, block.columns[covered])] += 1
        return times

    def _offer(self, part: Share, numbers: NDArray[np.int64]) -> None:
        plan = np.zeros(self.start.x.size, dtype=bool)
        for block, face, number in zip(self.blocks, part.faces, numbers.tolist(), strict=True):
            plan[block.sites[face.plan(number)]] = True
        self.used += plan
        self.value = max(self.value, self.offer(plan))

    def _visit(self, part: Share, before: float, deadline: Deadline) -> None:
        """Bound a part, offer its plan, and keep it to be divided when it may hold a better one."""
        bound, numbers = self._bound(part, deadline)
        bound = min(bound, before)
        if bound < self.value + self.room:
            return
        if not self._is_over(deadline):
            self._offer(part, numbers)
        if bound >= self.value + self.room:
            self._keep(bound, part)

    def _divided(self, part: Share, deadline: Deadline) -> list[Share]:
        """Divide a part at the shared column that is most wrongly counted; none when it holds no better plan."""
        bound, numbers = self._bound(part, deadline)
        wrong = self._wrong(part, numbers)
        if not wrong.any():
            bound, numbers = self._bound(part, deadline, 0.0)
            wrong = self._wrong(part, numbers)
        if bound < self.value + self.room:
            return []
        if self._is_over(deadline):
            return [part]
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
        shut = part.faces[owner].state.copy()
        shut[sites] = SHUT
        faces = list(part.faces)
        faces[owner] = self._inherited(owner, part.owner, shut, faces[owner])
        without = Share(tuple(faces), part.owner)
        if len(reaching) == 2:  # noqa: PLR2004  it counts for the other one then
            other = next(number for _, number, _ in reaching if number != owner)
            without = self._owned(without, at, other)
        return [*parts, without]

    def _wrong(self, part: Share, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """By how much the blocks' plans count each shared column wrongly."""
        if not _is_known(part, numbers):
            return np.zeros(self.shared.size)
        times = self._times(part, numbers)
        wrong = np.where(times == 0, self.weights[self.shared] - self.price, (times - 1) * self.price)
        wrong[part.owner >= 0] = 0.0
        return wrong

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
        if np.array_equal(reward, before.reward) and np.array_equal(state, before.state):
            return before
        face = self._face(self.blocks[number], reward, state, before.x, before.price)
        more = float(np.maximum(0.0, reward - before.reward).sum())
        face.most[:] = np.minimum(face.most, before.most + more)
        face.hints = before.plans()
        return face


def _exchanged(block: Block, face: Face, n_open: int, plan: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what a local search among the free sites of a block makes of a plan."""
    from planner.siting.most_covered.kernels import exchange

    n = plan.size
    # A site that is shut weighs more than all that may be opened.
    weight = np.where(face.state == FREE, 1.0, n_open + 1.0)
    rules = np.arange(n + 1), np.zeros(n, dtype=np.int64), weight, np.array([float(n_open)])
    relation = *(each.astype(np.int64) for each in block.lists), face.reward
    found: NDArray[np.bool_] = exchange(relation, rules, np.zeros(n), plan, EXCHANGES, 1e15, 0)[1]
    return found


def _is_known(part: Share, numbers: NDArray[np.int64]) -> bool:
    """Whether each block has a plan with its number of sites."""
    return all(number in face.searches for face, number in zip(part.faces, numbers.tolist(), strict=True))


def _run(tasks: list[Callable[[], int]]) -> list[int]:
    """Do tasks, two at once, whatever the number of cores, so that every machine does the same."""
    if len(tasks) < AT_ONCE:
        return [task() for task in tasks]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda task: task(), tasks))


def may_be_split(arrays: Arrays) -> bool:
    """Whether a problem has no rule but the number of sites, and not too many of them to be put into blocks."""
    return arrays.rules[3].size == 0 and arrays.count >= 0 and arrays.whole[0].size - 1 <= MOST_SITES
