"""What would serve an unserved settlement soonest: a place upgraded, a candidate activated, a mobile session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.causes import UNKNOWN
from planner.coverage.minutes import is_covered
from planner.coverage.places import ONLINE_WAY, counted_places
from planner.study import physical_places

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.scenario import Scenario

UPGRADE, CANDIDATE, SESSION, SURVEY = "upgrade", "candidate", "session", "survey"
REMEDIES = (UPGRADE, CANDIDATE, SESSION, SURVEY)
AGREED, REFUSED = "agreed", "refused"
REMEDY_COLUMNS = ("settlement_id", "option", "remedy", "place_id", "place_name", "remedy_min", "consent", "cost")


def upgradable_places(facilities: gpd.GeoDataFrame, scenario: Scenario) -> gpd.GeoDataFrame:
    """Return the places that one can go to and that do not count for the tier which has to serve settlements.

    They are of another tier, or light: premises that stand already, to be raised to that tier.
    """
    counted = counted_places(facilities, scenario)
    tiers = scenario.tiers_of(scenario.settlement_tier)
    serving = counted if tiers is None else counted[counted["tier"].isin(tiers)]
    places = physical_places(facilities)
    return places[~places["facility_id"].isin(serving["facility_id"])]


def usable_candidates(candidates: gpd.GeoDataFrame, scenario: Scenario) -> gpd.GeoDataFrame:
    """Return the candidates that could serve settlements: no online platform (way 6), none whose owner refused.

    A candidate of a tier that does not count is left out; one without a tier can be any.
    """
    usable = candidates["way"].astype(str) != ONLINE_WAY
    if "consent" in candidates.columns:
        usable &= ~(candidates["consent"] == REFUSED).fillna(value=False)
    tiers = scenario.tiers_of(scenario.settlement_tier)
    if tiers is not None and "tier" in candidates.columns:
        usable &= candidates["tier"].isna() | candidates["tier"].isin(tiers)
    return candidates[usable]


def remedies(audit: pd.DataFrame, options: pd.DataFrame, cutoff_min: float) -> pd.DataFrame:
    """Return what would serve each unserved settlement, soonest first.

    Soonest is what needs least before people can come: an existing place within the limit, raised in tier; a candidate
    within the limit whose owner agreed; one whose owner is still to be asked; then a mobile session at the settlement
    itself, which is always possible and bridges the time until one of the others is ready. Within a kind the nearest
    goes first, ties by id. Where no road is known near a settlement, its roads have to be looked at first.

    Parameters
    ----------
    audit : of `audit_settlements`; served settlements are passed over.
    options : settlement_id, remedy ("upgrade" or "candidate"), place_id, place_name, remedy_min, consent, cost; those
        beyond the limit are left aside.

    Returns
    -------
    DataFrame
        `REMEDY_COLUMNS`; option counts from 1 for each settlement, settlements in the order of the audit's rank.
    """
    open_rows = audit[~audit["is_served"].astype(bool)].sort_values("rank")
    within = options[is_covered(options["remedy_min"], cutoff_min)]
    order = np.where(within["remedy"] == UPGRADE, 0, np.where(within["consent"] == AGREED, 1, 2))
    within = within.assign(_order=order).sort_values(["_order", "remedy_min", "place_id"], kind="stable")
    rows = []
    for key, reason in zip(open_rows["settlement_id"], open_rows["reason"], strict=True):
        own = within[within["settlement_id"] == key].drop_duplicates("_order")
        found = list(own[list(REMEDY_COLUMNS[2:])].itertuples(index=False, name=None))
        if reason == UNKNOWN:
            found = [(SURVEY, None, None, np.nan, None, np.nan)]
        found.append((SESSION, None, None, 0.0, None, np.nan))
        rows += [(key, number, *one) for number, one in enumerate(found, start=1)]
    return pd.DataFrame(rows, columns=list(REMEDY_COLUMNS)).astype({"remedy_min": float, "cost": float})
