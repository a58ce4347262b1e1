"""Rows against their contract: every problem of every row and column at once, through pandera."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.inputs.columns.cells import empty, parse
from planner.schema import WAY_UNSTATED
from planner.texts import LANGUAGES, text, translated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pandera.pandas as pa

    from planner.inputs.records import Cells, Findings, Records
    from planner.ledger import LedgerRow
    from planner.schema import Column, TableContract
    from planner.texts import Language

# The column that counts everybody of a row, and those that count some of them.
WHOLES: Mapping[str, str] = {"demand": "population", "totals": "population", "settlements": "people"}
PARTS = ("age60", "children", "relocated")
_PREFIXES: Mapping[str, str] = {
    "facilities": "F",
    "candidates": "C",
    "demand": "D",
    "totals": "T",
    "settlements": "S",
    "areas": "A",
    "barriers": "B",
    "corridors": "L",
    "roads": "R",
}
_DEFAULTS: Mapping[tuple[str, str], str] = {("candidates", "tier"): "point", ("candidates", "way"): WAY_UNSTATED}
_TOTAL = re.compile(r"(合计|总计|小计|共计|总合计|total|sum|subtotal|grandtotal)[:：]?")
_ID_DIGITS = 5
_SAME_TOTAL = 0.5


def checked_columns(
    records: Records,
    found: Mapping[str, int],
    contract: TableContract,
    findings: Findings,
    taken: Collection[str] = (),
    *,
    is_update: bool = False,
) -> pd.DataFrame:
    """Return one row per record with every column of the contract; findings say which rows to leave out.

    Parameters
    ----------
    records : the file's rows.
    found : field -> position of its header.
    contract : of the table.
    findings : where refusals and repairs go.
    taken : ids that the study has already.
    is_update : a row with one of them takes the place of the old one, and is not refused.
    """
    n_rows = len(records)
    totals = _refuse_totals(records, found, contract, findings)
    table = pd.DataFrame(index=pd.RangeIndex(n_rows))
    headers = {column.name: records.headers[found[column.name]] for column in contract.columns if column.name in found}
    for column in contract.columns:
        if column.name in found:
            cells = _filled(records, found[column.name], column)
            table[column.name] = parse(column, headers[column.name], cells, findings)
        else:
            table[column.name] = empty(column, n_rows)
    for (name, field), value in _DEFAULTS.items():
        if name == contract.name:
            table[field] = table[field].where(table[field].notna(), value)
    _give_ids(table, contract, headers, findings, taken)
    _validate(table, contract, headers, findings)
    if not is_update:
        _refuse_taken(table, contract, headers, findings, taken)
    _check_total(table, contract, headers, findings, totals)
    _cap_parts(table, contract, headers, findings)
    return table


def contract_schema(contract: TableContract) -> pa.DataFrameSchema:
    """Return the contract as a pandera schema: required, unique and in range; failed checks carry the ledger's code."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            column.name: pa.Column(
                nullable=not column.is_required,
                unique=column.kind == "id",
                report_duplicates="exclude_first",
                checks=_range_checks(column),
            )
            for column in contract.columns
        }
    )


def _range_checks(column: Column) -> list[pa.Check]:
    import pandera.pandas as pa

    checks = []
    if column.minimum is not None:
        checks.append(pa.Check.ge(column.minimum, error="too_small"))
    if column.maximum is not None:
        checks.append(pa.Check.le(column.maximum, error="too_large"))
    return checks


