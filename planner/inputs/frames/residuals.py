"""How near points come to roads, in one frame and in others, and whether the whole cloud would fit better elsewhere.

Points that people pick lie along roads. In the wrong frame the whole cloud is moved, and its points fall anywhere
between the roads. Distances d count as log(1 + d / 10 m), so that neither a few far points nor the width of a yard
decide; clouds are compared point by point (Student's t of the differences), and with the same cloud moved rigidly to
everywhere within 1,500 m, which is what a wrong frame looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SCALE_M = 10.0
FAR_M = 1_000.0
REACH_M = 1_500.0
"""No frame in use moves places further without taking them out of the county."""
BASIN_M = 60.0
"""A cloud moved by less than this lies along the same roads as before."""
_MAX_CELLS = 2_000_000
_LEAST_CELL_M = 10.0
_STEP_M = 20.0
_LEAST_SPREAD = 1e-3
_LEAST_POINTS = 2


@dataclass(frozen=True)
class RoadFit:
    """How one cloud of points lies to the roads.

    Attributes
    ----------
    cost : float64[n], log(1 + distance / 10 m) of each point; distances of 1,000 m and more count as that.
    median_m : median distance in metres.
    likelihood : how likely chance alone makes this cloud lie as far behind the best one as it does: 1 for the best.
    """

    cost: Floats
    median_m: float
    likelihood: float


@dataclass(frozen=True)
class Registration:
    """Where a cloud fits the roads best when it is moved rigidly.

    Attributes
    ----------
    offset_m : east and north by which it would have to move.
    ahead_t : Student's t by which the cloud as it is lies better than at the best place outside its basin; below 0
        where another place is better.
    share_better : share of the places tried outside its basin that are as good or better.
    """

    offset_m: tuple[float, float]
    ahead_t: float
    share_better: float


def road_fits(clouds: Sequence[Floats], roads: NDArray[np.object_]) -> list[RoadFit]:
    """Return how each cloud, float64[n, 2] of the same points, lies to the road lines, all in one metric CRS."""
    near = _near(clouds, roads)
    tree = shapely.STRtree(near)
    costs, medians = [], []
    for cloud in clouds:
        distance = _distances(tree, cloud)
        costs.append(np.log1p(distance / SCALE_M))
        medians.append(float(np.median(distance)))
    best = costs[int(np.argmin([cost.mean() for cost in costs]))]
    return [RoadFit(cost, median, _chance(cost - best)) for cost, median in zip(costs, medians, strict=True)]


def _chance(difference: Floats) -> float:
    """Return the two-sided probability of a mean difference this far from 0 by chance."""
    from scipy.special import stdtr

    n = len(difference)
    return 1.0 if n < _LEAST_POINTS else float(min(2.0 * stdtr(n - 1, -student_t(difference)), 1.0))


def student_t(difference: Floats) -> float:
    """Return the mean of the differences over its standard error."""
    n = len(difference)
    if n < _LEAST_POINTS:
        return 0.0
    spread = max(float(difference.std(ddof=1)), _LEAST_SPREAD)
    return float(difference.mean() / spread * np.sqrt(n))


def registration(cloud: Floats, roads: NDArray[np.object_]) -> Registration:
    """Return where within 1,500 m the cloud fits the roads best, from distances on a grid."""
    known = np.isfinite(cloud).all(axis=1)
    cloud = cloud[known]
    west, south = cloud.min(axis=0) - REACH_M - _STEP_M
    east, north = cloud.max(axis=0) + REACH_M + _STEP_M
    cell = max(_LEAST_CELL_M, float(np.sqrt((east - west) * (north - south) / _MAX_CELLS)))
    cost = _cost_grid((west, south, east, north), cell, roads)
    steps = np.arange(-REACH_M, REACH_M + 1, max(_STEP_M, cell))
    dx, dy = (grid.ravel() for grid in np.meshgrid(steps, steps))
    kept = np.hypot(dx, dy) <= REACH_M
    dx, dy = np.r_[0.0, dx[kept]], np.r_[0.0, dy[kept]]
    column, row = (cloud[:, 0] - west) / cell, (cloud[:, 1] - south) / cell
    total = np.zeros(len(dx))
    for c, r in zip(column, row, strict=True):
        total += cost[(r + dy / cell).astype(np.int64), (c + dx / cell).astype(np.int64)]
    best = int(np.argmin(total))
    outside = np.flatnonzero(np.hypot(dx, dy) > BASIN_M)
    rival = outside[np.argmin(total[outside])]
    here, there = (
        cost[(row + dy[i] / cell).astype(np.int64), (column + dx[i] / cell).astype(np.int64)] for i in (0, rival)
    )
    share = float(np.mean(total[outside] <= total[0]))
    return Registration((float(dx[best]), float(dy[best])), student_t(there - here), share)


def _near(clouds: Sequence[Floats], roads: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the roads in the boxes of the clouds, `FAR_M` wider."""
    tree = shapely.STRtree(roads)
    found = []
    for cloud in clouds:
        points = cloud[np.isfinite(cloud).all(axis=1)]
        if len(points):
            box = shapely.box(*(points.min(axis=0) - FAR_M), *(points.max(axis=0) + FAR_M))
            found.append(tree.query(box))
    return roads[np.unique(np.concatenate(found))] if found else roads[:0]


def _distances(tree: shapely.STRtree, cloud: Floats) -> Floats:
    """Return metres to the nearest road, at most `FAR_M`."""
    distance = np.full(len(cloud), FAR_M)
    known = np.flatnonzero(np.isfinite(cloud).all(axis=1))
    if len(known) and len(tree.geometries):
        (which, _), found = tree.query_nearest(
            shapely.points(cloud[known]), max_distance=FAR_M, return_distance=True, all_matches=False
        )
        distance[known[which]] = found
    return distance


def _cost_grid(bounds: tuple[float, float, float, float], cell: float, roads: NDArray[np.object_]) -> NDArray:
    """Return float32[rows, columns] of log(1 + d / 10 m), row 0 in the south, d from the cell's middle to a road."""
    from scipy.ndimage import distance_transform_edt

    west, south, east, north = bounds
    shape = int(np.ceil((north - south) / cell)) + 1, int(np.ceil((east - west) / cell)) + 1
    near = roads[shapely.STRtree(roads).query(shapely.box(*bounds))]
    xy = shapely.get_coordinates(shapely.segmentize(near, cell))
    column, row = ((xy - (west, south)) / cell).astype(np.int64).T
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    is_free = np.ones(shape, dtype=bool)
    is_free[row[inside], column[inside]] = False
    if is_free.all():
        return np.full(shape, np.log1p(FAR_M / SCALE_M), dtype=np.float32)
    distance = np.minimum(distance_transform_edt(is_free).astype(np.float32) * cell, FAR_M)
    return np.log1p(distance / SCALE_M)
