"""The ways to a whole copy: ours, other tools', and plain ones; each to the first query."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.restoring import plain
from benchmarks.restoring.landing import Landing, ask, look_at
from benchmarks.restoring.race import Phases, Way
from benchmarks.rivals.barman import Barman
from benchmarks.rivals.ground import DATABASE
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.pgbackrest import PgBackRest
from benchmarks.timing import peak_of
from tasks.postgres.server import Server
from tasks.recovery.restoring import restored


def by_ours(ours: Ours, target: str, phases: Phases, *how: str) -> Way:
    """Return this project's way, to a promoted copy."""
    path = Landing(ours.ground).path
    command = ours.command("restore", target, "--to", str(path), "--promote", "--json", *how)

    def server() -> Server:
        return restored.find(path).server.database(DATABASE)

    def run() -> float:
        peak = peak_of(command, ours.environment)
        ask(server())
        return peak

    def after() -> None:
        phases.note(restored.find(path).seconds)
        restored.remove(path)

    return Way(run, after, lambda: look_at(server()))


def by_pgbackrest(rival: PgBackRest, *options: str) -> Way:
    """Return pgBackRest's way, with the newest backup."""
    landing = Landing(rival.ground)
    command, how = rival.restore_command(landing.path, *options), rival.ground.owner.spawn()

    def run() -> float:
        if not landing.path.exists():
            landing.make()
        peak = peak_of(command, cwd="/", **how)
        landing.answer()
        return peak

    return Way(run, landing.clear, landing.look)


def by_barman(rival: Barman, *options: str) -> Way:
    """Return Barman's way, with the newest backup."""
    landing = Landing(rival.ground)
    return by_command(landing, rival.restore_command(rival.backups()[-1], landing.path, *options))


def by_hand(ours: Ours, backup: str) -> Way:
    """Return the way of plain tools, with the very objects that this project restores."""
    landing = Landing(ours.ground)
    return by_command(
        landing,
        plain.script(
            plain.unpack(ours.folder(backup), landing.path),
            plain.lay_wal(plain.wal_of(ours, backup), landing.path),
        ),
    )


def by_command(landing: Landing, command: Sequence[str], env: dict[str, str] | None = None) -> Way:
    """Return the way of a program that we run as ourselves, whose copy then changes hands."""

    def run() -> float:
        peak = peak_of(command, env, cwd="/")
        landing.own()
        landing.answer()
        return peak

    return Way(run, landing.clear, landing.look)


def over(older: Way, stop: Callable[[], object], way: Way) -> Way:
    """Return a way that begins over a stopped copy, which an older one has left."""

    def before() -> None:
        older.run()
        stop()

    return replace(way, before=before)


def stop_ours(path: Path) -> Callable[[], object]:
    """Return what stops a copy of this project."""
    return lambda: restored.stop(restored.find(path))
