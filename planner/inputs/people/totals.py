"""People of towns and villages from a table without coordinates, matched to the study's areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError
from planner.inputs.columns.checks import PARTS, checked_columns, require_usable
from planner.inputs.columns.headers import require_choices, require_columns
from planner.inputs.columns.proposals import propose
from planner.inputs.records import Findings
from planner.inputs.tables import note_matches, read_records
from planner.schema import TOTALS

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.inputs.options import ImportOptions
    from planner.ledger import Ledger
    from planner.study import Study

_SUFFIXES = ("街道办事处", "街道", "社区居委会", "居委会", "村委会", "村民委员会", "社区", "行政村", "镇", "乡", "村")


@dataclass(frozen=True)
class Totals:
    """People of areas.

    Attributes
    ----------
    file : name of the table.
    areas : one row a unit, of the study's areas: towns and villages that people are known of.
    people : int64[n].
    groups : name -> int64[n], of the groups that the table has, blank counted as nobody.
    ledger : what was refused and noted.
    """

    file: str
    areas: gpd.GeoDataFrame
    people: NDArray[np.int64]
    groups: dict[str, NDArray[np.int64]]
    ledger: Ledger


def read_totals(study: Study, path: Path, options: ImportOptions) -> Totals:
    """Return the people of towns and villages; a village's own figure goes before its town's.

    A row names its area by code, or by village and town, or by town; rows of one village that name different groups
    (小组, 自然村, 网格) are parts of it and are added up. Where a town and all of its villages have figures,
    the villages' are kept; where only some have, the rest of the town's people are for the others.

    Raises
    ------
    InputError
        When the study has no towns or villages, or no row can be matched.
    """
    areas = study.table("areas").reset_index(drop=True)
    if not areas["level"].isin(("town", "village")).any():
        raise InputError(
            "The study's areas hold no towns or villages to split people in. Import their boundaries first."
        )
    records = read_records(path, TOTALS, options)
    require_choices(records.headers, TOTALS, options.columns, records.file)
    proposal = propose(records, TOTALS, options.columns)
    require_columns(proposal.found, records.headers, TOTALS, records.file)
    findings = Findings(records.file, records.row)
    findings.add(records.findings)
    note_matches(proposal, findings)
    table = checked_columns(records, proposal.found, TOTALS, findings)
    owner = _matched(table, areas, findings)
    require_usable(findings, TOTALS)
    whole = _whole(table, findings)
    rows = np.flatnonzero(~findings.refused)
    groups = [name for name in PARTS if table[name].notna().any()]
    figures: dict[int, dict[str, int]] = {}
    for i in rows:
        figure = figures.setdefault(int(owner[i]), dict.fromkeys(("population", *groups), 0))
        for name in figure:
            figure[name] += int(whole[name][i])
    settled = _settled(figures, areas, findings)
    units = sorted(settled)
    return Totals(
        records.file,
        areas.iloc[units].reset_index(drop=True),
        np.array([settled[unit]["population"] for unit in units], dtype=np.int64),
        {name: np.array([settled[unit][name] for unit in units], dtype=np.int64) for name in groups},
        findings.ledger(),
    )


def plain_name(name: str) -> str:
    """Return a town's or village's name without what offices put behind it, where something is left."""
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix) + 1:
            return name.removesuffix(suffix)
    return name


def _matched(table: pd.DataFrame, areas: gpd.GeoDataFrame, findings: Findings) -> NDArray[np.int64]:
    """Return the area of each row, -1 (and a refusal) where there is none, are several, or it had a row before."""
    by_id = {str(code): i for i, code in enumerate(areas["area_id"])}
    names = _names_of(areas)
    owner = np.full(len(table), -1, dtype=np.int64)
    # Unit -> part of it ("" = the whole) -> row; a whole beside its parts would count people twice.
    seen: dict[int, dict[str, int]] = {}
    for i in np.flatnonzero(~findings.refused).tolist():
        code, village, town, part = (_word(table[name].iloc[i]) for name in ("area_id", "village", "town", "name"))
        if not village and (plain_name(town), plain_name(part)) in names:
            village, part = part, ""
        found = [by_id[code]] if code in by_id else names.get((plain_name(town), plain_name(village)), [])
        shown = " ".join(word for word in (town, village, part) if word) or code
        if len(found) != 1:
            findings.refuse(i, "", "unit_unknown" if not found else "unit_several", value=shown, n=len(found))
            continue
        before = seen.setdefault(found[0], {})
        if part in before or (before and "" in (part, *before)):
            findings.refuse(i, "", "unit_twice", value=shown, first=before.get(part, next(iter(before.values()))))
            continue
        owner[i] = found[0]
        before[part] = int(findings.row[i])
    return owner


def _names_of(areas: gpd.GeoDataFrame) -> dict[tuple[str, str], list[int]]:
    """Return the areas by (town, village): towns with "", villages with their town and without."""
    name_of = dict(zip(areas["area_id"], areas["name"], strict=True))
    names: dict[tuple[str, str], list[int]] = {}
    for i, (level, name, parent) in enumerate(zip(areas["level"], areas["name"], areas["parent_id"], strict=True)):
        own = plain_name(str(name))
        town = plain_name(_word(name_of.get(parent)))
        keys = {"town": [(own, "")], "village": [(town, own), ("", own)]}.get(level, [])
        for key in dict.fromkeys(keys):
            names.setdefault(key, []).append(i)
    return names


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _whole(table: pd.DataFrame, findings: Findings) -> dict[str, NDArray[np.int64]]:
    """Return the counts as whole people; fractions are rounded, and noted."""
    whole = {}
    for name in ("population", *PARTS):
        values = np.nan_to_num(table[name].to_numpy(float))
        whole[name] = np.round(values).astype(np.int64)
        for i in np.flatnonzero((whole[name] != values) & ~findings.refused).tolist():
            findings.repair(i, name, "total_rounded", (f"{values[i]:.15g}", str(whole[name][i])),
                            value=f"{values[i]:.15g}", number=int(whole[name][i]))  # fmt: skip
    # Rounding may lift parts above their whole by one.
    for name in PARTS:
        whole[name] = np.minimum(whole[name], whole["population"])
    whole["children"] = np.minimum(whole["children"], whole["population"] - whole["age60"])
    return whole


def _settled(
    figures: dict[int, dict[str, int]], areas: gpd.GeoDataFrame, findings: Findings
) -> dict[int, dict[str, int]]:
    """Return one figure for every place: villages' own, and of towns what their villages leave."""
    settled = dict(figures)
    for town in [unit for unit in figures if areas["level"].iloc[unit] == "town"]:
        code, name = areas["area_id"].iloc[town], str(areas["name"].iloc[town])
        villages = np.flatnonzero((areas["parent_id"] == code) & (areas["level"] == "village")).tolist()
        known = [village for village in villages if village in figures]
        if not known:
            continue
        rest = {key: figures[town][key] - sum(figures[village][key] for village in known) for key in figures[town]}
        is_possible = min(rest.values()) >= 0 and rest["population"] >= rest.get("age60", 0) + rest.get("children", 0)
        if len(known) < len(villages) and is_possible:
            settled[town] = rest
            continue
        del settled[town]
        if rest["population"] != 0:
            findings.note("", "town_differs", town=name, people=figures[town]["population"], rest=rest["population"])
    return settled
