"""Most people covered, proven by dividing: every part of the plans is bounded by prices until none can be better.

A part is divided at a demand column, covered or not (after Ryan and Foster 1981): in the plane many sites do nearly the
same, so that shutting one of them changes nothing, whereas nobody near a point may be served, or someone must.
"""

from __future__ import annotations

import heapq
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.siting.most_covered.interior import Relaxation, bound_of
from planner.siting.most_covered.search import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.siting.deadline import Deadline
    from planner.siting.most_covered.reduce import Reduced
    from planner.siting.proof.bounds import Sides

STEPS = 200
ROOT_STEPS, LEAST_STEPS = 250, 25
ROOT_WORK = 3e8
ENOUGH = 0.3
MOST_BYTES = 1_500_000_000
LITTLE = 2e-5


@dataclass(frozen=True, eq=False)
class Arrays:
    """A reduced problem as the compiled loops read it.

    Attributes
    ----------
    whole : sites x columns and columns x sites, people a column.
    rules : by rule: first, site, coefficient, upper; without the count of sites when `n_pick` stands for it.
    n_pick : most sites to open.
    count : number of the rule that `n_pick` stands for, -1 = none.
    """

    whole: tuple[Any, ...]
    rules: tuple[Any, ...]
    n_pick: int
    count: int

    @property
    def relation(self) -> tuple[Any, ...]:
        """Sites x columns and people a column."""
        return self.whole[0], self.whole[1], self.whole[4]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the plans, and the prices that its parent ended with.

    Attributes
    ----------
    state : a site: free, open or shut, [n].
    must : columns that have to be covered.
    x, price, rule_price : fractions, prices of columns and of rules, those of `must` last.
    """

    state: NDArray[np.int8]
    must: NDArray[np.int64]
    x: NDArray[np.float32]
    price: NDArray[np.float32]
    rule_price: NDArray[np.float64]


def arrays_of(reduced: Reduced, sides: Sides) -> Arrays:
    """Return the arrays of a reduced problem."""
    covers, columns = reduced.covers, reduced.covers.tocsc()
    columns.sort_indices()
    n = covers.shape[0]
    matrix = sides.matrix
    is_count = [
        bool(matrix.indptr[rule + 1] - matrix.indptr[rule] == n and sides.upper[rule] >= 0)
        and bool((matrix.data[matrix.indptr[rule] : matrix.indptr[rule + 1]] == 1).all())
        for rule in range(matrix.shape[0])
    ]
    count = int(np.flatnonzero(is_count)[0]) if any(is_count) else -1
    others = np.setdiff1d(np.arange(matrix.shape[0]), [count])
    rest = matrix[others]
    whole = (
        covers.indptr.astype(np.int64),
        covers.indices.astype(np.int32),
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int32),
        reduced.weights.astype(np.float64),
    )
    rules = (
        rest.indptr.astype(np.int64),
        rest.indices.astype(np.int64),
        rest.data.astype(np.float64),
        sides.upper[others].astype(np.float64),
    )
    return Arrays(whole, rules, min(n, round(sides.upper[count])) if count >= 0 else n, count)


def near_relaxation(
    reduced: Reduced, sides: Sides, goal: float, is_late: Callable[[], bool], start: Relaxation | None = None
) -> Relaxation:
    """Return the relaxation within a small share of the gap down to `goal`, or as near as it is when `is_late()`.

    It goes on from `start`, an earlier answer for the same sites.
    """
    from planner.siting.most_covered.branch_kernels import approach

    arrays = arrays_of(reduced, sides)
    n, n_rules = reduced.rows.size, sides.upper.size
    x = np.full(n, min(1.0, arrays.n_pick / max(1, n)))
    price, rule_price = 0.5 * reduced.weights, np.zeros(arrays.rules[3].size)
    if start is not None:
        others = np.setdiff1d(np.arange(n_rules), [arrays.count])
        x, price, rule_price = start.x.copy(), start.demand.copy(), start.rules[others]
    # The clock is read between calls, each of some seconds at most.
    n_steps = float(np.clip(ROOT_WORK / max(1, reduced.covers.nnz), LEAST_STEPS, ROOT_STEPS))
    limits = np.array([n_steps, goal, 0.02])
    before = np.inf
    while True:
        bound, most = approach(arrays.relation, arrays.rules, arrays.n_pick, x, price, rule_price, limits)
        is_close = bound - most <= limits[2] * (bound - goal) or bound < goal
        if is_close or is_late() or before - bound <= LITTLE * n_steps / ROOT_STEPS * abs(bound):
            break
        before = bound
    named = np.zeros(n_rules)
    named[np.setdiff1d(np.arange(n_rules), [arrays.count])] = rule_price
    if arrays.count >= 0:
        net = np.sort(reduced.covers @ price - sides.matrix.T @ named)
        named[arrays.count] = max(0.0, net[-arrays.n_pick]) if 0 < arrays.n_pick <= net.size else max(0.0, net[-1])
    proven = bound_of(reduced.covers.astype(np.float64), reduced.weights, sides, price, named)
    return Relaxation(x, price, named, proven)


def whole_part(arrays: Arrays, start: Relaxation) -> Part:
    """Return all plans, with the prices of the relaxation."""
    others = np.setdiff1d(np.arange(start.rules.size), [arrays.count])
    return Part(
        np.zeros(start.x.size, np.int8),
        np.zeros(0, dtype=np.int64),
        start.x.astype(np.float32),
        start.demand.astype(np.float32),
        start.rules[others],
    )


class Tree:
    """The parts that are still open, best bound first.

    `offer(plan)` hears rounded fractions and returns the best value that is known; `room` is how much more than that a
    better plan has at least.
    """

    def __init__(self, arrays: Arrays, offer: Callable[[NDArray[np.bool_]], float], room: float) -> None:
        self.arrays, self.offer, self.room = arrays, offer, room
        self.heap: list[tuple[float, int, Part]] = []
        self.n_made = 0
        self.n_visited = 0

    def run(
        self,
        value: float,
        deadline: Deadline,
        max_nodes: int | None = None,
        is_enough: Callable[[float], bool] = lambda _: False,
        at_once: int = AT_ONCE,
    ) -> float:
        """Return the bound when all parts are settled, `is_enough(bound)`, or time, nodes or memory run out.

        `at_once` parts are visited at once, whatever the number of cores, so that every machine does the same. Where it
        ended early, it goes on from there when it is run again.

        Parameters
        ----------
        value : of the best plan that is known.
        """
        if not self.heap:
            return value
        n, m = self.arrays.whole[0].size - 1, self.arrays.whole[4].size
        most_open = max(100, MOST_BYTES // (5 * (n + m) + 1))
        with ThreadPoolExecutor(at_once) as pool:
            while self.heap and deadline.left_s > 0 and len(self.heap) < most_open:
                bound = max(value, -self.heap[0][0])
                if is_enough(bound) or (max_nodes is not None and self.n_visited >= max_nodes):
                    return bound
                taken = [heapq.heappop(self.heap) for _ in range(min(at_once, len(self.heap)))]
                goal = value + self.room
                visit = map if len(taken) == 1 else pool.map
                answers = list(visit(self._visit, [part for _, _, part in taken], [goal] * len(taken)))
                for (before, _, part), answer in zip(taken, answers, strict=True):
                    value = max(value, self._settle(-before, part, answer, goal))
                deadline.report(value, bound)
        return max(value, -self.heap[0][0]) if self.heap else value

    def add(self, part: Part, bound: float) -> None:
        """Keep a part that is to be divided, and a bound on it."""
        self.n_made += 1
        heapq.heappush(self.heap, (-bound, self.n_made, part))

    def _visit(self, part: Part, goal: float) -> tuple[float, int, int, tuple[Any, ...], NDArray[np.bool_]]:
        from planner.siting.most_covered.branch_kernels import visit

        node = (
            part.state.copy(),
            part.must,
            part.x.astype(np.float64),
            part.price.astype(np.float64),
            part.rule_price.copy(),
        )
        plan = np.zeros(part.state.size, dtype=bool)
        limits = np.array([STEPS, goal, ENOUGH])
        bound, column, site = visit(self.arrays.whole, self.arrays.rules, self.arrays.n_pick, node, limits, plan)
        return bound, column, site, node, plan

    def _settle(self, before: float, part: Part, answer: tuple[Any, ...], goal: float) -> float:
        """Offer the plan and divide the part unless it holds nothing better; returns the best value known."""
        bound, column, site, node, plan = answer
        bound = min(before, bound)
        self.n_visited += 1
        if bound == -np.inf:
            return bound
        value = self.offer(plan)
        if bound < goal:
            return value
        state, _, x, price, rule_price = node
        kept = Part(state, part.must, x.astype(np.float32), price.astype(np.float32), rule_price)
        if column >= 0:
            self._divide_column(kept, bound, column)
        elif site >= 0:
            self._divide_site(kept, bound, site)
        elif (state != part.state).any():
            # All that was free is settled now: what that is worth is still to be seen.
            self.add(kept, bound)
        return value

    def _divide_column(self, part: Part, bound: float, column: int) -> None:
        _, _, start, site, _ = self.arrays.whole
        sites = site[start[column] : start[column + 1]]
        shut = part.state.copy()
        shut[sites[part.state[sites] == 0]] = 2
        if (part.state[sites] == 1).any():
            self.add(part, bound)
            return
        self.add(Part(shut, part.must, part.x, part.price, part.rule_price), bound)
        if (part.state[sites] == 0).any():
            must = np.append(part.must, column)
            self.add(Part(part.state, must, part.x, part.price, np.append(part.rule_price, 0.0)), bound)

    def _divide_site(self, part: Part, bound: float, site: int) -> None:
        for value in (2, 1):
            state = part.state.copy()
            state[site] = value
            self.add(Part(state, part.must, part.x, part.price, part.rule_price), bound)
