"""Which candidates to activate next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.coverage.minutes import access_of
from planner.network.snap import snap_table
from planner.plan.ready import areas_of, demand_access
from planner.progress import SILENT
from planner.reach.access import access_table
from planner.reach.travel_times import travel_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from planner.network.road_network import Snapped
    from planner.plan.ready import Reach
    from planner.progress import Progress
    from planner.scenario import Scenario
    from planner.siting.candidates import Proposals


def proposal_table(
    reach: Reach, access: pd.DataFrame | None = None, progress: Progress = SILENT
) -> tuple[gpd.GeoDataFrame, Proposals]:
    """Return the candidates to activate in rank order, and the siting problem with its solution and bounds.

    Computed for the scenario's main profile, main tier, time limit and `n_new`; existing places stay as they are.
    Settlements stand in the problem as rows without people: their people are part of demand. A candidate of a tier
    that does not count for the main tier, or whose owner refused, is never proposed; one without a tier can be any.

    Raises
    ------
    InputError
        When the study has no candidates.
    """
    from planner.siting.candidates import Wishes, propose_sites

    scenario, study, code = reach.scenario, reach.study, reach.scenario.main_profile
    candidates = study.table("candidates")
    access = demand_access(reach) if access is None else access
    snapped = _snap(reach, candidates, "candidate_id")
    existing = access_of(access, list(study.table("demand")["demand_id"]), code, scenario.main_tier)
    minutes = [travel_times(reach.profiles[code], snapped, reach.demand[code], scenario.cutoff_min, scenario.direction)]
    nearest_min = [existing["travel_time_min"].to_numpy(dtype=float)]
    people = [_demand_of_siting(reach)]
    if study.has("settlements"):
        settlements = study.tables["settlements"]
        homes = _snap(reach, settlements, "settlement_id")
        minutes.append(travel_times(reach.profiles[code], snapped, homes, scenario.cutoff_min, scenario.direction))
        served = access_table(reach.facilities, reach.places, {code: homes}, {code: reach.profiles[code]}, scenario)
        served = access_of(served, list(settlements["settlement_id"]), code, scenario.main_tier)
        nearest_min.append(served["travel_time_min"].to_numpy(dtype=float))
        names = settlements["name"].to_numpy(dtype=object)
        ids = settlements["settlement_id"].to_numpy(dtype=object)
        people.append(pd.DataFrame({"demand_id": ids, "population": 0.0, "settlement": names}))
    proposals = propose_sites(
        candidates,
        pd.concat(people, ignore_index=True),
        sparse.csr_matrix(sparse.hstack([times.minutes() for times in minutes])),
        np.concatenate(nearest_min),
        Wishes(cutoff_min=scenario.cutoff_min, n_new=scenario.n_new, lock_out=_not_to_open(candidates, scenario)),
        progress,
    )
    return _proposal_rows(candidates, proposals.summary()["chosen"]), proposals


def _not_to_open(candidates: gpd.GeoDataFrame, scenario: Scenario) -> list[str]:
    """Return the candidates that must not be proposed: those that would not count for the tier, those refused."""
    counted = scenario.tiers_of(scenario.main_tier)
    is_out = np.zeros(len(candidates), bool)
    if counted is not None and "tier" in candidates:
        is_out |= (candidates["tier"].notna() & ~candidates["tier"].isin(counted)).to_numpy(bool)
    if "consent" in candidates:
        is_out |= (candidates["consent"] == "refused").fillna(value=False).to_numpy(bool)
    return [str(each) for each in candidates.loc[is_out, "candidate_id"]]


def _snap(reach: Reach, table: gpd.GeoDataFrame, id_column: str) -> Snapped:
    code = reach.scenario.main_profile
    network = {code: reach.profiles[code]}
    return snap_table(network, table, id_column, reach.study.tables.get("barriers"))[code]


def _demand_of_siting(reach: Reach) -> pd.DataFrame:
    """Return the demand with the names of its towns and villages, as the answer will print them."""
    demand = pd.DataFrame(reach.study.table("demand").drop(columns="geometry"))
    areas = areas_of(reach.study)
    if areas is None:
        return demand
    names = areas.set_index("area_id")["name"]
    return demand.assign(
        town=reach.assigned["town_id"].map(names).to_numpy(dtype=object),
        village=reach.assigned["village_id"].map(names).to_numpy(dtype=object),
    )


def _proposal_rows(candidates: gpd.GeoDataFrame, sites: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    columns = ["candidate_id", "rank", "marginal_people", "total_people", "towns", "settlements"]
    table = pd.DataFrame(list(sites), columns=columns)
    for column in ("towns", "settlements"):
        table[column] = pd.Series(["、".join(names) for names in table[column]], dtype=object)
    merged = table.merge(pd.DataFrame(candidates), on="candidate_id", how="left", validate="one_to_one")
    return gpd.GeoDataFrame(merged, geometry="geometry", crs=candidates.crs)
