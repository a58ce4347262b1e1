import numpy as np
import pytest
from pyproj import CRS

from planner.crs import parse_crs, require_metric, suggest_working_crs, transform
from planner.errors import CrsError


def test_order_is_lon_lat_whatever_the_registry_says():
    x, y = transform([109.03], [32.69], "EPSG:4326", "EPSG:4545")
    assert 500_000 < x[0] < 700_000
    assert 3_500_000 < y[0] < 3_700_000


def test_round_trip():
    lon, lat = np.array([108.1, 109.9]), np.array([32.1, 33.4])
    back = transform(*transform(lon, lat, "EPSG:4490", "EPSG:4545"), "EPSG:4545", "EPSG:4490")
    np.testing.assert_allclose(back, (lon, lat), atol=1e-9)


@pytest.mark.parametrize("text", ["EPSG:4326", "EPSG:4490", "EPSG:2263", "EPSG:999999", "nonsense", ""])
def test_a_working_crs_is_metric(text):
    with pytest.raises(CrsError):
        require_metric(text)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [(109.0, 32.7, "EPSG:4545"), (-51.2, -30.0, "EPSG:32722"), (1.5, 42.5, "EPSG:32631"), (116.4, 39.9, "EPSG:4548")],
)
def test_suggested_crs(lon, lat, code):
    assert suggest_working_crs(lon, lat) == code
    assert parse_crs(code).is_projected


@pytest.mark.parametrize("unit", ["0.0", "nan", "1e400"])
def test_a_system_that_nothing_leads_to_is_none(unit):
    words = CRS("EPSG:4545").to_wkt("WKT1_ESRI").replace('UNIT["Meter",1.0]', f'UNIT["Meter",{unit}]')
    with pytest.raises(CrsError, match="is not a coordinate reference system"):
        parse_crs(words)
