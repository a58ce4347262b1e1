"""When demands cannot all be met: the smallest set of rules that clash, and the best plan that can be had."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.errors import CancelledError
from planner.siting.most_covered.reduce import reduce_cover
from planner.siting.problem import BY_MINUTES, SitingProblem
from planner.siting.programs.mip import Limits, Model, solve_model
from planner.siting.programs.plain import Leeway
from planner.siting.proof.bounds import sides_of
from planner.siting.proof.judge import broken_rules, coverable, reachable
from planner.siting.rules import DEMAND_KINDS, Rules, compile_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.progress import Progress
    from planner.siting.rules import RuleName
    from planner.siting.solution import Ask

_LOOSE = 1e-6


@dataclass(frozen=True)
class Concession:
    """What has to be given up so that a plan exists.

    Attributes
    ----------
    rules : with locks as rules, so that they can be given up.
    leeway : how many demands, and how many people.
    clash : the smallest set of rules that cannot hold together.
    """

    rules: Rules
    leeway: Leeway
    clash: tuple[RuleName, ...]


def concede(problem: SitingProblem, ask: Ask, progress: Progress) -> Concession:
    """Return what has to be given up: fewest demands first, then fewest people left out; and which rules clash."""
    rules = compile_rules(problem, ask.n_new, ask.budget, locks_as_rules=True)
    rows = np.flatnonzero((rules.lowest == 0) & (rules.highest == 1))
    n_rules, _ = _fewest(rules, rows)
    people = 0.0
    if ask.objective == "min-sites" or ask.objective in BY_MINUTES:
        people = _people_short(problem, ask, rules, n_rules)
    return Concession(rules, Leeway(n_rules, people), smallest_clash(problem, ask, progress))


def unmet_of(problem: SitingProblem, ask: Ask, is_open: NDArray[np.bool_]) -> tuple[RuleName, ...]:
    """Return the demands that a plan gives up."""
    return tuple(broken_rules(problem, ask, is_open))


def least_broken(problem: SitingProblem, ask: Ask) -> NDArray[np.bool_]:
    """Return a plan that gives up as few demands as can be, whatever its value: where a search found none in time."""
    rules = compile_rules(problem, ask.n_new, ask.budget, locks_as_rules=True)
    rows = np.flatnonzero((rules.lowest == 0) & (rules.highest == 1))
    is_open = rules.lowest.astype(bool)
    is_open[list(problem.existing)] = True
    if not rules.broken_by(is_open):
        return is_open
    is_open = rules.lowest.astype(bool)
    _, x = _fewest(rules, rows)
    if x is not None:
        is_open[rows] = x > 0.5  # noqa: PLR2004  0 or 1
    return is_open


def _fewest(rules: Rules, rows: NDArray[np.int64]) -> tuple[int, NDArray[np.float64] | None]:
    """Return the least number of demand rules that have to be given up so that the others hold, and such a plan."""
    sides = sides_of(rules, rows)
    soft = np.array([name[0] in DEMAND_KINDS for name in rules.names], dtype=bool) & (sides.upper < 0)
    at = np.flatnonzero(soft)
    if not at.size:
        return 0, None
    slack = sparse.csr_matrix((sides.upper[at], (at, np.arange(at.size))), shape=(sides.upper.size, at.size))
    answer = solve_model(
        Model(
            costs=np.concatenate([np.zeros(rows.size), np.ones(at.size)]),
            lowest=np.zeros(rows.size + at.size),
            highest=np.ones(rows.size + at.size),
            is_integer=np.ones(rows.size + at.size, dtype=bool),
            matrix=sparse.hstack([sides.matrix, slack], format="csr"),
            upper=sides.upper,
        )
    )
    if answer.x is None:
        return at.size, None
    return round(answer.value), answer.x[: rows.size]


def _people_short(problem: SitingProblem, ask: Ask, rules: Rules, n_rules: int) -> float:
    """Return the people that the best plan has to leave out."""
    from planner.siting.programs.plain import solve_plain

    if ask.objective == "min-sites":
        relation, everyone = problem, float(problem.weights[coverable(problem)].sum())
        target = ask.cover_share * everyone
    else:
        reached = problem.minutes.copy()
        reached.data = np.ones(reached.nnz, dtype=bool)
        relation = SitingProblem(problem.weights, covers=reached, existing=problem.existing, costs=problem.costs)
        relation = replace(relation, closable=problem.closable, movable=problem.movable)
        target = everyone = float(problem.weights[reachable(problem)].sum())
    most = replace(ask, objective="max-cover")
    plain, answer = solve_plain(relation, most, rules, Leeway(n_rules), Limits(ask.time_limit_s), _silent())
    if answer.x is None:
        return target
    covers = relation.covers[plain.open_of(answer.x, rules)]
    counted = (np.asarray(covers.sum(axis=0)).ravel() > 0) & (problem.weights > 0)
    short = target - float(problem.weights[counted].sum())
    return short if short > 1e-9 * max(1.0, everyone) else 0.0


def _silent() -> Progress:
    from planner.progress import SILENT

    return SILENT


@dataclass(frozen=True)
class _Elastic:
    """All rules with one 0 / 1 column each that says "given up"; the columns begin at `first`."""

    model: Model
    first: int
    names: tuple[RuleName, ...]


def smallest_clash(problem: SitingProblem, ask: Ask, progress: Progress) -> tuple[RuleName, ...]:
    """Return the smallest set of rules that cannot hold together; () when they can.

    Implicit hitting sets (Ignatiev, Previti, Liffiton and Marques-Silva 2015): the smallest set that meets every known
    correction set is a clash as soon as it cannot hold. When a third of the time is spent, the last clashing set found
    is thinned by deletion instead: then no rule of it can be left out, but a smaller set may exist. () as well when the
    user cancels.
    """
    deadline = time.monotonic() + ask.time_limit_s / 3
    elastic = _elastic(problem, ask)
    n = len(elastic.names)
    corrections: list[list[int]] = []
    while True:
        kept = _hitting_set(corrections, n)
        broken = _fewest_broken(elastic, kept)
        if broken is None:
            return tuple(elastic.names[rule] for rule in kept)
        if not broken:
            return ()
        corrections.append(broken)
        try:
            progress.update(0.5, 1.0, f"{len(corrections)} sets of rules tried for the smallest clash")
        except CancelledError:
            return ()
        if time.monotonic() > deadline:
            return _thinned(elastic)


def _elastic(problem: SitingProblem, ask: Ask) -> _Elastic:
    rules = compile_rules(problem, ask.n_new, ask.budget, locks_as_rules=True)
    bare = replace(rules, highest=np.ones_like(rules.highest))
    rows = np.flatnonzero(bare.lowest == 0)
    sides = sides_of(bare, rows)
    names = list(rules.names)
    shut = [row for row in problem.lock_out if bare.lowest[row] == 0]
    names += [("lock-out", row) for row in shut]
    at = np.searchsorted(rows, shut)
    locks = sparse.csr_matrix((np.ones(len(shut)), (np.arange(len(shut)), at)), shape=(len(shut), rows.size))
    parts, uppers = [sides.matrix, locks], [sides.upper, np.zeros(len(shut))]
    extra, links = _demand_rows(problem, ask, bare, rows)
    n_more = extra.n_columns
    wide = [sparse.hstack([part, sparse.csr_matrix((part.shape[0], n_more))]) for part in parts]
    matrix = sparse.vstack([*wide, extra.matrix], format="csr")
    upper = np.concatenate([*uppers, extra.upper])
    names += extra.names
    n_hard = links.upper.size
    most = np.asarray(matrix.maximum(0).sum(axis=1)).ravel()
    amount = np.maximum(0.0, most - upper)
    slack = sparse.vstack([-sparse.diags_array(amount), sparse.csr_matrix((n_hard, amount.size))])
    whole = sparse.hstack([sparse.vstack([matrix, links.matrix]), slack], format="csr")
    n = rows.size + n_more
    return _Elastic(
        Model(
            costs=np.concatenate([np.zeros(n), np.ones(amount.size)]),
            lowest=np.zeros(n + amount.size),
            highest=np.ones(n + amount.size),
            is_integer=np.concatenate([np.ones(rows.size, bool), np.zeros(n_more, bool), np.ones(amount.size, bool)]),
            matrix=whole,
            upper=np.concatenate([upper, links.upper]),
        ),
        n,
        tuple(names),
    )


@dataclass(frozen=True)
class _Rows:
    matrix: sparse.csr_matrix
    upper: NDArray[np.float64]
    names: tuple[RuleName, ...] = ()
    n_columns: int = 0


def _demand_rows(problem: SitingProblem, ask: Ask, rules: Rules, rows: NDArray[np.int64]) -> tuple[_Rows, _Rows]:
    """The rules of the objective itself (a share to cover, everyone to reach) and what links their columns to sites."""
    n = rows.size
    if ask.objective == "min-sites":
        counted = np.where(coverable(problem), problem.weights, 0.0)
        whole = replace(problem, weights=counted, group_factors={})
        reduced = reduce_cover(whole, rules, drop_dominated=False)
        m = reduced.weights.size
        everyone = float(counted.sum())
        target = ask.cover_share * everyone - 1e-9 * max(1.0, everyone) - reduced.base_value
        share = sparse.csr_matrix(np.concatenate([np.zeros(n), -reduced.weights])[None, :])
        link = sparse.hstack([-reduced.covers.T.astype(np.float64), sparse.identity(m)], format="csr")
        return _Rows(share, np.array([-target]), (("share",),), m), _Rows(link, np.zeros(m))
    if ask.objective in BY_MINUTES:
        sure = np.zeros(problem.n_demand, dtype=bool)
        sure[problem.minutes[np.flatnonzero(rules.lowest)].indices] = True
        wanted = np.flatnonzero(reachable(problem) & ~sure)
        part = problem.minutes[rows][:, wanted].tocoo()
        reach = sparse.csr_matrix((-np.ones(part.nnz), (part.col, part.row)), shape=(wanted.size, n))
        names = tuple(("reach", int(column)) for column in wanted)
        return _Rows(reach, -np.ones(wanted.size), names), _Rows(sparse.csr_matrix((0, n)), np.zeros(0))
    return _Rows(sparse.csr_matrix((0, n)), np.zeros(0)), _Rows(sparse.csr_matrix((0, n)), np.zeros(0))


def _fewest_broken(elastic: _Elastic, kept: list[int]) -> list[int] | None:
    """Return the fewest rules to give up so that `kept` and the others hold; None when `kept` cannot hold."""
    model = elastic.model
    highest = model.highest.copy()
    highest[elastic.first + np.array(kept, dtype=np.int64)] = 0.0
    answer = solve_model(replace(model, highest=highest))
    if answer.x is None:
        return None
    return np.flatnonzero(answer.x[elastic.first :] > _LOOSE).tolist()


def _hitting_set(sets: list[list[int]], n: int) -> list[int]:
    """Return the fewest rules, the first in order among equals, that meet every set."""
    if not sets:
        return []
    rows = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    columns = np.concatenate(sets)
    matrix = sparse.csr_matrix((-np.ones(columns.size), (rows, columns)), shape=(len(sets), n))
    answer = solve_model(
        Model(np.ones(n), np.zeros(n), np.ones(n), np.ones(n, dtype=bool), matrix, -np.ones(len(sets)))
    )
    return np.flatnonzero(answer.x > 0.5).tolist() if answer.x is not None else list(range(n))  # noqa: PLR2004


def _thinned(elastic: _Elastic) -> tuple[RuleName, ...]:
    kept = list(range(len(elastic.names)))
    step = max(1, len(kept) // 2)
    while step >= 1:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + step :]
            if _fewest_broken(elastic, fewer) is None:
                kept = fewer
            else:
                at += step
        step //= 2
    return tuple(elastic.names[rule] for rule in kept)
