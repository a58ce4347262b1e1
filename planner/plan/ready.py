"""A study made ready for a scenario: roads, places and people on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from planner.coverage.areas import assign_areas
from planner.coverage.places import counted_places
from planner.network.cache import cached_network
from planner.network.components import summary
from planner.network.snap import snap_records, snap_table, unplaced
from planner.network.speeds import prepare_profile
from planner.plan.road_changes import changed_network
from planner.progress import SILENT
from planner.reach.access import access_table, places_by_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from planner.network.road_network import ProfileNetwork, RoadNetwork, Snapped
    from planner.progress import Progress
    from planner.scenario import Scenario
    from planner.study import Study


@dataclass(frozen=True)
class Reach:
    """The roads of a study made ready for a scenario, with places and people on them.

    Attributes
    ----------
    study, scenario : what it was made from.
    network : the road graph.
    profiles : by profile code.
    facilities : places that coverage counts, by id; online services and light places are not among them.
    places : the same on the network, by profile code.
    demand : demand points on the network, by profile code.
    assigned : town, village and class of every demand point.
    unplaced : one row a place or demand point that touches no road (kind, id, profile, reason).
    """

    study: Study
    scenario: Scenario
    network: RoadNetwork
    profiles: Mapping[str, ProfileNetwork]
    facilities: gpd.GeoDataFrame
    places: Mapping[str, Snapped]
    demand: Mapping[str, Snapped]
    assigned: pd.DataFrame
    unplaced: pd.DataFrame


def prepare(study: Study, scenario: Scenario, progress: Progress = SILENT, *, needs_people: bool = True) -> Reach:
    """Return the study's roads, places and people made ready for a scenario.

    Parameters
    ----------
    needs_people : False = a study without demand will do: roads and places, and nobody on them.

    Raises
    ------
    InputError
        When the study has no roads, or no demand though people are needed.
    """
    demand = study.table("demand") if needs_people or study.has("demand") else _nobody(study.crs)
    progress.update(0, 3, "network")
    network = network_of(study, scenario)
    progress.update(1, 3, "profiles")
    profiles = {code: prepare_profile(network, profile) for code, profile in scenario.profiles.items()}
    progress.update(2, 3, "snap")
    barriers = study.tables.get("barriers")
    facilities = counted_facilities(study, scenario)
    places = snap_table(profiles, facilities, "facility_id", barriers)
    points = snap_table(profiles, demand, "demand_id", barriers)
    records = [snap_records(kind, snapped, profiles) for kind, snapped in (("facilities", places), ("demand", points))]
    progress.update(3, 3, "snap")
    return Reach(
        study=study,
        scenario=scenario,
        network=network,
        profiles=profiles,
        facilities=facilities,
        places=places,
        demand=points,
        assigned=assign_areas(demand, areas_of(study)),
        unplaced=unplaced(pd.concat(records)),
    )


def network_of(study: Study, scenario: Scenario | None = None) -> RoadNetwork:
    """Return the road graph of a study, from the cache when the same roads were built before.

    Parameters
    ----------
    scenario : its road changes are made; None = the roads as they are.

    Raises
    ------
    InputError
        When the study has no roads, or a road change names one that it has not.
    """
    network = cached_network(study.table("roads"), study.crs, study.grids.get("elevation"))
    return network if scenario is None else changed_network(network, study, scenario)


def describe_network(study: Study) -> dict[str, Any]:
    """Return counts of the noded, uncontracted road graph, and of what its import left out."""
    return {**summary(network_of(study)), "n_missing_nodes": int(study.metadata.get("n_missing_nodes", 0))}


def areas_of(study: Study) -> gpd.GeoDataFrame | None:
    """Return the county, towns and villages of a study; None when it has none."""
    return study.tables["areas"] if study.has("areas") else None


def counted_facilities(study: Study, scenario: Scenario) -> gpd.GeoDataFrame:
    """Return the places that coverage counts, by id; an empty table where the study has none."""
    if study.has("facilities"):
        return places_by_id(counted_places(study.tables["facilities"], scenario))
    columns = {"facility_id": pd.Series(dtype=object), "name": pd.Series(dtype=object), "tier": pd.Series(dtype=object)}
    return gpd.GeoDataFrame(columns, geometry=[], crs=study.crs)


def _nobody(crs: str) -> gpd.GeoDataFrame:
    columns = {"demand_id": pd.Series(dtype=object), "population": pd.Series(dtype=float)}
    return gpd.GeoDataFrame(columns, geometry=[], crs=crs)


def demand_access(reach: Reach, progress: Progress = SILENT) -> pd.DataFrame:
    """Return minutes from every demand point to the nearest place, by profile and tier."""
    return access_table(reach.facilities, reach.places, reach.demand, reach.profiles, reach.scenario, progress)
