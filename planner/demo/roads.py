"""The county's roads: trunk, county, town and village roads along the valleys, tracks and paths to the hamlets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from planner.demo.ground import Ground, Link, chosen_links, links, spread, steps_of
from planner.demo.places import DETACHED, JOINED, ROADLESS, SEAT, TOWN, Places, free_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = (
    *("高速公路", "高速匝道", "国道", "省道", "主干路", "县道", "次干路"),
    *("乡道", "街巷", "村道", "机耕路", "步道", "台阶"),
)
"""Road class words, the higher first: where two roads share a step, the higher one names it."""
TORN_STEPS = 3
RANK = {word: i for i, word in enumerate(CLASSES)}


@dataclass
class Draft:
    """Roads on the ground so far, as steps between cells; grows while the county is built."""

    first: list[NDArray[np.int64]] = field(default_factory=list)
    second: list[NDArray[np.int64]] = field(default_factory=list)
    rank: list[NDArray[np.int64]] = field(default_factory=list)
    name: list[NDArray[np.object_]] = field(default_factory=list)

    def add(self, cells: list[int], word: str, name: str = "") -> None:
        """Add a road along `cells`."""
        first, second = steps_of(cells)
        self.first.append(first)
        self.second.append(second)
        self.rank.append(np.full(len(first), RANK[word]))
        self.name.append(np.full(len(first), name, object))

    def steps(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All steps."""
        return np.concatenate(self.first), np.concatenate(self.second)


def main_roads(places: Places, rng: np.random.Generator) -> Draft:
    """Return trunk roads to the county's four sides, county roads between towns, and roads to every joined village."""
    draft = Draft()
    _add_trunks(draft, places)
    _add_county_roads(draft, places)
    _add_village_roads(draft, places, rng)
    return draft


def add_hamlet_roads(
    draft: Draft, places: Places, cells: NDArray[np.int64], words: NDArray[np.object_], is_torn: NDArray[np.bool_]
) -> None:
    """Join hamlets (cells) to the nearest road by a road of the class in `words`.

    Where `is_torn`, the last steps of the road are missing, as in real road data. Hamlets of villages whose roads are
    detached join the middle of their village.
    """
    centers = places.units.loc[places.units["roads"] == DETACHED, "cell"].to_numpy()
    sources = np.unique(np.concatenate([*draft.steps(), centers]))
    reach = spread(places.ground, sources)
    for cell, word, torn in zip(cells.tolist(), words.tolist(), is_torn.tolist(), strict=True):
        path = reach.path(cell)
        path = path[:-TORN_STEPS] if torn else path
        if len(path) > 1 and np.isfinite(reach.cost_m[cell]):
            draft.add(path, word)


def _add_trunks(draft: Draft, places: Places) -> None:
    terrain = places.terrain
    seat = places.streets[0].nodes[places.streets[0].center]
    start = terrain.cells(seat[None, :])
    reach = spread(places.ground, _near_free(places, start))
    edge = _edge_cells(places)
    xy = terrain.xy(edge) - seat
    bearing = np.degrees(np.arctan2(xy[:, 1], xy[:, 0])) % 360.0
    cost = reach.cost_m[edge]
    for toward, word, name in (
        (180.0, "国道", "G901线"), (0.0, "国道", "G901线"), (90.0, "省道", "S902线"), (270.0, "省道", "S903线"),
    ):  # fmt: skip
        off = np.abs((bearing - toward + 180.0) % 360.0 - 180.0)
        near = (off < 32.0) & np.isfinite(cost)
        if near.any():
            far = np.where(near, cost + 600.0 * off, np.inf)
            draft.add(reach.path(int(edge[far.argmin()])), word, name)


def _add_county_roads(draft: Draft, places: Places) -> None:
    towns, seat = places.towns, places.streets[0]
    is_town = (towns["kind"] == TOWN).to_numpy()
    start = places.terrain.cells(np.concatenate([seat.nodes[[seat.center]], towns.loc[is_town, ["x", "y"]].to_numpy()]))
    names = [places.towns["name"].iloc[0], *towns.loc[is_town, "name"]]
    ground = places.ground.cheaper_on(*draft.steps(), 0.35)
    found = links(ground, spread(ground, _near_free(places, start)))
    for number, link in enumerate(chosen_links(found, len(start), n_extra=max(1, len(start) // 4)), start=1):
        stems = "".join(sorted(name.removesuffix("镇").removesuffix("街道") for name in (names[link.a], names[link.b])))
        label = f"X{number:03d}线{stems}公路"
        draft.add(link.cells, "县道", label)


def _add_village_roads(draft: Draft, places: Places, rng: np.random.Generator) -> None:
    """Every joined village gets a road; those that many villages depend on are town roads."""
    units = places.units
    joined = units[(units["kind"] != SEAT) & (units["roads"] == JOINED)]
    seat = places.streets[0]
    start = np.concatenate([
        _near_free(places, places.terrain.cells(seat.nodes[[seat.center]])), joined["cell"].to_numpy(),
    ])  # fmt: skip
    ground = places.ground.cheaper_on(*draft.steps(), 0.25)
    ground = _avoiding(ground, places, (ROADLESS, DETACHED))
    found = links(ground, spread(ground, start))
    chosen = chosen_links(found, len(start), n_extra=len(start) // 6)
    load = _load(chosen, len(start), np.flatnonzero(np.append(True, (joined["kind"] == TOWN).to_numpy())))
    names = ["县城", *(name.removesuffix("村").removesuffix("社区") for name in joined["name"])]
    for link, n_villages in zip(chosen, load, strict=True):
        word = "乡道" if n_villages >= 3 or (n_villages == 2 and rng.random() < 0.5) else "村道"
        draft.add(link.cells, word, f"{names[link.a]}至{names[link.b]}公路")


def _load(chosen: list[Link], n: int, roots: NDArray[np.int64]) -> list[int]:
    """How many villages reach their town over each link."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    ends = np.array([(link.a, link.b) for link in chosen])
    cost = np.array([link.cost_m for link in chosen])
    graph = coo_matrix((cost, ends.T), shape=(n, n)).tocsr()
    _, before, _ = dijkstra(graph, directed=False, indices=roots, min_only=True, return_predecessors=True)
    load: dict[tuple[int, int], int] = {}
    for village in range(n):
        at = village
        while before[at] >= 0:
            key = (min(at, int(before[at])), max(at, int(before[at])))
            load[key] = load.get(key, 0) + 1
            at = int(before[at])
    return [load.get((int(min(a, b)), int(max(a, b))), 0) for a, b in ends]


def _avoiding(ground: Ground, places: Places, states: tuple[str, ...]) -> Ground:
    """The ground without that of villages which no road joins."""
    is_off = places.units["roads"].isin(states).to_numpy()
    unit = places.unit
    is_off_cell = (unit >= 0) & is_off[np.maximum(unit, 0)]
    keep = ~(is_off_cell[ground.first] | is_off_cell[ground.second])
    return ground.only(keep)


def _near_free(places: Places, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    return free_cells(places.terrain, places.ground, places.terrain.xy(cells))


def _edge_cells(places: Places) -> NDArray[np.int64]:
    """Cells one can build on along the county's outline."""
    from scipy.ndimage import binary_erosion

    inside = places.terrain.is_inside
    rim = inside & ~binary_erosion(inside)
    cells = places.ground.cells
    return cells[rim.ravel()[cells]]
