"""Practice belts: places strung along a road, a river, a line or in a zone, as an ordered chain with its breaks."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.belts import Belt
from planner.coverage.areas import assign_areas, level_of, texts
from planner.coverage.causes import DISCONNECTED, TOO_FAR, UNKNOWN
from planner.coverage.integrity import Finding
from planner.coverage.sequence import shortest_chain
from planner.coverage.spine import spine_of
from planner.reach.access import chosen
from planner.reach.routes import route
from planner.reach.travel_times import travel_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.reach.routes import Route
    from planner.scenario import Scenario
    from planner.study import Study

BELT_COLUMNS = (
    "belt_id", "name", "zone", "basis", "profile", "buffer_m", "break_min", "n_places", "n_breaks", "n_sections",
    "length_m", "longest_link_m", "corridor_m",
)  # fmt: skip
PLACE_COLUMNS = (
    "belt_id", "belt_name", "seq", "section", "facility_id", "name", "tier", "town_name", "along_m", "offset_m",
)  # fmt: skip
LINK_COLUMNS = (
    "belt_id", "belt_name", "seq", "from_id", "from_name", "to_id", "to_name", "profile", "length_m", "link_min",
    "along_m", "straight_m", "is_break", "cause",
)  # fmt: skip
_FAR_MIN = 240.0  # beyond it two places of a zone are no neighbours whatever the road
_NO_WAY_MIN = 100_000.0


@dataclass(frozen=True)
class Belts:
    """The belts of a study.

    Attributes
    ----------
    table : one row a belt (`BELT_COLUMNS`); its geometry joins the places between which the chain holds.
    places : its places in order (`PLACE_COLUMNS`); `section` counts the unbroken runs from 1.
    links : from each place to the next (`LINK_COLUMNS`), as the way that one travels; a straight line where there is
        none. `cause` of a break: "too_far", "disconnected" or "unknown".
    findings : what is wrong with the rules, each with its repair.
    """

    table: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    links: gpd.GeoDataFrame
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Corridor:
    """Where the places of a belt may lie: near a line, within areas, or both."""

    lines: list[shapely.Geometry]
    zone: shapely.Geometry | None
    basis: tuple[str, ...]


def belts_of(study: Study, scenario: Scenario) -> dict[str, Belt]:
    """Return the belts to look at: the scenario's, else one for each name in the table `corridors`."""
    if scenario.belts or not study.has("corridors"):
        return dict(scenario.belts)
    table = study.table("corridors").sort_values("corridor_id")
    zones, buffers = texts(table, "zone"), table.get("buffer_m", pd.Series(np.nan, table.index))
    found: dict[str, Belt] = {}
    for name, zone, buffer_m in zip(texts(table, "name"), zones, buffers.to_numpy(dtype=float), strict=True):
        if name is not None and name not in found:
            belt = Belt(name=name, zone=zone or "", corridors=(name,))
            found[name] = belt if np.isnan(buffer_m) else belt.model_copy(update={"buffer_m": float(buffer_m)})
    return found


def make_belts(
    study: Study,
    scenario: Scenario,
    places: gpd.GeoDataFrame,
    networks: Mapping[str, ProfileNetwork],
    snapped: Mapping[str, Snapped],
) -> Belts:
    """Return the belts of a study as ordered chains of places, with network lengths and breaks.

    Along a line, places within the belt's buffer stand in the order of the nearest point of its spine; in a zone, in
    the order of the shortest chain by minutes. Each place is joined to the next by the fastest way; the chain is broken
    where there is none, where a place touches no road, and where it takes longer than `break_min`.

    Parameters
    ----------
    places : physical places, light ones too.
    networks, snapped : roads, and `places` on them, by profile code.
    """
    findings: list[Finding] = []
    towns = _town_names(study, places)
    made = [
        _Maker(study, scenario, places, towns, networks, snapped).make(code, belt, findings)
        for code, belt in belts_of(study, scenario).items()
    ]
    rows = [row for row, _, _ in made]
    return Belts(
        table=_layer(rows, BELT_COLUMNS, study.crs),
        places=_layer([row for _, chain, _ in made for row in chain], PLACE_COLUMNS, study.crs),
        links=_layer([row for _, _, links in made for row in links], LINK_COLUMNS, study.crs),
        findings=tuple(findings),
    )


_Row = dict[str, Any]


