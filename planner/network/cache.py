"""A network that was built before, from the disk: keyed by the content of its roads and heights, never trusted blindly.

The key covers every value that the network is made of and the code that makes it; a file whose checksum, key or form
is wrong is dropped and the network built again. Where no folder can be written everything still works.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import sys
from contextlib import suppress
from dataclasses import fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from planner.network.build import build_network
from planner.network.road_network import RoadNetwork

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.study import Grid

_log = logging.getLogger(__name__)
_MAGIC = b"PCP-network-1\n"
_KEPT = 8  # networks kept in the folder, the latest used
_CODE = ("build", "contract", "components", "slope", "road_network")
_VALUES = ("class", "oneway", "bicycle_oneway", "foot", "bicycle", "motor", "bridge", "tunnel", "from_node", "to_node")


def cached_network(
    roads: gpd.GeoDataFrame, crs: str, elevation: Grid | None = None, folder: Path | None = None
) -> RoadNetwork:
    """Return what `build_network` returns, from `folder` when the same roads and heights were built before.

    Parameters
    ----------
    folder : None = the user's cache folder (environment variable PLANNER_CACHE overrules it).

    Raises
    ------
    InputError, CrsError
        As `build_network`.
    """
    folder = cache_folder() if folder is None else folder
    key = content_key(roads, crs, elevation)
    path = folder / f"{key}.network"
    network = _read(path, key)
    if network is None:
        network = build_network(roads, crs, elevation)
        _write(path, key, network)
    return network


def cache_folder() -> Path:
    """Return the folder for what can be made again, as the system names it."""
    if "PLANNER_CACHE" in os.environ:
        return Path(os.environ["PLANNER_CACHE"])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "practice-circle-planner"


def content_key(roads: gpd.GeoDataFrame, crs: str, elevation: Grid | None) -> str:
    """Return a SHA-256 over all that the network is made of: lines, values, CRS, heights and the code."""
    import shapely

    digest = hashlib.sha256(_code_digest() + f"{crs} {len(roads)}".encode())
    coordinates, link = shapely.get_coordinates(roads.geometry.to_numpy(), return_index=True)
    for array in (coordinates, link):
        digest.update(np.ascontiguousarray(array).data)
    for name in _VALUES:
        if name in roads:
            digest.update(name.encode())
            digest.update(_column_bytes(roads[name]))
    if elevation is not None:
        digest.update(f"{elevation.crs}{elevation.transform}{elevation.values.shape}".encode())
        digest.update(np.ascontiguousarray(elevation.values).data)
    return digest.hexdigest()


def _column_bytes(values: pd.Series) -> bytes:
    """Return what tells one column of values from another."""
    import pandas as pd

    if values.dtype.kind in "ib" and not values.hasnans:
        return values.to_numpy(np.int64).tobytes()
    codes, names = pd.factorize(values.astype("object"), use_na_sentinel=True)
    return codes.astype(np.int32).tobytes() + "\x00".join(str(name) for name in names).encode()


@cache
def _code_digest() -> bytes:
    folder = resources.files("planner.network")
    text = "".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in _CODE)
    return hashlib.sha256(text.encode()).digest()


def _read(path: Path, key: str) -> RoadNetwork | None:
    """Return the network in the file; None when there is none, or it is not exactly what was written."""
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    head = len(_MAGIC) + 2 * hashlib.sha256().digest_size
    payload = memoryview(raw)[head:]
    expected = _MAGIC + bytes.fromhex(key) + hashlib.sha256(payload).digest()
    if raw[:head] != expected:
        _log.warning("The cached network %s is damaged; it is built again.", path.name)
        with suppress(OSError):
            path.unlink()
        return None
    with suppress(OSError):
        path.touch()
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        values: dict[str, Any] = {name: arrays[name] for name in arrays.files}
    return RoadNetwork(
        **{**values, "crs": str(values["crs"]), "classes": tuple(values["classes"].tolist()), "z": values.get("z")}
    )


def _write(path: Path, key: str, network: RoadNetwork) -> None:
    """Keep the network: a complete sibling first, then its name; the oldest beyond `_KEPT` go."""
    values: dict[str, Any] = {f.name: getattr(network, f.name) for f in fields(RoadNetwork)}
    values["classes"] = np.array(network.classes, dtype=np.str_)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in values.items() if value is not None})
    payload = buffer.getbuffer()
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(_MAGIC + bytes.fromhex(key) + hashlib.sha256(payload).digest())
            stream.write(payload)
        part.replace(path)
        for old in sorted(path.parent.glob("*.network"), key=lambda file: file.stat().st_mtime)[:-_KEPT]:
            old.unlink()
    except OSError as error:
        _log.info("The network is not kept for the next start: %s", error)
        with suppress(OSError):
            part.unlink()
