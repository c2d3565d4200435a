"""What pgBackRest, Barman and this project say of a damaged repository.

Each tool has a full backup, WAL, a second backup built on it where the tool can, and more WAL. Each
damage is done to a fresh copy of that. Then runs what the tool's documentation says to verify with,
for all backups that an operator remembers. *Detected* is an exit code that is not 0; *told* is a
text that the undamaged repository does not give, with exit code 0; *silent* is neither.
"""

import os
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import mutations
from benchmarks.mutations import DoesNotApplyError, Mutation
from benchmarks.rivals import barman, pgbackrest
from benchmarks.rivals.ground import Answer, Ground, ground
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.rival import Kind, Rival


SWITCH_S = 0.1
"""So that the WAL of a backup spans several segments."""

SEGMENTS = 4

SPAN = 3
"""Segments that a backup must need: a first, a middle and a last one."""

ROW = "insert into written select g, repeat(md5(random()::text), 20) from generate_series(1, 500) g"

BAD = re.compile(r"error|invalid|missing|warn|fail|corrupt|refus|mismatch|not found", re.IGNORECASE)

VOLATILE = re.compile(r"\d[\dA-F:./-]*|0x[\da-f]+|[0-9a-f]{40,}")
"""What differs between two runs that say the same."""

WIDTH = 100
"""Characters of a cell."""


@dataclass(frozen=True)
class Finding:
    """What a tool made of a damage."""

    kind: str
    text: str = ""

    def __str__(self) -> str:
        """Spell it as a cell of the table."""
        return f"{self.kind}: {self.text}" if self.text else self.kind


@dataclass(frozen=True)
class Contestant:
    """A tool with its filled repository, a stranger's, and what it says where all is well."""

    rival: Rival
    stranger: Rival
    aside: Path
    backups: list[str] = field(default_factory=list)
    usual: dict[str, Answer] = field(default_factory=dict)

    def keep(self) -> None:
        """Set aside how the repository is now; every damage begins with that.

        Raises:
            RuntimeError: a command fails where nothing is damaged, so that it proves nothing.

        """
        shutil.rmtree(self.aside, ignore_errors=True)
        for number, place in enumerate(self.rival.places()):
            _copy(place, self.aside / str(number))
        self.backups[:] = self.rival.backups()
        self.usual.update(self.rival.checks(self.backups))
        wrong = {name: answer for name, answer in self.usual.items() if answer.code}
        if wrong:
            raise RuntimeError(f"{self.rival.name} fails undamaged: {wrong}")

    def try_out(self, mutation: Mutation) -> Finding:
        """Do a damage to a fresh copy, and return what the tool makes of it."""
        for number, place in enumerate(self.rival.places()):
            shutil.rmtree(place)
            _copy(self.aside / str(number), place)
        try:
            mutation(self.rival, self.stranger)
        except DoesNotApplyError:
            return Finding("-")
        return finding(self.rival.checks(self.backups), self.usual)


def finding(answers: Mapping[str, Answer], usual: Mapping[str, Answer]) -> Finding:
    """Decide what a tool's answers amount to."""
    for name, answer in answers.items():
        if answer.code:
            said = "".join(_unusual(answer, usual.get(name))[-1:])
            why = said.partition("seen: ")[2] or said
            return Finding("DETECTED", f"{name}, exit {answer.code}: {why}"[:WIDTH])
    for name, answer in answers.items():
        lines = _unusual(answer, usual.get(name))
        if lines:
            return Finding("told, exit 0", f"{name}: {lines[0]}"[:WIDTH])
    return Finding("silent")


def _unusual(answer: Answer, usual: Answer | None) -> list[str]:
    """Return the lines that speak of something wrong and are not said where all is well."""
    known = {VOLATILE.sub("", line) for line in usual.text.splitlines()} if usual else set()
    lines = [line for line in answer.text.splitlines() if VOLATILE.sub("", line) not in known]
    worded = [" ".join(re.sub(r"^[\d: .-]+P\d+ +", "", line).split()) for line in lines]
    return [re.sub(r"(?<!\w)/\S*/", "", line) for line in worded if BAD.search(line)]


