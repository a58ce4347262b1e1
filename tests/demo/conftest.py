"""One small synthetic county for all tests of the generator."""

import pytest

from planner.demo.county import make_county
from planner.demo.spec import scaled_spec


@pytest.fixture(scope="session")
def small_county():
    return make_county(scaled_spec(3))
