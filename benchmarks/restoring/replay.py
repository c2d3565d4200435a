"""The replay of WAL that was written after a backup, beside a plain `restore_command`."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.restoring import plain
from benchmarks.restoring.landing import PAUSE_S, START_S, Landing
from benchmarks.restoring.race import Phases, Way, race, show
from benchmarks.restoring.ways import by_ours
from benchmarks.rivals.ground import DATABASE, Ground
from benchmarks.rivals.ours import Ours
from benchmarks.scale import MEGABYTES
from benchmarks.timing import Times
from tasks.postgres import lsn


WAL_BYTES = MEGABYTES * 750_000

CLIENTS = 4

TRANSACTIONS = 2000
"""Of each client, before it is looked how much WAL there is."""

SCRIPT = """\
\\set id random(1, {messages})
update hl7.messages set attempts = 2 where id = :id;
"""
"""Small transactions all over the messages, as a busy day has them."""


@dataclass(frozen=True)
class Stretch:
    """What is replayed: from a backup to a position, the segments beside the cluster."""

    ours: Ours
    backup: str
    wal: Path
    begin: int
    end: int

    @property
    def megabytes(self) -> float:
        """How much it is."""
        return (self.end - self.begin) / 1e6


def measure(ours: Ours) -> None:
    """Write WAL after a backup, and race to its end; only the replay is compared."""
    stretch, phases = _written(ours), Phases()
    name = "hl7ops, phase replay"
    ways = {
        name: by_ours(ours, "latest", phases, "--backup", stretch.backup),
        "restore_command, zstd -dcq": _by_hand(stretch, "zstd -dcq {}/%f.zst > %p"),
        "restore_command, cp": _by_hand(stretch, "cp {}/%f %p"),
    }
    found = race("on PostgreSQL 18, replay; the first with all that a restore is", ways)
    phases.show(found[name])
    found[name] = Times(phases.seconds["replay"], found[name].peak_mb)
    rates = {each: f"{stretch.megabytes / t.median:,.0f} MB/s" for each, t in found.items()}
    show(f"on PostgreSQL 18, {stretch.megabytes:,.0f} MB of WAL replayed", found, rates)
    shutil.rmtree(stretch.wal)


def _written(ours: Ours) -> Stretch:
    on = ours.ground
    made = ours.told("backup", "full")
    begin = lsn.parse(made["start_lsn"])
    messages = on.value("select max(id) from hl7.messages")
    script = on.file("updates.sql", SCRIPT.format(messages=messages))
    while lsn.parse(on.value("select pg_current_wal_lsn()")) - begin < WAL_BYTES:
        on.must(_pgbench(on, script))
    ours.settle()
    wal = on.folder("wal")
    for name, path in ours.wal().items():
        shutil.copy(path, wal / f"{name}.zst")
    subprocess.run(plain.script(f"zstd -dq {wal}/*.zst"), check=True)
    for path in wal.iterdir():
        on.owner.take(path)
    planned = ours.told("restore", "latest", "--backup", made["id"], "--plan")
    return Stretch(ours, made["id"], wal, begin, lsn.parse(planned["stop_lsn"]))


def _pgbench(on: Ground, script: Path) -> list[str]:
    cluster = on.cluster
    return [
        *(str(cluster.programs / "pgbench"), "-n", "-f", str(script), "-M", "prepared"),
        *("-c", str(CLIENTS), "-t", str(TRANSACTIONS), "-h", str(cluster.sockets)),
        *("-p", str(cluster.port), "-U", "postgres", DATABASE),
    ]


def _by_hand(stretch: Stretch, fetch: str) -> Way:
    """Return the way of a copy that is unpacked already and fetches WAL by a command."""
    landing = Landing(stretch.ours.ground)
    base = plain.unpack(stretch.ours.folder(stretch.backup), landing.path)
    command = fetch.format(stretch.wal)

    def before() -> None:
        subprocess.run(plain.script(base), check=True)
        (landing.path / "recovery.signal").touch()
        landing.own()

    run = partial(_replay, landing, command, stretch.end)
    return Way(run, landing.clear, landing.look, before)


def _replay(landing: Landing, command: str, end: int) -> float:
    """Start a copy, and return when it has replayed up to a position."""
    settings = {"archive_mode": "off", "restore_command": command}
    landing.cluster.start(settings, START_S)
    with landing.cluster.server("main").connect() as connection:
        while True:
            row = connection.execute("select pg_last_wal_replay_lsn()::text").fetchone()
            if row and lsn.parse(row[0]) >= end:
                return 0.0
            time.sleep(PAUSE_S)
