"""The study file: every type comes back, writers that die do no harm, and nobody overwrites anybody."""

import datetime as dt
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pandas.testing import assert_frame_equal

from planner import lock
from planner.errors import CancelledError, RevisionConflictError, StudyFileError
from planner.progress import Cancellable
from planner.store import file as study_file
from planner.store import open_study, save_study
from planner.study import Grid, new_study

CRS = "EPSG:32649"
POINTS = [shapely.Point(300_000 + i / 3, 3_600_000 - i / 7) for i in range(5)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "汉滨 区.gpkg"


def places(**columns):
    columns.setdefault("facility_id", list("abcde"))
    return gpd.GeoDataFrame(columns, geometry=POINTS, crs=CRS)


def with_places(**columns):
    return new_study("汉滨区", CRS).with_table("facilities", places(**columns))


def assert_same_table(found, expected):
    assert type(found) is type(expected)
    assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected), check_index_type=False)
    if isinstance(expected, gpd.GeoDataFrame):
        assert found.crs == expected.crs
        assert found.geometry.name == expected.geometry.name


def assert_same_study(found, expected):
    assert (found.name, found.crs, found.revision) == (expected.name, expected.crs, expected.revision)
    assert dict(found.metadata) == dict(expected.metadata)
    assert dict(found.scenarios) == dict(expected.scenarios)
    for part in ("tables", "results", "grids"):
        assert set(getattr(found, part)) == set(getattr(expected, part))
    for name, table in expected.tables.items():
        assert_same_table(found.tables[name], table)
    for name, table in expected.results.items():
        assert_same_table(found.results[name], table)
    for name, grid in expected.grids.items():
        np.testing.assert_array_equal(found.grids[name].values, grid.values)
        assert found.grids[name].values.dtype == grid.values.dtype
        assert replace(found.grids[name], values=grid.values) == grid
    for log in ("history", "ledger"):
        before, after = getattr(expected, log), getattr(found, log)
        assert (before is None) == (after is None)
        if before is not None:
            assert_same_table(after, before)


def round_trip(study, path):
    saved = save_study(study, path)
    found = open_study(path)
    assert_same_study(found, saved)
    assert saved.revision == study.revision + 1
    return found


COLUMNS = {
    "text": pd.Series(["文明", "ä€𠮷", None, "", "a'b\"c"], dtype="str"),
    "objects": pd.Series(["x", None, "y", "", "z"], dtype=object),
    "nothing": pd.Series([None] * 5, dtype=object),
    "no_text": pd.Series([None] * 5, dtype="str"),
    "float": [1.5, np.inf, -np.inf, np.nan, 0.1 + 0.2],
    "float32": np.arange(5, dtype=np.float32) / 3,
    "int64": [2**62, -(2**62), 0, 1, -1],
    "int8": np.arange(5, dtype=np.int8),
    "nullable": pd.array([1, None, 2**60, 4, 5], dtype="Int64"),
    "bool": [True, False, True, True, False],
    "maybe": pd.array([True, None, False, True, None], dtype="boolean"),
    "lists": [[1, 2], [], None, ["甲"], [None, [1]]],
    "tuples": [(1, 2), None, (), ("a",), (1.5,)],
    "dicts": [{"a": 1}, {}, None, {"甲": [1]}, {"b": None}],
    "mixed": [1, "a", None, 2.5, True],
    "dates": [dt.date(2024, 2, 29), None, dt.date(1999, 1, 1), dt.date(2024, 1, 1), dt.date(2024, 1, 2)],
    "times": pd.to_datetime(
        ["2024-01-01T10:11:12.123456", None, "2020-01-01", "2020-01-02", "2020-01-03"], format="ISO8601"
    ),
    "zoned": pd.to_datetime(["2024-01-01T10:11:12.123456789Z"] * 5, format="ISO8601"),
    "spans": pd.to_timedelta([1, None, 3, 4, 5], unit="s"),
    "ordered": pd.Categorical(["y", "x", None, "y", "x"], categories=["y", "x"], ordered=True),
    "numbers": pd.Categorical([3, 1, 3, 1, 3]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_kind_of_column_comes_back(path, name):
    round_trip(with_places(**{name: COLUMNS[name]}), path)


def test_all_columns_together_in_a_plain_table(path):
    round_trip(new_study("x", CRS).with_results({"a": pd.DataFrame(COLUMNS)}), path)


def test_names_that_sqlite_takes_for_others(path):
    study = with_places(
        name=list("abcde"), Name=[1, 2, 3, 4, 5], fid=[9] * 5, geom=list("vwxyz"), **{"名称 (a)": [0.5] * 5}
    )
    round_trip(study, path)


def test_shapes(path):
    z = shapely.Point(1, 2, 3)
    shapes = [
        shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 1), None, shapely.Polygon(),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), shapely.GeometryCollection([shapely.Point(0, 0)]), z,
    ]  # fmt: skip
    barriers = gpd.GeoDataFrame({"barrier_id": [str(i) for i in range(8)]}, geometry=shapes, crs=CRS)
    found = round_trip(new_study("x", CRS).with_table("barriers", barriers), path)
    assert found.tables["barriers"].geometry.iloc[3] is None
    assert found.tables["barriers"].has_z.iloc[7]


