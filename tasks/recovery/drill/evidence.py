"""The history of drills in the control database: a chain of hashes, in which tampering shows."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from tasks.control.errors import Corrupt
from tasks.postgres.server import Server
from tasks.recovery.drill.outcome import Drill


_TABLE = """
create schema if not exists hl7ops;
create table if not exists hl7ops.evidence (
  number bigint primary key, stanza text not null, at timestamptz not null,
  document text not null, previous text not null, hash text not null)
"""

FORMAT = 1

GENESIS = "0" * 64
"""What stands before the first record."""


@dataclass(frozen=True)
class Entry:
    """One entry: its number, when it was kept, what it says, and its place in the chain."""

    number: int
    at: datetime
    document: str
    previous: str
    hash: str

    @property
    def drill(self) -> Drill:
        """The drill that it tells of.

        Raises:
            Corrupt: it tells of none.

        """
        try:
            return TypeAdapter(Drill).validate_json(self.document)
        except ValidationError:
            raise Corrupt("an entry of the evidence cannot be read", seen=self.number) from None


@dataclass(frozen=True)
class Evidence:
    """The drills of a stanza, as they are kept in a server."""

    server: Server
    stanza: str

    def keep(self, drill: Drill, now: datetime) -> Entry:
        """Keep a drill at the end of the chain."""
        document = json.dumps(to_jsonable_python(asdict(drill)), sort_keys=True)
        with self.server.connect(autocommit=False) as connection:
            connection.execute(_TABLE.encode())
            connection.execute("lock table hl7ops.evidence in exclusive mode")
            row = connection.execute(
                "select number, hash from hl7ops.evidence order by number desc limit 1"
            ).fetchone()
            number, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
            at = now.astimezone(UTC)
            record = Entry(number, at, document, previous, digest(number, at, document, previous))
            connection.execute(
                "insert into hl7ops.evidence values (%s, %s, %s, %s, %s, %s)",
                [number, self.stanza, at, document, previous, record.hash],
            )
            connection.commit()
        return record

    def records(self) -> list[Entry]:
        """Return the records of all stanzas, the oldest first; the chain goes through all."""
        with self.server.connect() as connection:
            connection.execute(_TABLE.encode())
            rows = connection.execute(
                "select number, at, document, previous, hash from hl7ops.evidence order by number"
            ).fetchall()
        return [Entry(*row) for row in rows]

    def drills(self) -> list[Drill]:
        """Return the drills of the stanza, the oldest first.

        Raises:
            Corrupt: the chain is broken.

        """
        records = self.records()
        see_unbroken(records)
        return [drill for drill in (each.drill for each in records) if drill.stanza == self.stanza]


def digest(number: int, at: datetime, document: str, previous: str) -> str:
    """Return the hash of a record, over all that it says and the hash before it."""
    said = "\n".join((str(number), at.astimezone(UTC).isoformat(), previous, document))
    return hashlib.sha256(said.encode()).hexdigest()


def see_unbroken(records: Sequence[Entry]) -> None:
    """See that nothing was changed, taken out or put in.

    Raises:
        Corrupt: it was; names the record.

    """
    previous = GENESIS
    for number, record in enumerate(records, 1):
        wanted = digest(record.number, record.at, record.document, record.previous)
        if (record.number, record.previous, record.hash) != (number, previous, wanted):
            raise Corrupt(
                "the evidence was tampered with",
                seen=f"entry {record.number} of {record.at:%Y-%m-%d}",
                expected=f"entry {number}, with the hash of the one before it",
                do="hold it against the last export",
            )
        previous = record.hash


def exported(stanza: str, records: Sequence[Entry]) -> dict[str, Any]:
    """Return what anybody can check again: each record, and how a hash is made."""
    return {
        "format": FORMAT,
        "stanza": stanza,
        "hash": "sha256 over number, time, previous hash and document, each on a line of its own",
        "records": [to_jsonable_python(asdict(record)) for record in records],
    }


def imported(document: dict[str, Any]) -> list[Entry]:
    """Return the records of an export, whose chain is whole.

    Raises:
        Corrupt: it is no export, or was changed.

    """
    try:
        records = TypeAdapter(list[Entry]).validate_python(document.get("records"))
    except ValidationError:
        raise Corrupt("an export of the evidence cannot be read", seen="its records") from None
    see_unbroken(records)
    return records


def see_continued(older: Sequence[Entry], newer: Sequence[Entry]) -> None:
    """See that one history goes on where another ends.

    A chain that was made anew from its beginning is whole, too: only an older export shows it.

    Raises:
        Corrupt: it does not; names the first entry that differs.

    """
    for number, record in enumerate(older):
        there = newer[number].hash if number < len(newer) else "nothing"
        if there != record.hash:
            raise Corrupt(
                "the evidence was tampered with",
                seen=f"entry {record.number} of {record.at:%Y-%m-%d} is not what was exported",
                expected=record.hash,
                do="trust the export",
            )
