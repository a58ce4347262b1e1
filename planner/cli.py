"""The command line: each command opens a study, calls one function of the library and prints what it returns."""

from __future__ import annotations

import json
import locale
import math
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from planner.errors import InputError, MissingExtraError, PlannerError
from planner.texts import Language, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from planner.plan import Plan, Reach
    from planner.progress import Progress
    from planner.scenario import Scenario
    from planner.study import Study

KINDS = "roads, facilities, candidates, demand, population, settlements, areas, elevation or barriers"
MAX_ROWS = 30

app = typer.Typer(
    name="planner",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="15-minute practice circles: who is within reach, where the gaps are, which places to open next.",
)

StudyPath = Annotated[Path, typer.Argument(help="Study file (.gpkg)", metavar="STUDY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document; everything else goes to stderr")]
ScenarioFile = Annotated[
    Path | None, typer.Option("--scenario", help="Scenario (TOML); default: the study's own, else the built-in one")
]
ProfileCodes = Annotated[
    list[str] | None, typer.Option("--profile", help="walk, elderly_walk, ebike, car or your own; may be repeated")
]
Cutoff = Annotated[float | None, typer.Option("--cutoff", help="Time limit in minutes")]
TierCodes = Annotated[
    list[str] | None, typer.Option("--tier", help="centre, institute, station, point, any or at_least:<tier>")
]


