"""Take a backup of any kind: alone, under a name of its own, known only when it is whole."""

import logging
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta

from tasks.backup import parent as parents
from tasks.backup.physical import Physical
from tasks.backup.snapshot import Snapshot
from tasks.control import clock
from tasks.control.errors import OpsError
from tasks.control.phases import Progress
from tasks.postgres.lock import alone
from tasks.postgres.server import identify
from tasks.repository.model import Backup, BackupId, BackupType
from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)

OWN_NAMES = "-c search_path=pg_catalog"
"""Whatever users call their tables: a name that we say is PostgreSQL's own."""


def take(
    stanza: Stanza,
    kind: BackupType = "full",
    *,
    fast: bool = True,
    progress: Progress = lambda _phase, _done, _all: None,
) -> Backup:
    """Take a backup of the stanza and make it known.

    Args:
        stanza: whose.
        kind: `full`; `differential`, what changed since the last full one; `incremental`, what
            changed since the newest one; `snapshot`, a dump of each database.
        fast: begin with an immediate checkpoint instead of a spread one.
        progress: told how far it is.

    Returns:
        The backup, which stands in the catalogue.

    Raises:
        Refused: another backup of the stanza is running, the repository belongs to another
            cluster or is full, or there is nothing to build on; see `parent.find`.
        Transient: the server or the repository cannot be reached, or fell silent.
        Corrupt: WAL of the backup did not reach the repository.

    """
    server, catalogue = stanza.server().with_options(OWN_NAMES), stanza.catalogue
    began = clock.now()
    with ExitStack() as held:
        held.enter_context(catalogue.storage.hold("backup", shared=False, stanza=stanza.name))
        held.enter_context(alone(server, "backup"))
        base = parents.find(stanza, server, identify(server), kind)
        if base is not None:
            held.enter_context(catalogue.reading(base.backup.id))
        name = _name(stanza, kind, began)
        held.enter_context(catalogue.reading(name))  # so that no cleanup takes it for a leftover
        work = (
            Snapshot(stanza, server, name, began)
            if kind == "snapshot"
            else Physical(stanza, server, name, kind, base, began, fast=fast)
        )
        try:
            made = work.run(progress)
            catalogue.add(made)
        except BaseException:
            with suppress(OpsError):  # the next cleanup collects what is left
                catalogue.discard(name)
            raise
    log.info("backup %s is complete: %d bytes stored", made.id, made.bytes_stored)
    return made


def _name(stanza: Stanza, kind: BackupType, began: datetime) -> BackupId:
    """Return a name whose second is free: of this one, or of the next that no backup bears."""
    taken = stanza.catalogue.stamps()
    while clock.stamp(began) in taken:
        began += timedelta(seconds=1)
    return BackupId(f"{kind}-{clock.stamp(began)}")
