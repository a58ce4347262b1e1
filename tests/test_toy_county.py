"""A county of three towns, drawn below, in which every number is worked out by hand.

One road of 12,240 m runs from west to east through the towns jia (A), yi (B) and bing (C), two villages each. A hamlet
stands at every milestone k, 720 m apart: 10 minutes on foot (4.32 km/h), 15 for an older person (2.88 km/h), 2.88 by
e-bike (15 km/h). In C2 a track touches no other road (hamlet X), and hamlet U has no road at all.

    town    |            A            |            B            |            C
    village |     A1     |     A2     |     B1     |     B2     |     C1     |     C2        X--    U
    k       | 0   1   2  | 3   4   5  | 6   7   8  | 9  10  11  | 12  13  14 | 15  16  17
            +-o---o---o--+-o---o---o--+-o---o---o--+-o---o---o--+-o---o---o--+-o---o---o
    people  |100 200 100 | 50 100  50 |100 200  50 | 40  60  50 |100 150  50 | 80  60  40   15    5
    places  | S1  F1  I1 |    S2      | S3  I2     | P1         | S5* I3     | H1  (S6)
    others  |            |         R1 |            |            |            | R2  K1       R3 K2  R4

F1 centre, I institutes, S stations, P1 a point, H1 a light hub, S6 an online station; R settlements, K candidates.
S5* stands 180 m east of milestone 12. People: A 600, B 500, C 500 (480 on the road), together 1,600.

1 Tiers. One centre, three institutes; stations in A1, A2, B1, C1. B2 and C2 have none (S6 is online): two findings.
2 Declared 1 + 3 + 6 + "~1": found 1 + 3 + 4 + 1, so stations are 2 short; people per station 1,600 / 4 = 400.
3 Checklist. S1 has all five (qualified), S2 lacks a team (not), S3 is qualified by its flag, the others are not judged:
  2 of 4 stations are qualified. On foot they reach k0 k1 (S1) and k5 k6 k7 (S3): 100 + 200 + 50 + 100 + 200 = 650.
4 Own standard: a station within 10 minutes' walk for rural people. All are rural; 10 minutes reach one milestone each
  side: k0 k1, k3 k4 k5, k6 k7, and of S5* k12 (180 m), k13 (540 m), not k11 (900 m, 12.5 min): 1,050.
5 Two verdicts, stations in 15 minutes. On foot k0 k1 | k3 k4 k5 | k6 k7 | k11 k12 k13 = 300 + 200 + 300 + 300 = 1,100;
  older people lose k11 (18.75 min): 1,050; by e-bike 3,750 m reach every milestone: 1,580. X is cut off (uncovered), U
  unknown: 1,100 + 495 + 5 = 1,600. People whose village has a station: 400 + 200 + 350 + 300 = 1,250.
  On foot A1 300 of 400, A2 200 of 200, B1 300 of 350, B2 50 of 150, C1 250 of 300, C2 0 of 200.
  The verdicts differ: A1 100 beyond, B1 50 beyond, B2 50 reached without a station, C1 50 beyond.
6 Settlements, stations in 15 minutes on foot. R1 (40 people, at k5) is one milestone from S2: 10 min, served; S2 holds
  40, so one seat a head, lacks its team (not qualified) and has two rooms. R2 (60, at k15): S5* is 1,980 m away,
  27.5 min, 12.5 over, 750 people x minutes; it came from k17, 3,420 m = 47.5 min away: 20 min nearer now. R1 came from
  "bing": 425 people there stayed and are known (C1 300, k15 80 - 60, k16 60, k17 40: 420 on the road; 5 at X, cut off);
  by minutes to a station 2.5 k12 (100), 7.5 k13 (150), ...: half of them, the 213th, is at 7.5; the move cost 2.5 min.
  R3 (10) is cut off, R4 (5) unknown. Served 40 of 115; rank R3, R2, R4, R1.
  R2 has no place of its own (H1 beside it is light), R1 none either (I2 is far; its village is not named).
  Soonest: for R2 the hub H1 at its door (0 min), then K1 (agreed, 720 m, 10 min), then a session; K3 is online. For R3
  K2 (180 m on the track, 2.5 min, owner to be asked), then a session. For R4 its roads have to be looked at first.
  Declared 115 people and 30 households: 115 and 30 = 10 + 15 + 3 + 2 are found; relocated in the demand: 115.
7 Capacity and fairness, stations in 15 minutes on foot; seats S1 30, S2 40, S3 70, S5* 60. Catchments: S1 k0 k1 = 300
  people, S2 k3 k4 k5 = 200, S3 k5 k6 k7 = 350, S5* k11 k12 k13 = 300; seats a head 0.1, 0.2, 0.2, 0.2.
  2SFCA: k0 k1 0.1; k3 k4 k6 k7 k11 k12 k13 0.2; k5 0.4; others 0. By village, seats per 1,000: A1 30 / 400 = 75, A2
  (10 + 20 + 20) / 200 = 250, B1 60 / 350, B2 10 / 150, C1 50 / 300, C2 0 (195 known people). People-weighted they make
  the 200 seats. E2SFCA weighs 1, 0.68, 0.22 within 5, 10, 15 minutes: S1 30 / (100 + 0.68 x 200) = 30 / 236, S2
  40 / (34 + 100 + 34) = 40 / 168, S3 70 / (34 + 100 + 136) = 70 / 270, S5* 60 / (11 + 100 + 102) = 60 / 213.
  Nearest (k5 is 10 min from S2 and S3: S2 by id): S1 300, S2 200, S3 300, S5* 300. 400 people a station.
  Person-minutes over: k2 5 x 100, k8 5 x 50, k9 15 x 40, k10 7.5 x 60, k14 2.5 x 50, k15 12.5 x 80, k16 22.5 x 60,
  k17 32.5 x 40 = 500 + 250 + 600 + 450 + 125 + 1,000 + 1,350 + 1,300 = 5,575; X is cut off (15), U unknown.
  After K1 opens at k16 as a station of 36 seats: k15 k16 k17 are within 10 minutes (180 people, 0.2 a head), covered
  1,280; person-minutes 500 + 250 + 600 + 450 + 125 = 1,925.
8 Belt along the road, on foot: S1 F1 I1 S2 S3 I2 P1 S5* I3 H1 (light, yet on the belt; S6 is online). From each to the
  next 720 720 1,440 1,440 720 1,440 2,340 540 1,440 m; 15 minutes are 1,080 m, so five of the nine are breaks and
  2,700 m hold. Clusters within 12 minutes (864 m): F1 I1 (not S1 F1: F1 I1 comes first), I2 S3, I3 S5*; P1, S1, S2,
  H1 stay alone. No one of the three says what rooms it has, so nothing is called lacking.
"""

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal

