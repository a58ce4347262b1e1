"""From a county's tables, travel times and a planner's wishes to a siting problem."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from planner.coverage.minutes import is_covered
from planner.errors import InputError
from planner.siting.problem import BY_MINUTES, Quota, SitingProblem
from planner.study import point_xy
from planner.wishes import EVERY_SETTLEMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from planner.wishes import Wishes

ONLINE_WAY = "6"
EXISTING_ROW = "existing places"
_SITE_LABELS = ("town", "village", "tier", "way")
_DEMAND_LABELS = ("town", "village", "class", "settlement")
# Existing places serve those within reach as they do today, however many.
_ANY_NUMBER = 1e12


@dataclass(frozen=True, eq=False)
class Ground:
    """What siting is asked about: candidates, people, existing places and the minutes between them.

    Attributes
    ----------
    candidates : columns candidate_id, and where known name, way, tier, town, village (ids or names), cost, capacity;
        `excluded` (why a candidate is not to be opened: "refused", "other-tier"; None = it may); with a `geometry` in
        metres where spacing is asked. Way 6 (online) covers nobody and is never proposed.
    demand : columns demand_id, population, and where known age60, children, relocated, town, village, class,
        settlement. A settlement that must be served may be a row with population 0.
    minutes : travel minutes, candidates x demand, absent = not reachable.
    existing_min : minutes to the nearest existing place that is not in `places`, [n_demand]; inf = none, NaN = unknown
        (nobody can tell whom a new place would reach there, so its people count as covered by none).
    cutoff_min : the time limit.
    places : existing places that stand as rows of their own: column facility_id, and where known name; None = none.
    place_minutes : travel minutes, places x demand.
    names : kind ("town", "village", "settlement", ...) -> id -> name, for tables that hold ids.
    """

    candidates: pd.DataFrame
    demand: pd.DataFrame
    minutes: sparse.csr_matrix
    existing_min: NDArray[np.float64]
    cutoff_min: float
    places: pd.DataFrame | None = None
    place_minutes: sparse.csr_matrix | None = None
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def site_ids(self) -> list[str]:
        """Ids of the candidates, in their order."""
        return [str(each) for each in self.candidates["candidate_id"]]

    @property
    def place_ids(self) -> list[str]:
        """Ids of the existing places that are rows of their own."""
        return [] if self.places is None else [str(each) for each in self.places["facility_id"]]

    @property
    def demand_ids(self) -> list[str]:
        """Ids of the demand points."""
        return [str(each) for each in self.demand["demand_id"]]

    def name_of(self, kind: str, value: str) -> str:
        """Return the name of an id; the id itself where none is known."""
        return self.names.get(kind, {}).get(value, value)


def problem_of(ground: Ground, wishes: Wishes) -> SitingProblem:
    """Return the siting problem: rows are the candidates, then `ground.places`, then one for all other existing places.

    Raises
    ------
    InputError
        When tables and minutes do not fit, an id or name does not exist, or a cost or capacity is missing.
    """
    n, n_places, m = len(ground.candidates), len(ground.place_ids), len(ground.demand)
    parts = (ground.minutes.shape, ground.existing_min.shape, (n_places, m))
    if parts != ((n, m), (m,), (0, m) if ground.place_minutes is None else ground.place_minutes.shape):
        raise InputError(f"{n} candidates, {n_places} places and {m} demand points do not fit the minutes {parts[:2]}.")
    times = _stacked(ground)
    existing = [*range(n, n + n_places), n + n_places]
    names = [*ground.site_ids, *(_free_name(each, ground.site_ids) for each in ground.place_ids), EXISTING_ROW]
    covers = _within(times, ground.cutoff_min)
    if wishes.objective in BY_MINUTES:
        times = _nearer(times, ground, wishes)
    places = {name: n + row for row, name in enumerate(ground.place_ids)}
    return SitingProblem(
        weights=ground.demand["population"].to_numpy(dtype=np.float64),
        covers=covers,
        minutes=times,
        cutoff_min=ground.cutoff_min,
        existing=existing,
        costs=_costs(ground, wishes),
        row_ids=names,
        demand_ids=ground.demand_ids,
        labels=_site_labels(ground),
        demand_labels={kind: _words(ground.demand, kind) for kind in _DEMAND_LABELS if kind in ground.demand},
        lock_in=_rows(wishes.lock_in, _positions(ground.site_ids), "candidate"),
        lock_out=sorted(exclusions(ground, wishes)),
        closable=_rows(wishes.closable, places, "existing place"),
        movable=_rows(wishes.movable, places, "existing place"),
        must_serve=_must_serve(ground, wishes),
        quotas=[_resolved(quota, ground) for quota in wishes.quotas],
        one_per=wishes.one_per,
        conflicts=close_pairs(ground.candidates, wishes.spacing_m),
        groups={name: _group(ground, name) for name in wishes.group_factors},
        group_factors={str(name): factor for name, factor in wishes.group_factors.items()},
        capacities=_capacities(ground) if wishes.has_capacities else None,
        fair_by=wishes.fair_by,
    )


def exclusions(ground: Ground, wishes: Wishes) -> dict[int, str]:
    """Return why candidates must not be opened, by row: "online", "vetoed" or what `ground` says of them."""
    reasons: dict[int, str] = {}
    if "excluded" in ground.candidates:
        reasons = {row: str(why) for row, why in enumerate(ground.candidates["excluded"]) if isinstance(why, str)}
    reasons |= dict.fromkeys(_rows(wishes.lock_out, _positions(ground.site_ids), "candidate"), "vetoed")
    return reasons | dict.fromkeys(_online(ground.candidates), "online")


def _stacked(ground: Ground) -> sparse.csr_matrix:
    """Stack the candidates' minutes, online ones emptied, those of single places, and those of the others."""
    parts = [ground.minutes.tocsr()]
    if ground.place_minutes is not None:
        parts.append(ground.place_minutes.tocsr())
    online = np.zeros(len(ground.candidates) + len(ground.place_ids), dtype=bool)
    online[_online(ground.candidates)] = True
    above = sparse.vstack(parts, format="csr")
    row = np.repeat(np.arange(above.shape[0]), np.diff(above.indptr))
    keep = ~online[row]
    reached = np.flatnonzero(np.isfinite(ground.existing_min))
    rows = np.concatenate([row[keep], np.full(reached.size, above.shape[0])])
    return sparse.csr_matrix(
        (
            np.concatenate([above.data[keep], ground.existing_min[reached]]).astype(np.float64),
            np.concatenate([above.indices[keep], reached]),
            np.searchsorted(rows, np.arange(above.shape[0] + 2)),
        ),
        shape=(above.shape[0] + 1, above.shape[1]),
    )


