import pandas as pd
import pytest

from planner.coverage.functions import default_functions, functions_from_toml, functions_of
from planner.errors import ScenarioError
from planner.texts import entries


def of(words):
    return functions_of(pd.DataFrame({"function_rooms": [words]}), default_functions())[0]


@pytest.mark.parametrize(
    ("words", "codes", "other"),
    [
        ("理论宣讲、市民教育、文化、科普、健身", ("theory", "education", "culture", "science", "fitness"), ()),
        ("农家书屋，会议室；乒乓球室", ("culture",), ("会议室", "乒乓球室")),
        ("Science room / library", ("culture", "science"), ()),
        ("文化体育活动室", ("culture", "fitness"), ()),
        (None, (), ()),
        ("、、", (), ()),
    ],
)
def test_rooms_are_functions(words, codes, other):
    assert of(words) == (codes, other)


def test_every_function_has_words():
    known = entries("belts")
    for code, one in default_functions().items():
        assert known[f"function_{code}"] == {"zh": one.zh, "en": one.en}


@pytest.mark.parametrize("toml", ["a = 1", "[a]\nzh = 'x'", "[a]\nzh='x'\nen='x'\nwords=[]", "["])
def test_bad_functions_are_named(toml):
    with pytest.raises(ScenarioError, match="functions must be mended"):
        functions_from_toml(toml)
