"""Results as layers: one set of tables for the study file, GeoJSON and the manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from planner.crs import WGS84
from planner.formats import vector_library
from planner.written import write_text, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planner.plan.proposals import Proposals
    from planner.plan.stages import Plan

DEGREE_DIGITS = 7


def result_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return the results of a plan by layer name, in the study's CRS; the same tables go everywhere."""
    return {
        "coverage": plan.coverage,
        "curve": plan.curve,
        "differing": plan.differing,
        "circles": plan.circles,
        "gaps": plan.gaps,
        "settlements": plan.settlements,
        "settlement_nearest": plan.settlement_nearest,
        "settlement_totals": plan.settlement_totals,
        "settlement_remedies": plan.settlement_remedies,
        "settlement_checks": plan.settlement_checks,
        "proposals": plan.proposals,
        **siting_tables(plan.siting),
        "unplaced": plan.unplaced,
        "declared": pd.DataFrame() if plan.declared is None else plan.declared.table,
        "equity": plan.equity.summary,
        "equity_areas": plan.equity.areas,
        "equity_villages": plan.equity.villages,
        "equity_places": plan.equity.places,
        "tiers": plan.practice.tiers,
        "places": plan.practice.places,
        "network_findings": plan.practice.findings,
        "checklist": plan.practice.checklist,
        "rectification": plan.practice.rectification,
        "place_sets": plan.practice.place_sets,
        "verdicts": plan.practice.verdicts,
        "standard": plan.practice.standard,
        "completeness": plan.roads.table,
        "road_faults": plan.roads.faults,
        **_group_tables(plan),
    }


def _group_tables(plan: Plan) -> dict[str, pd.DataFrame]:
    """Return belts and clusters by layer name; nothing for a study without places."""
    belts, clusters = plan.practice.belts, plan.practice.clusters
    if belts is None or clusters is None:
        return {}
    return {
        "belts": belts.table,
        "belt_places": belts.places,
        "belt_links": belts.links,
        "clusters": clusters.table,
        "cluster_places": clusters.places,
    }


def siting_tables(siting: Proposals | None) -> dict[str, pd.DataFrame]:
    """Return the proof of the proposals (one row), the candidates that lost, the years and the curve."""
    if siting is None:
        return {}
    summary = siting.summary()
    proof = {name: value for name, value in summary.items() if isinstance(value, (str, float, int, bool))}
    checked = {"is_checked": summary["check"]["is_valid"], "checked_value": summary["check"]["value"]}
    return {
        "siting": pd.DataFrame([{**proof, **checked}]),
        "siting_rejected": siting.rejected,
        "siting_phases": siting.phases,
        "siting_curve": siting.curve,
    }


def to_geojson(table: gpd.GeoDataFrame) -> str:
    """Return `table` as GeoJSON text in degrees (WGS-84), seven digits: about a centimetre."""
    degrees = table.to_crs(WGS84)
    shapes = shapely.transform(degrees.geometry.to_numpy(), lambda xy: xy.round(DEGREE_DIGITS))
    cells = pd.DataFrame(degrees.drop(columns=degrees.geometry.name)).astype(object)
    rows = cells.where(cells.notna(), None).to_dict("records")
    features = (
        f'{{"type": "Feature", "properties": {json.dumps(row, ensure_ascii=False)}, "geometry": {shape or "null"}}}'
        for row, shape in zip(rows, shapely.to_geojson(shapes), strict=True)
    )
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"


def write_layers(tables: Mapping[str, pd.DataFrame], path: Path) -> Path:
    """Write every table that has rows as a layer of a new GeoPackage; return its path."""
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError

    pyogrio = vector_library()

    rows = {name: len(table) for name, table in tables.items() if len(table)}

    def is_whole(part: Path) -> bool:
        return all(len(pyogrio.read_arrow(part, layer=name)[1]) == n for name, n in rows.items())

    foreign = (DataSourceError, DataLayerError, FeatureError, FieldError, GeometryError)
    with written(path, is_whole, foreign) as part:
        for name in rows:
            pyogrio.write_dataframe(tables[name], part, layer=name, driver="GPKG", append=part.exists())
    return path


def write_geojson(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write every table with a geometry as `<name>.geojson` into `folder`; return the paths.

    Outlines drawn on a grid are simplified to a quarter of its cell here; the GeoPackage has them as they are.
    """
    paths = []
    for name, table in tables.items():
        if isinstance(table, gpd.GeoDataFrame) and len(table):
            path = folder / f"{name}.geojson"
            paths.append(write_text(path, to_geojson(_lighter(table))))
    return paths


def _lighter(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if "cell_m" not in table.columns:
        return table
    tolerance_m = table["cell_m"].to_numpy(dtype=float) / 4
    simple = shapely.simplify(table.geometry.to_numpy(), tolerance_m, preserve_topology=False)
    return table.set_geometry(gpd.GeoSeries(shapely.make_valid(simple), index=table.index, crs=table.crs))
