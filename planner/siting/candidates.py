"""From travel times and a county's tables to a siting problem, and its answer as a table of proposals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from planner.coverage.minutes import is_covered
from planner.errors import InputError
from planner.progress import SILENT, Progress
from planner.siting.problem import SitingProblem
from planner.siting.solve import solve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from planner.siting.problem import Objective, Quota
    from planner.siting.solution import SitingSolution

ONLINE_WAY = "6"
EXISTING_ROW = "existing places"
_SITE_LABELS = ("town", "village", "tier", "way")
_DEMAND_LABELS = ("town", "village", "class", "settlement")


@dataclass(frozen=True)
class Wishes:
    """What a planner wants of new places.

    Attributes
    ----------
    cutoff_min : the time limit.
    n_new, budget : most new sites; most cost, in the unit of the candidates' `cost`.
    objective, cover_share : as in `planner.siting.solve.solve`.
    group_factors : group column of demand ("age60", "relocated") -> how many times its people count.
    lock_in, lock_out : candidate ids that must, or must never, be opened.
    must_serve : demand ids that have to be covered.
    quotas, one_per : as in `SitingProblem`, over the labels "town", "village", "tier", "way".
    spacing_m : two opened candidates are at least so far apart, in a straight line; 0 = no rule.
    fair_by : demand label ("town") whose worst-served value is lifted first.
    has_capacities : whether the candidates' `capacity` limits whom they serve.
    time_limit_s, gap_share : when to stop.
    """

    cutoff_min: float
    n_new: int | None = None
    budget: float | None = None
    objective: Objective = "max-cover"
    cover_share: float = 1.0
    group_factors: Mapping[str, float] = field(default_factory=dict)
    lock_in: Sequence[str] = ()
    lock_out: Sequence[str] = ()
    must_serve: Sequence[str] = ()
    quotas: Sequence[Quota] = ()
    one_per: Sequence[str] = ()
    spacing_m: float = 0.0
    fair_by: str | None = None
    has_capacities: bool = False
    time_limit_s: float = 60.0
    gap_share: float = 0.0


@dataclass(frozen=True, eq=False)
class Proposals:
    """Proposed sites: the problem, its solution, and figures in new people.

    Attributes
    ----------
    problem : rows = the candidates in their order, then one row that stands for all existing places.
    solution : its answer.
    """

    problem: SitingProblem
    solution: SitingSolution

    def summary(self) -> dict[str, Any]:
        """Return status, gain, bound and the chosen candidates as plain values.

        `objective_people` and `bound_people` count people beyond those whom existing places cover, so the marginal
        people of the chosen add up to `objective_people`. `total_people` of a site are all the people not covered
        before whom it covers by itself.
        """
        solution = self.solution
        gained = solution.value - solution.base_value
        bound = solution.bound - solution.base_value
        return {
            "status": solution.status,
            "objective_people": gained,
            "bound_people": bound,
            "gap_share": max(0.0, bound - gained) / gained if gained > 0 else (0.0 if bound <= 0 else 1.0),
            "certified_bound_people": solution.certified_bound - solution.base_value,
            "proven_by": solution.proven_by,
            "chosen": [
                {
                    "candidate_id": site.site_id,
                    "rank": site.rank,
                    "marginal_people": site.marginal,
                    "total_people": site.total,
                    "towns": list(site.covers.get("town", ())),
                    "villages": list(site.covers.get("village", ())),
                    "settlements": list(site.covers.get("settlement", ())),
                    "substitute_id": None if site.substitute is None else self.problem.row_name(site.substitute),
                    "substitute_loss_people": site.loss,
                }
                for site in solution.sites
            ],
        }


def propose_sites(
    candidates: pd.DataFrame,
    demand: pd.DataFrame,
    minutes: sparse.csr_matrix,
    existing_min: ArrayLike,
    wishes: Wishes,
    progress: Progress = SILENT,
) -> Proposals:
    """Return the candidates that serve `wishes` best, with existing places as they are.

    Parameters
    ----------
    candidates : columns candidate_id, and where known way, tier, town, village, cost, capacity; with a `geometry` in
        metres where `wishes.spacing_m` is set. Way 6 (online) covers nobody and is never proposed.
    demand : columns demand_id, population, and where known age60, children, relocated, town, village, class,
        settlement. A settlement that must be served may be a row with population 0.
    minutes : travel minutes, candidates x demand, absent = not reachable.
    existing_min : minutes to the nearest existing place, [n_demand]; inf = none, NaN = unknown (nobody can tell whom a
        new place would reach there, so its people count as covered by none).
    wishes : what is wanted.
    progress : hears value, bound and gap.

    Raises
    ------
    InputError
        When tables and minutes do not fit, or an id does not exist.
    """
    problem = problem_of(candidates, demand, minutes, existing_min, wishes)
    solution = solve(
        problem,
        wishes.objective,
        n_new=wishes.n_new,
        budget=wishes.budget,
        cover_share=wishes.cover_share,
        time_limit_s=wishes.time_limit_s,
        gap_share=wishes.gap_share,
        progress=progress,
    )
    return Proposals(problem, solution)


def problem_of(
    candidates: pd.DataFrame,
    demand: pd.DataFrame,
    minutes: sparse.csr_matrix,
    existing_min: ArrayLike,
    wishes: Wishes,
) -> SitingProblem:
    """Return the siting problem of a county: candidates in their order, then one row for all existing places."""
    nearest = np.asarray(existing_min, dtype=np.float64)
    n, m = len(candidates), len(demand)
    if minutes.shape != (n, m) or nearest.shape != (m,):
        raise InputError(
            f"{n} candidates and {m} demand points do not fit minutes {minutes.shape} and existing {nearest.shape}."
        )
    site_ids = [str(each) for each in candidates["candidate_id"]]
    demand_ids = [str(each) for each in demand["demand_id"]]
    times = _with_existing(candidates, minutes.tocsr(), nearest)
    covers = times.copy()
    covers.data = is_covered(times.data, wishes.cutoff_min)
    rows = np.repeat(np.arange(n + 1), np.diff(covers.indptr))[covers.data]
    first = np.searchsorted(rows, np.arange(n + 2))
    covers = sparse.csr_matrix((np.ones(rows.size, dtype=bool), covers.indices[covers.data], first), shape=times.shape)
    return SitingProblem(
        weights=demand["population"].to_numpy(dtype=np.float64),
        covers=covers,
        minutes=times,
        cutoff_min=wishes.cutoff_min,
        existing=[n],
        costs=_costs(candidates, wishes),
        row_ids=[*site_ids, EXISTING_ROW],
        demand_ids=demand_ids,
        labels={kind: [*_words(candidates, kind), None] for kind in _SITE_LABELS if kind in candidates},
        demand_labels={kind: _words(demand, kind) for kind in _DEMAND_LABELS if kind in demand},
        lock_in=_positions(wishes.lock_in, site_ids, "candidate"),
        lock_out=sorted({*_positions(wishes.lock_out, site_ids, "candidate"), *_online(candidates)}),
        must_serve=_positions(wishes.must_serve, demand_ids, "demand point"),
        quotas=wishes.quotas,
        one_per=wishes.one_per,
        conflicts=close_pairs(candidates, wishes.spacing_m),
        groups={name: demand[name].fillna(0).to_numpy(dtype=np.float64) for name in wishes.group_factors},
        group_factors=wishes.group_factors,
        capacities=_capacities(candidates) if wishes.has_capacities else None,
        fair_by=wishes.fair_by,
    )


def _with_existing(
    candidates: pd.DataFrame, minutes: sparse.csr_matrix, nearest: NDArray[np.float64]
) -> sparse.csr_matrix:
    """Stack the candidates' minutes, online ones emptied, and the minutes of existing places as a last row."""
    online = np.zeros(len(candidates), dtype=bool)
    online[_online(candidates)] = True
    row = np.repeat(np.arange(len(candidates)), np.diff(minutes.indptr))
    keep = ~online[row]
    reached = np.flatnonzero(np.isfinite(nearest))
    rows = np.concatenate([row[keep], np.full(reached.size, len(candidates))])
    return sparse.csr_matrix(
        (
            np.concatenate([minutes.data[keep], nearest[reached]]).astype(np.float64),
            np.concatenate([minutes.indices[keep], reached]),
            np.searchsorted(rows, np.arange(len(candidates) + 2)),
        ),
        shape=(len(candidates) + 1, minutes.shape[1]),
    )


