"""Places that people can walk into: an online service is an attribute, never a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.errors import InputError
from planner.study import is_online, is_yes, physical_places

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
    places = counted_places(facilities, scenario)
    tiers = scenario.tiers_of(code)
    return places if tiers is None else places[places["tier"].isin(tiers)]


def counted_places(facilities: gpd.GeoDataFrame, scenario: Scenario) -> gpd.GeoDataFrame:
    """Return the places that coverage counts: one can go there, and they are not light.

    A place is light when its flag `is_light` says so or its tier is light; it counts all the same where its tier's
    rule says `counts_light`.
    """
    places = physical_places(facilities)
    flags = places["is_light"] if "is_light" in places.columns else [None] * len(places)
    counts = [_counts(str(tier), is_yes(flag), scenario) for tier, flag in zip(places["tier"], flags, strict=True)]
    return places[counts] if len(places) else places


def _counts(tier: str, is_flagged: bool, scenario: Scenario) -> bool:  # noqa: FBT001  one caller
    rule = scenario.hierarchy.get(tier)
    if rule is None:
        return not is_flagged
    return rule.counts_light or not (is_flagged or rule.is_light)


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
