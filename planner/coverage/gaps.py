"""Gaps: uncovered and unknown people, grouped into areas that one can name."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from planner.coverage.causes import CAUSES, UNKNOWN, causes
from planner.coverage.minutes import access_of, is_covered, is_unknown
from planner.coverage.names import gap_names, place_words, whereabouts
from planner.coverage.people import people_by_group
from planner.coverage.places import places_of_tier, require_physical
from planner.study import point_xy
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
    xy = point_xy(members)
    # People without coordinates are one gap of their village: they are nowhere, and no outline is drawn for them.
    columns = (members["status"], members["town_id"], members["village_id"], np.isnan(xy[:, 0]))
    key = pd.Series(list(zip(*columns, strict=True)), dtype=object)
    label = linked(np.nan_to_num(xy), pd.factorize(key)[0], linking_m)
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
    people = members.sort_values(["rank", "people", "demand_id"], ascending=[True, False, True])
    heads = people.drop_duplicates("rank").reset_index(drop=True)
    words = place_words(study)
    figures = {**_people_figures(members), **_minutes_figures(members, scenario.cutoff_min)}
    places = {
        "gap_id": heads["gap_id"],
        "rank": heads["rank"],
        "status": heads["status"],
        **whereabouts(heads, words),
        "nearest_facility_id": _most_people(members, "facility_id"),
        "barrier_kind": _most_people(members, "barrier_kind"),
        "tier": scenario.main_tier,
        "profile": scenario.main_profile,
        "cutoff_min": scenario.cutoff_min,
    }
    outlines = _outlines(members, linking_m)
    table = pd.DataFrame({**places, **figures, "area_km2": shapely.area(outlines) / M2_PER_KM2}, index=heads.index)
    table["nearest_name"] = [words.facility_names.get(facility) for facility in table["nearest_facility_id"]]
    table["name"] = pd.Series(gap_names(table, language), table.index, dtype=object)
    return gpd.GeoDataFrame(table[_gap_columns(members)], geometry=outlines, crs=study.crs)


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


def _gap_columns(members: pd.DataFrame) -> list[str]:
    return [
        "gap_id", "rank", "name", "status", "cause", "people", "uncovered_people", "unknown_people",
        *_group_columns(members), *(f"{cause}_people" for cause in CAUSES if cause != UNKNOWN), "n_demand", "town_id",
        "town_name", "village_id", "village_name", "nearest_facility_id", "nearest_name", "nearest_median_min",
        "nearest_max_min", "over_median_min", "over_max_min", "person_min_over", "straight_m", "barrier_kind",
        "area_km2", "tier", "profile", "cutoff_min",
    ]  # fmt: skip


def _group_columns(members: pd.DataFrame) -> list[str]:
    return [str(name) for name in members.columns if str(name).endswith("_people")]


def _people_figures(members: pd.DataFrame) -> dict[str, NDArray]:
    """Return the people of each gap by rank: by group, status and cause."""
    at, people = members["rank"].to_numpy() - 1, members["people"].to_numpy()
    n_gaps = int(at.max()) + 1 if len(at) else 0
    cause = pd.Categorical(members["cause"], CAUSES).codes
    by_cause = np.zeros((n_gaps, len(CAUSES)))
    np.add.at(by_cause, (at, cause), people)
    total = np.bincount(at, people, n_gaps)
    unknown = by_cause[:, CAUSES.index(UNKNOWN)]
    return {
        "cause": np.array(CAUSES, dtype=object)[by_cause.argmax(axis=1)],
        "people": total,
        "uncovered_people": total - unknown,
        "unknown_people": unknown,
        **{name: np.bincount(at, members[name].to_numpy(), n_gaps) for name in _group_columns(members)},
        **{f"{name}_people": by_cause[:, row] for row, name in enumerate(CAUSES) if name != UNKNOWN},
        "n_demand": np.bincount(at, minlength=n_gaps),
    }


def _minutes_figures(members: pd.DataFrame, cutoff_min: float) -> dict[str, NDArray[np.float64]]:
    """Return the minutes and metres of each gap by rank; members stand in the order of their ranks."""
    rank, people = members["rank"].to_numpy(), members["people"].to_numpy()
    minutes, straight_m = members["travel_time_min"].to_numpy(), members["straight_m"].to_numpy()
    ranks, first = np.unique(rank, return_index=True)
    names = ("nearest_median_min", "nearest_max_min", "person_min_over", "straight_m")
    figures = {name: np.full(len(ranks), np.nan) for name in names}
    for gap, (start, stop) in enumerate(pairwise([*first, len(rank)])):
        rows = slice(start, stop)
        is_finite = np.isfinite(minutes[rows])
        known, weights = minutes[rows][is_finite], people[rows][is_finite]
        figures["nearest_median_min"][gap] = weighted_median(known, weights)
        figures["nearest_max_min"][gap] = known.max() if len(known) else np.nan
        figures["person_min_over"][gap] = float(np.sum(weights * (known - cutoff_min)))
        least_m = straight_m[rows].min()
        figures["straight_m"][gap] = least_m if np.isfinite(least_m) else np.nan
    for name in ("median", "max"):
        figures[f"over_{name}_min"] = figures[f"nearest_{name}_min"] - cutoff_min
    return figures


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the smallest value that at least half of the weight does not exceed; NaN without values."""
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    heap = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(heap, heap[-1] / 2)])


def _most_people(members: pd.DataFrame, column: str) -> pd.Series:
    """Return the code that most people of each gap share (ties: the smallest), None where nobody has one."""
    known = pd.DataFrame(members[["rank", column, "people"]]).dropna(subset=column)
    sums = known.groupby(["rank", column], as_index=False)["people"].sum()
    ranked = pd.DataFrame(sums).sort_values(["rank", "people", column], ascending=[True, False, True])
    first = ranked.drop_duplicates("rank")
    by_rank = dict(zip(first["rank"], first[column], strict=True))
    return pd.Series([by_rank.get(rank) for rank in np.unique(members["rank"])], dtype=object)


def _outlines(members: gpd.GeoDataFrame, linking_m: float) -> NDArray[np.object_]:
    """Return the outline of each gap by rank; members stand in the order of their ranks."""
    rank, xy = members["rank"].to_numpy(), point_xy(members)
    # Points of one raster cell or building stand on top of one another: one circle is enough.
    at = np.unique(np.column_stack([rank - 1.0, xy])[~np.isnan(xy[:, 0])], axis=0)
    points = np.full(rank.max(initial=0), shapely.MultiPoint())
    shapely.multipoints(at[:, 1:], indices=at[:, 0].astype(np.intp), out=points)
    return np.atleast_1d(shapely.buffer(points, linking_m / 2))
