"""What a file is, told without a study and without taking anything: encoding, header, columns, frame, refusals."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.errors import InputError
from planner.formats import RASTER
from planner.inputs.columns.checks import checked_columns, people_counts
from planner.inputs.columns.contents import look_at
from planner.inputs.columns.proposals import propose
from planner.inputs.files import layers, sheets, workbooks
from planner.inputs.files.headings import find_heading
from planner.inputs.frames.choice import declared_frame
from planner.inputs.frames.forensics import frame_hypotheses
from planner.inputs.frames.to_study import centres, points_of
from planner.inputs.options import ImportOptions, is_osm_file
from planner.inputs.records import Findings
from planner.inputs.tables import note_matches, opened, read_records
from planner.ledger import Ledger
from planner.schema import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.inputs.columns.proposals import Proposal
    from planner.inputs.frames.forensics import Hypothesis
    from planner.inputs.records import Records
    from planner.schema import TableContract

RASTER_SUFFIXES = tuple(RASTER)
_GEOMETRIES = {0: "Point", 1: "LineString", 2: "LineString", 3: "Polygon", 4: "Point", 5: "LineString", 6: "Polygon"}
_TABLES_OF = {
    "": ("facilities", "candidates", "demand", "settlements"),
    "Point": ("facilities", "candidates", "demand", "settlements"),
    "LineString": ("roads", "barriers"),
    "Polygon": ("areas", "demand", "facilities", "candidates", "settlements", "barriers"),
}
_ROUND = 6


@dataclass(frozen=True)
class FileReport:
    """What was seen in a file.

    Attributes
    ----------
    file : its name.
    format : its ending, of the file inside where it is an archive.
    n_bytes : its size.
    parts : sheets or layers it holds, where it may hold several.
    kind : the kind of import it fits best, None where none fits.
    proposal : sheet, header, encoding and columns as they would be read; None where no table was recognised.
    columns : per header: `header`, `looks_like`, `filled_share`, `n_distinct`, `examples`, `field`, `confidence`.
    ledger : what would be refused or repaired before the places are put on a map.
    summary : counts, or what a raster or an OpenStreetMap file says of itself.
    crs : frame that the file declares, None where it says none.
    extent : least x, least y, greatest x, greatest y of the coordinates as they stand.
    frames : the frames that the coordinates may be in, likeliest first, with the evidence for each.
    problem : why nothing can be read, "" otherwise.
    """

    file: str
    format: str
    n_bytes: int
    parts: tuple[str, ...] = ()
    kind: str | None = None
    proposal: Proposal | None = None
    columns: tuple[Mapping[str, Any], ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    summary: Mapping[str, Any] = field(default_factory=dict)
    crs: str | None = None
    extent: tuple[float, float, float, float] | None = None
    frames: tuple[Hypothesis, ...] = ()
    problem: str = ""


def inspect_file(path: Path | str, kind: str | None = None, options: ImportOptions | None = None) -> FileReport:
    """Return what a file is and what an import would make of it; nothing is taken.

    Parameters
    ----------
    path : a file or folder of any kind that can be imported.
    kind : read it as this table; found out when left out.
    options : sheet, layer and columns, as for an import.

    Raises
    ------
    InputError
        When the file is missing, damaged, or of a kind that cannot be read; one message that says what to do.
    """
    path, options = Path(path), options or ImportOptions()
    if kind is not None and _TABLE_OF.get(kind, kind) not in CONTRACTS:
        raise InputError(f"'{kind}' is no table. Tables: {', '.join(CONTRACTS)}.")
    suffix = path.suffix.lower()
    n_bytes = _size(path)
    if suffix in RASTER_SUFFIXES:
        return FileReport(path.name, suffix, n_bytes, summary=_raster(path), kind="elevation, population")
    if is_osm_file(path.name):
        return FileReport(path.name, suffix, n_bytes, summary=_osm(path), kind="roads")
    with opened(path, options.layer) as (real, _):
        parts = _parts(real)
        inner = real.suffix.lower()
    report = FileReport(path.name, inner, n_bytes, tuple(parts))
    try:
        records, contract = _recognised(path, _TABLE_OF.get(kind or "", kind), options)
    except InputError as error:
        return replace(report, kind=kind, problem=str(error))
    return _told(report, records, contract, options)


_TABLE_OF = {"population": "demand"}


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size if path.exists() else 0


def _parts(path: Path) -> list[str]:
    if path.suffix.lower() in workbooks.SUFFIXES:
        return workbooks.sheet_names(path)
    return layers.layer_names(path)


def _recognised(path: Path, name: str | None, options: ImportOptions) -> tuple[Records, TableContract]:
    """Return the rows of a file, read as the table that they fit best."""
    if name is not None:
        return read_records(path, CONTRACTS[name], options), CONTRACTS[name]
    with opened(path, options.layer) as (real, _):
        is_sheet = real.suffix.lower() in sheets.SUFFIXES
        contract = _contract_of_sheets(real, options) if is_sheet else None
    records = read_records(path, contract or CONTRACTS["facilities"], options)
    if contract is None:
        names = _TABLES_OF[_geometry_of(records)]
        contract = max((CONTRACTS[each] for each in names), key=lambda one: _fit(propose(records, one, {}).found, one))
    return records, contract


def _contract_of_sheets(path: Path, options: ImportOptions) -> TableContract:
    """Return the table of points that the header of some sheet fits best."""
    best = (CONTRACTS["facilities"], (0.0, 0.0))
    with sheets.opened_sheets(path, options.sheet) as (pages, _):
        for name in _TABLES_OF[""]:
            contract = CONTRACTS[name]
            for page in pages:
                heading = find_heading(page, contract, options.columns)
                fit = _fit(heading.found(contract, options.columns), contract)
                if fit > best[1]:
                    best = (contract, fit)
    return best[0]


def _fit(found: Mapping[str, int], contract: TableContract) -> tuple[float, float]:
    """Return how well headers fit a table: the share of its required and telling columns, then how many it knows."""
    required = [column.name for column in contract.columns if column.is_required or column.is_telling]
    return sum(name in found for name in required) / max(len(required), 1), len(found)


def _geometry_of(records: Records) -> str:
    if records.geometry is None:
        return ""
    kinds = shapely.get_type_id(records.geometry)
    kinds = kinds[kinds >= 0]
    return _GEOMETRIES.get(int(np.bincount(kinds).argmax()), "Point") if len(kinds) else "Point"


def _told(report: FileReport, records: Records, contract: TableContract, options: ImportOptions) -> FileReport:
    proposal = propose(records, contract, options.columns)
    findings = Findings(records.file, records.row)
    findings.add(records.findings)
    note_matches(proposal, findings)
    counts: dict[str, Any] = {}
    missing = [column for column in contract.columns if column.is_required and column.name not in proposal.found]
    if not missing and contract.name != "roads":
        table = checked_columns(records, proposal.found, contract, findings)
        counts = people_counts(table, contract, findings)
    shapes = records.geometry
    if shapes is None and {"x", "y"} <= set(proposal.found):
        shapes = points_of(records, proposal.found, findings)
    ledger = findings.ledger()
    names = ", ".join(f"{column.zh} ({column.name})" for column in missing)
    return replace(
        report,
        kind=contract.name,
        proposal=proposal,
        columns=_columns(records, proposal),
        ledger=ledger,
        summary={"rows_in": ledger.rows_in, "rows_refused": ledger.rows_refused, **counts},
        crs=records.crs,
        extent=_extent(shapes),
        frames=() if shapes is None else tuple(frame_hypotheses(*centres(shapes), None, declared_frame(records.crs))),
        problem=f"{report.file} has no column for {names}." if missing else "",
    )


def _columns(records: Records, proposal: Proposal) -> tuple[Mapping[str, Any], ...]:
    matches = {match.position: match for match in proposal.matches}
    told = []
    for i, header in enumerate(records.headers):
        look = look_at(records.columns[i])
        match = matches.get(i)
        told.append({
            "header": header,
            "looks_like": look.kind,
            "filled_share": round(look.filled_share, 3),
            "n_distinct": look.n_distinct,
            "examples": ", ".join(look.examples),
            "field": match.field if match else None,
            "how": match.how if match else None,
            "confidence": match.confidence if match else None,
        })  # fmt: skip
    return tuple(told)


def _extent(shapes: np.ndarray | None) -> tuple[float, float, float, float] | None:
    if shapes is None:
        return None
    x, y = centres(shapes)
    is_known = np.isfinite(x) & np.isfinite(y)
    if not is_known.any():
        return None
    values = (x[is_known].min(), y[is_known].min(), x[is_known].max(), y[is_known].max())
    west, south, east, north = (round(float(value), _ROUND) for value in values)
    return west, south, east, north


def _raster(path: Path) -> dict[str, Any]:
    from planner.inputs.files.rasters import open_rasters

    with open_rasters(path) as rasters:
        it = rasters[0]
        return {
            "n_columns": it.width, "n_rows": it.height, "n_bands": it.count, "dtype": it.dtypes[0],
            "crs": it.crs.to_string() if it.crs else None, "cell": abs(it.transform.a), "nodata": it.nodata,
            "bounds": tuple(round(float(value), _ROUND) for value in it.bounds),
        }  # fmt: skip


def _osm(path: Path) -> dict[str, Any]:
    from planner.errors import MissingExtraError
    from planner.inputs.records import reading

    try:
        import osmium
    except ImportError as error:
        raise MissingExtraError("osmium", "osm") from error
    with reading(path.name, "The file is damaged or was cut short: download it again."):
        reader = osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING)
        with suppress(RuntimeError):
            box = reader.header().box()
            if box.valid():
                low, high = box.bottom_left, box.top_right
                return {"bounds": (low.lon, low.lat, high.lon, high.lat)}
        reader.close()
    return {}
