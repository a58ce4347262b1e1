"""Tiers, ways and checklists in the words of registers and reports: what is taken, and what is only asked for."""

import openpyxl
import pytest

from planner.coverage.checklist import parse_marks
from planner.inputs.columns.tier_words import tier_of_name, tier_of_title
from planner.inputs.inspection import inspect_file
from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.standards import default_checklists

FRAME = ImportOptions(frame="EPSG:4490")


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("汉滨区新时代文明实践中心", "centre"),
        ("甲镇新时代文明实践所", "institute"),
        ("乙村文明实践站（老年活动中心）", "station"),
        ("丙社区实践站2号", "station"),
        ("丁村新时代文明实践示范站", "station"),
        ("汽车站文明实践点", "point"),
        ("滨江文明实践驿站", "hub"),
        ("农贸市场新时代文明实践志愿服务岗", "post"),
        ("烈士陵园新时代文明实践基地", "base"),
        ("供电所", None),
        ("汽车站", None),
        ("中小学社会实践基地", None),
        ("新时代文明实践站旁小卖部", None),
        ("", None),
    ],
)
def test_the_end_of_a_name_says_the_tier(name, tier):
    assert tier_of_name(name) == tier


@pytest.mark.parametrize(
    ("title", "tier"),
    [
        ("实践站", "station"),
        ("站", "station"),
        ("新时代文明实践站（387）", "station"),
        ("2024年实践所名单", "institute"),
        ("新时代文明实践中心所站台账", None),
        ("文明实践所、文明实践站", None),
        ("Sheet1", None),
    ],
)
def test_a_title_says_one_tier_or_none(title, tier):
    assert tier_of_title(title) == tier


def test_names_say_the_tiers_of_a_register_without_such_a_column(county, workbook):
    rows = [["编号", "名称", "经度", "纬度"], ["a", "甲镇新时代文明实践所", 109, 32.7],
            ["b", "乙村实践站", 109, 32.7], ["c", "丙村实践站", 109, 32.7], ["d", "供电所", 109, 32.7]]  # fmt: skip
    path = workbook(*rows)
    result = import_file(county, "facilities", path, FRAME)
    assert list(result.study.table("facilities")["tier"]) == ["institute", "station", "station"]
    assert [(row.row, row.code) for row in result.ledger.rows if row.is_refused] == [(5, "blank")]
    (evidence,) = [row for row in result.ledger.rows if row.code == "tiers_by_name"]
    assert "所" in evidence.problem("zh")
    assert "station (站) 2" in evidence.problem("en")
    (match,) = [match for match in result.proposal.matches if match.field == "tier"]
    assert (match.how, match.confidence) == ("said", 0.7)
    assert inspect_file(path).kind == "facilities"


def test_sheets_of_one_tier_each(county, tmp_path):
    book = openpyxl.Workbook()
    for title, names in (("实践所", ["甲镇", "乙镇"]), ("实践站", ["丙村", "丁村", "戊村新时代文明实践点"])):
        page = book.create_sheet(title)
        page.append(["名称", "经度", "纬度"])
        for name in names:
            page.append([name, 109, 32.7])
    book.remove(book.worksheets[0])
    book.save(tmp_path / "名册.xlsx")
    options = ImportOptions(frame="EPSG:4490", sheet="*")
    tiers = import_file(county, "facilities", tmp_path / "名册.xlsx", options).study.table("facilities")["tier"]
    assert list(tiers) == ["institute", "institute", "station", "station", "point"]


def test_a_column_of_tiers_goes_before_the_names_and_is_filled_from_them(county, workbook):
    path = workbook(["名称", "层级", "经度", "纬度"], ["甲村实践站", "点", 109, 32.7], ["乙村实践站", None, 109, 32.7])
    result = import_file(county, "facilities", path, FRAME)
    assert list(result.study.table("facilities")["tier"]) == ["point", "station"]
    assert [(row.row, row.code) for row in result.ledger.rows if row.row] == [(3, "tier_by_name")]


def test_a_longer_word_ends_with_its_tier_unless_it_is_declared(county, workbook):
    path = workbook(
        ["名称", "层级", "经度", "纬度"], ["甲", "市级新时代文明实践中心", 109, 32.7], ["乙", "小广场", 109, 32.7]
    )
    result = import_file(county, "facilities", path, FRAME)
    assert list(result.study.table("facilities")["tier"]) == ["centre", "小广场"]
    assert [(row.row, row.code) for row in result.ledger.rows if row.row] == [
        (2, "tier_by_ending"), (3, "tier_undeclared"),
    ]  # fmt: skip


REPORTED = [("激活闲置资源", "1"), ("打通封闭资源", "2"), ("下沉优质资源", "3"), ("共享区域资源", "4"),
            ("联动社会资源", "5"), ("沟通网络资源", "6"), ("依托网络资源", "6"), ("盘活闲置资源", "1"),
            ("", "unstated"), ("没人听说过的方式", "unstated")]  # fmt: skip


def test_ways_in_the_words_of_the_reports(county, workbook):
    rows = [[f"H{i}", word or None, 109 + i / 100, 32.7] for i, (word, _) in enumerate(REPORTED)]
    result = import_file(county, "candidates", workbook(["名称", "激活方式", "经度", "纬度"], *rows), FRAME)
    assert list(result.study.table("candidates")["way"]) == [way for _, way in REPORTED]
    assert [(row.code, row.values["n"]) for row in result.ledger.rows if row.code == "way_unstated"] == [
        ("way_unstated", 2)
    ]


def test_candidates_need_no_way(county, workbook):
    result = import_file(county, "candidates", workbook(["名称", "经度", "纬度"], ["老粮站", 109, 32.7]), FRAME)
    assert list(result.study.table("candidates")["way"]) == ["unstated"]


def test_a_checklist_may_say_premises_in_other_words():
    marks, problems = parse_marks("有阵地=有；阵地=部分；有队伍=无", default_checklists()["five_haves"])
    assert not problems
    assert {code: mark.state for code, mark in marks.items()} == {"place": "partial", "team": "none"}


def test_natural_villages_and_grids_are_levels_of_their_own(county, layer):
    import shapely

    from planner.coverage.areas import area_membership, assign_areas

    boxes = [shapely.box(109, 32.5, 109.1, 32.7), shapely.box(109.1, 32.5, 109.2, 32.7)]
    path = layer(boxes, crs=4326, 代码=["g1", "h1"], 名称=["一网格", "李家湾"], 级别=["网格", "自然村"])
    study = import_file(county, "areas", path).study
    areas = study.table("areas")
    assert list(areas["level"]) == ["grid", "hamlet"]
    points = areas.set_geometry(areas.representative_point())[["geometry"]]
    assigned = assign_areas(points, areas)
    assert [list(assigned[name]) for name in ("grid_id", "hamlet_id")] == [["g1", None], [None, "h1"]]
    members = area_membership(assigned, areas)
    assert [tuple(row) for row in members.rows[["area_level", "area_id"]].to_numpy()][1:] == [
        ("hamlet", "h1"), ("grid", "g1"),
    ]  # fmt: skip
    assert members.matrix.toarray().tolist() == [[1, 1], [0, 1], [1, 0]]
