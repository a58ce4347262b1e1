"""The compiled loops of the p-median: multipliers, greedy plans and interchange.

A site's list holds the rows it reaches and, for each, people times minutes. Imported by its callers when they run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.compiled import compiled

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.int8]

FREE, OPEN, SHUT = 0, 1, 2


class Reach(NamedTuple):
    """Rows that each site reaches, what serving each from there costs, and what leaving a row unserved costs."""

    first: Longs
    rows: Ints
    costs: Floats
    penalty: Floats


@compiled
def margins(reach: Reach, duals: Floats, out: Floats) -> None:
    """Fill `out[j]` with the sum of min(0, cost - multiplier) over the rows of site j."""
    for j in range(out.shape[0]):
        total = 0.0
        for e in range(reach.first[j], reach.first[j + 1]):
            value = reach.costs[e] - duals[reach.rows[e]]
            if value < 0.0:
                total += value
        out[j] = total


@compiled
def pick_sites(margin: Floats, status: Bytes, p: int, picked: Flags) -> float:
    """Mark the open sites and the best free ones, p in all; returns the sum of their margins."""
    total, n_open = 0.0, 0
    keys = np.empty(margin.shape[0], dtype=np.float64)
    for j in range(margin.shape[0]):
        picked[j] = status[j] == OPEN
        keys[j] = np.inf
        if status[j] == OPEN:
            total += margin[j]
            n_open += 1
        elif status[j] == FREE:
            keys[j] = margin[j]
    if n_open < p:
        order = np.argsort(keys, kind="mergesort")
        for a in range(min(p - n_open, order.shape[0])):
            j = order[a]
            if keys[j] == np.inf:
                break
            picked[j] = True
            total += margin[j]
    return total


@compiled
def ascend(reach: Reach, status: Bytes, p: int, duals: Floats, control: Floats, n_steps: int, usage: Floats) -> float:
    """Deflected subgradient steps on the multipliers of the assignments (Cornuejols, Fisher and Nemhauser 1977).

    `control` holds the value to climb towards, the step size (lowered here), the bound at which to stop, and whether
    rows may stay unserved at their penalty, which then bounds their multipliers (1 or 0). Turns `duals` into
    the best found, `usage` into a running share of the steps that picked each site; returns the bound.
    """
    n_sites, n_rows = reach.first.shape[0] - 1, duals.shape[0]
    current = duals.copy()
    direction = np.zeros(n_rows, dtype=np.float64)
    slope = np.empty(n_rows, dtype=np.float64)
    margin = np.empty(n_sites, dtype=np.float64)
    picked = np.zeros(n_sites, dtype=np.bool_)
    best, n_stalled = -np.inf, 0
    for _ in range(n_steps):
        margins(reach, current, margin)
        bound = pick_sites(margin, status, p, picked)
        for i in range(n_rows):
            bound += current[i]
            slope[i] = 1.0
        for j in range(n_sites):
            usage[j] *= 0.95
            if picked[j]:
                usage[j] += 0.05
                for e in range(reach.first[j], reach.first[j + 1]):
                    if reach.costs[e] < current[reach.rows[e]]:
                        slope[reach.rows[e]] -= 1.0
        n_stalled = 0 if bound > best + 1e-7 * abs(best) else n_stalled + 1
        if bound > best:
            best = bound
            duals[:] = current
        if best >= control[2]:
            break
        if n_stalled == 20:
            control[1] *= 0.6
            n_stalled = 0
            current[:] = duals
            direction[:] = 0.0
        norm = 0.0
        for i in range(n_rows):
            value = slope[i] + 0.7 * direction[i]
            if value < 0.0 and current[i] <= 0.0:
                value = 0.0
            direction[i] = value
            norm += value * value
        if norm < 1e-12 or control[1] < 1e-6:
            break
        length = control[1] * max(control[0] - bound, 1e-6 * abs(control[0])) / norm
        for i in range(n_rows):
            current[i] = max(current[i] + length * direction[i], 0.0)
            if control[3] > 0.0:
                current[i] = min(current[i], reach.penalty[i])
    return best


@compiled
def _two_nearest(reach: Reach, plan: Flags, one: Floats, two: Floats, site: Longs) -> float:
    """Fill the two least costs of every row under a plan, and the site of the least; returns the plan's cost."""
    one[:] = reach.penalty
    two[:] = reach.penalty
    site[:] = -1
    for j in range(plan.shape[0]):
        if plan[j]:
            for e in range(reach.first[j], reach.first[j + 1]):
                i, cost = reach.rows[e], reach.costs[e]
                if site[i] < 0 or cost < one[i]:
                    if site[i] >= 0:
                        two[i] = one[i]
                    one[i] = cost
                    site[i] = j
                elif cost < two[i]:
                    two[i] = cost
    return one.sum()


