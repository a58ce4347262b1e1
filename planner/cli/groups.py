"""Commands about places together: practice belts and town clusters."""

from __future__ import annotations

from typing import Annotated

import typer

from planner.cli.shell import (
    AsJson,
    Cutoff,
    ScenarioFile,
    StudyPath,
    app,
    chosen_scenario,
    conditions_of,
    language,
    made_reach,
    opened_study,
    print_findings,
    print_json,
    print_table,
    records_of,
    worded,
)
from planner.texts import text

Names = list[str] | None


@app.command()
def belts(
    study: StudyPath,
    road: Annotated[Names, typer.Option(help="Road of this name that the belt follows; may be repeated")] = None,
    river: Annotated[Names, typer.Option(help="River of this name among the barriers")] = None,
    corridor: Annotated[Names, typer.Option(help="Name or id in the table corridors: line or zone")] = None,
    area: Annotated[Names, typer.Option(help="Town or village that its places lie in")] = None,
    buffer: Annotated[float, typer.Option(help="Metres on either side of the line")] = 500.0,
    profile: Annotated[str | None, typer.Option(help="Profile that measures the chain")] = None,
    cutoff: Cutoff = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """String places along roads, rivers, lines or in zones: the chain in order, its lengths and its breaks."""
    from planner.belts import belt_along
    from planner.plan.groups import practice_belts

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff)
    asked = belt_along(road or (), river or (), corridor or (), area or (), buffer)
    chosen = chosen if asked is None else chosen.with_choices(belts={"belt": asked})
    reach = made_reach(opened, chosen)
    found = practice_belts(reach)
    findings = [{"problem": one.problem(language()), "repair": one.repair(language())} for one in found.findings]
    if as_json:
        print_json({
            "belts": records_of(found.table), "places": records_of(found.places), "links": records_of(found.links),
            "findings": findings,
        })  # fmt: skip
        return
    columns = ("belt_name", "zone", "profile", "n_places", "n_breaks", "n_sections", "length_m", "longest_link_m")
    print_table(conditions_of(reach), worded(found.table.rename(columns={"name": "belt_name"})), columns)
    columns = ("belt_name", "seq", "from_name", "to_name", "length_m", "link_min", "is_break", "cause")
    print_table(text("belts.links", language()), worded(found.links), columns)
    print_findings(findings)


@app.command()
def clusters(
    study: StudyPath,
    minutes: Annotated[float | None, typer.Option(help="Largest time between any two places of a cluster")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile by which one goes from place to place")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the places of a town that can all be reached from one another within minutes, and what they lack."""
    from planner.plan.groups import town_clusters

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile, cluster_min=minutes)
    reach = made_reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    found = town_clusters(reach)
    if as_json:
        print_json({"clusters": records_of(found.table), "places": records_of(found.places)})
        return
    columns = (
        "cluster_id",
        "town_name",
        "n_places",
        "places",
        "farthest_min",
        "n_unrecorded",
        "functions",
        "lacks_functions",
    )
    title = text("belts.clusters", language(), minutes=chosen.cluster_min)
    print_table(f"{title}\n{conditions_of(reach)}", worded(found.table), columns)
    apart = found.places[found.places["membership"] != "member"]
    typer.echo(text("belts.apart", language(), n=len(apart), total=len(found.places)))
