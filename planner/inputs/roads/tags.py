"""What the tags of an OpenStreetMap way or barrier node say: who may travel it, which way, and whether it is there.

The words stand in `presets/road_tags.toml`, with the pages they come from; here they are looked up.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Get = Callable[[str], str | None]

MODES = ("foot", "bicycle", "motor")
_SIDEWALKS = frozenset({"yes", "both", "left", "right"})
_VEHICLES = ("bicycle", "motor")


class Attributes(NamedTuple):
    """What the tags of a way say, in the columns of the roads table."""

    highway: str
    name: str | None
    oneway: str
    bicycle_oneway: str | None
    foot: str | None
    bicycle: str | None
    motor: str | None
    bridge: bool
    tunnel: bool


@cache
def rules() -> dict[str, Any]:
    """Return the tables of `presets/road_tags.toml`."""
    path = resources.files("planner.presets") / "road_tags.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def attributes(highway: str, get: Get) -> Attributes:
    """Return what the tags of a way of a class say."""
    oneway = _oneway(highway, get)
    access = {mode: _way_access(mode, highway, get) for mode in MODES}
    return Attributes(
        highway, get("name"), oneway, _bicycle_oneway(oneway, get), access["foot"], access["bicycle"], access["motor"],
        is_set(get("bridge")), is_set(get("tunnel")),
    )  # fmt: skip


def highway_of(get: Get) -> str | None:
    """Return the class of a way: its `highway`, or what people walk on that has none (a pier, a platform)."""
    value = (get("highway") or "").strip()
    if value:
        return value.split(";")[0].strip()
    if get("man_made") == "pier":
        return "pier"
    return "platform" if get("railway") == "platform" or get("public_transport") == "platform" else None


def is_gone(get: Get) -> bool:
    """Whether a way is planned, closed for good, or no more: by a lifecycle key, or as a collapsed bridge."""
    gone = rules()["gone"]
    return (
        any(get(key) == "yes" for key in gone["yes_keys"])
        or any(get(key) == "collapsed" for key in gone["collapsed_keys"])
        or get("status") in gone["prefixes"]
    )


def lifecycle_keys() -> tuple[str, ...]:
    """Return the keys of roads that are not there, such as `disused:highway`."""
    return tuple(f"{prefix}:highway" for prefix in rules()["gone"]["prefixes"])


def barrier_closes(get: Get) -> tuple[str, ...]:
    """Return the modes that a barrier node stops; its own access tags come before its kind."""
    kind, words = get("barrier") or "", rules()["barrier"]
    by_kind = {
        "foot": kind in words["closed_to_foot"],
        "bicycle": kind in words["closed_to_bicycle"],
        "motor": kind not in words["open_to_motor"],
    }
    said = {mode: access_of(mode, get) for mode in MODES}
    return tuple(mode for mode in MODES if (by_kind[mode] if said[mode] is None else said[mode] == "no"))


def access_of(mode: str, get: Get) -> str | None:
    """Return what the access tags say of a mode: "yes", "no", or None where they say nothing.

    A general `access=yes` opens nothing that the class closes: it counts as nothing said.
    """
    for key in rules()["access"][mode]:
        said = _member_access(mode, key, get(key))
        if said is not None:
            return None if key == "access" and said == "yes" else said
    return None


def _member_access(mode: str, key: str, value: str | None) -> str | None:
    """Return what one access tag says; of a list the most permissive member that is known."""
    access = rules()["access"]
    found = None
    for word in (value or "").split(";"):
        plain = word.strip()
        if plain in access["open"]:
            return "yes"
        is_closing = plain in access["closed"] or (plain in access["purposes"] and (key != "access" or mode == "motor"))
        if is_closing:
            found = "no"
    return found


def _way_access(mode: str, highway: str, get: Get) -> str | None:
    said = access_of(mode, get)
    if said is None:
        said = "no" if mode in rules()["class_closed"].get(highway, ()) else None
    if said is None and get("motorroad") == "yes" and mode != "motor":
        said = "no"
    if said != "no" and mode in rules()["sac_scale"] and get("sac_scale") is not None:
        said = said if get("sac_scale") in rules()["sac_scale"][mode] else "no"
    if said is None and mode == "foot" and get("sidewalk") in _SIDEWALKS:
        said = "yes"
    return said


def _oneway(highway: str, get: Get) -> str:
    words, value = rules()["oneway"], get("oneway")
    if value in words["forward"]:
        return "forward"
    if value in words["backward"]:
        return "backward"
    is_implied = value is None and (highway == "motorway" or get("junction") in words["round"])
    return "forward" if is_implied else "no"


def _bicycle_oneway(oneway: str, get: Get) -> str | None:
    """Return the one-way rule for bicycles where it differs from that of cars, else None."""
    words, own = rules()["oneway"], get("oneway:bicycle")
    sides = (get(f"cycleway{side}") for side in ("", ":left", ":right", ":both"))
    if own in words["forward"]:
        found = "forward"
    elif own in words["backward"]:
        found = "backward"
    elif own == "no" or any(side in words["contraflow"] for side in sides):
        found = "no"
    else:
        return None
    return None if found == oneway else found


def is_set(value: str | None) -> bool:
    """Whether a mark such as `bridge` is there and not denied."""
    return value is not None and value != "no"
