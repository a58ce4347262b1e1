"""Files into the study: what each is taken for, and what would become of it; nothing is taken before a confirm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from planner.errors import FrameError, PlannerError
from planner.inputs.files import workbooks
from planner.inputs.frames.systems import frame_name, parse_frame
from planner.inputs.inspection import inspect_file
from planner.inputs.intake import KINDS, import_file
from planner.inputs.options import ImportOptions, is_osm_file
from planner.schema import CONTRACTS, COORDINATES
from planner.texts import text, translated
from planner.ui.acceptance import Staged, accept
from planner.ui.folder import MOST_FILES, keep_upload
from planner.ui.jobs import awaited, jobs
from planner.ui.words import escaped, in_app, plain, size, told

if TYPE_CHECKING:
    from planner.inputs.inspection import FileReport
    from planner.progress import Progress
    from planner.study import Study
    from planner.ui.state import AppState

# Boundaries first: they say where everything else may lie. Heights need areas and roads, tables need both.
ORDER = ("areas", "roads", "elevation", "barriers", "facilities", "demand", "population", "settlements", "candidates",
         "corridors")  # fmt: skip
SUFFIXES = ("xlsx", "xls", "csv", "tsv", "txt", "zip", "shp", "shx", "dbf", "prj", "cpg", "gpkg", "geojson", "json",
            "parquet", "geoparquet", "fgb", "kml", "kmz", "dxf", "pbf", "osm", "tif", "tiff", "hgt", "img", "asc",
            "mdb", "dwg")  # fmt: skip
"""What may be dropped in; the last two only to be told what to make of them."""
_PARTS = (".shx", ".dbf", ".prj", ".cpg")
_POPULATION = ("pop", "人口", "people")
_OTHER, _EVERY = "other", "*"
_FRAMES = ("EPSG:4490", "EPSG:4326", "gcj02", "bd09")
_ADDABLE = ("facilities", "candidates", "demand", "settlements", "areas", "barriers", "corridors")


@dataclass(frozen=True)
class Entry:
    """One file with how it is to be read."""

    path: Path
    kind: str
    options: ImportOptions


def panel(state: AppState) -> None:
    """Show the place to drop files, what each is taken for, and what an import made of them."""
    if state.staged is not None:
        accept(state, state.staged)
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
        report = _report(str(path), path.stat().st_mtime_ns, None, None)
        with st.container(border=True):
            name, kind_box, frame_box, way_box = st.columns([1.5, 1, 1.6, 1], vertical_alignment="bottom")
            name.html(f"<b>{escaped(path.name)}</b><br><small>{size(report.n_bytes)}</small>")
            guess, kinds = _kind(report, path.name), ["", *KINDS]
            kind = kind_box.selectbox(
                text("columns.kind", language), kinds, index=kinds.index(guess), key=f"kind {path.name}",
                format_func=lambda code: text(f"sheets.kind_{code}" if code else "ui_study.skip", language),
            )  # fmt: skip
            part = _part(state, path.name, report)
            if kind in CONTRACTS and kind != "roads" and (part is not None or kind != report.kind):
                report = _report(str(path), path.stat().st_mtime_ns, kind, part)
            with frame_box:
                frame = _frame(state, path.name, report)
            with way_box:
                way = _way(state, path.name, kind)
            if report.problem:
                st.warning(plain(in_app(translated(report.problem, language), language)))
            more = _more(state, path, kind)
            columns = _columns(state, path.name, kind, report) if kind in CONTRACTS and kind != "roads" else {}
    except PlannerError as error:
        words = told(error, language)
        st.error(plain(words if words.startswith(path.name) else f"{path.name}: {words}"))
        return None
    if not kind:
        return None
    options = ImportOptions(
        frame=frame, columns=columns, append=way == "append", update=way == "update", keep_rows=kind in CONTRACTS
    )
    return Entry(path, kind, replace(_read_part(options, report.format, part), **more))


def _part(state: AppState, file: str, report: FileReport) -> str | None:
    """Show which sheet or layer is meant where a file holds several; None = what fits."""
    if len(report.parts) < 2:  # noqa: PLR2004  one is no choice
        return None
    every = [_EVERY] if report.format in workbooks.SUFFIXES else []
    return st.selectbox(
        text("ui_study.part", state.language), [*report.parts, *every], index=None, key=f"part {file}",
        placeholder=text("ui_study.part_found", state.language),
        format_func=lambda name: text("ui_study.part_all", state.language) if name == _EVERY else name,
    )  # fmt: skip


def _read_part(options: ImportOptions, file_format: str, part: str | None) -> ImportOptions:
    return replace(options, sheet=part) if file_format in workbooks.SUFFIXES else replace(options, layer=part)


def _more(state: AppState, path: Path, kind: str) -> dict[str, Any]:
    """Show the choice that some kinds have besides; return the options that it sets."""
    if kind == "demand":
        is_split = st.checkbox(text("ui_study.is_split", state.language), key=f"split {path.name}")
        return {"split_by": "roads"} if is_split else {}
    if kind == "roads" and not is_osm_file(path.name):
        return {"is_noded": st.checkbox(text("ui_study.is_noded", state.language), key=f"noded {path.name}")}
    return {}


def _frame(state: AppState, file: str, report: FileReport) -> str | None:
    """Show in which frame the coordinates are; left blank, the file and the evidence decide, or the import asks."""
    language = state.language
    likely = [hypothesis.frame for hypothesis in report.frames]
    # Streamlit says "Add: ..." in English to what is typed into a pull-down: a field of its own takes other frames.
    found = st.selectbox(
        text("columns.frame", language), [*dict.fromkeys([*likely, *_FRAMES, state.study.crs]), _OTHER], index=None,
        placeholder=report.crs or text("ui_study.frame_found", language), key=f"frame {file}",
        format_func=lambda code: text("ui_study.frame_other", language) if code == _OTHER else _frame_words(code),
    )  # fmt: skip
    if found == _OTHER:
        found = st.text_input(
            text("ui_study.frame_named", language), help=text("ui_study.frame_help", language), key=f"named {file}",
            max_chars=2_000,
        ).strip()  # fmt: skip
    return found or None


def _frame_words(frame: str) -> str:
    try:
        return frame_name(parse_frame(frame))
    except PlannerError:
        return frame


def _way(state: AppState, file: str, kind: str) -> str:
    """Show whether the rows replace a table that is there, are added to it, or take the place of rows they know."""
    ways = ["replace"]
    if kind and state.study.has(kind):
        ways += ["append"] if kind == "roads" else ["append", "update"] if kind in _ADDABLE else []
    words = {way: text(f"ui_study.way_{way}", state.language) for way in ways}
    found: str = st.selectbox(
        text("ui_study.way", state.language), ways, format_func=words.__getitem__, key=f"way {file}",
        disabled=len(ways) == 1,
    )  # fmt: skip
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _report(path: str, changed_ns: int, kind: str | None, part: str | None) -> FileReport:
    file_format = Path(path).suffix.lower()
    return inspect_file(path, kind, _read_part(ImportOptions(), file_format, part))


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
        "examples": [str(column["examples"]) for column in report.columns],
    })  # fmt: skip
    with st.expander(text("ui_study.columns", language), expanded=bool(report.problem)):
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
        st.error(plain(told(error, state.language)))
        if isinstance(error, FrameError):
            st.caption(text("ui_study.frame_needed", state.language))
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
    results = []
    ordered = sorted(entries, key=lambda entry: ORDER.index(entry.kind))
    for done, entry in enumerate(ordered):
        progress.update(done, len(ordered), entry.path.name)
        result = import_file(study, entry.kind, entry.path, entry.options, progress=progress)
        study = result.study
        results.append((entry.kind, result))
    return Staged(study, tuple(results))
