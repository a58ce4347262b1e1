"""A bare reading of an OSM extract into the roads table, for tests of the network: no repairs, no ledger."""

import itertools
from collections import Counter

import geopandas as gpd
import numpy as np
import osmium
import shapely
from pyproj import Transformer

_NO_ROAD = {
    "construction", "proposed", "abandoned", "razed", "platform", "services", "rest_area", "raceway", "elevator",
    "bus_stop", "no",
}  # fmt: skip
_ACCESS = {"yes": "yes", "designated": "yes", "permissive": "yes", "no": "no", "private": "no"}


def _foot(tags):
    """Whether people may walk: what is said of walkers, else of everybody, else a pavement beside the lane."""
    said = _ACCESS.get(tags.get("foot"))
    if said is None and (tags.get("access") in ("no", "private") or tags.get("motorroad") == "yes"):
        return "no"
    if said is None and tags.get("sidewalk") in ("both", "left", "right", "yes"):
        return "yes"
    return said


def read_links(path, crs):
    """Links between shared vertices, in `crs`; nodes without a location are left out of their ways."""
    ways = []
    for way in osmium.FileProcessor(str(path)).with_locations():
        if not way.is_way() or "highway" not in way.tags or way.tags.get("area") == "yes":
            continue
        if way.tags["highway"] in _NO_ROAD:
            continue
        nodes = [(n.ref, n.lon, n.lat) for n in way.nodes if n.location.valid()]
        nodes = [n for i, n in enumerate(nodes) if i == 0 or n[0] != nodes[i - 1][0]]
        if len(nodes) > 1:
            ways.append((dict(way.tags), nodes))
    uses = Counter(ref for _, nodes in ways for ref, _, _ in nodes)
    to_metric = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    rows, lines = [], []
    for tags, nodes in ways:
        cuts = [0, *(i for i in range(1, len(nodes) - 1) if uses[nodes[i][0]] > 1), len(nodes) - 1]
        for start, stop in itertools.pairwise(cuts):
            part = nodes[start : stop + 1]
            x, y = to_metric.transform([n[1] for n in part], [n[2] for n in part])
            lines.append(shapely.LineString(np.column_stack([x, y])))
            rows.append(
                {
                    "road_id": f"r{len(rows)}",
                    "class": tags["highway"],
                    "oneway": {"yes": "forward", "-1": "backward"}.get(tags.get("oneway"), "no"),
                    "foot": _foot(tags),
                    "bicycle": _ACCESS.get(tags.get("bicycle")),
                    "motor": _ACCESS.get(tags.get("motor_vehicle")),
                    "bridge": tags.get("bridge", "no") != "no",
                    "tunnel": tags.get("tunnel", "no") != "no",
                    "from_node": part[0][0],
                    "to_node": part[-1][0],
                }
            )
    return gpd.GeoDataFrame(rows, geometry=lines, crs=crs)


def read_lines(path, crs, class_column="highway"):
    """The same from a line layer: links meet where their end coordinates are equal."""
    layer = gpd.read_parquet(path).explode(ignore_index=True).to_crs(crs)
    layer = layer[layer.geometry.length > 0].reset_index(drop=True)
    number = {}
    ends = [
        [number.setdefault(line.coords[i], len(number)) for line in layer.geometry] for i in (0, -1)
    ]  # fmt: skip
    column = layer[class_column] if class_column in layer else ["unclassified"] * len(layer)
    classes = [value if isinstance(value, str) else str(value) for value in column]
    return gpd.GeoDataFrame(
        {
            "road_id": [f"r{i}" for i in range(len(layer))], "class": classes, "oneway": "no", "bridge": False,
            "tunnel": False, "from_node": ends[0], "to_node": ends[1],
        },
        geometry=list(layer.geometry), crs=crs,
    )  # fmt: skip