from planner.belts import Belt
from planner.coverage.checklist import checklist_totals, rectification_list
from planner.coverage.declared import declared_from_toml, reconcile, with_declaration
from planner.coverage.hierarchy import hierarchy_findings, tier_table
from planner.coverage.verdicts import differing_villages
from planner.errors import InputError
from planner.plan.coverage import coverage_table, verdict_table
from planner.plan.equity import equity
from planner.plan.groups import practice_belts, town_clusters
from planner.plan.practice import norm_table, place_set_table
from planner.plan.ready import areas_of, prepare
from planner.plan.settlements import settlement_audit
from planner.plan.stages import make_plan
from planner.scenario import Scenario
from planner.standards import standards_from_toml
from planner.study import new_study
from tests.reference.lattice import every_piece
from tests.reference.towns import CRS, town

STEP = 720.0
PEOPLE = (100, 200, 100, 50, 100, 50, 100, 200, 50, 40, 60, 50, 100, 150, 50, 80, 60, 40)
VILLAGES = ("A1", "A2", "B1", "B2", "C1", "C2")
NAMES = {"A": "甲镇", "B": "乙镇", "C": "丙镇"}
ISLAND = ((11_520.0, 900.0), (11_700.0, 900.0))
NO_ROAD = (12_240.0, 1_500.0)
RELOCATED = {"k5": 40, "k15": 60, "X": 10, "U": 5}
ALL_FIVE = "有场所=有；有队伍=有；有活动=有；有项目=有；有机制=有"
DECLARED = """
[toy]
name = "玩具县"
source = "drawn in a test"
[toy.figures]
centre = 1
institute = 3
station = 6
point = "~1"
[toy.relocated]
people = 115
households = 30
"""
STANDARD = """
[ten_minutes]
name = "十分钟"
source = "drawn in a test"
[[ten_minutes.rules]]
tier = "station"
class = "rural"
profiles = ["walk"]
cutoff_min = 10
"""


def village_of(k):
    return f"{VILLAGES[k // 3][0]}镇", VILLAGES[k // 3]


def table(rows, columns, xy):
    columns = dict(zip(columns, zip(*rows, strict=True), strict=True))
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(point) for point in xy], crs=CRS)


