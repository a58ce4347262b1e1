"""Road lines of any map layer with a road-class column, as links between shared vertices.

Lines are joined where they share a vertex, compared at one millimetre in the working CRS. Lines that cross without a
shared vertex are not joined: a bridge over a road looks the same.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.crs import require_metric
from planner.errors import InputError
from planner.inputs.columns.checks import require_usable
from planner.inputs.columns.headers import match_headers, require_choices, require_columns
from planner.inputs.files.layers import SUFFIXES, read_layer
from planner.inputs.frames.choice import choose_frame, fitting_words
from planner.inputs.frames.to_study import centres, study_region, to_study
from planner.inputs.options import ImportOptions
from planner.inputs.records import MAX_LISTED, Findings, is_blank, shown, with_file
from planner.inputs.roads.links import (
    SEGMENT_REPAIRS,
    RoadsRead,
    Ways,
    class_lengths,
    motorways,
    nodes_by_place,
    road_table,
    split_ways,
)
from planner.inputs.tables import opened
from planner.ledger import LedgerRow
from planner.network.faults import is_apart
from planner.progress import SILENT
from planner.schema import FLAGS, ROADS
from planner.standards import road_class_words
from planner.study import new_study

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from planner.inputs.records import Cells, Records
    from planner.inputs.roads.links import Links
    from planner.progress import Progress

    Repair = tuple[tuple[str, str], dict[str, Any]]

UNMAPPED = "unclassified"
"""The class of a road whose own class nobody mapped."""

_LINE, _RING, _LINES = 1, 2, 5
_LON_MAX, _LAT_MAX = 180.5, 90.5
_YES_NO = {word: value for value, words in zip(("yes", "no"), FLAGS, strict=True) for word in words}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "oneway": {
        **{word: code for code, words in ROADS.column("oneway").choices for word in (code, *words)},
        "n": "no", "false": "no", "无": "no", "y": "forward", "tf": "forward", "ft": "forward", "正向": "forward",
        "逆向": "backward", "both": "no",
    },
    "access": {**_YES_NO, "designated": "yes", "permissive": "yes", "private": "no"},
    "mark": {**_YES_NO, "t": "yes", "f": "no", "viaduct": "yes", "building_passage": "yes", "covered": "yes",
             "桥": "yes", "桥梁": "yes", "隧道": "yes"},
}  # fmt: skip


def read_road_lines(
    path: str | Path, crs: str, options: ImportOptions | None = None, progress: Progress = SILENT
) -> RoadsRead:
    """Return the roads of a map layer (`.shp`, `.gpkg`, `.gdb` ..., zipped or in a folder), in the metric `crs`.

    Multi-part lines become one way each part. Classes are put into the planner's words by `options.class_mapping`
    first, then by `presets/road_classes.toml`; what neither knows becomes "unclassified", told in the ledger;
    a line without a class is refused.

    Raises
    ------
    InputError
        When the file cannot be read, has no class column, does not say its frame, or holds no usable line.
    CrsError
        When `crs` is not metric.
    """
    import shapely

    require_metric(crs)
    options = options or ImportOptions()
    progress.update(0, 3, "roads")
    records = _read(Path(path), options)
    if records.geometry is None:
        raise InputError(f"{records.file} holds a table without lines. Roads are read from a map layer.")
    require_choices(records.headers, ROADS, options.columns, records.file)
    found = match_headers(records.headers, ROADS, options.columns, is_short=records.has_short_headers)
    require_columns(found, records.headers, ROADS, records.file)
    findings = Findings(records.file, records.row)

    progress.update(1, 3, "links")
    geometry = _lines(records, findings)
    table = _attributes(records, found, findings, options)
    line, row = _placed(geometry, records, options, crs, findings)
    xy, line_of = shapely.get_coordinates(line, return_index=True)
    first = np.searchsorted(line_of, np.arange(len(line) + 1))
    x, y = np.ascontiguousarray(xy.T)
    attributes = table.iloc[row].reset_index(drop=True)
    alike = attributes.groupby(list(attributes.columns), dropna=False, sort=False).ngroup()
    ways = Ways(
        node=nodes_by_place(x, y),
        x=x,
        y=y,
        first=first,
        alike=np.asarray(alike, dtype=np.int64),
        is_oneway=(attributes["oneway"] != "no").to_numpy(),
    )
    ways, joints = _joined(ways, attributes, options, findings)
    links = split_ways(ways)
    if not len(links.way):
        raise InputError(f"{records.file} holds no usable line.")
    _note_links(links, row, findings)
    progress.update(2, 3, "table")
    roads = road_table(links, _ids(records, found, row, links), attributes, crs)
    counts = {"n_ways": len(first) - 1, **links.counts, **joints}
    words = [_text(word) for word in records.columns[found["class"]][row]]
    known = {*road_classes(), *(plain_word(word) for word in options.class_mapping or {})}
    classes = class_lengths(words, attributes["class"].tolist(), shapely.length(line), lambda w: plain_word(w) in known)
    progress.update(3, 3)
    return RoadsRead(roads, motorways(roads), counts, findings.ledger(), classes)


def _joined(
    ways: Ways, attributes: pd.DataFrame, options: ImportOptions, findings: Findings
) -> tuple[Ways, dict[str, int]]:
    """Return the ways joined as far as the user asked, and the counts of joints; crossings left open are told."""
    from planner.inputs.roads.noding import MAX_GAP_M, Noder

    if not 0 <= options.gap_m <= MAX_GAP_M:
        raise InputError(f"Gaps of {options.gap_m:g} m cannot be closed: give 0 to {MAX_GAP_M:.0f} metres.")
    noder = Noder(ways, is_apart(attributes))
    counts = {"n_crossings": noder.cross(is_joined=options.is_noded)}
    if counts["n_crossings"] and not options.is_noded:
        findings.note("", "crossings_open", n=counts["n_crossings"])
    counts["n_gaps_closed"] = noder.attach(noder.dangling(), options.gap_m) if options.gap_m > 0 else 0
    return noder.ways_joined(), counts


@cache
def road_classes() -> dict[str, str]:
    """Return the shipped mapping: word, as `plain_word` writes it -> class of the planner."""
    return _by_word(road_class_words())


def road_classes_from_toml(text: str) -> dict[str, str]:
    """Return the mapping of a TOML text of `class = [words]`.

    Raises
    ------
    InputError
        When the text is no such table, or one word means two classes.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The road classes cannot be read: {error}") from error
    return _by_word(table)


