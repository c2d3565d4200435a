"""The report of one database that is set back: what would change, what did, and how to undo it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.page import counted, details, duration, page, table
from tasks.control.clock import readable
from tasks.recovery.database.beside import Beside
from tasks.recovery.database.comparing import Compared, Difference
from tasks.recovery.database.setting_back import SetBack


SHOWN = 100
"""How many tables are listed."""


@dataclass
class Setting:
    """What has happened so far in one run that sets a database back."""

    stanza: str
    database: str
    target: str
    started_at: datetime
    found: Beside | None = None
    approved_by: str | None = None
    declined: str | None = None
    done: SetBack | None = None
    error: str | None = None


def differing(differences: Sequence[Difference]) -> list[Difference]:
    """Return the tables that differ, the greatest difference in rows first."""
    found = [each for each in differences if not each.is_same]
    return sorted(found, key=lambda each: -abs((each.live or 0) - (each.restored or 0)))


def report(setting: Setting) -> str:
    """Return the page, also of a run that broke off; the first line is the verdict."""
    begun = f"Asked for {setting.target}; begun {readable(setting.started_at)}."
    return page(
        _verdict(setting),
        f"> {setting.error}" if setting.error else None,
        _undo(setting),
        rows(setting.found) if setting.found else None,
        _checks(setting.found) if setting.found else None,
        begun,
    )


def _verdict(setting: Setting) -> str:
    name = f"database {setting.database} of stanza {setting.stanza}"
    if setting.done and setting.done.swapped:
        return f"# SET BACK: {name}, in {setting.done.swapped.seconds} s"
    if setting.error:
        return f"# NOT SET BACK: {name}"
    if setting.declined:
        return f"# NOT APPROVED: {name}; {setting.declined}, and nothing has changed"
    return f"# WAITS FOR APPROVAL: {name}"


def _undo(setting: Setting) -> str | None:
    if not (setting.done and setting.done.swapped):
        return None
    swapped = setting.done.swapped
    return (
        f"Approved by {setting.approved_by}. What was there is kept as `{swapped.previous}`;"
        f" `hl7ops database rollback {swapped.database}` puts it back."
    )


def rows(found: Beside) -> str:
    """Say which tables differ in rows, now and as they were."""
    different = differing(found.compared.differences)
    lines = [(each.table, _count(each.live), _count(each.restored)) for each in different[:SHOWN]]
    more = f"And {len(different) - SHOWN} more." if len(different) > SHOWN else None
    said = (
        f"{counted(len(different), 'table')} of {len(found.compared.differences)} differ in rows."
    )
    listed = table(["table", "rows now", "rows then"], lines) if lines else None
    return page("## Now and then", said, listed, more, *noted(found.compared)).strip()


def noted(compared: Compared) -> list[str]:
    """Say which objects changed since, and which tables are empty in every copy."""
    notes = []
    if compared.objects:
        rest = f" and {len(compared.objects) - SHOWN} more" if len(compared.objects) > SHOWN else ""
        notes.append(
            f"Objects that are not as they were: {', '.join(compared.objects[:SHOWN])}{rest}"
        )
    if compared.unlogged:
        notes.append(f"Unlogged, and so empty as after a crash: {', '.join(compared.unlogged)}")
    return notes


def _count(count: int | None) -> int | str:
    return "not there" if count is None else count


def _checks(found: Beside) -> str:
    lines = [(each.name, each.outcome, each.seen) for each in found.compared.checks]
    spent = ", ".join(f"{name} {duration(seconds)}" for name, seconds in found.seconds.items())
    passed = sum(check.outcome == "pass" for check in found.compared.checks)
    summary = f"{passed} of {len(lines)} checks passed; {spent}"
    origin = found.origin
    came = f"From {origin.backup}, recovered to {origin.stop}."
    return page(
        "## Proof", came, details(summary, table(["check", "outcome", "seen"], lines))
    ).strip()
