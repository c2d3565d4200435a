"""Gather what the scoreboard shows: the window, the proofs, the drills, and their score."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.control.errors import Refused
from tasks.postgres.embedded import start_history
from tasks.recovery.drill.evidence import (
    Evidence,
    exported,
    imported,
    see_continued,
    see_unbroken,
)
from tasks.recovery.drill.outcome import Drill
from tasks.recovery.drill.score import Score, score
from tasks.recovery.planning import survey
from tasks.recovery.planning.plan import Window
from tasks.repository.cycle import Cycle, cycle
from tasks.repository.model import Backup, Damaged
from tasks.repository.proof import Proof
from tasks.repository.stanza import Stanza


SEEDS = 1 << 31


@dataclass(frozen=True)
class Standing:
    """How a stanza stands: what can be recovered, and what proofs and drills say of it.

    `window` is None where nothing is archived yet, `cycle` where all is compared each time.
    """

    window: Window | None
    score: Score
    drills: Sequence[Drill]
    proofs: Sequence[tuple[Backup, Proof | Damaged | None]]
    cycle: Cycle | None = None


def evidence(stanza: Stanza) -> Evidence:
    """Open the history of drills, in the control cluster."""
    return Evidence(start_history(stanza.home), stanza.name)


def signed(stanza: Stanza) -> str:
    """Return the history of drills as a document that we sign.

    Raises:
        Corrupt: it was tampered with.
        Refused: there is none, such as after the control cluster was lost.

    """
    records = evidence(stanza).records()
    if not records:
        raise Refused(
            "there is no history of drills",
            stanza=stanza.name,
            seen=f"nothing in {stanza.home.control.data}",
            do="hl7ops drill; what was kept before lies in the repositories, under reports/",
        )
    see_unbroken(records)
    document = exported(stanza.name, records)
    return stanza.catalogue.keyring.sign(document).decode()


def checked(stanza: Stanza, data: bytes) -> int:
    """See that an export is what was signed, is whole, and that the history goes on from it.

    Returns:
        How many entries it has.

    Raises:
        Corrupt: it was edited, or the history was; names the entry.

    """
    older = imported(stanza.catalogue.keyring.checked(stanza.name, data, "the export"))
    newer = evidence(stanza).records()
    see_unbroken(newer)
    see_continued(older, newer)
    return len(older)


def standing(stanza: Stanza, now: datetime) -> Standing:
    """Gather how a stanza stands.

    Raises:
        Corrupt: the history of drills was tampered with.

    """
    drills = evidence(stanza).drills()
    since = drills[0].started_at if drills else None
    proofs = _proofs(stanza)
    done = cycle(proofs, stanza.settings.proof_cycle_days, now)
    scored = score(drills, since, now, stanza.settings.rto_s)
    return Standing(_window(stanza), scored, drills, proofs, done)


def cycle_of(stanza: Stanza, now: datetime) -> Cycle | None:
    """Tell how much was compared within the cycle; None where all is, each time."""
    days = stanza.settings.proof_cycle_days
    return cycle(_proofs(stanza), days, now) if days > 1 else None


def _proofs(stanza: Stanza) -> list[tuple[Backup, Proof | Damaged | None]]:
    """Return the backups, each with its last proof."""
    backups = stanza.catalogue.backups()
    last = stanza.catalogue.last_proofs(each.id for each in backups)
    return [(each, last[each.id]) for each in backups]


def _window(stanza: Stanza) -> Window | None:
    try:
        return survey.window(stanza)
    except Refused:
        return None


def seed() -> int:
    """Draw a seed."""
    return secrets.randbelow(SEEDS)
