"""How a file was read, kept as TOML: next year's file of the same office is read the same way."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from planner.errors import InputError
from planner.inputs.files.archives import require_file
from planner.inputs.files.encodings import decode
from planner.written import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from planner.inputs.columns.proposals import Proposal
    from planner.inputs.options import ImportOptions

_TEXTS = ("frame", "sheet", "layer")
_TABLES = {"columns": "columns", "classes": "class_mapping"}
_KNOWN = ("kind", *_TEXTS, *_TABLES)


def recipe_to_toml(kind: str, options: ImportOptions, proposal: Proposal | None = None) -> str:
    """Return the recipe of an import: its choices, and under which header every column was found.

    A line that is not sure says so in a comment, to be checked by whoever keeps the recipe.
    """
    import tomli_w

    head: dict[str, Any] = {"kind": kind}
    head |= {name: getattr(options, name) for name in _TEXTS if getattr(options, name) is not None}
    lines = [tomli_w.dumps(head).rstrip()]
    if proposal is not None or options.columns:
        lines += ["", "[columns]"]
    for match in proposal.matches if proposal is not None else ():
        line = tomli_w.dumps({match.field: match.header}).rstrip()
        lines.append(line if match.confidence >= 1 else f"{line}  # {match.how}: {match.confidence:.0%}")
    if proposal is None and options.columns:
        lines.append(tomli_w.dumps(dict(options.columns)).rstrip())
    if options.class_mapping:
        lines += ["", "[classes]", tomli_w.dumps(dict(options.class_mapping)).rstrip()]
    return "\n".join(lines) + "\n"


def read_recipe(path: Path, kind: str | None, options: ImportOptions) -> tuple[str, ImportOptions]:
    """Return the kind and the options of a recipe; what `kind` and `options` say themselves wins.

    Raises
    ------
    InputError
        When the file is no recipe, or one for another kind of import.
    """
    require_file(path)
    try:
        recipe = tomllib.loads(decode(path.read_bytes(), path.name)[0])
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} cannot be read as a recipe ({error}). Make one with --save-recipe.") from error
    _require_recipe(path.name, recipe)
    if kind is not None and recipe.get("kind", kind) != kind:
        raise InputError(f"{path.name} is a recipe for {recipe['kind']}, not for {kind}.")
    choices: dict[str, Any] = {
        name: getattr(options, name) if getattr(options, name) is not None else recipe.get(name) for name in _TEXTS
    }
    for table, name in _TABLES.items():
        if table in recipe:
            choices[name] = {**recipe[table], **(getattr(options, name) or {})}
    return kind or str(recipe.get("kind", "")), replace(options, **choices)


def _require_recipe(file: str, recipe: dict[str, Any]) -> None:
    unknown = [name for name in recipe if name not in _KNOWN]
    if unknown:
        raise InputError(f"{file} says '{unknown[0]}', which no recipe has. A recipe has: {', '.join(_KNOWN)}.")
    for name, value in recipe.items():
        words = value.values() if name in _TABLES and isinstance(value, dict) else [value]
        if (name in _TABLES) != isinstance(value, dict) or not all(isinstance(word, str) for word in words):
            form = "a table of texts" if name in _TABLES else "a text"
            raise InputError(f"{file}: '{name}' must be {form}.")


def save_recipe_file(path: Path, kind: str, options: ImportOptions, proposal: Proposal | None) -> None:
    """Write a recipe; an existing file is never replaced, as somebody may have checked it.

    Raises
    ------
    InputError
        When the file is there already, or cannot be written.
    """
    if path.exists():
        raise InputError(f"{path} is there already. Choose another name, or delete it first.")
    write_text(path, recipe_to_toml(kind, options, proposal))
