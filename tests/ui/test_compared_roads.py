"""The difference map of two scenarios with roads tried: its minutes are those of the what-if, point by point."""

import numpy as np
import pytest

from planner.plan.trial import RoadEdit, apply_road_edit, start_trial
from planner.progress import SILENT
from planner.scenario import Scenario
from planner.ui.answers import make_ready, surface_tried
from tests.reference.lattice import EAST, NORTH, lattice_study


@pytest.fixture(scope="module")
def made():
    return make_ready("lattice", lattice_study(), Scenario(main_tier="any", cutoff_min=15.0), SILENT)


@pytest.mark.parametrize("edits", [
    [], [RoadEdit("close", "r0")],
    [RoadEdit("bridge", line=((EAST + 110.0, NORTH + 90.0), (EAST + 790.0, NORTH + 610.0)))],
])  # fmt: skip
def test_the_map_of_a_what_if_with_roads_says_the_minutes_of_its_people(made, edits):
    trial = start_trial(made.reach)
    for edit in edits:
        apply_road_edit(made.reach, trial, edit)
    surface = surface_tried(made, made.reach.scenario.main_profile, trial)
    at = made.reach.study.table("demand").geometry
    np.testing.assert_allclose(surface.minutes_at(at.x, at.y), trial.minutes(), atol=0.011)
