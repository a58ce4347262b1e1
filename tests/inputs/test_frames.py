import numpy as np
import pytest

from planner.crs import transform
from planner.inputs.frames import fitting_frames, study_region
from planner.study import new_study

LON, LAT = np.array([108.9, 109.0, 109.1]), np.array([32.6, 32.7, 32.8])


@pytest.mark.parametrize(
    ("frame", "fits"),
    [
        ("EPSG:4326", ("EPSG:4326", "EPSG:4490")),
        ("EPSG:4524", ("EPSG:4524",)),
        ("EPSG:4525", ("EPSG:4525",)),
        ("EPSG:32649", ("EPSG:32649", "EPSG:4546")),
        ("EPSG:4545", ("EPSG:4545",)),
    ],
)
@pytest.mark.parametrize("is_swapped", [False, True])
def test_the_frames_that_fit_are_found_by_the_boundary(county, frame, fits, is_swapped):
    x, y = transform(LON, LAT, "EPSG:4326", frame)
    found = fitting_frames(y, x, county) if is_swapped else fitting_frames(x, y, county)
    assert found == fits


def test_frames_outside_china_are_not_chinese():
    assert fitting_frames(np.array([-51.2]), np.array([-30.0]), new_study("poa", "EPSG:32722")) == ("EPSG:4326",)


def test_nothing_fits_nonsense(county):
    assert fitting_frames(np.array([1e9]), np.array([1e9]), county) == ()
    assert fitting_frames(np.array([np.nan]), np.array([np.nan]), county) == ()


def test_the_region_is_the_county_with_a_kilometre_around_it(county):
    region = study_region(county)
    x, y = transform([109.0, 109.5 + 900 / 93_700, 109.5 + 1_200 / 93_700], [32.7] * 3, "EPSG:4326", county.crs)
    assert region.contains(x, y).tolist() == [True, True, False]
    assert region.holds(x, y).all()


def test_without_a_boundary_the_region_is_where_the_crs_holds():
    region = study_region(new_study("x", "EPSG:32649"))
    x, y = transform([109.0, 115.5, 117.5, 0.0], [32.7, 32.7, 32.7, 0.0], "EPSG:4326", "EPSG:32649")
    assert region.contains(x, y).tolist() == [True, True, False, False]
    assert not region.contains(np.array([np.inf]), np.array([np.nan])).any()
