"""Files into the study: what each is taken for, what becomes of it, and nothing before a confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from planner.errors import PlannerError
from planner.inputs.inspection import inspect_file
from planner.inputs.intake import KINDS, import_file
from planner.inputs.options import ImportOptions
from planner.schema import CONTRACTS, COORDINATES
from planner.texts import text, translated
from planner.ui.folder import MOST_FILES, keep_upload
from planner.ui.jobs import awaited, jobs
from planner.ui.state import change
from planner.ui.tables import read_only
from planner.ui.words import escaped, plain

if TYPE_CHECKING:
    from pathlib import Path

    from planner.inputs.inspection import FileReport
    from planner.ledger import Ledger
    from planner.progress import Progress
    from planner.study import Study
    from planner.ui.state import AppState

# Boundaries first: they say where everything else may lie. Heights need areas and roads, tables need both.
ORDER = ("areas", "roads", "elevation", "barriers", "facilities", "demand", "population", "settlements", "candidates",
         "corridors")  # fmt: skip
SUFFIXES = ("xlsx", "xls", "csv", "tsv", "txt", "zip", "shp", "shx", "dbf", "prj", "cpg", "gpkg", "geojson", "json",
            "parquet", "pbf", "osm", "tif", "tiff", "hgt")  # fmt: skip
_PARTS = (".shx", ".dbf", ".prj", ".cpg")
_POPULATION = ("pop", "人口", "people")
_NOTHING = ""


@dataclass(frozen=True)
class Entry:
    """One file with how it is to be read."""

    path: Path
    kind: str
    options: ImportOptions


@dataclass(frozen=True)
class Staged:
    """An import that waits to be accepted: the study with it, and what was found in each file."""

    study: Study
    ledgers: tuple[tuple[str, str, Ledger], ...]


def panel(state: AppState) -> None:
    """Show the place to drop files, what each is taken for, and what an import made of them."""
    if state.staged is not None:
        _accept(state, state.staged)
        return
    language = state.language
    turn = st.session_state.setdefault("upload turn", 0)
    files = st.file_uploader(
        text("ui_study.drop", language), type=SUFFIXES, accept_multiple_files=True, key=f"upload {turn}"
    )
    if not files:
        return
    if len(files) > MOST_FILES:
        st.error(text("ui_study.too_many", language, n=MOST_FILES))
        return
    paths = [keep_upload(file.name, file.getvalue(), state.token) for file in files]
    stems = {path.stem for path in paths if path.suffix.lower() == ".shp"}
    whole = [path for path in paths if not (path.suffix.lower() in _PARTS and path.stem in stems)]
    entries = [entry for path in whole if (entry := _entry(state, path)) is not None]
    if entries and st.button(text("ui_study.import", language, n=len(entries)), type="primary"):
        st.session_state["import wanted"] = True
        jobs().drop(_key(state, entries))
    if st.session_state.get("import wanted") and entries:
        _run(state, entries)


def _entry(state: AppState, path: Path) -> Entry | None:
    """Show what a file is taken for, to be put right; None when it cannot be read or is left out."""
    language = state.language
    try:
        report = _report(str(path), path.stat().st_mtime_ns)
    except PlannerError as error:
        st.error(plain(f"{path.name}: {translated(str(error), language)}"))
        return None
    with st.container(border=True):
        name, kind_box, frame_box = st.columns([1.6, 1.2, 1.4], vertical_alignment="bottom")
        name.html(f"<b>{escaped(path.name)}</b><br><small>{report.n_bytes / 1e6:,.1f} MB</small>")
        guess = _kind(report, path.name)
        kinds = ["", *KINDS]
        kind = kind_box.selectbox(
            text("columns.kind", language), kinds, index=kinds.index(guess), key=f"kind {path.name}",
            format_func=lambda code: text(f"sheets.kind_{code}", language) if code else text("ui_study.skip", language),
        )  # fmt: skip
        likely = report.frames[0].frame if report.frames and report.crs is None else ""
        frame = frame_box.text_input(
            text("columns.frame", language), likely, placeholder=report.crs or text("ui_study.frame_found", language),
            key=f"frame {path.name}",
        )  # fmt: skip
        if report.frames and report.crs is None:
            evidence = "; ".join(str(one) for one in report.frames[0].evidence)
            st.caption(plain(text("ui_study.frame_evidence", language, share=report.frames[0].confidence,
                                  evidence=translated(evidence, language))))  # fmt: skip
        columns = _columns(state, path.name, kind, report) if kind in CONTRACTS and kind != "roads" else {}
        append = st.checkbox(
            text("ui_study.append", language), key=f"append {path.name}", disabled=not state.study.has(kind)
        )
    if not kind:
        return None
    is_table = kind in {"facilities", "candidates", "demand", "settlements"}
    options = ImportOptions(frame=frame.strip() or None, columns=columns, append=append and is_table)
    return Entry(path, kind, options)


@st.cache_data(max_entries=64, show_spinner=False)
def _report(path: str, changed_ns: int) -> FileReport:
    from pathlib import Path

    return inspect_file(Path(path))


def _kind(report: FileReport, name: str) -> str:
    """Return the kind that a file fits best; "" where nothing says so."""
    for kind in KINDS:
        if kind in name.lower():
            return kind
    if report.kind == "elevation, population":
        return "population" if any(word in name.lower() for word in _POPULATION) else "elevation"
    return report.kind if report.kind in KINDS else ""


def _columns(state: AppState, file: str, kind: str, report: FileReport) -> dict[str, str]:
    """Show which header means what; return the choices that differ from what was found."""
    language = state.language
    if not report.columns:
        return {}
    contract = CONTRACTS[kind]
    names = {column.name: column.zh if language == "zh" else column.en for column in (*contract.columns, *COORDINATES)}
    words = ["-", *names.values()]
    code_of = {word: code for code, word in names.items()}
    table = pd.DataFrame({
        "header": [str(column["header"]) for column in report.columns],
        "field": [names.get(str(column["field"]), "-") for column in report.columns],
        "examples": ["、".join(str(one) for one in list(column["examples"])[:3]) for column in report.columns],
    })  # fmt: skip
    with st.expander(text("ui_study.columns", language)):
        edited = st.data_editor(
            table, hide_index=True, width="stretch", disabled=["header", "examples"], key=f"columns {file} {kind}",
            column_config={
                "header": st.column_config.TextColumn(text("ui_study.header", language)),
                "field": st.column_config.SelectboxColumn(
                    text("ui_study.means", language), options=words, required=True
                ),
                "examples": st.column_config.TextColumn(text("ui_study.examples", language)),
            },
        )  # fmt: skip
    changed = edited["field"] != table["field"]
    return {code_of[row["field"]]: row["header"] for _, row in edited[changed].iterrows() if row["field"] in code_of}


def _key(state: AppState, entries: list[Entry]) -> tuple[object, ...]:
    files = tuple(
        (str(entry.path), entry.path.stat().st_mtime_ns, entry.kind, repr(entry.options)) for entry in entries
    )
    return ("import", state.held.key, *files)


def _run(state: AppState, entries: list[Entry]) -> None:
    study = state.study
    try:
        staged = awaited(
            _key(state, entries), lambda progress: stage(study, entries, progress), state.session, state.language
        )
    except PlannerError as error:
        st.session_state["import wanted"] = False
        st.error(plain(translated(str(error), state.language)))
        return
    if staged is not None:
        st.session_state["import wanted"] = False
        state.staged = staged
        st.rerun()


def stage(study: Study, entries: list[Entry], progress: Progress) -> Staged:
    """Return the study with every file taken in, in the order in which they need one another.

    Raises
    ------
    InputError
        Naming the file that cannot be used, and why.
    """
    ledgers = []
    ordered = sorted(entries, key=lambda entry: ORDER.index(entry.kind))
    for done, entry in enumerate(ordered):
        progress.update(done, len(ordered), entry.path.name)
        result = import_file(study, entry.kind, entry.path, entry.options, progress=progress)
        study = result.study
        ledgers.append((entry.path.name, entry.kind, result.ledger))
    return Staged(study, tuple(ledgers))


def _accept(state: AppState, staged: Staged) -> None:
    """Show what an import made of the files; only now, on a confirm, it goes into the study."""
    language = state.language
    rows = [
        {"file": file, "kind": kind, "rows_in": ledger.rows_in, "rows_accepted": ledger.rows_accepted,
         "rows_refused": ledger.rows_refused}
        for file, kind, ledger in staged.ledgers
    ]  # fmt: skip
    st.html(f'<div class="sentence">{escaped(text("ui_study.staged", language))}</div>')
    read_only(pd.DataFrame(rows), ("file", "kind", "rows_in", "rows_accepted", "rows_refused"), language)
    yes, no, _ = st.columns([1, 1, 2])
    if yes.button(text("ui_study.accept", language), type="primary", width="stretch"):
        state.staged = None
        change(state, "ui_study.did_import", staged.study)
        st.session_state["upload turn"] = st.session_state.get("upload turn", 0) + 1
        st.rerun()
    if no.button(text("ui_study.reject", language), width="stretch"):
        state.staged = None
        st.rerun()
    findings = pd.concat([ledger.to_frame(language) for _, _, ledger in staged.ledgers], ignore_index=True)
    if len(findings):
        columns = ("file", "row", "column", "problem", "repair", "old_value", "new_value")
        read_only(findings, columns, language, height=360)
