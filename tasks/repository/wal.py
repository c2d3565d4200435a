"""Archived WAL: whole segments and timeline histories, each under a name that holds its hash."""

import hashlib
import logging
import re
import struct
from dataclasses import dataclass

import zstandard

from tasks.control.errors import Corrupt, Refused
from tasks.postgres.lsn import Segment, segment_named
from tasks.repository import history
from tasks.repository.coverage import Interval, intervals, needed
from tasks.repository.history import History
from tasks.repository.storage import Stored
from tasks.repository.stream import LEVEL, Vault


__all__ = ["Archive", "Interval", "Kept", "intervals", "needed"]

log = logging.getLogger(__name__)

_NAME = re.compile(r"/([0-9A-F]{24})-([0-9a-f]{64})\.zst(?:\.age)?$")

_HISTORY = re.compile(r"/([0-9A-F]{8})\.history-([0-9a-f]{64})\.zst(?:\.age)?$")

_HISTORY_BYTES = 1 << 20
"""No history is longer: PostgreSQL would have to be promoted ten thousand times."""

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
            if _HISTORY.search(item.name):
                continue
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
        self.check(segment, data)
        digest = hashlib.sha256(data).hexdigest()
        if before is None:
            self.put(f"{self._prefix}{segment.timeline:08X}/{segment.name}-{digest}.zst", data)
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
        data = self.get(kept.object, self.segment_bytes)
        if hashlib.sha256(data).hexdigest() != kept.sha256:
            raise Corrupt(
                "a WAL segment has other contents",
                stanza=self.stanza,
                seen=kept.segment.name,
                expected="its hash",
            )
        self.check(kept.segment, data)
        return data

    def histories(self) -> dict[int, History]:
        """Return the archived histories, by timeline.

        Raises:
            Corrupt: there are two of one timeline, or one is not what was kept.
            Refused: they are encrypted and no identity is here.

        """
        files = self.history_files()
        return {timeline: history.parse(timeline, data) for timeline, data in files.items()}

    def history_files(self) -> dict[int, bytes]:
        """Return the archived histories as PostgreSQL wrote them; raises as `histories`."""
        return {
            timeline: self._read_history(timeline, *kept)
            for timeline, kept in self._histories().items()
        }

    def store_history(self, timeline: int, data: bytes) -> bool:
        """Keep the history of a timeline; return whether it was new.

        Raises:
            Corrupt: it is none.
            Refused: another one of that timeline is archived.

        """
        history.parse(timeline, data)
        digest, name = hashlib.sha256(data).hexdigest(), history.file_name(timeline)
        before = self._histories().get(timeline)
        if before is None:
            self.put(f"{self._prefix}{timeline:08X}/{name}-{digest}.zst", data)
            return True
        if before[1] != digest:
            raise Refused(
                "another history of this timeline is archived",
                stanza=self.stanza,
                seen=f"{name}: the server was promoted elsewhere or at another time",
                expected="the server whose timeline was archived first",
                do="see which server is the right one; another one needs another stanza",
            )
        return False

    def fetch_history(self, timeline: int) -> bytes:
        """Return the archived history of a timeline, as PostgreSQL wrote it.

        Raises:
            Corrupt: it is missing, or not what was kept.
            Refused: it is encrypted and no identity is here.

        """
        kept = self._histories().get(timeline)
        if kept is None:
            name = history.file_name(timeline)
            raise Corrupt("a timeline's history is missing", stanza=self.stanza, seen=f"no {name}")
        return self._read_history(timeline, *kept)

    def _read_history(self, timeline: int, item: Stored, digest: str) -> bytes:
        data, name = self.get(item.name), history.file_name(timeline)
        if hashlib.sha256(data).hexdigest() != digest:
            raise Corrupt("a timeline's history has other contents", stanza=self.stanza, seen=name)
        return data

    def _histories(self) -> dict[int, tuple[Stored, str]]:
        found: dict[int, tuple[Stored, str]] = {}
        for item in self.vault.storage.objects(self._prefix):
            match = _HISTORY.search(item.name)
            if match and found.setdefault(int(match[1], 16), (item, match[2]))[1] != match[2]:
                name = history.file_name(int(match[1], 16))
                raise Corrupt("two histories of a timeline", stanza=self.stanza, seen=name)
        return found

    def put(self, name: str, data: bytes) -> str:
        """Compress some bytes, encrypt them where that is wanted, and return their name."""
        packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(data)
        cipher = self.vault.cipher
        self.vault.storage.put(f"{name}{cipher.suffix}", cipher.encrypted(packed))
        return f"{name}{cipher.suffix}"

    def get(self, name: str, size: int | None = None) -> bytes:
        """Return the bytes of an object, or nothing where they are not whole, or not so many."""
        stored = self.vault.storage.get(name)
        return _unpacked(self.vault.cipher.decrypted(stored, name), size)

    def strangers(self) -> list[str]:
        """List what lies among the WAL and is none."""
        names = [item.name for item in self.vault.storage.objects(self._prefix)]
        return [name for name in names if not (_HISTORY.search(name) or _NAME.search(name))]

    @property
    def _prefix(self) -> str:
        return f"{self.stanza}/wal/{self.system_identifier}/"

    def check(self, segment: Segment, data: bytes) -> None:
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


def _unpacked(packed: bytes, size: int | None) -> bytes:
    """Return the bytes of one frame, of a size, or nothing where it is not just that."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        told = zstandard.frame_content_size(packed)
        if told != size if size is not None else not 0 <= told <= _HISTORY_BYTES:
            return b""
        data = frame.decompress(packed)
    except zstandard.ZstdError:
        return b""
    return data if frame.eof and not frame.unused_data else b""
