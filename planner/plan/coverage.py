"""Who is within reach, by area and group, and where the gaps are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.coverage.areas import assign_areas
from planner.coverage.gaps import gap_areas, gap_members
from planner.coverage.population_share import coverage_table as people_within
from planner.coverage.verdicts import administrative_people, administrative_verdict, two_verdicts
from planner.errors import ScenarioError
from planner.plan.ready import areas_of, demand_access
from planner.scenario import GROUPS
from planner.schema import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd

    from planner.plan.ready import Reach


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
    if level is not None:
        require_level(level)
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
        if table.empty and len(access):
            raise ScenarioError(f"The demand does not count the group {', '.join(groups)}. Import it with that column.")
    if level is not None:
        table = table[table["area_level"] == level]
    return table.reset_index(drop=True)


def require_level(level: str) -> None:
    """Raise `ScenarioError` when there is no such level of areas."""
    if level not in dict(LEVELS):
        raise ScenarioError(f"No such level of areas: {level}. There are {', '.join(dict(LEVELS))}.")


def verdict_table(reach: Reach, coverage: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage table with the administrative verdict (has one) beside the minutes."""
    areas, demand, facilities = areas_of(reach.study), reach.study.table("demand"), reach.facilities
    administrative = administrative_verdict(facilities, assign_areas(facilities, areas), areas, reach.scenario)
    own_people = administrative_people(demand, reach.assigned, administrative, areas)
    return two_verdicts(coverage, administrative, own_people)


def gap_table(reach: Reach, access: pd.DataFrame | None = None) -> gpd.GeoDataFrame:
    """Return uncovered and unknown people as areas one can name, most people first, with the cause."""
    access = demand_access(reach) if access is None else access
    members = gap_members(reach.study, access, reach.assigned, reach.scenario)
    return gap_areas(reach.study, members, reach.scenario)
