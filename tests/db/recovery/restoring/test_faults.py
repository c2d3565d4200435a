"""Faults in the midst of a restore: told by their kind, with source and target as they were.

F14 of the failures that others met, on the way back: a full disk, a store that fails, short reads.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import pyrage
import pytest
from pydantic import SecretStr

from tasks.backup import wal
from tasks.backup.take import take
from tasks.control import settings
from tasks.control.errors import Corrupt, OpsError, Refused, Transient
from tasks.recovery.drill.rehearse import rehearse
from tasks.recovery.planning.target import parse
from tasks.recovery.restoring.directory import Destination
from tasks.recovery.restoring.restore import restore
from tasks.repository.s3 import address as addresses
from tasks.repository.stanza import open_stanza
from tests.faults.proxy import proxied


def listing(*folders):
    """Return all files below some directories, each with a digest of what it holds."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        for folder in folders
        for path in folder.rglob("*")
        if "holds" not in path.parts
    }


def total(stanza, path):
    """Restore the latest, return what its table adds up to, and stop the copy."""
    done = restore(stanza, parse("latest"), Destination(path))
    try:
        with done.server.database("hl7").connect() as connection:
            return connection.execute("select sum(n) from counted").fetchone()[0]
    finally:
        done.cluster.stop("immediate")


