"""The demo county from its shipped files to its export: the counts it promises, the same twice, all of it opens."""

import json

import openpyxl
import pyogrio
import pytest

from planner.coverage.integrity import check_study
from planner.demo.files import demo_folder
from planner.demo.journey import run_demo
from planner.errors import InputError
from planner.outputs.headline import headline_rows
from planner.replay import replay_export
from planner.scenario import Scenario
from planner.store import open_study
from tests.test_docs import READMES, words


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_from_the_shipped_files_to_an_export_and_once_more(tmp_path):
    """One test, for a second run of the whole county would take a minute."""
    plan, path = run_demo(tmp_path)
    the_readmes_have_its_figures(plan)
    study = open_study(path)
    counts_are_those_promised(study)
    everybody_is_accounted_for(study.results["coverage"])
    the_export_opens(tmp_path / "export")
    inputs = demo_folder(tmp_path / "files")
    report = replay_export(tmp_path / "export" / "manifest.json", inputs, tmp_path / "again")
    assert len(report["tables"]) >= 8
    assert all(row["is_equal"] for row in report["tables"]), report


def the_readmes_have_its_figures(plan):
    for language, page in READMES.items():
        for row in headline_rows(plan, language)[1:]:
            assert f"| {row['item']} | {row['value']} |" in words(page), row


def counts_are_those_promised(study):
    report = check_study(study, Scenario())
    counts = {(row["tier"], row["class"]): row["n_facilities"] for _, row in report.facilities.iterrows()}
    assert [counts[tier, "all"] for tier in ("centre", "institute", "station", "point")] == [1, 27, 387, 506]
    assert (counts["station", "urban"], counts["station", "rural"]) == (54, 333)
    assert report.totals["relocated_people"] == report.totals["settlement_people"] == 224_500
    assert report.totals["settlement_households"] == 53_970
    assert report.totals["population"] == pytest.approx(880_000, rel=0.01)
    assert report.totals["n_candidates"] >= 500
    assert all(report.totals[f"n_candidates_way_{way}"] > 0 for way in range(1, 7))
    assert (report.totals["n_towns"], report.totals["n_villages"]) == (27, 387)
    assert study.metadata["is_synthetic"]
    assert set(study.results["settlements"]["size_class"]) == {"small", "medium", "large", "very_large"}


def everybody_is_accounted_for(coverage):
    people = coverage[["covered_people", "uncovered_people", "unknown_people"]].sum(axis=1)
    assert (people - coverage["population"]).abs().max() < 1e-6
    county = coverage[(coverage["area_level"] == "county") & coverage["area_class"].isna()]
    walk = county[(county["profile"] == "walk") & (county["tier"] == "any") & (county["group"] == "all")].iloc[0]
    assert walk["unknown_people"] > 0
    assert 0.2 < walk["covered_share"] < 0.95


def the_export_opens(export):
    layers = {str(name) for name, _ in pyogrio.list_layers(export / "results.gpkg")}
    assert {"coverage", "circles", "gaps", "settlements", "proposals"} <= layers
    circles = pyogrio.read_dataframe(export / "results.gpkg", layer="circles")
    assert circles.geometry.is_valid.all()
    assert len(pyogrio.read_dataframe(export / "results.gpkg", layer="proposals")) == 10
    book = openpyxl.load_workbook(export / "results.xlsx", read_only=True)
    assert len(book.sheetnames) >= 6
    assert all("合成" in str(book[name].cell(2, 1).value) for name in book.sheetnames)
    html = (export / "map.html").read_text(encoding="utf-8")
    assert "合成" in html
    assert len(html) < 20_000_000
    for path in export.glob("*.geojson"):
        assert json.loads(path.read_text(encoding="utf-8"))["features"], path.name


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        run_demo(tmp_path / "out")
