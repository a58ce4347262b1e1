"""Roads fetched from OpenStreetMap's services when the user asks: a place name or an outline becomes a file to import.

Nothing here runs unless it was asked for. osmnx speaks to Nominatim (names) and Overpass (ways); what Overpass sent is
written as an OpenStreetMap file, so that the study is made from a file that can be kept, checked and imported again.
"""

from __future__ import annotations

import math
import os
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from planner.crs import WGS84, suggest_working_crs
from planner.errors import InputError, MissingExtraError
from planner.progress import SILENT
from planner.written import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import shapely

    from planner.progress import Progress
    from planner.study import Study

FILTERS = ('["highway"]', '["waterway"~"^(river|canal)$"]', '["railway"~"^(rail|light_rail)$"]', '["natural"="water"]')
"""Ways that are asked for: roads, and what one cannot walk across."""
TIMEOUT_S = 180.0
TRIES = 3
WAIT_S = 30.0
"""How long to wait when a service is busy and does not say how long."""
MAX_WAIT_S = 300.0
MAX_AREA_KM2 = 50_000.0
"""No county is larger; beyond it the extract of a province is the better way."""
MARGIN_M = 2_000.0
"""Roads just outside the border lead somewhere, too."""
_BUSY = (429, 503, 504)
_HALF = ("timed out", "out of memory", "runtime error")


class _BusyError(Exception):
    """A service asks to wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = wait_s


def download_roads(
    target: Path,
    place: str | None = None,
    study: Study | None = None,
    progress: Progress = SILENT,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Write the roads of a place, else of the study's areas, as an OpenStreetMap file to `target`; return its path.

    The services are those of osmnx; the environment variables `PLANNER_NOMINATIM` and `PLANNER_OVERPASS` name others
    (addresses), `PLANNER_DOWNLOAD_TIMEOUT` other seconds than 180. A busy service (429, 503, 504) is asked again, as
    late as it says, three times in all.

    Parameters
    ----------
    sleep : waits so many seconds; the progress may cancel in between.

    Raises
    ------
    InputError
        When the place is not found, is no area or too large; when a service cannot be reached, stays busy, refuses, or
        answers by half; when the file cannot be written. Nothing is written then.
    MissingExtraError
        When osmnx is not installed.
    """
    ox = _osmnx()
    answers: dict[str, Any] = {}
    with _settings(ox, answers):
        progress.update(0, 3, "place")
        outline = _asked(lambda: _outline(ox, place, study), progress, sleep)
        progress.update(1, 3, "roads")
        answers.clear()
        _asked(lambda: _fetch(ox, outline, answers), progress, sleep)
    progress.update(2, 3, "file")
    _write(target, answers)
    progress.update(3, 3)
    return target


def _osmnx() -> Any:  # noqa: ANN401  the module
    try:
        import osmnx
    except ImportError as error:
        raise MissingExtraError("osmnx", "osm") from error
    return osmnx


def _asked(ask: Callable[[], Any], progress: Progress, sleep: Callable[[float], None]) -> Any:  # noqa: ANN401
    """Return the answer to a question, asked again where the service is busy; its failures in words."""
    import requests

    for left in reversed(range(TRIES)):
        try:
            return ask()
        except _BusyError as busy:
            if not left:
                raise InputError(
                    f"The OpenStreetMap service stayed busy ({TRIES} tries). Try again later, or import an extract."
                ) from busy
            for _ in range(math.ceil(busy.wait_s)):
                progress.update(1, 3, "busy")
                sleep(min(1.0, busy.wait_s))
        except requests.exceptions.Timeout as error:
            raise InputError(
                "The OpenStreetMap service did not answer in time. Try again later, or import an extract."
            ) from error
        except requests.exceptions.RequestException as error:
            raise InputError(
                "The OpenStreetMap service cannot be reached, or its answer broke off. Check the connection, or import "
                "an extract."
            ) from error
    raise AssertionError("the last try returns or raises")


@contextmanager
def _settings(ox: Any, answers: dict[str, Any]) -> Iterator[None]:  # noqa: ANN401
    """Set what a download needs, and put back what was there."""
    settings = ox.settings
    wanted = {
        "use_cache": False,
        "log_console": False,
        "log_file": False,
        "doh_url_template": None,
        "requests_timeout": float(os.environ.get("PLANNER_DOWNLOAD_TIMEOUT", TIMEOUT_S)),
        "overpass_url": os.environ.get("PLANNER_OVERPASS", settings.overpass_url),
        "nominatim_url": os.environ.get("PLANNER_NOMINATIM", settings.nominatim_url),
        # A service of one's own has no slots to wait for.
        "overpass_rate_limit": "PLANNER_OVERPASS" not in os.environ,
        "requests_kwargs": {"hooks": {"response": lambda response, *_, **__: _listen(response, answers)}},
    }
    before = {name: getattr(settings, name) for name in wanted}
    look_up = socket.getaddrinfo
    for name, value in wanted.items():
        setattr(settings, name, value)
    try:
        yield
    finally:
        socket.getaddrinfo = look_up  # osmnx ties the service's name to one address
        for name, value in before.items():
            setattr(settings, name, value)


