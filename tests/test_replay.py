"""An export made again from its manifest and the files; changed or missing files are refused by name."""

import json
import shutil

import geopandas as gpd
import pytest
import shapely

from planner.errors import InputError
from planner.inputs.options import ImportOptions
from planner.outputs.export import write_export
from planner.plan.stages import make_plan
from planner.replay import import_all, replay_export
from planner.scenario import Scenario
from planner.study import new_study
from tests.reference.lattice import lattice_study

TABLES = ("areas", "roads", "barriers", "facilities", "candidates", "demand", "settlements")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """The lattice county as files."""
    folder = tmp_path_factory.mktemp("inputs")
    study = lattice_study("格县")
    for name in TABLES:
        table = study.table(name)
        if name == "roads":
            table = table[["class", "name", "oneway", "geometry"]].rename(columns={"class": "highway"})
        table.to_file(folder / f"{name}.gpkg")
    return folder


@pytest.fixture(scope="module")
def export(inputs, tmp_path_factory):
    """Its export, with another scenario than the built-in one."""
    folder = tmp_path_factory.mktemp("export")
    study = new_study("格县", "EPSG:32649").with_metadata(note="手工")
    study = import_all(study, [(name, inputs / f"{name}.gpkg", ImportOptions()) for name in TABLES])
    scenario = Scenario().with_choices(profiles=["walk", "ebike"], cutoff_min=6.0, n_new=2, main_tier="station")
    write_export(make_plan(study, scenario), folder)
    return folder


@pytest.mark.slow
def test_the_same_tables_in_an_empty_folder(export, inputs, tmp_path):
    report = replay_export(export / "manifest.json", inputs, tmp_path / "again")
    expected = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    assert {row["table"] for row in report["tables"]} == set(expected["tables"])
    assert all(row["is_equal"] for row in report["tables"]), report
    again = json.loads((tmp_path / "again" / "manifest.json").read_text(encoding="utf-8"))
    assert again["tables"] == expected["tables"]
    assert again["scenario"] == expected["scenario"]
    assert again["study"] == expected["study"]
    # A replay can itself be replayed.
    report = replay_export(tmp_path / "again" / "manifest.json", inputs, tmp_path / "third")
    assert all(row["is_equal"] for row in report["tables"])


@pytest.mark.slow
def test_a_changed_table_hash_ends_with_two_and_one_document(planner, export, inputs, tmp_path):
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    manifest["tables"]["gaps"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    answer = planner("replay", tmp_path / "manifest.json", "--inputs", inputs, "--out", tmp_path / "again", "--json")
    assert answer.code == 2
    assert [row["table"] for row in answer.document["tables"] if not row["is_equal"]] == ["gaps"]
    assert "Traceback" not in answer.err


def test_a_changed_input_is_refused_by_name(planner, export, inputs, tmp_path):
    folder = shutil.copytree(inputs, tmp_path / "inputs")
    table = gpd.read_file(folder / "facilities.gpkg")
    table.geometry = [shapely.Point(point.x + 1, point.y) for point in table.geometry]
    table.to_file(folder / "facilities.gpkg")
    answer = planner("replay", export / "manifest.json", "--inputs", folder, "--out", tmp_path / "again")
    assert answer.code == 2
    assert "facilities.gpkg" in answer.err
    assert "roads.gpkg" not in answer.err
    assert not (tmp_path / "again").exists()


def test_a_missing_input_is_named(export, inputs, tmp_path):
    folder = shutil.copytree(inputs, tmp_path / "inputs")
    (folder / "roads.gpkg").unlink()
    with pytest.raises(InputError, match=r"roads\.gpkg: not found"):
        replay_export(export / "manifest.json", folder, tmp_path / "again")


def test_a_folder_with_something_in_it_is_left_alone(export, inputs, tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not empty"):
        replay_export(export / "manifest.json", inputs, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_in_the_place_of_the_folder_is_named(planner, export, inputs, tmp_path):
    (tmp_path / "again").write_text("a file", encoding="utf-8")
    answer = planner("replay", export / "manifest.json", "--inputs", inputs, "--out", tmp_path / "again")
    assert answer.code == 2, answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "{",
        '{"format": 1}',
        '{"format": 1, "inputs": [], "study": {}, "scenario": "", "tables": {}}',
        '{"format": 1, "inputs": [{"file": "x"}], "study": {"name": "a", "crs": "EPSG:32649", "metadata": {}}, '
        '"scenario": "", "tables": {}}',
        '{"format": 1, "inputs": 3, "study": 4, "scenario": 5, "tables": 6}',
    ],
)
def test_a_foreign_manifest_is_refused(planner, inputs, tmp_path, content):
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    answer = planner("replay", tmp_path / "manifest.json", "--inputs", inputs, "--out", tmp_path / "again")
    assert answer.code == 2, answer.err
    assert "manifest.json" in answer.err


def test_an_input_outside_the_folder_is_not_reached_for(planner, export, inputs, tmp_path):
    manifest = json.loads((export / "manifest.json").read_text(encoding="utf-8"))
    manifest["inputs"][0]["file"] = "../../etc/passwd"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    answer = planner("replay", tmp_path / "manifest.json", "--inputs", inputs, "--out", tmp_path / "again")
    assert answer.code == 2
    assert "passwd" in answer.err


@pytest.mark.slow
def test_a_small_county_from_its_files(small_export, small_files, tmp_path):
    report = replay_export(small_export / "manifest.json", small_files, tmp_path / "again")
    assert all(row["is_equal"] for row in report["tables"]), report
