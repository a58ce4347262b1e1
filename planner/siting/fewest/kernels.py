"""The compiled loops of set covering: reductions, multipliers, greedy plans and local search.

Every relation comes as two sorted sparse lists over the same pairs: `site_first, site_rows` (rows that a site covers)
and `row_first, row_sites` (sites that cover a row). This module is imported by its callers when they run, so that
`import planner` does not load numba.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from planner.compiled import compiled

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Lists(NamedTuple):
    """One relation both ways: rows of every site, sites of every row, each list sorted."""

    site_first: NDArray[Any]
    site_rows: NDArray[Any]
    row_first: NDArray[Any]
    row_sites: NDArray[Any]


class State(NamedTuple):
    """Where a local search stands; every array is changed in place.

    `score[j]` is the weight that opening site j gains, or that closing it loses. `owners[i]` is the sum of the numbers
    of the open sites that cover row i: with a count of one, that site. `members` and `bare` list the open sites and
    the uncovered rows, with the place of each; `tally` holds their numbers. `may_open` is the configuration check.
    """

    chosen: NDArray[Any]
    score: NDArray[Any]
    stamp: NDArray[Any]
    may_open: NDArray[Any]
    members: NDArray[Any]
    member_place: NDArray[Any]
    weights: NDArray[Any]
    times: NDArray[Any]
    owners: NDArray[Any]
    bare: NDArray[Any]
    bare_place: NDArray[Any]
    tally: NDArray[Any]
    random: NDArray[Any]


@compiled
def _is_subset(first: Longs, items: Ints, small: int, large: int) -> bool:
    """Whether the sorted list `small` lies within the sorted list `large`."""
    a, a_end = first[small], first[small + 1]
    b, b_end = first[large], first[large + 1]
    if a_end - a > b_end - b:
        return False
    while a < a_end:
        if a_end - a > b_end - b:
            return False
        while b < b_end and items[b] < items[a]:
            b += 1
        if b == b_end or items[b] != items[a]:
            return False
        a += 1
        b += 1
    return True


@compiled
def list_hashes(first: Longs, items: Ints, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A 64-bit hash per list that does not depend on order: the sum of its items' keys."""
    n = first.shape[0] - 1
    out = np.zeros(n, dtype=np.uint64)
    for i in range(n):
        total = np.uint64(0)
        for k in range(first[i], first[i + 1]):
            total += keys[items[k]]
        out[i] = total
    return out


@compiled
def merge_equal(first: Longs, items: Ints, order: Longs, hashes: NDArray[np.uint64], representative: Longs) -> None:
    """Fill `representative` with the first list equal to each list; `order` sorts by hash, then index."""
    n = order.shape[0]
    start = 0
    while start < n:
        end = start + 1
        while end < n and hashes[order[end]] == hashes[order[start]]:
            end += 1
        for a in range(start, end):
            i = order[a]
            representative[i] = i
            for b in range(start, a):
                j = order[b]
                same = representative[j] == j and first[j + 1] - first[j] == first[i + 1] - first[i]
                if same and _is_subset(first, items, j, i):
                    representative[i] = j
                    break
        start = end


@compiled
def dominated_rows(
    site_first: Longs, site_rows: Ints, row_first: Longs, row_sites: Ints, order: Longs, max_work: float
) -> Flags:
    """Rows that are covered whenever some other row is: their site list contains the other's.

    `order` lists rows by rising number of sites. Stops early, with what is found, after `max_work` comparisons.
    """
    n_rows = row_first.shape[0] - 1
    dropped = np.zeros(n_rows, dtype=np.bool_)
    work = 0
    for position in range(order.shape[0]):
        k = order[position]
        size = row_first[k + 1] - row_first[k]
        if dropped[k] or size == 0:
            continue
        best = -1
        for e in range(row_first[k], row_first[k + 1]):
            j = row_sites[e]
            if best < 0 or site_first[j + 1] - site_first[j] < site_first[best + 1] - site_first[best]:
                best = j
        for e in range(site_first[best], site_first[best + 1]):
            i = site_rows[e]
            if i == k or dropped[i]:
                continue
            other = row_first[i + 1] - row_first[i]
            if other < size or (other == size and i < k):
                continue
            if _is_subset(row_first, row_sites, k, i):
                dropped[i] = True
        work += site_first[best + 1] - site_first[best]
        if work > max_work:
            break
    return dropped