@compiled
def greedy_plan(reach: Reach, status: Bytes, p: int) -> Flags:
    """The open sites and, up to p, the site that saves most each time (ties: the lower number)."""
    n_sites, n_rows = status.shape[0], reach.penalty.shape[0]
    plan = status == OPEN
    one, two, site = np.empty(n_rows), np.empty(n_rows), np.empty(n_rows, dtype=np.int64)
    _two_nearest(reach, plan, one, two, site)
    for _ in range(p - plan.sum()):
        best, best_saved = -1, -1.0
        for j in range(n_sites):
            if status[j] != FREE or plan[j]:
                continue
            saved = 0.0
            for e in range(reach.first[j], reach.first[j + 1]):
                if reach.costs[e] < one[reach.rows[e]]:
                    saved += one[reach.rows[e]] - reach.costs[e]
            if saved > best_saved:
                best, best_saved = j, saved
        if best < 0:
            break
        plan[best] = True
        for e in range(reach.first[best], reach.first[best + 1]):
            one[reach.rows[e]] = min(one[reach.rows[e]], reach.costs[e])
    return plan


@compiled
def interchange(reach: Reach, status: Bytes, plan: Flags, max_swaps: int) -> float:
    """Swap sites while that saves (fast interchange of Whitaker 1983, best swap each time); returns the plan's cost."""
    n_sites, n_rows = status.shape[0], reach.penalty.shape[0]
    one, two, site = np.empty(n_rows), np.empty(n_rows), np.empty(n_rows, dtype=np.int64)
    loss, change = np.zeros(n_sites), np.zeros(n_sites)
    members = np.empty(n_sites, dtype=np.int64)
    cost = _two_nearest(reach, plan, one, two, site)
    for _ in range(max_swaps):
        loss[:] = 0.0
        for i in range(n_rows):
            if site[i] >= 0:
                loss[site[i]] += two[i] - one[i]
        n_members = 0
        for j in range(n_sites):
            if plan[j] and status[j] == FREE:
                members[n_members] = j
                n_members += 1
        best_in, best_out, best_saved = -1, -1, 1e-11 * max(1.0, abs(cost))
        for j in range(n_sites):
            if plan[j] or status[j] != FREE:
                continue
            gain = 0.0
            for e in range(reach.first[j], reach.first[j + 1]):
                i, own = reach.rows[e], reach.costs[e]
                if own < one[i]:
                    gain += one[i] - own
                    if site[i] >= 0:
                        change[site[i]] -= two[i] - one[i]
                elif own < two[i] and site[i] >= 0:
                    change[site[i]] -= two[i] - own
            for a in range(n_members):
                k = members[a]
                saved = gain - loss[k] - change[k]
                if saved > best_saved:
                    best_in, best_out, best_saved = j, k, saved
            for e in range(reach.first[j], reach.first[j + 1]):
                if site[reach.rows[e]] >= 0:
                    change[site[reach.rows[e]]] = 0.0
        if best_in < 0:
            break
        plan[best_in] = True
        plan[best_out] = False
        cost = _two_nearest(reach, plan, one, two, site)
    return cost
