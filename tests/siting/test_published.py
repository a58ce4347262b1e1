"""Published instances with known optima: San Francisco, OR-Library."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from planner.siting.problem import SitingProblem
from planner.siting.proof.certificate import check_certificate
from planner.siting.solve import solve

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
sys.path.insert(0, str(ROOT / "benchmarks"))

pytestmark = pytest.mark.slow


def needs(path):
    return pytest.mark.skipif(not path.exists(), reason=f"missing {path}")


def san_francisco():
    folder = SHARED / "spopt_sf"
    with (folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (folder / "SF_demand_205_centroid_uniform_weight.csv").open() as file:
        tracts = sorted(csv.DictReader(file), key=lambda row: row["NAME"])
    stores = sorted({row["name"] for row in rows}, key=lambda name: int(name.split("_")[1]))
    place = {row["NAME"]: at for at, row in enumerate(tracts)}
    distance = np.full((len(stores), len(tracts)), np.inf)
    for row in rows:
        distance[stores.index(row["name"]), place[row["DestinationName"]]] = float(row["distance"])
    return distance, np.array([float(row["POP2000"]) for row in tracts])


@needs(SHARED / "spopt_sf")
def test_san_francisco_meets_every_expected_value():
    distance, people = san_francisco()
    expected = json.loads((SHARED / "spopt_sf" / "expected_values.json").read_text())
    for name, value in expected.items():
        kind, *parts = name.split()
        given = {part.split("=")[0]: float(part.split("=")[1]) for part in parts}
        problem = SitingProblem(weights=people, minutes=distance, cutoff_min=given.get("r"))
        n_new = int(given.get("p", 0))
        if kind == "LSCP":
            everyone = SitingProblem(weights=np.ones(people.size), covers=distance <= given["r"])
            solution = solve(everyone, "min-sites")
            if isinstance(value, str):
                assert not (distance <= given["r"]).any(axis=0).all()
                continue
        else:
            objective = {"MCLP": "max-cover", "PMEDIAN": "p-median", "PCENTER": "p-center"}[kind]
            solution = solve(problem, objective, n_new=n_new)
            assert check_certificate(problem, solution).is_valid
        assert solution.status == "optimal"
        assert solution.value == pytest.approx(value, rel=1e-9 if kind != "PCENTER" else 1e-7), name


@needs(SHARED / "pmed")
@pytest.mark.parametrize("number", [1, 2, 6])
def test_p_median_meets_the_proven_optimum(number):
    import or_library

    minutes, n_new = or_library.read_median(SHARED / "pmed" / f"pmed{number}.txt")
    optimum = or_library.median_optima()[f"pmed{number}"]
    problem = SitingProblem(weights=np.ones(len(minutes)), minutes=minutes)
    solution = solve(problem, "p-median", n_new=n_new)
    assert (solution.status, solution.value) == ("optimal", optimum)
    assert check_certificate(problem, solution).certified_bound == optimum


@needs(SHARED / "scp")
def test_set_cover_meets_the_proven_optimum():
    import or_library

    costs, covers = or_library.read_set_cover(SHARED / "scp" / "scp41.txt")
    optimum = or_library.set_cover_optima()["scp41"]
    problem = SitingProblem(weights=np.ones(covers.shape[1]), covers=covers, costs=costs)
    solution = solve(problem, "min-sites")
    assert (solution.status, solution.value) == ("optimal", optimum)
    assert check_certificate(problem, solution).is_valid
