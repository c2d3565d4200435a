"""Archived WAL: whole segments, each under a name that holds its hash."""

import hashlib
import logging
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import zstandard

from tasks.control.errors import Corrupt, Refused
from tasks.postgres.lsn import Segment, segment_named
from tasks.repository.stream import LEVEL, Vault


log = logging.getLogger(__name__)

_NAME = re.compile(r"/([0-9A-F]{24})-([0-9a-f]{64})\.zst(?:\.age)?$")

_LONG_HEADER = struct.Struct("<HHIQI4xQII")
"""XLogLongPageHeaderData: magic, info, timeline, page address, rest, system identifier, sizes."""

_IS_LONG = 0x0002


@dataclass(frozen=True)
class Kept:
    """One archived segment: which, where, the hash of its bytes, and what it takes up."""

    segment: Segment
    object: str
    sha256: str
    stored_bytes: int


@dataclass(frozen=True)
class Interval:
    """Segments of one timeline that follow each other without a gap."""

    first: Segment
    last: Segment

    @property
    def count(self) -> int:
        """How many segments."""
        return self.last.number - self.first.number + 1


@dataclass(frozen=True)
class Archive:
    """The archived WAL of one cluster."""

    vault: Vault
    stanza: str
    system_identifier: str
    segment_bytes: int

    def kept(self) -> dict[Segment, Kept]:
        """Return the archived segments, by timeline and number.

        What is not named like one is passed over: it must not keep WAL from being archived.

        Raises:
            Corrupt: two objects hold different bytes of one segment.

        """
        found: dict[Segment, Kept] = {}
        for item in self.vault.storage.objects(self._prefix):
            match = _NAME.search(item.name)
            segment = segment_named(match[1], self.segment_bytes) if match else None
            if match is None or segment is None:
                log.warning("not a WAL segment, passed over: %s", item.name)
                continue
            if segment in found:
                raise Corrupt("two copies of a segment", stanza=self.stanza, seen=segment.name)
            found[segment] = Kept(segment, item.name, match[2], item.bytes)
        return found

    def store(self, segment: Segment, data: bytes, before: Kept | None) -> bool:
        """Keep a whole segment; return whether it was new.

        Args:
            segment: which it is.
            data: its bytes.
            before: the copy that is archived already.

        Raises:
            Corrupt: the bytes are not that segment.
            Refused: they are of another cluster, or differ from the copy that is archived.

        """
        self._check_header(segment, data)
        digest = hashlib.sha256(data).hexdigest()
        if before is None:
            packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(data)
            name = f"{self._prefix}{segment.timeline:08X}/{segment.name}-{digest}.zst"
            cipher = self.vault.cipher
            self.vault.storage.put(f"{name}{cipher.suffix}", cipher.encrypted(packed))
            return True
        if before.sha256 != digest:
            raise Refused(
                "a WAL segment is archived already, with other contents",
                stanza=self.stanza,
                seen=segment.name,
                expected="the bytes that were archived first",
                do="find out which other server archives here",
            )
        return False

    def fetch(self, kept: Kept) -> bytes:
        """Return the bytes of an archived segment.

        Raises:
            Corrupt: they are not the ones that were kept; names the segment.
            Refused: they are encrypted and no identity is here.

        """
        stored = self.vault.storage.get(kept.object)
        packed = self.vault.cipher.decrypted(stored, kept.object)
        data = _unpacked(packed, self.segment_bytes)
        if hashlib.sha256(data).hexdigest() != kept.sha256:
            raise Corrupt(
                "a WAL segment has other contents",
                stanza=self.stanza,
                seen=kept.segment.name,
                expected="its hash",
            )
        self._check_header(kept.segment, data)
        return data

    @property
    def _prefix(self) -> str:
        return f"{self.stanza}/wal/{self.system_identifier}/"

    def _check_header(self, segment: Segment, data: bytes) -> None:
        """See that the bytes are this segment of this cluster, as PostgreSQL itself would."""
        if len(data) != self.segment_bytes:
            raise Corrupt(
                "a WAL segment is not whole",
                stanza=self.stanza,
                seen=f"{segment.name}: {len(data)} bytes",
                expected=self.segment_bytes,
            )
        _, info, timeline, address, _, identifier, _, _ = _LONG_HEADER.unpack_from(data)
        if not info & _IS_LONG or address != segment.start or timeline > segment.timeline:
            raise Corrupt("not that WAL segment", stanza=self.stanza, seen=segment.name)
        if str(identifier) != self.system_identifier:
            raise Refused(
                "WAL of another cluster",
                stanza=self.stanza,
                seen=f"{segment.name} of system identifier {identifier}",
                expected=self.system_identifier,
                do="use another stanza for that cluster",
            )


def _unpacked(packed: bytes, size: int) -> bytes:
    """Return the bytes of one frame of a size, or nothing where it is not just that."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        if zstandard.frame_content_size(packed) != size:
            return b""
        data = frame.decompress(packed)
    except zstandard.ZstdError:
        return b""
    return data if frame.eof and not frame.unused_data else b""


def intervals(segments: Iterable[Segment]) -> list[Interval]:
    """Join segments into intervals without a gap; what lies between two intervals is missing."""
    ordered = sorted(segments)
    if not ordered:
        return []
    breaks = [pair for pair in pairwise(ordered) if pair[0].next() != pair[1]]
    firsts = [ordered[0], *(after for _, after in breaks)]
    lasts = [*(before for before, _ in breaks), ordered[-1]]
    return [Interval(first, last) for first, last in zip(firsts, lasts, strict=True)]


def needed(first: Segment, last: Segment) -> list[Segment]:
    """List the segments from one to another, both included."""
    return [
        Segment(first.timeline, number, first.bytes)
        for number in range(first.number, last.number + 1)
    ]