@pytest.fixture(scope="module")
def folder():
    """Make a folder for homes and copies."""
    path = Path(tempfile.mkdtemp(prefix="hl7ops-faults-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def far(s3, folder):
    """Take a backup to S3, encrypted, by a way on which things go wrong; give what leads there."""
    identity = pyrage.x25519.Identity.generate()
    with proxied(s3.server.endpoint) as proxy:
        known = s3.server.settings | {
            "s3_prefix": "restored-from",
            "s3_endpoint_url": proxy.endpoint,
            "hl7ops_home": folder / "home",
            "age_recipients": (str(identity.to_public()),),
        }
        key = {"age_identity": SecretStr(str(identity))}
        stanza = open_stanza(settings.load(**known, **key))
        with stanza.server().connect() as connection:
            connection.execute("create table counted as select 1 as n")
            take(stanza)
            connection.execute("insert into counted values (2)")
        wal.pull(stanza, stanza.server())
        yield known, key, proxy, s3.folder / s3.bucket / "restored-from"
        stanza.home.primary.stop("immediate")


def opened(far, monkeypatch, **more):
    """Open the stanza with little patience for a store that does not answer."""
    known, key, _, _ = far
    monkeypatch.setattr(addresses, "READ_S", 0.5)
    return open_stanza(settings.load(**known | key | more))


def calls(far, stanza, path):
    """Restore once, and return how many calls that made to the store."""
    proxy = far[2]
    proxy.heal()
    assert total(stanza, path) == 3
    return len(proxy.calls)


@pytest.mark.parametrize("fault", ["500", "reset", "short", "slow"])
def test_f14_a_store_that_fails_once_does_not_fail_the_restore(far, folder, monkeypatch, fault):
    """F14: of all the calls every third fails; each is made again, and the copy is exact."""
    stanza, (_, _, proxy, place) = opened(far, monkeypatch), far
    before = listing(place)
    proxy.heal()
    proxy.plan = lambda number, _method, path: (
        fault if number % 3 == 1 and "?uploads" not in path else None
    )
    assert total(stanza, folder / f"copy-{fault}") == 3
    assert len(proxy.calls) > 10
    proxy.heal()
    assert listing(place) == before


@pytest.mark.parametrize("fault", ["500", "short"])
def test_f14_a_store_that_goes_away_fails_it_and_it_goes_on_later(far, folder, monkeypatch, fault):
    """F14: exit code 5 from whichever call on; nothing takes the place; the same call goes on."""
    monkeypatch.setattr(addresses, "ATTEMPTS", 1)
    stanza, (_, _, proxy, place) = opened(far, monkeypatch), far
    path = folder / f"later-{fault}"
    count, before = calls(far, stanza, folder / f"counted-{fault}"), listing(place)
    for number in (1, count // 3, 2 * count // 3):
        proxy.spoil(fault, number, on=True)
        with pytest.raises(OpsError) as failed:
            total(stanza, path)
        proxy.heal()
        assert failed.value.exit_code == 5, failed.value
        assert not path.exists()
        assert listing(place) == before
    assert total(stanza, path) == 3
    assert not Destination(path).work.exists()


def test_a_wrong_key_is_exit_code_4_and_nothing_is_begun(far, folder, monkeypatch):
    """It is told as that; the data is not called bad, and nothing is written."""
    _, _, proxy, place = far
    proxy.heal()
    stranger = SecretStr(str(pyrage.x25519.Identity.generate()))
    before = listing(place, folder / "home" / "keys")
    with pytest.raises(Corrupt, match="identity") as failed:
        total(opened(far, monkeypatch, age_identity=stranger), folder / "closed")
    assert failed.value.exit_code == 4
    assert not (folder / "closed").exists()
    assert not Destination(folder / "closed").work.exists()
    assert listing(place, folder / "home" / "keys") == before


@pytest.fixture
def small(folder):
    """Mount a small disk."""
    place = folder / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "small", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)
    place.rmdir()


def test_f14_a_disk_that_fills_up_is_exit_code_3_and_the_same_restore_goes_on(
    far, folder, small, monkeypatch
):
    """F14: with room to be had when it began, and gone in the middle; then made."""
    stanza, (_, _, proxy, place) = opened(far, monkeypatch), far
    proxy.heal()
    before = listing(place)
    with monkeypatch.context() as patched:
        patched.setattr("tasks.recovery.restoring.directory._see_room", lambda *_: None)
        with pytest.raises(Refused, match="make room; the same restore then goes on") as failed:
            total(stanza, small / "copy")
    assert failed.value.exit_code == 3
    assert not (small / "copy").exists()
    assert listing(place) == before
    subprocess.run(["mount", "-o", "remount,size=1g", small], check=True)
    assert total(stanza, small / "copy") == 3
    assert not Destination(small / "copy").work.exists()


def test_wal_that_goes_in_the_middle_is_exit_code_4(far, folder, monkeypatch):
    """F10: recovery that ends before its target is a failure, and never a copy that holds less."""
    stanza, (_, _, proxy, place) = opened(far, monkeypatch), far
    proxy.heal()
    storage, before = stanza.catalogue.storage, listing(place)
    victim = storage.objects("main/wal/")[-1].name
    kept = storage.get(victim)

    def meddle(phase, _done, _all):
        if phase == "copy":
            storage.delete(victim)

    try:
        with pytest.raises(OpsError) as failed:
            restore(stanza, parse("latest"), Destination(folder / "less"), progress=meddle)
    finally:
        storage.put(victim, kept)
    assert failed.value.exit_code == 4, failed.value
    assert not (folder / "less").exists()
    assert not Destination(folder / "less").work.exists()
    assert listing(place) == before


def test_a_drill_that_a_store_fails_leaves_nothing(far, monkeypatch):
    """It says so; what was made of the copy is gone."""
    monkeypatch.setattr(addresses, "ATTEMPTS", 1)
    stanza, (_, _, proxy, _) = opened(far, monkeypatch), far
    proxy.heal()
    proxy.plan = lambda _number, method, path: (
        "500" if method == "GET" and path.endswith("base.tar.zst.age") else None
    )
    done = rehearse(stanza, 1)
    proxy.heal()
    assert done.verdict != "passed"
    assert done.error
    assert [path.name for path in (stanza.home.path / "drill").iterdir()] == [".lock"]


def test_a_foreign_repository_is_exit_code_3_and_signed_by_a_stranger_4(far, folder, monkeypatch):
    """Another place holds nothing of this stanza; another key's documents are not believed."""
    _, _, proxy, place = far
    proxy.heal()
    with pytest.raises(Refused, match="the repository is empty") as failed:
        total(opened(far, monkeypatch, s3_prefix="of-somebody"), folder / "foreign")
    assert failed.value.exit_code == 3
    before = listing(place)
    stranger = open_stanza(settings.load(hl7ops_home=folder / "stranger"))
    with stranger.server().connect() as connection:
        connection.execute("create table counted as select 7 as n")
    take(stranger)
    stranger.home.primary.stop("immediate")
    theirs = folder / "stranger/repository/main"
    (of_backup,) = theirs.glob("backups/*/backup.json")
    documents = [place / "main/stanza.json", *place.glob("main/backups/*/backup.json")]
    kept = {path: path.read_bytes() for path in documents}
    for path in documents:
        signed = theirs / "stanza.json" if path.name == "stanza.json" else of_backup
        path.write_bytes(signed.read_bytes())
    try:
        with pytest.raises(Corrupt) as failed:
            total(opened(far, monkeypatch), folder / "foreign")
    finally:
        for path, data in kept.items():
            path.write_bytes(data)
    assert failed.value.exit_code == 4
    assert not (folder / "foreign").exists()
    assert listing(place) == before


def test_the_kinds_of_failure_have_the_codes_that_are_documented():
    """Refused 3, corrupt 4, transient 5."""
    assert (Refused.exit_code, Corrupt.exit_code, Transient.exit_code) == (3, 4, 5)
