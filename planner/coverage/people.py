"""People as weights that add up exactly, by group."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.scenario import GROUPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIGNIFICANT_BITS = 52


def grain_of(total: float) -> float:
    """Return the power of two, in people, to which weights with the sum `total` are rounded.

    It is the finest one for which every partial sum is still a whole multiple that a float64 holds: sums of rounded
    weights are then exact, whatever their order. For a county of a million people it is about 2e-10 people.
    """
    if total <= 0:
        return 1.0
    return math.ldexp(1.0, math.frexp(total)[1] - _SIGNIFICANT_BITS)


def people_by_group(demand: pd.DataFrame) -> pd.DataFrame:
    """Return the people of every demand point by group: float64, index like `demand`.

    Columns are those of `planner.scenario.GROUPS` that the table knows: `all` (from `population`) always; another
    group when its column holds a value. A blank in a group's column counts as nobody. Fractions (cells of a raster)
    are rounded to `grain_of` the largest sum, so that covered + uncovered + unknown = population, and the sum over
    villages = the town, exactly; whole numbers stay what they are.

    Raises
    ------
    InputError
        When `population` is missing, blank, infinite or negative in some row.

    Examples
    --------
    >>> people_by_group(pd.DataFrame({"population": [3, 4], "age60": [1.0, None]})).sum().to_dict()
    {'all': 7.0, 'age60': 1.0}
    """
    columns: dict[str, NDArray[np.float64]] = {}
    for group in GROUPS:
        name = "population" if group == "all" else group
        if name not in demand.columns:
            continue
        values = pd.to_numeric(demand[name]).to_numpy(dtype=float, na_value=np.nan)
        if group == "all":
            _require_counts(values)
        elif np.isnan(values).all():
            continue
        columns[group] = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if "all" not in columns:
        raise InputError("The demand points have no column 'population'. Import them again with one.")
    grain = grain_of(max(math.fsum(values) for values in columns.values()))
    exact = {group: np.rint(values / grain) * grain for group, values in columns.items()}
    return pd.DataFrame(exact, index=demand.index)


def _require_counts(values: NDArray[np.float64]) -> None:
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        first = ", ".join(str(row + 1) for row in bad[:5])
        raise InputError(
            f"The number of people is blank or negative in {len(bad)} rows ({first}). Give a number of 0 or more."
        )