def areas():
    rows = [("T", "玩具县", "county", None, None, shapely.box(-360, -1000, 12_600, 2_000))]
    for number, (code, name) in enumerate(NAMES.items()):
        west = -360 + 6 * STEP * number
        rows.append((code, name, "town", "T", "rural", shapely.box(west, -1000, west + 6 * STEP, 2_000)))
    for number, code in enumerate(VILLAGES):
        west = -360 + 3 * STEP * number
        box = shapely.box(west, -1000, west + 3 * STEP, 2_000)
        rows.append((code, f"{NAMES[code[0]]}{code[1]}村", "village", code[0], "rural", box))
    return gpd.GeoDataFrame(rows, columns=["area_id", "name", "level", "parent_id", "class", "geometry"], crs=CRS)


def demand():
    spots = [(f"k{k}", people, (STEP * k, 0.0)) for k, people in enumerate(PEOPLE)]
    spots += [("X", 15, ISLAND[0]), ("U", 5, NO_ROAD)]
    rows = [(name, people, RELOCATED.get(name, 0)) for name, people, _ in spots]
    return table(rows, ("demand_id", "population", "relocated"), [xy for *_, xy in spots])


def facilities():
    rows = [
        # id, tier, milestone, capacity, checklist, qualified?, online?, light?
        ("F1", "centre", 1, 500, None, None, False, None),
        ("I1", "institute", 2, 100, None, None, False, None),
        ("I2", "institute", 7, 100, None, None, False, None),
        ("I3", "institute", 13, 100, None, None, False, None),
        ("S1", "station", 0, 30, ALL_FIVE, None, False, None),
        ("S2", "station", 4, 40, ALL_FIVE.replace("有队伍=有", "有队伍=无"), None, False, None),
        ("S3", "station", 6, 70, None, True, False, None),
        ("S5", "station", 12.25, 60, None, None, False, None),
        ("S6", "station", 16, 900, None, True, True, None),
        ("P1", "point", 9, 20, None, None, False, None),
        ("H1", "hub", 15, 10, None, None, False, True),
    ]
    parents = {"I": "F1", "S1": "I1", "S2": "I1", "S3": "I2", "S5": "I3", "S6": "I3", "P1": None}
    named = [
        (key, tier, f"{key}号阵地", parents.get(key, parents.get(key[0])), size, marks, flag, online, light,
         "理论宣讲、文化" if key == "S2" else None)
        for key, tier, _, size, marks, flag, online, light in rows
    ]  # fmt: skip
    columns = (
        "facility_id", "tier", "name", "parent_id", "capacity", "checklist", "is_qualified", "is_online", "is_light",
        "function_rooms",
    )  # fmt: skip
    return table(named, columns, [(STEP * row[2], 0.0) for row in rows])


def settlements():
    rows = [
        # id, people, households, where, origin towns, origin x, y
        ("R1", 40, 10, (STEP * 5, 0.0), "丙镇", None, None),
        ("R2", 60, 15, (STEP * 15, 0.0), None, STEP * 17, 0.0),
        ("R3", 10, 3, ISLAND[0], None, None, None),
        ("R4", 5, 2, NO_ROAD, None, None, None),
    ]
    named = [
        (key, f"{key}安置点", people, homes, towns, x, y)
        for key, people, homes, _, towns, x, y in rows
    ]  # fmt: skip
    columns = ("settlement_id", "name", "people", "households", "origin_towns", "origin_x", "origin_y")
    return table(named, columns, [row[3] for row in rows])


def candidates():
    rows = [("K1", "旧粮站", "1", "agreed"), ("K2", "旧校舍", "2", "asked"), ("K3", "网上平台", "6", "agreed")]
    columns = ("candidate_id", "name", "way", "consent")
    return table(rows, columns, [(STEP * 16, 0.0), ISLAND[1], (STEP * 9, 0.0)])


def toy_study():
    """The whole county."""
    road = [(STEP * k, 0.0) for k in range(len(PEOPLE))]
    roads = town((road, "tertiary", {"name": "青河路"}), (list(ISLAND), "track", {}))
    made = new_study("玩具县", CRS)
    tables = {
        "areas": areas(), "roads": roads, "facilities": facilities(), "demand": demand(),
        "settlements": settlements(), "candidates": candidates(),
    }  # fmt: skip
    for name, rows in tables.items():
        made = made.with_table(name, rows)
    return made


