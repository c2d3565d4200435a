"""What our connections to a copy pin, above whatever its source set for roles and databases."""

from pathlib import Path


EVENT_TRIGGERS_SINCE = 17

ORIGINS_SINCE = 18
"""From this version on origins of replication have a limit of their own."""

SESSION = {
    "role": "none",
    "session_replication_role": "replica",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "dynamic_library_path": "$libdir",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "search_path": "public",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "zero_damaged_pages": "off",
    "ignore_checksum_failure": "off",
    "lc_messages": "C",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""What a connection of ours to a copy pins: its start wins over ALTER ROLE and ALTER DATABASE.

As a replica no trigger and no event trigger fires but those that are enabled ALWAYS or REPLICA.
"""


def major(data: Path) -> int:
    """Return the major version of a data directory; 0 where it is none yet."""
    path = data / "PG_VERSION"
    return int(path.read_text()) if path.exists() else 0


def session(data: Path) -> str:
    """Return the options of a connection of ours to a copy, for an address."""
    found = dict(SESSION)
    if major(data) >= EVENT_TRIGGERS_SINCE:
        found |= {"event_triggers": "off", "transaction_timeout": "0"}
    if major(data) >= ORIGINS_SINCE:
        found |= {"extension_control_path": "$system"}
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in found.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
