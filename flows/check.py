"""The repository check runbook."""

from prefect import flow

from blocks.stanza import load_stanza
from reports.publish import progress, reporting
from reports.repository import Look, report
from tasks.backup.steps import check_repository
from tasks.control import clock


@flow(name="check", flow_run_name="check repositories of {stanza}", timeout_seconds=12 * 3600)
def check(stanza: str = "main", quick: bool = False) -> int:  # noqa: FBT001, FBT002
    """Hold catalogue, data and WAL of every repository against each other, both ways.

    **Purpose.** To see what happened to backups that nobody has restored lately: bits that
    flipped, objects that are gone, WAL with a hole in it, documents that somebody edited.

    **Starts** daily by names and sizes (`quick`), weekly with every byte read again.

    **Preconditions.** The repositories answer. The operated cluster need not run, and no key is
    needed to read what is encrypted.

    **A person decides** what follows from damage: copy the backup back from the other repository,
    or take a full one, which begins a new chain. The report names each object.

    **Undo.** There is nothing to undo: repositories are only read.

    Args:
        stanza: Name of the operated cluster; its blocks bear the same name.
        quick: Compare names and sizes, and read no data.

    """
    site = load_stanza(stanza)
    look = Look(stanza, clock.now(), is_quick=quick)
    with reporting(f"repository-report-{stanza}", look, report):
        for name in site.repositories:
            found = check_repository(site.at(name), quick, progress(f"check-{stanza}"))
            look.found[name] = found
        for name, found in look.found.items():
            found.require(stanza, name)
    return sum(found.backups for found in look.found.values())