def toy_scenario():
    """Stations within 15 minutes, on foot first."""
    own = standards_from_toml(STANDARD)
    chosen = Scenario(main_tier="station", settlement_tier="station", own_standards=own)
    return every_piece(chosen.with_choices(profiles=["walk", "elderly_walk", "ebike"]))


@pytest.fixture(scope="module")
def study():
    return toy_study()


@pytest.fixture(scope="module")
def reach(study):
    return prepare(study, toy_scenario())


@pytest.fixture(scope="module")
def coverage(reach):
    return verdict_table(reach, coverage_table(reach, tiers=["station"], groups=["all"]))


def test_1_tiers(study):
    scenario = toy_scenario()
    findings = hierarchy_findings(study, scenario)
    assert [(one.code, one.ids) for one in findings] == [("unit_without", ("B2",)), ("unit_without", ("C2",))]
    assert not any("0处下级" in one.problem("zh") for one in findings)
    tiers = tier_table(study, scenario, findings).set_index("tier")
    assert tiers["n_places"].reindex(["centre", "institute", "station", "point"]).tolist() == [1, 3, 4, 1]
    assert tiers.loc["station", ["n_units", "n_units_with", "n_online"]].tolist() == [6, 4, 1]


def test_2_declared_against_found(study):
    result = reconcile([study], declared_from_toml(DECLARED)["toy"], toy_scenario())
    places = result.table[(result.table["measure"] == "places") & (result.table["class"] == "all")].set_index("tier")
    assert places["found"].reindex(["centre", "institute", "station", "point"]).tolist() == [1, 3, 4, 1]
    assert places.loc["station", ["difference", "judgement"]].tolist() == [-2, "short"]
    assert places.loc["point", "judgement"] == "within"
    ratios = result.ratios.set_index("ratio")["found"]
    assert ratios["people_per_station"] == pytest.approx(400)
    assert ratios["stations_per_institute"] == pytest.approx(4 / 3)
    assert result.found_formula == "1+3+4+1"
    assert not result.agrees


def test_3_what_makes_a_place_count(study, reach):
    checklist = reach.scenario.checklist
    totals = checklist_totals(study, checklist)
    station = totals[(totals["tier"] == "station") & (totals["town_name"] == "all")].iloc[0]
    assert station[["n_places", "n_judged", "n_qualified"]].tolist() == [4, 3, 2]
    first = rectification_list(study, checklist).iloc[0]
    assert first[["facility_id", "lacks"]].tolist() == ["S2", "有队伍"]
    sets = place_set_table(reach)
    county = sets[
        (sets["area_level"] == "county") & sets["area_class"].isna() & (sets["tier"] == "station")
        & (sets["profile"] == "walk") & (sets["group"] == "all")
    ].set_index("place_set")  # fmt: skip
    assert county["covered_people"].to_dict() == {"named": 1_100, "qualified": 650}


def test_4_an_own_standard(reach):
    rows = norm_table(reach, ["ten_minutes"])
    county = rows[(rows["area_level"] == "county") & rows["area_class"].isna()].iloc[0]
    assert county[["covered_people", "distance_m", "standard"]].tolist() == [1_050, 720, "ten_minutes"]


def test_5_two_verdicts(reach, coverage):
    county = coverage[(coverage["area_level"] == "county") & coverage["area_class"].isna()].set_index("profile")
    assert county["covered_people"].to_dict() == {"walk": 1_100, "elderly_walk": 1_050, "ebike": 1_580}
    assert county.loc["walk", ["uncovered_people", "unknown_people", "own_people"]].tolist() == [495, 5, 1_250]
    walk = coverage[(coverage["profile"] == "walk") & (coverage["area_level"] == "village")].set_index("area_id")
    assert walk["covered_people"].tolist() == [300, 200, 300, 50, 250, 0]
    assert walk["population"].tolist() == [400, 200, 350, 150, 300, 200]
    assert walk["has_one"].tolist() == [True, True, True, False, True, False]
    differing = differing_villages(coverage[coverage["profile"] == "walk"], areas_of(reach.study))
    assert differing[["area_id", "differing_people"]].to_numpy().tolist() == [
        ["A1", 100], ["B1", 50], ["B2", 50], ["C1", 50],
    ]  # fmt: skip


