"""A what-if in people: places added, moved and closed one after another, and whom the county covers then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from planner.coverage.areas import AREA_COLUMNS
from planner.coverage.minutes import is_covered
from planner.errors import InputError
from planner.network.snap import snap_points
from planner.plan.coverage import coverage_table
from planner.plan.road_changes import rows_of_road
from planner.reach.access import DISCONNECTED, REACHABLE, UNKNOWN, chosen
from planner.reach.road_edits import build_bridge, change_road, close_road
from planner.reach.what_if import add_place, close_place, move_place, start_what_if

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from planner.network.road_network import Snapped
    from planner.plan.ready import Reach
    from planner.reach.what_if import WhatIf

EditKind = Literal["add", "move", "close"]
RoadEditKind = Literal["close", "change", "bridge"]
_HORIZON_MIN = 120.0


@dataclass(frozen=True)
class Edit:
    """One step of a what-if.

    Attributes
    ----------
    kind : "add", "move" or "close".
    place_id : of the place.
    x, y : where it is put, metres in the study's CRS; NaN for "close".
    """

    kind: EditKind
    place_id: str
    x: float = float("nan")
    y: float = float("nan")


@dataclass(frozen=True)
class RoadEdit:
    """One road of a what-if.

    Attributes
    ----------
    kind : "close", "change" or "bridge".
    road_id : of the road that is closed or changed; see `planner.plan.road_changes.rows_of_road`.
    road_class : that it gets.
    line : vertices of a footbridge, metres in the study's CRS; its ends are led to the nearest roads.
    """

    kind: RoadEditKind
    road_id: str = ""
    road_class: str = "footway"
    line: tuple[tuple[float, float], ...] = ()


def start_trial(reach: Reach) -> WhatIf:
    """Return a what-if of the scenario's main profile in which every place of its main tier is open."""
    scenario, code = reach.scenario, reach.scenario.main_profile
    counted = scenario.tiers_of(scenario.main_tier)
    of_tier = reach.facilities["tier"].to_numpy(dtype=object)
    rows = np.flatnonzero(np.ones(len(of_tier), bool) if counted is None else np.isin(of_tier, counted))
    horizon_min = max(_HORIZON_MIN, 2 * scenario.cutoff_min)
    return start_what_if(
        reach.profiles[code], chosen(reach.places[code], rows), reach.demand[code], scenario.direction, horizon_min,
        reach.study.tables.get("barriers"),
    )  # fmt: skip


def apply_edit(reach: Reach, trial: WhatIf, edit: Edit) -> None:
    """Change the what-if by one edit; `planner.reach.what_if.undo` takes it back.

    Raises
    ------
    InputError
        When there is no such open place, or no usable road near where it is put.
    """
    if edit.kind == "close":
        close_place(trial, edit.place_id)
        return
    place = _position(reach, trial, edit)
    if edit.kind == "add":
        add_place(trial, place)
    else:
        move_place(trial, edit.place_id, place)


def apply_road_edit(reach: Reach, trial: WhatIf, edit: RoadEdit) -> None:
    """Change a road of the what-if; `planner.reach.what_if.undo` takes it back.

    Raises
    ------
    InputError
        When there is no such road or class, or a footbridge has an end that no road is near.
    """
    import shapely

    if edit.kind == "bridge":
        build_bridge(trial, shapely.LineString(edit.line), edit.road_class)
        return
    rows = rows_of_road(reach.study, edit.road_id)
    if edit.kind == "close":
        close_road(trial, rows)
    else:
        change_road(trial, rows, edit.road_class)


def tried(reach: Reach, edits: Sequence[Edit | RoadEdit]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the access tables (see `trial_access`) before and after `edits`, one after another.

    Raises
    ------
    InputError
        As `apply_edit` and `apply_road_edit`.
    """
    trial = start_trial(reach)
    before = trial_access(reach, trial)
    for edit in edits:
        if isinstance(edit, RoadEdit):
            apply_road_edit(reach, trial, edit)
        else:
            apply_edit(reach, trial, edit)
    return before, trial_access(reach, trial)


def trial_table(reach: Reach, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return whom the main profile and tier cover by the two access tables of `tried`.

    Columns of the areas (area_level, area_id, area_name, area_class), group, population, before_people, after_people,
    gained_people (after less before).
    """
    table = coverage_table(reach, before)
    people = table["covered_people"].to_numpy()
    now = coverage_table(reach, after)["covered_people"].to_numpy()
    return table[[*AREA_COLUMNS, "group", "population"]].assign(
        before_people=people, after_people=now, gained_people=now - people
    )


def surprises(
    reach: Reach, edits: Sequence[Edit | RoadEdit], before_min: ArrayLike, after_min: ArrayLike
) -> dict[str, float]:
    """Return the people whom edits turned the other way: "gained" where all edits close, "lost" where all add; else {}.

    They are counted one by one: whom a closed road covers is told, however many more it leaves uncovered. It happens
    where people touch another road than before: the next one beside a closed road may lead sooner to a place, and a
    new road that is nearer may lead later to one.

    Parameters
    ----------
    before_min, after_min : float[n_demand], minutes to the nearest place, in the order of the demand table.
    """
    kinds = {edit.kind for edit in edits}
    people = reach.study.table("demand")["population"].to_numpy(dtype=float)
    was, now = (is_covered(minutes, reach.scenario.cutoff_min) for minutes in (before_min, after_min))
    turned = {}
    if kinds == {"close"}:
        turned["gained"] = float(people[now & ~was].sum())
    elif kinds and kinds <= {"add", "bridge"}:
        turned["lost"] = float(people[was & ~now].sum())
    return {kind: number for kind, number in turned.items() if number > 0}


def _position(reach: Reach, trial: WhatIf, edit: Edit) -> Snapped:
    network = trial.profile_network
    ids = np.array([edit.place_id], object)
    place = snap_points(network, ids, np.array([edit.x]), np.array([edit.y]), reach.study.tables.get("barriers"))
    if place.edge[0] < 0:
        raise InputError(
            f"No usable road within {network.profile.max_access_m:g} m of this spot: nobody can say whom a place here "
            "would serve. Choose a spot by a road."
        )
    return place


def trial_access(reach: Reach, trial: WhatIf) -> pd.DataFrame:
    """Return the access table of a what-if, for its profile and tier alone: fit for `coverage_table`.

    Whoever needs more than two hours counts as out of reach.
    """
    minutes = trial.minutes()
    place = trial.nearest.place[:, 0]
    names = np.array([*trial.places.ids, None], object)
    reached = np.where(np.isfinite(minutes), place, -1)
    return pd.DataFrame(
        {
            "point_id": trial.points.ids,
            "profile": reach.scenario.main_profile,
            "tier": reach.scenario.main_tier,
            "facility_id": names[reached],
            "travel_time_min": minutes,
            "status": np.select([np.isnan(minutes), np.isinf(minutes)], [UNKNOWN, DISCONNECTED], REACHABLE),
        }
    )
