"""In which frame coordinates are: invented lanes, points along them, every frame, and what cannot be told."""

import os

import numpy as np
import pytest
import shapely

from planner.crs import suggest_working_crs, transform
from planner.errors import FrameError
from planner.inputs.frames.forensics import Ground, certain_frame, frame_hypotheses, is_doubtful, study_ground
from planner.inputs.frames.residuals import registration, road_fits, student_t
from planner.inputs.frames.systems import convert, meridian_frame, zone_frame
from planner.inputs.intake import ImportOptions, import_file
from planner.study import new_study
from tests.reference.real_data import DATA


def lanes(lon, lat, seed=1, n=260, size_m=9_000):
    """Winding lanes anywhere in a square: no grid that a shift could fall onto again."""
    rng = np.random.default_rng(seed)
    crs = suggest_working_crs(lon, lat)
    x0, y0 = (float(value[0]) for value in transform([lon], [lat], "EPSG:4326", crs))
    lines = []
    for _ in range(n):
        turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.35, 12))
        steps = np.column_stack([np.cos(turns), np.sin(turns)]) * rng.uniform(40, 130)
        lines.append(
            shapely.LineString(rng.uniform(-size_m / 2, size_m / 2, 2) + np.array([x0, y0]) + np.cumsum(steps, axis=0))
        )
    return crs, np.array(lines, dtype=object)


def along(roads, n, noise_m, seed=2):
    rng = np.random.default_rng(seed)
    points = shapely.line_interpolate_point(rng.choice(roads, n), rng.random(n), normalized=True)
    return shapely.get_coordinates(points) + rng.normal(0, noise_m, (n, 2))


def box_of(roads):
    return shapely.box(*shapely.total_bounds(roads)).buffer(300)


CHENGDU, URUMQI = (104.05, 30.6), (87.6, 43.8)
FRAMES = ("EPSG:4326", "EPSG:4490", "gcj02", "bd09", "bd09mc", "EPSG:3857", "dms:EPSG:4490")


@pytest.mark.parametrize("is_swapped", [False, True])
@pytest.mark.parametrize(
    "frame", [*FRAMES, "EPSG:32648", zone_frame(35), zone_frame(18), meridian_frame(105), meridian_frame(102)]
)
def test_every_frame_is_found_without_a_declaration(frame, is_swapped):
    crs, roads = lanes(*CHENGDU)
    x, y = convert(*along(roads, 80, 12).T, crs, frame)
    found = frame_hypotheses(*((y, x) if is_swapped else (x, y)), Ground(crs, box_of(roads), roads))
    assert frame in found[0].frames
    assert found[0].is_swapped is is_swapped
    assert certain_frame(found) is found[0]
    assert found[0].confidence > 0.999
    assert sum(hypothesis.confidence for hypothesis in found) == pytest.approx(1.0)


@pytest.mark.parametrize(("lon", "lat"), [(1.5, 42.5), (-51.2, -30.0), (24.9, 60.2)])
@pytest.mark.parametrize("frame", ["EPSG:4326", "EPSG:3857", "utm"])
def test_outside_china_there_are_fewer_frames(lon, lat, frame):
    crs, roads = lanes(lon, lat)
    frame = crs if frame == "utm" else frame
    found = frame_hypotheses(*convert(*along(roads, 60, 10).T, crs, frame), Ground(crs, None, roads))
    assert frame in found[0].frames
    assert not {name for hypothesis in found for name in hypothesis.frames} & {"gcj02", "bd09", "bd09mc"}


def test_without_roads_shifted_degrees_cannot_be_told():
    crs, roads = lanes(*CHENGDU)
    x, y = convert(*along(roads, 80, 12).T, crs, "gcj02")
    found = frame_hypotheses(x, y, Ground(crs, box_of(roads)))
    assert {"EPSG:4326", "gcj02", "bd09"} <= {name for hypothesis in found for name in hypothesis.frames}
    assert certain_frame(found) is None
    alone = frame_hypotheses(x, y)
    assert certain_frame(alone) is None
    assert {"gcj02", "bd09"} <= {hypothesis.frame for hypothesis in alone}


