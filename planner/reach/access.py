"""The access table: for every point, profile and tier the nearest place, its minutes, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.network.road_network import UNREACHABLE_CS
from planner.progress import SILENT
from planner.reach.travel_times import nearest
from planner.study import physical_places
from planner.units import CENTISECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.progress import Progress
    from planner.scenario import Scenario

REACHABLE, DISCONNECTED, UNKNOWN = "reachable", "disconnected", "unknown"


def places_by_id(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places one can go to, in order of their ids: ties between places go to the first."""
    places = physical_places(facilities)
    order = np.argsort(places["facility_id"].astype(str).to_numpy(), kind="stable")
    return places.iloc[order].reset_index(drop=True)


def access_table(
    facilities: gpd.GeoDataFrame,
    places: Mapping[str, Snapped],
    points: Mapping[str, Snapped],
    profile_networks: Mapping[str, ProfileNetwork],
    scenario: Scenario,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Return one row per point, profile and tier result, with the nearest place and its minutes.

    Columns point_id, profile, tier, facility_id (None = none), travel_time_min (inf = not reachable, NaN = unknown),
    status: "reachable"; "disconnected" = on the road, but no way leads to a place of that tier; "unknown" = no usable
    road near the point.

    Parameters
    ----------
    facilities : places, with columns facility_id, tier and, if any, is_online.
    places : the same places (all, or the physical ones alone) on the network, by profile code.
    points : demand points, settlements or candidates on the network, by profile code.
    """
    import pandas as pd

    physical = places_by_id(facilities)
    codes = list(profile_networks)
    tables = []
    for done, code in enumerate(codes):
        progress.update(done, len(codes), code)
        by_tier = _times_by_tier(physical, places[code], points[code], profile_networks[code], scenario)
        for tier_code in scenario.tier_codes:
            counted = scenario.tiers_of(tier_code)
            found = [times for tier, times in by_tier.items() if counted is None or tier in counted]
            place, time_cs = _least(found, len(points[code]))
            tables.append(_rows(points[code], physical, place, time_cs).assign(profile=code, tier=tier_code))
    progress.update(len(codes), len(codes))
    columns = ["point_id", "profile", "tier", "facility_id", "travel_time_min", "status"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _times_by_tier(
    physical: gpd.GeoDataFrame,
    places: Snapped,
    points: Snapped,
    profile_network: ProfileNetwork,
    scenario: Scenario,
) -> dict[str, tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Return, for every tier that has places, the nearest one's row in `physical` and its centiseconds, per point."""
    row_of = {str(name): row for row, name in enumerate(places.ids)}
    row = np.array([row_of[str(name)] for name in physical["facility_id"]], np.int64)
    tiers = physical["tier"].astype(str).to_numpy()
    found = {}
    for tier in sorted(set(tiers)):
        members = np.flatnonzero(tiers == tier)
        best = nearest(profile_network, chosen(places, row[members]), points, scenario.direction)
        place = best.place[:, 0]
        found[tier] = np.where(place >= 0, members[place], -1).astype(np.int32), best.time_cs[:, 0]
    return found


def chosen(snapped: Snapped, rows: NDArray[np.int64]) -> Snapped:
    """Return the given rows of `snapped`."""
    from dataclasses import fields, replace

    return replace(snapped, **{field.name: getattr(snapped, field.name)[rows] for field in fields(snapped)})


def _least(
    found: list[tuple[NDArray[np.int32], NDArray[np.int32]]], n_points: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the nearest over several tiers; ties go to the place whose id sorts first."""
    place, time_cs = np.full(n_points, -1, np.int32), np.full(n_points, UNREACHABLE_CS, np.int32)
    for other, other_cs in found:
        better = (other >= 0) & ((other_cs < time_cs) | ((other_cs == time_cs) & (other < place)))
        place, time_cs = np.where(better, other, place), np.where(better, other_cs, time_cs)
    return place, time_cs


def _rows(
    points: Snapped, physical: gpd.GeoDataFrame, place: NDArray[np.int32], time_cs: NDArray[np.int32]
) -> pd.DataFrame:
    import pandas as pd

    ids = np.array([*physical["facility_id"], None], object)
    minutes = np.where(place >= 0, time_cs / CENTISECONDS_PER_MINUTE, np.inf)
    known = points.edge >= 0
    return pd.DataFrame(
        {
            "point_id": points.ids,
            "facility_id": ids[place],
            "travel_time_min": np.where(known, minutes, np.nan),
            "status": np.where(known, np.where(place >= 0, REACHABLE, DISCONNECTED), UNKNOWN),
        }
    )
