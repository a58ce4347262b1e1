"""A made-up county of two towns on a lattice of streets, in memory: quick enough for every default test.

Streets every 200 m over 1.6 x 1.6 km, one hamlet with a street of its own that touches nothing, one with no road at
all. Every name that a user could have typed tries to break out of the page or the workbook.
"""

import geopandas as gpd
import numpy as np
import shapely

from planner.study import new_study
from tests.reference.towns import CRS, town

STEP, N = 200.0, 9
EAST, NORTH = 500_000.0, 3_600_000.0
IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>window.stolen=1</script>"
HOSTILE = (
    IMAGE,
    SCRIPT,
    "=cmd()",
    "+1",
    "@x",
    "-2+3",
    "{{7*7}}",
    "${7*7}",
    "`x`",
    "\"'&amp;<b>",
    "[bold]甲[/bold]",
    "a\\nb",
)


def every_piece(scenario):
    """The scenario with profiles that start from every piece of road, however short."""
    profiles = {code: one.model_copy(update={"min_piece_m": 0.0}) for code, one in scenario.profiles.items()}
    return scenario.model_copy(update={"profiles": profiles})


def points(rows, columns):
    """Rows of (x, y, values ...) as a table of points."""
    shapes = shapely.points([EAST + row[0] for row in rows], [NORTH + row[1] for row in rows])
    values = list(zip(*[row[2:] for row in rows], strict=True))
    return gpd.GeoDataFrame(dict(zip(columns, values, strict=True)), geometry=list(shapes), crs=CRS)


def _roads():
    at = {(i, j): (EAST + i * STEP, NORTH + j * STEP) for i in range(N) for j in range(N)}
    streets = [([at[i, j] for i in range(N)], "residential", {"name": HOSTILE[j]}) for j in range(N)]
    streets += [([at[i, j] for j in range(N)], "tertiary", {"name": None}) for i in range(N)]
    streets.append(([(EAST + 3000, NORTH), (EAST + 3200, NORTH)], "track", {"name": "断头路"}))
    return town(*streets)


def _areas():
    box = lambda west, south, east, north: shapely.MultiPolygon([  # noqa: E731
        shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)
    ])  # fmt: skip
    rows = [
        ("X", f"格县{IMAGE}", "county", None, None, box(-400, -400, 4400, 2000)),
        ("A", f"甲镇{SCRIPT}", "town", "X", "urban", box(-400, -400, 800, 2000)),
        ("B", "=乙镇", "town", "X", "rural", box(800, -400, 4400, 2000)),
        ("A1", "+甲一社区", "village", "A", "urban", box(-400, -400, 800, 800)),
        ("A2", "@甲二社区", "village", "A", "urban", box(-400, 800, 800, 2000)),
        ("B1", f"乙一村{IMAGE}", "village", "B", "rural", box(800, -400, 2000, 2000)),
        ("B2", "乙二村", "village", "B", "rural", box(2000, -400, 4400, 2000)),
    ]
    return gpd.GeoDataFrame(rows, columns=["area_id", "name", "level", "parent_id", "class", "geometry"], crs=CRS)


def _demand():
    rng = np.random.default_rng(1)
    rows = [
        (float(x), float(y), f"D{i:03d}", int(people), int(people) // 5, int(people) // 7, 0, HOSTILE[i % len(HOSTILE)])
        for i, (x, y, people) in enumerate(
            zip(rng.uniform(-100, 1700, 60), rng.uniform(-100, 1700, 60), rng.integers(5, 200, 60), strict=True)
        )
    ]
    rows += [
        (300.0, 1500.0, "D900", 100, 20, 15, 100, "安置点"),
        (3100.0, 20.0, "D901", 40, 8, 5, 0, "断头路"),
        (4000.0, 1500.0, "D902", 30, 6, 4, 30, "无路"),
    ]
    return points(rows, ("demand_id", "population", "age60", "children", "relocated", "name"))


def lattice_study(name=f"格县{IMAGE}{SCRIPT}"):
    """The whole study: every table of a county but elevation."""
    facilities = points(
        [
            (0.0, 0.0, "F1", IMAGE, "centre", SCRIPT, False),
            (400.0, 0.0, "F2", SCRIPT, "institute", "=cmd()", False),
            (30.0, 210.0, "F3", "=cmd()", "station", None, False),
            (800.0, 0.0, "F4", "+1", "point", "@x", False),
            (800.0, 100.0, "F5", "@x", f"hub{IMAGE}", None, False),
            (0.0, 800.0, "F6", "线上", "station", None, True),
            (4000.0, 1600.0, "F7", "离路太远", "station", None, False),
        ],
        ("facility_id", "name", "tier", "host_building", "is_online"),
    )
    candidates = points(
        [
            (x, y, f"C{i}", HOSTILE[i], way, HOSTILE[-i - 1], 1.5 * i)
            for i, (x, y, way) in enumerate(
                [(1600, 1600, "1"), (1000, 1400, "2"), (200, 1600, "5"), (1600, 0, "3"), (0, 0, "6"), (3050, 5, "4")]
            )
        ],
        ("candidate_id", "name", "way", "owner", "cost"),
    )
    settlements = points(
        [
            (300.0, 1500.0, "R1", IMAGE, 100, 30, SCRIPT),
            (4000.0, 1500.0, "R2", "=cmd()", 30, 8, None),
        ],
        ("settlement_id", "name", "people", "households", "town"),
    )
    barriers = gpd.GeoDataFrame(
        {"barrier_id": ["W1"], "kind": ["river"], "name": [IMAGE]},
        geometry=[shapely.LineString([(EAST + 1700, NORTH - 400), (EAST + 1700, NORTH + 2000)])],
        crs=CRS,
    )
    tables = {
        "areas": _areas(), "roads": _roads(), "facilities": facilities, "candidates": candidates,
        "demand": _demand(), "settlements": settlements, "barriers": barriers,
    }  # fmt: skip
    study = new_study(name, CRS)
    for key, table in tables.items():
        study = study.with_table(key, table)
    return study
