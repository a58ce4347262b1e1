"""One folder with everything a planner hands in: workbook, map, layers, manifest."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from planner.coverage.checklist import rectification_list
from planner.outputs.layers import result_tables, write_geojson, write_layers
from planner.outputs.leader_html import write_leader_page
from planner.outputs.manifest import manifest
from planner.outputs.maps import write_map
from planner.outputs.wording import with_names
from planner.outputs.workbook import write_workbook
from planner.progress import SILENT
from planner.written import write_text, written_together

if TYPE_CHECKING:
    from pathlib import Path

    from planner.plan.stages import Plan
    from planner.progress import Progress
    from planner.texts import Language


def write_export(plan: Plan, folder: Path, language: Language = "zh", progress: Progress = SILENT) -> list[Path]:
    """Write the results of a plan into `folder`, which is made where it is missing; return the paths.

    Files: `results.gpkg` (layers), `*.geojson`, `results.xlsx`, `map.html`, `leader.html`
    (one page), `manifest.json`. The manifest comes last,
    so that a folder that has one is complete; where anything fails, the folder is as it was.

    Raises
    ------
    InputError
        When the folder cannot be written.
    """
    tables = result_tables(plan)
    spoken = {name: with_names(table, language) for name, table in tables.items()}
    if language != "zh":
        spoken["rectification"] = rectification_list(plan.study, plan.scenario.checklist, language)
    with (
        written_together(folder, last="manifest.json") as part,
        ThreadPoolExecutor(1) as beside,  # GDAL and GEOS let Python go on with the pages meanwhile
    ):
        layers = beside.submit(lambda: [write_layers(spoken, part / "results.gpkg"), *write_geojson(spoken, part)])
        progress.update(0, 4, "results.xlsx")
        paths = [write_workbook(plan, part / "results.xlsx", language)]
        progress.update(1, 4, "map.html")
        paths.append(write_map(plan, part / "map.html", language))
        paths.append(write_leader_page(plan, part / "leader.html", language))
        progress.update(2, 4, "results.gpkg")
        paths = [*layers.result(), *paths]
        progress.update(3, 4, "manifest.json")
        document = json.dumps(manifest(plan, tables), ensure_ascii=False, indent=1, allow_nan=False)
        paths.append(write_text(part / "manifest.json", document))
    progress.update(4, 4, "manifest.json")
    return [folder / path.name for path in paths]
