"""Practice belts as data that people edit: which places are strung along which roads, rivers, lines or zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, ValidationError, model_validator

from planner.errors import ScenarioError
from planner.toml import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence


class Belt(Entry):
    """One practice belt: what its places are strung along, and when its chain is broken.

    Attributes
    ----------
    name : as printed; blank = the belt's code.
    zone : the named zone that the belt belongs to; a label for grouping.
    roads, rivers : names of roads, and of rivers among the barriers, that it follows.
    corridors : names or ids of lines (followed) and areas (zones) of the table `corridors`.
    areas : names or codes of towns and villages; the belt's places lie in one of them.
    tiers : tiers of its places; blank = every physical place, light ones too.
    profile : by which its lengths are measured; blank = the scenario's main profile.
    buffer_m : a place this far from the line in a straight line still belongs to it (500, unverified).
    break_min : minutes between neighbours beyond which the chain is broken; blank = the scenario's time limit.
    """

    name: str = ""
    zone: str = ""
    roads: tuple[str, ...] = ()
    rivers: tuple[str, ...] = ()
    corridors: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    profile: str | None = None
    buffer_m: float = Field(default=500.0, ge=0, le=20_000)
    break_min: float | None = Field(default=None, gt=0, le=240)

    @model_validator(mode="after")
    def _follows_something(self) -> Belt:
        if not (self.roads or self.rivers or self.corridors or self.areas):
            raise ValueError("A belt follows something: name roads, rivers, corridors or areas.")
        return self


def belt_along(
    roads: Sequence[str], rivers: Sequence[str], corridors: Sequence[str], areas: Sequence[str], buffer_m: float
) -> Belt | None:
    """Return a belt named after what it follows; None when nothing is named.

    Raises
    ------
    ScenarioError
        When the buffer is negative or wider than 20 km.
    """
    names = [*roads, *rivers, *corridors, *areas]
    if not names:
        return None
    try:
        return Belt(
            name="、".join(names), roads=tuple(roads), rivers=tuple(rivers), corridors=tuple(corridors),
            areas=tuple(areas), buffer_m=buffer_m,
        )  # fmt: skip
    except ValidationError as error:
        raise ScenarioError(f"A buffer of {buffer_m} m is not possible: give 0 to 20,000.") from error
