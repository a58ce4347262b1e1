"""Who lives where: hamlets, housing compounds and relocation settlements, to the exact person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.demo.names import draw_compounds, numeral
from planner.demo.places import DETACHED, JOINED, ROADLESS, RURAL_START_M, SEAT, TOWN, VILLAGE, Places
from planner.demo.terrain import CELL_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.demo.spec import DemoSpec

QUIET_M = 200.0
HAMLETS_PER_VILLAGE = 19
COMPOUNDS_PER_COMMUNITY = 24
COMPOUNDS_PER_TOWN = 11
COMPOUNDS = {"very_large": 9, "large": 5, "medium": 2, "small": 1}
SIZE_CLASSES = (("small", 0), ("medium", 800), ("large", 3_000), ("very_large", 10_000))
"""Names and least people, as in presets/settlement_sizes.toml."""
LEAST_PEOPLE = 30
SIZE_DEVIATION = 1.4
"""Of the logarithm of settlement sizes: a few very large ones, two thirds small."""
APART_M = 420.0


@dataclass(frozen=True)
class Homes:
    """Where people live, before they are counted.

    Attributes
    ----------
    hamlets : unit, x, y, cell, weight, road ("" = none is built, "near" = one is there, else a class word).
    compounds : unit, x, y, weight.
    settlements : unit, x, y, cell, people, households, compounds, year, size_class.
    """

    hamlets: pd.DataFrame
    compounds: pd.DataFrame
    settlements: pd.DataFrame


def make_homes(spec: DemoSpec, places: Places, road_cells: NDArray[np.int64], noisy_cells: NDArray[np.int64]) -> Homes:
    """Return hamlets, compounds and settlements on the ground.

    Parameters
    ----------
    road_cells : cells of the county's main roads, which attract people.
    noisy_cells : cells of the railway and the motorway, where nobody lives within about 200 m.
    """
    from scipy.ndimage import distance_transform_edt

    rng = np.random.default_rng([spec.seed, 4])
    is_road = np.zeros(places.terrain.height.size, bool)
    is_road[road_cells] = True
    road_m = distance_transform_edt(~is_road.reshape(places.terrain.shape)).ravel() * CELL_M
    is_quiet = np.ones(places.terrain.height.size, bool)
    is_quiet[noisy_cells] = False
    quiet_m = distance_transform_edt(is_quiet.reshape(places.terrain.shape)).ravel() * CELL_M
    road_m = np.where(quiet_m > QUIET_M, road_m, np.inf)
    return Homes(_hamlets(rng, places, road_m), _compounds(rng, places), _settlements(rng, spec, places, road_m))


def split_exactly(total: int, weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return whole shares of `total` by `weight` (float64[n]); they sum to it (largest remainder, ties by position)."""
    exact = total * weight / weight.sum()
    share = np.floor(exact).astype(np.int64)
    share[np.argsort(share - exact, kind="stable")[: total - share.sum()]] += 1
    return share


def make_demand(spec: DemoSpec, places: Places, homes: Homes) -> pd.DataFrame:
    """Return one row a hamlet, compound or part of a settlement: people, ages, relocated; sums as `spec` has them."""
    rng = np.random.default_rng([spec.seed, 5])
    others = spec.population - spec.relocated_people
    urban = round(others * spec.urban_share)
    hamlets, compounds = homes.hamlets.copy(), homes.compounds.copy()
    hamlets["population"] = 4 + split_exactly(others - urban - 4 * len(hamlets), hamlets["weight"].to_numpy())
    compounds["population"] = 30 + split_exactly(urban - 30 * len(compounds), compounds["weight"].to_numpy())
    hamlets["name"] = _group_names(places.units["name"].to_numpy()[hamlets["unit"]])
    compounds["name"] = draw_compounds(rng, len(compounds))
    moved = _settlement_rows(rng, homes.settlements)
    for table, old, young in ((hamlets, 0.29, 0.12), (compounds, 0.165, 0.165), (moved, 0.20, 0.19)):
        n = len(table)
        people = table["population"].to_numpy()
        table["age60"] = np.rint(people * np.clip(rng.normal(old, 0.045, n), 0.02, 0.6)).astype(np.int64)
        table["children"] = np.rint(people * np.clip(rng.normal(young, 0.03, n), 0.02, 0.35)).astype(np.int64)
    hamlets["relocated"], compounds["relocated"], moved["relocated"] = 0, 0, moved["population"]
    hamlets["settlement"], compounds["settlement"] = -1, -1
    columns = ["unit", "name", "x", "y", "population", "age60", "children", "relocated", "settlement"]
    rows = pd.concat([hamlets[columns], compounds[columns], moved[columns]], ignore_index=True)
    return rows.sort_values(["unit"], kind="stable", ignore_index=True)


