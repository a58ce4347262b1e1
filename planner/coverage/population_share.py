"""Coverage: people within the cutoff, by tier, profile, group and area."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner.coverage.areas import AREA_COLUMNS, area_membership
from planner.coverage.minutes import is_covered, is_unknown, minutes_of
from planner.coverage.people import people_by_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

RESULT_COLUMNS = (
    "tier", "profile", "cutoff_min", "group", *AREA_COLUMNS,
    "population", "covered_people", "uncovered_people", "unknown_people", "covered_share",
)  # fmt: skip


@dataclass(frozen=True)
class _People:
    """float64[n_areas, n_columns] each, of one group: a column is one profile and tier, profile first."""

    population: NDArray[np.float64]
    covered: NDArray[np.float64]
    unknown: NDArray[np.float64]


def coverage_table(
    demand: gpd.GeoDataFrame,
    access: pd.DataFrame,
    assigned: pd.DataFrame,
    areas: gpd.GeoDataFrame | None,
    cutoffs_min: Sequence[float],
) -> pd.DataFrame:
    """Return the people covered, uncovered and unknown, by tier, profile, cutoff, group and area.

    Covered means `travel_time_min <= cutoff_min` (`is_covered`); unknown means that no road data is near; everybody
    else is uncovered. The three add up to the population exactly, and so do disjoint areas to the one they make
    (people without a town or village are in the county's figures only). Given the cutoffs of a curve, one row each.

    Parameters
    ----------
    demand : demand points with `demand_id`, `population` and the columns of groups.
    access : access table, one row per demand point, profile and tier.
    assigned : of `assign_areas(demand, areas)`.
    areas : county, towns and villages; None gives the county's rows only.
    cutoffs_min : time limits in minutes.

    Returns
    -------
    DataFrame
        Columns `RESULT_COLUMNS`. Tiers, profiles and groups in the order of the access table and of
        `planner.scenario.GROUPS`; areas as in `area_membership`. `covered_share` = covered / population, NaN where
        nobody lives. A group whose column is absent has no rows.

    Raises
    ------
    InputError
        When the access table does not fit the demand points, or a population is blank or negative.
    """
    people = people_by_group(demand)
    minutes = minutes_of(access, list(demand["demand_id"]))
    membership = area_membership(assigned, areas)
    flat = minutes.values.reshape(len(demand), -1)
    unknown = is_unknown(flat).astype(float)
    blocks: dict[tuple[float, str], _People] = {}
    weighted = {group: membership.matrix.multiply(people[group].to_numpy()).tocsr() for group in people.columns}
    unknown_people = {group: matrix @ unknown for group, matrix in weighted.items()}
    for cutoff in cutoffs_min:
        covered = is_covered(flat, cutoff).astype(float)
        for group, matrix in weighted.items():
            population = np.repeat(np.asarray(matrix.sum(axis=1)).reshape(-1, 1), flat.shape[1], axis=1)
            blocks[cutoff, group] = _People(population, matrix @ covered, unknown_people[group])
    keys = list(product(minutes.tiers, minutes.profiles, cutoffs_min, people.columns))
    columns = [
        minutes.profiles.index(profile) * len(minutes.tiers) + minutes.tiers.index(tier) for tier, profile, _, _ in keys
    ]
    return _table(
        keys, [(blocks[key[2], key[3]], column) for key, column in zip(keys, columns, strict=True)], membership.rows
    )


def _table(
    keys: list[tuple[str, str, float, str]], blocks: list[tuple[_People, int]], rows: pd.DataFrame
) -> pd.DataFrame:
    n_areas = len(rows)
    table: dict[str, NDArray] = {}
    for position, name in enumerate(("tier", "profile", "cutoff_min", "group")):
        values = [key[position] for key in keys]
        table[name] = np.repeat(np.array(values, dtype=float if name == "cutoff_min" else object), n_areas)
    for name in AREA_COLUMNS:
        table[name] = np.tile(rows[name].to_numpy(dtype=object), len(keys))
    population, covered, unknown = (
        np.concatenate([getattr(block, name)[:, column] for block, column in blocks] or [np.zeros(0)])
        for name in ("population", "covered", "unknown")
    )
    table |= {
        "population": population,
        "covered_people": covered,
        "uncovered_people": population - covered - unknown,
        "unknown_people": unknown,
        "covered_share": share_of(covered, population),
    }
    return pd.DataFrame(table, columns=list(RESULT_COLUMNS))


def share_of(people: NDArray[np.float64], population: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return people / population, NaN where the population is 0."""
    share = np.full(len(population), np.nan)
    return np.divide(people, population, out=share, where=population > 0)
