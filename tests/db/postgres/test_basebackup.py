"""The server's own stream of a backup: what it brings, and what becomes of it when it breaks."""

import io
import json
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tasks.control import settings
from tasks.control.errors import OpsError, Transient
from tasks.postgres import basebackup, embedded
from tasks.postgres.basebackup import MANIFEST, BaseBackup


def taken(server):
    """Take a backup into memory; return its parts by name, and the stream."""
    with BaseBackup(server, "test") as stream:
        return {part.name: b"".join(part.chunks) for part in stream.parts()}, stream


def test_the_parts_are_a_tar_and_the_manifest_that_describes_it(cluster_server):
    """Every file of the manifest is in the tar, in its size."""
    parts, stream = taken(cluster_server)
    assert list(parts) == ["base.tar", MANIFEST]
    with tarfile.open(fileobj=io.BytesIO(parts["base.tar"])) as tar:
        sizes = {member.name: member.size for member in tar if member.isfile()}
    manifest = json.loads(parts[MANIFEST])
    assert {each["Path"]: each["Size"] for each in manifest["Files"]}.items() <= sizes.items()
    assert (stream.timeline, stream.tablespaces) == (1, {})
    assert stream.start_lsn < stream.stop_lsn
    assert stream.estimated_bytes == pytest.approx(len(parts["base.tar"]), rel=0.2)


def test_the_label_stands_in_the_backup(cluster_server):
    """A person who finds a copy knows which backup it was."""
    parts, _ = taken(cluster_server)
    with tarfile.open(fileobj=io.BytesIO(parts["base.tar"])) as tar:
        assert b"LABEL: test\n" in tar.extractfile("backup_label").read()


def test_a_server_that_is_not_there_may_be_tried_again(cluster_server, tmp_path):
    """The error says what is needed."""
    away = replace(cluster_server, address=f"host={tmp_path} user=x dbname=y")
    with (
        pytest.raises(Transient, match=r"no replication connection; .*pg_hba"),
        BaseBackup(away, "x"),
    ):
        pass


def test_a_role_that_may_not_replicate_is_told(cluster_server):
    """What the server says is passed on."""
    with cluster_server.connect() as connection:
        connection.execute("create role reader login")
    address = cluster_server.address.replace("user=postgres", "user=reader")
    with (
        pytest.raises(OpsError, match=r"permission denied|REPLICATION"),
        BaseBackup(replace(cluster_server, address=address), "x"),
    ):
        pass
    with cluster_server.connect() as connection:
        connection.execute("drop role reader")


def test_the_server_ends_a_backup_that_is_left(cluster_server):
    """No session and no backup stay behind."""
    with BaseBackup(cluster_server, "test") as stream:
        next(stream.parts())
    with cluster_server.connect() as connection:
        for _ in range(100):
            (count,) = connection.execute(
                "select count(*) from pg_stat_progress_basebackup"
            ).fetchone()
            if count == 0:
                break
            connection.execute("select pg_sleep(0.05)")
    assert count == 0


def test_a_server_that_falls_silent_is_given_up(cluster_server, monkeypatch):
    """A stopped process, or a cut cable, is not waited for forever."""
    with BaseBackup(cluster_server, "test") as stream:
        (part,) = [next(stream.parts())]
        with cluster_server.connect() as connection:
            (pid,) = connection.execute("select pid from pg_stat_progress_basebackup").fetchone()
        monkeypatch.setattr(basebackup, "SILENCE_S", 0.3)
        walsender = psutil.Process(pid)
        walsender.suspend()
        try:
            with pytest.raises(Transient, match="the server fell silent"):
                list(part.chunks)
        finally:
            walsender.resume()


@pytest.fixture
def other(tmp_path):
    """Start a cluster that a test may kill."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-kill-"))
    path.chmod(0o755)
    home = embedded.open_home(settings.load(hl7ops_home=path))
    yield home, embedded.start_primary(home, "main")
    home.primary.stop("immediate")


def test_a_server_that_is_killed_may_be_tried_again(other):
    """Its end is no end of the backup."""
    home, server = other
    with BaseBackup(server, "test") as stream:
        part = next(stream.parts())
        home.primary.stop("immediate")
        with pytest.raises(Transient, match="the server ended the backup"):
            list(part.chunks)