def test_coordinates_are_kept_to_the_bit(path):
    found = round_trip(with_places(), path)
    np.testing.assert_array_equal(
        shapely.get_coordinates(found.tables["facilities"].geometry.array), shapely.get_coordinates(POINTS)
    )


def test_every_table_empty_or_full(path):
    study = with_places()
    for name in ("candidates", "demand", "roads", "areas", "barriers", "settlements"):
        study = study.with_table(name, places(n=[1] * 5).iloc[:0])
    found = round_trip(study, path)
    assert not found.has("roads")
    types = dict(pyogrio.list_layers(path))
    assert (types["roads"], types["areas"], types["barriers"]) == ("LineString", "MultiPolygon", "Unknown")


def test_results_grids_scenarios_logs_and_words(path):
    study = replace(
        with_places()
        .with_grid(
            "elevation", Grid(np.array([[1, np.nan], [3, 4]], np.float32), (1, 0, 0.1, 0, -1, 2), "EPSG:4326", "m")
        )
        .with_results(
            {
                "facilities": pd.DataFrame({"tier": ["station"], "minutes": [np.inf]}),
                "circles": gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326"),
                "named": pd.DataFrame({"v": [1, 2]}, index=pd.Index(["x", "y"], name="k")),
                "two": pd.DataFrame({"v": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)], names=["p", "q"])),
                "no_columns": pd.DataFrame(index=range(3)),
                "no_rows": pd.DataFrame({"a": pd.Series([], dtype=object), "b": pd.Series([], dtype="float64")}),
                "shapes_only": gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)]),
            }
        )
        .with_metadata(is_synthetic=True, 名="汉", nothing=None, numbers=[1, 2.5], nested={"a": {"b": 1}}),
        scenarios={"default": 'name = "x"\n', "二": "a = 1"},
        history=pd.DataFrame({"kind": ["roads"], "file": ["路.zip"], "rows_in": [3]}),
        ledger=pd.DataFrame({"file": ["x"], "row": [1], "values": ['{"n": 1}'], "old_value": [None]}),
    )
    round_trip(study, path)
    layers = {name for name, _ in pyogrio.list_layers(path)}
    assert {
        "facilities",
        "result_facilities",
        "result_circles",
        "history",
        "ledger",
        "metadata",
        "scenarios",
        "grids",
    } <= layers


def test_own_crs_without_a_code(path):
    crs = "+proj=tmerc +lon_0=109.2 +k=1 +x_0=500000 +ellps=GRS80 +units=m"
    table = gpd.GeoDataFrame({"facility_id": ["a"]}, geometry=[shapely.Point(1, 2)], crs=crs)
    round_trip(new_study("x", crs).with_table("facilities", table), path)


def test_an_empty_study(path):
    round_trip(new_study("新县", CRS), path)


def test_gis_reads_the_layers(path):
    save_study(with_places(tier=["station"] * 5), path)
    table = gpd.read_file(path, layer="facilities")
    assert (len(table), set(table["tier"]), table.crs) == (5, {"station"}, CRS)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        registered = {row[0] for row in database.execute("SELECT table_name FROM gpkg_contents")}
    assert {"study", "metadata", "facilities", "grids"} <= registered


def test_saving_again_and_again(path):
    study = with_places()
    for revision in range(1, 4):
        study = save_study(study.with_metadata(n=revision), path)
        assert open_study(path).revision == revision
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


# ---- somebody else ----


