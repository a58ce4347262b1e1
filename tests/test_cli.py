"""Every command: its JSON, its exit code, its one message."""

import json
from dataclasses import replace
from importlib.metadata import version

import geopandas as gpd
import numpy as np
import pytest
import shapely

from planner.cli import app
from planner.scenario import Scenario
from planner.store import open_study, save_study
from planner.texts import entries
from tests.reference.lattice import EAST, NORTH, lattice_study

CHEAP = ("check", "network", "coverage", "circles", "gaps", "settlements", "site")
ANSWERS = (*CHEAP, "plan", "export")
AREA_KEYS = {"level", "id", "name", "class"}
COVERAGE_KEYS = {
    "tier", "profile", "cutoff_min", "group", "area", "population", "covered_people", "uncovered_people",
    "unknown_people", "covered_share",
}  # fmt: skip


def saved(study, tmp_path, name="study.gpkg"):
    path = tmp_path / name
    save_study(replace(study, revision=0), path)
    return path


def without(*names):
    study = lattice_study()
    return replace(study, tables={key: table for key, table in study.tables.items() if key not in names})


def words_of(command, path, tmp_path):
    return (command, path, *(("--out", tmp_path / "out") if command == "export" else ()))


def is_one_message(answer):
    """Exit code 2, nothing on standard output, one message without a traceback."""
    assert answer.code == 2, answer
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert answer.err.strip()
    return True


# ---- every answer ----


def test_new_import_and_network_from_a_file(planner, tmp_path):
    path, roads = tmp_path / "county.gpkg", tmp_path / "roads.gpkg"
    lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(100, 0), (200, 50)])]
    lines = [shapely.transform(line, lambda xy: xy + np.array([EAST, NORTH])) for line in lines]
    gpd.GeoDataFrame({"highway": ["residential", "footway"]}, geometry=lines, crs="EPSG:32649").to_file(roads)
    made = planner("new", path, "--name", "新县", "--crs", "EPSG:32649", "--json")
    assert made.document == {"study": str(path), "name": "新县", "crs": "EPSG:32649", "revision": 1}

    imported = planner("import", path, "roads", roads, "--json")
    assert imported.code == 0
    assert imported.document["rows_in"] == 2
    assert imported.document["rows_accepted"] == 2
    assert imported.document["rows_refused"] == 0
    assert imported.document["ledger"] == []

    found = planner("network", path, "--json").document
    assert set(found) == {
        "n_nodes", "n_edges", "length_m", "n_components", "largest_component_share", "n_missing_nodes",
    }  # fmt: skip
    assert (found["n_nodes"], found["n_edges"], found["n_components"], found["n_missing_nodes"]) == (3, 2, 1, 0)
    assert found["length_m"] == pytest.approx(100 + 12_500**0.5)
    assert found["largest_component_share"] == 1.0


def test_import_lists_what_it_refused(planner, tmp_path):
    path, table = tmp_path / "county.gpkg", tmp_path / "stations.csv"
    planner("new", path, "--name", "县", "--crs", "EPSG:32649")
    table.write_text("站名,层级,经度,纬度\n好站,站,111.0,32.5\n坏站,站,abc,32.5\n", encoding="utf-8")
    answer = planner(
        "import", path, "facilities", table, "--frame", "EPSG:4326", "--column", "name=站名", "--column", "tier=层级",
        "--json",
    )  # fmt: skip
    document = answer.document
    assert (document["rows_in"], document["rows_accepted"], document["rows_refused"]) == (2, 1, 1)
    row = next(row for row in document["ledger"] if row["row"] == 3)
    assert {"file", "row", "column", "problem", "repair"} <= set(row)
    assert (row["file"], row["column"]) == ("stations.csv", "经度")
    assert row["problem"]
    assert row["repair"]
    assert open_study(path).table("facilities")["name"].tolist() == ["好站"]

    shown = planner("import", path, "facilities", table, "--frame", "EPSG:4326", "--append")
    assert shown.code == 0
    assert len(open_study(path).table("facilities")) == 2