@compiled
def dominated_sites(
    site_first: Longs, site_rows: Ints, row_first: Longs, row_sites: Ints, costs: Floats, max_work: float
) -> Longs:
    """The site that does all a site does for no more money, or -1 (ties: the lower number stays)."""
    n_sites = site_first.shape[0] - 1
    by = np.full(n_sites, -1, dtype=np.int64)
    work = 0
    for j in range(n_sites):
        size = site_first[j + 1] - site_first[j]
        if size == 0:
            continue
        best = -1
        for e in range(site_first[j], site_first[j + 1]):
            i = site_rows[e]
            if best < 0 or row_first[i + 1] - row_first[i] < row_first[best + 1] - row_first[best]:
                best = i
        for e in range(row_first[best], row_first[best + 1]):
            other = row_sites[e]
            if other == j or by[other] >= 0 or costs[other] > costs[j]:
                continue
            other_size = site_first[other + 1] - site_first[other]
            if other_size < size:
                continue
            if other_size == size and costs[other] == costs[j] and other > j:
                continue
            if _is_subset(site_first, site_rows, j, other):
                by[j] = other
                break
        work += row_first[best + 1] - row_first[best]
        if work > max_work:
            break
    return by


@compiled
def reduced_costs(site_first: Longs, site_rows: Ints, costs: Floats, duals: Floats, sites: Longs, out: Floats) -> None:
    """Fill `out[j]` with the cost of each listed site less the multipliers of the rows it covers."""
    for a in range(sites.shape[0]):
        j = sites[a]
        total = costs[j]
        for e in range(site_first[j], site_first[j + 1]):
            total -= duals[site_rows[e]]
        out[j] = total


@compiled
def ascend(
    lists: Lists, costs: Floats, cap: Floats, sites: Longs, path: Floats, control: Floats, n_steps: int
) -> float:
    """Deflected subgradient steps on the multipliers over the listed sites (Held and Karp 1971, Camerini et al. 1975).

    `cap` bounds each multiplier. `path`, [3, n_rows], holds the best multipliers, where the steps stand and where they
    head; it is changed in place. `control` holds the value to climb towards, the step size (lowered here as needed)
    and the constant that the bound lacks. Returns the bound of the best over the listed sites.
    """
    duals, current, direction = path[0], path[1], path[2]
    n_rows = duals.shape[0]
    slope = np.empty(n_rows, dtype=np.float64)
    best, n_stalled = -np.inf, 0
    for _ in range(n_steps):
        bound = control[2]
        for i in range(n_rows):
            slope[i] = 1.0
            bound += current[i]
        for a in range(sites.shape[0]):
            j = sites[a]
            total = costs[j]
            for e in range(lists.site_first[j], lists.site_first[j + 1]):
                total -= current[lists.site_rows[e]]
            if total < 0.0:
                bound += total
                for e in range(lists.site_first[j], lists.site_first[j + 1]):
                    slope[lists.site_rows[e]] -= 1.0
        n_stalled = 0 if bound > best + 1e-6 * abs(best) else n_stalled + 1
        if bound > best:
            best = bound
            duals[:] = current
        if n_stalled == 40:
            control[1] *= 0.7
            n_stalled = 0
            current[:] = duals
        norm = 0.0
        for i in range(n_rows):
            value = slope[i] + 0.98 * direction[i]
            if (value < 0.0 and current[i] <= 0.0) or (value > 0.0 and current[i] >= cap[i]):
                value = 0.0
            direction[i] = value
            norm += value * value
        if norm < 1e-12:
            break
        length = control[1] * max(control[0] - bound, 1e-6 * abs(control[0])) / norm
        for i in range(n_rows):
            current[i] = min(max(current[i] + length * direction[i], 0.0), cap[i])
    return best


