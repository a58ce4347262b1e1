"""TOML texts as the tables that people edit: everything wrong in one is said at once, by key, with its repair."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from planner.errors import EntriesError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails

AnyEntry = TypeVar("AnyEntry", bound="Entry")
_SHOWN = 60
_MOST_LEVELS = 20
_TOO_DEEP = "this is nested too deeply, or holds a number too long. Mend it."
_NOT_TABLE = "stands outside of any table. Put it below a line such as [name]."
_NO_NUMBER = "must be a number, not true or false. Write a number."
# What pydantic found wrong, by its code, as what has to be there instead; `{it}` is what stands there.
_RULES: Mapping[str, str] = {
    "missing": "is missing. Write it.",
    "extra_forbidden": "is not known here. Known are {known}. Mend its name, or delete it.",
    "greater_than": "must be above {gt}; it is {it}. Change the number.",
    "greater_than_equal": "must be {ge} or more; it is {it}. Change the number.",
    "less_than": "must be below {lt}; it is {it}. Change the number.",
    "less_than_equal": "must be {le} or less; it is {it}. Change the number.",
    "finite_number": "must be a finite number; it is {it}. Change the number.",
    "literal_error": "must be one of {expected}; it is {it}. Choose one of them.",
    "too_short": "must not be empty. Write at least one.",
    "string_too_short": "must not be empty. Write at least one.",
    **dict.fromkeys(
        ("int_parsing", "int_type", "int_from_float"), "must be a whole number; it is {it}. Write a whole number."
    ),
    **dict.fromkeys(("float_parsing", "float_type"), "must be a number; it is {it}. Write a number."),
    **dict.fromkeys(("bool_parsing", "bool_type"), "must be true or false; it is {it}. Write one of the two."),
    "string_type": "must be a text; it is {it}. Put it between quotation marks.",
    **dict.fromkeys(("tuple_type", "list_type"), "must be a list; it is {it}. Put it between square brackets."),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type", "dataclass_type"),
        "must be a table; it is {it}. Write key = value lines below a line with its name in square brackets.",
    ),
}


class Entry(BaseModel):
    """A table of a TOML text: nothing in it that is not known, no infinite numbers, and no truth where a number is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_as_number(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401  whatever was written
        annotation = cls.model_fields[str(info.field_name)].annotation
        kinds = set(_kinds(get_args(annotation)[1] if get_origin(annotation) is dict else annotation))
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        takes_others = any(kind in (bool, str) or _is_entry(kind) for kind in kinds)
        if kinds & {int, float} and not takes_others and any(isinstance(each, bool) for each in inside):
            raise ValueError(_NO_NUMBER)
        return value


def toml_tables(toml: str, what: str) -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises
    ------
    EntriesError
        When it is no TOML; `what` names what it should be, such as "The tiers".
    """
    try:
        tables = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+), column (\d+)", str(error))
        where = f"line {found[1]}, column {found[2]}" if found else "the last line"
        if re.search(r"overwrite|twice|already|mutate|immutable", str(error)):
            line = f"{where}: the name stands there for the second time. Delete or rename one of the two."
        else:
            line = f"{where}: this is no TOML. Look for a missing quotation mark, bracket or equals sign."
        raise EntriesError(what, [line]) from error
    except (
        RecursionError,
        ValueError,
        OverflowError,
    ) as error:  # nested without end, thousands of digits
        raise EntriesError(what, [_TOO_DEEP]) from error
    if _is_deep(tables):
        raise EntriesError(what, [_TOO_DEEP])
    return tables


def _is_deep(tables: Mapping[str, Any]) -> bool:
    """Whether tables and lists stand in one another more often than anybody writes."""
    level: list[Any] = [tables]
    for _ in range(_MOST_LEVELS):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, dict | list)
        ]
        if not level:
            return False
    return True


def entries_of(tables: Mapping[str, Any], model: type[AnyEntry], what: str) -> dict[str, AnyEntry]:
    """Return every table as an entry by its name, in their order; where the model has a code, the name is its code.

    Raises
    ------
    EntriesError
        Naming everything that is wrong in any of them.
    """
    read, lines = {}, []
    for name, table in tables.items():
        if not isinstance(table, dict):
            rule = _RULES["dict_type"].format(it="a list") if isinstance(table, list) else _NOT_TABLE
            lines.append(f"{name}: {rule}")
            continue
        try:
            read[name] = model.model_validate({**table, "code": name} if "code" in model.model_fields else table)
        except ValidationError as error:
            lines += faults(error, model, name)
    if not tables:
        lines.append("There is nothing in it. Write a table that begins with a line such as [name].")
    if lines:
        raise EntriesError(what, lines)
    return read


def faults(error: ValidationError, model: type[Entry], name: str = "") -> list[str]:
    """Return what is wrong in the table `name`, one line each: key with its path, what must stand there, what does."""
    # A list counts as too short as well when something in it was refused: that is said already.
    found = [each for each in error.errors() if not (each["type"] == "too_short" and each["input"])]
    return list(dict.fromkeys(line for each in found for line in _lines(each, name, model)))


def _lines(each: ErrorDetails, name: str, model: type[Entry]) -> Iterator[str]:
    path = name
    for part in each["loc"]:
        if part != "[key]":
            path += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if path else part
    if each["type"] == "value_error":
        for words in each["msg"].removeprefix("Value error, ").split("\n"):
            yield f"{path}: {words}" if words == _NO_NUMBER else f"In {path}: {words}" if path else words
        return
    rule = _RULES.get(each["type"], "is not possible; it is {it}. Change it.")
    values = {
        key: f"{value:g}" if isinstance(value, float) else str(value).replace(" or ", ", ")
        for key, value in each.get("ctx", {}).items()
    }
    known = ", ".join(_known(model, each["loc"])) if "{known}" in rule else ""
    shown = _shown(each["input"])
    yield f"{path}: {rule.format_map({**values, 'known': known, 'it': shown})}"


def _shown(value: Any) -> str:  # noqa: ANN401  whatever was written
    """Return a value as TOML writes it, as far as a message has room for it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else f"{value!r:.{_SHOWN}}"


def _known(model: type[BaseModel] | None, loc: tuple[int | str, ...]) -> list[str]:
    """Return the keys of the table in which an unknown one was found."""
    for part in loc[:-1]:
        field = None if model is None else _fields(model).get(str(part))
        if field is not None:
            model = next((kind for kind in _kinds(field) if _is_entry(kind)), None)
    return [] if model is None else list(_fields(model))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items() if name != "code"}


def _kinds(annotation: Any) -> Iterator[Any]:  # noqa: ANN401  any type there is
    """Yield every plain type in an annotation: of `dict[str, tuple[int, ...]] | None` str, int and None's."""
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for each in inner:
        yield from _kinds(each)


def _is_entry(kind: Any) -> bool:  # noqa: ANN401  any type there is
    return isinstance(kind, type) and issubclass(kind, BaseModel)
