"""The county written as the files that a planner would have, and the order in which they are imported."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from planner.crs import transform
from planner.demo.county import GEOGRAPHIC_CRS, WORKING_CRS, DemoCounty, make_county
from planner.errors import MissingExtraError
from planner.inputs.options import ImportOptions
from planner.schema import CONTRACTS
from planner.texts import text

if TYPE_CHECKING:
    import geopandas as gpd
    from openpyxl import Workbook

    from planner.study import Grid

WORKBOOKS = ("facilities", "candidates", "demand", "settlements")
_DATE = dt.datetime(2024, 6, 30, tzinfo=dt.UTC)
_ZIP_DATE = (2024, 6, 30, 0, 0, 0)


def demo_files(folder: Path) -> list[tuple[str, Path, ImportOptions]]:
    """Return (kind, path, options) of the demo county's files in `folder`, in the order of their import.

    `population.tif` is left out: it holds the people of `demand.xlsx` once more.
    """
    degrees = ImportOptions(frame=GEOGRAPHIC_CRS)
    return [
        ("areas", folder / "areas.geojson", ImportOptions()),
        ("elevation", folder / "elevation.tif", ImportOptions()),
        ("roads", folder / "roads.zip", ImportOptions()),
        ("barriers", folder / "barriers.geojson", ImportOptions()),
        *((name, folder / f"{name}.xlsx", degrees) for name in WORKBOOKS),
    ]


def demo_folder(folder: Path) -> Path:
    """Return where the demo county's files are: in the repository, else written into `folder`."""
    shipped = Path(__file__).parents[2] / "data" / "demo_county"
    if all(path.exists() for _, path, _ in demo_files(shipped)):
        return shipped
    write_county(make_county(), folder)
    return folder


def write_county(county: DemoCounty, folder: Path) -> list[Path]:
    """Write the county's files into `folder` (made when it is not there) and return their paths.

    The same county gives the same bytes with the same versions of the libraries: dates inside the files are fixed.

    Raises
    ------
    MissingExtraError
        When rasterio is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_write_workbook(county, name, folder / f"{name}.xlsx") for name in WORKBOOKS]
    paths.append(_write_roads(county.tables["roads"], folder / "roads.zip"))
    paths += [_write_layer(county, name, folder / f"{name}.geojson") for name in ("areas", "barriers")]
    paths.append(_write_grid(county.grids["elevation"], folder / "elevation.tif", "int16", -32_768))
    paths.append(_write_grid(county.grids["population"], folder / "population.tif", "float32", -1.0))
    paths.append(_write_readme(county, folder / "README.txt"))
    return paths


def workbook_table(county: DemoCounty, name: str) -> pd.DataFrame:
    """Return the table `name` as its workbook shows it: Chinese headers, words for codes, degrees at the end."""
    table, contract = county.tables[name], CONTRACTS[name]
    shown = pd.DataFrame(index=table.index)
    for column in contract.columns:
        if column.name not in table.columns:
            continue
        values = table[column.name]
        if column.kind == "flag":
            values = values.map({True: text("demo.yes"), False: text("demo.no")})
        elif column.kind == "choice":
            words = {code: names[0] for code, names in column.choices}
            values = values.map(words)
        shown[column.zh] = values
    lon, lat = transform(table.geometry.x, table.geometry.y, WORKING_CRS, GEOGRAPHIC_CRS)
    shown[text("demo.lon")], shown[text("demo.lat")] = np.round(lon, 6), np.round(lat, 6)
    return shown


def road_table(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roads as their layer shows them: Chinese columns, at most ten bytes in GBK."""
    yes_no = {True: text("demo.yes"), False: text("demo.no")}
    shown = roads[["geometry"]].copy()
    shown.insert(0, "道路等级", roads["class"])
    shown.insert(1, "道路名称", roads["name"])
    shown.insert(2, "单行", roads["oneway"].map({"no": text("demo.both"), "forward": text("demo.forward")}))
    shown.insert(3, "桥梁", roads["bridge"].map(yes_no))
    shown.insert(4, "备注", "合成演示数据")
    return shown


def _write_workbook(county: DemoCounty, name: str, path: Path) -> Path:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    table = workbook_table(county, name)
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # noqa: S101  a new workbook has a sheet
    sheet.title = text(f"demo.sheet_{name}")
    sheet.append([text(f"demo.title_{name}", county=county.spec.name, mark=text("demo.mark"))])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(table.columns))
    sheet["A1"].font = Font(bold=True, size=16)
    sheet["A1"].alignment = Alignment(horizontal="center")
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False):
        sheet.append([_cell(value) for value in row])
    for i, header in enumerate(table.columns, start=1):
        width = max(2 * len(header), int(table[header].astype(str).str.len().max() * 1.7)) + 2
        sheet.column_dimensions[get_column_letter(i)].width = min(width, 48)
        sheet.cell(2, i).font = Font(bold=True)
    sheet.freeze_panes = "A3"
    _save(book, path)
    return path


