"""Tiers that no column says: read from the names of the places, or from the sheet or file they stand in.

Registers are often kept one sheet a tier, or name the tier in every name (甲镇新时代文明实践所). What is read so is a
column like any other: it is shown with its evidence, and a header that the user chooses goes before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from planner.inputs.columns.cells import choice_key
from planner.inputs.columns.proposals import propose
from planner.inputs.records import is_blank
from planner.ledger import LedgerRow
from planner.schema import TIER_ENDINGS, TIERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePath

    import pandas as pd

    from planner.inputs.records import Cells, Findings, Records
    from planner.scenario import Scenario
    from planner.schema import TableContract

_ENDINGS = sorted(((ending, code) for code, endings, _ in TIER_ENDINGS for ending in endings), key=lambda p: -len(p[0]))
_CODES = dict(_ENDINGS)
_WORDS = {choice_key(word): code for code, words in TIERS for word in (code, *words)}
# "社会实践基地" is a place of schools.
_SAID = rf"(?:文明实践|(?<!社会)实践)(?:示范)?({'|'.join(ending for ending, _ in _ENDINGS)})"
_END = re.compile(_SAID + r"\s*(?:[(\[（【][^()（）]*[)\]）】]|[\d一二三四五六七八九十]+号?)*$")
# A title that goes on with another tier ("中心所站台账", "实践所、实践站") names no single one.
_TITLE = re.compile(_SAID + "([所站点岗和及与、/]?)")
_MOST = 0.5


def tier_of_name(name: str) -> str | None:
    """Return the tier that a place's name ends with, None where it says none.

    Examples
    --------
    >>> tier_of_name("甲镇新时代文明实践所"), tier_of_name("城东文明实践驿站（汽车站）"), tier_of_name("供电所")
    ('institute', 'hub', None)
    """
    found = _END.search(unicodedata.normalize("NFKC", name).strip())
    return None if found is None else _CODES[found.group(1)]


def tier_of_title(title: str) -> str | None:
    """Return the one tier that the title of a sheet, layer or file says, None where it says none or several."""
    key = unicodedata.normalize("NFKC", title).strip()
    if choice_key(key) in _WORDS:
        return _WORDS[choice_key(key)]
    said = _TITLE.findall(key)
    found = {_CODES[ending] for ending, _ in said}
    return found.pop() if len(found) == 1 and not any(more for _, more in said) else None


def says_tiers(title: str, names: Iterable[object]) -> bool:
    """Whether a title, or half of the names of a table, say which tier its places are of."""
    filled = [str(name) for name in names if not is_blank(name)]
    said = sum(tier_of_name(name) is not None for name in filled)
    return bool(filled) and (tier_of_title(title) is not None or said >= _MOST * len(filled))


def with_tiers_said(records: Records, contract: TableContract, wanted: Mapping[str, str], path: PurePath) -> Records:
    """Return a register of places with a column of the tiers that its names, sheet or file say, where it has none.

    Of a register that has the column, blank cells alone are filled. A finding says what was read from where.
    """
    if contract.name != "facilities":
        return records
    found = propose(records, contract, wanted).found
    if "name" not in found:
        return records
    names = records.columns[found["name"]]
    # A layer has the file's name where nobody named it.
    title = next((each for each in (records.source.part, path.stem) if tier_of_title(each)), "")
    if "tier" in found:
        return _filled(records, found["tier"], names)
    if not says_tiers(title, names):
        return records
    words, ways = _said(names, title)
    name = records.headers[found["name"]]
    counts = Counter(str(word) for word in words if word is not None)
    told = ", ".join(f"{_named(code)} {n}" for code, n in sorted(counts.items()))
    values = {"header": name, "title": title, "tiers": told}
    codes = {"name": "tiers_by_name", "title": "tiers_by_title"}
    notes = [LedgerRow(records.file, 0, name, codes[way], values, is_refused=False) for way in sorted(ways)]
    column = np.array(words, dtype=object)
    return replace(
        records,
        headers=(*records.headers, f"{name if 'name' in ways else title}→{contract.column('tier').zh}"),
        columns=(*records.columns, column),
        parts=(*records.parts, ()) if records.parts else (),
        findings=(*notes, *records.findings),
        said=(("tier", len(records.headers)),),
    )


def _said(names: Cells, title: str) -> tuple[list[str | None], set[str]]:
    """Return the tier of every row, and what said it: a "name" goes before the "title"."""
    of_title = tier_of_title(title)
    of_names = [None if is_blank(name) else tier_of_name(str(name)) for name in names]
    words = [of_name or (None if is_blank(name) else of_title) for name, of_name in zip(names, of_names, strict=True)]
    ways = {"name"} if any(of_names) else set()
    if any(word and not of_name for word, of_name in zip(words, of_names, strict=True)):
        ways.add("title")
    return words, ways


def _named(code: str) -> str:
    """Return a tier as both languages read it: "station (站)"."""
    return f"{code} ({dict(TIERS)[code][0]})"


def _filled(records: Records, position: int, names: Cells) -> Records:
    """Return the records with blank tiers filled from the names, a finding a row."""
    column = records.columns[position].copy()
    notes = []
    for i, (cell, name) in enumerate(zip(column, names, strict=True)):
        said = tier_of_name(str(name)) if is_blank(cell) and not is_blank(name) else None
        if said is not None:
            column[i] = said
            values = {"value": str(name), "tier": _named(said)}
            notes.append(
                LedgerRow(records.file, int(records.row[i]), records.headers[position], "tier_by_name", values,
                          is_refused=False)
            )  # fmt: skip
    if not notes:
        return records
    columns = list(records.columns)
    columns[position] = column
    return replace(records, columns=tuple(columns), findings=(*records.findings, *notes))


def settle_tiers(places: pd.DataFrame, scenario: Scenario, header: str, findings: Findings) -> None:
    """Put the tier for a longer word that ends with it ("市级新时代文明实践中心"), unless that is declared itself."""
    for words, rows in places.groupby("tier", sort=False).indices.items():
        said = tier_of_name(str(words))
        if said is None or str(words) in scenario.known_tiers:
            continue
        for i in map(int, rows):
            findings.repair(i, header, "tier_by_ending", (str(words), said), value=str(words), tier=_named(said))
            places.loc[places.index[i], "tier"] = said