def _online(candidates: pd.DataFrame) -> list[int]:
    if "way" not in candidates:
        return []
    return np.flatnonzero([str(way) == ONLINE_WAY for way in candidates["way"]]).tolist()


def _words(table: pd.DataFrame, column: str) -> list[str | None]:
    return [None if value is None or value != value or value == "" else str(value) for value in table[column]]  # noqa: PLR0124


def _costs(candidates: pd.DataFrame, wishes: Wishes) -> NDArray[np.float64] | None:
    if "cost" not in candidates:
        if wishes.budget is not None:
            raise InputError("A budget needs the candidates' `cost`.")
        return None
    costs = candidates["cost"].to_numpy(dtype=np.float64, na_value=np.nan)
    missing = [str(each) for each in candidates["candidate_id"][np.isnan(costs)]]
    if missing and wishes.budget is not None:
        raise InputError(f"A budget needs the cost of every candidate; {missing[:5]} ({len(missing)}) have none.")
    if wishes.budget is None and missing:
        return None
    return np.concatenate([costs, [0.0]])


def _capacities(candidates: pd.DataFrame) -> NDArray[np.float64]:
    if "capacity" not in candidates or candidates["capacity"].isna().any():
        raise InputError("Capacities are asked for, but not every candidate has a `capacity`.")
    # Existing places serve those within reach as they do today, however many.
    return np.concatenate([candidates["capacity"].to_numpy(dtype=np.float64), [1e12]])


def _positions(names: Sequence[str], ids: Sequence[str], what: str) -> list[int]:
    place = {name: at for at, name in enumerate(ids)}
    missing = [name for name in names if str(name) not in place]
    if missing:
        raise InputError(f"There is no {what} {missing[:5]} ({len(missing)}).")
    return [place[str(name)] for name in names]


def close_pairs(candidates: pd.DataFrame, spacing_m: float) -> NDArray[np.int64]:
    """Return pairs of candidates nearer to each other than `spacing_m` in a straight line, [n_pairs, 2]."""
    if spacing_m <= 0:
        return np.zeros((0, 2), dtype=np.int64)
    from scipy.spatial import cKDTree

    geometry = candidates["geometry"]
    points = np.array([(point.x, point.y) for point in geometry])
    pairs = cKDTree(points).query_pairs(spacing_m, output_type="ndarray")
    apart = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    return pairs[apart < spacing_m].astype(np.int64)