def test_6_relocation_settlements(study):
    kept = with_declaration(study, declared_from_toml(DECLARED)["toy"])
    audit = settlement_audit(prepare(kept, toy_scenario()))
    table = audit.table.set_index("settlement_id")
    assert table["rank"].to_dict() == {"R1": 4, "R2": 2, "R3": 1, "R4": 3}
    assert table["reason"].tolist() == ["served", "too_far", "disconnected", "unknown"]
    assert not table["has_place_inside"].any()
    minutes = ["travel_time_min", "over_min", "person_min_over"]
    assert table.loc["R1", minutes].tolist() == pytest.approx([10, 0, 0])
    assert table.loc["R2", minutes].tolist() == pytest.approx([27.5, 12.5, 750])
    served_by = ["nearest_facility_id", "capacity", "capacity_share", "nearest_quality", "n_rooms"]
    assert table.loc["R1", served_by].tolist() == ["S2", 40, 1.0, "not_qualified", 2]
    assert table.loc["R2", served_by].tolist() == ["S5", 60, 1.0, "not_judged", 0]
    assert table.loc["R1", ["before_basis", "before_min", "change_min"]].tolist() == ["towns", 7.5, 2.5]
    assert table.loc["R2", ["before_basis", "before_min", "change_min"]].tolist() == ["point", 47.5, -20]
    assert table.loc[["R3", "R4"], "before_basis"].isna().all()
    remedies = audit.remedies[["settlement_id", "option", "remedy", "place_id", "remedy_min"]]
    assert remedies.astype(object).where(remedies.notna(), None).to_numpy().tolist() == [
        ["R3", 1, "candidate", "K2", 2.5], ["R3", 2, "session", None, 0],
        ["R2", 1, "upgrade", "H1", 0], ["R2", 2, "candidate", "K1", 10], ["R2", 3, "session", None, 0],
        ["R4", 1, "survey", None, None], ["R4", 2, "session", None, 0],
    ]  # fmt: skip
    total = audit.totals.iloc[-1]
    people = ["people", "served_people", "unserved_people", "unknown_people", "households"]
    assert total[people].tolist() == [115, 40, 70, 5, 30]
    assert total["served_share"] == pytest.approx(40 / 115)
    checks = audit.checks[["check", "expected", "found", "judgement"]].to_numpy().tolist()
    assert checks == [
        ["people", "115", 115, "equal"], ["households", "30", 30, "equal"], ["demand", "115", 115, "equal"],
    ]  # fmt: skip


def test_7_capacity_and_fairness(study, reach):
    opened = study.table("candidates").query("candidate_id == 'K1'").assign(capacity=36.0)
    answer = equity(reach, opened=opened)
    walk = answer.summary[answer.summary["profile"] == "walk"].set_index("state")
    before, after = walk.loc["before"], walk.loc["after"]
    assert before[["n_places", "supply", "supply_total"]].tolist() == [4, "capacity", 200]
    assert before[["people_per_place", "supply_per_1000"]].tolist() == pytest.approx([400, 125])
    people = ["covered_people", "cut_off_people", "unknown_people", "person_min_over"]
    assert before[people].tolist() == pytest.approx([1_100, 15, 5, 5_575])
    assert after[people].tolist() == pytest.approx([1_280, 15, 5, 1_925])
    areas = answer.areas[(answer.areas["profile"] == "walk") & (answer.areas["area_level"] == "village")]
    areas = areas.set_index(["state", "area_id"])
    plain = [75, 250, 60_000 / 350, 10_000 / 150, 50_000 / 300]
    assert areas.loc["before", "two_step_per_1000"].tolist() == pytest.approx([*plain, 0])
    assert areas.loc["after", "two_step_per_1000"].tolist() == pytest.approx([*plain, 36_000 / 195])
    s1, s2, s3, s5 = 30 / 236, 40 / 168, 70 / 270, 60 / 213
    held = [
        100 * s1 + 200 * 0.68 * s1,
        50 * 0.68 * s2 + 100 * s2 + 50 * 0.68 * (s2 + s3),
        100 * s3 + 200 * 0.68 * s3,
        50 * 0.22 * s5,
        100 * s5 + 150 * 0.68 * s5,
        0,
    ]
    known = [400, 200, 350, 150, 300, 195]
    enhanced = areas.loc["before", "enhanced_per_1000"].tolist()
    assert enhanced == pytest.approx([1_000 * one / heads for one, heads in zip(held, known, strict=True)])
    for name, values in (("two_step", [*plain, 0]), ("enhanced", enhanced)):
        pairs = sum(
            a * b * abs(x - y) for x, a in zip(values, known, strict=True) for y, b in zip(values, known, strict=True)
        )
        mean = sum(x * a for x, a in zip(values, known, strict=True)) / sum(known)
        assert before[f"gini_{name}"] == pytest.approx(pairs / (2 * sum(known) ** 2 * mean))
    assert after["gini_two_step"] < before["gini_two_step"]
    places = answer.places[(answer.places["state"] == "before") & (answer.places["profile"] == "walk")]
    places = places.set_index("facility_id")
    assert places["nearest_people"].to_dict() == {"S1": 300, "S2": 200, "S3": 300, "S5": 300}
    assert places["reached_people"].to_dict() == {"S1": 300, "S2": 200, "S3": 350, "S5": 300}
    layer = answer.villages.set_index("area_id")
    assert layer.loc["C2", ["two_step_per_1000", "person_min_over", "person_min_over_after"]].tolist() == pytest.approx(
        [0, 3_650, 0]
    )