def test_without_roads_degrees_outside_china_are_certain():
    crs, roads = lanes(1.5, 42.5)
    x, y = convert(*along(roads, 30, 12).T, crs, "EPSG:4326")
    assert certain_frame(frame_hypotheses(x, y, Ground(crs, box_of(roads)))).frame == "EPSG:4326"
    swapped = certain_frame(frame_hypotheses(y, x, Ground(crs, box_of(roads))))
    assert swapped.is_swapped
    assert certain_frame(frame_hypotheses(x, y)) is None


def test_without_a_study_the_numbers_alone_speak():
    lon, lat = np.random.default_rng(5).uniform([104.0, 30.5], [104.2, 30.7], (40, 2)).T
    found = frame_hypotheses(*convert(lon, lat, "EPSG:4326", zone_frame(35)))
    assert (found[0].frame, found[0].is_swapped) == (zone_frame(35), False)
    assert "35" in found[0].evidence[0].words("zh")
    found = frame_hypotheses(*convert(lon, lat, "EPSG:4326", zone_frame(35))[::-1])
    assert (found[0].frame, found[0].is_swapped) == (zone_frame(35), True)
    found = frame_hypotheses(*convert(lon, lat, "EPSG:4326", meridian_frame(105)))
    assert meridian_frame(105) in {hypothesis.frame for hypothesis in found}
    assert all(hypothesis.confidence < 0.1 for hypothesis in found)
    packed = frame_hypotheses(*np.round(convert(lon, lat, "EPSG:4326", "dms:EPSG:4326"), 5))
    assert packed[0].frame == "dms:EPSG:4326"


@pytest.mark.parametrize("x", [[], [np.nan], [1e12], [np.inf]])
def test_nothing_to_look_at(x):
    assert frame_hypotheses(x, x) == []
    assert certain_frame([]) is None
    assert not is_doubtful([], "EPSG:4326")


def test_a_cloud_in_no_frame_is_not_certain():
    crs, roads = lanes(*URUMQI)
    xy = along(roads, 90, 10) + np.array([340, -290])
    for frame in ("EPSG:4326", zone_frame(29), meridian_frame(87)):
        assert certain_frame(frame_hypotheses(*convert(*xy.T, crs, frame), Ground(crs, box_of(roads), roads))) is None


def test_points_anywhere_are_not_certain():
    crs, roads = lanes(*URUMQI)
    west, south, east, north = shapely.total_bounds(roads)
    xy = np.random.default_rng(3).uniform((west, south), (east, north), (90, 2))
    assert certain_frame(frame_hypotheses(*convert(*xy.T, crs, "gcj02"), Ground(crs, None, roads))) is None


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("frame", ["EPSG:4326", "gcj02", "bd09", zone_frame(29), meridian_frame(87), "EPSG:3857"])
def test_few_points_are_not_certain_where_frames_are_shifted(frame, n):
    crs, roads = lanes(*URUMQI)
    numbers = convert(*along(roads, n, 3).T, crs, frame)
    for order in (numbers, numbers[::-1]):
        found = frame_hypotheses(*order, Ground(crs, box_of(roads), roads))
        assert frame in {name for hypothesis in found for name in hypothesis.frames}
        assert certain_frame(found) is None


@pytest.mark.parametrize("n", [1, 3, 5])
def test_few_points_are_certain_where_nothing_else_is_left(n):
    crs, roads = lanes(1.5, 42.5)
    x, y = convert(*along(roads, n, 3).T, crs, "EPSG:4326")
    assert certain_frame(frame_hypotheses(x, y, Ground(crs, box_of(roads), roads))).frame == "EPSG:4326"
    # Without a county nobody knows that they belong here.
    assert certain_frame(frame_hypotheses(x, y, Ground(crs, None, roads))) is None


