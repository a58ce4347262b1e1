"""Files with bytes flipped, cut, doubled, or cells changed, and what must hold whatever comes in.

As a script it imports many of them, each with a time limit, and prints one line of JSON per failure and a summary:
`python -m tests.inputs.mutated_files 5000 1`.
"""

import json
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import shapely

from planner.errors import PlannerError
from planner.inputs.intake import import_file
from planner.inputs.options import ImportOptions
from planner.study import new_study
from tests.inputs.messy_files import CASES, FRAME, HEADER, ROWS, write_book, write_text

TIME_LIMIT_S = 30
# What else is imported, by the ending of its file; each kind as often as it stands here.
MAPS = [
    *(("roads", f"路{ending}") for ending in (".geojson", ".gpkg", ".shp", ".kml", ".tab", ".dxf", ".osm", ".osm.pbf")),
    ("barriers", "水.osm.pbf"), ("areas", "区.geojson"), ("areas", "区.shp"), ("elevation", "高.tif"),
    ("elevation", "高.asc"), ("population", "人.tif"),
]  # fmt: skip
_ODD_CELLS = [
    "", None, "=1+1", "-5", "1e400", "nan", "二〇二四年", "\x00", "\u202e", '"', "9" * 400, "109.0,32.7", "合计",
    -1e308, True,
]  # fmt: skip


def base_study(folder):
    """Return a study with a county, for imports to go into."""
    path = folder / "县界.geojson"
    box = shapely.box(108.5, 32.4, 109.5, 33.0)
    gpd.GeoDataFrame({"代码": ["1"], "名称": ["示例县"], "级别": ["县"]}, geometry=[box], crs=4326).to_file(path)
    return import_file(new_study("示例县", "EPSG:32649"), "areas", path).study


def originals(folder):
    """Write every file of the corpus, and maps of the other kinds, and return (kind, path, options) of each.

    Folders are left out.
    """
    files = []
    for number, case in enumerate(CASES):
        place = folder / str(number)
        place.mkdir(parents=True)
        path = case.written(place)
        if path.is_file():
            files.append(("demand", path, case.options))
    for number, (kind, name) in enumerate(MAPS):
        place = folder / f"{kind}{number}"
        place.mkdir()
        _WRITERS[kind](place / name)
        files.append((kind, place / name, ImportOptions(frame=FRAME if name.endswith(("dxf", "asc")) else None)))
    return files


def _write_lines(path):
    """Write five lanes as a layer or as an OpenStreetMap file."""
    lanes = [shapely.LineString([(109 + i / 100, 32.7), (109 + i / 100, 32.71), (109.02, 32.72)]) for i in range(5)]
    if ".osm" in path.name:
        return _write_osm(path, [list(lane.coords) for lane in lanes])
    columns = {"Layer": ["乡道"] * 5} if path.suffix == ".dxf" else {"道路等级": ["乡道", "县道", "步道", "村道", "桥"]}
    table = gpd.GeoDataFrame(columns, geometry=lanes, crs=4326)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table.to_file(path, driver={".dxf": "DXF", ".kml": "LIBKML", ".tab": "MapInfo File"}.get(path.suffix))
    return path


def _write_osm(path, lines):
    import osmium

    with osmium.SimpleWriter(str(path)) as writer:
        at = [point for line in lines for point in line]
        for i, point in enumerate(at, start=1):
            writer.add_node(osmium.osm.mutable.Node(id=i, location=point, version=1))
        for i, _ in enumerate(lines):
            nodes = [3 * i + 1, 3 * i + 2, 3 * i + 3]
            writer.add_way(osmium.osm.mutable.Way(id=i + 1, nodes=nodes, tags={"highway": "tertiary"}, version=1))
    return path


def _write_areas(path):
    boxes = [shapely.box(108.5 + i / 10, 32.4, 108.6 + i / 10, 33.0) for i in range(5)]
    columns = {"代码": list("12345"), "名称": list("甲乙丙丁戊"), "级别": ["乡镇"] * 5}
    gpd.GeoDataFrame(columns, geometry=boxes, crs=4326).to_file(path)


def _write_raster(path):
    import numpy as np
    import rasterio
    from rasterio.transform import from_origin

    values = np.arange(600, dtype="int32").reshape(20, 30)
    driver = "GTiff" if path.suffix == ".tif" else "AAIGrid"
    with rasterio.open(path, "w", driver=driver, width=30, height=20, count=1, dtype="int32", nodata=-1,
                       crs="EPSG:4326", transform=from_origin(108.8, 32.8, 0.01, 0.01)) as sink:  # fmt: skip
        sink.write(values, 1)


_WRITERS = {"roads": _write_lines, "barriers": _write_lines, "areas": _write_areas, "elevation": _write_raster,
            "population": _write_raster}  # fmt: skip


