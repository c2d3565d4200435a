"""Each tier of a verification, in a case in which it must fail or cannot be made."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tasks.control.errors import Corrupt, Refused
from tasks.postgres import copy_configuration
from tasks.recovery.copies.combine import links_of
from tasks.recovery.copies.scratch import scratch
from tasks.recovery.proving import boot, verify
from tasks.recovery.proving.record import Record, Stopped
from tasks.repository.stanza import open_stanza


@pytest.fixture
def unpacked(stanza, backup):
    """Unpack the backup into a scratch directory, ready for the tiers after the first."""
    with scratch(stanza.home, "tiers", backup.bytes_source) as copy:
        links = links_of([backup], copy)
        made = verify.Verification(
            stanza.catalogue, links, copy, Record(), lambda _tier, _done, _all: None
        )
        made.objects()
        yield made


def test_a_file_that_differs_from_the_manifest_is_named(unpacked):
    """Though every object was the one that was kept."""
    path = unpacked.copy.data / "global" / "pg_filenode.map"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(Corrupt, match=r"pg_verifybackup found errors; .*global/pg_filenode\.map"):
        unpacked.manifest()


def test_a_file_that_is_missing_or_too_many_is_named(unpacked):
    """Both ways."""
    (unpacked.copy.data / "PG_VERSION").unlink()
    (unpacked.copy.data / "base" / "stranger").write_bytes(b"x")
    with pytest.raises(Corrupt, match=r"stranger.*PG_VERSION|PG_VERSION.*stranger"):
        unpacked.manifest()


def test_wal_that_cannot_be_parsed_is_found(unpacked):
    """Records of the segments are read, not only their hashes."""
    first = min(unpacked.copy.wal.iterdir())
    first.write_bytes(b"\0" * first.stat().st_size)
    with pytest.raises(Corrupt, match=r"pg_verifybackup found errors; .*WAL"):
        unpacked.manifest()


def test_a_copy_that_does_not_reach_its_seal_is_corrupt(unpacked):
    """A restore point that is not in the WAL is not passed over."""
    unpacked.manifest()
    seal = replace(unpacked.backup.seal, restore_point="nowhere")
    with (
        pytest.raises(Corrupt, match=r"does not recover to its seal; .*restore point nowhere"),
        boot.booted(replace(unpacked.backup, seal=seal), unpacked.copy, seal.points[-1]),
    ):
        pass
    assert unpacked.copy.cluster.pid() is None


def test_a_machine_that_cannot_run_the_copy_says_nothing_of_the_backup(unpacked, monkeypatch):
    """Want of memory is an error, which is neither a pass nor a failed backup."""
    unpacked.manifest()
    monkeypatch.setitem(copy_configuration.SCRATCH, "shared_buffers", "6TB")
    with (
        pytest.raises(Stopped),
        unpacked.record.tier("boot"),
        boot.booted(unpacked.backup, unpacked.copy, unpacked.backup.seal.points[-1]),
    ):
        pass
    check = unpacked.record.checks[-1]
    assert (check.tier, check.outcome) == ("boot", "error")
    assert "memory" in check.seen


def test_programs_of_another_major_version_are_refused(unpacked):
    """Nothing is said of the backup then."""
    other = replace(unpacked.backup, server_version=170002)
    with (
        pytest.raises(
            Refused, match=r"own major version; .*PostgreSQL.* 18.*expected: PostgreSQL 17"
        ),
        boot.booted(other, unpacked.copy, other.seal.points[-1]),
    ):
        pass


FORBIDDEN = {
    "listen_addresses": "",
    "archive_mode": "off",
    "archive_command": "(disabled)",
    "archive_library": "",
    "primary_conninfo": "",
    "primary_slot_name": "",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "shared_preload_libraries": "pg_stat_statements",
    "session_preload_libraries": "",
    "ssl": "off",
    "autovacuum": "off",
}


def test_a_copy_reaches_nobody_whatever_the_source_was_set_to(stanza, unpacked):
    """The source's files are not read; its libraries are those that its backup noted."""
    automatic = unpacked.copy.data / "postgresql.auto.conf"
    unpacked.manifest()
    automatic.write_text(
        automatic.read_text()
        + "archive_mode = on\narchive_command = 'touch /tmp/hl7ops-archived'\n"
        + "primary_conninfo = 'host=somewhere'\nlisten_addresses = '*'\n"
        + "shared_preload_libraries = 'auto_explain'\n"
        + "max_logical_replication_workers = 4\n"
    )
    point = unpacked.backup.seal.points[-1]
    with (
        boot.booted(unpacked.backup, unpacked.copy, point) as server,
        server.connect() as connection,
    ):
        found = dict(
            connection.execute(
                "select name, setting from pg_settings where name = any(%s)", [list(FORBIDDEN)]
            ).fetchall()
        )
        assert found == FORBIDDEN
        assert connection.execute("select pg_is_in_recovery()").fetchone() == (False,)
        (sockets,) = connection.execute("show unix_socket_directories").fetchone()
    assert sockets != str(stanza.home.primary.sockets)


