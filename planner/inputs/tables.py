"""Tables of places, people and areas: any supported file to the contract's columns in the study's CRS."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from planner.errors import InputError, NoCoordinatesError
from planner.inputs.columns.cells import choice_key
from planner.inputs.columns.checks import checked_columns, people_counts, require_usable
from planner.inputs.columns.headers import fields, listing, require_choices, require_columns
from planner.inputs.columns.meanings import note_meanings
from planner.inputs.columns.pairs import with_pairs_apart
from planner.inputs.columns.proposals import propose
from planner.inputs.columns.tier_words import settle_tiers, with_tiers_said
from planner.inputs.files import layers, sheets
from planner.inputs.files.archives import choose, folder_files, require_file, unpacked
from planner.inputs.frames.choice import choose_frame, fitting_words
from planner.inputs.frames.origins import place_origins
from planner.inputs.frames.systems import convert
from planner.inputs.frames.to_study import centres, has_vertex, is_nowhere, points_of, study_region, to_study
from planner.inputs.limits import MAX_TANGLED_VERTICES
from planner.inputs.records import Findings, is_blank, with_file
from planner.ledger import RETURN_HEADERS, marked_source
from planner.progress import SILENT
from planner.scenario import scenario_of
from planner.schema import COORDINATES, LEVELS, WAY_UNSTATED
from planner.texts import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from planner.inputs.columns.proposals import Proposal
    from planner.inputs.options import ImportOptions
    from planner.inputs.records import Records
    from planner.ledger import Ledger
    from planner.progress import Progress
    from planner.schema import TableContract
    from planner.study import Study
    from planner.texts import Language

    Shapes = np.ndarray

SUFFIXES = (*sheets.SUFFIXES, *layers.SUFFIXES, ".zip", ".kmz")
# A .txt in an archive is a note about the data beside it; a .dbf or .tab is a part of a layer or a layer of its own.
_ZIPPED_SUFFIXES = (".csv", ".tsv", ".xlsx", ".xls", *layers.SUFFIXES)
_CONVERT = {
    ".ods": "Open it in a spreadsheet and save it as .xlsx.",
    ".numbers": "Export it as .xlsx.",
    ".mdb": "Export the table from Access as .xlsx or .csv, or a layer from ArcGIS as a shapefile.",
    ".accdb": "Export the table from Access as .xlsx or .csv.",
    ".dwg": "Save the drawing in CAD as .dxf, or export it as a shapefile with its coordinate system.",
    ".rar": "Unpack it and make a .zip, or name the file inside.",
    ".7z": "Unpack it and make a .zip, or name the file inside.",
}
_POINT, _POLYGON, _POLYGONS = 0, 3, 6
_LEVEL_WORDS = frozenset(choice_key(word) for code, words in LEVELS for word in (code, *words))
# Tables whose rows must lie in the county; boundaries and barriers may reach beyond it.
_BOUND_TO_COUNTY = ("facilities", "candidates", "demand", "settlements")


@dataclass(frozen=True)
class TableRead:
    """A table as it goes into the study.

    Attributes
    ----------
    table : every column of the contract and `geometry`, in the study's CRS; one row per accepted record.
    ledger : what was refused and repaired.
    frame : CRS of the file's coordinates.
    proposal : what the file was taken for.
    counts : people in, accepted and refused, for tables that count people.
    records : the rows as they stood in the file.
    ids : of every record, refused ones included.
    sources : file and row that the records of a workbook of corrections are copies of.
    """

    table: gpd.GeoDataFrame
    ledger: Ledger
    frame: str
    proposal: Proposal
    counts: Mapping[str, float]
    records: Records
    ids: np.ndarray
    sources: frozenset[tuple[str, int]] = frozenset()


def read_table(
    study: Study, contract: TableContract, path: Path, options: ImportOptions, progress: Progress = SILENT
) -> TableRead:
    """Return the table of one file, with everything that was wrong with it.

    Parameters
    ----------
    study : gives the CRS, the county's boundary and, when appending, the ids that are taken.
    contract : of the table.
    path : a file with one of `SUFFIXES`.
    options : frame, columns, sheet, layer.

    Raises
    ------
    InputError
        When nothing in the file can be used: the message says why and what to do.
    """
    progress.update(0, 4, "reading")
    records = read_records(path, contract, options, progress)
    require_choices(records.headers, contract, options.columns, records.file)
    proposal = propose(records, contract, options.columns)
    found = proposal.found
    require_columns(found, records.headers, contract, records.file)
    findings = Findings(records.file, records.row)
    findings.add(records.findings)
    note_matches(proposal, findings)
    progress.update(1, 4, "checking")
    is_added = (options.append or options.update) and study.has(contract.name)
    taken = set(study.table(contract.name)[contract.id_column]) if is_added else ()
    columns = checked_columns(records, found, contract, findings, taken, is_update=options.update)
    _refuse_areas(records, found, columns, findings)
    if contract.name == "candidates":
        _note_unstated_ways(columns, findings)
    if contract.name == "facilities":
        headers = {name: records.headers[position] for name, position in found.items()}
        settle_tiers(columns, scenario_of(study.scenarios), headers["tier"], findings)
        note_meanings(study, columns, headers, findings, is_added=is_added)
    progress.update(2, 4, "placing")
    geometry, frame = _placed(study, contract, records, found, findings, options.frame)
    require_usable(findings, contract, _frame_hint(findings, records, found, study))
    columns = place_origins(columns, frame, study_region(study, use_county=False), findings)
    kept = ~findings.refused
    table = gpd.GeoDataFrame(columns[kept].reset_index(drop=True), geometry=geometry[kept], crs=study.crs)
    progress.update(4, 4, "done")
    counts = people_counts(columns, contract, findings)
    ids = columns[contract.id_column].to_numpy(dtype=object)
    return TableRead(table, findings.ledger(), frame, proposal, counts, records, ids, _sources(records))


def read_records(path: Path, contract: TableContract, options: ImportOptions, progress: Progress = SILENT) -> Records:
    """Return the rows of a file as they stand in it, whatever its format.

    Raises
    ------
    InputError
        When the file is missing, damaged or of a kind that cannot be read.
    """
    with opened(path, options.layer) as (real, layer):
        is_sheet = real.suffix.lower() in sheets.SUFFIXES
        if is_sheet and layer not in (None, real.name, real.stem):
            raise InputError(f"{path.name} has no layers: it is a table. Leave --layer out.")
        if not is_sheet and options.sheet is not None:
            raise InputError(f"{path.name} has no sheets: it is a map layer. Leave --sheet out.")
        records = sheets.read_sheet(real, contract, options, progress) if is_sheet else layers.read_layer(real, layer)
    records = with_pairs_apart(records, contract, options.columns)
    records = with_tiers_said(records, contract, options.columns, path)
    # Rows of several sheets have the same numbers.
    return with_file(records, path.name if options.sheet is None else f"{path.name} [{options.sheet}]")


def original_rows(records: Records, ids: np.ndarray, contract: TableContract) -> pd.DataFrame:
    """Return the rows as they stood in the file, indexed by their row numbers, with ids and, for points, coordinates.

    A copy of these rows can be corrected and imported again: the ids that were given stay with their rows.
    """
    import pandas as pd

    found = propose(records, contract, {}).found
    names, columns = list(records.headers), list(records.columns)
    if contract.id_column not in found:
        names.insert(0, contract.column(contract.id_column).zh)
        columns.insert(0, ids)
    else:
        own = columns[found[contract.id_column]]
        columns[found[contract.id_column]] = np.where([is_blank(cell) for cell in own], ids, own)
    if records.geometry is not None and contract.geometry == "Point":
        names += [column.zh for column in COORDINATES]
        columns += [values.astype(object) for values in centres(records.geometry)]
    table = pd.DataFrame(
        dict(enumerate(columns)), index=pd.MultiIndex.from_product([[records.file], records.row], names=["file", "row"])
    )
    table.columns = pd.Index(names)
    return table


def original_places(read: TableRead, crs: str) -> gpd.GeoSeries:
    """Return where the rows of a file lie in `crs`, refused ones included, indexed by file and row number.

    Rows without a readable place are left out; of lines and areas the middle of their box is taken.
    """
    import pandas as pd

    records = read.records
    if records.geometry is not None:
        x, y = centres(records.geometry)
    else:
        x, y = centres(points_of(records, read.proposal.found, Findings(records.file, records.row)))
    x, y = convert(x, y, read.frame, crs)
    usable = np.isfinite(x) & np.isfinite(y)
    index = pd.MultiIndex.from_product([[records.file], records.row], names=["file", "row"])
    return gpd.GeoSeries(gpd.points_from_xy(x[usable], y[usable]), index=index[usable], crs=crs)


def _sources(records: Records) -> frozenset[tuple[str, int]]:
    """Return the rows of other files that the records are corrected copies of."""
    if RETURN_HEADERS[-1] not in records.headers:
        return frozenset()
    marks = records.columns[records.headers.index(RETURN_HEADERS[-1])]
    return frozenset(source for mark in marks if isinstance(mark, str) and (source := marked_source(mark)))


@contextmanager
def opened(
    path: Path, layer: str | None = None, inside_suffixes: Sequence[str] = _ZIPPED_SUFFIXES
) -> Iterator[tuple[Path, str | None]]:
    """Give the data file that `path` is or, for a zip or folder, holds, and the layer still to be chosen in it.

    Of the files in a zip or folder, those with `inside_suffixes` are looked at.

    Raises
    ------
    InputError
        When there is none.
    """
    suffix = path.suffix.lower()
    if suffix in _CONVERT:
        raise InputError(f"{path.name}: {suffix} files cannot be read. {_CONVERT[suffix]}")
    if path.exists() and not path.is_dir() and suffix not in SUFFIXES:
        raise InputError(f"{path.name}: '{suffix}' is not a format that can be read. Use one of {', '.join(SUFFIXES)}.")
    if path.is_dir():
        inside = choose(path.name, folder_files(path), inside_suffixes, layer)
    elif suffix not in (".zip", ".kmz"):
        inside = path
    else:
        require_file(path)
        with unpacked(path) as files:
            inside = choose(path.name, files, inside_suffixes, layer)
            require_file(inside)
            yield inside, None if layer in (inside.name, inside.stem) else layer
        return
    require_file(inside)
    yield inside, None if path.is_dir() and layer in (inside.name, inside.stem) else layer


def note_matches(proposal: Proposal, findings: Findings) -> None:
    """Say which headers nothing is taken from, and which columns were known by their content alone."""
    ignored = [header for header in proposal.ignored if header not in RETURN_HEADERS]
    if ignored:
        findings.note("", "columns_ignored", headers=", ".join(ignored))
    for match in proposal.matches:
        if match.how == "content":
            findings.note(match.header, "column_by_content", header=match.header, field=match.field)


def _note_unstated_ways(columns: pd.DataFrame, findings: Findings) -> None:
    """Say how many candidates name no way of activation: they count as real premises."""
    n = int(((columns["way"] == WAY_UNSTATED) & ~findings.refused).sum())
    if n:
        findings.note("", "way_unstated", n=n)


def _refuse_areas(records: Records, found: Mapping[str, int], columns: pd.DataFrame, findings: Findings) -> None:
    """Refuse polygons whose tier is a level of administration: a map of areas, taken for a list of places."""
    if records.geometry is None or "tier" not in found or "tier" not in columns:
        return
    is_polygon = np.isin(shapely.get_type_id(records.geometry), (_POLYGON, _POLYGONS))
    for i in np.flatnonzero(is_polygon & columns["tier"].notna()).tolist():
        tier = columns["tier"].iloc[i]
        if choice_key(tier) in _LEVEL_WORDS:
            findings.refuse(i, records.headers[found["tier"]], "looks_like_area", value=tier)
            findings.close(i)


def _placed(
    study: Study,
    contract: TableContract,
    records: Records,
    found: Mapping[str, int],
    findings: Findings,
    frame: str | None,
) -> tuple[Shapes, str]:
    """Return the shapes of all records in the study's CRS, and the frame that they came in."""
    if records.geometry is not None:
        shapes, columns = _SHAPERS[contract.geometry](records.geometry, findings), ("", "")
    elif contract.geometry != "Point":
        raise InputError(
            f"{records.file} has no geometry. {contract.name} ({contract.zh}) need a map layer: a shapefile, "
            "GeoPackage, GeoJSON or GeoParquet."
        )
    else:
        _require_coordinates(records, found, contract)
        shapes = points_of(records, found, findings)
        columns = (records.headers[found["x"]], records.headers[found["y"]])
    crs = choose_frame(records, frame, centres(shapes), study, findings, contract.name)
    is_bound = contract.name in _BOUND_TO_COUNTY
    region = study_region(study, use_county=is_bound)
    return to_study(shapes, crs, region, findings, columns, is_bound=is_bound), crs