@compiled
def thin_plan(site_first: Longs, site_rows: Ints, costs: Floats, needed: Floats, chosen: Flags) -> None:
    """Close sites that a plan can spare: dearest first, then the one with fewest rows, then the last."""
    n_sites, n_rows = site_first.shape[0] - 1, needed.shape[0] - 1
    count = np.zeros(n_rows, dtype=np.int32)
    open_weight = needed[n_rows]
    for j in range(n_sites):
        if chosen[j]:
            for e in range(site_first[j], site_first[j + 1]):
                i = site_rows[e]
                if count[i] == 0:
                    open_weight -= needed[i]
                count[i] += 1
    size = np.arange(n_sites, 0, -1).astype(np.float64)
    for j in range(n_sites):
        size[j] += np.float64(site_first[j + 1] - site_first[j]) * (n_sites + 1)
    order = np.argsort(size, kind="mergesort")
    order = order[np.argsort(-costs[order], kind="mergesort")]
    for a in range(n_sites):
        j = order[a]
        if not chosen[j]:
            continue
        loss = 0.0
        for e in range(site_first[j], site_first[j + 1]):
            if count[site_rows[e]] == 1:
                loss += needed[site_rows[e]]
        if open_weight + loss <= 0.0:
            chosen[j] = False
            open_weight += loss
            for e in range(site_first[j], site_first[j + 1]):
                count[site_rows[e]] -= 1


@compiled
def greedy_plan(lists: Lists, costs: Floats, duals: Floats, needed: Floats) -> Flags:
    """A plan that covers rows until their weights reach `needed[-1]`, best price first, then thinned out.

    `needed` holds a weight per row and, last, the weight to be covered. Prices are the Lagrangian costs of CFT 1999:
    cost less the multipliers of the rows still open, per weight gained.
    """
    site_first, site_rows, row_first, row_sites = lists
    n_sites, n_rows = site_first.shape[0] - 1, row_first.shape[0] - 1
    gain = np.zeros(n_sites, dtype=np.float64)
    price = costs.copy()
    for j in range(n_sites):
        for e in range(site_first[j], site_first[j + 1]):
            i = site_rows[e]
            gain[j] += needed[i]
            price[j] -= duals[i]
    count = np.zeros(n_rows, dtype=np.int32)
    chosen = np.zeros(n_sites, dtype=np.bool_)
    open_weight = needed[n_rows]
    while open_weight > 0.0:
        best, best_score = -1, np.inf
        for j in range(n_sites):
            if gain[j] > 1e-9 and not chosen[j]:
                useful = min(gain[j], open_weight)
                score = price[j] / useful if price[j] > 0.0 else price[j] * useful
                if score < best_score:
                    best, best_score = j, score
        if best < 0:
            break
        chosen[best] = True
        for e in range(site_first[best], site_first[best + 1]):
            i = site_rows[e]
            count[i] += 1
            if count[i] == 1:
                open_weight -= needed[i]
                for f in range(row_first[i], row_first[i + 1]):
                    gain[row_sites[f]] -= needed[i]
                    price[row_sites[f]] += duals[i]
    thin_plan(site_first, site_rows, costs, needed, chosen)
    return chosen


@compiled
def _open(lists: Lists, state: State, j: int) -> int:
    """Open site j and keep the state true; returns the work done."""
    work = lists.site_first[j + 1] - lists.site_first[j]
    gained = 0.0
    for e in range(lists.site_first[j], lists.site_first[j + 1]):
        i = lists.site_rows[e]
        weight = state.weights[i]
        if state.times[i] == 0:
            gained += weight
            work += lists.row_first[i + 1] - lists.row_first[i]
            for f in range(lists.row_first[i], lists.row_first[i + 1]):
                state.score[lists.row_sites[f]] -= weight
                state.may_open[lists.row_sites[f]] = True
            state.tally[1] -= 1
            moved = state.bare[state.tally[1]]
            state.bare[state.bare_place[i]] = moved
            state.bare_place[moved] = state.bare_place[i]
        elif state.times[i] == 1:
            state.score[state.owners[i]] -= weight
        state.times[i] += 1
        state.owners[i] += j
    state.score[j] = gained
    state.chosen[j] = True
    state.members[state.tally[0]] = j
    state.member_place[j] = state.tally[0]
    state.tally[0] += 1
    return work