def test_a_wrong_declaration_is_doubted_and_a_right_one_is_not():
    crs, roads = lanes(*CHENGDU)
    ground = Ground(crs, box_of(roads), roads)
    for truth, declared, is_wrong in (
        ("gcj02", "EPSG:4326", True),
        ("EPSG:4326", "EPSG:4326", False),
        ("EPSG:4490", "EPSG:4326", False),
        ("EPSG:2359", "EPSG:2359", False),
        (zone_frame(35), "EPSG:2411", True),
    ):
        found = frame_hypotheses(*convert(*along(roads, 80, 10).T, crs, truth), ground, declared)
        assert is_doubtful(found, declared) is is_wrong, (truth, declared)


def test_old_datums_say_that_they_are_approximate():
    crs, roads = lanes(*CHENGDU)
    x, y = convert(*along(roads, 60, 10).T, crs, "EPSG:2359")
    found = frame_hypotheses(x, y, Ground(crs, None, roads), "EPSG:2359")
    assert "近似" in found[0].words("zh")
    assert "approximately" in found[0].words("en")


def test_the_nearest_road_is_measured():
    roads = np.array([shapely.LineString([(0, 0), (1_000, 0)])], dtype=object)
    cloud = np.array([[10.0, 5.0], [20.0, -15.0], [30.0, 5_000.0], [np.inf, np.nan]])
    (fit,) = road_fits([cloud], roads)
    np.testing.assert_allclose(fit.cost, np.log1p(np.array([5, 15, 1_000, 1_000]) / 10))
    assert fit.likelihood == 1.0


def test_the_rigid_shift_is_found():
    _, roads = lanes(*CHENGDU)
    xy = along(roads, 100, 8)
    assert np.hypot(*registration(xy, roads).offset_m) <= 30
    moved = registration(xy + np.array([400, -300]), roads)
    np.testing.assert_allclose(moved.offset_m, (-400, 300), atol=30)
    assert moved.ahead_t < -3
    assert moved.share_better > 0.0


