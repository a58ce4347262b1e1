"""Commands that run everything: plan, export, replay, demo, app."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from planner.cli.places import print_reconciliation
from planner.cli.shell import (
    AsJson,
    Bars,
    ScenarioFile,
    StudyPath,
    app,
    chosen_scenario,
    document_language,
    language,
    made_plan,
    opened_study,
    print_headline,
    print_json,
    print_table,
)
from planner.errors import InputError, MissingExtraError
from planner.texts import text

PASSWORD_VARIABLE, TILES_VARIABLE = "PLANNER_APP_PASSWORD", "PLANNER_TILES"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@app.command()
def plan(
    study: StudyPath,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute everything and keep the results as layers of the study file."""
    from planner.outputs.headline import headline
    from planner.outputs.layers import result_tables
    from planner.store import save_study

    opened = opened_study(study)
    made = made_plan(opened, chosen_scenario(opened, scenario))
    saved = save_study(opened.with_results(result_tables(made)), study)
    if as_json:
        print_json({"study": str(study), "revision": saved.revision, **headline(made)})
    else:
        print_headline(made)


@app.command()
def export(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="Folder to write to")] = Path("export"),
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Write workbook, map, layers and manifest into a folder."""
    from planner.outputs.export import write_export

    opened = opened_study(study)
    made = made_plan(opened, chosen_scenario(opened, scenario))
    paths = write_export(made, out, document_language())
    if as_json:
        print_json({"files": [str(path) for path in paths]})
    else:
        print_headline(made)
        typer.echo(text("cli.exported", language(), n=len(paths), out=out))


@app.command()
def replay(
    manifest: Annotated[Path, typer.Argument(help="manifest.json of an export")],
    inputs: Annotated[Path, typer.Option(help="Folder with the input files")],
    out: Annotated[Path, typer.Option(help="Empty folder to write to")] = Path("replay"),
    as_json: AsJson = False,
) -> None:
    """Make an export again from its manifest and the input files, and compare every table."""
    from planner.replay import replay_export

    with Bars() as bars:
        report = replay_export(manifest, inputs, out, document_language(), progress=bars)
    if as_json:
        print_json(report)
    else:
        print_table(text("cli.replayed", language()), report["tables"], ("table", "is_equal"))
    if not all(row["is_equal"] for row in report["tables"]):
        raise InputError(text("cli.replay_differs", language()))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to")] = Path("demo-out"),
    county: Annotated[
        str | None, typer.Option(help="A network with declared figures, such as zhaohua: studies and reconciliation")
    ] = None,
    keep: Annotated[bool, typer.Option(help="With --county: keep the declared figures in the studies")] = True,
    as_json: AsJson = False,
) -> None:
    """Take the synthetic demo county from its files to maps, gaps, proposals and a settlement check."""
    from planner.demo.journey import run_demo, run_network
    from planner.outputs.headline import headline

    if county is not None:
        with Bars() as bars:
            result, studies = run_network(county, out, document_language(), progress=bars, keep=keep)
        if not as_json:
            typer.echo(text("network.networks_done", language(), n=len(studies), out=out))
        print_reconciliation(result, {"studies": [str(path) for path in studies]}, as_json=as_json)
        return
    with Bars() as bars:
        made, study = run_demo(out, document_language(), progress=bars)
    if as_json:
        print_json({"study": str(study), "export": str(out / "export"), **headline(made)})
    else:
        print_headline(made)
        typer.echo(text("cli.demo_done", language(), study=study, export=out / "export"))


@app.command(name="app")
def app_(
    study: Annotated[Path | None, typer.Argument(help="Study file; default: the demo's", metavar="[STUDY]")] = None,
    port: Annotated[int, typer.Option(help="Port")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 = for other machines too")] = "localhost",
    password_file: Annotated[Path | None, typer.Option(help="File whose first line is the password")] = None,
    tiles: Annotated[str | None, typer.Option(help="Basemap: tile address with z, x, y in braces, or a folder")] = None,
) -> None:
    """Open the browser app, on this machine only unless told otherwise."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("streamlit") is None:
        raise MissingExtraError("streamlit", "app")
    environment = dict(os.environ)
    if password_file is not None:
        environment[PASSWORD_VARIABLE] = _first_line(password_file)
    if tiles is not None:
        environment[TILES_VARIABLE] = tiles
    if address not in _THIS_MACHINE and not environment.get(PASSWORD_VARIABLE):
        typer.echo(text("cli.app_open", language()), err=True)
    command = [sys.executable, "-m", "planner.ui.server", "--owned", "--address", address, "--port", str(port)]
    typer.echo(f"http://{address}:{port}")
    # The pipe closes when this process ends, killed or not, and the server ends with it.
    with subprocess.Popen(  # noqa: S603
        [*command, *([str(study)] if study else [])], stdin=subprocess.PIPE, env=environment
    ) as server:
        raise typer.Exit(server.wait())


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read: {error}") from error
    if not lines or not lines[0].strip():
        raise InputError(f"The first line of '{path}' is empty: write the password there.")
    return lines[0].strip()
