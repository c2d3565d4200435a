"""The settings that `ALTER SYSTEM` made in a source: aside while its copy is started by us."""

from pathlib import Path


AUTO_CONF = "postgresql.auto.conf"

SOURCE_AUTO_CONF = "postgresql.auto.conf.source"
"""Where the source's settings of `ALTER SYSTEM` lie in a copy while it is started by us."""


def lay_aside(data: Path) -> None:
    """Move the source's own settings aside, also where a run that was killed has done so before."""
    _join(data / AUTO_CONF, data / SOURCE_AUTO_CONF)


def give_back(data: Path) -> None:
    """Put the source's own settings back; what was set in the copy meanwhile comes after them.

    A server that runs has read its settings already. After a kill, whoever stops a copy or goes on
    with it calls this again.
    """
    if (data / SOURCE_AUTO_CONF).exists():
        lay_aside(data)
        (data / SOURCE_AUTO_CONF).rename(data / AUTO_CONF)


def _join(path: Path, aside: Path) -> None:
    """Move a file, or add it to the end of the one that is there: of a setting the last one holds.

    Added twice by a run that was killed, it means the same.
    """
    if not path.exists():
        return
    if not aside.exists():
        path.rename(aside)
        return
    with aside.open("ab") as file:
        file.write(path.read_bytes())
    path.unlink()
