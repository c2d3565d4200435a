"""Register the block types, and a block of each for a stanza that has none: `python -m blocks`."""

import sys

from blocks.cluster import PostgresCluster
from blocks.repository import BackupRepository


def main(stanza: str) -> None:
    """Register both types; a block that is there already keeps what was edited in it."""
    for kind in (PostgresCluster, BackupRepository):
        kind.register_type_and_schema()
        try:
            kind.load(stanza)
        except ValueError:
            kind().save(stanza)


if __name__ == "__main__":
    main(*sys.argv[1:])
