"""Which candidates to activate next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.coverage.areas import assign_areas
from planner.coverage.minutes import access_of
from planner.errors import InputError
from planner.network.snap import snap_table
from planner.plan.ready import areas_of
from planner.progress import SILENT
from planner.reach.access import access_table, chosen
from planner.reach.travel_times import travel_times
from planner.siting.problem import BY_MINUTES

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from planner.network.road_network import Snapped
    from planner.plan.ready import Reach
    from planner.progress import Progress
    from planner.scenario import Scenario
    from planner.siting.answer import Answer
    from planner.siting.candidates import Ground
    from planner.siting.problem import SitingProblem
    from planner.siting.solution import SitingSolution
    from planner.wishes import Wishes

# Objectives of minutes look further than the limit: this far, one way.
FARTHEST_MIN = 240.0


@dataclass(frozen=True, eq=False)
class Proposals:
    """Proposed sites with their proof.

    Attributes
    ----------
    answer : problem, solution, check, curve and years.
    sites : the candidates to open in rank order, with what they add, whom they cover and their best substitute.
    rejected : every other candidate with the reason why it lost.
    curve : best plans by number of new sites, with bounds; without rows where not asked.
    phases : years in order; without rows where not asked.
    """

    answer: Answer
    sites: gpd.GeoDataFrame
    rejected: gpd.GeoDataFrame
    curve: pd.DataFrame
    phases: pd.DataFrame

    @property
    def problem(self) -> SitingProblem:
        """The siting problem."""
        return self.answer.problem

    @property
    def solution(self) -> SitingSolution:
        """The plan and its proof."""
        return self.answer.solution

    def summary(self) -> dict[str, Any]:
        """Return everything as plain values; see `planner.siting.answer.Answer.summary`."""
        return self.answer.summary()


def propose(
    reach: Reach, wishes: Wishes | None = None, access: pd.DataFrame | None = None, progress: Progress = SILENT
) -> Proposals:
    """Return the candidates to activate, why these and not others, and how far from best the plan can be at most.

    Computed for the scenario's main profile, main tier and time limit; existing places stay as they are, unless
    `wishes` let them close or move. Settlements stand in the problem as rows without people: their people are part of
    demand. A candidate of a tier that does not count for the main tier, or whose owner refused, is never proposed; one
    without a tier can be any.

    Parameters
    ----------
    wishes : what is wanted; None = the scenario's own (`scenario.siting`).
    access : of `demand_access`, where it is at hand.
    progress : hears a `Standing` with value, bound and gap; when it cancels, the best plan so far is returned.

    Raises
    ------
    InputError
        When the study has no candidates, an id or name does not exist, or a cost or capacity is missing.
    """
    from planner.siting.answer import ask_siting, curve_table, phase_table, rejected_table, site_records

    wishes = reach.scenario.siting if wishes is None else wishes
    candidates = reach.study.table("candidates")
    answer = ask_siting(ground_of(reach, wishes, access), wishes, progress)
    return Proposals(
        answer=answer,
        sites=_placed(pd.DataFrame(site_records(answer), columns=_SITE_COLUMNS), candidates),
        rejected=_placed(rejected_table(answer).drop(columns=["row", "rule"]), candidates),
        curve=_joined(curve_table(answer)),
        phases=_joined(phase_table(answer)),
    )


_SITE_COLUMNS = [
    "candidate_id", "rank", "year", "marginal_people", "total_people", "reached_people", "marginal_value",
    "total_value", "towns", "villages", "settlements", "substitute_id", "substitute_name", "substitute_loss",
]  # fmt: skip


def ground_of(reach: Reach, wishes: Wishes, access: pd.DataFrame | None = None) -> Ground:
    """Return candidates, people and places of a study with the minutes between them that `wishes` need.

    Raises
    ------
    InputError
        When the study has no candidates, or a place that may close is none that counts for the main tier.
    """
    from planner.siting.candidates import Ground

    scenario, study, code = reach.scenario, reach.study, reach.scenario.main_profile
    candidates = study.table("candidates")
    snapped = _snap(reach, candidates, "candidate_id")
    single, others = _split_places(reach, wishes)
    points = [reach.demand[code]]
    people = [_demand_of_siting(reach)]
    if study.has("settlements"):
        points.append(_snap(reach, study.tables["settlements"], "settlement_id"))
        people.append(_settlements_of_siting(reach))
    far_min = FARTHEST_MIN if wishes.objective in BY_MINUTES else scenario.cutoff_min
    own = _rows_of(reach.places[code], single["facility_id"]) if len(single) else None
    existing = [_existing_min(reach, others, access if own is None else None, one) for one in points]
    return Ground(
        candidates=_candidates_of_siting(reach, candidates),
        demand=pd.concat(people, ignore_index=True),
        minutes=_times(reach, snapped, points, far_min),
        existing_min=np.concatenate(existing),
        cutoff_min=scenario.cutoff_min,
        places=pd.DataFrame(single.drop(columns="geometry")) if own is not None else None,
        place_minutes=None if own is None else _times(reach, own, points, far_min),
        names=_names(reach),
    )


def _split_places(reach: Reach, wishes: Wishes) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the places that need rows of their own, and the others of the main tier.

    Those that may close or move do; with "backup-cover" all do, because people count once two of them are near.
    """
    counted = reach.scenario.tiers_of(reach.scenario.main_tier)
    places = reach.facilities if counted is None else reach.facilities[reach.facilities["tier"].isin(counted)]
    optional = [*wishes.closable, *wishes.movable]
    unknown = sorted(set(optional) - set(places["facility_id"].astype(str)))
    if unknown:
        raise InputError(
            f"There is no existing place {unknown[:5]} ({len(unknown)}) that counts for tier "
            f"'{reach.scenario.main_tier}', so it cannot close or move."
        )
    is_single = places["facility_id"].astype(str).isin(optional).to_numpy(bool)
    if wishes.objective == "backup-cover":
        is_single = np.ones(len(places), dtype=bool)
    return places[is_single], places[~is_single]


