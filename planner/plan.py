"""From a study and a scenario to a plan: the stages, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.coverage.areas import assign_areas
from planner.coverage.checklist import checklist_findings, checklist_totals, qualified_ids, rectification_list
from planner.coverage.gaps import gap_areas, gap_members
from planner.coverage.hierarchy import findings_table, hierarchy_findings, tier_table
from planner.coverage.minutes import access_of, is_covered
from planner.coverage.norms import compare_standards, standard_table
from planner.coverage.places import counted_places
from planner.coverage.population_share import coverage_table as people_within
from planner.coverage.settlements import audit_settlements, nearest_places, settlement_totals
from planner.coverage.verdicts import (
    administrative_people,
    administrative_verdict,
    differing_villages,
    two_verdicts,
    verdict_matrix,
)
from planner.errors import ScenarioError
from planner.network.cache import cached_network
from planner.network.components import summary
from planner.network.snap import snap_records, snap_table, unplaced
from planner.network.speeds import prepare_profile
from planner.progress import SILENT
from planner.reach.access import access_table, chosen, places_by_id
from planner.reach.service_areas import service_areas
from planner.reach.snap_grid import make_snap_grid
from planner.reach.surfaces import time_surface
from planner.reach.travel_times import travel_times
from planner.scenario import GROUPS
from planner.schema import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork, RoadNetwork, Snapped
    from planner.progress import Progress
    from planner.reach.snap_grid import SnapGrid
    from planner.reach.surfaces import TimeSurface
    from planner.scenario import Scenario
    from planner.siting.candidates import Proposals
    from planner.study import Study
    from planner.texts import Language


@dataclass(frozen=True)
class Reach:
    """The roads of a study made ready for a scenario, with places and people on them.

    Attributes
    ----------
    study, scenario : what it was made from.
    network : the road graph.
    profiles : by profile code.
    facilities : places that coverage counts, by id; online services and light places are not among them.
    places : the same on the network, by profile code.
    demand : demand points on the network, by profile code.
    assigned : town, village and class of every demand point.
    unplaced : one row a place or demand point that touches no road (kind, id, profile, reason).
    """

    study: Study
    scenario: Scenario
    network: RoadNetwork
    profiles: Mapping[str, ProfileNetwork]
    facilities: gpd.GeoDataFrame
    places: Mapping[str, Snapped]
    demand: Mapping[str, Snapped]
    assigned: pd.DataFrame
    unplaced: pd.DataFrame


@dataclass(frozen=True)
class SettlementAudit:
    """The check of the relocation settlements: one row each, their nearest places, and the totals by size class."""

    table: gpd.GeoDataFrame
    nearest: pd.DataFrame
    totals: pd.DataFrame


@dataclass(frozen=True)
class PracticeNetwork:
    """What the places are, beside whom they reach.

    Attributes
    ----------
    tiers : the pyramid in figures.
    findings : what contradicts the pyramid, the checklists or the opening hours, as a layer.
    checklist : the checklist summed by tier and town.
    rectification : which place lacks what, as a layer.
    place_sets : coverage by all named places and by qualified ones alone (`place_set`).
    verdicts : both verdicts for every area and group, profiles side by side, for the main tier.
    standard : coverage by the rules of the scenario's standard; empty when that is a name in words only.
    """

    tiers: pd.DataFrame
    findings: gpd.GeoDataFrame
    checklist: pd.DataFrame
    rectification: gpd.GeoDataFrame
    place_sets: pd.DataFrame
    verdicts: pd.DataFrame
    standard: pd.DataFrame


@dataclass(frozen=True)
class Plan:
    """Everything a scenario says about a study.

    Attributes
    ----------
    study, scenario : what it was made from.
    network : counts of the road graph.
    access : minutes to the nearest place, one row per demand point, profile and tier.
    coverage : people within the time limit, one row per tier, profile, group and area, with the administrative verdict
        beside the minutes.
    curve : the same for the county over several time limits.
    differing : villages where the two verdicts differ.
    circles : practice circles of every place and profile at the time limit.
    surfaces : minutes to the nearest place of the main tier as a raster, by profile.
    gaps : uncovered people as areas one can name.
    settlements : one row per relocation settlement.
    settlement_nearest : nearest place of each tier by each profile, per settlement.
    settlement_totals : served, unserved and unknown people of all settlements.
    proposals : chosen candidate sites in rank order.
    siting : the problem and its solution with value, bound and certificate; None without candidates.
    unplaced : what touches no road.
    practice : what the places are: pyramid, checklist, standards.
    """

    study: Study
    scenario: Scenario
    network: Mapping[str, Any]
    access: pd.DataFrame
    coverage: pd.DataFrame
    curve: pd.DataFrame
    differing: pd.DataFrame
    circles: gpd.GeoDataFrame
    surfaces: Mapping[str, TimeSurface]
    gaps: gpd.GeoDataFrame
    settlements: gpd.GeoDataFrame
    settlement_nearest: pd.DataFrame
    settlement_totals: pd.DataFrame
    proposals: gpd.GeoDataFrame
    siting: Proposals | None
    unplaced: pd.DataFrame
    practice: PracticeNetwork


def prepare(study: Study, scenario: Scenario, progress: Progress = SILENT) -> Reach:
    """Return the study's roads, places and people made ready for a scenario.

    Raises
    ------
    InputError
        When the study has no roads or no demand.
    """
    demand = study.table("demand")
    progress.update(0, 3, "network")
    network = network_of(study)
    progress.update(1, 3, "profiles")
    profiles = {code: prepare_profile(network, profile) for code, profile in scenario.profiles.items()}
    progress.update(2, 3, "snap")
    barriers = study.tables.get("barriers")
    facilities = _facilities(study, scenario)
    places = snap_table(profiles, facilities, "facility_id", barriers)
    points = snap_table(profiles, demand, "demand_id", barriers)
    records = [snap_records(kind, snapped, profiles) for kind, snapped in (("facilities", places), ("demand", points))]
    progress.update(3, 3, "snap")
    return Reach(
        study=study,
        scenario=scenario,
        network=network,
        profiles=profiles,
        facilities=facilities,
        places=places,
        demand=points,
        assigned=assign_areas(demand, areas_of(study)),
        unplaced=unplaced(pd.concat(records)),
    )


def network_of(study: Study) -> RoadNetwork:
    """Return the road graph of a study, from the cache when the same roads were built before.

    Raises
    ------
    InputError
        When the study has no roads.
    """
    return cached_network(study.table("roads"), study.crs, study.grids.get("elevation"))


def describe_network(study: Study) -> dict[str, Any]:
    """Return counts of the noded, uncontracted road graph, and of what its import left out."""
    return {**summary(network_of(study)), "n_missing_nodes": int(study.metadata.get("n_missing_nodes", 0))}


def areas_of(study: Study) -> gpd.GeoDataFrame | None:
    """Return the county, towns and villages of a study; None when it has none."""
    return study.tables["areas"] if study.has("areas") else None


def _facilities(study: Study, scenario: Scenario) -> gpd.GeoDataFrame:
    if study.has("facilities"):
        return places_by_id(counted_places(study.tables["facilities"], scenario))
    columns = {"facility_id": pd.Series(dtype=object), "name": pd.Series(dtype=object), "tier": pd.Series(dtype=object)}
    return gpd.GeoDataFrame(columns, geometry=[], crs=study.crs)


def demand_access(reach: Reach, progress: Progress = SILENT) -> pd.DataFrame:
    """Return minutes from every demand point to the nearest place, by profile and tier."""
    return access_table(reach.facilities, reach.places, reach.demand, reach.profiles, reach.scenario, progress)


def coverage_table(
    reach: Reach,
    access: pd.DataFrame | None = None,
    cutoffs_min: Sequence[float] | None = None,
    tiers: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    level: str | None = None,
) -> pd.DataFrame:
    """Return people covered, uncovered and unknown, by tier, profile, time limit, group and area.

    Tiers, groups and the level of areas (county, town, village) narrow the table; None = all of them.

    Raises
    ------
    ScenarioError
        When a tier, a group or a level is unknown.
    """
    if level is not None and level not in dict(LEVELS):
        raise ScenarioError(f"No such level of areas: {level}. There are {', '.join(dict(LEVELS))}.")
    access = demand_access(reach) if access is None else access
    if tiers:
        for code in tiers:
            reach.scenario.tiers_of(code)
        access = access[access["tier"].isin(list(tiers))]
    limits = list(cutoffs_min or [reach.scenario.cutoff_min])
    table = people_within(reach.study.table("demand"), access, reach.assigned, areas_of(reach.study), limits)
    if groups:
        unknown = sorted(set(groups) - set(GROUPS))
        if unknown:
            raise ScenarioError(f"No such group: {', '.join(unknown)}. There are {', '.join(GROUPS)}.")
        table = table[table["group"].isin(list(groups))]
    if level is not None:
        table = table[table["area_level"] == level]
    return table.reset_index(drop=True)


def verdict_table(reach: Reach, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage table with the administrative verdict (has one) beside the minutes."""
    areas, demand, facilities = areas_of(reach.study), reach.study.table("demand"), reach.facilities
    administrative = administrative_verdict(facilities, assign_areas(facilities, areas), areas, reach.scenario)
    own_people = administrative_people(demand, reach.assigned, administrative, areas)
    return two_verdicts(coverage, administrative, own_people)