def _validate(table: pd.DataFrame, contract: TableContract, headers: Mapping[str, str], findings: Findings) -> None:
    """Check the whole table against its contract at once and turn every failure into a finding."""
    from pandera.errors import SchemaErrors

    unread = {(finding.row, finding.column) for finding in findings.rows if finding.is_refused}
    try:
        contract_schema(contract).validate(table, lazy=True)
    except SchemaErrors as errors:
        failures = errors.failure_cases.dropna(subset=["index"])
    else:
        return
    first_rows = _first_rows(table[contract.id_column], findings.row)
    for failure in failures.itertuples():
        i, column = int(failure.index), contract.column(str(failure.column))
        header = headers.get(column.name, column.name)
        if failure.check == "not_nullable":
            # A cell that could not be read is reported as such already.
            if (int(findings.row[i]), header) not in unread:
                findings.refuse(i, header, "blank", header=header)
        elif failure.check == "field_uniqueness":
            value = table[column.name].iloc[i]
            findings.refuse(i, header, "duplicate_id", value=value, first=first_rows[value])
        else:
            _out_of_range(table, i, column, header, str(failure.check), findings)


def _out_of_range(table: pd.DataFrame, i: int, column: Column, header: str, code: str, findings: Findings) -> None:
    limit = column.minimum if code == "too_small" else column.maximum
    report = findings.refuse if column.is_required else findings.drop
    report(i, header, code, value=f"{table[column.name].iloc[i]:.15g}", limit=f"{limit:.15g}", header=header)
    if not column.is_required:
        table.loc[i, column.name] = np.nan if column.kind == "number" else pd.NA


def _first_rows(ids: pd.Series, row: np.ndarray) -> dict[str, int]:
    firsts = ~ids.duplicated()
    return dict(zip(ids[firsts], row[firsts.to_numpy()].tolist(), strict=True))


def _filled(records: Records, position: int, column: Column) -> Cells:
    """Return the cells of a column, with cells merged downwards repeated where they are words, not counts or ids."""
    cells = records.columns[position]
    if column.kind not in ("text", "choice", "flag") or not records.merges:
        return cells
    cells = cells.copy()
    for merged, first, last in records.merges:
        if merged == position:
            cells[first : last + 1] = [cells[first]] * (last + 1 - first)
    return cells


def _refuse_totals(
    records: Records, found: Mapping[str, int], contract: TableContract, findings: Findings
) -> list[int]:
    """Refuse the total lines that close most workbooks, as they would count everybody twice; return where they are."""
    totals = set()
    positions = [found[c.name] for c in contract.columns if c.name in found and c.kind in ("id", "text")]
    # A total may also stand in a column of running numbers that is no field.
    for position in sorted({*positions, 0} if records.headers else set()):
        for i, cell in enumerate(records.columns[position]):
            if isinstance(cell, str) and _TOTAL.fullmatch("".join(cell.split()).lower()):
                findings.refuse(i, records.headers[position], "total_row", value=cell.strip())
                findings.close(i)
                totals.add(i)
    return sorted(totals)


def _check_total(
    table: pd.DataFrame, contract: TableContract, headers: Mapping[str, str], findings: Findings, totals: list[int]
) -> None:
    """Tell when the file's one total line differs from what its rows add up to: a row is missing, or a figure wrong."""
    if contract.name not in WHOLES or len(totals) != 1:
        return
    people = table[WHOLES[contract.name]].to_numpy(float)
    declared = people[totals[0]]
    added = float(np.nan_to_num(people[~findings.closed]).sum())
    if np.isfinite(declared) and abs(declared - added) > _SAME_TOTAL:
        header = headers[WHOLES[contract.name]]
        findings.note(
            header, "total_differs", total=f"{declared:.15g}", added=f"{added:.15g}", header=header,
            row=int(findings.row[totals[0]]),
        )  # fmt: skip


def _give_ids(
    table: pd.DataFrame, contract: TableContract, headers: Mapping[str, str], findings: Findings, taken: Collection[str]
) -> None:
    """Number rows without an id in their order, passing over ids that exist."""
    field = contract.id_column
    missing = np.flatnonzero(table[field].isna() & ~findings.closed)
    if not len(missing):
        return
    used = {*table[field].dropna(), *taken}
    prefix, number = _PREFIXES[contract.name], 0
    given = []
    for _ in missing:
        number += 1
        while f"{prefix}{number:0{_ID_DIGITS}d}" in used:
            number += 1
        given.append(f"{prefix}{number:0{_ID_DIGITS}d}")
    table.loc[missing, field] = given
    header = headers.get(field, field)
    if not table[field].notna().sum() - len(given):
        findings.note(header, "ids_given", n=len(missing), first=given[0], last=given[-1])
        return
    for i, new in zip(missing.tolist(), given, strict=True):
        if not findings.refused[i]:
            findings.repair(i, header, "id_given", ("", new), id=new)


