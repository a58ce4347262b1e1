"""How far the roads of a study can be trusted: completeness by area, torn ends and unjoined crossings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.coverage.completeness import FAR_M, completeness_table
from planner.network.faults import road_faults
from planner.plan.coverage import coverage_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.plan.ready import Reach


@dataclass(frozen=True)
class RoadQuality:
    """What the road data looks like.

    Attributes
    ----------
    table : of `completeness_table`, one row an area.
    faults : of `road_faults`, one row a place where the roads may be torn.
    """

    table: gpd.GeoDataFrame
    faults: gpd.GeoDataFrame


def road_quality(reach: Reach, coverage: pd.DataFrame | None = None, far_m: float = FAR_M) -> RoadQuality:
    """Return how complete the roads look, and what that does to coverage by the main profile and tier.

    Parameters
    ----------
    coverage : of `coverage_table` with the main profile, tier and limit, when it is there already.
    far_m : metres beyond which a person is far from any road.
    """
    scenario = reach.scenario
    known = coverage_table(reach, tiers=[scenario.main_tier], groups=["all"]) if coverage is None else coverage
    chosen = known[
        (known["profile"] == scenario.main_profile) & (known["tier"] == scenario.main_tier) & (known["group"] == "all")
    ]
    return RoadQuality(
        table=completeness_table(reach.study, reach.assigned, chosen, far_m),
        faults=road_faults(reach.study.table("roads")),
    )
