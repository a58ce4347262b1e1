"""Commands about the places themselves: tiers, declared figures, checklists, standards, verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.shell import (
    MAX_ROWS,
    AsJson,
    Cutoff,
    ProfileCodes,
    ScenarioFile,
    StudyPath,
    app,
    chosen_scenario,
    conditions_of,
    document_language,
    language,
    made_reach,
    opened_study,
    print_findings,
    print_json,
    print_table,
    read_entries,
    records_of,
    worded,
)
from planner.errors import InputError
from planner.texts import text
from planner.written import write_text

if TYPE_CHECKING:
    from planner.coverage.declared import Reconciliation

TomlFile = Annotated[Path | None, typer.Option("--file", help="TOML file of your own, a copy of one that ships")]
Copy = Annotated[str | None, typer.Option("--copy", help="Write a copy of this one to --out, to edit")]
Out = Annotated[Path | None, typer.Option("--out", help="File for the copy")]


@app.command()
def tiers(study: StudyPath, scenario: ScenarioFile = None, as_json: AsJson = False) -> None:
    """Check the pyramid: every unit its place, every place its parent; orphans, doubles and misplaced ones."""
    from planner.coverage.hierarchy import findings_table, hierarchy_findings, tier_table

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario)
    findings = hierarchy_findings(opened, chosen)
    table, listed = tier_table(opened, chosen, findings), findings_table(opened, findings, language())
    if as_json:
        print_json({"tiers": records_of(table), "findings": records_of(listed)})
        return
    columns = ("tier", "parent", "unit", "count", "n_units", "n_units_with", "n_places", "n_online", "n_findings")
    print_table(text("network.tiers", language()), worded(table), columns)
    print_findings(records_of(listed))


@app.command()
def declared(
    study: Annotated[list[Path], typer.Argument(help="Study files; a city has one per county", metavar="STUDY...")],
    preset: Annotated[str | None, typer.Option(help="Declared figures that ship, such as zhaohua")] = None,
    file: TomlFile = None,
    out: Annotated[Path | None, typer.Option(help="Also write a workbook (.xlsx)")] = None,
    keep: Annotated[
        bool | None,
        typer.Option(help="Keep the figures in the study, so that its plans show them; default: one study does"),
    ] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Reconcile declared figures with what the studies hold: difference, verdict, ratios, formula."""
    from planner.coverage.declared import kept_declaration, reconcile, with_declaration
    from planner.outputs.reconciliation import write_reconciliation
    from planner.store import save_study

    opened = [opened_study(path) for path in study]
    if keep and len(opened) > 1:
        raise InputError("Figures of several counties together cannot be kept in one of them. Keep each county's own.")
    is_named = preset is not None or file is not None
    said = None if is_named else kept_declaration(opened[0])
    result = reconcile(opened, said or _declaration(preset, file), chosen_scenario(opened[0], scenario))
    if keep or (keep is None and is_named and len(opened) == 1):
        save_study(with_declaration(opened[0], result.declared), study[0])
        typer.echo(text("cli.declared_kept", language(), path=study[0]), err=True)
    if out is not None:
        write_reconciliation(result, out, document_language())
    print_reconciliation(result, {}, as_json=as_json)


def print_reconciliation(result: Reconciliation, more: dict[str, Any], *, as_json: bool) -> None:
    """Print declared against found; `more` goes into the JSON document."""
    findings = [{"problem": one.problem(language()), "repair": one.repair(language())} for one in result.findings]
    said = result.declared
    if as_json:
        print_json({
            "name": said.name, "source": said.source, "date": said.date, "n_studies": result.n_studies,
            "agrees": result.agrees, "declared_formula": result.declared_formula,
            "found_formula": result.found_formula, "results": records_of(result.table),
            "ratios": records_of(result.ratios), "notes": list(said.notes), "findings": findings, **more,
        })  # fmt: skip
        return
    name = said.name if language() == "zh" else said.name_en or said.name
    title = text("network.declared", language(), name=name, source=said.source)
    columns = ("measure", "tier", "class", "declared", "found", "difference", "judgement")
    print_table(title, worded(result.table), columns)
    print_table(text("network.ratios", language()), worded(result.ratios), ("ratio", "declared", "found"))
    typer.echo(text("network.formula", language(), declared=result.declared_formula, found=result.found_formula))
    for note in said.notes:
        typer.echo(text("network.note", language(), note=note))
    print_findings(findings)


def _declaration(preset: str | None, file: Path | None) -> Any:  # noqa: ANN401  Declared, imported late
    from planner.coverage.declared import declared_from_toml, declared_presets

    if file is not None:
        found = read_entries(file, declared_from_toml)
        return _one_of(found, preset or next(iter(found), ""))
    presets = declared_presets()
    if preset is None:
        raise InputError(f"Name declared figures: --preset with one of {', '.join(presets)}, or --file FILE.toml.")
    return _one_of(presets, preset)


