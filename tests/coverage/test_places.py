"""An online service is never a place."""

import pandas as pd
import pytest

from planner.coverage.places import is_online, physical_places, places_of_tier, require_physical
from planner.errors import InputError, ScenarioError


def test_flags_and_words_and_blanks():
    flags = [True, False, None, float("nan"), pd.NA, "是", "False", "true", 1, 0]
    table = pd.DataFrame({"is_online": pd.Series(flags, dtype=object)})
    assert is_online(table).tolist() == [True, False, False, False, False, True, False, True, True, False]
    assert not is_online(pd.DataFrame({"name": ["x"]})).any()


def test_places_of_a_tier_leave_online_services_out(facilities, scenario):
    assert physical_places(facilities)["facility_id"].tolist() == ["F1", "F2", "F3", "S1", "S2", "S3", "P1"]
    assert places_of_tier(facilities, scenario, "station")["facility_id"].tolist() == ["S1", "S2", "S3"]
    assert places_of_tier(facilities, scenario, "at_least:institute")["facility_id"].tolist() == ["F1", "F2", "F3"]
    assert len(places_of_tier(facilities, scenario, "any")) == 7
    with pytest.raises(ScenarioError):
        places_of_tier(facilities, scenario, "kiosk")


def test_a_candidate_numbered_like_a_place_does_not_condemn_it(study, access, demand):
    twin = demand.iloc[:1][["geometry"]].assign(candidate_id="S1", name="网上平台", way="6")
    require_physical(access, study.with_table("candidates", twin))
    access.loc[0, "facility_id"] = "S4"
    with pytest.raises(InputError, match="S4"):
        require_physical(access, study)