def _listen(response: Any, answers: dict[str, Any]) -> None:  # noqa: ANN401  a response of requests
    """Keep what Overpass sent; raise when a service is busy, refuses or answers by half."""
    if response.status_code in _BUSY:
        said = response.headers.get("Retry-After", "")
        raise _BusyError(min(float(said) if said.isdigit() else WAIT_S, MAX_WAIT_S))
    if not response.ok:
        raise InputError(f"The OpenStreetMap service refused (HTTP {response.status_code}). Try again later.")
    if "/status" in response.url:
        return
    try:
        answer = response.json()
    except ValueError as error:
        raise InputError(
            "The OpenStreetMap service answered by half: its answer broke off. Try again later."
        ) from error
    if isinstance(answer, dict):
        remark = str(answer.get("remark", ""))
        if any(word in remark.lower() for word in _HALF):
            raise InputError(f"The OpenStreetMap service answered by half ({remark[:200]}). Ask for a smaller place.")
        for element in answer.get("elements", []):
            answers[f"{element.get('type')}/{element.get('id')}"] = element


def _outline(ox: Any, place: str | None, study: Study | None) -> shapely.Geometry:  # noqa: ANN401
    """Return the outline to fetch, in degrees, with a margin."""
    import geopandas as gpd

    if place is not None:
        try:
            found = ox.geocode_to_gdf(place)
        except InputError:
            raise
        except (ValueError, TypeError) as error:  # osmnx: nothing found, or nothing with an area
            raise InputError(f"'{place}' was not found as an area. Name a county or a town as on the map.") from error
        shape = found.geometry.iloc[0]
        centre = shape.centroid
        series, name = gpd.GeoSeries([shape], crs=WGS84).to_crs(suggest_working_crs(centre.x, centre.y)), place
    elif study is not None and study.has("areas"):
        areas = study.table("areas")
        series, name = gpd.GeoSeries([areas.geometry.union_all()], crs=areas.crs), study.name
    else:
        raise InputError("The study has no boundaries to fetch roads for. Import areas first, or name a --place.")
    area_km2 = float(series.area.iloc[0]) / 1e6
    if area_km2 > MAX_AREA_KM2:
        raise InputError(
            f"'{name}' has {area_km2:,.0f} km2: too large to ask a public service for. Import the extract of its "
            "province."
        )
    return series.buffer(MARGIN_M).to_crs(WGS84).iloc[0]


def _fetch(ox: Any, outline: shapely.Geometry, answers: dict[str, Any]) -> None:  # noqa: ANN401
    """Have Overpass asked for every way within the outline; the answers are kept while they come."""
    try:
        ox.graph_from_polygon(
            outline, simplify=False, retain_all=True, truncate_by_edge=True, custom_filter=list(FILTERS)
        )
    except InputError:
        raise
    except (ValueError, KeyError) as error:
        # osmnx builds a graph of what came; only what came counts here.
        if not any(key.startswith("way/") for key in answers):
            raise InputError("OpenStreetMap has no road there. Check the name of the place.") from error


def _write(target: Path, answers: dict[str, Any]) -> None:
    """Write the elements as OpenStreetMap XML: all of it or nothing."""
    from xml.sax.saxutils import quoteattr

    ways = sorted((e for e in answers.values() if e.get("type") == "way"), key=lambda e: int(e["id"]))
    nodes = sorted((e for e in answers.values() if e.get("type") == "node"), key=lambda e: int(e["id"]))
    known = {int(node["id"]) for node in nodes}
    n_missing = len({ref for way in ways for ref in way.get("nodes", [])} - known)
    if not ways or not nodes:
        raise InputError("OpenStreetMap has no road there. Check the name of the place.")
    if n_missing:
        raise InputError(
            f"The OpenStreetMap service answered by half: {n_missing} points of the roads are missing. Try again later."
        )
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6" generator="practice-circle-planner">']
    lines += [f'<node id="{int(n["id"])}" lat="{float(n["lat"])}" lon="{float(n["lon"])}"/>' for n in nodes]
    for way in ways:
        refs = "".join(f'<nd ref="{int(ref)}"/>' for ref in way.get("nodes", []))
        tags = "".join(
            f"<tag k={quoteattr(str(key))} v={quoteattr(str(value))}/>" for key, value in way.get("tags", {}).items()
        )
        lines.append(f'<way id="{int(way["id"])}">{refs}{tags}</way>')
    write_text(target, "\n".join([*lines, "</osm>\n"]))
