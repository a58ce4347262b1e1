"""The choices of one import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


OSM_ENDINGS = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")


def is_osm_file(name: str) -> bool:
    """Whether a file is an OpenStreetMap extract by its name."""
    return name.lower().endswith(OSM_ENDINGS)


@dataclass(frozen=True)
class ImportOptions:
    """How one file is to be read; what is left out is found out from the file.

    Attributes
    ----------
    frame : the frame of the file's coordinates, such as "EPSG:4490" or "4490"; it overrides what the file says.
    columns : field of the contract -> header in the file; wins over every other match.
    sheet : name of the worksheet; "*" for all that hold the table.
    layer : name of the layer, or of the file inside a zip.
    class_mapping : road class as written in the file -> class of the planner.
    append : add the rows to the table that the study has, instead of replacing it.
    update : like `append`, but a row whose id the study has already takes the place of the old one.
    split_by : for people of towns and villages without coordinates: what they are split by, "roads", "ground", or the
        path of a layer of buildings, parcels or land use, or of a raster; frame and layer are then those of that file.
    cell_m : side in metres of the cells they are put in, 0 for every building on its own; 100 where left out. For a
        raster of people: of the cells that finer ones are put together in; all are kept where left out.
    is_noded : join the lines of a road layer where they cross without a shared vertex.
    gap_m : draw road ends that stand alone on to the nearest road within so many metres; 0 = leave them.
    keep_rows : hand the rows of a table back as they stood in the file, for a workbook of corrections.
    """

    frame: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    layer: str | None = None
    class_mapping: Mapping[str, str] | None = None
    append: bool = False
    update: bool = False
    split_by: str | None = None
    cell_m: float | None = None
    is_noded: bool = False
    gap_m: float = 0.0
    keep_rows: bool = False