def _hamlets(rng: np.random.Generator, places: Places, road_m: NDArray[np.float64]) -> pd.DataFrame:
    terrain, units = places.terrain, places.units
    slope = terrain.slope.ravel()
    cost = places.reach.cost_m - RURAL_START_M
    is_free = (places.unit >= 0) & (places.zone < 0) & np.isfinite(cost) & np.isfinite(road_m)
    order = np.flatnonzero(is_free)
    order = order[np.argsort(places.unit[order], kind="stable")]
    bounds = np.searchsorted(places.unit[order], np.arange(len(units) + 1))
    parts = []
    for unit in np.flatnonzero(units["kind"] == VILLAGE):
        cells = order[bounds[unit] : bounds[unit + 1]]
        roads = units["roads"].iloc[unit]
        near_road = np.exp(-road_m[cells] / 180.0) if roads == JOINED else 0.5
        weight = (0.40 + np.exp(-cost[cells] / 1_900.0)) * np.exp(-slope[cells] / 0.19) * (0.21 + near_road)
        n = min(int(np.clip(rng.normal(HAMLETS_PER_VILLAGE, 5.0), 8, 34)), len(cells))
        taken = np.sort(np.argsort(rng.exponential(size=len(cells)) / weight, kind="stable")[:n])
        chosen = cells[taken]
        size = rng.lognormal(0.0, 0.5, n) * (0.9 + 0.8 * np.exp(-cost[chosen] / 900.0))
        parts.append(pd.DataFrame({"unit": unit, "cell": chosen, "weight": size * rng.lognormal(0.0, 0.25)}))
    rows = pd.concat(parts, ignore_index=True)
    xy = terrain.xy(rows["cell"].to_numpy()) + rng.uniform(-40.0, 40.0, (len(rows), 2))
    rows["x"], rows["y"] = xy[:, 0], xy[:, 1]
    rows["road"] = _hamlet_roads(rng, rows, units["roads"].to_numpy()[rows["unit"]], road_m)
    return rows


def _hamlet_roads(
    rng: np.random.Generator, rows: pd.DataFrame, states: NDArray[np.object_], road_m: NDArray[np.float64]
) -> NDArray[np.object_]:
    """What leads to each hamlet: the road it stands at, a road, a track or a path of its own, or nothing mapped."""
    off = road_m[rows["cell"].to_numpy()]
    lot = rng.random(len(rows))
    is_small = rows["weight"].to_numpy() < np.median(rows["weight"])
    words = np.where(lot < np.where(is_small, 0.25, 0.60), "村道", np.where(lot < 0.62, "机耕路", "步道")).astype(
        object
    )
    words[lot > np.where(is_small, 0.82, 0.92)] = ""
    words[off < 100.0] = "near"
    words[(states == DETACHED) & (words == "near")] = "村道"
    words[states == ROADLESS] = ""
    return words


