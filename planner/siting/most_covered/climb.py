"""Most people covered: reduce, search, bound by prices, hold fixed what the prices settle, reduce again, branch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import CancelledError
from planner.siting.deadline import Deadline
from planner.siting.most_covered.blocks import Blocks, may_be_split
from planner.siting.most_covered.branch import Tree, arrays_of, near_relaxation, whole_part
from planner.siting.most_covered.interior import Relaxation, relaxation
from planner.siting.most_covered.reduce import Reduced, narrowed, reduce_cover
from planner.siting.most_covered.search import (
    LEAST_FRACTION,
    Exchange,
    compile_kernels,
    exchange_of,
    first_plan,
    improved,
    mixed,
    opened_in_order,
)
from planner.siting.outcome import Outcome
from planner.siting.programs.mip import Limits, solve_model
from planner.siting.programs.models import cover_model
from planner.siting.proof.bounds import Prices, Sides, cover_certificate, relaxed_duals, sides_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from planner.progress import Progress
    from planner.siting.problem import SitingProblem
    from planner.siting.proof.certificate import Certificate, Leaf
    from planner.siting.rules import Rules
    from planner.siting.solution import Ask

SMALL = 3_000
INTERIOR_SITES = 400
MARGIN = 1e-7
ROOM = 1e-4
SEARCH_EVERY = 64
MIXING_SHARE = 0.15
BLOCKS_MIXING_SHARE, BLOCKS_SEARCH_SHARE = 0.03, 0.02
MOST_MIXED = 1_500
MOST_ROUNDS = 4
WIDE = 3_000_000
PRICES_SHARE = 0.4
WIDE_PRICES_SHARE, WIDE_MIXING_SHARE, WIDE_SEARCH_SHARE = 0.5, 0.25, 0.4


def most_covered(problem: SitingProblem, ask: Ask, rules: Rules, progress: Progress) -> Outcome:
    """Return the plan that covers most people (`backup-cover`: that covers most people twice)."""
    deadline = Deadline(ask.time_limit_s, progress)
    reduced = reduce_cover(problem, rules, needed=1 if ask.objective == "max-cover" else 2)
    if ask.objective == "backup-cover" or reduced.covers.nnz <= SMALL:
        return _by_model(problem, ask, rules, reduced, deadline)
    left_s = deadline.left_s
    compile_kernels()
    return _Climb(problem, ask, Deadline(left_s, progress)).run(rules, reduced)


def _by_model(problem: SitingProblem, ask: Ask, rules: Rules, reduced: Reduced, deadline: Deadline) -> Outcome:
    model = cover_model(reduced, sides_of(rules, reduced.rows))
    duals = relaxed_duals(model, deadline.left_s)
    certificate = None
    if duals is not None:
        prices = Prices(duals[: model.first_side], duals[model.first_side :])
        certificate = cover_certificate(problem, rules, reduced, prices)
    limits = Limits(max(0.1, deadline.left_s), ask.gap_share, ask.max_nodes)
    answer = solve_model(model, limits, None, deadline.progress)
    if answer.x is None:
        return Outcome(None, answer.status, math.nan, None)
    is_open = rules.lowest.astype(bool)
    is_open[reduced.rows[answer.x[: reduced.rows.size] > 0.5]] = True  # noqa: PLR2004  0 or 1
    status = "cancelled" if answer.status == "cancelled" else "done"
    return Outcome(is_open, status, reduced.base_value - answer.bound, certificate)


def _plain_prices(stage: _Stage) -> Prices:
    """Return prices that prove some bound at once: half of everybody, and the worth of the last site that is opened."""
    demand = 0.5 * stage.reduced.weights
    rules = np.zeros(len(stage.rules.names))
    count = [number for number, name in enumerate(stage.rules.names) if name[0] == "count"]
    n_open = round(stage.sides.upper[count[0]]) if count else 0
    if 0 < n_open <= stage.reduced.rows.size:
        rules[count[0]] = np.sort(stage.reduced.covers @ demand)[-n_open]
    return Prices(demand, rules)


@dataclass
class _Stage:
    """What is left to decide, and the rules with what is held fixed."""

    rules: Rules
    reduced: Reduced
    sides: Sides
    relaxed: Relaxation | None = None

    @property
    def is_wide(self) -> bool:
        """Whether there are so many pairs that dividing is hopeless: the time goes to prices and plans by turns."""
        return self.reduced.covers.nnz > WIDE

    @cached_property
    def turned(self) -> Exchange:
        """What the search reads, without costs: turning a large relation takes a second."""
        return exchange_of(self.reduced, self.sides, np.zeros(self.reduced.rows.size))


class _Climb:
    """One run: the best plan, the best prices and what they hold fixed, all of the original problem."""

    def __init__(self, problem: SitingProblem, ask: Ask, deadline: Deadline) -> None:
        self.problem, self.ask, self.deadline = problem, ask, deadline
        self.value = -math.inf
        self.bound = math.inf
        self.is_open: NDArray[np.bool_] | None = None
        self.fixings: list[Leaf] = []
        self.proof: tuple[float, Certificate, int] | None = None
        self.dropped = np.zeros((0, 2), dtype=np.int64)
        self.relaxed: Relaxation | None = None
        self.n_offers = 0
        self.n_mixed = 0
        # What was known before plans were mixed last: where that found nothing better, it is not done again.
        self.mixed_value = -math.inf
        self.is_whole = bool(np.all(problem.weights == np.floor(problem.weights)))

    def run(self, rules: Rules, reduced: Reduced) -> Outcome:
        """Return the outcome of all steps, or of those done when the user cancels."""
        self.dropped = reduced.dropped
        stage = _Stage(rules, reduced, sides_of(rules, reduced.rows))
        claim, status = math.nan, "done"
        try:
            if not self._first_plan(stage):
                return _by_model(self.problem, self.ask, rules, reduced, self.deadline)
            stage = self._narrowed(stage)
            claim = self._branch(stage)
        except CancelledError:
            status = "cancelled"
        certificate = None
        if self.proof is not None:
            _, best, n_fixings = self.proof
            certificate = replace(best, dropped=self.dropped, fixings=tuple(self.fixings[:n_fixings]))
        return Outcome(self.is_open, status, claim, certificate)

    def is_settled(self) -> bool:
        """Whether the bound is the value, or near enough."""
        room = 1.0 - MARGIN if self.is_whole else MARGIN * max(1.0, abs(self.value))
        return self.bound - self.value < max(room, self.ask.gap_share * abs(self.value))

    def _report(self) -> None:
        self.deadline.report(self.value, self.bound)

    def _first_plan(self, stage: _Stage) -> bool:
        start = first_plan(stage.sides, stage.reduced.rows.size, self.deadline.left_s)
        if start is None:
            return False
        # Of very many sites the relaxation soon leads to better plans than a search from nothing.
        self._search(stage, start, 0 if stage.is_wide else 25, 0.12)
        self._prove(stage, _plain_prices(stage))
        return True

    def _search(self, stage: _Stage, start: NDArray[np.bool_], n_batches: int, share: float) -> None:
        reduced = stage.reduced
        exchange = replace(stage.turned, costs=self.problem.cost_of[reduced.rows])
        value, plan = improved(exchange, start, n_batches, self.deadline, share)
        self._offer(stage, value + reduced.base_value, plan)
        self._report()

    def _offer(self, stage: _Stage, value: float, plan: NDArray[np.bool_]) -> None:
        if value > self.value:
            self.value = value
            self.is_open = stage.rules.lowest.astype(bool)
            self.is_open[stage.reduced.rows[plan]] = True

    def _own(self, stage: _Stage) -> NDArray[np.bool_]:
        """The best plan as a plan of the stage; what is held fixed is always part of it."""
        assert self.is_open is not None  # noqa: S101  a first plan was found
        return self.is_open[stage.reduced.rows]

    def _narrowed(self, stage: _Stage) -> _Stage:
        """Solve the relaxation, search among what it opens, hold fixed what it settles; again while that helps."""
        n_rounds = 0
        while stage.reduced.rows.size and not self.is_settled():
            reduced = stage.reduced
            self.relaxed = self._relaxation(stage)
            if self.relaxed is None:
                break
            before = self.value, self.bound
            self.bound = min(self.bound, self.relaxed.bound + reduced.base_value)
            self._search_near(stage, self.relaxed.x)
            after = self._fixed(stage, Prices(self.relaxed.demand, self.relaxed.rules))
            is_smaller = after.reduced.rows.size < 0.9 * reduced.rows.size
            is_better = self.value > before[0] or (stage.is_wide and self.bound < before[1])
            is_late = self.deadline.left_s <= (0.0 if stage.is_wide else 0.5 * self.ask.time_limit_s)
            n_rounds += not stage.is_wide
            stage = after
            if n_rounds == MOST_ROUNDS or (not is_smaller and (is_late or not is_better)):
                break
        return stage

    def _relaxation(self, stage: _Stage) -> Relaxation | None:
        reduced = stage.reduced
        clock = self.deadline.share(WIDE_PRICES_SHARE if stage.is_wide else PRICES_SHARE)

        def is_late() -> bool:
            return clock.left_s <= 0

        if reduced.rows.size <= INTERIOR_SITES:
            return relaxation(reduced.covers, reduced.weights, stage.sides, is_late)
        goal = self.value - reduced.base_value
        stage.relaxed = near_relaxation(reduced, stage.sides, goal, is_late, stage.relaxed)
        return stage.relaxed

    def _search_near(self, stage: _Stage, x: NDArray[np.float64]) -> None:
        """Search from the plan that opens the largest fractions, from the best plan, and from mixtures."""
        if self.deadline.left_s <= 0:
            return
        if not (stage.sides.upper >= 0).all():
            self._search(stage, self._own(stage), 12, 0.08)
            return
        order = np.argsort(-x, kind="stable")
        rounded = opened_in_order(stage.sides, order[x[order] > LEAST_FRACTION])
        if stage.is_wide:
            # What a local search among all ends with keeps mixtures from getting going: only the first has none of it.
            start = rounded if self.n_mixed == 0 else self._own(stage)
            self._search(stage, self._mixed(stage, x, start, WIDE_MIXING_SHARE), 8, WIDE_SEARCH_SHARE)
            return
        self._search(stage, rounded, 8, 0.05)
        if not self.is_settled() and self.value > self.mixed_value:
            self._mixed(stage, x, self._own(stage), MIXING_SHARE)
            self._search(stage, self._own(stage), 8, 0.05)

    def _mixed(
        self, stage: _Stage, x: NDArray[np.float64], start: NDArray[np.bool_], share: float
    ) -> NDArray[np.bool_]:
        """Search from mixtures of `start` and other plans, among the sites that it or the relaxation opens."""
        least = max(LEAST_FRACTION, float(np.sort(x)[-min(MOST_MIXED, x.size)]))
        sites = np.flatnonzero((x >= least) | start)
        reduced = replace(stage.reduced, rows=stage.reduced.rows[sites], covers=stage.reduced.covers[sites])
        part = _Stage(stage.rules, reduced, sides_of(stage.rules, reduced.rows))
        exchange = exchange_of(reduced, part.sides, self.problem.cost_of[reduced.rows])
        value, plan = mixed(exchange, part.sides, x[sites], start[sites], self.deadline.share(share))
        self.n_mixed += 1
        self.mixed_value = self.value
        self._offer(part, value + reduced.base_value, plan)
        self._report()
        found = np.zeros(x.size, dtype=bool)
        found[sites[plan]] = True
        return found

    def _prove(self, stage: _Stage, prices: Prices) -> tuple[float, NDArray[np.float64]]:
        """Keep the certificate of prices when it is the best so far; returns their bound and each site's net worth."""
        reduced, sides = stage.reduced, stage.sides
        net = reduced.covers @ prices.demand - sides.matrix.T @ prices.rules
        bound = float(np.maximum(0, reduced.weights - prices.demand).sum() + prices.rules @ sides.upper)
        bound += float(np.maximum(0, net).sum()) + reduced.base_value
        self.bound = min(self.bound, bound)
        if self.proof is None or bound < self.proof[0]:
            certificate = cover_certificate(self.problem, stage.rules, reduced, prices)
            self.proof = bound, certificate, len(self.fixings)
        return bound, net

    def _fixed(self, stage: _Stage, prices: Prices) -> _Stage:
        """Hold fixed what no better plan changes, as the prices prove, and reduce again."""
        reduced = stage.reduced
        bound, net = self._prove(stage, prices)
        own = self._own(stage)
        goal = self.value - MARGIN * max(1.0, abs(self.value))
        shut = (bound + np.minimum(0, net) < goal) & ~own
        opened = (bound - np.maximum(0, net) < goal) & own
        if not shut.any() and not opened.any():
            return stage
        leaf = cover_certificate(self.problem, stage.rules, reduced, prices).leaves[0]
        named = replace(leaf, opened=tuple(reduced.rows[opened].tolist()), shut=tuple(reduced.rows[shut].tolist()))
        self.fixings.append(named)
        lowest, highest = stage.rules.lowest.copy(), stage.rules.highest.copy()
        lowest[reduced.rows[opened]] = 1
        highest[reduced.rows[shut]] = 0
        highest[self.dropped[:, 0]] = 0
        rules = replace(stage.rules, lowest=lowest, highest=highest)
        smaller = narrowed(reduced, rules)
        self._report()
        return _Stage(rules, smaller, sides_of(rules, smaller.rows))

    def _branch(self, stage: _Stage) -> float:
        """Divide what is left until no part can hold a better plan; returns the bound of that."""
        reduced = stage.reduced
        if reduced.rows.size == 0:
            return self.value
        if self.is_settled() or self.deadline.left_s <= 0:
            return math.nan
        start = self._relaxation(stage)
        if start is None:
            return math.nan
        room = 1.0 - ROOM if self.is_whole else MARGIN * max(1.0, abs(self.value))
        self.n_offers = 0

        def offer(plan: NDArray[np.bool_]) -> float:
            self._offer_rounded(stage, plan)
            return self.value - reduced.base_value

        def is_enough(bound: float) -> bool:
            return bound + reduced.base_value - self.value <= self.ask.gap_share * abs(self.value)

        arrays = arrays_of(reduced, stage.sides)
        bound, max_nodes = start.bound, self.ask.max_nodes
        if may_be_split(arrays):
            bound, n_parts = self._by_blocks(stage, arrays.n_pick, start, room, is_enough)
            max_nodes = None if max_nodes is None else max_nodes - n_parts
        value = self.value - reduced.base_value
        if bound >= value + room and not is_enough(bound) and self.deadline.left_s > 0:
            tree = Tree(arrays, offer, room)
            tree.add(whole_part(arrays, start), bound)
            bound = min(bound, tree.run(value, self.deadline, max_nodes, is_enough))
        claim = min(bound + reduced.base_value, self.bound)
        return max(math.floor(claim + ROOM) if self.is_whole else claim, self.value)

    def _by_blocks(
        self, stage: _Stage, n_pick: int, start: Relaxation, room: float, is_enough: Callable[[float], bool]
    ) -> tuple[float, int]:
        """Return the bound that blocks of sites prove, and how many parts their branching took."""
        base = stage.reduced.base_value

        def offer(plan: NDArray[np.bool_]) -> float:
            self._search(stage, plan, 1, BLOCKS_SEARCH_SHARE)
            return self.value - base

        before = self.n_mixed

        def mix(used: NDArray[np.float64]) -> float:
            if self.n_mixed == before or self.value > self.mixed_value:
                self._mixed(stage, used / max(1.0, used.max()), self._own(stage), BLOCKS_MIXING_SHARE)
            return self.value - base

        blocks = Blocks(stage.reduced, n_pick, start, (offer, mix), room, self.ask.max_nodes)
        if len(blocks.blocks) == 1:
            return start.bound, 0
        bound = min(start.bound, blocks.near(self.value - base, self.deadline, is_enough))
        if not blocks.is_poor:
            bound = min(bound, blocks.divide(self.deadline, is_enough))
        return bound, blocks.n_parts

    def _offer_rounded(self, stage: _Stage, plan: NDArray[np.bool_]) -> None:
        """Keep a plan of the tree when it is better; now and then search from it, as the tree grows ever less often."""
        self.n_offers += 1
        if (stage.sides.matrix @ plan.astype(np.float64) > stage.sides.upper + MARGIN).any():
            return
        if self.n_offers & (self.n_offers - 1) == 0 or self.n_offers % SEARCH_EVERY == 0:
            self._search(stage, plan, 1, 0.02)
            return
        covered = (plan.astype(np.int64) @ stage.reduced.covers) > 0
        self._offer(stage, float(stage.reduced.weights[covered].sum()) + stage.reduced.base_value, plan)
