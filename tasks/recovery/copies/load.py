"""Load the dumps of a snapshot into a new cluster; whatever does not go in is named."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasks.control.errors import Corrupt
from tasks.postgres import programs
from tasks.postgres.server import Server
from tasks.recovery.copies.scratch import SEALED_OFF, Scratch
from tasks.repository.model import Backup


TIMEOUT_S = 12 * 3600

SETTINGS = ("-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse")
"""A script ends at its first error, of which no line of the script is quoted."""

NAMED = 5
"""How many objects that did not go in are named."""

_AT = re.compile(r"^pg_restore: (?:creating|processing data for|executing) (.+)$")
"""What is being loaded, as `--verbose` tells."""

_SAFE = re.compile(
    r"(?:role|extension|relation|schema|type|function|tablespace|language|collation|database|index)"
    r' "[^"]+" (?:does not exist|already exists|is not available)|permission denied for \w+ \w+'
)
"""What an error may say that names objects only; any other may quote a row."""

_LOCATION = re.compile(r"LOCATION '(?:[^']|'')*'")


@contextmanager
def loaded(backup: Backup, copy: Scratch, files: Path) -> Iterator[Server]:
    """Yield a server of a new cluster that holds the dumps, and nothing else.

    Its tablespaces lie in its own directory, and it can reach nobody, as any copy.

    Args:
        backup: the snapshot.
        copy: where the cluster is made.
        files: where the dumps lie.

    Raises:
        Refused: the programs are of an older version than the server was.
        Corrupt: something could not be loaded; names it.

    """
    superuser = backup.maker
    cluster = copy.cluster
    cluster.create(copy.owner, {}, superuser)
    cluster.start(SEALED_OFF)
    try:
        server = cluster.server(backup.stanza, "template1", superuser)
        _run_script(copy, server, _roles(files / "roles.sql", superuser))
        _run_script(copy, server, _tablespaces(files / "tablespaces.sql"))
        if all(dump.database != "postgres" for dump in backup.dumps):
            with server.connect() as connection:
                connection.execute("drop database postgres")
        for dump in backup.dumps:
            _restore(copy, server, dump.database, files / dump.object)
        yield server.database(backup.dumps[0].database)
    finally:
        cluster.stop("immediate")


def _roles(path: Path, superuser: str) -> Path:
    """Leave out the role that the new cluster has already."""
    quoted = '"' + superuser.replace('"', '""') + '"'
    known = {f"CREATE ROLE {superuser};", f"CREATE ROLE {quoted};"}
    lines = [line for line in path.read_text().splitlines() if line not in known]
    path.write_text("\n".join(lines) + "\n")
    return path


def _tablespaces(path: Path) -> Path:
    """Let tablespaces lie in the copy itself, never where the source has them."""
    text = _LOCATION.sub("LOCATION ''", path.read_text())
    path.write_text(f"set allow_in_place_tablespaces = on;\n{text}")
    return path


def _run_script(copy: Scratch, server: Server, script: Path) -> None:
    with programs.service_file(server) as env:
        done = programs.run(
            copy.programs,
            "psql",
            ["-X", "-q", "--no-password", *SETTINGS, "-f", script],
            timeout_s=TIMEOUT_S,
            env=env,
            accept=(0, 1, 2, 3),
        )
    if done.returncode != 0:
        raise not_loaded(server.stanza, script.name, done.stderr.splitlines())


def _restore(copy: Scratch, server: Server, database: str, dump: Path) -> None:
    replaced = ["--clean", "--if-exists"] if database == "postgres" else []
    name = server.parameters()["dbname"]
    with programs.service_file(server) as env:
        done = programs.run(
            copy.programs,
            "pg_restore",
            ["--create", *replaced, "--verbose", "--no-password", f"--dbname=dbname={name}", dump],
            timeout_s=TIMEOUT_S,
            env=env,
            accept=(0, 1),
        )
    if done.returncode != 0:
        raise not_loaded(server.stanza, f"database {database}", done.stderr.splitlines())


def not_loaded(stanza: str, what: str, lines: Sequence[str]) -> Corrupt:
    """Return what is raised where a program failed to load something: the objects that it names."""
    return Corrupt(
        f"{what} could not be loaded whole",
        stanza=stanza,
        seen=", ".join(list(dict.fromkeys(_told(lines)))[:NAMED]) or "the program failed",
        expected="every object of the dump",
        do="see that this machine has the source's extensions and locales",
    )


def _told(lines: Iterable[str]) -> Iterator[str]:
    """Yield what was being loaded at each error, and of the error itself what names objects."""
    at = ""
    for line in lines:
        begun, said = _AT.search(line), _SAFE.search(line)
        at = begun[1] if begun else at
        if ": error: " in line or said:
            yield ": ".join(part for part in (at, said[0] if said else "") if part)
