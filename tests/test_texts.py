import ast
import re
import string
from pathlib import Path

import pytest
import typer

import planner.errors
from planner.cli import app
from planner.errors import InputError
from planner.inputs.intake import ImportOptions, import_file
from planner.schema import CONTRACTS, COORDINATES
from planner.study import new_study
from planner.texts import LANGUAGES, entries, error_words, text, translated

SUBJECTS = sorted(path.stem for path in (Path(__file__).parents[1] / "planner" / "texts").glob("*.toml"))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_key_has_both_languages_with_the_same_placeholders(subject):
    for key, words in entries(subject).items():
        assert set(words) == set(LANGUAGES), key
        fields = [{name for _, name, _, _ in string.Formatter().parse(words[lang]) if name} for lang in LANGUAGES]
        assert fields[0] == fields[1], key
        assert all(words[lang].strip() for lang in LANGUAGES), key


@pytest.mark.parametrize("subject", SUBJECTS)
def test_chinese_is_chinese(subject):
    for key, words in entries(subject).items():
        if re.search(r"[a-z]{4,}", re.sub(r"\{[^}]*\}", "", words["en"])):
            assert re.search(r"[一-鿿]", words["zh"]) or (words["zh"].isascii() and words["zh"] == words["en"]), key


def test_values_fill_the_words():
    assert text("terms.at_least", "zh", tier="站") == "站及以上"


HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,:;()?!]|[,:;()?!][\u4e00-\u9fff]")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_chinese_sentences_have_full_width_punctuation(subject):
    for key, words in entries(subject).items():
        assert not HALF_WIDTH.search(words["zh"]), f"{key}: {words['zh']}"


def test_chinese_words_of_columns_have_full_width_punctuation():
    for column in (*COORDINATES, *(column for contract in CONTRACTS.values() for column in contract.columns)):
        for words in (column.zh, column.meaning_zh, *column.synonyms):
            assert not HALF_WIDTH.search(words), f"{column.name}: {words}"


def _raised_sentences():
    """Every sentence with which the planner raises an error of the user's, `x` for what fills it."""
    errors = {name for name in dir(planner.errors) if name.endswith("Error")} - {"MissingExtraError"}
    for path in sorted((Path(__file__).parents[1] / "planner").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                sentence, is_ours = node.exc.args[0], getattr(node.exc.func, "id", None) in errors
                if is_ours and isinstance(sentence, ast.Constant):
                    yield path.name, sentence.value
                if is_ours and isinstance(sentence, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "x" for part in sentence.values]
                    yield path.name, "".join(parts)


def test_every_error_has_chinese_words():
    missing = [
        f"{file}: {sentence}" for file, sentence in _raised_sentences() if translated(sentence, "zh") == sentence
    ]
    assert not missing, "\n".join(["Add these to planner/texts/errors.toml:", *missing])


def test_what_fills_an_error_is_kept_and_its_sentences_translated():
    sentence = "a.csv has no column for name. Headers found: 站名, tier. Name the header with --column name=HEADER, "
    chinese = translated(sentence + "or use the template: planner template facilities", "zh")
    assert "a.csv 没有对应 name 的列" in chinese
    assert "找到的表头" in chinese
    assert "站名, tier" in chinese
    assert translated("There is no study file x.", "en") == "There is no study file x."
    assert translated("Whatever another library says", "zh") == "Whatever another library says"


def test_reasons_of_a_refused_file_are_said_in_either_language(tmp_path):
    (tmp_path / "a.csv").write_text("名称,层级,经度,纬度\nA站,站,10.1,20.1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        import_file(new_study("c", "EPSG:4545"), "facilities", tmp_path / "a.csv", ImportOptions(frame="EPSG:4490"))
    chinese, english = (error_words(caught.value, language) for language in ("zh", "en"))
    assert chinese.startswith("a.csv 没有可用的内容")
    assert not re.search(r"[a-z]{4,} [a-z]{3,}", chinese)
    assert "lie" in english
    assert not re.search(r"[\u4e00-\u9fff]", english)


def test_every_line_of_help_has_chinese_words():
    def lines(command):
        yield from (part.help for part in (command, *command.params) if getattr(part, "help", None))
        for each in getattr(command, "commands", {}).values():
            yield from lines(each)

    missing = [line for line in lines(typer.main.get_command(app)) if translated(line, "zh") == line]
    assert not missing, "\n".join(["Add these to planner/texts/help.toml:", *missing])