def test_coverage_sums_to_the_population(planner, lattice_file):
    results = planner("coverage", lattice_file, "--json").document["results"]
    assert results
    for row in results:
        assert set(row) >= COVERAGE_KEYS
        assert set(row["area"]) == AREA_KEYS
        people = row["covered_people"] + row["uncovered_people"] + row["unknown_people"]
        assert people == pytest.approx(row["population"], abs=1e-6)
    population = lattice_study().table("demand")["population"].sum()
    county = [row for row in results if row["area"]["level"] == "county" and row["area"]["class"] is None]
    assert {row["population"] for row in county if row["group"] == "all"} == {float(population)}
    assert {row["profile"] for row in results} == set(Scenario().profiles)
    assert {row["tier"] for row in results} == set(Scenario().tier_codes)
    assert {row["group"] for row in results} == {"all", "age60", "children", "relocated"}
    assert {row["area"]["level"] for row in results} == {"county", "town", "village"}


def test_coverage_keeps_to_what_is_asked(planner, lattice_file):
    results = planner(
        "coverage", lattice_file, "--profile", "walk", "--cutoff", "15", "--tier", "station", "--group", "all",
        "--level", "town", "--json",
    ).document["results"]  # fmt: skip
    found = {(row["profile"], row["cutoff_min"], row["tier"], row["group"], row["area"]["level"]) for row in results}
    assert found == {("walk", 15.0, "station", "all", "town")}
    assert {row["area"]["id"] for row in results} == {"A", "B"}


def test_at_least_and_any_count_more_places(planner, lattice_file):
    covered = {}
    for tier in ("station", "at_least:station", "any"):
        rows = planner(
            "coverage", lattice_file, "--profile", "walk", "--cutoff", "4", "--tier", tier, "--group", "all", "--level",
            "county", "--json",
        ).document["results"]  # fmt: skip
        covered[tier] = next(row["covered_people"] for row in rows if row["area"]["class"] is None)
    assert 0 < covered["station"] < covered["at_least:station"] < covered["any"]


