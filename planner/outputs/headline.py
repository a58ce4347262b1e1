"""The few figures that a leader asks for first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from planner.outputs.proof import proof_sentence
from planner.outputs.statement import profile_name, tier_name
from planner.texts import Language, text

if TYPE_CHECKING:
    from planner.plan.stages import Plan


def headline(plan: Plan) -> dict[str, Any]:
    """Return the figures of a plan as plain values: both verdicts, gaps, settlements, the proposal with its bound."""
    scenario = plan.scenario
    county = plan.coverage[
        (plan.coverage["area_level"] == "county")
        & plan.coverage["area_class"].isna()
        & (plan.coverage["group"] == "all")
        & (plan.coverage["tier"] == scenario.main_tier)
    ]
    figures: dict[str, Any] = {
        "tier": scenario.main_tier,
        "cutoff_min": scenario.cutoff_min,
        "population": float(county["population"].iloc[0]),
        "own_place_share": float(county["own_share"].iloc[0]),
        "profiles": [
            {
                "profile": row["profile"],
                "covered_people": float(row["covered_people"]),
                "uncovered_people": float(row["uncovered_people"]),
                "unknown_people": float(row["unknown_people"]),
                "covered_share": float(row["covered_share"]),
            }
            for _, row in county.iterrows()
        ],
        "n_gaps": len(plan.gaps),
    }
    if len(plan.settlement_totals):
        total = plan.settlement_totals.iloc[-1]
        figures["settlements"] = {
            name: float(total[name])
            for name in ("n_settlements", "n_served", "people", "served_people", "unserved_people", "unknown_people")
        }
    if plan.siting is not None:
        summary = plan.siting.summary()
        names = (
            "objective", "status", "value", "base_value", "certified_bound", "solver_bound", "objective_people",
            "bound_people", "gap_share", "proven_by", "check",
        )  # fmt: skip
        figures["siting"] = {name: summary[name] for name in names} | {"n_new": len(summary["chosen"])}
    return figures


def headline_rows(plan: Plan, language: Language = "zh") -> list[dict[str, Any]]:
    """Return `headline` as rows of item and value, in words."""
    figures = headline(plan)
    rows = [
        (text("headline.population", language), _people(figures["population"], language)),
        (
            text("headline.own_place", language, tier=tier_name(figures["tier"], language)),
            text("headline.no_units", language)
            if math.isnan(figures["own_place_share"])
            else f"{figures['own_place_share']:.1%}",
        ),
    ]
    for each in figures["profiles"]:
        words = text(
            "headline.covered",
            language,
            cutoff=figures["cutoff_min"],
            profile=profile_name(each["profile"], language),
            distance=plan.scenario.profiles[each["profile"]].distance_m(figures["cutoff_min"]),
        )
        value = text(
            "headline.covered_value",
            language,
            share=each["covered_share"],
            covered=each["covered_people"],
            uncovered=each["uncovered_people"],
            unknown=each["unknown_people"],
        )
        rows.append((words, value))
    rows.append((text("headline.gaps", language), f"{figures['n_gaps']:,}"))
    if "settlements" in figures:
        rows.append(
            (
                text("headline.settlements", language),
                text("headline.settlements_value", language, **figures["settlements"]),
            )
        )
    if plan.siting is not None:
        rows.append((text("headline.siting", language), proof_sentence(plan.siting.summary(), language)))
    return [{"item": item, "value": value} for item, value in rows]


def _people(value: float, language: Language) -> str:
    return f"{value:,.0f} {text('outputs.people', language)}"
