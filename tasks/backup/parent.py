"""What a backup is built on: which earlier one, and whether the server can tell the difference."""

import logging
from dataclasses import dataclass

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.postgres.server import Identity, Server
from tasks.repository.chain import chain_to
from tasks.repository.model import MANIFEST, Backup, BackupType
from tasks.repository.proof import refuses
from tasks.repository.stanza import Stanza


log = logging.getLogger(__name__)

_BUILT_ON = {("incremental", "differential"), ("incremental", "incremental")}
"""What may be built on what, besides on a full one."""

SINCE = 17
"""The major version that brought native incremental backup."""


@dataclass(frozen=True)
class Parent:
    """The backup that a new one is built on, and the server's list of its files."""

    backup: Backup
    manifest: bytes


def find(stanza: Stanza, server: Server, identity: Identity, kind: BackupType) -> Parent | None:
    """Return what a backup of a kind is built on: nothing, the last full one, or the newest.

    A backup whose chain is broken, or whose bytes failed its last proof, is not built on.

    Raises:
        Refused: there is none, or the server cannot take increments; says what to do.

    """
    if kind in ("full", "snapshot"):
        return None
    _see_that_it_can(server, identity)
    for backup in reversed(stanza.catalogue.backups()):
        is_of_kind = backup.type == "full" or (kind, backup.type) in _BUILT_ON
        is_of_cluster = backup.system_identifier == identity.system_identifier
        if is_of_kind and is_of_cluster and _is_sound(stanza, backup):
            return Parent(backup, _manifest(stanza, backup))
    raise Refused(
        f"there is no backup that {'an' if kind == 'incremental' else 'a'} {kind} one could be"
        " built on",
        stanza=stanza.name,
        expected="a sound full backup of this cluster",
        do="hl7ops backup full",
    )


def told(error: OpsError, parent: Parent) -> OpsError:
    """Say what to do where the server does not know any more what changed since the parent."""
    if "manifest requires WAL from" in str(error):
        return Refused(
            "the server did not come from the parent",
            seen=str(error),
            expected=f"a server that went through the stop of {parent.backup.id}",
            do="hl7ops backup full; it was set back, or another one was promoted, since the parent",
        )
    if "WAL summar" not in str(error):
        return error
    return Refused(
        "the server does not know what changed since the parent",
        seen=str(error),
        expected=f"WAL summaries since {parent.backup.start_lsn}, where {parent.backup.id} began",
        do="hl7ops backup full, and raise wal_summary_keep_time above the time between backups",
    )


def _see_that_it_can(server: Server, identity: Identity) -> None:
    if identity.major < SINCE:
        raise Refused(
            "this server cannot take increments",
            stanza=server.stanza,
            seen=f"PostgreSQL {identity.major}",
            expected=f"{SINCE} or later",
            do="hl7ops backup full, or upgrade the server",
        )
    with server.connect(statement_timeout_s=10) as connection:
        row = connection.execute("show summarize_wal").fetchone()
    if row != ("on",):
        raise Refused(
            "this server does not keep what increments are made of",
            stanza=server.stanza,
            seen="summarize_wal = off",
            expected="summarize_wal = on",
            do="alter system set summarize_wal = on; select pg_reload_conf(); then a full backup",
        )


def _manifest(stanza: Stanza, backup: Backup) -> bytes:
    """Return the server's list of a backup's files, from where this machine can read it.

    Raises:
        Refused: it is encrypted, this machine has no identity, and does not remember it.

    """
    catalogue, item = stanza.catalogue, backup.manifest
    if not item.is_encrypted or catalogue.cipher.can_read:
        return catalogue.vault.read(catalogue.prefix(backup.id), item)
    found = stanza.known.find(backup.id, MANIFEST)
    if found is None:
        raise Refused(
            "the manifest of the parent cannot be read here",
            stanza=stanza.name,
            seen=f"{item.name} of {backup.id}, encrypted, and not remembered by this machine",
            expected="the machine that took it, or the age identity",
            do="hl7ops backup full",
        )
    return found


def _is_sound(stanza: Stanza, backup: Backup) -> bool:
    """Tell whether nothing is known against a backup, or against what it is built on."""
    try:
        for link in chain_to(stanza.catalogue, backup):
            _see_that_it_may_serve(stanza, link)
    except Corrupt as error:
        log.warning("%s is not built on: %s", backup.id, error)
        return False
    return True


def _see_that_it_may_serve(stanza: Stanza, link: Backup) -> None:
    """See that the bytes of a link did not fail its last proof, and that its objects are there.

    A failed comparison bars nothing: what is built on it holds what the server has now.

    Raises:
        Corrupt: they did, or are not.

    """
    catalogue = stanza.catalogue
    if refuses(catalogue.last_proof(link.id)):
        raise Corrupt("the bytes of a backup failed its last proof", seen=link.id)
    lacking = catalogue.lacking(link)
    if lacking:
        raise Corrupt("a backup is not whole", seen=f"{link.id} lacks {', '.join(lacking[:3])}")
