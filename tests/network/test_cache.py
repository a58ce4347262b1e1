import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import InputError
from planner.network import cache as module
from planner.network.build import build_network
from planner.network.cache import cache_folder, cached_network, content_key
from planner.network.road_network import RoadNetwork
from tests.network.test_speeds import ramp
from tests.reference.towns import CRS, TOWNS, loop, one_way


def equal(one, two):
    for field in fields(RoadNetwork):
        a, b = getattr(one, field.name), getattr(two, field.name)
        assert (a is None) == (b is None)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            assert a.tobytes() == b.tobytes()
        else:
            assert a == b


@pytest.fixture
def no_building(monkeypatch):
    def fail(*_):
        raise AssertionError("built again")

    def switch_on():
        monkeypatch.setattr(module, "build_network", fail)

    return switch_on


@pytest.mark.parametrize("grid", [None, ramp()])
@pytest.mark.parametrize("name", TOWNS)
def test_the_second_start_gives_the_same_bytes_without_building(tmp_path, no_building, name, grid):
    roads = TOWNS[name]()
    fresh = build_network(roads, CRS, grid)
    equal(cached_network(roads, CRS, grid, tmp_path), fresh)
    no_building()
    equal(cached_network(roads, CRS, grid, tmp_path), fresh)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other", "folder"])
def test_a_damaged_file_is_built_again(tmp_path, damage):
    roads = loop()
    fresh = cached_network(roads, CRS, None, tmp_path)
    (path,) = tmp_path.glob("*.network")
    raw = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "flip":
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other":
        cached_network(one_way(), CRS, None, tmp_path / "other")
        (other,) = (tmp_path / "other").glob("*.network")
        path.write_bytes(other.read_bytes())
    else:
        path.unlink()
        path.mkdir()
    equal(cached_network(roads, CRS, None, tmp_path), fresh)


def test_every_value_changes_the_key():
    roads, grid = loop(), ramp()
    moved = roads.copy()
    moved.loc[0, "geometry"] = moved.geometry[1]
    raised = replace(grid, values=grid.values + 1)
    renumbered = roads.assign(to_node=roads["to_node"] + 100)
    keys = [
        content_key(*change)
        for change in (
            (roads, CRS, None), (roads, CRS, grid), (roads, CRS, raised), (roads, "EPSG:32650", None),
            (moved, CRS, None), (renumbered, CRS, None), (roads.assign(oneway="forward"), CRS, None),
            (roads.assign(foot="no"), CRS, None), (roads.assign(bridge=True), CRS, None),
            (roads.assign(**{"class": "steps"}), CRS, None), (roads.iloc[::-1], CRS, None),
            (roads, CRS, replace(grid, crs="EPSG:32650")),
        )
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert content_key(loop(), CRS, ramp()) == keys[1]


def test_without_a_folder_to_write_it_still_works(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    equal(cached_network(loop(), CRS, None, blocked / "cache"), build_network(loop(), CRS))


def test_only_the_latest_networks_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_KEPT", 2)
    for name in TOWNS:
        cached_network(TOWNS[name](), CRS, None, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("PLANNER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("PLANNER_CACHE")
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "practice-circle-planner"
    monkeypatch.setattr(module.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "y"))
    assert cache_folder() == Path(tmp_path / "y" / "practice-circle-planner")


def test_a_network_built_by_other_code_is_built_again(tmp_path, monkeypatch):
    built = []
    monkeypatch.setattr(module, "build_network", lambda *all_of_it: built.append(1) or build_network(*all_of_it))
    cached_network(loop(), CRS, None, tmp_path / "kept")
    cached_network(loop(), CRS, None, tmp_path / "kept")
    assert len(built) == 1
    source = Path(module.__file__).parent
    shutil.copytree(source, tmp_path / "code")
    changed = tmp_path / "code" / "contract.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "# another rule\n", encoding="utf-8")
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path / "code")
    module._code_digest.cache_clear()
    try:
        equal(cached_network(loop(), CRS, None, tmp_path / "kept"), build_network(loop(), CRS))
    finally:
        module._code_digest.cache_clear()
    assert len(built) == 2


@pytest.mark.parametrize("kind", ["boolean", object])
def test_flags_with_blanks_have_a_key_and_a_network(tmp_path, kind):
    roads = loop()
    flags = [[True, None, False][i % 3] for i in range(len(roads))]
    blank = roads.assign(bridge=pd.array(flags, dtype=kind))
    equal(
        cached_network(blank, CRS, None, tmp_path), build_network(roads.assign(bridge=[x is True for x in flags]), CRS)
    )
    assert content_key(blank, CRS, None) != content_key(roads.assign(bridge=False), CRS, None)


@pytest.mark.parametrize("shape", [None, shapely.LineString(), shapely.Point(3, 3)])
def test_a_road_without_a_line_is_named_not_a_crash(tmp_path, shape):
    roads = loop()
    column = roads.geometry.to_numpy().copy()
    column[0] = shape
    for build in (build_network, lambda *these: cached_network(*these, None, tmp_path)):
        with pytest.raises(InputError, match="1 roads have no length"):
            build(roads.set_geometry(column, crs=CRS), CRS)


def test_roads_that_join_no_nodes_are_refused():
    with pytest.raises(InputError, match="which nodes they join"):
        build_network(loop().assign(from_node=np.nan), CRS)
