"""One file into a study: the door through which every import goes."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.crs import WGS84
from planner.errors import InputError, NoCoordinatesError
from planner.formats import RASTER
from planner.hashes import file_hash
from planner.inputs.files.archives import require_file
from planner.inputs.frames.to_study import county_outline
from planner.inputs.options import ImportOptions, is_osm_file
from planner.ledger import Ledger, LedgerRow, rows_of_table
from planner.progress import SILENT
from planner.schema import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from planner.inputs.columns.proposals import Proposal
    from planner.progress import Progress
    from planner.study import Study

__all__ = ["KINDS", "ImportOptions", "ImportResult", "import_file", "read_class_map"]

ALL_SHEETS = "*"
_TABLE_OF = {"population": "demand"}
KINDS = ("roads", "facilities", "candidates", "demand", "population", "settlements", "areas", "elevation", "barriers",
         "corridors")  # fmt: skip
HISTORY_COLUMNS = ("kind", "file", "sha256", "frame", "rows_in", "rows_accepted", "rows_refused", "imported_at",
                   "options", "frame_evidence")  # fmt: skip
_RASTER_SUFFIXES = tuple(RASTER)
_BARRIER_SOURCE = "barrier_source"
_ALIKE = 1.25  # times more or fewer people than were there before are told
# Findings about the frame itself, which stay with the import.
_FRAME_CODES = ("frame_found", "frame_of_web_map", "frame_doubtful", "frame_beijing54", "frame_xian80")
# Roads may be imported later and reach beyond what is known of the county.
_ELEVATION_MARGIN_M = 10_000.0


@dataclass(frozen=True)
class ImportResult:
    """What became of a file.

    Attributes
    ----------
    study : with the table or grid, a row more in its history, and the findings in its ledger.
    ledger : the findings of this import.
    summary : counts: `rows_in`, `rows_accepted`, `rows_refused`, `n_repaired` and what the reader counted.
    proposal : what a table was taken for: sheet, header, encoding, columns; None for roads and rasters.
    rows : the rows as they stood in the file, where `ImportOptions.keep_rows` asks for them.
    places : where those rows lie in the study's CRS, by file and row; rows without a readable place are left out.
    """

    study: Study
    ledger: Ledger
    summary: Mapping[str, Any]
    proposal: Proposal | None = None
    rows: pd.DataFrame | None = None
    places: gpd.GeoSeries | None = None


@dataclass(frozen=True)
class _Taken:
    """What a reader gave: the study with it, its findings and counts, the frame it was in."""

    study: Study
    ledger: Ledger
    counts: Mapping[str, Any]
    frame: str
    proposal: Proposal | None = None
    rows: pd.DataFrame | None = None
    places: gpd.GeoSeries | None = None
    sources: frozenset[tuple[str, int]] = frozenset()


def import_file(
    study: Study,
    kind: str,
    path: Path | str,
    options: ImportOptions | None = None,
    progress: Progress = SILENT,
    imported_at: dt.datetime | None = None,
) -> ImportResult:
    """Return the study with what a file holds, and the ledger of what was refused or repaired.

    An import replaces the table of its kind, and what the ledger said about it, unless `options.append` or
    `options.update`; the same file imported again gives the same table. Rows in = accepted + refused.

    Parameters
    ----------
    study : it is not changed.
    kind : one of `KINDS`; "population" makes the table `demand`.
    path : the file.
    options : frame, columns, sheet, layer and so on.
    progress : told between steps; may cancel.
    imported_at : for the history; now (UTC) when left out.

    Raises
    ------
    InputError
        When the kind is unknown or nothing in the file can be used: one message that says why and what to do.
    """
    if kind not in KINDS:
        raise InputError(f"'{kind}' is no kind of import. Kinds: {', '.join(KINDS)}.")
    path, options = Path(path), options or ImportOptions()
    if options.sheet == ALL_SHEETS:
        return _import_sheets(study, kind, path, options, progress)
    try:
        taken = _take(study, kind, path, options, progress)
    except NoCoordinatesError:
        by = _split_at_hand(study, options)
        if by is None:
            raise
        options = replace(options, split_by=by)
        taken = _take(study, kind, path, options, progress)
        note = LedgerRow(path.name, 0, "", f"split_chosen_{by}", {}, is_refused=False)
        taken = replace(taken, ledger=replace(taken.ledger, rows=(note, *taken.ledger.rows)))
    ledger = taken.ledger
    moment = (imported_at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    row = {
        "kind": kind,
        "file": path.name,
        "sha256": file_hash(Path(path)),
        "frame": taken.frame,
        "rows_in": ledger.rows_in,
        "rows_accepted": ledger.rows_accepted,
        "rows_refused": ledger.rows_refused,
        "imported_at": moment.isoformat(timespec="seconds"),
        "options": json.dumps(_recorded(options), ensure_ascii=False),
        "frame_evidence": " ".join(found.problem() for found in ledger.rows if found.code in _FRAME_CODES),
    }
    changed = replace(
        taken.study,
        history=_extended(study.history, pd.DataFrame([row], columns=list(HISTORY_COLUMNS))),
        ledger=_extended(_still_true(study.ledger, row, options, taken.sources), ledger_table(ledger, kind)),
    )
    summary = {
        "rows_in": ledger.rows_in,
        "rows_accepted": ledger.rows_accepted,
        "rows_refused": ledger.rows_refused,
        "n_repaired": sum(1 for finding in ledger.rows if not finding.is_refused and finding.row > 0),
        **taken.counts,
    }
    return ImportResult(changed, ledger, summary, taken.proposal, taken.rows, taken.places)


def _split_at_hand(study: Study, options: ImportOptions) -> str | None:
    """Return by what people of named areas can be split without another file, None where the study has no areas."""
    if options.append or options.update or not study.has("areas"):
        return None
    if not study.table("areas")["level"].isin(("town", "village")).any():
        return None
    return "roads" if study.has("roads") else "ground"


def _recorded(options: ImportOptions) -> dict[str, Any]:
    """Return the choices of an import that were made, with files by their name only."""
    made = {key: value for key, value in asdict(options).items() if value or (key == "cell_m" and value is not None)}
    if options.split_by is not None:
        made["split_by"] = Path(options.split_by).name
    return made


def _import_sheets(study: Study, kind: str, path: Path, options: ImportOptions, progress: Progress) -> ImportResult:
    """Take every sheet that holds the table, one after the other: the first replaces, the others are added."""
    from planner.inputs.files.sheets import qualifying_sheets
    from planner.inputs.files.workbooks import SUFFIXES

    if path.suffix.lower() not in SUFFIXES or kind not in CONTRACTS:
        raise InputError(f"{path.name} has no sheets to take together. Leave --sheet out.")
    require_file(path)
    results: list[ImportResult] = []
    for name in qualifying_sheets(path, CONTRACTS[_TABLE_OF.get(kind, kind)], options):
        is_added = bool(results) and not options.update
        chosen = replace(options, sheet=name, append=options.append or is_added)
        results.append(import_file(results[-1].study if results else study, kind, path, chosen, progress))
    if not results:
        raise InputError(f"{path.name} has no sheet with every column of {kind}. Name one with --sheet.")
    ledger, summary = Ledger(), dict.fromkeys(results[0].summary, 0)
    for result in results:
        ledger = ledger.merged(result.ledger)
        summary = {key: summary[key] + value for key, value in result.summary.items()}
    rows, places = ([getattr(result, name) for result in results] for name in ("rows", "places"))
    kept = (pd.concat(each) if each[0] is not None else None for each in (rows, places))
    return ImportResult(results[-1].study, ledger, summary, results[0].proposal, *kept)


def ledger_table(ledger: Ledger, kind: str) -> pd.DataFrame:
    """Return the findings as the study keeps them: in words, and as codes and values for any language."""
    table = ledger.to_frame()
    table["code"] = [finding.code for finding in ledger.rows]
    table["values"] = [json.dumps(dict(finding.values), ensure_ascii=False, default=str) for finding in ledger.rows]
    table["kind"] = kind
    return table


def read_class_map(path: Path | str) -> dict[str, str]:
    """Return the mapping of road classes in a TOML file: word in the road file -> class of the planner.

    The file says `word = "class"`, or `class = ["word", ...]` as the shipped `presets/road_classes.toml` does.

    Raises
    ------
    InputError
        When the file is missing or is no such table.
    """
    from planner.inputs.files.encodings import decode
    from planner.inputs.roads.lines import road_classes_from_toml

    path = Path(path)
    require_file(path)
    words = decode(path.read_bytes(), path.name)[0]
    try:
        pairs = tomllib.loads(words)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f'{path.name} cannot be read ({error}). Write: "县道" = "secondary"') from error
    if pairs and all(isinstance(value, str) for value in pairs.values()):
        return pairs
    return road_classes_from_toml(words)


def _take(study: Study, kind: str, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    """Read the file with the reader of its kind."""
    if options.split_by is not None:
        if kind != "demand":
            raise InputError("Only people are split: leave --split-by out, or import them as demand.")
        return _take_split(study, path, options, progress)
    is_raster = kind == "elevation" or (kind == "population" and _is_raster(path))
    is_osm = kind in ("roads", "barriers") and is_osm_file(path.name)
    if is_raster or is_osm:
        _refuse_choice(path, options)
    if kind == "elevation":
        return _take_elevation(study, path, options, progress)
    if kind == "barriers" and is_osm_file(path.name):
        return _take_osm_barriers(study, path, options, progress)
    if kind == "roads":
        return _take_roads(study, path, options, progress)
    if is_raster:
        return _take_population(study, path, options, progress)
    return _take_table(study, _TABLE_OF.get(kind, kind), path, options, progress)


def _refuse_choice(path: Path, options: ImportOptions) -> None:
    """Raise `InputError` when a sheet or layer is named for a raster or an OpenStreetMap file, which has neither.

    The rasters of an archive are its layers.
    """
    for option in ("sheet", "layer"):
        is_member = option == "layer" and path.suffix.lower() == ".zip"
        if getattr(options, option) is not None and not is_member:
            raise InputError(f"{path.name} has no {option}s to choose from. Leave --{option} out.")


def _take_table(study: Study, name: str, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    from planner.inputs.tables import original_places, original_rows, read_table

    read = read_table(study, CONTRACTS[name], path, options, progress)
    changed = _with_table(study, name, read.table, options)
    ledger = _with_known_places(read.ledger, changed, path.name) if name == "candidates" else read.ledger
    if name == "demand":
        changed = _with_people(changed, changed.table("demand"), path)
    if name == "barriers":
        changed = changed.with_metadata(**{_BARRIER_SOURCE: "file"})
    rows = original_rows(read.records, read.ids, CONTRACTS[name]) if options.keep_rows else None
    places = original_places(read, study.crs) if options.keep_rows else None
    return _Taken(changed, ledger, read.counts, read.frame, read.proposal, rows, places, read.sources)


def _take_split(study: Study, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    """Take the people of towns and villages, put where people live; how is kept in the study's metadata."""
    from planner.inputs.people.dasymetric import CELL_M, read_split

    if options.append or options.update:
        raise InputError("People of towns and villages cannot be appended: they would be counted twice.")
    split = read_split(study, path, options, progress)
    by = Path(str(options.split_by))
    how = {
        "by": by.name,
        "sha256": file_hash(by) if by.is_file() else "",
        "cell_m": CELL_M if options.cell_m is None else options.cell_m,
        "units": split.units.to_dict("records"),
    }
    changed = _with_people(study, split.demand, path).with_metadata(population_split=how)
    counts = {
        "people": int(split.demand["population"].sum()),
        "n_points": len(split.demand),
        "people_moved": int(split.units["people_moved"].sum()),
    }
    return _Taken(changed, split.ledger, counts, options.frame or "")


