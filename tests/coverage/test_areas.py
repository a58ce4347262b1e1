"""Which town and village a point belongs to; the toy county is drawn in conftest.py."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from planner.coverage.areas import (
    area_membership,
    assign_areas,
    assign_by_position,
    assignment_counts,
    towns_of_villages,
)
from planner.errors import CrsError

CRS = "EPSG:32649"


def row_at(x, y, **columns):
    return gpd.GeoDataFrame(
        {name: pd.Series([value], dtype=object) for name, value in columns.items()},
        geometry=[shapely.Point(x, y)],
        crs=CRS,
    )


def assign_one(areas, x, y, **columns):
    return tuple(assign_areas(row_at(x, y, **columns), areas).iloc[0])


def test_position_decides_where_the_row_names_nothing(areas):
    assert assign_one(areas, 600, 500) == ("A", "A1", "urban")
    assert assign_one(areas, 5000, 3000) == ("C", "C2", "rural")


def test_a_name_goes_before_the_position(areas):
    assert assign_one(areas, 600, 500, town="乙镇", village="乙二村") == ("B", "B2", "rural")


def test_a_village_without_its_town_brings_the_town_where_its_name_is_unique(areas):
    assert assign_one(areas, 600, 500, village=" 丙一村 ") == ("C", "C1", "rural")


def test_a_village_name_of_two_towns_counts_within_the_named_town_only(areas):
    areas.loc[areas["area_id"] == "C1", "name"] = "乙一村"
    assert assign_one(areas, 600, 500, town="丙镇", village="乙一村")[:2] == ("C", "C1")
    assert assign_one(areas, 600, 500, village="乙一村")[:2] == ("A", "A1")


def test_a_named_town_keeps_out_the_village_of_another(areas):
    assert assign_one(areas, 3000, 3000, town="甲镇") == ("A", None, "urban")


def test_codes_serve_as_names(areas):
    assert assign_one(areas, 600, 500, town="C", village="C2")[:2] == ("C", "C2")


def test_strange_names_fall_back_to_the_position(areas):
    assert assign_one(areas, 600, 500, town="丁镇", village="丁一村")[:2] == ("A", "A1")


def test_the_rows_own_class_goes_first(areas):
    given = row_at(600, 500)
    given["class"] = "rural"
    assert assign_areas(given, areas)["class"].iloc[0] == "rural"


def test_a_point_outside_belongs_to_nothing_and_is_counted(areas, demand):
    assigned = assign_areas(demand, areas)
    assert tuple(assigned.loc[7]) == (None, None, None)
    assert assignment_counts(assigned) == {"n_no_town": 1, "n_no_village": 1, "n_no_class": 1}


def test_a_shared_border_goes_to_the_smaller_id(areas):
    assert assign_one(areas, 2000, 2000)[:2] == ("A", "A1")


@pytest.mark.parametrize("missing", [None, "empty"])
def test_without_areas_everybody_is_in_the_county_only(areas, demand, missing):
    none = None if missing is None else areas.iloc[:0]
    assigned = assign_areas(demand, none)
    assert assigned.isna().all(axis=None)
    membership = area_membership(assigned, none)
    assert membership.rows.to_numpy().tolist() == [["county", "county", "", None]]
    assert membership.matrix.sum() == len(demand)


def test_villages_find_their_town_by_code_or_by_where_they_lie(areas):
    areas.loc[areas["area_id"] == "B2", "parent_id"] = None
    areas.loc[areas["area_id"] == "C2", "parent_id"] = "nowhere"
    assert towns_of_villages(areas) == {"A1": "A", "A2": "A", "B1": "B", "B2": "B", "C1": "C", "C2": "C"}


def test_villages_without_towns_still_work(areas):
    villages = areas[areas["level"] == "village"]
    assert assign_one(villages, 600, 500)[:2] == (None, "A1")
    assert assign_one(villages, 600, 500, town="甲镇", village="丙二村")[:2] == (None, "C2")


def test_inputs_stay_and_the_index_is_kept(areas, demand):
    shuffled = demand.sample(frac=1, random_state=1)
    before = shuffled.copy()
    assigned = assign_areas(shuffled, areas)
    assert assigned.index.equals(shuffled.index)
    assert shuffled.equals(before)
    assert assigned.loc[0, "village_id"] == "A1"


def test_another_crs_is_refused(areas, demand):
    with pytest.raises(CrsError, match="same CRS"):
        assign_by_position(demand.to_crs("EPSG:4326"), areas)


def test_areas_of_results_stand_in_a_fixed_order(areas, assigned):
    rows = area_membership(assigned, areas).rows
    assert rows["area_id"].tolist() == ["X", "X", "X", "A", "B", "C", "A1", "A2", "B1", "B2", "C1", "C2"]
    assert rows["area_class"].tolist()[:3] == [None, "urban", "rural"]
