"""Commands about what files hold and what is wrong with them, and how an import is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.shell import (
    MAX_ROWS,
    AsJson,
    StudyPath,
    app,
    language,
    opened_study,
    print_json,
    print_table,
    records_of,
    shown,
)
from planner.texts import text, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.inputs.columns.proposals import Proposal
    from planner.inputs.inspection import FileReport
    from planner.inputs.intake import ImportResult
    from planner.ledger import Ledger, LedgerRow

_COUNTS = ("n_refused", "n_repaired", "column", "problem", "repair", "rows")
_FRAMES = 3


def import_document(result: ImportResult, *, is_dry_run: bool) -> dict[str, Any]:
    """Return an import as one JSON document."""
    ledger = result.ledger
    return {
        "rows_in": ledger.rows_in,
        "rows_accepted": ledger.rows_accepted,
        "rows_refused": ledger.rows_refused,
        "is_dry_run": is_dry_run,
        "proposal": proposal_document(result.proposal),
        "ledger": ledger.to_records(language()),
        "summary": dict(result.summary),
    }


def print_import(result: ImportResult, file: str, *, is_dry_run: bool) -> None:
    """Print what a file was taken for, its ledger and its balance."""
    ledger = result.ledger
    _print_proposal(result.proposal)
    if result.summary.get("classes"):
        print_table(
            text("roads.classes", language()),
            _worded_classes(result),
            ("word", "road_class", "n_lines", "length_km", "is_mapped"),
        )
    _print_ledger(ledger)
    typer.echo(
        text(
            "cli.would_import" if is_dry_run else "cli.imported",
            language(),
            file=file,
            rows_in=ledger.rows_in,
            accepted=ledger.rows_accepted,
            refused=ledger.rows_refused,
        )
    )


def _worded_classes(result: ImportResult) -> list[dict[str, Any]]:
    """Return the classes of a road file with their kilometres, whether anybody mapped them in words."""
    return [
        {**one, "is_mapped": text(f"sheets.flag_{str(one['is_known']).lower()}", language())}
        for one in result.summary["classes"]
    ]


def proposal_document(proposal: Proposal | None) -> dict[str, Any] | None:
    """Return what a file was taken for as a document."""
    if proposal is None:
        return None
    source = proposal.source
    return {
        "table": proposal.table,
        "sheet": source.part,
        "header_rows": list(source.header_rows),
        "encoding": source.encoding,
        "other_sheets": list(source.others),
        "columns": proposal.to_records(language()),
        "ignored": list(proposal.ignored),
    }


def _print_proposal(proposal: Proposal | None) -> None:
    if proposal is None:
        return
    records = proposal.to_records(language())
    for record in records:
        record["how"] = text(f"cli.how_{record['how']}", language())
        record["confidence_share"] = record.pop("confidence")
    print_table(_place(proposal), records, ("field", "meaning", "header", "how", "confidence_share"))


def _place(proposal: Proposal) -> str:
    """Return where in the file the table was found, in words."""
    source = proposal.source
    first, last = source.header_rows
    parts = [text("cli.proposal", language(), table=proposal.table)]
    if source.part:
        parts.append(text("cli.part", language(), part=source.part))
    if first:
        parts.append(text("cli.header_rows", language(), rows=str(first) if first == last else f"{first}-{last}"))
    if source.encoding:
        parts.append(text("cli.encoding", language(), encoding=source.encoding))
    return text("cli.comma", language()).join(parts)


def _print_ledger(ledger: Ledger) -> None:
    if not ledger.rows:
        return
    _print_counts(ledger.rows)
    rows = ledger.to_records(language())[:MAX_ROWS]
    print_table(text("cli.ledger", language()), rows, ("file", "row", "column", "problem", "repair"))
    if len(ledger.rows) > MAX_ROWS:
        typer.echo(text("cli.more_rows", language(), n=len(ledger.rows) - MAX_ROWS))


def _print_counts(rows: tuple[LedgerRow, ...]) -> None:
    from planner.ledger import ledger_counts

    print_table(text("cli.ledger_counts", language()), records_of(ledger_counts(rows, language())), _COUNTS)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A file or folder of any kind that can be imported")],
    kind: Annotated[str | None, typer.Option(help="Read it as this table; default: the one that fits best")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer, or file in an archive or folder")] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=header, may be repeated")] = None,
    save_recipe: Annotated[Path | None, typer.Option(help="Write the proposal as a recipe (TOML) to check")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a file is and what an import would make of it, without a study."""
    from planner.cli.files import pairs
    from planner.inputs.columns.recipes import save_recipe_file
    from planner.inputs.inspection import inspect_file
    from planner.inputs.options import ImportOptions

    options = ImportOptions(sheet=sheet, layer=layer, columns=pairs(column or []))
    report = inspect_file(file, kind, options)
    if save_recipe is not None and report.kind is not None:
        save_recipe_file(save_recipe, report.kind, options, report.proposal)
    if as_json:
        print_json(_report_document(report))
        return
    print_table(report.file, _report_lines(report), ("item", "value"))
    if report.columns:
        print_table(
            text("cli.file_columns", language()),
            [_column_line(column) for column in report.columns],
            ("header", "looks_like", "filled_share", "examples", "field", "confidence_share"),
        )
    _print_ledger(report.ledger)
    if report.problem:
        typer.echo(translated(report.problem, language()))


