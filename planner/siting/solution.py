"""The answer of siting: a plan, how good it is at best and at worst, and why it is not another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from planner.siting.problem import MAXIMISING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.siting.problem import Objective, SitingProblem
    from planner.siting.proof.certificate import Certificate
    from planner.siting.rules import RuleName

Status = Literal["optimal", "feasible", "infeasible", "cancelled"]
CLOSE = 1e-7


@dataclass(frozen=True)
class Ask:
    """What a solution answers: the objective, its limits and when to stop.

    Attributes
    ----------
    objective : one of `OBJECTIVES`.
    n_new : most new sites; budget : most cost; None = no such limit.
    cover_share : share of the coverable people to cover (`min-sites`), 0 to 1.
    time_limit_s : seconds; gap_share : a gap that is good enough; max_nodes : branching nodes, the same everywhere.
    """

    objective: Objective = "max-cover"
    n_new: int | None = None
    budget: float | None = None
    cover_share: float = 1.0
    time_limit_s: float = 60.0
    gap_share: float = 0.0
    max_nodes: int | None = None

    @property
    def is_maximising(self) -> bool:
        """Whether more is better."""
        return self.objective in MAXIMISING


@dataclass(frozen=True)
class Site:
    """One chosen site.

    Attributes
    ----------
    row, site_id : of the relation.
    rank : 1 = opened first.
    marginal : what it adds to the objective on top of the places before it.
    total : what it would add if it alone were opened.
    n_demand : demand points that it covers or serves.
    covers : kind of demand label -> the values ("town": the names of the towns) that it covers.
    substitute : the row that replaces it best; None = no other row can.
    loss : what the objective loses by that, in its own unit.
    """

    row: int
    site_id: str
    rank: int
    marginal: float
    total: float
    n_demand: int = 0
    covers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    substitute: int | None = None
    loss: float | None = None


@dataclass(frozen=True)
class Rejection:
    """Why a candidate is not in the plan.

    Attributes
    ----------
    row, site_id : of the relation.
    reason : "covers-nobody-new", "dominated" (by `by`), "locked-out", "too-costly", "blocked" (by the rule `rule`),
        "less-gain" (the best swap that brings it in loses `loss`), "not-enough" (no exchange for a chosen one would
        still cover the share, or reach everyone, that the objective asks for).
    by : the row that is better.
    rule : name of the rule that blocks it.
    loss : of the best swap.
    """

    row: int
    site_id: str
    reason: str
    by: int | None = None
    rule: RuleName | None = None
    loss: float | None = None


@dataclass(frozen=True, eq=False)
class SitingSolution:
    """A plan and its proof.

    Attributes
    ----------
    ask : what was asked.
    status : "optimal" (a bound equals the value), "feasible", "infeasible" (the plan is the best that can be; `clash`
        says what cannot), "cancelled" (the best plan so far).
    chosen : newly opened rows in rank order; closed : existing rows that close or move away.
    value : of the objective, existing places included: people covered (`max-cover`), people covered twice
        (`backup-cover`), sites or cost (`min-sites`), people-minutes (`p-median`, `least-excess`), minutes
        (`p-center`).
    base_value : the same before anything new is opened.
    certified_bound : from prices, recomputed by `check_certificate`; solver_bound : what the branching claims. No plan
        is better than either. NaN where there is none.
    certificate : the prices.
    clash : the smallest set of rules that cannot hold together; unmet : the demands that the plan gives up.
    sites, rejected : one entry a chosen and a rejected row.
    worst_share : covered share of the worst-served value of `fair_by`; NaN without.
    n_unreachable : demand points that no row reaches; they are counted by no minutes objective.
    """

    ask: Ask
    status: Status
    chosen: tuple[int, ...]
    closed: tuple[int, ...]
    value: float
    base_value: float
    certified_bound: float
    solver_bound: float
    certificate: Certificate | None = None
    clash: tuple[RuleName, ...] = ()
    unmet: tuple[RuleName, ...] = ()
    sites: tuple[Site, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    worst_share: float = float("nan")
    n_unreachable: int = 0

    @property
    def bound(self) -> float:
        """The tighter of the two bounds; NaN without any."""
        return tighter(self.certified_bound, self.solver_bound, is_maximising=self.ask.is_maximising)

    @property
    def gap(self) -> float:
        """How much better than `value` a plan could be at most, in the objective's unit."""
        distance = self.bound - self.value if self.ask.is_maximising else self.value - self.bound
        return max(0.0, distance)

    @property
    def gap_share(self) -> float:
        """`gap` as a share of the value; 0 when there is none."""
        return share_of(self.gap, self.value)

    @property
    def proven_by(self) -> str:
        """By which bound the plan is proven best: "certificate", "solver" or "" (not proven)."""
        for name, bound in (("certificate", self.certified_bound), ("solver", self.solver_bound)):
            if is_equal(bound, self.value):
                return name
        return ""

    @property
    def marginal(self) -> tuple[float, ...]:
        """What each chosen site adds, in rank order."""
        return tuple(site.marginal for site in self.sites)

    @property
    def total(self) -> tuple[float, ...]:
        """What each chosen site would add alone, in rank order."""
        return tuple(site.total for site in self.sites)

    def open_rows(self, problem: SitingProblem) -> tuple[int, ...]:
        """Return every open row: existing places that stay and new ones."""
        return tuple(sorted((set(problem.existing) - set(self.closed)) | set(self.chosen)))


def tighter(one: float, two: float, *, is_maximising: bool) -> float:
    """Return the tighter of two bounds of which either may be NaN."""
    if one != one:  # noqa: PLR0124  NaN
        return two
    if two != two:  # noqa: PLR0124
        return one
    return min(one, two) if is_maximising else max(one, two)


def is_equal(bound: float, value: float) -> bool:
    """Whether a bound is the value, up to the rounding of sums."""
    return abs(bound - value) <= CLOSE * max(1.0, abs(value))


def share_of(gap: float, value: float) -> float:
    """Return `gap` as a share of `value`."""
    if gap == 0:
        return 0.0
    return gap / abs(value) if value else float("inf")
