"""Inequality and minutes beyond the limit, against definitions and published figures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from planner.coverage.fairness import area_sums, gini, person_minutes_over

INCOMES = (541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261)


def test_the_example_of_the_r_package_ineq():
    """`ineq(x)` of CRAN's package ineq (Zeileis) for the vector of its help page: 0.462091130267624."""
    assert gini(INCOMES) == pytest.approx(0.462091130267624, rel=1e-12)


def test_the_example_of_the_r_package_phylotools():
    """`gini(c(1, 3, 2, 1, 1, 1, 4))` of CRAN's package phylotools: 0.3076923."""
    assert gini([1, 3, 2, 1, 1, 1, 4]) == pytest.approx(0.3076923, abs=1e-7)


def test_the_weighted_example_of_scikit_digital_health():
    """Values 3, 1, 6, 2, 1 held by 4, 2, 2, 10, 1: 0.2553 (tests of skdh, from Stack Overflow 48999542)."""
    assert gini([3, 1, 6, 2, 1], [4, 2, 2, 10, 1]) == pytest.approx(0.2553, abs=5e-5)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50)), min_size=1, max_size=8))
def test_gini_equals_the_mean_difference(rows):
    values, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    total, held = weights.sum(), (weights * values).sum()
    found = gini(values, weights)
    if total == 0 or held <= 1e-9:
        assert np.isnan(found) or held > 0
        return
    pairs = sum(
        a * b * abs(x - y) for x, a in zip(values, weights, strict=True) for y, b in zip(values, weights, strict=True)
    )
    assert found == pytest.approx(pairs / (2 * total * held), abs=1e-9)


def test_gini_of_everybody_alike_of_one_who_has_all_and_of_nobody():
    assert gini([3, 3, 3], [1, 5, 9]) == pytest.approx(0)
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert np.isnan(gini([]))
    assert np.isnan(gini([0, 0]))
    assert gini([1, np.nan, 1, np.inf], [1, 2, 3, 4]) == pytest.approx(0)


def test_minutes_over_leave_out_the_unknown_and_the_cut_off():
    over, cut_off = person_minutes_over([10, 15, 17.5, np.inf, np.nan], [1, 2, 4, 8, 16], 15)
    assert over.tolist() == [0, 0, 10, 0, 0]
    assert cut_off.tolist() == [0, 0, 0, 8, 0]


def test_areas_are_means_of_known_people():
    scores = pd.DataFrame({"two_step": [1.0, 2.0, 9.0], "enhanced": [0.5, 0.0, 9.0]})
    table = area_sums(csr_matrix([[1, 1, 0], [0, 0, 1], [1, 1, 1]]), [10, 30, 5], [10, 20, np.nan], scores, 15)
    assert table["two_step"].tolist() == pytest.approx([1.75, np.nan, 1.75], nan_ok=True)
    assert table["enhanced"].tolist() == pytest.approx([0.125, np.nan, 0.125], nan_ok=True)
    assert table["person_min_over"].tolist() == [150, 0, 150]
    assert (table["known_people"] + table["unknown_people"]).tolist() == table["population"].tolist()
