"""Accept what is lost: signed, with a reason, so that a check that knows of it goes on to warn."""

from tasks.control.errors import Refused
from tasks.repository.catalogue import Catalogue
from tasks.repository.findings import Inspection
from tasks.repository.journal_check import JournalCheck, Losses
from tasks.repository.journal_state import Entry


def accept_losses(catalogue: Catalogue, *, by: str, reason: str) -> Entry:
    """Enter that somebody knows of what is lost, so that it is no alarm any more.

    Documents that the journal tells of and that are not there are expected no longer, and what is
    wrong with the journal itself becomes a note. A machine that saw more of the journal than there
    is accepts it for itself.

    Raises:
        Refused: nothing is lost, or nobody says who accepts it and why.

    """
    if not by or not reason:
        raise Refused(
            "accepting a loss needs a name and a reason",
            stanza=catalogue.stanza,
            do="hl7ops repository check --accept-losses REASON --by NAME",
        )
    check = JournalCheck(catalogue, Inspection())
    check.run()
    lost = check.lost
    if lost == Losses():
        raise Refused("nothing is lost", stanza=catalogue.stanza, seen=catalogue.storage.place)
    entry = Entry(
        "accepted",
        documents=lost.replaced,
        gone=lost.documents,
        reason=reason,
        by=by,
        findings=lost.findings,
    )
    check.journal.cache.path.unlink(missing_ok=True)
    check.journal.announce(entry)
    return entry
