import geopandas as gpd
import pytest
import shapely

from planner.coverage.duplicates import find_duplicates, old_names, own_name
from planner.study import new_study

CRS = "EPSG:32649"


def study_of(*places, table="facilities"):
    """A study of places (id, name, tier, x, y) in metres."""
    ids, names, tiers, x, y = zip(*places, strict=True)
    column = {"facilities": "facility_id", "candidates": "candidate_id"}[table]
    columns = {column: ids, "name": names, "tier": tiers, "town": ["甲镇"] * len(ids)}
    frame = gpd.GeoDataFrame(columns, geometry=shapely.points(x, y), crs=CRS)
    return new_study("示例县", CRS).with_table(table, frame)


def found(study):
    table = find_duplicates(study)
    return list(zip(table["id"], table["other_id"], table["reason"], strict=True))


@pytest.mark.parametrize(
    ("a", "b", "distance", "tiers", "reason"),
    [
        ("甲村新时代文明实践站", "甲村党群服务中心", 20, "ss", "same_place"),
        ("甲村村委会", "甲镇甲村综合文化服务中心", 25, "ss", "same_place"),
        ("甲村（原丙村）实践站", "丙村站", 2_000, "ss", "old_name"),
        ("红旗村站", "红旗村实践站", 300, "ss", "alike_near"),
        ("红旗村站", "红旗村实践站", 3_000, "ss", "same_name"),
        ("图书馆", "信用社", 10, "pp", "same_spot"),
        ("红旗村站", "红旗村实践站", 6_000, "ss", None),
        ("红旗村站", "东风村站", 300, "ss", None),
        ("甲镇实践所", "甲镇社区站", 10, "is", None),
        ("党群服务中心", "党群服务中心", 3_000, "ss", None),
    ],
)
def test_pairs_that_may_be_one(a, b, distance, tiers, reason):
    codes = {"s": "station", "i": "institute", "p": "point"}
    study = study_of(
        ("1", a, codes[tiers[0]], 500_000, 3_600_000), ("2", b, codes[tiers[1]], 500_000 + distance, 3_600_000)
    )
    assert found(study) == ([("1", "2", reason)] if reason else [])


def test_candidates_are_held_against_places():
    study = study_of(("F1", "甲村小学", "station", 0, 0))
    sites = study_of(("C1", "甲村小学旧址", "point", 10, 0), ("C2", "乙村仓库", "point", 9_000, 0), table="candidates")
    both = study.with_table("candidates", sites.table("candidates"))
    assert found(both) == [("F1", "C1", "same_place")]
    assert len(both.table("facilities")) == 1


def test_names_without_what_any_place_is_called():
    assert own_name("甲村新时代文明实践站") == own_name("甲村（新建）党群服务中心") == "甲村"
    assert own_name("站") == "站"
    assert old_names("甲村（原乙村）") == ("乙村",)
    assert old_names("甲村(曾用名：丙丁社区)") == ("丙丁",)
    assert old_names("原野村") == ()


def test_nothing_to_compare():
    assert find_duplicates(new_study("示例县", CRS)).empty
