"""Toy towns drawn by hand, in metres (EPSG:32649), small enough to work out by hand.

corridor      a---b---c---d        one street, vertices every 100 m, all of degree 2
diamond       two ways from a to d: by b (200 m) and by c (300 m)
islands       two streets that do not touch
loop          a stub that ends in a ring: the ring leaves and enters at one junction
one_way       a square block whose four sides may be driven clockwise only
"""

import itertools

import geopandas as gpd
import shapely

CRS = "EPSG:32649"


def town(*streets):
    """A roads table out of (coordinates, class, options); vertices that are used twice become shared nodes."""
    from collections import Counter

    uses = Counter()
    for coordinates, *_ in streets:
        uses.update(coordinates)
        uses.update((coordinates[0], coordinates[-1]))
    number, rows, lines = {}, [], []
    for coordinates, road_class, options in streets:
        last = len(coordinates) - 1
        cuts = [0, *(i for i in range(1, last) if uses[coordinates[i]] > 1), last]
        for start, stop in itertools.pairwise(cuts):
            part = coordinates[start : stop + 1]
            ends = [number.setdefault(point, len(number)) for point in (part[0], part[-1])]
            lines.append(shapely.LineString(part))
            rows.append({
                "road_id": f"r{len(rows)}", "class": road_class, "oneway": "no", "foot": None, "bicycle": None,
                "motor": None, "bridge": False, "tunnel": False, "from_node": ends[0], "to_node": ends[1], **options,
            })  # fmt: skip
    return gpd.GeoDataFrame(rows, geometry=lines, crs=CRS)


def corridor():
    return town(([(0, 0), (100, 0), (200, 0), (300, 0)], "residential", {}))


def diamond():
    return town(
        ([(0, 0), (100, 0), (200, 0)], "residential", {}),
        ([(0, 0), (100, 112), (200, 0)], "residential", {}),
        ([(-100, 0), (0, 0)], "residential", {}),
        ([(200, 0), (300, 0)], "residential", {}),
    )


def islands():
    return town(
        ([(0, 0), (100, 0), (200, 0)], "residential", {}),
        ([(0, 5000), (100, 5000)], "residential", {}),
    )


def loop():
    return town(
        ([(-200, 0), (0, 0)], "residential", {}),
        ([(0, 0), (100, 100), (200, 0), (100, -100), (0, 0)], "residential", {}),
        ([(-200, 0), (-300, 50), (-300, -50), (-200, 0)], "footway", {}),
    )


def one_way():
    ring = [(0, 0), (0, 100), (100, 100), (100, 0), (0, 0)]
    return town(
        *(([ring[i], ring[i + 1]], "residential", {"oneway": "forward"}) for i in range(4)),
        ([(100, 0), (200, 0)], "residential", {}),
        ([(200, 0), (300, 0)], "residential", {"oneway": "backward"}),
        ([(0, 0), (-50, 0), (-100, 0)], "motorway", {}),
        ([(-100, 0), (-150, 0)], "motorway", {"foot": "yes", "bicycle": "no"}),
    )


TOWNS = {"corridor": corridor, "diamond": diamond, "islands": islands, "loop": loop, "one_way": one_way}
