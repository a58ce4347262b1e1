"""Compiled loops of the relaxation of "most people covered" and of its branching.

The relaxation is a saddle point: most worth over the open fractions x, least over prices y of demand and v of rules,
of sum (w - y) + y A x - v (B x - b). Primal-dual steps (Chambolle and Pock 2011) with a step a site and a column (Pock
and Chambolle 2011) and restarts from averages (Applegate et al. 2021) near it from both sides; any y, v prove a bound.
All compiled functions that call one another stand in this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from planner.compiled import compiled

FREE, OPEN, SHUT = 0, 1, 2
_BLOCK = 25
# With more sites a column than these, fractions move slower than they could and prices as much faster.
_CHOICE = 20.0
_NEAR = 0.98


@compiled
def _level(wish: Any, step: Any, n_pick: Any, level: Any) -> Any:
    """Return the level t >= 0 at which sum of (wish - step t) held within 0 and 1 is at most `n_pick`."""
    total = 0.0
    for i in range(wish.size):
        total += min(1.0, max(0.0, wish[i]))
    if total <= n_pick:
        return 0.0
    low, high = 0.0, 1e300
    for _ in range(80):
        total, slope = 0.0, 0.0
        for i in range(wish.size):
            value = wish[i] - step[i] * level
            if value >= 1.0:
                total += 1.0
            elif value > 0.0:
                total += value
                slope += step[i]
        if abs(total - n_pick) < 1e-7:
            break
        if total > n_pick:
            low = level
        else:
            high = level
        level = level + (total - n_pick) / slope if slope > 0.0 else 2.0 * low + 1.0
        if level <= low or level >= high:
            level = 0.5 * (low + high) if high < 1e299 else 2.0 * low + 1.0
    return level


@compiled
def _worth(relation: Any, rules: Any, sites: Any, price: Any, rule_price: Any, worth: Any) -> Any:
    """Write into `worth` what each of `sites` is worth at the prices, less its rules' prices."""
    first, column, _ = relation
    rule_first, rule_site, coef, _ = rules
    for i in sites:
        total = 0.0
        for k in range(first[i], first[i + 1]):
            total += price[column[k]]
        worth[i] = total
    for r in range(rule_price.size):
        if rule_price[r] > 0.0:
            for k in range(rule_first[r], rule_first[r + 1]):
                worth[rule_site[k]] -= rule_price[r] * coef[k]


@compiled
def _bound(relation: Any, rules: Any, n_pick: Any, price: Any, rule_price: Any, worth: Any) -> Any:
    """Return the bound that the prices prove; writes each site's net worth."""
    weight, upper = relation[2], rules[3]
    _worth(relation, rules, np.arange(worth.size), price, rule_price, worth)
    total = 0.0
    for d in range(weight.size):
        total += weight[d] - price[d]
    for r in range(upper.size):
        total += rule_price[r] * upper[r]
    n = worth.size
    if n_pick >= n:
        for i in range(n):
            total += max(0.0, worth[i])
    elif n_pick > 0:
        order = np.argpartition(worth, n - n_pick)
        for a in range(n - n_pick, n):
            total += max(0.0, worth[order[a]])
    return total


@compiled
def _reach(relation: Any, x: Any, less: Any, reach: Any) -> Any:
    """Write into `reach` the sum of x over the sites of each column, less a number."""
    first, column, _ = relation
    reach[:] = -less
    for i in range(x.size):
        if x[i] != 0.0:
            for k in range(first[i], first[i + 1]):
                reach[column[k]] += x[i]


