import re
import string
from pathlib import Path

import pytest

from planner.schema import CONTRACTS, COORDINATES
from planner.texts import LANGUAGES, entries, text

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
