"""Commands that try: what if places and roads were others."""

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
    print_json,
    print_table,
    records_of,
    worded,
)
from planner.errors import InputError
from planner.texts import text

_PAIR = 2


@app.command(name="what-if")
def what_if(
    study: StudyPath,
    close: Annotated[list[str] | None, typer.Option(help="Place that closes; may be repeated")] = None,
    add: Annotated[
        list[str] | None, typer.Option(help="ID=SPOT, a new place; SPOT is lon,lat or the id of a point or candidate")
    ] = None,
    move: Annotated[list[str] | None, typer.Option(help="ID=SPOT, a place that moves there")] = None,
    close_road: Annotated[list[str] | None, typer.Option(help="Id of a road that is closed; may be repeated")] = None,
    change_road: Annotated[
        list[str] | None, typer.Option(help="ROAD=CLASS, a road in another class, such as R7=tertiary")
    ] = None,
    bridge: Annotated[
        list[str] | None, typer.Option(help="SPOT;SPOT, a footbridge between the roads nearest to them")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Profile; default: the scenario's main one")] = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier; default: the scenario's main one")] = None,
    level: Annotated[str, typer.Option(help="county, town or village")] = "county",
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Try other places and roads: whom they would cover, before and after; roads first. The study stays as it is."""
    from planner.plan.coverage import require_level
    from planner.plan.travel import spot_of
    from planner.plan.trial import Edit, RoadEdit, surprises, trial_table, tried

    require_level(level)
    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    edits: list[Edit | RoadEdit] = [RoadEdit("close", road) for road in close_road or []]
    edits += [RoadEdit("change", road, road_class) for road, road_class in _pairs(change_road, "=")]
    edits += [
        RoadEdit("bridge", line=(spot_of(opened, start), spot_of(opened, end))) for start, end in _pairs(bridge, ";")
    ]
    edits += [Edit("close", place) for place in close or []]
    edits += [Edit("move", place, *spot_of(opened, spot)) for place, spot in _pairs(move, "=")]
    edits += [Edit("add", place, *spot_of(opened, spot)) for place, spot in _pairs(add, "=")]
    reach = made_reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    before, after = tried(reach, edits)
    table = trial_table(reach, before, after)
    table = table[table["area_level"] == level]
    turned = surprises(reach, edits, before["travel_time_min"], after["travel_time_min"])
    if as_json:
        print_json({"results": records_of(table), "surprises": turned})
        return
    columns = ("area_name", "area_class", "group", "population", "before_people", "after_people", "gained_people")
    print_table(conditions_of(reach), worded(table), columns)
    for kind, people in turned.items():
        typer.echo(text(f"network.what_if_{kind}", language(), people=people))


def _pairs(items: list[str] | None, mark: str) -> list[tuple[str, str]]:
    found = []
    for item in items or []:
        parts = [part.strip() for part in item.split(mark)]
        if len(parts) != _PAIR or not all(parts):
            raise InputError(f"'{item}' is no pair. Write both parts with '{mark}' between them.")
        found.append((parts[0], parts[1]))
    return found