@compiled
def approach(relation: Any, rules: Any, n_pick: Any, x: Any, price: Any, rule_price: Any, limits: Any) -> Any:
    """Near the relaxation from both sides; `x`, `price` and `rule_price` start it and become the best of each.

    `relation` is by site (first, column, weight), `rules` by rule (first, site, coefficient, upper). `limits` holds the
    most steps, a bound that is low enough, and the share of the way from the bound down to that at which fractions and
    prices are close enough. Returns the bound and the fractions' worth (broken rules charged, so that it may be off).
    """
    first, column, weight = relation
    rule_first, rule_site, coef, upper = rules
    n, m, n_rules = first.size - 1, weight.size, upper.size
    step, degree = np.zeros(n), np.zeros(m)
    for i in range(n):
        for k in range(first[i], first[i + 1]):
            step[i] += weight[column[k]]
    typical = max(1e-9, step.mean() / 2.0) if n > 0 else 1.0
    charge, pace = np.zeros(n_rules), np.zeros(n_rules)
    for r in range(n_rules):
        size = 0.0
        for k in range(rule_first[r], rule_first[r + 1]):
            size += abs(coef[k])
        if size > 0.0:
            charge[r] = typical * (rule_first[r + 1] - rule_first[r]) / size
            pace[r] = charge[r] / size
            for k in range(rule_first[r], rule_first[r + 1]):
                step[rule_site[k]] += charge[r] * abs(coef[k])
    slower = min(1.0, _CHOICE * max(1, m) / max(1, first[n]))
    step = slower / np.maximum(step, 1e-9)
    best, most = np.inf, -np.inf
    best_x, best_price, best_rule_price = x.copy(), price.copy(), rule_price.copy()
    worth, ahead, reach = np.empty(n), np.empty(n), np.empty(m)
    sum_x, sum_price, sum_rules = np.zeros(n), np.zeros(m), np.zeros(n_rules)
    count, level, last_gap, done = 0, 0.0, np.inf, 0.0
    while True:
        # What stands now, and the average since the last start.
        gaps = np.full(2, np.inf)
        for which in range(2 if count > 0 else 1):
            x_now = x if which == 0 else sum_x / count
            price_now = price if which == 0 else sum_price / count
            rules_now = rule_price if which == 0 else sum_rules / count
            bound = _bound(relation, rules, n_pick, price_now, rules_now, worth)
            _reach(relation, x_now, 0.0, reach)
            value = 0.0
            for d in range(m):
                value += weight[d] * min(1.0, reach[d])
            for r in range(n_rules):
                over = -upper[r]
                for k in range(rule_first[r], rule_first[r + 1]):
                    over += coef[k] * x_now[rule_site[k]]
                value -= 2.0 * charge[r] * max(0.0, over)
            gaps[which] = bound - value
            if bound < best:
                best = bound
                best_price[:] = price_now
                best_rule_price[:] = rules_now
            if value > most and x_now.sum() <= n_pick + 1e-6:
                most = value
                best_x[:] = x_now
        is_close = best - most <= limits[2] * (best - limits[1])
        if best < limits[1] or is_close or done >= limits[0] or n == 0:
            break
        if count > 0 and (min(gaps[0], gaps[1]) < 0.4 * last_gap or count >= 16 * _BLOCK):
            last_gap = min(gaps[0], gaps[1])
            if gaps[1] < gaps[0]:
                x[:] = sum_x / count
                price[:] = sum_price / count
                rule_price[:] = sum_rules / count
            sum_x[:] = 0.0
            sum_price[:] = 0.0
            sum_rules[:] = 0.0
            count = 0
        # Until the next look the steps leave out sites that stay shut: they are not worth nearly as much as the last
        # one that is opened. Fewer sites a column, too, let its price move further.
        live = np.arange(n)
        if 0 < n_pick < n:
            live = np.flatnonzero((x > 0.0) | (worth >= _NEAR * np.partition(worth, n - n_pick)[n - n_pick]))
        degree[:] = 0.0
        for i in live:
            for k in range(first[i], first[i + 1]):
                degree[column[k]] += 1.0
        wish, own_step = np.empty(live.size), step[live]
        ahead[:] = 0.0
        for _ in range(_BLOCK):
            _worth(relation, rules, live, price, rule_price, worth)
            for a in range(live.size):
                wish[a] = x[live[a]] + own_step[a] * worth[live[a]]
            level = _level(wish, own_step, n_pick, level)
            for a in range(live.size):
                i = live[a]
                moved = min(1.0, max(0.0, wish[a] - own_step[a] * level))
                ahead[i] = 2.0 * moved - x[i]
                x[i] = moved
                sum_x[i] += moved
            _reach(relation, ahead, 1.0, reach)
            for d in range(m):
                price[d] = min(weight[d], max(0.0, price[d] - weight[d] * reach[d] / (slower * max(1.0, degree[d]))))
                sum_price[d] += price[d]
            for r in range(n_rules):
                over = -upper[r]
                for k in range(rule_first[r], rule_first[r + 1]):
                    over += coef[k] * ahead[rule_site[k]]
                rule_price[r] = max(0.0, rule_price[r] + pace[r] / slower * over)
                sum_rules[r] += rule_price[r]
            count += 1
        done += _BLOCK
    x[:] = best_x
    price[:] = best_price
    rule_price[:] = best_rule_price
    return best, most


