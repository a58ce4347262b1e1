"""What the places are, beside whom they reach: pyramid, checklist, standards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from planner.coverage.checklist import checklist_findings, checklist_totals, qualified_ids, rectification_list
from planner.coverage.hierarchy import findings_table, hierarchy_findings, tier_table
from planner.coverage.norms import compare_standards, standard_table
from planner.coverage.register import place_register
from planner.coverage.verdicts import verdict_matrix
from planner.errors import ScenarioError
from planner.plan.coverage import coverage_table
from planner.plan.groups import practice_belts, town_clusters
from planner.plan.ready import areas_of, demand_access
from planner.reach.access import access_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from planner.coverage.belts import Belts
    from planner.coverage.clusters import Clusters
    from planner.plan.ready import Reach
    from planner.scenario import Scenario
    from planner.study import Study
    from planner.texts import Language


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
    places : the register of places with their opening hours and function rooms, as a layer.
    standard : coverage by the rules of the scenario's standard; empty when that is a name in words only.
    belts : practice belts as chains of places; None without places.
    clusters : places of a town within a few minutes of one another; None without places.
    """

    tiers: pd.DataFrame
    findings: gpd.GeoDataFrame
    checklist: pd.DataFrame
    rectification: gpd.GeoDataFrame
    place_sets: pd.DataFrame
    verdicts: pd.DataFrame
    standard: pd.DataFrame
    belts: Belts | None
    clusters: Clusters | None
    places: gpd.GeoDataFrame


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
        belts=practice_belts(reach) if study.has("facilities") else None,
        clusters=town_clusters(reach) if study.has("facilities") else None,
        places=place_register(study, scenario),
    )


def _norm_of_plan(reach: Reach, access: pd.DataFrame) -> pd.DataFrame:
    """Return the table of the scenario's standard for the profiles that the scenario has."""
    standard = reach.scenario.standards[reach.scenario.standard]
    profiles = {code for rule in standard.rules for code in rule.profiles}
    if not profiles <= set(reach.scenario.profiles):
        return pd.DataFrame()
    return norm_table(reach, [standard.code], access)
