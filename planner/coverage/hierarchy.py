"""The pyramid of places: whether every unit has its place, and every place its parent and its own unit."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.coverage.areas import assign_areas, assign_by_position, level_of, texts, towns_of_villages
from planner.coverage.integrity import Finding
from planner.study import is_online, point_xy
from planner.tiers import cycles_of, parent_cycles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.scenario import Scenario
    from planner.study import Study
    from planner.texts import Language
    from planner.tiers import Tier

COUNTY_UNIT = "county"
_SHOWN = 5
_SAME_SPOT_M = 1.0
FINDING_COLUMNS = ("code", "table", "id", "name", "tier", "town_name", "problem", "repair")


@dataclass(frozen=True)
class _Place:
    """One physical place with the units it says it belongs to and those it lies in."""

    id: str
    name: str
    tier: str
    parent: str | None
    town: str | None
    village: str | None
    named_town: str | None
    at_town: str | None
    named_village: str | None
    at_village: str | None
    x: float
    y: float

    def own(self, level: str) -> str | None:
        """Return the unit of a level that the place belongs to."""
        return {COUNTY_UNIT: COUNTY_UNIT, "town": self.town, "village": self.village}.get(level)


@dataclass(frozen=True)
class _Pyramid:
    """The declared tiers, the places by id, and the units of every level with their names."""

    tiers: Mapping[str, Tier]
    places: Mapping[str, _Place]
    units: Mapping[str, Mapping[str, str]]
    town_of_village: Mapping[str, str | None]

    def of_tier(self, code: str) -> list[_Place]:
        return [place for place in self.places.values() if place.tier == code]

    def town_name(self, town: str | None) -> str:
        return self.units["town"].get(town or "", "")


def declared_tiers(scenario: Scenario) -> dict[str, Tier]:
    """Return the tiers that a check goes by: those of the pyramid that have a rule, and light and special ones."""
    without_rule = set(scenario.tiers) - set(scenario.hierarchy)
    return {code: scenario.hierarchy[code] for code in scenario.known_tiers if code not in without_rule}


def hierarchy_findings(study: Study, scenario: Scenario) -> tuple[Finding, ...]:
    """Return everything that contradicts the pyramid, one finding per place, unit or rule, each with its repair.

    One mistake gives one finding: a place in a wrong town still counts for the unit it says it belongs to, so that
    this unit is not also reported as having none; children of a place that is gone are told in the finding of the
    unit that lacks it; a place that lies wrong is not called a double.

    Codes: tier_cycle, tier_undeclared, tier_parent_undeclared (rules); place_tier_undeclared; unit_without (a unit
    that must have one has none, or too few), double (beyond the unit's number, or the same name on the same spot),
    outside_unit (lies in another town or village than the one it names), parent_elsewhere, parent_unknown,
    parent_unknown_at_top, parent_wrong_tier, parent_cycle, orphan. Online services are not places.
    """
    findings = list(_rule_findings(scenario))
    if not study.has("facilities"):
        return (*findings, Finding("no_places", "facilities", subject="network"))
    pyramid = _pyramid(study, scenario)
    findings += _tier_findings(pyramid, scenario)
    wrong = {place.id: finding for place in pyramid.places.values() if (finding := _outside(place, pyramid))}
    elsewhere = {
        place.id: finding
        for place in pyramid.places.values()
        if place.id not in wrong and (finding := _parent_elsewhere(place, pyramid))
    }
    # Where the parent itself lies wrong, its children do not.
    moved = {*wrong, *elsewhere}
    elsewhere = {key: one for key, one in elsewhere.items() if pyramid.places[key].parent not in moved}
    lacking, missing = _lacking(pyramid, {*wrong, *elsewhere})
    findings += lacking
    findings += _doubles(pyramid, {*wrong, *elsewhere})
    findings += [*wrong.values(), *elsewhere.values()]
    findings += _parent_findings(pyramid, missing)
    return tuple(findings)


def findings_table(study: Study, findings: Sequence[Finding], language: Language = "zh") -> gpd.GeoDataFrame:
    """Return findings of the network as a layer: one row each, at the place or in the middle of the unit.

    Columns `FINDING_COLUMNS` and geometry (None for findings about a rule or a table).
    """
    middle = _middles(study)
    rows = []
    for one in findings:
        key = one.ids[0] if one.ids else ""
        values = [one.values.get(name, "") for name in ("name", "tier", "town")]
        rows.append((one.code, one.table, key, *values, one.problem(language), one.repair(language)))
    table = pd.DataFrame(rows, columns=list(FINDING_COLUMNS))
    geometry = [middle.get((one.table, one.ids[0])) if one.ids else None for one in findings]
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(geometry, index=table.index, crs=study.crs), crs=study.crs)


def tier_table(study: Study, scenario: Scenario, findings: Sequence[Finding] = ()) -> pd.DataFrame:
    """Return the pyramid in figures, one row per tier that is declared or occurs.

    Columns tier, tier_name, parent, unit, count, is_light, n_units (that must have one), n_units_with, n_places
    (physical), n_online, n_findings. Units count the places that name them or lie in them.
    """
    tiers = declared_tiers(scenario)
    pyramid = _pyramid(study, scenario) if study.has("facilities") else None
    online: dict[str, int] = defaultdict(int)
    if study.has("facilities"):
        facilities = study.table("facilities")
        for tier in facilities.loc[is_online(facilities), "tier"].astype(str):
            online[tier] += 1
    found = {place.tier for place in pyramid.places.values()} if pyramid else set()
    rows = []
    for code in [*scenario.known_tiers, *sorted({*found, *online} - set(scenario.known_tiers))]:
        rule = tiers.get(code)
        places = pyramid.of_tier(code) if pyramid else []
        unit = rule.unit if rule else "none"
        units = pyramid.units.get(unit, {}) if pyramid else {}
        having = {place.own(unit) for place in places} & set(units)
        rows.append({
            "tier": code, "tier_name": rule.name if rule else "", "parent": rule.parent if rule else None, "unit": unit,
            "count": rule.count if rule and unit != "none" else 0, "is_light": bool(rule and rule.is_light),
            "n_units": len(units), "n_units_with": len(having), "n_places": len(places), "n_online": online[code],
            "n_findings": sum(one.values.get("tier") == code for one in findings),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _pyramid(study: Study, scenario: Scenario) -> _Pyramid:
    areas = study.tables.get("areas")
    units = {COUNTY_UNIT: {COUNTY_UNIT: study.name}}
    for level in ("town", "village"):
        table = level_of(areas, level)
        units[level] = {} if table is None else dict(zip(table["area_id"], map(str, table["name"]), strict=True))
    facilities = study.table("facilities")
    facilities = facilities[~is_online(facilities)]
    town_of = towns_of_villages(areas)
    places = {place.id: place for place in _places(facilities, areas, units, town_of)}
    return _Pyramid(declared_tiers(scenario), places, units, town_of)


def _places(
    facilities: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame | None,
    units: Mapping[str, Mapping[str, str]],
    town_of: Mapping[str, str | None],
) -> Iterator[_Place]:
    assigned, at = assign_areas(facilities, areas), assign_by_position(facilities, areas)
    xy = point_xy(facilities)
    towns, villages = (_by_word(units[level]) for level in ("town", "village"))
    columns = {name: texts(facilities, name) for name in ("name", "tier", "parent_id", "town", "village")}
    found = {name: list(assigned[name]) for name in ("town_id", "village_id")}
    lying = {name: list(at[name]) for name in ("town_id", "village_id")}
    for row, key in enumerate(facilities["facility_id"].astype(str)):
        town, village = found["town_id"][row], found["village_id"][row]
        named_town = _only(towns, columns["town"][row])
        named = [unit for unit in villages.get(columns["village"][row] or "", ()) if _fits(unit, named_town, town_of)]
        if village is None:
            # A wrong town hides the village: then the row's word counts where it is unique, else its position.
            village = _only(villages, columns["village"][row]) or lying["village_id"][row]
        yield _Place(
            id=key,
            name=columns["name"][row] or key,
            tier=columns["tier"][row] or "",
            parent=columns["parent_id"][row],
            town=town,
            village=village,
            named_town=named_town,
            at_town=lying["town_id"][row],
            named_village=named[0] if len(named) == 1 else None,
            at_village=lying["village_id"][row],
            x=float(xy[row, 0]),
            y=float(xy[row, 1]),
        )


def _by_word(units: Mapping[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for unit, name in units.items():
        found[unit].add(unit)
        found[name].add(unit)
    return found


def _only(by_word: Mapping[str, set[str]], word: str | None) -> str | None:
    found = by_word.get(word or "", set())
    return next(iter(found)) if len(found) == 1 else None


def _fits(village: str, town: str | None, town_of: Mapping[str, str | None]) -> bool:
    return town is None or town_of.get(village) in (town, None)


def _find(code: str, table: str, ids: tuple[str, ...], **values: Any) -> Finding:  # noqa: ANN401  words
    return Finding(code, table, ids, values, subject="network")


def _about(code: str, place: _Place, pyramid: _Pyramid, **values: Any) -> Finding:  # noqa: ANN401  words
    town = pyramid.town_name(place.town)
    return _find(code, "facilities", (place.id,), id=place.id, name=place.name, tier=place.tier, town=town, **values)


def _rule_findings(scenario: Scenario) -> Iterator[Finding]:
    for ring in parent_cycles(scenario.hierarchy):
        yield _find("tier_cycle", "scenario", ring, tier=ring[0], ring=" → ".join((*ring, ring[0])))
    for code in scenario.tiers:
        if code not in scenario.hierarchy:
            yield _find("tier_undeclared", "scenario", (code,), tier=code)
    for code, tier in scenario.hierarchy.items():
        if tier.parent is not None and tier.parent not in scenario.known_tiers:
            yield _find("tier_parent_undeclared", "scenario", (code,), tier=code, parent=tier.parent)


def _tier_findings(pyramid: _Pyramid, scenario: Scenario) -> Iterator[Finding]:
    for place in pyramid.places.values():
        if place.tier not in scenario.known_tiers:
            yield _about("place_tier_undeclared", place, pyramid, known=", ".join(scenario.known_tiers))


def _outside(place: _Place, pyramid: _Pyramid) -> Finding | None:
    """Return the finding that a place lies in another town, or (where its tier is a village's) another village."""
    tier = pyramid.tiers.get(place.tier)
    pairs = [("town", place.named_town, place.at_town)]
    if tier is not None and tier.unit == "village":
        pairs.append(("village", place.named_village, place.at_village))
    for level, named, at in pairs:
        if named is not None and named != at and pyramid.units[level]:
            names = pyramid.units[level]
            where = names[at] if at is not None else "-"
            return _about("outside_unit", place, pyramid, named=names[named], where=where)
    return None


def _parent_elsewhere(place: _Place, pyramid: _Pyramid) -> Finding | None:
    parent = pyramid.places.get(place.parent or "")
    level = pyramid.tiers[parent.tier].unit if parent is not None and parent.tier in pyramid.tiers else "none"
    if parent is None or level not in ("town", "village"):
        return None
    if place.own(level) is None or parent.own(level) is None:
        level = "town"  # a place outside every village still has its town
    own, other = place.own(level), parent.own(level)
    if own is None or other is None or own == other:
        return None
    names = pyramid.units[level]
    return _about(
        "parent_elsewhere", place, pyramid,
        parent=parent.id, parent_name=parent.name, parent_unit=names.get(other, other), unit_name=names.get(own, own),
    )  # fmt: skip


def _homes(place: _Place, level: str, is_wrong: bool, pyramid: _Pyramid) -> set[str]:  # noqa: FBT001  one caller
    """Return the units that a place speaks for; one that lies wrong speaks for every unit it could be meant for."""
    own = place.own(level)
    homes = {own} if own is not None else set()
    if is_wrong and level != COUNTY_UNIT:
        more = (place.named_town, place.at_town) if level == "town" else (place.named_village, place.at_village)
        homes |= {unit for unit in more if unit is not None}
        parent = pyramid.places.get(place.parent or "")
        meant = parent.own("town") if parent is not None else None
        if level == "town" and meant is not None:
            homes.add(meant)
        if level == "village":
            # A place named after a village of its parent's town is meant for that village.
            homes |= {
                unit
                for unit, name in pyramid.units["village"].items()
                if meant is not None and pyramid.town_of_village.get(unit) == meant and place.name.startswith(name)
            }
    return homes


def _lacking(pyramid: _Pyramid, wrong: set[str]) -> tuple[list[Finding], set[tuple[str, str]]]:
    """Return findings of the units that lack places, and the same as pairs (tier, unit)."""
    findings, missing = [], set()
    for code, tier in pyramid.tiers.items():
        units = pyramid.units.get(tier.unit)
        if units is None:
            continue
        n_places: dict[str, int] = defaultdict(int)
        for place in pyramid.of_tier(code):
            for home in _homes(place, tier.unit, place.id in wrong, pyramid):
                n_places[home] += 1
        for unit, name in units.items():
            if n_places[unit] >= tier.count:
                continue
            missing.add((code, unit))
            findings.append(_lack(pyramid, (code, unit, name), n_places[unit]))
    return findings, missing


def _lack(pyramid: _Pyramid, key: tuple[str, str, str], n_found: int) -> Finding:
    code, unit, name = key
    level = pyramid.tiers[code].unit
    town = pyramid.town_of_village.get(unit) if level == "village" else unit
    children = [
        place
        for place in pyramid.places.values()
        if place.own(level) == unit and _parent_tier(place, pyramid) == code and place.parent not in pyramid.places
    ]
    found = _find(
        "unit_without", "areas", (unit,),
        id=unit, name=name, tier=code, town=pyramid.town_name(town), n_found=n_found, wanted=pyramid.tiers[code].count,
        n_children=len(children), children=", ".join(_named_children(children)),
    )  # fmt: skip
    return replace(found, wording="unit_without_children") if children else found


def _named_children(children: Sequence[_Place]) -> list[str]:
    """Return the ids of the first five, each with the parent that it names in vain."""
    shown = [f"{place.id} → {place.parent}" if place.parent is not None else place.id for place in children[:_SHOWN]]
    return [*shown, "..."] if len(children) > _SHOWN else shown


def _parent_tier(place: _Place, pyramid: _Pyramid) -> str | None:
    tier = pyramid.tiers.get(place.tier)
    return tier.parent if tier is not None else None


def _doubles(pyramid: _Pyramid, wrong: set[str]) -> Iterator[Finding]:
    for code, tier in pyramid.tiers.items():
        of_unit: dict[tuple[Any, ...], list[_Place]] = defaultdict(list)
        for place in pyramid.of_tier(code):
            if place.id in wrong:
                continue
            unit = place.own(tier.unit)
            if tier.unit == "none":
                # NaN equals nothing: a place without coordinates is the double of none.
                spot = (place.name, *np.round((place.x / _SAME_SPOT_M, place.y / _SAME_SPOT_M)))
                of_unit[spot].append(place)
            elif unit is not None:
                of_unit[unit,].append(place)
        allowed = tier.count if tier.unit != "none" else 1
        for places in of_unit.values():
            ordered = sorted(places, key=lambda place: place.id)
            for surplus in ordered[allowed:]:
                unit_name = pyramid.units.get(tier.unit, {}).get(surplus.own(tier.unit) or "", "-")
                first = ordered[0]
                yield _about("double", surplus, pyramid, first=first.id, unit_name=unit_name, allowed=allowed)


def _parent_findings(pyramid: _Pyramid, missing: set[tuple[str, str]]) -> Iterator[Finding]:
    rings = cycles_of({place.id: place.parent for place in pyramid.places.values()})
    in_ring = {member for ring in rings for member in ring}
    for ring in rings:
        first = pyramid.places[ring[0]]
        yield _about("parent_cycle", first, pyramid, ring=" → ".join((*ring, ring[0])))
    for place in pyramid.places.values():
        if place.id not in in_ring and (finding := _parent_finding(place, pyramid, missing)) is not None:
            yield finding


def _parent_finding(place: _Place, pyramid: _Pyramid, missing: set[tuple[str, str]]) -> Finding | None:
    wanted = _parent_tier(place, pyramid)
    parent = pyramid.places.get(place.parent or "")
    if wanted is None or wanted not in pyramid.tiers:
        if parent is not None or place.parent is None:
            return None
        return _about("parent_unknown_at_top", place, pyramid, parent=place.parent)
    level = pyramid.tiers[wanted].unit
    unit = place.own(level)
    finding = None
    if parent is not None:
        if parent.tier != wanted and parent.tier in pyramid.tiers:
            values = {"parent": parent.id, "parent_tier": parent.tier, "wanted_tier": wanted}
            finding = _about("parent_wrong_tier", place, pyramid, **values)
    elif unit is not None and (wanted, unit) in missing:
        pass  # told in the finding of the unit
    elif place.parent is not None:
        finding = _about("parent_unknown", place, pyramid, parent=place.parent, wanted_tier=wanted)
    elif unit is None or level == "none":
        finding = _about("orphan", place, pyramid, wanted_tier=wanted)
    return finding


def _middles(study: Study) -> dict[tuple[str, str], Any]:
    middle: dict[tuple[str, str], Any] = {}
    if study.has("facilities"):
        facilities = study.table("facilities")
        keys = facilities["facility_id"].astype(str)
        middle |= {("facilities", key): point for key, point in zip(keys, facilities.geometry, strict=True)}
    if study.has("areas"):
        areas = study.table("areas")
        inside = np.asarray(shapely.point_on_surface(areas.geometry.to_numpy()), dtype=object)
        middle |= {("areas", str(key)): point for key, point in zip(areas["area_id"], inside, strict=True)}
    return middle
