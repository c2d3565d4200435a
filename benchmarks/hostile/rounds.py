"""Rounds of backup and proof while tables are emptied, rewritten, rotated and swapped.

Every table in the schema `busy` is in a state that was committed as long as all its rows are of one
generation and none is missing, which the oracle reads in the copy itself, while it is being proven.
`HL7OPS_HOSTILE_ROUNDS` is how many (300); `HL7OPS_HOSTILE_ROUNDS_MAJOR` the version (18).
"""

import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from benchmarks.hostile import oracle
from benchmarks.hostile.cluster import Place, place, plainly, remove
from benchmarks.hostile.drawing import Drawn
from benchmarks.hostile.features import FOLDER, Feature, read
from tasks.backup import cleanup
from tasks.backup.take import take
from tasks.control import clock
from tasks.control.errors import OpsError
from tasks.postgres.server import Server
from tasks.recovery.proving.verify import verify
from tasks.repository.model import BackupType


ROUNDS = int(os.environ.pop("HL7OPS_HOSTILE_ROUNDS", "300"))

MAJOR = int(os.environ.pop("HL7OPS_HOSTILE_ROUNDS_MAJOR", "18"))

INCREMENTS = 17
"""The version since which a backup can be incremental."""

GOING_ON = (
    "truncate_and_reload",
    "rewritten",
    "vacuumed_full",
    "refreshed",
    "rotated_partitions",
    "swapped_tables",
    "writing",
)

LARGE = """
create schema if not exists busy;
create table busy.aaa_large as
  select g as n, repeat(md5(g::text), 8) as pad from generate_series(1, 200000) g;
create table aaa_large as table busy.aaa_large; drop table busy.aaa_large;
"""
"""What is read before the others, so that they change between the snapshot and their turn."""


def main() -> None:
    """Go through the rounds, print each that is not as wanted, and count.

    Raises:
        SystemExit: a verdict was false, or a backup was not taken.

    """
    known = read(FOLDER / "busy.sql")
    features = (Feature("large", LARGE), *(known[name] for name in GOING_ON))
    folder = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
    folder.chmod(0o755)
    counts: Counter[str] = Counter()
    with place(Drawn("rounds", MAJOR, features), folder) as made:
        chance = random.Random(14)  # noqa: S311 - a seed is the point
        take(made.stanza, "full")
        for number in range(ROUNDS):
            kind: BackupType = chance.choice(["full", "snapshot", "incremental"])
            if kind == "incremental" and MAJOR < INCREMENTS:
                kind = "full"
            said, text = _round(made, kind, chance.random())
            counts[f"{kind}: {said}"] += 1
            if said not in ("proven", "partial"):
                print(f"  {number} {kind}: {said}: {text[:300]}", flush=True)
            cleanup.cleanup(made.stanza, now=clock.now() + timedelta(days=90))
        for line, count in Counter(made.unmade).items():
            print(f"  {count} times {line}")
            counts["a user's statement failed"] += count
        print(f"  longest statement of a user: {made.longest_s:.1f} s")
    remove(folder)
    print("  " + ", ".join(f"{number} {what}" for what, number in sorted(counts.items())))
    if any(word in what for what in counts for word in ("false", "failed", "error", "differs")):
        sys.exit(1)


def _round(made: Place, kind: BackupType, pause_s: float) -> tuple[str, str]:
    """Take a backup at a random moment, prove it, and hold the verdict against the oracle."""
    readings: list[oracle.Reading] = []

    def look(server: Server) -> None:
        at = plainly(server.address, MAJOR, dbname="template1")
        readings.append(oracle.read(at, views=kind != "snapshot"))

    with ExitStack() as meanwhile:
        meanwhile.enter_context(made.going_on())
        time.sleep(pause_s)
        try:
            backup = take(made.stanza, kind)
        except OpsError as error:
            return "take failed", str(error)
    try:
        proof = verify(made.stanza, backup.id, meddle=look)
    except OpsError as error:
        return "verify failed", str(error)
    torn = readings[0].torn if readings else ["no copy to be read"]
    seen = "; ".join(check.seen for check in proof.failed)
    named = " ".join(check.seen for check in proof.checks if check.outcome == "partial")
    hidden = [line for line in torn if not any(word in named for word in _words(line))]
    if proof.verdict in ("proven", "partial"):
        return ("false proof" if hidden else proof.verdict), "; ".join(hidden)
    if torn:
        return f"{proof.verdict}, and it differs", "; ".join(torn)
    return f"false alarm: {proof.verdict}", seen


def _words(line: str) -> list[str]:
    """Return the name of the table that a line of the oracle speaks of."""
    return [line.split("'")[5]] if line.count("'") > len("busy") else [line]


if __name__ == "__main__":
    main()
