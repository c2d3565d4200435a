"""Hold a copy against its seal: looked at as the source was, subject by subject."""

from pathlib import Path

from tasks.postgres.server import Server
from tasks.recovery.proving import expectations
from tasks.recovery.proving.comparison import Part, comparisons, refreshed
from tasks.repository.fingerprint import Found, Scope, of_server
from tasks.repository.model import Backup
from tasks.repository.proof import LEFT_OUT, SHARE, Check
from tasks.repository.seal import Seal


def look(server: Server, tools: Path, backup: Backup, part: Part) -> Found:
    """Look at what of a copy was sealed at a restore point, before anything is added to it."""
    return of_server(server, tools, scope(backup.seal, part))


def scope(seal: Seal, part: Part) -> Scope:
    """Return what of a copy is looked at: of tables those alone that were sealed at this point."""
    return Scope(
        databases=part.databases,
        tables=set(part.tables),
        without={each.subject for each in part.sealed.omitted} - set(part.tables),
        since={
            each.name: seal.snapshots[each.database]
            for each in part.tables.values()
            if each.stable_rows is not None
        },
        as_text=part.is_loaded,
        shared=part.moment == 0,
    )


def contents(part: Part, server: Server, found: Found) -> list[Check]:
    """Hold what was found in a copy, and the copy itself, against what was sealed at a point."""
    suite = expectations.Suite()
    checks = [suite.compare(each) for each in comparisons(part, found)]
    for database in part.databases:
        rules = [fact for fact in part.sealed.rules if fact.subject == database]
        if rules:
            checks += suite.bound(server.database(database), rules)
    return checks


def not_compared(part: Part, found: Found) -> list[Check]:
    """Name what is not proven by a comparison, and what is left out on purpose."""
    sealed = part.sealed
    every = [*sealed.not_compared, *found.omitted]
    missing = [each.told for each in every if not each.is_expected]
    left_out = [*refreshed(part, found), *(each.told for each in every if each.is_expected)]
    if sealed.definitions is None:
        missing.append("contents and definitions (sealed by an earlier version of hl7ops)")
    checks = []
    if missing:
        checks.append(
            Check(
                "contents",
                "everything was sealed and compared",
                "partial",
                expectations.named(missing),
            )
        )
    if sealed.not_due:
        due, every_table = len(sealed.tables), len(sealed.tables) + len(sealed.not_due)
        said = f"{due} of {every_table} tables are compared today, all of them within the cycle"
        checks.append(Check("contents", SHARE, "partial", said))
    if left_out:
        checks.append(Check("contents", LEFT_OUT, "pass", expectations.named(left_out)))
    return checks
