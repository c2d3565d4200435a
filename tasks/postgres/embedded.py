"""The embedded default: two clusters in the home, one operated, one for Prefect and our history."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from tasks.control.errors import Refused
from tasks.control.settings import Settings
from tasks.postgres import programs
from tasks.postgres.cluster import Cluster, socket_directory
from tasks.postgres.owner import Owner, service_owner
from tasks.postgres.server import Server


PLATFORM_DATABASE = "hl7"
PREFECT_DATABASE = "prefect"
HISTORY_DATABASE = "hl7ops"

SHARED = Path("/var/lib/hl7ops")
"""Where things go that a lent user must reach when root's checkout lies where it cannot."""

PRIMARY_SETTINGS = {
    "wal_level": "replica",
    "summarize_wal": "on",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "max_slot_wal_keep_size": "8GB",
    "shared_preload_libraries": "pg_stat_statements",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "log_line_prefix": "%m [%p] ",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""Terse and without statements, so that no value of a row reaches the server's log."""

CONTROL_SETTINGS = {
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "synchronous_commit": "off",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True)
class Home:
    """The directory of one installation, and who runs its servers."""

    path: Path
    programs: Path
    owner: Owner

    @property
    def primary(self) -> Cluster:
        """The embedded operated cluster."""
        return self._cluster("primary", 5432)

    @property
    def control(self) -> Cluster:
        """The embedded cluster of Prefect and of our own history."""
        return self._cluster("control", 5433)

    @property
    def scratch(self) -> Path:
        """Where copies are restored to be proven."""
        return self.path / "scratch"

    @property
    def keys(self) -> Path:
        """Where the key lies that signs seals and proofs."""
        return self.path / "keys"

    def _cluster(self, name: str, port: int) -> Cluster:
        return Cluster(self.path / name, socket_directory(self.path, port), port, self.programs)


def open_home(settings: Settings) -> Home:
    """Make the home where it is missing and return it.

    As root, the lent user must be able to enter it: below a closed directory such as root's own
    home, the programs are copied to a shared place, and a home that was not chosen goes there too.

    Raises:
        Refused: it cannot be made, or the chosen home cannot be entered by the user that must run
            the servers.

    """
    owner = service_owner()
    path = settings.hl7ops_home.absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            "the home cannot be made",
            seen=f"{path}: {error.strerror}",
            expected="a directory in which this user may write",
            do="correct HL7OPS_HOME",
        ) from None
    if not owner.can_reach(path):
        if "hl7ops_home" in settings.model_fields_set:
            raise Refused(
                "the user that runs PostgreSQL cannot enter the home",
                seen=path,
                expected=f"a directory that user {owner.uid} can enter",
                do=f"set HL7OPS_HOME, for example to {SHARED}/home",
            )
        path = SHARED / hashlib.sha256(str(path).encode()).hexdigest()[:12]
        path.mkdir(parents=True, exist_ok=True)
    return Home(path, settings.hl7ops_programs or _reachable(programs.embedded(), owner), owner)


def _reachable(found: Path, owner: Owner) -> Path:
    """Return the programs where the owner can run them, copied aside from behind a closed door."""
    if owner.can_reach(found / "postgres"):
        return found
    stat = (found / "postgres").stat()
    kept = SHARED / f"postgresql-{stat.st_size}-{int(stat.st_mtime)}"
    if not kept.exists():
        aside = kept.with_name(f"{kept.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(found.parents[1], aside, symlinks=True)
        aside.rename(kept)
    return kept / "pginstall" / "bin"


def start_primary(home: Home, stanza: str) -> Server:
    """Start the operated cluster, made on first use; return the platform's database."""
    return _started(home, home.primary, PRIMARY_SETTINGS, stanza, PLATFORM_DATABASE)


def start_control(home: Home) -> Server:
    """Start the control cluster, made on first use; return Prefect's database."""
    return _started(home, home.control, CONTROL_SETTINGS, "control", PREFECT_DATABASE)


def start_history(home: Home) -> Server:
    """Start the control cluster, made on first use; return the database of our own history."""
    return _started(home, home.control, CONTROL_SETTINGS, "control", HISTORY_DATABASE)


def _started(
    home: Home, cluster: Cluster, settings: dict[str, str], stanza: str, database: str
) -> Server:
    if not (cluster.data / "PG_VERSION").exists():
        cluster.create(home.owner, settings)
    cluster.start()
    with cluster.server(stanza).connect(statement_timeout_s=60) as connection:
        known = connection.execute(
            "select 1 from pg_database where datname = %s", [database]
        ).fetchone()
        if known is None:
            connection.execute(f"create database {database}")
    return cluster.server(stanza, database)


def operated(settings: Settings, home: Home) -> Server:
    """Return the operated server: the user's own, or the embedded one, started where it is down.

    Raises:
        Refused: the address is not one; it is not quoted, since it may hold a password.

    """
    if settings.database_url is None:
        return start_primary(home, settings.stanza)
    return located(settings, home)


def located(settings: Settings, home: Home) -> Server:
    """Return where the operated server is, whether it runs or not; raises as `operated`."""
    if settings.database_url is None:
        return home.primary.server(settings.stanza, PLATFORM_DATABASE)
    server = Server(settings.stanza, settings.database_url.get_secret_value())
    server.parameters("DATABASE_URL")
    return server
