"""Settlements after a proposal: places that it closes serve nobody any more."""

from types import SimpleNamespace

import numpy as np

from planner.plan.ready import prepare
from planner.scenario import Scenario
from planner.ui.settlements import after_min
from tests.reference.lattice import lattice_study


def answer_of(study, *closed):
    sites = study.table("candidates").iloc[:1]
    return SimpleNamespace(sites=sites, summary=lambda: {"closed": [{"facility_id": name} for name in closed]})


def test_a_place_that_the_proposal_closes_serves_no_settlement():
    scenario, study = Scenario(main_tier="any"), lattice_study()
    homes, places = study.table("settlements"), study.table("facilities")
    reach = prepare(study, scenario)
    told = after_min(reach, answer_of(study), homes)
    for name in places["facility_id"]:
        without = prepare(study.with_table("facilities", places[places["facility_id"] != name]), scenario)
        expected = after_min(without, answer_of(study), homes)
        np.testing.assert_array_equal(after_min(reach, answer_of(study, name), homes), expected)
        assert not (expected < told).any()
