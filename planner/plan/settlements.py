"""The audit of the relocation settlements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.areas import assign_areas
from planner.coverage.declared import kept_declaration, reconcile
from planner.coverage.minutes import access_of
from planner.coverage.moves import minutes_before, minutes_of_towns, origin_points
from planner.coverage.remedies import (
    AGREED,
    CANDIDATE,
    REMEDY_COLUMNS,
    UPGRADE,
    remedies,
    upgradable_places,
    usable_candidates,
)
from planner.coverage.settlements import audit_settlements, nearest_places, settlement_totals
from planner.network.snap import snap_table
from planner.plan.ready import areas_of, demand_access
from planner.reach.access import access_table
from planner.reach.travel_times import nearest
from planner.units import CENTISECONDS_PER_MINUTE

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.network.road_network import Snapped
    from planner.plan.ready import Reach

CHECK_COLUMNS = ("check", "expected", "found", "difference", "judgement")
"""`expected` is a declared figure, or the relocated people of the demand; `found` is the sum of the settlements."""
_DIFFERS_FROM = 0.5  # people: less is a fraction of a cell


@dataclass(frozen=True)
class SettlementAudit:
    """The audit of the relocation settlements.

    Attributes
    ----------
    table : one row each, as a layer; with remedy, remedy_name and remedy_min, the soonest of `remedies`.
    nearest : their nearest place of each tier by each profile.
    totals : summed by size class, and for all against all relocated people.
    remedies : what would serve each unserved one, soonest first.
    checks : sums against declared people and households, and against the relocated people of the demand.
    """

    table: gpd.GeoDataFrame
    nearest: pd.DataFrame
    totals: pd.DataFrame
    remedies: pd.DataFrame
    checks: pd.DataFrame


def settlement_audit(reach: Reach, access: pd.DataFrame | None = None) -> SettlementAudit:
    """Return what the audit of the relocation settlements found.

    Parameters
    ----------
    access : of `demand_access`, where it was made already: minutes before a move of which only the town is known.

    Raises
    ------
    InputError
        When the study has no settlements.
    """
    study, scenario = reach.study, reach.scenario
    settlements, demand = study.table("settlements"), study.table("demand")
    barriers = study.tables.get("barriers")
    snapped = snap_table(reach.profiles, settlements, "settlement_id", barriers)
    own_access = access_table(reach.facilities, reach.places, snapped, reach.profiles, scenario)
    assigned = assign_areas(settlements, areas_of(study))
    table = audit_settlements(study, own_access, assigned, scenario, _before(reach, access))
    options = _options(reach, snapped[scenario.main_profile])
    found = remedies(table, options, scenario.cutoff_min)
    first = found[found["option"] == 1].set_index("settlement_id")
    for column in ("remedy", "place_name", "remedy_min"):
        name = "remedy_name" if column == "place_name" else column
        table[name] = first[column].reindex(table["settlement_id"]).to_numpy()
    relocated = float(demand["relocated"].sum()) if "relocated" in demand else None
    return SettlementAudit(
        table=table,
        nearest=nearest_places(own_access, list(settlements["settlement_id"])),
        totals=settlement_totals(table, relocated),
        remedies=found,
        checks=_checks(reach, relocated),
    )


def _before(reach: Reach, access: pd.DataFrame | None) -> pd.DataFrame:
    """Return minutes before the move, to today's places on today's roads, for the main profile."""
    study, scenario, code = reach.study, reach.scenario, reach.scenario.main_profile
    settlements, network = study.table("settlements"), {code: reach.profiles[code]}
    of_point: dict[str, float] = {}
    origins = origin_points(settlements)
    if len(origins):
        homes = snap_table(network, origins, "settlement_id", study.tables.get("barriers"))
        times = access_table(reach.facilities, reach.places, homes, network, scenario)
        minutes = access_of(times, list(origins["settlement_id"]), code, scenario.settlement_tier)["travel_time_min"]
        of_point = dict(zip(origins["settlement_id"], minutes.to_numpy(dtype=float), strict=True))
    of_town: dict[str, float] = {}
    if "origin_towns" in settlements.columns and settlements["origin_towns"].notna().any():
        demand = study.table("demand")
        access = demand_access(reach) if access is None else access
        minutes = access_of(access, list(demand["demand_id"]), code, scenario.settlement_tier)["travel_time_min"]
        of_town = minutes_of_towns(demand, minutes, reach.assigned, areas_of(study))
    return minutes_before(settlements, of_point, of_town)


def _options(reach: Reach, homes: Snapped) -> pd.DataFrame:
    """Return for every settlement the nearest place to upgrade, and the nearest candidates, agreed and others."""
    study, scenario = reach.study, reach.scenario
    tables = []
    if study.has("facilities"):
        places = upgradable_places(study.table("facilities"), scenario)
        tables.append(_nearest_option(reach, homes, places, "facility_id", UPGRADE))
    if study.has("candidates"):
        candidates = usable_candidates(study.table("candidates"), scenario)
        consent = candidates["consent"] if "consent" in candidates.columns else pd.Series("", candidates.index)
        agreed = (consent == AGREED).fillna(value=False).to_numpy(dtype=bool)
        parts = (candidates[agreed], candidates[~agreed])
        tables += [_nearest_option(reach, homes, part, "candidate_id", CANDIDATE) for part in parts]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else _no_options()


def _nearest_option(
    reach: Reach, homes: Snapped, places: gpd.GeoDataFrame, id_column: str, remedy: str
) -> pd.DataFrame:
    if not len(places):
        return _no_options()
    code = reach.scenario.main_profile
    profile_network = reach.profiles[code]
    snapped = snap_table({code: profile_network}, places, id_column, reach.study.tables.get("barriers"))[code]
    found = nearest(profile_network, snapped, homes, reach.scenario.direction)
    row, time_cs = found.place[:, 0], found.time_cs[:, 0]
    is_found = row >= 0
    chosen = places.iloc[row[is_found]].reindex(columns=[id_column, "name", "consent", "cost"])
    return pd.DataFrame(
        {
            "settlement_id": homes.ids[is_found],
            "remedy": remedy,
            "place_id": chosen[id_column].to_numpy(dtype=object),
            "place_name": chosen["name"].to_numpy(dtype=object),
            "remedy_min": time_cs[is_found] / CENTISECONDS_PER_MINUTE,
            "consent": chosen["consent"].to_numpy(dtype=object),
            "cost": chosen["cost"].to_numpy(dtype=float, na_value=np.nan),
        }
    )


def _no_options() -> pd.DataFrame:
    kinds = {name: float if name in {"remedy_min", "cost"} else object for name in REMEDY_COLUMNS if name != "option"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _checks(reach: Reach, relocated: float | None) -> pd.DataFrame:
    """Return the sums of the settlements against what was declared, and against the demand."""
    rows = []
    declared = kept_declaration(reach.study)
    if declared is not None:
        said = reconcile([reach.study], declared, reach.scenario).table
        said = said[said["measure"] == "relocated"]
        rows = [tuple(row) for row in said[["tier", "declared", *CHECK_COLUMNS[2:]]].itertuples(index=False)]
    if relocated is not None:
        listed = float(reach.study.table("settlements")["people"].sum())
        difference = listed - relocated
        verdict = "equal" if abs(difference) <= _DIFFERS_FROM else "short" if difference < 0 else "over"
        rows.append(("demand", f"{relocated:.0f}", listed, difference, verdict))
    return pd.DataFrame(rows, columns=list(CHECK_COLUMNS))
