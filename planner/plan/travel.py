"""One way drawn, places on trial, and people who could walk over open ground where no road is mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.crs import WGS84, transform
from planner.errors import InputError, ScenarioError
from planner.network.snap import snap_points, snap_table
from planner.network.speeds import prepare_profile
from planner.plan.coverage import coverage_table
from planner.plan.ready import counted_facilities, demand_access, network_of
from planner.reach.access import DISCONNECTED, chosen
from planner.reach.off_path import Ground, estimate_off_path, estimated_access_table
from planner.reach.routes import nearest_route
from planner.reach.travel_times import nearest
from planner.reach.what_if import start_what_if
from planner.study import point_xy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.plan.ready import Reach
    from planner.reach.positions import Direction
    from planner.reach.what_if import WhatIf
    from planner.scenario import Scenario
    from planner.study import Study

_ORIGINS = (
    ("demand", "demand_id"), ("settlements", "settlement_id"), ("candidates", "candidate_id"),
    ("facilities", "facility_id"),
)  # fmt: skip
PLACE_OFF_ROAD = "place_off_road"
_WIDEST_DEGREES, _HIGHEST_DEGREES = 180.0, 90.0


def route_table(study: Study, scenario: Scenario, origin: str, place: str | None = None) -> gpd.GeoDataFrame:
    """Return the fastest way from a point to a place by every profile of the scenario, geometry along real roads.

    Columns profile, origin_id, facility_id, name, travel_time_min (inf = there is no way, NaN = one of the two touches
    no road), road_m without the access legs, origin_access_m, place_access_m, reason and geometry (None without a way).
    `reason` says why there is none: "no_road", "fragment", "barrier" or "no_coordinates" of the origin,
    "place_off_road" where no place touches a road, else "disconnected".

    Parameters
    ----------
    origin : id of a demand point, settlement, candidate or place, looked up in this order; or "x,y", degrees (lon,lat)
        where they can be, else metres of the study's CRS.
    place : id of a place; None = the nearest one that counts for the scenario's main tier.

    Raises
    ------
    InputError
        When the origin or the place is not there, or the study has no roads.
    """
    import geopandas as gpd

    facilities = _wanted(counted_facilities(study, scenario), scenario, place)
    x, y = spot_of(study, origin)
    network, barriers = network_of(study, scenario), study.tables.get("barriers")
    rows = []
    for code, profile in scenario.profiles.items():
        prepared = prepare_profile(network, profile)
        start = snap_points(prepared, np.array([origin], object), np.array([x]), np.array([y]), barriers)
        places = snap_table({code: prepared}, facilities, "facility_id", barriers)[code]
        rows.append({"profile": code, **_row(prepared, start, places, facilities, scenario.direction)})
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=study.crs)


def _row(
    network: ProfileNetwork, start: Snapped, places: Snapped, facilities: gpd.GeoDataFrame, direction: Direction
) -> dict[str, object]:
    names = dict(zip(facilities["facility_id"], facilities["name"], strict=True))
    way = nearest_route(network, start, places, direction)
    return {
        "origin_id": way.origin_id,
        "facility_id": way.place_id,
        "name": names.get(way.place_id),
        "travel_time_min": way.travel_time_min,
        "road_m": way.length_m,
        "origin_access_m": way.origin_access_m,
        "place_access_m": way.place_access_m,
        "reason": _why_no_way(start, places) if way.geometry is None else None,
        "geometry": way.geometry,
    }


def _why_no_way(start: Snapped, places: Snapped) -> str:
    """Return why the origin reaches no place: what keeps it from the road, or the only place, or that no road leads."""
    if start.edge[0] < 0:
        return str(start.reason[0])
    return DISCONNECTED if (places.edge >= 0).any() else PLACE_OFF_ROAD


def _wanted(facilities: gpd.GeoDataFrame, scenario: Scenario, place: str | None) -> gpd.GeoDataFrame:
    """Return the one place asked for, else those of the main tier."""
    if place is not None:
        found = facilities[facilities["facility_id"].astype(str) == place]
        if not len(found):
            raise InputError(f"There is no place '{place}' that counts.")
        return found
    tiers = scenario.tiers_of(scenario.main_tier)
    found = facilities if tiers is None else facilities[facilities["tier"].isin(tiers)]
    if not len(found):
        raise InputError(f"The study has no place of the tier '{scenario.main_tier}'.")
    return found


def spot_of(study: Study, origin: str) -> tuple[float, float]:
    """Return the coordinates of an id (as for `route_table`), or of "x,y", in the study's CRS.

    Raises
    ------
    InputError
        When there is no such id, and it is no pair of numbers.
    """
    for kind, column in _ORIGINS:
        if study.has(kind):
            table = study.tables[kind]
            found = table[table[column].astype(str) == origin]
            if len(found):
                x, y = point_xy(found)[0].tolist()
                return x, y
    try:
        x, y = (float(part) for part in origin.split(","))
    except ValueError:
        raise InputError(
            f"There is no point '{origin}': give the id of a demand point, settlement, candidate or place, or lon,lat."
        ) from None
    if abs(x) <= _WIDEST_DEGREES and abs(y) <= _HIGHEST_DEGREES:
        (x,), (y,) = transform([x], [y], WGS84, study.crs)
    return float(x), float(y)


def start_trial(reach: Reach, profile: str | None = None, tier: str | None = None, horizon_min: float = 60.0) -> WhatIf:
    """Return a trial of the places that count for a tier: open, close, add and move them, change roads, undo.

    Parameters
    ----------
    profile, tier : None = the scenario's main ones.
    horizon_min : nobody is served beyond.

    Raises
    ------
    ScenarioError
        When the profile or the tier is unknown.
    """
    code, places = _profile_and_places(reach, profile, tier)
    barriers = reach.study.tables.get("barriers")
    return start_what_if(
        reach.profiles[code], places, reach.demand[code], reach.scenario.direction, horizon_min, barriers
    )


def nearest_table(reach: Reach, k: int = 3, profile: str | None = None, tier: str | None = None) -> pd.DataFrame:
    """Return the k nearest places of every demand point: demand_id, rank (1 = nearest), facility_id, travel_time_min.

    A point that fewer places can be reached from has fewer rows. Ties go to the place whose id sorts first.

    Parameters
    ----------
    profile, tier : None = the scenario's main ones.

    Raises
    ------
    ScenarioError
        When `k` is less than 1, or the profile or the tier unknown.
    """
    import pandas as pd

    code, places = _profile_and_places(reach, profile, tier)
    found = nearest(reach.profiles[code], places, reach.demand[code], reach.scenario.direction, k)
    row, column = np.nonzero(found.place >= 0)
    return pd.DataFrame(
        {
            "demand_id": reach.demand[code].ids[row],
            "rank": column + 1,
            "facility_id": places.ids[found.place[row, column]],
            "travel_time_min": found.minutes()[row, column],
        }
    )


def _profile_and_places(reach: Reach, profile: str | None, tier: str | None) -> tuple[str, Snapped]:
    """Return a profile's code, and the places that count for a tier on its network."""
    code = profile or reach.scenario.main_profile
    if code not in reach.profiles:
        raise ScenarioError(f"There is no profile '{code}'; there are {', '.join(reach.profiles)}.")
    tiers = reach.scenario.tiers_of(tier or reach.scenario.main_tier)
    ids = reach.facilities["facility_id"].astype(str)
    ids = ids if tiers is None else ids[reach.facilities["tier"].isin(tiers)]
    return code, chosen(reach.places[code], np.flatnonzero(np.isin(reach.places[code].ids.astype(str), ids)))