@dataclass(frozen=True)
class _Maker:
    """What all belts are made from."""

    study: Study
    scenario: Scenario
    places: gpd.GeoDataFrame
    towns: list[str]
    networks: Mapping[str, ProfileNetwork]
    snapped: Mapping[str, Snapped]

    def make(self, code: str, belt: Belt, findings: list[Finding]) -> tuple[_Row, list[_Row], list[_Row]]:
        """Return the row of one belt, those of its places, and those of its links."""
        belt = replace_blanks(belt, code, self.scenario)
        corridor = _corridor(self.study, belt, findings)
        profile = self._profile(belt, findings)
        rows = self._members(belt, corridor, findings)
        spine = spine_of(corridor.lines)
        network, snapped = self.networks[profile], self.snapped[profile]
        points = self.places.geometry.to_numpy()
        along = np.full(len(points), np.nan) if spine.is_empty else shapely.line_locate_point(spine, points)
        offset = np.full(len(points), np.nan) if spine.is_empty else shapely.distance(_union(corridor.lines), points)
        if spine.is_empty:
            rows = [rows[i] for i in shortest_chain(_costs(network, chosen(snapped, np.array(rows, int))))]
        else:
            ids = self.places["facility_id"].astype(str).tolist()
            rows.sort(key=lambda row: (round(float(along[row]), 3), ids[row]))
        if len(rows) < 2:  # noqa: PLR2004  one place is no chain
            findings.append(Finding("too_few", "belts", (code,), {"name": belt.name, "found": len(rows)}, "belts"))
        links = [self._link(code, belt, (network, snapped), pair) for pair in pairwise(rows)]
        for seq, link in enumerate(links, 1):
            link["seq"], link["along_m"] = seq, abs(float(along[rows[seq]] - along[rows[seq - 1]]))
        section = np.cumsum([1, *(link["is_break"] for link in links)])
        chain = [
            {
                "belt_id": code, "belt_name": belt.name, "seq": seq + 1, "section": int(section[seq]),
                "facility_id": str(self.places["facility_id"].iloc[row]), "name": self._name(row),
                "tier": str(self.places["tier"].iloc[row]), "town_name": self.towns[row], "along_m": along[row],
                "offset_m": offset[row], "geometry": points[row],
            }
            for seq, row in enumerate(rows)
        ]  # fmt: skip
        held = [link for link in links if not link["is_break"]]
        return {
            "belt_id": code, "name": belt.name, "zone": belt.zone, "basis": ",".join(corridor.basis),
            "profile": profile, "buffer_m": np.nan if spine.is_empty else belt.buffer_m, "break_min": belt.break_min,
            "n_places": len(rows), "n_breaks": len(links) - len(held),
            "n_sections": int(section[-1]) if rows else 0, "length_m": sum(link["length_m"] for link in held),
            "longest_link_m": max((link["length_m"] for link in links), default=np.nan),
            "corridor_m": np.nan if spine.is_empty else spine.length,
            "geometry": shapely.MultiLineString([link["geometry"] for link in held]) if held else None,
        }, chain, links  # fmt: skip

    def _profile(self, belt: Belt, findings: list[Finding]) -> str:
        if belt.profile is None or belt.profile in self.networks:
            return belt.profile or self.scenario.main_profile
        known = ", ".join(self.networks)
        values = {"name": belt.name, "profile_code": belt.profile, "known": known}
        findings.append(Finding("profile_unknown", "belts", (belt.name,), values, "belts"))
        return self.scenario.main_profile

    def _members(self, belt: Belt, corridor: _Corridor, findings: list[Finding]) -> list[int]:
        """Return the rows of the places that belong to the belt."""
        unknown = [tier for tier in belt.tiers if tier not in self.scenario.known_tiers]
        if unknown:
            known = ", ".join(self.scenario.known_tiers)
            values = {"name": belt.name, "wanted": ", ".join(unknown), "known": known}
            findings.append(Finding("tier_unknown", "belts", (belt.name,), values, "belts"))
        points = self.places.geometry.to_numpy()
        belongs = np.full(len(points), bool(corridor.basis))
        if belt.tiers:
            belongs &= self.places["tier"].astype(str).isin(belt.tiers).to_numpy()
        if corridor.lines:
            belongs &= shapely.dwithin(_union(corridor.lines), points, belt.buffer_m)
        if corridor.zone is not None:
            belongs &= shapely.intersects(corridor.zone, points)
        return [int(row) for row in np.flatnonzero(belongs)]

    def _link(
        self, code: str, belt: Belt, ready: tuple[ProfileNetwork, Snapped], pair: tuple[int, int]
    ) -> dict[str, Any]:
        """Return the way from one place to the next, and whether the chain is broken there."""
        network, snapped = ready
        start, stop = (chosen(snapped, np.array([row])) for row in pair)
        way = route(network, start, stop)
        points = self.places.geometry.to_numpy()[list(pair)]
        cause = _cause(way, belt.break_min or self.scenario.cutoff_min)
        is_way = way.geometry is not None
        return {
            "belt_id": code, "belt_name": belt.name, "from_id": str(start.ids[0]), "from_name": self._name(pair[0]),
            "to_id": str(stop.ids[0]), "to_name": self._name(pair[1]), "profile": network.profile.code,
            "length_m": way.length_m + way.origin_access_m + way.place_access_m if is_way else np.nan,
            "link_min": way.travel_time_min, "straight_m": float(points[0].distance(points[1])),
            "is_break": cause != "", "cause": cause or None,
            "geometry": way.geometry if is_way else shapely.LineString([points[0], points[1]]),
        }  # fmt: skip

    def _name(self, row: int) -> str:
        return str(texts(self.places.iloc[[row]], "name")[0] or self.places["facility_id"].iloc[row])


