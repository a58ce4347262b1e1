"""Files into a study, in order, and an export made again from its manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import InputError
from planner.hashes import content_hash
from planner.inputs.intake import ImportOptions, import_file
from planner.outputs.export import write_export
from planner.outputs.layers import result_tables
from planner.outputs.manifest import find_inputs, read_manifest
from planner.plan.stages import make_plan
from planner.progress import SILENT
from planner.scenario import scenario_from_toml
from planner.study import new_study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.progress import Progress
    from planner.study import Study
    from planner.texts import Language

Entry = tuple[str, "Path", ImportOptions]


def import_all(study: Study, entries: Sequence[Entry], progress: Progress = SILENT) -> Study:
    """Return the study with every file of `entries` (kind, path, options) taken in, in this order."""
    for done, (kind, path, options) in enumerate(entries):
        progress.update(done, len(entries), path.name)
        study = import_file(study, kind, path, options).study
    return study


def _options(made: dict[str, Any], inputs: Path) -> ImportOptions:
    """Return the options of an import; a second file is looked for by its name among the inputs."""
    if made.get("split_by") is not None:
        name = Path(str(made["split_by"])).name
        made["split_by"] = str(next((path for path in sorted(inputs.rglob("*")) if path.name == name), name))
    return ImportOptions(**made)


def replay_export(
    manifest: Path, inputs: Path, out: Path, language: Language = "zh", progress: Progress = SILENT
) -> dict[str, Any]:
    """Make the export of `manifest` again in the empty folder `out` from the files in `inputs`.

    Returns
    -------
    dict
        `tables`: one record a table: table, is_equal, expected, found (content hashes).

    Raises
    ------
    InputError
        When an input is missing or has changed (by name), or `out` is not empty.
    """
    content = read_manifest(manifest)
    if out.exists() and not out.is_dir():
        raise InputError(f"'{out}' is a file. Choose another folder.")
    if out.exists() and any(out.iterdir()):
        raise InputError(f"'{out}' is not empty. Choose another folder.")
    paths = find_inputs(content, inputs)
    try:
        entries = [
            (str(entry["kind"]), path, _options(json.loads(entry["options"]), inputs))
            for entry, path in zip(content["inputs"], paths, strict=True)
        ]
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise InputError(f"'{manifest}' holds options of an import that this version does not know: {error}") from error
    described = content["study"]
    study = new_study(described["name"], described["crs"]).with_metadata(**described["metadata"])
    plan = make_plan(import_all(study, entries, progress), scenario_from_toml(content["scenario"]), progress)
    write_export(plan, out, language)
    found = {name: content_hash(table) for name, table in result_tables(plan).items()}
    return {
        "tables": [
            {"table": name, "is_equal": found.get(name) == expected, "expected": expected, "found": found.get(name)}
            for name, expected in content["tables"].items()
        ]
    }