def _require_coordinates(records: Records, found: Mapping[str, int], contract: TableContract) -> None:
    missing = [column for column in fields(contract) if column.name in ("x", "y") and column.name not in found]
    if missing:
        names = ", ".join(f"{column.zh} ({column.en})" for column in missing)
        if contract.name == "demand" and {"town", "village"} & set(found):
            raise NoCoordinatesError(
                f"{records.file} has no coordinates: no column for {names}. {listing(records.headers)} "
                "If they are people of towns or villages, have them split: --split-by roads, or a layer of buildings."
            )
        raise InputError(
            f"{records.file} has no coordinates: no column for {names}. {listing(records.headers)} "
            f"Name the header with --column {missing[0].name}=HEADER."
        )


def _frame_hint(
    findings: Findings, records: Records, found: Mapping[str, int], study: Study
) -> dict[Language, str] | None:
    """Return which frames would fit, for a file whose places all lie where they cannot be."""
    if not any(finding.code in ("outside_crs", "outside_county") for finding in findings.rows):
        return None
    shapes = records.geometry
    if shapes is None:
        shapes = points_of(records, found, Findings(records.file, records.row))
    return {language: f" {fitting_words(centres(shapes), study, language)}" for language in LANGUAGES}


def _as_points(geometry: Shapes, findings: Findings) -> Shapes:
    """Return a point for every shape: a point inside a polygon; lines are refused."""
    shapes = _single(geometry)
    present = np.array(_present(shapes, findings), dtype=np.int64)
    code = shapely.get_type_id(shapes[present])
    for i in present[~np.isin(code, (_POINT, _POLYGON, _POLYGONS))].tolist():
        findings.refuse(i, "", "not_a_place", geometry=shapes[i].geom_type)
        shapes[i] = None
    areas = present[np.isin(code, (_POLYGON, _POLYGONS))]
    for i in areas.tolist():
        kind = shapes[i].geom_type
        findings.repair(i, "", "geometry_to_point", (kind, "Point"), geometry=kind)
    is_invalid = ~shapely.is_valid(shapes[areas])
    tangled = areas[is_invalid & (shapely.get_num_coordinates(shapes[areas]) > MAX_TANGLED_VERTICES)]
    for i in tangled.tolist():
        _refuse_tangled(i, shapes[i], findings)
        shapes[i] = None
    mended = np.setdiff1d(areas[is_invalid], tangled)
    shapes[mended] = shapely.make_valid(shapes[mended])
    areas = np.setdiff1d(areas, tangled)
    shapes[areas] = shapely.point_on_surface(shapes[areas])
    return shapes


