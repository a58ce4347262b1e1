"""Columns in and out of the types that a GeoPackage has."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def stored_column(column: pd.Series) -> tuple[pd.Series, dict[str, Any]]:
    """Return a column as GeoPackage can hold it, and what it takes to get it back."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values, inner = stored_column(column.astype(dtype.categories.dtype))
        categories, how = stored_column(pd.Series(dtype.categories))
        return values, {"kind": "category", "inner": inner, "how": how, "ordered": bool(dtype.ordered),
                        "categories": categories.to_list()}  # fmt: skip
    if dtype.name == "geometry":
        return column.to_wkb(hex=True).astype("str"), {"kind": "wkb"}
    if dtype.kind in "mM" or isinstance(dtype, pd.DatetimeTZDtype):
        texts = [None if pd.isna(value) else value.isoformat() for value in column.astype(object)]
        return pd.Series(texts, index=column.index, dtype="str"), {"kind": "time", "dtype": str(dtype)}
    if dtype.name == "object":
        return _stored_objects(column)
    return column, {"kind": "plain", "dtype": str(dtype)}


def _stored_objects(column: pd.Series) -> tuple[pd.Series, dict[str, Any]]:
    """Return a column of Python objects as text: itself where it holds text only, else JSON."""
    blank = column.isna().to_numpy() & ~column.map(pd.api.types.is_list_like).to_numpy(bool)
    values = [None if is_blank else value for value, is_blank in zip(column, blank, strict=True)]
    present = [value for value in values if value is not None]
    if all(isinstance(value, str) for value in present):
        return pd.Series(values, index=column.index, dtype="str"), {"kind": "text"}
    if all(type(value) is dt.date for value in present):
        texts = [None if value is None else value.isoformat() for value in values]
        return pd.Series(texts, index=column.index, dtype="str"), {"kind": "date"}
    is_tuple = all(isinstance(value, tuple) for value in present)
    texts = [None if value is None else json.dumps(value, ensure_ascii=False, default=plain_value) for value in values]
    return pd.Series(texts, index=column.index, dtype="str"), {"kind": "tuple" if is_tuple else "json"}


def plain_value(value: Any) -> Any:  # noqa: ANN401  anything that a table may hold
    """Return numpy's and Python's other values as JSON knows them."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def restored_column(column: pd.Series, spec: Mapping[str, Any]) -> pd.Series:
    """Return a stored column as it was."""
    kind = spec["kind"]
    if kind == "plain":
        return column.astype(spec["dtype"])
    if kind == "category":
        categories = restored_column(pd.Series(spec["categories"], dtype=_storage_dtype(spec["how"])), spec["how"])
        dtype = pd.CategoricalDtype(pd.Index(categories), ordered=spec["ordered"])
        return restored_column(column, spec["inner"]).astype(dtype)
    texts = column.astype(object).where(column.notna(), None)
    if kind == "time":
        is_span = spec["dtype"].startswith("timedelta")
        times = pd.to_timedelta(texts) if is_span else pd.to_datetime(texts, format="ISO8601", utc="," in spec["dtype"])
        return times.astype(spec["dtype"])
    if kind == "wkb":
        import geopandas as gpd

        return gpd.GeoSeries.from_wkb(texts)
    if kind == "text":
        return texts
    loaders: dict[str, Callable[[str], Any]] = {"json": json.loads, "tuple": _tuple, "date": dt.date.fromisoformat}
    load = loaders[kind]
    values = [None if text is None else load(text) for text in texts]
    restored = pd.Series([None] * len(values), index=column.index, dtype=object)
    restored[:] = np.fromiter(values, dtype=object, count=len(values))
    return restored


def _tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _storage_dtype(spec: Mapping[str, Any]) -> str:
    return spec["dtype"] if spec["kind"] == "plain" else "str"
