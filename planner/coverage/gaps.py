"""Gaps: uncovered and unknown people, grouped into areas that one can name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from planner.coverage.causes import CAUSES, UNKNOWN, causes
from planner.coverage.minutes import access_of, is_covered, is_unknown
from planner.coverage.names import gap_names, most_people, place_words, whereabouts
from planner.coverage.people import people_by_group
from planner.coverage.places import places_of_tier, require_physical
from planner.units import M2_PER_KM2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.scenario import Scenario
    from planner.study import Study
    from planner.texts import Language

LINKING_M = 800.0
"""Uncovered people of one village less than this apart belong to one gap: hamlets in the hills lie that far apart."""
UNCOVERED = "uncovered"
_CHUNK = 2_000


def gap_members(
    study: Study, access: pd.DataFrame, assigned: pd.DataFrame, scenario: Scenario, linking_m: float = LINKING_M
) -> gpd.GeoDataFrame:
    """Return the demand points with people who are not covered, each with its gap and why it is not covered.

    Computed for the scenario's main profile, main tier and cutoff. Two points are of one gap when they are of the
    same town, village and status ("uncovered" or "unknown") and linked by steps of at most `linking_m`. Gaps are
    numbered by people ("G0001" has the most), ties by the smallest demand id.

    Parameters
    ----------
    study : `demand`, and `facilities` and `barriers` where there are any.
    access : access table of the demand points.
    assigned : of `assign_areas` for the demand points.
    scenario : main_profile, main_tier, cutoff_min.
    linking_m : longest step inside a gap, metres.

    Returns
    -------
    GeoDataFrame
        demand_id, gap_id, rank, status, cause (`planner.coverage.causes`), facility_id of the nearest place,
        travel_time_min, over_min (beyond the cutoff; NaN without a finite time), straight_m, barrier_kind, town_id,
        village_id, people, one `<group>_people` for every other group the demand knows; ordered by rank, demand_id.
        `people` add up to the uncovered and unknown people of `coverage_table` exactly.

    Raises
    ------
    InputError
        When the travel times do not fit the demand, or lead to an online service.
    """
    require_physical(access, study)
    members = _not_covered(study, access, assigned, scenario)
    key = pd.Series(list(zip(members["status"], members["town_id"], members["village_id"], strict=True)), dtype=object)
    xy = shapely.get_coordinates(members.geometry.to_numpy())
    label = linked(xy, pd.factorize(key)[0], linking_m)
    totals = members.assign(label=label).groupby("label").agg(people=("people", "sum"), first=("demand_id", "min"))
    order = totals.sort_values(["people", "first"], ascending=[False, True]).index
    rank = pd.Series(np.arange(1, len(order) + 1), index=order).reindex(label).to_numpy(dtype=np.int64)
    members.insert(1, "gap_id", pd.Series([f"G{number:04d}" for number in rank], members.index, dtype=object))
    members.insert(2, "rank", rank)
    return members.sort_values(["rank", "demand_id"]).reset_index(drop=True)


def linked(xy: NDArray[np.float64], key: NDArray[np.int64], linking_m: float) -> NDArray[np.int32]:
    """Return the number of the group of each point: same `key`, joined by steps of at most `linking_m`.

    Parameters
    ----------
    xy : float64[n, 2], metres.
    key : int[n], points with different keys are never joined.
    linking_m : longest step, metres; both ends included.
    """
    n = len(xy)
    label = np.arange(n, dtype=np.int32)
    if not n:
        return label
    tree = cKDTree(xy)
    for start in range(0, n, _CHUNK):
        # Chunks bound the memory where thousands of cells lie within one step.
        near = cKDTree(xy[start : start + _CHUNK]).sparse_distance_matrix(tree, linking_m, output_type="ndarray")
        source, target = near["i"] + start, near["j"]
        is_same = key[source] == key[target]
        joined = label[source[is_same]], label[target[is_same]]
        graph = coo_matrix((np.ones(len(joined[0]), dtype=np.int8), joined), shape=(n, n))
        label = connected_components(graph, directed=False)[1][label]
    return label


def gap_areas(
    study: Study, members: gpd.GeoDataFrame, scenario: Scenario, linking_m: float = LINKING_M, language: Language = "zh"
) -> gpd.GeoDataFrame:
    """Return one row per gap, most people first: where it is, who lives there, how far the nearest place is, and why.

    The outline is the union of circles of half the linking distance around its demand points. Minutes are weighted
    by people: the median is the smallest time that half of them or more do not exceed. People without a finite time
    (disconnected, unknown) are left out of minutes, never out of people.

    Parameters
    ----------
    study : `demand`; `areas` and `facilities` for the names.
    members : of `gap_members`, with the same scenario and `linking_m`.
    scenario : what the gaps were computed for.
    linking_m : as for `gap_members`, metres.
    language : of `name`.

    Returns
    -------
    GeoDataFrame
        gap_id, rank, name, status, cause (of most of its people), people, uncovered_people, unknown_people,
        `<group>_people`, too_far_people, barrier_people, detour_people, disconnected_people (with unknown_people they
        add up to people), n_demand, town_id, town_name, village_id, village_name, nearest_facility_id (of most of
        its people), nearest_name, nearest_median_min, nearest_max_min, over_median_min, over_max_min,
        person_min_over, straight_m (smallest), barrier_kind, area_km2, tier, profile, cutoff_min, geometry.
    """
    words = place_words(study)
    rows = [
        {**_figures(gap, scenario.cutoff_min), **whereabouts(gap, words), "geometry": _outline(gap, linking_m)}
        for _, gap in members.groupby("rank", sort=True)
    ]
    groups = [str(name) for name in members.columns if str(name).endswith("_people")]
    table = pd.DataFrame(rows, columns=_gap_columns(groups))
    table["tier"], table["profile"], table["cutoff_min"] = (
        scenario.main_tier,
        scenario.main_profile,
        scenario.cutoff_min,
    )
    table["name"] = pd.Series(gap_names(table, language), dtype=object)
    outlines = gpd.GeoDataFrame(table, geometry="geometry", crs=study.crs)
    outlines["area_km2"] = outlines.area / M2_PER_KM2
    return outlines


def _not_covered(study: Study, access: pd.DataFrame, assigned: pd.DataFrame, scenario: Scenario) -> gpd.GeoDataFrame:
    demand = study.table("demand")
    people = people_by_group(demand)
    nearest = access_of(access, list(demand["demand_id"]), scenario.main_profile, scenario.main_tier)
    minutes = nearest["travel_time_min"].to_numpy(dtype=float, na_value=np.nan)
    chosen = ~is_covered(minutes, scenario.cutoff_min) & (people > 0).any(axis=1).to_numpy()
    points, minutes, nearest = demand[chosen], minutes[chosen], nearest[chosen]
    over = np.where(np.isfinite(minutes), minutes - scenario.cutoff_min, np.nan)
    members = pd.DataFrame(
        {
            "demand_id": points["demand_id"].to_numpy(dtype=object),
            "status": np.where(is_unknown(minutes), UNKNOWN, UNCOVERED).astype(object),
            "facility_id": nearest["facility_id"].to_numpy(dtype=object),
            "travel_time_min": minutes,
            "over_min": over,
            "town_id": assigned.loc[chosen, "town_id"].to_numpy(dtype=object),
            "village_id": assigned.loc[chosen, "village_id"].to_numpy(dtype=object),
        }
    )
    why = causes(points, nearest["status"], _places(study, scenario), study.tables.get("barriers"), _reach_m(scenario))
    members = pd.concat([members, why.reset_index(drop=True)], axis=1)
    for group in people.columns:
        name = "people" if group == "all" else f"{group}_people"
        members[name] = people.loc[chosen, group].to_numpy()
    return gpd.GeoDataFrame(members, geometry=points.geometry.to_numpy(), crs=demand.crs)


def _places(study: Study, scenario: Scenario) -> gpd.GeoDataFrame:
    if not study.has("facilities"):
        return gpd.GeoDataFrame({"facility_id": []}, geometry=[], crs=study.crs)
    return places_of_tier(study.table("facilities"), scenario, scenario.main_tier).sort_values("facility_id")


def _reach_m(scenario: Scenario) -> float:
    return scenario.profiles[scenario.main_profile].distance_m(scenario.cutoff_min)


def _gap_columns(groups: list[str]) -> list[str]:
    return [
        "gap_id", "rank", "name", "status", "cause", "people", "uncovered_people", "unknown_people", *groups,
        *(f"{cause}_people" for cause in CAUSES if cause != UNKNOWN), "n_demand", "town_id", "town_name",
        "village_id", "village_name", "nearest_facility_id", "nearest_name", "nearest_median_min", "nearest_max_min",
        "over_median_min", "over_max_min", "person_min_over", "straight_m", "barrier_kind", "area_km2", "tier",
        "profile", "cutoff_min", "geometry",
    ]  # fmt: skip


def _figures(gap: gpd.GeoDataFrame, cutoff_min: float) -> dict[str, Any]:
    people = gap["people"].to_numpy()
    by_cause = {cause: float(people[(gap["cause"] == cause).to_numpy()].sum()) for cause in CAUSES}
    total = float(people.sum())
    minutes, is_finite = gap["travel_time_min"].to_numpy(), np.isfinite(gap["travel_time_min"].to_numpy())
    median = weighted_median(minutes[is_finite], people[is_finite])
    longest = float(minutes[is_finite].max()) if is_finite.any() else np.nan
    status = gap["status"].iloc[0]
    straight_m = float(gap["straight_m"].min())
    return {
        "gap_id": gap["gap_id"].iloc[0],
        "rank": int(gap["rank"].iloc[0]),
        "status": status,
        "cause": max(CAUSES, key=lambda cause: by_cause[cause]),
        "people": total,
        "uncovered_people": total if status == UNCOVERED else 0.0,
        "unknown_people": total if status == UNKNOWN else 0.0,
        **{str(name): float(gap[name].sum()) for name in gap.columns if str(name).endswith("_people")},
        **{f"{cause}_people": by_cause[cause] for cause in CAUSES if cause != UNKNOWN},
        "n_demand": len(gap),
        "nearest_median_min": median,
        "nearest_max_min": longest,
        "over_median_min": median - cutoff_min,
        "over_max_min": longest - cutoff_min,
        "person_min_over": float(np.dot(people[is_finite], gap["over_min"].to_numpy()[is_finite])),
        "straight_m": straight_m if np.isfinite(straight_m) else np.nan,
        "barrier_kind": most_people(gap["barrier_kind"], people),
        "nearest_facility_id": most_people(gap["facility_id"], people),
    }


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the smallest value that at least half of the weight does not exceed; NaN without values."""
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    heap = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(heap, heap[-1] / 2)])


def _outline(gap: gpd.GeoDataFrame, linking_m: float) -> shapely.Geometry:
    points = shapely.multipoints(np.unique(shapely.get_coordinates(gap.geometry.to_numpy()), axis=0))
    return shapely.buffer(points, linking_m / 2)