def _copy(source: Path, target: Path) -> None:
    """Copy a tree with its owners."""
    shutil.copytree(source, target, symlinks=True)
    for path in (source, *source.rglob("*")):
        status, copied = path.lstat(), target / path.relative_to(source)
        os.chown(copied, status.st_uid, status.st_gid, follow_symlinks=False)


@contextmanager
def _busy(rival: Rival) -> Iterator[None]:
    """Write and switch WAL while the block runs."""
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(SWITCH_S):
            rival.ground.execute(ROW, "select pg_switch_wal()")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def _write(rival: Rival) -> None:
    for _ in range(SEGMENTS):
        rival.ground.execute(ROW, "select pg_switch_wal()")


def _back_up(rival: Rival, kind: Kind) -> None:
    with _busy(rival):
        rival.backup(kind)
    _write(rival)
    rival.settle()


def _fill(rival: Rival, kinds: Sequence[Kind]) -> None:
    """Make a repository with backups and WAL around them."""
    rival.ground.execute("create table written (id int, words text)", *[ROW] * 40)
    rival.set_up()
    for kind in kinds:
        _back_up(rival, kind)
    first, last = rival.span(rival.backups()[0])
    needed = [name for name in rival.wal() if first <= name <= last]
    if len(needed) < SPAN:
        raise RuntimeError(f"{rival.name}: a backup needs {needed}, which is too few")


def _contestants(stack: ExitStack) -> list[Contestant]:
    tool = stack.enter_context(barman.installed())
    fifteen, embedded = pgbackrest.PROGRAMS, None
    makers: list[tuple[Callable[[Ground], Rival], Path | None]] = [
        (pgbackrest.PgBackRest, fifteen),
        (lambda on: barman.Barman(on, tool), embedded),
        (Ours, embedded),
    ]
    found = []
    for make, programs in makers:
        rival, stranger = (make(stack.enter_context(ground(programs))) for _ in range(2))
        _fill(stranger, ["full"])
        _fill(rival, ["full", "incremental"])
        found.append(Contestant(rival, stranger, rival.ground.path / "aside"))
    return found


def main() -> None:
    """Print the table, and how much each tool detects."""
    pgbackrest.ensure()
    with ExitStack() as stack:
        contestants = _contestants(stack)
        names = [each.rival.name for each in contestants]
        print("| damage |", " | ".join(names), "|", flush=True)
        print("|---|" + "---|" * len(names))
        counts = {name: Counter[str]() for name in names}
        control = {"nothing (control)": mutations.nothing}
        again = {"nothing (control, again)": mutations.nothing}
        _table(contestants, control | mutations.BACKUPS | mutations.WAL | again, counts)
        for each in contestants:
            each.rival.ground.promote()
            _back_up(each.rival, "full")
        control = {"nothing (control, two timelines)": mutations.nothing}
        _table(contestants, control | mutations.TIMELINES, counts)
        for name, count in counts.items():
            told = ", ".join(f"{number} {kind}" for kind, number in sorted(count.items()))
            print(f"  {name}: {told}, of {count.total()} damages that apply")


def _table(
    contestants: Sequence[Contestant],
    damages: Mapping[str, Mutation],
    counts: Mapping[str, Counter[str]],
) -> None:
    for each in contestants:
        each.keep()
    for damage, mutation in damages.items():
        found = [each.try_out(mutation) for each in contestants]
        print(f"| {damage} |", " | ".join(map(str, found)), "|", flush=True)
        for each, cell in zip(contestants, found, strict=True):
            if cell.kind != "-" and mutation is not mutations.nothing:
                counts[each.rival.name][cell.kind] += 1
