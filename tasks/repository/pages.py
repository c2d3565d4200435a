"""Pages and evidence that lie in a repository, where they outlive whoever published them."""

from collections.abc import Mapping

from tasks.repository.stanza import Stanza


FOLDER = "reports"


def keep_pages(stanza: Stanza, pages: Mapping[str, str]) -> list[str]:
    """Keep pages in every repository, in place of those before; return where they are.

    They name backups, places and times; nothing in them is secret, and they are not encrypted, so
    that they can be read on the day that the key is looked for.

    Args:
        stanza: whose.
        pages: texts, by the name of their file.

    Raises:
        Transient: a repository did not take one.

    """
    kept = []
    for catalogue in stanza.repositories.values():
        for name, text in pages.items():
            path = f"{stanza.name}/{FOLDER}/{name}"
            catalogue.storage.put(path, text.encode())
            kept.append(f"{path} in {catalogue.storage.place}")
    return kept
