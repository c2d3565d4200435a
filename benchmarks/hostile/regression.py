"""PostgreSQL's regression database: backed up, proven, restored, and read by the oracle.

`HL7OPS_REGRESSION` is a folder outside the checkout, into which Debian's source package is fetched
and the files of its tests are run once for each version of `HL7OPS_REGRESSION_MAJORS` (15,18); the
data directory that results stays there and is copied for each run. Parts that need `regress.so` are
left out where it cannot be built.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from benchmarks.hostile import run
from benchmarks.hostile.cluster import Place, place, remove
from benchmarks.hostile.drawing import Drawn
from benchmarks.hostile.features import Feature
from benchmarks.hostile.one import tried
from tasks.postgres.owner import service_owner


FOLDER = Path(os.environ.pop("HL7OPS_REGRESSION", ""))

MAJORS = os.environ.pop("HL7OPS_REGRESSION_MAJORS", "15,18")

PACKAGE = os.environ.pop("HL7OPS_REGRESSION_PACKAGE", "postgresql-15")

APT = Path("/etc/apt")

FILE_S = 300
"""So long one file of the tests may take."""

DATABASE = (
    "create database regression template template0 locale 'C'",
    "alter database regression set lc_messages to 'C'",
    "alter database regression set lc_monetary to 'C'",
    "alter database regression set lc_numeric to 'C'",
    "alter database regression set lc_time to 'C'",
    "alter database regression set bytea_output to 'hex'",
    "alter database regression set timezone_abbreviations to 'Default'",
)
"""What pg_regress makes (create_database of pg_regress.c)."""

SETTINGS = Feature("settings", "", needs={"setting": ["max_prepared_transactions = 2"]})

OPTIONS = ["-X", "-a", "-q", "-d", "regression", "-v", "HIDE_TABLEAM=on"]
OPTIONS += ["-v", "HIDE_TOAST_COMPRESSION=on"]

SOURCE = "src/test/regress/regress.c"

ENVIRONMENT = {"PGTZ": "America/Los_Angeles", "PGDATESTYLE": "Postgres, MDY", "LC_MESSAGES": "C"}


def fetched() -> Path:
    """Return the source tree, fetched where it is missing, without touching the system's lists."""
    found = sorted(FOLDER.glob("postgresql-*/src/test/regress"))
    if not found:
        for name in ("sources", "lists/partial", "cache/archives/partial"):
            (FOLDER / "apt" / name).mkdir(parents=True, exist_ok=True)
        _name_sources(FOLDER / "apt" / "sources")
        apt = ["apt-get", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", "APT::Sandbox::User=root"]
        apt += ["-o", f"Dir::Etc::sourceparts={FOLDER}/apt/sources"]
        apt += ["-o", f"Dir::State::lists={FOLDER}/apt/lists"]
        apt += ["-o", f"Dir::Cache={FOLDER}/apt/cache"]
        subprocess.run([*apt, "update"], check=True, cwd=FOLDER)
        source = [*apt, "source", "--download-only"]
        if subprocess.run([*source, PACKAGE], check=False, cwd=FOLDER).returncode:
            release = platform.freedesktop_os_release()["VERSION_CODENAME"]  # as it was published
            subprocess.run([*source, f"{PACKAGE}/{release}"], check=True, cwd=FOLDER)
        archive = next(FOLDER.glob("*.orig.tar.*"))
        subprocess.run(["/usr/bin/tar", "xf", archive], check=True, cwd=FOLDER)
        found = sorted(FOLDER.glob("postgresql-*/src/test/regress"))
    return found[0]


def _name_sources(folder: Path) -> None:
    """Write where this machine's packages come from, as places of their sources."""
    for path in [APT / "sources.list", *(APT / "sources.list.d").glob("*")]:
        if path.suffix in (".list", ".sources") and path.exists():
            text = re.sub(r"(?m)^(Types:.*|)\bdeb\b(?=\s)", r"\1deb-src", path.read_text())
            (folder / path.name).write_text(text)


def library(regress: Path, major: int) -> Path | None:
    """Return `regress.so`, built from the source where that can be; None: without it."""
    made = FOLDER / f"regress-{major}.so"
    top = regress.parents[2]
    if made.exists() or not top.name.startswith(f"postgresql-{major}"):
        return made if made.exists() else None
    steps = (
        ["./configure", "--without-readline", "--without-zlib"],
        ["make", "-C", "src/backend", "generated-headers"],
        ["gcc", "-shared", "-fPIC", "-O1", "-I", "src/include", "-o", str(made), SOURCE],
    )
    for step in steps:
        if subprocess.run(step, cwd=top, capture_output=True, check=False).returncode:
            return None
    return made


def schedule(regress: Path) -> list[str]:
    """Return the names of the tests in their order."""
    lines = (regress / "parallel_schedule").read_text().splitlines()
    groups = (line.removeprefix("test:").split() for line in lines if line.startswith("test:"))
    return [name for group in groups for name in group]


def fill(made: Place, regress: Path, major: int) -> None:
    """Run all files of the tests in a database of their own, one after the other."""
    work = made.folder / "regress"
    shutil.copytree(regress, work)
    (work / "results").mkdir(exist_ok=True)
    libraries = FOLDER / f"libraries-{major}"
    libraries.mkdir(exist_ok=True)
    if built := library(regress, major):
        shutil.copy(built, libraries / "regress.so")
    for name in ("refint.so", "autoinc.so"):
        for path in made.cluster.programs.parent.glob(f"lib/**/{name}"):
            shutil.copy(path, libraries)
    owner = service_owner()
    for path in (work, *work.rglob("*")):
        owner.take(path)
    with psycopg.connect(made.address("postgres"), autocommit=True) as connection:
        for statement in DATABASE:
            connection.execute(statement.encode())
    at = made.cluster.server("main", "regression").parameters()
    env = {"PATH": os.defpath, "PG_ABS_SRCDIR": str(work), "PG_ABS_BUILDDIR": str(work)}
    env |= {"PG_LIBDIR": str(libraries), "PG_DLSUFFIX": ".so", "PGHOST": at["host"]}
    env |= {"PGPORT": at["port"], "PGUSER": "postgres", "PGAPPNAME": "pg_regress"}
    for name in schedule(regress):
        with (work / "sql" / f"{name}.sql").open() as script, suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [str(made.cluster.programs / "psql"), *OPTIONS],
                stdin=script,
                capture_output=True,
                env=env | ENVIRONMENT,
                cwd=work,
                timeout=FILE_S,
                check=False,
            )