@compiled
def _free_lists(whole: Any, state: Any, is_settled: Any) -> Any:
    """Return free sites and, of the columns that they reach and nothing settles, one of each with equal free sites.

    `group` gives each column the number of its like, -1 = settled or out of reach. Likes are found by a hash of their
    sites and compared site by site.
    """
    first, column, start, site, _ = whole
    n, m = state.size, is_settled.size
    free = np.flatnonzero(state == FREE)
    keys = np.empty(n, dtype=np.uint64)
    key = np.uint64(88172645463325252)
    for i in range(n):
        key ^= key << np.uint64(13)
        key ^= key >> np.uint64(7)
        key ^= key << np.uint64(17)
        keys[i] = key
    code = np.zeros(m, dtype=np.uint64)
    for a in range(free.size):
        for k in range(first[free[a]], first[free[a] + 1]):
            code[column[k]] += keys[free[a]]
    live = np.empty(m, dtype=np.int64)
    n_live = 0
    for d in range(m):
        if code[d] != 0 and not is_settled[d]:
            live[n_live] = d
            n_live += 1
    live = live[:n_live]
    order = live[np.argsort(code[live], kind="mergesort")]
    group = np.full(m, -1, dtype=np.int64)
    n_groups = 0
    for a in range(n_live):
        d = order[a]
        is_like = a > 0 and code[d] == code[order[a - 1]]
        if is_like:
            other = order[a - 1]
            p, q, p_end, q_end = start[d], start[other], start[d + 1], start[other + 1]
            while is_like and (p < p_end or q < q_end):
                if p < p_end and state[site[p]] != FREE:
                    p += 1
                elif q < q_end and state[site[q]] != FREE:
                    q += 1
                elif p == p_end or q == q_end or site[p] != site[q]:
                    is_like = False
                else:
                    p += 1
                    q += 1
        if is_like:
            group[d] = group[order[a - 1]]
        else:
            group[d] = n_groups
            n_groups += 1
    return free, group, n_groups


@compiled
def _part(whole: Any, rules: Any, state: Any, must: Any) -> Any:
    """Return what a part of the branching leaves: sites, groups of columns, relation, rules and what is sure.

    `must` are columns that this part has covered: each is a rule more. The last answer says whether a plan may exist.
    """
    first, column, start, site, weight = whole
    rule_first, rule_site, coef, upper = rules
    n, m = state.size, weight.size
    is_sure, is_settled = np.zeros(m, dtype=np.bool_), np.zeros(m, dtype=np.bool_)
    for i in range(n):
        if state[i] == OPEN:
            for k in range(first[i], first[i + 1]):
                is_sure[column[k]] = True
    is_settled[:] = is_sure
    is_settled[must] = True
    sure = 0.0
    for d in range(m):
        if is_settled[d]:
            sure += weight[d]
    free, group, n_groups = _free_lists(whole, state, is_settled)
    place = np.full(n, -1, dtype=np.int64)
    place[free] = np.arange(free.size)
    people, seen = np.zeros(n_groups), np.full(n_groups, -1, dtype=np.int64)
    for d in range(m):
        if group[d] >= 0:
            people[group[d]] += weight[d]
    part_first, part_column = np.zeros(free.size + 1, dtype=np.int64), np.empty(first[n], dtype=np.int32)
    at = 0
    for a in range(free.size):
        for k in range(first[free[a]], first[free[a] + 1]):
            g = group[column[k]]
            if g >= 0 and seen[g] != a:
                seen[g] = a
                part_column[at] = g
                at += 1
        part_first[a + 1] = at
    n_rules = upper.size
    n_pairs = rule_site.size
    for d in must:
        n_pairs += start[d + 1] - start[d]
    part_rules = np.zeros(n_rules + must.size + 1, dtype=np.int64)
    part_site, part_coef = np.empty(n_pairs, dtype=np.int64), np.empty(n_pairs)
    part_upper = np.zeros(n_rules + must.size)
    part_upper[:n_rules] = upper
    q = 0
    for r in range(n_rules):
        for k in range(rule_first[r], rule_first[r + 1]):
            if state[rule_site[k]] == OPEN:
                part_upper[r] -= coef[k]
            elif state[rule_site[k]] == FREE:
                part_site[q] = place[rule_site[k]]
                part_coef[q] = coef[k]
                q += 1
        part_rules[r + 1] = q
    for c in range(must.size):
        d = must[c]
        if not is_sure[d]:
            part_upper[n_rules + c] = -1.0
            for k in range(start[d], start[d + 1]):
                if state[site[k]] == FREE:
                    part_site[q] = place[site[k]]
                    part_coef[q] = -1.0
                    q += 1
        part_rules[n_rules + c + 1] = q
    may_be = True
    for r in range(part_upper.size):
        least = 0.0
        for k in range(part_rules[r], part_rules[r + 1]):
            least += min(0.0, part_coef[k])
        if least > part_upper[r] + 1e-9:
            may_be = False
    relation = (part_first, part_column[:at].copy(), people)
    return free, group, relation, (part_rules, part_site[:q].copy(), part_coef[:q].copy(), part_upper), sure, may_be