def place_set_table(reach: Reach, access: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the coverage by all named places beside that by qualified ones alone: column place_set, then coverage.

    "named" are all places that count, "qualified" those that have every item of the scenario's checklist.
    """
    qualified = qualified_ids(reach.study, reach.scenario.checklist)
    facilities = reach.facilities[reach.facilities["facility_id"].astype(str).isin(qualified)]
    named = demand_access(reach) if access is None else access
    own = access_table(facilities, reach.places, reach.demand, reach.profiles, reach.scenario)
    parts = [
        coverage_table(reach, times).assign(place_set=name) for name, times in (("named", named), ("qualified", own))
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["place_set", *table.columns.drop("place_set")]]


def norm_table(reach: Reach, codes: Sequence[str], access: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the coverage by the rules of one standard or, below one another, of several; every row names its standard.

    Raises
    ------
    ScenarioError
        When a code is no standard of the scenario, or a standard asks for what the scenario does not have.
    """
    unknown = [code for code in codes if code not in reach.scenario.standards]
    if unknown:
        known = ", ".join(reach.scenario.standards)
        raise ScenarioError(f"No such standard: {', '.join(unknown)}. There are {known}.")
    access = demand_access(reach) if access is None else access
    demand, areas = reach.study.table("demand"), areas_of(reach.study)
    tables = [
        standard_table(demand, access, reach.assigned, areas, (reach.scenario.standards[code], reach.scenario))
        for code in codes
    ]
    return tables[0] if len(tables) == 1 else compare_standards(tables)


def network_findings(study: Study, scenario: Scenario, language: Language = "zh") -> gpd.GeoDataFrame:
    """Return what contradicts the pyramid, the checklists or the opening hours: one row each, with its repair."""
    findings = (*hierarchy_findings(study, scenario), *checklist_findings(study, scenario.checklist))
    return findings_table(study, findings, language)


def practice_network(reach: Reach, access: pd.DataFrame, coverage: pd.DataFrame) -> PracticeNetwork:
    """Return what the places of a study are: pyramid, findings, checklist, both place sets, verdicts, standard."""
    study, scenario = reach.study, reach.scenario
    main = coverage[coverage["tier"] == scenario.main_tier]
    is_norm = scenario.standard in scenario.standards
    return PracticeNetwork(
        tiers=tier_table(study, scenario, hierarchy_findings(study, scenario)),
        findings=network_findings(study, scenario),
        checklist=checklist_totals(study, scenario.checklist),
        rectification=rectification_list(study, scenario.checklist),
        place_sets=place_set_table(reach, access),
        verdicts=verdict_matrix(main),
        standard=_norm_of_plan(reach, access) if is_norm else pd.DataFrame(),
    )


def _norm_of_plan(reach: Reach, access: pd.DataFrame) -> pd.DataFrame:
    """Return the table of the scenario's standard for the profiles that the scenario has."""
    standard = reach.scenario.standards[reach.scenario.standard]
    profiles = {code for rule in standard.rules for code in rule.profiles}
    if not profiles <= set(reach.scenario.profiles):
        return pd.DataFrame()
    return norm_table(reach, [standard.code], access)


def gap_table(reach: Reach, access: pd.DataFrame | None = None) -> gpd.GeoDataFrame:
    """Return uncovered and unknown people as areas one can name, most people first, with the cause."""
    access = demand_access(reach) if access is None else access
    members = gap_members(reach.study, access, reach.assigned, reach.scenario)
    return gap_areas(reach.study, members, reach.scenario)


def settlement_audit(reach: Reach) -> SettlementAudit:
    """Return what the check of the relocation settlements found.

    Raises
    ------
    InputError
        When the study has no settlements.
    """
    settlements, demand = reach.study.table("settlements"), reach.study.table("demand")
    snapped = snap_table(reach.profiles, settlements, "settlement_id", reach.study.tables.get("barriers"))
    access = access_table(reach.facilities, reach.places, snapped, reach.profiles, reach.scenario)
    table = audit_settlements(reach.study, access, assign_areas(settlements, areas_of(reach.study)), reach.scenario)
    relocated = float(demand["relocated"].sum()) if "relocated" in demand else None
    return SettlementAudit(
        table=table,
        nearest=nearest_places(access, list(settlements["settlement_id"])),
        totals=settlement_totals(table, relocated),
    )


def snap_grids(reach: Reach, progress: Progress = SILENT) -> dict[str, SnapGrid]:
    """Return the snap grid of every profile: where each cell of the county touches the road."""
    grids = {}
    for done, (code, network) in enumerate(reach.profiles.items()):
        progress.update(done, len(reach.profiles), code)
        grids[code] = make_snap_grid(network, barriers=reach.study.tables.get("barriers"))
    return grids


def time_surfaces(reach: Reach, grids: Mapping[str, SnapGrid]) -> dict[str, TimeSurface]:
    """Return the minutes to the nearest place of the main tier in every cell, by profile."""
    rows = np.flatnonzero(_is_of_tiers(reach, [reach.scenario.main_tier]))
    return {
        code: time_surface(
            reach.profiles[code], grid, chosen(reach.places[code], rows), direction=reach.scenario.direction
        )
        for code, grid in grids.items()
    }


def circle_table(
    reach: Reach,
    grids: Mapping[str, SnapGrid] | None = None,
    cutoffs_min: Sequence[float] | None = None,
    tiers: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> gpd.GeoDataFrame:
    """Return one practice circle per place, profile and time limit, with the people it reaches.

    Columns facility_id, name, tier, profile, cutoff_min, area_km2, cell_m, people, geometry. A place that touches no
    road has no circle; it is in `reach.unplaced`.
    """
    grids = snap_grids(reach, progress) if grids is None else grids
    limits = sorted(cutoffs_min or [reach.scenario.cutoff_min])
    rows = np.flatnonzero(_is_of_tiers(reach, tiers))
    tables = []
    for done, (code, network) in enumerate(reach.profiles.items()):
        progress.update(done, len(reach.profiles), code)
        places = chosen(reach.places[code], rows)
        circles = service_areas(network, grids[code], places, tuple(limits), reach.scenario.direction)
        people = _people_within(reach, code, places, limits)
        tables.append(circles.merge(people, on=["facility_id", "cutoff_min"], how="left", validate="one_to_one"))
    table = pd.concat(tables, ignore_index=True)
    known = pd.DataFrame(reach.facilities[["facility_id", "name", "tier"]])
    merged = known.merge(table, on="facility_id", how="right", validate="one_to_many")
    return gpd.GeoDataFrame(merged, geometry="geometry", crs=reach.study.crs)


def _is_of_tiers(reach: Reach, tiers: Sequence[str] | None) -> NDArray[np.bool_]:
    of_tier = reach.facilities["tier"].to_numpy(dtype=object)
    is_wanted = np.full(len(of_tier), not tiers)
    for code in tiers or ():
        counted = reach.scenario.tiers_of(code)
        is_wanted |= True if counted is None else np.isin(of_tier, counted)
    return is_wanted


def _people_within(reach: Reach, code: str, places: Snapped, limits: Sequence[float]) -> pd.DataFrame:
    """Return facility_id, cutoff_min, people: by exact travel times, as coverage counts them."""
    times = travel_times(reach.profiles[code], places, reach.demand[code], max(limits), reach.scenario.direction)
    minutes = times.minutes()
    population = reach.study.table("demand")["population"].to_numpy(dtype=float)[minutes.indices]
    row = np.repeat(np.arange(len(places)), np.diff(minutes.indptr))
    tables = []
    for limit in limits:
        people = np.bincount(row, np.where(is_covered(minutes.data, limit), population, 0.0), minlength=len(places))
        tables.append(pd.DataFrame({"facility_id": places.ids, "cutoff_min": limit, "people": people}))
    return pd.concat(tables, ignore_index=True)


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


def make_plan(study: Study, scenario: Scenario, progress: Progress = SILENT) -> Plan:
    """Return everything a scenario says about a study.

    Raises
    ------
    InputError
        When the study has no roads or no demand; without settlements or candidates their part is empty.
    """
    progress.update(0, 8, "network")
    reach = prepare(study, scenario)
    progress.update(1, 8, "access")
    access = demand_access(reach)
    progress.update(2, 8, "coverage")
    coverage = verdict_table(reach, coverage_table(reach, access))
    main = coverage[(coverage["tier"] == scenario.main_tier) & (coverage["group"] == "all")]
    curve = coverage_table(reach, access, scenario.curve_min)
    progress.update(3, 8, "gaps")
    gaps = gap_table(reach, access)
    progress.update(4, 8, "settlements")
    audit = settlement_audit(reach) if study.has("settlements") else None
    progress.update(5, 8, "circles")
    grids = snap_grids(reach)
    circles = circle_table(reach, grids)
    progress.update(6, 8, "surfaces")
    surfaces = time_surfaces(reach, grids)
    progress.update(7, 8, "siting")
    nothing = gpd.GeoDataFrame(geometry=[], crs=study.crs)
    proposals, siting = proposal_table(reach, access) if study.has("candidates") else (nothing, None)
    progress.update(8, 8, "siting")
    return Plan(
        study=study,
        scenario=scenario,
        network=summary(reach.network),
        access=access,
        coverage=coverage,
        curve=curve[curve["area_level"] == "county"].reset_index(drop=True),
        differing=differing_villages(main, areas_of(study)),
        circles=circles,
        surfaces=surfaces,
        gaps=gaps,
        settlements=audit.table if audit else nothing,
        settlement_nearest=audit.nearest if audit else pd.DataFrame(),
        settlement_totals=audit.totals if audit else pd.DataFrame(),
        proposals=proposals,
        siting=siting,
        unplaced=reach.unplaced,
        practice=practice_network(reach, access, coverage),
    )


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