def _with_known_places(ledger: Ledger, study: Study, file: str) -> Ledger:
    """Return the ledger with a remark on the candidates that look like places which the study has already."""
    if not study.has("facilities"):
        return ledger
    from planner.coverage.duplicates import find_duplicates

    pairs = find_duplicates(study)
    pairs = pairs[pairs["table"] != pairs["other_table"]]
    if not len(pairs):
        return ledger
    first = pairs.iloc[0]
    values = {"n": pairs["other_id"].nunique(), "name": first["other_name"], "place": first["name"]}
    remark = LedgerRow(file, 0, "", "candidates_like_places", values, is_refused=False)
    return replace(ledger, rows=(remark, *ledger.rows))


def _take_roads(study: Study, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    """Take roads; rivers, railways and motorways of the same file become barriers unless the user brought barriers."""
    if options.update:
        raise InputError("Roads have no ids to update by. Lay them over what is there with --append.")
    if is_osm_file(path.name):
        from planner.inputs.roads.osm import read_osm

        read, frame = read_osm(path, study.crs, progress), WGS84
    else:
        from planner.inputs.roads.lines import read_road_lines

        read, frame = read_road_lines(path, study.crs, options, progress), options.frame or ""
    missing, source = {path.name: int(read.counts.get("n_missing_nodes", 0))}, path.name
    roads, counts, ledger = read.roads, {**read.counts, "classes": list(read.classes)}, read.ledger
    is_merged = options.append and study.has("roads")
    if is_merged:
        roads, more = _merged_roads(study, read.roads, path.name)
        counts, ledger = {**counts, **more.counts}, ledger.merged(more.ledger)
        missing = {**study.metadata.get("missing_nodes_by_file", {}), **missing}
        source = " + ".join([str(study.metadata.get("road_source", "")), path.name])
    changed = study.with_table("roads", roads).with_metadata(
        road_source=source, n_missing_nodes=sum(missing.values()), missing_nodes_by_file=missing
    )
    # What is laid over other roads adds its motorways; rivers and railways of the layer below stay.
    if not is_merged and (not study.has("barriers") or study.metadata.get(_BARRIER_SOURCE) == "roads"):
        changed = changed.with_table("barriers", read.barriers).with_metadata(**{_BARRIER_SOURCE: "roads"})
    return _Taken(changed, ledger, counts, frame)


@dataclass(frozen=True)
class _Merging:
    """What laying one road layer over another did."""

    counts: Mapping[str, Any]
    ledger: Ledger


def _merged_roads(study: Study, over: gpd.GeoDataFrame, file: str) -> tuple[gpd.GeoDataFrame, _Merging]:
    """Return the study's roads with those of a file laid over them, and what was left out and joined."""
    from planner.inputs.roads.merging import merge_roads
    from planner.ledger import Ledger, LedgerRow

    merged = merge_roads(over, study.table("roads"))
    note = LedgerRow(file, 0, "", "roads_merged", dict(merged.counts), is_refused=False)
    return merged.roads, _Merging(
        {f"merged_{key}": value for key, value in merged.counts.items()}, Ledger(rows=(note,))
    )


def _take_osm_barriers(study: Study, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    """Take the rivers, railways, water and motorways of an OpenStreetMap file as barriers, and none of its roads."""
    from planner.inputs.roads.osm import read_osm
    from planner.ledger import Ledger

    read = read_osm(path, study.crs, progress)
    # Ids of the file's own, so that the barriers of another file are not taken for these.
    barriers = read.barriers.assign(barrier_id=[f"{path.stem}-{i}" for i in range(1, len(read.barriers) + 1)])
    changed = _with_table(study, "barriers", barriers, options).with_metadata(**{_BARRIER_SOURCE: "file"})
    return _Taken(changed, Ledger(rows_in=len(read.barriers)), {}, WGS84)


def _take_elevation(study: Study, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    from planner.inputs.elevation import elevation_ledger, read_elevation

    # Roads and areas that come later may reach beyond those that are here.
    is_partial = not (study.has("areas") and study.has("roads"))
    grid, counts = read_elevation(
        path, _extent(study), study.crs, options.frame, progress, is_partial=is_partial, layer=options.layer
    )
    return _Taken(study.with_grid("elevation", grid), elevation_ledger(path.name, counts), counts, grid.crs)


def _take_population(study: Study, path: Path, options: ImportOptions, progress: Progress) -> _Taken:
    from planner.inputs.people.population import WHOLE_SHARE, population_ledger, raster_frame, read_population

    demand, counts = read_population(
        path, study.crs, county_outline(study), options.frame, progress, options.cell_m or 0.0, options.layer
    )
    if (options.append or options.update) and study.has("demand"):
        raise InputError("A population raster replaces the demand points: appended, people would be counted twice.")
    ledger = population_ledger(path.name, counts)
    before = float(study.table("demand")["population"].sum()) if study.has("demand") else 0.0
    if before and not 1 / _ALIKE <= counts["people"] / before <= _ALIKE:
        figures = {"before": f"{before:,.0f}", "people": f"{counts['people']:,.0f}"}
        note = LedgerRow(path.name, 0, "", "people_differ", figures, is_refused=False)
        ledger = replace(ledger, rows=(*ledger.rows, note))
    changed = _with_people(
        study, demand, path, counts["covers_share"] if counts["covers_share"] < WHOLE_SHARE else None
    )
    return _Taken(changed, ledger, counts, raster_frame(path, options.frame, options.layer))


def _with_people(study: Study, demand: gpd.GeoDataFrame, path: Path, covers_share: float | None = None) -> Study:
    """Return the study with its people, their source, and which share of the county that covers where it is not all."""
    return study.with_table("demand", demand).with_metadata(
        population_source=path.name, population_covers_share=covers_share
    )


def _extent(study: Study) -> tuple[float, float, float, float] | None:
    """Return the box in which heights are needed, None where nothing is known yet."""
    known = [study.table(name).total_bounds for name in ("areas", "roads") if study.has(name)]
    if not known:
        return None
    west, south = (min(bounds[i] for bounds in known) - _ELEVATION_MARGIN_M for i in (0, 1))
    east, north = (max(bounds[i] for bounds in known) + _ELEVATION_MARGIN_M for i in (2, 3))
    return (west, south, east, north)


def _is_raster(path: Path) -> bool:
    """Whether the file, or what its zip holds, is a raster."""
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return path.suffix.lower() in _RASTER_SUFFIXES
    with zipfile.ZipFile(path) as archive:
        return any(name.lower().endswith(_RASTER_SUFFIXES) for name in archive.namelist())


def _with_table(study: Study, name: str, table: gpd.GeoDataFrame, options: ImportOptions) -> Study:
    if (options.append or options.update) and study.has(name):
        id_column = CONTRACTS[name].id_column
        before = study.table(name)
        # Nothing is in both when rows are appended: such a row was refused.
        kept = before[~before[id_column].isin(table[id_column])]
        table = pd.concat([kept, table], ignore_index=True)
    return study.with_table(name, table)


def _still_true(
    before: pd.DataFrame | None, row: Mapping[str, Any], options: ImportOptions, sources: frozenset[tuple[str, int]]
) -> pd.DataFrame | None:
    """Return the findings without those that an import settles: about rows that it replaces, or corrected copies of.

    Parameters
    ----------
    before : the study's ledger.
    row : of the history, about this import.
    options : whether it replaces the table, or adds to it.
    sources : file and row of the records that it brings corrected copies of.
    """
    if before is None or not len(before):
        return before
    tables = before["kind"].map(lambda one: _TABLE_OF.get(one, one))
    is_settled = tables == _TABLE_OF.get(row["kind"], row["kind"])
    if options.append or options.update:
        again = {row["file"]} if options.update else set()
        files = {file for file, _ in sources}
        is_same_file = before["file"].str.split(" [", regex=False).str[0].isin(again)
        is_copied = [(file, n) in sources or (n == 0 and file in files)
                     for file, n in zip(before["file"], before["row"], strict=True)]  # fmt: skip
        is_settled &= is_same_file | np.array(is_copied, dtype=bool)
    return before[~is_settled].reset_index(drop=True)


def _extended(before: pd.DataFrame | None, more: pd.DataFrame) -> pd.DataFrame:
    if before is None or not len(before):
        return more
    return pd.concat([before, more], ignore_index=True) if len(more) else before


def study_ledger(study: Study, kind: str | None = None) -> Ledger:
    """Return the findings that a study keeps, of all its imports or of one kind, with the balance of their rows.

    Raises
    ------
    InputError
        When there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f"'{kind}' is no kind of import. Kinds: {', '.join(KINDS)}.")
    history, table = study.history, study.ledger
    if kind is not None:
        history = None if history is None else history[history["kind"] == kind]
        table = None if table is None else table[table["kind"] == kind]
    last = None if history is None else history.drop_duplicates(["kind", "file"], keep="last")
    rows_in, refused = (0, 0) if last is None else (int(last[name].sum()) for name in ("rows_in", "rows_refused"))
    return Ledger(rows_in, refused, () if table is None or not len(table) else rows_of_table(table))
