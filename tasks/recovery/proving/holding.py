"""Hold a copy against its seal: measured as the source was, subject by subject."""

from pathlib import Path

from tasks.postgres.server import Server, identify
from tasks.recovery.proving import amcheck, expectations
from tasks.recovery.proving.comparison import comparisons
from tasks.recovery.proving.expectations import NAMED
from tasks.recovery.proving.record import Record
from tasks.repository.measure import Terms, everywhere, measure, sequences_of, tables_of
from tasks.repository.model import Backup
from tasks.repository.proof import Check
from tasks.repository.seal import Measure


def hold(record: Record, backup: Backup, sealed: Measure, server: Server, tools: Path) -> None:
    """Go through the tiers that every copy has once it runs, whatever it was made from.

    Raises:
        Stopped: a tier did not pass.

    """
    with record.tier("contents"):
        found = measured(server, backup, sealed)
    with record.tier("structure"):
        record.add(*amcheck.check(server, tools))
    with record.tier("contents"):
        record.add(*contents(backup, sealed, server, found))


def measured(server: Server, backup: Backup, sealed: Measure) -> Measure:
    """Measure a copy, before anything is added to it; what was not sealed is not digested."""
    seal = backup.seal
    since = seal.snapshots if seal.mode == "bounded" else None
    with everywhere(server) as connections:
        tables = tables_of(connections, as_text=backup.type == "snapshot")
        terms = Terms(since, skip=frozenset(sealed.skipped), as_of=backup.server_version)
        return measure(connections, tables, sequences_of(connections), terms)


def contents(backup: Backup, sealed: Measure, server: Server, found: Measure) -> list[Check]:
    """Hold what was measured in a copy, and the copy itself, against the seal."""
    suite = expectations.Suite()
    across = identify(server).major != backup.server_version // 10000
    beside = comparisons(backup.seal.mode, sealed, found, across=across)
    checks = [suite.compare(each) for each in beside]
    if sealed.skipped:
        checks.append(_unsealed(sealed))
    for database in sorted({fact.subject for fact in sealed.rules}):
        rules = [fact for fact in sealed.rules if fact.subject == database]
        checks += suite.bound(server.database(database), rules)
    return checks


def _unsealed(sealed: Measure) -> Check:
    """Say which tables were not sealed, so that their contents are not proven by this."""
    names = sorted(sealed.skipped)
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    seen = f"not sealed, for want of time: {', '.join(names[:NAMED])}{rest}"
    return Check("contents", "every table was sealed", "partial", seen)
