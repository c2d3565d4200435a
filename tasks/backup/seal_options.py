"""How the settings want a seal to be taken, and which earlier seal it may build on."""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from tasks.backup import consistent_snapshot
from tasks.backup.unchanged import Earlier
from tasks.control import clock
from tasks.control.errors import OpsError, Refused
from tasks.postgres import slot
from tasks.postgres.server import Server, identify
from tasks.repository.model import FINGERPRINT, Backup
from tasks.repository.seal import EXACT, WHOLE, Fingerprint, Share
from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SealOptions:
    """How a seal is to be taken.

    Args:
        attempts: how often each way of taking the snapshots is tried.
        earlier: a seal from which digests of unchanged tables may be taken.
        bytes_a_second: how fast tables are read; None: as fast as can be.
        seconds: after so long no further table is begun; None: all are digested.
        standby: where digests are computed; None: on the primary.
        exclude: patterns of tables that are left out.
        share: which tables are digested today.

    """

    attempts: int = consistent_snapshot.ATTEMPTS
    earlier: Earlier | None = None
    bytes_a_second: int | None = None
    seconds: float | None = None
    standby: Server | None = None
    exclude: Collection[str] = ()
    share: Share = WHOLE


PLAIN = SealOptions()


def options_of(stanza: Stanza, server: Server) -> SealOptions:
    """Return how the settings of a stanza want a seal.

    Raises:
        Refused: digests are wanted on a standby that is not named.

    """
    known = stanza.settings
    standby = None
    if known.digest_on == "standby":
        if known.standby_url is None:
            raise Refused(
                "digests are wanted on a standby, and none is named",
                stanza=stanza.name,
                seen="DIGEST_ON = standby",
                do="set STANDBY_URL",
            )
        standby = Server(stanza.name, known.standby_url.get_secret_value())
    return SealOptions(
        earlier=_earlier(stanza, server) if known.seal_reuse else None,
        bytes_a_second=known.seal_rate_mib << 20 if known.seal_rate_mib else None,
        seconds=known.seal_budget_seconds,
        standby=standby,
        exclude=known.seal_exclude,
        share=Share(clock.now().toordinal() % known.proof_cycle_days, known.proof_cycle_days),
    )


def _earlier(stanza: Stanza, server: Server) -> Earlier | None:
    """Return the newest exact seal of this cluster and timeline that can be read here."""
    identity, timeline = identify(server), slot.written(server, switch=False).timeline
    for backup in reversed(stanza.catalogue.backups()):
        is_ours = backup.system_identifier == identity.system_identifier
        if is_ours and backup.timeline == timeline and backup.seal.mode in EXACT:
            try:
                found = fingerprint_of(stanza, backup)
            except OpsError as error:
                log.warning("the seal of %s is not built on: %s", backup.id, error)
                return None
            return Earlier(backup.id, timeline, backup.seal, found) if found.is_current else None
    return None


def fingerprint_of(stanza: Stanza, backup: Backup) -> Fingerprint:
    """Read what a seal holds, from where this machine can read it."""
    item = backup.object(FINGERPRINT)
    if item.is_encrypted and not stanza.catalogue.cipher.can_read:
        found = stanza.known.find(backup.id, FINGERPRINT)
        if found is not None:
            return Fingerprint.from_bytes(found)
    return stanza.catalogue.fingerprint(backup)
