"""What somebody with zstd, tar and PostgreSQL's programs would type to get the same copy."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from benchmarks.rivals.ours import Ours


def script(*parts: str) -> list[str]:
    """Return a command line that does some parts one after the other, and fails with any."""
    return ["/bin/bash", "-c", "\n".join(["set -eo pipefail", *parts])]


def unpack(backup: Path, into: Path, read: str = "cat") -> str:
    """Return what unpacks the files of a backup.

    Args:
        backup: its directory, or what `read` knows it by.
        into: the data directory, which is made.
        read: what writes a file to the standard output.

    """
    folder = quote(str(into))
    base, manifest = (quote(str(backup / name)) for name in ("base.tar", "backup_manifest"))
    return (
        f"mkdir -p -m 700 {folder}\n"
        f"{read} {base}.zst | zstd -dcq | tar -x -C {folder}\n"
        f"{read} {manifest}.zst | zstd -dcq > {folder}/backup_manifest"
    )


def lay_wal(wal: Sequence[tuple[str, Path]], into: Path, read: str = "cat") -> str:
    """Return what puts WAL where a starting server finds it; `read` is as in `unpack`."""
    folder = quote(str(into / "pg_wal"))
    lines = [f"{read} {quote(str(path))} | zstd -dcq > {folder}/{name}" for name, path in wal]
    return "\n".join(lines)


def wal_of(ours: Ours, backup: str) -> list[tuple[str, Path]]:
    """Return the segments by which a backup becomes consistent up to its seal, in order."""
    first, last = ours.span(backup)
    return [(name, path) for name, path in ours.wal().items() if first <= name <= last]
