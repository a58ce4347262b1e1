"""The Excel ledger: summary, towns, gaps, settlements, proposals, and what did not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from planner.coverage.checklist import rectification_list
from planner.ledger import table_in_words
from planner.outputs.headline import headline_rows
from planner.outputs.leader import leader_page
from planner.outputs.leader_sheet import add_leader_sheet
from planner.outputs.proof import rejected_in_words, siting_rows, years_in_words
from planner.outputs.sheets import MINUTES, PEOPLE, PLAIN, SHARE, Book, Sheet, SheetColumn, add_sheet
from planner.outputs.statement import conditions, profile_name
from planner.outputs.wording import in_words
from planner.plan.practice import network_findings
from planner.texts import Language, text

if TYPE_CHECKING:
    from pathlib import Path

    from planner.plan.stages import Plan
    from planner.standards import Checklist

_FORMATS = {
    "qualified_share": SHARE, "target_share": SHARE, "distance_m": PEOPLE, "n_places": PEOPLE, "own_people": PEOPLE,
    "population": PEOPLE, "people": PEOPLE, "covered_people": PEOPLE, "uncovered_people": PEOPLE,
    "unknown_people": PEOPLE, "covered_share": SHARE, "unknown_share": SHARE, "own_share": SHARE,
    "travel_time_min": MINUTES, "over_min": MINUTES, "nearest_median_min": MINUTES, "nearest_max_min": MINUTES,
    "over_median_min": MINUTES, "age60_people": PEOPLE, "children_people": PEOPLE, "relocated_people": PEOPLE,
    "differing_people": PEOPLE, "cutoff_min": "0", "person_min_over": PEOPLE, "marginal_people": PEOPLE,
    "total_people": PEOPLE, "households": PEOPLE, "cost": "#,##0.0", "n_facilities": PEOPLE, "age60": PEOPLE,
    "length_m": PEOPLE, "longest_link_m": PEOPLE, "corridor_m": PEOPLE, "along_m": PEOPLE, "straight_m": PEOPLE,
    "road_km": MINUTES, "foot_km": MINUTES, "area_km2": "0.00", "road_km_per_km2": "0.00", "foot_km_per_km2": "0.00",
    "road_m_per_person": MINUTES, "foot_m_per_person": MINUTES, "density_percentile": "0%", "far_people": PEOPLE,
    "far_share": SHARE, "covered_share_if_known": SHARE, "gap_m": MINUTES,
    "substitute_loss": PEOPLE, "gain": PEOPLE, "certified_bound": PEOPLE, "n_new": "0",
    "solver_bound": PEOPLE, "best_after_years_before": PEOPLE, "certified_free_bound": PEOPLE, "budget": "#,##0.0",
    "farthest_min": MINUTES, "link_min": MINUTES, "buffer_m": PEOPLE,
    "offered": PEOPLE, "supply_total": PEOPLE, "people_per_place": PEOPLE, "supply_per_1000": "#,##0.00",
    "gini_two_step": "0.000",
    "gini_enhanced": "0.000", "cut_off_people": PEOPLE, "reached_people": PEOPLE, "nearest_people": PEOPLE,
    "covered_share_after": SHARE, "person_min_over_after": PEOPLE, "two_step_per_1000": "#,##0.00",
    "enhanced_per_1000": "#,##0.00", "two_step_per_1000_after": "#,##0.00", "enhanced_per_1000_after": "#,##0.00",
    "before_min": MINUTES, "change_min": MINUTES, "remedy_min": MINUTES, "capacity": PEOPLE, "capacity_share": "0.00",
    "served_people": PEOPLE, "unserved_people": PEOPLE, "base_people": PEOPLE, "outside_people": PEOPLE,
    "served_share": SHARE, "found": PEOPLE, "difference": PEOPLE, "n_settlements": PEOPLE, "option": "0",
    "children": PEOPLE, "relocated": PEOPLE, "rank": "0", "year": "0", "opening_year": "0", "row": "0",
}  # fmt: skip
_WIDTHS = {"why": 60, "sites": 60, "villages": 36, "substitute_name": 24,
           "places": 60, "functions": 30, "lacks_functions": 30, "other_rooms": 24, "from_name": 24, "to_name": 24,
           "belt_name": 24, "doubts": 30, "item": 44, "value": 80, "name": 30, "file": 28,
           "problem": 46, "repair": 46, "cause": 26, "reason": 30, "towns": 28,
           "settlements": 28, "remedy_name": 28, "place_name": 28, "nearest_name": 24, "function_rooms": 24,
           "opening_hours": 34, "host_building": 20, "measure": 18, "before_basis": 22, "check": 28,
           "area_name": 20, "old_value": 16, "new_value": 16, "area_id": 16, "owner": 22,
           "facility_id": 14, "candidate_id": 12, "settlement_id": 14}  # fmt: skip


def write_workbook(plan: Plan, path: Path, language: Language = "zh") -> Path:
    """Write the workbook of a plan to `path`, and return it; a text of a user never becomes a formula."""
    with Book(path, text("outputs.map_title", language, name=plan.study.name)) as book:
        add_leader_sheet(book, leader_page(plan, language), language)
        for sheet in sheets(plan, language):
            add_sheet(book, sheet)
    return path


def sheets(plan: Plan, language: Language = "zh") -> list[Sheet]:
    """Return the sheets of the workbook in their order; those without any row are left out."""
    made = [
        _sheet(plan, "headline", pd.DataFrame(headline_rows(plan, language)), language),
        _sheet(plan, "summary", _summary(plan, language), language),
        _sheet(plan, "towns", league_table(plan, language), language),
        _sheet(plan, "differing", in_words(plan.differing, language), language),
        _sheet(plan, "curve", _curve(plan, language), language),
        _sheet(plan, "gaps", in_words(plan.gaps, language), language),
        _sheet(
            plan,
            "settlements",
            in_words(plan.settlements.sort_values("rank") if len(plan.settlements) else plan.settlements, language),
            language,
        ),
        *_settlement_sheets(plan, language),
        _sheet(plan, "proposals", in_words(_opened(plan.proposals), language), language),
        *_siting_sheets(plan, language),
        *_equity_sheets(plan, language),
        *_practice_sheets(plan, language),
        _sheet(plan, "completeness", in_words(plan.roads.table, language), language),
        _sheet(plan, "road_faults", in_words(plan.roads.faults, language), language),
        _sheet(plan, "unplaced", in_words(plan.unplaced, language), language),
        _sheet(plan, "ledger", _ledger(plan, language), language),
        _sheet(plan, "sources", in_words(_sources(plan), language), language),
    ]
    return [sheet for sheet in made if len(sheet.table)]


def _settlement_sheets(plan: Plan, language: Language) -> list[Sheet]:
    """Return the sheets of the audit of settlements beside the audit itself."""
    nearest = plan.settlement_nearest
    if len(nearest):
        names = plan.settlements.set_index("settlement_id")["name"]
        nearest = nearest.assign(name=nearest["settlement_id"].map(names))
    remedies = plan.settlement_remedies
    if len(remedies):
        known = plan.settlements.set_index("settlement_id")[["rank", "name", "people"]]
        remedies = remedies.join(known, on="settlement_id")
    tables = {
        "settlement_totals": plan.settlement_totals,
        "settlement_remedies": remedies,
        "settlement_checks": plan.settlement_checks,
        "settlement_nearest": nearest,
    }
    return [_sheet(plan, name, in_words(table, language), language) for name, table in tables.items() if len(table)]


def _equity_sheets(plan: Plan, language: Language) -> list[Sheet]:
    """Return the sheets about capacity and fairness; places for the main profile, the busiest first."""
    answer = plan.equity
    places = answer.places[answer.places["profile"] == plan.scenario.main_profile]
    places = places.sort_values(["state", "nearest_people", "facility_id"], ascending=[False, False, True])
    villages = answer.villages
    if len(villages):
        villages = villages.sort_values(["person_min_over", "area_id"], ascending=[False, True])
    tables = {"equity": answer.summary, "equity_villages": villages, "equity_places": places}
    return [_sheet(plan, name, in_words(table, language), language) for name, table in tables.items() if len(table)]


def _opened(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of siting with its years as those of opening; without them where nothing was asked by year."""
    if "year" not in table.columns or table["year"].isna().all():
        return table.drop(columns="year", errors="ignore")
    return table.rename(columns={"year": "opening_year"})


