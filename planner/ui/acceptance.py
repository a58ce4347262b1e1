"""What an import made of files, on a map and as a list, to be accepted or discarded; and what goes back for mending."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pandas as pd
import streamlit as st

from planner.outputs.corrections import write_corrections
from planner.texts import text
from planner.ui import answers, layers
from planner.ui.degrees import degrees
from planner.ui.folder import drop_uploads
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.state import change
from planner.ui.tables import read_only, show_table
from planner.ui.words import escaped, in_app, plain

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from planner.inputs.intake import ImportResult
    from planner.ledger import Ledger
    from planner.study import Study
    from planner.ui.state import AppState

REFUSED_COLOUR, REPAIRED_COLOUR = "#D55E00", "#F0E442"
MAP_HEIGHT = 330
_MOST_ON_MAP = 2_000
_AROUND_DEG = 0.01
_COLUMNS = ("file", "row", "column", "problem", "repair", "old_value", "new_value")


@dataclass(frozen=True)
class Staged:
    """An import that waits to be accepted.

    Attributes
    ----------
    study : with every file taken in.
    results : of each file, with its kind.
    key : names it.
    """

    study: Study
    results: tuple[tuple[str, ImportResult], ...]
    key: str = field(default_factory=lambda: uuid4().hex)


def accept(state: AppState, staged: Staged) -> None:
    """Show what an import made of the files; only now, on a confirm, it goes into the study."""
    language = state.language
    last = staged.study.history
    files = [] if last is None else last["file"].tail(len(staged.results)).tolist()
    rows = [
        {"file": file, "kind": kind, "rows_in": result.ledger.rows_in, "rows_accepted": result.ledger.rows_accepted,
         "rows_refused": result.ledger.rows_refused}
        for file, (kind, result) in zip(files, staged.results, strict=True)
    ]  # fmt: skip
    st.html(f'<div class="sentence">{escaped(text("ui_study.staged", language))}</div>')
    read_only(pd.DataFrame(rows), ("file", "kind", "rows_in", "rows_accepted", "rows_refused"), language)
    yes, no, _ = st.columns([1, 1, 2])
    if yes.button(text("ui_study.accept", language), type="primary", width="stretch"):
        change(state, "ui_study.did_import", staged.study)
        _leave(state)
    if no.button(text("ui_study.reject", language), width="stretch"):
        _leave(state)
    _findings(state, staged)
    for file, (_, result) in zip(files, staged.results, strict=True):
        if result.rows is not None and any(finding.row for finding in result.ledger.rows):
            corrections_button(file, result.ledger, result.rows, state)


def _leave(state: AppState) -> None:
    state.staged = None
    st.session_state["upload turn"] = st.session_state.get("upload turn", 0) + 1
    drop_uploads(state.token)
    st.rerun()


def corrections_button(file: str, ledger: Ledger, rows: pd.DataFrame | None, state: AppState) -> None:
    """Offer the workbook that goes back for mending; it is written when it is asked for."""

    def content() -> bytes:
        with tempfile.TemporaryDirectory(prefix="planner-corrections-") as folder:
            return write_corrections(Path(folder) / "corrections.xlsx", ledger, rows).read_bytes()

    st.download_button(
        plain(text("ui_study.corrections", state.language, file=file)), content, key=f"corrections {file}",
        file_name=f"{Path(file).stem}-corrections.xlsx", help=text("ui_study.corrections_help", state.language),
    )  # fmt: skip


def _findings(state: AppState, staged: Staged) -> None:
    """Show the findings on a map and in a list; a row chosen in one is marked in the other."""
    language = state.language
    table = pd.concat([result.ledger.to_frame(language) for _, result in staged.results], ignore_index=True)
    table["repair"] = [in_app(words, language) for words in table["repair"]]
    if table.empty:
        st.success(text("ui_study.ledger_empty", language))
        return
    places = pd.concat([pd.Series(dtype=object), *(result.places for _, result in staged.results
                                                   if result.places is not None)])  # fmt: skip
    known = {key: shape for key, shape in places.items() if shape is not None}
    where = [known.get(key) for key in zip(table["file"], table["row"], strict=True)]
    chosen = state.chosen_finding if state.chosen_finding is not None and state.chosen_finding < len(table) else None
    if any(shape is not None for shape in where):
        clicked = _map(state, staged, table, where)
        if clicked is not None:
            state.chosen_finding = clicked
            st.rerun()
    picked = show_table(table, _COLUMNS, language, key="staged", height=min(260, 40 + 36 * len(table)),
                        chosen=chosen)  # fmt: skip
    if picked is not None and picked != chosen:
        state.chosen_finding = picked
        st.rerun()


def _map(state: AppState, staged: Staged, table: pd.DataFrame, where: list[BaseGeometry | None]) -> int | None:
    """Show the rows with a finding where they lie; return the position of one that was clicked."""
    import geopandas as gpd

    language, study = state.language, staged.study
    rows = [row for row, shape in enumerate(where) if shape is not None][:_MOST_ON_MAP]
    shapes = degrees(gpd.GeoSeries([where[row] for row in rows], crs=study.crs))
    features = [
        layers.feature(
            shape, id=str(row), title=f"{table['file'].iloc[row]} {table['row'].iloc[row]}",
            fill=REFUSED_COLOUR if table["is_refused"].iloc[row] else REPAIRED_COLOUR,
            rows=[[text(f"columns.{name}", language), str(table[name].iloc[row])] for name in ("problem", "repair")],
        )
        for row, shape in zip(rows, shapes, strict=True)
    ]  # fmt: skip
    refused, repaired = (text(f"ui_study.{name}", language) for name in ("rows_refused", "rows_repaired"))
    shown = [
        *layers.basemap(study, staged.key, tiles(), language),
        {"id": "findings", "kind": "vector", "clickable": True, "color": "#222222", "weight": 1.4, "radius": 6,
         "ref": layers.geojson(features)},
    ]  # fmt: skip
    focus = selected = None
    if state.chosen_finding in rows:
        point = shapes[rows.index(state.chosen_finding)]
        selected = ("findings", str(state.chosen_finding))
        focus = ((point.y - _AROUND_DEG, point.x - _AROUND_DEG), (point.y + _AROUND_DEG, point.x + _AROUND_DEG))
    west, south, east, north = answers.bounds_of(study)
    legend = [("round", REFUSED_COLOUR, refused), ("round", REPAIRED_COLOUR, repaired)]
    view = MapView(shown, legend, ((south, west), (north, east)), study.name, focus=focus, selected=selected)
    click = show_map(view, key="staged", height=MAP_HEIGHT, label=text("ui.map_label", language),
                     legend_title=text("outputs.legend", language))  # fmt: skip
    if state.is_new("staged", click) and click is not None and click.layer == "findings" and click.id is not None:
        return int(click.id)
    return None