def _cell(value: Any) -> Any:  # noqa: ANN401  a spreadsheet's cell holds anything
    if value is None or (isinstance(value, float) and np.isnan(value)) or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.item() if isinstance(value, np.generic) else value


def _save(book: Workbook, path: Path) -> None:
    """Save with fixed dates inside, so that the same cells give the same file."""
    book.properties.created = _DATE.replace(tzinfo=None)
    with tempfile.TemporaryDirectory() as temporary:
        raw = Path(temporary) / "raw.xlsx"
        book.save(raw)
        with zipfile.ZipFile(raw) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    core = parts["docProps/core.xml"].decode()
    stamp = _DATE.strftime("%Y-%m-%dT%H:%M:%SZ")
    core = re.sub(r"(<dcterms:modified[^>]*>)[^<]*", rf"\g<1>{stamp}", core)
    parts["docProps/core.xml"] = core.encode()
    _write_zip(path, parts)


def _write_zip(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def _write_roads(roads: gpd.GeoDataFrame, path: Path) -> Path:
    """A zipped shapefile as road offices hand it out: attributes in GBK, and no .cpg that says so."""
    import pyogrio

    with tempfile.TemporaryDirectory() as temporary:
        layer = Path(temporary) / "roads.shp"
        pyogrio.write_dataframe(
            road_table(roads), layer, encoding="GBK", layer_options={"DBF_DATE_LAST_UPDATE": f"{_DATE:%Y-%m-%d}"}
        )
        suffixes = (".shp", ".shx", ".dbf", ".prj")
        _write_zip(path, {f"roads{suffix}": layer.with_suffix(suffix).read_bytes() for suffix in suffixes})
    return path


def _write_layer(county: DemoCounty, name: str, path: Path) -> Path:
    """GeoJSON in degrees with Chinese columns; its first member says that it is synthetic."""
    import pyogrio

    contract = CONTRACTS[name]
    table = county.tables[name]
    headers = {column.name: column.zh for column in contract.columns if column.name in table.columns}
    shown = table[[*headers, "geometry"]].copy()
    for column in contract.columns:
        if column.kind == "choice" and column.name in shown.columns:
            words = {code: names[0] for code, names in column.choices}
            shown[column.name] = shown[column.name].map(words)
    shown = shown.rename(columns=headers).to_crs(GEOGRAPHIC_CRS)
    shown["geometry"] = shapely.set_precision(shown.geometry.to_numpy(), 1e-6, mode="pointwise")
    path.unlink(missing_ok=True)
    note = f"{county.spec.name}{text('demo.mark')} SYNTHETIC"
    pyogrio.write_dataframe(
        shown, path, driver="GeoJSON", layer_options={"COORDINATE_PRECISION": "6", "DESCRIPTION": note}
    )
    return path


def _write_grid(grid: Grid, path: Path, dtype: str, nodata: float) -> Path:
    try:
        import rasterio
        from rasterio.transform import Affine
    except ImportError as error:
        raise MissingExtraError("rasterio", "raster") from error

    profile = {
        "driver": "GTiff", "dtype": dtype, "nodata": nodata, "count": 1, "crs": grid.crs, "compress": "deflate",
        "predictor": 2 if dtype == "int16" else 3, "zlevel": 9, "tiled": True, "blockxsize": 256, "blockysize": 256,
        "height": grid.values.shape[0], "width": grid.values.shape[1], "transform": Affine(*grid.transform),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(grid.values.astype(dtype), 1)
        raster.update_tags(TIFFTAG_IMAGEDESCRIPTION="SYNTHETIC demo data", UNIT=grid.unit)
    return path


def _write_readme(county: DemoCounty, path: Path) -> Path:
    spec = county.spec
    values = {
        "county": spec.name, "n_institutes": spec.n_institutes, "n_urban": spec.n_stations_urban,
        "n_rural": spec.n_stations_rural, "n_stations": spec.n_stations_urban + spec.n_stations_rural,
        "n_points": spec.n_points, "population": f"{spec.population:,}", "relocated": f"{spec.relocated_people:,}",
        "households": f"{spec.relocated_households:,}", "n_settlements": spec.n_settlements,
        "n_candidates": spec.n_candidates,
    }  # fmt: skip
    words = [text("demo.readme", language, **values) for language in ("zh", "en")]
    path.write_text("\n".join(words), encoding="utf-8", newline="\n")
    return path
