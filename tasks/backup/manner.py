"""In which manner the settings want a seal, and which earlier seal it may build on."""

import logging

from tasks.backup.seal import Manner
from tasks.backup.unchanged import EXACT, Earlier
from tasks.control.errors import OpsError, Refused
from tasks.postgres import slot
from tasks.postgres.server import Server, identify
from tasks.repository.model import MEASURE, Backup
from tasks.repository.seal import Measure
from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)


def manner_of(stanza: Stanza, server: Server) -> Manner:
    """Return the manner that the settings of a stanza want.

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
    return Manner(
        earlier=_earlier(stanza, server) if known.seal_reuse else None,
        bytes_a_second=known.seal_rate_mib << 20 if known.seal_rate_mib else None,
        seconds=known.seal_budget_seconds,
        standby=standby,
    )


def _earlier(stanza: Stanza, server: Server) -> Earlier | None:
    """Return the newest exact seal of this cluster and timeline that can be read here."""
    identity, timeline = identify(server), slot.written(server, switch=False).timeline
    for backup in reversed(stanza.catalogue.backups()):
        is_ours = backup.system_identifier == identity.system_identifier
        if is_ours and backup.timeline == timeline and backup.seal.mode in EXACT:
            try:
                return Earlier(backup.id, timeline, backup.seal, measure_of(stanza, backup))
            except OpsError as error:
                log.warning("the seal of %s is not built on: %s", backup.id, error)
                return None
    return None


def measure_of(stanza: Stanza, backup: Backup) -> Measure:
    """Read what a seal measured, from where this machine can read it."""
    item = backup.object(MEASURE)
    if item.is_encrypted and not stanza.catalogue.cipher.can_read:
        found = stanza.known.find(backup.id, MEASURE)
        if found is not None:
            return Measure.from_bytes(found)
    return stanza.catalogue.measure(backup)
