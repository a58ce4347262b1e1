"""Siting: what is wanted, the answer with its proof, why not others, and what another number of places would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from planner.errors import CancelledError
from planner.outputs.colours import PROPOSAL_COLOUR
from planner.outputs.proof import proof_sentence
from planner.outputs.wording import in_words
from planner.plan.proposals import Proposals, propose
from planner.texts import listed, text
from planner.ui import answers, layers
from planner.ui.frame import choices_bar, note
from planner.ui.jobs import awaited, jobs
from planner.ui.leaflet import MapView, show_map
from planner.ui.settings import tiles
from planner.ui.tables import column_config, read_only
from planner.ui.words import escaped, people, plain
from planner.wishes import OBJECTIVES, Quota, Wishes

if TYPE_CHECKING:
    import geopandas as gpd
    from streamlit.delta_generator import DeltaGenerator

    from planner.ui.answers import Ready
    from planner.ui.state import AppState

RULES_HEIGHT = 270
MAP_HEIGHT, MAP_HEIGHT_BELOW = 500, 256
_FACTORS = ("age60", "children", "relocated")
_IN_PEOPLE = {"max-cover", "backup-cover"}
_COLUMNS = (
    "rank", "candidate_id", "name", "way", "marginal_people", "total_people", "substitute_name", "substitute_loss",
    "cost", "consent", "towns", "settlements",
)  # fmt: skip


def page(state: AppState) -> None:
    """Show the form, and beside it the last answer."""
    made = answers.ready(state)
    if made is None:
        return
    if not state.study.has("candidates"):
        st.info(text("ui_plans.no_candidates", state.language))
        return
    choices_bar(state, with_group=False)
    left, right = st.columns([1, 2.6], gap="medium")
    with left:
        _form(state)
    with right:
        _answer(state, made)


# ---- the form ----


def _form(state: AppState) -> None:
    language, ask = state.language, state.ask
    with st.form("siting", border=True):
        objective = st.selectbox(
            text("ui_plans.objective", language), OBJECTIVES, index=OBJECTIVES.index(ask.objective),
            format_func=lambda code: text(f"ui_plans.objective_{code.replace('-', '_')}", language),
        )  # fmt: skip
        number, money = st.columns(2)
        n_new = number.number_input(text("ui_plans.n_new", language), 0, 10_000, ask.n_new, placeholder="-")
        budget = money.number_input(
            text("ui_plans.budget", language), 0.0, None, ask.budget, placeholder="-",
            disabled="cost" not in state.study.tables["candidates"],
        )  # fmt: skip
        # So high that the button below stays in sight, and the answer beside it.
        with st.expander(text("ui_plans.rules", language)), st.container(height=RULES_HEIGHT, border=False):
            rules = _rules(state)
        sent = st.form_submit_button(text("ui_plans.solve", language), type="primary", width="stretch")
    if sent:
        # A field that was emptied has no limit: what stands on the form replaces the whole wish, locks excepted.
        state.ask = Wishes(lock_in=ask.lock_in, lock_out=ask.lock_out).with_choices(
            objective=objective, n_new=n_new, budget=budget, **rules
        )
        _send(state)
    _locks(state)


def _rules(state: AppState) -> dict[str, Any]:
    """Show the rules as ticks, numbers and a table; return them as fields of the wishes."""
    language, ask, study = state.language, state.ask, state.study
    one = st.checkbox(text("ui_plans.one_per_village", language), value="village" in ask.one_per)
    fair = st.checkbox(text("ui_plans.fair", language), value=ask.fair_by == "town")
    closable = st.checkbox(text("ui_plans.by_cost", language), value=ask.by_cost)
    words = text("ui_plans.spacing", language)
    spacing = st.number_input(words, 0.0, 50_000.0, ask.spacing_m, step=100.0, format="%.0f")
    words = text("ui_plans.cover_share", language)
    share = st.number_input(words, 0.0, 100.0, ask.cover_share * 100, format="%.1f")
    factors = {}
    for code in _FACTORS:
        if code in study.tables["demand"].columns:
            words = text("ui_plans.factor", language, group=text(f"terms.{code}", language))
            had = float(ask.group_factors.get(code, 1.0))  # type: ignore[call-overload]
            factors[code] = st.number_input(words, 0.0, 20.0, had, step=0.5, format="%.1f")
    must: list[str] = []
    if study.has("settlements"):
        table = study.tables["settlements"]
        names = dict(zip(table["settlement_id"].astype(str), table["name"].astype(str), strict=True))
        must = st.multiselect(
            text("ui_plans.must_serve", language), list(names), default=[i for i in ask.must_serve if i in names],
            format_func=lambda code: f"{names[code]} ({code})", select_all=False,
            placeholder=text("ui_plans.none", language),
        )  # fmt: skip
    may_close, may_move = _optional(state)
    quotas = _quotas(state)
    words = text("ui_plans.time_limit", language)
    limit = st.number_input(words, 1.0, 3_600.0, ask.time_limit_s, step=10.0, format="%.0f")
    return {
        "one_per": ("village",) if one else (), "fair_by": "town" if fair else None, "by_cost": closable or None,
        "spacing_m": spacing, "cover_share": share / 100, "must_serve": tuple(must), "quotas": tuple(quotas),
        "closable": may_close, "movable": may_move,
        "group_factors": {code: factor for code, factor in factors.items() if factor != 1}, "time_limit_s": limit,
    }  # fmt: skip


def _optional(state: AppState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Show which existing places may close or move, of those that count for the tier; return their ids."""
    language, study = state.language, state.study
    if not study.has("facilities"):
        return (), ()
    table, counted = study.tables["facilities"], state.scenario.tiers_of(state.choices.tier)
    places = table if counted is None else table[table["tier"].isin(counted)]
    names = dict(zip(places["facility_id"].astype(str), places["name"].astype(str), strict=True))

    def asked(name: str) -> tuple[str, ...]:
        return tuple(st.multiselect(
            text(f"ui_plans.{name}", language), list(names), placeholder=text("ui_plans.none", language),
            default=[code for code in getattr(state.ask, name) if code in names], select_all=False,
            format_func=lambda code: f"{names[code]} ({code})",
        ))  # fmt: skip

    return asked("closable"), asked("movable")


