"""Declared against found as a workbook of its own: one network may be several studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.outputs.sheets import PEOPLE, PLAIN, Book, Sheet, SheetColumn, add_sheet
from planner.outputs.wording import in_words
from planner.texts import Language, text

if TYPE_CHECKING:
    from pathlib import Path

    from planner.coverage.declared import Reconciliation

_COLUMNS = ("measure", "tier", "class", "declared", "found", "difference", "judgement")


def write_reconciliation(result: Reconciliation, path: Path, language: Language = "zh") -> Path:
    """Write the reconciliation and the ratios as two sheets of a new workbook; return its path.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    said = result.declared
    name = said.name if language == "zh" else said.name_en or said.name
    title = text("network.declared", language, name=name, source=said.source)
    formula = text("network.formula", language, declared=result.declared_formula, found=result.found_formula)
    note = "\n".join([formula, *(text("network.note", language, note=words) for words in said.notes)])
    pages = ((text("network.declared_sheet", language), _COLUMNS, result.table),
             (text("network.ratios", language), ("ratio", "declared", "found"), result.ratios))  # fmt: skip
    with Book(path, title) as book:
        for sheet, columns, table in pages:
            heads = [_column(column, language) for column in columns]
            add_sheet(book, Sheet(sheet, title, note, heads, in_words(table, language)))
    return path


def _column(name: str, language: Language) -> SheetColumn:
    number_format = {"difference": PEOPLE, "found": "#,##0.##"}.get(name, PLAIN)
    return SheetColumn(name, text(f"columns.{name}", language), number_format, 20)