def test_circles_are_geojson_in_degrees_and_nest(planner, lattice_file, tmp_path):
    words = ("circles", lattice_file, "--profile", "walk", "--cutoff", "5", "--cutoff", "10", "--tier", "station")
    document = planner(*words, "--json").document
    assert document["type"] == "FeatureCollection"
    shapes = {}
    for feature in document["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert 110 < shape.centroid.x < 112
        assert 32 < shape.centroid.y < 33
        properties = feature["properties"]
        assert {"facility_id", "name", "tier", "profile", "cutoff_min", "area_km2", "people"} <= set(properties)
        shapes[properties["facility_id"], properties["cutoff_min"]] = shape
    # F6 is online, F7 has no road near: neither has a circle.
    assert set(shapes) == {("F3", 5.0), ("F3", 10.0)}
    assert shapes["F3", 10.0].buffer(1e-6).covers(shapes["F3", 5.0])
    out = tmp_path / "circles.geojson"
    answer = planner(*words, "--out", out)
    assert (answer.code, answer.out) == (0, "")
    assert json.loads(out.read_text(encoding="utf-8")) == document


def test_gaps_have_people_and_a_cause(planner, lattice_file):
    words = ("--profile", "walk", "--tier", "station", "--cutoff", "5")
    gaps = planner("gaps", lattice_file, *words, "--json").document["results"]
    assert [gap["rank"] for gap in gaps] == list(range(1, len(gaps) + 1))
    rows = planner("coverage", lattice_file, *words, "--group", "all", "--json").document["results"]
    county = next(row for row in rows if row["area"]["level"] == "county" and row["area"]["class"] is None)
    assert sum(gap["people"] for gap in gaps) == pytest.approx(county["uncovered_people"] + county["unknown_people"])
    assert all(gap["cause"] and gap["name"] for gap in gaps)


def test_settlements_say_who_is_served_and_why(planner, lattice_file):
    document = planner("settlements", lattice_file, "--json").document
    results = {row["settlement_id"]: row for row in document["results"]}
    assert set(results) == {"R1", "R2"}
    for row in results.values():
        assert {"settlement_id", "people", "is_served", "reason", "nearest"} <= set(row)
        pairs = {(near["tier"], near["profile"]) for near in row["nearest"]}
        assert pairs == {(tier, profile) for tier in Scenario().tier_codes for profile in Scenario().profiles}
        assert all(
            {"tier", "profile", "facility_id", "travel_time_min"} <= set(near) <= {
                "tier", "profile", "facility_id", "travel_time_min", "status",
            }
            for near in row["nearest"]
        )  # fmt: skip
    assert (results["R2"]["is_served"], results["R2"]["reason"]) == (False, "unknown")
    assert results["R1"]["people"] == 100
    assert isinstance(results["R1"]["is_served"], bool)


def test_site_proves_its_choice(planner, lattice_file):
    words = ("--profile", "walk", "--tier", "station", "--cutoff", "5", "-k", "2")
    document = planner("site", lattice_file, *words, "--json").document
    assert {"status", "objective_people", "bound_people", "gap_share", "chosen"} <= set(document)
    assert document["status"] == "optimal"
    assert document["gap_share"] == 0.0
    chosen = document["chosen"]
    assert [site["rank"] for site in chosen] == [1, 2]
    assert all({"candidate_id", "rank", "marginal_people", "total_people"} <= set(site) for site in chosen)
    assert sum(site["marginal_people"] for site in chosen) == pytest.approx(document["objective_people"])
    assert document["objective_people"] <= document["bound_people"] + 1e-6
    # C5 is an online platform: never proposed.
    assert "C4" not in {site["candidate_id"] for site in chosen}


def test_check_counts_and_lists(planner, lattice_file):
    document = planner("check", lattice_file, "--json").document
    assert set(document) == {"facilities", "totals", "findings"}
    counts = {(row["tier"], row["class"]): row for row in document["facilities"]}
    assert counts["station", "all"]["n_facilities"] == 2
    assert counts["station", "all"]["n_online"] == 1
    assert document["totals"]["n_demand"] == 63
    codes = {row["code"] for row in document["findings"]}
    assert {"unknown_tier", "online_facilities", "online_candidates"} <= codes


def test_plan_keeps_its_results_in_the_study(planner, tmp_path):
    path = saved(lattice_study(), tmp_path)
    document = planner("plan", path, "--json").document
    assert document["study"] == str(path)
    assert document["revision"] == 2
    results = open_study(path).results
    assert {"coverage", "circles", "gaps", "settlements", "proposals"} <= set(results)
    assert planner("plan", path, "--json").document["revision"] == 3


def test_export_names_its_files(planner, lattice_file, tmp_path):
    document = planner("export", lattice_file, "--out", tmp_path / "成果", "--json").document
    names = {path.rsplit("/", 1)[-1] for path in document["files"]}
    assert {"results.gpkg", "results.xlsx", "map.html", "manifest.json", "circles.geojson", "gaps.geojson"} <= names
    assert all((tmp_path / "成果" / name).stat().st_size > 0 for name in names)


# `plan` and `export` compute everything: each in one language, when slow.
TABLES = [
    *(pytest.param(name, "zh") for name in CHEAP),
    *(pytest.param(name, "en", marks=pytest.mark.slow) for name in CHEAP),
    pytest.param("plan", "en", marks=pytest.mark.slow),
    pytest.param("export", "zh", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("command", "tongue"), TABLES)
def test_every_answer_is_also_a_table_for_people(planner, tmp_path, monkeypatch, lattice_file, command, tongue):
    monkeypatch.setenv("PLANNER_LANG", tongue)
    path = saved(lattice_study(), tmp_path) if command == "plan" else lattice_file
    answer = planner(*words_of(command, path, tmp_path))
    assert answer.code == 0, answer.err
    assert answer.out.strip()


def test_templates_are_written(planner, tmp_path):
    assert planner("template", "facilities", "--out", tmp_path).code == 0
    assert [path.suffix for path in tmp_path.iterdir()] == [".xlsx"]
    assert planner("template", "--out", tmp_path / "all").code == 0
    assert is_one_message(planner("template", "nonsense", "--out", tmp_path))


def test_every_command_has_help(planner):
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        answer = planner(name.rstrip("_"), "--help")
        assert answer.code == 0
        assert "Usage" in answer.out
    assert all({"zh", "en"} <= set(words) for words in entries("cli").values())


# ---- what the user can mend ----


@pytest.mark.parametrize("command", ANSWERS)
def test_a_missing_study_is_named(planner, tmp_path, command):
    answer = planner(*words_of(command, tmp_path / "nowhere.gpkg", tmp_path), "--json")
    assert is_one_message(answer)
    assert "nowhere.gpkg" in answer.err


@pytest.mark.parametrize("command", ANSWERS)
@pytest.mark.parametrize("content", [b"", b"no database", b"PK\x03\x04rubbish"])
def test_a_file_that_is_no_study_is_named(planner, tmp_path, command, content):
    path = tmp_path / "rubbish.gpkg"
    path.write_bytes(content)
    answer = planner(*words_of(command, path, tmp_path), "--json")
    assert is_one_message(answer)
    assert "rubbish.gpkg" in answer.err
    assert path.read_bytes() == content


@pytest.mark.parametrize("command", [name for name in ANSWERS if name != "check"])
def test_an_empty_study_says_what_to_import(planner, tmp_path, command):
    path = tmp_path / "empty.gpkg"
    planner("new", path, "--name", "空县", "--crs", "EPSG:32649")
    answer = planner(*words_of(command, path, tmp_path), "--json")
    assert is_one_message(answer)
    assert "planner import" in answer.err


def test_an_empty_study_is_checked(planner, tmp_path):
    path = tmp_path / "empty.gpkg"
    planner("new", path, "--name", "空县", "--crs", "EPSG:32649")
    document = planner("check", path, "--json").document
    assert {row["code"] for row in document["findings"]} >= {"no_table"}
    assert document["totals"]["n_demand"] == 0


def test_a_study_is_not_made_twice(planner, tmp_path):
    path = tmp_path / "county.gpkg"
    words = ("new", path, "--name", "县", "--crs", "EPSG:32649")
    assert planner(*words).code == 0
    before = path.read_bytes()
    answer = planner(*words)
    assert is_one_message(answer)
    assert "exists already" in answer.err
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("crs", "word"),
    [("EPSG:4326", "EPSG:4326"), ("EPSG:999999", "999999"), ("metres", "metres"), ("", "coordinate reference system")],
)
def test_a_working_crs_must_be_metric(planner, tmp_path, crs, word):
    answer = planner("new", tmp_path / "county.gpkg", "--name", "县", "--crs", crs)
    assert is_one_message(answer)
    assert word in answer.err
    assert not (tmp_path / "county.gpkg").exists()


def test_a_study_file_ends_in_gpkg_and_its_folder_exists(planner, tmp_path):
    for path in (tmp_path / "county.shp", tmp_path / "no" / "folder.gpkg"):
        assert is_one_message(planner("new", path, "--name", "县", "--crs", "EPSG:32649"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("coverage", "--profile", "horse"), "horse"),
        (("coverage", "--tier", "castle"), "castle"),
        (("coverage", "--group", "giants"), "giants"),
        (("coverage", "--level", "moon"), "moon"),
        (("coverage", "--cutoff", "0"), "cutoff_min"),
        (("coverage", "--cutoff", "-5"), "cutoff_min"),
        (("coverage", "--cutoff", "nan"), "cutoff_min"),
        (("coverage", "--cutoff", "1e9"), "cutoff_min"),
        (("coverage", "--cutoff", "soon"), "--cutoff"),
        (("circles", "--profile", "horse"), "horse"),
        (("circles", "--tier", "castle"), "castle"),
        (("circles", "--cutoff", "0"), "cutoff_min"),
        (("circles", "--cutoff", "-3", "--cutoff", "10"), "time limit"),
        (("gaps", "--profile", "horse"), "horse"),
        (("gaps", "--tier", "castle"), "castle"),
        (("settlements", "--profile", "horse"), "horse"),
        (("settlements", "--tier", "castle"), "castle"),
        (("site", "-k", "-1"), "n_new"),
        (("site", "--profile", "horse"), "horse"),
        (("site", "--tier", "castle"), "castle"),
        (("coverage", "--scenario", "{tmp}/none.toml"), "none.toml"),
        (("plan", "--scenario", "{tmp}/broken.toml"), "broken.toml"),
        (("export", "--scenario", "{tmp}/strange.toml"), "wings"),
        (("site", "--scenario", "{tmp}/binary.toml"), "binary.toml"),
        (("export", "--out", "{tmp}/broken.toml/out"), "broken.toml"),
        (("circles", "--out", "{tmp}/no/folder.geojson"), "folder.geojson"),
    ],
)
def test_a_wrong_word_is_named(planner, lattice_file, tmp_path, words, told):
    (tmp_path / "broken.toml").write_text("cutoff_min = [", encoding="utf-8")
    (tmp_path / "strange.toml").write_text("wings = 2", encoding="utf-8")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00\x81")
    command, *options = words
    answer = planner(command, lattice_file, *(word.replace("{tmp}", str(tmp_path)) for word in options))
    assert is_one_message(answer)
    assert told in answer.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("castles", "{table}"), "castles"),
        (("facilities", "{tmp}/none.csv"), "none.csv"),
        (("facilities", "{tmp}"), ""),
        (("facilities", "{table}", "--column", "name"), "field=header"),
        (("facilities", "{table}", "--column", "=x"), "field=header"),
        (("facilities", "{table}", "--column", "name=nowhere"), "nowhere"),
        (("facilities", "{table}", "--column", "wings=name"), "wings"),
        (("facilities", "{table}", "--frame", "mars"), "mars"),
        (("roads", "{table}"), ""),
        (("elevation", "{table}"), ""),
        (("roads", "{table}", "--class-map", "{tmp}/none.toml"), "none.toml"),
        (("roads", "{table}", "--append"), "map layer"),
    ],
)
def test_a_wrong_import_leaves_the_study_as_it_was(planner, tmp_path, words, told):
    path, table = tmp_path / "county.gpkg", tmp_path / "table.csv"
    planner("new", path, "--name", "县", "--crs", "EPSG:32649")
    table.write_text("name,tier,lon,lat\n站,station,111,32.5\n", encoding="utf-8")
    before = path.read_bytes()
    places = {"{tmp}": str(tmp_path), "{table}": str(table)}
    for mark, place in places.items():
        words = tuple(word.replace(mark, place) for word in words)
    answer = planner("import", path, *words, "--json")
    assert is_one_message(answer)
    assert told in answer.err
    assert path.read_bytes() == before


