import pytest

from planner.errors import ScenarioError
from planner.scenario import Scenario, scenario_from_toml, scenario_of, scenario_to_toml
from planner.standards import default_profiles, profiles_from_toml


def test_toml_round_trip_keeps_every_choice():
    scenario = Scenario(name="冬季", cutoff_min=12.5, main_profile="ebike", n_new=3)
    assert scenario_from_toml(scenario_to_toml(scenario)) == scenario


def test_an_edited_profile_alone_is_enough():
    text = """
main_profile = "stroll"
[profiles.stroll]
mode = "foot"
speed_kph = 3.6
access_speed_kph = 3.6
max_access_m = 300.0
"""
    scenario = scenario_from_toml(text)
    assert list(scenario.profiles) == ["stroll"]
    assert scenario.profiles["stroll"].distance_m(15) == pytest.approx(900)


@pytest.mark.parametrize(
    "text",
    [
        "cutoff_min = -1",
        "cutoff_min = 'soon'",
        "colour = 'red'",
        "main_profile = 'horse'",
        "main_tier = 'castle'",
        "not toml",
        "profiles = 3",
        "[profiles.walk]\nspeed_kph = 0",
    ],
)
def test_a_wrong_scenario_is_one_error(text):
    with pytest.raises(ScenarioError):
        scenario_from_toml(text)


def test_choices_restrict_profiles_and_move_the_main_one():
    scenario = Scenario().with_choices(profiles=["car", "ebike"], cutoff_min=None)
    assert list(scenario.profiles) == ["car", "ebike"]
    assert scenario.main_profile == "car"
    assert scenario.cutoff_min == Scenario().cutoff_min


def test_choices_name_what_is_unknown():
    with pytest.raises(ScenarioError, match="horse"):
        Scenario().with_choices(profiles=["horse"])
    with pytest.raises(ScenarioError):
        Scenario().with_choices(cutoff_min=0)


def test_tiers_of_a_code():
    scenario = Scenario()
    assert scenario.tiers_of("any") is None
    assert scenario.tiers_of("station") == ("station",)
    assert scenario.tiers_of("at_least:station") == ("centre", "institute", "station")
    with pytest.raises(ScenarioError):
        scenario.tiers_of("castle")


def test_the_default_is_there_without_being_stored():
    assert scenario_of({}) == Scenario()
    with pytest.raises(ScenarioError, match="winter"):
        scenario_of({}, "winter")


def test_fifteen_minutes_as_distance():
    profiles = default_profiles()
    assert profiles["walk"].distance_m(15) == pytest.approx(1080)
    assert profiles["elderly_walk"].distance_m(15) == pytest.approx(720)


def test_wrong_profiles_are_one_error():
    with pytest.raises(ScenarioError):
        profiles_from_toml("[walk]\nmode = 'fly'\nspeed_kph = 1\naccess_speed_kph = 1\nmax_access_m = 1")
    with pytest.raises(ScenarioError):
        profiles_from_toml("walk = 3")
