"""One page for a county leader: what we declared, what people have, who is missing, what to do first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from planner.coverage.gaps import UNCOVERED
from planner.coverage.moves import BY_TOWNS
from planner.coverage.names import gap_names
from planner.coverage.remedies import REMEDIES
from planner.outputs.proof import proof_sentence
from planner.outputs.statement import conditions, profile_name, tier_name
from planner.reach.access import DISCONNECTED
from planner.texts import Language, listed, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planner.plan.stages import Plan

WORST_SETTLEMENTS = 10
FIRST_SITES = 5
NAMED_AREAS = 3


@dataclass(frozen=True)
class Block:
    """One part of the page: a heading, sentences, and a table.

    Attributes
    ----------
    heading, sentences : above the table.
    headers, rows : of the table; empty without one.
    words_at : columns that hold words and stand on the left; figures stand on the right.
    """

    heading: str
    sentences: Sequence[str] = ()
    headers: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    words_at: Sequence[int] = (0,)


@dataclass(frozen=True)
class LeaderPage:
    """The page as words: shells of it (HTML, worksheet) add nothing but looks.

    Attributes
    ----------
    title, subtitle, mark : mark = "synthetic", blank for a real county.
    tiles : the figures asked for first, as pairs of value and caption.
    blocks : the parts in their order.
    foot : the conditions under which every figure holds.
    """

    title: str
    subtitle: str
    mark: str
    tiles: Sequence[tuple[str, str]]
    blocks: Sequence[Block]
    foot: str


def leader_page(plan: Plan, language: Language = "zh") -> LeaderPage:
    """Return the page of a plan in words."""
    scenario = plan.scenario
    words = _Words(plan, language)
    return LeaderPage(
        title=words("title", name=plan.study.name),
        subtitle=words("subtitle", cutoff=scenario.cutoff_min, tier=tier_name(scenario.main_tier, language)),
        mark=text("outputs.synthetic", language) if plan.study.metadata.get("is_synthetic") else "",
        tiles=_tiles(words),
        blocks=[_declared(words), _reach(words), _missing(words), _settlements(words), _first(words)],
        foot=conditions(plan.study, scenario, scenario.main_profile, language),
    )


@dataclass(frozen=True)
class _Words:
    """A plan and the language to speak of it in."""

    plan: Plan
    language: Language

    def __call__(self, key: str, **values: object) -> str:
        return text(f"leader.{key}", self.language, **values)

    @property
    def profile(self) -> str:
        return profile_name(self.plan.scenario.main_profile, self.language)

    @property
    def cutoff_min(self) -> float:
        return self.plan.scenario.cutoff_min

    def listed(self, names: Sequence[str]) -> str:
        return listed(names, self.language)

    def rows_of(self, level: str = "county", group: str | None = "all") -> pd.DataFrame:
        """Rows of the coverage for the main tier, urban and rural together."""
        table = self.plan.coverage
        chosen = table[(table["tier"] == self.plan.scenario.main_tier) & (table["area_level"] == level)]
        if level == "county":
            chosen = chosen[chosen["area_class"].isna()]
        return chosen if group is None else chosen[chosen["group"] == group]


def _tiles(words: _Words) -> list[tuple[str, str]]:
    main = _main_row(words)
    own = float(main["own_share"])
    return [
        (_people(main["population"]), words("tile_people")),
        ("—" if math.isnan(own) else f"{own:.1%}", words("tile_own")),
        (f"{main['covered_share']:.1%}", words("tile_reach", profile=words.profile)),
        (_people(main["uncovered_people"]), words("tile_missing", profile=words.profile)),
    ]


def _main_row(words: _Words) -> pd.Series:
    county = words.rows_of()
    return county[county["profile"] == words.plan.scenario.main_profile].iloc[0]


def _declared(words: _Words) -> Block:
    said = words.plan.declared
    heading = words("declared")
    if said is None:
        places = words.plan.practice.tiers.set_index("tier")["n_places"]
        # Every tier of the pyramid, and light and special ones (posts, hubs, bases) where there are some.
        tiers = places[places.index.isin(words.plan.scenario.tiers) | (places > 0)]
        found = [words("places_of_tier", tier=tier_name(str(code), words.language), n=n) for code, n in tiers.items()]
        return Block(heading, [words("declared_nothing", found=words.listed(found))])
    is_worth = (said.table["judgement"] != "not_declared") | (said.table["found"] > 0)
    table = said.table[(said.table["class"] == "all") & is_worth]
    n_wrong = int(table["judgement"].isin(["short", "over"]).sum())
    formulas = {"declared": said.declared_formula, "found": said.found_formula}
    sentence = words("declared_differs", n=n_wrong, **formulas) if n_wrong else words("declared_agrees", **formulas)
    rows = [
        (
            _declared_name(words, str(row["measure"]), str(row["tier"])),
            _people(row["declared"]) if str(row["declared"]).isdigit() else str(row["declared"]) or "—",
            _people(row["found"]),
            text(f"network.verdict_{row['judgement']}", words.language),
        )
        for row in table.to_dict("records")
    ]
    heads = [words(f"head_{name}") for name in ("tier", "declared", "found", "judgement")]
    return Block(heading, [sentence], heads, rows, words_at=(0, 3))


def _declared_name(words: _Words, measure: str, tier: str) -> str:
    if measure == "relocated":
        return words(f"relocated_{tier}")
    name = words.listed([tier_name(code, words.language) for code in tier.split("+")])
    return name if measure == "places" else f"{name} {text(f'network.measure_{measure}', words.language)}"


def _reach(words: _Words) -> Block:
    main = _main_row(words)
    own = float(main["own_share"])
    lead = "reach_lead" if own > main["covered_share"] else "reach_lead_more"
    lead = "reach_lead_same" if f"{own:.1%}" == f"{main['covered_share']:.1%}" else lead
    lead = "reach_lead_unknown" if math.isnan(own) else lead
    values = {"profile": words.profile, "cutoff": words.cutoff_min, "share": main["covered_share"]}
    sentence = words(lead, **values) if math.isnan(own) else words(lead, own=own, **values)
    rows = []
    for row in words.rows_of().to_dict("records"):
        profile = words.plan.scenario.profiles[str(row["profile"])]
        label = words(
            "profile_speed",
            profile=profile_name(profile.code, words.language),
            speed=profile.speed_kph,
            distance=profile.distance_m(words.cutoff_min),
        )
        people = [_people(row[name]) for name in ("covered_people", "uncovered_people", "unknown_people")]
        rows.append((label, _share(row["covered_share"]), *people))
    heads = [words(f"head_{name}") for name in ("profile", "share", "covered", "uncovered", "unknown")]
    return Block(words("reach"), [sentence], heads, rows)


def _missing(words: _Words) -> Block:
    scenario = words.plan.scenario
    towns = words.rows_of("town")
    towns = towns[(towns["profile"] == scenario.main_profile) & (towns["uncovered_people"] > 0)]
    towns = towns.sort_values(["uncovered_people", "area_id"], ascending=[False, True]).head(NAMED_AREAS)
    gaps = words.plan.gaps
    if len(gaps):
        gaps = gaps[gaps["status"] == UNCOVERED].head(NAMED_AREAS)
    sentence = words("missing_none", profile=words.profile)
    if len(towns) or len(gaps):
        names = gap_names(gaps, words.language) if len(gaps) else []
        sentence = words(
            "missing_lead",
            profile=words.profile,
            towns=words.listed(_with_people(words, towns["area_name"], towns["uncovered_people"])) or "—",
            gaps=words.listed(_with_people(words, names, gaps["people"] if len(gaps) else [])) or "—",
        )
    every = words.rows_of(group=None)
    profiles = list(scenario.profiles)
    rows = []
    for group in dict.fromkeys(every["group"]):
        of_group = every[every["group"] == group].set_index("profile")
        cells = [f"{_people(of_group.loc[code, 'uncovered_people'])}" for code in profiles]
        rows.append((text(f"terms.{group}", words.language), _people(of_group["population"].iloc[0]), *cells))
    heads = [words("head_group"), words("head_in_all"), *(profile_name(code, words.language) for code in profiles)]
    return Block(words("missing"), [sentence], heads, rows)


def _with_people(words: _Words, names: Iterable[Any], people: Iterable[Any]) -> list[str]:
    return [words("people_of", name=name, people=n) for name, n in zip(names, people, strict=True)]


def _settlements(words: _Words) -> Block:
    plan, heading = words.plan, words("settlements")
    if not len(plan.settlements):
        return Block(heading, [words("settlements_none")])
    total = plan.settlement_totals.iloc[-1]
    values = {
        "n": int(total["n_settlements"]), "people": float(total["people"]), "cutoff": words.cutoff_min,
        "profile": words.profile,
    }  # fmt: skip
    hard = plan.settlements[~plan.settlements["is_served"].astype(bool)].sort_values("rank").head(WORST_SETTLEMENTS)
    if len(hard) < WORST_SETTLEMENTS:
        heading = words("settlements_few")
    if not len(hard):
        return Block(heading, [words("settlements_all", **values)])
    values |= {
        "n_served": int(total["n_served"]), "served": float(total["served_people"]),
        "share": float(total["served_share"]),
        "order": words("cut_off_first" if (hard["reason"] == DISCONNECTED).any() else "by_minutes"),
    }  # fmt: skip
    heads = [words(f"head_{name}") for name in ("settlement", "people", "nearest", "minutes", "before", "remedy")]
    rows = [_settlement_row(words, row) for row in hard.to_dict("records")]
    return Block(heading, [words("settlements_lead", **values)], heads, rows, words_at=(0, 2, 5))


def _settlement_row(words: _Words, row: dict[Any, Any]) -> tuple[str, ...]:
    minutes, change = float(row["travel_time_min"]), float(row["change_min"])
    none = "no_way" if words.plan.study.has("facilities") else "no_place"
    time = words("not_known") if math.isnan(minutes) else words(none) if math.isinf(minutes) else _minutes(minutes)
    moved = "—"
    if not math.isnan(change):
        about = "about_" if row["before_basis"] == BY_TOWNS else ""
        moved = words(f"{about}{'farther' if change > 0 else 'nearer'}", minutes=_minutes(abs(change)))
    remedy = text(f"coverage.remedy_{row['remedy']}", words.language)
    if isinstance(row["remedy_name"], str):
        remedy = words(
            "remedy_with_place", remedy=remedy, place=row["remedy_name"], minutes=_minutes(row["remedy_min"])
        )
    return (f"{row['rank']}. {row['name']}", _people(row["people"]), row["nearest_name"] or "—", time, moved, remedy)


def _first(words: _Words) -> Block:
    plan = words.plan
    steps = []
    rows: list[tuple[str, ...]] = []
    if plan.siting is not None and len(plan.proposals):
        steps.append(words("first_sites", proof=proof_sentence(plan.siting.summary(), words.language)))
        rows = [_site_row(words, row) for row in plan.proposals.head(FIRST_SITES).to_dict("records")]
    steps += _other_steps(words)
    heads = [words(f"head_{name}") for name in ("site", "way", "gain", "towns", "cost", "substitute")] if rows else []
    numbered = [f"{n}. {step}" for n, step in enumerate(steps, start=1)]
    return Block(words("first"), numbered, heads, rows, words_at=(0, 1, 3, 5))


def _other_steps(words: _Words) -> list[str]:
    plan = words.plan
    steps = []
    if len(plan.settlement_remedies):
        first = plan.settlement_remedies[plan.settlement_remedies["option"] == 1]["remedy"]
        parts = [words(f"by_{name}", n=int((first == name).sum())) for name in REMEDIES if (first == name).any()]
        steps.append(words("first_settlements", n=len(first), parts=words.listed(parts)))
    checks = plan.practice.places
    n_poor = int((checks["quality"] == "not_qualified").sum()) if len(checks) else 0
    if n_poor:
        steps.append(words("first_rectify", n=n_poor))
    if len(plan.practice.findings):
        steps.append(words("first_findings", n=len(plan.practice.findings)))
    unknown = float(_main_row(words)["unknown_people"])
    if unknown > 0:
        steps.append(words("first_roads", people=unknown))
    return steps


def _site_row(words: _Words, row: dict[Any, Any]) -> tuple[str, ...]:
    cost = row.get("cost", np.nan)
    return (
        f"{row['rank']}. {row['name']}",
        text(f"terms.way_{row['way']}", words.language),
        _people(row["marginal_people"]),
        str(row["towns"] or "—"),
        "—" if cost is None or pd.isna(cost) else f"{cost:,.1f}",
        str(row.get("substitute_name") or "—"),
    )


def _people(value: Any) -> str:  # noqa: ANN401  a cell holds any number
    return f"{float(value):,.0f}"


def _minutes(value: Any) -> str:  # noqa: ANN401  a cell holds any number
    """Return minutes with one digit where there is one: 2.5 is not 2."""
    return f"{float(value):,.1f}".removesuffix(".0")


def _share(value: Any) -> str:  # noqa: ANN401  a cell holds any number
    return "—" if pd.isna(value) else f"{float(value):.1%}"