def _quotas(state: AppState) -> list[Quota]:
    """Show how many new places each town may or must get."""
    if not state.study.has("areas"):
        return []
    areas, language = state.study.tables["areas"], state.language
    towns = areas[areas["level"] == "town"]
    had = {quota.value: quota for quota in state.ask.quotas if quota.label == "town"}
    ids = [str(code) for code in towns["area_id"]]
    table = pd.DataFrame({
        "name": towns["name"].astype(str).to_numpy(),
        "least": pd.array([had[code].minimum if code in had else None for code in ids], dtype="Int64"),
        "most": pd.array([had[code].maximum if code in had else None for code in ids], dtype="Int64"),
    })  # fmt: skip
    st.caption(text("ui_plans.quotas", language))
    config = {
        "name": st.column_config.TextColumn(text("columns.town", language), disabled=True),
        "least": st.column_config.NumberColumn(text("ui_plans.least", language), min_value=0, step=1),
        "most": st.column_config.NumberColumn(text("ui_plans.most", language), min_value=0, step=1),
    }
    edited = st.data_editor(
        table, column_config=config, hide_index=True, height=180, key="siting quotas", placeholder="-"
    )
    quotas = []
    for code, least, most in zip(ids, edited["least"], edited["most"], strict=True):
        if not (pd.isna(least) and pd.isna(most)):
            quotas.append(
                Quota("town", code, 0 if pd.isna(least) else int(least), None if pd.isna(most) else int(most))
            )
    return quotas


def _locks(state: AppState) -> None:
    """Show which candidates are locked or vetoed, to add to or to take back."""
    language, table = state.language, state.study.tables["candidates"]
    names = dict(zip(table["candidate_id"].astype(str), table["name"].astype(str), strict=True))
    for name in ("lock_in", "lock_out"):
        key = f"siting {name}"
        st.session_state[key] = [code for code in getattr(state.ask, name) if code in names]

        def changed(name: str = name, key: str = key) -> None:
            other = "lock_out" if name == "lock_in" else "lock_in"
            chosen = tuple(st.session_state[key])
            rest = tuple(code for code in getattr(state.ask, other) if code not in chosen)
            state.ask = state.ask.with_choices(**{name: chosen, other: rest})

        st.multiselect(
            text(f"ui_plans.{name}", language), list(names), key=key, on_change=changed,
            placeholder=text("ui_plans.none", language), select_all=False,
            format_func=lambda code: f"{names[code]} ({code})",
        )  # fmt: skip


def _send(state: AppState) -> None:
    """Send the form off; what was cancelled or failed before is tried again."""
    state.solved = state.ask
    made_key = answers.ready_key(state.held.key, state.base)
    jobs().drop(job_key(state, made_key, state.ask))


