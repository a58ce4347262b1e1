"""The encoding of a text file: UTF-8 (marked or not), UTF-16, GBK / GB18030, found out without reading it whole."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from planner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Chunks = Callable[[], Iterable[bytes]]

DAMAGED = "\ufffd"
"""What stands for bytes that mean nothing in the file's encoding."""
_CHUNK_BYTES = 1024**2
_HEAD_BYTES = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A few bytes flipped in a file leave most of its characters whole; the wrong encoding leaves next to none.
_WHOLE_PER_DAMAGED = {"utf-8": 5, "gb18030": 20, "utf-8-sig": 0, "utf-16": 0}
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 (BOM)",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (LE)",
    "utf-16-be": "UTF-16 (BE)",
    "gb18030": "GBK / GB18030",
}


@dataclass(frozen=True)
class Encoding:
    """How the bytes of a file become text.

    Attributes
    ----------
    codec : name of the Python codec.
    is_damaged : some bytes mean nothing in it and are read as `DAMAGED`.
    """

    codec: str
    is_damaged: bool = False

    @property
    def errors(self) -> str:
        """What a decoder is to do with bytes that mean nothing."""
        return "replace" if self.is_damaged else "strict"

    def __str__(self) -> str:
        return _NAMES.get(self.codec, self.codec)


def encoding_of_file(path: Path) -> Encoding:
    """Return the encoding of a text file of any size.

    Raises
    ------
    InputError
        When it is in none that is known, or no text.
    """
    return _encoding(partial(_chunks, path), path.name)


def decode(data: bytes, file: str) -> tuple[str, str]:
    """Return the text of a file and the codec it was in.

    Raises
    ------
    InputError
        When it is in no encoding that is known, or no text.
    """
    encoding = _encoding(lambda: [data], file)
    return data.decode(encoding.codec, encoding.errors), encoding.codec


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _encoding(chunks: Chunks, file: str) -> Encoding:
    head = next(iter(chunks()), b"")[:_HEAD_BYTES]
    marked = next((codec for mark, codec in _MARKS if head.startswith(mark)), None)
    codecs_tried = (marked,) if marked else (_unmarked_utf16(head),) if b"\x00" in head else ("utf-8", "gb18030")
    if codecs_tried == ("",) or (codecs_tried == ("utf-8", "gb18030") and any(b"\x00" in chunk for chunk in chunks())):
        raise InputError(f"{file} is no text file (it holds zero bytes). Export it again as 'CSV UTF-8'.")
    for codec in codecs_tried:
        if _is_whole(chunks, codec):
            return Encoding(codec)
    for codec in codecs_tried:
        if _is_nearly_whole(chunks, codec):
            return Encoding(codec, is_damaged=True)
    raise InputError(f"{file} is neither in UTF-8 nor in GBK (GB18030). Save it again as 'CSV UTF-8'.")


def _unmarked_utf16(head: bytes) -> str:
    """Return the byte order of UTF-16 without a mark: marks and digits have a zero byte in each pair; "" if it is none.

    Ordinary tables hold separators and line ends, whose zero bytes all stand on one side.
    """
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if min(even, odd) * 20 > max(even, odd) or max(even, odd) * 7 < len(head):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_whole(chunks: Chunks, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for chunk in chunks():
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_nearly_whole(chunks: Chunks, codec: str) -> bool:
    """Whether so few bytes mean nothing that the encoding must be this one all the same."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    n_damaged = n_whole = 0
    for chunk in chunks():
        text = decoder.decode(chunk)
        damaged = text.count(DAMAGED)
        n_damaged += damaged
        n_whole += sum(1 for character in text if not character.isascii()) - damaged
    return n_whole > 0 and n_whole >= _WHOLE_PER_DAMAGED.get(codec, 5) * n_damaged
