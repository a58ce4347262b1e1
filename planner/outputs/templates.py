"""Blank workbooks that a planner fills in: one per table, drawn from its contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from planner.errors import InputError
from planner.schema import CONTRACTS, COORDINATES, TOTALS
from planner.texts import Language, text
from planner.written import is_whole_zip, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from planner.schema import Column, TableContract

HEADER_ROW = 2
_LAST_ROW = 5_000
_WIDTHS = {"id": 14, "text": 22, "number": 12, "integer": 10, "flag": 10, "choice": 16, "date": 14}
_NOTE_WIDTHS = (18, 10, 18, 50, 12, 60, 50)
_UNITS = {"people": "people", "households": "households", "m": "m", "m2": "m2", "10,000 CNY": "cny10k"}
_REQUIRED_FILL, _OPTIONAL_FILL = "FFC7352B", "FF4A6A8A"
_KINDS_TO_TABLES = {"population": "demand"}
TEMPLATES: Mapping[str, TableContract] = {**CONTRACTS, TOTALS.name: TOTALS}
"""Every table that there is a workbook for: those of the study, and people of towns and villages, who are split."""


@dataclass(frozen=True)
class _Sheet:
    """One sheet being laid out, in one language."""

    book: Workbook
    contract: TableContract
    columns: tuple[Column, ...]
    language: Language

    def words(self, key: str, **values: object) -> str:
        return text(f"templates.{key}", self.language, **values)

    def header(self, column: Column) -> str:
        return column.zh if self.language == "zh" else column.en


def write_template(kind: str, path: Path | str, language: Language = "zh") -> Path:
    """Write the blank workbook of a table and return its path.

    Parameters
    ----------
    kind : name of the table, such as "facilities".
    path : of the .xlsx to write; an existing file is never replaced: somebody may have filled it in.
    language : of headers and notes.

    Raises
    ------
    InputError
        When there is no such table, the file is there already, or cannot be written.
    """
    target = Path(path)
    if target.exists():
        raise InputError(f"{target} is there already. Choose another folder, or delete it first.")
    book = template_workbook(kind, language)
    with written(target, is_whole_zip) as part:
        book.save(part)
    return target


def write_templates(folder: Path | str, kinds: Sequence[str] | None = None, language: Language = "zh") -> list[Path]:
    """Write the blank workbooks of several tables (all by default) into `folder` and return their paths.

    Raises
    ------
    InputError
        When there is no such table, or the folder cannot be written.
    """
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {target} cannot be made ({error}).") from error
    return [write_template(kind, target / f"{kind}.xlsx", language) for kind in kinds or TEMPLATES]


def template_workbook(kind: str, language: Language = "zh") -> Workbook:
    """Return the blank workbook of a table: header, pull-down lists, notes.

    Raises
    ------
    InputError
        When there is no such table.
    """
    from openpyxl import Workbook

    name = _KINDS_TO_TABLES.get(kind, kind)
    if name not in TEMPLATES:
        raise InputError(f"There is no template for '{kind}'. Templates: {', '.join(TEMPLATES)}.")
    contract = TEMPLATES[name]
    coordinates = COORDINATES if contract.geometry == "Point" else ()
    automatic = ("from_node", "to_node", "road_id")
    columns = tuple(column for column in contract.columns if column.name not in automatic) + coordinates
    sheet = _Sheet(Workbook(), contract, columns, language)
    _write_table(sheet)
    _write_notes(sheet)
    return sheet.book


def _write_table(sheet: _Sheet) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    table = sheet.book.worksheets[0]
    table.title = sheet.contract.zh if sheet.language == "zh" else sheet.contract.en
    title = sheet.words("title", table=table.title)
    table["A1"] = f"{title}    {sheet.words('hint')}"
    table["A1"].font = Font(bold=True)
    lists = _write_lists(sheet)
    for position, column in enumerate(sheet.columns, start=1):
        letter = get_column_letter(position)
        cell = table[f"{letter}{HEADER_ROW}"]
        cell.value = sheet.header(column) + ("*" if column.is_required else "")
        cell.font = Font(bold=True, color="FFFFFFFF")
        cell.fill = PatternFill("solid", fgColor=_REQUIRED_FILL if column.is_required else _OPTIONAL_FILL)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.comment = Comment(_meaning(column, sheet.language), "Practice Circle Planner", height=90, width=260)
        table.column_dimensions[letter].width = _WIDTHS[column.kind]
        _validate(sheet, column, letter, lists.get(column.name))
    table.row_dimensions[HEADER_ROW].height = 30
    table.freeze_panes = f"A{HEADER_ROW + 1}"


def _write_lists(sheet: _Sheet) -> dict[str, str]:
    """Write the pull-down lists on a hidden sheet (a list written into the rule itself ends at 255 characters)."""
    from openpyxl.utils import get_column_letter

    picked = [column for column in sheet.columns if column.kind in ("choice", "flag")]
    if not picked:
        return {}
    lists = sheet.book.create_sheet(sheet.words("lists_sheet"))
    lists.sheet_state = "hidden"
    ranges = {}
    for position, column in enumerate(picked, start=1):
        words = choice_words(column, sheet.language)
        for row, word in enumerate(words, start=1):
            lists.cell(row, position, word)
        letter = get_column_letter(position)
        ranges[column.name] = f"'{lists.title}'!${letter}$1:${letter}${len(words)}"
    return ranges


def choice_words(column: Column, language: Language) -> list[str]:
    """Return the words offered for a column of choices or of yes and no; the importer understands each of them."""
    if column.kind == "flag":
        return [text("templates.flag_yes", language), text("templates.flag_no", language)]
    return [_word(code, words, language) for code, words in column.choices]


def _word(code: str, words: Sequence[str], language: Language) -> str:
    if language == "zh":
        return words[0] if words else code
    return next((word for word in words if word.isascii() and not word.isdigit()), code)


def _validate(sheet: _Sheet, column: Column, letter: str, choices: str | None) -> None:
    """Attach the pull-down list or the number rule of a column."""
    from openpyxl.worksheet.datavalidation import DataValidation

    if choices is not None:
        rule = DataValidation(type="list", formula1=choices, allow_blank=True)
        rule.error = sheet.words("pick")
        rule.showErrorMessage = not column.is_open
    elif column.kind in ("number", "integer") and column.minimum is not None:
        kind: Literal["whole", "decimal"] = "whole" if column.kind == "integer" else "decimal"
        rule = DataValidation(
            type=kind, operator="greaterThanOrEqual", formula1=f"{column.minimum:g}", allow_blank=True
        )
        rule.error = sheet.words("range", low=f"{column.minimum:g}")
        rule.showErrorMessage = True
    elif column.kind == "date":
        # A warning only: "2025年6月" is understood too.
        rule = DataValidation(
            type="date", operator="greaterThanOrEqual", formula1="1", allow_blank=True, errorStyle="warning"
        )
        rule.error = sheet.words("date")
        rule.showErrorMessage = True
    else:
        return
    sheet.book.worksheets[0].add_data_validation(rule)
    rule.add(f"{letter}{HEADER_ROW + 1}:{letter}{_LAST_ROW}")


def _write_notes(sheet: _Sheet) -> None:
    from openpyxl.styles import Alignment, Font

    notes = sheet.book.create_sheet(sheet.words("notes_sheet"), 1)
    about = "about_points" if sheet.contract.geometry == "Point" else "about_layers"
    notes.append([sheet.words(about)])
    keys = ("column", "required", "kind", "meaning", "unit", "choices", "other_names")
    notes.append([sheet.words(f"notes_{key}") for key in keys])
    for column in sheet.columns:
        notes.append(_note(sheet, column))
    for cell in notes[2]:
        cell.font = Font(bold=True)
    for row in notes.iter_rows(min_row=3):
        for cell in row:
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    _widen(notes, _NOTE_WIDTHS)
    notes.freeze_panes = "A3"


def _note(sheet: _Sheet, column: Column) -> list[str]:
    language = sheet.language
    others = (column.en if language == "zh" else column.zh, column.name, *column.synonyms)
    return [
        sheet.header(column),
        sheet.words("required" if column.is_required else "optional"),
        sheet.words(f"kind_{column.kind}"),
        _meaning(column, language),
        sheet.words(f"unit_{_UNITS[column.unit]}") if column.unit else "",
        ", ".join(choice_words(column, language)) if column.kind in ("choice", "flag") else "",
        ", ".join(dict.fromkeys(others)),
    ]


def _meaning(column: Column, language: Language) -> str:
    return column.meaning_zh if language == "zh" else column.meaning_en


def _widen(sheet: Worksheet, widths: Sequence[int]) -> None:
    from openpyxl.utils import get_column_letter

    for position, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width
