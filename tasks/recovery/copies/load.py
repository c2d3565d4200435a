"""Load the dumps of a snapshot into a new cluster; whatever does not go in is named."""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Corrupt, OpsError, Refused
from tasks.control.phases import Progress
from tasks.postgres import programs
from tasks.postgres.cluster import SHORTAGES
from tasks.postgres.names import quoted
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

_MISSING = re.compile(
    r'extension "[^"]+" is not available|could not access file "[^"]+"|could not load library'
    r"|invalid (?:LC_\w+ )?locale name|could not create locale"
)
"""What a server says that lacks an extension, a library or a locale."""

WENT_ON = "errors ignored on restore"
"""What `pg_restore` says that went through the whole dump."""

TEMPLATE, MAINTENANCE = "template1", "postgres"

OWN = (TEMPLATE, MAINTENANCE)
"""The databases that every new cluster has."""

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
def loaded(backup: Backup, copy: Scratch, files: Path) -> Iterator[tuple[Server, list[str]]]:
    """Yield a server of a new cluster that holds the dumps, and what did not go in.

    Its tablespaces lie in its own directory, and it can reach nobody, as any copy.

    Args:
        backup: the snapshot.
        copy: where the cluster is made.
        files: where the dumps lie.

    Raises:
        Refused: the programs are of an older version than the server was, or this machine lacks
            what is needed.
        Corrupt: a dump or a script is not whole.

    """
    copy.cluster.create(copy.owner, {}, backup.maker)
    copy.cluster.start(copy.configuration().scratch())
    try:
        portions = [Portion(dump.database, files / dump.object) for dump in backup.dumps]
        problems = load(backup, copy, files, portions)
        server = copy.cluster.server(backup.stanza, "template1", backup.maker)
        yield server.database(backup.dumps[0].database), problems
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
) -> list[str]:
    """Load what all databases share into a cluster that runs, and then what is wanted of each.

    PostgreSQL's own databases are made anew, each while the other one is there to connect to.

    Args:
        backup: the snapshot.
        copy: the cluster, as it was created.
        files: where the dumps lie.
        portions: what is wanted.
        place_of: where a tablespace goes, by where the source has it.
        tell: told how many of them are done.

    Returns:
        What did not go in, by object.

    Raises:
        Refused: this machine lacks what is needed, such as an extension.
        Corrupt: a dump or a script is not whole.

    """
    server = copy.cluster.server(backup.stanza, TEMPLATE, backup.maker)
    _run_script(copy, server, _roles(files / "roles.sql", backup.maker))
    _run_script(copy, server, _tablespaces(files / "tablespaces.sql", place_of))
    problems: list[str] = []
    for number, portion in enumerate(sorted(portions, key=lambda each: each.database == TEMPLATE)):
        tell("load", number, len(portions))
        through = MAINTENANCE if portion.database == TEMPLATE else TEMPLATE
        problems += _restore(copy, server.database(through), portion)
    if all(dump.database != MAINTENANCE for dump in backup.dumps):
        with server.connect() as connection:
            connection.execute(f"drop database {MAINTENANCE}")
    return problems


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


def _restore(copy: Scratch, server: Server, portion: Portion) -> list[str]:
    """Load a database, and return what did not go in.

    Raises:
        Refused: this machine lacks what is needed.
        Corrupt: the dump is not whole.

    """
    replaced = ["--clean", "--if-exists"] if portion.database in OWN else []
    chosen = ["--use-list", portion.entries] if portion.entries else []
    how = ["--create", *replaced, *chosen, "--verbose", "--no-password"]
    with programs.addressed(server) as (address, env):
        done = programs.run(
            copy.programs,
            "pg_restore",
            [*how, *address, portion.dump],
            timeout_s=TIMEOUT_S,
            env=env,
            accept=(0, 1),
        )
    return problems_of(server.stanza, portion.database, done)


def problems_of(stanza: str, database: str, done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what `pg_restore` could not load; each object with what the server said of it.

    Raises:
        Refused: this machine lacks what is needed.
        Corrupt: the dump is not whole.

    """
    if done.returncode == 0:
        return []
    lines = done.stderr.splitlines()
    if not any(WENT_ON in line for line in lines) or lacking(lines):
        raise not_loaded(stanza, f"database {database}", lines)
    return [f"{quoted(database)}: {each}" for each in dict.fromkeys(_told(lines))]


def not_loaded(stanza: str, what: str, lines: Sequence[str]) -> OpsError:
    """Return what is raised where a program failed to load something: the objects that it names.

    What this machine lacks is told as that, and says nothing of what is kept.
    """
    if missing := lacking(lines):
        return Refused(
            f"this machine cannot load {what}",
            stanza=stanza,
            seen=", ".join(missing),
            do="make room, or install what is missing; the same call then goes on",
        )
    return Corrupt(
        f"{what} could not be loaded whole",
        stanza=stanza,
        seen=", ".join(list(dict.fromkeys(_told(lines)))[:NAMED]) or "the program failed",
        expected="every object of the dump",
        do="see that this machine has the source's extensions and locales",
    )


def lacking(lines: Sequence[str]) -> list[str]:
    """Return what this machine lacks, as a program or a server says it."""
    found = {each for each in SHORTAGES if any(each in line for line in lines)}
    found |= {match[0] for line in lines if (match := _MISSING.search(line))}
    return sorted(found)


def _told(lines: Iterable[str]) -> Iterator[str]:
    """Yield what was being loaded at each error, and of the error itself what names objects."""
    at = ""
    for line in lines:
        begun, said = _AT.search(line), _SAFE.search(line)
        at = begun[1] if begun else at
        if ": error: " in line or said:
            yield ": ".join(part for part in (at, said[0] if said else "") if part)
