"""The check of the relocation settlements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.coverage.areas import assign_areas
from planner.coverage.settlements import audit_settlements, nearest_places, settlement_totals
from planner.network.snap import snap_table
from planner.plan.ready import areas_of
from planner.reach.access import access_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.plan.ready import Reach


@dataclass(frozen=True)
class SettlementAudit:
    """The check of the relocation settlements: one row each, their nearest places, and the totals by size class."""

    table: gpd.GeoDataFrame
    nearest: pd.DataFrame
    totals: pd.DataFrame


def settlement_audit(reach: Reach) -> SettlementAudit:
    """Return what the check of the relocation settlements found.

    Raises
    ------
    InputError
        When the study has no settlements.
    """
    settlements, demand = reach.study.table("settlements"), reach.study.table("demand")
    snapped = snap_table(reach.profiles, settlements, "settlement_id", reach.study.tables.get("barriers"))
    access = access_table(reach.facilities, reach.places, snapped, reach.profiles, reach.scenario)
    table = audit_settlements(reach.study, access, assign_areas(settlements, areas_of(reach.study)), reach.scenario)
    relocated = float(demand["relocated"].sum()) if "relocated" in demand else None
    return SettlementAudit(
        table=table,
        nearest=nearest_places(access, list(settlements["settlement_id"])),
        totals=settlement_totals(table, relocated),
    )