def test_a_save_over_another_county_is_refused(tmp_path):
    path = tmp_path / "county.gpkg"
    save_study(new_study("甲县", "EPSG:4545"), path)
    with pytest.raises(RevisionConflictError, match="甲县"):
        save_study(replace(new_study("乙县", "EPSG:4545"), revision=1), path)


def test_a_save_over_someone_elses_is_refused(path):
    save_study(with_places(), path)
    mine, theirs = open_study(path), open_study(path)
    save_study(theirs.with_metadata(who="they"), path)
    with pytest.raises(RevisionConflictError, match=r"revision 2, yours is 1"):
        save_study(mine.with_metadata(who="I"), path)
    assert open_study(path).metadata == {"who": "they"}
    with pytest.raises(RevisionConflictError):
        save_study(new_study("anders", CRS), path)


def test_saving_under_another_name(path):
    study = save_study(with_places(), path)
    copy = path.with_name("copy.gpkg")
    assert save_study(study, copy).revision == 2
    assert open_study(path).revision == 1


def test_four_threads_lose_no_save(path):
    save_study(with_places(), path)
    outcomes = []

    def work(number):
        try:
            save_study(open_study(path).with_metadata(number=number), path)
            outcomes.append("saved")
        except RevisionConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert open_study(path).revision == 1 + outcomes.count("saved") > 1


