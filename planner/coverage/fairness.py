"""How evenly places are shared: inequality over villages, and the minutes that people are beyond the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.minutes import is_covered, is_unknown
from planner.coverage.population_share import share_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_matrix

PER_PEOPLE = 1_000.0
VILLAGE_COLUMNS = (
    "population", "known_people", "unknown_people", "covered_people", "cut_off_people", "covered_share",
    "person_min_over", "two_step", "enhanced",
)  # fmt: skip


def gini(values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return the Gini coefficient of `values`, each held by `weights` people: 0 = all alike, towards 1 = one has all.

    G = sum over i, j of w_i w_j |x_i - x_j| / (2 W^2 mu), mu the weighted mean, W the sum of weights (Gini 1912).
    Values without weight or that are not finite are left out; NaN where nothing is left or all of it is 0.

    Examples
    --------
    >>> round(gini([1, 3, 2, 1, 1, 1, 4]), 7)
    0.3076923
    """
    x = np.asarray(values, float)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, float)
    used = np.isfinite(x) & (w > 0)
    order = np.argsort(x[used], kind="stable")
    x, w = x[used][order], w[used][order]
    held = np.cumsum(w * x)
    if not len(x) or held[-1] <= 0:
        return float("nan")
    # Twice the area under the Lorenz curve, by trapezoids.
    below = np.sum(w * (held + np.concatenate([[0.0], held[:-1]]))) / (w.sum() * held[-1])
    return float(1.0 - below)


def person_minutes_over(
    minutes: ArrayLike, people: ArrayLike, cutoff_min: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return people x minutes beyond the limit, and the people who are cut off, per point.

    People within the limit and unknown ones have neither; those who cannot come at all have no finite minutes: they
    are counted as cut off, and not in the minutes.
    """
    time, heads = np.asarray(minutes, float), np.asarray(people, float)
    beyond = ~is_covered(time, cutoff_min) & np.isfinite(time)
    over = np.where(beyond, heads * (np.where(beyond, time, 0.0) - cutoff_min), 0.0)
    return over, np.where(np.isinf(time), heads, 0.0)


def area_sums(
    membership: csr_matrix, people: ArrayLike, minutes: ArrayLike, scores: pd.DataFrame, cutoff_min: float
) -> pd.DataFrame:
    """Return for every area who lives there, who is beyond the limit and by how much, and its mean scores.

    Parameters
    ----------
    membership : areas x points, 1 where the point belongs to the area.
    people : float64[n_points].
    minutes : to the nearest place; NaN = unknown, inf = cut off.
    scores : columns two_step and enhanced, per person, one row a point.
    cutoff_min : the limit.

    Returns
    -------
    DataFrame
        `VILLAGE_COLUMNS`, rows as in `membership`. Scores are means over the people whose minutes are known, NaN where
        nobody's are; population = known + unknown.
    """
    heads, time = np.asarray(people, float), np.asarray(minutes, float)
    unknown = is_unknown(time)
    known = np.where(unknown, 0.0, heads)
    over, cut_off = person_minutes_over(time, heads, cutoff_min)
    columns = {
        "population": heads, "known_people": known, "unknown_people": heads - known,
        "covered_people": np.where(is_covered(time, cutoff_min), heads, 0.0), "cut_off_people": cut_off,
        "person_min_over": over,
    }  # fmt: skip
    table = pd.DataFrame({name: np.asarray(membership @ values) for name, values in columns.items()})
    table["covered_share"] = share_of(table["covered_people"].to_numpy(), table["population"].to_numpy())
    for name in ("two_step", "enhanced"):
        held = np.asarray(membership @ (known * scores[name].to_numpy(dtype=float)))
        table[name] = share_of(held, table["known_people"].to_numpy())
    return table[list(VILLAGE_COLUMNS)]
