"""From a stream of bytes to the pieces in it: one piece for each message that is offered.

Line ends, MLLP frames, byte order marks and batch envelopes are how messages travel, not what they
say; a piece is cut where a segment `MSH` begins, whatever travels around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO


BLOCK_BYTES = 4 << 20

LARGEST_BYTES = 64 << 20
"""A larger piece is not taken for a message; it is kept in parts of this size."""

_NAMES = (b"MSH", b"FHS", b"BHS", b"BTS", b"FTS")
"""Segments that begin a message or are an envelope's."""

_BEFORE = frozenset(b"\r\n\x0b\x1c")
"""What stands before the beginning of a line."""

_TRAVEL = b"\r\n\x0b\x1c\x1a"
"""Line ends, MLLP's start and end of block, and the end of file of old systems."""

_FRAME = b"\x0b"
"""MLLP's start of block."""

_MARK = b"\xef\xbb\xbf"

_LOOK_BEHIND = 8
"""Bytes at the end of a block that may be the beginning of a segment's name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What lies between two beginnings: its number in the source, from 0, and its bytes."""

    number: int
    bytes: bytes

    @property
    def is_oversized(self) -> bool:
        """Tell whether it is a part of something too large."""
        return len(self.bytes) >= LARGEST_BYTES


def pieces(stream: BinaryIO) -> Iterator[Piece]:
    """Cut a stream into its pieces, in memory that depends on the largest piece only.

    Envelope segments and blank space are left out; everything else is in some piece, verbatim but
    for what it travelled in.
    """
    number = 0
    for raw in _cut(stream):
        content = bare(raw)
        if not content.strip() or _is_envelope(content):
            continue
        yield Piece(number, content)
        number += 1


def bare(raw: bytes) -> bytes:
    """Return bytes without what they travelled in."""
    return raw.strip(_TRAVEL).removeprefix(_MARK)


def lines(content: bytes) -> list[bytes]:
    """Return the lines of a piece, whatever ends them; blank ones are left out."""
    unified = content.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    return [line for line in unified.split(b"\r") if line and not line.isspace()]


def _cut(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what lies between beginnings; the last of a block waits for what follows it."""
    held = b""
    while block := stream.read(BLOCK_BYTES):
        held += block
        starts = _beginnings(held, len(held) - _LOOK_BEHIND)
        for begin, end in pairwise([0, *starts]):
            yield held[begin:end]
        held = held[starts[-1] :] if starts else held
        while len(held) >= LARGEST_BYTES:
            yield held[:LARGEST_BYTES]
            held = held[LARGEST_BYTES:]
    for begin, end in pairwise([0, *_beginnings(held, len(held)), len(held)]):
        yield held[begin:end]


def _beginnings(data: bytes, end: int) -> list[int]:
    """Return where something begins, in order: such a segment, or a frame of MLLP."""
    found = [at for at in _places(data, _FRAME, end) if at == 0 or data[at - 1] in _BEFORE]
    for name in _NAMES:
        for at in _places(data, name, end):
            begin = at - len(_MARK) if data.endswith(_MARK, 0, at) else at
            is_line = begin == 0 or data[begin - 1] in _BEFORE
            if is_line and not data[at + 3 : at + 4].isalnum():
                found.append(begin)
    return sorted(found)


def _places(data: bytes, what: bytes, end: int) -> Iterator[int]:
    """Yield where some bytes stand before an end; `find` is the fastest search there is."""
    at = data.find(what, 0, end)
    while at != -1:
        yield at
        at = data.find(what, at + len(what), end)


def _is_envelope(content: bytes) -> bool:
    """Tell whether a piece is an envelope's segment alone; with more in it, it is kept."""
    return content.startswith(_NAMES[1:]) and len(lines(content)) == 1
