"""The map component: Leaflet served by the app itself, layers handed over once by their content, clicks handed back."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
import streamlit.components.v1 as components

from planner.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_OWN_FILES = ("index.html", "map.css", "map.js")
_LEAFLET_FILES = ("leaflet.css", "leaflet.js")
_MOST_BYTES = 256 * 1024**2
_lock = threading.Lock()


@dataclass(frozen=True)
class Click:
    """What a reader did on the map: clicked the ground or a thing, or moved a thing.

    Attributes
    ----------
    kind : "click" or "move".
    layer, id : what was clicked; "" and None for the ground.
    lon, lat : where, degrees.
    number : grows with every event, so that none is answered twice.
    """

    kind: str
    layer: str
    id: str | None
    lon: float
    lat: float
    number: int


@dataclass(frozen=True)
class MapView:
    """What one map shows.

    Attributes
    ----------
    layers : from the ground upwards, as `map.js` reads them.
    legend : rows of (kind, colour, words); kinds are head, swatch "", round and line.
    bounds : ((south, west), (north, east)) of the whole county, degrees.
    view : a name under which the browser keeps where the reader looked.
    focus : bounds to look at now; None leaves the view as it is.
    selected : (layer, id) to mark.
    is_picking : whether a click chooses a place (the pointer says so).
    """

    layers: Sequence[dict[str, Any]]
    legend: Sequence[tuple[str, str, str]]
    bounds: tuple[tuple[float, float], tuple[float, float]]
    view: str
    focus: tuple[tuple[float, float], tuple[float, float]] | None = None
    selected: tuple[str, str] | None = None
    is_picking: bool = False


@cache
def component_folder() -> Path:
    """Return the folder that the app serves to the map: its own files, Leaflet's, and published layers.

    Raises
    ------
    MissingExtraError
        When the Leaflet files are not installed.
    """
    try:
        from xstatic.pkg import leaflet
    except ImportError as error:
        raise MissingExtraError("XStatic-Leaflet", "maps") from error
    folder = Path(tempfile.mkdtemp(prefix="planner-map-"))
    (folder / "layers").mkdir()
    for name in _OWN_FILES:
        target = folder / name
        target.write_bytes((resources.files("planner.ui") / "leaflet_map" / name).read_bytes())
    source = Path(leaflet.BASE_DIR)
    for name in _LEAFLET_FILES:
        shutil.copyfile(source / name, folder / name)
    shutil.copytree(source / "images", folder / "images")
    script = (folder / "leaflet.js").read_bytes()
    (folder / "leaflet.js").write_bytes(script.split(b"//# sourceMappingURL=")[0])
    return folder


@cache
def _component() -> Callable[..., Any]:
    return components.declare_component("county_map", path=str(component_folder()))


@cache
def tiles_url(source: str) -> str:
    """Return the address of the tiles of a basemap: of a folder with z/x/y.png, as the app serves it, or as given."""
    folder = Path(source)
    if not folder.is_dir():
        return source
    name = f"tiles_{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"
    components.declare_component(name, path=str(folder.resolve()))
    return f"../{__name__}.{name}/{{z}}/{{x}}/{{y}}.png"


def publish(content: bytes, suffix: str) -> str:
    """Keep `content` where the map can fetch it, and return its address; equal content is kept once."""
    folder = component_folder() / "layers"
    path = folder / f"{hashlib.sha256(content).hexdigest()}{suffix}"
    with _lock:
        if path.exists():
            path.touch()
        else:
            _make_room(folder, len(content))
            path.write_bytes(content)
    return f"layers/{path.name}"


def _make_room(folder: Path, n_bytes: int) -> None:
    """Drop what was published longest ago, so that a server that runs for weeks does not fill the disk."""
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in files) + n_bytes
    for path in files:
        if total <= _MOST_BYTES:
            return
        total -= path.stat().st_size
        path.unlink(missing_ok=True)


def show_map(view: MapView, *, key: str, height: int, label: str, legend_title: str) -> Click | None:
    """Show the map and return the reader's last click there; None before the first."""
    said = _component()(
        layers=list(view.layers),
        legend=[list(row) for row in view.legend],
        legendTitle=legend_title,
        bounds=view.bounds,
        view=f"{view.view} {key}",
        focus=view.focus,
        selected=None if view.selected is None else {"layer": view.selected[0], "id": view.selected[1]},
        clickable=True,
        picking=view.is_picking,
        label=label,
        height=height,
        key=key,
        default=None,
    )
    return _click(said)


def last_click(key: str) -> Click | None:
    """Return the reader's last click on the map of that key, before the map is shown anew."""
    return _click(st.session_state.get(key))


def _click(said: Any) -> Click | None:
    try:
        name = said["id"]
        return Click(
            kind=str(said["kind"]), layer=str(said["layer"]), id=None if name is None else str(name),
            lon=float(said["lon"]), lat=float(said["lat"]), number=int(said["n"]),
        )  # fmt: skip
    except (TypeError, KeyError, ValueError):
        return None
