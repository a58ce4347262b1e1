"""Commands that take files in and count what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.findings import import_document, print_import
from planner.cli.shell import (
    KINDS,
    AsJson,
    Bars,
    StudyPath,
    app,
    chosen_scenario,
    document_language,
    language,
    opened_study,
    print_json,
    print_table,
    records_of,
    shown,
)
from planner.errors import InputError
from planner.texts import text


@app.command()
def new(
    study: StudyPath,
    name: Annotated[str, typer.Option(help="Name of the county")],
    crs: Annotated[str, typer.Option(help="Metric working CRS, such as EPSG:4545 or EPSG:32749")],
    as_json: AsJson = False,
) -> None:
    """Make an empty study file."""
    from planner.store import save_study
    from planner.study import new_study

    if study.exists():
        raise InputError(f"'{study}' exists already. Choose another name, or delete it first.")
    saved = save_study(new_study(name, crs), study)
    if as_json:
        print_json({"study": str(study), "name": saved.name, "crs": saved.crs, "revision": saved.revision})
    else:
        typer.echo(text("cli.created", language(), study=study))


@app.command(name="import")
def import_(
    study: StudyPath,
    kind: Annotated[str, typer.Argument(help=KINDS)],
    file: Annotated[Path | None, typer.Argument(help="The file, as it is")] = None,
    place: Annotated[str | None, typer.Option(help="Fetch the roads of this place from OpenStreetMap first")] = None,
    within: Annotated[
        bool, typer.Option("--within", help="Fetch the roads within the study's areas from OpenStreetMap first")
    ] = False,
    frame: Annotated[str | None, typer.Option(help="Coordinate frame of the file, such as EPSG:4490")] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=header, may be repeated")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; '*' for all that hold the table")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of a GeoPackage")] = None,
    class_map: Annotated[Path | None, typer.Option(help="TOML: road class in the file = OSM highway value")] = None,
    split_by: Annotated[
        str | None,
        typer.Option(help="People of towns or villages: split by this layer or raster, or by roads or ground"),
    ] = None,
    cell: Annotated[
        float | None, typer.Option(help="Cells of split people, or of a finer raster, in metres; 0 = each building")
    ] = None,
    node: Annotated[bool, typer.Option("--node", help="Join road lines that cross without a shared vertex")] = False,
    gap: Annotated[float, typer.Option(help="Close gaps between road ends and roads up to so many metres")] = 0.0,
    append: Annotated[bool, typer.Option(help="Add to the rows that are there instead of replacing them")] = False,
    update: Annotated[bool, typer.Option("--update", help="Like --append; rows with a known id replace it")] = False,
    recipe: Annotated[Path | None, typer.Option(help="Read the file as this recipe says (TOML)")] = None,
    save_recipe: Annotated[Path | None, typer.Option(help="Write how the file was read as a recipe (TOML)")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken, and take nothing")] = False,
    ledger_out: Annotated[Path | None, typer.Option(help="Write a workbook of corrections to send back")] = None,
    as_json: AsJson = False,
) -> None:
    """Take a file into the study; what is refused or repaired is listed with its repair."""
    from planner.inputs.columns.recipes import read_recipe, save_recipe_file
    from planner.inputs.intake import ImportOptions, import_file, read_class_map
    from planner.outputs.corrections import write_corrections
    from planner.store import open_study, save_study

    if place is not None or within:
        file = _fetched(study, kind, file, place)
    elif file is None:
        raise InputError("Name the file to import.")
    options = ImportOptions(
        frame=frame,
        columns=pairs(column or []),
        sheet=sheet,
        layer=layer,
        class_mapping=read_class_map(class_map) if class_map else None,
        split_by=split_by,
        cell_m=cell,
        append=append,
        update=update,
        is_noded=node,
        gap_m=gap,
        keep_rows=ledger_out is not None,
    )
    if recipe is not None:
        kind, options = read_recipe(recipe, kind, options)
    with Bars() as bars:
        result = import_file(open_study(study), kind, file, options, progress=bars)
        if not dry_run:
            save_study(result.study, study)
    if save_recipe is not None:
        save_recipe_file(save_recipe, kind, options, result.proposal)
    if ledger_out is not None:
        write_corrections(ledger_out, result.ledger, result.rows)
    if as_json:
        print_json(import_document(result, is_dry_run=dry_run))
    else:
        print_import(result, file.name, is_dry_run=dry_run)


def _fetched(study: Path, kind: str, file: Path | None, place: str | None) -> Path:
    """Return the file of roads fetched from OpenStreetMap: the one named, else one beside the study."""
    from planner.inputs.roads.download import download_roads

    if kind != "roads":
        raise InputError("Only roads are fetched from OpenStreetMap. Leave --place and --within out.")
    target = file or study.with_name(f"{study.stem}-roads.osm")
    with Bars() as bars:
        return download_roads(target, place, opened_study(study), bars)


def pairs(texts: list[str]) -> dict[str, str]:
    """Return the column mapping that texts such as name=站名 mean."""
    mapping = {}
    for item in texts:
        field, equals, header = item.partition("=")
        if not equals or not field.strip() or not header.strip():
            raise InputError(f"'{item}' is no column mapping. Write field=header, such as --column name=站名.")
        mapping[field.strip()] = header.strip()
    return mapping


@app.command()
def template(
    kinds: Annotated[list[str] | None, typer.Argument(help="Tables; default: all")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the workbooks")] = Path("templates"),
) -> None:
    """Write blank workbooks with the right headers, notes and pull-down lists."""
    from planner.outputs.templates import write_templates

    for path in write_templates(out, kinds or None, document_language()):
        typer.echo(str(path))


@app.command()
def check(study: StudyPath, as_json: AsJson = False) -> None:
    """Count what the study holds and list what does not add up."""
    from planner.coverage.integrity import check_study

    opened = opened_study(study)
    report = check_study(opened, chosen_scenario(opened, None))
    findings = report.to_frame(language())
    if as_json:
        document = {
            "facilities": records_of(report.facilities),
            "totals": report.totals,
            "findings": records_of(findings),
        }
        print_json(document)
        return
    places = report.facilities_in_words(language())
    print_table(text("cli.check", language()), places, ("tier", "class", "n_facilities"))
    print_table(text("cli.totals", language()), report.totals_in_words(language()), ("item", "value"))
    if len(findings):
        print_table(text("cli.findings", language()), records_of(findings), ("table", "problem", "repair"))
    else:
        typer.echo(text("cli.no_findings", language()))


@app.command()
def network(study: StudyPath, as_json: AsJson = False) -> None:
    """Describe the road network: nodes, edges, kilometres, pieces."""
    from planner.plan.ready import describe_network

    description = describe_network(opened_study(study))
    if as_json:
        print_json(description)
        return
    records = [
        {"item": text(f"cli.{key}", language()), "value": shown(key, value)} for key, value in description.items()
    ]
    print_table(text("cli.network", language()), records, ("item", "value"))
