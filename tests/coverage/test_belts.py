"""A road along x, an island road beyond it, and places near both, worked out by hand (walking 1.2 m/s, 15 min).

y 600                                                      G
  100               C
    0  A----B-------+--------------D---3000   4000---F------4500
       0   600     1500          2900               4200
  900 north of 700: E, too far from the road for any buffer here; H (700, 5) is an online service

A-B 600 m, 8.33 min; B-C 900 + 100 m, 13.89 min; C-D 100 + 1,400 m, 20.83 min: too far; D-F no road: disconnected;
F-G: G is 600 m from any road, beyond the 500 m of the profile: unknown.
"""

import geopandas as gpd
import pytest
import shapely

from planner.belts import Belt, belt_along
from planner.coverage.belts import belts_of
from planner.errors import ScenarioError
from planner.plan.groups import practice_belts
from planner.plan.ready import prepare
from planner.scenario import Scenario, scenario_from_toml, scenario_to_toml
from planner.study import new_study
from tests.reference.towns import CRS, town

PLACES = {"A": (0, 0), "B": (600, 0), "C": (1500, 100), "D": (2900, 0), "E": (700, 900), "F": (4200, 0),
          "G": (4200, 600), "H": (700, 5)}  # fmt: skip


def points(rows, id_column):
    shapes = gpd.points_from_xy(*zip(*rows.values(), strict=True))
    return gpd.GeoDataFrame({id_column: list(rows)}, geometry=shapes, crs=CRS)


@pytest.fixture
def study():
    roads = town(
        ([(0, 0), (600, 0), (1500, 0), (3000, 0)], "residential", {"name": "滨江路"}),
        ([(4000, 0), (4500, 0)], "residential", {"name": "孤岛路"}),
    )
    places = points(PLACES, "facility_id").assign(
        name=[f"{key}站" for key in PLACES], tier=["point" if key == "B" else "station" for key in PLACES],
        is_online=[key == "H" for key in PLACES], is_light=[key == "A" for key in PLACES],
    )  # fmt: skip
    demand = points({"d": (10, 0)}, "demand_id").assign(population=1.0)
    river = gpd.GeoDataFrame(
        {"barrier_id": ["b1", "b2"], "kind": ["river", "railway"], "name": ["汉江", "襄渝铁路"]},
        geometry=[shapely.LineString([(-100, -50), (4600, -50)]), shapely.LineString([(0, -80), (9, -80)])],
        crs=CRS,
    )
    areas = gpd.GeoDataFrame(
        {"area_id": ["1", "2"], "name": ["东镇", "西镇"], "level": "town", "parent_id": None, "class": "rural"},
        geometry=[shapely.box(1000, -10, 3500, 2000), shapely.box(-100, -10, 999, 2000)],
        crs=CRS,
    )
    made = new_study("带", CRS)
    tables = {"roads": roads, "facilities": places, "demand": demand, "barriers": river, "areas": areas}
    for name, table in tables.items():
        made = made.with_table(name, table)
    return made


def belts(study, **rules):
    belt = Belt(**{"name": "沿路", "zone": "一区", "buffer_m": 700, **rules})
    scenario = Scenario(belts={"one": belt}).with_choices(profiles=["walk", "ebike"])
    return practice_belts(prepare(study, scenario))


def test_a_chain_along_two_roads(study):
    found = belts(study, roads=("滨江路", "孤岛路"))
    assert list(found.places["facility_id"]) == ["A", "B", "C", "D", "F", "G"]
    assert list(found.places["section"]) == [1, 1, 1, 2, 3, 4]
    assert list(found.places["along_m"]) == [0, 600, 1500, 2900, 4200, 4200]
    assert list(found.places["offset_m"]) == [0, 0, 100, 0, 0, 600]
    assert list(found.places["town_name"]) == ["西镇", "西镇", "东镇", "东镇", "", ""]
    links = found.links
    assert list(links["cause"].fillna("")) == ["", "", "too_far", "disconnected", "unknown"]
    assert list(links["is_break"]) == [False, False, True, True, True]
    assert list(links["length_m"].fillna(-1)) == pytest.approx([600, 1000, 1500, -1, -1])
    assert list(links["link_min"][:3]) == pytest.approx([600 / 72, 1000 / 72, 1500 / 72], abs=1e-3)
    assert list(links["along_m"]) == pytest.approx([600, 900, 1400, 1300, 0])
    row = found.table.iloc[0]
    assert (row["n_places"], row["n_breaks"], row["n_sections"]) == (6, 3, 4)
    assert (row["length_m"], row["longest_link_m"], row["corridor_m"]) == pytest.approx((1600, 1500, 4500))
    assert (row["belt_id"], row["name"], row["zone"], row["basis"], row["profile"]) == (
        "one", "沿路", "一区", "road", "walk",
    )  # fmt: skip
    assert row["geometry"].length == pytest.approx(1600)
    assert found.findings == ()