def test_student_t_is_scipys():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(1).normal(0.3, 1.0, 40)
    assert student_t(values) == pytest.approx(ttest_1samp(values, 0.0).statistic)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A study with a county and the lanes of Chengdu, and those lanes."""
    import geopandas as gpd

    folder = tmp_path_factory.mktemp("mapped")
    crs, roads = lanes(*CHENGDU)
    gpd.GeoDataFrame({"class": "residential"}, geometry=roads, crs=crs, index=range(len(roads))).to_file(
        folder / "路.gpkg"
    )
    county = gpd.GeoDataFrame({"名称": ["示例县"], "级别": ["县"]}, geometry=[box_of(roads)], crs=crs)
    county.to_file(folder / "界.gpkg")
    study = import_file(new_study("示例县", crs), "areas", folder / "界.gpkg").study
    return import_file(study, "roads", folder / "路.gpkg").study, roads


def places_in(workbook, frame, crs, roads, *, n=60):
    x, y = convert(*along(roads, n, 10).T, crs, frame)
    rows = [[f"站{i}", "站", a, b] for i, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True))]
    return workbook(["名称", "层级", "X", "Y"], *rows)


@pytest.mark.parametrize("frame", ["gcj02", "bd09", "EPSG:4326", zone_frame(35)])
def test_an_import_without_a_frame_takes_what_is_beyond_doubt(mapped, workbook, frame):
    study, roads = mapped
    result = import_file(study, "facilities", places_in(workbook, frame, study.crs, roads))
    xy = shapely.get_coordinates(result.study.table("facilities").geometry.array)
    assert np.hypot(*(xy - along(roads, 60, 10)).T).max() < 0.1
    row = result.study.history.iloc[-1]
    assert row["frame"] == frame
    assert "证据" in row["frame_evidence"]
    assert [finding.code for finding in result.ledger.rows if finding.code.startswith("frame")] == ["frame_found"]


def test_an_import_without_a_frame_asks_where_it_cannot_tell(mapped, workbook):
    study, roads = mapped
    with pytest.raises(
        FrameError, match=r"does not say in which frame.*\n--frame gcj02.*\n--frame EPSG:4326"
    ) as caught:
        import_file(study, "facilities", places_in(workbook, "gcj02", study.crs, roads, n=4))
    assert "可信度" in caught.value.chinese


def test_a_declared_frame_against_the_evidence_is_a_question(mapped, layer):
    study, roads = mapped
    x, y = convert(*along(roads, 60, 10).T, study.crs, "gcj02")
    path = layer(shapely.points(x, y), 名称=[f"站{i}" for i in range(60)], 层级=["站"] * 60)
    with pytest.raises(FrameError, match=r"evidence is against it.*\n--frame gcj02"):
        import_file(study, "facilities", path)
    named = import_file(study, "facilities", path, ImportOptions(frame="gcj02"))
    assert [finding.code for finding in named.ledger.rows] == ["ids_given"]
    insisted = import_file(study, "facilities", path, ImportOptions(frame="4326"))
    assert {finding.code for finding in insisted.ledger.rows} == {"ids_given", "frame_doubtful"}


def test_the_ground_of_a_study(mapped, county):
    study, _ = mapped
    assert len(study_ground(study).roads) == len(study.table("roads"))
    assert study_ground(county).roads is None
    assert study_ground(county).county is not None
    assert study_ground(new_study("x", "EPSG:32649")).county is None


def test_the_command_says_what_a_file_may_be(mapped, workbook, planner, tmp_path):
    from planner.store import save_study

    study, roads = mapped
    save_study(study, tmp_path / "county.gpkg")
    path = places_in(workbook, "bd09", study.crs, roads)
    document = planner("frames", path, "--study", tmp_path / "county.gpkg", "--json").document
    assert (document["hypotheses"][0]["frame"], document["hypotheses"][0]["is_certain"]) == ("bd09", True)
    assert "nearest road" in document["hypotheses"][0]["evidence"]
    shown = planner("frames", path)
    assert shown.code == 0
    assert "not beyond doubt" in shown.out
    assert "Beyond doubt BD-09" in planner("frames", path, "--study", tmp_path / "county.gpkg").out
    assert "No usual frame" in planner("frames", workbook(["X", "Y"], ["x", "y"], name="空.xlsx")).out
    answer = planner("frames", workbook(["名称", "层级"], ["甲站", "站"], name="无.xlsx"))
    assert answer.code == 2
    assert "no coordinates" in answer.err


def test_a_layer_says_its_frame_and_is_believed(mapped, layer):
    from planner.inputs.frames.coordinates import file_hypotheses

    study, roads = mapped
    path = layer(shapely.points(*along(roads, 30, 10).T), crs=study.crs, 名称=["站"] * 30)
    found = file_hypotheses(path, study=study)
    assert study.crs in found[0].frames
    assert "EPSG:4544" in found[0].evidence[0].words("en")


EXTRACT = DATA / "guixi" / "guixi.osm"


@pytest.mark.slow
@pytest.mark.skipif(not EXTRACT.exists(), reason=f"{EXTRACT} is not there")
def test_generated_cases_over_real_roads():
    """`FRAME_CASES=1000` runs as many as the figures in benchmarks/README.md."""
    from benchmarks.frames import EXTRACTS, detect, roads_of

    n_cases = int(os.environ.get("FRAME_CASES", "40"))
    places = {place: roads_of(DATA, place) for place in EXTRACTS if place != "wuhan" or n_cases >= 1_000}
    tally = detect(places, n_cases, seed=11)
    assert tally["right first"] >= 0.98 * n_cases - 1
    assert tally["certain and wrong"] <= 0.002 * n_cases