def _within(times: sparse.csr_matrix, cutoff_min: float) -> sparse.csr_matrix:
    row = np.repeat(np.arange(times.shape[0]), np.diff(times.indptr))
    keep = is_covered(times.data, cutoff_min)
    first = np.searchsorted(row[keep], np.arange(times.shape[0] + 1))
    return sparse.csr_matrix((np.ones(int(keep.sum()), dtype=bool), times.indices[keep], first), shape=times.shape)


def _nearer(times: sparse.csr_matrix, ground: Ground, wishes: Wishes) -> sparse.csr_matrix:
    """Return the minutes without pairs that no plan uses: excluded candidates, and where a place that stays is nearer.

    Whom only an excluded candidate reaches is so reached by nobody, and no plan has to.
    """
    nearest = np.where(np.isnan(ground.existing_min), np.inf, ground.existing_min)
    optional = {*wishes.closable, *wishes.movable}
    stays = [row for row, name in enumerate(ground.place_ids) if name not in optional]
    if stays and ground.place_minutes is not None:
        part = ground.place_minutes[stays].tocsr()
        np.minimum.at(nearest, part.indices, part.data)
    row = np.repeat(np.arange(times.shape[0]), np.diff(times.indptr))
    keep = (row >= len(ground.candidates)) | (times.data < nearest[times.indices])
    keep &= ~np.isin(row, [*exclusions(ground, wishes)])
    first = np.searchsorted(row[keep], np.arange(times.shape[0] + 1))
    return sparse.csr_matrix((times.data[keep], times.indices[keep], first), shape=times.shape)


def _free_name(name: str, taken: Sequence[str]) -> str:
    """Return a place's id, marked where a candidate has the same."""
    return f"{name} (place)" if name in taken else name


def _site_labels(ground: Ground) -> dict[str, list[str | None]]:
    # Existing places carry no label: quotas and "one per village" speak of new ones.
    blank: list[str | None] = [None] * (len(ground.place_ids) + 1)
    return {kind: [*_words(ground.candidates, kind), *blank] for kind in _SITE_LABELS if kind in ground.candidates}


def _online(candidates: pd.DataFrame) -> list[int]:
    if "way" not in candidates:
        return []
    return [row for row, way in enumerate(candidates["way"]) if str(way).removesuffix(".0") == ONLINE_WAY]


def _words(table: pd.DataFrame, column: str) -> list[str | None]:
    return [None if value is None or value != value or value == "" else str(value) for value in table[column]]  # noqa: PLR0124


def _costs(ground: Ground, wishes: Wishes) -> NDArray[np.float64] | None:
    candidates = ground.candidates
    if wishes.objective == "min-sites" and not wishes.by_cost:
        return None
    if "cost" not in candidates:
        if wishes.needs_costs:
            raise InputError(
                "A budget, or the cheapest sites, needs the candidates' `cost`: import them with that column."
            )
        return None
    costs = candidates["cost"].to_numpy(dtype=np.float64, na_value=np.nan)
    # A candidate that is never opened needs no cost.
    idle = np.zeros(costs.size, dtype=bool)
    idle[list(exclusions(ground, wishes))] = True
    costs = np.where(idle & np.isnan(costs), 0.0, costs)
    missing = [str(each) for each in candidates["candidate_id"][np.isnan(costs)]]
    if missing and wishes.needs_costs:
        raise InputError(
            f"A budget, or the cheapest sites, needs the cost of every candidate; {missing[:5]} ({len(missing)}) have "
            "none. Fill in their cost, or exclude them with lock_out."
        )
    return None if missing else np.concatenate([costs, np.zeros(len(ground.place_ids) + 1)])


