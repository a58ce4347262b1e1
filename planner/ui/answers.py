"""What the pages ask of the library, computed once for a study and a choice and kept for every session."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import streamlit as st

from planner.coverage.verdicts import KEYS
from planner.outputs.overlays import band_png, make_frame, minutes_on
from planner.plan.coverage import coverage_table, verdict_table
from planner.plan.ready import demand_access, prepare
from planner.reach.access import chosen
from planner.reach.service_areas import service_areas
from planner.reach.snap_grid import default_cell_m, make_snap_grid
from planner.reach.surfaces import time_surface
from planner.scenario import scenario_to_toml
from planner.ui.degrees import bounds_deg, degrees
from planner.ui.jobs import SERVER, awaited, jobs
from planner.ui.layers import feature, geojson
from planner.ui.leaflet import publish
from planner.wishes import Wishes

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from planner.outputs.overlays import Frame
    from planner.plan.ready import Reach
    from planner.progress import Progress
    from planner.reach.snap_grid import SnapGrid
    from planner.reach.surfaces import TimeSurface
    from planner.reach.what_if import WhatIf
    from planner.scenario import Scenario
    from planner.study import Study
    from planner.ui.state import AppState

_PIXELS = 1_400
_OWN = ["n_facilities", "has_one", "own_people", "no_own_people", "no_unit_people", "own_share"]


@dataclass(frozen=True, eq=False)
class Ready:
    """A study made ready for every choice on the pages.

    Attributes
    ----------
    key : of the study and of what in its scenario changes the roads, the places or the profiles.
    reach : roads, places and people for every profile.
    access : minutes to the nearest place by profile and tier.
    own : the administrative verdict by tier, group and area.
    frame : the pixels of the map's pictures.
    bounds : of the county, ((south, west), (north, east)) in degrees.
    """

    key: str
    reach: Reach
    access: pd.DataFrame
    own: pd.DataFrame
    frame: Frame
    bounds: tuple[tuple[float, float], tuple[float, float]]

    def asked(self, scenario: Scenario) -> Reach:
        """Return the roads and places for a scenario that differs in choices only."""
        return replace(self.reach, scenario=scenario)


def ready_key(study_key: str, base: Scenario) -> str:
    """Return what a study and the lasting part of its scenario are named by."""
    lasting = scenario_to_toml(_plain(base))
    return f"{study_key}-{hashlib.sha256(lasting.encode()).hexdigest()[:16]}"


def _plain(base: Scenario) -> Scenario:
    """Return a scenario with the first of every choice, so that choices do not count in the key."""
    return base.with_choices(
        main_profile=next(iter(base.profiles)), main_tier="any", settlement_tier="any", cutoff_min=15.0,
        name="default", curve_min=(15.0,), siting=Wishes(),
    )  # fmt: skip


def ready(state: AppState) -> Ready | None:
    """Return the session's study made ready, or None while a bar is shown.

    Raises
    ------
    PlannerError
        When the study lacks what is needed: the message says what.
    """
    study, base = state.study, state.base
    key = ready_key(state.held.key, base)
    made: Ready | None = awaited(
        ("ready", key), lambda progress: make_ready(key, study, base, progress), state.session, state.language
    )
    if made is not None:
        # The pictures of the other profiles, before somebody asks for them.
        jobs().start(("grids", key), lambda progress: _warm(made, progress), SERVER)
    return made


def make_ready(key: str, study: Study, base: Scenario, progress: Progress) -> Ready:
    """Return the study made ready; the steps report to `progress`."""
    progress.update(0, 6, "network")
    reach = prepare(study, base)
    progress.update(2, 6, "access")
    access = demand_access(reach)
    progress.update(4, 6, "coverage")
    coverage = coverage_table(reach, access)
    coverage = coverage[coverage["profile"] == base.main_profile]
    own = verdict_table(reach, coverage)[[*KEYS, *_OWN]]
    progress.update(5, 6, "surface")
    bounds = bounds_of(study)
    made = Ready(key, reach, access, own, make_frame(bounds, study.crs, _outline(study), _PIXELS), _corners(bounds))
    grid_of(made, key, base.main_profile)
    progress.update(6, 6, "")
    return made


def _warm(made: Ready, progress: Progress) -> None:
    for done, code in enumerate(made.reach.profiles):
        progress.update(done, len(made.reach.profiles), code)
        grid_of(made, made.key, code)


def bounds_of(study: Study) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a study in degrees; China's where it holds nothing yet."""
    for name in ("areas", "demand", "facilities", "roads", "settlements", "candidates"):
        if study.has(name):
            west, south, east, north = bounds_deg(study.tables[name].geometry)
            pad = max(east - west, north - south, 0.01) * 0.01
            return float(west - pad), float(south - pad), float(east + pad), float(north + pad)
    return 73.0, 18.0, 135.0, 54.0


