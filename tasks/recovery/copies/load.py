"""Load the dumps of a snapshot into a new cluster; whatever does not go in is named."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.control.phases import Progress
from tasks.postgres import programs
from tasks.postgres.cluster import SHORTAGES
from tasks.postgres.server import Server
from tasks.recovery.copies.scratch import Scratch
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

_LOCATION = re.compile(r"LOCATION '((?:[^']|'')*)'")


@dataclass(frozen=True)
class Portion:
    """What is loaded of one database: its dump, and a list of its entries; None: all of them."""

    database: str
    dump: Path
    entries: Path | None = None


def locations(script: str) -> list[str]:
    """Return where the source has its tablespaces, as the script says that makes them."""
    return [_unquoted(match) for match in _LOCATION.finditer(script)]


def _unquoted(match: re.Match[str]) -> str:
    return match[1].replace("''", "'")


def in_place(_: str) -> str:
    """Let a tablespace lie in the data directory, as PostgreSQL's own tests do."""
    return ""


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
    copy.cluster.create(copy.owner, {}, backup.maker)
    copy.cluster.start(copy.configuration().scratch())
    try:
        portions = [Portion(dump.database, files / dump.object) for dump in backup.dumps]
        load(backup, copy, files, portions)
        server = copy.cluster.server(backup.stanza, "template1", backup.maker)
        yield server.database(backup.dumps[0].database)
    finally:
        copy.cluster.stop("immediate")


def load(
    backup: Backup,
    copy: Scratch,
    files: Path,
    portions: Sequence[Portion],
    *,
    place_of: Callable[[str], str] = in_place,
    tell: Progress = lambda _phase, _done, _all: None,
) -> None:
    """Load what all databases share into a cluster that runs, and then what is wanted of each.

    Args:
        backup: the snapshot.
        copy: the cluster, as it was created.
        files: where the dumps lie.
        portions: what is wanted.
        place_of: where a tablespace goes, by where the source has it.
        tell: told how many of them are done.

    Raises:
        Corrupt: something could not be loaded; names it.

    """
    server = copy.cluster.server(backup.stanza, "template1", backup.maker)
    _run_script(copy, server, _roles(files / "roles.sql", backup.maker))
    _run_script(copy, server, _tablespaces(files / "tablespaces.sql", place_of))
    if all(dump.database != "postgres" for dump in backup.dumps):
        with server.connect() as connection:
            connection.execute("drop database postgres")
    for number, portion in enumerate(portions):
        tell("load", number, len(portions))
        _restore(copy, server, portion)


def _roles(path: Path, superuser: str) -> Path:
    """Leave out the role that the new cluster has already."""
    quoted = '"' + superuser.replace('"', '""') + '"'
    known = {f"CREATE ROLE {superuser};", f"CREATE ROLE {quoted};"}
    lines = [line for line in path.read_text().splitlines() if line not in known]
    return _beside(path, "\n".join(lines) + "\n")


def _tablespaces(path: Path, place_of: Callable[[str], str]) -> Path:
    """Let tablespaces lie where a copy has them, never where the source has."""

    def placed(match: re.Match[str]) -> str:
        place = place_of(_unquoted(match)).replace("'", "''")
        return f"LOCATION '{place}'"

    text = _LOCATION.sub(placed, path.read_text())
    return _beside(path, f"set allow_in_place_tablespaces = on;\n{text}")


def _beside(path: Path, text: str) -> Path:
    """Write what a script becomes here; after a kill it is made again from what it was."""
    made = path.with_name(f"here-{path.name}")
    made.touch(mode=0o600)
    made.write_text(text)
    return made


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
        raise not_loaded(server.stanza, script.name.removeprefix("here-"), done.stderr.splitlines())


def _restore(copy: Scratch, server: Server, portion: Portion) -> None:
    replaced = ["--clean", "--if-exists"] if portion.database == "postgres" else []
    chosen = ["--use-list", portion.entries] if portion.entries else []
    into = f"--dbname=dbname={server.parameters()['dbname']}"
    how = ["--create", *replaced, *chosen, "--verbose", "--no-password", into, portion.dump]
    with programs.service_file(server) as env:
        done = programs.run(
            copy.programs, "pg_restore", how, timeout_s=TIMEOUT_S, env=env, accept=(0, 1)
        )
    if done.returncode != 0:
        raise not_loaded(server.stanza, f"database {portion.database}", done.stderr.splitlines())


def not_loaded(stanza: str, what: str, lines: Sequence[str]) -> OpsError:
    """Return what is raised where a program failed to load something: the objects that it names.

    What this machine lacks is told as that, and says nothing of what is kept.
    """
    lacking = {each for each in SHORTAGES if any(each in line for line in lines)}
    if lacking:
        return Refused(
            f"this machine cannot load {what}",
            stanza=stanza,
            seen=", ".join(sorted(lacking)),
            do="make room; the same call then goes on",
        )
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
