"""Premises of the county that could become places, over the six ways to activate resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.demo.facilities import PREFIX, drawn
from planner.demo.names import numbered, word_lists
from planner.demo.outline import moved_inside
from planner.demo.people import split_exactly
from planner.demo.places import VILLAGE, Places

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.demo.people import Homes
    from planner.demo.spec import DemoSpec

ONLINE_WAY = 6
_WAY_SHARES = (0.28, 0.19, 0.11, 0.16, 0.16, 0.10)
_CONSENT_ODDS = {"agreed": 0.52, "asked": 0.26, "refused": 0.08, "unknown": 0.14}


def make_candidates(spec: DemoSpec, places: Places, homes: Homes, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return premises that could be opened: columns of the contract, and x, y (metres); way 6 is at its operator's."""
    rng = np.random.default_rng([spec.seed, 7])
    n = spec.n_candidates
    way = rng.permutation(np.repeat(np.arange(1, 7), split_exactly(n, np.array(_WAY_SHARES))))
    table = _spots(rng, places, homes, way)
    unit = table["unit"].to_numpy(np.int64)
    village = places.units["name"].to_numpy()[unit]
    town = places.towns["name"].to_numpy()[places.units["town"].to_numpy()[unit]]
    premises = _premises(rng, way)
    committee = np.where(places.units["kind"].to_numpy()[unit] == VILLAGE, village + "民委员会", village + "居民委员会")
    area_m2 = np.rint(np.where(way == ONLINE_WAY, rng.uniform(30.0, 90.0, n), rng.lognormal(5.0, 0.5, n)))
    cost_share = np.where(np.isin(way, (2, 4)), 0.5, 1.0) * rng.uniform(0.03, 0.09, n)
    is_station = np.isin(way, (1, 3)) & (rng.random(n) < 0.15)
    owners = [owner.format(committee=c, town=t) for (_, owner, _), c, t in zip(premises, committee, town, strict=True)]
    names = [f"{place}{word}" for place, (word, _, _) in zip(village, premises, strict=True)]
    table = pd.DataFrame({
        "candidate_id": [f"{PREFIX}H{i:04d}" for i in range(1, n + 1)],
        "name": numbered(names, "{name}{number}号"),
        "way": way.astype(str), "tier": np.where(is_station, "station", "point"), "town": town, "village": village,
        "owner": owners, "current_use": [use for _, _, use in premises],
        "consent": rng.choice(list(_CONSENT_ODDS), n, p=list(_CONSENT_ODDS.values())),
        "cost": np.round(area_m2 * cost_share, 1), "capacity": 5.0 * np.rint(area_m2 / 12.5), "floor_area_m2": area_m2,
        "x": table["x"], "y": table["y"], "unit": unit,
    })  # fmt: skip
    return moved_inside(table, areas).drop(columns="unit")


def _premises(rng: np.random.Generator, way: NDArray[np.int64]) -> list[tuple[str, str, str]]:
    """(name, owner, current use) for each candidate, out of the list of its way."""
    lists = word_lists()["premises"]
    lot = rng.random(len(way))
    return [tuple(lists[f"way_{w}"][int(share * len(lists[f"way_{w}"]))]) for w, share in zip(way, lot, strict=True)]


def _spots(rng: np.random.Generator, places: Places, homes: Homes, way: NDArray[np.int64]) -> pd.DataFrame:
    """Where premises stand: mostly in hamlets, some at settlements and beside streets; online ones in the seat."""
    counts = split_exactly(len(way), np.array([0.62, 0.18, 0.20]))
    hamlets = homes.hamlets[homes.hamlets["road"] != ""]
    columns = ["unit", "x", "y"]
    spots = pd.concat(
        [
            drawn(rng, hamlets, counts[0], np.sqrt(hamlets["weight"].to_numpy()))[columns],
            drawn(rng, homes.settlements, counts[1])[columns],
            drawn(rng, homes.compounds, counts[2])[columns],
        ],
        ignore_index=True,
    )
    spots = spots.iloc[rng.permutation(len(spots))].reset_index(drop=True)
    spots[["x", "y"]] += rng.uniform(-70.0, 70.0, (len(spots), 2))
    in_seat = homes.compounds[homes.compounds["unit"] < int((places.units["kind"] == "seat").sum())]
    online = np.flatnonzero(way == ONLINE_WAY)
    spots.loc[online, columns] = drawn(rng, in_seat, len(online))[columns].to_numpy()
    return spots
