"""A siting answer in words: one sentence of proof, the question, the verdict, why sites lost, which demands clash."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.outputs.statement import tier_name
from planner.texts import Language, listed, text
from planner.wishes import EVERY_SETTLEMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planner.plan.proposals import Proposals
    from planner.wishes import Wishes

# Figures below this are told with a decimal.
_WHOLE_FROM = 100.0


def proof_sentence(siting: Mapping[str, Any], language: Language = "zh") -> str:
    """Return in one sentence what a plan gains and how far from the best it can be; `siting` is a `summary()`."""
    n, by = len(siting["chosen"]), _by(siting, language)
    gain = _gain(siting, n, language)
    if siting["status"] in {"infeasible", "cancelled"}:
        gain = text(f"siting.but_{siting['status']}", language, n=len(siting["unmet"])) + gain
    if siting["proven_by"]:
        is_counted = siting["n_new"] == n and siting["budget"] is None and siting["objective"] == "max-cover"
        is_counted &= siting["status"] == "optimal"
        return text(f"siting.proof_best{'_count' if is_counted else ''}", language, gain=gain, n=n, by=by)
    if not math.isfinite(siting["gap"]):
        return text("siting.proof_none", language, gain=gain)
    values = {"gap": _figure(siting["gap"]), "unit": unit_in_words(siting, language), "share": siting["gap_share"]}
    return text("siting.proof_bound", language, gain=gain, by=by, **values)


def _gain(siting: Mapping[str, Any], n: int, language: Language) -> str:
    objective = siting["objective"]
    key = {"min-sites": "by_cost" if siting["unit"] == "cost" else objective}.get(objective, objective)
    if objective == "max-cover" and siting["is_weighted"]:
        key = "weighted"
    values = {"gained": siting["objective_people"], "share": siting["cover_share"]}
    if siting["newly_reached_people"] > 0 and objective != "p-center":
        more = {"more": siting["newly_reached_people"], "value": siting["value"]}
        return text(f"siting.gain_{objective}_more", language, n=n, **more)
    return text(f"siting.gain_{key}", language, n=n, value=siting["value"], base=siting["base_value"], **values)


def _by(siting: Mapping[str, Any], language: Language) -> str:
    """Return by which bound a sentence holds, and say so where the checker does not agree."""
    if not siting["check"]["is_valid"]:
        return text("siting.by_failed", language)
    return text(f"siting.by_{siting['proven_by'] or siting['bound_by']}", language)


def unit_in_words(siting: Mapping[str, Any], language: Language) -> str:
    """Return the unit of value, bounds and gap of a `summary()`."""
    is_weighted = siting["is_weighted"] and siting["unit"] in {"people", "person-minutes"}
    return text(f"siting.unit_{'weighted-' if is_weighted else ''}{siting['unit']}", language)


def _figure(value: float) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM or float(value).is_integer() else f"{value:,.1f}"


def told(proposals: Proposals, language: Language = "zh") -> dict[str, Any]:
    """Return the `summary()` with its words: the question, one sentence of proof, each clash, demand and reason."""
    siting = proposals.summary()
    unit = text(f"siting.unit_{proposals.answer.unit}", language)
    return siting | {
        "question": [_objective(proposals.answer.wishes, language), *wishes_in_words(proposals, language)],
        "sentence": proof_sentence(siting, language),
        "clash": [{**rule, "words": rule_in_words(rule, language)} for rule in siting["clash"]],
        "unmet": [{**rule, "words": rule_in_words(rule, language)} for rule in siting["unmet"]],
        "rejected": [{**each, "why": reason_in_words(each, unit, language)} for each in siting["rejected"]],
    }


def siting_rows(proposals: Proposals, language: Language = "zh") -> list[dict[str, str]]:
    """Return question, verdict, value, both bounds and the checker's result as rows of item and value, in words."""
    siting = proposals.summary()
    unit = unit_in_words(siting, language)
    check = siting["check"]
    gap = {"gap": _figure(siting["gap"]), "unit": unit, "share": siting["gap_share"]}
    rows = [
        ("objective", _objective(proposals.answer.wishes, language)),
        *(("rules", words) for words in wishes_in_words(proposals, language)),
        ("status", text(f"siting.status_{siting['status']}", language)),
        ("sentence", proof_sentence(siting, language)),
        *(("sentence", words) for words in _years_sentence(proposals, language)),
        ("value", f"{_figure(siting['value'])} {unit}"),
        ("base_value", f"{_figure(siting['base_value'])} {unit}"),
        ("certified_bound", f"{_figure(siting['certified_bound'])} {unit}"),
        ("solver_bound", f"{_figure(siting['solver_bound'])} {unit}"),
        ("gap", text("siting.gap_value", language, **gap) if math.isfinite(siting["gap"]) else "-"),
        ("proven_by", text(f"siting.by_{siting['proven_by']}", language)),
        (
            "check",
            text("siting.check_valid", language)
            if check["is_valid"]
            else text("siting.check_failed", language, problems="; ".join(check["problems"])),
        ),
        ("covered_people", _people_change(siting, language)),
        *(("worst_share", f"{siting['worst_share']:.1%}") for _ in range(math.isfinite(siting["worst_share"]))),
        *(("cost", f"{siting['cost']:,.1f}") for _ in range(math.isfinite(siting["cost"]))),
        *(("closed", _named(each["name"], each["facility_id"])) for each in siting["closed"]),
        *(("clash", rule_in_words(rule, language)) for rule in siting["clash"]),
        *(("unmet", rule_in_words(rule, language)) for rule in siting["unmet"]),
    ]
    return [{"item": text(f"siting.item_{item}", language), "value": value} for item, value in rows]


