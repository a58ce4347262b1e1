"""Practice circles: what lies within a time limit of each place, as polygons cut out of the time surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.errors import ScenarioError
from planner.progress import SILENT
from planner.reach.surfaces import cells_of, ground_of, place_rows, placed, require_own_grid, roads_of, rows_of
from planner.reach.threads import run_blocks
from planner.reach.travel_times import junction_times
from planner.units import M2_PER_KM2, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.progress import Progress
    from planner.reach.positions import Direction
    from planner.reach.snap_grid import SnapGrid

_PLACES_PER_SEARCH = 256  # bounds the memory of the junction times
_PLACES_PER_BLOCK = 16
_MARK_SHARE = 0.25  # of a cell: the spot that is left of a circle whose limit is too short for the grid


@dataclass(frozen=True)
class _Shapes:
    """Ragged outlines: points, rings of each polygon, polygons of each outline; and which surround their place."""

    points: NDArray[np.float64]
    ring_first: NDArray[np.int64]
    polygon_first: NDArray[np.int64]
    outline_first: NDArray[np.int64]
    is_around: NDArray[np.bool_]


def service_areas(
    profile_network: ProfileNetwork,
    snap_grid: SnapGrid,
    places: Snapped,
    cutoffs_min: tuple[float, ...],
    direction: Direction = "towards",
    progress: Progress = SILENT,
) -> gpd.GeoDataFrame:
    """Return the practice circle of every place that touches a road, for every time limit.

    A point is inside when its own travel time is within the limit; `cell_m` is the width to which the outline is kept.
    The outline crosses the sides of the grid where the time does, found by halving with the two road positions that
    meet there; so it is sharp at barriers and where the nearest road changes. Holes are real: nothing is filled. A
    place whose own leg is too long for the limit keeps what one walks straight to it from within a cell.

    Parameters
    ----------
    cutoffs_min : time limits in minutes.
    direction : "towards" = people travel to the place; "from" = the other way.

    Returns
    -------
    GeoDataFrame in the working CRS with facility_id, profile, cutoff_min, area_km2, cell_m, geometry (MultiPolygon,
    valid, outlines of rising limits inside one another), by place, then by rising time limit. Places that touch no
    road are not in it: see `unplaced`.

    Raises
    ------
    ScenarioError
        When a time limit is not positive, or the direction unknown.
    CancelledError
        From `progress`.
    """
    import geopandas as gpd
    import shapely

    cutoffs = np.unique(np.asarray(cutoffs_min, np.float64))
    if not len(cutoffs) or not (np.isfinite(cutoffs).all() and cutoffs[0] > 0):
        raise ScenarioError(f"The time limits {tuple(cutoffs_min)} make no sense: give positive minutes.")
    require_own_grid(profile_network, snap_grid)
    known = placed(places)
    outlines = []
    for start in range(0, len(known), _PLACES_PER_SEARCH):
        some = rows_of(known, slice(start, start + _PLACES_PER_SEARCH))
        outlines += _outlines(profile_network, snap_grid, some, cutoffs, direction)
        progress.update(start + len(some), len(known))
    geometry = np.concatenate([_polygons(shapes) for shapes in outlines]) if outlines else np.zeros(0, object)
    is_around = np.concatenate([shapes.is_around for shapes in outlines]) if outlines else np.zeros(0, bool)
    place = np.repeat(np.arange(len(known)), len(cutoffs))
    position = np.column_stack([known.x, known.y])[place]
    geometry = _with_marks(geometry, is_around, position, (_MARK_SHARE * snap_grid.cell_m, len(cutoffs)))
    return gpd.GeoDataFrame(
        {
            "facility_id": known.ids[place],
            "profile": profile_network.profile.code,
            "cutoff_min": np.tile(cutoffs, len(known)),
            "area_km2": shapely.area(geometry) / M2_PER_KM2,
            "cell_m": snap_grid.cell_m,
        },
        geometry=geometry,
        crs=snap_grid.crs,
    )


def unplaced(profile_network: ProfileNetwork, places: Snapped) -> pd.DataFrame:
    """Return one row per place that has no circle: facility_id, profile, reason (as of `Snapped`)."""
    import pandas as pd

    lost = np.flatnonzero(places.edge < 0)
    return pd.DataFrame(
        {"facility_id": places.ids[lost], "profile": profile_network.profile.code, "reason": places.reason[lost]}
    )


def _outlines(
    profile_network: ProfileNetwork,
    snap_grid: SnapGrid,
    places: Snapped,
    cutoffs_min: NDArray[np.float64],
    direction: Direction,
) -> list[_Shapes]:
    from planner.reach.outline_kernels import outlines

    limits_s = cutoffs_min * SECONDS_PER_MINUTE
    # Outside the outline, as far as one side of a cell: so that a limit's outline does not hang on the other limits.
    slowest_s = 4 * snap_grid.cell_m * snap_grid.access_s_per_m
    balls = junction_times(profile_network, places, (limits_s[-1] + slowest_s) / SECONDS_PER_MINUTE, direction)
    roads, cells, ground = roads_of(profile_network, direction), cells_of(snap_grid), ground_of(snap_grid)
    rows = place_rows(roads, places)

    def trace(start: int, stop: int) -> _Shapes:
        first = balls.first[start : stop + 1]
        ball = (first, balls.junction, balls.time_cs)
        x, y, ring_first, polygon_first, outline_first, is_around = outlines(
            limits_s, ball, rows[start:stop], roads, cells, snap_grid.edge, ground
        )
        return _Shapes(np.column_stack([x, y]), ring_first, polygon_first, outline_first, is_around)

    return run_blocks(trace, len(places), _PLACES_PER_BLOCK, SILENT)


def _polygons(shapes: _Shapes) -> NDArray[np.object_]:
    import shapely

    offsets = (shapes.ring_first, shapes.polygon_first, shapes.outline_first)
    return shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, shapes.points, offsets)


def _with_marks(
    geometry: NDArray[np.object_], is_around: NDArray[np.bool_], place: NDArray[np.float64], mark: tuple[float, int]
) -> NDArray[np.object_]:
    """Return the outlines; one that misses its place (which is rare) with the spot around it, as all larger ones.

    `mark` holds the reach of the spot in metres and the number of time limits, which rise within every place.
    """
    import shapely

    mark_m, n_limits = mark
    rows = np.flatnonzero(~is_around)
    is_bare = np.zeros(len(geometry), bool)
    is_bare[rows] = ~shapely.contains_xy(geometry[rows], place[rows, 0], place[rows, 1])
    rows = np.flatnonzero(np.logical_or.accumulate(is_bare.reshape(-1, n_limits), axis=1).ravel())
    if not len(rows):
        return geometry
    marks = shapely.polygons(place[rows, None, :] + np.array([(1, 0), (0, 1), (-1, 0), (0, -1)]) * mark_m)
    geometry = geometry.copy()
    geometry[rows] = [shapely.multipolygons(shapely.get_parts(shape)) for shape in shapely.union(geometry[rows], marks)]
    return geometry