def prepared(major: int) -> Path:
    """Return a data directory with the regression database, made once."""
    path = FOLDER / f"prepared-{major}"
    if not path.exists():
        regress = fetched()
        folder = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
        folder.chmod(0o755)
        with place(Drawn("regression", major, (SETTINGS,)), folder) as made:
            fill(made, regress, major)
            made.cluster.stop("fast")
            shutil.copytree(made.cluster.data, path, symlinks=True)
        remove(folder)
    return path


def main() -> None:
    """Try a full backup and a snapshot on each version, and print what came out.

    Raises:
        SystemExit: something was not as wanted.

    """
    if not FOLDER.name:
        print("  HL7OPS_REGRESSION names no folder: left out")
        return
    wrong = 0
    for major in map(int, MAJORS.split(",")):
        begin = prepared(major)
        folder = Path(tempfile.mkdtemp(prefix="hl7ops-hostile-"))
        folder.chmod(0o755)
        with place(Drawn("regression", major, (SETTINGS,)), folder, begin) as made:
            for kind in ("full", "snapshot"):
                found = tried(made, kind)
                print(f"{major}, {kind}: {json.dumps(vars(found), indent=1)}", flush=True)
                outcome = {"features": ["work_tables"], "major": major, "unmade": []}
                told = list(run.judged(outcome | {"outcomes": [vars(found)]}))
                print(*(f"    {what}: {text[:300]}" for what, text in told), sep="\n")
                wrong += len(told)
        remove(folder)
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
