"""Floating catchments: how much of what the places offer falls to each person, when all who can come share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.coverage.minutes import is_covered
from planner.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# Weights of three zones of equal width, nearest first: the first set of Luo and Qi (2009, table 1).
ENHANCED_WEIGHTS = (1.0, 0.68, 0.22)
PLAIN_WEIGHTS = (1.0,)


@dataclass(frozen=True, eq=False)
class Catchment:
    """What the places offer a head, and what falls to each person.

    Attributes
    ----------
    ratio : float64[n_places], supply per weighted person of the place's catchment; 0 where nobody can come.
    score : float64[n_points], sum of the weighted ratios of the places within reach; 0 where there is none.
    """

    ratio: NDArray[np.float64]
    score: NDArray[np.float64]


def zone_weights(
    minutes: sparse.csr_array, cutoff_min: float, weights: Sequence[float] = ENHANCED_WEIGHTS
) -> sparse.csr_array:
    """Return the weight of every pair of place and point within the limit: places x points, others absent.

    The limit is cut into as many zones of equal width as there are weights; both ends of the limit count.

    Parameters
    ----------
    minutes : travel minutes, places x points; absent = out of reach. Zero minutes are stored.
    cutoff_min : the limit.
    weights : nearest zone first; `PLAIN_WEIGHTS` gives 2SFCA.

    Raises
    ------
    ScenarioError
        When there is no weight, or one is negative or larger than the one before it.
    """
    steps = np.asarray(weights, float)
    if not len(steps) or (steps < 0).any() or (np.diff(steps) > 0).any():
        raise ScenarioError(f"Zone weights start with the nearest zone and never rise; these are {list(weights)}.")
    bounds = cutoff_min * np.arange(1, len(steps) + 1) / len(steps)
    bounds[-1] = cutoff_min
    pairs = minutes.tocoo()
    within = is_covered(pairs.data, cutoff_min)
    values = steps[np.searchsorted(bounds, pairs.data[within], side="left")]
    return sparse.csr_array((values, (pairs.coords[0][within], pairs.coords[1][within])), shape=minutes.shape)


def catchment(weights: sparse.csr_array, supply: ArrayLike, people: ArrayLike) -> Catchment:
    """Return the two steps of a floating catchment with the given weights.

    First, ratio_j = supply_j / sum over the points k within reach of w_jk people_k; then, score_i = sum over the places
    within reach of w_ij ratio_j. People-weighted, the scores add up to the supply of all places that somebody can
    reach. Weights of one zone: 2SFCA (Luo and Wang 2003, Environment and Planning B 30: 865-884). Weights that fall by
    zone: E2SFCA (Luo and Qi 2009, Health & Place 15: 1100-1107).

    Parameters
    ----------
    weights : of `zone_weights`, places x points.
    supply : float64[n_places], what each place offers (seats, or 1 a place).
    people : float64[n_points].

    Examples
    --------
    >>> pairs = sparse.csr_array(np.ones((1, 2)))
    >>> catchment(pairs, [30.0], [100.0, 200.0]).score.tolist()
    [0.1, 0.1]
    """
    offered, heads = np.asarray(supply, float), np.asarray(people, float)
    coming = np.asarray(weights @ heads)
    ratio = np.divide(offered, coming, out=np.zeros_like(offered), where=coming > 0)
    return Catchment(ratio, np.asarray(weights.T @ ratio))
