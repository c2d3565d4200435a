"""What the dumps of a snapshot have in common: how `pg_dump` runs, what it says, where it goes."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import IO

from tasks.control.phases import Progress
from tasks.postgres import dump_toc, lock_watch, programs, schema_dump
from tasks.postgres.schema_dump import Definition
from tasks.postgres.server import Connection, Server
from tasks.repository.model import BackupId, Dump, StoredObject
from tasks.repository.seal import Fact, Omission, SequenceSeal, TableSeal
from tasks.repository.stanza import Stanza
from tasks.repository.stream import CHUNK_BYTES, Sink


APPLICATION = "hl7ops-dump"
"""What the sessions of `pg_dump` are called, so that those that wait too long are seen."""

LOCK_TIMEOUT_S = 2
"""How long `pg_dump` waits for whoever changes a table's structure; then it is begun again."""


@dataclass
class Dumped:
    """What was dumped of one database, and what was found in the snapshot that the dump is of."""

    dump: Dump
    snapshot: str
    tables: list[TableSeal] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    sequences: dict[str, SequenceSeal] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    rules: list[Fact] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)


@dataclass(frozen=True)
class Dumping:
    """What dumps of one snapshot have in common: of which server, and where they are kept."""

    stanza: Stanza
    server: Server
    id: BackupId
    progress: Progress
    kept: list[StoredObject] = field(default_factory=list)

    @property
    def how(self) -> list[str]:
        """How `pg_dump` is asked for a database."""
        level = self.stanza.settings.snapshot_compression
        return ["-Fc", f"-Z{level}", "--create", f"--lock-wait-timeout={LOCK_TIMEOUT_S * 1000}"]

    @contextmanager
    def said(self, program: str, server: Server, arguments: Sequence[str]) -> Iterator[IO[bytes]]:
        """Yield what a program of PostgreSQL writes of a server."""
        with (
            lock_watch.impatient(server, APPLICATION),
            programs.addressed(server) as (address, env),
            programs.piped(
                self.stanza.programs,
                program,
                [*arguments, "--no-password", *address],
                env=env | {"PGAPPNAME": APPLICATION, **programs.SPELLED},
            ) as file,
        ):
            yield file

    def storing(self, name: str) -> AbstractContextManager[Sink]:
        """Yield what takes an object of the snapshot."""
        catalogue = self.stanza.catalogue
        return catalogue.vault.storing(catalogue.prefix(self.id), name, self.kept)

    def store(self, name: str, head: "Head", file: IO[bytes]) -> None:
        """Store a dump whose beginning was read already."""
        with self.storing(name) as sink:
            sink.write(bytes(head.data))
            done = len(head.data)
            while block := file.read(CHUNK_BYTES):
                sink.write(block)
                done += len(block)
                self.progress("dump", done, 0)


def bare(dumping: Dumping, name: str) -> Dumped:
    """Dump a template without tables, to which nobody stays connected longer than that."""
    server = dumping.server.database(name)
    with server.connect() as connection:
        oid = number_of(connection)
    found = Dumped(Dump(name, f"{oid}.dump"), "")
    with dumping.said("pg_dump", server, dumping.how) as file:
        head = Head(file)
        found.definitions = schema_dump.definitions(dump_toc.entries(head.read))
        dumping.store(found.dump.object, head, file)
    return found


class Head:
    """Gives what a dump begins with, and remembers it."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin at its beginning."""
        self._file = file
        self.data = bytearray()

    def read(self, size: int) -> bytes:
        """Return the next bytes, so many.

        Raises:
            Corrupt: the dump ends before.

        """
        data = self._file.read(size)
        self.data += data
        return data


def number_of(connection: Connection) -> int:
    """Return the number of the connection's database, which its dump is called by."""
    row = connection.execute(
        "select oid::bigint from pg_database where datname = current_database()"
    ).fetchone()
    return int(row[0]) if row else 0
