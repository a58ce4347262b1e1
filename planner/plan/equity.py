"""How fairly what the places offer is shared, before and after the proposed sites open, or in two studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from planner.coverage.areas import area_membership, level_of, towns_of_villages
from planner.coverage.catchment import ENHANCED_WEIGHTS, PLAIN_WEIGHTS, catchment, zone_weights
from planner.coverage.fairness import PER_PEOPLE, area_sums, gini
from planner.coverage.minutes import access_of
from planner.coverage.people import people_by_group
from planner.coverage.places import ONLINE_WAY
from planner.errors import InputError
from planner.network.snap import snap_table
from planner.plan.ready import areas_of, demand_access
from planner.reach.access import chosen
from planner.reach.travel_times import nearest, travel_times
from planner.units import CENTISECONDS_PER_MINUTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from planner.network.road_network import Snapped
    from planner.plan.ready import Reach

Supply = Literal["capacity", "place"]
BEFORE, AFTER = "before", "after"
_PLACE_COLUMNS = ["facility_id", "name", "tier", "capacity", "geometry"]


@dataclass(frozen=True)
class Equity:
    """How fairly what the places of the main tier offer is shared.

    Attributes
    ----------
    summary : one row per state ("before", "after") and profile: n_places, supply ("capacity" = seats, "place" = each
        place counts one), supply_total, population, known_people, unknown_people, people_per_place,
        supply_per_1000, gini_two_step, gini_enhanced (over villages, by their people), covered_people, cut_off_people,
        person_min_over.
    areas : one row per state, profile and area (county, towns, villages): area_level, area_id, area_name, then
        `fairness.VILLAGE_COLUMNS`, with two_step_per_1000 and enhanced_per_1000 in place of the scores a head.
    villages : for the main profile one row per village as a layer: area_id, area_name, town_name, population, covered
        share, people x minutes over and both scores, those after the opening with `_after`.
    places : one row per state, profile and place: facility_id, name, tier, is_new, offered (in the unit of `supply`),
        reached_people (within the limit), nearest_people (within the limit, and no place is nearer), supply_per_1000
        (of the reached).
    """

    summary: pd.DataFrame
    areas: pd.DataFrame
    villages: gpd.GeoDataFrame
    places: pd.DataFrame


def equity(
    reach: Reach,
    access: pd.DataFrame | None = None,
    opened: gpd.GeoDataFrame | None = None,
    supply: Supply | None = None,
) -> Equity:
    """Return how fairly the places of the main tier are shared; with `opened`, also after these candidates open.

    Parameters
    ----------
    access : of `demand_access`, where it is at hand.
    opened : candidates that open (columns candidate_id, name, and where known tier, capacity, way); None or empty:
        before only.
    supply : what a place offers; None = seats where every place has a capacity, else each place counts one.

    Raises
    ------
    InputError
        When an opened candidate is an online platform (way 6), or seats are asked for and some place has no capacity.
    """
    access = demand_access(reach) if access is None else access
    places = _places_before(reach)
    states = [(BEFORE, places)]
    if opened is not None and len(opened):
        states.append((AFTER, _places_after(places, opened)))
    measure = supply_of(states[-1][1], supply)
    summaries, areas, offers = [], [], []
    for code in reach.profiles:
        # The places of before stand first among those of after: their rows are the first ones.
        all_pairs, minutes = _travel(reach, access, states[-1][1], code)
        for state, table in states:
            pairs = all_pairs[: len(table)]
            of_area = _of_areas(reach, pairs, minutes[state], _offered(table, measure))
            of_place = _of_places(reach, pairs, table, _offered(table, measure))
            key = {"state": state, "profile": code}
            areas.append(of_area.assign(**key))
            offers.append(of_place.assign(**key))
            summaries.append({**key, **_summary(of_area, of_place, measure)})
    long = _keys_first(pd.concat(areas, ignore_index=True))
    return Equity(
        summary=pd.DataFrame(summaries).sort_values("state", ascending=False, kind="stable", ignore_index=True),
        areas=long,
        villages=_village_layer(reach, long),
        places=_keys_first(pd.concat(offers, ignore_index=True)),
    )


def supply_of(places: pd.DataFrame, asked: Supply | None) -> Supply:
    """Return what a place offers in the figures: what was asked, else seats where every place has a capacity.

    Raises
    ------
    InputError
        When seats are asked for and some place has none.
    """
    without = places.loc[~(places["capacity"].astype(float) > 0), "facility_id"]
    if asked == "capacity" and len(without):
        first = ", ".join(map(str, without[:5]))
        raise InputError(f"{len(without)} places have no capacity ({first}). Give them one, or count places.")
    return asked or ("place" if len(without) or not len(places) else "capacity")


def compared(before: Equity, after: Equity) -> pd.DataFrame:
    """Return the summaries of two studies below one another: the first as "before", the second as "after".

    Raises
    ------
    InputError
        When one of them counts seats and the other places: their figures cannot be set side by side.
    """
    if {*before.summary["supply"]} != {*after.summary["supply"]}:
        raise InputError(
            "One study counts seats, the other places, because some place in it has no capacity. "
            "Give --supply place, or give every place in both its capacity."
        )
    rows = [before.summary[before.summary["state"] == BEFORE]]
    rows.append(after.summary[after.summary["state"] == BEFORE].assign(state=AFTER))
    return pd.concat(rows, ignore_index=True)


def _places_before(reach: Reach) -> gpd.GeoDataFrame:
    counted = reach.scenario.tiers_of(reach.scenario.main_tier)
    facilities = reach.facilities
    rows = facilities if counted is None else facilities[facilities["tier"].isin(counted)]
    return gpd.GeoDataFrame(rows.reindex(columns=_PLACE_COLUMNS), crs=reach.study.crs).assign(is_new=False)


def _places_after(places: gpd.GeoDataFrame, opened: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if "way" in opened.columns and (opened["way"].astype(str) == ONLINE_WAY).any():
        raise InputError("An online platform (way 6) cannot be opened as a place. Choose candidates of ways 1 to 5.")
    new = gpd.GeoDataFrame(opened.rename(columns={"candidate_id": "facility_id"}).reindex(columns=_PLACE_COLUMNS))
    both = pd.concat([places.astype({"capacity": float}), new.astype({"capacity": float}).assign(is_new=True)])
    return gpd.GeoDataFrame(both.reset_index(drop=True), crs=places.crs)


def _travel(
    reach: Reach, access: pd.DataFrame, places: gpd.GeoDataFrame, code: str
) -> tuple[sparse.csr_array, dict[str, NDArray[np.float64]]]:
    """Return the minutes of every pair within the limit, and those to the nearest place before and after."""
    scenario, points = reach.scenario, reach.demand[code]
    ids = list(reach.study.table("demand")["demand_id"])
    before = access_of(access, ids, code, scenario.main_tier)["travel_time_min"].to_numpy(dtype=float)
    if not len(places):
        return sparse.csr_array((0, len(points))), {BEFORE: before}
    network = {code: reach.profiles[code]}
    snapped = snap_table(network, places, "facility_id", reach.study.tables.get("barriers"))[code]
    pairs = travel_times(reach.profiles[code], snapped, points, scenario.cutoff_min, scenario.direction).minutes()
    new = chosen(snapped, np.flatnonzero(places["is_new"]))
    return pairs, {BEFORE: before, AFTER: _with_new(reach, before, new, code)}


def _offered(places: pd.DataFrame, measure: Supply) -> NDArray[np.float64]:
    return places["capacity"].to_numpy(dtype=float) if measure == "capacity" else np.ones(len(places))


def _of_areas(
    reach: Reach, pairs: sparse.csr_array, minutes: NDArray[np.float64], offered: NDArray[np.float64]
) -> pd.DataFrame:
    cutoff = reach.scenario.cutoff_min
    people = people_by_group(reach.study.table("demand"))["all"].to_numpy()
    scores = pd.DataFrame({
        name: catchment(zone_weights(pairs, cutoff, weights), offered, people).score
        for name, weights in (("two_step", PLAIN_WEIGHTS), ("enhanced", ENHANCED_WEIGHTS))
    })  # fmt: skip
    membership = area_membership(reach.assigned, areas_of(reach.study))
    sums = area_sums(membership.matrix, people, minutes, scores, cutoff)
    per_1000 = sums[["two_step", "enhanced"]].mul(PER_PEOPLE).add_suffix("_per_1000")
    return pd.concat([membership.rows, sums.drop(columns=["two_step", "enhanced"]), per_1000], axis=1)


def _of_places(
    reach: Reach, pairs: sparse.csr_array, places: pd.DataFrame, offered: NDArray[np.float64]
) -> pd.DataFrame:
    people = people_by_group(reach.study.table("demand"))["all"].to_numpy()
    reached = np.asarray(zone_weights(pairs, reach.scenario.cutoff_min, PLAIN_WEIGHTS) @ people)
    table = pd.DataFrame(places[["facility_id", "name", "tier", "is_new"]]).assign(
        offered=offered,
        reached_people=reached,
        nearest_people=_nearest_people(pairs, people, places["facility_id"].astype(str).to_numpy()),
        supply_per_1000=np.divide(PER_PEOPLE * offered, reached, out=np.full(len(places), np.nan), where=reached > 0),
    )
    return table.reset_index(drop=True)


def _with_new(reach: Reach, minutes: NDArray[np.float64], new: Snapped, code: str) -> NDArray[np.float64]:
    """Return the minutes to the nearest place when new ones stand beside the others; unknown stays unknown."""
    if not len(new):
        return minutes
    found = nearest(reach.profiles[code], new, reach.demand[code], reach.scenario.direction)
    to_new = np.where(found.place[:, 0] >= 0, found.time_cs[:, 0] / CENTISECONDS_PER_MINUTE, np.inf)
    return np.where(np.isnan(minutes), np.nan, np.minimum(minutes, to_new))


def _nearest_people(
    pairs: sparse.csr_array, people: NDArray[np.float64], ids: NDArray[np.object_]
) -> NDArray[np.float64]:
    """Return the people within the limit for whom no place is nearer; ties go to the place whose id sorts first."""
    table = pairs.tocoo()
    place, point = table.coords
    by_id = np.argsort(np.argsort(ids, kind="stable"), kind="stable")
    order = np.lexsort((by_id[place], table.data, point))
    _, first = np.unique(point[order], return_index=True)
    best = order[first]
    return np.bincount(place[best], people[point[best]], minlength=pairs.shape[0]).astype(np.float64)


def _summary(of_area: pd.DataFrame, of_place: pd.DataFrame, measure: Supply) -> dict[str, Any]:
    county = of_area[(of_area["area_level"] == "county") & of_area["area_class"].isna()].iloc[0]
    villages = of_area[of_area["area_level"] == "village"]
    total, n_places = float(of_place["offered"].sum()), len(of_place)
    population = float(county["population"])
    return {
        "n_places": n_places,
        "supply": measure,
        "supply_total": total,
        **{name: float(county[name]) for name in ("population", "known_people", "unknown_people")},
        "people_per_place": population / n_places if n_places else np.nan,
        "supply_per_1000": PER_PEOPLE * total / population if population else np.nan,
        **{
            f"gini_{name}": gini(villages[f"{name}_per_1000"], villages["known_people"])
            for name in ("two_step", "enhanced")
        },
        **{name: float(county[name]) for name in ("covered_people", "cut_off_people", "person_min_over")},
    }


def _keys_first(table: pd.DataFrame) -> pd.DataFrame:
    return table[["state", "profile", *table.columns.drop(["state", "profile"])]]


def _village_layer(reach: Reach, long: pd.DataFrame) -> gpd.GeoDataFrame:
    areas = areas_of(reach.study)
    villages, towns = level_of(areas, "village"), level_of(areas, "town")
    if villages is None:
        return gpd.GeoDataFrame(geometry=[], crs=reach.study.crs)
    figures = ["covered_share", "person_min_over", "two_step_per_1000", "enhanced_per_1000"]
    rows = long[(long["area_level"] == "village") & (long["profile"] == reach.scenario.main_profile)]
    before = rows[rows["state"] == BEFORE].set_index("area_id")
    table = before[["area_name", "population", "unknown_people", *figures]]
    after = rows[rows["state"] == AFTER].set_index("area_id")[figures].add_suffix("_after")
    if len(after):
        table = table.join(after)
    names = {} if towns is None else dict(zip(towns["area_id"], towns["name"], strict=True))
    town_of = towns_of_villages(areas)
    table = table.reindex(villages["area_id"]).reset_index()
    table.insert(2, "town_name", [names.get(town_of.get(key)) for key in table["area_id"]])
    return gpd.GeoDataFrame(table, geometry=villages.geometry.to_numpy(), crs=reach.study.crs)
