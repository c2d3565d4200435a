"""Choose the backup that a recovery begins with: the newest sound one that leads to its end."""

from collections.abc import Sequence

from tasks.control.errors import Refused
from tasks.postgres import lsn
from tasks.recovery.planning.locate import Stop
from tasks.recovery.planning.plan import Base, Window
from tasks.recovery.planning.target import Target


def choose(
    target: Target,
    stop: Stop | None,
    window: Window,
    named: str | None,
    *,
    is_accepting: bool = False,
) -> tuple[Base, list[str]]:
    """Choose the backup to begin with: the newest sound one from which the stop is reached.

    Args:
        target: what was asked for.
        stop: the record that recovery ends at; None: as soon as the copy is consistent.
        window: what can be recovered.
        named: the id of the backup to begin with; None: any.
        is_accepting: take one whose bytes failed where no other leads there.

    Returns:
        The base, and what was passed over: newer ones that would lead there too, and why not.

    Raises:
        Refused: there is none; names the nearest valid bounds.

    """
    passed_over: list[str] = []
    why: list[str] = []
    failed: list[Base] = []
    for base in reversed(window.bases):
        if named not in (None, base.backup.id):
            continue
        hindrance = _hindrance(base, stop, window)
        against = base.problem or base.failed
        if hindrance is None and against is None:
            return base, passed_over
        if hindrance is None:
            passed_over.append(f"{base.backup.id}: {against}")
            failed += [base] if base.problem is None else []
        why.append(f"{base.backup.id}: {hindrance or against}")
    if failed and is_accepting:
        others = [each for each in passed_over if not each.startswith(f"{failed[0].backup.id}: ")]
        return failed[0], others
    if failed:
        raise _failed(target, failed[0], window)
    raise _not_reached(target, stop, window, named, why)


def nearest(stop: Stop | None, window: Window, named: str | None) -> Base | None:
    """Return the newest base that becomes consistent before WAL on its way to a stop is missing."""
    found = [
        base
        for base in reversed(window.bases)
        if named in (None, base.backup.id)
        and base.problem is None
        and window.leads(base, base.stop)
        and (stop is None or stop.end >= base.stop)
        and (stop is None or stop.begun_by is None or base.backup.started_at <= stop.begun_by)
    ]
    return next((base for base in found if base.failed is None), found[0] if found else None)


def _failed(target: Target, base: Base, window: Window) -> Refused:
    return Refused(
        "the bytes of the only backup that leads to this point are bad",
        stanza=window.stanza,
        seen=f"{target}; {base.backup.id}: {base.failed}",
        expected="a backup whose bytes are sound",
        do="choose another point, or a backup to begin with (--backup); hl7ops restore"
        " --accept-failed-proof restores what can be read",
    )


def _not_reached(
    target: Target, stop: Stop | None, window: Window, named: str | None, why: Sequence[str]
) -> Refused:
    short = nearest(stop, window, named)
    until = (
        f"; --accept-failed-proof restores {short.backup.id} up to where WAL is missing"
        if short
        else ""
    )
    return Refused(
        "no backup leads to this point",
        stanza=window.stanza,
        seen=f"{target}; {'; '.join(why[:3]) or 'there is no physical backup'}",
        expected=window.told,
        do=f"choose a point of that window{until}",
    )


def _hindrance(base: Base, stop: Stop | None, window: Window) -> str | None:
    """Say why a base does not lead to a stop, whatever state it is in; None: it does."""
    if not window.way.passes(base.backup):
        return (
            f"is of timeline {base.backup.timeline}, off the way to {window.way.history.timeline}"
        )
    end = stop.end if stop else base.stop
    if end < base.stop:
        return f"became consistent at {base.backup.stop_lsn} only, after that point"
    if stop and stop.begun_by and base.backup.started_at > stop.begun_by:
        return "was begun after that time, and WAL before it is missing"
    if not window.leads(base, end):
        run = window.way.run(base.start)
        reached = lsn.spell(window.way.end(run)) if run else "nothing"
        return f"WAL from its start on reaches {reached} only"
    return None
