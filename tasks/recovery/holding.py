"""Hold a copy against its seal: measured as the source was, subject by subject."""

from tasks.postgres.server import Server
from tasks.recovery import expectations
from tasks.recovery.comparison import comparisons
from tasks.repository.catalogue import Catalogue
from tasks.repository.measure import everywhere, measure, sequences_of, tables_of
from tasks.repository.model import Backup
from tasks.repository.proof import Check
from tasks.repository.seal import Measure


def measured(server: Server, backup: Backup) -> Measure:
    """Measure a copy, before anything is added to it."""
    seal = backup.seal
    since = seal.snapshots if seal.mode == "bounded" else None
    with everywhere(server) as connections:
        tables = tables_of(connections, as_text=backup.type == "snapshot")
        return measure(connections, tables, sequences_of(connections), since)


def contents(catalogue: Catalogue, backup: Backup, server: Server, found: Measure) -> list[Check]:
    """Hold what was measured in a copy, and the copy itself, against the seal."""
    suite = expectations.Suite()
    sealed = catalogue.measure(backup)
    checks = [suite.compare(each) for each in comparisons(backup.seal.mode, sealed, found)]
    for database in sorted({fact.subject for fact in sealed.rules}):
        rules = [fact for fact in sealed.rules if fact.subject == database]
        checks += suite.bound(server.database(database), rules)
    return checks
