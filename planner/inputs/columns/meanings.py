"""What the cells of a place mean, asked at the door: tiers, parents, checklists and opening hours.

Nothing is changed or refused for it: a cell that means nothing is kept as it stands, and is a row of the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.coverage.checklist import parse_marks
from planner.coverage.hours import parse_hours
from planner.inputs.records import shown
from planner.scenario import scenario_of
from planner.tiers import cycles_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd

    from planner.inputs.records import Findings
    from planner.scenario import Scenario
    from planner.study import Study

    Problems = tuple[tuple[str, str], ...]


def note_meanings(
    study: Study, places: pd.DataFrame, headers: Mapping[str, str], findings: Findings, *, is_added: bool
) -> None:
    """Say which tiers nobody declared, which parents go round in a circle, and what in checklists and hours is unclear.

    Parameters
    ----------
    study : its scenario declares tiers and the checklist.
    places : the rows of a file as columns of the contract; row i is the i-th record.
    headers : of the columns that the file has.
    is_added : the rows come to those of the study, whose parents count as well.
    """
    scenario = scenario_of(study.scenarios)
    tiers = {"known": ", ".join(scenario.known_tiers)}
    items = {"known": "、".join(item.zh for item in scenario.checklist.items.values())}
    readers: Mapping[str, tuple[Callable[[str], Problems], Mapping[str, str]]] = {
        "tier": (lambda words: _tier_problems(words, scenario), tiers),
        "checklist": (lambda words: parse_marks(words, scenario.checklist)[1], items),
        "opening_hours": (lambda words: parse_hours(words).problems, {}),
    }
    for column, (problems_of, values) in readers.items():
        if column not in headers or column not in places:
            continue
        for words, rows in places.groupby(column, sort=False).indices.items():
            for code, part in problems_of(str(words)):
                for i in map(int, rows):
                    findings.remark(i, headers[column], code, value=part, header=headers[column], **values)
    if "parent_id" in headers and "parent_id" in places:
        for i, ring in _rings(study if is_added else None, places, findings):
            findings.remark(i, headers["parent_id"], "parent_cycle", ring=ring, header=headers["parent_id"])


def _tier_problems(words: str, scenario: Scenario) -> Problems:
    return () if words in scenario.known_tiers else (("tier_undeclared", words),)


def _rings(study: Study | None, places: pd.DataFrame, findings: Findings) -> Iterator[tuple[int, str]]:
    """Yield the first record of the file in every circle of parents, and the circle in words."""
    kept = places[~findings.refused]
    parent_of: dict[str, str | None] = {}
    for table in (study.table("facilities"), kept) if study is not None and study.has("facilities") else (kept,):
        if "parent_id" in table:
            of_table = table.dropna(subset=["parent_id"])
            parent_of |= dict(zip(of_table["facility_id"].astype(str), of_table["parent_id"].astype(str), strict=True))
    row_of = dict(zip(kept["facility_id"].astype(str), np.flatnonzero(~findings.refused).tolist(), strict=True))
    for ring in cycles_of(parent_of):
        rows = [row_of[key] for key in ring if key in row_of]
        if rows:
            yield min(rows), shown(" → ".join((*ring, ring[0])))
