"""`planner belts` and `planner clusters`, as a user runs them."""

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely

from planner.coverage.belts import BELT_COLUMNS, LINK_COLUMNS
from tests.reference.lattice import EAST, HOSTILE, NORTH


def test_a_belt_along_a_named_road(planner, lattice_file):
    road = HOSTILE[0]
    answer = planner("belts", lattice_file, "--road", road, "--buffer", 700, "--json")
    assert answer.code == 0
    document = answer.document
    (belt,) = document["belts"]
    assert set(belt) == set(BELT_COLUMNS)
    assert belt["n_places"] == len(document["places"]) == len(document["links"]) + 1
    assert set(document["links"][0]) == set(LINK_COLUMNS)
    along = [place["along_m"] for place in document["places"]]
    assert along == sorted(along)
    assert belt["n_places"] > 1
    assert "onerror" in planner("belts", lattice_file, "--road", road).out


def test_names_that_nothing_has(planner, lattice_file):
    names = ("--road", "断头", "--river", "长江", "--corridor", "甲", "--area", "丙镇")
    answer = planner("belts", lattice_file, *names)
    assert answer.code == 0
    assert "断头" in answer.out
    findings = planner("belts", lattice_file, *names, "--json").document["findings"]
    assert len(findings) == 5
    assert "断头路" in findings[0]["repair"]
    assert len(planner("belts", lattice_file, "--area", "丙镇", "--json").document["findings"]) == 2


@pytest.mark.parametrize("words", [("--buffer", "-1"), ("--buffer", "nan"), ("--profile", "boat"), ("--cutoff", "0")])
def test_bad_choices_of_a_belt_are_one_message(planner, lattice_file, words):
    answer = planner("belts", lattice_file, "--road", "断头路", *words)
    assert answer.code == 2
    assert "Traceback" not in answer.err


def test_clusters_of_a_town(planner, lattice_file):
    document = planner("clusters", lattice_file, "--minutes", 12, "--json").document
    assert document["clusters"]
    members = [place for place in document["places"] if place["membership"] == "member"]
    assert sum(one["n_places"] for one in document["clusters"]) == len(members)
    assert all(one["farthest_min"] <= 12 for one in document["clusters"])
    assert "places are in no cluster" in planner("clusters", lattice_file).out


@pytest.mark.parametrize("minutes", ["0", "-3", "nan", "61"])
def test_bad_minutes_of_a_cluster_are_one_message(planner, lattice_file, minutes):
    assert planner("clusters", lattice_file, "--minutes", minutes).code == 2


def test_corridors_come_in_and_go_out(planner, lattice_file, tmp_path):
    """A layer of corridors makes belts in the workbook and in the layers; a point in it is refused in words."""
    shapes = [shapely.LineString([(EAST, NORTH), (EAST + 1600, NORTH)]), shapely.Point(EAST, NORTH)]
    rows = gpd.GeoDataFrame({"name": ["=南线"] * 2, "zone": ["南片"] * 2}, geometry=shapes, crs="EPSG:32649")
    layer, study = tmp_path / "belts.geojson", tmp_path / "s.gpkg"
    layer.write_text(rows.to_crs(4326).to_json(), encoding="utf-8")
    study.write_bytes(lattice_file.read_bytes())
    answer = planner("import", study, "corridors", layer, "--json")
    assert answer.code == 0, answer.err
    assert (answer.document["rows_accepted"], answer.document["rows_refused"]) == (1, 1)
    assert planner("export", study, "--out", tmp_path / "out", "--json").code == 0
    book = openpyxl.load_workbook(tmp_path / "out" / "results.xlsx")
    assert book["belts"]["A4"].value == "=南线"
    assert book["belts"]["A4"].data_type == "s"
    assert "clusters" in book.sheetnames
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / "out" / "results.gpkg")}
    assert {"belts", "belt_places", "belt_links", "cluster_places"} <= layers


def test_completeness_says_who_stays_unknown(planner, lattice_file):
    document = planner("completeness", lattice_file, "--json").document
    levels = [row["area_level"] for row in document["results"]]
    assert levels == sorted(levels, key=["county", "town", "village"].index)
    county = document["results"][0]
    assert county["unknown_people"] > 0
    assert county["covered_share"] < county["covered_share_if_known"]
    assert document["faults"] == []
    only = planner("completeness", lattice_file, "--level", "village", "--distance", 10, "--json").document["results"]
    assert {row["area_level"] for row in only} == {"village"}
    assert sum(row["far_people"] for row in only) > county["far_people"]
    assert "have no road near and stay unknown" in " ".join(planner("completeness", lattice_file).out.split())


def test_an_official_layer_is_laid_over_the_roads_that_are_there(planner, lattice_file, tmp_path):
    """The southern street again, 4 m off, in another office's words: shown first, then taken, kept once."""
    study, layer = tmp_path / "s.gpkg", tmp_path / "official.geojson"
    study.write_bytes(lattice_file.read_bytes())
    line = shapely.LineString([(EAST, NORTH - 4), (EAST + 1600, NORTH - 4)])
    rows = gpd.GeoDataFrame({"道路等级": ["县道"]}, geometry=[line], crs="EPSG:32649")
    layer.write_text(rows.to_crs(4326).to_json(), encoding="utf-8")
    words = ("import", study, "roads", layer, "--append", "--json")
    before = planner("network", study, "--json").document
    shown = planner(*words, "--dry-run").document["summary"]
    assert [(one["word"], one["road_class"], one["is_known"]) for one in shown["classes"]] == [
        ("县道", "secondary", True)
    ]
    assert planner("network", study, "--json").document == before
    taken = planner(*words).document
    assert taken["summary"]["merged_n_double_km"] == pytest.approx(1.6, abs=0.01)
    assert "drawn twice" in taken["ledger"][-1]["problem"]
    after = planner("network", study, "--json").document
    assert after["n_components"] == before["n_components"]
    assert after["length_m"] == pytest.approx(before["length_m"], abs=100)
    assert "secondary" in planner("import", study, "roads", layer, "--append").out
    assert planner("import", study, "roads", layer, "--update").code == 2
    assert planner("import", study, "roads", layer, "--gap", 99).code == 2


@pytest.mark.parametrize(
    "words", [("--distance", "0"), ("--distance", "nan"), ("--distance", "1e9"), ("--profile", "x")]
)
def test_bad_choices_of_completeness_are_one_message(planner, lattice_file, words):
    assert planner("completeness", lattice_file, *words).code == 2
