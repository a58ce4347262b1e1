"""Seals of a study file: a hash over what each layer holds, and one over all that is no layer.

They are taken from what is read back, so that a save proves itself, and compared at every opening.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import sqlite3

PLAIN_TABLES = ("study", "metadata", "scenarios", "contents", "grids")
"""What is no layer: it is sealed as one."""
SEAL = "sha256"
"""The key of the seal in the table `study` and in what is said of a layer."""


def layer_seal(layer: pa.Table) -> str:
    """Return the SHA-256 over the rows of a layer, in their order: names, blanks and values of every column.

    Values count, not types: another version of GDAL may read an integer as a wider one.
    """
    digest = hashlib.sha256(str(layer.num_rows).encode())
    for name in layer.column_names:
        column = layer.column(name).combine_chunks()
        digest.update(f"\x1e{name}\x1f".encode())
        digest.update(np.packbits(pc.is_valid(column).to_numpy(zero_copy_only=False)).tobytes())
        for part in _parts(column.storage if isinstance(column, pa.ExtensionArray) else column):
            digest.update(part)
    return digest.hexdigest()


def _parts(column: pa.Array) -> tuple[memoryview | bytes, ...]:
    """Return the bytes of a column; blanks count as nothing, whatever stands in their place."""
    for is_kind, kind, blank in (
        (pa.types.is_boolean, pa.int64(), 0),
        (pa.types.is_integer, pa.int64(), 0),
        (pa.types.is_floating, pa.float64(), 0.0),
    ):
        if is_kind(column.type):
            return (pc.fill_null(column.cast(kind), blank).to_numpy(zero_copy_only=False).data,)
    texts = pc.fill_null(column.cast(pa.large_binary()), b"")
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset :][: len(texts) + 1]
    if not len(texts):
        return ()
    content = memoryview(texts.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    return np.diff(offsets).tobytes(), content


def plain_seal(database: sqlite3.Connection) -> str:
    """Return the SHA-256 over every value of the plain tables, but for the seal itself."""
    digest = hashlib.sha256()
    for table in PLAIN_TABLES:
        names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        digest.update(f"\x1d{table} {names}".encode())
        for row in database.execute(f"SELECT * FROM {table} ORDER BY rowid"):  # noqa: S608  names are ours
            if table == "study" and row[1] == SEAL:
                continue
            for value in row:
                data = value if isinstance(value, bytes) else str(value).encode()
                digest.update(f"\x1e{type(value).__name__} {len(data)}\x1f".encode())
                digest.update(data)
    return digest.hexdigest()
