"""The command line: each command opens a study, calls one function of the library and prints what it returns."""

from __future__ import annotations

import json
import locale
import os
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from planner.errors import PlannerError
from planner.texts import Language, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from planner.progress import Progress

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
    typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False, default=_plain))


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
        table.add_column(text(f"cli.{name}", language()), justify="right" if is_number else "left")
    for record in records:
        table.add_row(*(escape(_shown(name, record.get(name))) for name in names))
    Console().print(table)


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        if name.endswith("_share"):
            return f"{value:.1%}"
        return f"{value:,.0f}" if abs(value) >= 1_000 or float(value).is_integer() else f"{value:,.1f}"  # noqa: PLR2004
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