def write_lock(path, **holder):
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "time": time.time(), "token": "t"} | holder
    lock.lock_file(path).write_text(json.dumps(holder))


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_living_lock_is_waited_for_and_respected(path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_S", 0.2)
    study = save_study(with_places(), path)
    write_lock(path)
    with pytest.raises(StudyFileError, match=f"process {os.getpid()}"):
        save_study(study, path)
    assert open_study(path).revision == 1
    lock.lock_file(path).unlink()
    assert save_study(study, path).revision == 2


@pytest.mark.parametrize(
    "holder",
    [
        {"pid": None},
        {"time": time.time() - 2 * lock.OWN_LOCK_S},
        {"host": "elsewhere", "time": time.time() - 2 * lock.FOREIGN_LOCK_S},
    ],
)
def test_a_lock_left_behind_is_broken(path, holder):
    study = save_study(with_places(), path)
    write_lock(path, **(holder | ({"pid": dead_pid()} if "pid" in holder else {})))
    assert save_study(study, path).revision == 2
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_a_lock_of_another_machine_is_respected(path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_S", 0.1)
    study = save_study(with_places(), path)
    write_lock(path, host="elsewhere", pid=1)
    with pytest.raises(StudyFileError, match="elsewhere"):
        save_study(study, path)


def test_an_unreadable_lock_counts_by_its_age(path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_S", 0.1)
    study = save_study(with_places(), path)
    lock.lock_file(path).write_text("")
    with pytest.raises(StudyFileError, match="another program"):
        save_study(study, path)
    os.utime(lock.lock_file(path), (time.time() - 60, time.time() - 60))
    assert save_study(study, path).revision == 2


# ---- what a killed writer leaves ----


def test_opening_sweeps_up(path):
    save_study(with_places(), path)
    write_lock(path, pid=dead_pid(), token="dead")
    for name in (
        f".{path.stem}.dead.saving.gpkg",
        f".{path.stem}.dead.saving.gpkg-journal",
        f".{path.stem}.x.saving.gpkg",
    ):
        path.with_name(name).write_bytes(b"half")
    other = path.with_name(".另一个.x.saving.gpkg")
    other.write_bytes(b"not ours")
    open_study(path)
    assert {file.name for file in path.parent.iterdir()} == {path.name, other.name}


def test_opening_leaves_a_living_writer_alone(path):
    save_study(with_places(), path)
    write_lock(path, token="alive")
    sibling = path.with_name(f".{path.stem}.alive.saving.gpkg")
    sibling.write_bytes(b"half")
    open_study(path)
    assert sibling.exists()
    assert lock.lock_file(path).exists()


def test_a_write_ahead_log_is_brought_home(path):
    study = save_study(with_places(), path)
    copy = path.with_name("crashed.gpkg")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE notes (words TEXT)")
        database.commit()
        # as a crash leaves it: the change stands in the log only
        copy.write_bytes(path.read_bytes())
        copy.with_name("crashed.gpkg-wal").write_bytes(path.with_name(f"{path.name}-wal").read_bytes())
    assert_same_study(open_study(copy), study)
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    assert save_study(study, copy).revision == 2
    assert [file.name for file in copy.parent.glob("crashed*")] == ["crashed.gpkg"]


def test_a_file_open_in_a_gis_is_not_swapped_away(path):
    study = save_study(with_places(), path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("SELECT count(*) FROM metadata").fetchone()
        with pytest.raises(StudyFileError, match="QGIS"):
            save_study(study, path)
    assert open_study(path).revision == 1


# ---- files that cannot be used ----


def test_no_such_file(path):
    with pytest.raises(StudyFileError, match="planner new"):
        open_study(path)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + b"\x00" * 200])
def test_no_study(path, content):
    path.write_bytes(content)
    with pytest.raises(StudyFileError, match=path.name):
        open_study(path)
    with pytest.raises(StudyFileError):
        save_study(with_places(), path)
    assert path.read_bytes() == content


def test_someone_elses_geopackage_is_not_overwritten(path):
    places().to_file(path)
    before = path.read_bytes()
    with pytest.raises(StudyFileError, match="no study file"):
        open_study(path)
    with pytest.raises(StudyFileError, match="no study file"):
        save_study(with_places(), path)
    assert path.read_bytes() == before


def test_a_cut_or_scribbled_file(path):
    save_study(
        with_places().with_grid(
            "g", Grid(np.random.default_rng(1).random((300, 300), np.float32), (1, 0, 0, 0, -1, 0), CRS, "m")
        ),
        path,
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StudyFileError, match="damaged"):
        open_study(path)
    rng = np.random.default_rng(5)
    for _ in range(20):
        scribbled = bytearray(whole)
        for at in rng.integers(100, len(whole), 200):
            scribbled[at] = int(rng.integers(0, 256))
        path.write_bytes(scribbled)
        try:
            open_study(path)
        except StudyFileError:
            continue


def test_a_newer_format(path):
    save_study(with_places(), path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE study SET value = '99' WHERE key = 'format_version'")
    with pytest.raises(StudyFileError, match="newer planner"):
        open_study(path)
    with pytest.raises(StudyFileError, match="newer planner"):
        save_study(with_places(), path)


def test_a_name_that_is_no_geopackage(tmp_path):
    with pytest.raises(StudyFileError, match=r"\.gpkg"):
        save_study(with_places(), tmp_path / "a.shp")


def test_a_folder_that_is_missing_or_read_only(path, monkeypatch):
    with pytest.raises(StudyFileError, match="could not be saved"):
        save_study(with_places(), path.parent / "no folder" / "a.gpkg")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    save_study(with_places(), path)
    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(StudyFileError, match="Permission denied"):
        save_study(open_study(path), path)


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_leaves_the_old_file(path):
    # A process may write no file beyond 1 MB: the same as a disk that fills up there.
    import resource

    study = save_study(with_places(), path)
    before = path.read_bytes()
    large = study.with_results(
        {"large": pd.DataFrame(np.random.default_rng(0).random((20_000, 20))).rename(columns=str)}
    )
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(StudyFileError, match=r"disk|written"):
            save_study(large, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert save_study(large, path).revision == 2


def test_cancelling_a_save_leaves_the_old_file(path):
    study = save_study(with_places(), path)
    progress = Cancellable()
    progress.cancel()
    with pytest.raises(CancelledError):
        save_study(study, path, progress)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert open_study(path).revision == 1


# ---- a study knows itself ----


def rich_study():
    grid = Grid(np.arange(1200, dtype=np.float32).reshape(30, 40), (1, 0, 0, 0, -1, 0), CRS, "m")
    return replace(
        with_places(**COLUMNS).with_grid("g", grid).with_results({"r": pd.DataFrame(COLUMNS)}).with_metadata(a=[1]),
        scenarios={"default": "a = 1"},
    )


def flipped(whole, bit):
    content = bytearray(whole)
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


def told(path, expected):
    """Whether an opening is refused, or gives exactly what was saved."""
    try:
        found = open_study(path)
    except StudyFileError:
        return True
    try:
        assert_same_study(found, expected)
    except AssertionError:
        return False
    return True


def untold_flips(path, n, seed):
    saved = save_study(rich_study(), path)
    whole = path.read_bytes()
    untold = []
    for bit in np.random.default_rng(seed).integers(0, 8 * len(whole), n):
        path.write_bytes(flipped(whole, int(bit)))
        if not told(path, saved):
            untold.append(int(bit))
    return untold


def test_flipped_bits_are_told(path):
    assert untold_flips(path, 15, 3) == []


@pytest.mark.slow
def test_three_hundred_flipped_bits_are_told(path):
    assert untold_flips(path, 300, 20_261_201) == []


def test_a_flipped_bit_of_a_cell_names_its_layer(path):
    save_study(with_places(name=["唯一的名字", "b", "c", "d", "e"]), path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace("唯一".encode(), "唯二".encode()))
    with pytest.raises(StudyFileError, match="'facilities' is not what was saved"):
        open_study(path)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("UPDATE facilities SET n = 7 WHERE n = 2", "facilities"),
        ("DELETE FROM facilities WHERE n = 2", "facilities"),
        ("UPDATE metadata SET value = '2'", "study"),
        ("UPDATE study SET value = 'EPSG:4545' WHERE key = 'crs'", "study"),
        ("UPDATE grids SET data = zeroblob(9)", "study"),
    ],
)
def test_what_another_program_changed_is_told(path, change, part):
    grid = Grid(np.ones((2, 2), np.float32), (1, 0, 0, 0, -1, 0), CRS, "m")
    save_study(with_places(n=[1, 2, 3, 4, 5]).with_grid("g", grid).with_metadata(a=1), path)
    connection = sqlite3.connect(path)
    for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
        connection.create_function(name, 1, lambda _: 0)
    with closing(connection) as database, database:
        database.execute(change)
    with pytest.raises(StudyFileError, match=f"'{part}' is not what was saved"):
        open_study(path)


def test_a_study_older_than_the_seals_opens_and_is_sealed_by_its_next_save(path):
    saved = save_study(with_places(n=[1, 2, 3, 4, 5]), path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE study SET value = '1' WHERE key = 'format_version'")
        database.execute("DELETE FROM study WHERE key IN ('sha256', 'save_id')")
        specs = database.execute("SELECT layer, columns FROM contents").fetchall()
        for layer, spec in specs:
            plain = {key: value for key, value in json.loads(spec).items() if key != "sha256"}
            database.execute("UPDATE contents SET columns = ? WHERE layer = ?", (json.dumps(plain), layer))
    found = open_study(path)
    assert found.save_id == ""
    assert_same_study(found, saved)
    again = save_study(found, path)
    assert open_study(path).save_id == again.save_id != ""


def test_a_copy_that_went_another_way_is_not_overwritten(path):
    study = save_study(with_places(), path)
    copy = path.with_name("copy.gpkg")
    copy.write_bytes(path.read_bytes())
    mine = save_study(study.with_metadata(who="I"), path)
    theirs = save_study(study.with_metadata(who="they"), copy)
    assert mine.revision == theirs.revision
    path.write_bytes(copy.read_bytes())
    with pytest.raises(RevisionConflictError, match="another copy"):
        save_study(mine.with_metadata(who="I again"), path)
    assert open_study(path).metadata == {"who": "they"}


def test_a_locked_file_is_not_called_damaged(path, monkeypatch):
    monkeypatch.setattr(study_file, "_BUSY_WAIT_S", 0.05)
    save_study(with_places(), path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StudyFileError, match="in use by another program"):
            open_study(path)
        database.rollback()
    assert open_study(path).revision == 1


def test_a_first_save_that_was_killed_leaves_nothing(path):
    def killed():
        write_lock(path, pid=dead_pid(), token="dead")
        path.with_name(f".{path.stem}.dead.saving.gpkg").write_bytes(b"half")

    killed()
    with pytest.raises(StudyFileError, match="no study file"):
        open_study(path)
    assert list(path.parent.iterdir()) == []
    killed()
    save_study(with_places(), path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_many_open_at_once(path):
    saved = save_study(with_places(), path)
    found = []
    threads = [threading.Thread(target=lambda: found.append(open_study(path).save_id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [saved.save_id] * 8


def test_a_reader_never_mixes_two_revisions(path, monkeypatch):
    study = save_study(with_places(n=[1] * 5), path)
    original = study_file._read_layer
    swaps = iter([True])

    def swap_in_the_middle(*args):
        if next(swaps, False):
            save_study(study.with_table("facilities", places(n=[2] * 5)).with_metadata(n=2), path)
        return original(*args)

    monkeypatch.setattr(study_file, "_read_layer", swap_in_the_middle)
    found = open_study(path)
    assert (found.revision, found.metadata["n"], set(found.tables["facilities"]["n"])) == (2, 2, {2})


# ---- slow: size and kills ----


def grid_roads(n):
    """About 2 n (n - 1) links of a street grid."""
    x, y = np.meshgrid(np.arange(n) * 100.0 + 300_000, np.arange(n) * 100.0 + 3_600_000)
    node = np.arange(n * n).reshape(n, n)
    a = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    b = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    xy = np.column_stack([x.ravel(), y.ravel()])
    return gpd.GeoDataFrame(
        {
            "road_id": [f"r{i}" for i in range(len(a))],
            "class": pd.Series(["residential"] * len(a), dtype="str"),
            "name": pd.Series([None] * len(a), dtype="str"),
            "bridge": False,
            "from_node": a,
            "to_node": b,
        },
        geometry=shapely.linestrings(np.stack([xy[a], xy[b]], axis=1)),
        crs=CRS,
    )


@pytest.mark.slow
def test_thirty_thousand_links(path, capsys):
    study = new_study("x", CRS).with_table("roads", grid_roads(123))
    start = time.perf_counter()
    study = save_study(study, path)
    saved = time.perf_counter()
    found = open_study(path)
    opened = time.perf_counter()
    assert_same_study(found, study)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(study.tables['roads'])} links: save {saved - start:.2f} s, open {opened - saved:.2f} s\n"
        )


KILLED = textwrap.dedent(
    """
    import json, os, random, signal, sys, time
    from pathlib import Path
    import geopandas as gpd, shapely
    from planner.inputs.intake import import_file
    from planner.store import open_study, save_study
    from planner.study import new_study

    path, roads, n_kills, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    study = import_file(new_study("x", "EPSG:32649"), "roads", roads).study
    save_study(study.with_metadata(n=0), path)

    def work():
        study = open_study(path)
        n = study.metadata["n"] + 1
        study = import_file(study, "roads", roads).study
        table = study.table("roads").assign(n=n)
        save_study(study.with_table("roads", table).with_metadata(n=n).with_results({"r": table.head(7)}), path)

    def forked(forever):
        child = os.fork()
        if child == 0:
            work()
            while forever:
                work()
            os._exit(0)
        return child

    # One undisturbed round says how long a round takes on this machine now.
    start = time.perf_counter()
    os.waitpid(forked(False), 0)
    round_s = time.perf_counter() - start
    for _ in range(n_kills):
        child = forked(True)
        time.sleep(rng.uniform(0.0, 2.0 * round_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        left = sorted(file.name for file in path.parent.iterdir() if "county" in file.name)
        study = open_study(path)
        table = study.table("roads")
        n = study.metadata["n"]
        print(json.dumps({
            "n": n, "revision": study.revision, "rows": len(table), "left": left,
            "same": bool(n == 0 or ((table["n"] == n).all() and (study.results["r"]["n"] == n).all())),
            "history": len(study.history), "valid": bool(table.is_valid.all()),
            "after": sorted(file.name for file in path.parent.iterdir() if "county" in file.name),
        }), flush=True)
    """
)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX")
def test_fifty_kills_lose_nothing(tmp_path):
    roads = grid_roads(25).drop(columns=["from_node", "to_node"])
    roads.to_file(tmp_path / "roads.gpkg")
    command = [
        sys.executable,
        "-c",
        KILLED,
        tmp_path / "county.gpkg",
        tmp_path / "roads.gpkg",
        "50",
        str(random.randrange(10**6)),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=500, check=False, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0, done.stderr
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rounds) == 50
    assert all(found["same"] and found["valid"] for found in rounds)
    assert {found["rows"] for found in rounds} == {len(roads)}
    assert all(found["revision"] == found["n"] + 1 == found["history"] for found in rounds)
    assert [found["n"] for found in rounds] == sorted(found["n"] for found in rounds)
    # Most kills hit a writer; whatever they left is gone after the next open.
    assert sum(found["left"] != ["county.gpkg"] for found in rounds) > 5
    assert all(found["after"] == ["county.gpkg"] for found in rounds)
    assert rounds[-1]["n"] > 0