def _report_document(report: FileReport) -> dict[str, Any]:
    return {
        "file": report.file,
        "format": report.format,
        "n_bytes": report.n_bytes,
        "parts": list(report.parts),
        "kind": report.kind,
        "proposal": proposal_document(report.proposal),
        "columns": [dict(column) for column in report.columns],
        "crs": report.crs,
        "extent": report.extent,
        "frames": [hypothesis.record(language()) for hypothesis in report.frames],
        "summary": dict(report.summary),
        "ledger": report.ledger.to_records(language()),
        "problem": report.problem,
    }


def _report_lines(report: FileReport) -> list[dict[str, Any]]:
    values: dict[str, Any] = {
        "format": report.format, "n_bytes": report.n_bytes, "parts": ", ".join(report.parts), "kind": report.kind,
        "place": _place(report.proposal) if report.proposal else None, "crs": report.crs,
        "extent": ", ".join(f"{value:g}" for value in report.extent) if report.extent else None,
    }  # fmt: skip
    values = {key: value for key, value in values.items() if value} | dict(report.summary)
    lines = [{"item": text(f"cli.file_{key}", language()), "value": value} for key, value in values.items()]
    for hypothesis in report.frames[:_FRAMES]:
        record = hypothesis.record(language())
        share = shown("confidence_share", record["confidence_share"])
        words = f"{record['name']}  {share}  {record['evidence']}"
        lines.append({"item": text("cli.file_frame", language()), "value": words})
    return lines


def _column_line(column: Mapping[str, Any]) -> dict[str, Any]:
    looks = text(f"cli.looks_{column['looks_like']}", language())
    return {**column, "looks_like": looks, "confidence_share": column["confidence"]}


@app.command()
def ledger(
    study: StudyPath,
    kind: Annotated[str | None, typer.Option(help="Only the findings about this kind of import")] = None,
    out: Annotated[Path | None, typer.Option(help="Write them as a workbook (.xlsx) in both languages")] = None,
    as_json: AsJson = False,
) -> None:
    """List what is wrong with the study's files: by kind, worst first, and row by row."""
    from planner.inputs.intake import study_ledger
    from planner.ledger import ledger_counts
    from planner.outputs.corrections import write_corrections

    found = study_ledger(opened_study(study), kind)
    if out is not None:
        write_corrections(out, found)
    if as_json:
        counts = records_of(ledger_counts(found.rows, language()))
        print_json({"counts": counts, "rows": found.to_records(language())})
    elif found.rows:
        _print_ledger(found)
    else:
        typer.echo(text("cli.no_findings", language()))


@app.command()
def duplicates(study: StudyPath, as_json: AsJson = False) -> None:
    """Propose places that may be listed twice, by name and position; nothing is merged."""
    from planner.coverage.duplicates import find_duplicates

    pairs = find_duplicates(opened_study(study))
    records = records_of(pairs)
    if as_json:
        print_json({"pairs": records})
        return
    if not records:
        typer.echo(text("cli.no_duplicates", language()))
        return
    for record in records:
        record["reason"] = text(f"cli.duplicate_{record['reason']}", language())
        record["confidence_share"] = record.pop("confidence")
    names = ("id", "name", "other_id", "other_name", "distance_m", "reason", "confidence_share")
    heads = {
        "distance_m": text("cli.duplicate_distance", language()),
        "reason": text("cli.duplicate_reason", language()),
    }
    print_table(text("cli.duplicates", language()), records[:MAX_ROWS], names, heads)
    if len(records) > MAX_ROWS:
        typer.echo(text("cli.more_pairs", language(), n=len(records) - MAX_ROWS))