@compiled
def _close(lists: Lists, state: State, j: int) -> int:
    """Close site j and keep the state true; returns the work done."""
    work = lists.site_first[j + 1] - lists.site_first[j]
    lost = 0.0
    for e in range(lists.site_first[j], lists.site_first[j + 1]):
        i = lists.site_rows[e]
        weight = state.weights[i]
        state.times[i] -= 1
        state.owners[i] -= j
        if state.times[i] == 0:
            lost += weight
            work += lists.row_first[i + 1] - lists.row_first[i]
            for f in range(lists.row_first[i], lists.row_first[i + 1]):
                state.score[lists.row_sites[f]] += weight
                state.may_open[lists.row_sites[f]] = True
            state.bare[state.tally[1]] = i
            state.bare_place[i] = state.tally[1]
            state.tally[1] += 1
        elif state.times[i] == 1:
            state.score[state.owners[i]] += weight
    state.score[j] = lost
    state.chosen[j] = False
    state.tally[0] -= 1
    moved = state.members[state.tally[0]]
    state.members[state.member_place[j]] = moved
    state.member_place[moved] = state.member_place[j]
    return work


@compiled
def start_search(lists: Lists, plan: Flags, weights: Floats, seed: int) -> State:
    """The state of a local search that stands at `plan`, with the given row weights."""
    n_sites, n_rows = lists.site_first.shape[0] - 1, lists.row_first.shape[0] - 1
    random = np.empty(1, dtype=np.uint64)
    random[0] = np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)
    state = State(
        np.zeros(n_sites, dtype=np.bool_),
        np.zeros(n_sites, dtype=np.float64),
        np.zeros(n_sites, dtype=np.int64),
        np.ones(n_sites, dtype=np.bool_),
        np.zeros(n_sites, dtype=np.int64),
        np.zeros(n_sites, dtype=np.int64),
        weights.copy(),
        np.zeros(n_rows, dtype=np.int32),
        np.zeros(n_rows, dtype=np.int64),
        np.arange(n_rows),
        np.arange(n_rows),
        np.array([0, n_rows, 0, -1]),
        random,
    )
    for j in range(n_sites):
        for e in range(lists.site_first[j], lists.site_first[j + 1]):
            state.score[j] += weights[lists.site_rows[e]]
    for j in range(n_sites):
        if plan[j]:
            _open(lists, state, j)
    return state


