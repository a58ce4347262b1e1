"""Every messy file of the corpus gives its table, and nothing of it is lost."""

import numpy as np
import pytest

from planner.crs import transform
from planner.inputs.intake import import_file
from tests.inputs.messy_files import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_messy_file_gives_its_table(county, tmp_path, case):
    result = import_file(county, "demand", case.written(tmp_path), case.options)
    table, ledger = result.study.table("demand"), result.ledger
    columns = ["demand_id", "name", "town", "population", "age60"]
    found = [tuple(row) for row in table[columns].astype(object).where(table[columns].notna(), None).to_numpy()]
    assert sorted(found, key=lambda row: row[0]) == list(case.expected)  # a FlatGeobuf has an order of its own
    assert ledger.rows_refused == case.n_refused
    assert ledger.rows_in == len(case.expected) + case.n_refused == len(table) + ledger.rows_refused
    refused = {(finding.file, finding.row) for finding in ledger.rows if finding.is_refused}
    assert len(refused) == case.n_refused
    people = sum(row[3] for row in case.expected)
    assert result.summary["people_accepted"] == table["population"].sum() == people
    assert result.summary["people_in"] == people + case.people_refused
    lon, lat = transform(table.geometry.x, table.geometry.y, table.crs.to_string(), "EPSG:4326")
    order = [int(name[1]) for name in table["demand_id"]]
    assert np.allclose(lon, [109 + i / 100 for i in order], atol=1e-6)
    assert np.allclose(lat, [32.7 + i / 100 for i in order], atol=1e-6)


def test_the_corpus_is_large_enough():
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_encoding_is_found_and_reported(county, tmp_path):
    words = {}
    for case in CASES:
        if case.name.endswith(" comma"):
            folder = tmp_path / case.name
            folder.mkdir()
            result = import_file(county, "demand", case.written(folder), case.options)
            words[case.name.split()[0]] = result.proposal.source.encoding
    assert words == {
        "utf-8": "UTF-8", "utf-8-sig": "UTF-8 (BOM)", "gbk": "GBK / GB18030", "gb18030": "GBK / GB18030",
        "utf-16": "UTF-16", "utf-16-le": "UTF-16 (LE)", "utf-16-be": "UTF-16 (BE)",
    }  # fmt: skip
