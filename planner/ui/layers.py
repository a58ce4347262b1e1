"""The layers of the app's maps: boundaries, roads, places and results as light GeoJSON with words for every click."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import streamlit as st

from planner.outputs.colours import BAND_COLOURS, STATUS_COLOURS, UNKNOWN_COLOUR, tier_colour
from planner.outputs.maps import FEW_PLACES, STATUS_OF_REASON
from planner.outputs.overlays import EDGE_COLOUR, bands_min
from planner.outputs.statement import tier_name
from planner.texts import Language, text
from planner.ui.degrees import degrees
from planner.ui.leaflet import publish, tiles_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from planner.scenario import Scenario
    from planner.study import Study

_ROAD_WIDTHS = {"motorway": 2.6, "trunk": 2.4, "primary": 2.2, "secondary": 1.8, "tertiary": 1.3}
_ROAD_TOLERANCES_M = (8.0, 20.0, 45.0)
_MOST_ROAD_BYTES = 1_400_000
_MOST_POINTS = 4_000
_MINOR = ("track", "path", "footway", "steps", "service", "residential", "living_street", "unclassified")


def feature(shape: BaseGeometry, **properties: Any) -> dict[str, Any]:
    """Return one feature in degrees."""
    return {"type": "Feature", "geometry": shapely.geometry.mapping(shape), "properties": properties}


def geojson(features: Sequence[Mapping[str, Any]]) -> str:
    """Publish features and return their address; packed, for the app's server packs nothing."""
    document = {"type": "FeatureCollection", "features": list(features)}
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return publish(gzip.compress(content, 6, mtime=0), ".bin")


def rows_of(record: Mapping[str, Any], columns: Sequence[str], language: Language) -> list[list[str]]:
    """Return the named columns of a record as rows of header and words, blanks left out."""
    rows = []
    for name in columns:
        value = record.get(name)
        if value is None or value == "" or pd.isna(value):
            continue
        words = f"{value:,.1f}".removesuffix(".0") if isinstance(value, (float, np.floating)) else str(value)
        rows.append([text(f"columns.{name}", language), words])
    return rows


# ---- the ground ----


def basemap(study: Study, key: str, tiles: str | None, language: Language) -> list[dict[str, Any]]:
    """Return the layers that every map stands on: tiles where some are configured, roads, boundaries."""
    layers: list[dict[str, Any]] = []
    if tiles:
        url = tiles_url(tiles)
        layers.append({"id": "tiles", "kind": "tiles", "url": url, "label": text("ui.layer_tiles", language)})
    if study.has("roads"):
        layers.append(
            {"id": "roads", "kind": "vector", "ref": _roads(study, key), "color": "#8A8F98", "opacity": 0.85,
             "pane": "lines", "label": text("outputs.layer_roads", language)}
        )  # fmt: skip
    if study.has("areas"):
        layers.append(
            {"id": "areas", "kind": "vector", "ref": _areas(study, key), "color": "#333333", "fillOpacity": 0,
             "pane": "lines", "label": text("outputs.layer_areas", language)}
        )  # fmt: skip
    return layers


@st.cache_data(max_entries=8, show_spinner=False)
def _roads(_study: Study, key: str) -> str:
    """Return the roads by class, as coarse as it takes to stay light; small ways are left out last."""
    roads = _study.tables["roads"]
    for tolerance_m, without in [*((each, ()) for each in _ROAD_TOLERANCES_M), (_ROAD_TOLERANCES_M[-1], _MINOR)]:
        features = []
        for name, lines in roads.groupby("class", sort=True).geometry:
            road_class = str(name).removesuffix("_link")
            if road_class in without:
                continue
            bundle = gpd.GeoSeries([shapely.multilinestrings(_lines(lines))], crs=roads.crs)
            (shape,) = degrees(bundle, tolerance_m)
            features.append(feature(shape, weight=_ROAD_WIDTHS.get(road_class, 0.8)))
        if (
            sum(shapely.get_num_coordinates(shapely.geometry.shape(f["geometry"])) for f in features) * 19
            < _MOST_ROAD_BYTES
        ):
            break
    return geojson(features)


def _lines(geometry: gpd.GeoSeries) -> list[BaseGeometry]:
    return [part for part in shapely.get_parts(geometry.to_numpy()) if part.geom_type == "LineString"]


@st.cache_data(max_entries=8, show_spinner=False)
def _areas(_study: Study, key: str) -> str:
    areas = _study.tables["areas"]
    shown = areas[areas["level"].isin(["county", "town"])]
    if not len(shown):
        shown = areas
    shapes = degrees(shown.geometry, 25.0)
    return geojson(
        [
            feature(shape, weight=2.4, dash=None) if level == "county" else feature(shape, weight=1.0, dash="4 3")
            for shape, level in zip(shapes, shown["level"], strict=True)
            if shape is not None and not shape.is_empty
        ]
    )


# ---- things ----