def test_8_a_belt_and_clusters(study):
    chosen = toy_scenario().with_choices(belts={"qinghe": Belt(roads=("青河路",))}, cluster_min=12)
    reach = prepare(study, chosen)
    belts = practice_belts(reach)
    assert belts.places["facility_id"].tolist() == ["S1", "F1", "I1", "S2", "S3", "I2", "P1", "S5", "I3", "H1"]
    assert belts.links["length_m"].tolist() == pytest.approx([720, 720, 1440, 1440, 720, 1440, 2340, 540, 1440])
    assert belts.places["section"].tolist() == [1, 1, 1, 2, 3, 3, 4, 5, 5, 6]
    assert belts.table[["n_breaks", "length_m", "corridor_m"]].to_numpy().tolist() == [[5, 2_700, 12_240]]
    clusters = town_clusters(reach)
    members = clusters.places.groupby("cluster_id")["facility_id"].apply(list)
    assert members.to_dict() == {"A-1": ["F1", "I1"], "B-1": ["I2", "S3"], "C-1": ["I3", "S5"]}
    assert clusters.table["farthest_min"].tolist() == pytest.approx([10, 10, 7.5])
    assert set(clusters.table["lacks_functions"]) == {""}


def test_online_services_and_way_6_add_nothing_to_any_figure(study):
    """Every figure about people stays what it is when S6 and K3 go, and when online ones stand at every milestone."""
    spots = [(STEP * k, 0.0) for k in range(len(PEOPLE))]
    online = table(
        [(f"N{k}", "station", f"网上{k}", 9_999.0, True, True) for k in range(len(PEOPLE))],
        ("facility_id", "tier", "name", "capacity", "is_qualified", "is_online"), spots,
    )  # fmt: skip
    way_6 = table(
        [(f"W{k}", f"平台{k}", "6", "agreed", 9_999.0) for k in range(len(PEOPLE))],
        ("candidate_id", "name", "way", "consent", "capacity"), spots,
    )  # fmt: skip
    places, sites = study.table("facilities"), study.table("candidates")
    without = study.with_table("facilities", places[places["facility_id"] != "S6"])
    without = without.with_table("candidates", sites[sites["candidate_id"] != "K3"])
    more = study.with_table("facilities", gpd.GeoDataFrame(pd.concat([places, online], ignore_index=True), crs=CRS))
    more = more.with_table("candidates", gpd.GeoDataFrame(pd.concat([sites, way_6], ignore_index=True), crs=CRS))
    expected = figures_of(without)
    assert len(expected) == 11
    for other in (study, more):
        found = figures_of(other)
        for name, frame in expected.items():
            assert_frame_equal(found[name], frame, obj=name)


def figures_of(study):
    """Every table of items 1 to 7 that says something of people or places, without its geometry."""
    plan = make_plan(study, toy_scenario().with_choices(n_new=1))
    tables = {
        "coverage": plan.coverage, "place_sets": plan.practice.place_sets, "standard": plan.practice.standard,
        "settlements": plan.settlements, "totals": plan.settlement_totals, "remedies": plan.settlement_remedies,
        "nearest": plan.settlement_nearest, "equity": plan.equity.summary, "areas": plan.equity.areas,
        "villages": plan.equity.villages, "places": plan.equity.places,
    }  # fmt: skip
    return {name: pd.DataFrame(frame.drop(columns="geometry", errors="ignore")) for name, frame in tables.items()}


def test_an_online_candidate_cannot_be_opened(study, reach):
    with pytest.raises(InputError, match="way 6"):
        equity(reach, opened=study.table("candidates"))
