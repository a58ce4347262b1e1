"""Commands that compute: coverage, circles, gaps, settlements, sites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from planner.cli.shell import (
    MAX_ROWS,
    AsJson,
    Bars,
    Cutoff,
    ProfileCodes,
    ScenarioFile,
    StudyPath,
    TierCodes,
    app,
    chosen_scenario,
    conditions_of,
    language,
    made_reach,
    opened_study,
    print_json,
    print_table,
    records_of,
    worded,
    write_text,
)


@app.command()
def coverage(
    study: StudyPath,
    profile: ProfileCodes = None,
    cutoff: Cutoff = None,
    tier: TierCodes = None,
    group: Annotated[list[str] | None, typer.Option(help="all, age60, children, relocated")] = None,
    level: Annotated[str | None, typer.Option(help="Only areas of this level: county, town, village")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Count the people within the time limit, by tier, profile, group and area."""
    from planner.plan.coverage import coverage_table, verdict_table

    opened = opened_study(study)
    reach = made_reach(opened, chosen_scenario(opened, scenario, profiles=profile, cutoff_min=cutoff))
    table = verdict_table(reach, coverage_table(reach, tiers=tier, groups=group, level=level))
    if as_json:
        print_json({"results": [_with_area(record) for record in records_of(table)]})
        return
    shown = table if level else table[table["area_level"] == "county"]
    columns = (
        "area_name", "area_class", "tier", "profile", "group", "population", "covered_people", "uncovered_people",
        "unknown_people", "covered_share", "own_share",
    )  # fmt: skip
    print_table(conditions_of(reach), worded(shown), columns)


def _with_area(record: dict[str, Any]) -> dict[str, Any]:
    area = {key: record.pop(f"area_{key}") for key in ("level", "id", "name", "class")}
    return {**record, "area": area}


@app.command()
def circles(
    study: StudyPath,
    profile: ProfileCodes = None,
    cutoff: Annotated[list[float] | None, typer.Option(help="Time limits in minutes, may be repeated")] = None,
    tier: TierCodes = None,
    out: Annotated[Path | None, typer.Option(help="GeoJSON file to write; default: standard output")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Draw the practice circle of every place: GeoJSON in degrees."""
    from planner.outputs.layers import to_geojson
    from planner.plan.circles import circle_table

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, profiles=profile, cutoff_min=max(cutoff) if cutoff else None)
    with Bars() as bars:
        table = circle_table(made_reach(opened, chosen), cutoffs_min=cutoff, tiers=tier, progress=bars)
    document = to_geojson(table)
    if out is None or as_json:
        typer.echo(document)
    if out is not None:
        write_text(out, document)


@app.command()
def gaps(
    study: StudyPath,
    profile: Annotated[str | None, typer.Option(help="Profile")] = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """List the gaps by people, with the minutes to the nearest place and the cause."""
    from planner.plan.coverage import gap_table

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    reach = made_reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    table = gap_table(reach)
    if as_json:
        print_json({"results": records_of(table)})
        return
    columns = ("rank", "name", "people", "nearest_median_min", "over_median_min", "cause")
    print_table(conditions_of(reach), worded(table.head(MAX_ROWS)), columns)


@app.command()
def settlements(
    study: StudyPath,
    profile: Annotated[str | None, typer.Option(help="Profile that decides")] = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier that has to serve")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Check every relocation settlement: served or not, and why."""
    from planner.plan.settlements import settlement_audit

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, settlement_tier=tier)
    reach = made_reach(opened, chosen)
    audit = settlement_audit(reach)
    if as_json:
        nearest = {key: records_of(rows) for key, rows in audit.nearest.groupby("settlement_id", sort=False)}
        results = [
            {**record, "nearest": [_without(row, "settlement_id") for row in nearest.get(record["settlement_id"], [])]}
            for record in records_of(audit.table)
        ]
        print_json({"results": results, "totals": records_of(audit.totals)})
        return
    columns = ("name", "people", "size_class", "travel_time_min", "reason", "person_min_over")
    print_table(conditions_of(reach), worded(audit.table.head(MAX_ROWS)), columns)


def _without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}


@app.command()
def site(
    study: StudyPath,
    n_new: Annotated[int | None, typer.Option("--n-new", "-k", help="How many new places")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile")] = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier whose coverage counts")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Choose the candidate sites that cover most uncovered people, with a bound that proves how good they are."""
    from planner.outputs.headline import proof_sentence
    from planner.plan.proposals import propose

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, n_new=n_new, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    reach = made_reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    with Bars() as bars:
        proposals = propose(reach, progress=bars)
    summary = proposals.summary()
    if as_json:
        print_json(summary)
        return
    columns = ("rank", "candidate_id", "name", "marginal_people", "total_people", "towns", "settlements")
    print_table(conditions_of(reach), worded(proposals.sites), columns)
    typer.echo(proof_sentence(summary, language()))
