"""Both coordinates in one cell, as map pickers copy them."""

import numpy as np
import pytest
import shapely

from planner.inputs.columns.pairs import pair_of
from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions

FRAME = ImportOptions(frame="EPSG:4326")


@pytest.mark.parametrize(
    ("cell", "pair"),
    [
        ("108.96,32.69", ("108.96", "32.69")),
        ("（108.96，32.69）", ("108.96", "32.69")),
        ("108.96 32.69", ("108.96", "32.69")),
        ("32.69;108.96", ("32.69", "108.96")),
        ("36578420.59/3612503.12", ("36578420.59", "3612503.12")),
        ("经度：108.96，纬度：32.69", ("108.96", "32.69")),
        ("lng: 108.96, lat: 32.69", ("108.96", "32.69")),
        ("东经108.96北纬32.69", ("东经108.96", "北纬32.69")),
        ("108°57′36″，32°41′24″", ("108°57′36″", "32°41′24″")),
        ("E108°57′36″ N32°41′24″", ("E108°57′36″", "N32°41′24″")),
        ("1,234", None),
        ("12,300", None),
        ("3.5公里", None),
        ("城关镇，江南村", None),
        ("108.96,32.69,300", None),
        ("", None),
        (108.96, None),
        (None, None),
    ],
)
def test_pairs(cell, pair):
    assert pair_of(cell) == pair


def test_a_column_of_pairs_is_taken_apart(county, workbook):
    cells = ["108.96，32.69", "32.70, 108.97", "未采集", None, "东经108°58′12″，北纬32°42′"]
    rows = [[f"{letter}站", "站", cell] for letter, cell in zip("ABCDE", cells, strict=True)]
    result = import_file(county, "facilities", workbook(["名称", "层级", "位置坐标"], *rows), FRAME)
    places = result.study.table("facilities").to_crs(4326)
    assert places["name"].tolist() == ["A站", "B站", "E站"]
    xy = shapely.get_coordinates(places.geometry.array)
    assert np.allclose(xy, [(108.96, 32.69), (108.97, 32.70), (108.97, 32.70)], atol=1e-9)
    codes = {finding.code for finding in result.ledger.rows if not finding.is_refused}
    assert {"pairs_apart", "coordinates_swapped", "angle_read"} <= codes
    refused = {(finding.row, finding.code) for finding in result.ledger.rows if finding.is_refused}
    assert refused == {(4, "not_a_number"), (5, "no_coordinates")}


def test_columns_of_their_own_go_before_pairs(county, workbook):
    rows = [["A站", "站", "108.90,32.60", 108.96, 32.69]]
    result = import_file(county, "facilities", workbook(["名称", "层级", "坐标", "经度", "纬度"], *rows), FRAME)
    xy = shapely.get_coordinates(result.study.table("facilities").to_crs(4326).geometry.array)
    assert np.allclose(xy, [(108.96, 32.69)], atol=1e-9)
    assert "坐标" in result.proposal.ignored


def test_corrections_of_pairs_come_in_again(county, workbook, tmp_path):
    from planner.outputs.corrections import write_corrections

    rows = [["A站", "站", "108.96，32.69"], ["B站", "站", "108.97,32.70"], ["C站", "站", "108.97,60.70"]]
    options = ImportOptions(frame="EPSG:4326", keep_rows=True)
    first = import_file(county, "facilities", workbook(["名称", "层级", "坐标"], *rows), options)
    write_corrections(tmp_path / "back.xlsx", first.ledger, first.rows)
    again = import_file(first.study, "facilities", tmp_path / "back.xlsx", FRAME)
    before, after = (study.table("facilities") for study in (first.study, again.study))
    assert before["facility_id"].tolist() == after["facility_id"].tolist()
    assert np.allclose(shapely.get_coordinates(before.geometry.array), shapely.get_coordinates(after.geometry.array))
