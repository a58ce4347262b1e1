import subprocess
import sys

import pytest

import planner

HEAVY = ("osmnx", "numba", "matplotlib", "rasterio", "pandera", "streamlit", "PIL", "highspy", "osmium")


@pytest.mark.parametrize("name", planner.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(planner, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        planner.nonsense  # noqa: B018


@pytest.mark.parametrize("code", ["import planner", "import planner.cli; planner.cli.app"])
def test_importing_loads_nothing_heavy(code):
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print([m for m in {HEAVY!r} if m in sys.modules])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