def _compounds(rng: np.random.Generator, places: Places) -> pd.DataFrame:
    """Housing compounds in the blocks beside the streets of the seat's and the towns' communities."""
    from scipy.spatial import cKDTree

    units = places.units
    parts = []
    seat_units = np.flatnonzero(units["kind"] == SEAT)
    town_units = np.flatnonzero(units["kind"] == TOWN)
    for number, streets in enumerate(places.streets):
        ends = streets.nodes[streets.ends[~streets.is_bridge]]
        middle = ends.mean(axis=1)
        owners = seat_units if number == 0 else town_units[[number - 1]]
        n_each = COMPOUNDS_PER_COMMUNITY if number == 0 else COMPOUNDS_PER_TOWN
        _, owner = cKDTree(units.loc[owners, ["x", "y"]].to_numpy()).query(middle)
        for i, unit in enumerate(owners):
            rows = np.flatnonzero(owner == i)
            pick = rng.choice(rows, size=max(3, round(n_each * rng.uniform(0.75, 1.25))))
            along = ends[pick, 1] - ends[pick, 0]
            across = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(along[:, 0], along[:, 1])[:, None]
            shift = rng.uniform(22.0, 60.0, len(pick)) * rng.choice([-1.0, 1.0], len(pick))
            xy = ends[pick, 0] + along * rng.uniform(0.2, 0.8, len(pick))[:, None] + across * shift[:, None]
            scale = 1.0 if number == 0 else 0.62
            weight = scale * rng.lognormal(0.0, 0.55, len(pick))
            parts.append(pd.DataFrame({"unit": unit, "x": xy[:, 0], "y": xy[:, 1], "weight": weight}))
    table = pd.concat(parts, ignore_index=True)
    on = places.unit[places.terrain.cells(table[["x", "y"]].to_numpy())]
    is_seat = (units["kind"] == SEAT).to_numpy()
    own = table["unit"].to_numpy()
    table["unit"] = np.where((on >= 0) & is_seat[np.maximum(on, 0)] & is_seat[own], on, own)
    return table