# ---- the answer ----


def job_key(state: AppState, made_key: str, ask: Wishes) -> tuple[Any, ...]:
    """Return what the answer to a question is named by."""
    return ("siting", made_key, state.choices, ask.model_dump_json())


def _answer(state: AppState, made: Ready) -> None:
    ask = state.solved
    if ask is None:
        st.caption(text("ui_plans.hint", state.language))
        _map(state, made, None)
        return
    key = job_key(state, made.key, ask)
    reach, access = made.asked(state.scenario), made.access
    try:
        found = awaited(key, lambda progress: propose(reach, ask, access, progress), state.session, state.language)
    except CancelledError:
        st.warning(text("ui_plans.cancelled", state.language))
        return
    if found is None:
        return
    proposals: Proposals = found
    words, again = st.columns([4.6, 1], vertical_alignment="top")
    with words:
        _proof(state, proposals, ask)
    names = text("ui_plans.tabs", state.language).split("|")
    shown, rejected, curve = st.tabs(names)
    with shown:
        _proposals(state, proposals, again)
        _map(state, made, proposals.sites)
    with rejected:
        _rejected(state, proposals)
    with curve:
        _curve(state, made, proposals, ask)


def _proof(state: AppState, proposals: Proposals, ask: Wishes) -> None:
    language, solution = state.language, proposals.solution
    if solution.status == "infeasible":
        clash = "; ".join(_rule(proposals, rule, language) for rule in solution.clash)
        st.error(plain(text("ui_plans.infeasible", language, rules=clash)))
    summary = proposals.summary()
    if ask.objective in _IN_PEOPLE:
        st.html(f'<div class="sentence">{escaped(proof_sentence(summary, language))}</div>')
        note(state, "siting", text("ui_plans.strip", language, n=len(solution.chosen),
                                   gained=people(summary["objective_people"], language)))  # fmt: skip
    else:
        words = text(
            f"ui_plans.value_{ask.objective.replace('-', '_')}", language, n=len(solution.chosen),
            before=solution.base_value, value=solution.value, bound=solution.bound,
        )  # fmt: skip
        st.html(f'<div class="sentence">{words} {text(f"ui_plans.status_{solution.status}", language)}</div>')
        note(state, "siting", text("ui_plans.strip_n", language, n=len(solution.chosen)))
    if summary["closed"]:
        names = listed((each["name"] for each in summary["closed"]), language)
        st.html(f'<div class="ask">{escaped(text("ui_plans.closed", language, names=names))}</div>')


def _rule(proposals: Proposals, name: Any, language: Any) -> str:
    """Return a rule of a clash in words, with the names of what it speaks of."""
    rule = proposals.answer.rule(name)
    names = [str(rule[key]) for key in ("name", "other_name") if rule.get(key)]
    return text(f"ui_plans.rule_{rule['kind'].replace('-', '_')}", language) + (f" {', '.join(names)}" if names else "")


def _proposals(state: AppState, proposals: Proposals, place: DeltaGenerator) -> None:
    """Show the ranked proposals with ticks that lock or veto one; what is ticked is solved again with the button."""
    language, rows = state.language, pd.DataFrame(proposals.sites.drop(columns="geometry"))
    ids = rows["candidate_id"].astype(str)
    columns = [name for name in _COLUMNS if name in rows.columns]
    shown = in_words(rows[columns], language)
    shown.insert(0, "lock", [code in state.ask.lock_in for code in ids])
    shown.insert(1, "veto", [code in state.ask.lock_out for code in ids])
    config = {name: column_config(name, shown[name], language) for name in columns}
    config["lock"] = st.column_config.CheckboxColumn(text("ui_plans.lock", language), width="small")
    config["veto"] = st.column_config.CheckboxColumn(text("ui_plans.veto", language), width="small")
    edited = st.data_editor(
        shown, column_config=config, disabled=columns, hide_index=True, width="stretch", height=182,
        key=f"proposals {language} {_digest(state)}", placeholder="-",
    )  # fmt: skip
    if place.button(text("ui_plans.again", language), type="primary", width="stretch"):
        locked = {code for code, tick in zip(ids, edited["lock"], strict=True) if tick}
        vetoed = {code for code, tick in zip(ids, edited["veto"], strict=True) if tick} - locked
        others = set(ids)
        state.ask = state.ask.with_choices(
            lock_in=tuple(sorted((set(state.ask.lock_in) - others) | locked)),
            lock_out=tuple(sorted((set(state.ask.lock_out) - others) | vetoed)),
        )
        _send(state)
        st.rerun()


