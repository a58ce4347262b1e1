"""The manifest: what was put in, what came out, whatever the order and the container."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import InputError
from planner.hashes import content_hash, file_hash
from planner.outputs.layers import result_tables, write_layers
from planner.outputs.manifest import find_inputs, manifest, read_manifest
from planner.scenario import Scenario, scenario_from_toml


def table():
    return gpd.GeoDataFrame(
        {"id": ["a", "b", "c"], "n": [1, 2, 3], "share": [0.1, np.nan, 1 / 3], "word": ["x", None, "甲"]},
        geometry=[shapely.Point(0, 0), shapely.box(0, 0, 1, 1), None],
        crs="EPSG:32649",
    )


def test_order_of_rows_and_columns_does_not_count():
    shuffled = table().iloc[[2, 0, 1]][["word", "geometry", "share", "n", "id"]]
    assert content_hash(shuffled) == content_hash(table())
    assert content_hash(table().reset_index(drop=True)) == content_hash(table())


def test_a_container_does_not_count(tmp_path):
    before = table().iloc[:2]
    for name in ("t.gpkg", "t.parquet"):
        path = tmp_path / name
        before.to_parquet(path) if path.suffix == ".parquet" else before.to_file(path)
        after = gpd.read_parquet(path) if path.suffix == ".parquet" else gpd.read_file(path)
        assert content_hash(after) == content_hash(before), name


def test_results_read_back_from_their_layers_hash_alike(lattice_plan, tmp_path):
    tables = result_tables(lattice_plan)
    path = write_layers({"gaps": tables["gaps"]}, tmp_path / "layers.gpkg")
    read = gpd.read_file(path, layer="gaps")
    assert content_hash(read[tables["gaps"].columns]) == content_hash(tables["gaps"])


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(n=[1, 2, 4]),
        lambda t: t.assign(word=["x", "", "乙"]),
        lambda t: t.iloc[:2],
        lambda t: t.rename(columns={"n": "m"}),
        lambda t: t.assign(share=[0.1, np.nan, 1 / 3 + 1e-6]),
        lambda t: t.set_geometry(t.geometry.translate(0.01, 0)),
        lambda t: pd.concat([t, t.iloc[[0]]]),
        lambda t: t.assign(n=[2, 1, 3]),
    ],
)
def test_a_change_of_content_counts(change):
    assert content_hash(change(table())) != content_hash(table())


def test_the_last_bits_of_a_number_do_not_count():
    assert content_hash(table().assign(share=[0.1 + 1e-15, np.nan, 1 / 3])) == content_hash(table())
    moved = table().set_geometry(table().geometry.translate(1e-6, -1e-6))
    assert content_hash(moved) == content_hash(table())


def test_the_start_of_a_ring_and_the_sign_of_zero_do_not_count():
    ring = gpd.GeoDataFrame(geometry=[shapely.Polygon([(0, 0), (1, 0), (1, 1)])])
    other = gpd.GeoDataFrame(geometry=[shapely.Polygon([(1, 0), (1, 1), (-0.0, 0)])])
    assert content_hash(ring) == content_hash(other)
    assert content_hash(pd.DataFrame({"a": [0.0]})) == content_hash(pd.DataFrame({"a": [-0.0]}))


def test_the_manifest_is_json_and_holds_what_a_replay_needs(lattice_plan):
    document = manifest(lattice_plan, result_tables(lattice_plan))
    again = json.loads(json.dumps(document, allow_nan=False))
    assert {"format", "planner", "packages", "study", "seed", "scenario", "inputs", "tables"} <= set(again)
    assert scenario_from_toml(again["scenario"]) == Scenario()
    assert set(again["tables"]) == set(result_tables(lattice_plan))
    assert again["packages"]["geopandas"] == gpd.__version__


def test_a_missing_and_a_changed_input_are_both_named(tmp_path):
    (tmp_path / "roads.zip").write_bytes(b"roads")
    (tmp_path / "people.csv").write_bytes(b"people")
    entries = [{"file": name, "sha256": file_hash(tmp_path / name)} for name in ("roads.zip", "people.csv")]
    content = {"inputs": entries}
    assert find_inputs(content, tmp_path) == [tmp_path / "roads.zip", tmp_path / "people.csv"]
    (tmp_path / "roads.zip").write_bytes(b"other roads")
    (tmp_path / "people.csv").unlink()
    with pytest.raises(InputError, match=r"(?s)roads\.zip.*changed.*people\.csv.*not found"):
        find_inputs(content, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b"{}", b'{"format": 99}', b'{"format": 1}', b"\xff\xfe\x00", b"null"]
)
def test_what_is_no_manifest_is_named(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_manifest(path)


def test_no_manifest_at_all(tmp_path):
    with pytest.raises(InputError, match=r"manifest\.json"):
        read_manifest(tmp_path / "manifest.json")
