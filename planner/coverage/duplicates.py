"""Places that may be listed twice: one building under two names, one name at two spots. Proposals, never merged."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.schema import CONTRACTS
from planner.study import point_xy

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.study import Study

SAME_SPOT_M = 30.0
"""Two names within this distance are read as one building or yard."""
NEAR_M = 500.0
"""Alike names within this distance are read as one place with a coarse coordinate."""
SAME_NAME_M = 5_000.0
"""Equal names within this distance are read as one place with a wrong coordinate; farther apart, two villages."""
ALIKE_SHARE = 0.75
"""Names alike by this much, after their suffixes are taken off, are proposed; 1 = equal."""
COLUMNS = ("table", "id", "name", "tier", "other_table", "other_id", "other_name", "other_tier", "distance_m",
           "alike_share", "reason", "confidence")  # fmt: skip
_TABLES = ("facilities", "candidates")
_OLD_NAME = re.compile(r"[(\[](?:原|曾用名|又名|旧称|formerly)[::]?([^)\]]+)[)\]]|(?:[,;、]原名?|^原名)[::]?(.+)$")
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
# What stands behind the name of a village or unit and may differ between two lists of the same building.
_SUFFIXES = (
    "新时代文明实践", "文明实践", "实践",
    "综合文化服务", "基层综合性", "党群服务", "便民服务", "为民服务", "公共服务", "社会工作",
    "志愿服务", "村民委员会", "居民委员会", "村委会", "居委会", "党支部", "文化活动", "活动", "文化", "服务",
    "农家书屋", "书屋", "大院", "礼堂", "阵地", "办公楼", "办公室", "中心", "所", "站", "点", "室", "驿站", "社区",
    "行政村", "村", "旧址",
)  # fmt: skip
_CONFIDENCE = {
    "same_place": 0.95,
    "old_name": 0.9,
    "same_spot": 0.6,
    "alike_near": 0.7,
    "same_name": 0.6,
}


def find_duplicates(study: Study, tables: Sequence[str] = _TABLES) -> pd.DataFrame:
    """Return pairs of places that may be one: within facilities, within candidates, and between the two.

    Reasons: `same_place` (alike names at one spot), `old_name` (one bears the other's former name), `alike_near`
    (alike names within `NEAR_M`), `same_spot` (other names within `SAME_SPOT_M`, of one tier: a hall and its culture
    station), `same_name` (equal names within `SAME_NAME_M`). Places of two tiers at one spot with different names are
    no pair: an institute and a station often share a building.

    Parameters
    ----------
    study : its facilities and candidates; neither is changed.
    tables : which of the two to compare.

    Returns
    -------
    table : `COLUMNS`, distance in metres, likeliest first, then by ids.
    """
    places = [_places(study.table(name), name) for name in tables if study.has(name)]
    if not places or not sum(map(len, places)):
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(places, ignore_index=True)
    first, second = _near_pairs(table)
    places_of = table.to_dict("records")
    pairs = ((places_of[i], places_of[j]) for i, j in zip(first.tolist(), second.tolist(), strict=True))
    rows = [row for a, b in pairs if (row := _judged(a, b)) is not None]
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    order = ["confidence", "distance_m", "id", "other_id"]
    return found.sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def own_name(name: str, town: str = "") -> str:
    """Return what is left of a place's name without brackets, its town, and what any such place is called."""
    words = _without_town(_BRACKETS.sub("", _plain(name)), town)
    is_cut = True
    while is_cut:
        is_cut = False
        for suffix in _SUFFIXES:
            if words.endswith(suffix) and len(words) > len(suffix) + 1:
                words, is_cut = words.removesuffix(suffix), True
    return words


def old_names(name: str) -> tuple[str, ...]:
    """Return the former names that a name mentions, such as 乙村 in "甲村（原乙村）"."""
    return tuple(own_name(old) for found in _OLD_NAME.findall(_plain(name)) for old in found if old)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).lower().split())


def _places(table: gpd.GeoDataFrame, name: str) -> pd.DataFrame:
    names, towns, xy = _words(table, "name"), _words(table, "town"), point_xy(table)
    return pd.DataFrame({
        "table": name,
        "id": table[CONTRACTS[name].id_column].astype(str).to_numpy(),
        "name": names,
        "tier": _words(table, "tier"),
        "own": [own_name(each, town) for each, town in zip(names, towns, strict=True)],
        "old": [old_names(each) for each in names],
        "x": xy[:, 0],
        "y": xy[:, 1],
    })  # fmt: skip


def _words(table: gpd.GeoDataFrame, column: str) -> list[str]:
    """Return the texts of a column, "" where there is none."""
    if column not in table:
        return [""] * len(table)
    return [each if isinstance(each, str) else "" for each in table[column]]


def _without_town(words: str, town: str) -> str:
    """Return a name without the town in front of it: one list writes it, the other does not."""
    plain = _plain(town)
    return words.removeprefix(plain) if plain and len(words) > len(plain) + 1 else words


def _near_pairs(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions of pairs worth a look: near one another, or of equal name not too far apart."""
    from scipy.spatial import cKDTree

    xy = table[["x", "y"]].to_numpy(float)
    placed = np.flatnonzero(~np.isnan(xy[:, 0]))
    pairs = [placed[cKDTree(xy[placed]).query_pairs(NEAR_M, output_type="ndarray").reshape(-1, 2)]]
    is_named = (table["own"] != "") & table["x"].notna()
    by_name = {own: group.index.to_numpy() for own, group in table[is_named].groupby("own", sort=True)}
    for positions in by_name.values():
        within = cKDTree(xy[positions]).query_pairs(SAME_NAME_M, output_type="ndarray").reshape(-1, 2)
        pairs.append(positions[within])
    for i, names in enumerate(table["old"]):
        known = [by_name[name] for name in names if name in by_name]
        pairs.extend(np.column_stack([np.full(len(others), i), others])[others != i] for others in known)
    both = np.unique(np.sort(np.vstack(pairs), axis=1), axis=0)
    return both[:, 0], both[:, 1]


def _judged(a: Mapping[Hashable, Any], b: Mapping[Hashable, Any]) -> tuple[object, ...] | None:
    """Return the row of a pair that may be one place, None when it is none."""
    distance_m = float(np.hypot(a["x"] - b["x"], a["y"] - b["y"]))
    alike = _alike(a["own"], b["own"])
    reason = _reason(a, b, distance_m, alike)
    if reason is None:
        return None
    both = (place[key] for place in (a, b) for key in ("table", "id", "name", "tier"))
    return (*both, distance_m, alike, reason, _CONFIDENCE[reason])


def _reason(a: Mapping[Hashable, Any], b: Mapping[Hashable, Any], distance_m: float, alike: float) -> str | None:
    if distance_m <= SAME_NAME_M and (b["own"] in a["old"] or a["own"] in b["old"]):
        return "old_name"
    if a["table"] == b["table"] and a["tier"] != b["tier"]:
        return None
    if distance_m <= SAME_SPOT_M:
        return "same_place" if alike >= ALIKE_SHARE else "same_spot"
    if distance_m <= NEAR_M and alike >= ALIKE_SHARE:
        return "alike_near"
    return "same_name" if alike == 1.0 and distance_m <= SAME_NAME_M else None


def _alike(a: str, b: str) -> float:
    from rapidfuzz import fuzz

    is_named = not any(_is_generic(words) for words in (a, b))
    return fuzz.ratio(a, b) / 100 if is_named else 0.0


def _is_generic(words: str) -> bool:
    """Whether a name says nothing but what any such place is called."""
    return not words or any(words in suffix for suffix in _SUFFIXES)
