"""The settings that `ALTER SYSTEM` made in a source: aside while its copy is started by us."""

import hashlib
import re
from pathlib import Path

from tasks.control.errors import OpsError
from tasks.postgres.server import Server


AUTO_CONF = "postgresql.auto.conf"

SOURCE_AUTO_CONF = "postgresql.auto.conf.source"
"""Where the source's settings of `ALTER SYSTEM` lie in a copy while it is started by us."""


_LINE = re.compile(r"\s*([A-Za-z_][\w.]*)\s*=?\s*(.*?)\s*$")


def digests(text: str) -> dict[str, str]:
    """Return a digest of each setting of such a file; of one that comes twice the last one holds.

    Values may be secrets, such as the address of an upstream server.
    """
    lines = (line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#")
    found = (match for line in lines if (match := _LINE.match(line)))
    return {match[1]: hashlib.sha256(match[2].encode()).hexdigest()[:32] for match in found}


def of_server(server: Server) -> dict[str, str] | None:
    """Return the digests of a server's own file; None: it cannot be read."""
    try:
        with server.connect(statement_timeout_s=10) as connection:
            row = connection.execute("select pg_read_file(%s)", [AUTO_CONF]).fetchone()
    except OpsError:
        return None
    return digests(row[0]) if row else None


def of_copy(data: Path) -> dict[str, str]:
    """Return the digests of what lies aside in a copy, and of what was set in it since."""
    found: dict[str, str] = {}
    for path in (data / SOURCE_AUTO_CONF, data / AUTO_CONF):
        found |= digests(path.read_text(errors="replace")) if path.exists() else {}
    return found


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
