"""What a study holds, counted, and what in it contradicts itself: the answer of `planner check`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.coverage.areas import CLASSES, assign_areas, assign_by_position, level_of, texts
from planner.coverage.duplicates import find_duplicates
from planner.coverage.people import people_by_group
from planner.coverage.places import ONLINE_WAY
from planner.crs import transform
from planner.scenario import GROUPS
from planner.schema import CONTRACTS, TIERS
from planner.study import is_online, point_xy
from planner.texts import entries, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.scenario import Scenario
    from planner.study import Grid, Study
    from planner.texts import Language

ALL = "all"
_POINT_TABLES = ("facilities", "candidates", "demand", "settlements")
_SHOWN = 5
_LIKELY = 0.9


@dataclass(frozen=True)
class Finding:
    """One contradiction in a study.

    Attributes
    ----------
    code : key of its words: `<code>_problem` and `<code>_repair` in `texts/<subject>.toml`.
    table : where it is.
    ids : of the rows it concerns, all of them; empty for the table as a whole.
    values : what else fills the words.
    subject : file of its words.
    wording : where one code is said in several ways, that of the problem in place of the code.
    """

    code: str
    table: str
    ids: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    subject: str = "coverage"
    wording: str = ""

    def problem(self, language: Language = "zh") -> str:
        """What is wrong, with the number of rows and the first five."""
        return text(
            f"{self.subject}.{self.wording or self.code}_problem",
            language,
            n=len(self.ids),
            ids=self._first(),
            **self._worded(language),
        )

    def repair(self, language: Language = "zh") -> str:
        """How to mend it."""
        return text(f"{self.subject}.{self.code}_repair", language, **self._worded(language))

    def _worded(self, language: Language) -> dict[str, Any]:
        words = entries("terms")
        return {
            key: words[value][language] if key.endswith("tier") and value in words else value
            for key, value in self.values.items()
        }

    def _first(self) -> str:
        return ", ".join(self.ids[:_SHOWN]) + (" …" if len(self.ids) > _SHOWN else "")


@dataclass(frozen=True)
class StudyCheck:
    """The figures of a study, and its contradictions.

    Attributes
    ----------
    facilities : tier, class ("all", "urban", "rural", None = neither), n_facilities (places one can walk into),
        n_online; tiers of the scenario first, then any others; classes that do not occur have a row with 0.
    totals : n_<table> for every table, n_towns, n_villages, population, age60_people, children_people,
        relocated_people (absent where the demand does not know the group), settlement_people, settlement_households,
        n_candidates_way_<1..6>, n_<table>_without_town and n_<table>_without_village for tables of points.
    findings : contradictions, in the order of tables and checks; empty = none.
    """

    facilities: pd.DataFrame
    totals: dict[str, float]
    findings: tuple[Finding, ...]

    def to_frame(self, language: Language = "zh") -> pd.DataFrame:
        """Return the findings as a table: code, table, n_rows, ids (all, by comma), problem, repair."""
        rows = [
            (one.code, one.table, len(one.ids), ", ".join(one.ids), one.problem(language), one.repair(language))
            for one in self.findings
        ]
        return pd.DataFrame(rows, columns=["code", "table", "n_rows", "ids", "problem", "repair"])

    def totals_in_words(self, language: Language = "zh") -> list[dict[str, Any]]:
        """Return the totals as records of `item` (words) and `value`, in their order."""
        return [{"item": _total_in_words(name, language), "value": value} for name, value in self.totals.items()]

    def facilities_in_words(self, language: Language = "zh") -> list[dict[str, Any]]:
        """Return `facilities` as records of the same columns, tiers and classes in words; own tiers as they are."""
        known = {code for code, _ in TIERS}
        words = self.facilities.copy()
        words["tier"] = [text(f"terms.{tier}", language) if tier in known else tier for tier in words["tier"]]
        classes = [of_class if of_class in (ALL, *CLASSES) else "neither" for of_class in words["class"]]
        words["class"] = [text(f"coverage.class_{of_class}", language) for of_class in classes]
        return [{str(name): value for name, value in row.items()} for row in words.to_dict("records")]


def _total_in_words(name: str, language: Language) -> str:
    """Return what a total counts, in words."""
    if name.startswith("n_candidates_way_"):
        way = name.removeprefix("n_candidates_way_")
        return text("coverage.total_way", language, way=way, name=text(f"terms.way_{way}", language))
    for unit in ("town", "village"):
        if name.endswith(f"_without_{unit}"):
            table = CONTRACTS[name.removeprefix("n_").removesuffix(f"_without_{unit}")]
            word = table.zh if language == "zh" else table.en
            return text(f"coverage.total_without_{unit}", language, table=word)
    return text(f"coverage.total_{name}", language)


def check_study(study: Study, scenario: Scenario) -> StudyCheck:
    """Return the study's figures and its contradictions; a table that was not imported counts 0 rows."""
    areas = study.tables.get("areas")
    assigned = {name: assign_areas(study.table(name), areas) for name in _POINT_TABLES if study.has(name)}
    classes = assigned["facilities"]["class"] if "facilities" in assigned else pd.Series(dtype=object)
    return StudyCheck(
        facilities=facility_counts(study, classes, scenario),
        totals=_totals(study, assigned),
        findings=tuple(_findings(study, assigned, scenario)),
    )


