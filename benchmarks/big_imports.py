"""Files of a million rows and of 300 MB: seconds of CPU and peak memory of an import, each in a process of its own.

`python -m benchmarks.big_imports [csv] [xlsx] [shp] [lines]` writes the files into a temporary folder (1 GB), imports
each into a new study, saves that, and prints what the operating system says of the process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N_ROWS = 1_000_000
N_POLYGONS = 800_000
N_LINES, N_VERTICES = 60_000, 300
LIMIT_MB = 2_000
HEADER = ("编号", "小组", "人口", "60岁以上人数", "儿童人数", "乡镇", "村社区", "经度", "纬度")


def cells() -> Iterator[tuple[object, ...]]:
    """Give the rows of a demand table, every thousandth of them spoilt."""
    for i in range(N_ROWS):
        people: object = f"约{i % 97}" if i % 1_000 == 7 else i % 97
        yield (f"D{i:07d}", f"第{i % 5_000}组", people, i % 13, i % 7, f"镇{i % 27}", f"村{i % 387}",
               round(108.6 + (i % 1_000) / 1_250, 6), round(32.45 + (i // 1_000) / 2_000, 6))  # fmt: skip


def write_csv(path: Path) -> None:
    """Write the table in GBK."""
    with path.open("w", encoding="gb18030", newline="") as file:
        file.write(",".join(HEADER) + "\n")
        file.writelines(",".join(map(str, row)) + "\n" for row in cells())


def write_xlsx(path: Path) -> None:
    """Write the table as a workbook, its XML by hand: openpyxl takes minutes."""
    from openpyxl import Workbook

    small = path.with_name("small.xlsx")
    Workbook().save(small)
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(small) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in source.namelist():
            if name != part:
                target.writestr(name, source.read(name))
        with target.open(part, "w", force_zip64=True) as sink:
            sink.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            for number, row in enumerate((HEADER, *cells()), start=1):
                sink.write(f'<row r="{number}">{"".join(map(_xml, row))}</row>'.encode())
            sink.write(b"</sheetData></worksheet>")
    small.unlink()


def _xml(cell: object) -> str:
    return f'<c t="inlineStr"><is><t>{cell}</t></is></c>' if isinstance(cell, str) else f"<c><v>{cell}</v></c>"


def write_shp(path: Path) -> None:
    """Write building footprints with people as a shapefile in GBK without a .cpg."""
    import geopandas as gpd
    import shapely

    i = np.arange(N_POLYGONS)
    x, y = 108.6 + (i % 1_000) / 1_250, 32.45 + (i // 1_000) / 2_000
    table = gpd.GeoDataFrame(
        {
            "编号": [f"D{k:07d}" for k in i],
            "名称": [f"第{k % 5_000}号楼" + "丁" * 20 for k in i],
            "人口": i % 97,
            "乡镇": [f"镇{k % 27}" for k in i],
            "备注": [f"{k:060d}" for k in i],
        },
        geometry=shapely.box(x, y, x + 1e-4, y + 1e-4),
        crs=4326,
    )
    table.to_file(path, encoding="GB18030")
    path.with_suffix(".cpg").unlink()


def write_lines(path: Path) -> None:
    """Write winding rivers as a shapefile: few rows, many vertices."""
    import geopandas as gpd
    import shapely

    turns = np.random.default_rng(1).normal(0, 1e-5, (N_LINES, N_VERTICES, 2)).cumsum(axis=1)
    start = np.column_stack([108.6 + (np.arange(N_LINES) % 250) / 312, 32.45 + (np.arange(N_LINES) // 250) / 500])
    lines = shapely.linestrings(start[:, None, :] + turns)
    gpd.GeoDataFrame({"类别": ["河流"] * N_LINES}, geometry=lines, crs=4326).to_file(path, encoding="UTF-8")


WRITERS: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "csv": ("demand", "people.csv", write_csv),
    "xlsx": ("demand", "people.xlsx", write_xlsx),
    "shp": ("demand", "buildings.shp", write_shp),
    "lines": ("barriers", "rivers.shp", write_lines),
}


class Reports:
    """Counts the reports of an import's progress."""

    n = 0

    def update(self, done: float, total: float, message: str = "") -> None:
        """Count one."""
        del done, total, message
        self.n += 1


def measure(kind: str, path: Path, out: Path) -> dict[str, float]:
    """Import the file in this process and return what it took."""
    from planner.inputs.intake import import_file
    from planner.inputs.options import ImportOptions
    from planner.store import save_study
    from planner.study import new_study

    reports, began = Reports(), time.process_time()
    result = import_file(new_study("bench", "EPSG:32649"), kind, path, ImportOptions(frame="EPSG:4326"), reports)
    imported = time.process_time() - began
    peak_import = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    summary = dict(result.summary)
    save_study(result.study, out)
    return {
        "rows_in": summary["rows_in"], "refused": summary["rows_refused"], "n_reports": reports.n,
        "import_cpu_s": round(imported, 1), "import_peak_mb": round(peak_import),
        "with_save_cpu_s": round(time.process_time() - began, 1),
        "with_save_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip


def main(names: list[str]) -> None:
    """Write, import and report every file."""
    print("file | MB | rows | refused | progress reports | CPU s | peak MB | with save: CPU s | peak MB | under 2 GB")
    for name in names or list(WRITERS):
        kind, file, _ = WRITERS[name]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file
            run = [sys.executable, "-m", "benchmarks.big_imports"]
            subprocess.run([*run, "--write", name, str(path)], check=True)
            size_mb = sum(part.stat().st_size for part in Path(folder).iterdir()) / 1e6
            done = subprocess.run(
                [*run, "--measure", kind, str(path), str(Path(folder) / "study.gpkg")],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            it = json.loads(done.stdout.splitlines()[-1])
            is_bounded = "yes" if it["with_save_peak_mb"] < LIMIT_MB else "no"
            print(
                f"{file} | {size_mb:,.0f} | {it['rows_in']:,} | {it['refused']} | {it['n_reports']} | "
                f"{it['import_cpu_s']} | {it['import_peak_mb']} | {it['with_save_cpu_s']} | "
                f"{it['with_save_peak_mb']} | {is_bounded}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        WRITERS[sys.argv[2]][2](Path(sys.argv[3]))
    elif sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))))
    else:
        main(sys.argv[1:])
