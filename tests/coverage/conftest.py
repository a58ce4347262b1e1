"""The toy county: three towns of two villages each, small enough to be worked by hand.

Metres, EPSG:32649. Towns jia (A), yi (B), bing (C) stand side by side, each with a lower and an upper village of
2 km x 2 km; a river (~) without a bridge runs along x = 3800 through the lower half. Only A1 is urban.

    y
    4000 +-----------------+-----------------+-----------------+
         |A2               |B2       D4 80   |C2               |
         | S2      R3      |        D11  5   |                 |
         |                 |        P1       |     D6 30 D7 20 |
         | D9 25     D2 50 |D10 15           |                 |
    2000 +-----------------+---------------~-+-----------------+
         |A1 (urban)       |B1             ~ |C1               |
         |      F2         |               ~ | R2              |
         |      F1         |    F3 D3 R1 S3~ |D5 S4(online)    |     D8 10 (beyond the county)
         | S1 D1           |      200      ~ |40               |
       0 +-----------------+---------------~-+-----------------+
         0               2000              4000              6000      x

Minutes to the nearest station, as the reach stage would give them (walk / e-bike; the cutoff is 15):

    D1  5/1   D2 15/4   D3 2/1   D4 40/10   D5 30/8   D6 cut off   D7 unknown   D8 20/15.5   D9 22/6   D10 12/3
    D11 35/9
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.coverage.areas import assign_areas
from planner.scenario import Scenario
from planner.study import new_study

CRS = "EPSG:32649"
INF, NAN = float("inf"), float("nan")
TOWNS = {"A": "甲镇", "B": "乙镇", "C": "丙镇"}
DEMAND = (
    # id, x, y, people, of 60 and over, relocated, minutes on foot, minutes by e-bike, nearest station
    ("D1", 600, 500, 100, 20, 0, 5.0, 1.0, "S1"),
    ("D2", 1500, 2500, 50, 10, 0, 15.0, 4.0, "S2"),
    ("D3", 3100, 1000, 200, 40, 60, 2.0, 1.0, "S3"),
    ("D4", 3000, 3900, 80, 30, 0, 40.0, 10.0, "S3"),
    ("D5", 4100, 1000, 40, 8, 40, 30.0, 8.0, "S3"),
    ("D6", 5000, 3000, 30, 6, 0, INF, INF, None),
    ("D7", 5400, 3000, 20, 4, 0, NAN, NAN, None),
    ("D8", 7000, 1000, 10, 2, 0, 20.0, 15.5, "S3"),
    ("D9", 500, 2600, 25, 5, 0, 22.0, 6.0, "S2"),
    ("D10", 2900, 2100, 15, 3, 0, 12.0, 3.0, "S3"),
    ("D11", 3000, 3500, 5, 1, 0, 35.0, 9.0, "S3"),
)
SETTLEMENTS = (
    # id, x, y, people, households, town, village, minutes on foot to the nearest station, station
    ("R1", 3150, 1000, 60, 15, "乙镇", "乙一村", 1.0, "S3"),
    ("R2", 4200, 1100, 900, 200, "丙镇", "丙一村", 30.0, "S3"),
    ("R3", 1500, 3500, 400, 100, "甲镇", "甲二村", 17.0, "S2"),
    ("R4", 5000, 2500, 3000, 700, None, None, NAN, None),
    ("R5", 5900, 3900, 100, 25, None, None, INF, None),
)


def points(rows, columns, xy):
    x, y = zip(*xy, strict=True)
    return gpd.GeoDataFrame(
        dict(zip(columns, zip(*rows, strict=True), strict=True)), geometry=gpd.points_from_xy(x, y), crs=CRS
    )


def status_of(minutes):
    return "unknown" if np.isnan(minutes) else "disconnected" if np.isinf(minutes) else "reachable"


def access_rows(point_id, tier, facility, **minutes):
    return [(point_id, profile, tier, facility, value, status_of(value)) for profile, value in minutes.items()]


def access_frame(rows):
    return pd.DataFrame(rows, columns=["point_id", "profile", "tier", "facility_id", "travel_time_min", "status"])


@pytest.fixture
def areas():
    rows = [("X", "玩具县", "county", None, None, shapely.box(0, 0, 6000, 4000))]
    for column, (town, name) in enumerate(TOWNS.items()):
        x = 2000 * column
        rows.append((town, name, "town", "X", "urban" if town == "A" else "rural", shapely.box(x, 0, x + 2000, 4000)))
        for number, word in ((1, "一"), (2, "二")):
            box = shapely.box(x, 2000 * (number - 1), x + 2000, 2000 * number)
            kind = "urban" if town + str(number) == "A1" else "rural"
            rows.append((f"{town}{number}", f"{name[0]}{word}村", "village", town, kind, box))
    return gpd.GeoDataFrame(rows, columns=["area_id", "name", "level", "parent_id", "class", "geometry"], crs=CRS)


@pytest.fixture
def demand():
    rows = [(i, population, age60, relocated) for i, _, _, population, age60, relocated, *_ in DEMAND]
    return points(rows, ("demand_id", "population", "age60", "relocated"), [row[1:3] for row in DEMAND])


@pytest.fixture
def facilities():
    """Station S4 is an online service; point P1 lies in B2 but its row names town A."""
    rows = [
        ("F1", "centre", "县中心", "甲镇", "甲一村", False, 1000, 1000),
        ("F2", "institute", "甲镇所", "甲镇", None, False, 1000, 1200),
        ("F3", "institute", "乙镇所", "乙镇", None, False, 3000, 1000),
        ("S1", "station", "甲一村站", "甲镇", "甲一村", False, 500, 500),
        ("S2", "station", "甲二村站", "甲镇", "甲二村", None, 500, 3500),
        ("S3", "station", "乙一村站", None, None, False, 3200, 1000),
        ("S4", "station", "丙一村网上站", "丙镇", "丙一村", True, 4200, 1000),
        ("P1", "point", "乙二村点", "甲镇", None, False, 3000, 3000),
    ]
    columns = ("facility_id", "tier", "name", "town", "village", "is_online")
    return points([row[:6] for row in rows], columns, [row[6:] for row in rows])


@pytest.fixture
def settlements():
    rows = [
        (i, f"{i}安置点", people, homes, town, village) for i, _, _, people, homes, town, village, *_ in SETTLEMENTS
    ]
    columns = ("settlement_id", "name", "people", "households", "town", "village")
    return points(rows, columns, [row[1:3] for row in SETTLEMENTS])


@pytest.fixture
def access():
    """Times of the demand points to the nearest station."""
    return access_frame(
        [row for one in DEMAND for row in access_rows(one[0], "station", one[8], walk=one[6], ebike=one[7])]
    )


@pytest.fixture
def settlement_access():
    return access_frame(
        [row for one in SETTLEMENTS for row in access_rows(one[0], "station", one[8], walk=one[7], ebike=one[7] / 4)]
    )


@pytest.fixture
def scenario():
    return Scenario(main_tier="station", settlement_tier="station")


@pytest.fixture
def study(areas, demand, facilities, settlements):
    river = gpd.GeoDataFrame(
        {"barrier_id": ["W1"], "kind": ["river"], "name": ["玩具河"]},
        geometry=[shapely.LineString([(3800, 0), (3800, 2000)])],
        crs=CRS,
    )
    tables = {"areas": areas, "demand": demand, "facilities": facilities, "settlements": settlements, "barriers": river}
    made = new_study("玩具县", CRS)
    for name, table in tables.items():
        made = made.with_table(name, table)
    return made


@pytest.fixture
def assigned(demand, areas):
    return assign_areas(demand, areas)
