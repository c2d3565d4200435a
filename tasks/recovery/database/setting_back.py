"""Set one database of a live cluster back: load it beside, let it be approved, swap, look again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tasks.control.errors import Corrupt, OpsError
from tasks.control.phases import Progress
from tasks.postgres.lock import alone
from tasks.postgres.server import Server
from tasks.recovery.database import swap as swaps
from tasks.recovery.database.beside import Beside, discard, prepare
from tasks.recovery.database.comparing import serves
from tasks.recovery.database.swap import Swapped
from tasks.recovery.planning.target import Target
from tasks.repository.proof import Check
from tasks.repository.stanza import Stanza


WORK = "restore of a database"
"""What is done one at a time."""


@dataclass(frozen=True)
class SetBack:
    """A database that was set back: what was loaded, the swap, and the checks after it."""

    beside: Beside
    swapped: Swapped | None
    checks: list[Check] = field(default_factory=list)


def set_back(
    stanza: Stanza,
    database: str,
    target: Target,
    approve: Callable[[Beside], bool],
    progress: Progress = lambda _phase, _done, _all: None,
    *,
    accepted: bool = False,
) -> SetBack:
    """Set one database of a live cluster back to a point; the others are not touched.

    Args:
        stanza: whose.
        database: which one.
        target: the point.
        approve: asked before the swap, with what was found; no: nothing is swapped.
        progress: told how far it is.
        accepted: swap it in also where it differs from what it was; what differs is told.

    Raises:
        Refused: the point cannot be had, or another one is being set back.
        Corrupt: it was not loaded as it was, or did not stand after the swap, and was rolled back.

    """
    with loaded(
        stanza,
        database,
        lambda: prepare(stanza, database, target, progress),
        accepted=accepted,
    ) as beside:
        return swap_in(stanza.server(), beside) if approve(beside) else SetBack(beside, None)


@contextmanager
def loaded(
    stanza: Stanza, database: str, load: Callable[[], Beside], *, accepted: bool = False
) -> Iterator[Beside]:
    """Yield what is loaded beside a database, when it is what it was; nobody else does so now.

    What was not swapped in when the block ends is dropped, and so is the copy that it came from.

    Raises:
        Refused: another one is being set back.
        Corrupt: it was not loaded as it was.

    """
    with alone(stanza.server(), WORK):
        beside = load()
        try:
            beside.require(accepted=accepted)
            yield beside
        finally:
            discard(stanza, database)


def swap_in(server: Server, beside: Beside, meddle: Callable[[], None] = lambda: None) -> SetBack:
    """Swap a database in, look at it under its name, and roll back where it does not stand.

    Args:
        server: the live one.
        beside: what is swapped in.
        meddle: called between the swap and the look, by whoever rehearses a failure.

    Raises:
        Corrupt: it did not stand; what was there before is back.

    """
    database = beside.database
    swapped = swaps.swap(server, database, beside.aside)
    try:
        meddle()
        checks = serves(server.database(database), beside.compared)
        failed = [f"{check.name}: {check.seen}" for check in checks if check.outcome != "pass"]
    except OpsError as error:
        failed = [str(error)]
    if failed:
        back = swaps.roll_back(server, database)
        raise Corrupt(
            f"database {database} did not stand after the swap, and was rolled back",
            stanza=server.stanza,
            seen="; ".join(failed[:3]),
            expected="every table, and no rule broken more often",
            do=f"look at {back.previous}, which is what was swapped in",
        )
    return SetBack(beside, swapped, checks)
