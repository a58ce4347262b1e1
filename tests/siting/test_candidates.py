"""A small county: five hamlets, four premises, one existing place."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import sparse

from planner.errors import InputError
from planner.siting.answer import ask_siting
from planner.siting.candidates import EXISTING_ROW, Ground, close_pairs, problem_of
from planner.siting.proof.certificate import check_certificate
from planner.wishes import Quota, Wishes


@pytest.fixture
def county():
    candidates = gpd.GeoDataFrame(
        {
            "candidate_id": ["hall", "school", "shop", "web"],
            "way": ["1", "2", "5", "6"],
            "town": ["A", "A", "B", "B"],
            "village": ["a1", "a1", "b1", "b2"],
            "cost": [3.0, 5.0, 2.0, 0.0],
            "geometry": [shapely.Point(0, 0), shapely.Point(100, 0), shapely.Point(5000, 0), shapely.Point(0, 0)],
        }
    )
    demand = pd.DataFrame(
        {
            "demand_id": ["d0", "d1", "d2", "d3", "d4"],
            "population": [100, 200, 50, 30, 70],
            "age60": [10, 0, 50, 0, 0],
            "town": ["A", "A", "A", "B", "B"],
        }
    )
    rows, columns, times = zip(
        *[(0, 0, 5), (0, 1, 15), (1, 1, 3), (1, 2, 15.01), (2, 3, 0), (2, 4, 9), (3, 0, 1), (3, 1, 1), (3, 2, 1)],
        strict=True,
    )
    minutes = sparse.csr_matrix((np.array(times, dtype=float), (rows, columns)), shape=(4, 5))
    return Ground(candidates, demand, minutes, np.array([3.0, 20.0, np.inf, 40.0, np.nan]), 15.0)


def test_proposals_count_new_people_and_never_the_web(county):
    proposals = ask_siting(county, Wishes(n_new=3))
    summary = proposals.summary()
    assert summary["status"] == "optimal"
    assert summary["objective_people"] == pytest.approx(300)
    assert summary["bound_people"] == pytest.approx(300)
    assert summary["gap_share"] == pytest.approx(0)
    assert [(row["candidate_id"], row["rank"], row["marginal_people"]) for row in summary["chosen"]] == [
        ("hall", 1, 200.0),
        ("shop", 2, 100.0),
    ]
    assert check_certificate(proposals.problem, proposals.solution).is_valid
    reasons = {each["candidate_id"]: each["reason"] for each in summary["rejected"]}
    assert reasons == {"school": "dominated", "web": "online"}


def test_existing_places_cover_whom_they_reach(county):
    problem = problem_of(county, Wishes(n_new=1))
    assert problem.row_name(4) == EXISTING_ROW
    assert problem.covers[4].toarray().ravel().tolist() == [True, False, False, False, False]
    assert problem.covers[1].toarray().ravel().tolist() == [False, True, False, False, False]


def test_rules_reach_the_problem(county):
    wishes = Wishes(
        budget=5.0, quotas=[Quota("town", "A", maximum=0)], one_per=["village"], spacing_m=500,
        group_factors={"age60": 2.0}, must_serve=["d3"], lock_out=["school"],
    )  # fmt: skip
    problem = problem_of(county, wishes)
    assert problem.weights.tolist() == [110, 200, 100, 30, 70]
    assert problem.conflicts.tolist() == [[0, 1], [0, 3], [1, 3]]
    summary = ask_siting(county, wishes).summary()
    assert [row["candidate_id"] for row in summary["chosen"]] == ["shop"]


def test_pairs_at_the_very_spacing_are_apart(county):
    assert close_pairs(county.candidates, 100.0).tolist() == [[0, 3]]


def test_what_does_not_fit_is_refused(county):
    with pytest.raises(InputError, match="do not fit"):
        ask_siting(replace(county, candidates=county.candidates[:3]), Wishes(n_new=1))
    with pytest.raises(InputError, match="no candidate"):
        ask_siting(county, Wishes(n_new=1, lock_in=["nobody"]))
