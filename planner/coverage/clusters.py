"""Town clusters: places of one town of which every pair can be reached from one another within a few minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.coverage.areas import assign_areas, level_of, texts
from planner.coverage.cliques import clique_partition
from planner.coverage.functions import default_functions, functions_of
from planner.reach.travel_times import travel_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from planner.network.road_network import ProfileNetwork, Snapped
    from planner.study import Study

OUTLINE_M = 50.0
MEMBER, ALONE, UNKNOWN, NO_TOWN = "member", "alone", "unknown", "no_town"
CLUSTER_COLUMNS = (
    "cluster_id", "town_id", "town_name", "n_places", "n_connected", "places", "profile", "cluster_min", "farthest_min",
    "n_unrecorded", "functions", "lacks_functions", "other_rooms",
)  # fmt: skip
MEMBER_COLUMNS = (
    "facility_id", "name", "tier", "town_id", "town_name", "membership", "cluster_id", "functions", "other_rooms",
)  # fmt: skip
_BETWEEN_NAMES = "、"

_Rooms = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Clusters:
    """The town clusters of a study; functions as codes of `presets/functions.toml`, by comma.

    Attributes
    ----------
    table : one row a cluster (`CLUSTER_COLUMNS`), towns by id, the largest first within each. `n_unrecorded` places
        name no room, so that what is lacking may be there all the same. `farthest_min` is the longest way between two
        of its places, either direction; `n_connected` counts the places of the town that hang together with it by
        links of the limit, which is more where not every pair is linked. The outline (hull and `OUTLINE_M` around it)
        is for the map only.
    places : one row a physical place (`MEMBER_COLUMNS`); `membership`: "member", "alone" (no other place of the town
        within the limit is free), "unknown" (it touches no road) or "no_town".
    """

    table: gpd.GeoDataFrame
    places: gpd.GeoDataFrame


def make_clusters(
    study: Study,
    places: gpd.GeoDataFrame,
    ready: tuple[ProfileNetwork, Snapped],
    cluster_min: float,
) -> Clusters:
    """Return the clusters of every town: every pair of a cluster's places is within `cluster_min`, both ways.

    Each place is in one cluster at most: the largest clique of the town is taken first (of equally large ones that
    whose ids come first), then the largest of what is left.

    Parameters
    ----------
    places : physical places, light ones too, by id.
    ready : roads, and `places` on them, of one profile.
    """
    network, snapped = ready
    towns = assign_areas(places, study.tables.get("areas"))["town_id"].tolist()
    names, labels = _town_names(study), _labels(places)
    minutes = _both_ways(network, snapped, cluster_min)
    rooms = functions_of(places, default_functions())
    rows: list[dict[str, Any]] = []
    cluster_of: dict[int, str] = {}
    for town in sorted({town for town in towns if town is not None}):
        members = [row for row, of in enumerate(towns) if of == town and snapped.edge[row] >= 0]
        linked = np.isfinite(minutes[np.ix_(members, members)])
        piece = _pieces(linked)
        for number, group in enumerate(clique_partition(linked), 1):
            of_group = [members[i] for i in group]
            code = f"{town}-{number}"
            cluster_of |= dict.fromkeys(of_group, code)
            rows.append({
                "cluster_id": code, "town_id": town, "town_name": names.get(town, ""), "n_places": len(of_group),
                "n_connected": int((piece == piece[group[0]]).sum()), "profile": network.profile.code,
                "places": _BETWEEN_NAMES.join(labels[row] for row in of_group),
                "cluster_min": cluster_min, "farthest_min": float(np.max(minutes[np.ix_(of_group, of_group)])),
                **_functions([rooms[row] for row in of_group]),
                "geometry": _outline(places, of_group),
            })  # fmt: skip
    return Clusters(
        _layer(rows, CLUSTER_COLUMNS, study.crs), _places(places, towns, names, snapped, (cluster_of, rooms))
    )


def _both_ways(network: ProfileNetwork, snapped: Snapped, limit_min: float) -> NDArray[np.float64]:
    """Return minutes between places, the longer of both directions; inf where either is beyond the limit."""
    coo = travel_times(network, snapped, snapped, limit_min).minutes().tocoo()
    minutes = np.full((len(snapped), len(snapped)), np.inf)
    minutes[coo.row, coo.col] = coo.data
    both = np.maximum(minutes, minutes.T)
    np.fill_diagonal(both, 0.0)
    return both


def _pieces(linked: NDArray[np.bool_]) -> NDArray[np.int32]:
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(linked, directed=False)
    return np.asarray(label)


def _functions(rooms: Sequence[_Rooms]) -> dict[str, Any]:
    """Return what places have together, what they lack (codes by comma), and the rooms that are none of these."""
    known = default_functions()
    has = {code for codes, _ in rooms for code in codes}
    other = dict.fromkeys(room for _, others in rooms for room in others)
    return {
        "n_unrecorded": sum(1 for codes, others in rooms if not codes and not others),
        "functions": ",".join(code for code in known if code in has),
        # Where no place says what rooms it has, nobody knows what is lacking.
        "lacks_functions": ",".join(code for code in known if code not in has) if has or other else "",
        "other_rooms": _BETWEEN_NAMES.join(other),
    }


def _places(
    places: gpd.GeoDataFrame,
    towns: Sequence[str | None],
    names: dict[str, str],
    snapped: Snapped,
    found: tuple[dict[int, str], list[_Rooms]],
) -> gpd.GeoDataFrame:
    cluster_of, rooms = found
    labels, tiers = _labels(places), texts(places, "tier")
    rows = []
    for row, town in enumerate(towns):
        words = _functions([rooms[row]])
        state = MEMBER if row in cluster_of else ALONE
        if snapped.edge[row] < 0:
            state = UNKNOWN
        elif town is None:
            state = NO_TOWN
        rows.append({
            "facility_id": str(places["facility_id"].iloc[row]), "name": labels[row],
            "tier": tiers[row], "town_id": town, "town_name": names.get(town or "", ""),
            "membership": state, "cluster_id": cluster_of.get(row), "functions": words["functions"],
            "other_rooms": words["other_rooms"], "geometry": places.geometry.iloc[row],
        })  # fmt: skip
    return _layer(rows, MEMBER_COLUMNS, str(places.crs))


def _outline(places: gpd.GeoDataFrame, rows: list[int]) -> shapely.Geometry:
    return shapely.multipoints(places.geometry.to_numpy()[rows]).convex_hull.buffer(OUTLINE_M)


def _labels(places: gpd.GeoDataFrame) -> list[str]:
    """Return the name of every place, its id where it has none."""
    return [name or str(key) for name, key in zip(texts(places, "name"), places["facility_id"], strict=True)]


def _town_names(study: Study) -> dict[str, str]:
    towns = level_of(study.tables.get("areas"), "town")
    return {} if towns is None else dict(zip(towns["area_id"], towns["name"], strict=True))


def _layer(rows: list[dict[str, Any]], columns: tuple[str, ...], crs: str) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=[*columns, "geometry"])
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(list(table["geometry"]), index=table.index, crs=crs), crs=crs)
