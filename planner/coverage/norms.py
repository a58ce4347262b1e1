"""Coverage judged by a standard, rule by rule, and standards beside one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from planner.coverage.areas import AREA_COLUMNS, CLASSES, level_of
from planner.coverage.people import people_by_group
from planner.coverage.population_share import coverage_table
from planner.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from planner.scenario import Scenario
    from planner.standards import Standard, StandardRule

NORM_COLUMNS = (
    "standard", "rule", "tier", "rule_class", "group", "profile", "cutoff_min", "distance_m", *AREA_COLUMNS,
    "population", "covered_people", "uncovered_people", "unknown_people", "covered_share", "target_share", "judgement",
    "class_by", "says", "source", "is_verified",
)  # fmt: skip
MET, NOT_MET, NO_TARGET, NOBODY = "met", "not_met", "no_target", "nobody"


def density_classes(
    demand: gpd.GeoDataFrame, assigned: pd.DataFrame, areas: gpd.GeoDataFrame | None, urban_per_km2: float
) -> pd.Series:
    """Return "urban" or "rural" for every demand point by the people per km2 of its village, else of its town.

    None where a point belongs to neither. Index like `demand`.
    """
    people = people_by_group(demand)["all"]
    classes = pd.Series([None] * len(demand), index=demand.index, dtype=object)
    for level in ("town", "village"):
        units = level_of(areas, level)
        if units is None:
            continue
        ids = assigned[f"{level}_id"]
        count = people.groupby(ids.to_numpy(dtype=object)).sum()
        km2 = dict(zip(units["area_id"], shapely.area(units.geometry.to_numpy()) / 1e6, strict=True))
        is_urban = {unit: number >= urban_per_km2 * km2[unit] for unit, number in count.items() if unit in km2}
        for key, urban in is_urban.items():
            classes[(ids == key).to_numpy()] = "urban" if urban else "rural"
    return classes


def standard_table(
    demand: gpd.GeoDataFrame,
    access: pd.DataFrame,
    assigned: pd.DataFrame,
    areas: gpd.GeoDataFrame | None,
    asked: tuple[Standard, Scenario],
) -> pd.DataFrame:
    """Return people within the limit of every rule of a standard, by profile and area, and whether its target is met.

    A rule for urban people counts urban people only, in every area; they are told apart as the standard says.

    Parameters
    ----------
    demand, access, assigned, areas : as for `coverage_table`.
    asked : the standard and the scenario, whose profiles and tiers it is applied to.

    Returns
    -------
    DataFrame
        `NORM_COLUMNS`: rule (from 1), rule_class, distance_m (the limit on level road), areas, people,
        target_share (NaN = none), judgement ("met", "not_met", "no_target", "nobody": nobody to count). Rules and
        profiles in the standard's order.

    Raises
    ------
    ScenarioError
        When the standard names a tier, profile or group that the scenario or the demand does not know.
    """
    standard, scenario = asked
    classes = assigned["class"]
    if standard.class_by == "density":
        classes = density_classes(demand, assigned, areas, standard.urban_per_km2)
    parts = []
    for number, rule in enumerate(standard.rules, start=1):
        _require_known(standard, rule, scenario, demand)
        wanted = np.ones(len(demand), dtype=bool)
        if rule.area_class in CLASSES:
            wanted = (classes == rule.area_class).to_numpy(dtype=bool)
        chosen = demand[wanted]
        rows = access[access["point_id"].isin(chosen["demand_id"]) & (access["tier"] == rule.tier)]
        rows = rows[rows["profile"].isin(rule.profiles)]
        if len(chosen):
            table = coverage_table(chosen, rows, assigned[wanted], areas, [rule.cutoff_min])
            table = table[
                (table["group"] == rule.group) & ~((table["area_level"] == "county") & table["area_class"].notna())
            ]
            order = {profile: position for position, profile in enumerate(rule.profiles)}
            table = table.sort_values("profile", key=lambda codes: codes.map(order), kind="stable")
        else:
            table = _nobody(rule)
        parts.append(_judged(table, number, rule, asked))
    return pd.concat(parts, ignore_index=True)[list(NORM_COLUMNS)]


def compare_standards(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the county's rows of several standards below one another, in their order: one page to compare them on."""
    county = [table[table["area_level"] == "county"] for table in tables]
    return pd.concat(county, ignore_index=True) if county else pd.DataFrame(columns=list(NORM_COLUMNS))


def _nobody(rule: StandardRule) -> pd.DataFrame:
    """Return rows of zeros: the county has nobody of this class."""
    table = pd.DataFrame({"profile": pd.Series(list(rule.profiles), dtype=object)})
    table[list(AREA_COLUMNS)] = [["county", "county", "", None]] * len(table)
    for column in ("population", "covered_people", "uncovered_people", "unknown_people"):
        table[column] = 0.0
    return table.assign(tier=rule.tier, group=rule.group, cutoff_min=rule.cutoff_min, covered_share=np.nan)


def _judged(table: pd.DataFrame, number: int, rule: StandardRule, asked: tuple[Standard, Scenario]) -> pd.DataFrame:
    standard, scenario = asked
    share = table["covered_share"].to_numpy(dtype=float)
    target = np.nan if rule.target_share is None else rule.target_share
    verdict = np.where(share >= target, MET, NOT_MET)
    verdict = np.where(np.isnan(target), NO_TARGET, verdict)
    return table.assign(
        standard=standard.code,
        rule=number,
        rule_class=rule.area_class,
        distance_m=[scenario.profiles[code].distance_m(rule.cutoff_min) for code in table["profile"]],
        target_share=target,
        judgement=np.where(np.isnan(share), NOBODY, verdict).astype(object),
        class_by=standard.class_by if standard.class_by == "data" else f"density>={standard.urban_per_km2:g}/km2",
        says=rule.says,
        source=rule.source or standard.source,
        is_verified=standard.is_verified if rule.is_verified is None else rule.is_verified,
    )


def _require_known(standard: Standard, rule: StandardRule, scenario: Scenario, demand: gpd.GeoDataFrame) -> None:
    scenario.tiers_of(rule.tier)
    unknown = [code for code in rule.profiles if code not in scenario.profiles]
    if unknown:
        raise ScenarioError(
            f"Standard '{standard.code}' asks for the profiles {', '.join(unknown)}; there are "
            f"{', '.join(scenario.profiles)}. Add them to the scenario, or edit a copy of the standard."
        )
    if rule.group not in people_by_group(demand).columns:
        raise ScenarioError(
            f"Standard '{standard.code}' asks for the group '{rule.group}', which the demand does not count. Import "
            "demand points with that column, or edit a copy of the standard."
        )
