"""The unfinished segment, kept as far as it was received; it is replaced until it is whole."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks.control import clock
from tasks.control.errors import Corrupt
from tasks.postgres import lsn
from tasks.postgres.lsn import Segment, segment_named
from tasks.repository.wal import Archive


_NAME = re.compile(r"/([0-9A-F]{24})-([0-9A-F]{16})-(\d{8}T\d{6}Z)-([0-9a-f]{64})\.zst(?:\.age)?$")


@dataclass(frozen=True)
class Partial:
    """An unfinished segment: which, how far it reaches, when it was kept, where, and its hash."""

    segment: Segment
    position: int
    kept_at: datetime
    object: str
    sha256: str

    @property
    def reaches(self) -> str:
        """How far it reaches, as an LSN."""
        return lsn.spell(self.position)


def keep(archive: Archive, segment: Segment, data: bytes, now: datetime) -> Partial | None:
    """Keep a segment as far as there is something of it, in place of what was kept before.

    Args:
        archive: where to.
        segment: which it is.
        data: the segment's file, filled up with zeros.
        now: the present.

    Returns:
        What is kept now; None: there was nothing of it.

    Raises:
        Corrupt: the bytes are not of that segment.
        Refused: they are of another cluster.

    """
    length = len(data.rstrip(b"\0"))
    if not length:
        return None
    archive.check(segment, data)
    digest, position = hashlib.sha256(data).hexdigest(), segment.start + length
    name = f"{_prefix(archive)}{segment.name}-{position:016X}-{clock.stamp(now)}-{digest}.zst"
    kept = Partial(segment, position, now, archive.put(name, data), digest)
    for other in listed(archive):
        if other.object != kept.object:
            archive.vault.storage.delete(other.object)
    return kept


def listed(archive: Archive) -> list[Partial]:
    """List what is kept of unfinished segments, the newest last: one, or two after a crash."""
    found = []
    for item in archive.vault.storage.objects(_prefix(archive)):
        match = _NAME.search(item.name)
        segment = segment_named(match[1], archive.segment_bytes) if match else None
        if match and segment:
            at = datetime.strptime(match[3], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            found.append(Partial(segment, int(match[2], 16), at, item.name, match[4]))
    return sorted(found, key=lambda each: (each.kept_at, each.position))


def forget(archive: Archive, before: Segment) -> None:
    """Remove what is kept of segments that lie before one, since they are archived whole."""
    for each in listed(archive):
        if each.segment.number < before.number:
            archive.vault.storage.delete(each.object)


def fetch(archive: Archive, partial: Partial) -> bytes:
    """Return the bytes of an unfinished segment, filled up with zeros.

    Raises:
        Corrupt: they are not the ones that were kept.
        Refused: they are encrypted and no identity is here.

    """
    data = archive.get(partial.object, archive.segment_bytes)
    if hashlib.sha256(data).hexdigest() != partial.sha256:
        raise Corrupt(
            "an unfinished segment has other contents",
            stanza=archive.stanza,
            seen=partial.segment.name,
            expected="its hash",
        )
    return data


def _prefix(archive: Archive) -> str:
    return f"{archive.stanza}/wal-partial/{archive.system_identifier}/"
