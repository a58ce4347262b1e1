"""The two verdicts: what the administration counts ("has a station") beside what the minutes say."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.areas import AREA_COLUMNS, area_membership, level_of, towns_of_villages
from planner.coverage.people import people_by_group
from planner.coverage.population_share import share_of
from planner.study import is_online

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.scenario import Scenario

KEYS = ["tier", "group", *AREA_COLUMNS]
NAMED_NOT_REACHED = "named_not_reached"
REACHED_NOT_NAMED = "reached_not_named"


def administrative_verdict(
    facilities: gpd.GeoDataFrame, assigned: pd.DataFrame, areas: gpd.GeoDataFrame | None, scenario: Scenario
) -> pd.DataFrame:
    """Return for every area and tier result how many places it has, and whether it has one.

    Only places that one can walk into count: an online service is not a place.

    Parameters
    ----------
    facilities : existing places with `tier` and `is_online`.
    assigned : of `assign_areas(facilities, areas)`.
    areas : county, towns and villages; None gives the county's rows only.
    scenario : says which tiers there are.

    Returns
    -------
    DataFrame
        tier (each of `scenario.tier_codes`), area_level, area_id, area_name, area_class, n_facilities, has_one.
    """
    membership = area_membership(assigned, areas)
    is_physical = ~is_online(facilities)
    parts = []
    for code in scenario.tier_codes:
        tiers = scenario.tiers_of(code)
        counts = is_physical if tiers is None else is_physical & facilities["tier"].isin(tiers).to_numpy(dtype=bool)
        n_facilities = np.asarray(membership.matrix @ counts.astype(float)).astype(np.int64)
        part = membership.rows.assign(n_facilities=n_facilities, has_one=n_facilities > 0)
        part.insert(0, "tier", code)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def administrative_people(
    demand: gpd.GeoDataFrame,
    assigned: pd.DataFrame,
    administrative: pd.DataFrame,
    areas: gpd.GeoDataFrame | None,
    unit_level: str = "village",
) -> pd.DataFrame:
    """Return how many people live in a village (or town) that has a place of its own, by tier, group and area.

    Parameters
    ----------
    demand : demand points.
    assigned : of `assign_areas(demand, areas)`.
    administrative : of `administrative_verdict`.
    areas : county, towns and villages.
    unit_level : the unit that has to have one: "village" (a station's), "town" (an institute's).

    Returns
    -------
    DataFrame
        `KEYS`, own_people (their unit has one), no_own_people (it has none), no_unit_people (they belong to no unit
        that we know), own_share = own_people / population (NaN where nobody lives, or no unit is known). The three
        add up to the
        population exactly.
    """
    people = people_by_group(demand)
    membership = area_membership(assigned, areas)
    units = administrative[administrative["area_level"] == unit_level]
    unit_of_point = pd.Index(assigned[f"{unit_level}_id"], dtype=object)
    tiers = list(dict.fromkeys(administrative["tier"]))
    parts = []
    for tier, group in product(tiers, people.columns):
        of_tier = units[units["tier"] == tier]
        at = pd.Index(of_tier["area_id"], dtype=object).get_indexer(unit_of_point)
        has_one = np.append(of_tier["has_one"].to_numpy(dtype=bool), values=False)[at]
        weights = people[group].to_numpy()
        own, no_own, no_unit = (
            membership.matrix @ (weights * chosen) for chosen in ((at >= 0) & has_one, (at >= 0) & ~has_one, at < 0)
        )
        part = membership.rows.assign(own_people=own, no_own_people=no_own, no_unit_people=no_unit)
        known = own + no_own > 0
        part["own_share"] = np.where(known, share_of(own, own + no_own + no_unit), np.nan)
        part.insert(0, "group", group)
        part.insert(0, "tier", tier)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def two_verdicts(coverage: pd.DataFrame, administrative: pd.DataFrame, own_people: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage table with the administrative verdict beside it, rows as in `coverage`.

    Adds n_facilities and has_one (of the area itself), own_people, no_own_people, no_unit_people and own_share (of
    the people in it). Arguments are the tables of `coverage_table`, `administrative_verdict` and
    `administrative_people`.
    """
    by_area = administrative[["tier", *AREA_COLUMNS, "n_facilities", "has_one"]]
    both = coverage.merge(by_area, how="left", on=["tier", *AREA_COLUMNS], validate="many_to_one")
    # An urban / rural half without any place has no row of its own.
    both["n_facilities"] = both["n_facilities"].fillna(0).astype(np.int64)
    both["has_one"] = both["n_facilities"] > 0
    return both.merge(own_people, how="left", on=KEYS, validate="many_to_one")