def replace_blanks(belt: Belt, code: str, scenario: Scenario) -> Belt:
    """Return the belt with its name and its limit where they were left blank."""
    return belt.model_copy(update={
        "name": belt.name or code,
        "break_min": scenario.cutoff_min if belt.break_min is None else belt.break_min,
    })  # fmt: skip


def _cause(way: Route, break_min: float) -> str:
    """Return why the chain is broken here; "" where it holds."""
    if np.isnan(way.travel_time_min):
        return UNKNOWN
    if np.isinf(way.travel_time_min):
        return DISCONNECTED
    return "" if way.travel_time_min <= break_min else TOO_FAR


def _corridor(study: Study, belt: Belt, findings: list[Finding]) -> _Corridor:
    """Return the lines and the zone that a belt names; names that nothing has are findings."""
    rivers = _rows(study, "barriers")
    rivers = rivers[rivers["kind"] == "river"] if rivers is not None else None
    areas = _rows(study, "areas")
    sources = (
        ("road", belt.roads, _rows(study, "roads"), None),
        ("river", belt.rivers, rivers, None),
        ("corridor", belt.corridors, _rows(study, "corridors"), "corridor_id"),
        ("area", belt.areas, areas, "area_id"),
    )
    lines, zones, basis = [], [], []
    for kind, wanted, table, id_column in sources:
        shapes = _named(table, id_column, (kind, wanted), belt, findings)
        if shapes:
            basis.append(kind)
        drawn = [shape for shape in shapes if "Polygon" in shape.geom_type]
        lines += [shape for shape in shapes if "Polygon" not in shape.geom_type]
        if kind == "river":
            # A river's line is followed; one that has no line is followed along its banks.
            lines += [shape.boundary for shape in drawn] if len(drawn) == len(shapes) else []
        else:
            zones += drawn
        # Areas that nobody knows hold no place; they never widen the belt to everywhere.
        zones += [shapely.Polygon()] if kind == "area" and wanted and not shapes else []
    return _Corridor(lines, shapely.union_all(zones) if zones else None, tuple(basis))


def _rows(study: Study, name: str) -> gpd.GeoDataFrame | None:
    return study.table(name) if study.has(name) else None


def _named(
    table: gpd.GeoDataFrame | None,
    id_column: str | None,
    wanted: tuple[str, tuple[str, ...]],
    belt: Belt,
    findings: list[Finding],
) -> list[shapely.Geometry]:
    """Return the shapes of the rows that have one of the wanted names or ids."""
    kind, names = wanted
    if not names:
        return []
    found: dict[str, list[shapely.Geometry]] = {}
    if table is not None:
        keys = [texts(table, "name")] + ([table[id_column].astype(str).tolist()] if id_column else [])
        for column in keys:
            for key, shape in zip(column, table.geometry.to_numpy(), strict=True):
                if key is not None and shape is not None:
                    found.setdefault(key, []).append(shape)
    for name in names:
        if name not in found:
            near = get_close_matches(name, list(found), 3, 0.4) or sorted(found)[:3]
            values = {"name": belt.name, "wanted": name, "known": ", ".join(near) or "-"}
            findings.append(Finding(f"{kind}_unknown", "belts", (belt.name,), values, "belts"))
    return [shape for name in names for shape in found.get(name.strip(), [])]


def _union(lines: Sequence[shapely.Geometry]) -> shapely.Geometry:
    joined = shapely.union_all(list(lines))
    shapely.prepare(joined)
    return joined


def _costs(network: ProfileNetwork, places: Snapped) -> NDArray[np.float64]:
    """Return minutes between places, the mean of both directions; without a way, straight km on top of a lot."""
    times = travel_times(network, places, places, _FAR_MIN).minutes()
    coo = times.tocoo()
    cost = np.full((len(places), len(places)), np.nan)
    cost[coo.row, coo.col] = coo.data
    cost = (cost + cost.T) / 2
    straight_km = np.hypot(np.subtract.outer(places.x, places.x), np.subtract.outer(places.y, places.y)) / 1000
    cost = np.where(np.isnan(cost), _NO_WAY_MIN + straight_km, cost)
    np.fill_diagonal(cost, 0.0)
    return cost


def _town_names(study: Study, places: gpd.GeoDataFrame) -> list[str]:
    areas = study.tables.get("areas")
    towns = level_of(areas, "town")
    names = {} if towns is None else dict(zip(towns["area_id"], towns["name"], strict=True))
    return [str(names.get(town, "")) for town in assign_areas(places, areas)["town_id"]]


def _layer(rows: list[_Row], columns: tuple[str, ...], crs: str) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=[*columns, "geometry"])
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(list(table["geometry"]), index=table.index, crs=crs), crs=crs)
