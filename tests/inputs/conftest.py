"""A county drawn as a box, and writers for the files that planners bring."""

import warnings

import geopandas as gpd
import openpyxl
import pytest
import shapely

from planner.inputs.intake import import_file
from planner.study import new_study

WORKING_CRS = "EPSG:32649"


@pytest.fixture
def study():
    """An empty study."""
    return new_study("示例县", WORKING_CRS)


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    """A study whose county is 108.5-109.5 E, 32.4-33.0 N; studies never change."""
    path = tmp_path_factory.mktemp("county") / "县界.geojson"
    box = shapely.box(108.5, 32.4, 109.5, 33.0)
    gpd.GeoDataFrame({"代码": ["1"], "名称": ["示例县"], "级别": ["县"]}, geometry=[box], crs=4326).to_file(path)
    return import_file(new_study("示例县", WORKING_CRS), "areas", path).study


@pytest.fixture
def workbook(tmp_path):
    """Write rows as the first sheet of a workbook and return its path."""

    def write(*rows, name="表.xlsx"):
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def text_file(tmp_path):
    """Write a text (or bytes) and return its path."""

    def write(content, name="表.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def layer(tmp_path):
    """Write shapes with attributes as a layer and return its path."""

    def write(shapes, file="层.gpkg", crs="EPSG:4326", **columns):
        path = tmp_path / file
        frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        elif path.suffix == ".shp":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # headers are cut at ten bytes: what is tested
                frame.to_file(path, encoding="GB18030")
        else:
            frame.to_file(path)
        return path

    return write
