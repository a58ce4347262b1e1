import numpy as np

from planner.crs import transform
from planner.inputs.frames.to_study import study_region
from planner.study import new_study


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
