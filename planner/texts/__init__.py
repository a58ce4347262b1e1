"""Every word a person reads, in Chinese and English, by key.

The words stand in the TOML files beside this module, one a subject: `[key]` with `zh` and `en`. A key is written
`subject.key`, for example `text("terms.coverage", "zh")`. Placeholders are Python format fields.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

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