def _siting_sheets(plan: Plan, language: Language) -> list[Sheet]:
    """Return the sheets of siting beside the proposals: verdict and proof, who lost and why, years, curve."""
    if plan.siting is None:
        return []
    tables = {
        "siting": pd.DataFrame(siting_rows(plan.siting, language)),
        "rejected": in_words(rejected_in_words(plan.siting, language), language),
        "siting_phases": _opened(years_in_words(plan.siting, language)),
        "siting_curve": plan.siting.curve,
    }
    return [_sheet(plan, name, in_words(table, language), language) for name, table in tables.items()]


def _practice_sheets(plan: Plan, language: Language) -> list[Sheet]:
    """Return the sheets about the places themselves: pyramid, findings, checklist, standards, both verdicts."""
    practice, checklist = plan.practice, plan.scenario.checklist
    sets = practice.place_sets
    county = sets[(sets["area_level"] == "county") & sets["area_class"].isna()]
    areas = practice.verdicts[practice.verdicts["area_level"].isin(["town", "village"])]
    tables = {
        "verdicts": areas,
        "declared": pd.DataFrame() if plan.declared is None else plan.declared.table,
        "tiers": practice.tiers,
        "places": practice.places,
        "network_findings": network_findings(plan.study, plan.scenario, language),
        "checklist": practice.checklist,
        "rectification": rectification_list(plan.study, checklist, language),
        "place_sets": county,
        "standard": practice.standard,
        **_group_tables(plan),
    }
    return [_sheet(plan, name, in_words(table, language), language) for name, table in tables.items() if len(table)]


