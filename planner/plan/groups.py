"""Places together: practice belts along a corridor, clusters of places within a few minutes of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.coverage.belts import make_belts
from planner.coverage.clusters import make_clusters
from planner.network.snap import snap_table
from planner.reach.access import places_by_id

if TYPE_CHECKING:
    from planner.coverage.belts import Belts
    from planner.coverage.clusters import Clusters
    from planner.plan.ready import Reach


def practice_belts(reach: Reach) -> Belts:
    """Return the belts of the scenario (else those of the table `corridors`) as ordered chains of places.

    All physical places are taken, light ones too: wayside hubs stand on belts.

    Raises
    ------
    InputError
        When the study has no places.
    """
    places = places_by_id(reach.study.table("facilities"))
    snapped = snap_table(reach.profiles, places, "facility_id", reach.study.tables.get("barriers"))
    return make_belts(reach.study, reach.scenario, places, reach.profiles, snapped)


def town_clusters(reach: Reach) -> Clusters:
    """Return the clusters of every town by the main profile: places of which every pair is within `cluster_min`.

    Raises
    ------
    InputError
        When the study has no places.
    """
    code = reach.scenario.main_profile
    network = reach.profiles[code]
    places = places_by_id(reach.study.table("facilities"))
    snapped = snap_table({code: network}, places, "facility_id", reach.study.tables.get("barriers"))[code]
    return make_clusters(reach.study, places, (network, snapped), reach.scenario.cluster_min)
