"""What makes a place count: its checklist item by item, who is qualified, and what has to be put right where."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.coverage.areas import assign_areas, level_of, texts
from planner.coverage.hours import hours_findings
from planner.coverage.integrity import Finding
from planner.coverage.population_share import share_of
from planner.study import is_yes, physical_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from planner.standards import Checklist
    from planner.study import Study
    from planner.texts import Language

State = Literal["none", "partial", "full", "not_judged"]
BY_CHECKLIST, BY_FLAG = "checklist", "flag"
NOT_JUDGED: Literal["not_judged"] = "not_judged"
ALL = "all"
_STATES: Mapping[str, State] = {
    "无": "none", "没有": "none", "缺": "none", "否": "none", "none": "none", "no": "none", "0": "none", "×": "none",
    "部分": "partial", "不全": "partial", "partial": "partial", "part": "partial", "half": "partial",
    "有": "full", "齐全": "full", "全": "full", "是": "full", "full": "full", "yes": "full", "1": "full", "√": "full",
}  # fmt: skip
_ENTRY = re.compile(r"(?P<item>[^=:]+)[=:]\s*(?P<state>[^(@]*?)\s*(?:\((?P<note>.*)\))?\s*(?:@\s*(?P<date>\S+))?")


@dataclass(frozen=True)
class Mark:
    """How one place stands on one item: its state, and a note and a date (ISO) where they were given."""

    state: State
    note: str = ""
    date: str = ""


def parse_marks(words: str, checklist: Checklist) -> tuple[dict[str, Mark], tuple[tuple[str, str], ...]]:
    """Return the marks by item code, and what could not be taken: pairs of a finding's code and the words.

    Entries are divided by semicolons: `item=state (note) @date`, where item is its code or its words, state is none /
    partial / full (无 / 部分 / 有), note and date may be left out. An item named twice keeps its last mark.
    """
    words_of = {code: (code, item.zh, item.en, *item.also) for code, item in checklist.items.items()}
    names = {_key(word.removeprefix("有")): code for code, words in words_of.items() for word in words}
    names |= {_key(word): code for code, words in words_of.items() for word in words if word}
    marks: dict[str, Mark] = {}
    problems = []
    for entry in filter(None, (part.strip() for part in re.split(r"[;\n]", unicodedata.normalize("NFKC", words)))):
        found = _ENTRY.fullmatch(entry)
        item = names.get(_key(found["item"])) if found else None
        state = _STATES.get(_key(found["state"])) if found else None
        if found is None or item is None:
            problems.append(("checklist_item_unknown", entry))
        elif state is None:
            problems.append(("checklist_state_unknown", entry))
        else:
            day = found["date"] or ""
            if day and not _is_date(day):
                problems.append(("checklist_date_unreadable", entry))
                day = ""
            marks[item] = Mark(state, (found["note"] or "").strip(), day)
    return marks, tuple(problems)


def checklist_table(study: Study, checklist: Checklist) -> pd.DataFrame:
    """Return one row per physical place and item: facility_id, name, tier, town_name, item, state, note, date.

    An item that the place's row does not name is "not_judged".
    """
    rows = []
    for place, marks in _marked(study, checklist):
        for item in checklist.items:
            mark = marks.get(item, Mark(NOT_JUDGED))
            rows.append((*place[:4], item, mark.state, mark.note, mark.date))
    columns = ["facility_id", "name", "tier", "town_name", "item", "state", "note", "date"]
    return pd.DataFrame(rows, columns=columns)


def place_quality(study: Study, checklist: Checklist) -> pd.DataFrame:
    """Return one row per physical place: whether it is qualified, and by what we know.

    Columns facility_id, name, tier, town_name, n_full, n_partial, n_none, n_not_judged, is_qualified, basis.
    "checklist": some item is judged; then qualified means that every item is full. "flag": no item is judged, the
    column is_qualified says so. "not_judged": neither; such a place is not qualified.
    """
    rows = []
    for place, marks in _marked(study, checklist):
        states = [marks[item].state if item in marks else NOT_JUDGED for item in checklist.items]
        counts = [states.count(state) for state in ("full", "partial", "none", NOT_JUDGED)]
        basis, qualified = BY_CHECKLIST, counts[0] == len(states)
        if counts[3] == len(states):
            basis = NOT_JUDGED if place[4] is None else BY_FLAG
            qualified = is_yes(place[4])
        rows.append((*place[:4], *counts, qualified, basis))
    columns = [
        "facility_id", "name", "tier", "town_name", "n_full", "n_partial", "n_none", "n_not_judged", "is_qualified",
        "basis",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def qualified_ids(study: Study, checklist: Checklist) -> set[str]:
    """Return the ids of the qualified places."""
    quality = place_quality(study, checklist)
    return set(quality.loc[quality["is_qualified"].astype(bool), "facility_id"])


def checklist_totals(study: Study, checklist: Checklist) -> pd.DataFrame:
    """Return the checklist summed by tier, and by tier and town.

    Columns tier, town_name ("all" = the whole county), n_places, n_judged, n_qualified, qualified_share (of all
    places), n_demonstration, and full:<item> for every item: the share of places that have it in full.
    """
    quality, long = place_quality(study, checklist), checklist_table(study, checklist)
    if quality.empty:
        return pd.DataFrame()
    full = long.assign(is_full=long["state"] == "full").pivot_table(
        index="facility_id", columns="item", values="is_full", aggfunc="first", sort=False
    )
    places = quality.merge(full.add_prefix("full:").reset_index(), on="facility_id", validate="one_to_one")
    facilities = physical_places(study.table("facilities"))
    flags = facilities["is_demonstration"] if "is_demonstration" in facilities.columns else [None] * len(facilities)
    demonstration = dict(zip(facilities["facility_id"].astype(str), map(is_yes, flags), strict=True))
    places["is_demonstration"] = places["facility_id"].map(demonstration)
    rows = []
    for tier, of_tier in places.groupby("tier", sort=False):
        rows.append(_total((tier, ALL), of_tier, checklist))
        rows += [_total((tier, town), part, checklist) for town, part in of_tier.groupby("town_name", sort=True)]
    return pd.DataFrame(rows)


def rectification_list(study: Study, checklist: Checklist, language: Language = "zh") -> gpd.GeoDataFrame:
    """Return which place lacks what, worst first: the list that is handed to the towns (整改清单).

    Columns rank, facility_id, name, tier, town_name, n_none, n_partial, lacks, partial, not_judged (items in words),
    notes, last_date, geometry. Places that are qualified are not in it.
    """
    quality = place_quality(study, checklist)
    rows = []
    for (place, marks), good in zip(_marked(study, checklist), quality["is_qualified"], strict=True):
        if good:
            continue
        by_state: dict[str, list[str]] = {"none": [], "partial": [], NOT_JUDGED: [], "full": []}
        notes = []
        for code, item in checklist.items.items():
            mark = marks.get(code, Mark(NOT_JUDGED))
            word = item.zh if language == "zh" else item.en or item.zh
            by_state[mark.state].append(word)
            if mark.note:
                notes.append(f"{word}：{mark.note}" if language == "zh" else f"{word}: {mark.note}")
        comma = "、" if language == "zh" else ", "
        words = [comma.join(by_state[state]) for state in ("none", "partial", NOT_JUDGED)]
        counts = (len(by_state["none"]), len(by_state["partial"]))
        last = max((mark.date for mark in marks.values()), default="")
        rows.append((*place[:4], *counts, *words, ("；" if language == "zh" else "; ").join(notes), last))
    columns = [
        "facility_id", "name", "tier", "town_name", "n_none", "n_partial", "lacks", "partial", "not_judged", "notes",
        "last_date",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    table = table.sort_values(["n_none", "n_partial", "facility_id"], ascending=[False, False, True], ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    where = {}
    if study.has("facilities"):
        facilities = study.table("facilities")
        where = dict(zip(facilities["facility_id"].astype(str), facilities.geometry, strict=True))
    geometry = gpd.GeoSeries([where[key] for key in table["facility_id"]], index=table.index, crs=study.crs)
    return gpd.GeoDataFrame(table, geometry=geometry, crs=study.crs)


def checklist_findings(study: Study, checklist: Checklist) -> tuple[Finding, ...]:
    """Return what is wrong in the checklists, flags and opening hours of the places, each with its repair."""
    if not study.has("facilities"):
        return ()
    return (*_mark_findings(study, checklist), *hours_findings(study.table("facilities")))


def _mark_findings(study: Study, checklist: Checklist) -> Iterator[Finding]:
    known = "、".join(item.zh for item in checklist.items.values())
    for (key, name, tier, _, flag), words in _places(study):
        values = {"id": key, "name": name, "tier": tier, "known": known}
        marks, problems = parse_marks(words, checklist)
        for code, entry in problems:
            yield Finding(code, "facilities", (key,), {**values, "entry": entry}, subject="network")
        lacking = [checklist.items[item].zh for item, mark in marks.items() if mark.state != "full"]
        if lacking and is_yes(flag):
            more = {**values, "lacking": "、".join(lacking)}
            yield Finding("qualified_but_lacking", "facilities", (key,), more, subject="network")


_Key = tuple[str, str, str, str, object]


def _places(study: Study) -> Iterator[tuple[_Key, str]]:
    """Yield facility_id, name, tier, town name and flag of every physical place, with its checklist's words."""
    if not study.has("facilities"):
        return
    facilities = physical_places(study.table("facilities"))
    areas = study.tables.get("areas")
    towns = level_of(areas, "town")
    names = {} if towns is None else dict(zip(towns["area_id"], towns["name"], strict=True))
    town_ids = assign_areas(facilities, areas)["town_id"]
    flags = facilities["is_qualified"] if "is_qualified" in facilities.columns else [None] * len(facilities)
    columns = (facilities["facility_id"].astype(str), texts(facilities, "name"), texts(facilities, "tier"))
    for key, name, tier, town, flag, words in zip(
        *columns, town_ids, flags, texts(facilities, "checklist"), strict=True
    ):
        blank = flag is None or pd.isna(flag)
        yield (key, name or key, tier or "", names.get(town, ""), None if blank else flag), words or ""


def _marked(study: Study, checklist: Checklist) -> Iterator[tuple[_Key, dict[str, Mark]]]:
    for place, words in _places(study):
        yield place, parse_marks(words, checklist)[0]


def _total(key: tuple[object, object], places: pd.DataFrame, checklist: Checklist) -> dict[str, object]:
    n_places, n_qualified = len(places), int(places["is_qualified"].sum())
    row: dict[str, object] = {
        "tier": key[0], "town_name": key[1], "n_places": n_places,
        "n_judged": int((places["basis"] != NOT_JUDGED).sum()), "n_qualified": n_qualified,
        "qualified_share": _share(n_qualified, n_places), "n_demonstration": int(places["is_demonstration"].sum()),
    }  # fmt: skip
    return row | {
        f"full:{item}": _share(int(places[f"full:{item}"].astype(bool).sum()), n_places) for item in checklist.items
    }


def _share(part: int, whole: int) -> float:
    share: NDArray[np.float64] = share_of(np.array([float(part)]), np.array([float(whole)]))
    return float(share[0])


@lru_cache(maxsize=4096)
def _key(words: str) -> str:
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", words)).lower()


def _is_date(words: str) -> bool:
    try:
        date.fromisoformat(words)
    except ValueError:
        return False
    return True
