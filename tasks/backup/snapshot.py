"""Take a snapshot: a dump of each database, and what all share, sealed in those same snapshots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.backup.database_dump import DatabaseDump
from tasks.backup.dumping import Dumped, Dumping, bare
from tasks.backup.sessions import sessions
from tasks.control import clock
from tasks.control.phases import Phases, Progress
from tasks.postgres import capacity, lsn, programs, schema_dump, slot
from tasks.postgres.databases import databases, is_bare
from tasks.postgres.names import quoted
from tasks.postgres.server import Server, identify
from tasks.postgres.slot import WalPosition
from tasks.repository.fingerprint import OF_ALL
from tasks.repository.model import FINGERPRINT, Backup, BackupId
from tasks.repository.seal import Fingerprint, Omission, Seal
from tasks.repository.stanza import Stanza


GLOBALS = {"roles.sql": "--roles-only", "tablespaces.sql": "--tablespaces-only"}
"""What all databases share, by object, and how `pg_dumpall` is asked for it."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot while it is taken."""

    stanza: Stanza
    server: Server
    id: BackupId
    began: datetime

    def run(self, progress: Progress) -> Backup:
        """Go through the phases; what comes out is whole, but not in the catalogue yet."""
        for name in ("pg_dump", "pg_dumpall"):
            programs.require(self.stanza.programs, name, self.server)
        phases, identity = Phases(), identify(self.server)
        dumping = Dumping(self.stanza, self.server, self.id, progress)
        at, taken_at = slot.written(self.server, switch=False), clock.now()
        self.stanza.catalogue.claim(identity.system_identifier, at.segment_bytes)
        with phases.phase("dump and seal"):
            found, omitted = self._databases(dumping)
            shared = _globals(dumping)
        measured = _fingerprint(found, shared, omitted)
        with dumping.storing(f"{FINGERPRINT}.zst") as sink:
            sink.write(measured.to_bytes())
        return Backup(
            id=self.id,
            stanza=self.stanza.name,
            type="snapshot",
            parent=None,
            system_identifier=identity.system_identifier,
            server_version=identity.version_num,
            started_at=self.began,
            finished_at=clock.now(),
            start_lsn=lsn.spell(at.position),
            stop_lsn=lsn.spell(at.position),
            timeline=at.timeline,
            segment_bytes=at.segment_bytes,
            objects=dumping.kept,
            tablespaces=[],
            seal=_seal(
                at, taken_at, measured, {d.dump.database: d.snapshot for d in found}, phases
            ),
            phases=phases.seconds,
            dumps=[each.dump for each in found],
            superuser=identity.superuser,
        )

    def _databases(self, dumping: Dumping) -> tuple[list[Dumped], list[Omission]]:
        """Dump every database, as many in one moment as there are connections for."""
        with self.server.connect() as connection:
            known = databases(connection)
            room = capacity.databases_at_once(connection)
        found: list[Dumped] = []
        omitted = [Omission(f"database {n}", why, database=n) for n, why in known.closed.items()]
        names = [name for name in known.open if name not in known.templates]
        groups = [names[first : first + room] for first in range(0, len(names), room)]
        empty = [name for name in sorted(known.templates) if is_bare(self.server, name)]
        found += [bare(dumping, name) for name in empty]
        with_tables = [name for name in sorted(known.templates) if name not in empty]
        for group in [*groups, *([name] for name in with_tables)]:
            with sessions(self.server, group) as (opened, missing):
                omitted += missing
                opened.snapshots()  # of all of them, before the first one is dumped
                for name, connection in opened.readers.items():
                    found.append(DatabaseDump(dumping, name, connection).run())
        return sorted(found, key=lambda each: each.dump.database), omitted


def _globals(dumping: Dumping) -> dict[str, str]:
    """Dump what all databases share; return a digest of each object."""
    said = []
    for name, what in GLOBALS.items():
        with dumping.said("pg_dumpall", dumping.server, [what]) as source:
            said.append(source.read())
        with dumping.storing(f"{name}.zst") as sink:
            sink.write(said[-1])
        dumping.progress("dump", sum(map(len, said)), 0)
    return schema_dump.globals_of(b"\n".join(said).decode(errors="replace"))


def _fingerprint(
    found: Sequence[Dumped], shared: dict[str, str], omitted: Sequence[Omission]
) -> Fingerprint:
    return Fingerprint(
        tables=[table for each in found for table in each.tables],
        facts=[fact for each in found for fact in each.facts],
        rules=[fact for each in found for fact in each.rules],
        moments={each.dump.database: 0 for each in found},
        definitions={
            **{f"{OF_ALL}{name}": digest for name, digest in shared.items()},
            **{
                f"{quoted(each.dump.database)}: {definition.name}": definition.digest
                for each in found
                for definition in each.definitions
            },
        },
        sequence_states={name: state for each in found for name, state in each.sequences.items()},
        omitted=[*omitted, *(omission for each in found for omission in each.omitted)],
    )


def _seal(
    at: WalPosition,
    taken_at: datetime,
    measured: Fingerprint,
    snapshots: dict[str, str],
    phases: Phases,
) -> Seal:
    missing = [each for each in measured.omitted if not each.is_expected]
    return Seal(
        restore_point="",
        lsn=lsn.spell(at.position),
        taken_at=taken_at,
        mode="snapshot",
        attempts=1,
        snapshots=snapshots,
        tables=len(measured.tables) + len(missing),
        rows=measured.rows,
        seconds=phases.seconds["dump and seal"],
        skipped=len(missing),
    )
