"""What a copy is started with: a configuration of ours, and an allow-list of its source's.

The source's `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf` are never read: ours are named in
their place. Its `postgresql.auto.conf` is moved aside while a copy starts. All settings are given
on the command line, so that reading files again changes none of them.

Not taken, with the reason: commands, hosts, directories and files (they lead out of the copy);
`session_preload_libraries`, `local_preload_libraries`, `dynamic_library_path` (code of the machine
of the source); `zero_damaged_pages`, `ignore_checksum_failure` (they hide damage);
`default_toast_compression`, `default_table_access_method` and cost settings (what is stored does
not depend on them); settings with a dot in their name (an extension may run code from one);
`search_path` and deadlines (they are a session's). Whoever starts a restored copy their own way
has all of them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tasks.postgres import programs
from tasks.postgres.auto_conf import lay_aside
from tasks.postgres.copy_libraries import Libraries, named
from tasks.postgres.copy_session import EVENT_TRIGGERS_SINCE, ORIGINS_SINCE, major
from tasks.postgres.owner import Owner


ESSENTIAL = {
    "max_connections": "max_connections",
    "max_worker_processes": "max_worker_processes",
    "max_wal_senders": "max_wal_senders",
    "max_prepared_transactions": "max_prepared_xacts",
    "max_locks_per_transaction": "max_locks_per_xact",
}
"""What hot standby must have as much of as its source, and how `pg_controldata` calls it."""

ROOM = {
    "max_connections": 100,
    "max_worker_processes": 8,
    "max_wal_senders": 0,
    "max_prepared_transactions": 0,
    "max_locks_per_transaction": 256,
}
"""At least so much of these: one connection a database, and a dump locks every table at once."""

LIBRARIES = "shared_preload_libraries"

TAKEN = (
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "default_text_search_config",
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "bytea_output",
    "extra_float_digits",
    "xmlbinary",
    "xmloption",
    "array_nulls",
    "transform_null_equals",
)
"""What is taken from the source besides its libraries: how values are read and printed.

Stored expressions, views and functions may depend on each. Libraries are, since WAL may be of a
resource manager of one, and tables of an access method.
"""

ASKED = (LIBRARIES, *TAKEN)
"""What a backup notes of its source."""

APART = {
    "archive_mode": "off",
    "archive_command": "",
    "archive_library": "",
    "archive_cleanup_command": "",
    "recovery_end_command": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "synchronous_standby_names": "",
    "max_logical_replication_workers": "0",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "dynamic_library_path": "$libdir",
    "external_pid_file": "",
    "ssl": "off",
    "huge_pages": "off",
    "recovery_init_sync_method": "syncfs",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "lc_messages": "C",
}
"""What every copy runs with: it reaches nobody, nobody reaches it, and no row reaches its log.

Where recovery stopped is read from its log, which is in English whatever the source's language.
"""

SCRATCH = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_prepared_transactions": "1000",
}
"""A copy besides that is only looked at: it need not outlive this machine, nor change by itself."""

SHARE = 8
"""A restored copy's buffers take at most this part of the free memory."""

MIB = 1 << 20


MARKER = "hl7ops.home"
"""A setting of ours on a copy's command line: of which home it is, for who looks for it later."""

SLOTS = "1000"
"""More than a cluster has subscriptions: the state of each comes with it, and wants its place."""


