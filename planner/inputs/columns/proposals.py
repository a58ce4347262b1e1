"""What a file is taken for, before anything of it is taken: where its table stands and which header means what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.inputs.columns.contents import content_matches
from planner.inputs.columns.headers import Match, header_matches
from planner.inputs.records import is_blank
from planner.schema import CONTRACTS, COORDINATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planner.inputs.records import Records, Source
    from planner.schema import TableContract
    from planner.texts import Language


@dataclass(frozen=True)
class Proposal:
    """How a file would be read as one table.

    Attributes
    ----------
    table : name of the contract.
    source : sheet, header rows, encoding.
    matches : columns found, with the header and how sure each is.
    ignored : headers that nothing is taken from.
    """

    table: str
    source: Source
    matches: tuple[Match, ...]
    ignored: tuple[str, ...]

    @property
    def found(self) -> dict[str, int]:
        """Position of the header of every column found."""
        return {match.field: match.position for match in self.matches}

    def to_records(self, language: Language = "zh") -> list[dict[str, Any]]:
        """Return one record per column found: field, meaning, header, how, confidence."""
        names = {column.name: column for column in (*CONTRACTS[self.table].columns, *COORDINATES)}
        return [
            {
                "field": match.field,
                "meaning": names[match.field].zh if language == "zh" else names[match.field].en,
                "header": match.header,
                "how": match.how,
                "confidence": match.confidence,
            }
            for match in self.matches
        ]


def propose(records: Records, contract: TableContract, wanted: Mapping[str, str]) -> Proposal:
    """Return how the records would be read as a table: by the user's choice, by headers, by content."""
    matches = _matches(records, contract, wanted)
    named = {match.field for match in matches}
    said = [(field, position) for field, position in records.said if field not in named]
    matches += [Match(field, records.headers[position], position, "said") for field, position in said]
    matches += content_matches(records, contract, matches)
    used = {match.position for match in matches}
    ignored = tuple(header for i, header in enumerate(records.headers) if i not in used and header.strip())
    return Proposal(contract.name, records.source, tuple(matches), ignored)


def _matches(records: Records, contract: TableContract, wanted: Mapping[str, str]) -> list[Match]:
    """Return the matches by headers; a column without any value is taken only where no other will do."""
    is_empty = [all(is_blank(cell) for cell in cells) for cells in records.columns]
    filled = [
        "" if empty and header not in wanted.values() else header
        for header, empty in zip(records.headers, is_empty, strict=True)
    ]
    found = header_matches(filled, contract, wanted, is_short=records.has_short_headers, parts=records.parts)
    if any(is_empty):
        fields = {match.field for match in found}
        positions = {match.position for match in found}
        every = header_matches(
            records.headers, contract, {}, is_short=records.has_short_headers, parts=records.parts
        )  # fmt: skip
        found += [
            match
            for match in every
            if is_empty[match.position] and match.field not in fields and match.position not in positions
        ]
    return found
