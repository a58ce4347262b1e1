"""Scenarios of the what-if as a study keeps them: places and roads come back from the file as they were tried."""

import math

from planner.plan.trial import Edit, RoadEdit
from planner.store import open_study, save_study
from planner.ui.state import AppState, Opened
from planner.ui.what_if import KEPT, as_kept, kept_of

EDITS = [
    Edit("add", "+1", 500_000.25, 3_600_000.5), Edit("close", "S01"), Edit("move", "S02", 500_100.0, 3_600_100.0),
    RoadEdit("close", "R7"), RoadEdit("bridge", line=((500_000.0, 3_600_000.0), (500_050.0, 3_600_020.0))),
]  # fmt: skip


def test_a_kept_scenario_survives_the_file(lattice_file, tmp_path):
    study = open_study(lattice_file).with_metadata(**{KEPT: {"=桥<b>": [as_kept(edit) for edit in EDITS]}})
    path = tmp_path / "county.gpkg"
    path.write_bytes(lattice_file.read_bytes())
    save_study(study, path)
    (name, found), *others = kept_of(AppState("t", opened=Opened(open_study(path), "k", path))).items()
    assert (name, others) == ("=桥<b>", [])
    assert found[0] == EDITS[0]
    assert found[2:] == EDITS[2:]
    assert (found[1].kind, found[1].place_id, math.isnan(found[1].x)) == ("close", "S01", True)
