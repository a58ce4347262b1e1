"""Whole people shared out by weights: totals are kept exactly, groups stay within their people.

Largest remainder (Hamilton 1792; Balinski and Young 1982): each part gets its quota rounded down, and those with the
largest remainders one more, until the total is reached. A part differs from its quota by less than one person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

DISJOINT = ("age60", "children")
"""Groups of which nobody belongs to two; `relocated` people may belong to either."""
_DIGITS = 9


def apportion(totals: Integers, owner: Integers, weight: Floats) -> Integers:
    """Return int64[m], the people of each part: of every owner's parts they sum to its total exactly.

    Parameters
    ----------
    totals : int64[n], people of each owner, not negative.
    owner : int64[m], the owner of each part, 0 to n - 1.
    weight : float64[m], not negative; an owner with people needs a part with weight. Ties go to the earlier part.

    Raises
    ------
    InputError
        When an owner with people has no weight.

    Examples
    --------
    >>> apportion(np.array([10]), np.array([0, 0, 0]), np.array([1.0, 1.0, 1.0])).tolist()
    [4, 3, 3]
    """
    sums = np.bincount(owner, weights=weight, minlength=len(totals))
    lacking = np.flatnonzero((totals > 0) & ~(sums > 0))
    if len(lacking):
        raise InputError(f"{len(lacking)} areas with people have no part to put them in.")
    quota = np.divide(weight, sums[owner], out=np.zeros(len(weight)), where=sums[owner] > 0) * totals[owner]
    people = np.floor(np.round(quota, _DIGITS)).astype(np.int64)
    # Remainders that differ in their last bits only are ties.
    remainder = np.where(weight > 0, np.round(quota - people, _DIGITS), -1.0)
    left = totals - np.bincount(owner, weights=people, minlength=len(totals)).astype(np.int64)
    order = np.lexsort((np.arange(len(owner)), -remainder, owner))
    first = np.searchsorted(owner[order], np.arange(len(totals)))
    rank = np.arange(len(owner)) - first[owner[order]]
    people[order[rank < left[owner[order]]]] += 1
    return people


def apportion_groups(people: Integers, owner: Integers, groups: Mapping[str, Integers]) -> dict[str, Integers]:
    """Return the people of each group in each part: no part has more than its people, sums are exact.

    People over sixty are shared out by the people of the parts, children by those who are left, so that both together
    never exceed the people of a part; other groups by the people of the parts.

    Parameters
    ----------
    people : int64[m], of the parts, as `apportion` gives them.
    owner : int64[m].
    groups : name -> int64[n], of the owners; the disjoint ones together at most their people.
    """
    shared: dict[str, Integers] = {}
    room = people
    for name in sorted(groups, key=lambda name: (name not in DISJOINT, name)):
        base = room if name in DISJOINT else people
        shared[name] = apportion(groups[name], owner, base.astype(float))
        if name in DISJOINT:
            room = room - shared[name]
    return shared
