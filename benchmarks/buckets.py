"""The same backup into a directory and into S3, beside what the store itself takes."""

from dataclasses import replace
from pathlib import Path

from benchmarks import proofs
from benchmarks.contest import Contest, Entry, by_ours, show_phases
from benchmarks.rivals.ground import Ground
from benchmarks.rivals.ours import Ours
from benchmarks.scale import ROUNDS
from tasks.repository.s3.server import Server, serving


BUCKET = "backups"

STORE = "store"
"""The directory of the server beside the operated cluster; its buckets are directories in it."""


def measure(on: Ground, ours: Ours) -> None:
    """Run a real S3 server on this machine, and compare."""
    print("on PostgreSQL 18, full, to S3; the store shares the machine")
    with serving(on.path / STORE, BUCKET) as store:
        bucket = of(ours, store)
        whole = ours.data(ours.backups()[-1])[0]
        contest = Contest(
            {
                "hl7ops, local": by_ours(ours),
                "hl7ops, S3": by_ours(bucket),
                "the same bytes by boto3": Entry(
                    lambda: _put(store, whole), lambda: whole.stat().st_size
                ),
            }
        )
        found = contest.hold(ROUNDS)
        contest.show(found, "hl7ops, local")
        alone = found["the same bytes by boto3"]
        print(f"    the store takes {whole.stat().st_size / 1e6 / alone.median:,.0f} MB/s")
        show_phases(bucket)
        proofs.measure(bucket)


def of(ours: Ours, store: Server) -> Ours:
    """Return a stanza on the same cluster whose only repository is in the bucket."""
    return replace(
        ours,
        extra={name.upper(): value for name, value in store.settings.items()},
        stanza="bucket",
        kept=ours.ground.path / STORE / BUCKET,
    )


def _put(store: Server, path: Path) -> float:
    """Put a file with boto3's own defaults: parts of 8 MB, ten at a time."""
    import boto3  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key.get_secret_value(),
        region_name="us-east-1",
    )
    client.upload_file(str(path), BUCKET, "measured")
    return 0.0
