"""Practice circles and time surfaces of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.coverage.minutes import is_covered
from planner.progress import SILENT, Step
from planner.reach.access import chosen
from planner.reach.service_areas import service_areas
from planner.reach.snap_grid import make_snap_grid
from planner.reach.surfaces import overlap_counts, time_surface
from planner.reach.travel_times import travel_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.network.road_network import Snapped
    from planner.plan.ready import Reach
    from planner.progress import Progress
    from planner.reach.snap_grid import SnapGrid
    from planner.reach.surfaces import TimeSurface
    from planner.study import Grid


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

    Columns facility_id, name, tier, profile, cutoff_min, area_km2, cell_m, people (NaN where the study has no demand),
    geometry. A place that touches no
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
    if not reach.study.has("demand"):
        pairs = {"facility_id": np.repeat(places.ids, len(limits)), "cutoff_min": [*limits] * len(places)}
        return pd.DataFrame(pairs).assign(people=np.nan)
    times = travel_times(reach.profiles[code], places, reach.demand[code], max(limits), reach.scenario.direction)
    minutes = times.minutes()
    population = reach.study.table("demand")["population"].to_numpy(dtype=float)[minutes.indices]
    row = np.repeat(np.arange(len(places)), np.diff(minutes.indptr))
    tables = []
    for limit in limits:
        people = np.bincount(row, np.where(is_covered(minutes.data, limit), population, 0.0), minlength=len(places))
        tables.append(pd.DataFrame({"facility_id": places.ids, "cutoff_min": limit, "people": people}))
    return pd.concat(tables, ignore_index=True)


def surface_grid(reach: Reach, progress: Progress = SILENT) -> tuple[Grid, NDArray[np.int32], dict[str, object]]:
    """Return the minutes to the nearest place of the main tier by the main profile, and how many are within the limit.

    Minutes: NaN = unknown, inf = no way leads there; counts have the same cells. The third part says on what terms.
    """
    scenario, code = reach.scenario, reach.scenario.main_profile
    network, profile = reach.profiles[code], reach.scenario.profiles[code]
    grid = make_snap_grid(network, barriers=reach.study.tables.get("barriers"), progress=Step(progress, 0.0, 0.5))
    places = chosen(reach.places[code], np.flatnonzero(_is_of_tiers(reach, [scenario.main_tier])))
    surface = time_surface(network, grid, places, direction=scenario.direction)
    counts = overlap_counts(
        network, grid, places, scenario.cutoff_min, scenario.direction, Step(progress, 0.5, 1.0)
    )  # fmt: skip
    terms = {
        "study": reach.study.name, "tier": scenario.main_tier, "n_places": len(places), "profile": code,
        "speed_kph": profile.speed_kph, "class_speed_kph": dict(profile.class_speed_kph), "slope": profile.slope,
        "access_speed_kph": profile.access_speed_kph, "max_access_m": profile.max_access_m,
        "direction": scenario.direction, "cutoff_min": scenario.cutoff_min, "standard": scenario.standard,
        "cell_m": grid.cell_m, "has_elevation": "elevation" in reach.study.grids,
    }  # fmt: skip
    return surface.to_grid(), counts, terms
