"""The app's entrance: opens a study, makes its plan once, and shows map, coverage, gaps and proposals."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from planner.errors import PlannerError
from planner.outputs.maps import county_map
from planner.outputs.statement import conditions, profile_name, tier_name
from planner.outputs.workbook import sheets
from planner.plan.stages import Plan, make_plan
from planner.scenario import scenario_of
from planner.store import open_study
from planner.texts import Language, text

if TYPE_CHECKING:
    from planner.outputs.sheets import Sheet
    from planner.study import Study

DEMO_STUDY = Path("demo-out") / "county.gpkg"
MAP_HEIGHT_PX = 640


def main() -> None:
    """Show the page for the study named on the command line, the demo county by default."""
    st.set_page_config(page_title=text("ui.title", "zh"), layout="wide", initial_sidebar_state="expanded")
    language = _language()
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO_STUDY
    try:
        _page(path, language)
    except PlannerError as error:
        st.error(str(error))


def _language() -> Language:
    choice = st.sidebar.radio("语言 / Language", ("中文", "English"), horizontal=True)
    return "zh" if choice == "中文" else "en"


def _page(path: Path, language: Language) -> None:
    if not path.is_file():
        st.info(text("ui.no_study", language, path=path))
        return
    study = _study(str(path), path.stat().st_mtime_ns)
    base = scenario_of(study.scenarios)
    st.header(text("ui.heading", language, name=study.name))
    if study.metadata.get("is_synthetic"):
        st.warning(text("outputs.synthetic", language))
    profile = st.sidebar.selectbox(
        text("columns.profile", language), list(base.profiles), format_func=lambda code: profile_name(code, language),
        index=list(base.profiles).index(base.main_profile),
    )  # fmt: skip
    tier = st.sidebar.selectbox(
        text("columns.tier", language), base.tier_codes, format_func=lambda code: tier_name(code, language),
        index=base.tier_codes.index(base.main_tier),
    )  # fmt: skip
    cutoff = st.sidebar.slider(text("columns.cutoff_min", language), 5, 30, int(base.cutoff_min), step=5)
    n_new = st.sidebar.number_input(text("ui.n_new", language), 0, 100, base.n_new)
    plan = _plan(
        str(path), path.stat().st_mtime_ns,
        {"main_profile": profile, "main_tier": tier, "cutoff_min": float(cutoff), "n_new": int(n_new)},
    )  # fmt: skip
    st.caption(conditions(study, plan.scenario, plan.scenario.main_profile, language))
    _figures(plan, language)
    st.iframe(_map(plan, language), height=MAP_HEIGHT_PX)
    by_name = {sheet.name: sheet for sheet in sheets(plan, language)}
    tabs = [
        text(f"sheets.{key}", language) for key in ("summary", "towns", "gaps", "proposals", "settlements", "differing")
    ]
    shown = [name for name in tabs if name in by_name]
    for tab, name in zip(st.tabs(shown), shown, strict=True):
        with tab:
            _table(by_name[name])


@st.cache_resource(max_entries=4, show_spinner=False)
def _study(path: str, changed_ns: int) -> Study:  # noqa: ARG001  the time is part of the cache's key
    return open_study(Path(path))


@st.cache_resource(max_entries=16, show_spinner="正在计算 / Computing ...")
def _plan(path: str, changed_ns: int, choices: dict[str, Any]) -> Plan:
    study = _study(path, changed_ns)
    return make_plan(study, scenario_of(study.scenarios).with_choices(**choices))


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs={Plan: id})
def _map(plan: Plan, language: Language) -> str:
    return county_map(plan, language)


def _figures(plan: Plan, language: Language) -> None:
    """Both verdicts side by side: people with a place in their village, and people within reach by each profile."""
    county = plan.coverage[
        (plan.coverage["area_level"] == "county")
        & plan.coverage["area_class"].isna()
        & (plan.coverage["tier"] == plan.scenario.main_tier)
        & (plan.coverage["group"] == "all")
    ].set_index("profile")
    columns = st.columns(1 + len(plan.scenario.profiles))
    own = float(county["own_share"].iloc[0])
    columns[0].metric(
        text("ui.administrative", language),
        f"{own:.1%}" if math.isfinite(own) else "-",
        help=text("ui.administrative_help", language),
    )
    for column, profile in zip(columns[1:], plan.scenario.profiles, strict=True):
        row = county.loc[profile]
        column.metric(
            text("ui.within", language, cutoff=plan.scenario.cutoff_min, profile=profile_name(profile, language)),
            f"{row['covered_share']:.1%}",
            help=conditions(plan.study, plan.scenario, profile, language),
        )


def _table(sheet: Sheet) -> None:
    shown = sheet.table.rename(columns={column.name: column.header for column in sheet.columns})
    formats = {
        column.header: st.column_config.NumberColumn(format="percent" if "%" in column.number_format else "localized")
        for column in sheet.columns
        if column.number_format != "General"
    }
    st.dataframe(shown, column_config=formats, hide_index=True, width="stretch")
    st.caption(sheet.title)


if __name__ == "__main__":  # `planner app` hands this file to Streamlit
    main()
