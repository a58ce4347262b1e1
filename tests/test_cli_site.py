"""`planner site`: every option reaches the question, bad input is one message, ctrl-C keeps a plan."""

import os
import re
import signal

import pytest

from planner.cli.siting import StoppableBars
from planner.errors import CancelledError
from planner.outputs.layers import siting_tables
from planner.outputs.proof import told
from planner.plan.proposals import propose
from planner.plan.ready import prepare
from planner.progress import Cancellable, Standing
from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
from planner.wishes import Quota, Wishes
from tests.reference.lattice import lattice_study

NEAR = ("--cutoff", "4")


def asked(planner, file, *words):
    answer = planner("site", file, *NEAR, *words, "--json")
    assert answer.code == 0, answer.err
    return answer.document


def ids(document):
    return [site["candidate_id"] for site in document["chosen"]]


def test_the_answer_carries_both_bounds_the_check_and_every_reason(planner, lattice_file):
    document = asked(planner, lattice_file, "--n-new", 2, "--curve", 3)
    assert (document["objective"], document["status"], document["proven_by"]) == ("max-cover", "optimal", "certificate")
    assert document["check"]["is_valid"]
    assert document["value"] == document["certified_bound"] == document["solver_bound"]
    assert document["objective_people"] == document["bound_people"]
    assert document["objective_people"] == sum(site["marginal_people"] for site in document["chosen"])
    assert len(document["chosen"]) == 2
    assert len(document["chosen"]) + len(document["rejected"]) == len(lattice_study().table("candidates"))
    assert all(row["why"] for row in document["rejected"])
    assert [point["n_new"] for point in document["curve"]] == [0, 1, 2, 3]
    assert "no plan of 2 places can do better (dual certificate, independently checked)" in document["sentence"]
    assert document["question"][:2] == ["most people within the limit", "at most 2 new places"]


def test_every_objective_answers(planner, lattice_file):
    for objective in ("max-cover", "backup-cover", "min-sites", "p-median", "p-center", "least-excess"):
        document = asked(planner, lattice_file, "--objective", objective)
        assert (document["objective"], document["status"]) == (objective, "optimal")
        assert document["check"]["is_valid"], objective
        assert "C4" not in ids(document)  # online
    cheap = asked(planner, lattice_file, "--objective", "min-sites", "--by-cost", "--cover-share", "0.9")
    assert cheap["unit"] == "cost"
    assert cheap["cost"] == pytest.approx(cheap["value"])


def test_demands_reach_the_plan(planner, lattice_file):
    free = ids(asked(planner, lattice_file, "--n-new", 2))
    other = next(name for name in ("C0", "C3", "C5") if name not in free)
    locked = asked(planner, lattice_file, "--n-new", 2, "--lock", other, "--veto", free[0])
    assert other in ids(locked)
    assert free[0] not in ids(locked)
    assert {row["candidate_id"]: row["reason"] for row in locked["rejected"]}[free[0]] == "vetoed"
    town = asked(planner, lattice_file, "--n-new", 3, "--quota", "town:A:1:1", "--quota", "way:1::0")
    towns = lattice_study().table("areas").set_index("area_id")["name"]
    assert f"at least 1 new in town '{towns['A']}'" in town["question"]
    years = asked(planner, lattice_file, "--year-n-new", 1, "--year-n-new", 2, "--one-per-village", "--spacing-m", 50)
    assert [len(phase["sites"]) <= limit for phase, limit in zip(years["phases"], (1, 2), strict=True)] == [True, True]
    assert {"at most one new place per village (community)", "new places at least 50 m apart"} & set(years["question"])
    money = asked(planner, lattice_file, "--budget", 4.5)
    assert money["cost"] <= 4.5


