"""What a synthetic county has: the figures that its generator has to meet exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.errors import ScenarioError

HANBIN_TOWNS = 27
"""Towns and subdistricts of the county that the default figures are shaped like (Hanbin district, 2022)."""


@dataclass(frozen=True)
class DemoSpec:
    """The size and the seed of a synthetic county; the defaults are shaped like Hanbin district in 2022.

    Attributes
    ----------
    name : of the county, invented.
    seed : of everything that is drawn by lot.
    area_km2 : of the county, met to within one grid cell in a thousand.
    center_x, center_y : of the county in the working CRS, metres.
    n_institutes : towns and subdistricts, one institute each.
    n_stations_urban, n_stations_rural : communities and villages, one station each.
    n_points, n_candidates, n_settlements : places of the lowest tier, candidate sites, relocation settlements.
    population : people of the county, relocated people among them.
    relocated_households, relocated_people : living in the settlements.
    urban_share : of the people who were not relocated, the share in urban communities.
    """

    name: str = "青岚县"
    seed: int = 20240630
    area_km2: float = 3_600.0
    center_x: float = 590_000.0
    center_y: float = 3_616_000.0
    n_institutes: int = 27
    n_stations_urban: int = 54
    n_stations_rural: int = 333
    n_points: int = 506
    n_candidates: int = 540
    n_settlements: int = 276
    population: int = 880_000
    relocated_households: int = 53_970
    relocated_people: int = 224_500
    urban_share: float = 0.40

    def __post_init__(self) -> None:
        if self.n_institutes < 2 or self.n_stations_urban < self.n_institutes or self.n_stations_rural < 8:
            raise ScenarioError("A demo county needs 2 towns, a community in each town and 8 villages at least.")
        if not self.n_settlements <= self.relocated_households <= self.relocated_people < self.population:
            raise ScenarioError("A demo county needs settlements <= households <= relocated people < population.")

    @property
    def n_subdistricts(self) -> int:
        """Subdistricts that share the county seat; the other towns stand alone."""
        return max(1, round(self.n_institutes * 4 / HANBIN_TOWNS))


def scaled_spec(n_towns: int, spec: DemoSpec | None = None) -> DemoSpec:
    """Return the figures of `spec` (default: the demo county) scaled down or up to `n_towns`.

    >>> scaled_spec(3).n_stations_rural
    37
    """
    spec = spec or DemoSpec()
    share = n_towns / spec.n_institutes
    counts = {
        field: round(getattr(spec, field) * share)
        for field in (
            "n_stations_urban", "n_stations_rural", "n_points", "n_candidates", "n_settlements", "population",
            "relocated_households", "relocated_people",
        )
    }  # fmt: skip
    return replace(spec, n_institutes=n_towns, area_km2=spec.area_km2 * share, **counts)
