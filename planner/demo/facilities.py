"""The county's existing places: centre, institutes, stations and points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.demo.names import numbered, word_lists
from planner.demo.outline import moved_inside
from planner.demo.people import split_exactly
from planner.demo.places import SEAT, TOWN, VILLAGE, Places

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from planner.demo.people import Homes
    from planner.demo.spec import DemoSpec

PREFIX = "QL"
"""First letters of all ids of the county."""
_LETTERS = {"centre": "Z", "institute": "S", "station": "N", "point": "D"}
_CAPACITY = {"centre": 600.0, "institute": 160.0, "station": 60.0, "point": 40.0}
_QUALIFIED = {"centre": 1.1, "institute": 0.93, "station": 0.78, "point": 0.62}
_POINT_ODDS = {"very_large": 0.7, "large": 0.45, "medium": 0.24, "small": 0.08}
_HOURS_ODDS = (0.38, 0.22, 0.14, 0.14, 0.12)


def make_facilities(spec: DemoSpec, places: Places, homes: Homes, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return all existing places, each in its own village: columns of the contract, and x, y in metres."""
    rng = np.random.default_rng([spec.seed, 6])
    heads = _head_units(places)
    table = pd.concat([_administered(rng, spec, places, heads), _points(rng, spec, places, homes)], ignore_index=True)
    off = rng.uniform(18.0, 38.0, len(table)) * np.exp(1j * rng.uniform(0, 2 * np.pi, len(table)))
    table["x"] += off.real
    table["y"] += off.imag
    return _described(rng, moved_inside(table, areas), places, heads)


def drawn(
    rng: np.random.Generator, table: pd.DataFrame, n: int, weight: NDArray[np.float64] | None = None
) -> pd.DataFrame:
    """Return `n` rows of `table` drawn by lot, with repetition only where there are too few."""
    odds = None if weight is None else weight / weight.sum()
    return table.iloc[rng.choice(len(table), n, replace=n > len(table), p=odds)]


def _head_units(places: Places) -> NDArray[np.int64]:
    """int64[towns]: the unit that each town's institute stands in."""
    off = places.towns[["x", "y"]].to_numpy()[:, None, :] - places.units[["x", "y"]].to_numpy()[None, :, :]
    return np.hypot(off[..., 0], off[..., 1]).argmin(axis=1)


def _administered(rng: np.random.Generator, spec: DemoSpec, places: Places, heads: NDArray[np.int64]) -> pd.DataFrame:
    """The centre, an institute in each town, a station in each village: what every unit has on paper."""
    units, towns, seat = places.units, places.towns, places.streets[0]
    middle = seat.nodes[seat.center]
    home = int(np.hypot(units["x"] - middle[0], units["y"] - middle[1]).argmin())
    hosts = rng.choice(np.array(word_lists()["station_hosts"], object), len(units))
    centre = pd.DataFrame({
        "tier": ["centre"], "name": [f"{spec.name}新时代文明实践中心"], "unit": [home],
        "x": middle[:1], "y": middle[1:], "host_building": ["市民文化中心"],
    })  # fmt: skip
    institutes = pd.DataFrame({
        "tier": "institute", "name": towns["name"] + "新时代文明实践所", "unit": heads,
        "x": towns["x"], "y": towns["y"], "host_building": "综合文化站",
    })  # fmt: skip
    stations = pd.DataFrame({
        "tier": "station", "name": units["name"] + "新时代文明实践站", "unit": np.arange(len(units)), "x": units["x"],
        "y": units["y"], "host_building": np.where(units["kind"] == VILLAGE, hosts, "党群服务中心"),
    })  # fmt: skip
    return pd.concat([centre, institutes, stations], ignore_index=True)


