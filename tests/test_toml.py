"""Faults of TOML texts that people edit: all at once, by key, in both languages, without a word of pydantic's."""

import re

import pytest

from planner.cli.shell import read_entries
from planner.coverage.declared import declared_from_toml
from planner.errors import EntriesError
from planner.scenario import Scenario, scenario_from_toml
from planner.sizes import sizes_from_toml
from planner.standards import checklists_from_toml, profiles_from_toml, standards_from_toml
from planner.texts import translated
from planner.tiers import tiers_from_toml

STANDARDS = """
[a]
colour = "red"
[[a.rules]]
profiles = []
cutoff_min = -3
class = "mountain"
[b]
is_verified = "perhaps"
rules = 3
[c]
urban_per_km2 = inf
[[c.rules]]
profiles = ["walk"]
cutoff_min = true
target_share = 2
"""


def faults_of(reader, toml):
    with pytest.raises(EntriesError) as caught:
        reader(toml)
    english, chinese = str(caught.value), translated(str(caught.value), "zh")
    assert "\n" in chinese
    for line in chinese.split("\n"):
        assert re.search("[\u4e00-\u9fff]", line), line
        assert not re.search("must be|is missing|Input should|validation error|Write|Choose", line), line
    return english.split("\n  ")[1:], chinese.split("\n  ")[1:]


def test_everything_wrong_in_a_file_is_said_at_once():
    english, chinese = faults_of(standards_from_toml, STANDARDS)
    assert english == [
        "a.rules[1].class: must be one of 'all', 'urban', 'rural'; it is 'mountain'. Choose one of them.",
        "a.rules[1].profiles: must not be empty. Write at least one.",
        "a.rules[1].cutoff_min: must be above 0; it is -3. Change the number.",
        "a.colour: is not known here. Known are name, name_en, source, is_verified, class_by, urban_per_km2, rules. "
        "Mend its name, or delete it.",
        "b.is_verified: must be true or false; it is 'perhaps'. Write one of the two.",
        "b.rules: must be a list; it is 3. Put it between square brackets.",
        "c.urban_per_km2: must be a finite number; it is inf. Change the number.",
        "c.rules[1].cutoff_min: must be a number, not true or false. Write a number.",
        "c.rules[1].target_share: must be 1 or less; it is 2. Change the number.",
    ]
    assert chinese[2] == "a.rules[1].cutoff_min：应大于 0，现为 -3。请修改数字。"


@pytest.mark.parametrize(
    ("reader", "toml", "fault"),
    [
        (tiers_from_toml, "", "There is nothing in it. Write a table that begins with a line such as [name]."),
        (declared_from_toml, "# only a remark", "There is nothing in it."),
        (tiers_from_toml, "[[a]]\nname = 'x'", "a: must be a table; it is a list."),
        (tiers_from_toml, "a = 3", "a: stands outside of any table. Put it below a line such as [name]."),
        (tiers_from_toml, "[a]\n[a]", "line 2, column 3: the name stands there for the second time."),
        (tiers_from_toml, "[a]\ncount = ", "the last line: this is no TOML."),
        (tiers_from_toml, "[a]\ncount = 1.5", "a.count: must be a whole number; it is 1.5."),
        (tiers_from_toml, "[a]\nunit = 3", "a.unit: must be one of 'county', 'town', 'village', 'none'; it is 3."),
        (tiers_from_toml, "[a]\nname = 3", "a.name: must be a text; it is 3."),
        (sizes_from_toml, "[a]\n", "a.min_people: is missing. Write it."),
        (checklists_from_toml, "[a.items]\nx = 1", "a.items.x: must be a table; it is 1."),
        (checklists_from_toml, "[a.items.x]\nzh = ''\ny = 1", "a.items.x.y: is not known here. Known are zh, en,"),
        (profiles_from_toml, "[a]\nclass_speed_kph = {path = true}", "a.class_speed_kph: must be a number, not true"),
        (declared_from_toml, "[a]\nname='A'\nfigures = {station = true}", "In a.figures.station.all: 'true' is no"),
        (declared_from_toml, "[a]\nname='A'\nfigures = {station = {hill = 3}}", "a.figures.station.hill: must be one"),
        (declared_from_toml, "[a]\nname='A'\nrelocated = {people = 1.5}", "In a.relocated.people: '1.5' is no"),
        (scenario_from_toml, "main_tier = 'dogs'", "There is no tier 'dogs' (main_tier). Choose one of centre, "),
        (scenario_from_toml, "[siting]\nphases = 'x'", "siting.phases: must be a whole number; it is 'x'."),
        (scenario_from_toml, "[siting]\nobjective = 'p-median'\nphases = 2\n", "In siting: phases works with"),
        (scenario_from_toml, "[belts.x]\nname = 'X'", "In belts.x: A belt follows something: name roads, rivers"),
        (scenario_from_toml, "tiers = ['a', 'b', 'a']", "tiers names a more than once. Name each tier once."),
        (scenario_from_toml, "tiers = []", "tiers: must not be empty. Write at least one."),
        (scenario_from_toml, "profiles = 3", "profiles: must be a table; it is 3."),
        (scenario_from_toml, "[profiles]\nwalk = 3", "profiles.walk: must be a table; it is 3."),
        (scenario_from_toml, "curve_min = [5, true]", "curve_min: must be a number, not true or false."),
        (scenario_from_toml, "[[settlement_sizes]]\ncode = 'x'\nmin_people = 5", "Size classes begin at 0 people"),
    ],
)  # fmt: skip
def test_a_fault_names_its_key_and_its_repair(reader, toml, fault):
    english, _ = faults_of(reader, toml)
    assert any(line.startswith(fault) for line in english), english


def test_a_choice_that_is_not_possible_is_said_alike():
    english, _ = faults_of(lambda wrong: Scenario().with_choices(cluster_min=wrong, main_tier="dogs"), -3)
    assert english[0] == "cluster_min: must be above 0; it is -3. Change the number."


def test_a_fault_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[a]\nname = '站'\ncount = 0\n", encoding="gb18030")  # as an old editor saves it
    with pytest.raises(EntriesError) as caught:
        read_entries(path, tiers_from_toml)
    chinese = translated(str(caught.value), "zh")
    assert chinese == f"{path}：需要改正以下各处\n  a.count：不得小于 1，现为 0。请修改数字。"
