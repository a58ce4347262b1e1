"""Every word a person reads, in Chinese and English, by key.

The words stand in the TOML files beside this module, one a subject: `[key]` with `zh` and `en`. A key is written
`subject.key`, for example `text("terms.coverage", "zh")`. Placeholders are Python format fields.

Errors are raised, and help is written, in English where they belong; `translated` finds the Chinese of a sentence in
`errors.toml` and `help.toml`, whose placeholders are numbered.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@cache
def entries(subject: str) -> dict[str, dict[str, str]]:
    """Return all entries of one subject: key -> {"zh": ..., "en": ...}."""
    path = resources.files("planner.texts") / f"{subject}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def text(key: str, language: Language = "zh", **values: object) -> str:
    """Return the words for `key` ("subject.name") in `language`, with `values` filled in.

    Raises
    ------
    KeyError
        When there is no such key: a defect of ours, not of the user.
    """
    subject, name = key.split(".", 1)
    words = entries(subject)[name][language]
    return words.format(**values) if values else words


def listed(names: Iterable[str], language: Language) -> str:
    """Return names one after the other, as the language sets them apart."""
    return ("、" if language == "zh" else ", ").join(names)


def error_words(error: Exception, language: Language) -> str:
    """Return what an error says in `language`."""
    chinese = getattr(error, "chinese", "")
    return chinese if chinese and language == "zh" else translated(str(error), language)


def translated(sentence: str, language: Language) -> str:
    """Return an English sentence of an error or of help in `language`; as it stands where none is known.

    What fills a placeholder is translated too when it is itself such a sentence, line by line.
    """
    if language == "en":
        return sentence
    for pattern, words in _sentences():
        found = pattern.fullmatch(sentence)
        if found:
            values = (each or "" for each in found.groups())
            return words.format(*("\n".join(_line(line, language) for line in each.split("\n")) for each in values))
    return sentence


def _line(words: str, language: Language) -> str:
    """Return one line of what fills a placeholder in `language`, indented as it was."""
    sentence = words.lstrip()
    return words[: len(words) - len(sentence)] + translated(sentence, language)


@cache
def _sentences() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return a pattern for every English sentence with its Chinese.

    Those that take several lines come first, as a placeholder of any other takes them too; then those with most words
    of their own.
    """
    found = []
    for subject in ("errors", "help"):
        for words in entries(subject).values():
            parts = re.split(r"\{\d+\}", words["en"])
            pattern = "(.*?)".join(re.escape(part) for part in parts)
            rank = ("\n" in words["en"], sum(map(len, parts)))
            found.append((rank, re.compile(pattern, re.DOTALL), words["zh"]))
    found.sort(key=lambda each: each[0], reverse=True)
    return tuple((pattern, zh) for _, pattern, zh in found)
