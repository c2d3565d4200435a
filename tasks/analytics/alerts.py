"""What people were told of: each episode once, whoever runs how often."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tasks.analytics.rollups.tables import SCHEMA
from tasks.postgres.server import Server


_NEW = f"""
insert into {SCHEMA}.alerts (kind, subject, start) values (%s, %s, %s)
on conflict do nothing returning 1
"""  # noqa: S608 - names of our own


UNNAMED = "a connection"


@dataclass(frozen=True)
class Alert:
    """One finding to tell: what kind, of what, since when, and in words."""

    kind: str
    subject: str
    start: datetime
    text: str

    @property
    def nameless(self) -> "Alert":
        """The same of a connection, without its name."""
        if self.kind != "silence":
            return self
        text = self.text.replace(self.subject, UNNAMED)
        return replace(self, subject=UNNAMED, text=text)


def new(server: Server, found: Iterable[Alert]) -> list[Alert]:
    """Return the findings that nobody was told of yet, and remember them.

    Raises:
        Transient: the server cannot be reached, or did not answer in time.

    """
    with server.connect(statement_timeout_s=30) as connection, connection.transaction():
        return [
            alert
            for alert in found
            if connection.execute(_NEW, [alert.kind, alert.subject, alert.start]).fetchone()
        ]
