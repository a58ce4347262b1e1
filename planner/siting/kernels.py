"""Compiled loops of the cover engine: prices by subgradient steps, exchanges with incremental gains.

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
def descend(
    first: Any,
    column: Any,
    weight: Any,
    n_pick: Any,
    rule_first: Any,
    rule: Any,
    coef: Any,
    upper: Any,
    price: Any,
    rule_price: Any,
    lowest_value: Any,
    n_steps: Any,
    scale: Any,
) -> Any:
    """Improve prices by deflected subgradient steps; returns best bound, best prices, how often each site was picked.

    With `n_pick` >= 0 at most that many sites are picked, the others by the sign of their net worth.
    Camerini, Fratta and Maffioli (1975) for the direction, Held and Karp (1971) for the step.
    """
    n, m, n_rules = first.size - 1, weight.size, upper.size
    best_price, best_rule_price = price.copy(), rule_price.copy()
    best = np.inf
    worth = np.empty(n)
    times = np.zeros(m)
    slope = np.zeros(m)
    rule_slope = np.zeros(n_rules)
    picked_often = np.zeros(n)
    last_gain = 0
    for step in range(n_steps):
        worth_of(first, column, price, worth)
        bound = 0.0
        for r in range(n_rules):
            bound += rule_price[r] * upper[r]
        for i in range(n):
            for k in range(rule_first[i], rule_first[i + 1]):
                worth[i] -= rule_price[rule[k]] * coef[k]
        for d in range(m):
            bound += weight[d] - price[d]
            times[d] = -1.0
        now = upper.copy()
        if 0 <= n_pick < n:
            order = np.argpartition(worth, n - n_pick)[n - n_pick :] if n_pick > 0 else np.zeros(0, np.int64)
        else:
            order = np.arange(n)
        for i in order:
            if worth[i] > 0:
                bound += worth[i]
                picked_often[i] += 1.0
                for k in range(first[i], first[i + 1]):
                    times[column[k]] += 1.0
                for k in range(rule_first[i], rule_first[i + 1]):
                    now[rule[k]] -= coef[k]
        if bound < best * (1 - 1e-7):
            last_gain = step
        if bound < best:
            best = bound
            best_price[:] = price
            best_rule_price[:] = rule_price
        if step - last_gain >= 20:
            scale *= 0.6
            last_gain = step
            price[:] = best_price
            rule_price[:] = best_rule_price
            slope[:] = 0.0
            rule_slope[:] = 0.0
            if scale < 1e-4:
                break
            continue
        length = 0.0
        for d in range(m):
            if (price[d] <= 0 and times[d] > 0) or (price[d] >= weight[d] and times[d] < 0):
                times[d] = 0.0
            slope[d] = times[d] + 0.4 * slope[d]
            length += slope[d] * slope[d]
        for r in range(n_rules):
            step_r = now[r]
            if rule_price[r] <= 0 and step_r > 0:
                step_r = 0.0
            rule_slope[r] = step_r + 0.4 * rule_slope[r]
            length += rule_slope[r] * rule_slope[r]
        if length < 1e-12:
            break
        size = scale * max(bound - lowest_value, 1e-6 * abs(bound)) / length
        for d in range(m):
            price[d] = min(weight[d], max(0.0, price[d] - size * slope[d]))
        for r in range(n_rules):
            rule_price[r] = max(0.0, rule_price[r] - size * rule_slope[r])
    return best, best_price, best_rule_price, picked_often, scale


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
def _change(
    i: Any, sign: Any, first: Any, column: Any, start: Any, site: Any, weight: Any, times: Any, gain: Any, loss: Any
) -> Any:
    """Open (`sign` 1) or close (-1) site i: `gain` of closed and `loss` of open sites follow."""
    for k in range(first[i], first[i + 1]):
        d = column[k]
        before = times[d]
        times[d] = before + sign
        w = weight[d]
        if before == 0:
            for q in range(start[d], start[d + 1]):
                gain[site[q]] -= w
                loss[site[q]] += w
        elif sign > 0 and before == 1:
            for q in range(start[d], start[d + 1]):
                loss[site[q]] -= w
        elif sign < 0 and before == 1:
            for q in range(start[d], start[d + 1]):
                gain[site[q]] += w
                loss[site[q]] -= w
        elif sign < 0 and before == 2:
            for q in range(start[d], start[d + 1]):
                loss[site[q]] += w


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
    first, column, start, site, weight = relation
    rule_first, rule, coef, _ = rules
    times, gain, loss, left, is_open, counts = state
    change = gain[i] if sign > 0 else -loss[i]
    counts[0] += _take(i, sign, rule_first, rule, coef, left)
    _change(i, sign, first, column, start, site, weight, times, gain, loss)
    is_open[i] = sign > 0
    return change


@compiled
def _fill(relation: Any, rules: Any, cost: Any, state: Any, barred: Any) -> Any:
    """Open what fits and gains most, ties by lower cost, then the first; returns the gain."""
    rule_first, rule, coef, _ = rules
    _, gain, _, left, is_open, counts = state
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
    times, gain, loss, left, is_open, counts = state
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
    """Exchange open sites for better ones until no exchange gains; returns the gain."""
    _, gain, _, _, is_open, _ = state
    extra = np.empty(gain.size)
    total = _fill(relation, rules, cost, state, barred)
    waiting = np.flatnonzero(is_open)
    at, idle = 0, 0
    while waiting.size and idle < waiting.size:
        out = waiting[at]
        pick, most = _best_partner(out, relation, rules, state, extra)
        if pick >= 0 and most > 1e-7:
            total += _open(out, -1, relation, rules, state)
            total += _open(pick, 1, relation, rules, state)
            waiting[at] = pick
            idle = 0
            more = _fill(relation, rules, cost, state, barred)
            if more > 0:
                total += more
                waiting = np.flatnonzero(is_open)
                at = 0
                continue
        else:
            idle += 1
        at = (at + 1) % waiting.size
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
        np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    gain, left, open_now, counts = state[1], state[3], state[4], state[5]
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
    return best, best_open


def rule_columns(matrix: Any) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the rules by site: where each site's begin, their numbers and coefficients."""
    by_site = matrix.tocsc()
    return by_site.indptr.astype(np.int64), by_site.indices.astype(np.int64), by_site.data.astype(np.float64)
