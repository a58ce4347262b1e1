"""Whole people by weights: worked by hand, and held to what a fair share must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import InputError
from planner.inputs.people.apportionment import apportion, apportion_groups


def shares(total, *weights):
    owner = np.zeros(len(weights), dtype=np.int64)
    return apportion(np.array([total]), owner, np.array(weights, float)).tolist()


@pytest.mark.parametrize(
    ("total", "weights", "people"),
    [
        (10, (1, 1, 1), [4, 3, 3]),  # quotas 3.33: the first of equals gets the one that is left
        (100, (43, 37, 20), [43, 37, 20]),
        (7, (5, 3, 1), [4, 2, 1]),  # quotas 3.89, 2.33, 0.78: floors 3, 2, 0, then 0.89 and 0.78
        (21, (1.5, 1.5, 9.1, 7.9), [2, 2, 9, 8]),  # quotas 1.575, 1.575, 9.555, 8.295: two are left
        (3, (0, 1, 0), [0, 3, 0]),
        (0, (0, 0), [0, 0]),
        (1, (0.1, 0.1, 0.1), [1, 0, 0]),
    ],
)
def test_by_hand(total, weights, people):
    assert shares(total, *weights) == people


def test_people_without_a_place():
    with pytest.raises(InputError, match="no part"):
        shares(5, 0, 0)
    assert shares(0) == []


def test_owners_do_not_mix():
    owner = np.array([1, 0, 1, 0, 2])
    people = apportion(np.array([5, 3, 0]), owner, np.array([1.0, 2.0, 1.0, 2.0, 0.0]))
    assert people.tolist() == [2, 3, 1, 2, 0]


def test_groups_by_hand():
    # People 4 and 2; 3 over sixty: quotas 2 and 1. Left are 2 and 1, of them 2 children: quotas 1.33 and 0.67.
    people, owner = np.array([4, 2]), np.array([0, 0])
    groups = apportion_groups(people, owner, {"children": np.array([2]), "age60": np.array([3])})
    assert {name: shared.tolist() for name, shared in groups.items()} == {"age60": [2, 1], "children": [1, 1]}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_sums_are_exact_and_groups_fit(data):
    n, m = data.draw(st.integers(1, 4)), data.draw(st.integers(4, 25))
    owner = np.array([i % n for i in range(m)])[np.random.default_rng(m).permutation(m)]
    weight = np.array(data.draw(st.lists(st.floats(0, 50), min_size=m, max_size=m)))
    weight[[int(np.flatnonzero(owner == k)[0]) for k in range(n)]] += 1.0
    totals = np.array(data.draw(st.lists(st.integers(0, 3_000), min_size=n, max_size=n)))
    people = apportion(totals, owner, weight)
    assert np.bincount(owner, people, n).tolist() == totals.tolist()
    quota = weight / np.bincount(owner, weight, n)[owner] * totals[owner]
    assert np.abs(people - quota).max() < 1 + 1e-6
    assert not people[weight == 0].any()
    old = np.array([data.draw(st.integers(0, int(total))) for total in totals])
    young = np.array([data.draw(st.integers(0, int(rest))) for rest in totals - old])
    moved = np.array([data.draw(st.integers(0, int(total))) for total in totals])
    groups = apportion_groups(people, owner, {"age60": old, "children": young, "relocated": moved})
    for name, expected in (("age60", old), ("children", young), ("relocated", moved)):
        assert np.bincount(owner, groups[name], n).tolist() == expected.tolist()
    assert (groups["age60"] + groups["children"] <= people).all()
    assert (groups["relocated"] <= people).all()