@compiled
def visit(whole: Any, rules: Any, n_pick: Any, node: Any, limits: Any, plan: Any) -> Any:
    """Bound a part of the branching, settle sites in it and choose where to divide it.

    `whole` is the relation both ways with people a column, `node` its state a site, columns that must be covered,
    fractions, prices of columns and of rules (those of `must` last): all but `must` are changed in place. `plan`
    becomes the rounded fractions. Returns the bound, a column to divide at (-1 = none) and a site (-1 = none free).
    """
    state, must, x, price, rule_price = node
    n_opened = 0
    for i in range(state.size):
        plan[i] = state[i] == OPEN
        n_opened += plan[i]
    left = n_pick - n_opened
    free, group, relation, part_rules, sure, may_be = _part(whole, rules, state, must)
    if left < 0 or not may_be:
        return -np.inf, -1, -1
    if free.size == 0:
        return sure, -1, -1
    people = relation[2]
    own_price = np.zeros(people.size)
    for d in range(group.size):
        if group[d] >= 0:
            own_price[group[d]] += price[d]
    own_price = np.minimum(own_price, people)
    own_x = x[free].astype(np.float64)
    own_rules = rule_price.copy()
    goal = limits[1] - sure
    bound, _ = approach(relation, part_rules, left, own_x, own_price, own_rules, np.array([limits[0], goal, limits[2]]))
    if bound < goal:
        return bound + sure, -1, -1
    rule_price[:] = own_rules
    x[:] = 0.0
    for a in range(free.size):
        x[free[a]] = own_x[a]
    weight = whole[4]
    for d in range(group.size):
        price[d] = own_price[group[d]] * weight[d] / people[group[d]] if group[d] >= 0 else 0.0
    worth = np.empty(free.size)
    _bound(relation, part_rules, left, own_price, own_rules, worth)
    order = np.argsort(-worth, kind="mergesort")
    inside, outside = 0.0, 0.0
    if left < free.size:
        outside = max(0.0, worth[order[left]])
        inside = max(0.0, worth[order[left - 1]]) if left > 0 else np.inf
    for rank in range(free.size):
        a = order[rank]
        is_in = rank < left and worth[a] > 0.0
        if not is_in and bound - (inside - worth[a]) < goal:
            state[free[a]] = SHUT
        elif is_in and bound - (worth[a] - outside) < goal:
            state[free[a]] = OPEN
    order = np.argsort(-own_x, kind="mergesort")
    for rank in range(min(left, free.size)):
        plan[free[order[rank]]] = own_x[order[rank]] > 1e-6
    reach = np.empty(people.size)
    _reach(relation, own_x, 0.0, reach)
    column, most = -1, 0.02
    best_group = -1
    for g in range(people.size):
        score = min(reach[g], 1.0 - reach[g])
        if score > 0.02 and score * people[g] > most:
            best_group, most = g, score * people[g]
    if best_group >= 0:
        for d in range(group.size):
            if group[d] == best_group:
                column = d
                break
    pick, most = -1, -1.0
    for a in range(free.size):
        score = min(own_x[a], 1.0 - own_x[a])
        if state[free[a]] == FREE and score > most:
            pick, most = free[a], score
    return bound + sure, column, pick