def _capacities(ground: Ground) -> NDArray[np.float64]:
    candidates = ground.candidates
    if "capacity" not in candidates or candidates["capacity"].isna().any():
        ids = ground.site_ids
        missing = (
            [name for name, gap in zip(ids, candidates["capacity"].isna(), strict=True) if gap]
            if ("capacity" in candidates)
            else ids
        )
        raise InputError(
            f"Capacities are asked for, but candidates {missing[:5]} ({len(missing)}) have no `capacity`. Fill it in."
        )
    own = candidates["capacity"].to_numpy(dtype=np.float64)
    return np.concatenate([own, np.full(len(ground.place_ids) + 1, _ANY_NUMBER)])


def _group(ground: Ground, name: str) -> NDArray[np.float64]:
    if name not in ground.demand:
        raise InputError(f"People of the group '{name}' are to weigh more, but demand has no column `{name}`.")
    return ground.demand[name].fillna(0).to_numpy(dtype=np.float64)


def _positions(ids: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(ids)}


def _rows(names: Sequence[str], place: Mapping[str, int], what: str) -> list[int]:
    missing = [name for name in names if str(name) not in place]
    if missing:
        known = ", ".join([*place][:5])
        raise InputError(
            f"There is no {what} {missing[:5]} ({len(missing)}). Ids are written like {known or '(none)'}."
        )
    return [place[str(name)] for name in names]


def _must_serve(ground: Ground, wishes: Wishes) -> list[int]:
    """Return the demand rows that must be covered: settlements by id or name, "all" of them, or demand points by id."""
    labels = _words(ground.demand, "settlement") if "settlement" in ground.demand else []
    every = [row for row, label in enumerate(labels) if label is not None]
    rows: list[int] = []
    for wanted in wishes.must_serve:
        place = _positions(ground.demand_ids)
        if wanted == EVERY_SETTLEMENT and wanted not in place:
            if not every:
                raise InputError("All settlements must be served, but the study has none: import them first.")
            rows += every
        elif wanted in place:
            rows.append(place[wanted])
        else:
            named = [row for row in every if ground.name_of("settlement", str(labels[row])) == wanted]
            rows.append(_only_one(named, wanted, "settlement or demand point", ground.demand_ids))
    return sorted(set(rows))


def _only_one(rows: Sequence[int], wanted: str, what: str, ids: Sequence[str]) -> int:
    if len(rows) > 1:
        named = [ids[row] for row in rows[:5]]
        raise InputError(f"{len(rows)} are called '{wanted}'. Say which by its id: {named}.")
    if not rows:
        raise InputError(f"There is no {what} ['{wanted}'] (1). Ids are written like {', '.join(ids[-5:])}.")
    return rows[0]


def _resolved(quota: Quota, ground: Ground) -> Quota:
    """Return the quota with the id of its town, village, tier or way instead of a name."""
    if quota.label not in ground.candidates:
        raise InputError(
            f"A quota speaks of {quota.label} '{quota.value}', but candidates have no {quota.label}. Import boundaries "
            "or fill in the column."
        )
    names = ground.names.get(quota.label, {})
    known = {*names, *(value for value in _words(ground.candidates, quota.label) if value is not None)}
    if quota.value in known:
        return quota
    called = sorted(value for value, name in names.items() if name == quota.value)
    if len(called) == 1:
        return Quota(quota.label, called[0], quota.minimum, quota.maximum)
    if called:
        raise InputError(
            f"{len(called)} have the name '{quota.value}'. Say which {quota.label} by its id: {called[:5]}."
        )
    shown = [names.get(value, value) for value in sorted(known)]
    raise InputError(f"There is no {quota.label} '{quota.value}'. There are {shown[:8]} ({len(shown)}).")


def close_pairs(candidates: pd.DataFrame, spacing_m: float) -> NDArray[np.int64]:
    """Return pairs of candidates nearer to each other than `spacing_m` in a straight line, [n_pairs, 2]."""
    if spacing_m <= 0 or len(candidates) < 2:  # noqa: PLR2004  a pair
        return np.zeros((0, 2), dtype=np.int64)
    from scipy.spatial import cKDTree

    xy = point_xy(candidates)
    known = np.flatnonzero(~np.isnan(xy[:, 0]))
    pairs = known[cKDTree(xy[known]).query_pairs(spacing_m, output_type="ndarray")].reshape(-1, 2)
    apart = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    return pairs[apart < spacing_m].astype(np.int64)