def _refuse_taken(
    table: pd.DataFrame, contract: TableContract, headers: Mapping[str, str], findings: Findings, taken: Collection[str]
) -> None:
    field = contract.id_column
    for i in np.flatnonzero(table[field].isin(list(taken))).tolist():
        findings.refuse(i, headers.get(field, field), "taken_id", value=table[field].iloc[i])


def _cap_parts(table: pd.DataFrame, contract: TableContract, headers: Mapping[str, str], findings: Findings) -> None:
    """Cut groups down to the people there are: each to the whole, children also to what the over-60s leave."""
    if contract.name not in WHOLES:
        return
    whole = table[WHOLES[contract.name]].to_numpy(float)
    room = {name: whole.copy() for name in PARTS}
    for name in PARTS:
        if name not in table:
            continue
        part = table[name].to_numpy(float, copy=True)
        for i in np.flatnonzero((part > room[name]) & (whole >= 0) & ~findings.refused).tolist():
            limit = room[name][i]
            values = {"value": f"{part[i]:.15g}", "limit": f"{limit:.15g}", "whole": f"{whole[i]:.15g}"}
            header = headers[name]
            findings.repair(i, header, "part_above_whole", (values["value"], values["limit"]), header=header, **values)
            part[i] = limit
        table[name] = part
        if name == "age60":
            room["children"] = whole - np.nan_to_num(part)


def people_counts(table: pd.DataFrame, contract: TableContract, findings: Findings) -> dict[str, float]:
    """Return the people of all records, of those accepted and of those refused; nothing for tables that count none.

    Lines that are no record (totals, notes) count nobody.
    """
    if contract.name not in WHOLES:
        return {}
    people = np.maximum(np.nan_to_num(table[WHOLES[contract.name]].to_numpy(float)), 0.0)
    people = np.where(findings.closed, 0.0, people)
    refused = float(people[findings.refused].sum())
    return {"people_in": float(people.sum()), "people_accepted": float(people.sum()) - refused,
            "people_refused": refused}  # fmt: skip


def require_usable(findings: Findings, contract: TableContract, hint: Mapping[Language, str] | None = None) -> None:
    """Raise `InputError` when no row is left, with the reasons, and a hint by language.

    Raises
    ------
    InputError
        Naming the commonest problems, with the first five rows of each.
    """
    if not findings.refused.all():
        return
    if not len(findings.row):
        raise InputError(f"{findings.file} holds no rows of {contract.name} ({contract.zh}).")
    reasons: dict[tuple[str, str], list] = {}
    for finding in findings.ledger().rows:
        if finding.is_refused:
            reasons.setdefault((finding.code, finding.column), []).append(finding)
    common = sorted(reasons.values(), key=len, reverse=True)[:3]
    english, chinese = (
        f"Nothing in {findings.file} can be used: all {len(findings.row)} rows are refused. "
        f"{_reasons(common, language)}{'' if hint is None else hint[language]}"
        for language in reversed(LANGUAGES)
    )
    raise InputError(english, translated(chinese, "zh"))


def _reasons(common: Sequence[Sequence[LedgerRow]], language: Language) -> str:
    """Return the problems, each with its first five rows and its repair, as one paragraph."""
    return " ".join(
        text("problems.reason", language, problem=found[0].problem(language), n=len(found),
             rows=", ".join(str(row.row) for row in found[:5]) + (" ..." if len(found) > 5 else ""),  # noqa: PLR2004
             repair=found[0].repair(language))
        for found in common
    )  # fmt: skip