def _as_areas(geometry: Shapes, findings: Findings) -> Shapes:
    """Return a MultiPolygon for every shape, invalid ones mended; other shapes are refused."""
    shapes = _single(geometry)
    for i in _present(shapes, findings):
        shape = shapes[i]
        if _is_tangled(shape):
            _refuse_tangled(i, shape, findings)
            shapes[i] = None
            continue
        if shape.geom_type in ("Polygon", "MultiPolygon") and not shape.is_valid:
            reason = shapely.is_valid_reason(shape)
            shape = _polygons(shapely.make_valid(shape))
            findings.repair(i, "", "geometry_mended", (reason, shape.geom_type), reason=reason)
        shape = _polygons(shape)
        if shape.is_empty:
            findings.refuse(i, "", "not_an_area", geometry=shapes[i].geom_type)
            shapes[i] = None
            continue
        shapes[i] = shape
    return shapes


def _as_barriers(geometry: Shapes, findings: Findings) -> Shapes:
    """Return every line or polygon; points are refused."""
    shapes = _single(geometry)
    for i in _present(shapes, findings):
        shape = shapes[i]
        if "Point" in shape.geom_type:
            findings.refuse(i, "", "not_a_barrier", geometry=shape.geom_type)
            shapes[i] = None
        elif _is_tangled(shape):
            _refuse_tangled(i, shape, findings)
            shapes[i] = None
        elif "Polygon" in shape.geom_type and not shape.is_valid:
            reason = shapely.is_valid_reason(shape)
            shapes[i] = shapely.make_valid(shape)
            findings.repair(i, "", "geometry_mended", (reason, shapes[i].geom_type), reason=reason)
    return shapes