def facility_counts(study: Study, classes: pd.Series, scenario: Scenario) -> pd.DataFrame:
    """Return n_facilities and n_online per tier and urban / rural class; `classes` is of `assign_areas`."""
    columns = ["tier", "class", "n_facilities", "n_online"]
    tier = np.array([], dtype=object)
    online = np.array([], dtype=bool)
    if study.has("facilities"):
        facilities = study.table("facilities")
        tier, online = facilities["tier"].to_numpy(dtype=object), is_online(facilities)
    others = sorted(set(tier) - set(scenario.tiers))
    own_class = classes.to_numpy(dtype=object)
    neither = np.array([value not in CLASSES for value in own_class], dtype=bool)
    rows = []
    for code in (*scenario.tiers, *others):
        masks = {ALL: np.ones(len(tier), dtype=bool)} | {name: own_class == name for name in CLASSES} | {None: neither}
        for name, mask in masks.items():
            of_both = (tier == code) & mask
            rows.append((code, name, int((of_both & ~online).sum()), int((of_both & online).sum())))
    return pd.DataFrame(rows, columns=columns)


def _totals(study: Study, assigned: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    totals: dict[str, float] = {f"n_{name}": len(study.tables.get(name, ())) for name in CONTRACTS}
    for level in ("town", "village"):
        areas = level_of(study.tables.get("areas"), level)
        totals[f"n_{level}s"] = 0 if areas is None else len(areas)
    if study.has("demand"):
        sums = people_by_group(study.table("demand")).sum()
        totals |= {"population" if group == "all" else f"{group}_people": float(sums[group]) for group in sums.index}
    if study.has("settlements"):
        settlements = study.table("settlements")
        totals["settlement_people"] = float(settlements["people"].sum())
        if "households" in settlements.columns:
            totals["settlement_households"] = float(settlements["households"].sum())
    if study.has("candidates"):
        ways = study.table("candidates")["way"].astype(str)
        totals |= {f"n_candidates_way_{way}": int((ways == str(way)).sum()) for way in range(1, 7)}
    for name, table in assigned.items():
        totals |= {f"n_{name}_without_{unit}": int(table[f"{unit}_id"].isna().sum()) for unit in ("town", "village")}
    return totals


def _findings(study: Study, assigned: Mapping[str, pd.DataFrame], scenario: Scenario) -> Iterator[Finding]:
    for name in ("facilities", "demand"):
        if not study.has(name):
            yield Finding("no_table", name, values={"name": name})
    for name in assigned:
        points = study.table(name)
        is_lost = np.isnan(point_xy(points)[:, 0])
        yield from _some("no_position", name, points.loc[is_lost, CONTRACTS[name].id_column])
        if study.has("areas"):
            yield from _place_findings(points[~is_lost], study.table("areas"), name)
    if study.has("facilities"):
        yield from _facility_findings(study.table("facilities"), scenario)
    if study.has("candidates"):
        candidates = study.table("candidates")
        way = candidates["way"].astype(str)
        yield from _some("online_candidates", "candidates", candidates.loc[way == ONLINE_WAY, "candidate_id"])
    yield from _double_findings(study)
    if study.metadata.get("population_covers_share") is not None:
        share = f"{study.metadata['population_covers_share']:.0%}"
        yield Finding("population_covers_part", "demand", values={"share": share})
    if study.has("demand"):
        yield from _demand_findings(study)
    if study.has("roads") and "elevation" in study.grids:
        roads = study.table("roads")
        is_beyond = _beyond(roads, study.grids["elevation"])
        yield from _some("elevation_too_small", "roads", roads.loc[is_beyond, "road_id"])


def _place_findings(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, name: str) -> Iterator[Finding]:
    """Yield what is wrong between the names in the rows, their positions and the areas."""
    ids = points[CONTRACTS[name].id_column]
    named, at = assign_areas(points, areas), assign_by_position(points, areas)
    for level in ("town", "village"):
        units = level_of(areas, level)
        if units is None:
            continue
        known = {*units["area_id"], *texts(units, "name")}
        given = texts(points, level)
        is_strange = [word is not None and word not in known for word in given]
        yield from _some(f"unknown_{level}_name", name, ids[is_strange])
        pairs = zip(given, is_strange, named[f"{level}_id"], at[f"{level}_id"], strict=True)
        is_elsewhere = [
            word is not None and not strange and area is not None and area != inside
            for word, strange, area, inside in pairs
        ]
        yield from _some(f"outside_named_{level}", name, ids[is_elsewhere])
    county = level_of(areas, "county")
    whole = areas if county is None else county
    tree = shapely.STRtree(whole.geometry.to_numpy())
    inside = np.zeros(len(points), dtype=bool)
    inside[tree.query(points.geometry.to_numpy(), predicate="intersects")[0]] = True
    yield from _some("outside_county", name, ids[~inside])


def _beyond(roads: gpd.GeoDataFrame, grid: Grid) -> NDArray[np.bool_]:
    """Return bool[n_roads]: which roads have a vertex outside the cells of the grid."""
    xy, owner = shapely.get_coordinates(roads.geometry.to_numpy(), return_index=True)
    x, y = transform(xy[:, 0], xy[:, 1], str(roads.crs), grid.crs)
    a, b, c, d, e, f = grid.transform
    area = a * e - b * d
    column, row = (e * (x - c) - b * (y - f)) / area, (a * (y - f) - d * (x - c)) / area
    n_rows, n_columns = grid.values.shape
    is_inside = (column >= 0) & (column <= n_columns) & (row >= 0) & (row <= n_rows)
    beyond = np.zeros(len(roads), dtype=bool)
    beyond[owner[~is_inside]] = True
    return beyond


def _facility_findings(facilities: gpd.GeoDataFrame, scenario: Scenario) -> Iterator[Finding]:
    ids = facilities["facility_id"]
    is_strange = ~facilities["tier"].isin(scenario.known_tiers)
    strange = ", ".join(sorted(map(str, set(facilities.loc[is_strange, "tier"]))))
    yield from _some(
        "unknown_tier", "facilities", ids[is_strange], tiers=strange, known=", ".join(scenario.known_tiers)
    )
    yield from _some("online_facilities", "facilities", ids[is_online(facilities)])


def _double_findings(study: Study) -> Iterator[Finding]:
    """Yield places that are very likely listed twice, and candidates that look like places."""
    pairs = find_duplicates(study)
    is_within = pairs["table"] == pairs["other_table"]
    is_likely = pairs["confidence"] >= _LIKELY
    for table in ("facilities", "candidates"):
        likely = pairs.loc[is_within & is_likely & (pairs["table"] == table), "other_id"]
        yield from _some("listed_twice", table, likely.drop_duplicates())
    yield from _some("candidate_is_place", "candidates", pairs.loc[~is_within, "other_id"].drop_duplicates())


def _demand_findings(study: Study) -> Iterator[Finding]:
    demand = study.table("demand")
    people = people_by_group(demand)
    for group in people.columns.drop("all"):
        is_more = (people[group] > people["all"]).to_numpy()
        yield from _some("group_exceeds_population", "demand", demand.loc[is_more, "demand_id"], group=group)
    for group in GROUPS[1:]:
        if group not in people.columns:
            yield Finding("no_group", "demand", values={"group": group})
    if study.has("settlements") and "relocated" in people.columns:
        listed, counted = float(study.table("settlements")["people"].sum()), float(people["relocated"].sum())
        if not np.isclose(listed, counted, rtol=0.0, atol=0.5):
            values = {"listed": listed, "counted": counted, "difference": listed - counted}
            yield Finding("relocated_differ", "settlements", values=values)


def _some(code: str, table: str, ids: pd.Series, **values: Any) -> Iterator[Finding]:  # noqa: ANN401  words
    if len(ids):
        yield Finding(code, table, tuple(sorted(map(str, ids))), values)