def _sizes(spec: DemoSpec) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """People of each settlement, the largest first, and its size class: evenly spaced quantiles of a lognormal law."""
    from scipy.special import ndtri

    n, total = spec.n_settlements, spec.relocated_people
    least = min(LEAST_PEOPLE, total // n)
    weight = np.exp(SIZE_DEVIATION * ndtri((np.arange(n)[::-1] + 0.5) / n))
    people = least + split_exactly(total - least * n, weight)
    names = np.array([name for name, _ in SIZE_CLASSES], object)
    row = np.searchsorted([start for _, start in SIZE_CLASSES], people, side="right") - 1
    return people, names[row]


def _settlements(rng: np.random.Generator, spec: DemoSpec, places: Places, road_m: NDArray[np.float64]) -> pd.DataFrame:
    people, size_class = _sizes(spec)
    cells = _settlement_cells(rng, places, road_m, size_class)
    xy = places.terrain.xy(cells) + rng.uniform(-20.0, 20.0, (len(cells), 2))
    spare = np.where(size_class == "small", 0, rng.integers(-1, 3, len(people)))
    compounds = np.maximum(np.array([COMPOUNDS[name] for name in size_class]) + spare, 1)
    weight = people * rng.normal(1.0, 0.03, len(people))
    table = pd.DataFrame({
        "unit": places.unit[cells], "x": xy[:, 0], "y": xy[:, 1], "cell": cells, "people": people,
        "households": 1 + split_exactly(spec.relocated_households - len(people), weight),
        "compounds": compounds, "year": rng.integers(2012, 2021, len(people)), "size_class": size_class,
    })  # fmt: skip
    table = table.sort_values("unit", kind="stable", ignore_index=True)
    table.insert(1, "name", _settlement_names(places, table["unit"].to_numpy(), table["size_class"].to_numpy()))
    return table


def _settlement_cells(
    rng: np.random.Generator, places: Places, road_m: NDArray[np.float64], size_class: NDArray[np.object_]
) -> NDArray[np.int64]:
    """A cell for each settlement: gentle ground at a road, the larger the nearer to a town, apart from one another."""
    from scipy.ndimage import distance_transform_edt

    terrain = places.terrain
    from_zone = distance_transform_edt((places.zone < 0).reshape(terrain.shape)).ravel() * CELL_M
    from_seat = distance_transform_edt((places.zone != 0).reshape(terrain.shape)).ravel() * CELL_M
    cost = places.reach.cost_m - RURAL_START_M
    slope = terrain.slope.ravel()
    is_joined = (places.units["roads"] == JOINED).to_numpy()[np.maximum(places.unit, 0)]
    ok = (places.unit >= 0) & is_joined & (from_zone > 150.0) & (road_m < 260.0) & np.isfinite(cost)
    ok &= (terrain.river_distance_m.ravel() > 330.0) & (slope < 0.25)
    pools = {
        "very_large": ok & (from_seat < 2_000.0),
        "large": ok & (from_zone < 2_300.0),
        "medium": ok & ((from_zone < 4_000.0) | (cost < 1_500.0)),
        "small": ok & (cost < 3_600.0),
    }
    cells = np.empty(len(size_class), np.int64)
    for i, name in enumerate(size_class):
        pool = np.flatnonzero(pools[name] if pools[name].any() else ok)
        odds = np.cumsum(np.exp(-slope[pool] / 0.1))
        pick = pool[np.searchsorted(odds, rng.random(24) * odds[-1])]
        away = _least_distance(terrain.xy(pick), terrain.xy(cells[:i]))
        cells[i] = pick[int(np.argmax(away > APART_M))] if (away > APART_M).any() else pick[int(away.argmax())]
    return cells


def _least_distance(xy: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[n]: from each point to the nearest of `others`; inf where there are none."""
    away = xy[:, None, :] - others[None, :, :]
    return np.hypot(away[..., 0], away[..., 1]).min(axis=1, initial=np.inf)


def _settlement_names(places: Places, units: NDArray[np.int64], size_class: NDArray[np.object_]) -> list[str]:
    """Names after the village, numbered where it has several; large ones are called communities."""
    stems = places.units["name"].to_numpy()[units].tolist()
    tails = ["易地搬迁安置社区" if size in ("very_large", "large") else "易地搬迁安置点" for size in size_class]
    count: dict[str, int] = {}
    names = []
    for stem, tail in zip(stems, tails, strict=True):
        count[stem + tail] = count.get(stem + tail, 0) + 1
        number = count[stem + tail]
        names.append(f"{stem}{tail}" if number == 1 else f"{stem}{numeral(number)}号{tail}")
    return names


def _settlement_rows(rng: np.random.Generator, settlements: pd.DataFrame) -> pd.DataFrame:
    """One row a part of each settlement, in a ring around its middle; together they hold its people."""
    columns = settlements[["unit", "name", "x", "y", "people", "compounds"]].to_dict("list")
    rows: list[dict[str, object]] = []
    for number, (unit, name, x, y, people, parts) in enumerate(zip(*columns.values(), strict=True)):
        shares = split_exactly(people, rng.uniform(0.7, 1.3, parts))
        for part, share in enumerate(shares.tolist()):
            radius = 0.0 if parts == 1 else rng.uniform(45.0, 75.0) * np.sqrt(parts / 3.0)
            angle = 2 * np.pi * part / parts + rng.uniform(0, 0.6)
            rows.append({
                "unit": unit, "x": x + radius * np.cos(angle), "y": y + radius * np.sin(angle),
                "population": share, "settlement": number, "name": f"{name}{part + 1}号楼组" if parts > 1 else name,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _group_names(stems: NDArray[np.object_]) -> list[str]:
    """The village's first, second ... group: how hamlets are called on paper."""
    count: dict[str, int] = {}
    names = []
    for stem in stems.tolist():
        count[stem] = count.get(stem, 0) + 1
        names.append(f"{stem}{numeral(count[stem])}组")
    return names