def _one_of(found: dict[str, Any], code: str) -> Any:  # noqa: ANN401  whatever it holds
    if code not in found:
        raise InputError(f"There is no '{code}'; there are {', '.join(found) or 'none'}.")
    return found[code]


@app.command()
def checklist(
    study: StudyPath,
    use: Annotated[str | None, typer.Option("--use", help="five_haves, six_haves or a code of --file")] = None,
    file: TomlFile = None,
    with_coverage: Annotated[
        bool, typer.Option("--coverage", help="Also people reached by qualified places beside all named ones")
    ] = False,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Judge the places by a checklist: who is qualified by tier and town, and which place lacks what."""
    from planner.coverage.checklist import checklist_findings, checklist_totals, rectification_list
    from planner.coverage.hierarchy import findings_table
    from planner.plan.practice import place_set_table
    from planner.standards import checklists_from_toml, default_checklists

    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario)
    if file is not None or use is not None:
        known = read_entries(file, checklists_from_toml) if file is not None else default_checklists()
        chosen = chosen.with_choices(checklist=_one_of(known, use or next(iter(known), "")))
    asked = chosen.checklist
    totals, listed = checklist_totals(opened, asked), rectification_list(opened, asked, language())
    findings = records_of(findings_table(opened, checklist_findings(opened, asked), language()))
    sets = place_set_table(made_reach(opened, chosen)) if with_coverage else None
    if as_json:
        document = {
            "checklist": asked.code, "totals": records_of(totals), "rectification": records_of(listed),
            "findings": findings,
        }  # fmt: skip
        print_json(document | ({} if sets is None else {"coverage": records_of(sets)}))
        return
    name = asked.name if language() == "zh" else asked.name_en or asked.name
    columns = ("tier", "town_name", "n_places", "n_judged", "n_qualified", "qualified_share", "n_demonstration")
    print_table(text("network.checklist", language(), name=name), worded(totals), columns)
    lines = ("rank", "facility_id", "name", "town_name", "lacks", "partial", "not_judged", "notes")
    print_table(text("network.rectification", language()), worded(listed.head(MAX_ROWS)), lines)
    if sets is not None:
        county = sets[(sets["area_level"] == "county") & sets["area_class"].isna()]
        columns = ("place_set", "tier", "profile", "group", "covered_people", "uncovered_people", "covered_share")
        print_table(text("network.place_sets", language()), worded(county), columns)
    print_findings(findings)


@app.command()
def standards(
    study: Annotated[Path | None, typer.Argument(help="Study file; without one: list the standards")] = None,
    use: Annotated[list[str] | None, typer.Option("--use", help="Standard; twice to compare two")] = None,
    file: TomlFile = None,
    level: Annotated[str, typer.Option(help="county, town or village")] = "county",
    copy: Copy = None,
    out: Out = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """List standards, copy one to edit, or judge a study by one or several side by side."""
    from planner.plan.coverage import require_level
    from planner.plan.practice import norm_table
    from planner.scenario import Scenario
    from planner.standards import standard_to_toml, standards_from_toml

    own = read_entries(file, standards_from_toml) if file is not None else {}
    if copy is not None:
        if out is None:
            raise InputError("Name the file for the copy with --out.")
        write_text(out, standard_to_toml(_one_of({**Scenario().standards, **own}, copy), f"{copy}_copy"))
        typer.echo(str(out))
        return
    if study is None:
        _list_standards({**Scenario().standards, **own}, as_json=as_json)
        return
    require_level(level)
    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario)
    chosen = chosen.with_choices(own_standards={**chosen.own_standards, **own}) if own else chosen
    reach = made_reach(opened, chosen)
    table = norm_table(reach, use or [*own] or [chosen.standard])
    table = table[table["area_level"] == level]
    if as_json:
        print_json({"results": records_of(table)})
        return
    columns = (
        "standard", "tier", "rule_class", "group", "profile", "cutoff_min", "distance_m", "area_name", "population",
        "covered_people", "covered_share", "target_share", "judgement", "is_verified",
    )  # fmt: skip
    print_table(conditions_of(reach), worded(table), columns)


def _list_standards(known: dict[str, Any], *, as_json: bool) -> None:
    import pandas as pd

    rows = [
        {
            "standard": code, "name": one.name if language() == "zh" else one.name_en or one.name,
            "n_rules": len(one.rules), "class_by": one.class_by, "source": one.source, "is_verified": one.is_verified,
        }
        for code, one in known.items()
    ]  # fmt: skip
    if as_json:
        print_json({"standards": rows})
    else:
        print_table(
            text("network.standards", language()),
            worded(pd.DataFrame(rows)),
            ("standard", "name", "n_rules", "source", "is_verified"),
        )


@app.command()
def verdicts(
    study: StudyPath,
    tier: Annotated[str | None, typer.Option(help="Tier; default: the scenario's main one")] = None,
    group: Annotated[str, typer.Option(help="all, age60, children, relocated")] = "all",
    level: Annotated[str, typer.Option(help="county, town or village")] = "town",
    cutoff: Cutoff = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Show both verdicts per area, profiles side by side, and the villages where they differ, by people."""
    from planner.coverage.verdicts import differing_villages, verdict_matrix
    from planner.plan.coverage import coverage_table, require_level, verdict_table
    from planner.plan.ready import areas_of

    require_level(level)
    opened = opened_study(study)
    reach = made_reach(opened, chosen_scenario(opened, scenario, cutoff_min=cutoff, main_tier=tier))
    both = verdict_table(reach, coverage_table(reach, tiers=[reach.scenario.main_tier], groups=[group]))
    matrix = verdict_matrix(both)
    matrix = matrix[matrix["area_level"] == level]
    differing = differing_villages(both, areas_of(opened))
    if as_json:
        print_json({"results": records_of(matrix), "differing": records_of(differing)})
        return
    shares = [column for column in matrix.columns if column.startswith("share:")]
    renamed = matrix.rename(columns={column: f"{column.removeprefix('share:')}_share" for column in shares})
    fixed = ("area_name", "area_class", "population", "has_one", "own_share")
    _print_matrix(
        conditions_of(reach), worded(renamed), [*fixed, *(f"{c.removeprefix('share:')}_share" for c in shares)]
    )
    columns = ("profile", "rank", "area_name", "town_name", "kind", "differing_people", "population")
    print_table(text("network.differing", language()), worded(differing.head(MAX_ROWS)), columns)


@app.command(name="equity")
def equity_(
    study: StudyPath,
    profile: ProfileCodes = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier; default: the scenario's main one")] = None,
    supply: Annotated[str | None, typer.Option(help="capacity (seats) or place; default: seats where all have")] = None,
    other: Annotated[Path | None, typer.Option(help="Second study, a later one: stands as 'after'")] = None,
    after: Annotated[bool, typer.Option("--after", help="Also after the proposed sites open")] = False,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Say how fairly the places are shared: floating catchments, people per place, minutes beyond the limit, Gini."""
    from planner.plan.equity import compared, equity
    from planner.plan.proposals import propose

    if supply not in (None, "capacity", "place"):
        raise InputError(f"'{supply}' is no supply. Choose capacity or place.")
    if other is not None and after:
        raise InputError("--other and --after both say what stands as 'after'. Choose one.")
    opened = opened_study(study)
    chosen = chosen_scenario(opened, scenario, profiles=profile, cutoff_min=cutoff, main_tier=tier)
    reach = made_reach(opened, chosen)
    answer = equity(reach, opened=propose(reach).sites if after else None, supply=supply)  # type: ignore[arg-type]
    summary = answer.summary
    if other is not None:
        summary = compared(answer, equity(made_reach(opened_study(other), chosen), supply=supply))  # type: ignore[arg-type]
    if as_json:
        document = {"summary": summary, "areas": answer.areas, "places": answer.places}
        print_json({name: records_of(table) for name, table in document.items()})
        return
    columns = (
        "state", "profile", "n_places", "supply", "supply_total", "people_per_place", "supply_per_1000",
        "gini_two_step", "gini_enhanced", "person_min_over", "cut_off_people",
    )  # fmt: skip
    print_table(conditions_of(reach), worded(summary), columns)
    if len(answer.villages):
        worst = answer.villages.sort_values(["person_min_over", "area_id"], ascending=[False, True])
        village = ("area_name", "town_name", "population", "covered_share", "person_min_over", "two_step_per_1000")
        print_table(text("cli.equity_villages", language()), worded(worst.head(MAX_ROWS)), village)
    busy = answer.places[answer.places["profile"] == chosen.main_profile]
    busy = busy.sort_values(["nearest_people", "facility_id"], ascending=[False, True]).head(MAX_ROWS)
    place = ("state", "name", "tier", "offered", "reached_people", "nearest_people", "supply_per_1000")
    print_table(text("cli.equity_places", language()), worded(busy), place)


def _print_matrix(title: str, records: list[dict[str, Any]], columns: list[str]) -> None:
    from planner.outputs.statement import profile_name

    heads = {name: profile_name(name.removesuffix("_share"), language()) for name in columns[5:]}
    print_table(title, records, columns, heads)
