"""The demo county from its files to its export, on the path that a user's own data take."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.coverage.declared import Declared, declared_presets, reconcile, with_declaration
from planner.demo.county import WORKING_CRS
from planner.demo.files import demo_files, demo_folder
from planner.demo.networks import county_declarations, network_studies
from planner.demo.spec import DemoSpec
from planner.errors import InputError
from planner.outputs.export import write_export
from planner.outputs.layers import result_tables
from planner.outputs.reconciliation import write_reconciliation
from planner.plan.stages import make_plan
from planner.progress import SILENT
from planner.replay import import_all
from planner.scenario import Scenario
from planner.store import open_study, save_study
from planner.study import new_study
from planner.texts import Language, text

if TYPE_CHECKING:
    from pathlib import Path

    from planner.coverage.declared import Reconciliation
    from planner.plan.stages import Plan
    from planner.progress import Progress
    from planner.study import Study


def run_demo(out: Path, language: Language = "zh", progress: Progress = SILENT) -> tuple[Plan, Path]:
    """Write the demo county's files, study and export into `out`; return its plan and the study's path.

    `out/county.gpkg` is the study with its results, `out/export` what one hands in; where the files do not ship with
    the package, they are made in `out/files`.

    Raises
    ------
    InputError
        When `out` cannot be written, or holds a `county.gpkg` that is no demo study: it is never replaced.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"'{out}' cannot be written: {error}") from error
    files = demo_folder(out / "files")
    path = out / "county.gpkg"
    empty = new_study(DemoSpec().name, WORKING_CRS).with_metadata(
        is_synthetic=True,
        population_source=text("outputs.synthetic", language),
        road_source=text("outputs.synthetic", language),
    )
    study = _in_place_of(path, empty)
    study = with_declaration(import_all(study, demo_files(files), progress), _declaration(DemoSpec(), language))
    plan = make_plan(study, Scenario(), progress)
    with ThreadPoolExecutor(1) as beside:  # the study is written by GDAL while the export is made up
        saved = beside.submit(save_study, study.with_results(result_tables(plan)), path)
        write_export(plan, out / "export", language, progress)
        saved.result()
    return plan, path


def run_network(
    code: str, out: Path, language: Language = "zh", progress: Progress = SILENT, *, keep: bool = True
) -> tuple[Reconciliation, list[Path]]:
    """Write the synthetic studies of a declared network into `out`, one per county, and reconcile them.

    Files: `<code>.gpkg` or `<code>-01.gpkg` ..., and `reconciliation.xlsx`. With `keep`, a study keeps the figures that
    its county was drawn from, as declared of it.

    Raises
    ------
    InputError
        When no declared figures have that code, or `out` cannot be written.
    """
    presets = declared_presets()
    if code not in presets:
        raise InputError(f"There are no declared figures '{code}'; there are {', '.join(presets)}.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"'{out}' cannot be written: {error}") from error
    studies = network_studies(presets[code], language)
    said = [presets[code]] if len(studies) == 1 else county_declarations(presets[code], language)
    paths = []
    for number, study in enumerate(studies, start=1):
        progress.update(number - 1, len(studies), study.name)
        path = out / (f"{code}.gpkg" if len(studies) == 1 else f"{code}-{number:02d}.gpkg")
        kept = with_declaration(study, said[number - 1]) if keep else study
        save_study(_in_place_of(path, kept), path)
        paths.append(path)
    result = reconcile(studies, presets[code], Scenario())
    write_reconciliation(result, out / "reconciliation.xlsx", language)
    return result, paths


def _declaration(spec: DemoSpec, language: Language) -> Declared:
    """Return what the synthetic county declares of itself: the figures that it was drawn from."""
    stations = {"all": spec.n_stations_urban + spec.n_stations_rural, "urban": spec.n_stations_urban,
                "rural": spec.n_stations_rural}  # fmt: skip
    return Declared.model_validate({
        "code": "demo", "name": spec.name, "source": text("outputs.synthetic", language),
        "figures": {"centre": 1, "institute": spec.n_institutes, "station": stations, "point": spec.n_points},
        "relocated": {"people": spec.relocated_people, "households": spec.relocated_households},
    })  # fmt: skip


def _in_place_of(path: Path, study: Study) -> Study:
    """Return a synthetic study that may take the place of the same one in `path`, where there is one."""
    if not path.exists():
        return study
    old = open_study(path)
    if old.name != study.name or not old.metadata.get("is_synthetic"):
        raise InputError(f"'{path}' is the study of {old.name}, not the demo. Choose another folder: --out DIR.")
    return replace(study, revision=old.revision, save_id=old.save_id)
