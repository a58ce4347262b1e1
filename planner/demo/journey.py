"""The demo county from its files to its export, on the path that a user's own data take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.demo.county import WORKING_CRS
from planner.demo.files import demo_files, demo_folder
from planner.demo.spec import DemoSpec
from planner.errors import InputError
from planner.outputs.export import write_export
from planner.outputs.layers import result_tables
from planner.plan import make_plan
from planner.progress import SILENT
from planner.replay import import_all
from planner.scenario import Scenario
from planner.store import save_study
from planner.study import new_study
from planner.texts import Language, text

if TYPE_CHECKING:
    from pathlib import Path

    from planner.plan import Plan
    from planner.progress import Progress


def run_demo(out: Path, language: Language = "zh", progress: Progress = SILENT) -> tuple[Plan, Path]:
    """Write the demo county's files, study and export into `out`; return its plan and the study's path.

    `out/county.gpkg` is the study with its results, `out/export` what one hands in; where the files do not ship with
    the package, they are made in `out/files`.

    Raises
    ------
    InputError
        When `out` cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"'{out}' cannot be written: {error}") from error
    files = demo_folder(out / "files")
    path = out / "county.gpkg"
    path.unlink(missing_ok=True)
    study = new_study(DemoSpec().name, WORKING_CRS).with_metadata(
        is_synthetic=True,
        population_source=text("outputs.synthetic", language),
        road_source=text("outputs.synthetic", language),
    )
    study = import_all(study, demo_files(files), progress)
    plan = make_plan(study, Scenario(), progress)
    save_study(study.with_results(result_tables(plan)), path)
    write_export(plan, out / "export", language, progress)
    return plan, path