def test_the_limit_and_the_profile_decide_what_is_a_break(study):
    assert list(belts(study, roads=("滨江路",), break_min=21).links["is_break"]) == [False] * 3
    assert list(belts(study, roads=("滨江路",), break_min=13).links["is_break"]) == [False, True, True]
    by_bike = belts(study, roads=("滨江路",), profile="ebike")
    assert list(by_bike.links["is_break"]) == [False] * 3
    assert by_bike.table["profile"].item() == "ebike"


def test_a_buffer_counts_from_the_line(study):
    assert list(belts(study, roads=("滨江路",), buffer_m=99).places["facility_id"]) == ["A", "B", "D"]
    assert list(belts(study, roads=("滨江路",), buffer_m=100).places["facility_id"]) == ["A", "B", "C", "D"]


def test_a_river_and_tiers_narrow_it(study):
    found = belts(study, rivers=("汉江",), buffer_m=60, tiers=("station",))
    assert list(found.places["facility_id"]) == ["A", "D", "F"]
    assert found.table["basis"].item() == "river"


def test_a_zone_is_the_shortest_chain_through_its_places(study):
    """E touches no road: it stands at the end of the chain that is nearer in a straight line, and the chain breaks."""
    found = belts(study, areas=("东镇", "2"))
    assert list(found.places["facility_id"]) == ["D", "C", "B", "A", "E"]
    assert list(found.links["cause"].fillna("")) == ["too_far", "", "", "unknown"]
    assert found.places["along_m"].isna().all()
    assert found.table["corridor_m"].isna().all()
    assert found.table["length_m"].item() == pytest.approx(1600)


def test_a_line_within_a_zone(study):
    found = belts(study, roads=("滨江路",), areas=("西镇",))
    assert list(found.places["facility_id"]) == ["A", "B"]
    assert found.table["basis"].item() == "road,area"


def corridors(study, rows):
    names = ("corridor_id", "name", "zone", "buffer_m")
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return study.with_table("corridors", gpd.GeoDataFrame(table, geometry=[row[4] for row in rows], crs=CRS))


def test_a_layer_of_corridors_is_a_belt_for_each_name(study):
    line = shapely.LineString([(0, 50), (3000, 50)])
    rows = [("c1", "沿线", "北区", 60.0, line), ("c2", "片", None, None, shapely.box(500, -1, 3000, 1000)),
            ("c3", "片", None, None, shapely.box(4100, -1, 4300, 1))]  # fmt: skip
    with_layer = corridors(study, rows)
    assert [(b.name, b.zone, b.buffer_m) for b in belts_of(with_layer, Scenario()).values()] == [
        ("沿线", "北区", 60.0), ("片", "", 500.0),
    ]  # fmt: skip
    found = practice_belts(prepare(with_layer, Scenario()))
    of = found.places.groupby("belt_name")["facility_id"].apply(list)
    assert of["沿线"] == ["A", "B", "C", "D"]
    assert sorted(of["片"]) == ["B", "C", "D", "E", "F"]


@pytest.mark.parametrize(
    ("rules", "code", "near"),
    [
        ({"roads": ("滨江大路",)}, "road_unknown", "滨江路"),
        ({"rivers": ("襄渝铁路",)}, "river_unknown", "汉江"),
        ({"corridors": ("甲线",)}, "corridor_unknown", "-"),
        ({"areas": ("东镇街道",)}, "area_unknown", "东镇"),
        ({"roads": ("滨江路",), "areas": ("北镇",)}, "area_unknown", "镇"),
        ({"roads": ("滨江路",), "tiers": ("hall",)}, "tier_unknown", "centre"),
        ({"roads": ("滨江路",), "profile": "boat"}, "profile_unknown", "walk"),
    ],
)
def test_what_nobody_knows_is_a_finding_with_its_repair(study, rules, code, near):
    found = belts(study, **rules)
    first = found.findings[0]
    assert first.code == code
    for language in ("zh", "en"):
        assert "沿路" in first.problem(language)
        assert near in first.repair(language)
    if code != "profile_unknown":
        assert found.findings[-1].code == "too_few"
        assert found.table["n_places"].item() == 0
        assert found.places.empty
        assert found.links.empty


def test_bad_rules_are_refused_in_words(study):
    with pytest.raises(ScenarioError, match="name roads, rivers, corridors or areas"):
        scenario_from_toml("[belts.a]\nname = 'x'")
    with pytest.raises(ScenarioError, match="20,000"):
        belt_along(["x"], [], [], [], -1.0)
    assert belt_along([], [], [], [], 500.0) is None


def test_rules_survive_toml():
    scenario = Scenario(belts={"a": Belt(roads=("x",), tiers=("station",), break_min=7)}, cluster_min=8)
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario
