"""Commands about the roads: how complete they look."""

from __future__ import annotations

from typing import Annotated

import typer

from planner.cli.shell import (
    MAX_ROWS,
    AsJson,
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
from planner.coverage.completeness import FAR_M
from planner.texts import text


@app.command()
def completeness(
    study: StudyPath,
    level: Annotated[str | None, typer.Option(help="Only areas of this level: county, town, village")] = None,
    distance: Annotated[float, typer.Option(help="Metres beyond which people are far from any road")] = FAR_M,
    profile: Annotated[str | None, typer.Option(help="Profile whose unknown people are counted")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Report how complete the roads look by area: roads and footpaths, people far from any, and who stays unknown."""
    from planner.plan.roads import road_quality

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, main_profile=profile)
    reach = made_reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    found = road_quality(reach, far_m=distance)
    table = found.table if level is None else found.table[found.table["area_level"] == level]
    if as_json:
        print_json({"results": records_of(table), "faults": records_of(found.faults)})
        return
    columns = (
        "rank", "area_level", "area_name", "population", "road_km_per_km2", "foot_km_per_km2", "road_m_per_person",
        "foot_m_per_person", "density_percentile", "far_people", "unknown_people", "doubts",
    )  # fmt: skip
    print_table(conditions_of(reach), worded(table.head(MAX_ROWS)), columns)
    county = found.table.iloc[0]
    typer.echo(text("roads.effect", language(), **{name: county[name] for name in _EFFECT}))
    kinds = found.faults["kind"].value_counts()
    typer.echo(
        text(
            "roads.faults", language(),
            n_dangling=int(kinds.get("dangling", 0)), n_crossings=int(kinds.get("crossing", 0)),
        )
    )  # fmt: skip


_EFFECT = ("unknown_people", "far_people", "covered_share", "covered_share_if_known")
