"""Log sequence numbers and the WAL segment names made of them."""

import re
from dataclasses import dataclass

from tasks.control.errors import OpsError


DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024

_NAME = re.compile(r"^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$")


def parse(text: str) -> int:
    """Return the position in bytes of an LSN such as `0/3000028`."""
    high, slash, low = text.partition("/")
    if not slash:
        raise OpsError("not an LSN", seen=text, expected="such as 0/3000028")
    return (int(high, 16) << 32) | int(low, 16)


def spell(position: int) -> str:
    """Spell a position in bytes as an LSN."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


@dataclass(frozen=True, order=True)
class Segment:
    """One WAL segment: a timeline and the number of the segment in it."""

    timeline: int
    number: int
    bytes: int = DEFAULT_SEGMENT_BYTES

    @property
    def name(self) -> str:
        """The file name PostgreSQL gives it: 24 hexadecimal digits."""
        per_log = 0x1_0000_0000 // self.bytes
        return f"{self.timeline:08X}{self.number // per_log:08X}{self.number % per_log:08X}"

    @property
    def start(self) -> int:
        """Position of its first byte."""
        return self.number * self.bytes

    @property
    def end(self) -> int:
        """Position after its last byte."""
        return self.start + self.bytes

    def next(self) -> "Segment":
        """Return the segment that follows on the same timeline."""
        return Segment(self.timeline, self.number + 1, self.bytes)


def segment_at(timeline: int, position: int, size: int = DEFAULT_SEGMENT_BYTES) -> Segment:
    """Return the segment that holds a position."""
    return Segment(timeline, position // size, size)


def segment_named(name: str, size: int = DEFAULT_SEGMENT_BYTES) -> Segment | None:
    """Return the segment of a file name, or None where it is not one."""
    match = _NAME.match(name)
    if match is None:
        return None
    timeline, log, part = (int(group, 16) for group in match.groups())
    return Segment(timeline, log * (0x1_0000_0000 // size) + part, size)