def _refuse_tangled(i: int, shape: shapely.Geometry, findings: Findings) -> None:
    findings.refuse(i, "", "shape_tangled", n=int(shapely.get_num_coordinates(shape)), limit=MAX_TANGLED_VERTICES)


def _is_tangled(shape: shapely.Geometry) -> bool:
    """Whether a shape crosses itself and has more vertices than mending can bear."""
    return (
        "Polygon" in shape.geom_type
        and int(shapely.get_num_coordinates(shape)) > MAX_TANGLED_VERTICES
        and not shape.is_valid
    )


_SHAPERS: Mapping[str, Callable[[Shapes, Findings], Shapes]] = {
    "Point": _as_points,
    "MultiPolygon": _as_areas,
    "Any": _as_barriers,
}


def _single(geometry: Shapes) -> Shapes:
    """Return a copy in which collections of one part are that part."""
    shapes = geometry.copy()
    for i in np.flatnonzero(shapely.get_num_geometries(shapes) == 1):
        shapes[i] = shapely.get_geometry(shapes[i], 0)
    return shapes


def _present(shapes: Shapes, findings: Findings) -> list[int]:
    """Return the positions of shapes that are there; refuses the others, and those with impossible coordinates."""
    # Bounds would hide a single vertex that is not a number.
    present = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes) & ~has_vertex(shapes, is_nowhere)
    for i in np.flatnonzero(~present).tolist():
        findings.refuse(i, "", "no_geometry")
        shapes[i] = None
    return np.flatnonzero(present).tolist()


def _polygons(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """Return the polygons among the parts of a shape."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(shape)) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)
