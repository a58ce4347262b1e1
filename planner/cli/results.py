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
    Cutoffs,
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
    read_entries,
    records_of,
    worded,
)
from planner.texts import text
from planner.written import write_text


@app.command()
def coverage(
    study: StudyPath,
    profile: ProfileCodes = None,
    cutoff: Cutoffs = None,
    tier: TierCodes = None,
    group: Annotated[list[str] | None, typer.Option(help="all, age60, children, relocated")] = None,
    level: Annotated[str | None, typer.Option(help="Only areas of this level: county, town, village")] = None,
    off_path: Annotated[
        bool,
        typer.Option("--off-path", help="Add estimated people: walking over open ground to the road; needs heights"),
    ] = False,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Count the people within the time limit, by tier, profile, group and area."""
    from planner.plan.coverage import coverage_table, verdict_table
    from planner.plan.travel import estimated_table

    opened = opened_study(study)
    first = cutoff[0] if cutoff else None
    reach = made_reach(opened, chosen_scenario(opened, scenario, profiles=profile, cutoff_min=first))
    people = estimated_table if off_path else coverage_table
    table = verdict_table(reach, people(reach, cutoffs_min=cutoff, tiers=tier, groups=group, level=level))
    if as_json:
        print_json({"results": [_with_area(record) for record in records_of(table)]})
        return
    shown = table if level else table[table["area_level"] == "county"]
    columns = (
        "area_name", "area_class", "tier", "profile", *(["cutoff_min"] if len(cutoff or []) > 1 else []), "group",
        "population", "covered_people", "uncovered_people", "unknown_people",
        *(["estimated_people"] if off_path else []), "covered_share", "own_share",
    )  # fmt: skip
    print_table(conditions_of(reach), worded(shown), columns)


def _with_area(record: dict[str, Any]) -> dict[str, Any]:
    area = {key: record.pop(f"area_{key}") for key in ("level", "id", "name", "class")}
    return {**record, "area": area}


@app.command()
def circles(
    study: StudyPath,
    profile: ProfileCodes = None,
    cutoff: Cutoffs = None,
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
        reach = made_reach(opened, chosen, needs_people=False)
        table = circle_table(reach, cutoffs_min=cutoff, tiers=tier, progress=bars)
    document = to_geojson(table)
    if out is None or as_json:
        typer.echo(document)
    if out is not None:
        write_text(out, document)


@app.command()
def surface(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="GeoTIFF file to write")] = Path("surface.tif"),
    profile: Annotated[str | None, typer.Option(help="Profile; default: the scenario's main one")] = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier; default: the scenario's main one")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Write minutes to the nearest place, and how many are within the limit, as a GeoTIFF that says on what terms."""
    from planner.outputs.geotiff import BANDS, write_surface
    from planner.plan.circles import surface_grid

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    with Bars() as bars:
        reach = made_reach(opened, chosen.with_choices(profiles=[chosen.main_profile]), needs_people=False)
        minutes, counts, terms = surface_grid(reach, bars)
        write_surface(out, minutes, counts, terms)
    if as_json:
        print_json({"file": str(out), "bands": list(BANDS), **terms})
    else:
        typer.echo(str(out))


@app.command()
def route(
    study: StudyPath,
    origin: Annotated[
        str, typer.Option("--from", help="Id of a demand point, settlement, candidate or place; or lon,lat")
    ],
    place: Annotated[str | None, typer.Option("--to", help="Id of a place; default: the nearest of the tier")] = None,
    profile: ProfileCodes = None,
    tier: Annotated[str | None, typer.Option(help="Tier of the nearest place")] = None,
    out: Annotated[Path | None, typer.Option(help="GeoJSON file to write the ways to")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Draw the fastest way from a point to a place, by every profile: minutes, metres, straight legs."""
    from planner.outputs.layers import to_geojson
    from planner.plan.travel import route_table

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, profiles=profile, main_tier=tier)
    table = route_table(opened, chosen, origin, place)
    if out is not None:
        write_text(out, to_geojson(table[table.geometry.notna()]))
    if as_json:
        print_json({"results": records_of(table)})
        return
    columns = ("profile", "name", "travel_time_min", "road_m", "origin_access_m", "place_access_m", "reason")
    print_table(origin, worded(table), columns)


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
    sizes: Annotated[Path | None, typer.Option(help="Size classes (TOML), a copy of the file that ships")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Audit every relocation settlement: served or not, by what, before and after the move, and what would help."""
    from planner.plan.settlements import settlement_audit
    from planner.sizes import sizes_from_toml

    opened = opened_study(study)
    classes = None if sizes is None else read_entries(sizes, sizes_from_toml)
    chosen = chosen_scenario(
        opened, scenario, main_profile=profile, cutoff_min=cutoff, settlement_tier=tier, settlement_sizes=classes
    )
    reach = made_reach(opened, chosen)
    audit = settlement_audit(reach)
    if as_json:
        by_settlement = {
            name: {key: records_of(rows) for key, rows in table.groupby("settlement_id", sort=False)}
            for name, table in (("nearest", audit.nearest), ("remedies", audit.remedies))
        }
        results = [
            record | {
                name: [_without(row, "settlement_id") for row in rows.get(record["settlement_id"], [])]
                for name, rows in by_settlement.items()
            }
            for record in records_of(audit.table)
        ]  # fmt: skip
        print_json({"results": results, "totals": records_of(audit.totals), "checks": records_of(audit.checks)})
        return
    columns = (
        "rank", "name", "people", "size_class", "has_place_inside", "has_place_in_village", "travel_time_min",
        "reason", "person_min_over",
        "change_min", "remedy", "remedy_name", "remedy_min",
    )  # fmt: skip
    print_table(conditions_of(reach), worded(audit.table.sort_values("rank").head(MAX_ROWS)), columns)
    sums = ("size_class", "n_settlements", "n_served", "people", "served_people", "unserved_people", "served_share")
    print_table(text("cli.settlement_totals", language()), worded(audit.totals), sums)
    checks = ("check", "expected", "found", "difference", "judgement")
    print_table(text("cli.settlement_checks", language()), worded(audit.checks), checks)


def _without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}
