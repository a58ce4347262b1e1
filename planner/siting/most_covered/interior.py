"""The linear relaxation of "most people covered" by an interior-point method made for it.

All demand columns are eliminated, so that each step solves one dense system of the size of the sites, whatever the
number of people. Mehrotra (1992) predictor and corrector; prices leave it inside their limits, so that each of its
iterates proves a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy import sparse

    from planner.siting.proof.bounds import Sides

_KEEP = 0.995
_STEPS = 60
_ENOUGH = 1e-8


@dataclass(frozen=True)
class Relaxation:
    """The relaxation's answer.

    Attributes
    ----------
    x : fraction of each site that is open, [n].
    demand, rules : prices, not negative, [m], [n_rules].
    bound : that the prices prove.
    """

    x: NDArray[np.float64]
    demand: NDArray[np.float64]
    rules: NDArray[np.float64]
    bound: float


@dataclass
class _Point:
    """An iterate: x within 0 and 1; s = A x - z, q = 1 - z, t = what the rules leave; y, v, low, high their prices."""

    x: NDArray[np.float64]
    s: NDArray[np.float64]
    q: NDArray[np.float64]
    t: NDArray[np.float64]
    y: NDArray[np.float64]
    v: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def relaxation(
    covers: sparse.csr_matrix, weights: NDArray[np.float64], sides: Sides, is_late: Callable[[], bool] = lambda: False
) -> Relaxation | None:
    """Return the relaxation of "most people covered", or None when numbers fail; `is_late()` ends it early."""
    from planner.siting.most_covered.kernels import add_products, add_rule_products

    n, m = covers.shape
    people = weights / weights.mean()
    columns = covers.tocsc()
    start, site = columns.indptr.astype(np.int64), columns.indices.astype(np.int64)
    by_site, by_column = covers.astype(np.float64), covers.T.tocsr().astype(np.float64)
    rule_matrix, upper = sides.matrix, sides.upper
    at = _start(by_column, people, rule_matrix, upper, n)
    best: Relaxation | None = None
    for _ in range(_STEPS):
        bound = bound_of(by_site, people, sides, at.y, at.v)
        if best is None or bound < best.bound:
            best = Relaxation(at.x.copy(), at.y.copy(), at.v.copy(), bound)
        value = float((people * np.minimum(1.0, by_column @ at.x)).sum())
        if _gap(at, people) * (m + n) <= _ENOUGH * max(1.0, value) or is_late():
            break
        theta = 1.0 / (at.s / at.y + at.q / (people - at.y))
        system = np.zeros((n, n))
        add_products(start, site, theta, system)
        add_rule_products(rule_matrix.indptr, rule_matrix.indices, rule_matrix.data, at.v / at.t, system)
        system[np.diag_indices(n)] += at.low / at.x + at.high / (1 - at.x)
        try:
            factor = linalg.cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            break
        _advance(at, factor, theta, people, (by_site, by_column, rule_matrix, upper))
        if not np.isfinite(at.x).all():
            break
    if best is None:
        return None
    mean = weights.mean()
    return Relaxation(best.x, best.demand * mean, best.rules * mean, best.bound * mean)


def bound_of(
    by_site: sparse.csr_matrix,
    weights: NDArray[np.float64],
    sides: Sides,
    demand: NDArray[np.float64],
    rules: NDArray[np.float64],
) -> float:
    """Return the bound that prices prove: no plan covers more."""
    net = by_site @ demand - sides.matrix.T @ rules
    return float(np.maximum(0, weights - demand).sum() + rules @ sides.upper + np.maximum(0, net).sum())


def _start(
    by_column: sparse.csr_matrix,
    people: NDArray[np.float64],
    rule_matrix: sparse.csr_matrix,
    upper: NDArray[np.float64],
    n: int,
) -> _Point:
    room = upper[upper > 0] / np.maximum(1e-9, np.asarray(np.abs(rule_matrix).sum(axis=1)).ravel()[upper > 0])
    x = np.full(n, float(np.clip(room.min(initial=1.0), 0.01, 0.5)))
    reach = by_column @ x
    z = np.minimum(0.9, 0.8 * reach)
    y = 0.5 * people
    v = np.full(upper.size, float(people.sum()) / max(1, n) * 0.1 + 0.1)
    one = np.full(n, float(np.median(people)) * 0.5 + 0.1)
    left = upper - rule_matrix @ x
    return _Point(x, np.maximum(0.05, reach - z), 1 - z, np.maximum(0.5, left), y, v, one.copy(), one.copy())


def _gap(at: _Point, people: NDArray[np.float64]) -> float:
    total = at.s @ at.y + at.q @ (people - at.y) + at.t @ at.v + at.x @ at.low + (1 - at.x) @ at.high
    return float(total) / (2 * at.s.size + at.t.size + 2 * at.x.size)


def _advance(
    at: _Point,
    factor: tuple[NDArray[np.float64], bool],
    theta: NDArray[np.float64],
    people: NDArray[np.float64],
    data: tuple[sparse.csr_matrix, sparse.csr_matrix, sparse.csr_matrix, NDArray[np.float64]],
) -> None:
    """Take one predictor and corrector step, in place."""
    by_site, by_column, rule_matrix, upper = data
    left = people - at.y
    miss_p = at.s - at.q + 1 - by_column @ at.x
    miss_t = at.t - upper + rule_matrix @ at.x
    miss_d = by_site @ at.y - rule_matrix.T @ at.v + at.low - at.high

    def direction(targets: tuple[NDArray[np.float64], ...]) -> _Point:
        cs, cq, ct, cl, ch = targets
        k = miss_p + cs / at.y - cq / left
        right = miss_d + by_site @ (theta * k) - rule_matrix.T @ ((ct + at.v * miss_t) / at.t)
        right += cl / at.x - ch / (1 - at.x)
        dx = linalg.cho_solve(factor, right, check_finite=False)
        dy = theta * (k - by_column @ dx)
        dt = -miss_t - rule_matrix @ dx
        return _Point(
            dx,
            (cs - at.s * dy) / at.y,
            (cq + at.q * dy) / left,
            dt,
            dy,
            (ct - at.v * dt) / at.t,
            (cl - at.low * dx) / at.x,
            (ch + at.high * dx) / (1 - at.x),
        )

    products = (at.s * at.y, at.q * left, at.t * at.v, at.x * at.low, (1 - at.x) * at.high)
    guess = direction(tuple(-each for each in products))
    mu = _gap(at, people)
    ahead = _moved(at, guess, *_lengths(at, guess, people))
    sigma = min(1.0, (_gap(ahead, people) / mu) ** 3) * mu
    second = (guess.s * guess.y, -guess.q * guess.y, guess.t * guess.v, guess.x * guess.low, -guess.x * guess.high)
    step = direction(tuple(sigma - each - more for each, more in zip(products, second, strict=True)))
    primal, dual = _lengths(at, step, people)
    moved = _moved(at, step, _KEEP * primal, _KEEP * dual)
    for name in ("x", "s", "q", "t", "y", "v", "low", "high"):
        setattr(at, name, getattr(moved, name))


def _lengths(at: _Point, step: _Point, people: NDArray[np.float64]) -> tuple[float, float]:
    def most(value: NDArray[np.float64], change: NDArray[np.float64]) -> float:
        down = change < 0
        return float(np.min(-value[down] / change[down], initial=1.0))

    primal = min(
        most(at.s, step.s), most(at.q, step.q), most(at.t, step.t), most(at.x, step.x), most(1 - at.x, -step.x)
    )
    dual = min(
        most(at.y, step.y), most(people - at.y, -step.y), most(at.v, step.v), most(at.low, step.low),
        most(at.high, step.high),
    )  # fmt: skip
    return primal, dual


def _moved(at: _Point, step: _Point, primal: float, dual: float) -> _Point:
    return _Point(
        at.x + primal * step.x,
        at.s + primal * step.s,
        at.q + primal * step.q,
        at.t + primal * step.t,
        at.y + dual * step.y,
        at.v + dual * step.v,
        at.low + dual * step.low,
        at.high + dual * step.high,
    )