def test_a_defect_of_ours_ends_with_one_and_a_log(planner, lattice_file, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("inside")

    monkeypatch.setattr("planner.plan.ready.describe_network", broken)
    answer = planner("network", lattice_file, "--json")
    assert (answer.code, answer.out) == (1, "")
    assert "ZeroDivisionError: inside" in answer.err
    assert "Traceback" not in answer.err


def test_the_version_is_the_packages(planner):
    assert planner("--version").out.strip() == version("practice-circle-planner")


# ---- studies that lack something, or are of odd size ----


def test_a_study_without_candidates_or_settlements_says_so(planner, tmp_path):
    path = saved(without("candidates", "settlements"), tmp_path)
    for command, name in (("site", "candidates"), ("settlements", "settlements")):
        answer = planner(command, path, "--json")
        assert is_one_message(answer)
        assert f"planner import STUDY.gpkg {name}" in answer.err


MISSING = (("candidates",), ("settlements",), ("areas",), ("facilities",), ("barriers",))
# Without every optional table at once here; one by one, for those that show every part, when slow.
MISSING_CASES = [
    *(pytest.param(command, sum(MISSING, ())) for command in ("check", "coverage", "circles", "gaps", "export")),
    pytest.param("plan", sum(MISSING, ()), marks=pytest.mark.slow),
    *(pytest.param(command, names, marks=pytest.mark.slow) for command in ("coverage", "export") for names in MISSING),
]


@pytest.mark.parametrize(("command", "names"), MISSING_CASES, ids=str)
def test_what_is_missing_leaves_the_rest_an_answer(planner, tmp_path, command, names):
    path = saved(without(*names), tmp_path)
    answer = planner(*words_of(command, path, tmp_path), "--json")
    assert answer.code == 0, answer.err
    assert answer.document
    if command == "coverage":
        for row in answer.document["results"]:
            people = row["covered_people"] + row["uncovered_people"] + row["unknown_people"]
            assert people == pytest.approx(row["population"], abs=1e-6)
    if command != "export":  # its files are the same without the document
        assert planner(*words_of(command, path, tmp_path)).code == 0


def test_without_any_place_nobody_is_covered(planner, tmp_path):
    path = saved(without("facilities"), tmp_path)
    rows = planner("coverage", path, "--json").document["results"]
    assert {row["covered_people"] for row in rows} == {0.0}
    assert planner("circles", path, "--json").document == {"type": "FeatureCollection", "features": []}
    document = planner("site", path, "-k", "2", "--json").document
    assert document["objective_people"] > 0
    assert planner("settlements", path, "--json").code == 0


def changed(name, change):
    """The lattice county with one table changed."""

    def make():
        study = lattice_study()
        return study.with_table(name, change(study.table(name)))

    return make


def far_away(table):
    return table.set_geometry(table.geometry.translate(60_000.0, 0.0))


ODD = {
    "one demand point": changed("demand", lambda table: table.iloc[[3]]),
    "nobody lives there": changed("demand", lambda table: table.assign(population=0)),
    "every point unknown": changed("demand", far_away),
    "places far from roads": changed("facilities", far_away),
    "candidates far from roads": changed("candidates", far_away),
    "online candidates only": changed("candidates", lambda table: table.assign(way="6")),
    "online places only": changed("facilities", lambda table: table.assign(is_online=True)),
    "settlements far from roads": changed("settlements", far_away),
    "one road": changed("roads", lambda table: table.iloc[[0]]),
    "motorways only": changed("roads", lambda table: table.assign(**{"class": "motorway"})),
    "county only": changed("areas", lambda table: table.iloc[[0]]),
    "areas elsewhere": changed("areas", far_away),
    "bare columns": changed("demand", lambda table: table[["demand_id", "population", "geometry"]]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_odd_studies_get_answers(planner, tmp_path, name):
    path = saved(ODD[name](), tmp_path)
    # `plan` and `export` compute the same: one document and one table of them will do.
    for command, options in (
        *((name, ["--json"]) for name in (*CHEAP, "export")),
        *((name, []) for name in (*CHEAP, "plan")),
    ):
        answer = planner(*words_of(command, path, tmp_path), *options)
        assert answer.code == 0, (command, answer.err)
        assert "Traceback" not in answer.err
        if options:
            json.loads(answer.out)


@pytest.mark.parametrize("option", [("--cutoff", "240"), ("--cutoff", "0.01"), ("-k", "0"), ("-k", "10000")])
def test_sites_at_the_ends_of_every_range(planner, lattice_file, option):
    document = planner("site", lattice_file, *option, "--json").document
    assert document["objective_people"] >= 0.0
    assert len(document["chosen"]) <= 5


# ---- the small demo county, from its files ----


@pytest.mark.slow
def test_a_county_through_every_command(planner, small_files, tmp_path):
    from planner.demo.files import demo_files
    from planner.demo.spec import scaled_spec

    path, spec = tmp_path / "county.gpkg", scaled_spec(3)
    assert planner("new", path, "--name", "小县", "--crs", "EPSG:4545").code == 0
    for kind, file, options in demo_files(small_files):
        frame = ("--frame", options.frame) if options.frame else ()
        document = planner("import", path, kind, file, *frame, "--json").document
        assert document["rows_in"] == document["rows_accepted"] + document["rows_refused"] > 0
        assert document["rows_refused"] == 0, (kind, document["ledger"][:3])

    document = planner("check", path, "--json").document
    counts = {(row["tier"], row["class"]): row["n_facilities"] for row in document["facilities"]}
    assert counts["institute", "all"] == spec.n_institutes
    assert counts["station", "urban"] == spec.n_stations_urban
    assert counts["station", "rural"] == spec.n_stations_rural
    assert document["totals"]["population"] == spec.population
    assert document["totals"]["relocated_people"] == spec.relocated_people

    network = planner("network", path, "--json").document
    assert network["n_components"] > 1
    assert 0.5 < network["largest_component_share"] < 1.0
    for row in planner("coverage", path, "--json").document["results"]:
        assert set(row) >= COVERAGE_KEYS
        people = row["covered_people"] + row["uncovered_people"] + row["unknown_people"]
        assert people == pytest.approx(row["population"], abs=1e-6)
    assert len(planner("settlements", path, "--json").document["results"]) == spec.n_settlements
    assert planner("gaps", path, "--json").document["results"]
    site = planner("site", path, "-k", "3", "--json").document
    assert len(site["chosen"]) == 3
    assert planner("circles", path, "--tier", "institute", "--profile", "walk", "--json").document["features"]
    assert planner("export", path, "--out", tmp_path / "export", "--json").code == 0

    again = planner(
        "replay", tmp_path / "export" / "manifest.json", "--inputs", small_files, "--out", tmp_path / "replay", "--json"
    )
    assert again.code == 0, again.err
    assert all(row["is_equal"] for row in again.document["tables"])


def test_what_is_handed_in_is_chinese_whatever_the_terminal(monkeypatch):
    from planner.cli.shell import document_language, language

    monkeypatch.delenv("PLANNER_LANG", raising=False)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert (language(), document_language()) == ("en", "zh")
    monkeypatch.setenv("PLANNER_LANG", "en")
    assert document_language() == "en"


def test_two_time_limits_are_both_answered_or_refused(planner, lattice_file):
    words = ("coverage", lattice_file, "--profile", "walk", "--tier", "any", "--level", "county", "--json")
    both = planner(*words, "--cutoff", "10", "--cutoff", "15").document["results"]
    for limit in (10, 15):
        alone = planner(*words, "--cutoff", limit).document["results"]
        assert [row for row in both if row["cutoff_min"] == limit] == alone
    assert "10" in planner(*words[:-1], "--cutoff", "10", "--cutoff", "15").out
    refused = planner("gaps", lattice_file, "--cutoff", "10", "--cutoff", "15")
    assert refused.code == 2
    assert "one time limit" in refused.err
