"""A message as segments and fields: tokenized once, split further only where somebody asks."""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

from tasks.hl7.parser import charset
from tasks.hl7.parser.escapes import unescaped
from tasks.hl7.parser.framing import LARGEST_BYTES, Piece, lines
from tasks.hl7.parser.reasons import Note, Reason


_HEADER = b"MSH"

SHORTEST_HEADER = 9
"""`MSH|^~\\&|` is the least that a header must have."""

TYPE, CHARSET = 8, 17
"""Where MSH-9 and MSH-18 stand in a header that is split at its delimiters."""

LAST_READ = 18

NULL = '""'
"""HL7's way to say that a value is known to be none (v2.5, 2.5.3)."""

LONGEST_KEY = 250
"""Characters; HL7 allows 199 for a control id, and an index of PostgreSQL takes no 2,700 bytes."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The five characters that a message declares in MSH-1 and MSH-2."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A piece that is no message, and why."""

    piece: Piece
    reason: Reason


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its canonical bytes (segments ended by CR), its text by segments, its notes."""

    raw: bytes
    segments: list[str]
    delimiters: Delimiters
    codec: str
    notes: list[Note] = field(default_factory=list)
    _firsts: dict[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> bytes:
        """Digest of the canonical bytes: the same however the message travelled."""
        return hashlib.sha256(self.raw).digest()

    def fields(self, name: str) -> list[str]:
        """Return the fields of the first segment of a name, numbered as HL7 does; [] for none."""
        if not self._firsts:
            mark = self.delimiters.field
            for segment in reversed(self.segments):
                if segment[3:4] == mark:
                    self._firsts[segment[:3]] = segment
        found = self._firsts.get(name)
        return self.split(found) if found else []

    def split(self, segment: str) -> list[str]:
        """Split a segment into fields, so that index 3 is field 3, in the header too."""
        split = segment.split(self.delimiters.field)
        if split[0] == "MSH":
            split.insert(1, self.delimiters.field)
        return split

    def key(self, fields: list[str], number: int, component: int = 1) -> str:
        """Return a value that something is known by; one too long for that is noted, and empty."""
        text = self.value(fields, number, component)
        if len(text) <= LONGEST_KEY:
            return text
        self.notes.append(Note.LONG_VALUE)
        return ""

    def value(self, fields: list[str], number: int, component: int = 1, sub: int = 1) -> str:
        """Return a value of a field's first repetition, unescaped; empty where there is none."""
        if number >= len(fields) or not (text := fields[number]):
            return ""
        marks = self.delimiters
        if marks.repetition in text:
            text = text.partition(marks.repetition)[0]
        text = _part(text, marks.component, component)
        text = _part(text, marks.subcomponent, sub)
        if text == NULL:
            return ""
        return unescaped(text, marks) if marks.escape in text else text


def _part(text: str, mark: str, number: int) -> str:
    if mark not in text:
        return text if number == 1 else ""
    parts = text.split(mark, number)
    return parts[number - 1] if number <= len(parts) else ""


def parse(piece: Piece) -> Message | Rejected:
    """Read a piece as a message, or say why it is none. It never raises for its content."""
    content = piece.bytes
    if len(content) >= LARGEST_BYTES:
        return Rejected(piece, Reason.TOO_LARGE)
    if not content.startswith(_HEADER):
        return Rejected(piece, Reason.NO_HEADER)
    if b"\0" in content:
        return Rejected(piece, Reason.NUL_BYTE)
    body, is_continued = _canonical(content)
    header = body.partition(b"\r")[0]
    fields = header.split(header[3:4], LAST_READ) if len(header) >= SHORTEST_HEADER else []
    problem = _header_problem(fields)
    if problem is not None:
        return Rejected(piece, problem)
    decoded = charset.decode(body, _declared(fields))
    if decoded is None:
        return Rejected(piece, Reason.UNDECODABLE)
    text, codec, odd = decoded
    notes = [Note.CONTINUED_LINES] if is_continued else []
    if odd is not None:
        notes.append(odd)
    marks = _delimiters(header[3:8])
    return Message(body + b"\r", text.split("\r"), marks, codec, notes)


def _canonical(content: bytes) -> tuple[bytes, bool]:
    """Return the segments with CR between them, and whether some went over several lines.

    A line that does not begin like a segment belongs to the one before it, as where a text field
    holds line ends. Nearly every message has no such line, and is seen to be so in one search.
    """
    unified = content
    if b"\n" in content:
        unified = content.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    mark = content[3:4]
    if _odd_line(mark).search(unified) is None:
        return unified, False
    found: list[bytes] = []
    for line in lines(content):
        if found and _odd_line(mark).match(b"\r" + line):
            found[-1] += b"\n" + line
        else:
            found.append(line)
    body = b"\r".join(found)
    return body, b"\n" in body


@cache
def _odd_line(mark: bytes) -> re.Pattern[bytes]:
    """Return what finds a line that does not begin like a segment of these delimiters.

    A name that is too short or too long, before a delimiter, is a segment's all the same: one of
    an unknown kind.
    """
    end = re.escape(mark)
    known, unknown = rb"[A-Z][A-Z0-9]{2}(?:" + end + rb"|\r|\Z)", rb"[A-Z][A-Z0-9]{1,9}" + end
    return re.compile(rb"\r(?!" + known + rb"|" + unknown + rb")")


def _header_problem(fields: list[bytes]) -> Reason | None:
    """Say what is wrong with the fields of a header, or None."""
    if len(fields) <= TYPE:
        return Reason.TRUNCATED_HEADER
    if not _are_delimiters(fields[1]):
        return Reason.BAD_DELIMITERS
    return None if fields[TYPE].strip() else Reason.NO_MESSAGE_TYPE


@lru_cache(maxsize=1024)
def _are_delimiters(encoding: bytes) -> bool:
    """Tell whether MSH-2 is four or five different characters, none of which could be text."""
    is_plain = encoding.isascii() and encoding.decode().isprintable() and b" " not in encoding
    has_text = any(each.isalnum() for each in encoding.decode("latin-1"))
    return is_plain and not has_text and 4 <= len(set(encoding)) == len(encoding) <= 5  # noqa: PLR2004


def _declared(fields: list[bytes]) -> bytes:
    """Return MSH-18, its first repetition."""
    return fields[CHARSET].partition(fields[1][1:2])[0] if len(fields) > CHARSET else b""


@cache
def _delimiters(marks: bytes) -> Delimiters:
    return Delimiters(*marks.decode("ascii"))