def _years_sentence(proposals: Proposals, language: Language) -> Iterator[str]:
    if len(proposals.phases):
        best = int(proposals.phases["is_best"].sum())
        yield text("siting.proof_years", language, n=len(proposals.phases), best=best)


def _people_change(siting: Mapping[str, Any], language: Language) -> str:
    values = {"before": siting["covered_people_before"], "after": siting["covered_people"]}
    return text("siting.people_change", language, population=siting["population"], **values)


def _objective(wishes: Wishes, language: Language) -> str:
    return text(f"siting.objective_{'by_cost' if wishes.by_cost else wishes.objective}", language)


def wishes_in_words(proposals: Proposals, language: Language = "zh") -> list[str]:
    """Return every demand of the question in words, names in place of ids."""
    answer, wishes = proposals.answer, proposals.answer.wishes

    def say(key: str, **values: object) -> str:
        return text(f"siting.{key}", language, **values)

    def names(ids: Sequence[str]) -> str:
        row_of = {name: row for row, name in enumerate(answer.problem.row_ids or ())}
        named = (_named(answer.site_name(row_of[each]), each) if each in row_of else each for each in ids)
        return listed(named, language)

    said = [say("rule_count", number=wishes.most_new)] if wishes.most_new is not None else []
    said += [say("rule_budget", number=wishes.most_cost)] if wishes.most_cost is not None else []
    said += [say("rule_share", number=wishes.cover_share)] if wishes.objective == "min-sites" else []
    said += [
        say("wish_group", group=text(f"terms.{group}", language), factor=factor)
        for group, factor in wishes.group_factors.items()
    ]
    lists = {
        "lock_in": wishes.lock_in,
        "lock_out": wishes.lock_out,
        "close": wishes.closable,
        "move": wishes.movable,
    }
    said += [say(f"wish_{key}", names=names(ids)) for key, ids in lists.items() if ids]
    must = [answer.demand_name(column) for column in answer.problem.must_serve]
    if EVERY_SETTLEMENT in wishes.must_serve:
        said.append(say("wish_all_settlements", n=len(must)))
    elif must:
        said.append(say("wish_must_serve", names=listed(must, language)))
    for quota in answer.problem.quotas:
        label, name = quota.label, answer.ground.name_of(quota.label, quota.value)
        for kind, number in (("quota-min", quota.minimum or None), ("quota-max", quota.maximum)):
            if number is not None:
                said.append(
                    rule_in_words(
                        {"kind": kind, "label": label, "name": name, "id": quota.value, "number": number}, language
                    )
                )
    said += [say("wish_one_per", label=text(f"terms.{label}", language)) for label in wishes.one_per]
    said += [say("wish_spacing", number=wishes.spacing_m)] if wishes.spacing_m > 0 else []
    said += [say("wish_capacities")] if wishes.has_capacities else []
    said += [say("wish_fair", label=text(f"terms.{wishes.fair_by}", language))] if wishes.fair_by else []
    said += [say("wish_phases", n=wishes.phases)] if wishes.phases else []
    return said


