"""Compiled loops of the cover engine: exchanges with incremental gains, and products for the interior method.

Relations come twice: by site (`first`, `column`) and by demand column (`start`, `site`). Rules come by site
(`rule_first`, `rule`, `coef`). All compiled functions that call one another stand in this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from planner.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPS = 1e-9


@compiled
def worth_of(first: Any, column: Any, price: Any, out: Any) -> Any:
    """Write into `out` the sum of `price` over the columns of each site."""
    for i in range(first.size - 1):
        total = 0.0
        for k in range(first[i], first[i + 1]):
            total += price[column[k]]
        out[i] = total


@compiled
def _has_all(first: Any, column: Any, one: Any, other: Any) -> Any:
    """Whether site `other` covers all columns that `one` covers."""
    b, end = first[other], first[other + 1]
    if end - b < first[one + 1] - first[one]:
        return False
    for a in range(first[one], first[one + 1]):
        while b < end and column[b] < column[a]:
            b += 1
        if b == end or column[b] != column[a]:
            return False
    return True


@compiled
def name_dominators(relation: Any, cost: Any, kind: Any, order: Any, by: Any) -> None:
    """Write into `by` the first site that covers all that a site covers, is no dearer and of its kind, or leave -1.

    Sites are taken in `order` (largest, then cheapest, first), so that no site that is named has a name written itself.
    """
    first, column, start, site = relation
    everyone = np.arange(by.size).astype(site.dtype)
    place = np.empty(by.size, dtype=np.int64)
    place[order] = np.arange(by.size)
    for one in order:
        others = everyone
        least = by.size + 1
        for k in range(first[one], first[one + 1]):
            degree = start[column[k] + 1] - start[column[k]]
            if degree < least:
                least = degree
                others = site[start[column[k]] : start[column[k] + 1]]
        for other in others:
            may_replace = by[other] < 0 and place[other] < place[one] and kind[other] == kind[one]
            if may_replace and cost[other] <= cost[one] and _has_all(first, column, one, other):
                by[one] = other
                break


@compiled
def add_products(start: Any, site: Any, weight: Any, out: Any) -> Any:
    """Add to the lower half of `out` the sum over columns of weight times (its sites) x (its sites)."""
    for d in range(weight.size):
        w = weight[d]
        for a in range(start[d], start[d + 1]):
            i = site[a]
            for b in range(start[d], a + 1):
                out[i, site[b]] += w


@compiled
def add_rule_products(first: Any, column: Any, coef: Any, weight: Any, out: Any) -> Any:
    """Add to the lower half of `out` the sum over rules of weight times (its coefficients) x (its coefficients)."""
    for r in range(weight.size):
        for a in range(first[r], first[r + 1]):
            i, w = column[a], weight[r] * coef[a]
            for b in range(first[r], first[r + 1]):
                if column[b] <= i:
                    out[i, column[b]] += w * coef[b]


@compiled
def _change(i: Any, sign: Any, relation: Any, times: Any, gain: Any, loss: Any, touched: Any) -> Any:
    """Open (`sign` 1) or close (-1) site i: `gain` of closed and `loss` of open sites follow, and are `touched`."""
    first, column, start, site, weight = relation
    for k in range(first[i], first[i + 1]):
        d = column[k]
        before = times[d]
        times[d] = before + sign
        w = weight[d]
        if before == 0:
            for q in range(start[d], start[d + 1]):
                gain[site[q]] -= w
                loss[site[q]] += w
                touched[site[q]] = True
        elif sign > 0 and before == 1:
            for q in range(start[d], start[d + 1]):
                loss[site[q]] -= w
                touched[site[q]] = True
        elif sign < 0 and before == 1:
            for q in range(start[d], start[d + 1]):
                gain[site[q]] += w
                loss[site[q]] -= w
                touched[site[q]] = True
        elif sign < 0 and before == 2:
            for q in range(start[d], start[d + 1]):
                loss[site[q]] += w
                touched[site[q]] = True


@compiled
def _fits(j: Any, rule_first: Any, rule: Any, coef: Any, left: Any, n_broken: Any) -> Any:
    """Whether opening j keeps every rule, and mends all that are broken now; `left` is what each rule leaves."""
    mended = 0
    for k in range(rule_first[j], rule_first[j + 1]):
        r = rule[k]
        if left[r] - coef[k] < -_EPS:
            return False
        if left[r] < -_EPS:
            mended += 1
    return mended == n_broken


@compiled
def _take(j: Any, sign: Any, rule_first: Any, rule: Any, coef: Any, left: Any) -> Any:
    """Take site j's part of the rules (`sign` 1), or give it back (-1); returns the change in broken rules."""
    change = 0
    for k in range(rule_first[j], rule_first[j + 1]):
        r = rule[k]
        was = left[r] < -_EPS
        left[r] -= sign * coef[k]
        change += (left[r] < -_EPS) - was
    return change


@compiled
def _open(i: Any, sign: Any, relation: Any, rules: Any, state: Any) -> Any:
    """Open (`sign` 1) or close (-1) site i and keep all that follows; returns the change of value."""
    rule_first, rule, coef, _ = rules
    times, gain, loss, left, is_open, counts, touched = state
    change = gain[i] if sign > 0 else -loss[i]
    counts[0] += _take(i, sign, rule_first, rule, coef, left)
    _change(i, sign, relation, times, gain, loss, touched)
    is_open[i] = sign > 0
    return change


