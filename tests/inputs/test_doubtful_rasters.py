"""Rasters that hold something else than they seem: masks beside heights, undeclared no-data, half a county."""

import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.coverage.integrity import check_study
from planner.crs import transform
from planner.errors import InputError
from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.outputs.statement import conditions
from planner.scenario import Scenario
from planner.study import new_study

rasterio = pytest.importorskip("rasterio")

CRS = "EPSG:32649"
CELL = 100.0
WEST, NORTH = 500_000.0, 3_600_000.0


def write(path, values, west=WEST, north=NORTH, cell=CELL, **profile):
    bands = np.asarray(values)[None] if np.ndim(values) == 2 else np.asarray(values)
    place = rasterio.Affine(cell, 0, west, 0, -cell, north)
    shape = {"count": bands.shape[0], "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype.name}
    with rasterio.open(path, "w", driver="GTiff", crs=CRS, transform=place, **shape, **profile) as sink:
        sink.write(bands)
    return path


def zipped(tmp_path, **members):
    path = tmp_path / "高程.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in members.items():
            archive.write(write(tmp_path / f"{name}.tif", **values), f"{name}.tif")
    return path


def hills(rows=20, columns=20, start=150.0):
    return (start + np.add.outer(np.arange(rows), np.arange(columns))).astype(np.float32)


def heights_of(path, **options):
    result = import_file(new_study("县", CRS), "elevation", path, ImportOptions(**options))
    return result.study.grids["elevation"].values, [row.code for row in result.ledger.rows], result.ledger


@pytest.mark.parametrize(
    ("good", "others"),
    [
        ("ASTGTMV003_N32E108_dem", ("ASTGTMV003_N32E108_num",)),
        ("ALPSMLC30_N032E108_DSM", ("ALPSMLC30_N032E108_MSK", "ALPSMLC30_N032E108_STK")),
        ("Copernicus_DSM_COG_10_N32_00_E108_00_DEM", ("Copernicus_DSM_COG_10_N32_00_E108_00_WBM",
                                                      "Copernicus_DSM_COG_10_N32_00_E108_00_HEM")),
        ("gedtm_rf_m_30m", ("gedtm_rf_std_30m",)),
        ("N32E108_FABDEM_V1-2", ("N32E108_quality",)),
        ("县域高程", ("县域坡度", "山体阴影_qc")),
        ("n32e108_dem", ("result2",)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_first", [True, False])
def test_rasters_about_heights_are_set_aside_and_named(tmp_path, good, others, is_first):
    mask = np.full((20, 20), 9, np.uint8)
    members = {good: {"values": hills()}, **{name: {"values": mask} for name in others}}
    members = members if is_first else dict(reversed(members.items()))
    values, codes, ledger = heights_of(zipped(tmp_path, **members))
    np.testing.assert_array_equal(values, hills())
    assert codes == ["rasters_aside"]
    assert all(name in ledger.rows[0].problem("zh") for name in others)


def test_two_rasters_of_one_extent_are_asked_about(tmp_path):
    path = zipped(tmp_path, a={"values": hills()}, b={"values": hills(start=7.0)})
    with pytest.raises(InputError, match=r"a\.tif, b\.tif.*--layer"):
        heights_of(path)
    values, codes, _ = heights_of(path, layer="b")
    assert values.min() == 7
    assert codes == []
    with pytest.raises(InputError, match="holds no raster 'c'"):
        heights_of(path, layer="c")


def test_tiles_that_share_an_edge_are_tiles(tmp_path):
    left, right = hills(20, 21), hills(20, 20, start=170.0)
    path = zipped(tmp_path, n32e108_dem={"values": left}, n32e109_dem={"values": right, "west": WEST + 20 * CELL})
    values, codes, _ = heights_of(path)
    assert values.shape == (20, 40)
    assert codes == []


@pytest.mark.parametrize(
    ("values", "name", "code"),
    [
        (np.full((9, 9), 40, np.int16), "高程", "heights_constant"),
        (np.arange(81, dtype=np.uint8).reshape(9, 9), "高程", "heights_in_bytes"),
        (np.stack([hills(9, 9), hills(9, 9)]), "高程", "heights_of_several_bands"),
        (hills(9, 9), "n32_slope", "heights_named_otherwise"),
        (np.where(np.eye(9) > 0, 20_000, hills(9, 9)), "高程", "heights_impossible"),
    ],
)
def test_what_does_not_look_like_heights_is_said(tmp_path, values, name, code):
    _, codes, ledger = heights_of(write(tmp_path / f"{name}.tif", values))
    assert code in codes
    assert all(row.problem("zh") and row.repair("en") for row in ledger.rows)


def test_values_that_are_no_heights_at_all_are_refused(tmp_path):
    with pytest.raises(InputError, match="no heights in metres"):
        heights_of(write(tmp_path / "高程.tif", hills() * 100))


@pytest.fixture
def square():
    """A county of 4 x 4 km whose raster has 40 x 40 cells of a hectare."""
    return county(shapely.box(WEST, NORTH - 4_000, WEST + 4_000, NORTH))


def county(box):
    areas = gpd.GeoDataFrame({"area_id": ["1"], "name": ["县"], "level": ["county"]}, geometry=[box], crs=CRS)
    return new_study("县", CRS).with_table("areas", areas)


def people(kind=np.float32):
    return np.random.default_rng(5).integers(0, 60, (40, 40)).astype(kind)


MARKS = [(np.uint8, 255), (np.int8, 127), (np.int16, 32_767), (np.uint16, 65_535), (np.int32, 2**31 - 1),
         (np.uint32, 2**32 - 1), (np.float32, 3.4028235e38), (np.float32, 1e20), (np.float64, 65_535),
         (np.float32, 255), (np.float32, 4_294_967_295), (np.int16, 9_999)]  # fmt: skip


@pytest.mark.parametrize(("kind", "mark"), MARKS)
def test_no_data_that_nobody_declared_is_nobody(tmp_path, square, kind, mark):
    values = people(kind)
    values[:8] = mark
    result = import_file(square, "population", write(tmp_path / "人口.tif", values))
    assert result.study.table("demand")["population"].sum() == people()[8:].sum()
    (row,) = [row for row in result.ledger.rows if row.code == "cells_marked"]
    assert row.values["n"] == 320
    assert result.ledger.rows_in == result.ledger.rows_accepted + result.ledger.rows_refused


def test_two_marks_are_both_found(tmp_path, square):
    values = people(np.float64)
    values[:8], values[8:16] = 2.0**32 - 1, 65_535
    result = import_file(square, "population", write(tmp_path / "人口.tif", values))
    assert result.summary["people"] == people()[16:].sum()


def test_people_who_happen_to_be_255_in_one_cell_stay(tmp_path, square):
    values = people()
    values[3, 3] = 255
    values[5, 5] = values[6, 6] = 254
    result = import_file(square, "population", write(tmp_path / "人口.tif", values))
    assert result.summary["people"] == values.sum()
    assert not result.summary["marks"]


def test_a_cell_has_room_for_so_many(tmp_path, square):
    values = people()
    values[0, 0], values[1, 1] = 2_001, 2_000  # a hectare: 200,000 a km2
    result = import_file(square, "population", write(tmp_path / "人口.tif", values))
    assert result.summary["people"] == values.sum() - 2_001
    (row,) = [row for row in result.ledger.rows if row.code == "cells_crowded"]
    assert (row.values["n"], row.is_refused, row.values["limit"]) == (1, True, "2,000")
    assert result.ledger.rows_refused == 1


def test_a_raster_of_part_of_the_county_says_so_wherever_people_are_counted(tmp_path):
    wide = county(shapely.box(WEST, NORTH - 4_000, WEST + 10_000, NORTH))
    study = import_file(wide, "population", write(tmp_path / "人口.tif", people())).study
    assert study.metadata["population_covers_share"] == pytest.approx(0.4, abs=0.001)
    said = [row.problem("zh") for row in rows_of(study, "raster_covers_part")]
    assert "40%" in said[0]
    assert "40%" in conditions(study, Scenario(), "walk", "zh")
    assert "40%" in conditions(study, Scenario(), "walk", "en")
    assert any("40%" in one.problem("zh") for one in check_study(study, Scenario()).findings)
    whole = import_file(study, "population", write(tmp_path / "全.tif", np.pad(people(), ((0, 0), (0, 60)))))
    assert whole.study.metadata["population_covers_share"] is None
    assert "%" not in conditions(whole.study, Scenario(), "walk", "zh")


def rows_of(study, code):
    from planner.inputs.intake import study_ledger

    return [row for row in study_ledger(study).rows if row.code == code]


def test_a_total_far_from_the_one_before_is_told(tmp_path, square):
    study = import_file(square, "population", write(tmp_path / "人口.tif", people())).study
    again = import_file(study, "population", write(tmp_path / "新.tif", people() * 2))
    assert [row.code for row in again.ledger.rows if row.code == "people_differ"] == ["people_differ"]
    alike = import_file(study, "population", write(tmp_path / "近.tif", people() * np.float32(1.1)))
    assert "people_differ" not in {row.code for row in alike.ledger.rows}


def boundaries(path, is_marked=True):
    corners = [(108.93, 32.63), (109.07, 32.63), (109.07, 32.77), (108.93, 32.77)]
    extra = {"childrenNum": 0, "acroutes": "[100000]"} if is_marked else {}
    table = gpd.GeoDataFrame(
        {"adcode": [610999], "name": ["安和区"], "level": ["district"], **{k: [v] for k, v in extra.items()}},
        geometry=[shapely.Polygon(corners)], crs=4326,
    )  # fmt: skip
    table.to_file(path)
    return path, np.array(corners)


@pytest.mark.parametrize(("frame", "is_shifted"), [(None, True), ("wgs84", False)])
def test_boundaries_of_a_web_map_are_taken_in_its_frame(tmp_path, frame, is_shifted):
    from planner.inputs.frames.shifts import wgs84_from_gcj02

    path, corners = boundaries(tmp_path / "区.geojson")
    result = import_file(new_study("县", CRS), "areas", path, ImportOptions(frame=frame))
    area = result.study.table("areas")
    assert (area["area_id"].item(), area["level"].item()) == ("610999", "county")
    lon, lat = wgs84_from_gcj02(*corners.T) if is_shifted else corners.T
    x, y = transform(lon, lat, "EPSG:4326", CRS)
    np.testing.assert_allclose(area.total_bounds, [x.min(), y.min(), x.max(), y.max()], atol=0.05)
    assert ("frame_of_web_map" in {row.code for row in result.ledger.rows}) == is_shifted


def test_boundaries_without_the_marks_are_taken_as_they_say(tmp_path):
    path, corners = boundaries(tmp_path / "区.geojson", is_marked=False)
    area = import_file(new_study("县", CRS), "areas", path).study.table("areas")
    x, y = transform(*corners.T, "EPSG:4326", CRS)
    np.testing.assert_allclose(area.total_bounds, [x.min(), y.min(), x.max(), y.max()], atol=0.05)
