import openpyxl
import pytest

from planner.errors import InputError
from planner.inputs.intake import ImportOptions, import_file
from planner.outputs.templates import HEADER_ROW, choice_words, template_workbook, write_template, write_templates
from planner.schema import CONTRACTS, COORDINATES
from planner.study import new_study

POINTS = [name for name, contract in CONTRACTS.items() if contract.geometry == "Point"]
LANGUAGES = ["zh", "en"]


def headers(book):
    return [cell.value.rstrip("*") for cell in book.worksheets[0][HEADER_ROW]]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CONTRACTS)
def test_every_column_of_the_contract_has_its_header_note_and_mark(kind, language):
    book = template_workbook(kind, language)
    contract = CONTRACTS[kind]
    columns = [c for c in contract.columns if c.name not in ("road_id", "from_node", "to_node")]
    columns += COORDINATES if contract.geometry == "Point" else []
    assert headers(book) == [getattr(column, language) for column in columns]
    for cell, column in zip(book.worksheets[0][HEADER_ROW], columns, strict=True):
        assert cell.value.endswith("*") == column.is_required
        assert cell.comment.text == getattr(column, f"meaning_{language}")
    notes = [row[0].value for row in book.worksheets[1].iter_rows(min_row=3)]
    assert notes == headers(book)
    assert book.worksheets[0].freeze_panes == "A3"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", POINTS)
def test_a_filled_template_comes_back_without_a_finding(tmp_path, kind, language):
    path = write_template(kind, tmp_path / "t.xlsx", language)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = (*CONTRACTS[kind].columns, *COORDINATES)
    n_rows = max([len(choice_words(c, language)) for c in columns if c.kind in ("choice", "flag")], default=1)
    for i in range(n_rows):
        for position, column in enumerate(columns, start=1):
            sheet.cell(HEADER_ROW + 1 + i, position, _filled(column, i, language))
    book.save(path)
    result = import_file(new_study("县", "EPSG:32649"), kind, path, ImportOptions(frame="EPSG:4326"))
    assert [row for row in result.ledger.rows if row.code != "way_unstated"] == []
    table = result.study.table(kind)
    assert len(table) == n_rows
    for column in columns:
        if column.kind == "choice":
            codes = [code for code, _ in column.choices]
            assert list(table[column.name]) == [codes[i % len(codes)] for i in range(n_rows)]
        elif column.kind == "flag":
            assert list(table[column.name]) == [i % 2 == 0 for i in range(n_rows)]


def _filled(column, i, language):
    if column.name in ("x", "y", "origin_x", "origin_y"):
        return 109.0 if column.name.endswith("x") else 32.7
    if column.kind in ("choice", "flag"):
        words = choice_words(column, language)
        return words[i % len(words)]
    words = {"opening_hours": "周一至周五 8:30-17:30", "function_rooms": "文化", "checklist": "有场所=有"}
    if column.name in words:
        return words[column.name]
    number = 3 if column.name in ("age60", "children") else 10
    return {"id": f"X{i}", "text": "甲", "date": "2027-06-30", "integer": 2016, "number": number}[column.kind]


def test_pull_down_lists_point_at_the_words_they_offer(tmp_path):
    book = openpyxl.load_workbook(write_template("candidates", tmp_path / "t.xlsx"))
    letter = next(cell.column_letter for cell in book.worksheets[0][HEADER_ROW] if cell.value == "激活方式")
    rule = next(r for r in book.worksheets[0].data_validations.dataValidation if f"{letter}3" in str(r.sqref))
    title, cells = rule.formula1.split("!")
    assert [row[0].value for row in book[title.strip("'")][cells.replace("$", "")]] == choice_words(
        CONTRACTS["candidates"].column("way"), "zh"
    )
    assert book[title.strip("'")].sheet_state == "hidden"
    assert rule.showErrorMessage


def test_all_templates_at_once(tmp_path):
    paths = write_templates(tmp_path / "new" / "folder")
    assert [path.stem for path in paths] == [*CONTRACTS, "totals"]
    assert all(path.stat().st_size > 5_000 for path in paths)
    assert [path.name for path in write_templates(tmp_path, ["population"])] == ["population.xlsx"]


def test_a_template_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match="There is no template for 'elevation'"):
        write_templates(tmp_path, ["elevation"])


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be made"):
        write_templates(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be written"):
        write_template("demand", tmp_path / "absent" / "t.xlsx")


@pytest.mark.parametrize("kind", POINTS)
def test_a_blank_template_says_that_it_is_blank(tmp_path, kind):
    path = write_template(kind, tmp_path / "t.xlsx")
    with pytest.raises(InputError, match="holds no rows"):
        import_file(new_study("县", "EPSG:32649"), kind, path, ImportOptions(frame="EPSG:4326"))
