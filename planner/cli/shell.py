"""What all commands share: the app, its options, and how a study is opened and an answer printed."""

from __future__ import annotations

import json
import locale
import math
import os
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from planner import __version__
from planner.errors import EntriesError, InputError, PlannerError
from planner.streams import keep_stdout_clean, leave_closed_pipe
from planner.texts import Language, error_words, text, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from planner.plan.ready import Reach
    from planner.plan.stages import Plan
    from planner.progress import Progress
    from planner.scenario import Scenario
    from planner.study import Study

AnyEntries = TypeVar("AnyEntries")
KINDS = "roads, facilities, candidates, demand, population, settlements, areas, elevation, barriers or corridors"
MAX_ROWS = 30

app = typer.Typer(
    name="planner",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001  Typer hands the flag over by position
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """15-minute practice circles: who is within reach, where the gaps are, which places to open next."""


StudyPath = Annotated[Path, typer.Argument(help="Study file (.gpkg)", metavar="STUDY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document; everything else goes to stderr")]
ScenarioFile = Annotated[
    Path | None, typer.Option("--scenario", help="Scenario (TOML); default: the study's own, else the built-in one")
]
ProfileCodes = Annotated[
    list[str] | None, typer.Option("--profile", help="walk, elderly_walk, ebike, car or your own; may be repeated")
]
Cutoff = Annotated[list[float] | None, typer.Option("--cutoff", help="Time limit in minutes")]
Cutoffs = Annotated[list[float] | None, typer.Option("--cutoff", help="Time limits in minutes, may be repeated")]
TierCodes = Annotated[
    list[str] | None, typer.Option("--tier", help="centre, institute, station, point, any or at_least:<tier>")
]


def language() -> Language:
    """Return the language of this terminal: PLANNER_LANG, else Chinese where the locale is, else English."""
    wanted = os.environ.get("PLANNER_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG")
    return "zh" if (wanted or locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def document_language() -> Language:
    """Return the language of what is handed in: Chinese, whatever the terminal, unless PLANNER_LANG says English."""
    return "en" if os.environ.get("PLANNER_LANG", "").lower().startswith("en") else "zh"


def main() -> None:
    """Run the command line: exit code 0 done, 2 the user can mend it, 1 a defect of ours."""
    keep_stdout_clean()
    try:
        _command(language())()
    except BrokenPipeError:  # whoever read our output has seen enough
        leave_closed_pipe()
        raise SystemExit(1) from None
    except PlannerError as error:
        typer.echo(text("cli.error", language(), message=error_words(error, language())), err=True)
        raise SystemExit(2) from None
    except Exception as error:  # noqa: BLE001  the last line of defence: no traceback reaches a user
        _report_defect(error)


@cache
def _command(tongue: Language) -> Any:  # noqa: ANN401  a group of commands
    """Return all commands, made once, with the help of each in a language."""
    command = typer.main.get_command(app)
    _translate_help(command, tongue)
    return command


def _translate_help(command: Any, tongue: Language) -> None:  # noqa: ANN401  a command or a group of them
    """Put the help of a command, of its options and of the commands below it into a language."""
    for part in (command, *command.params):
        if getattr(part, "help", None):
            part.help = translated(part.help, tongue)
    for each in getattr(command, "commands", {}).values():
        _translate_help(each, tongue)


def _report_defect(error: Exception) -> NoReturn:
    with tempfile.NamedTemporaryFile("w", prefix="planner-", suffix=".log", delete=False, encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    typer.echo(text("cli.defect", language(), error=f"{type(error).__name__}: {error}", log=log.name), err=True)
    raise SystemExit(1)


class Bars:
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


def print_json(document: object) -> None:
    """Print one JSON document on standard output."""
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


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as plain records without its geometry; what is not finite is None."""
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


def print_table(
    title: str,
    records: Sequence[Mapping[str, Any]],
    columns: Iterable[str],
    heads: Mapping[str, str] | None = None,
) -> None:
    """Print the given columns of `records` with their headers in words; `heads` has headers that are no fixed words."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    names = list(columns)
    for name in names:
        is_number = any(isinstance(record.get(name), (int, float)) for record in records)
        head = heads[name] if heads and name in heads else text(f"columns.{name}", language())
        # Folded, never cut: a figure that ends in dots is no figure.
        table.add_column(head, justify="right" if is_number else "left", overflow="fold")
    for record in records:
        table.add_row(*(escape(shown(name, record.get(name))) for name in names))
    # A pipe or a log has no width of its own: give it enough that no column is squeezed.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def shown(name: str, value: object) -> str:
    """Return a value of the column `name` as it is printed."""
    if value is None:
        return "-"
    if isinstance(value, float):
        if name.endswith("_share"):
            return f"{value:.1%}"
        if name.startswith("gini_"):
            return f"{value:.3f}"
        if 0 < abs(value) < 0.05:  # noqa: PLR2004  what one decimal would show as nothing: a cell in degrees
            return f"{value:.3g}"
        return f"{value:,.0f}" if abs(value) >= 1_000 or float(value).is_integer() else f"{value:,.1f}"  # noqa: PLR2004
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def opened_study(path: Path) -> Study:
    """Return the study in `path`; a file older than the checksums is told on standard error."""
    from planner.store import open_study

    study = open_study(path)
    if not study.save_id:
        typer.echo(text("cli.unsealed", language(), study=path), err=True)
    return study


def chosen_scenario(study: Study, file: Path | None, **choices: Any) -> Scenario:  # noqa: ANN401  fields of Scenario
    """Return the scenario of a file, else the study's own, with the choices of the command line.

    Raises
    ------
    InputError
        When several time limits are given where the answer is for one.
    """
    from planner.scenario import scenario_from_toml, scenario_of

    limits = choices.get("cutoff_min")
    if isinstance(limits, list):
        if len(limits) > 1:
            raise InputError(f"This command answers for one time limit, and was given {len(limits)}. Name one a run.")
        choices["cutoff_min"] = limits[0] if limits else None
    scenario = scenario_of(study.scenarios) if file is None else read_entries(file, scenario_from_toml)
    return scenario.with_choices(**choices)


def made_reach(study: Study, scenario: Scenario, *, needs_people: bool = True) -> Reach:
    """Return the study made ready for a scenario, with a bar on standard error."""
    from planner.plan.ready import prepare

    with Bars() as bars:
        return prepare(study, scenario, progress=bars, needs_people=needs_people)


def made_plan(study: Study, scenario: Scenario) -> Plan:
    """Return the whole plan, with a bar on standard error."""
    from planner.plan.stages import make_plan

    with Bars() as bars:
        return make_plan(study, scenario, progress=bars)


def conditions_of(reach: Reach) -> str:
    """Return the conditions under which the figures of `reach` hold."""
    from planner.outputs.statement import conditions

    return conditions(reach.study, reach.scenario, reach.scenario.main_profile, language())


def worded(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table as records with its codes in words."""
    from planner.outputs.wording import in_words

    return records_of(in_words(table, language()))


def print_headline(made: Plan) -> None:
    """Print the few figures of a plan that a leader asks for first."""
    from planner.outputs.headline import headline_rows
    from planner.outputs.statement import conditions

    print_table(made.study.name, headline_rows(made, language()), ("item", "value"))
    typer.echo(conditions(made.study, made.scenario, made.scenario.main_profile, language()))


def print_findings(findings: list[dict[str, Any]]) -> None:
    """Print what is wrong with its repair, or that nothing is."""
    if findings:
        print_table(text("cli.findings", language()), findings, ("problem", "repair"))
    else:
        typer.echo(text("cli.no_findings", language()))


def read_text(path: Path) -> str:
    """Return what a text file says, in UTF-8 or GBK; `InputError` where that is impossible."""
    from planner.inputs.files.encodings import decode

    try:
        return decode(path.read_bytes(), path.name)[0]
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error}") from error


def read_entries(path: Path, reader: Callable[[str], AnyEntries]) -> AnyEntries:
    """Return what `reader` makes of a file that people edit; what has to be mended is said with the file's name."""
    try:
        return reader(read_text(path))
    except EntriesError as error:
        raise error.of(str(path)) from error
