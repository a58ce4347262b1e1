"""The manifest: what a set of outputs was made from, so that it can be made again and compared."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import InputError
from planner.hashes import content_hash, file_hash
from planner.scenario import scenario_to_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from planner.plan.stages import Plan

FORMAT = 1
_PACKAGES = ("geopandas", "shapely", "numpy", "pandas", "pyproj", "pyogrio", "numba", "scipy", "highspy")
_PARTS = {"inputs": list, "study": dict, "scenario": str, "tables": dict}
_INPUT_KEYS = {"kind", "file", "sha256", "options"}


def manifest(plan: Plan, tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the manifest of `plan`: inputs with their hashes, scenario, versions and the hash of every table."""
    history = plan.study.history
    return {
        "format": FORMAT,
        "planner": _version("practice-circle-planner"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "study": {"name": plan.study.name, "crs": plan.study.crs, "metadata": dict(plan.study.metadata)},
        "seed": plan.scenario.seed,
        "scenario": scenario_to_toml(plan.scenario),
        "inputs": [] if history is None else _imports_that_count(history),
        "tables": {name: content_hash(table) for name, table in sorted(tables.items())},
    }


def _imports_that_count(history: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the imports whose rows are still in the study: a later one replaces those of its kind, unless appended."""
    counted: list[dict[str, Any]] = []
    for entry in json.loads(history.to_json(orient="records", force_ascii=False)):
        if not json.loads(entry["options"] or "{}").get("append"):
            counted = [other for other in counted if _table_of(other) != _table_of(entry)]
        counted.append(entry)
    return counted


def _table_of(entry: Mapping[str, Any]) -> str:
    return "demand" if entry["kind"] == "population" else str(entry["kind"])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest that `manifest` wrote.

    Raises
    ------
    InputError
        When the file is missing or no manifest of this format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read as a manifest: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not _is_whole(content):
        raise InputError(f"'{path}' is no manifest of this version of the planner (format {FORMAT}).")
    return content


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Whether a manifest has every part that a replay reads."""
    if any(not isinstance(content.get(name), kind) for name, kind in _PARTS.items()):
        return False
    study = content["study"]
    return (
        all(isinstance(entry, dict) and entry.keys() >= _INPUT_KEYS for entry in content["inputs"])
        and all(isinstance(study.get(name), str) for name in ("name", "crs"))
        and isinstance(study.get("metadata"), dict)
    )


def find_inputs(content: Mapping[str, Any], folder: Path) -> list[Path]:
    """Return the path of each input of a manifest inside `folder`, in the manifest's order.

    Raises
    ------
    InputError
        Naming every input that is missing or whose bytes have changed.
    """
    paths, problems = [], []
    for entry in content["inputs"]:
        # The name only: a manifest from elsewhere never reaches outside the folder that the user named.
        name = Path(str(entry["file"])).name
        found = [folder / name, *sorted(path for path in folder.rglob("*") if path.name == name)]
        found = [path for path in found if path.is_file()]
        equal = [path for path in found if file_hash(path) == entry["sha256"]]
        paths += equal[:1]
        if not found:
            problems.append(f"{entry['file']}: not found in {folder}")
        elif not equal:
            problems.append(f"{entry['file']}: its content has changed (SHA-256 differs)")
    if problems:
        raise InputError("The inputs are not those of the manifest:\n" + "\n".join(problems))
    return paths
