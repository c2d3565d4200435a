"""Name what nobody wrote: files of others, and what is no file at all."""

from collections.abc import Callable, Collection

from tasks.repository.catalogue import Catalogue
from tasks.repository.findings import Inspection
from tasks.repository.journal import is_document
from tasks.repository.journal_reader import FOLDER, SUMMARIES, is_entry
from tasks.repository.model import ID
from tasks.repository.pages import FOLDER as PAGES


WAL = ("wal", "wal-partial")

DOCUMENTS = ("pins", "legal", FOLDER, SUMMARIES)
"""What holds documents only, all of which have names of their own."""

KINDS = {"stanza.json", "reach.json", "backups", PAGES, *WAL, *DOCUMENTS}
"""What may lie below a stanza."""


def check_foreign(catalogue: Catalogue, clusters: Collection[str], found: Inspection) -> None:
    """Name what lies in a repository and is not of it.

    It is damage where it stands in the way of something of ours: in a backup, or in the place of a
    directory. Else it is only worth knowing.

    Args:
        catalogue: of the repository.
        clusters: system identifiers whose WAL belongs here.
        found: what is told.

    """
    prefix = f"{catalogue.stanza}/"
    for item in catalogue.storage.objects(prefix):
        name = item.name.removeprefix(prefix)
        top, _, rest = name.partition("/")
        cluster, _, _ = rest.partition("/")
        if top == "wal" and cluster.isdecimal() and cluster not in clusters:
            found.bad(item.name, "WAL of another cluster")
        elif not is_place(name) or (top in DOCUMENTS and not _is_kept(item.name)):
            found.note(item.name, "nothing that is kept here has such a name")
    for each in catalogue.storage.foreign(catalogue.stanza):
        name = each.name.removeprefix(prefix)
        stands = each.name.startswith(prefix) and is_place(name) and not is_stray(name)
        tell: Callable[[str, str], None] = found.bad if stands else found.note
        what = "is not followed" if "link" in each.kind else "is not read"
        tell(each.name, f"is {each.kind}, which {what}")


def is_place(name: str) -> bool:
    """Tell whether something of ours may have a name below a stanza."""
    top, _, rest = name.partition("/")
    first = rest.partition("/")[0]
    if top == "backups":
        return bool(ID.match(first))
    return first.isdecimal() if top in WAL else top in KINDS


def is_stray(name: str) -> bool:
    """Tell whether a file is one that systems and editors leave anywhere; no object is called so.

    Such as `.DS_Store`, `base.tar.zst~`, `lost+found`.
    """
    last = name.rpartition("/")[2]
    return last.startswith((".", "#")) or last.endswith(("~", ".swp", ".bak")) or last == LOST


LOST = "lost+found"
"""What ext4 makes at the top of a disk."""


def _is_kept(name: str) -> bool:
    return is_document(name) or is_entry(name)