def _by_word(table: Mapping[str, Any]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for road_class, words in table.items():
        if not isinstance(words, list):
            raise InputError(f"The road classes cannot be read: '{road_class}' must be a list of words.")
        for word in (road_class, *words):
            key = plain_word(str(word))
            if mapping.setdefault(key, road_class) != road_class:
                raise InputError(f"The road class '{word}' means both {mapping[key]} and {road_class}.")
    return mapping


def plain_word(word: str) -> str:
    """Return what two spellings of a class have in common: no case, spaces or full-width letters."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())


def _read(path: Path, options: ImportOptions) -> Records:
    if options.sheet is not None:
        raise InputError(f"{path.name} has no sheets: roads are read from a map layer. Leave --sheet out.")
    with opened(path, options.layer, SUFFIXES) as (real, layer):
        if real.suffix.lower() not in SUFFIXES:
            kinds = ", ".join((*SUFFIXES, ".zip", ".kmz"))
            raise InputError(f"{path.name} is no map layer. Roads are read from {kinds} and OpenStreetMap files.")
        return with_file(read_layer(real, layer), path.name)


def _lines(records: Records, findings: Findings) -> Cells:
    """Return the lines of the records, None where there is none: such records are refused."""
    import shapely

    geometry = np.array(records.geometry, dtype=object)
    kind = shapely.get_type_id(geometry)
    is_empty = (kind < 0) | shapely.is_empty(geometry)
    is_line = np.isin(kind, (_LINE, _RING, _LINES))
    for i in np.flatnonzero(is_empty).tolist():
        findings.refuse(i, "", "line_without_geometry")
    for i in np.flatnonzero(~is_empty & ~is_line).tolist():
        findings.refuse(i, "", "wrong_geometry", geometry=geometry[i].geom_type, needed="LineString")
    geometry[is_empty | ~is_line] = None
    return geometry


def _placed(
    geometry: Cells, records: Records, options: ImportOptions, crs: str, findings: Findings
) -> tuple[Cells, NDArray[np.int64]]:
    """Return the single lines in `crs` and the record of each, records that were refused left out."""
    import shapely

    if any(finding.code == "blank" for finding in findings.rows):
        require_usable(findings, ROADS)
    geometry[findings.refused] = None
    _require_one_side(geometry, records)
    study = new_study("", crs)
    xy = centres(geometry)
    frame = choose_frame(records, options.frame, xy, study, findings, "roads")
    region = study_region(study)
    placed = to_study(geometry, frame, region, findings, ("", ""), is_bound=False)
    usable = np.flatnonzero(~shapely.is_missing(placed))
    if not len(usable):
        raise InputError(f"{records.file} holds no usable line in {frame}. {fitting_words(xy, study)}")
    line, part_of = shapely.get_parts(placed[usable], return_index=True)
    return line, usable[part_of]


def _require_one_side(geometry: Cells, records: Records) -> None:
    """Raise `InputError` when lines in degrees jump across the 180th meridian: no metric system holds both sides."""
    import shapely

    xy, owner = shapely.get_coordinates(geometry, return_index=True)
    if not len(xy) or np.abs(xy[:, 0]).max() > _LON_MAX or np.abs(xy[:, 1]).max() > _LAT_MAX:
        return
    jumps = (np.abs(np.diff(xy[:, 0])) > 180.0) & (np.diff(owner) == 0)  # noqa: PLR2004  half way round the globe
    rows = records.row[np.unique(owner[1:][jumps])]
    if len(rows):
        first = ", ".join(str(row) for row in rows[:5].tolist())
        raise InputError(
            f"{len(rows)} lines of {records.file} jump across the 180th meridian (rows {first}). Cut the layer there, "
            "or keep only the lines of the county."
        )


def _attributes(records: Records, found: Mapping[str, int], findings: Findings, options: ImportOptions) -> pd.DataFrame:
    """Return the columns of the roads table, one row a record."""
    import pandas as pd

    table: dict[str, Any] = {"class": _classes(records, found["class"], findings, options.class_mapping or {})}
    table["name"] = _names(records, found.get("name"))
    table["oneway"] = _codes(records, found, "oneway", findings, _WORDS["oneway"]).fillna("no")
    table["bicycle_oneway"] = _codes(records, found, "bicycle_oneway", findings, _WORDS["oneway"])
    for name in ("foot", "bicycle", "motor"):
        table[name] = _codes(records, found, name, findings, _WORDS["access"])
    for name in ("bridge", "tunnel"):
        table[name] = (_codes(records, found, name, findings, _WORDS["mark"]) == "yes").to_numpy(bool)
    return pd.DataFrame(table)


def _classes(records: Records, position: int, findings: Findings, mapping: Mapping[str, str]) -> NDArray[np.object_]:
    known = road_classes()
    wrong = sorted(set(mapping.values()) - set(known.values()))
    if wrong:
        raise InputError(
            f"'{wrong[0]}' is no road class of the planner. Classes: {', '.join(sorted(set(known.values())))}."
        )
    own = {plain_word(word): road_class for word, road_class in mapping.items()}
    header = records.headers[position]
    row, words = _distinct(records.columns[position])
    keys = [plain_word(word) for word in words]
    classes = np.asarray([own.get(key) or known.get(key) for key in keys], dtype=object)
    is_unmapped = np.asarray([of_class is None for of_class in classes], dtype=bool)
    is_blank_word = np.asarray([not word for word in words], dtype=bool)
    _refuse_blank(header, np.flatnonzero((is_blank_word & is_unmapped)[row]), findings)

    def unmapped(i: int) -> Repair:
        word = shown(words[row[i]])
        return (word, UNMAPPED), {"value": word, "road_class": UNMAPPED}

    _list(findings, header, "class_unmapped", np.flatnonzero((is_unmapped & ~is_blank_word)[row]), unmapped)
    classes[is_unmapped] = UNMAPPED
    return classes[row]


def _refuse_blank(header: str, rows: NDArray[np.int64], findings: Findings) -> None:
    """Refuse the records without a class, the first of them one by one."""
    for i in rows[:MAX_LISTED].tolist():
        findings.refuse(i, header, "blank", header=header)
    n_more = len(rows) - MAX_LISTED
    if n_more > 0:
        findings.refused[rows] = True
        row = LedgerRow(findings.file, 0, header, "blank_more", {"n": n_more, "header": header})
        findings.rows.append(row)


def _list(
    findings: Findings, column: str, code: str, rows: NDArray[np.int64], describe: Callable[[int], Repair]
) -> None:
    """Report a repair of each record that is kept, and count those beyond `MAX_LISTED`."""
    kept = rows[~findings.refused[rows]]
    for i in kept[:MAX_LISTED].tolist():
        change, values = describe(i)
        findings.repair(i, column, code, change, **values)
    if len(kept) > MAX_LISTED:
        findings.note(column, f"{code}_more", n=len(kept) - MAX_LISTED)


def _names(records: Records, position: int | None) -> pd.Series:
    import pandas as pd

    if position is None:
        return pd.Series([None] * len(records), dtype="str")
    row, words = _distinct(records.columns[position])
    return pd.Series(np.asarray([word or None for word in words], dtype=object)[row], dtype="str")


def _codes(
    records: Records, found: Mapping[str, int], name: str, findings: Findings, words: Mapping[str, str]
) -> pd.Series:
    """Return the codes of a column, missing where it is blank; what is no known word is noted and left out."""
    import pandas as pd

    if name not in found:
        return pd.Series([None] * len(records), dtype="str")
    header = records.headers[found[name]]
    row, cells = _distinct(records.columns[found[name]])
    codes = np.asarray([words.get(plain_word(cell)) for cell in cells], dtype=object)
    is_strange = np.asarray([bool(cell) and code is None for cell, code in zip(cells, codes, strict=True)], dtype=bool)
    choices = ", ".join(code for code, _ in ROADS.column(name).choices) or "yes, no"

    def unknown(i: int) -> Repair:
        value = shown(cells[row[i]])
        return (value, ""), {"header": header, "value": value, "choices": choices}

    _list(findings, header, "road_value_unknown", np.flatnonzero(is_strange[row]), unknown)
    return pd.Series(codes[row], dtype="str")


def _distinct(cells: Cells) -> tuple[NDArray[np.int64], list[str]]:
    """Return for each cell the row of its text among the distinct texts; blanks are ""."""
    import pandas as pd

    row, distinct = pd.factorize(np.asarray([_text(cell) for cell in cells], dtype=object))
    return row.astype(np.int64), [str(word) for word in distinct]


def _text(cell: object) -> str:
    if is_blank(cell):
        return ""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _note_links(links: Links, row: NDArray[np.int64], findings: Findings) -> None:
    """Refuse the records of which nothing is left, and say of each other one what was repaired."""
    is_left = np.zeros(len(findings.row), dtype=bool)
    is_left[row[links.is_usable]] = True
    for i in np.setdiff1d(row, np.flatnonzero(is_left)).tolist():
        findings.refuse(i, "", "line_no_length")
    for key, code in SEGMENT_REPAIRS:
        n_segments = np.zeros(len(findings.row), dtype=np.int64)
        np.add.at(n_segments, row, links.repairs[key])

        def repaired(i: int, n_segments: NDArray[np.int64] = n_segments) -> Repair:
            return ("", ""), {"n": int(n_segments[i])}

        _list(findings, "", f"line_{code}", np.flatnonzero(n_segments), repaired)


def _ids(records: Records, found: Mapping[str, int], row: NDArray[np.int64], links: Links) -> list[str]:
    """Return the ids of links: the road's own id, else r<feature> (its number in the layer, from 1), and -<part>.

    A road of an id of its own that is one link keeps it as it is; of several, or where several roads have one id, the
    links are numbered in their order. An id that is taken already gets a mark more.
    """
    cells = records.columns[found["road_id"]] if "road_id" in found else [None] * len(records.row)
    own = [_text(cell) for cell in cells]
    given = [own[at] or f"r{records.row[at]}" for at in row[links.way].tolist()]
    is_own = [bool(own[at]) for at in row[links.way].tolist()]
    total, part = Counter(given), Counter[str]()
    taken: set[str] = set()
    ids = []
    for name, keeps in zip(given, is_own, strict=True):
        part[name] += 1
        link = name if keeps and total[name] == 1 else f"{name}-{part[name]}"
        while link in taken:
            link += "'"
        taken.add(link)
        ids.append(link)
    return ids
