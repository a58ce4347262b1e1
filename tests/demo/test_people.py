"""Exact shares and sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.demo.people import SIZE_CLASSES, _sizes, split_exactly
from planner.demo.spec import DemoSpec, scaled_spec


@given(st.integers(0, 10_000), st.lists(st.floats(0.01, 100.0), min_size=1, max_size=40))
def test_shares_are_whole_and_sum_to_the_total(total, weight):
    weight = np.array(weight)
    share = split_exactly(total, weight)
    assert share.sum() == total
    assert (np.abs(share - total * weight / weight.sum()) < 1.0 + 1e-6).all()


def test_settlements_of_all_size_classes():
    people, size_class = _sizes(DemoSpec())
    assert people.sum() == 224_500
    assert set(size_class) == {name for name, _ in SIZE_CLASSES}
    assert (people[size_class == "very_large"] >= 10_000).all()
    assert (people[size_class == "small"] < 800).all()


@pytest.mark.parametrize("n_towns", [2, 3, 12])
def test_settlement_sizes_are_exact_at_any_scale(n_towns):
    spec = scaled_spec(n_towns)
    people, _ = _sizes(spec)
    assert (people.sum(), len(people)) == (spec.relocated_people, spec.n_settlements)
    assert people.min() > 0