@compiled
def _draw(random: NDArray[np.uint64], n: int) -> np.int64:
    """A number below n from a xorshift generator: the same on every machine."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return np.int64((x >> np.uint64(11)) % np.uint64(n))


@compiled
def _least_loss(state: State, costs: Floats, barred: int) -> int:
    """The open site whose closing loses least weight per cost, ties to the longest untouched; -1 for none."""
    best, best_ratio = -1, np.inf
    for a in range(state.tally[0]):
        j = state.members[a]
        if j == barred:
            continue
        ratio = state.score[j] / costs[j]
        if ratio < best_ratio or (ratio == best_ratio and (state.stamp[j], j) < (state.stamp[best], best)):
            best, best_ratio = j, ratio
    return best


@compiled
def _best_opening(lists: Lists, state: State, costs: Floats, row: int, room: float) -> int:
    """The site over `row` that gains most weight per cost among those with a cost below `room`; -1 for none."""
    best, best_ratio = -1, -1.0
    for f in range(lists.row_first[row], lists.row_first[row + 1]):
        j = lists.row_sites[f]
        if not state.may_open[j] or costs[j] >= room:
            continue
        ratio = state.score[j] / costs[j]
        if ratio > best_ratio or (ratio == best_ratio and (state.stamp[j], j) < (state.stamp[best], best)):
            best, best_ratio = j, ratio
    return best


@compiled
def search_full(lists: Lists, state: State, costs: Floats, best_plan: Flags, limits: Floats) -> float:
    """Row-weighting local search (Gao, Weise and Li 2015) for a cheaper plan that covers every row.

    `limits` holds the cost of `best_plan`, the cost to stop at, and the work to stop after (list entries touched).
    Improvements are written into `best_plan`; returns its cost.
    """
    best_cost, goal, max_work = limits[0], limits[1], limits[2]
    work = 0.0
    cost = 0.0
    for a in range(state.tally[0]):
        cost += costs[state.members[a]]
    while work < max_work:
        state.tally[2] += 1
        while state.tally[1] == 0:
            if cost < best_cost - 1e-9:
                best_cost = cost
                best_plan[:] = state.chosen
            if best_cost <= goal or state.tally[0] == 0:
                return best_cost
            j = _least_loss(state, costs, -1)
            work += state.tally[0] + _close(lists, state, j)
            cost -= costs[j]
            state.stamp[j] = state.tally[2]
        j = _least_loss(state, costs, state.tally[3])
        if j >= 0:
            work += state.tally[0] + _close(lists, state, j)
            cost -= costs[j]
            state.stamp[j] = state.tally[2]
            state.may_open[j] = False
        row = state.bare[_draw(state.random, state.tally[1])]
        work += lists.row_first[row + 1] - lists.row_first[row]
        j = _best_opening(lists, state, costs, row, best_cost - cost - 1e-9)
        if j >= 0:
            work += _open(lists, state, j)
            cost += costs[j]
            state.stamp[j] = state.tally[2]
            state.tally[3] = j
        for a in range(state.tally[1]):
            i = state.bare[a]
            state.weights[i] += 1.0
            work += lists.row_first[i + 1] - lists.row_first[i]
            for f in range(lists.row_first[i], lists.row_first[i + 1]):
                state.score[lists.row_sites[f]] += 1.0
    return best_cost


@compiled
def search_share(lists: Lists, state: State, costs: Floats, best_plan: Flags, limits: Floats) -> float:
    """Tabu drop-and-add search for a cheaper plan whose uncovered weight stays within an allowance.

    `limits` holds the cost of `best_plan`, the cost to stop at, the work to stop after, and the weight that may stay
    uncovered. Improvements are written into `best_plan`; returns its cost.
    """
    best_cost, goal, max_work, allowance = limits[0], limits[1], limits[2], limits[3]
    work = 0.0
    cost, missing = 0.0, 0.0
    for a in range(state.tally[0]):
        cost += costs[state.members[a]]
    for a in range(state.tally[1]):
        missing += state.weights[state.bare[a]]
    n_sites = costs.shape[0]
    while work < max_work:
        state.tally[2] += 1
        now = state.tally[2]
        if missing <= allowance:
            if cost < best_cost - 1e-9:
                best_cost = cost
                best_plan[:] = state.chosen
            if best_cost <= goal or state.tally[0] == 0:
                return best_cost
        # The least loss of fifty drawn sites (Cai 2015): near the best, and not the same few every time.
        j, ratio = -1, np.inf
        n_members = state.tally[0]
        for a in range(min(50, n_members)):
            k = state.members[_draw(state.random, n_members) if n_members > 50 else a]
            if state.stamp[k] <= now and (state.score[k] / costs[k], k) < (ratio, j):
                j, ratio = k, state.score[k] / costs[k]
        if j >= 0:
            missing += state.score[j]
            work += 50 + _close(lists, state, j)
            cost -= costs[j]
            state.stamp[j] = now + 2 + _draw(state.random, 10)
        work += n_sites
        room = best_cost - cost - 1e-9
        while missing > allowance:
            j, ratio = -1, 0.0
            for k in range(n_sites):
                if state.chosen[k] or costs[k] >= room or state.stamp[k] > now:
                    continue
                gain = min(state.score[k], missing - allowance) / costs[k]
                if gain > ratio:
                    j, ratio = k, gain
            if j < 0:
                break
            missing -= state.score[j]
            work += n_sites + _open(lists, state, j)
            cost += costs[j]
            room -= costs[j]
            state.stamp[j] = now + 2 + _draw(state.random, 5)
    return best_cost


@compiled
def mend_duals(lists: Lists, costs: Floats, duals: Floats, cap: Floats) -> None:
    """Make every reduced cost non-negative by lowering multipliers, then raise multipliers where room is left."""
    room = costs.copy()
    for j in range(costs.shape[0]):
        total = 0.0
        for e in range(lists.site_first[j], lists.site_first[j + 1]):
            total += duals[lists.site_rows[e]]
        if total > costs[j]:
            factor = costs[j] / total
            for e in range(lists.site_first[j], lists.site_first[j + 1]):
                duals[lists.site_rows[e]] *= factor
    for j in range(costs.shape[0]):
        for e in range(lists.site_first[j], lists.site_first[j + 1]):
            room[j] -= duals[lists.site_rows[e]]
    for i in range(duals.shape[0]):
        raised = cap[i] - duals[i]
        for f in range(lists.row_first[i], lists.row_first[i + 1]):
            raised = min(raised, room[lists.row_sites[f]])
        if raised > 0.0:
            duals[i] += raised
            for f in range(lists.row_first[i], lists.row_first[i + 1]):
                room[lists.row_sites[f]] -= raised
