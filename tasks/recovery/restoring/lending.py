"""A restored copy, lent to whoever reads it instead of the operated server."""

from tasks.control.settings import Settings
from tasks.postgres.server import Server
from tasks.recovery.restoring.directory import normal
from tasks.recovery.restoring.restored import find


def lent(settings: Settings) -> Server | None:
    """Return the copy that `ANALYTICS_COPY` names; None where it names none.

    Raises:
        Refused: nothing was restored there.
        Corrupt: its document cannot be read.

    """
    path = settings.analytics_copy
    return None if path is None else find(normal(path)).server
