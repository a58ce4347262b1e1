"""The files in data/demo_county are what the generator makes: contents are compared, not containers."""

from functools import cache
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from planner.demo.county import make_county
from planner.demo.files import WORKBOOKS, write_county

SHIPPED = Path(__file__).parents[2] / "data" / "demo_county"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fresh")
    write_county(make_county(), folder)
    return folder


@cache
def _cells(path):
    book = openpyxl.load_workbook(path, read_only=True)
    rows = [list(row) for row in book.active.iter_rows(values_only=True)]
    book.close()
    return rows


def _parts(values):
    numbers = np.array([value if isinstance(value, (int, float)) else np.nan for value in values], float)
    return numbers, [None if isinstance(value, (int, float)) else value for value in values]


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKBOOKS)
def test_workbooks(fresh, name):
    old, new = _cells(SHIPPED / f"{name}.xlsx"), _cells(fresh / f"{name}.xlsx")
    assert len(old) == len(new)
    old_numbers, old_words = _parts([cell for row in old for cell in row])
    new_numbers, new_words = _parts([cell for row in new for cell in row])
    assert old_words == new_words
    np.testing.assert_allclose(new_numbers, old_numbers, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["areas.geojson", "barriers.geojson", "roads.zip"])
def test_layers(fresh, name):
    old, new = (pyogrio.read_dataframe(folder / name, encoding="GBK" if name == "roads.zip" else None)
                for folder in (SHIPPED, fresh))  # fmt: skip
    words = [column for column in old.columns if column != "geometry"]
    assert old.crs == new.crs
    assert old[words].equals(new[words])
    tolerance = 0.02 if name == "roads.zip" else 2e-6
    assert shapely.equals_exact(old.geometry.to_numpy(), new.geometry.to_numpy(), tolerance=tolerance).all()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "total"), [("elevation.tif", None), ("population.tif", 880_000)])
def test_rasters(fresh, name, total):
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(SHIPPED / name) as old, rasterio.open(fresh / name) as new:
        assert old.crs == new.crs
        assert old.transform == new.transform
        assert total is None or old.read(1).sum(dtype=float) == total
        np.testing.assert_allclose(new.read(1), old.read(1), atol=1.0 if total is None else 0.0)


@pytest.mark.slow
def test_figures_of_the_shipped_county():
    """Shaped like Hanbin district in 2022: the figures of the field's page."""
    rows = {name: _cells(SHIPPED / f"{name}.xlsx")[2:] for name in WORKBOOKS}
    head = {name: _cells(SHIPPED / f"{name}.xlsx")[1] for name in WORKBOOKS}
    tiers = [row[head["facilities"].index("层级")] for row in rows["facilities"]]
    assert {tier: tiers.count(tier) for tier in set(tiers)} == {"中心": 1, "所": 27, "站": 387, "点": 506}
    kinds = [row[head["facilities"].index("城乡分类")] for row in rows["facilities"]]
    assert [kind for tier, kind in zip(tiers, kinds, strict=True) if tier == "站"].count("城镇") == 54

    def total(name, column):
        return sum(row[head[name].index(column)] or 0 for row in rows[name])

    assert total("demand", "人口") == 880_000
    assert total("demand", "搬迁人口") == total("settlements", "安置人数") == 224_500
    assert total("settlements", "安置户数") == 53_970
    assert len(rows["candidates"]) >= 500
