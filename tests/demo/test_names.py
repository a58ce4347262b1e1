"""Names are unique, whatever the number."""

import numpy as np
import pytest

from planner.demo.names import draw_compounds, draw_names, numbered, numeral


@pytest.mark.parametrize(("number", "word"), [(1, "一"), (10, "十"), (14, "十四"), (20, "二十"), (99, "九十九")])
def test_numerals(number, word):
    assert numeral(number) == word


def test_names_are_used_once():
    names = draw_names(np.random.default_rng(0), (4, 60, 130, 3_000))
    units = [*names.town_communities, *names.seat_communities, *names.villages]
    towns = [*names.subdistricts, *names.towns]
    assert len(set(units)) == len(units) == 60 + 130 + 3_000
    assert len(set(towns)) == len(towns) == 64


def test_compounds_are_used_once():
    names = draw_compounds(np.random.default_rng(0), 1_500)
    assert len(set(names)) == 1_500


def test_numbered_from_the_second_use_on():
    assert numbered(["桥", "路", "桥"], "{name}{number}号") == ["桥", "路", "桥二号"]
