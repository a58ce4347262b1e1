"""One county as plain data: tables in one metric CRS, grids, words about them. Immutable: changes make a new study."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from planner.crs import parse_crs, require_metric
from planner.errors import CrsError, InputError
from planner.schema import CONTRACTS, FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """A raster in its own CRS, so that it is interpolated once only.

    Attributes
    ----------
    values : float32, rows x columns, row 0 in the north; NaN where nothing is known.
    transform : (a, b, c, d, e, f) of x = a * column + b * row + c, y = d * column + e * row + f, at cell corners.
    crs : of the transform, often geographic.
    unit : of the values.
    """

    values: NDArray[np.float32]
    transform: tuple[float, float, float, float, float, float]
    crs: str
    unit: str


@dataclass(frozen=True)
class Study:
    """A county, ready to be computed with.

    Attributes
    ----------
    name : of the county.
    crs : the metric working CRS of every table.
    tables : by contract name (`facilities`, `candidates`, `demand`, `settlements`, `areas`, `roads`, `barriers`);
        absent = not imported yet.
    grids : "elevation" and others.
    results : tables and layers computed from it, by name.
    scenarios : TOML texts by name.
    history : one row an import: kind, file, sha256, frame, rows_in, rows_accepted, rows_refused, imported_at, options,
        frame_evidence (why the frame was taken, where the file did not say it).
    ledger : one row a finding of all imports (columns of `Ledger.to_frame`, and `code`, `values`, `kind`).
    metadata : words about the study (`is_synthetic`, `population_source`, `population_date`, `road_source`, ...).
    revision : of the study file it was opened from; 0 = never saved.
    save_id : of the save that it was opened from: random, so that two copies of one revision are told apart; "" = never
        saved, or by a planner before ids.
    """

    name: str
    crs: str
    tables: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    grids: Mapping[str, Grid] = field(default_factory=dict)
    results: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    scenarios: Mapping[str, str] = field(default_factory=dict)
    history: pd.DataFrame | None = None
    ledger: pd.DataFrame | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    save_id: str = ""

    def has(self, name: str) -> bool:
        """Whether the table `name` holds any row."""
        return name in self.tables and len(self.tables[name]) > 0

    def table(self, name: str) -> gpd.GeoDataFrame:
        """Return the table `name`, never empty.

        Raises
        ------
        InputError
            When nothing was imported for it: the message says how.
        """
        if not self.has(name):
            raise InputError(f"The study has no {name} yet. Import some: planner import STUDY.gpkg {name} FILE")
        return self.tables[name]

    def with_table(self, name: str, table: gpd.GeoDataFrame) -> Study:
        """Return the study with `table` in place of what it had under `name`, without results: they were of the old.

        Raises
        ------
        CrsError
            When the table's CRS is not the study's.
        """
        if name not in CONTRACTS:
            raise InputError(f"'{name}' is no table of a study: {', '.join(CONTRACTS)}.")
        require_crs(table, self.crs)
        return replace(self, tables={**self.tables, name: table}, results={})

    def with_grid(self, name: str, grid: Grid) -> Study:
        """Return the study with `grid` under `name`, without results: they were of the old."""
        return replace(self, grids={**self.grids, name: grid}, results={})

    def with_results(self, results: Mapping[str, pd.DataFrame]) -> Study:
        """Return the study with `results` added or replaced by name."""
        return replace(self, results={**self.results, **results})

    def with_metadata(self, **values: Any) -> Study:  # noqa: ANN401  metadata is JSON
        """Return the study with words added to its metadata."""
        return replace(self, metadata={**self.metadata, **values})


def new_study(name: str, crs: str) -> Study:
    """Return an empty study called `name` in the metric `crs`.

    Raises
    ------
    CrsError
        When `crs` is unknown, geographic or not in metres.
    """
    require_metric(crs)
    return Study(name=name, crs=crs)


def require_crs(table: gpd.GeoDataFrame, crs: str) -> None:
    """Raise `CrsError` when `table` has no CRS, or another than `crs`."""
    if table.crs is None:
        raise CrsError(f"The table has no CRS; it must be in {crs}.")
    if table.crs != parse_crs(crs):
        raise CrsError(f"The table is in {table.crs.to_string()}, the study in {crs}.")


def point_xy(points: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return float64[n, 2], x and y of every row in metres; NaN where a row is not at a point that one can find."""
    import numpy as np
    import shapely

    shapes = points.geometry.to_numpy()
    is_point = (shapely.get_type_id(shapes) == shapely.GeometryType.POINT) & ~shapely.is_empty(shapes)
    xy = np.full((len(shapes), 2), np.nan)
    xy[is_point] = shapely.get_coordinates(shapes[is_point])
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    return xy


def is_online(facilities: pd.DataFrame) -> NDArray[np.bool_]:
    """Return bool[n]: which rows are online services (`is_online`; blank = no), which are never places."""
    import numpy as np

    if "is_online" not in facilities.columns:
        return np.zeros(len(facilities), dtype=bool)
    return np.array([is_yes(flag) for flag in facilities["is_online"]], dtype=bool)


def physical_places(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows of `facilities` that are places one can go to."""
    return facilities[~is_online(facilities)]


def is_yes(flag: object) -> bool:
    """Return whether a flag says yes; a column of flags and blanks may come back from a file as words."""
    if isinstance(flag, str):
        return flag.strip().lower() in FLAGS[0]
    import pandas as pd

    return flag is not None and flag is not pd.NA and flag == flag and bool(flag)  # noqa: PLR0124  NaN is not itself