def differing_villages(verdicts: pd.DataFrame, areas: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Return the villages where the two verdicts differ, ranked by the people they differ for.

    A village with a place of its own differs for its uncovered people ("named_not_reached"); one without differs for
    its covered people ("reached_not_named"). Unknown people differ from nothing: their minutes are not known.

    Parameters
    ----------
    verdicts : of `two_verdicts`, or a part of it.
    areas : for the villages' towns.

    Returns
    -------
    DataFrame
        tier, profile, cutoff_min, group, rank (from 1 within these four), area_id, area_name, area_class, town_id,
        town_name, kind, differing_people, population, covered_people, uncovered_people, unknown_people,
        covered_share, has_one, n_facilities. Ties by area_id.
    """
    of = ["tier", "profile", "cutoff_min", "group"]
    villages = verdicts[verdicts["area_level"] == "village"].copy()
    has_one = villages["has_one"].to_numpy(dtype=bool)
    villages["kind"] = np.where(has_one, NAMED_NOT_REACHED, REACHED_NOT_NAMED)
    villages["differing_people"] = np.where(has_one, villages["uncovered_people"], villages["covered_people"])
    villages = villages[villages["differing_people"] > 0]
    towns = level_of(areas, "town")
    names = {} if towns is None else dict(zip(towns["area_id"], towns["name"], strict=True))
    town_of = towns_of_villages(areas)
    villages["town_id"] = pd.Series([town_of.get(i) for i in villages["area_id"]], villages.index, dtype=object)
    villages["town_name"] = pd.Series([names.get(i, "") for i in villages["town_id"]], villages.index, dtype=object)
    order = villages.groupby(of, sort=False).ngroup()
    villages = villages.assign(_order=order).sort_values(
        ["_order", "differing_people", "area_id"], ascending=[True, False, True]
    )
    villages["rank"] = villages.groupby(of, sort=False).cumcount() + 1
    columns = [
        *of, "rank", "area_id", "area_name", "area_class", "town_id", "town_name", "kind", "differing_people",
        "population", "covered_people", "uncovered_people", "unknown_people", "covered_share", "has_one",
        "n_facilities",
    ]  # fmt: skip
    return villages[columns].reset_index(drop=True)


def verdict_matrix(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return both verdicts side by side: one row per tier, group and area, one pair of columns per profile.

    Parameters
    ----------
    verdicts : of `two_verdicts`, at one time limit.

    Returns
    -------
    DataFrame
        tier, group, `AREA_COLUMNS`, population, n_facilities, has_one, own_people, own_share, then for every profile
        `share:<profile>` and `uncovered:<profile>`, and differing_profiles: by how many profiles the verdicts differ
        for somebody (a place, but people beyond the limit; or none, but people within it). Rows as in `verdicts`.
    """
    keys = [*KEYS, "population", "n_facilities", "has_one", "own_people", "own_share"]
    profiles = list(dict.fromkeys(verdicts["profile"]))
    parts = [verdicts[verdicts["profile"] == profile].reset_index(drop=True) for profile in profiles]
    if not parts:
        return pd.DataFrame(columns=keys)
    matrix = parts[0][keys].copy()
    differing = np.zeros(len(matrix), dtype=np.int64)
    for profile, part in zip(profiles, parts, strict=True):
        matrix[f"share:{profile}"] = part["covered_share"]
        matrix[f"uncovered:{profile}"] = part["uncovered_people"]
        people = np.where(part["has_one"], part["uncovered_people"], part["covered_people"])
        differing += people > 0
    matrix["differing_profiles"] = differing
    return matrix
