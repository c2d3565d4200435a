"""The table of contents of a dump in `pg_dump`'s custom or directory format: its entries, whole.

`pg_restore --list` shows the entries on a line each, without what they say. The format is that of
PostgreSQL's `pg_backup_archiver.c` (`ReadHead`, `ReadToc`) and `pg_backup_custom.c`, versions 1.14
(PostgreSQL 12 to 15), 1.15 (16) and 1.16 (17 and 18).
"""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.control.errors import Corrupt


_ENCODING = re.compile(r"^SET client_encoding = '(\w+)'")
"""What the entry says that tells the encoding of a dump."""

Read = Callable[[int], bytes]
"""Gives the next bytes of a dump, so many."""

MAGIC = b"PGDMP"

KNOWN = ((1, 14), (1, 16))
"""The oldest and the newest version of the format that is read here."""

COMPRESSION_BY_NAME = (1, 15)
RELATION_KINDS = (1, 16)

TIMES = 7
"""How many numbers tell when the dump was made."""

DIRECTORY = 3
"""What `toc.dat` says, the table of contents of a dump that is a directory: the format of a tar."""

LONGEST = 1 << 30
"""No text of an entry is longer: PostgreSQL builds none of a gigabyte."""


@dataclass(frozen=True)
class Entry:
    """One entry: what it is of which object, who owns it, what it says, and what it needs.

    `catalog` and `oid` name the object in the server that was dumped; 0: it has none of its own,
    as a comment or a grant.
    """

    number: int
    catalog: int
    oid: int
    kind: str
    schema: str
    tag: str
    owner: str
    tablespace: str
    access_method: str
    definition: str
    needs: frozenset[int]


class _Reader:
    """Reads what a dump's head is made of."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.int_bytes = 4

    def exactly(self, count: int) -> bytes:
        """Return the next bytes.

        Raises:
            Corrupt: the dump ends before.

        """
        data = self._read(count)
        if len(data) != count:
            raise Corrupt("the head of a dump ends too early", seen=f"{len(data)} of {count} bytes")
        return data

    def byte(self) -> int:
        return self.exactly(1)[0]

    def integer(self) -> int:
        sign = self.byte()
        value = int.from_bytes(self.exactly(self.int_bytes), "little")
        return -value if sign else value

    def text(self) -> str:
        return self.maybe() or ""

    def maybe(self) -> str | None:
        """Return a text, read byte by byte; None: there is none."""
        length = self.integer()
        if length < 0:
            return None
        if length > LONGEST:
            raise Corrupt("the head of a dump cannot be read", seen=f"a text of {length} bytes")
        return self.exactly(length).decode("latin-1")


def of_dump(dump: Path) -> list[Entry]:
    """Read the table of contents of a dump that is kept, as a file or a directory.

    Raises:
        Corrupt: it cannot be read.

    """
    with (dump / "toc.dat" if dump.is_dir() else dump).open("rb") as file:
        return entries(file.read)


def entries(read: Read) -> list[Entry]:
    """Read the table of contents, and no further.

    Args:
        read: gives the next bytes of the dump.

    Raises:
        Corrupt: that is no dump of a known version, or it ends too early.

    """
    reader = _Reader(read)
    if reader.exactly(len(MAGIC)) != MAGIC:
        raise Corrupt("that is no dump in the custom format", seen="other first bytes")
    version = (reader.byte(), reader.byte())
    reader.byte()  # the revision, which changes nothing
    if not KNOWN[0] <= version <= KNOWN[1]:
        raise Corrupt(
            "the version of a dump is not known",
            seen=".".join(map(str, version)),
            expected=" to ".join(".".join(map(str, each)) for each in KNOWN),
        )
    reader.int_bytes = reader.byte()
    offset_bytes = reader.byte()
    is_directory = reader.byte() == DIRECTORY
    reader.byte() if version >= COMPRESSION_BY_NAME else reader.integer()
    for _ in range(TIMES):
        reader.integer()
    for _ in range(3):  # the database, and the versions of server and program
        reader.maybe()
    found = [
        _entry(reader, version, None if is_directory else offset_bytes)
        for _ in range(reader.integer())
    ]
    codec = _codec(found)
    return [_decoded(each, codec) for each in found] if codec else found


def _codec(found: list[Entry]) -> str | None:
    """Return the encoding of a dump's texts, as Python calls it; None: they have none."""
    said = (match for each in found if (match := _ENCODING.search(each.definition)))
    name = next((match[1] for match in said), "UTF8")
    return None if name == "SQL_ASCII" else codec_of(name)


def codec_of(encoding: str) -> str | None:
    """Return what Python calls an encoding of PostgreSQL; None: it does not know it.

    Texts without an encoding are read byte by byte.
    """
    name = "LATIN1" if encoding == "SQL_ASCII" else encoding
    try:
        return codecs.lookup(re.sub("^WIN", "cp", name).replace("KOI8", "koi8_")).name
    except LookupError:
        return None


def _decoded(entry: Entry, codec: str) -> Entry:
    """Return an entry whose texts were read byte by byte, in the encoding that they have."""
    return replace(
        entry,
        schema=_text(entry.schema, codec),
        tag=_text(entry.tag, codec),
        owner=_text(entry.owner, codec),
        tablespace=_text(entry.tablespace, codec),
        definition=_text(entry.definition, codec),
    )


def _text(text: str, codec: str) -> str:
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode(codec)
    except UnicodeDecodeError:
        return text


def _entry(reader: _Reader, version: tuple[int, int], offset_bytes: int | None) -> Entry:
    number = reader.integer()
    reader.integer()  # whether it has data
    catalog, oid = int(reader.text() or 0), int(reader.text() or 0)
    tag, kind = reader.text(), reader.text()
    reader.integer()  # the section
    definition = reader.text()
    reader.maybe()  # how it is dropped
    reader.maybe()  # how its rows are copied
    schema, tablespace, access_method = reader.text(), reader.text(), reader.text()
    if version >= RELATION_KINDS:
        reader.integer()
    owner = reader.text()
    reader.maybe()  # whether it has OIDs
    needs = set()
    while (need := reader.maybe()) is not None:
        needs.add(int(need))
    reader.maybe() if offset_bytes is None else reader.exactly(1 + offset_bytes)  # its data
    return Entry(
        number=number,
        catalog=catalog,
        oid=oid,
        kind=kind,
        schema=schema,
        tag=tag,
        owner=owner,
        tablespace=tablespace,
        access_method=access_method,
        definition=definition,
        needs=frozenset(needs),
    )
