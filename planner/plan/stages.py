"""From a study and a scenario to a plan: the stages, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from planner.coverage.declared import kept_declaration, reconcile
from planner.coverage.verdicts import differing_villages
from planner.network.components import summary
from planner.plan.circles import circle_table, snap_grids, time_surfaces
from planner.plan.coverage import coverage_table, gap_table, verdict_table
from planner.plan.equity import equity
from planner.plan.practice import practice_network
from planner.plan.proposals import propose
from planner.plan.ready import areas_of, demand_access, prepare
from planner.plan.roads import road_quality
from planner.plan.settlements import settlement_audit
from planner.progress import SILENT, Step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from planner.coverage.declared import Reconciliation
    from planner.plan.equity import Equity
    from planner.plan.practice import PracticeNetwork
    from planner.plan.proposals import Proposals
    from planner.plan.roads import RoadQuality
    from planner.progress import Progress
    from planner.reach.surfaces import TimeSurface
    from planner.scenario import Scenario
    from planner.study import Study


@dataclass(frozen=True)
class Plan:
    """Everything a scenario says about a study.

    Attributes
    ----------
    study, scenario : what it was made from.
    network : counts of the road graph.
    access : minutes to the nearest place, one row per demand point, profile and tier.
    coverage : people within the time limit, one row per tier, profile, group and area, with the administrative verdict
        beside the minutes.
    curve : the same for the county over several time limits.
    differing : villages where the two verdicts differ.
    circles : practice circles of every place and profile at the time limit.
    surfaces : minutes to the nearest place of the main tier as a raster, by profile.
    gaps : uncovered people as areas one can name.
    settlements : one row per relocation settlement.
    settlement_nearest : nearest place of each tier by each profile, per settlement.
    settlement_totals : served, unserved and unknown people of all settlements.
    settlement_remedies : what would serve each unserved settlement soonest.
    settlement_checks : their sums against what was declared, and against the demand.
    proposals : chosen candidate sites in rank order.
    siting : the plan with its proof, rejected candidates, curve and years; None without candidates.
    unplaced : what touches no road.
    practice : what the places are: pyramid, checklist, standards.
    equity : how fairly the places are shared, before and after the proposals open.
    declared : the declared figures that the study keeps against what it holds; None when it keeps none.
    roads : how complete the roads look, area by area.
    """

    study: Study
    scenario: Scenario
    network: Mapping[str, Any]
    access: pd.DataFrame
    coverage: pd.DataFrame
    curve: pd.DataFrame
    differing: pd.DataFrame
    circles: gpd.GeoDataFrame
    surfaces: Mapping[str, TimeSurface]
    gaps: gpd.GeoDataFrame
    settlements: gpd.GeoDataFrame
    settlement_nearest: pd.DataFrame
    settlement_totals: pd.DataFrame
    settlement_remedies: pd.DataFrame
    settlement_checks: pd.DataFrame
    proposals: gpd.GeoDataFrame
    siting: Proposals | None
    unplaced: pd.DataFrame
    practice: PracticeNetwork
    declared: Reconciliation | None
    equity: Equity
    roads: RoadQuality


def make_plan(study: Study, scenario: Scenario, progress: Progress = SILENT) -> Plan:
    """Return everything a scenario says about a study.

    Raises
    ------
    InputError
        When the study has no roads or no demand; without settlements or candidates their part is empty.
    """
    progress.update(0, 8, "network")
    reach = prepare(study, scenario)
    progress.update(1, 8, "access")
    access = demand_access(reach)
    progress.update(2, 8, "coverage")
    coverage = verdict_table(reach, coverage_table(reach, access))
    main = coverage[(coverage["tier"] == scenario.main_tier) & (coverage["group"] == "all")]
    curve = coverage_table(reach, access, scenario.curve_min)
    progress.update(3, 8, "gaps")
    gaps = gap_table(reach, access)
    progress.update(4, 8, "settlements")
    audit = settlement_audit(reach, access) if study.has("settlements") else None
    progress.update(5, 8, "circles")
    grids = snap_grids(reach)
    circles = circle_table(reach, grids)
    progress.update(6, 8, "surfaces")
    surfaces = time_surfaces(reach, grids)
    progress.update(7, 8, "siting")
    nothing = gpd.GeoDataFrame(geometry=[], crs=study.crs)
    siting = propose(reach, None, access, Step(progress, 7 / 8, 1.0)) if study.has("candidates") else None
    progress.update(8, 8, "siting")
    said = kept_declaration(study)
    return Plan(
        study=study,
        scenario=scenario,
        network=summary(reach.network),
        access=access,
        coverage=coverage,
        curve=curve[curve["area_level"] == "county"].reset_index(drop=True),
        differing=differing_villages(main, areas_of(study)),
        circles=circles,
        surfaces=surfaces,
        gaps=gaps,
        settlements=audit.table if audit else nothing,
        settlement_nearest=audit.nearest if audit else pd.DataFrame(),
        settlement_totals=audit.totals if audit else pd.DataFrame(),
        settlement_remedies=audit.remedies if audit else pd.DataFrame(),
        settlement_checks=audit.checks if audit else pd.DataFrame(),
        proposals=nothing if siting is None else siting.sites,
        siting=siting,
        unplaced=reach.unplaced,
        practice=practice_network(reach, access, coverage),
        declared=None if said is None else reconcile([study], said, scenario),
        equity=equity(reach, access, None if siting is None else siting.sites),
        roads=road_quality(reach, coverage),
    )
