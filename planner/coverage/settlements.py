"""Relocation settlements: who of them is served, by what, and by how much the others miss it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from planner.coverage.areas import texts
from planner.coverage.causes import DISCONNECTED, TOO_FAR, UNKNOWN
from planner.coverage.minutes import access_of, is_covered, minutes_of
from planner.coverage.people import people_by_group
from planner.coverage.places import counted_places, require_physical
from planner.coverage.population_share import share_of
from planner.coverage.register import quality_of, rooms_of
from planner.sizes import size_of
from planner.study import point_xy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.scenario import Scenario
    from planner.study import Study

SERVED = "served"
REASONS = (SERVED, TOO_FAR, DISCONNECTED, UNKNOWN)
BY_DISTANCE, BY_VILLAGE = "distance", "village"
ALL_SIZES = "all"
_CARRIED = ("people", "households", "age60", "children", "year")


def nearest_places(access: pd.DataFrame, settlement_ids: list[str]) -> pd.DataFrame:
    """Return the nearest place of each tier by each profile, one row per settlement, tier and profile.

    Columns settlement_id, tier, profile, facility_id (None when there is none), travel_time_min (inf = not reachable,
    NaN = unknown), status. Settlements in the order of `settlement_ids`, tiers and profiles in that of `access`.

    Raises
    ------
    InputError
        When the travel times do not fit the settlements.
    """
    minutes = minutes_of(access, settlement_ids)
    order = [pd.Index(codes, dtype=object) for codes in (settlement_ids, minutes.tiers, minutes.profiles)]
    rows = access[access["point_id"].isin(settlement_ids)]
    at = [
        index.get_indexer(pd.Index(rows[name], dtype=object))
        for index, name in zip(order, ("point_id", "tier", "profile"), strict=True)
    ]
    rows = rows.iloc[np.lexsort(at[::-1])].rename(columns={"point_id": "settlement_id"})
    columns = ["settlement_id", "tier", "profile", "facility_id", "travel_time_min", "status"]
    return rows[columns].reset_index(drop=True)


def own_places(settlements: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, scenario: Scenario) -> pd.DataFrame:
    """Return whether each settlement has a place inside, and one in its village: index like `settlements`.

    The two are told apart: a place of the same village may be an hour away. As its own, a place within `own_place_m` in
    a straight line goes before one of the same named village (where `own_place_by_village`); the nearest wins, ties by
    id. Only places that coverage counts: neither an online service nor a light place is a settlement's own.

    Returns
    -------
    DataFrame
        has_place_inside (within `own_place_m`), has_place_in_village (of the same named village), own_facility_id,
        own_tier, own_by ("distance" or "village"), own_distance_m (straight); None and NaN where it has none.
    """
    places = counted_places(facilities, scenario).sort_values("facility_id")
    rows = [_own_place(place, places) for place in _candidates_of(settlements, places, scenario)]
    names = (
        "has_place_inside", "has_place_in_village", "own_facility_id", "own_tier", "own_by", "own_distance_m",
    )  # fmt: skip
    kinds = (bool, bool, object, object, object, float)
    columns = {
        name: pd.Series([row[position] for row in rows], settlements.index, dtype=kind)
        for position, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    return pd.DataFrame(columns)


def audit_settlements(
    study: Study, access: pd.DataFrame, assigned: pd.DataFrame, scenario: Scenario, before: pd.DataFrame | None = None
) -> gpd.GeoDataFrame:
    """Return one row per settlement: its people, its own place, the nearest places, whether it is served and why not.

    Served means that the nearest place of the scenario's `settlement_tier` is within the cutoff by its main profile.

    Parameters
    ----------
    study : `settlements`, and `facilities` where there are any.
    access : access table of the settlements (point_id = settlement_id).
    assigned : of `assign_areas` for the settlements.
    scenario : settlement_tier, main_profile, cutoff_min, settlement_sizes and the rule of a settlement's own place.
    before : of `planner.coverage.moves.minutes_before`; None = no origin is known.

    Returns
    -------
    GeoDataFrame
        settlement_id, name, town_id, village_id, people, households and the other columns it came with, size_class,
        the columns of `own_places`, nearest_facility_id, travel_time_min, is_served, reason (`REASONS`), over_min
        (beyond the cutoff; 0 when served, NaN without a finite time), person_min_over (people x over_min), rank,
        the columns of `serving_places`, before_min, before_basis, change_min (after less before, negative = nearer
        now; NaN unless both are finite), `<tier>_<profile>_min` for every tier of the pyramid and every profile, tier,
        profile, cutoff_min, geometry.
        Rank 1 needs help most: no connection at all by people, then too far by people x minutes over, then unknown
        by people, then served; ties by id. Rows in the order of the study's table.

    Raises
    ------
    InputError
        When the travel times do not fit the settlements or lead to an online service, or `people` is blank.
    """
    require_physical(access, study)
    settlements = study.table("settlements").reset_index(drop=True)
    ids = list(settlements["settlement_id"])
    nearest = access_of(access, ids, scenario.main_profile, scenario.settlement_tier)
    audit = settlements[["settlement_id"]].assign(name=pd.Series(texts(settlements, "name"), dtype=object))
    audit[["town_id", "village_id"]] = assigned[["town_id", "village_id"]].to_numpy(dtype=object)
    for column in _CARRIED:
        if column in settlements.columns:
            audit[column] = settlements[column].to_numpy(dtype=float, na_value=np.nan)
    audit["people"] = people_by_group(settlements[["people"]].rename(columns={"people": "population"}))["all"]
    audit["size_class"] = pd.Series(size_of(audit["people"], scenario.settlement_sizes), dtype=object)
    facilities = study.tables.get("facilities")
    if facilities is None:
        facilities = gpd.GeoDataFrame({"facility_id": [], "tier": []}, geometry=[], crs=study.crs)
    audit = pd.concat([audit, own_places(settlements, facilities, scenario)], axis=1)
    audit = pd.concat([audit, _service(audit["people"], nearest, scenario.cutoff_min)], axis=1)
    audit["rank"] = _rank(audit)
    audit = pd.concat([audit, serving_places(audit["nearest_facility_id"], audit["people"], study, scenario)], axis=1)
    audit = pd.concat([audit, _move(audit["travel_time_min"], before)], axis=1)
    audit = pd.concat([audit, _minutes_wide(access, ids, scenario)], axis=1)
    audit["tier"], audit["profile"], audit["cutoff_min"] = (
        scenario.settlement_tier, scenario.main_profile, scenario.cutoff_min,
    )  # fmt: skip
    return gpd.GeoDataFrame(audit, geometry=settlements.geometry.to_numpy(), crs=settlements.crs)


def serving_places(facility_ids: pd.Series, people: pd.Series, study: Study, scenario: Scenario) -> pd.DataFrame:
    """Return what the place nearest to each settlement is: index like `facility_ids`, blanks where there is none.

    Returns
    -------
    DataFrame
        nearest_name, nearest_tier, capacity (people it can hold), capacity_share (of the settlement's people),
        nearest_quality ("qualified", "not_qualified", "not_judged"), function_rooms (as in its row), n_rooms.
    """
    known: dict[str, dict[Any, Any]] = {}
    if study.has("facilities"):
        columns = ["facility_id", "name", "tier", "capacity", "function_rooms"]
        rows = pd.DataFrame(study.table("facilities")).reindex(columns=columns)
        known = dict(zip(rows["facility_id"].astype(str), rows.to_dict("records"), strict=True))
    verdicts = quality_of(study, scenario.checklist)
    places = [known.get(str(key), {}) for key in facility_ids]
    seats = pd.Series([place.get("capacity") for place in places], facility_ids.index, dtype=object)
    capacity = pd.to_numeric(seats).astype(float)
    rooms = pd.Series([_blank(place.get("function_rooms")) for place in places], facility_ids.index, dtype=object)
    return pd.DataFrame(
        {
            "nearest_name": pd.Series([place.get("name") for place in places], facility_ids.index, dtype=object),
            "nearest_tier": pd.Series([place.get("tier") for place in places], facility_ids.index, dtype=object),
            "capacity": capacity,
            "capacity_share": share_of(np.asarray(capacity, dtype=np.float64), people.to_numpy(dtype=float)),
            "nearest_quality": pd.Series([verdicts.get(key) for key in facility_ids], facility_ids.index, dtype=object),
            "function_rooms": rooms,
            "n_rooms": [len(rooms_of(words)) for words in rooms],
        },
        index=facility_ids.index,
    )


def _blank(value: Any) -> str | None:  # noqa: ANN401  a cell holds anything
    return value.strip() or None if isinstance(value, str) else None


def _move(after_min: pd.Series, before: pd.DataFrame | None) -> pd.DataFrame:
    if before is None:
        blank = pd.DataFrame(index=after_min.index)
        before = blank.assign(before_min=np.nan, before_basis=pd.Series(None, after_min.index, dtype=object))
    with np.errstate(invalid="ignore"):  # no way before and none after: no change that one could name
        change = after_min.to_numpy(dtype=float) - before["before_min"].to_numpy(dtype=float, na_value=np.nan)
    return before.assign(change_min=np.where(np.isfinite(change), change, np.nan))


def settlement_totals(audit: pd.DataFrame, relocated_people: float | None = None) -> pd.DataFrame:
    """Return the audit summed by size class, and for all settlements against all relocated people.

    Parameters
    ----------
    audit : of `audit_settlements`.
    relocated_people : all relocated people of the county (group `relocated` of the demand); None = those audited.

    Returns
    -------
    DataFrame
        One row per size class that occurs, by size, and "all" last: size_class, n_settlements, n_served,
        n_own_place, n_own_inside (by distance), households, people, served_people, unserved_people (too far or
        disconnected), unknown_people, base_people, outside_people, served_share, unserved_share, unknown_share,
        person_min_over. Served, unserved and unknown people add up to `people`; shares are of `base_people`, which for
        "all" are all relocated people, or those of the settlements where these list more; outside_people: relocated
        people of no listed settlement (negative: the settlements list more people than the demand).
    """
    smallest = audit.groupby("size_class", sort=False)["people"].min().sort_values()
    parts = [(str(code), audit[audit["size_class"] == code]) for code in smallest.index]
    rows = [_total(code, part, None) for code, part in parts]
    return pd.DataFrame([*rows, _total(ALL_SIZES, audit, relocated_people)])


def _total(code: str, part: pd.DataFrame, base_people: float | None) -> dict[str, Any]:
    people = part["people"].to_numpy(dtype=float)
    reason = part["reason"].to_numpy(dtype=object)
    served, unknown, total = people[reason == SERVED].sum(), people[reason == UNKNOWN].sum(), people.sum()
    base = max(total, base_people or 0.0)  # settlements that list more people than the demand: no share above 1
    sums = np.array([served, total - served - unknown, unknown])
    shares = share_of(sums, np.full(3, base))
    households = part["households"].sum() if "households" in part.columns else np.nan
    return {
        "size_class": code,
        "n_settlements": len(part),
        "n_served": int(part["is_served"].sum()),
        "n_place_inside": int(part["has_place_inside"].sum()),
        "n_place_in_village": int(part["has_place_in_village"].sum()),
        "households": float(households),
        "people": float(total),
        **dict(zip(("served_people", "unserved_people", "unknown_people"), map(float, sums), strict=True)),
        "base_people": float(base),
        "outside_people": float((total if base_people is None else base_people) - total),
        **dict(zip(("served_share", "unserved_share", "unknown_share"), map(float, shares), strict=True)),
        "person_min_over": float(part["person_min_over"].sum()),
    }


def _service(people: pd.Series, nearest: pd.DataFrame, cutoff_min: float) -> pd.DataFrame:
    minutes = nearest["travel_time_min"].to_numpy(dtype=float, na_value=np.nan)
    is_served = is_covered(minutes, cutoff_min)
    status = nearest["status"].to_numpy(dtype=object)
    reason = np.select([is_served, np.isnan(minutes), status == DISCONNECTED], [SERVED, UNKNOWN, DISCONNECTED], TOO_FAR)
    over = np.where(is_served, 0.0, np.where(np.isfinite(minutes), minutes - cutoff_min, np.nan))
    return pd.DataFrame(
        {
            "nearest_facility_id": nearest["facility_id"].to_numpy(dtype=object),
            "travel_time_min": minutes,
            "is_served": is_served,
            "reason": reason.astype(object),
            "over_min": over,
            "person_min_over": people.to_numpy() * over,
        }
    )


def _rank(audit: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rank of each row, from 1."""
    urgency = audit["reason"].map({DISCONNECTED: 0, TOO_FAR: 1, UNKNOWN: 2, SERVED: 3}).astype(int)
    # Out of reach without a finite time is the worst kind of too far.
    over = audit["person_min_over"].where(audit["reason"] == TOO_FAR, 0.0).fillna(np.inf)
    keys = pd.DataFrame(
        {"urgency": urgency, "over": -over, "people": -audit["people"], "id": audit["settlement_id"].astype(object)}
    )
    order = keys.sort_values(["urgency", "over", "people", "id"]).index
    rank = np.empty(len(audit), dtype=np.int64)
    rank[order.to_numpy()] = np.arange(1, len(audit) + 1)
    return rank


def _minutes_wide(access: pd.DataFrame, ids: list[str], scenario: Scenario) -> pd.DataFrame:
    minutes = minutes_of(access, ids)
    return pd.DataFrame(
        {
            f"{tier}_{profile}_min": minutes.values[:, row, minutes.tiers.index(tier)]
            for tier in scenario.tiers
            if tier in minutes.tiers
            for row, profile in enumerate(minutes.profiles)
        }
    )


def _candidates_of(
    settlements: gpd.GeoDataFrame, places: gpd.GeoDataFrame, scenario: Scenario
) -> list[tuple[str, list[int], list[float], bool]]:
    """Return for each settlement by what rule which rows of `places` may be its own, how far, and if in its village."""
    xy, place_xy = point_xy(settlements), point_xy(places)
    known = np.flatnonzero(~np.isnan(place_xy[:, 0]))
    tree = cKDTree(place_xy[known])
    near = [[] if np.isnan(x) else known[tree.query_ball_point((x, y), scenario.own_place_m)].tolist() for x, y in xy]
    of_village: dict[str, list[tuple[int, str | None]]] = {}
    for row, (town, village) in enumerate(zip(texts(places, "town"), texts(places, "village"), strict=True)):
        if village is not None:
            of_village.setdefault(village, []).append((row, town))
    found = []
    named = zip(texts(settlements, "town"), texts(settlements, "village"), strict=True)
    for point, rows, (town, village) in zip(xy, near, named, strict=True):
        same = [] if village is None else of_village.get(village, [])
        in_village = [row for row, other in same if town is None or other is None or other == town]
        by, own = BY_DISTANCE, sorted(rows)
        if not own and scenario.own_place_by_village:
            by, own = BY_VILLAGE, in_village
        distances = [float(distance) for distance in np.hypot(*(place_xy[own] - point).T)]
        found.append((by, own, distances, bool(in_village)))
    return found


def _own_place(
    found: tuple[str, list[int], list[float], bool], places: gpd.GeoDataFrame
) -> tuple[bool, bool, str | None, str | None, str | None, float]:
    by, rows, distances, in_village = found
    if not rows:
        return False, in_village, None, None, None, np.nan
    nearest = int(np.argmin(distances))
    place = places.iloc[rows[nearest]]
    return by == BY_DISTANCE, in_village, place["facility_id"], place["tier"], by, distances[nearest]