def test_what_clashes_is_told_by_name_in_both_languages(planner, lattice_file, monkeypatch):
    document = asked(planner, lattice_file, "--n-new", 1, "--must-serve", "all")
    assert document["status"] == "infeasible"
    settlement = lattice_study().table("settlements").iloc[0]
    assert any(str(settlement["name"]) in rule["words"] for rule in document["unmet"])
    assert document["clash"][0]["words"].endswith("but no candidate or existing place is near enough")
    shown = planner("site", lattice_file, *NEAR, "--n-new", 1, "--must-serve", "all")
    assert shown.code == 0
    assert "Smallest set of demands that clash" in shown.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lock", "nobody"), "no candidate"),
        (("--veto", "nobody"), "no candidate"),
        (("--may-close", "nobody"), "no existing place"),
        (("--must-serve", "nobody"), "no settlement"),
        (("--quota", "town:Nowhere:1:2"), "There is no town 'Nowhere'"),
        (("--quota", "town:A:3:1"), "the quota of town 'A' is 3 to 1"),
        (("--quota", "town:A"), "is no quota"),
        (("--quota", "colour:red:1:2"), "it can be of a town"),
        (("--group-weight", "relocated"), "is no group weight"),
        (("--group-weight", "giants=2"), "giants"),
        (("--objective", "best"), "is no objective"),
        (("--budget", "-1"), "budget"),
        (("--cover-share", "2"), "cover_share"),
        (("--fair-by", "planet"), "fair_by"),
        (("--objective", "p-median", "--phases", "3"), "works with max-cover only"),
        (("--objective", "min-sites", "--curve", "3"), "has no curve"),
        (("--year-n-new", "1", "--phases", "3"), "one entry for each"),
    ],
)
def test_bad_input_is_one_message(planner, lattice_file, words, said):
    answer = planner("site", lattice_file, *words, "--json")
    assert answer.code == 2
    assert answer.out == ""
    assert said in re.sub(r"\s+", " ", answer.err)
    assert "Traceback" not in answer.err


def test_a_budget_without_costs_is_one_message(planner, tmp_path):
    from dataclasses import replace

    from planner.store import save_study

    study = lattice_study()
    tables = {**study.tables, "candidates": study.table("candidates").drop(columns="cost")}
    path = tmp_path / "bare.gpkg"
    save_study(replace(study, tables=tables, revision=0), path)
    answer = planner("site", path, "--budget", 5)
    assert answer.code == 2
    assert "needs the candidates' `cost`" in re.sub(r"\s+", " ", answer.err)


def test_ctrl_c_is_heard_at_the_next_report_and_then_ends_the_program():
    former = signal.getsignal(signal.SIGINT)
    with StoppableBars() as bars:
        bars.update(0.5, 1.0, Standing(10.0, 12.0))
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(CancelledError):
            bars.update(0.6, 1.0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is former


def test_a_plan_that_is_stopped_is_still_an_answer():
    class Stopped(Cancellable):
        def update(self, done, total, message=""):
            if isinstance(message, Standing):
                self.cancel()
            super().update(done, total, message)

    reach = prepare(lattice_study(), Scenario(cutoff_min=4).with_choices(profiles=["walk"]))
    proposals = propose(reach, Wishes(n_new=2, curve=5, must_serve=["all"]), progress=Stopped())
    assert proposals.answer.check.is_valid
    assert proposals.solution.status in {"cancelled", "infeasible"}
    assert told(proposals, "zh")["sentence"]


def test_closing_places_and_layers_of_the_proof():
    study = lattice_study()
    reach = prepare(study, Scenario(cutoff_min=4).with_choices(profiles=["walk"]))
    place = str(reach.facilities["facility_id"].iloc[0])
    moved = propose(reach, Wishes(n_new=0, movable=[place]))
    kept = propose(reach, Wishes(n_new=0))
    assert moved.solution.value >= kept.solution.value
    assert moved.answer.people_within(moved.answer.before) == kept.answer.people_within(kept.answer.before)
    layers = siting_tables(kept)
    row = layers["siting"].iloc[0]
    assert (row["certified_bound"], row["solver_bound"], row["is_checked"]) == (row["value"], row["value"], True)
    assert len(layers["siting_rejected"]) == len(study.table("candidates"))


def test_the_question_is_kept_in_the_scenario():
    wishes = Wishes(budget=9.0, quotas=[Quota("town", "A", 1, None)], must_serve=["all"], group_factors={"age60": 2.0})
    scenario = Scenario(siting=wishes)
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario
    assert scenario_from_toml("n_new = 3").siting == Wishes(n_new=3)
    assert Wishes().most_new == 10
    assert Wishes(budget=1.0).most_new is None
    assert Wishes(objective="min-sites").most_new is None
    assert Wishes(phases=3, n_new=5, budget=9.0).years() == ([2, 4, 5], [3.0, 6.0, 9.0])
