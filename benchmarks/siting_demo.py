"""The demo county: ten sites, then ten years with quotas, settlements to serve, spacing and a budget, timed.

Run: python benchmarks/siting_demo.py [STUDY.gpkg]; without a study the demo county is made first (some minutes).
Seconds are those of siting alone (question, search, check, reasons); roads and travel times are made before.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from planner.demo.journey import run_demo
from planner.outputs.proof import proof_sentence
from planner.plan.proposals import ground_of
from planner.plan.ready import demand_access, prepare
from planner.scenario import Scenario
from planner.siting.answer import ask_siting
from planner.store import open_study
from planner.wishes import Quota, Wishes


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(run_demo(Path(tempfile.mkdtemp()) / "demo")[1])
    study = open_study(path)
    scenario = Scenario().with_choices(profiles=["walk"])
    reach = prepare(study, scenario)
    access = demand_access(reach)
    candidates = study.table("candidates")
    print(f"{len(candidates)} candidates, {len(study.table('demand'))} demand points")
    # The first answer of a process also loads the solver: it is not timed.
    _ask(reach, access, "warm-up", Wishes(n_new=1))
    _ask(reach, access, "10 sites", Wishes(n_new=10))
    _ask(reach, access, "10 sites and the curve 0-20", Wishes(n_new=10, curve=20))
    served = _servable(reach, access)
    towns = sorted({town for town in _towns(reach, access) if town is not None})
    wishes = Wishes(
        phases=10,
        n_new=30,
        budget=0.6 * 30 * float(candidates["cost"].mean()),
        must_serve=served,
        quotas=[Quota("town", towns[0], 1, 2), Quota("town", towns[1], 1, None), Quota("way", "1", 2, 12)],
        one_per=["village"],
        spacing_m=800,
        time_limit_s=30,
    )
    _ask(reach, access, "10 years, 30 sites, quotas, settlements, spacing, budget", wishes)
    clash = wishes.with_choices(must_serve=["all"], phases=0)
    _ask(reach, access, "the same in one plan with every settlement (cannot be met)", clash)


def _ask(reach, access, name, wishes):
    ground = ground_of(reach, wishes, access)
    wall, cpu = time.perf_counter(), time.process_time()
    answer = ask_siting(ground, wishes)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    summary = answer.summary()
    check = "checked" if summary["check"]["is_valid"] else "CHECK FAILED"
    print(f"{name}: {wall:.2f} s ({cpu:.2f} s of CPU), {summary['status']}, {check}")
    print(f"  {proof_sentence(summary, 'en')}")
    for phase in summary["phases"]:
        best = "proven best" if phase["is_best"] else f"at most {phase['best_after_years_before']:,.0f}"
        print(f"  year {phase['year']}: {len(phase['sites'])} sites, {phase['value']:,.0f} people ({best})")
    for rule in summary["clash"]:
        print(f"  clash: {rule}")


def _servable(reach, access):
    """The three largest settlements that some candidate serves and no existing place does."""
    ground = ground_of(reach, Wishes(must_serve=["all"]), access)
    people = dict(zip(*(reach.study.table("settlements")[name] for name in ("settlement_id", "people")), strict=True))
    near = (ground.minutes.tocsc().getnnz(axis=0) > 0) & ~(ground.existing_min <= ground.cutoff_min)
    ids = [name for name, is_near in zip(ground.demand_ids, near, strict=True) if is_near and name in people]
    return sorted(ids, key=lambda name: (-people[name], name))[:3]


def _towns(reach, access):
    return list(ground_of(reach, Wishes(), access).candidates["town"])


if __name__ == "__main__":
    main()