@pytest.fixture
def broken_programs(stanza, tmp_path):
    """Return what makes a stanza whose program of a name ends with 1."""

    def make(name):
        for each in (tmp_path, *tmp_path.parents[:3]):
            each.chmod(each.stat().st_mode | 0o055)
        for program in stanza.programs.iterdir():
            (tmp_path / program.name).symlink_to(program)
        (tmp_path / name).unlink()
        (tmp_path / name).write_text("#!/bin/sh\necho cannot >&2\nexit 3\n")
        (tmp_path / name).chmod(0o755)
        return open_stanza(stanza.settings.model_copy(update={"hl7ops_programs": tmp_path}))

    return make


def test_a_check_that_cannot_run_is_an_error_and_never_a_pass(broken_programs, backup):
    """The verdict says that nothing is known; it is kept."""
    other = broken_programs("pg_amcheck")
    proof = verify.verify(other, backup.id)
    assert proof.verdict == "error"
    assert [(check.tier, check.outcome) for check in proof.failed] == [("structure", "error")]
    assert "pg_amcheck failed; seen: exit 3: cannot" in proof.failed[0].seen
    assert other.catalogue.proofs(backup.id)[-1] == proof


def test_a_program_that_is_missing_is_refused_and_nothing_is_recorded(broken_programs, backup):
    """What is wrong is the machine, not the backup."""
    other = broken_programs("pg_verifybackup")
    (other.programs / "pg_verifybackup").unlink()
    known = len(other.catalogue.proofs(backup.id))
    with pytest.raises(Refused, match=r"pg_verifybackup is missing"):
        verify.verify(other, backup.id)
    assert len(other.catalogue.proofs(backup.id)) == known
    assert not list(other.home.scratch.iterdir())


def test_a_disk_without_room_is_refused_with_what_is_missing(stanza, backup, monkeypatch):
    """Before anything is written."""
    monkeypatch.setattr(
        "tasks.recovery.copies.scratch.shutil.disk_usage", lambda _: SimpleNamespace(free=100 << 20)
    )
    with pytest.raises(Refused, match=r"not enough room .*100 MiB free .*next: free \d+ MiB more"):
        verify.verify(stanza, backup.id)
    assert not list(stanza.home.scratch.iterdir())


def test_the_same_backup_is_not_verified_twice_at_once(stanza, backup):
    """The second is refused by name."""
    with (
        scratch(stanza.home, backup.id, 0),
        pytest.raises(Refused, match=f"is being made, or removed, already; seen: {backup.id}"),
    ):
        verify.verify(stanza, backup.id)


def test_a_backup_that_is_not_there_is_refused(stanza, backup):
    """Those that are there are told."""
    with pytest.raises(Refused, match=f"there is no such backup; .*{backup.id}"):
        verify.verify(stanza, "full-20200101T000000Z")


def test_a_rehearsal_that_damages_the_copy_fails_and_is_not_recorded(stanza, backup):
    """The checks find what was meddled with; the backup's own record stays clean."""

    def meddle(server):
        with server.database("hl7").connect() as connection:
            connection.execute("delete from hl7.login_events where id % 2 = 0")

    known = stanza.catalogue.proofs(backup.id)
    proof = verify.verify(stanza, backup.id, meddle=meddle)
    assert proof.verdict == "failed"
    assert any("hl7.hl7.login_events" in check.seen for check in proof.failed)
    assert stanza.catalogue.proofs(backup.id) == known


def test_progress_is_told_in_bytes(stanza, backup):
    """Up to all of them."""
    told = []
    verify.verify(stanza, backup.id, progress=lambda *said: told.append(said))
    assert told[-1] == ("objects", backup.bytes_source, backup.bytes_source)