def estimated_table(
    reach: Reach,
    cutoffs_min: Sequence[float] | None = None,
    tiers: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    level: str | None = None,
) -> pd.DataFrame:
    """Return the coverage table with `estimated_people`: a class of its own, never a part of the covered.

    They are those of `unknown_people` who would be within the time limit if they walked over open ground to the
    nearest road (section 6 of the method): an estimate from heights and barriers alone.

    Raises
    ------
    InputError
        When the study has no elevation.
    ScenarioError
        When a tier, a group or a level is unknown.
    """
    heights = reach.study.grids.get("elevation")
    if heights is None:
        raise InputError(
            "Walking over open ground needs heights. Import some: planner import STUDY.gpkg elevation FILE"
        )
    ground = Ground(heights, reach.study.tables.get("barriers"))
    walked = {
        code: estimate_off_path(network, reach.demand[code], ground, reach.scenario.direction)
        for code, network in reach.profiles.items()
    }
    access = demand_access(reach)
    narrow = {"cutoffs_min": cutoffs_min, "tiers": tiers, "groups": groups, "level": level}
    table = coverage_table(reach, access, **narrow)  # type: ignore[arg-type]
    estimated = coverage_table(reach, _estimated_alone(reach, access, walked), **narrow)  # type: ignore[arg-type]
    return table.assign(estimated_people=estimated["covered_people"].to_numpy())


def _estimated_alone(reach: Reach, access: pd.DataFrame, walked: Mapping[str, Snapped]) -> pd.DataFrame:
    """Return the access table in which only estimated points have minutes; the others are unknown."""
    key = ["point_id", "profile", "tier"]
    found = estimated_access_table(reach.facilities, reach.places, walked, reach.profiles, reach.scenario)
    blank = access.drop(columns=["facility_id", "travel_time_min", "status"])
    merged = blank.merge(found, on=key, how="left", validate="one_to_one")
    return merged.assign(status=merged["status"].astype(object).where(merged["status"].notna(), "unknown"))
