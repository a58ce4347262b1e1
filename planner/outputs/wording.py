"""Codes of a result table as words a person reads."""

from __future__ import annotations

import pandas as pd

from planner.coverage.names import gap_names
from planner.outputs.statement import profile_name, tier_name
from planner.texts import Language, listed, text

_SUBJECTS = {
    "group": "terms.",
    "area_class": "terms.",
    "area_level": "terms.",
    "class": "terms.",
    "way": "terms.way_",
    "cause": "coverage.",
    "reason": "coverage.",
    "has_place_inside": "sheets.flag_",
    "has_place_in_village": "sheets.flag_",
    "nearest_quality": "coverage.quality_",
    "quality": "coverage.quality_",
    "is_demonstration": "sheets.flag_",
    "is_open_weekend": "sheets.flag_",
    "is_open_evening": "sheets.flag_",
    "before_basis": "coverage.before_",
    "own_by": "coverage.own_by_",
    "remedy": "coverage.remedy_",
    "state": "sheets.state_",
    "supply": "sheets.supply_",
    "is_new": "sheets.flag_",
    "check": "coverage.check_",
    "status": "coverage.status_",
    "is_served": "sheets.flag_",
    "size_class": "coverage.",
    "kind": "sheets.kind_",
    "consent": "sheets.consent_",
    "judgement": "network.verdict_",
    "measure": "network.measure_",
    "ratio": "network.ratio_",
    "unit": "network.unit_",
    "place_set": "network.place_set_",
    "rule_class": "terms.",
    "has_one": "sheets.flag_",
    "is_light": "sheets.flag_",
    "is_verified": "sheets.flag_",
    "is_checked": "sheets.flag_",
    "is_best": "sheets.flag_",
    "parent": "terms.",
    "standard": "standards.",
    "is_break": "sheets.flag_",
    "membership": "belts.membership_",
}
# Several codes in one cell, by comma.
_LISTS = {
    "doubts": "roads.doubt_",
    "basis": "belts.basis_",
    "functions": "belts.function_",
    "lacks_functions": "belts.function_",
}
_TIERS = {"tier", "nearest_tier", "own_tier"}
_NAMED = {"profile", *_TIERS}
# A whole of something else than people.
_WHOLE = {"class": "class_all", "rule_class": "class_all", "town_name": "town_all", "size_class": "class_all"}


# Lists of names in one cell, which the tables themselves set apart as Chinese does.
_NAME_LISTS = ("towns", "villages", "settlements", "sites", "site_names", "places", "other_rooms")


def with_names(table: pd.DataFrame, language: Language = "zh") -> pd.DataFrame:
    """Return `table` with what gaps are called, and with its lists of names, as `language` writes them; codes stay."""
    if language == "zh":
        return table
    lists = [name for name in _NAME_LISTS if name in table.columns]
    named = {name: [listed(cell.split("、"), language) if isinstance(cell, str) else cell for cell in table[name]]
             for name in lists}  # fmt: skip
    if "gap_id" in table.columns:
        named["name"] = gap_names(table, language)
    return table.assign(**{name: pd.Series(words, table.index, dtype=object) for name, words in named.items()})


def in_words(table: pd.DataFrame, language: Language = "zh") -> pd.DataFrame:
    """Return `table` without its geometry and with its codes as words; a code without words stays as it is."""
    worded = pd.DataFrame(with_names(table, language).drop(columns="geometry", errors="ignore"))
    for column in worded.columns:
        if column in _NAMED or column in _SUBJECTS or column in _WHOLE or column in _LISTS:
            worded[column] = pd.Series(
                [_word(str(column), value, language) for value in worded[column]], index=worded.index, dtype=object
            )
    return worded


def _word(column: str, value: object, language: Language) -> str | None:
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return None
    if value == "all" and column in _WHOLE:
        return text(f"network.{_WHOLE[column]}", language)
    if column in _LISTS:
        words = [_known(f"{_LISTS[column]}{code}", code, language) for code in str(value).split(",") if code]
        return listed(words, language)
    if column == "profile":
        return profile_name(str(value), language)
    if column in _TIERS:
        return tier_name(str(value), language)
    subject = _SUBJECTS.get(column)
    return str(value) if subject is None else _known(f"{subject}{str(value).lower()}", value, language)


def _known(key: str, value: object, language: Language) -> str:
    try:
        return text(key, language)
    except KeyError:
        return str(value)  # a code or a name of the user's own
