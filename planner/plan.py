"""From a study and a scenario to a plan: the stages, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

    from planner.network.road_network import ProfileNetwork, RoadNetwork, Snapped
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
    places : existing physical places on the network, by profile code.
    demand : demand points on the network, by profile code.
    unplaced : one row a place or demand point that touches no road (kind, id, profile, reason).
    """

    study: Study
    scenario: Scenario
    network: RoadNetwork
    profiles: Mapping[str, ProfileNetwork]
    places: Mapping[str, Snapped]
    demand: Mapping[str, Snapped]
    unplaced: pd.DataFrame


@dataclass(frozen=True)
class Plan:
    """Everything a scenario says about a study.

    Attributes
    ----------
    study, scenario : what it was made from.
    network : counts of the road graph.
    access : minutes to the nearest place, one row per demand point, profile and tier.
    coverage : people within the time limit, one row per tier, profile, group and area.
    curve : the same for the county over several time limits.
    verdicts : the administrative verdict beside the minutes, per area and tier.
    circles : practice circles of every place and profile at the time limit.
    surfaces : minutes to the nearest place of the main tier as a raster, by profile.
    gaps : uncovered people as areas one can name.
    settlements : one row per relocation settlement.
    settlement_nearest : nearest place of each tier by each profile, per settlement.
    settlement_totals : served, unserved and unknown people of all settlements.
    proposals : chosen candidate sites in rank order.
    siting : status, value, bound and gap of the proposal.
    unplaced : what touches no road.
    """

    study: Study
    scenario: Scenario
    network: Mapping[str, Any]
    access: pd.DataFrame
    coverage: pd.DataFrame
    curve: pd.DataFrame
    verdicts: pd.DataFrame
    circles: gpd.GeoDataFrame
    surfaces: Mapping[str, Any]
    gaps: gpd.GeoDataFrame
    settlements: gpd.GeoDataFrame
    settlement_nearest: pd.DataFrame
    settlement_totals: Mapping[str, Any]
    proposals: gpd.GeoDataFrame
    siting: Mapping[str, Any]
    unplaced: pd.DataFrame
