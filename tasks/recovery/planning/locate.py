"""From a target to the very record of the WAL at which a recovery is to end."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.recovery.planning.scroll import Scroll
from tasks.recovery.planning.target import Target
from tasks.recovery.planning.waldump import Mark
from tasks.recovery.planning.way import Run
from tasks.repository.model import Backup


XIDS = 1 << 32
"""WAL holds the lower half of an id of 64 bits."""


@dataclass(frozen=True)
class Stop:
    """The record at which a recovery ends.

    Args:
        position: where the record begins, in bytes.
        inclusive: whether it is replayed.
        told: what it is, for people.
        begun_by: a backup that is recovered to it must have been begun by then, since WAL before it
            is missing; None: any that leads there will do.

    """

    position: int
    inclusive: bool
    told: str
    begun_by: datetime | None = None

    @property
    def end(self) -> int:
        """The position up to which a backup must have become consistent."""
        return self.position + 1 if self.inclusive else self.position


def locate(target: Target, scroll: Scroll) -> Stop:
    """Find the record at which a recovery ends: of a position, a time, a transaction or a name.

    Unlike PostgreSQL, which reads a target while it replays and goes on to the end of the WAL where
    it does not meet it, this looks first; what PostgreSQL is then told is one exact position.

    Raises:
        Refused: the archive holds no such point.
        Corrupt: WAL is not what was kept.

    """
    if not scroll.way.runs:
        raise Refused("no WAL is archived", seen=str(target), do="hl7ops wal pull")
    return _FINDERS[target.kind](target, scroll)


def _latest(_: Target, scroll: Scroll) -> Stop:
    return last_of(scroll, scroll.way.runs[-1])


def last_of(scroll: Scroll, run: Run) -> Stop:
    """Return the end of a run: after its last whole record."""
    last = scroll.last_record(run)
    return Stop(last.position, inclusive=True, told="the last record that is archived")


def _lsn(target: Target, scroll: Scroll) -> Stop:
    """Find the record of a position, whether one begins just there or not."""
    position = lsn.parse(target.value)
    run = scroll.way.run(position) or scroll.way.run(position - 1)
    if run is None:
        raise _not_there(target, f"{_holder(scroll, position)} is not archived")
    if position > scroll.way.end(run):
        raise _not_there(target, f"the archive ends at {lsn.spell(scroll.way.end(run))}")
    record = scroll.record_from(position) if scroll.way.at(position) <= run.last else None
    if record is None:
        return last_of(scroll, run)
    is_there = record.position == position
    told = f"the record at {lsn.spell(record.position)}"
    return Stop(record.position, inclusive=is_there and target.inclusive, told=told)


def _holder(scroll: Scroll, position: int) -> str:
    return scroll.way.segment(scroll.way.at(position)).name


def _time(target: Target, scroll: Scroll) -> Stop:
    """Find the first transaction that ended after a time; recovery ends before it.

    As PostgreSQL does, it goes by the order in the WAL: two transactions that end within the same
    microseconds may stand there the other way round.
    """
    wanted = target.at
    assert wanted is not None  # noqa: S101 - a time has one

    def is_after(mark: Mark) -> bool:
        assert mark.at is not None  # noqa: S101 - a transaction has one
        return mark.at > wanted if target.inclusive else mark.at >= wanted

    numbers = sorted(scroll.way.numbers)
    before = bisect_left(numbers, 1, key=lambda n: int(all(map(is_after, scroll.soonest(n)[:1]))))
    last = None
    for last in scroll.forward(numbers[max(before - 2, 0)], numbers[-1]):
        if last.at is not None and is_after(last):
            return _before(last, scroll, wanted)
    last = newest(scroll)
    if last and last.at == wanted:
        return Stop(last.position, inclusive=True, told=f"the {last.told}")
    raise _not_there(target, f"the last that is archived is the {last.told if last else 'nothing'}")


def _before(mark: Mark, scroll: Scroll, wanted: datetime) -> Stop:
    """Return the stop before a transaction, which is the first one that ended after a time.

    Where its run holds none before it, others may have ended in what is missing.
    """
    run = scroll.way.run(mark.position)
    stop = Stop(mark.position, inclusive=False, told=f"just before the {mark.told}")
    if run and last_transaction(scroll, stop, run.first):
        return stop
    return replace(stop, begun_by=wanted)


def _xid(target: Target, scroll: Scroll) -> Stop:
    wanted = int(target.value) % XIDS
    for number in _nearest(scroll, wanted):
        for mark in scroll.transactions(number):
            if mark.xid == wanted:
                return _at(target, mark)
    raise _not_there(target, "no end of this transaction is archived")


def _nearest(scroll: Scroll, xid: int) -> list[int]:
    """Return the segments in the order in which a transaction is looked for.

    Ids are given out in order, so that it most likely ended near others of about its id: from there
    on to the end, then what lies before.
    """
    numbers = sorted(scroll.way.numbers)

    def has_passed(number: int) -> bool:
        return max((mark.xid for mark in scroll.soonest(number)), default=xid) >= xid

    begin = max(bisect_left(numbers, 1, key=lambda n: int(has_passed(n))) - 2, 0)
    return [*numbers[begin:], *reversed(numbers[:begin])]


def _name(target: Target, scroll: Scroll) -> Stop:
    """Find the newest restore point of a name."""
    numbers = sorted(scroll.way.numbers)
    for mark in scroll.backward(scroll.way.end(scroll.way.runs[-1]), numbers[0]):
        if mark.what == "restore point" and mark.name == target.value:
            return _at(target, mark)
    raise _not_there(target, "no restore point of this name is archived")


def _at(target: Target, mark: Mark) -> Stop:
    return Stop(mark.position, inclusive=target.inclusive, told=f"the {mark.told}")


def seal_of(scroll: Scroll, backup: Backup) -> Stop:
    """Find the restore point of a backup's seal.

    Raises:
        Refused: it is not archived.

    """
    end, name = lsn.parse(backup.seal.lsn), backup.seal.restore_point
    for mark in scroll.backward(end, scroll.way.at(end - 1) - 1):
        if mark.name == name:
            return Stop(mark.position, inclusive=True, told=f"the {mark.told}")
    raise Refused("the restore point of a seal is not archived", seen=name)


def last_transaction(scroll: Scroll, stop: Stop, first: int) -> Mark | None:
    """Return the last transaction that ends before a stop, down to a segment; None: there is none.

    Args:
        scroll: what is archived.
        stop: where recovery ends.
        first: the number of the segment down to which it is looked for.

    """
    before = scroll.backward(stop.end, first)
    return next((mark for mark in before if mark.at is not None), None)


def newest(scroll: Scroll) -> Mark | None:
    """Return the last transaction that is archived; None: there is none."""
    if not scroll.way.runs:
        return None
    ends = scroll.backward(scroll.way.end(scroll.way.runs[-1]), 0)
    return next((mark for mark in ends if mark.at is not None), None)


def _not_there(target: Target, seen: str) -> Refused:
    return Refused("there is no such point in what is archived", seen=f"{target}: {seen}")


_FINDERS: dict[str, Callable[[Target, Scroll], Stop]] = {
    "latest": _latest,
    "lsn": _lsn,
    "time": _time,
    "xid": _xid,
    "name": _name,
}