def _rows_of(places: Snapped, ids: pd.Series) -> Snapped:
    row_of = {str(name): row for row, name in enumerate(places.ids)}
    return chosen(places, np.array([row_of[str(each)] for each in ids], dtype=np.int64))


def _existing_min(
    reach: Reach, places: gpd.GeoDataFrame, access: pd.DataFrame | None, points: Snapped
) -> NDArray[np.float64]:
    """Return minutes from points to the nearest of `places`, of the main tier; inf = none, NaN = unknown."""
    code = reach.scenario.main_profile
    if access is None or points is not reach.demand[code]:
        profile = {code: reach.profiles[code]}
        access = access_table(places, reach.places, {code: points}, profile, reach.scenario)
    found = access_of(access, list(points.ids), code, reach.scenario.main_tier)
    return found["travel_time_min"].to_numpy(dtype=float)


def _times(reach: Reach, places: Snapped, points: list[Snapped], far_min: float) -> sparse.csr_matrix:
    network, direction = reach.profiles[reach.scenario.main_profile], reach.scenario.direction
    parts = [travel_times(network, places, one, far_min, direction).minutes() for one in points]
    return sparse.csr_matrix(sparse.hstack(parts))


def _snap(reach: Reach, table: gpd.GeoDataFrame, id_column: str) -> Snapped:
    code = reach.scenario.main_profile
    network = {code: reach.profiles[code]}
    return snap_table(network, table, id_column, reach.study.tables.get("barriers"))[code]


def _candidates_of_siting(reach: Reach, candidates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the candidates with the ids of their towns and villages, and why some must not be opened."""
    assigned = assign_areas(candidates, areas_of(reach.study))
    return candidates.assign(
        town=assigned["town_id"].to_numpy(dtype=object),
        village=assigned["village_id"].to_numpy(dtype=object),
        excluded=_excluded(candidates, reach.scenario),
    )


def _excluded(candidates: gpd.GeoDataFrame, scenario: Scenario) -> list[str | None]:
    """Return why a candidate must not be proposed: it would not count for the tier, or its owner refused."""
    counted = scenario.tiers_of(scenario.main_tier)
    reasons: list[str | None] = [None] * len(candidates)
    if counted is not None and "tier" in candidates:
        is_other = (candidates["tier"].notna() & ~candidates["tier"].isin(counted)).to_numpy(bool)
        reasons = ["other-tier" if out else None for out in is_other]
    if "consent" in candidates:
        refused = (candidates["consent"] == "refused").fillna(value=False).to_numpy(bool)
        reasons = ["refused" if out else reason for out, reason in zip(refused, reasons, strict=True)]
    return reasons


def _demand_of_siting(reach: Reach) -> pd.DataFrame:
    """Return the demand with the ids of its towns and villages."""
    demand = pd.DataFrame(reach.study.table("demand").drop(columns="geometry"))
    return demand.assign(
        town=reach.assigned["town_id"].to_numpy(dtype=object),
        village=reach.assigned["village_id"].to_numpy(dtype=object),
    )


def _settlements_of_siting(reach: Reach) -> pd.DataFrame:
    ids = reach.study.tables["settlements"]["settlement_id"].to_numpy(dtype=object)
    return pd.DataFrame({"demand_id": ids, "population": 0.0, "settlement": ids})


def _names(reach: Reach) -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = {}
    areas = areas_of(reach.study)
    if areas is not None:
        for level in ("town", "village"):
            rows = areas[areas["level"] == level]
            names[level] = dict(zip(rows["area_id"].astype(str), rows["name"].astype(str), strict=True))
    if reach.study.has("settlements"):
        table = reach.study.tables["settlements"]
        names["settlement"] = dict(zip(table["settlement_id"].astype(str), table["name"].astype(str), strict=True))
    return names


def _placed(table: pd.DataFrame, candidates: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `table` with the columns and the geometry of the candidates that it names."""
    own = pd.DataFrame(candidates).drop(
        columns=[name for name in table.columns if name != "candidate_id"], errors="ignore"
    )
    merged = _joined(table).merge(own, on="candidate_id", how="left", validate="one_to_one")
    return gpd.GeoDataFrame(merged, geometry="geometry", crs=candidates.crs)


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` with its lists of names as one text each."""
    lists = [name for name in ("towns", "villages", "settlements", "sites", "site_names") if name in table]
    return table.assign(**{name: pd.Series(["、".join(each) for each in table[name]], dtype=object) for name in lists})
