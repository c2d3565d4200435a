"""Mutations of a restored copy: each has to make the proof fail, which has to name it.

`HL7OPS_MUTATIONS` says which: `fixed`, `drawn`, both (the default), or the names of fixed ones.
`HL7OPS_MUTATIONS_KIND` is the kind of backup: `full` or `snapshot`.
"""

import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.hostile.cluster import DATABASE, Place, place, plainly, psql, remove
from benchmarks.hostile.drawing import Drawn
from benchmarks.hostile.features import Feature, read
from benchmarks.hostile.mutations import drawn
from tasks.backup.take import take
from tasks.control.errors import OpsError
from tasks.postgres.server import Server
from tasks.recovery.proving.verify import verify
from tasks.repository.model import Backup, BackupType


FOLDER = Path(__file__).with_name("mutations")

WHICH = os.environ.pop("HL7OPS_MUTATIONS", "fixed,drawn")

KIND = os.environ.pop("HL7OPS_MUTATIONS_KIND", "full")

MAJOR = 18

DRAWN = int(os.environ.pop("HL7OPS_MUTATIONS_DRAWN", "60"))

HARMLESS = {
    "drawn: grant all on type garden.pair to public": "everybody has it before",
    "drawn: comment on cast (garden.textrange_ AS garden.textmultirange_) is 'drawn'": (
        "pg_dump says nothing of the cast that comes with a range"
    ),
}
"""What need not be found, with the reason."""


def found_of(made: Place, backup: Backup, mutation: Feature) -> str:
    """Do a mutation to a copy, and say what the proof made of it: `named`, or what else."""
    said: list[str] = []

    def meddle(server: Server) -> None:
        at = plainly(server.address, MAJOR, dbname=DATABASE)
        script = "set search_path = garden, public;\n" + mutation.script
        said.extend(psql(made.cluster.programs, at, script, {}))

    try:
        proof = verify(made.stanza, backup.id, meddle=meddle)
    except OpsError as error:
        return f"raised: {error}"
    if said:
        return f"not done: {said[0]}"
    seen = " ".join(check.seen for check in proof.failed)
    if proof.verdict != "failed":
        return f"unseen: {proof.verdict}"
    names = mutation.one("names", "").split("|")
    return "named" if any(name in seen for name in names) else f"not named: {seen[:200]}"


def chosen(made: Place) -> Iterator[Feature]:
    """Yield the mutations that are wanted."""
    fixed, words = read(FOLDER / "fixed.sql"), WHICH.split(",")
    for each in fixed.values():
        if "fixed" in words or each.name in words:
            yield each
    if "drawn" in words:
        chance, known = random.Random(14), set[str]()  # noqa: S311 - a seed is the point
        with psycopg.connect(made.address(DATABASE), autocommit=True) as connection:
            while len(known) < DRAWN:
                mutation = drawn.draw(chance, connection)
                if mutation.name not in known:
                    known.add(mutation.name)
                    yield mutation


def main() -> None:
    """Do each, print what was made of it, and count.

    Raises:
        SystemExit: one was not found and named, or nothing was done and something was found.

    """
    garden = read(FOLDER / "cluster.sql")["garden"]
    kind: BackupType = "snapshot" if KIND == "snapshot" else "full"
    counts: Counter[str] = Counter()
    folder = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
    folder.chmod(0o755)
    with place(Drawn("garden", MAJOR, (garden,)), folder) as made:
        print(*made.unmade, sep="\n")
        backup = take(made.stanza, kind)
        proof = verify(made.stanza, backup.id)
        print(f"  unchanged: {proof.verdict}", *(check.seen for check in proof.failed))
        counts["false alarm"] += proof.verdict == "failed"
        for mutation in chosen(made):
            found = found_of(made, backup, mutation)
            found = f"harmless: {found}" if mutation.name in HARMLESS else found
            counts[found.partition(":")[0]] += 1
            if found != "named":
                print(f"  {mutation.name}: {found}", flush=True)
    remove(folder)
    print("  " + ", ".join(f"{number} {what}" for what, number in sorted(counts.items()) if number))
    if (
        set(counts) - {"named", "harmless"}
        and counts.total() > counts["named"] + counts["harmless"]
    ):
        sys.exit(1)


if __name__ == "__main__":
    main()
