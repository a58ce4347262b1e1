"""Why somebody is not covered: too far, cut off, across a river, a roundabout way, or not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from planner.study import point_xy

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

TOO_FAR, BARRIER, DETOUR, DISCONNECTED, UNKNOWN = "too_far", "barrier", "detour", "disconnected", "unknown"
CAUSES = (TOO_FAR, BARRIER, DETOUR, DISCONNECTED, UNKNOWN)


def causes(
    points: gpd.GeoDataFrame,
    status: pd.Series,
    places: gpd.GeoDataFrame,
    barriers: gpd.GeoDataFrame | None,
    reach_m: float,
) -> pd.DataFrame:
    """Return why each of `points`, none of them covered, is not: cause, straight_m, barrier_kind; index like `points`.

    - "unknown": no road data near; "disconnected": its roads lead to no place of the tier (both from `status`).
    - "too_far": the place nearest in a straight line is further than `reach_m`.
    - "barrier": it is not, and that straight line crosses a barrier; `barrier_kind` says which (the first by row).
    - "detour": it is not and nothing lies between, but the way there is long or steep.

    Parameters
    ----------
    points : demand points.
    status : of the access table, in the order of `points`.
    places : physical places of the tier, same CRS.
    barriers : rivers, railways ..., with `kind`; None when there are none.
    reach_m : metres that the profile travels on the level within the cutoff.
    """
    straight_m, nearest = _nearest_in_a_line(points, places)
    is_near = straight_m <= reach_m
    kinds = np.full(len(points), None, dtype=object)
    if barriers is not None and len(barriers) and is_near.any():
        kinds[is_near] = _crossed(points[is_near], places.iloc[nearest[is_near]], barriers)
    is_across = np.array([kind is not None for kind in kinds], dtype=bool)
    cause = np.select(
        [status.to_numpy() == UNKNOWN, status.to_numpy() == DISCONNECTED, ~is_near, is_across],
        [UNKNOWN, DISCONNECTED, TOO_FAR, BARRIER],
        DETOUR,
    ).astype(object)
    kinds[cause != BARRIER] = None
    return pd.DataFrame(
        {"cause": cause, "straight_m": straight_m, "barrier_kind": pd.Series(kinds, points.index, dtype=object)},
        index=points.index,
    )


def _nearest_in_a_line(
    points: gpd.GeoDataFrame, places: gpd.GeoDataFrame
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the metres to the place nearest to each point, and its row; inf where there is none."""
    straight_m, nearest = np.full(len(points), np.inf), np.zeros(len(points), dtype=np.int64)
    xy, place_xy = point_xy(points), point_xy(places)
    found, known = (np.flatnonzero(~np.isnan(x)) for x in (xy[:, 0], place_xy[:, 0]))
    if len(found) and len(known):
        straight_m[found], row = cKDTree(place_xy[known]).query(xy[found])
        nearest[found] = known[row]
    return straight_m, nearest


def _crossed(points: gpd.GeoDataFrame, places: gpd.GeoDataFrame, barriers: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the kind of the first barrier between each point and its place, None where there is none."""
    ends = np.stack([point_xy(points), point_xy(places)], axis=1)
    line, barrier = shapely.STRtree(barriers.geometry.to_numpy()).query(shapely.linestrings(ends), "intersects")
    first = np.full(len(points), len(barriers))
    np.minimum.at(first, line, barrier)
    kinds = [*barriers["kind"], None]
    return np.array([kinds[row] for row in first], dtype=object)
