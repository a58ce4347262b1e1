"""Porto Alegre by a user's own path: people within a 15-minute walk, flat and with slope, against the slow obvious way.

The reference reads the extract by a bare pass, walks scipy's dijkstra over every vertex, finds its legs by brute force
over all segments and reads the heights itself. It takes only the lines of rivers and railways from the study: where
people may cross is a matter of data.
"""

import numpy as np
import pandas as pd
import pytest
import shapely

from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.plan.coverage import coverage_table
from planner.plan.ready import prepare
from planner.scenario import Scenario
from planner.standards import default_profiles
from planner.study import new_study
from tests.reference.noded import NodedRoads
from tests.reference.real_data import NETWORKS, elevation_of, require, roads_of

CRS = NETWORKS["porto_alegre"][1]
CUTOFF_MIN = 15.0


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    cells = pd.read_csv(require("porto_alegre/poa_hexgrid.csv"))
    path = tmp_path_factory.mktemp("poa") / "health.csv"
    health = cells.loc[cells["healthcare"] > 0, ["id", "lon", "lat"]]
    health.assign(name=health["id"], tier="station").to_csv(path, index=False)
    taken = new_study("Porto Alegre", CRS)
    degrees = ImportOptions(frame="EPSG:4326")
    taken = import_file(taken, "roads", require(NETWORKS["porto_alegre"][0])).study
    taken = import_file(taken, "demand", require("porto_alegre/poa_hexgrid.csv"), degrees).study
    return import_file(taken, "facilities", path, degrees).study


def legs_of(reference, x, y, barriers):
    """Legs by brute force over all segments; of the barriers, those within reach of the point."""
    tree = shapely.STRtree(barriers)
    reach_m = reference.profile.max_access_m
    found = []
    for px, py in zip(x, y, strict=True):
        near = tree.query(shapely.Point(px, py), predicate="dwithin", distance=reach_m)
        found += reference.legs([px], [py], [barriers[i] for i in near])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("has_slope", [False, True], ids=["flat", "slope"])
def test_people_within_a_15_minute_walk(study, has_slope):
    scenario = Scenario().with_choices(profiles=["walk"], cutoff_min=CUTOFF_MIN)
    if has_slope:
        study = import_file(study, "elevation", require("porto_alegre/poa_elevation.tif")).study
    table = coverage_table(prepare(study, scenario), tiers=["station"], groups=["all"])
    county = table[table["area_level"] == "county"].iloc[0]
    population = study.table("demand")["population"].to_numpy(float)
    assert county["population"] == population.sum() == 812_935
    accounted = county["covered_people"] + county["uncovered_people"] + county["unknown_people"]
    assert accounted == pytest.approx(812_935, abs=1e-6)

    profile = default_profiles()["walk"]
    reference = NodedRoads(roads_of("porto_alegre"), profile, elevation_of("porto_alegre") if has_slope else None)
    demand, places = study.table("demand").geometry, study.table("facilities").geometry
    barriers = study.table("barriers").geometry.to_numpy()
    place_legs = legs_of(reference, places.x, places.y, barriers)
    point_legs = legs_of(reference, demand.x, demand.y, barriers)
    is_unknown = np.array([segment < 0 for segment, *_ in point_legs])
    placed = [leg for leg in place_legs if leg[0] >= 0]
    nearest_s = np.full(len(demand), np.inf)
    nearest_s[~is_unknown] = reference.times(placed, [leg for leg in point_legs if leg[0] >= 0]).min(axis=0)
    expected = population[nearest_s <= CUTOFF_MIN * 60].sum()
    assert 0.3 * population.sum() < expected < population.sum()
    assert county["covered_people"] == pytest.approx(expected, abs=0.0005 * population.sum())
    assert county["unknown_people"] == pytest.approx(population[is_unknown].sum(), abs=0.0005 * population.sum())
