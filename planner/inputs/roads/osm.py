"""OpenStreetMap extracts (`.osm.pbf`, `.osm`, `.osm.gz`, `.osm.bz2`) as road links and barriers, read by pyosmium.

What their tags say stands in `planner.inputs.roads.tags`; barrier nodes and plazas in `planner.inputs.roads.crossings`.
"""

from __future__ import annotations

import bz2
import gzip
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.crs import WGS84, require_metric, suggest_working_crs, transform
from planner.errors import InputError, MissingExtraError
from planner.inputs.files.archives import require_file
from planner.inputs.frames.to_study import study_region
from planner.inputs.records import MAX_LISTED, reading
from planner.inputs.roads.crossings import Way, with_gates, with_plazas
from planner.inputs.roads.links import (
    SEGMENT_REPAIRS,
    RoadsRead,
    Ways,
    barrier_table,
    class_lengths,
    motorways,
    nodes_by_place,
    road_table,
    split_ways,
)
from planner.inputs.roads.tags import (
    MODES,
    Attributes,
    attributes,
    barrier_closes,
    highway_of,
    is_gone,
    is_set,
    lifecycle_keys,
)
from planner.ledger import Ledger, LedgerRow
from planner.progress import SILENT
from planner.study import new_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.inputs.roads.links import Links
    from planner.progress import Progress

    Get = Callable[[str], str | None]

NO_ROADS = frozenset({
    "construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished", "dismantled", "removed",
    "destroyed", "historic", "no", "bus_stop", "crossing", "traffic_signals", "traffic_island", "island",
    "street_lamp", "stop", "give_way", "milestone", "speed_camera", "toll_gantry", "motorway_junction", "passing_place",
    "turning_circle", "turning_loop", "mini_roundabout", "emergency_bay", "emergency_access_point", "trailhead",
    "services", "rest_area", "raceway",
})  # fmt: skip
"""Values of `highway` that name no road one can use."""
MIN_WATER_M2 = 10_000.0
"""Ponds and pools below one hectare are walked around: they are no barrier."""

_ADVICE = "It is damaged, cut short or no OpenStreetMap data: download it again."
_KEYS = ("highway", "waterway", "railway", "route", "man_made", "public_transport", "natural")
# Areas that one walks on, along their outline and across.
_PLAZAS = frozenset({"pedestrian", "footway", "platform", "pier", "path"})
_TRIANGLE = 3
_NAMED = 5
_DELETED = re.compile(rb"""\baction\s*=\s*["']delete["']""")
_WAY_TAG = re.compile(rb"<way\b[^>]*>")
_ID = re.compile(rb"""\bid\s*=\s*["'](-?\d+)""")
_RIVERS = frozenset({"river", "canal"})
_RAILWAYS = frozenset({"rail", "light_rail"})
_COLUMNS = ("class", "name", "oneway", "bicycle_oneway", "foot", "bicycle", "motor", "bridge", "tunnel")
_WAYS_PER_REPORT = 20_000
_WKB_HEAD = 18  # hex digits of byte order, type and number of points


