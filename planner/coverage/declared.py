"""Declared against found: what a network reported of itself, and what its studies hold."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, ValidationError, field_validator

from planner.coverage.areas import CLASSES, assign_areas, texts
from planner.coverage.integrity import Finding
from planner.errors import EntriesError, InputError, ScenarioError
from planner.study import is_yes, physical_places
from planner.toml import Entry, entries_of, faults, toml_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.scenario import Scenario
    from planner.study import Study

Kind = Literal["exact", "at_least", "at_most", "about", "blank"]
ALL, ANY = "all", "any"
EQUAL, WITHIN, SHORT, OVER, NOT_DECLARED = "equal", "within", "short", "over", "not_declared"
_FIGURE = re.compile(r"(>=|<=|~|≥|≤|≈)?\s*(\d[\d,]*)")
_KINDS: Mapping[str, Kind] = {
    "": "exact", ">=": "at_least", "≥": "at_least", "<=": "at_most", "≤": "at_most", "~": "about", "≈": "about",
}  # fmt: skip
RATIOS = (
    ("stations_per_institute", "station", "institute"),
    ("points_per_station", "point", "station"),
    ("people_per_station", "people", "station"),
)
RECONCILED_COLUMNS = (
    "measure", "tier", "class", "declared", "lower", "upper", "found", "difference", "judgement",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """A declared figure: exact, a limit, approximate or blank; `number` is None when blank."""

    kind: Kind = "blank"
    number: int | None = None

    def bounds(self, approx_share: float) -> tuple[float, float]:
        """Return the smallest and largest found figure that agrees with it; NaN for a blank one."""
        if self.number is None:
            return np.nan, np.nan
        number = float(self.number)
        return {
            "exact": (number, number),
            "at_least": (number, np.inf),
            "at_most": (0.0, number),
            "about": (number * (1 - approx_share), number * (1 + approx_share)),
        }[self.kind]

    def __str__(self) -> str:
        sign = {"exact": "", "at_least": ">=", "at_most": "<=", "about": "~", "blank": ""}[self.kind]
        return "" if self.number is None else f"{sign}{self.number}"


def parse_figure(value: int | str) -> Figure:
    """Return the figure that a cell declares: 387, "387", ">=300", "<=20", "~20" or "".

    Raises
    ------
    ScenarioError
        When it is none of these.

    Examples
    --------
    >>> parse_figure(">=300")
    Figure(kind='at_least', number=300)
    """
    words = str(value).strip()
    if not words:
        return Figure()
    found = _FIGURE.fullmatch(words)
    if found is None or isinstance(value, bool):
        shown = words.lower() if isinstance(value, bool) else words
        raise ScenarioError(f'\'{shown}\' is no declared figure. Write 387, ">=300", "<=20", "~20" or "".')
    return Figure(_KINDS[found[1] or ""], int(found[2].replace(",", "")))


def _checked(value: Any) -> Any:  # noqa: ANN401  whatever the TOML holds
    parse_figure(value)
    return value


_Cell = Annotated[int | str, BeforeValidator(_checked)]


class Declared(Entry):
    """What one network declared of itself; see `presets/declared.toml`.

    Attributes
    ----------
    code, name, name_en, source, date : what it is, who said so, when.
    formula : as published; blank = put together from the figures.
    approx_share : how far a found figure may lie from an approximate one.
    figures : by tier and urban / rural class ("all", "urban", "rural").
    demonstration : demonstration places, by tier, tiers joined by "+", or "any".
    relocated : "people" and "households" of the relocation settlements.
    notes : published, but no count of places.
    synthetic : what the demo draws where a figure is approximate or blank.
    """

    code: str
    name: str
    name_en: str = ""
    source: str = ""
    date: str = ""
    formula: str = ""
    approx_share: float = Field(default=0.15, ge=0, lt=1)
    figures: dict[str, dict[Literal["all", "urban", "rural"], _Cell]] = Field(default_factory=dict)
    demonstration: dict[str, _Cell] = Field(default_factory=dict)
    relocated: dict[Literal["people", "households"], _Cell] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    synthetic: dict[str, int] = Field(default_factory=dict)

    @field_validator("figures", mode="before")
    @classmethod
    def _by_class(cls, value: Any) -> Any:  # noqa: ANN401  whatever the TOML holds
        if not isinstance(value, dict):
            return value
        return {tier: cell if isinstance(cell, dict) else {ALL: cell} for tier, cell in value.items()}

    def figure(self, tier: str, area_class: str = ALL) -> Figure:
        """Return the declared figure of a tier, blank where none is."""
        return parse_figure(self.figures.get(tier, {}).get(area_class, ""))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Reconciliation:
    """Declared against found.

    Attributes
    ----------
    declared : the declaration.
    table : `RECONCILED_COLUMNS`, one row per figure: measure ("places", "demonstration", "relocated"), tier (or
        people / households), class, declared as written, the range that agrees, found, difference (found - declared
        number; NaN when blank), judgement ("equal", "within", "short", "over", "not_declared").
    ratios : ratio, declared (NaN unless both figures are exact), found.
    declared_formula, found_formula : such as "1+12+150+N".
    findings : figures that cannot be reconciled, each with its repair.
    n_studies : how many studies were counted.
    """

    declared: Declared
    table: pd.DataFrame
    ratios: pd.DataFrame
    declared_formula: str
    found_formula: str
    findings: tuple[Finding, ...]
    n_studies: int

    @property
    def agrees(self) -> bool:
        """Whether no declared figure is short or over."""
        return not self.table["judgement"].isin([SHORT, OVER]).any()


def declared_from_toml(toml: str) -> dict[str, Declared]:
    """Return the declarations of a TOML text by code; a file with one network may leave its table's name out.

    Raises
    ------
    EntriesError
        Naming every entry that is wrong.
    """
    data = toml_tables(toml, "The declared figures")
    return entries_of({"declared": data} if "figures" in data else data, Declared, "The declared figures")


@cache
def declared_presets() -> dict[str, Declared]:
    """Return the declared figures of the eight networks that ship with the planner."""
    path = resources.files("planner.presets") / "declared.toml"
    return declared_from_toml(path.read_text(encoding="utf-8"))


def with_declaration(study: Study, declared: Declared) -> Study:
    """Return the study with the declared figures kept in its metadata, in place of others."""
    return study.with_metadata(declared=declared.model_dump(mode="json"))


def kept_declaration(study: Study) -> Declared | None:
    """Return the declared figures that a study keeps, None when it keeps none.

    Raises
    ------
    EntriesError
        When they were kept by another version of the planner and cannot be read.
    """
    kept = study.metadata.get("declared")
    if kept is None:
        return None
    try:
        return Declared.model_validate(kept)
    except ValidationError as error:
        raise EntriesError("The declared figures kept in the study", faults(error, Declared)) from error


def reconcile(studies: Sequence[Study], declared: Declared, scenario: Scenario) -> Reconciliation:
    """Return the declared figures against those of one or more studies (a city: one study per county), summed.

    Online services are not counted; light places are counted in their own tier.

    Raises
    ------
    InputError
        When two studies hold the same places: they would count twice.
    """
    _require_distinct(studies)
    counts = _counts(studies)
    rows = [*_place_rows(declared, counts, scenario), *_demonstration_rows(declared, counts)]
    rows += _relocated_rows(declared, studies)
    people = sum(float(study.table("demand")["population"].sum()) for study in studies if study.has("demand"))
    return Reconciliation(
        declared=declared,
        table=pd.DataFrame(rows, columns=list(RECONCILED_COLUMNS)),
        ratios=_ratios(declared, counts, people),
        declared_formula=declared.formula or _declared_formula(declared, scenario),
        found_formula="+".join(str(_total(counts, tier)) for tier in scenario.tiers),
        findings=tuple(_findings(declared, scenario)),
        n_studies=len(studies),
    )


def _require_distinct(studies: Sequence[Study]) -> None:
    """Raise `InputError` when a place of the same id and name stands on the same metre in two studies."""
    holders: dict[tuple[Any, ...], Study] = {}
    for study in studies:
        if not study.has("facilities"):
            continue
        places = physical_places(study.table("facilities"))
        spots = (places.geometry.x.round(), places.geometry.y.round())
        keys = list(zip(places["facility_id"].astype(str), texts(places, "name"), *spots, strict=True))
        twice = [key for key in keys if key in holders]
        if twice:
            shown = ", ".join(f"{name or key} ({key})" for key, name, *_ in twice[:5])
            raise InputError(
                f"The studies '{holders[twice[0]].name}' and '{study.name}' hold {len(twice)} places both ({shown}). "
                "They would count twice: name each county once."
            )
        holders |= dict.fromkeys(keys, study)


_Key = tuple[str, str | None, bool]


def _counts(studies: Sequence[Study]) -> dict[_Key, int]:
    """Return the number of physical places by tier, class and whether they are demonstration places."""
    counts: dict[_Key, int] = defaultdict(int)
    for study in studies:
        if not study.has("facilities"):
            continue
        facilities = physical_places(study.table("facilities"))
        classes = assign_areas(facilities, study.tables.get("areas"))["class"]
        flags = facilities["is_demonstration"] if "is_demonstration" in facilities.columns else [None] * len(facilities)
        for tier, area_class, flag in zip(facilities["tier"].astype(str), classes, flags, strict=True):
            counts[tier, area_class, is_yes(flag)] += 1
    return counts


def _total(counts: Mapping[_Key, int], tier: str, area_class: str = ALL, *, demonstration: bool = False) -> int:
    return sum(
        n
        for (of_tier, of_class, is_demonstration), n in counts.items()
        if tier in (of_tier, ANY) and area_class in (of_class, ALL) and (is_demonstration or not demonstration)
    )


def _place_rows(declared: Declared, counts: Mapping[_Key, int], scenario: Scenario) -> Iterator[tuple[Any, ...]]:
    more = sorted({tier for tier, _, _ in counts} - set(scenario.tiers) - set(declared.figures))
    for tier in dict.fromkeys((*scenario.tiers, *declared.figures, *more)):
        for area_class in (ALL, *CLASSES):
            found = _total(counts, tier, area_class)
            figure = declared.figure(tier, area_class)
            if area_class == ALL or figure.number is not None or found:
                yield _row("places", (tier, area_class), figure, found, declared)


def _demonstration_rows(declared: Declared, counts: Mapping[_Key, int]) -> Iterator[tuple[Any, ...]]:
    for tiers, cell in declared.demonstration.items():
        found = sum(_total(counts, tier, demonstration=True) for tier in tiers.split("+"))
        yield _row("demonstration", (tiers, ALL), parse_figure(cell), found, declared)


def _relocated_rows(declared: Declared, studies: Sequence[Study]) -> Iterator[tuple[Any, ...]]:
    tables = [study.table("settlements") for study in studies if study.has("settlements")]
    for column, cell in declared.relocated.items():
        found = round(sum(float(table[column].sum()) for table in tables if column in table.columns))
        yield _row("relocated", (column, ALL), parse_figure(cell), found, declared)


def _row(measure: str, key: tuple[str, str], figure: Figure, found: int, declared: Declared) -> tuple[Any, ...]:
    lower, upper = figure.bounds(declared.approx_share)
    difference = np.nan if figure.number is None else float(found - figure.number)
    if figure.number is None:
        verdict = NOT_DECLARED
    elif found < lower:
        verdict = SHORT
    elif found > upper:
        verdict = OVER
    else:
        verdict = EQUAL if figure.kind == "exact" else WITHIN
    return (measure, *key, str(figure), lower, upper, found, difference, verdict)


def _ratios(declared: Declared, counts: Mapping[_Key, int], people: float) -> pd.DataFrame:
    rows = []
    for name, above, below in RATIOS:
        number = people if above == "people" else float(_total(counts, above))
        said = [declared.figure(tier) for tier in (above, below)]
        exact = [float(figure.number or 0) if figure.kind == "exact" else np.nan for figure in said]
        rows.append((name, _ratio(*exact), _ratio(number, float(_total(counts, below)))))
    return pd.DataFrame(rows, columns=["ratio", "declared", "found"])


def _ratio(above: float, below: float) -> float:
    return above / below if below else np.nan


def _declared_formula(declared: Declared, scenario: Scenario) -> str:
    """Return the figures as counties write them; N stands for what nobody declared."""
    return "+".join(str(declared.figure(tier)) or "N" for tier in scenario.tiers)


def _findings(declared: Declared, scenario: Scenario) -> Iterator[Finding]:
    if not declared.source:
        yield Finding("declared_source_missing", "declared", (declared.code,), {"id": declared.code}, subject="network")
    known = (*scenario.known_tiers, ANY)
    named = dict.fromkeys((*declared.figures, *(tier for key in declared.demonstration for tier in key.split("+"))))
    for tier in named:
        if tier not in known:
            values: dict[str, Any] = {"id": tier, "tier": tier, "known": ", ".join(scenario.known_tiers)}
            yield Finding("declared_tier_unknown", "declared", (tier,), values, subject="network")
    for tier in declared.figures:
        figures = [declared.figure(tier, area_class) for area_class in (ALL, *CLASSES)]
        if all(figure.kind == "exact" for figure in figures):
            whole, *parts = (figure.number or 0 for figure in figures)
            if whole != sum(parts):
                values = {"tier": tier, "whole": whole, "parts": " + ".join(map(str, parts)), "sum": sum(parts)}
                yield Finding("declared_sum", "declared", (tier,), values, subject="network")
