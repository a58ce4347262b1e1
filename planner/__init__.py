"""Practice Circle Planner: who is within 15 minutes, where the gaps are, and which places to open next.

The public names below load their modules when they are first used, so that `import planner` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "planner.belts": ("Belt",),
    "planner.coverage.declared": ("declared_from_toml", "declared_presets", "reconcile"),
    "planner.errors": ("CancelledError", "InputError", "PlannerError", "ScenarioError"),
    "planner.inputs.frames.coordinates": ("file_hypotheses",),
    "planner.coverage.duplicates": ("find_duplicates",),
    "planner.inputs.inspection": ("inspect_file",),
    "planner.inputs.intake": ("import_file",),
    "planner.inputs.options": ("ImportOptions",),
    "planner.network.road_network": ("ProfileNetwork", "RoadNetwork", "Snapped"),
    "planner.outputs.corrections": ("write_corrections",),
    "planner.network.snap": ("node_positions", "snap_points"),
    "planner.outputs.export": ("write_export",),
    "planner.hashes": ("content_hash",),
    "planner.outputs.templates": ("write_templates",),
    "planner.plan.circles": ("circle_table",),
    "planner.plan.coverage": ("coverage_table", "gap_table", "verdict_table"),
    "planner.plan.groups": ("practice_belts", "town_clusters"),
    "planner.plan.equity": ("equity",),
    "planner.plan.practice": ("network_findings", "norm_table", "place_set_table"),
    "planner.plan.proposals": ("Proposals", "propose"),
    "planner.plan.ready": ("Reach", "demand_access", "prepare"),
    "planner.plan.roads": ("road_quality",),
    "planner.plan.settlements": ("settlement_audit",),
    "planner.plan.stages": ("Plan", "make_plan"),
    "planner.plan.travel": ("estimated_table", "nearest_table", "route_table", "start_trial"),
    "planner.progress": ("Cancellable", "Standing"),
    "planner.reach.road_edits": ("build_bridge", "change_road", "close_road"),
    "planner.reach.routes": ("Route", "route"),
    "planner.reach.travel_times": ("nearest", "travel_times"),
    "planner.reach.what_if": (
        "WhatIf",
        "add_place",
        "close_place",
        "covered_people",
        "move_place",
        "open_place",
        "undo",
    ),
    "planner.replay": ("replay_export",),
    "planner.scenario": ("Scenario", "scenario_from_toml", "scenario_to_toml"),
    "planner.siting.proof.certificate": ("check_certificate",),
    "planner.siting.curve": ("budget_curve",),
    "planner.siting.phases": ("plan_phases",),
    "planner.siting.problem": ("SitingProblem",),
    "planner.siting.solution": ("SitingSolution",),
    "planner.siting.solve": ("solve",),
    "planner.standards": ("Profile", "default_profiles"),
    "planner.store": ("open_study", "save_study"),
    "planner.study": ("Study", "new_study"),
    "planner.wishes": ("Quota", "Wishes"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)

if TYPE_CHECKING:
    from planner.belts import Belt
    from planner.coverage.declared import declared_from_toml, declared_presets, reconcile
    from planner.coverage.duplicates import find_duplicates
    from planner.errors import CancelledError, InputError, PlannerError, ScenarioError
    from planner.hashes import content_hash
    from planner.inputs.frames.coordinates import file_hypotheses
    from planner.inputs.inspection import inspect_file
    from planner.inputs.intake import import_file
    from planner.inputs.options import ImportOptions
    from planner.network.road_network import ProfileNetwork, RoadNetwork, Snapped
    from planner.network.snap import node_positions, snap_points
    from planner.outputs.corrections import write_corrections
    from planner.outputs.export import write_export
    from planner.outputs.templates import write_templates
    from planner.plan.circles import circle_table
    from planner.plan.coverage import coverage_table, gap_table, verdict_table
    from planner.plan.equity import equity
    from planner.plan.groups import practice_belts, town_clusters
    from planner.plan.practice import network_findings, norm_table, place_set_table
    from planner.plan.proposals import Proposals, propose
    from planner.plan.ready import Reach, demand_access, prepare
    from planner.plan.roads import road_quality
    from planner.plan.settlements import settlement_audit
    from planner.plan.stages import Plan, make_plan
    from planner.plan.travel import estimated_table, nearest_table, route_table, start_trial
    from planner.progress import Cancellable, Standing
    from planner.reach.road_edits import build_bridge, change_road, close_road
    from planner.reach.routes import Route, route
    from planner.reach.travel_times import nearest, travel_times
    from planner.reach.what_if import (
        WhatIf,
        add_place,
        close_place,
        covered_people,
        move_place,
        open_place,
        undo,
    )
    from planner.replay import replay_export
    from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
    from planner.siting.curve import budget_curve
    from planner.siting.phases import plan_phases
    from planner.siting.problem import SitingProblem
    from planner.siting.proof.certificate import check_certificate
    from planner.siting.solution import SitingSolution
    from planner.siting.solve import solve
    from planner.standards import Profile, default_profiles
    from planner.store import open_study, save_study
    from planner.study import Study, new_study
    from planner.wishes import Quota, Wishes


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever is asked for
    if name in _HOME_OF:
        return getattr(importlib.import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'planner' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