@dataclass
class _Raw:
    """Ways as they stand in the file, filled while it is read."""

    ids: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    refs: list[int] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    attributes: list[Attributes] = field(default_factory=list)
    is_plaza: list[bool] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)  # row of the way in the file that each is, or is a piece of
    barriers: list[tuple[str, str | None, str]] = field(default_factory=list)
    gates: dict[int, tuple[str, ...]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    ferries: list[str] = field(default_factory=list)
    n_conditional: int = 0
    is_water_unread: bool = False
    n_joined: int = 0

    @property
    def n_left_out(self) -> int:
        """Ways that are no road, or none any more or yet."""
        return self.left_out.total()


def read_osm(path: str | Path, crs: str, progress: Progress = SILENT) -> RoadsRead:
    """Return the roads and barriers of an OpenStreetMap extract, in the metric `crs`.

    Ways without a place for some of their nodes (cut extracts) are broken there, never bridged.

    Raises
    ------
    InputError
        When the file cannot be read, is damaged or holds no road.
    CrsError
        When `crs` is not metric.
    MissingExtraError
        When pyosmium is not installed.
    """
    require_metric(crs)
    path = Path(path)
    require_file(path)
    progress.update(0, 3, "roads")
    osmium = _osmium()
    with reading(path.name, _ADVICE):
        raw = _read_ways(osmium, path, progress)
    if not raw.ids:
        raise InputError(f"{path.name} holds no road: no way with a highway tag that one can travel on.")
    with reading(path.name, _ADVICE):
        lon, lat = _places(osmium, path, raw)
        progress.update(1, 3, "water")
        water = _read_water(osmium, path)
    raw.is_water_unread, water = water is None, water or []
    progress.update(2, 3, "links")
    missing = np.isnan(lon)
    n_missing = int(missing.sum())
    n_lost = np.bincount(np.repeat(np.arange(len(raw.ids)), raw.sizes)[missing], minlength=len(raw.ids))
    n_ways, n_gates = len(raw.ids), len(raw.gates)
    lost = {row: int(n) for row, n in enumerate(n_lost.tolist()) if n}
    raw, lon, lat, n_plazas = _crossed(raw, lon, lat)
    _require_within(crs, lon, lat, path.name)
    x, y = transform(lon, lat, WGS84, crs)
    _join_by_place(raw, x, y)
    links = split_ways(_ways(raw, x, y))
    if not len(links.way):
        raise InputError(
            f"{path.name} holds roads without a place: their nodes are not in the file. Download it again."
        )
    counts = {
        "n_ways": n_ways,
        "n_ways_left_out": raw.n_left_out,
        "n_missing_nodes": n_missing,
        "n_barrier_nodes": n_gates,
        "n_plazas": n_plazas,
        "n_ferries": len(raw.ferries),
        "n_conditional": raw.n_conditional,
        **links.counts,
    }
    roads = _roads_table(raw, links, crs)
    read = RoadsRead(
        roads=roads,
        barriers=_barriers_table(raw, water, roads),
        counts=counts,
        ledger=_ledger(path.name, raw, links, lost),
        classes=_class_lengths(roads),
    )
    progress.update(3, 3)
    return read


def _crossed(
    raw: _Raw, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[_Raw, NDArray[np.float64], NDArray[np.float64], int]:
    """Return the ways with plazas and barrier nodes worked in, their vertices' places, and the number of plazas."""
    if not raw.gates and not any(raw.is_plaza):
        return raw, lon, lat, 0
    ends = np.cumsum([0, *raw.sizes]).tolist()
    places = list(zip(lon.tolist(), lat.tolist(), strict=True))
    ways = [
        Way(row, tuple(raw.refs[start:stop]), tuple(places[start:stop]), words, is_plaza)
        for row, start, stop, words, is_plaza in zip(
            raw.origin, ends[:-1], ends[1:], raw.attributes, raw.is_plaza, strict=True
        )
    ]
    ways, n_plazas = with_plazas(ways)
    ways = with_gates(ways, raw.gates)
    lonlat = np.array([place for way in ways for place in way.lonlat], float).reshape(-1, 2)
    changed = replace(
        raw, ids=[raw.ids[way.row] for way in ways], origin=[way.row for way in ways],
        sizes=[len(way.refs) for way in ways],
        refs=[ref for way in ways for ref in way.refs], attributes=[way.attributes for way in ways],
    )  # fmt: skip
    return changed, lonlat[:, 0], lonlat[:, 1], n_plazas


def _join_by_place(raw: _Raw, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Give vertices of one millimetre one number where no two ways share a node: the file was made of lines.

    Every way then has nodes of its own, and the roads would lie loose beside each other.
    """
    if len(raw.sizes) < 2 or len(set(raw.refs)) < len(raw.refs) - sum(  # noqa: PLR2004  two ways
        raw.refs[end - 1] == raw.refs[end - size] for end, size in zip(np.cumsum(raw.sizes), raw.sizes, strict=True)
    ):
        return
    known = np.isfinite(x) & np.isfinite(y)
    places, refs = nodes_by_place(x[known], y[known]), np.array(raw.refs)
    if not len(places) or len(np.unique(places)) == len(np.unique(refs[known])):
        return
    refs[known] = places
    refs[~known] = places.max(initial=0) + 1 + np.arange(int((~known).sum()))
    raw.n_joined = len(np.unique(np.array(raw.refs)[known])) - len(np.unique(places))
    raw.refs = refs.tolist()


def _class_lengths(roads: gpd.GeoDataFrame) -> tuple[dict[str, Any], ...]:
    """Return the kilometres of every highway value; those that the planner knows of are known."""
    from planner.inputs.roads.lines import road_classes

    known = set(road_classes().values())
    words = roads["class"].astype(str).tolist()
    return class_lengths(words, words, roads.length.to_numpy(), known.__contains__)


def _osmium() -> Any:  # noqa: ANN401  the module
    try:
        import osmium
    except ImportError as error:
        raise MissingExtraError("osmium", "osm") from error
    return osmium


def _read_ways(osmium: Any, path: Path, progress: Progress) -> _Raw:  # noqa: ANN401
    """Return the highways and the line barriers of the file, in one native pass over nodes and ways."""
    entity = osmium.osm
    ways = (
        osmium.FileProcessor(str(path), entity.NODE | entity.WAY)
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(entity.WAY))
        .with_filter(osmium.filter.KeyFilter(*_KEYS, *lifecycle_keys()))
    )
    points, deleted = _PointWriter(osmium), deleted_ways(path)
    raw = _Raw()
    for number, way in enumerate(ways):
        if number % _WAYS_PER_REPORT == 0:
            progress.update(0, 3, "roads")
        get = way.tags.get
        if way.id in deleted or way.deleted or not way.visible:
            raw.left_out["deleted"] += 1
            continue
        kind = _barrier_kind(get)
        if kind is not None:
            raw.barriers.append((kind, get("name"), points(way)))
        _take_way(raw, way, points)
    used = set(raw.refs)
    nodes = osmium.FileProcessor(str(path), entity.NODE).with_filter(osmium.filter.KeyFilter("barrier"))
    raw.gates = {node.id: modes for node in nodes if node.id in used and (modes := barrier_closes(node.tags.get))}
    return raw


def _take_way(raw: _Raw, way: Any, points: _PointWriter) -> None:  # noqa: ANN401
    """Add a way to the roads, or to what was left out and why."""
    get = way.tags.get
    highway = highway_of(get)
    if get("route") == "ferry":
        raw.ferries.append(get("name") or f"way {way.id}")
        return
    if highway is None:
        raw.left_out["gone"] += any(get(key) is not None for key in lifecycle_keys())
        return
    is_ring = len(way.nodes) > _TRIANGLE and way.nodes[0].ref == way.nodes[-1].ref
    is_area = get("area") == "yes" or (is_ring and get("highway") is None)
    is_plaza = is_area and is_ring and highway in _PLAZAS
    if highway in NO_ROADS or (is_area and not is_plaza):
        raw.left_out["no_road"] += 1
        return
    if is_gone(get):
        raw.left_out["gone"] += 1
        return
    raw.n_conditional += any(tag.k.endswith(":conditional") for tag in way.tags)
    refs = [node.ref for node in way.nodes]
    raw.ids.append(way.id)
    raw.sizes.append(len(refs))
    raw.refs += refs
    raw.points.append(points(way))
    raw.attributes.append(attributes(highway, get))
    raw.is_plaza.append(is_plaza)
    raw.origin.append(len(raw.origin))


def deleted_ways(path: Path) -> frozenset[int]:
    """Return the ways that an editor has deleted and not uploaded yet: JOSM marks them in its own files alone."""
    if path.suffix.lower() not in (".osm", ".gz", ".bz2"):
        return frozenset()
    opened: Any = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix.lower(), open)
    found = set()
    with opened(path, "rb") as source:
        for line in source:
            for tag in _WAY_TAG.findall(line) if b"delete" in line else ():
                name = _ID.search(tag)
                if name is not None and _DELETED.search(tag):
                    found.add(int(name[1]))
    return frozenset(found)


class _PointWriter:
    """Coordinates of a way's nodes as hex of little-endian doubles, NaN where the file has no place for a node."""

    def __init__(self, osmium: Any) -> None:  # noqa: ANN401
        self._write = osmium.geom.WKBFactory().create_linestring
        self._all = osmium.geom.use_nodes.ALL
        self._gaps = (osmium.InvalidLocationError, RuntimeError, ValueError)

    def __call__(self, way: Any) -> str:  # noqa: ANN401
        try:
            return self._write(way, self._all)[_WKB_HEAD:]
        except self._gaps:  # a node without a place, or fewer than two nodes
            places = (node.location for node in way.nodes)
            known = [(place.lon, place.lat) if place.valid() else (np.nan, np.nan) for place in places]
            return np.asarray(known, "<f8").tobytes().hex()


def _places(
    osmium: Any,  # noqa: ANN401
    path: Path,
    raw: _Raw,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude of every vertex; NaN where the file has none.

    Files of some download services hold ways before nodes: what the first pass did not know is looked up again.
    """
    lonlat = np.frombuffer(bytes.fromhex("".join(raw.points)), "<f8").reshape(-1, 2).copy()
    missing = np.flatnonzero(np.isnan(lonlat[:, 0]))
    if len(missing):
        refs = np.asarray(raw.refs, dtype=np.int64)[missing]
        wanted = set(refs.tolist())
        nodes = osmium.FileProcessor(str(path), osmium.osm.NODE)
        if min(wanted) >= 0:
            nodes = nodes.with_filter(osmium.filter.IdFilter(wanted))
        found = {node.id: (node.lon, node.lat) for node in nodes if node.id in wanted and node.location.valid()}
        lonlat[missing] = [found.get(ref, (np.nan, np.nan)) for ref in refs.tolist()]
    return lonlat[:, 0], lonlat[:, 1]


def _require_within(crs: str, lon: NDArray[np.float64], lat: NDArray[np.float64], file: str) -> None:
    """Raise `InputError` when no vertex lies where the study's CRS may be used."""
    west, south, east, north = study_region(new_study("", crs)).bounds
    # Longitudes are compared around the globe: an area of use may cross the antimeridian.
    span = east - west if east > west else east - west + 360.0
    inside = ((lon - west) % 360.0 <= span) & (lat >= south) & (lat <= north)
    if not inside.any() and not np.isnan(lon).all():
        raise InputError(
            f"{file} lies around {np.nanmedian(lon):.2f} E, {np.nanmedian(lat):.2f} N, where the study's system {crs} "
            f"does not hold. Take the extract of the county, or a study in {_suggested(lon, lat)}."
        )


def _suggested(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> str:
    return suggest_working_crs(float(np.nanmedian(lon)), float(np.nanmedian(lat)))


def _read_water(osmium: Any, path: Path) -> list[tuple[str | None, str]] | None:  # noqa: ANN401
    """Return name and WKB (hex) of the water polygons, rings of relations joined; None where the order forbids it."""
    tags = (("natural", "water"), ("waterway", "riverbank"))
    areas = (
        osmium.FileProcessor(str(path))
        .with_areas(osmium.filter.TagFilter(*tags))
        .with_filter(osmium.filter.EntityFilter(osmium.osm.AREA))
        .with_filter(osmium.filter.TagFilter(*tags))
    )
    write = osmium.geom.WKBFactory().create_multipolygon
    try:
        return [(area.tags.get("name"), shape) for area in areas if (shape := _shape(write, area)) is not None]
    except RuntimeError:  # relations ask for ways in order of their ids, which JOSM and others do not keep
        return None


def _shape(write: Callable[[Any], str], area: Any) -> str | None:  # noqa: ANN401
    try:
        return write(area)
    except RuntimeError:  # rings that do not close in a cut extract
        return None


def _barrier_kind(get: Get) -> str | None:
    """Return the kind of barrier a river or railway is; on a bridge or in a tunnel it is none."""
    if get("natural") == "coastline":
        return "sea"
    if get("railway") in _RAILWAYS:
        kind = "railway"
    elif get("waterway") in _RIVERS:
        kind = "river"
    else:
        return None
    return None if is_set(get("bridge")) or is_set(get("tunnel")) else kind


def _ways(raw: _Raw, x: NDArray[np.float64], y: NDArray[np.float64]) -> Ways:
    alike: dict[Attributes, int] = {}
    return Ways(
        node=np.asarray(raw.refs, dtype=np.int64),
        x=x,
        y=y,
        first=np.concatenate(([0], np.cumsum(raw.sizes, dtype=np.int64))),
        alike=np.asarray([alike.setdefault(words, len(alike)) for words in raw.attributes], dtype=np.int64),
        is_oneway=np.asarray([words.oneway != "no" for words in raw.attributes], dtype=bool),
    )


def _roads_table(raw: _Raw, links: Links, crs: str) -> gpd.GeoDataFrame:
    import pandas as pd

    columns = list(zip(*raw.attributes, strict=True))
    attributes = pd.DataFrame(
        {
            name: pd.Series(values, dtype="bool" if name in ("bridge", "tunnel") else "str")
            for name, values in zip(_COLUMNS, columns, strict=True)
        }
    )
    part: Counter[int] = Counter()
    ids = []
    for way in np.asarray(raw.ids)[links.way].tolist():
        part[way] += 1
        ids.append(f"w{way}-{part[way]}")
    return road_table(links, ids, attributes, crs)


def _barriers_table(raw: _Raw, water: list[tuple[str | None, str]], roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return lines where two or more nodes have a place, water of a hectare and more, and motorways."""
    import geopandas as gpd
    import shapely

    lines = [
        (kind, name, shapely.LineString(piece))
        for kind, name, points in raw.barriers
        for piece in _pieces(np.frombuffer(bytes.fromhex(points), "<f8").reshape(-1, 2))
    ]
    crs = str(roads.crs)
    polygons = gpd.GeoSeries([shapely.from_wkb(shape) for _, shape in water], crs=WGS84).to_crs(crs)
    large = np.flatnonzero(polygons.area >= MIN_WATER_M2).tolist()
    highways = motorways(roads)
    return barrier_table(
        [kind for kind, _, _ in lines] + ["river"] * len(large) + highways["kind"].to_list(),
        [name for _, name, _ in lines] + [water[row][0] for row in large] + highways["name"].to_list(),
        [
            *gpd.GeoSeries([line for _, _, line in lines], crs=WGS84).to_crs(crs),
            *polygons.iloc[large],
            *highways.geometry,
        ],
        crs,
    )


def _pieces(lonlat: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the runs of two or more known places."""
    for run in np.split(lonlat, np.flatnonzero(np.isnan(lonlat[:, 0]))):
        known = run[~np.isnan(run[:, 0])]
        if len(known) > 1:
            yield known


def _ledger(file: str, raw: _Raw, links: Links, lost: Mapping[int, int]) -> Ledger:
    """Return one row for each way that lost nodes, was refused or repaired, the first of each repair.

    `lost` are the nodes without a place by row of the way; pieces of a way count as the way.
    """
    origin = np.asarray(raw.origin)
    n_ways = int(origin.max()) + 1
    way_id = dict(zip(raw.origin, raw.ids, strict=True))
    usable = np.bincount(origin, weights=links.is_usable, minlength=n_ways) > 0
    rows = [
        LedgerRow(
            file, row + 1, "", "way_nodes_missing" if usable[row] else "way_without_place",
            {"way": way_id[row], "n": lost.get(row, 0)}, is_refused=not usable[row],
        )
        for row in range(n_ways)
        if not usable[row] or row in lost
    ]  # fmt: skip
    rows += _remarks(file, raw)
    for key, code in SEGMENT_REPAIRS:
        n_repairs = np.bincount(origin, weights=links.repairs[key], minlength=n_ways)
        repaired = np.flatnonzero((n_repairs > 0) & usable)
        rows += [
            LedgerRow(
                file, row + 1, "", f"way_{code}", {"way": way_id[row], "n": int(n_repairs[row])}, is_refused=False
            )
            for row in repaired[:MAX_LISTED].tolist()
        ]
        if len(repaired) > MAX_LISTED:
            rows.append(LedgerRow(file, 0, "", f"way_{code}_more", {"n": len(repaired) - MAX_LISTED}, is_refused=False))
    return Ledger(n_ways, int((~usable).sum()), tuple(sorted(rows, key=lambda finding: finding.row)))


def _remarks(file: str, raw: _Raw) -> list[LedgerRow]:
    """Return what is said of the file as a whole: ways left out, barrier nodes, ferries, tags that were not read."""
    n_gates = Counter(mode for modes in raw.gates.values() for mode in modes)
    said: list[tuple[str, dict[str, Any]]] = [
        ("ways_left_out", {"n": raw.left_out["no_road"]}),
        ("ways_gone", {"n": raw.left_out["gone"]}),
        ("ways_deleted", {"n": raw.left_out["deleted"]}),
        ("barrier_nodes", {"n": len(raw.gates), **{mode: n_gates[mode] for mode in MODES}}),
        ("ferries_left_out", {"n": len(raw.ferries), "names": ", ".join(raw.ferries[:_NAMED])}),
        ("tags_conditional", {"n": raw.n_conditional}),
        ("nodes_joined", {"n": raw.n_joined}),
        ("water_unread", {"n": int(raw.is_water_unread)}),
    ]
    return [LedgerRow(file, 0, "", code, values, is_refused=False) for code, values in said if values["n"]]