def _group_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the belts with their chains and the clusters with their places; nothing for a study without places."""
    belts, clusters = plan.practice.belts, plan.practice.clusters
    if belts is None or clusters is None:
        return {}
    return {
        "belts": belts.table.rename(columns={"name": "belt_name"}),
        "belt_links": belts.links,
        "clusters": clusters.table,
        "cluster_places": clusters.places,
    }


_COLUMNS: dict[str, tuple[str, ...]] = {
    "verdicts": ("area_level", "area_name", "area_class", "group", "population", "has_one", "n_facilities", "own_share",
                 "differing_profiles"),
    "equity": ("state", "profile", "n_places", "supply", "supply_total", "population", "people_per_place",
               "supply_per_1000", "gini_two_step", "gini_enhanced", "covered_people", "unknown_people",
               "cut_off_people", "person_min_over"),
    "equity_villages": ("area_id", "area_name", "town_name", "population", "unknown_people", "covered_share",
                        "person_min_over", "two_step_per_1000", "enhanced_per_1000", "covered_share_after",
                        "person_min_over_after", "two_step_per_1000_after", "enhanced_per_1000_after"),
    "equity_places": ("state", "facility_id", "name", "tier", "is_new", "offered", "reached_people", "nearest_people",
                      "supply_per_1000"),
    "declared": ("measure", "tier", "class", "declared", "found", "difference", "judgement"),
    "places": ("facility_id", "name", "tier", "town", "village", "host_building", "quality", "is_demonstration",
               "is_light", "capacity", "opening_hours", "hours_per_week", "open_days", "is_open_weekend",
               "is_open_evening", "function_rooms", "n_rooms"),
    "tiers": ("tier", "parent", "unit", "count", "is_light", "n_units", "n_units_with", "n_places", "n_online",
              "n_findings"),
    "network_findings": ("table", "id", "name", "tier", "town_name", "problem", "repair"),
    "checklist": ("tier", "town_name", "n_places", "n_judged", "n_qualified", "qualified_share", "n_demonstration"),
    "rectification": ("rank", "facility_id", "name", "tier", "town_name", "lacks", "partial", "not_judged", "notes",
                      "last_date"),
    "place_sets": ("place_set", "tier", "profile", "group", "population", "covered_people", "uncovered_people",
                   "unknown_people", "covered_share"),
    "standard": ("standard", "rule", "tier", "rule_class", "group", "profile", "cutoff_min", "distance_m", "area_level",
                 "area_name", "population", "covered_people", "covered_share", "target_share", "judgement", "class_by",
                 "says", "source", "is_verified"),
    "belts": ("belt_name", "zone", "basis", "profile", "buffer_m", "break_min", "n_places", "n_breaks", "n_sections",
              "length_m", "longest_link_m", "corridor_m"),
    "belt_links": ("belt_name", "seq", "from_id", "from_name", "to_id", "to_name", "length_m", "link_min",
                   "along_m", "straight_m", "is_break", "cause"),
    "clusters": ("cluster_id", "town_name", "n_places", "n_connected", "places", "farthest_min", "n_unrecorded",
                 "functions", "lacks_functions", "other_rooms"),
    "cluster_places": ("facility_id", "name", "tier", "town_name", "membership", "cluster_id", "functions",
                       "other_rooms"),
    "headline": ("item", "value"),
    "summary": ("tier", "profile", "group", "area_class", "population", "covered_people", "uncovered_people",
                "unknown_people", "covered_share", "own_share"),
    "towns": ("rank", "area_name", "area_class", "population", "covered_people", "uncovered_people", "unknown_people"),
    "differing": ("rank", "area_name", "town_name", "tier", "profile", "population", "covered_people",
                  "uncovered_people", "differing_people", "kind"),
    "curve": ("profile", "tier", "group", "cutoff_min", "population", "covered_people", "covered_share",
              "unknown_people"),
    "gaps": ("rank", "name", "town_name", "village_name", "people", "age60_people", "children_people",
             "relocated_people", "nearest_median_min", "nearest_max_min", "over_median_min", "person_min_over",
             "cause"),
    "settlements": ("rank", "settlement_id", "name", "people", "households", "size_class", "has_place_inside",
                    "has_place_in_village", "own_by",
                    "nearest_name", "nearest_tier", "travel_time_min", "over_min", "reason", "person_min_over",
                    "capacity", "capacity_share", "nearest_quality", "function_rooms", "before_min",
                    "before_basis", "change_min", "remedy", "remedy_name", "remedy_min", "year"),
    "settlement_totals": ("size_class", "n_settlements", "n_served", "n_place_inside", "n_place_in_village",
                          "households", "people", "served_people", "unserved_people", "unknown_people", "base_people",
                          "outside_people", "served_share", "person_min_over"),
    "settlement_remedies": ("rank", "settlement_id", "name", "people", "option", "remedy", "place_id", "place_name",
                            "remedy_min", "consent", "cost"),
    "settlement_checks": ("check", "expected", "found", "difference", "judgement"),
    "settlement_nearest": ("settlement_id", "name", "tier", "profile", "facility_id", "travel_time_min", "status"),
    "completeness": ("rank", "area_level", "area_name", "area_class", "area_km2", "population", "road_km", "foot_km",
                     "road_km_per_km2", "foot_km_per_km2", "road_m_per_person", "foot_m_per_person",
                     "density_percentile", "far_people", "far_share", "unknown_people", "unknown_share",
                     "covered_share", "covered_share_if_known", "doubts"),
    "road_faults": ("kind", "road_id", "other_road_id", "gap_m"),
    "proposals": ("rank", "opening_year", "candidate_id", "name", "way", "marginal_people", "total_people",
                  "reached_people", "towns", "villages", "settlements", "substitute_name", "substitute_loss", "owner",
                  "consent", "cost"),
    "siting": ("item", "value"),
    "rejected": ("candidate_id", "name", "way", "town", "village", "cost", "why"),
    "siting_phases": ("opening_year", "n_new", "budget", "sites", "cost", "value", "gain", "best_after_years_before",
                      "certified_free_bound", "is_best", "is_checked"),
    "siting_curve": ("n_new", "value", "gain", "certified_bound", "solver_bound", "is_checked", "sites"),
    "unplaced": ("kind", "id", "profile", "reason"),
    "ledger": ("kind", "file", "row", "column", "problem", "repair", "old_value", "new_value"),
    "sources": ("kind", "file", "frame", "rows_in", "rows_accepted", "rows_refused", "imported_at", "sha256"),
}  # fmt: skip


def _sheet(plan: Plan, name: str, table: pd.DataFrame, language: Language) -> Sheet:
    wanted = [column for column in _COLUMNS[name] if column in table.columns]
    # Tables by profile carry one column each, named by the profile: they follow the fixed ones.
    wanted += [column for column in table.columns if column.startswith(("share:", "full:"))]
    return Sheet(
        name=text(f"sheets.{name}", language),
        title=text(f"sheets.{name}_title", language, name=plan.study.name),
        note=conditions(plan.study, plan.scenario, plan.scenario.main_profile, language),
        columns=[_column(column, language, plan.scenario.checklist) for column in wanted],
        table=table[wanted],
    )


def _column(name: str, language: Language, checklist: Checklist) -> SheetColumn:
    if name.startswith("full:"):
        item = checklist.items[name.removeprefix("full:")]
        return SheetColumn(name, item.zh if language == "zh" else item.en or item.zh, SHARE, 11)
    if name.startswith("share:"):
        words = text("sheets.share_of", language, profile=profile_name(name.removeprefix("share:"), language))
        return SheetColumn(name, words, SHARE, 13)
    return SheetColumn(name, text(f"columns.{name}", language), _FORMATS.get(name, PLAIN), _WIDTHS.get(name, 13))


def _summary(plan: Plan, language: Language) -> pd.DataFrame:
    county = plan.coverage[plan.coverage["area_level"] == "county"]
    whole = text("sheets.whole_county", language)
    return in_words(county, language).fillna({"area_class": whole})


def league_table(plan: Plan, language: Language = "zh") -> pd.DataFrame:
    """Return the towns ranked by uncovered people for the main profile and tier, with the share by every profile.

    Columns rank, area_name, area_class, population, covered_people, uncovered_people, unknown_people and one
    `share:<profile>` a profile.
    """
    scenario = plan.scenario
    towns = plan.coverage[
        (plan.coverage["area_level"] == "town")
        & (plan.coverage["tier"] == scenario.main_tier)
        & (plan.coverage["group"] == "all")
    ]
    main = towns[towns["profile"] == scenario.main_profile].sort_values(
        ["uncovered_people", "area_id"], ascending=[False, True]
    )
    shares = towns.pivot_table(index="area_id", columns="profile", values="covered_share", sort=False)
    table = main.assign(rank=range(1, len(main) + 1)).set_index("area_id")
    for profile in scenario.profiles:
        if profile in shares.columns:
            table[f"share:{profile}"] = shares[profile].reindex(table.index)
    return in_words(table.reset_index(), language)


def _curve(plan: Plan, language: Language) -> pd.DataFrame:
    chosen = plan.curve[plan.curve["area_level"].eq("county") & plan.curve["area_class"].isna()]
    return in_words(chosen[chosen["tier"] == plan.scenario.main_tier], language)


def _ledger(plan: Plan, language: Language) -> pd.DataFrame:
    ledger = plan.study.ledger
    return pd.DataFrame() if ledger is None else in_words(table_in_words(ledger, language), language)


def _sources(plan: Plan) -> pd.DataFrame:
    return pd.DataFrame() if plan.study.history is None else plan.study.history