@compiled
def _fill(relation: Any, rules: Any, cost: Any, state: Any, barred: Any) -> Any:
    """Open what fits and gains most, ties by lower cost, then the first; returns the gain."""
    rule_first, rule, coef, _ = rules
    _, gain, _, left, is_open, counts, _ = state
    total = 0.0
    while True:
        pick, most, cheapest = -1, _EPS, np.inf
        for j in range(gain.size):
            if is_open[j] or barred[j] or gain[j] < most - _EPS:
                continue
            is_better = gain[j] > most + _EPS or cost[j] < cheapest
            if is_better and _fits(j, rule_first, rule, coef, left, counts[0]):
                pick, most, cheapest = j, gain[j], cost[j]
        if pick < 0:
            return total
        total += _open(pick, 1, relation, rules, state)


@compiled
def _best_partner(out: Any, relation: Any, rules: Any, state: Any, extra: Any) -> Any:
    """Return the site that fits best in place of open site `out`, and what the exchange changes; -1 = none fits."""
    first, column, start, site, weight = relation
    rule_first, rule, coef, _ = rules
    times, gain, loss, left, is_open, counts, _ = state
    extra[:] = 0.0
    for k in range(first[out], first[out + 1]):
        d = column[k]
        if times[d] == 1:
            for q in range(start[d], start[d + 1]):
                extra[site[q]] += weight[d]
    counts[0] += _take(out, -1, rule_first, rule, coef, left)
    pick, most = -1, -np.inf
    for j in range(gain.size):
        if not is_open[j]:
            change = gain[j] + extra[j] - loss[out]
            if change > most + _EPS and _fits(j, rule_first, rule, coef, left, counts[0]):
                pick, most = j, change
    counts[0] += _take(out, 1, rule_first, rule, coef, left)
    return pick, most


@compiled
def _settle(relation: Any, rules: Any, cost: Any, state: Any, barred: Any) -> Any:
    """Exchange touched open sites, and those that lose least, for better ones until no exchange gains."""
    _, gain, loss, _, is_open, _, touched = state
    n = gain.size
    extra = np.empty(n)
    total = _fill(relation, rules, cost, state, barred)
    for _ in range(2):
        least = -1
        for i in range(n):
            if is_open[i] and not touched[i] and (least < 0 or loss[i] < loss[least]):
                least = i
        if least >= 0:
            touched[least] = True
    at, idle = 0, 0
    while idle < n:
        if not (is_open[at] and touched[at]):
            at = (at + 1) % n
            idle += 1
            continue
        touched[at] = False
        idle = 0
        pick, most = _best_partner(at, relation, rules, state, extra)
        if pick >= 0 and most > 1e-7:
            total += _open(at, -1, relation, rules, state)
            total += _open(pick, 1, relation, rules, state)
            total += _fill(relation, rules, cost, state, barred)
    touched[:] = False
    return total


@compiled
def exchange(relation: Any, rules: Any, cost: Any, is_open: Any, n_rounds: Any, work: Any, seed: Any) -> Any:
    """Iterated local search over exchanges; returns the best plan and its value.

    `is_open` keeps the rules; a plan that breaks one is never kept. Each round closes a few neighbouring or random
    sites, fills up and settles again; worse plans are undone. At most `n_rounds` rounds and `work` touched pairs.
    """
    first, column, start, site, weight = relation
    upper = rules[3]
    np.random.seed(seed)  # noqa: NPY002  the compiled generator
    n, m = first.size - 1, weight.size
    state = (
        np.zeros(m, dtype=np.int32), np.zeros(n), np.zeros(n), upper.copy(), np.zeros(n, dtype=np.bool_),
        np.zeros(1, dtype=np.int64), np.ones(n, dtype=np.bool_),
    )  # fmt: skip
    gain, left, open_now, counts, touched = state[1], state[3], state[4], state[5], state[6]
    worth_of(first, column, weight, gain)
    for r in range(upper.size):
        counts[0] += left[r] < -_EPS
    value = 0.0
    for i in range(n):
        if is_open[i]:
            value += _open(i, 1, relation, rules, state)
    barred = np.zeros(n, dtype=np.bool_)
    value += _settle(relation, rules, cost, state, barred)
    best, best_open = value, open_now.copy()
    spent = 0.0
    for _ in range(n_rounds):
        opened = np.flatnonzero(open_now)
        if opened.size < 2 or spent > work:
            break
        spent += first[n] + 50.0 * opened.size * n
        n_out = min(opened.size - 1, 2 + np.random.randint(0, 3))  # noqa: NPY002
        centre = opened[np.random.randint(0, opened.size)]  # noqa: NPY002
        near = np.zeros(n)
        for k in range(first[centre], first[centre + 1]):
            d = column[k]
            for q in range(start[d], start[d + 1]):
                near[site[q]] += 1.0
        for i in range(n):
            near[i] = near[i] * np.random.random() if open_now[i] else -1.0  # noqa: NPY002
        order = np.argsort(-near)
        barred[:] = False
        for wanted in order[:n_out]:
            out = wanted
            if near[wanted] <= 0:
                out = opened[np.random.randint(0, opened.size)]  # noqa: NPY002
            if not open_now[out]:
                continue
            value += _open(out, -1, relation, rules, state)
            if counts[0] > 0:
                value += _open(out, 1, relation, rules, state)
                continue
            barred[out] = True
        value += _fill(relation, rules, cost, state, barred)
        barred[:] = False
        value += _settle(relation, rules, cost, state, barred)
        if value >= best - 1e-7:
            best = max(best, value)
            best_open[:] = open_now
        else:
            for i in range(n):
                if open_now[i] and not best_open[i]:
                    value += _open(i, -1, relation, rules, state)
            for i in range(n):
                if best_open[i] and not open_now[i]:
                    value += _open(i, 1, relation, rules, state)
            touched[:] = False
    return best, best_open


def rule_columns(matrix: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the rules by site: where each site's begin, their numbers and coefficients."""
    by_site = matrix.tocsc()
    return by_site.indptr.astype(np.int64), by_site.indices.astype(np.int64), by_site.data.astype(np.float64)