@dataclass(frozen=True)
class Configuration:
    """The settings of one copy.

    Args:
        data: the data directory of the copy.
        tools: the directory of the programs that serve it.
        owner: who runs its server.
        folder: where our own configuration files go.
        source: settings of the source, as its backup tells; only those of the list are used.
        home: of which home it is; None: it lies in it.

    """

    data: Path
    tools: Path
    owner: Owner
    folder: Path
    source: Mapping[str, str] = field(default_factory=dict)
    home: Path | None = None

    def scratch(self, *, hot_standby: bool = False) -> dict[str, str]:
        """Return the settings of a copy that is only looked at.

        Args:
            hot_standby: whether it can be read before its recovery has ended.

        """
        found = self._common(hot_standby=hot_standby) | SCRATCH
        prepared = max(int(found["max_prepared_transactions"]), self._least("max_prepared_xacts"))
        senders = self._least("max_wal_senders") if hot_standby else 0
        return found | {
            "max_prepared_transactions": str(prepared),
            "max_wal_senders": str(senders),
        }

    def restored(self) -> dict[str, str]:
        """Return the settings of a copy that is handed to a person, who can read it at once."""
        free = psutil.virtual_memory().available // SHARE // MIB
        return self._common(hot_standby=True) | {"shared_buffers": f"{min(max(free, 16), 1024)}MB"}

    @property
    def libraries(self) -> Libraries:
        """The libraries that the source preloads."""
        return Libraries(named(self.source.get(LIBRARIES, "")), self.tools)

    def _common(self, *, hot_standby: bool) -> dict[str, str]:
        lay_aside(self.data)
        libraries = self.libraries.loaded(hot_standby=hot_standby)
        found = self._files() | APART | self._kept()
        found |= {"hot_standby": "on" if hot_standby else "off"}
        if major(self.data) >= EVENT_TRIGGERS_SINCE:
            found["event_triggers"] = "off"
        if major(self.data) >= ORIGINS_SINCE:
            found["max_active_replication_origins"] = SLOTS
        if not hot_standby and self.libraries.have_workers(hot_standby=False):
            found["max_worker_processes"] = "0"  # which hot standby does not allow
        if self.home:
            found[MARKER] = str(self.home)
        return found | self._taken() | {"shared_preload_libraries": ",".join(libraries)}

    def _files(self) -> dict[str, str]:
        """Write our own configuration files; they let in whoever can enter the socket's folder."""
        texts = {
            "config_file": ("settings.conf", "# Everything is set where this server is started.\n"),
            "hba_file": ("access.conf", "local all all trust\n"),
            "ident_file": ("ident.conf", ""),
        }
        for name, text in texts.values():
            path = self.folder / name
            path.write_text(text)
            self.owner.take(path)
        places = {setting: str(self.folder / name) for setting, (name, _) in texts.items()}
        return {"data_directory": str(self.data)} | places

    def _control(self) -> dict[str, str]:
        """Return what `pg_controldata` says."""
        said = programs.run(self.tools, "pg_controldata", [self.data], timeout_s=60).stdout
        lines = (line.partition(":") for line in said.splitlines())
        return {name: value.strip() for name, _, value in lines}

    def _least(self, called: str) -> int:
        return int(self._control()[f"{called} setting"])

    def essential(self) -> dict[str, int]:
        """Return what hot standby demands, as the cluster's control file has it."""
        return {name: self._least(called) for name, called in ESSENTIAL.items()}

    def _kept(self) -> dict[str, str]:
        """Return what the cluster's control file tells of its source's settings.

        WAL is kept in whole segments, of which two are the least.
        """
        control = self._control()
        segment = int(control["Bytes per WAL segment"]) // MIB
        is_logical = control["wal_level setting"] == "logical"
        needed = {name: max(value, ROOM[name]) for name, value in self.essential().items()}
        return {
            **{name: str(value) for name, value in needed.items()},
            "max_replication_slots": SLOTS,
            "wal_level": "logical" if is_logical else "replica",
            "track_commit_timestamp": control["track_commit_timestamp setting"],
            "min_wal_size": f"{max(80, 2 * segment)}MB",
            "max_wal_size": f"{max(2048, 4 * segment)}MB",
        }

    def _taken(self) -> dict[str, str]:
        """Return what of the source is taken and can be had on this machine, such as a locale."""
        wanted = {name: self.source[name] for name in TAKEN if name in self.source}
        if self._accepts(wanted):
            return wanted
        return {name: value for name, value in wanted.items() if self._accepts({name: value})}

    def _accepts(self, settings: Mapping[str, str]) -> bool:
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        files = ["-D", self.data, "-c", f"config_file={self.folder / 'settings.conf'}"]
        arguments = [*files, *given, "-C", "config_file"]
        done = programs.run(
            self.tools, "postgres", arguments, timeout_s=60, owner=self.owner, accept=(0, 1)
        )
        return done.returncode == 0
