"""Verbs that keep backups: `pin` and `unpin`, and `hold` and `release` for legal holds.

None of them needs a Prefect server or the operated server.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer

from flows.verbs.output import AsJson, say, screen
from tasks.control import clock, settings
from tasks.control.errors import Refused
from tasks.repository import keeping
from tasks.repository.legal import LegalHold
from tasks.repository.pins import Pin
from tasks.repository.stanza import Stanza, open_stanza


Id = Annotated[str, typer.Argument(help="Id of the backup, or `latest`.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever reads it later.")]
By = Annotated[str, typer.Option(help="Who says so.")]
Days = Annotated[
    int | None,
    typer.Option(min=1, max=36_525, help="For how many days; without: until unpin."),
]


def _site() -> Stanza:
    return open_stanza(settings.load())


def _said(text: str, option: str) -> str:
    """Return what was said; an empty word explains nothing to whoever finds it."""
    if not text.strip():
        raise Refused(f"{option} says nothing", expected="a few words", do=f"give {option}")
    return text.strip()


def pin(backup: Id, reason: Reason, days: Days = None, *, as_json: AsJson = False) -> None:
    """Keep a backup from retention, for some days or until it is unpinned."""
    now = clock.now()
    until = now + timedelta(days=days) if days else None
    site = _site()
    made = Pin(keeping.named(site, backup), _said(reason, "--reason"), now, until)
    keeping.pin(site, made)
    ends = f"until {clock.readable(until)}" if until else "until it is unpinned"
    say(vars(made), lambda: screen.print(f"{made.backup} stays {ends}"), as_json=as_json)


def unpin(backup: Id, *, as_json: AsJson = False) -> None:
    """Let retention decide over a backup again; a legal hold is not ended by this."""
    site = _site()
    name = keeping.named(site, backup)
    keeping.unpin(site, name)
    text = f"{name} is not pinned any more"
    say({"backup": name}, lambda: screen.print(text), as_json=as_json)


def hold(backup: Id, reason: Reason, by: By, *, as_json: AsJson = False) -> None:
    """Put a backup under legal hold: nothing removes it until somebody releases it."""
    site, who = _site(), _said(by, "--by")
    made = LegalHold(keeping.named(site, backup), _said(reason, "--reason"), who, clock.now())
    keeping.hold(site, made)
    say(vars(made), lambda: screen.print(f"{made.backup} is under legal hold"), as_json=as_json)


def release(backup: Id, reason: Reason, by: By, *, as_json: AsJson = False) -> None:
    """End a legal hold; a signed record of who ended it, and why, stays in the repository."""
    said, who = _said(reason, "--reason"), _said(by, "--by")
    site = _site()
    name = keeping.named(site, backup)
    done = keeping.release(site, name, said, who)
    text = f"{name} is released; the record stays in the repository"
    say(done, lambda: screen.print(text), as_json=as_json)


VERBS: tuple[Callable[..., None], ...] = (pin, unpin, hold, release)