def rule_in_words(rule: Mapping[str, Any], language: Language = "zh") -> str:
    """Return a rule of a `summary()` (in its clash, unmet, or the rule that blocks a site) as one sentence."""
    kind = rule["kind"]
    values: dict[str, Any] = {"number": rule.get("number")}
    if "name" in rule:
        values["name"] = _named(rule["name"], rule["id"])
    if "label" in rule:
        values["label"] = text(f"columns.{rule['label']}", language)
        values["name"] = _label_name(rule, language)
    if kind == "conflict":
        values["other"] = _named(rule["other_name"], rule["other_id"])
    if kind == "lock-out":
        values["why"] = text(f"siting.reason_{rule['why']}", language)
    if kind == "must-serve" and not rule["n_servers"]:
        kind = "must-serve_nobody"
    return text(f"siting.rule_{kind}", language, **values)


def _label_name(rule: Mapping[str, Any], language: Language) -> str:
    if rule["label"] == "tier":
        return tier_name(rule["id"], language)
    if rule["label"] == "way":
        try:
            return text(f"terms.way_{rule['id']}", language)
        except KeyError:
            return str(rule["id"])
    return str(rule["name"])


def _named(name: str, row_id: str) -> str:
    return name if name == row_id else f"{name} {row_id}"


def reason_in_words(rejected: Mapping[str, Any], unit: str, language: Language = "zh") -> str:
    """Return why a candidate lost: an entry of `summary()["rejected"]`, losses counted in `unit`."""
    reason = rejected["reason"]
    if reason == "dominated":
        return text("siting.reason_dominated", language, by=_named(rejected["by_name"], rejected["by_id"]))
    if reason == "blocked":
        rule = rejected["rule"]
        if rule is None:
            return text("siting.reason_blocked_alone", language)
        return text("siting.reason_blocked", language, rule=rule_in_words(rule, language))
    if reason == "less-gain":
        if rejected["loss"] <= 0:
            return text("siting.reason_as_good", language)
        return text("siting.reason_less-gain", language, loss=_figure(rejected["loss"]), unit=unit)
    return text(f"siting.reason_{reason}", language)


def rejected_in_words(proposals: Proposals, language: Language = "zh") -> pd.DataFrame:
    """Return the candidates that lost, with the reason as a sentence: candidate_id, name, way, town, village, why."""
    answer = proposals.answer
    unit = text(f"siting.unit_{answer.unit}", language)
    told = [reason_in_words(each, unit, language) for each in answer.summary()["rejected"]]
    table = pd.DataFrame(proposals.rejected.drop(columns="geometry")).assign(why=told)
    return table.reindex(columns=["candidate_id", "name", "way", "town", "village", "cost", "why"])


def years_in_words(proposals: Proposals, language: Language = "zh") -> pd.DataFrame:
    """Return the years with name and id of the sites that open."""
    answer = proposals.answer
    phases = () if answer.years is None else answer.years.phases
    sites = [
        listed((_named(answer.site_name(row), answer.problem.row_name(row)) for row in phase.opened), language)
        for phase in phases
    ]
    return proposals.phases.assign(sites=pd.Series(sites, dtype=object))