def language() -> Language:
    """Return the language of this terminal: PLANNER_LANG, else Chinese where the locale is, else English."""
    wanted = os.environ.get("PLANNER_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "zh" if (wanted or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def main() -> None:
    """Run the command line: exit code 0 done, 2 the user can mend it, 1 a defect of ours."""
    try:
        app()
    except PlannerError as error:
        typer.echo(text("cli.error", language(), message=error), err=True)
        raise SystemExit(2) from None
    except Exception as error:  # noqa: BLE001  the last line of defence: no traceback reaches a user
        _report_defect(error)


def _report_defect(error: Exception) -> NoReturn:
    with tempfile.NamedTemporaryFile("w", prefix="planner-", suffix=".log", delete=False, encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    typer.echo(text("cli.defect", language(), error=f"{type(error).__name__}: {error}", log=log.name), err=True)
    raise SystemExit(1)


class _Bars:
    """Shows long work as bars on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(console=Console(stderr=True), transient=True)
        self._task = self._bars.add_task("", total=1)

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def update(self, done: float, total: float, message: str = "") -> None:
        """Move the bar."""
        self._bars.update(self._task, completed=done, total=total, description=message)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(_finite(document), ensure_ascii=False, allow_nan=False, default=_plain))


def _finite(value: Any) -> Any:  # noqa: ANN401  any document
    """Return the document with null for every number that JSON cannot write, such as a share of nobody."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever json does not know
    return value.item() if hasattr(value, "item") else str(value)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    import numpy as np

    plain = table.drop(columns=["geometry"], errors="ignore")
    return [
        {
            str(k): None if v is None or (isinstance(v, float) and not np.isfinite(v)) else _number(v)
            for k, v in record.items()
        }
        for record in plain.to_dict("records")
    ]


def _number(value: Any) -> Any:  # noqa: ANN401  a cell holds anything
    import pandas as pd

    if value is pd.NA:
        return None
    return value.item() if hasattr(value, "item") else value


def _print_table(title: str, records: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    names = list(columns)
    for name in names:
        is_number = any(isinstance(record.get(name), (int, float)) for record in records)
        # Folded, never cut: a figure that ends in dots is no figure.
        table.add_column(text(f"columns.{name}", language()), justify="right" if is_number else "left", overflow="fold")
    for record in records:
        table.add_row(*(escape(_shown(name, record.get(name))) for name in names))
    # A pipe or a log has no width of its own: give it enough that no column is squeezed.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        if name.endswith("_share"):
            return f"{value:.1%}"
        return f"{value:,.0f}" if abs(value) >= 1_000 or float(value).is_integer() else f"{value:,.1f}"  # noqa: PLR2004
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _open(path: Path) -> Study:
    from planner.store import open_study

    return open_study(path)


def _scenario(study: Study, file: Path | None, **choices: Any) -> Scenario:  # noqa: ANN401  fields of Scenario
    from planner.scenario import scenario_from_toml, scenario_of

    if file is not None:
        try:
            scenario = scenario_from_toml(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"'{file}' cannot be read as a scenario: {error}") from error
    else:
        scenario = scenario_of(study.scenarios)
    return scenario.with_choices(**choices)


def _reach(study: Study, scenario: Scenario) -> Reach:
    from planner.plan import prepare

    with _Bars() as bars:
        return prepare(study, scenario, progress=bars)


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
        _print_json({"study": str(study), "name": saved.name, "crs": saved.crs, "revision": saved.revision})
    else:
        typer.echo(text("cli.created", language(), study=study))


@app.command(name="import")
def import_(
    study: StudyPath,
    kind: Annotated[str, typer.Argument(help=KINDS)],
    file: Annotated[Path, typer.Argument(help="The file, as it is")],
    frame: Annotated[str | None, typer.Option(help="Coordinate frame of the file, such as EPSG:4490")] = None,
    column: Annotated[list[str] | None, typer.Option(help="field=header, may be repeated")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of a GeoPackage")] = None,
    class_map: Annotated[Path | None, typer.Option(help="TOML: road class in the file = OSM highway value")] = None,
    append: Annotated[bool, typer.Option(help="Add to the rows that are there instead of replacing them")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a file into the study; what is refused or repaired is listed with its repair."""
    from planner.inputs.intake import ImportOptions, import_file, read_class_map
    from planner.store import open_study, save_study

    options = ImportOptions(
        frame=frame,
        columns=_pairs(column or []),
        sheet=sheet,
        layer=layer,
        class_mapping=read_class_map(class_map) if class_map else None,
        append=append,
    )
    with _Bars() as bars:
        result = import_file(open_study(study), kind, file, options, progress=bars)
        save_study(result.study, study)
    ledger = result.ledger
    if as_json:
        _print_json({
            "rows_in": ledger.rows_in,
            "rows_accepted": ledger.rows_accepted,
            "rows_refused": ledger.rows_refused,
            "ledger": ledger.to_records(language()),
            "summary": dict(result.summary),
        })  # fmt: skip
        return
    if ledger.rows:
        shown = ledger.to_records(language())[:MAX_ROWS]
        _print_table(text("cli.ledger", language()), shown, ("file", "row", "column", "problem", "repair"))
        if len(ledger.rows) > MAX_ROWS:
            typer.echo(text("cli.more_rows", language(), n=len(ledger.rows) - MAX_ROWS))
    typer.echo(
        text(
            "cli.imported",
            language(),
            file=file.name,
            rows_in=ledger.rows_in,
            accepted=ledger.rows_accepted,
            refused=ledger.rows_refused,
        )
    )


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for item in texts:
        field, equals, header = item.partition("=")
        if not equals or not field.strip() or not header.strip():
            raise InputError(f"'{item}' is no column mapping. Write field=header, such as --column name=站名.")
        pairs[field.strip()] = header.strip()
    return pairs


@app.command()
def template(
    kinds: Annotated[list[str] | None, typer.Argument(help="Tables; default: all")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the workbooks")] = Path("templates"),
) -> None:
    """Write blank workbooks with the right headers, notes and pull-down lists."""
    from planner.outputs.templates import write_templates

    for path in write_templates(out, kinds or None, language()):
        typer.echo(str(path))


@app.command()
def check(study: StudyPath, as_json: AsJson = False) -> None:
    """Count what the study holds and list what does not add up."""
    from planner.coverage.integrity import check_study

    opened = _open(study)
    report = check_study(opened, _scenario(opened, None))
    findings = report.to_frame(language())
    if as_json:
        document = {"facilities": _records(report.facilities), "totals": report.totals, "findings": _records(findings)}
        _print_json(document)
        return
    _print_table(text("cli.check", language()), _worded(report.facilities), ("tier", "class", "n_facilities"))
    totals = [{"item": name, "value": value} for name, value in report.totals.items()]
    _print_table(text("cli.totals", language()), totals, ("item", "value"))
    if len(findings):
        _print_table(text("cli.findings", language()), _records(findings), ("table", "problem", "repair"))
    else:
        typer.echo(text("cli.no_findings", language()))


@app.command()
def network(study: StudyPath, as_json: AsJson = False) -> None:
    """Describe the road network: nodes, edges, kilometres, pieces."""
    from planner.plan import describe_network

    description = describe_network(_open(study))
    if as_json:
        _print_json(description)
        return
    records = [
        {"item": text(f"cli.{key}", language()), "value": _shown(key, value)} for key, value in description.items()
    ]
    _print_table(text("cli.network", language()), records, ("item", "value"))


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
    from planner.plan import coverage_table, verdict_table

    opened = _open(study)
    reach = _reach(opened, _scenario(opened, scenario, profiles=profile, cutoff_min=cutoff))
    table = verdict_table(reach, coverage_table(reach, tiers=tier, groups=group, level=level))
    if as_json:
        _print_json({"results": [_with_area(record) for record in _records(table)]})
        return
    shown = table if level else table[table["area_level"] == "county"]
    columns = (
        "area_name", "area_class", "tier", "profile", "group", "population", "covered_people", "uncovered_people",
        "unknown_people", "covered_share", "own_share",
    )  # fmt: skip
    _print_table(_conditions(reach), _worded(shown), columns)


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
    from planner.plan import circle_table

    opened = _open(study)
    chosen = _scenario(opened, scenario, profiles=profile, cutoff_min=max(cutoff) if cutoff else None)
    with _Bars() as bars:
        table = circle_table(_reach(opened, chosen), cutoffs_min=cutoff, tiers=tier, progress=bars)
    document = to_geojson(table)
    if out is None or as_json:
        typer.echo(document)
    if out is not None:
        _write_text(out, document)


def _write_text(path: Path, document: str) -> None:
    try:
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error}") from error


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
    from planner.plan import gap_table

    opened = _open(study)
    chosen = _scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    reach = _reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    table = gap_table(reach)
    if as_json:
        _print_json({"results": _records(table)})
        return
    columns = ("rank", "name", "people", "nearest_median_min", "over_median_min", "cause")
    _print_table(_conditions(reach), _worded(table.head(MAX_ROWS)), columns)


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
    from planner.plan import settlement_audit

    opened = _open(study)
    chosen = _scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, settlement_tier=tier)
    reach = _reach(opened, chosen)
    audit = settlement_audit(reach)
    if as_json:
        nearest = {key: _records(rows) for key, rows in audit.nearest.groupby("settlement_id", sort=False)}
        results = [
            {**record, "nearest": [_without(row, "settlement_id") for row in nearest.get(record["settlement_id"], [])]}
            for record in _records(audit.table)
        ]
        _print_json({"results": results, "totals": _records(audit.totals)})
        return
    columns = ("name", "people", "size_class", "travel_time_min", "reason", "person_min_over")
    _print_table(_conditions(reach), _worded(audit.table.head(MAX_ROWS)), columns)


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
    from planner.plan import proposal_table

    opened = _open(study)
    chosen = _scenario(opened, scenario, n_new=n_new, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    reach = _reach(opened, chosen.with_choices(profiles=[chosen.main_profile]))
    with _Bars() as bars:
        table, proposals = proposal_table(reach, progress=bars)
    summary = proposals.summary()
    if as_json:
        _print_json(summary)
        return
    columns = ("rank", "candidate_id", "name", "marginal_people", "total_people", "towns", "settlements")
    _print_table(_conditions(reach), _worded(table), columns)
    typer.echo(proof_sentence(summary, language()))


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

    opened = _open(study)
    made = _make_plan(opened, _scenario(opened, scenario))
    saved = save_study(opened.with_results(result_tables(made)), study)
    if as_json:
        _print_json({"study": str(study), "revision": saved.revision, **headline(made)})
    else:
        _print_headline(made)


@app.command()
def export(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="Folder to write to")] = Path("export"),
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Write workbook, map, layers and manifest into a folder."""
    from planner.outputs.export import write_export

    opened = _open(study)
    made = _make_plan(opened, _scenario(opened, scenario))
    paths = write_export(made, out, language())
    if as_json:
        _print_json({"files": [str(path) for path in paths]})
    else:
        _print_headline(made)
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

    with _Bars() as bars:
        report = replay_export(manifest, inputs, out, language(), progress=bars)
    if as_json:
        _print_json(report)
    else:
        _print_table(text("cli.replayed", language()), report["tables"], ("table", "is_equal"))
    if not all(row["is_equal"] for row in report["tables"]):
        raise InputError(text("cli.replay_differs", language()))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to")] = Path("demo-out"),
    as_json: AsJson = False,
) -> None:
    """Take the synthetic demo county from its files to maps, gaps, proposals and a settlement check."""
    from planner.demo.journey import run_demo
    from planner.outputs.headline import headline

    with _Bars() as bars:
        made, study = run_demo(out, language(), progress=bars)
    if as_json:
        _print_json({"study": str(study), "export": str(out / "export"), **headline(made)})
    else:
        _print_headline(made)
        typer.echo(text("cli.demo_done", language(), study=study, export=out / "export"))


@app.command(name="app")
def app_(
    study: Annotated[Path | None, typer.Argument(help="Study file; default: the demo's", metavar="[STUDY]")] = None,
    port: Annotated[int, typer.Option(help="Port on this machine")] = 8501,
) -> None:
    """Open the browser app, on this machine only."""
    import importlib.util
    import subprocess

    if importlib.util.find_spec("streamlit") is None:
        raise MissingExtraError("streamlit", "app")
    script = Path(__file__).parent / "ui" / "main.py"
    command = [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.address", "localhost",
        "--server.port", str(port), "--browser.gatherUsageStats", "false", "--server.headless", "true",
        "--client.toolbarMode", "minimal",
    ]  # fmt: skip
    typer.echo(f"http://localhost:{port}")
    raise typer.Exit(subprocess.run([*command, "--", *([str(study)] if study else [])], check=False).returncode)  # noqa: S603


def _make_plan(study: Study, scenario: Scenario) -> Plan:
    from planner.plan import make_plan

    with _Bars() as bars:
        return make_plan(study, scenario, progress=bars)


def _conditions(reach: Reach) -> str:
    from planner.outputs.statement import conditions

    return conditions(reach.study, reach.scenario, reach.scenario.main_profile, language())


def _worded(table: pd.DataFrame) -> list[dict[str, Any]]:
    from planner.outputs.wording import in_words

    return _records(in_words(table, language()))


def _print_headline(made: Plan) -> None:
    from planner.outputs.headline import headline_rows
    from planner.outputs.statement import conditions

    _print_table(made.study.name, headline_rows(made, language()), ("item", "value"))
    typer.echo(conditions(made.study, made.scenario, made.scenario.main_profile, language()))
