"""The report of a look at whole repositories: what lies there, what is damaged, what to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reports.page import counted, details, page, size, table
from tasks.control.clock import readable
from tasks.repository.findings import Finding, Inspection


MOST = 200
"""Findings that a page lists of one repository; the command line tells all of them."""


@dataclass
class Look:
    """What has been found so far in one look at the repositories of a stanza."""

    stanza: str
    started_at: datetime
    is_quick: bool
    found: dict[str, Inspection] = field(default_factory=dict)
    error: str | None = None


def report(look: Look) -> str:
    """Return the page; its first line is the verdict."""
    how = "names and sizes, no data" if look.is_quick else "every stored byte against its hash"
    return page(
        f"# {_verdict(look)}",
        f"Stanza `{look.stanza}`, {readable(look.started_at)}; compared: {how}.",
        f"> {look.error}" if look.error else None,
        _inventory(look.found),
        *(_findings("Damage", name, found.damage) for name, found in look.found.items()),
        *(_notes(name, found.notes) for name, found in look.found.items()),
    )


def _verdict(look: Look) -> str:
    damage = {name: len(found.damage) for name, found in look.found.items() if found.damage}
    if damage:
        said = ", ".join(
            f"{counted(number, 'finding')} in {name}" for name, number in damage.items()
        )
        return f"DAMAGED: {said}"
    if look.error or not look.found:
        return "ERROR: not every repository could be looked at"
    backups = sum(found.backups for found in look.found.values())
    return f"SOUND: {counted(backups, 'backup')} in {' and '.join(look.found)}"


def _inventory(found: Mapping[str, Inspection]) -> str | None:
    rows = [
        (name, each.backups, each.objects, each.segments, size(each.bytes), len(each.damage))
        for name, each in found.items()
    ]
    header = ["repository", "backups", "objects", "WAL segments", "size", "damage"]
    return page("## What lies there", table(header, rows)).strip() if rows else None


def _findings(title: str, name: str, findings: Sequence[Finding]) -> str | None:
    if not findings:
        return None
    rows = [(each.subject, each.said) for each in findings[:MOST]]
    rest = len(findings) - len(rows)
    more = f"{rest:,} more: `hl7ops repository check --repository {name}`." if rest else None
    return page(f"## {title} in {name}", table(["what", "said"], rows), more).strip()


def _notes(name: str, findings: Sequence[Finding]) -> str | None:
    body = _findings("Notes", name, findings)
    return details(f"{counted(len(findings), 'note')} on {name}", body) if body else None