def _corners(bounds: tuple[float, float, float, float]) -> tuple[tuple[float, float], tuple[float, float]]:
    return (bounds[1], bounds[0]), (bounds[3], bounds[2])


def _outline(study: Study) -> gpd.GeoSeries | None:
    if not study.has("areas"):
        return None
    areas = study.tables["areas"]
    for level in ("county", "town", "village"):
        if (areas["level"] == level).any():
            return areas.geometry[areas["level"] == level]
    return None


# ---- pictures ----


@st.cache_resource(max_entries=24, show_spinner=False)
def grid_of(_made: Ready, key: str, profile: str) -> SnapGrid:
    """Return where the cells of the map's pictures touch the road, for one profile."""
    network = _made.reach.profiles[profile]
    xy = np.array([_made.frame.x[[0, -1], [0, -1]], _made.frame.y[[0, -1], [0, -1]]], dtype=float)
    across_m = float(np.abs(xy[:, 0] - xy[:, 1]).max())
    cell_m = max(default_cell_m(network), across_m / _PIXELS)
    return make_snap_grid(network, cell_m=cell_m, barriers=_made.reach.study.tables.get("barriers"))


@st.cache_resource(max_entries=24, show_spinner=False)
def surface_of(_made: Ready, key: str, profile: str, tier: str) -> TimeSurface:
    """Return the minutes to the nearest place of a tier over the county."""
    reach = _made.reach
    rows = np.flatnonzero(is_of_tier(reach, tier))
    return time_surface(
        reach.profiles[profile], grid_of(_made, key, profile), chosen(reach.places[profile], rows),
        direction=reach.scenario.direction,
    )  # fmt: skip


def surface_tried(made: Ready, profile: str, trial: WhatIf) -> TimeSurface:
    """Return the minutes to the nearest open place of a what-if over the county, on its roads."""
    network, grid = trial.profile_network, grid_of(made, made.key, profile)
    if network is not made.reach.profiles[profile]:
        # Where a road is shut or built, the cells beside it have another nearest road.
        grid = make_snap_grid(network, cell_m=grid.cell_m, barriers=trial.barriers)
    places = chosen(trial.places, np.flatnonzero(trial.is_open))
    return time_surface(network, grid, places, direction=trial.direction)


@st.cache_data(max_entries=64, show_spinner=False)
def surface_picture(_made: Ready, key: str, profile: str, tier: str, cutoff_min: float) -> str:
    """Return the address of the picture of a time surface."""
    minutes = minutes_on(_made.frame, surface_of(_made, key, profile, tier))
    return publish(band_png(_made.frame, minutes, cutoff_min), ".png")


@st.cache_data(max_entries=64, show_spinner=False)
def circles_outline(_made: Ready, key: str, profile: str, tier: str, cutoff_min: float) -> str:
    """Return the address of where the practice circles of a tier end together, in cells of the map's pictures."""
    reach, grid = _made.reach, grid_of(_made, key, profile)
    places = chosen(reach.places[profile], np.flatnonzero(is_of_tier(reach, tier)))
    circles = service_areas(reach.profiles[profile], grid, places, (cutoff_min,), reach.scenario.direction)
    # Simplified before they are joined, as on the map that is handed in.
    simple = circles.geometry.simplify(grid.cell_m, preserve_topology=False).make_valid()
    joined = gpd.GeoSeries([simple.union_all()], crs=circles.crs)
    return geojson([feature(shape) for shape in degrees(joined) if not shape.is_empty])


def is_of_tier(reach: Reach, tier: str) -> NDArray[np.bool_]:
    """Return bool[n_facilities]: which places count for a tier result."""
    counted = reach.scenario.tiers_of(tier)
    of_tier = reach.facilities["tier"].to_numpy(dtype=object)
    return np.ones(len(of_tier), bool) if counted is None else np.isin(of_tier, counted)


# ---- tables ----


@st.cache_data(max_entries=64, show_spinner=False)
def coverage_of(_made: Ready, key: str, tier: str, cutoff_min: float) -> pd.DataFrame:
    """Return people within the limit for every profile, group and area, both verdicts side by side."""
    table = coverage_table(_made.reach, _made.access, [cutoff_min], tiers=[tier])
    return table.merge(_made.own, how="left", on=KEYS, validate="many_to_one")


@st.cache_data(max_entries=32, show_spinner=False)
def curve_of(_made: Ready, key: str, tier: str, limits: tuple[float, ...]) -> pd.DataFrame:
    """Return the county's share within every limit, for every profile and group."""
    table = coverage_table(_made.reach, _made.access, list(limits), tiers=[tier], level="county")
    return table[table["area_class"].isna()].reset_index(drop=True)


def county_rows(coverage: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the rows of the whole county for a group, by profile."""
    rows = coverage[(coverage["area_level"] == "county") & coverage["area_class"].isna() & (coverage["group"] == group)]
    return rows.set_index("profile")
