"""Tables on the pages: headers and codes in words, numbers in their form, a text never a link or a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from planner.outputs.statement import profile_name
from planner.outputs.wording import in_words
from planner.texts import Language, text

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHARES = ("_share",)
_MINUTES = ("_min", "_over")
_ROW_PX = 35
_PLAIN = ("year", "rank", "row")


def header(name: str, language: Language) -> str:
    """Return the header of a column in words; of a profile's column, with the profile's name."""
    kind, colon, code = name.partition(":")
    if colon:
        return text(f"ui.{kind}_of", language, profile=profile_name(code, language))
    return text(f"columns.{name}", language)


def show_table(
    table: pd.DataFrame,
    columns: Sequence[str],
    language: Language,
    *,
    key: str,
    height: int = 320,
    chosen: int | None = None,
) -> int | None:
    """Show the named columns of a table; return the position of the row that the reader just chose.

    Parameters
    ----------
    chosen : position of the row that something else chose, such as a click on the map; None = none.
    """
    names = [name for name in columns if name in table.columns]
    shown = in_words(table[names] if "gap_id" not in table.columns else table, language)[names]
    for name in names:
        if _is_number(shown[name]):
            shown[name] = shown[name].astype(float).replace([np.inf, -np.inf], np.nan) * _factor(name)
    config = {name: column_config(name, shown[name], language) for name in names}
    # Another row chosen elsewhere makes another table: its selection starts there.
    with st.container(key=f"{key} table"):
        event: Any = st.dataframe(
            shown, column_config=config, hide_index=True, width="stretch", height=_fitting(height, len(shown)),
            on_select="rerun",
            selection_mode="single-row", key=f"{key} {language} {chosen}", placeholder="-",
            selection_default=None if chosen is None else {"selection": {"rows": [chosen]}},
        )  # fmt: skip
    rows = event.selection.rows
    return int(rows[0]) if rows else None


def read_only(
    table: pd.DataFrame, columns: Sequence[str], language: Language, *, height: int | Literal["auto"] = "auto"
) -> None:
    """Show the named columns of a table that nothing is chosen from."""
    names = [name for name in columns if name in table.columns]
    shown = in_words(table[names], language)
    for name in names:
        if _factor(name) != 1:
            shown[name] = shown[name] * _factor(name)
    config = {name: column_config(name, shown[name], language) for name in names}
    st.dataframe(
        shown, column_config=config, hide_index=True, width="stretch", placeholder="-",
        height=height if isinstance(height, str) else _fitting(height, len(shown)),
    )  # fmt: skip


def _factor(name: str) -> int:
    """Return what a column's numbers are multiplied by to be shown: shares are shown in percent."""
    return 100 if name.endswith(_SHARES) or name.startswith("share:") else 1


def _fitting(height: int, n_rows: int) -> int:
    """Return a height without blank rows: at most `height`, pixels."""
    return min(height, _ROW_PX * (n_rows + 1) + 3)


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def column_config(name: str, column: pd.Series, language: Language) -> Any:
    """Return how Streamlit is to show a column: header in words, form of the numbers."""
    label = header(name, language)
    if not _is_number(column):
        return st.column_config.TextColumn(label)
    if _factor(name) != 1:
        return st.column_config.NumberColumn(label, format="%.1f%%")
    if name in _PLAIN:
        return st.column_config.NumberColumn(label, format="%d")
    digits = 1 if name.endswith(_MINUTES) and not name.startswith(("cutoff", "person")) else 0
    return st.column_config.NumberColumn(label, format="localized", step=10**-digits if digits else 1)
