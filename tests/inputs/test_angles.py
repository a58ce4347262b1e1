"""Angles as people write them."""

import pytest

from planner.inputs.columns.angles import parse_angle
from planner.inputs.intake import ImportOptions, import_file

WRITTEN = 108 + 54 / 60 + 30.5 / 3600


@pytest.mark.parametrize(
    "text",
    [
        "108°54'30.5\"", "108°54′30.5″E", "东经108度54分30.5秒", "E108°54'30.5''", "108 54 30.5", "108:54:30.5",
        "108-54-30.5",
        "１０８°５４′３０．５″", "108º54'30.5\"", " 108° 54' 30.5\" E ", "108°54.508333333'",
    ],
)  # fmt: skip
def test_angles(text):
    assert parse_angle(text) == pytest.approx(WRITTEN, abs=1e-8)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("32°42'N", 32.7), ("南纬32°42′", -32.7), ("51°12'W", -51.2), ("-51°12'", -51.2), ("E108.9", 108.9),
     ("108.9°E", 108.9),
     ("N32.7", 32.7), ("22°30'00\"S", -22.5), ("西经0°30′", -0.5)],
)  # fmt: skip
def test_sides(text, degrees):
    assert parse_angle(text) == pytest.approx(degrees, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "108°60'00\"",
        "108°54'60\"",
        "181°",
        "一百零八度",
        "",
        "abc",
        "108.9",
        "108 54 30 12",
        "3.5公里",
        "2024-05-01x",
        "N",
    ],
)
def test_what_is_no_angle(text):
    assert parse_angle(text) is None


def test_a_table_in_degrees_minutes_and_seconds(county, workbook):
    path = workbook(
        ["名称", "层级", "经度", "纬度"], ["甲站", "站", "108°54′36″E", "32度42分"], ["乙站", "站", 108.9, "32°99'"]
    )
    result = import_file(county, "facilities", path, ImportOptions(frame="4490"))
    assert (result.summary["rows_accepted"], result.summary["rows_refused"]) == (1, 1)
    lon, lat = result.study.table("facilities").to_crs(4326).geometry.iloc[0].coords[0]
    assert (lon, lat) == (pytest.approx(108.91), pytest.approx(32.7))
    assert [row.code for row in result.ledger.rows if row.row == 2] == ["angle_read", "angle_read"]


@pytest.mark.parametrize("frame", ["gcj02", "BD-09", "bd09mc", "dms:4490"])
def test_shifted_frames_are_taken_when_named(county, workbook, frame):
    from planner.inputs.frames.systems import convert, parse_frame

    x, y = convert([108.9], [32.7], "EPSG:4326", parse_frame(frame))
    path = workbook(["名称", "层级", "X", "Y"], ["甲站", "站", x[0], y[0]])
    result = import_file(county, "facilities", path, ImportOptions(frame=frame))
    lon, lat = result.study.table("facilities").to_crs(4326).geometry.iloc[0].coords[0]
    assert (lon, lat) == (pytest.approx(108.9, abs=1e-7), pytest.approx(32.7, abs=1e-7))
    assert result.study.history["frame"].iloc[-1] == parse_frame(frame)


def test_old_datums_come_with_a_warning(county, workbook):
    from planner.crs import transform

    x, y = transform([108.9], [32.7], "EPSG:4610", "EPSG:2360")
    path = workbook(["名称", "层级", "X", "Y"], ["甲站", "站", x[0], y[0]])
    result = import_file(county, "facilities", path, ImportOptions(frame="2360"))
    (note,) = [row for row in result.ledger.rows if row.code == "frame_xian80"]
    assert not note.is_refused
    assert "CGCS2000" in note.repair("zh")
