"""Declared networks as synthetic studies: one lattice county per centre, with exactly the places that were declared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.coverage.declared import ALL, Declared
from planner.demo.people import split_exactly
from planner.study import new_study
from planner.texts import Language, text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from planner.study import Study

    Records = Sequence[Mapping[Hashable, Any]]

NETWORK_CRS = "EPSG:32649"
CELL_M = 2_000.0
_WEST, _SOUTH = 500_000.0, 3_400_000.0
_COLUMNS_PER_TOWN = 4
_PEOPLE = {"urban": 2_400, "rural": 700}
_HAMLETS = ((150.0, 100.0), (-650.0, 500.0), (500.0, -750.0))
_HOURS = ("周一至周五 8:30-17:30", "周一至周日 9:00-17:30", "周一至周五 8:30-12:00，14:00-17:30；周六 9:00-12:00")
_FIVE = ("有场所", "有队伍", "有活动", "有项目", "有机制")
_LETTERS = {"centre": "Z", "institute": "S", "station": "N", "point": "D", "base": "J", "hub": "Y", "post": "G"}
_ROOMS = ("理论宣讲", "市民教育", "文化", "科普", "健身")


@dataclass(frozen=True)
class CountyFigures:
    """What one synthetic county gets.

    Attributes
    ----------
    name : of the county; marked as synthetic in its study.
    prefix : first letters of its ids.
    villages : urban / rural class of every village, town by town.
    towns : row of the town of every village.
    extra : places per tier and class that stand anywhere: points, bases, hubs, posts; class None = any village.
    has_institutes : whether every town gets an institute.
    demonstration : how many demonstration places per tier.
    relocated : people and households in settlements.
    """

    name: str
    prefix: str
    villages: tuple[str, ...]
    towns: tuple[int, ...]
    extra: tuple[tuple[str, str | None, int], ...]
    demonstration: dict[str, int]
    relocated: tuple[int, int]


def network_studies(declared: Declared, language: Language = "zh") -> list[Study]:
    """Return one synthetic study per county of a declared network; summed they hold exactly the declared figures.

    Villages are the cells of a lattice of 2 km, their roads join neighbours, every village has a station, every town
    an institute, every county a centre. Approximate and blank figures are drawn from `declared.synthetic`.
    """
    return [_study(figures, language) for figures in county_figures(declared)]


def county_figures(declared: Declared) -> list[CountyFigures]:
    """Return the figures of a declared network shared out to its counties, whose sums are kept exactly."""
    n_counties = declared.synthetic.get("counties", 1)
    towns = _shares(_drawn(declared, "institute"), n_counties)
    stations = _drawn(declared, "station")
    urban = _shares(_drawn(declared, "station", "urban"), n_counties)
    rural = [whole - part for whole, part in zip(_shares(stations, n_counties), urban, strict=True)]
    extra = {(tier, area_class): _shares(number, n_counties) for tier, area_class, number in _extra(declared)}
    flags = {tiers: _shares(number, n_counties) for tiers, number in _flags(declared).items()}
    relocated = [_shares(_exact(declared.relocated.get(name, "")), n_counties) for name in ("people", "households")]
    return [
        CountyFigures(
            name=declared.name if n_counties == 1 else f"{declared.name}{text('demo.county', 'zh', number=county + 1)}",
            prefix=declared.code[:2].upper() + (f"{county + 1:02d}" if n_counties > 1 else ""),
            villages=("urban",) * urban[county] + ("rural",) * rural[county],
            towns=_towns_of(urban[county], rural[county], towns[county]),
            extra=tuple((*key, shares[county]) for key, shares in extra.items()),
            demonstration={tiers: shares[county] for tiers, shares in flags.items()},
            relocated=(relocated[0][county], relocated[1][county]),
        )
        for county in range(n_counties)
    ]


def county_declarations(declared: Declared, language: Language = "zh") -> list[Declared]:
    """Return what every county of a declared network would declare of itself: its share of the figures."""
    return [
        Declared.model_validate({
            "code": declared.code, "name": figures.name, "source": text("outputs.synthetic", language),
            "figures": _declared_figures(figures), "demonstration": figures.demonstration,
            "relocated": {name: n for name, n in zip(("people", "households"), figures.relocated, strict=True) if n},
        })
        for figures in county_figures(declared)
    ]  # fmt: skip


def _declared_figures(figures: CountyFigures) -> dict[str, int | dict[str, int]]:
    classes = Counter(figures.villages)
    found: dict[str, int | dict[str, int]] = {
        "centre": 1, "institute": len(set(figures.towns)), "station": {ALL: len(figures.villages), **classes},
    }  # fmt: skip
    for tier in dict.fromkeys(tier for tier, _, _ in figures.extra):
        found[tier] = sum(number for one, _, number in figures.extra if one == tier)
    return found


def _exact(value: int | str) -> int:
    return int(value or 0)


def _drawn(declared: Declared, tier: str, area_class: str = ALL) -> int:
    figure = declared.figure(tier, area_class)
    if figure.kind == "exact" and figure.number is not None:
        return figure.number
    key = tier if area_class == ALL else f"{tier}_{area_class}"
    return declared.synthetic.get(key, 0)


def _extra(declared: Declared) -> list[tuple[str, str | None, int]]:
    rows: list[tuple[str, str | None, int]] = []
    for tier in dict.fromkeys(("point", *declared.figures)):
        if tier in ("centre", "institute", "station"):
            continue
        parts = [_drawn(declared, tier, area_class) for area_class in ("urban", "rural")]
        if any(parts):
            rows += [(tier, "urban", parts[0]), (tier, "rural", parts[1])]
        else:
            rows.append((tier, None, _drawn(declared, tier)))
    return [row for row in rows if row[2]]


def _flags(declared: Declared) -> dict[str, int]:
    return {
        tiers: int(cell) if isinstance(cell, int) else declared.synthetic.get(tiers, 0)
        for tiers, cell in declared.demonstration.items()
    }


def _shares(number: int, n_parts: int) -> list[int]:
    return [number // n_parts + (part < number % n_parts) for part in range(n_parts)]


def _towns_of(n_urban: int, n_rural: int, n_towns: int) -> tuple[int, ...]:
    """Deal communities and villages to the towns in turn, so that none is without."""
    return (*islice(cycle(range(n_towns)), n_urban), *islice(cycle(reversed(range(n_towns))), n_rural))


def _study(figures: CountyFigures, language: Language) -> Study:
    units = _units(figures)
    study = new_study(figures.name, NETWORK_CRS).with_metadata(
        is_synthetic=True,
        population_source=text("outputs.synthetic", language),
        road_source=text("outputs.synthetic", language),
    )
    settlements = _settlements(figures, units)
    tables = {
        "areas": _areas(figures, units),
        "roads": _roads(units),
        "facilities": _facilities(figures, units),
        "demand": _demand(figures, units, settlements),
        "settlements": settlements,
    }
    for name, table in tables.items():
        if len(table):
            study = study.with_table(name, table)
    return study


def _units(figures: CountyFigures) -> pd.DataFrame:
    """Return one row a village: town, number in its town, class, names, row and column of its cell, x, y."""
    units = pd.DataFrame({"town": figures.towns, "class": figures.villages}).sort_values("town", kind="stable")
    units["number"] = units.groupby("town").cumcount()
    units["column"] = units["town"] * _COLUMNS_PER_TOWN + units["number"] % _COLUMNS_PER_TOWN
    units["row"] = units["number"] // _COLUMNS_PER_TOWN
    units["x"] = _WEST + (units["column"] + 0.5) * CELL_M
    units["y"] = _SOUTH + (units["row"] + 0.5) * CELL_M
    units["town_name"] = [text("demo.town", "zh", number=town + 1) for town in units["town"]]
    units["name"] = [
        text(f"demo.village_{kind}", "zh", town=town + 1, number=number + 1)
        for kind, town, number in zip(units["class"], units["town"], units["number"], strict=True)
    ]
    return units.reset_index(drop=True)


def _areas(figures: CountyFigures, units: pd.DataFrame) -> gpd.GeoDataFrame:
    half = CELL_M / 2
    boxes = shapely.box(units["x"] - half, units["y"] - half, units["x"] + half, units["y"] + half)
    villages = pd.DataFrame({
        "area_id": [f"{figures.prefix}V{row + 1:04d}" for row in range(len(units))], "name": units["name"],
        "level": "village", "parent_id": [f"{figures.prefix}T{town + 1:03d}" for town in units["town"]],
        "class": units["class"], "geometry": boxes,
    })  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for _, members in units.groupby("town", sort=True):
        name = members["town_name"].iloc[0]
        kind = "urban" if (members["class"] == "urban").mean() > 0.5 else "rural"
        key = f"{figures.prefix}T{members['town'].iloc[0] + 1:03d}"
        rows.append((key, name, "town", figures.prefix, kind, shapely.union_all(boxes[members.index])))
    rows.append((figures.prefix, figures.name, "county", None, None, shapely.union_all(boxes)))
    others = pd.DataFrame(rows, columns=villages.columns)
    return gpd.GeoDataFrame(pd.concat([others, villages], ignore_index=True), crs=NETWORK_CRS)


def _roads(units: pd.DataFrame) -> gpd.GeoDataFrame:
    at = {key: row for row, key in enumerate(zip(units["column"], units["row"], strict=True))}
    xy = units[["x", "y"]].to_numpy()
    pairs = [
        (row, at[other])
        for (column, line), row in at.items()
        for other in ((column + 1, line), (column, line + 1))
        if other in at
    ]
    # A piece beside every village, so that a village without neighbours has a road too.
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    lines = [shapely.LineString(xy[list(pair)]) for pair in ends]
    stubs = [shapely.LineString([point, point + np.array([150.0, 100.0])]) for point in xy]
    from_node = np.concatenate([ends[:, 0], np.arange(len(xy))])
    to_node = np.concatenate([ends[:, 1], np.arange(len(xy)) + len(xy)])
    n_roads = len(from_node)
    columns: dict[str, Any] = {
        "road_id": [f"R{row:05d}" for row in range(1, n_roads + 1)],
        "class": ["tertiary"] * len(lines) + ["residential"] * len(stubs), "name": None, "oneway": "no",
        "foot": None, "bicycle": None, "motor": None, "bridge": False, "tunnel": False,
        "from_node": from_node, "to_node": to_node,
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=[*lines, *stubs], crs=NETWORK_CRS)


def _facilities(figures: CountyFigures, units: pd.DataFrame) -> gpd.GeoDataFrame:
    heads = units.groupby("town").head(1).index
    records = units.to_dict("records")
    rows = [_place(figures, records, "centre", int(heads[0]), 0)]
    rows += [_place(figures, records, "institute", int(unit), number) for number, unit in enumerate(heads)]
    rows += [_place(figures, records, "station", unit, unit) for unit in range(len(units))]
    for tier, area_class, number in figures.extra:
        members = units.index if area_class is None else units.index[units["class"] == area_class]
        start = sum(row["tier"] == tier for row in rows)
        for turn, unit in enumerate(islice(cycle(members), number)):
            rows.append(_place(figures, records, tier, int(unit), start + turn))
    table = pd.DataFrame(rows)
    flag = np.zeros(len(table), dtype=bool)
    for tiers, number in figures.demonstration.items():
        wanted = np.full(len(table), tiers == "any") | table["tier"].isin(tiers.split("+")).to_numpy()
        flag[np.flatnonzero(wanted & ~flag)[:number]] = True
    table["is_demonstration"] = flag
    points = gpd.points_from_xy(table.pop("x"), table.pop("y"))
    return gpd.GeoDataFrame(table, geometry=points, crs=NETWORK_CRS)


def _place(figures: CountyFigures, units: Records, tier: str, unit: int, number: int) -> dict[str, Any]:
    row = units[unit]
    parents = {"centre": None, "institute": "Z0001", "station": f"S{row['town'] + 1:04d}", "point": f"N{unit + 1:04d}",
               "base": "Z0001"}  # fmt: skip
    parent = parents.get(tier)
    # Places of one village stand around its middle, within the cell.
    angle = 2.4 * number + len(tier)
    distance = 60.0 if tier in ("centre", "institute", "station") else 120.0 + 40.0 * (number % 12)
    name = figures.name if tier == "centre" else row["town_name"] if tier == "institute" else row["name"]
    # One place in six lacks a mechanism, one in nine has half a team.
    states = ["有"] * 5
    states[4] = "无" if number % 6 == 5 else "有"
    states[1] = "部分（缺骨干）@2024-05-01" if number % 9 == 8 else "有"
    return {
        "facility_id": f"{figures.prefix}{_LETTERS.get(tier, 'X')}{number + 1:04d}",
        "name": text("demo.place", "zh", unit=name, tier=text(f"terms.{tier}", "zh"), number=number + 1),
        "tier": tier, "town": row["town_name"], "village": row["name"], "class": row["class"],
        "parent_id": None if parent is None else f"{figures.prefix}{parent}",
        "capacity": float({"centre": 600, "institute": 160, "station": 60}.get(tier, 30)),
        "is_qualified": all(state == "有" for state in states), "is_online": False,
        "is_light": tier in ("hub", "post"), "opening_hours": _HOURS[number % len(_HOURS)],
        "function_rooms": "、".join(_ROOMS[: 5 if tier in ("centre", "institute") else 1 + number % 5]),
        "checklist": "；".join(f"{item}={state}" for item, state in zip(_FIVE, states, strict=True)),
        "x": row["x"] + distance * np.cos(angle), "y": row["y"] + distance * np.sin(angle),
    }  # fmt: skip


def _settlements(figures: CountyFigures, units: pd.DataFrame) -> gpd.GeoDataFrame:
    people, households = figures.relocated
    hosts = units.index[units["class"] == "rural"][::3] if people else units.index[:0]
    rows = units.loc[hosts]
    weights = 1.0 + np.arange(len(rows), dtype=np.float64) % 7
    sizes = split_exactly(people, weights) if len(rows) else np.zeros(0, np.int64)
    homes = split_exactly(households, weights) if len(rows) else np.zeros(0, np.int64)
    table = pd.DataFrame({
        "settlement_id": [f"{figures.prefix}A{row + 1:04d}" for row in range(len(rows))],
        "name": [text("demo.settlement", "zh", unit=name) for name in rows["name"]],
        "people": sizes.astype(float), "households": homes.astype(float), "town": rows["town_name"].to_numpy(),
        "village": rows["name"].to_numpy(),
    })  # fmt: skip
    points = gpd.points_from_xy(rows["x"] - 300.0, rows["y"] - 200.0)
    return gpd.GeoDataFrame(table, geometry=points, crs=NETWORK_CRS)


def _demand(figures: CountyFigures, units: pd.DataFrame, settlements: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    parts = []
    for turn, (east, north) in enumerate(_HAMLETS):
        population = units["class"].map(_PEOPLE).to_numpy() * np.array([0.5, 0.3, 0.2])[turn]
        parts.append(pd.DataFrame({
            "population": population.round(), "relocated": 0.0, "town": units["town_name"], "village": units["name"],
            "class": units["class"], "x": units["x"] + east, "y": units["y"] + north,
        }))  # fmt: skip
    if len(settlements):
        parts.append(pd.DataFrame({
            "population": settlements["people"], "relocated": settlements["people"], "town": settlements["town"],
            "village": settlements["village"], "class": "rural",
            "x": settlements.geometry.x, "y": settlements.geometry.y,
        }))  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "demand_id", [f"{figures.prefix}X{row:05d}" for row in range(1, len(table) + 1)])
    table["age60"] = (table["population"] * 0.22).round()
    table["children"] = (table["population"] * 0.16).round()
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.pop("x"), table.pop("y")), crs=NETWORK_CRS)
