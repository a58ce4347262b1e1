"""OpenStreetMap extracts (`.osm.pbf`, `.osm`, `.osm.gz`, `.osm.bz2`) as road links and barriers, read by pyosmium.

Access follows the OSM access hierarchy: the most specific tag wins (foot over access; bicycle over vehicle over
access; motorcar over motor_vehicle over vehicle over access). A general `access=yes` opens nothing that the road's
class closes.
Source: OpenStreetMap wiki, "Key:access", "Key:highway", "Key:oneway".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from planner.crs import WGS84, require_metric, suggest_working_crs, transform
from planner.errors import InputError, MissingExtraError
from planner.inputs.files.archives import require_file
from planner.inputs.frames.to_study import study_region
from planner.inputs.records import MAX_LISTED, reading
from planner.inputs.roads.links import (
    SEGMENT_REPAIRS,
    RoadsRead,
    Ways,
    barrier_table,
    class_lengths,
    motorways,
    road_table,
    split_ways,
)
from planner.ledger import Ledger, LedgerRow
from planner.progress import SILENT
from planner.study import new_study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.inputs.roads.links import Links
    from planner.progress import Progress

    Get = Callable[[str], str | None]

NO_ROADS = frozenset({
    "construction", "proposed", "planned", "abandoned", "disused", "razed", "demolished", "dismantled", "removed",
    "destroyed", "historic", "no", "platform", "bus_stop", "crossing", "traffic_signals", "traffic_island", "island",
    "street_lamp", "stop", "give_way", "milestone", "speed_camera", "toll_gantry", "motorway_junction", "passing_place",
    "turning_circle", "turning_loop", "mini_roundabout", "emergency_bay", "emergency_access_point", "trailhead",
    "services", "rest_area", "raceway",
})  # fmt: skip
"""Values of `highway` that name no road one can use."""
MIN_WATER_M2 = 10_000.0
"""Ponds and pools below one hectare are walked around: they are no barrier."""

_ADVICE = "It is damaged, cut short or no OpenStreetMap data: download it again."
_YES = frozenset({"yes", "designated", "permissive", "official", "public", "destination"})
_NO = frozenset({"no", "private", "military", "emergency", "use_sidepath", "dismount"})
_NO_CARS = frozenset({"agricultural", "forestry", "delivery", "permit"})
_SIDEWALKS = frozenset({"yes", "both", "left", "right"})
_CLOSED_CLASSES = {
    "busway": ("motor",),
    "bus_guideway": ("foot", "bicycle", "motor"),
    "via_ferrata": ("bicycle", "motor"),
    "elevator": ("bicycle", "motor"),
    "escape": ("foot", "bicycle", "motor"),
}
_FORWARD = frozenset({"yes", "true", "1"})
_BACKWARD = frozenset({"-1", "reverse"})
_ROUND = frozenset({"roundabout", "circular"})
_RIVERS = frozenset({"river", "canal"})
_RAILWAYS = frozenset({"rail", "light_rail"})
_COLUMNS = ("class", "name", "oneway", "foot", "bicycle", "motor", "bridge", "tunnel")
_WAYS_PER_REPORT = 20_000
_WKB_HEAD = 18  # hex digits of byte order, type and number of points


class _Attributes(NamedTuple):
    """What the tags of a way say, in the columns of the roads table."""

    highway: str
    name: str | None
    oneway: str
    foot: str | None
    bicycle: str | None
    motor: str | None
    bridge: bool
    tunnel: bool


@dataclass
class _Raw:
    """Ways as they stand in the file, filled while it is read."""

    ids: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    refs: list[int] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    attributes: list[_Attributes] = field(default_factory=list)
    barriers: list[tuple[str, str | None, str]] = field(default_factory=list)
    n_left_out: int = 0


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
    progress.update(2, 3, "links")
    missing = np.isnan(lon)
    _require_within(crs, lon, lat, path.name)
    x, y = transform(lon, lat, WGS84, crs)
    links = split_ways(_ways(raw, x, y))
    if not len(links.way):
        raise InputError(
            f"{path.name} holds roads without a place: their nodes are not in the file. Download it again."
        )
    counts = {
        "n_ways": len(raw.ids),
        "n_ways_left_out": raw.n_left_out,
        "n_missing_nodes": int(missing.sum()),
        **links.counts,
    }
    roads = _roads_table(raw, links, crs)
    read = RoadsRead(
        roads=roads,
        barriers=_barriers_table(raw, water, roads),
        counts=counts,
        ledger=_ledger(path.name, raw, links, missing),
        classes=_class_lengths(roads),
    )
    progress.update(3, 3)
    return read


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
        .with_filter(osmium.filter.KeyFilter("highway", "waterway", "railway"))
    )
    points = _PointWriter(osmium)
    raw = _Raw()
    for number, way in enumerate(ways):
        if number % _WAYS_PER_REPORT == 0:
            progress.update(0, 3, "roads")
        get = way.tags.get
        highway = get("highway")
        kind = _barrier_kind(get)
        if kind is not None:
            raw.barriers.append((kind, get("name"), points(way)))
        if highway is None:
            continue
        if highway in NO_ROADS or get("area") == "yes":
            raw.n_left_out += 1
            continue
        refs = [node.ref for node in way.nodes]
        raw.ids.append(way.id)
        raw.sizes.append(len(refs))
        raw.refs += refs
        raw.points.append(points(way))
        raw.attributes.append(_attributes(highway, get))
    return raw


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


def _read_water(osmium: Any, path: Path) -> list[tuple[str | None, str]]:  # noqa: ANN401
    """Return name and WKB (hex) of the water polygons, rings of relations joined."""
    tags = (("natural", "water"), ("waterway", "riverbank"))
    areas = (
        osmium.FileProcessor(str(path))
        .with_areas(osmium.filter.TagFilter(*tags))
        .with_filter(osmium.filter.EntityFilter(osmium.osm.AREA))
        .with_filter(osmium.filter.TagFilter(*tags))
    )
    write = osmium.geom.WKBFactory().create_multipolygon
    return [(area.tags.get("name"), shape) for area in areas if (shape := _shape(write, area)) is not None]


def _shape(write: Callable[[Any], str], area: Any) -> str | None:  # noqa: ANN401
    try:
        return write(area)
    except RuntimeError:  # rings that do not close in a cut extract
        return None


def _barrier_kind(get: Get) -> str | None:
    """Return the kind of barrier a river or railway is; on a bridge or in a tunnel it is none."""
    if get("railway") in _RAILWAYS:
        kind = "railway"
    elif get("waterway") in _RIVERS:
        kind = "river"
    else:
        return None
    return None if _is_set(get("bridge")) or _is_set(get("tunnel")) else kind


def _attributes(highway: str, get: Get) -> _Attributes:
    foot, bicycle, motor = _access(highway, get)
    return _Attributes(
        highway,
        get("name"),
        _oneway(highway, get),
        foot,
        bicycle,
        motor,
        _is_set(get("bridge")),
        _is_set(get("tunnel")),
    )


def _access(highway: str, get: Get) -> tuple[str | None, str | None, str | None]:
    """Return who may travel a way on foot, by bicycle, by car: "yes", "no", or None where the class decides."""
    access = "no" if get("access") in _NO else None
    closed = _CLOSED_CLASSES.get(highway, ())
    if get("motorroad") == "yes":
        closed = (*closed, "foot", "bicycle")
    vehicle = _word(get("vehicle"), access, _NO_CARS)
    bicycle = _word(get("bicycle"), _word(get("vehicle"), access) or _closed("bicycle", closed))
    motor = _word(get("motorcar"), _word(get("motor_vehicle"), vehicle or _closed("motor", closed), _NO_CARS), _NO_CARS)
    foot = _word(get("foot"), access or _closed("foot", closed))
    if foot is None and get("sidewalk") in _SIDEWALKS:
        foot = "yes"
    return foot, bicycle, motor


def _word(value: str | None, inherited: str | None, also_no: frozenset[str] = frozenset()) -> str | None:
    """Return what an access tag says, else what stands above it in the hierarchy."""
    if value in _YES:
        return "yes"
    return "no" if value in _NO or value in also_no else inherited


def _closed(mode: str, closed: tuple[str, ...]) -> str | None:
    return "no" if mode in closed else None


def _oneway(highway: str, get: Get) -> str:
    value = get("oneway")
    if value in _FORWARD:
        return "forward"
    if value in _BACKWARD:
        return "backward"
    is_implied = value is None and (highway == "motorway" or get("junction") in _ROUND)
    return "forward" if is_implied else "no"


def _is_set(value: str | None) -> bool:
    return value is not None and value != "no"


def _ways(raw: _Raw, x: NDArray[np.float64], y: NDArray[np.float64]) -> Ways:
    alike: dict[_Attributes, int] = {}
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
    ids = np.asarray(raw.ids)[links.way].tolist()
    return road_table(
        links, [f"w{way}-{part}" for way, part in zip(ids, links.part.tolist(), strict=True)], attributes, crs
    )


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


def _ledger(file: str, raw: _Raw, links: Links, missing: NDArray[np.bool_]) -> Ledger:
    """Return one row for each way that lost nodes, was refused or repaired, the first of each repair."""
    n_ways = len(raw.ids)
    way = np.repeat(np.arange(n_ways), raw.sizes)
    n_lost = np.bincount(way[missing], minlength=n_ways)
    usable = links.is_usable
    rows = [
        LedgerRow(
            file,
            row + 1,
            "",
            "way_nodes_missing" if usable[row] else "way_without_place",
            {"way": raw.ids[row], "n": int(n_lost[row])},
            is_refused=not usable[row],
        )
        for row in np.flatnonzero(~usable | (n_lost > 0)).tolist()
    ]
    if raw.n_left_out:
        rows.append(LedgerRow(file, 0, "", "ways_left_out", {"n": raw.n_left_out}, is_refused=False))
    for key, code in SEGMENT_REPAIRS:
        repaired = np.flatnonzero((links.repairs[key] > 0) & usable)
        rows += [
            LedgerRow(
                file,
                row + 1,
                "",
                f"way_{code}",
                {"way": raw.ids[row], "n": int(links.repairs[key][row])},
                is_refused=False,
            )
            for row in repaired[:MAX_LISTED].tolist()
        ]
        if len(repaired) > MAX_LISTED:
            rows.append(LedgerRow(file, 0, "", f"way_{code}_more", {"n": len(repaired) - MAX_LISTED}, is_refused=False))
    return Ledger(n_ways, int((~usable).sum()), tuple(sorted(rows, key=lambda finding: finding.row)))
