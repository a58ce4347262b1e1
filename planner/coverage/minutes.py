"""Travel times of the access table, lined up with points, and the one rule that says what covered means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

ACCESS_COLUMNS = ("point_id", "profile", "tier", "facility_id", "travel_time_min", "status")


@dataclass(frozen=True)
class Minutes:
    """Minutes to the nearest place, for every point, profile and tier of an access table.

    Attributes
    ----------
    profiles, tiers : codes, in the order of the access table.
    values : float64[n_points, n_profiles, n_tiers], minutes; inf = not reachable, NaN = unknown.
    """

    profiles: tuple[str, ...]
    tiers: tuple[str, ...]
    values: NDArray[np.float64]


def is_covered(travel_time_min: ArrayLike, cutoff_min: float) -> NDArray[np.bool_]:
    """Return whether each travel time is within the cutoff: `travel_time_min <= cutoff_min`, both ends included.

    Not reachable (inf) and unknown (NaN) are not covered. Every figure of the planner is decided here.
    """
    return np.asarray(travel_time_min, dtype=float) <= cutoff_min


def is_unknown(travel_time_min: ArrayLike) -> NDArray[np.bool_]:
    """Return whether nothing is known about each travel time (NaN: no road data near the point)."""
    return np.isnan(np.asarray(travel_time_min, dtype=float))


def minutes_of(access: pd.DataFrame, point_ids: Sequence[str]) -> Minutes:
    """Return the travel times of `access` in the order of `point_ids`; its rows for other points are left aside.

    Raises
    ------
    InputError
        When a point lacks a row for some profile and tier, or has two: the times are older than the points.
    """
    _require_columns(access)
    row_point = pd.Index(list(point_ids), dtype=object).get_indexer(pd.Index(access["point_id"], dtype=object))
    row_profile, profiles = pd.factorize(access["profile"].astype(object))
    row_tier, tiers = pd.factorize(access["tier"].astype(object))
    is_asked = row_point >= 0
    shape = (len(point_ids), len(profiles), len(tiers))
    cell = np.ravel_multi_index((row_point[is_asked], row_profile[is_asked], row_tier[is_asked]), shape)
    times = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    bad = np.flatnonzero((times != 1).any(axis=(1, 2)))
    if len(bad):
        first = ", ".join(str(point_ids[row]) for row in bad[:5])
        raise InputError(
            f"The travel times do not fit the points: {len(bad)} of them have no time or several ({first}). "
            "Compute the travel times again."
        )
    values = np.empty(shape)
    values.ravel()[cell] = access["travel_time_min"].to_numpy(dtype=float, na_value=np.nan)[is_asked]
    return Minutes(tuple(map(str, profiles)), tuple(map(str, tiers)), values)


def access_of(access: pd.DataFrame, point_ids: Sequence[str], profile: str, tier: str) -> pd.DataFrame:
    """Return facility_id, travel_time_min and status of one profile and tier, one row a point, index 0 to n - 1.

    Raises
    ------
    InputError
        When the access table knows no such profile and tier, or not every point.
    """
    _require_columns(access)
    chosen = access[(access["profile"] == profile) & (access["tier"] == tier)]
    if not len(chosen) and len(point_ids):
        raise InputError(f"There are no travel times for profile '{profile}' and tier '{tier}'. Compute them first.")
    minutes_of(chosen, point_ids)
    rows = pd.Index(chosen["point_id"].astype(object)).get_indexer(pd.Index(list(point_ids), dtype=object))
    return chosen.iloc[rows][["facility_id", "travel_time_min", "status"]].reset_index(drop=True)


def _require_columns(access: pd.DataFrame) -> None:
    missing = [name for name in ACCESS_COLUMNS if name not in access.columns]
    if missing:
        raise InputError(f"The access table lacks the columns {', '.join(missing)}. Compute the travel times again.")
