"""A restore out of S3, beside the same objects fetched by rclone and unpacked by plain tools."""

import os
import sysconfig
from pathlib import Path

from benchmarks import buckets
from benchmarks.restoring import plain
from benchmarks.restoring.landing import Landing
from benchmarks.restoring.race import Phases, Way, race
from benchmarks.restoring.ways import by_command, by_ours
from benchmarks.rivals.ours import Ours
from tasks.repository.s3.server import Server, serving


RCLONE = Path(sysconfig.get_path("scripts"), "rclone")

REMOTE = Path("store:", buckets.BUCKET)
"""What rclone calls the bucket."""


def measure(ours: Ours) -> None:
    """Back up into a real S3 server on this machine, and race."""
    on = ours.ground
    with serving(on.path / buckets.STORE, buckets.BUCKET) as store:
        bucket = buckets.of(ours, store)
        backup = bucket.told("backup", "full")["id"]
        phases = Phases()
        ways = {
            "hl7ops": by_ours(bucket, backup, phases, "--repository", "s3"),
            "rclone cat, zstd and tar": _streamed(bucket, store, backup),
            "rclone copy, then zstd and tar": _copied(bucket, store, backup),
        }
        found = race("on PostgreSQL 18, full, from S3; the store shares the machine", ways)
    phases.show(found["hl7ops"])


def _streamed(bucket: Ours, store: Server, backup: str) -> Way:
    """Return the way that unpacks what comes, while it comes."""
    landing, read = Landing(bucket.ground), f"{RCLONE} cat"
    wal = [(name, REMOTE / _key(bucket, path)) for name, path in plain.wal_of(bucket, backup)]
    command = plain.script(
        plain.unpack(REMOTE / _key(bucket, bucket.folder(backup)), landing.path, read),
        plain.lay_wal(wal, landing.path, read),
    )
    return by_command(landing, command, _environment(store))


def _copied(bucket: Ours, store: Server, backup: str) -> Way:
    """Return the way that fetches all objects first, several at once as rclone does."""
    landing, folder = Landing(bucket.ground), bucket.ground.path / "fetched"
    wal = [(name, _key(bucket, path)) for name, path in plain.wal_of(bucket, backup)]
    base = _key(bucket, bucket.folder(backup))
    keys = [base / f"{name}.zst" for name in ("base.tar", "backup_manifest")]
    wanted = bucket.ground.path / "wanted"
    wanted.write_text("".join(f"{key}\n" for key in [*keys, *(key for _, key in wal)]))
    command = plain.script(
        f"{RCLONE} copy --files-from {wanted} {REMOTE} {folder}",
        plain.unpack(folder / base, landing.path),
        plain.lay_wal([(name, folder / key) for name, key in wal], landing.path),
        f"rm -r {folder}",
    )
    return by_command(landing, command, _environment(store))


def _key(bucket: Ours, path: Path) -> Path:
    return path.relative_to(bucket.repository)


def _environment(store: Server) -> dict[str, str]:
    """Return the settings by which rclone finds the server."""
    remote = {
        "type": "s3",
        "provider": "Rclone",
        "endpoint": store.endpoint,
        "access_key_id": store.access_key,
        "secret_access_key": store.secret_key.get_secret_value(),
    }
    given = {f"RCLONE_CONFIG_STORE_{name.upper()}": value for name, value in remote.items()}
    return {**os.environ, **given, "RCLONE_CONFIG": os.devnull}
