"""HTML as a tree: what a user wrote is a text node or data, so that none becomes a tag, a script or a template."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, tostring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.texts import Language

# What a browser would read as the end of a script, the start of a comment, or a line break within a string.
_NOT_IN_SCRIPTS = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def tag(kind: str, /, *content: str | Element, looks: str = "", **attributes: str) -> Element:
    """Return an element of HTML with texts and elements in it; `looks` are its classes."""
    made = Element(kind, {"class": looks, **attributes} if looks else attributes)
    last: Element | None = None
    for part in content:
        if isinstance(part, Element):
            made.append(part)
            last = part
        elif last is None:
            made.text = (made.text or "") + part
        else:
            last.tail = (last.tail or "") + part
    return made


def html(*elements: Element) -> str:
    """Return elements as HTML."""
    return "".join(tostring(element, encoding="unicode", method="html") for element in elements)


def data_block(name: str, value: Any) -> Element:  # noqa: ANN401  any JSON value
    """Return `value` as a block of JSON that a script of the page finds under the id `name`.

    Raises
    ------
    ValueError
        When a number is not finite: JSON has no word for it.
    """
    words = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return tag("script", words.translate(_NOT_IN_SCRIPTS), id=name, type="application/json")


def html_page(
    title: str, body: Sequence[Element], language: Language, style: str = "", scripts: Sequence[str] = ()
) -> str:
    """Return a whole page that loads nothing, sends nothing, and runs `scripts` only, at its end."""
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", **{"http-equiv": "Content-Security-Policy", "content": policy}),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", style),
    ]
    ends = [tag("script", script) for script in scripts]
    return f"<!DOCTYPE html>\n{html(tag('html', tag('head', *head), tag('body', *body, *ends), lang=language))}\n"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
