"""Which candidate would close most of a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from planner.coverage.gaps import gap_members
from planner.coverage.places import ONLINE_WAY
from planner.network.snap import snap_table
from planner.plan.ready import demand_access
from planner.reach.travel_times import travel_times

if TYPE_CHECKING:
    from planner.plan.ready import Reach

COLUMNS = ("gap_id", "candidate_id", "candidate_name", "closed_people")


def gap_closers(reach: Reach, access: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return for every gap the candidate within whose time limit most of its people live.

    Columns gap_id, candidate_id, candidate_name, closed_people; a gap that no candidate reaches has no row. Online
    platforms (way 6) and sites whose owner refused close nothing. Ties go to the candidate whose id sorts first.
    """
    study, scenario, code = reach.study, reach.scenario, reach.scenario.main_profile
    if not study.has("candidates"):
        return pd.DataFrame(columns=list(COLUMNS))
    members = gap_members(study, demand_access(reach) if access is None else access, reach.assigned, scenario)
    candidates = study.tables["candidates"]
    usable = candidates["way"].astype(str) != ONLINE_WAY
    if "consent" in candidates:
        usable &= candidates["consent"].fillna("") != "refused"
    candidates = candidates[usable].sort_values("candidate_id").reset_index(drop=True)
    network = {code: reach.profiles[code]}
    snapped = snap_table(network, candidates, "candidate_id", study.tables.get("barriers"))[code]
    times = travel_times(reach.profiles[code], snapped, reach.demand[code], scenario.cutoff_min, scenario.direction)
    within = times.minutes()
    within.data = np.ones_like(within.data)
    row_of = pd.Series(np.arange(len(reach.demand[code])), index=[str(one) for one in reach.demand[code].ids])
    at = row_of.reindex(members["demand_id"].astype(str)).to_numpy(dtype=np.int64)
    gaps, gap = np.unique(members["gap_id"].to_numpy(dtype=object).astype(str), return_inverse=True)
    shape = (len(reach.demand[code]), len(gaps))
    people = sparse.csr_array((members["people"].to_numpy(dtype=float), (at, gap)), shape=shape)
    closed = (within @ people).toarray()
    if not closed.size:
        return pd.DataFrame(columns=list(COLUMNS))
    best = closed.argmax(axis=0)
    most = closed[best, np.arange(len(gaps))]
    table = pd.DataFrame({
        "gap_id": gaps, "candidate_id": candidates["candidate_id"].to_numpy(dtype=object)[best],
        "candidate_name": candidates["name"].to_numpy(dtype=object)[best], "closed_people": most,
    })  # fmt: skip
    return table[table["closed_people"] > 0].reset_index(drop=True)
