"""The leader's page: the plan's own figures, every text escaped, one sheet of A4."""

import math
import re
from dataclasses import replace

import openpyxl
import pytest

from planner.coverage.declared import Declared, reconcile
from planner.coverage.settlements import settlement_totals
from planner.outputs.leader import leader_page
from planner.outputs.leader_html import leader_html, write_leader_page
from planner.outputs.leader_sheet import add_leader_sheet
from planner.outputs.sheets import Book
from planner.scenario import Scenario
from planner.texts import text
from tests.reference.lattice import IMAGE, SCRIPT

DECLARED = Declared.model_validate({
    "code": "x", "name": SCRIPT, "source": IMAGE,
    "figures": {"centre": 1, "institute": 1, "station": 5, "point": "~1"}, "relocated": {"people": 130},
})  # fmt: skip


@pytest.fixture(scope="module")
def plan(lattice_plan):
    study = lattice_plan.study.with_metadata(is_synthetic=True, population_source=f"<b>{IMAGE}")
    return replace(lattice_plan, study=study, declared=reconcile([study], DECLARED, lattice_plan.scenario))


@pytest.fixture(scope="module")
def page(plan):
    return leader_page(plan)


def test_the_figures_are_those_of_the_plan(page, plan):
    table = plan.coverage
    county = table[
        (table["area_level"] == "county") & table["area_class"].isna() & (table["tier"] == "any")
        & (table["group"] == "all")
    ].set_index("profile")  # fmt: skip
    walk = county.loc["walk"]
    assert [value for value, _ in page.tiles] == [
        f"{walk['population']:,.0f}", f"{walk['own_share']:.1%}", f"{walk['covered_share']:.1%}",
        f"{walk['uncovered_people']:,.0f}",
    ]  # fmt: skip
    declared, reach, missing, settlements, first = page.blocks
    assert declared.rows[2][:3] == ("站", "5", "2")
    assert "申报 1+1+5+~1" in declared.sentences[0]
    assert [row[2] for row in reach.rows] == [f"{n:,.0f}" for n in county["covered_people"]]
    assert [row[0] for row in missing.rows] == [text(f"terms.{g}", "zh") for g in dict.fromkeys(table["group"])]
    hard = plan.settlements[~plan.settlements["is_served"]].sort_values("rank")
    assert [row[0] for row in settlements.rows] == [
        f"{n}. {name}" for n, name in zip(hard["rank"], hard["name"], strict=True)
    ]
    assert [row[2] for row in first.rows] == [f"{n:,.0f}" for n in plan.proposals["marginal_people"].head(5)]


def test_every_condition_and_the_synthetic_mark_are_on_it(page):
    for words in ("步行", "4.3", "15", "1,080", "标准", "人口来源", "合成演示数据"):
        assert words in page.foot, words
    assert "合成演示数据" in page.mark
    labels = "".join(row[0] for row in page.blocks[1].rows)
    assert all(f"{distance}" in labels for distance in ("1,080", "720", "3,750", "5,000"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_text_escapes_and_nothing_comes_from_outside(plan, tmp_path, language):
    words = write_leader_page(plan, tmp_path / "leader.html", language).read_text(encoding="utf-8")
    assert "<img" not in words
    assert "<script" not in words
    assert "&lt;img" in words
    assert not re.search(r"(?:src|href)=|https?://|@import", words.replace("&lt;img src=x", ""))


def test_the_sheet_is_one_portrait_page_without_formulas(plan, tmp_path):
    with Book(tmp_path / "leader.xlsx") as book:
        add_leader_sheet(book, leader_page(plan))
    sheet = openpyxl.load_workbook(tmp_path / "leader.xlsx").worksheets[-1]
    assert sheet.title == "领导一页纸"
    assert "合成" in sheet.cell(2, 1).value
    assert sheet.page_setup.orientation == "portrait"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert {sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight} <= {None, 1}  # one page each way by default
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells if cell.value[:1] in "=+-@")


def test_half_minutes_and_the_order_are_said(plan):
    hard = plan.settlements.assign(is_served=False, travel_time_min=2.5, reason="too_far")
    remedies = hard.assign(remedy="session", remedy_name="街口", remedy_min=7.0, change_min=-0.5, before_basis="point")
    block = leader_page(replace(plan, settlements=remedies)).blocks[3]
    assert block.rows[0][3:5] == ("2.5", "近 0.5 分钟")
    assert block.rows[0][5].endswith("街口（7 分钟）")
    assert "路不通" not in block.sentences[0]
    cut_off = remedies.assign(reason="disconnected", travel_time_min=math.inf)
    block = leader_page(replace(plan, settlements=cut_off)).blocks[3]
    assert "先列路不通的" in block.sentences[0]
    assert block.rows[0][3] == "路不通"


def test_a_plan_without_declared_figures_settlements_and_sites(plan):
    bare = replace(
        plan, declared=None, siting=None, settlements=plan.settlements.iloc[:0], proposals=plan.proposals.iloc[:0],
        settlement_remedies=plan.settlement_remedies.iloc[:0],
    )  # fmt: skip
    page = leader_page(bare)
    assert page.blocks[0].sentences == [
        text("leader.declared_nothing", "zh", found=f"中心 1 处、所 1 处、站 2 处、点 1 处、hub{IMAGE} 1 处")
    ]
    assert page.blocks[3].sentences == [text("leader.settlements_none", "zh")]
    assert not page.blocks[4].rows
    assert leader_html(page)


def test_a_scenario_of_one_profile_has_its_page(plan):
    only = plan.coverage[plan.coverage["profile"] == "ebike"]
    one = replace(plan, scenario=Scenario().with_choices(profiles=["ebike"]), coverage=only)
    assert len(leader_page(one).blocks[1].rows) == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_equal_verdicts_are_not_said_to_differ(plan, language):
    coverage = plan.coverage.assign(covered_share=0.875, own_share=0.875)
    page = leader_html(leader_page(replace(plan, coverage=coverage), language), language)
    words = text("leader.reach_lead_same", language, own=0.875, share=0.875, cutoff=15, profile="|")
    assert words.split("|")[-1][-12:] in page


def test_shares_of_settlements_stay_within_one(plan):
    many = settlement_totals(plan.settlements, 1.0)
    whole = many[many["size_class"] == "all"].iloc[0]
    assert whole["served_share"] <= 1
    assert whole["outside_people"] < 0
