"""Changes of roads as data that people edit: roads that are closed, of another class or bridged in a scenario."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from planner.toml import Entry

LonLat = tuple[float, float]
_LON, _LAT = 180.0, 90.0
_BOTH_ENDS, _CORNERS = 2, 3


class RoadChange(Entry):
    """One change of the roads, as a scenario holds it.

    Attributes
    ----------
    kind : "close" a road to everybody, "change" its class, build a "bridge", or close every road within an "area".
    road : id of the road that is closed or changed; all links of a road that was divided answer to its id.
    road_class : class that it gets, or that the bridge has.
    line : of a bridge or an area: vertices as [longitude, latitude] in degrees, WGS-84. A bridge's ends are led to the
        nearest road of the main profile; an area's outline is closed by itself.
    note : why, in words.
    """

    kind: Literal["close", "change", "bridge", "area"]
    road: str = ""
    road_class: str = "footway"
    line: tuple[LonLat, ...] = Field(default=())
    note: str = ""

    @model_validator(mode="after")
    def _names_what_it_changes(self) -> RoadChange:
        if self.kind in ("close", "change") and not self.road:
            raise ValueError(f"A road change of kind '{self.kind}' names a road: road = \"R7\".")
        fewest = {"bridge": _BOTH_ENDS, "area": _CORNERS}.get(self.kind, 0)
        if len(self.line) < fewest:
            raise ValueError(
                f"A road change of kind '{self.kind}' has a line of {fewest} or more vertices: "
                "line = [[108.95, 32.70], ...]."
            )
        if any(abs(lon) > _LON or abs(lat) > _LAT for lon, lat in self.line):
            raise ValueError("The line of a road change is in degrees, longitude before latitude.")
        return self
