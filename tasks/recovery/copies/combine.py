"""From the links of a chain to one data directory, as a restore makes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.control.errors import Corrupt, OpsError, WrongKey
from tasks.postgres import programs
from tasks.recovery.copies import unpack
from tasks.recovery.copies.scratch import Scratch
from tasks.repository.catalogue import Catalogue
from tasks.repository.model import FINGERPRINT, Backup


TIMEOUT_S = 3600

HARD_LINKS_SINCE = 18
"""From this version on files that are taken over whole are linked, not copied."""


@dataclass(frozen=True)
class Link:
    """One backup of a chain and where it is unpacked."""

    backup: Backup
    place: Scratch


def links_of(chain: Sequence[Backup], copy: Scratch) -> list[Link]:
    """Give each backup of a chain a place; one that stands alone is unpacked where it is used."""
    if len(chain) == 1:
        return [Link(chain[0], copy)]
    copy.make(copy.path / "chain")
    return [
        Link(backup, replace(copy, path=copy.path / "chain" / backup.id, mapped={}))
        for backup in chain
    ]


def unpack_link(catalogue: Catalogue, link: Link) -> list[Corrupt]:
    """Unpack every object of a link, also after a bad one; return what was found bad."""
    bad = []
    link.place.make(link.place.path)
    link.place.make(link.place.data)
    for item in link.backup.objects:
        if item.plain_name == FINGERPRINT:
            continue  # none of the data: it is read where contents are compared
        try:
            unpack.unpack(catalogue, link.backup, item, link.place)
        except WrongKey:
            raise
        except Corrupt as error:
            bad.append(error)
    return bad


def combine(links: Sequence[Link], copy: Scratch) -> None:
    """Let PostgreSQL put a chain together; the links are used up.

    Raises:
        Corrupt: the links do not follow each other.

    """
    last = links[-1]
    for space in last.backup.tablespaces:
        copy.make(copy.tablespace(space.oid))
    moved = [
        f"--tablespace-mapping={last.place.tablespace(space.oid)}={copy.tablespace(space.oid)}"
        for space in last.backup.tablespaces
    ]
    linked = ["--link"] if last.backup.server_version // 10000 >= HARD_LINKS_SINCE else []
    inputs = [link.place.data for link in links]
    try:
        programs.run(
            copy.programs,
            "pg_combinebackup",
            ["--no-sync", *linked, *moved, "--output", copy.data, *inputs],
            timeout_s=TIMEOUT_S,
            owner=copy.owner,
        )
    except OpsError as error:
        seen = str(error).replace(f"{copy.path}/", "")
        raise Corrupt("the chain cannot be put together", seen=seen) from None