def _map(state: AppState, made: Ready, table: gpd.GeoDataFrame | None) -> None:
    language, study, choices = state.language, state.study, state.choices
    key, height = state.held.key, MAP_HEIGHT if table is None else MAP_HEIGHT_BELOW
    candidates = study.tables["candidates"]
    columns = ("candidate_id", "way", "owner", "cost", "consent", "marginal_people", "total_people")
    shown = [
        layers.surface_layer(
            answers.surface_picture(made, made.key, choices.profile, choices.tier, choices.cutoff_min),
            made.frame.bounds, text("ui.layer_minutes", language),
        ),
        *layers.basemap(study, key, tiles(), language),
        *layers.places(study, key, state.base, language),
        {"id": "candidates", "kind": "vector", "clickable": True, "radius": 4, "scales": True, "fill": "#FFFFFF",
         "color": "#222222", "weight": 1.4, "label": text("terms.candidate", language),
         "ref": layers.geojson(layers.points(_worded(candidates, language), "candidate_id",
                                             lambda record: layers.rows_of(record, columns, language)))},
    ]  # fmt: skip
    if table is not None and len(table):
        chosen = _worded(table, language).assign(_badge=table["rank"])
        shown.append(
            {"id": "proposals", "kind": "vector", "clickable": True, "label": text("outputs.layer_proposals", language),
             "ref": layers.geojson(layers.points(chosen, "candidate_id",
                                                 lambda record: layers.rows_of(record, columns, language)))}
        )  # fmt: skip
    legend = [
        ("round", PROPOSAL_COLOUR, text("outputs.legend_proposal", language)),
        ("round", "#FFFFFF", text("terms.candidate", language)),
        *layers.band_legend(state.choices.cutoff_min, language),
    ]
    show_map(
        MapView(shown, legend, made.bounds, study.name), key=f"siting {height}", height=height,
        label=text("ui.map_label", language), legend_title=text("outputs.legend", language),
    )  # fmt: skip


def _worded(table: gpd.GeoDataFrame, language: Any) -> gpd.GeoDataFrame:
    words = table.copy()
    for name, prefix in (("way", "terms.way_"), ("consent", "sheets.consent_")):
        if name in words:
            words[name] = [None if pd.isna(code) else text(f"{prefix}{code}", language) for code in words[name]]
    return words


def _digest(state: AppState) -> int:
    return hash("" if state.solved is None else state.solved.model_dump_json())


def _rejected(state: AppState, proposals: Proposals) -> None:
    language, table = state.language, pd.DataFrame(proposals.rejected.drop(columns="geometry"))
    rules = {one.site_id: one.rule for one in proposals.solution.rejected if one.rule is not None}
    why = []
    for code, reason, by in zip(table["candidate_id"], table["reason"], table["by_name"], strict=True):
        rule = "" if code not in rules else _rule(proposals, rules[code], language)
        words = text(f"ui_plans.rejected_{str(reason).replace('-', '_')}", language)
        why.append(f"{words} {'' if pd.isna(by) else by}{rule}".strip())
    st.caption(text("ui_plans.rejected_help", language))
    shown = table.assign(why_not=pd.Series(why, table.index, dtype=object))
    read_only(shown, ("candidate_id", "name", "why_not", "loss"), language, height=420)


def _curve(state: AppState, made: Ready, proposals: Proposals, ask: Wishes) -> None:
    language = state.language
    st.caption(text("ui_plans.curve_help", language))
    if ask.objective not in _IN_PEOPLE:
        st.info(text("ui_plans.curve_people_only", language))
        return
    wanted = ask.with_choices(curve=min(1_000, max(10, 2 * (ask.most_new or 10))))
    key = ("curve", *job_key(state, made.key, wanted)[1:])
    if jobs().found(key) is None and not st.button(text("ui_plans.curve_make", language)):
        return
    reach, access = made.asked(state.scenario), made.access
    found = awaited(key, lambda progress: propose(reach, wanted, access, progress), state.session, language)
    if found is None:
        return
    table, base = found.curve, found.solution.base_value
    value, bound = text("ui_plans.curve_value", language), text("ui_plans.curve_bound", language)
    drawn = pd.DataFrame({value: table["gain"], bound: table["certified_bound"] - base}).set_index(table["n_new"])
    st.line_chart(drawn, height=340, color=["#0072B2", "#D55E00"], x_label=text("ui_plans.n_new", language),
                  y_label=text("columns.marginal_people", language))  # fmt: skip
