"""Declared against found: the eight networks that ship, and figures as people write them."""

from dataclasses import replace

import numpy as np
import pytest

from planner.coverage.declared import declared_from_toml, declared_presets, parse_figure, reconcile
from planner.coverage.hierarchy import hierarchy_findings
from planner.demo.networks import county_figures, network_studies
from planner.errors import InputError, ScenarioError
from planner.scenario import Scenario

EIGHT = ("hanbin", "zhaohua", "jingshan", "daye", "xiangtan", "shaoyang", "xiangxi", "huaihua")


def found(result, measure="places"):
    table = result.table[result.table["measure"] == measure]
    return dict(zip(zip(table["tier"], table["class"], strict=True), table["found"], strict=True))


@pytest.fixture(scope="module")
def zhaohua():
    declared = declared_presets()["zhaohua"]
    return reconcile(network_studies(declared), declared, Scenario())


def test_the_eight_networks_have_a_source_and_a_name():
    presets = declared_presets()
    assert tuple(presets) == EIGHT
    assert all(one.source and one.name and one.name_en for one in presets.values())
    assert all(one.date for code, one in presets.items() if code != "daye")


def test_zhaohua_has_162_institutes_and_stations(zhaohua):
    counts = found(zhaohua)
    assert counts["institute", "all"] + counts["station", "all"] == 12 + 150 == 162
    assert (zhaohua.declared_formula, zhaohua.found_formula) == ("1+12+150+N", "1+12+150+60")
    assert zhaohua.agrees
    points = zhaohua.table[(zhaohua.table["tier"] == "point") & (zhaohua.table["class"] == "all")].iloc[0]
    assert points["judgement"] == "not_declared"
    assert np.isnan(points["difference"])


def test_ratios(zhaohua):
    ratios = zhaohua.ratios.set_index("ratio")
    assert ratios.loc["stations_per_institute"].tolist() == [12.5, 12.5]
    assert ratios.loc["points_per_station", "found"] == pytest.approx(0.4)
    # 20 communities of 2,400 and 130 villages of 700 people
    assert ratios.loc["people_per_station", "found"] == pytest.approx((20 * 2_400 + 130 * 700) / 150)


@pytest.mark.parametrize("code", EIGHT)
def test_shares_of_the_counties_sum_to_the_declared_figures(code):
    declared = declared_presets()[code]
    counties = county_figures(declared)
    stations = sum(len(county.villages) for county in counties)
    institutes = sum(len(set(county.towns)) for county in counties)
    for tier, number in (("centre", len(counties)), ("institute", institutes), ("station", stations)):
        figure = declared.figure(tier)
        low, high = figure.bounds(declared.approx_share)
        assert figure.number is None or low <= number <= high
    if code == "shaoyang":
        assert (len(counties), institutes, stations) == (12, 202, 3_633)


@pytest.mark.slow
@pytest.mark.parametrize("code", EIGHT)
def test_the_eight_networks_reconcile(code):
    declared = declared_presets()[code]
    studies = network_studies(declared)
    result = reconcile(studies, declared, Scenario())
    assert result.agrees
    assert not result.findings
    exact = result.table["declared"].str.fullmatch(r"\d+")
    assert (result.table.loc[exact, "judgement"] == "equal").all()
    assert (result.table.loc[exact, "difference"] == 0).all()
    assert all(hierarchy_findings(study, Scenario()) == () for study in studies)
    counts = found(result)
    if code == "hanbin":
        assert counts["station", "all"] == 387 == counts["station", "urban"] + counts["station", "rural"]
        assert (counts["station", "urban"], counts["station", "rural"]) == (54, 333)
        assert found(result, "relocated") == {("people", "all"): 224_500, ("households", "all"): 53_970}
    if code == "shaoyang":
        assert result.n_studies == 12
        assert result.found_formula.startswith("12+202+3633")
    if code == "daye":
        assert (counts["point", "rural"], counts["point", "urban"], counts["post", "all"]) == (2_609, 68, 210)


@pytest.mark.parametrize(
    ("cell", "number", "verdict"),
    [
        (9, 9, "equal"), ("9", 9, "equal"), ("10", 10, "short"), ("8", 8, "over"), (">=9", 9, "within"),
        (">=10", 10, "short"), ("≤8", 8, "over"), ("<=9", 9, "within"), ("~10", 10, "within"), ("~8", 8, "within"),
        ("~12", 12, "short"), ("≈7", 7, "over"), ("", None, "not_declared"), ("1,009", 1_009, "short"),
    ],
)  # fmt: skip
def test_every_way_to_write_a_figure(cell, number, verdict):
    """Nine stations stand; ~n agrees within 15 %: 8.5-11.5 for 10, 6.8-9.2 for 8, 10.2-13.8 for 12, 5.95-8.05 for 7."""
    value = f'"{cell}"' if isinstance(cell, str) else cell
    toy = declared_from_toml("name = 'x'\n[figures]\ncentre = 1\ninstitute = 3\nstation = 9\n")["declared"]
    asked = declared_from_toml(f"name = 'x'\n[figures]\nstation = {value}\n")["declared"]
    assert parse_figure(cell).number == number
    table = reconcile(network_studies(toy), asked, Scenario()).table
    row = table[(table["tier"] == "station") & (table["class"] == "all")].iloc[0]
    assert (row["found"], row["judgement"]) == (9, verdict)


@pytest.mark.parametrize("cell", ["some", "3.5", "-1", "1-2", ">300"])
def test_a_figure_that_cannot_be_read_is_one_error(cell):
    with pytest.raises(ScenarioError, match="declared figure"):
        declared_from_toml(f'name = "x"\n[figures]\nstation = "{cell}"\n')


@pytest.mark.parametrize("toml", ["not toml", "[x]\nname = 3", "[x]\nfigures = 3", "x = 1", "[x]\nname='x'\ncolour=1"])
def test_a_wrong_file_is_one_error(toml):
    with pytest.raises(ScenarioError, match="must be mended"):
        declared_from_toml(toml)


def test_what_cannot_be_reconciled_is_a_finding():
    declared = declared_from_toml(
        "name = 'x'\n[figures]\nsquad = 379\nstation = { all = 387, urban = 54, rural = 330 }\n"
    )["declared"]
    findings = reconcile([], declared, Scenario()).findings
    assert [(one.code, one.ids) for one in findings] == [
        ("declared_source_missing", ("declared",)),
        ("declared_tier_unknown", ("squad",)),
        ("declared_sum", ("station",)),
    ]
    assert "384" in findings[2].problem("zh")
    assert "notes" in findings[1].repair("en")


def test_a_county_named_twice_is_refused():
    toy = declared_presets()["zhaohua"]
    (study,) = network_studies(toy)
    later = replace(study, name="later", tables={**study.tables, "facilities": study.table("facilities").iloc[1:]})
    with pytest.raises(InputError, match=r"and 'later' hold 222 places both .*name each county once"):
        reconcile([study, later], toy, Scenario())