def mutated(chooser, files, folder):
    """Write one mutation of a file picked at random into `folder`; return what it is imported as, path and options."""
    kind, path, options = chooser.choice(files)
    if chooser.random() < 0.25:
        return "demand", _with_odd_cells(chooser, folder), ImportOptions(frame=FRAME)
    for part in path.parent.iterdir():
        if part.stem == path.stem and part.is_file():
            shutil.copy(part, folder / part.name)
    parts = sorted(part for part in folder.iterdir() if part.stem == path.stem and part.suffix not in (".zip", ".cpg"))
    target = folder / path.name if path.suffix != ".shp" else chooser.choice(parts)
    if target.suffix in (".xlsx", ".zip") and chooser.random() < 0.6:
        _change_member(chooser, target)
    else:
        target.write_bytes(_changed(chooser, target.read_bytes()))
    return kind, folder / path.name, options


def _with_odd_cells(chooser, folder):
    """Write a table some of whose cells are odd."""
    rows = [list(HEADER), *([*row] for row in ROWS)]
    for _ in range(chooser.randint(1, 4)):
        rows[chooser.randrange(len(rows))][chooser.randrange(len(HEADER))] = chooser.choice(_ODD_CELLS)
    if chooser.random() < 0.4:
        rows.insert(chooser.randrange(len(rows)), [chooser.choice(_ODD_CELLS) for _ in range(chooser.randint(0, 9))])
    if chooser.random() < 0.5:
        encoding = chooser.choice(["utf-8", "gb18030", "utf-16"])
        return write_text(folder, rows, chooser.choice([",", "\t", ";"]), encoding)
    plain = [[cell.replace("\x00", "") if isinstance(cell, str) else cell for cell in row] for row in rows]
    return write_book(folder, plain)


def _change_member(chooser, path):
    """Change the bytes of one file inside an archive, and pack it again as if nothing had happened."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = chooser.choice(sorted(parts))
    parts[name] = _changed(chooser, parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in parts.items():
            archive.writestr(member, data)


def _changed(chooser, data):
    """Return the bytes with some flipped, cut off, left out, doubled, or replaced by others."""
    data = bytearray(data)
    if not data:
        return bytes(data)
    kind = chooser.choice(["flip", "flip", "flip", "cut", "drop", "double", "noise"])
    at = chooser.randrange(len(data))
    length = chooser.randint(1, max(1, min(64, len(data) - at)))
    if kind == "flip":
        for _ in range(chooser.randint(1, 8)):
            data[chooser.randrange(len(data))] ^= 1 << chooser.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "drop":
        del data[at : at + length]
    elif kind == "double":
        data[at:at] = data[at : at + length]
    else:
        data[at : at + length] = chooser.randbytes(length)
    return bytes(data)


def check(study, kind, path, options):
    """Import a file and assert what must hold: a planner's error, or a table whose rows balance with the ledger."""
    try:
        result = import_file(study, kind, path, options)
    except PlannerError:
        return "refused"
    ledger = result.ledger
    refused = {(finding.file, finding.row) for finding in ledger.rows if finding.is_refused}
    assert ledger.rows_in == ledger.rows_accepted + ledger.rows_refused, "balance"
    if kind in ("demand", "areas", "roads"):
        assert len(refused) == ledger.rows_refused, "a refused row without a line in the ledger"
    if kind in ("demand", "areas"):
        assert len(result.study.table(kind)) == ledger.rows_accepted, "rows of the table"
    if kind == "demand":
        people = result.summary["people_accepted"]
        assert abs(result.study.table("demand")["population"].sum() - people) <= 1e-9 * abs(people), "people"
    for finding in ledger.rows:
        assert finding.problem("zh")
        assert finding.repair("en")
    return "taken"


def run(n_files, seed, report=print):
    """Import `n_files` mutated files; return the counts by outcome, and report every failure."""
    chooser = random.Random(seed)
    counts = {"taken": 0, "refused": 0, "failed": 0}
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        home = Path(name)
        study, files = base_study(home), originals(home / "originals")
        signal.signal(signal.SIGALRM, _too_long)
        for number in range(n_files):
            folder = home / f"m{number}"
            folder.mkdir()
            kind, path, options = mutated(chooser, files, folder)
            began = time.process_time()
            signal.alarm(TIME_LIMIT_S)
            try:
                counts[check(study, kind, path, options)] += 1
            except Exception as error:  # noqa: BLE001  whatever it is, it is a failure
                counts["failed"] += 1
                lines = traceback.format_exc().splitlines()[-6:]
                report(
                    json.dumps({"number": number, "kind": kind, "file": path.name, "error": repr(error), "at": lines})
                )
            finally:
                signal.alarm(0)
            slowest = max(slowest, time.process_time() - began)
            shutil.rmtree(folder)
    return counts | {"slowest_cpu_s": round(slowest, 2)}


def _too_long(*_):
    raise TimeoutError(f"longer than {TIME_LIMIT_S} s")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))) + "\n")
