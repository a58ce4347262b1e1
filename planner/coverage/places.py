"""Places that people can walk into: an online service is an attribute, never a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.study import is_online, physical_places

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.scenario import Scenario
    from planner.study import Study

ONLINE_WAY = "6"


def places_of_tier(facilities: gpd.GeoDataFrame, scenario: Scenario, code: str) -> gpd.GeoDataFrame:
    """Return the physical places that count for the tier result `code` (a tier, `at_least:<tier>` or `any`).

    Raises
    ------
    ScenarioError
        When the scenario knows no such tier.
    """
    places = physical_places(facilities)
    tiers = scenario.tiers_of(code)
    return places if tiers is None else places[places["tier"].isin(tiers)]


def require_physical(access: pd.DataFrame, study: Study) -> None:
    """Raise `InputError` when travel times lead to an online service or to a way-6 candidate: neither covers anyone."""
    online: set[str] = set()
    if study.has("candidates"):
        candidates = study.table("candidates")
        online.update(candidates.loc[candidates["way"].astype(str) == ONLINE_WAY, "candidate_id"])
    if study.has("facilities"):
        facilities = study.table("facilities")
        # Both tables may number their rows alike: an id that a real place has means that place.
        online -= set(facilities["facility_id"])
        online.update(facilities.loc[is_online(facilities), "facility_id"])
    named = sorted(online.intersection(access["facility_id"].dropna()))
    if named:
        raise InputError(
            f"The travel times lead to {len(named)} online services ({', '.join(named[:5])}), which are never physical "
            "coverage. Compute the travel times again without them."
        )
