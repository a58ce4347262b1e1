"""What a move changed: minutes to the nearest place from where people lived before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.coverage.areas import level_of, texts
from planner.coverage.gaps import weighted_median

if TYPE_CHECKING:
    from collections.abc import Mapping

BY_POINT, BY_TOWNS = "point", "towns"
_DIVIDERS = re.compile(r"[、,，;；/\s]+")


def origin_points(settlements: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return settlement_id and the point where people lived before, for settlements with origin_x and origin_y."""
    if not {"origin_x", "origin_y"} <= set(settlements.columns):
        return gpd.GeoDataFrame({"settlement_id": []}, geometry=[], crs=settlements.crs)
    x, y = (settlements[name].to_numpy(dtype=float, na_value=np.nan) for name in ("origin_x", "origin_y"))
    known = np.isfinite(x) & np.isfinite(y)
    ids = settlements.loc[known, ["settlement_id"]].reset_index(drop=True)
    return gpd.GeoDataFrame(ids, geometry=gpd.points_from_xy(x[known], y[known]), crs=settlements.crs)


def minutes_of_towns(
    demand: pd.DataFrame, minutes: pd.Series, assigned: pd.DataFrame, areas: gpd.GeoDataFrame | None
) -> dict[str, float]:
    """Return the median minutes of the rural people of each town who were not relocated, by the town's name.

    Those who moved lived as they do: it stands for an origin of which only the town is known. The median is the least
    time that half of them do not exceed; people cut off count as infinitely far, unknown ones are left out. A town of
    which nobody is known is not in it, nor a name that two towns share.

    Parameters
    ----------
    demand : demand points with `population` and, if known, `relocated`.
    minutes : to the nearest place, one value a demand point, in their order.
    assigned : of `assign_areas` for the demand points.
    areas : county, towns and villages.
    """
    towns = level_of(areas, "town")
    if towns is None:
        return {}
    stayed = demand["population"].to_numpy(dtype=float)
    if "relocated" in demand.columns:
        stayed = stayed - np.nan_to_num(demand["relocated"].to_numpy(dtype=float, na_value=np.nan))
    times = minutes.to_numpy(dtype=float)
    counts = (assigned["class"] != "urban").to_numpy() & ~np.isnan(times) & (stayed > 0)
    of_town = assigned["town_id"].to_numpy(dtype=object)
    names = pd.Series(texts(towns, "name"), dtype=object)
    found = {}
    for town, name in zip(towns["area_id"], names, strict=True):
        rows = counts & (of_town == town)
        if name is not None and rows.any() and (names == name).sum() == 1:
            found[name] = weighted_median(times[rows], stayed[rows])
    return found


def minutes_before(
    settlements: gpd.GeoDataFrame, of_point: Mapping[str, float], of_town: Mapping[str, float]
) -> pd.DataFrame:
    """Return before_min and before_basis of every settlement, index 0 to n - 1.

    Parameters
    ----------
    settlements : with settlement_id and, if known, origin_towns (names divided by 、 or commas).
    of_point : minutes from the origin's own point, by settlement_id: basis "point".
    of_town : of `minutes_of_towns`. Where the point is not known, the mean over the named towns that are in it: basis
        "towns". Neither: NaN and None.
    """
    rows: list[tuple[float, str | None]] = []
    for key, words in zip(settlements["settlement_id"], texts(settlements, "origin_towns"), strict=True):
        named = [of_town[name] for name in _DIVIDERS.split(words or "") if name in of_town]
        if key in of_point:
            rows.append((of_point[key], BY_POINT))
        elif named:
            rows.append((float(np.mean(named)), BY_TOWNS))
        else:
            rows.append((np.nan, None))
    return pd.DataFrame(rows, columns=["before_min", "before_basis"]).astype(
        {"before_min": float, "before_basis": object}
    )
