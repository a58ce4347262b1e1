"""Commands that look at a file before it is taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.files import pairs
from planner.cli.shell import AsJson, app, language, opened_study, print_json, print_table
from planner.texts import text


@app.command()
def frames(
    file: Annotated[Path, typer.Argument(help="The file, as it is")],
    study: Annotated[
        Path | None, typer.Option(help="Study whose county and roads the coordinates are held against")
    ] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=header, may be repeated")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of a GeoPackage")] = None,
    as_json: AsJson = False,
) -> None:
    """Say in which frame a file's coordinates may be, with the evidence for each."""
    from planner.inputs.frames.coordinates import file_hypotheses
    from planner.inputs.options import ImportOptions

    options = ImportOptions(columns=pairs(column or []), sheet=sheet, layer=layer)
    found = file_hypotheses(file, options, None if study is None else opened_study(study))
    records = [hypothesis.record(language()) for hypothesis in found]
    if as_json:
        print_json({"file": file.name, "hypotheses": records})
        return
    if not records:
        typer.echo(text("frames.none_fits", language()))
        return
    heads = {
        name: text(f"frames.head_{name}", language()) for name in ("frame", "name", "confidence_share", "evidence")
    }
    print_table(file.name, records, heads, heads)
    verdict = "certain" if found[0].is_certain else "not_certain"
    typer.echo(text(f"frames.{verdict}", language(), name=records[0]["name"]))