def _points(rng: np.random.Generator, spec: DemoSpec, places: Places, homes: Homes) -> pd.DataFrame:
    """Points in some settlements, then in the seat's blocks, the towns and the hamlets."""
    words, units = word_lists(), places.units
    kind = units["kind"].to_numpy()
    odds = homes.settlements["size_class"].map(_POINT_ODDS).to_numpy()
    settled = homes.settlements[rng.random(len(odds)) < odds].head(spec.n_points)
    in_settlements = pd.DataFrame({
        "unit": settled["unit"], "x": settled["x"], "y": settled["y"], "stem": settled["name"], "word": "",
        "host_building": "安置社区服务中心",
    })  # fmt: skip
    counts = split_exactly(spec.n_points - len(settled), np.array([0.40, 0.26, 0.34]))
    hamlets = homes.hamlets[homes.hamlets["road"] != ""]
    in_seat = drawn(rng, homes.compounds[kind[homes.compounds["unit"]] == SEAT], counts[0])
    in_towns = drawn(rng, homes.compounds[kind[homes.compounds["unit"]] == TOWN], counts[1])
    in_hamlets = drawn(rng, hamlets, counts[2], hamlets["weight"].to_numpy())
    table = pd.concat(
        [
            in_settlements,
            _hosted(in_seat, units["name"].to_numpy(), words["seat_points"]),
            _hosted(in_towns, places.towns["name"].to_numpy()[units["town"]], words["town_points"]),
            _hosted(in_hamlets, units["name"].to_numpy(), words["village_points"]),
        ],
        ignore_index=True,
    )
    stems = numbered((table["stem"] + table["word"]).tolist(), "{name}{number}号")
    table["name"] = [f"{stem}新时代文明实践点" for stem in stems]
    table["tier"] = "point"
    return table[["tier", "name", "unit", "x", "y", "host_building"]]


def _hosted(spots: pd.DataFrame, stems: NDArray[np.object_], words: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The spots with what stands there: (name, host building) in turn, after the `stems` of their units."""
    turn = [i % len(words) for i in range(len(spots))]
    return pd.DataFrame({
        "unit": spots["unit"], "x": spots["x"], "y": spots["y"], "stem": stems[spots["unit"]],
        "word": [words[i][0] for i in turn], "host_building": [words[i][1] for i in turn],
    })  # fmt: skip


def _described(rng: np.random.Generator, table: pd.DataFrame, places: Places, heads: NDArray[np.int64]) -> pd.DataFrame:
    """The places with ids, parents, towns, capacity, qualification, hours and addresses."""
    units, n = places.units, len(table)
    tier, unit = table["tier"].to_numpy(), table["unit"].to_numpy(np.int64)
    number = table.groupby("tier", sort=False).cumcount() + 1
    table.insert(0, "facility_id", PREFIX + table["tier"].map(_LETTERS) + number.map("{:04d}".format))
    town = units["town"].to_numpy()[unit]
    town[tier == "institute"] = np.arange(len(heads))
    table["town"] = places.towns["name"].to_numpy()[town]
    table["village"] = units["name"].to_numpy()[unit]
    table["class"] = np.where(units["kind"].to_numpy()[unit] == VILLAGE, "rural", "urban")
    centre, institute, station = (
        table.loc[tier == name, "facility_id"].to_numpy() for name in ("centre", "institute", "station")
    )
    above = {"institute": np.repeat(centre, n), "station": institute[town], "point": station[unit]}
    table["parent_id"] = ""
    for name, parent in above.items():
        table.loc[tier == name, "parent_id"] = parent[tier == name]
    size = table["tier"].map(_CAPACITY).to_numpy() * rng.lognormal(0.0, 0.35, n)
    table["capacity"] = 5.0 * np.maximum(np.rint(size / 5.0), 2.0)
    table["is_qualified"] = rng.random(n) < table["tier"].map(_QUALIFIED).to_numpy()
    table["is_demonstration"] = table["is_qualified"] & (rng.random(n) < 0.06 + 0.2 * (tier == "institute"))
    hours = rng.choice(len(_HOURS_ODDS), n, p=_HOURS_ODDS)
    is_office = np.isin(tier, ("centre", "institute"))
    table["opening_hours"] = np.array(word_lists()["opening_hours"], object)[np.where(is_office, 1, hours)]
    table["address"] = table["town"] + table["village"] + table["host_building"]
    return table.drop(columns="unit")
