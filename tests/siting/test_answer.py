"""A toy county worked by hand, rule by rule, and random ones against brute force over all plans.

d0 100 --- hall ---- d1 200 --- school --- d2 50      (town A, village a1; hall and school 100 m apart)
d3 30 ---- shop ---- d4 70                            (town B, village b1)
d5 40 ---- barn                                       (town B, village b2, settlement S1 "New Home" beside it)
web: online, "near" everybody; the existing place P covers d0.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from shapely import Point

from planner.errors import CancelledError, InputError
from planner.progress import Cancellable, Standing
from planner.siting.answer import ask_siting
from planner.siting.candidates import Ground, problem_of
from planner.wishes import OBJECTIVES, Quota, Wishes

SITES = ["hall", "school", "shop", "barn", "web"]
PEOPLE = [100, 200, 50, 30, 70, 40, 0]


@pytest.fixture
def county():
    candidates = pd.DataFrame(
        {
            "candidate_id": SITES,
            "name": ["Old Hall", "School", "Shop", "Barn", "Web"],
            "way": ["1", "2", "5", "1", "6"],
            "tier": ["station", "point", "point", None, "point"],
            "town": ["A", "A", "B", "B", "B"],
            "village": ["a1", "a1", "b1", "b2", "b2"],
            "cost": [3.0, 5.0, 2.0, 4.0, 0.0],
            "capacity": [150.0, 300.0, 60.0, 40.0, 9.0],
            "geometry": [Point(x, 0) for x in (0, 100, 5000, 9000, 0)],
        }
    )
    demand = pd.DataFrame(
        {
            "demand_id": ["d0", "d1", "d2", "d3", "d4", "d5", "S1"],
            "population": PEOPLE,
            "age60": [10, 0, 50, 0, 0, 0, 0],
            "relocated": [0, 0, 0, 0, 0, 40, 0],
            "town": ["A", "A", "A", "B", "B", "B", None],
            "village": ["a1", "a1", "a2", "b1", "b1", "b2", None],
            "settlement": [None, None, None, None, None, None, "S1"],
        }
    )
    times = {(0, 0): 5, (0, 1): 15, (1, 1): 3, (1, 2): 14, (2, 3): 0, (2, 4): 9, (3, 5): 6, (3, 6): 2} | {
        (4, column): 1 for column in range(7)
    }
    rows, columns = zip(*times, strict=True)
    minutes = sparse.csr_matrix((np.array([*times.values()], dtype=float), (rows, columns)), shape=(5, 7))
    existing = np.array([3.0, 20.0, 40.0, 40.0, 90.0, 50.0, 50.0])
    names = {"town": {"A": "Alder", "B": "Birch"}, "village": {"b2": "Beck"}, "settlement": {"S1": "New Home"}}
    return Ground(candidates, demand, minutes, existing, 15.0, names=names)


def chosen(answer):
    return [site["candidate_id"] for site in answer.summary()["chosen"]]


def asked(county, **wishes):
    answer = ask_siting(county, Wishes(**wishes))
    assert answer.check.is_valid, answer.check.problems
    return answer


# ---- objectives ----


def test_most_people(county):
    answer = asked(county, n_new=2)
    assert chosen(answer) == ["school", "shop"]
    summary = answer.summary()
    assert (summary["status"], summary["value"], summary["base_value"]) == ("optimal", 450.0, 100.0)
    assert (summary["objective_people"], summary["bound_people"], summary["gap"]) == (350.0, 350.0, 0.0)
    assert summary["proven_by"] == "certificate"
    assert summary["check"] == {"is_valid": True, "value": 450.0, "certified_bound": 450.0, "problems": []}
    assert (summary["covered_people_before"], summary["covered_people"]) == (100.0, 450.0)
    first, second = summary["chosen"]
    assert (first["marginal_people"], first["total_people"], first["reached_people"]) == (250.0, 250.0, 250.0)
    assert (first["towns"], first["villages"]) == (["Alder"], ["a1", "a2"])
    assert (first["substitute_id"], first["substitute_name"], first["substitute_loss"]) == ("hall", "Old Hall", 50.0)
    assert (second["substitute_id"], second["substitute_loss"]) == ("barn", 60.0)
    reasons = {row["candidate_id"]: (row["reason"], row["by_id"]) for row in summary["rejected"]}
    assert reasons == {"hall": ("less-gain", None), "barn": ("less-gain", None), "web": ("online", None)}


def test_fewest_and_cheapest(county):
    assert sorted(chosen(asked(county, objective="min-sites"))) == ["barn", "school", "shop"]
    some = asked(county, objective="min-sites", cover_share=0.9)  # 441 of 490
    assert sorted(chosen(some)) == ["school", "shop"]
    # hall and shop cover 400 for 5; school alone 350 for 5: 80 % are 392.
    cheap = asked(county, objective="min-sites", cover_share=0.8, by_cost=True)
    assert (sorted(chosen(cheap)), cheap.solution.value, cheap.unit) == (["hall", "shop"], 5.0, "cost")


def test_minutes(county):
    # Saved: hall 200 x 5 = 1,000; school 200 x 17 + 50 x 26 = 4,700; shop 30 x 40 + 70 x 81 = 6,870; barn 40 x 44.
    answer = asked(county, objective="p-median", n_new=1)
    today = 100 * 3 + 200 * 20 + 50 * 40 + 30 * 40 + 70 * 90 + 40 * 50
    assert (chosen(answer), answer.solution.base_value, answer.solution.value) == (["shop"], today, today - 6870)
    assert (answer.solution.sites[0].substitute, answer.solution.sites[0].loss) == (1, pytest.approx(6870 - 4700))
    worst = asked(county, objective="p-center", n_new=2)
    assert (sorted(chosen(worst)), worst.solution.value, worst.solution.base_value) == (["barn", "shop"], 40.0, 90.0)
    excess = asked(county, objective="least-excess", n_new=1)
    assert (chosen(excess), excess.solution.value) == (["shop"], 200 * 5 + 50 * 25 + 40 * 35)


def test_backup_counts_people_near_two_places(county):
    places = pd.DataFrame({"facility_id": ["P", "Q"], "name": ["P", "Q"]})
    near = sparse.csr_matrix(np.array([[3.0, 0, 0, 0, 0, 0, 0], [0, 4.0, 0, 0, 0, 0, 0]]))
    ground = replace(county, places=places, place_minutes=near, existing_min=np.full(7, np.inf))
    answer = asked(ground, objective="backup-cover", n_new=1)
    assert (chosen(answer), answer.solution.base_value, answer.solution.value) == (["hall"], 0.0, 300.0)


# ---- demands ----


def test_budget(county):
    answer = asked(county, budget=6.0)
    assert chosen(answer) == ["hall", "shop"]
    assert answer.summary()["cost"] == pytest.approx(5.0)
    assert {row["candidate_id"]: row["reason"] for row in asked(county, budget=3.0).summary()["rejected"]} == {
        "school": "too-costly", "shop": "less-gain", "barn": "too-costly", "web": "online",
    }  # fmt: skip


def test_group_weights(county):
    heavy = asked(county, n_new=1, group_factors={"relocated": 10})
    assert chosen(heavy) == ["barn"]
    assert heavy.solution.value == 500.0
    assert heavy.summary()["covered_people"] == 140.0


def test_locks_vetoes_and_must_serve(county):
    assert chosen(asked(county, n_new=2, lock_in=["barn"])) == ["school", "barn"]
    vetoed = asked(county, n_new=2, lock_out=["school"]).summary()
    assert [site["candidate_id"] for site in vetoed["chosen"]] == ["hall", "shop"]
    assert {row["candidate_id"]: row["reason"] for row in vetoed["rejected"]}["school"] == "vetoed"
    for wish in ("all", "S1", "New Home", "d5"):
        assert sorted(chosen(asked(county, n_new=1, must_serve=[wish]))) == ["barn"]
    blocked = asked(county, n_new=1, must_serve=["all"]).summary()["rejected"][0]
    assert (blocked["candidate_id"], blocked["reason"], blocked["rule"]["kind"]) == ("hall", "blocked", "must-serve")
    assert blocked["rule"]["name"] == "New Home"


def test_quotas_by_id_or_name(county):
    for town in ("B", "Birch"):
        assert sorted(chosen(asked(county, n_new=2, quotas=[Quota("town", town, 2)]))) == ["barn", "shop"]
        assert sorted(chosen(asked(county, n_new=2, quotas=[Quota("town", town, 0, 0)]))) == ["school"]
    assert sorted(chosen(asked(county, n_new=2, quotas=[Quota("way", "1", 1)]))) == ["hall", "shop"]
    assert sorted(chosen(asked(county, n_new=1, quotas=[Quota("tier", "station", 1)]))) == ["hall"]


def test_one_per_village_and_spacing(county):
    ground = replace(county, existing_min=np.full(7, np.inf))  # hall then adds d0
    assert sorted(chosen(asked(ground, n_new=3))) == ["hall", "school", "shop"]
    assert sorted(chosen(asked(ground, n_new=3, one_per=["village"]))) == ["barn", "hall", "shop"]
    assert sorted(chosen(asked(ground, n_new=3, one_per=["town"]))) == ["hall", "shop"]
    apart = {100: ["hall", "school", "shop"], 101: ["barn", "hall", "shop"], 5001: ["barn", "hall"]}
    for spacing, sites in apart.items():
        assert sorted(chosen(asked(ground, n_new=3, spacing_m=spacing))) == sites
    rule = asked(ground, n_new=2, spacing_m=101, lock_in=["hall"]).summary()["rejected"][0]["rule"]
    assert (rule["kind"], rule["other_name"], rule["number"]) == ("conflict", "School", 101)


def test_places_that_close_or_move(county):
    places = pd.DataFrame({"facility_id": ["P"], "name": ["Post"]})
    near = sparse.csr_matrix(np.array([[3.0, 0, 0, 0, 0, 0, 0]]))
    ground = replace(county, places=places, place_minutes=near, existing_min=np.full(7, np.inf))
    assert sorted(chosen(asked(ground, n_new=1))) == ["school"]
    moved = asked(ground, n_new=1, movable=["P"])  # P gives up its 100 for one more: hall takes them over
    assert sorted(chosen(moved)) == ["hall", "shop"]
    assert (moved.summary()["covered_people"], moved.summary()["closed"]) == (
        400.0, [{"facility_id": "P", "name": "Post"}],
    )  # fmt: skip
    fewest = asked(ground, objective="min-sites", closable=["P"], cover_share=0.9)
    assert fewest.solution.value == 3.0  # P counts as one when it stays: hall, school, shop or P, school, shop


def test_capacities_and_the_worst_served_town(county):
    # Within capacity: hall 150 of d1, school 250, shop 60, barn 40; P serves d0.
    answer = asked(county, n_new=1, has_capacities=True)
    assert (chosen(answer), answer.solution.value) == (["school"], 350.0)
    assert asked(county, n_new=1, has_capacities=True, lock_in=["shop"]).solution.value == 160.0
    # Without new ones A has 100 of 350, B none of 140: B first.
    fair = asked(county, n_new=1, fair_by="town")
    assert (chosen(fair), fair.solution.worst_share) == (["shop"], pytest.approx(100 / 350))


def test_years_are_nested_and_shared_evenly(county):
    answer = asked(county, n_new=3, phases=3, must_serve=["all"])
    phases = answer.summary()["phases"]
    assert [phase["sites"] for phase in phases] == [["school"], ["shop"], ["barn"]]
    assert [phase["value"] for phase in phases] == [350.0, 450.0, 490.0]
    assert all(phase["is_best"] and phase["is_checked"] for phase in phases)
    assert [(site["candidate_id"], site["year"]) for site in answer.summary()["chosen"]] == [
        ("school", 1), ("shop", 2), ("barn", 3),
    ]  # fmt: skip
    money = asked(county, phases=2, phase_budgets=[3.0, 4.0])
    assert [phase["sites"] for phase in money.summary()["phases"]] == [["hall"], ["shop"]]
    # Free of the first year, 7 buys school and shop: building in order costs 50 people.
    assert money.summary()["status"] == "feasible"
    assert money.summary()["gap"] == pytest.approx(50)
    assert money.summary()["phases"][1]["certified_free_bound"] >= 450.0


def test_the_curve_has_its_own_bounds(county):
    curve = asked(county, n_new=1, curve=4).summary()["curve"]
    assert [(point["n_new"], point["gain"]) for point in curve] == [(0, 0), (1, 250), (2, 350), (3, 390), (4, 390)]
    assert all(point["certified_bound"] == point["value"] and point["is_checked"] for point in curve)


def test_what_cannot_be_met_is_named(county):
    summary = asked(county, n_new=1, must_serve=["all"], lock_in=["hall"]).summary()
    assert summary["status"] == "infeasible"
    assert sorted(rule["kind"] for rule in summary["clash"]) == ["count", "lock-in", "must-serve"]
    assert {rule.get("name") for rule in summary["clash"]} == {None, "Old Hall", "New Home"}
    assert len(summary["unmet"]) == 1
    assert len(summary["chosen"]) == 1
    too_many = asked(county, n_new=3, quotas=[Quota("town", "Alder", 3)]).summary()
    assert [(rule["kind"], rule["name"], rule["number"]) for rule in too_many["clash"]] == [("quota-min", "Alder", 3)]
    online = asked(county, n_new=1, lock_in=["web"]).summary()
    assert {rule["kind"] for rule in online["clash"]} == {"lock-in", "lock-out"}
    assert [rule["why"] for rule in online["clash"] if rule["kind"] == "lock-out"] == ["online"]


def test_online_never_covers_whatever_is_asked(county):
    for objective in OBJECTIVES:
        wishes = Wishes(objective=objective, n_new=None if objective == "min-sites" else 5)
        answer = ask_siting(county, wishes)
        assert "web" not in chosen(answer)
        assert answer.problem.relation[4].nnz == 0


# ---- bad input ----


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"lock_in": ["nobody"]}, "no candidate"),
        ({"lock_out": ["nobody"]}, "no candidate"),
        ({"closable": ["P"]}, "no existing place"),
        ({"must_serve": ["S9"]}, "no settlement"),
        ({"quotas": [Quota("town", "Oak", 1)]}, "no town 'Oak'.*Alder"),
        ({"group_factors": {"children": 2.0}}, "no column `children`"),
    ],
)
def test_what_does_not_exist_is_named(county, wishes, words):
    with pytest.raises(InputError, match=words):
        ask_siting(county, Wishes(n_new=1, **wishes))


def test_costs_and_capacities_must_be_there(county):
    bare = replace(county, candidates=county.candidates.drop(columns=["cost", "capacity"]))
    with pytest.raises(InputError, match="needs the candidates' `cost`"):
        ask_siting(bare, Wishes(budget=5.0))
    with pytest.raises(InputError, match="have no `capacity`"):
        ask_siting(bare, Wishes(n_new=1, has_capacities=True))
    holes = county.candidates.assign(cost=[3.0, None, 2.0, 4.0, None])
    with pytest.raises(InputError, match="school"):
        ask_siting(replace(county, candidates=holes), Wishes(budget=5.0))
    assert chosen(asked(replace(county, candidates=holes), budget=5.0, lock_out=["school"])) == ["hall", "shop"]


# ---- progress ----


def test_progress_tells_value_and_bound_and_cancel_keeps_a_plan(county):
    class Listener(Cancellable):
        def update(self, done, total, message=""):
            assert 0 <= done <= total
            super().update(done, total, message)

    heard = Listener()
    ask_siting(county, Wishes(n_new=2, curve=2), heard)
    heard.cancel()
    answer = ask_siting(county, Wishes(n_new=2, phases=2, curve=2), heard)
    assert answer.solution.status in {"optimal", "feasible", "cancelled"}
    assert len(answer.solution.chosen) <= 2
    assert answer.check.is_valid
    assert Standing(10.0, 12.0).gap_share == pytest.approx(0.2)
    assert math.isnan(Standing(math.inf, 1.0).gap_share)
    with pytest.raises(CancelledError):
        heard.update(0, 1)


# ---- mixtures against brute force ----


def random_county(seed):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(3, 7)), int(rng.integers(3, 8))
    times = np.where(rng.random((n, m)) < 0.5, rng.integers(1, 25, (n, m)).astype(float), 0.0)
    ids = [f"c{row}" for row in range(n)]
    candidates = pd.DataFrame(
        {
            "candidate_id": ids,
            "way": [str(rng.choice(["1", "2", "6"])) for _ in ids],
            "town": [str(rng.choice(["A", "B"])) for _ in ids],
            "village": [None if rng.random() < 0.2 else str(rng.choice(["v", "w", "x"])) for _ in ids],
            "cost": rng.integers(1, 5, n).astype(float),
            "excluded": [None if rng.random() < 0.9 else "refused" for _ in ids],
            "geometry": [Point(x, 0) for x in rng.integers(0, 2000, n)],
        }
    )
    demand = pd.DataFrame(
        {
            "demand_id": [f"d{column}" for column in range(m)],
            "population": rng.integers(1, 20, m).astype(float),
            "age60": rng.integers(0, 2, m).astype(float),
            "settlement": [f"d{column}" if rng.random() < 0.3 else None for column in range(m)],
        }
    )
    existing = np.where(rng.random(m) < 0.4, rng.integers(5, 40, m).astype(float), np.inf)
    existing[rng.random(m) < 0.1] = np.nan
    ground = Ground(candidates, demand, sparse.csr_matrix(times), existing, 15.0)
    return ground, random_wishes(rng, demand, ids)


def random_wishes(rng, demand, ids):
    objective = str(rng.choice(["max-cover", "max-cover", "min-sites", "p-median", "least-excess", "p-center"]))
    wishes = {"objective": objective}
    if objective == "min-sites":
        wishes["cover_share"] = float(rng.choice([1.0, 0.8, 0.5]))
        wishes["by_cost"] = bool(rng.random() < 0.5)
    elif rng.random() < 0.4:
        wishes["budget"] = float(rng.integers(1, 9))
    else:
        wishes["n_new"] = int(rng.integers(1, 4))
    if rng.random() < 0.3:
        wishes["one_per"] = ["village"]
    if rng.random() < 0.4:
        wishes["spacing_m"] = float(rng.integers(100, 900))
    if rng.random() < 0.3:
        wishes["quotas"] = [Quota("town", "A", int(rng.integers(0, 2)), int(rng.integers(1, 3)))]
    if rng.random() < 0.3:
        wishes["lock_in"] = [str(rng.choice(ids))]
    if rng.random() < 0.2:
        wishes["lock_out"] = [str(rng.choice(ids))]
    if rng.random() < 0.2:
        wishes["group_factors"] = {"age60": 3.0}
    if rng.random() < 0.3 and demand["settlement"].notna().any():
        wishes["must_serve"] = ["all"]
    return Wishes(**wishes)


def brute(ground, wishes):
    """(plan -> (demands given up, limits broken, value)) straight from the tables and the words of the wishes."""
    table, n = ground.candidates, len(ground.candidates)
    if set(wishes.quotas and [wishes.quotas[0].value]) - set(table["town"]):
        return None
    minutes = np.where(ground.minutes.toarray() > 0, ground.minutes.toarray(), np.inf)
    minutes[table["way"] == "6"] = np.inf
    existing = np.where(np.isnan(ground.existing_min), np.inf, ground.existing_min)
    weights = ground.demand["population"].to_numpy(copy=True)
    for group, factor in wishes.group_factors.items():
        weights += (factor - 1) * ground.demand[group].to_numpy()
    out = (table["way"] == "6") | table["excluded"].notna() | table["candidate_id"].isin(wishes.lock_out)
    best_of_all = np.minimum(existing, minutes[~out].min(axis=0, initial=np.inf))
    found = {}
    for size in range(n + 1):
        for rows in itertools.combinations(range(n), size):
            part = table.iloc[list(rows)]
            limits = out.iloc[list(rows)].any()
            limits |= wishes.most_new is not None and size > wishes.most_new
            limits |= wishes.most_cost is not None and part["cost"].sum() > wishes.most_cost
            limits |= bool(wishes.one_per) and part["village"].dropna().duplicated().any()
            xs = [point.x for point in part["geometry"]]
            limits |= any(abs(one - two) < wishes.spacing_m for one, two in itertools.combinations(xs, 2))
            near = np.minimum(existing, minutes[list(rows)].min(axis=0, initial=np.inf))
            given_up = sum(name not in set(part["candidate_id"]) for name in wishes.lock_in)
            for quota in wishes.quotas:
                number = (part["town"] == quota.value).sum()
                limits |= number > quota.maximum
                given_up += number < quota.minimum
            if wishes.must_serve:
                given_up += int((near[ground.demand["settlement"].notna()] > 15).sum())
            found[rows] = (given_up, bool(limits), *value_of(wishes, weights, near, best_of_all, part))
    return found


def value_of(wishes, weights, near, best_of_all, part):
    """(value, whether the objective's own demand holds); every value: less is better."""
    if wishes.objective == "max-cover":
        return -weights[near <= 15].sum(), True
    if wishes.objective == "min-sites":
        can = weights[best_of_all <= 15].sum()
        cost = part["cost"].sum() if wishes.by_cost else len(part)
        return cost, weights[near <= 15].sum() >= wishes.cover_share * can - 1e-6
    reached = np.isfinite(near) & (weights > 0)
    is_whole = not (np.isfinite(best_of_all) & ~np.isfinite(near) & (weights > 0)).any()
    if wishes.objective == "p-center":
        return near[reached].max(initial=0.0), is_whole
    late = near[reached] - (15.0 if wishes.objective == "least-excess" else 0.0)
    return (weights[reached] * np.maximum(0.0, late)).sum(), is_whole


def mixture(seed):
    ground, wishes = random_county(seed)
    plans = brute(ground, wishes)
    if plans is None:
        return
    answer = ask_siting(ground, wishes)
    assert answer.check.is_valid, (seed, answer.check.problems)
    solution = answer.solution
    fine = {
        rows: value for rows, (given_up, limits, value, keeps) in plans.items() if not (given_up or limits) and keeps
    }
    sign = -1.0 if wishes.objective == "max-cover" else 1.0
    rows = tuple(sorted(solution.chosen))
    if fine:
        assert solution.status == "optimal", seed
        assert sign * solution.value == pytest.approx(min(fine.values())), (seed, wishes)
        for bound in (solution.certified_bound, solution.solver_bound):
            assert not sign * bound > min(fine.values()) + 1e-6, (seed, bound)
        reasons_hold(seed, answer, plans, fine, rows)
    else:
        assert solution.status == "infeasible", (seed, wishes)
        assert solution.clash, seed
        assert solution.unmet, seed
        kept = [each for each in plans.values() if not each[1]]
        assert plans[rows][0] == min(each[0] for each in kept), seed
    assert not plans[rows][1], seed


def reasons_hold(seed, answer, plans, fine, rows):
    """Substitutes and rejections against every exchange of one site."""
    sign = -1.0 if answer.wishes.objective == "max-cover" else 1.0
    now = fine[rows]

    def exchange(out, new):
        return fine.get(tuple(sorted((set(rows) - {out}) | {new})))

    others = [row for row in range(len(answer.ground.candidates)) if row not in rows]
    for site in answer.solution.sites:
        losses = {row: exchange(site.row, row) for row in others if exchange(site.row, row) is not None}
        if site.substitute is None:
            assert not losses, (seed, site, losses)
        else:
            assert site.loss == pytest.approx(min(losses.values()) - now), (seed, site, losses)
            assert losses[site.substitute] == pytest.approx(min(losses.values())), seed
    for each in answer.solution.rejected:
        found = [value for out in rows if (value := exchange(out, each.row)) is not None]
        if each.reason in {"blocked", "not-enough"}:
            assert not found, (seed, each, found)
        if each.reason == "less-gain" and found and answer.wishes.objective in {"min-sites", "p-center"}:
            assert each.loss == pytest.approx(max(0.0, min(found) - now)), (seed, each)
    assert sign


@pytest.mark.parametrize("block", range(4))
def test_mixtures_against_brute_force(block):
    for seed in range(block * 15, block * 15 + 15):
        mixture(seed)


@pytest.mark.slow
def test_many_mixtures_against_brute_force():
    for seed in range(1000, 1100):
        mixture(seed)


def test_whom_only_an_excluded_candidate_reaches_nobody_has_to_reach(county):
    ground = replace(county, existing_min=np.array([3.0, 20.0, 40.0, 40.0, 90.0, np.inf, np.inf]))
    refused = ground.candidates.assign(excluded=[None, None, None, "refused", None])
    answer = asked(replace(ground, candidates=refused), objective="p-median", n_new=1)
    assert (answer.solution.status, chosen(answer)) == ("optimal", ["shop"])
    assert sorted(chosen(asked(ground, objective="p-median", n_new=1))) == ["barn"]  # d5 can be reached, so it is
    both = asked(ground, objective="p-median", n_new=1, lock_in=["shop"]).summary()
    assert {rule["kind"] for rule in both["clash"]} == {"count", "lock-in", "reach"}


def test_a_row_that_a_place_beats_is_left_out_of_the_minutes(county):
    problem = problem_of(county, Wishes(objective="p-median", n_new=1))
    assert problem.minutes[0, 0] == 0.0  # hall is 5 from d0, P only 3
    assert problem.covers[0, 0]