def surface_layer(
    ref: str, bounds: object, label: str, layer_id: str = "surface", *, show: bool = True
) -> dict[str, Any]:
    """Return a picture over the county as a layer."""
    return {"id": layer_id, "kind": "image", "ref": ref, "bounds": bounds, "label": label, "show": show}


def places(study: Study, key: str, scenario: Scenario, language: Language) -> list[dict[str, Any]]:
    """Return one layer a tier with the places that the study has."""
    if not study.has("facilities"):
        return []
    table = study.tables["facilities"]
    layers = []
    for tier in dict.fromkeys([*scenario.known_tiers, *map(str, table["tier"])]):
        n = int((table["tier"] == tier).sum())
        if n:
            big = tier in scenario.tiers[:2] or n <= FEW_PLACES
            layers.append(
                {"id": f"places {tier}", "kind": "vector", "clickable": n <= _MOST_POINTS,
                 "scales": True, "radius": 5.5 if big else 3,
                 "fill": tier_colour(tier, scenario.tiers), "color": "#222222", "weight": 1,
                 "ref": _places(study, key, tier, language), "label": f"{tier_name(tier, language)} ({n:,})"}
            )  # fmt: skip
    return list(reversed(layers))


@st.cache_data(max_entries=64, show_spinner=False)
def _places(_study: Study, key: str, tier: str, language: Language) -> str:
    table = _study.tables["facilities"]
    rows = table[table["tier"] == tier]
    columns = ("facility_id", "tier", "town", "village", "host_building")
    shown = rows.assign(tier=tier_name(tier, language))
    return geojson(points(shown, "facility_id", lambda record: rows_of(record, columns, language)))


def points(
    table: gpd.GeoDataFrame, id_column: str, words: Callable[[Mapping[str, Any]], list[list[str]]], **more: Any
) -> list[dict[str, Any]]:
    """Return the rows of a table of points as features; columns _fill, _badge and _radius are how they look."""
    records = pd_records(table)
    shapes = degrees(table.geometry)
    features = []
    for record, shape in zip(records, shapes, strict=True):
        looks = {name: record.get(f"_{name}") for name in ("fill", "badge", "radius", "color") if f"_{name}" in record}
        name = record.get("name")
        title = str(name) if isinstance(name, str) else str(record[id_column])
        features.append(feature(shape, id=str(record[id_column]), title=title, rows=words(record), **looks, **more))
    return features


def pd_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as plain records without geometry."""
    return table.drop(columns=["geometry"], errors="ignore").to_dict("records")  # type: ignore[return-value]


def settlements(audit: gpd.GeoDataFrame, language: Language) -> dict[str, Any]:
    """Return the relocation settlements as a layer, coloured by whether they are served."""
    shown = audit.assign(
        _fill=[STATUS_COLOURS[STATUS_OF_REASON.get(str(reason), "unserved")] for reason in audit["reason"]],
        reason=[text(f"coverage.{reason}", language) for reason in audit["reason"]],
    )
    columns = ("settlement_id", "people", "households", "travel_time_min", "reason", "over_min")
    return {
        "id": "settlements", "kind": "vector", "clickable": True, "radius": 6, "scales": True, "weight": 1.4,
        "color": "#222222",
        "ref": geojson(points(shown, "settlement_id", lambda record: rows_of(record, columns, language))),
        "label": text("outputs.layer_settlements", language),
    }  # fmt: skip


def band_legend(cutoff_min: float, language: Language) -> list[tuple[str, str, str]]:
    """Return the legend of a time surface."""
    rows: list[tuple[str, str, str]] = [("head", "", text("outputs.legend_minutes", language))]
    low = 0.0
    for colour, high in zip(BAND_COLOURS, (*bands_min(cutoff_min), np.inf), strict=True):
        words = f"{low:g}-{high:g}" if np.isfinite(high) else text("outputs.legend_over", language, minutes=low)
        rows.append(("", colour, words))
        low = high
    rows.append(("line", EDGE_COLOUR, text("ui.legend_edge", language, cutoff=cutoff_min)))
    rows.append(("", UNKNOWN_COLOUR, text("ui.legend_unknown", language)))
    return rows


def place_legend(study: Study, scenario: Scenario, language: Language) -> list[tuple[str, str, str]]:
    """Return the legend of the places that the study has."""
    if not study.has("facilities"):
        return []
    present = set(map(str, study.tables["facilities"]["tier"]))
    tiers = [tier for tier in scenario.known_tiers if tier in present]
    head: tuple[str, str, str] = ("head", "", text("terms.facility", language))
    return [head, *(("round", tier_colour(tier, scenario.tiers), tier_name(tier, language)) for tier in tiers)]


def settlement_legend(language: Language) -> list[tuple[str, str, str]]:
    """Return the legend of the relocation settlements."""
    names = {"served": "legend_served", "unserved": "legend_unserved", "unknown": "legend_unknown_settlement"}
    return [("round", STATUS_COLOURS[code], text(f"outputs.{name}", language)) for code, name in names.items()]
