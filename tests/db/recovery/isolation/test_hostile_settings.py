"""A copy touches nothing outside of its directory, whatever the settings of its source are."""

import re
from contextlib import suppress

import pytest
from psycopg import errors

from tasks.backup import wal
from tasks.backup.take import take
from tasks.postgres.cluster import Cluster
from tasks.recovery.planning.target import parse
from tasks.recovery.proving.verify import verify
from tasks.recovery.restoring import restored
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore


LEADING = re.compile(
    "file|command|director|librar|path|conninfo|host|address|pid|socket|provider|cert|slot_name"
)
"""What a setting is called that leads somewhere; a new version's are found by it as well."""

INNOCENT = {"hl7ops", "in_hot_standby"}

OTHERS = {
    "huge_pages": "on",
    "shared_buffers": "6TB",
    "max_connections": "101",
    "listen_addresses": "*",
    "archive_mode": "always",
    "logging_collector": "on",
    "log_statement": "all",
    "ssl": "on",
    "hot_standby": "off",
    "quote_all_identifiers": "on",
    "default_transaction_read_only": "on",
    "statement_timeout": "1ms",
    "lc_messages": "de_DE.UTF-8",
    "zero_damaged_pages": "on",
    "recovery_target_time": "2001-01-01 00:00:00+00",
    "max_worker_processes": "64",
    "include": "/nowhere/else.conf",
    "include_dir": "/nowhere/conf.d",
}

ROLE = {
    "role": "nobody_much",
    "session_preload_libraries": "'nowhere'",
    "local_preload_libraries": "'nowhere'",
    "statement_timeout": "'1ms'",
    "search_path": "nowhere",
    "default_transaction_read_only": "on",
    "quote_all_identifiers": "on",
    "session_replication_role": "origin",
    "lc_messages": "'C'",
    "log_statement": "'all'",
}

DATABASE = {
    "search_path": "nowhere",
    "default_transaction_read_only": "on",
    "quote_all_identifiers": "on",
    "lock_timeout": "'1ms'",
}


def leading(source):
    """Return the settings of a server that lead out of it: name, and whether it is a command."""
    with source.server.connect() as connection:
        rows = connection.execute(
            "select name from pg_settings where vartype = 'string' and context <> 'internal'"
        ).fetchall()
    names = [name for (name,) in rows if LEADING.search(name) and name not in INNOCENT]
    return {name: "command" in name for name in names}


def harmful(source):
    """Return for each of them a value that does harm where it is used."""
    found = {}
    for name, is_command in leading(source).items():
        target = source.outside.file(name)
        found[name] = f"touch {target}-ran; echo gone > {target}" if is_command else str(target)
    found["primary_conninfo"] = f"host={source.outside.path} port=5432 user=postgres"
    found["restore_command"] = f"touch {source.outside.path}/restored; false"
    return found


def set_in_files(source, settings):
    """Write settings into both files of a server that runs, which it does not read again."""
    lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
    for name in ("postgresql.conf", "postgresql.auto.conf"):
        with (source.cluster.data / name).open("a") as file:
            file.writelines(lines if "auto" not in name else [x for x in lines if "incl" not in x])


def spoil(source):
    """Set everything that does harm, wherever it can be set."""
    settings = harmful(source)
    with source.cluster.server("main", superuser="keeper").connect() as connection:
        for name, value in settings.items():
            with suppress(errors.Error):  # most cannot be set for a role
                connection.execute(f"alter role postgres set {name} = '{value}'")
            with suppress(errors.Error):
                connection.execute(f"alter system set {name} = '{value}'")
        for name, value in DATABASE.items():
            connection.execute(f"alter database app set {name} = {value}")
        for name, value in ROLE.items():
            connection.execute(f"alter role postgres set {name} = {value}")
    set_in_files(source, settings | OTHERS)


@pytest.mark.parametrize("version", ["15", "18"])
def test_every_setting_that_leads_somewhere_is_found(make_source, version):
    """Those that were seen to do harm are among them."""
    known = {
        "external_pid_file",
        "archive_command",
        "archive_library",
        "archive_cleanup_command",
        "recovery_end_command",
        "restore_command",
        "primary_conninfo",
        "log_directory",
        "log_filename",
        "ssl_cert_file",
        "ssl_key_file",
        "krb_server_keyfile",
        "dynamic_library_path",
        "shared_preload_libraries",
        "unix_socket_directories",
        "listen_addresses",
        "data_directory",
        "hba_file",
        "ident_file",
        "config_file",
        "jit_provider",
        "ssl_passphrase_command",
    }
    assert known <= leading(make_source(version)).keys()


@pytest.mark.parametrize("version", ["15", "18"])
def test_nothing_outside_is_touched_by_a_proof_or_a_restore(make_source, version):
    """Whatever is set in files, by ALTER SYSTEM, for roles and for databases."""
    source = make_source(version)
    spoil(source)
    before = source.outside.state
    made = take(source.stanza)
    proof = verify(source.stanza, made.id)
    assert [check for check in proof.checks if check.outcome != "pass"] == []
    wal.pull(source.stanza, source.stanza.server())
    done = restore(source.stanza, parse("latest"), Destination(source.path / "copy"))
    source.copies.append(done.cluster)
    copy = done.server.database("app")
    with copy.connect() as connection:
        assert connection.execute("select count(*) from counted").fetchone() == (500,)
        assert connection.execute("show archive_mode").fetchone() == ("off",)
        assert connection.execute("select current_user").fetchone() == ("postgres",)
    restored.promote(restored.find(source.path / "copy"))
    with copy.connect() as connection:
        connection.execute("insert into counted values (501, 'written')")
    restored.stop(done)
    assert source.outside.state == before
    assert not source.outside.was_called


@pytest.mark.parametrize("version", ["15", "18"])
def test_whoever_starts_a_restored_copy_has_the_settings_of_its_source(make_source, version):
    """Both files are what they were; then what is outside is touched, as the source would."""
    source = make_source(version)
    victim = source.outside.file("server.pid")
    set_in_files(source, {"external_pid_file": victim, "work_mem": "7MB"})
    before = {
        name: (source.cluster.data / name).read_bytes()
        for name in ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf")
    }
    take(source.stanza)
    done = restore(source.stanza, parse("immediate"), Destination(source.path / "copy"))
    source.copies.append(done.cluster)
    restored.promote(done)
    assert victim.read_text() == "keep me"
    restored.stop(done)
    assert {name: (source.path / "copy" / name).read_bytes() for name in before} == before
    own = Cluster(source.path / "copy", source.path / "run", 5442, source.cluster.programs)
    source.copies.append(own)
    own.start()
    with own.server("main", "app").connect() as connection:
        assert connection.execute("show work_mem").fetchone() == ("7MB",)
    assert victim.read_text() != "keep me"
